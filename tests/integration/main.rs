//! The one integration test binary: one module per subject, and the harness that they share in `common`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod architecture;
mod broken_streams;
mod bulk;
mod call;
mod call_files;
mod cases;
#[cfg(feature = "emulator")]
mod cast;
mod check;
mod ci;
mod client;
mod common;
#[cfg(feature = "emulator")]
mod differential;
#[cfg(feature = "emulator")]
mod docs;
#[cfg(feature = "emulator")]
mod emulator;
mod every_operation;
mod examples;
mod failures;
mod finally;
mod flaky;
mod fragments;
mod fuzz;
mod harness;
mod identities;
#[cfg(feature = "emulator")]
mod init;
mod interpreter;
mod list;
mod nesting;
mod network;
mod openapi;
mod operations;
#[cfg(unix)]
mod progress;
mod project;
mod reports;
mod resume;
mod schedule;
mod schema;
mod secrets;
mod selection;
mod sessions;
mod shipped;
mod snapshots;
mod terminal;
mod tls;
#[cfg(all(unix, feature = "emulator"))]
mod watch;
