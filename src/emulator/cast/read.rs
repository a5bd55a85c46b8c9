//! Reading a cast file: YAML nodes to the people of a cast, with all that is wrong collected.

mod knowledge;
mod people;
mod tools;
mod workflows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::rules::{self, Owner};
use super::{Agent, Cast, Identity, Model, Rule, Team, Workflow, faults, schema};
use crate::diagnostic::{self, Problem, Problems};
use crate::emulator::tools::{SEARCH, Tool};
use crate::source::{Source, Span};
use crate::yaml::fields::{Fields, expected};
use crate::yaml::{self, Key, Kind, Node};

/// Reads a cast.
pub(super) fn cast(source: &Arc<Source>, folder: &Path, problems: &mut Problems) -> Cast {
    let mut documents = yaml::parse(source, problems).into_iter();
    let root = documents.next().unwrap_or(Node { span: Span::whole(source), kind: Kind::Null });
    if let Some(second) = documents.next() {
        problems.push(
            Problem::error("cast::documents", "a cast is one document").label(&second.span, "a second one"),
        );
    }
    let fields = Fields::new(&root, "a cast", problems);
    let mut reader = Reader {
        folder: Arc::new(folder.to_owned()),
        model: leak(Model { id: "offline-1", name: "OfflineModel", provider: "Offline" }),
        databases: leak(Vec::new()),
        tools: BTreeMap::from([(SEARCH.to_owned(), leak(Tool::search()))]),
        sets: BTreeMap::new(),
        people: BTreeMap::new(),
    };
    if let Some(entry) = fields.get("model") {
        reader.model = reader.model(&entry.value, problems);
    }
    reader.databases = databases(&fields, problems);
    let knowledge = reader.knowledge(&fields, problems);
    for (key, node) in mapping(&fields, "tools", "names to tools", problems) {
        let tool = reader.tool(key, node, problems);
        if key.name == SEARCH {
            problems.push(
                Problem::error(
                    "cast::tool",
                    format!("`{SEARCH}` is the tool of agents with `knowledge: true`"),
                )
                .label(&key.span, "taken")
                .help("give this one another name"),
            );
            continue;
        }
        reader.tools.insert(key.name.clone(), tool);
    }
    for (key, node) in mapping(&fields, "replies", "names to lists of rules", problems) {
        let owner = Owner { tools: &reader.tools, own: None, members: None, shared: true };
        let rules = rules::all(node, &owner, problems);
        reader.sets.insert(key.name.clone(), Arc::new(rules));
    }
    let members: Vec<Agent> = mapping(&fields, "members", "ids to agents", problems)
        .into_iter()
        .map(|(key, node)| reader.agent(key, node, problems))
        .collect();
    let agents: Vec<Agent> = mapping(&fields, "agents", "ids to agents", problems)
        .into_iter()
        .map(|(key, node)| reader.agent(key, node, problems))
        .collect();
    let (members, agents): (&'static [Agent], &'static [Agent]) = (members.leak(), agents.leak());
    for agent in members.iter().chain(agents) {
        if let Some(twice) = reader.people.insert(agent.id.to_owned(), agent) {
            let key = fields
                .get("agents")
                .and_then(|entry| entry.value.as_mapping()?.iter().find(|entry| entry.key.name == twice.id));
            let problem = Problem::error("cast::id", format!("two agents have the id `{}`", twice.id));
            let problem = key.map_or(problem.clone(), |entry| problem.label(&entry.key.span, "again here"));
            problems.push(problem.help("one of `agents` can be a member of teams as it is"));
        }
    }
    let teams: Vec<Team> = mapping(&fields, "teams", "ids to teams", problems)
        .into_iter()
        .map(|(key, node)| reader.team(key, node, problems))
        .collect();
    let workflows: Vec<Workflow> = mapping(&fields, "workflows", "ids to workflows", problems)
        .into_iter()
        .map(|(key, node)| reader.workflow(key, node, problems))
        .collect();
    if agents.is_empty() && teams.is_empty() && workflows.is_empty() && !problems.has_errors() {
        problems.push(
            Problem::error("cast::empty", "nobody plays: a cast has `agents`, `teams` or `workflows`")
                .label(&root.span, "nobody here")
                .help("agents:\n  assistant:\n    replies:\n      - say: \"You said: ${{ message }}\""),
        );
    }
    let id = fields.text("os_id", problems).unwrap_or_else(|| "embedded-os".to_owned());
    let os = Identity {
        name: fields.text("name", problems).map_or_else(|| title(&id).leak(), String::leak),
        id: id.leak(),
        description: fields.text("description", problems).map(|text| &*text.leak()),
        version: fields.text("version", problems).map(|text| &*text.leak()),
    };
    let faults = fields.get("faults").map(|entry| faults::all(&entry.value, true, problems));
    let chaos = fields.get("chaos").map(|entry| faults::chaos(&entry.value, problems));
    let auth = fields.get("auth").map(|entry| faults::auth(&entry.value, problems));
    schema::finish(&fields, schema::TOP, "a cast", problems);
    Cast {
        os: leak(os),
        databases: reader.databases,
        agents,
        teams: teams.leak(),
        workflows: workflows.leak(),
        knowledge: leak(knowledge),
        faults: faults.unwrap_or_default().leak(),
        chaos: leak(chaos.unwrap_or_default()),
        auth: leak(auth.unwrap_or_default()),
    }
}

