//! The client of AgentOS: its transport against servers that misbehave, its requests as data, its operations against a
//! real AgentOS.

#![expect(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    reason = "tests panic, and their helpers fit into fields"
)]

mod answers;
mod clear;
mod decisions;
mod events;
mod files;
mod identities;
pub(crate) mod live;
mod recordings;
mod records;
mod requests;
mod runs;
mod server;
mod sse;
mod streams;
mod transport;
