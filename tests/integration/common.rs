//! The harness of the integration tests: a real AgentOS to run against, a server that misbehaves as told, and the
//! compiled binary in a clean room.

#![allow(dead_code, reason = "a toolbox: not every tool is used by today's tests")]

pub(crate) mod agentos;
pub(crate) mod browser;
pub(crate) mod fake;
pub(crate) mod http;
pub(crate) mod jwt;
pub(crate) mod packages;
pub(crate) mod proxy;
#[cfg(unix)]
pub(crate) mod pty;
pub(crate) mod run;
pub(crate) mod scrub;
pub(crate) mod text;
mod venv;

#[allow(unused_imports, reason = "a toolbox, as above")]
pub(crate) use self::{
    agentos::{RealAgentOs, Settings, agentos, version},
    fake::{Answer, FakeServer, Request, nobody_listens},
    proxy::CuttingProxy,
    run::{Output, Run, Running},
};
