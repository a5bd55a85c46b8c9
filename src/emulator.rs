//! The embedded AgentOS.