/// Whoever plays stays: a cast is read once for a server.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// `support-desk` as people write it: `Support Desk`.
fn title(id: &str) -> String {
    let words = id.split(['-', '_', ' ']).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|c| c.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
    };
    words.map(capital).collect::<Vec<_>>().join(" ")
}

/// The entries of a mapping of the file; anything else is a problem.
fn mapping<'a>(
    fields: &Fields<'a>,
    name: &str,
    wanted: &str,
    problems: &mut Problems,
) -> Vec<(&'a Key, &'a Node)> {
    let Some(entry) = fields.get(name) else { return Vec::new() };
    match &entry.value.kind {
        Kind::Mapping(entries) => entries.iter().map(|entry| (&entry.key, &entry.value)).collect(),
        Kind::Null => Vec::new(),
        _ => {
            let wanted = format!("a mapping of {wanted}");
            problems.push(expected("cast::type", &format!("`{name}`"), &wanted, &entry.value));
            Vec::new()
        }
    }
}

fn databases(fields: &Fields<'_>, problems: &mut Problems) -> &'static [&'static str] {
    let mut ids: Vec<&'static str> = Vec::new();
    for id in fields.strings("databases", problems) {
        if ids.contains(&id.as_str()) || id.is_empty() {
            if let Some(entry) = fields.get("databases") {
                let message = if id.is_empty() {
                    "a database has an id".to_owned()
                } else {
                    format!("two databases have the id `{id}`")
                };
                problems.push(Problem::error("cast::id", message).label(&entry.value.span, "here"));
            }
            continue;
        }
        ids.push(id.leak());
    }
    if ids.is_empty() {
        ids.push("db");
    }
    ids.leak()
}

struct Reader {
    folder: Arc<PathBuf>,
    model: &'static Model,
    databases: &'static [&'static str],
    tools: BTreeMap<String, &'static Tool>,
    sets: BTreeMap<String, Arc<Vec<Rule>>>,
    people: BTreeMap<String, &'static Agent>,
}

impl Reader {
    /// A model: its id, or a mapping; what it does not say it has of the cast's.
    fn model(&self, node: &Node, problems: &mut Problems) -> &'static Model {
        if let Kind::String(id) = &node.kind {
            return leak(Model { id: id.clone().leak(), ..*self.model });
        }
        let fields = Fields::new(node, "`model`", problems);
        let mut text =
            |name: &str, other: &'static str| fields.text(name, problems).map_or(other, |text| &*text.leak());
        let model = Model {
            id: text("id", self.model.id),
            name: text("name", self.model.name),
            provider: text("provider", self.model.provider),
        };
        schema::finish(&fields, schema::MODEL, "`model`", problems);
        leak(model)
    }

    fn model_of(&self, fields: &Fields<'_>, problems: &mut Problems) -> &'static Model {
        fields.get("model").map_or(self.model, |entry| self.model(&entry.value, problems))
    }

    fn db_of(&self, fields: &Fields<'_>, problems: &mut Problems) -> &'static str {
        let first = self.databases[0];
        let Some(id) = fields.text("db", problems) else { return first };
        let known = self.databases.iter().copied().find(|known| *known == id);
        if let (None, Some(entry)) = (known, fields.get("db")) {
            problems.push(
                Problem::error("cast::unknown", format!("there is no database `{id}`"))
                    .label(&entry.value.span, "not among `databases`")
                    .maybe_help(diagnostic::suggest(&id, self.databases.iter().copied())),
            );
        }
        known.unwrap_or(first)
    }
}

/// An id, which stands in paths.
fn id(key: &Key, problems: &mut Problems) -> &'static str {
    if key.name.is_empty() || key.name.contains(|c: char| c.is_whitespace() || "/?#%".contains(c)) {
        problems.push(
            Problem::error("cast::id", format!("`{}` cannot be an id", key.name))
                .label(&key.span, "it stands in paths")
                .help("use letters, digits, `-`, `_` and `.`; `name` is for people"),
        );
    }
    key.name.clone().leak()
}

fn name(fields: &Fields<'_>, id: &str, problems: &mut Problems) -> &'static str {
    fields.text("name", problems).unwrap_or_else(|| title(id)).leak()
}

fn words(fields: &Fields<'_>, name: &str, problems: &mut Problems) -> Option<&'static str> {
    fields.text(name, problems).map(|text| &*text.leak())
}

/// Where a member of a list stands.
fn member_span(fields: &Fields<'_>, list: &str, name: &str) -> Option<Span> {
    let entry = fields.get(list)?;
    let items = entry.value.as_sequence().unwrap_or_else(|| std::slice::from_ref(&entry.value));
    items.iter().find(|item| item.as_str() == Some(name)).map(|item| item.span.clone())
}

fn object(fields: &Fields<'_>, name: &str, problems: &mut Problems) -> Map<String, Value> {
    let Some(entry) = fields.get(name) else { return Map::new() };
    match entry.value.to_json() {
        Value::Object(object) => object,
        Value::Null => Map::new(),
        _ => {
            problems.push(expected("cast::type", &format!("`{name}`"), "a mapping", &entry.value));
            Map::new()
        }
    }
}

/// What goes wrong with the runs of a component.
fn faults_of(fields: &Fields<'_>, problems: &mut Problems) -> Vec<faults::Faulty> {
    fields.get("faults").map(|entry| faults::all(&entry.value, false, problems)).unwrap_or_default()
}
