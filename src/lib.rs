//! `agentos-run`: declarative tests and automation for Agno's AgentOS.

pub mod agentos;
pub mod cli;
pub mod diagnostic;
pub mod duration;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod engine;
pub mod expect;
pub mod expr;
pub mod jsonpath;
pub mod outcome;
pub mod project;
pub mod report;
pub mod scenario;
pub mod secret;
pub mod snapshot;
pub mod source;
pub mod template;
pub mod yaml;
