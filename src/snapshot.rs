//! Snapshots: what an answer was when somebody last looked at it, kept in a file that is read in a pull request. What
//! AgentOS leaves to chance (ids, times, token counts) is replaced by placeholders before it is compared.

mod compare;
mod diff;
mod events;
mod file;
mod name;
mod pending;
mod redact;
mod select;
mod sort;
mod spec;
mod store;
mod write;

pub use diff::shown_difference;
pub use file::{File, Metadata, Unusable};
pub use name::{Folders, Home, ProjectFolders, slug};
pub use pending::{Accepted, Pending, PendingError, find, find_pending};
pub use redact::{Known, is_volatile};
pub use spec::{Snapshot, duplicate, parse};
pub use store::{Held, Mode, Shot, Store, Subject, Tally, Turn, pending_of};
pub use write::WriteError;
