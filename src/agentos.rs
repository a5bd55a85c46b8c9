//! A client of AgentOS, Agno's server of agents.

pub mod error;
pub mod field;
pub mod operation;
pub mod refusal;
pub mod sessions;
pub mod transport;

pub use error::{Error, ErrorKind, Phase};
pub use operation::{AnyOperation, Call, Effect, Entry, Operation, Payload, Spec, catalogue, find};
pub use refusal::refusal_message;
pub use transport::{CallOptions, Client, ClientBuilder, Exchange, SentRequest, Timeouts};

/// The catalogue, in the order of the documentation. To add an operation is to write its type and to name it here.
fn entries() -> Vec<Entry> {
    vec![Entry::of::<sessions::GetSession>()]
}
