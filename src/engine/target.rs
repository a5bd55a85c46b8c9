//! The AgentOS that scenarios run against, and what is known of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::OnceCell;

use super::gate::Gate;
use crate::agentos::operation::{Call, Method, Spec};
use crate::agentos::{CallOptions, Client};
use crate::diagnostic;
use crate::scenario::{Requires, Scenario};

/// An AgentOS with its client.
#[derive(Clone)]
pub struct Target {
    /// What it is called in reports.
    pub name: String,
    /// The client.
    pub client: Client,
    /// Whether it is the AgentOS inside this program.
    pub embedded: bool,
    /// The most scenarios that run against it at the same time.
    pub jobs: Option<usize>,
    facts: Arc<OnceCell<Facts>>,
    /// Where it asks for a pause, all requests wait.
    pub(super) gate: Arc<Gate>,
    routes: Arc<OnceCell<Option<BTreeSet<String>>>>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a target has.
#[derive(Debug, Default)]
struct Facts {
    agents: Vec<String>,
    teams: Vec<String>,
    workflows: Vec<String>,
    databases: Vec<String>,
    version: Option<String>,
    unreadable: Option<String>,
}

impl Target {
    /// A target that is reached by `client`.
    pub fn new(name: impl Into<String>, client: Client, embedded: bool) -> Self {
        Self {
            name: name.into(),
            client,
            embedded,
            jobs: None,
            facts: Arc::default(),
            gate: Arc::default(),
            routes: Arc::default(),
        }
    }

    /// The databases to look into: their ids where there are several, and one without an id where there is one.
    pub(super) async fn databases(&self) -> Vec<Option<String>> {
        match self.facts().await.databases.as_slice() {
            [] | [_] => vec![None],
            several => several.iter().cloned().map(Some).collect(),
        }
    }

    async fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| async { Facts::of(&self.client).await }).await
    }

    /// Why this server cannot do an operation; none where it can, or where it does not say what it can.
    ///
    /// Asked once per target, and only for operations that some supported version of agno lacks.
    pub(super) async fn lacks_operation(&self, spec: &Spec) -> Option<String> {
        let since = spec.since?;
        let routes = self.routes.get_or_init(|| async { routes(&self.client).await }).await.as_ref()?;
        let route = route(spec.method.as_str(), spec.path);
        (!routes.contains(&route)).then(|| format!("this AgentOS has no {} (since agno {since})", spec.name))
    }

    /// What a reader who named `id` in this field should know: that the AgentOS has none of it, and what it has.
    pub(super) async fn missing(&self, field: &str, id: &str) -> Option<String> {
        let (what, known) = self.facts().await.named_by(field)?;
        if known.iter().any(|known| known == id) {
            return None;
        }
        let hint = diagnostic::suggest_nearest(id, known.iter().map(String::as_str))?;
        Some(format!("this AgentOS has no {what} `{id}`; {}", hint.replace("known here", "it has")))
    }

    /// What it has and what it can do.
    pub(super) async fn inventory(&self) -> Inventory<'_> {
        let facts = self.facts().await;
        let routes = self.routes.get_or_init(|| async { routes(&self.client).await }).await.as_ref();
        Inventory { facts, routes }
    }

    /// Why a scenario with these requirements cannot run here; none where it can. `resolve` gives an id its value.
    pub(super) async fn lacks(
        &self,
        requires: &Requires,
        ids: impl Fn(&[crate::template::Template]) -> Vec<String>,
    ) -> Option<String> {
        if requires.is_empty() {
            return None;
        }
        let facts = self.facts().await;
        if let Some(cause) = &facts.unreadable {
            return Some(format!("what the target has could not be read: {cause}"));
        }
        for (what, wanted, there) in [
            ("agent", &requires.agents, &facts.agents),
            ("team", &requires.teams, &facts.teams),
            ("workflow", &requires.workflows, &facts.workflows),
        ] {
            if let Some(missing) = ids(wanted).into_iter().find(|id| !there.contains(id)) {
                let list = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
                return Some(format!("this AgentOS has no {what} `{missing}` (it has {list})"));
            }
        }
        for name in &requires.operations {
            if let Some(entry) = crate::agentos::find(name)
                && let Some(lack) = self.lacks_operation(entry.spec).await
            {
                return Some(lack);
            }
        }
        if let Some(range) = &requires.version {
            match &facts.version {
                None => return Some(format!("needs agno {range}, and this AgentOS is older than 2.6")),
                Some(version) if !range.contains(version) => {
                    return Some(format!("needs agno {range}, and this AgentOS runs {version}"));
                }
                Some(_) => {}
            }
        }
        None
    }
}

/// What a target has and what it can do.
pub(super) struct Inventory<'a> {
    facts: &'a Facts,
    routes: Option<&'a BTreeSet<String>>,
}

