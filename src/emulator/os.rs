//! What all requests share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::auth::Guard;
use super::cast::Cast;
use super::chaos::Chaos;
use super::clock;
use super::live::Live;
use super::metrics::Refreshes;
use super::store::Store;

/// The running server's settings, its cast, what goes on in it, and the database that a request is about.
#[derive(Debug, Clone)]
pub(crate) struct Os {
    pub(crate) store: Arc<Store>,
    /// All databases, in the order of the cast.
    stores: Arc<[Arc<Store>]>,
    pub(crate) cast: Cast,
    pub(crate) live: Arc<Live>,
    pub(crate) refreshes: Arc<Refreshes>,
    pub(crate) guard: Arc<Guard>,
    pub(crate) chaos: Arc<Chaos>,
    pub(crate) instantiated_at: Arc<str>,
}

impl Os {
    /// Opens the databases of a cast: the first in `file`, the others beside it, or all in memory.
    pub(crate) fn open(
        file: Option<&Path>,
        cast: Cast,
        guard: Guard,
        chaos: Chaos,
    ) -> rusqlite::Result<Self> {
        let stores: Vec<Arc<Store>> = cast
            .databases
            .iter()
            .enumerate()
            .map(|(index, id)| {
                let beside = file.map(|file| if index == 0 { file.to_owned() } else { beside(file, id) });
                Store::open(beside.as_deref()).map(Arc::new)
            })
            .collect::<Result<_, _>>()?;
        let first = Arc::clone(&stores[0]);
        Ok(Self {
            store: first,
            stores: stores.into(),
            cast,
            live: Arc::default(),
            refreshes: Arc::default(),
            guard: Arc::new(guard),
            chaos: Arc::new(chaos),
            instantiated_at: clock::iso_micros().into(),
        })
    }

    /// The same with another of its databases; with its first where there is none of that id.
    pub(crate) fn at(&self, db: &str) -> Self {
        let index = self.cast.databases.iter().position(|id| *id == db).unwrap_or(0);
        Self { store: Arc::clone(&self.stores[index]), ..self.clone() }
    }

    /// The database of everybody who names none, and of all traces.
    pub(crate) fn first(&self) -> &Arc<Store> {
        &self.stores[0]
    }

    /// The database of the knowledge base.
    pub(crate) fn knowledge_store(&self) -> Arc<Store> {
        self.at(self.cast.knowledge.db).store
    }
}

/// `os.db` and `archive` make `os.archive.db`.
fn beside(file: &Path, id: &str) -> PathBuf {
    let safe: String = id.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect();
    match file.extension() {
        Some(extension) => file.with_extension(format!("{safe}.{}", extension.to_string_lossy())),
        None => file.with_extension(safe),
    }
}
