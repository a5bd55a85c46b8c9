//! `agentos-run`: declarative tests and automation for Agno's AgentOS.

#[cfg(feature = "emulator")]
pub mod emulator;