impl Inventory<'_> {
    /// Why nothing is known.
    pub(super) fn unreadable(&self) -> Option<&str> {
        self.facts.unreadable.as_deref()
    }

    /// Whether it says what it can do, and this is not among it.
    pub(super) fn lacks_operation(&self, spec: &Spec) -> bool {
        // What no released AgentOS has is done by other requests there.
        spec.name != "clear_session"
            && self.routes.is_some_and(|routes| !routes.contains(&route(spec.method.as_str(), spec.path)))
    }

    /// What a field of this name names, and which of them there are; none where it names nothing of the kind.
    pub(super) fn named_by(&self, field: &str) -> Option<(&'static str, &[String])> {
        self.facts.named_by(field)
    }
}

/// The routes that a server says it has; none where it does not say (its documentation may be switched off).
async fn routes(client: &Client) -> Option<BTreeSet<String>> {
    let exchange =
        client.exchange(&Call::new(Method::Get, "/openapi.json"), &CallOptions::default()).await.ok()?;
    let document: Value = serde_json::from_slice(&exchange.body).ok()?;
    let paths = document.get("paths")?.as_object()?;
    let routes = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten().map(|(method, _)| method.to_uppercase());
        methods.map(move |method| route(&method, path))
    });
    Some(routes.collect())
}

/// A method and a path in which the names of parameters do not matter.
fn route(method: &str, path: &str) -> String {
    let path: Vec<&str> =
        path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
    format!("{method} {}", path.join("/"))
}

impl Facts {
    /// What a field of this name names, and which of them there are; none where it names nothing of the kind, or where
    /// nothing is known.
    fn named_by(&self, field: &str) -> Option<(&'static str, &[String])> {
        if self.unreadable.is_some() {
            return None;
        }
        Some(match field {
            "agent_id" => ("agent", &self.agents),
            "team_id" => ("team", &self.teams),
            "workflow_id" => ("workflow", &self.workflows),
            // Servers that do not list their databases have none that can be named wrongly.
            "db_id" if !self.databases.is_empty() => ("database", &self.databases),
            _ => return None,
        })
    }

    async fn of(client: &Client) -> Self {
        let options = CallOptions::default();
        let read = |path: &'static str| {
            let options = &options;
            async move {
                let exchange = client
                    .exchange(&Call::new(Method::Get, path), options)
                    .await
                    .map_err(|error| error.to_string())?;
                if exchange.status >= 400 {
                    return Err(format!("GET {path} was answered {}", exchange.status));
                }
                serde_json::from_slice::<Value>(&exchange.body)
                    .map_err(|_| format!("GET {path} was not answered with JSON"))
            }
        };
        let config = match read("/config").await {
            Ok(config) => config,
            Err(cause) => return Self { unreadable: Some(cause), ..Self::default() },
        };
        let ids = |key: &str| {
            let items = config.get(key).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(|item| item.get("id").and_then(Value::as_str).map(str::to_owned)).collect()
        };
        let names = |key: &str| {
            let items = config.get(key).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
        };
        // `/info` names the version of agno since 2.6; before, nothing does.
        let info = read("/info").await.unwrap_or_default();
        let version = info.get("agno_version").and_then(Value::as_str).map(str::to_owned);
        Self {
            agents: ids("agents"),
            teams: ids("teams"),
            workflows: ids("workflows"),
            databases: names("databases"),
            version,
            unreadable: None,
        }
    }
}

/// The targets of a run: the default one and those that scenarios name.
#[derive(Debug, Default)]
pub struct Targets {
    default: Option<Target>,
    named: BTreeMap<String, Target>,
    /// Whether the command line chose one for all.
    pinned: bool,
}

impl Targets {
    /// One target for everything, whatever scenarios name.
    pub fn pinned(target: Target) -> Self {
        Self { default: Some(target), named: BTreeMap::new(), pinned: true }
    }

    /// The target of scenarios that name none.
    pub fn with_default(target: Target) -> Self {
        Self { default: Some(target), named: BTreeMap::new(), pinned: false }
    }

    /// Adds a target that scenarios may name.
    pub fn insert(&mut self, name: impl Into<String>, target: Target) {
        self.named.insert(name.into(), target);
    }

    /// The target of a scenario.
    pub fn of(&self, scenario: &Scenario) -> Option<&Target> {
        match scenario.target.as_ref().filter(|_| !self.pinned) {
            Some(key) => self.named.get(&key.name),
            None => self.default.as_ref(),
        }
    }

    /// The place of a scenario's target among [`Self::iter`].
    pub(super) fn place_of(&self, scenario: &Scenario) -> Option<usize> {
        match scenario.target.as_ref().filter(|_| !self.pinned) {
            Some(key) => {
                let before = usize::from(self.default.is_some());
                self.named.keys().position(|name| *name == key.name).map(|place| before + place)
            }
            None => self.default.is_some().then_some(0),
        }
    }

    /// All of them, the default first.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.default.iter().chain(self.named.values())
    }
}
