//! Reading a cast file: YAML nodes to the people of a cast, with all that is wrong collected.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::rules::{self, Owner};
use super::{
    Agent, Cast, Executor, History, Identity, Knowledge, Known, Model, Remember, Rule, Script, Scripted,
    Step, Team, Workflow, faults, names, schema,
};
use crate::diagnostic::{self, Problem, Problems};
use crate::emulator::tools::{Does, Need, Parameter, SEARCH, Tool};
use crate::source::{Source, Span};
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, string};
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

    fn knowledge(&self, fields: &Fields<'_>, problems: &mut Problems) -> Knowledge {
        let mut knowledge =
            Knowledge { name: "Knowledge", description: None, db: self.databases[0], contents: Vec::new() };
        let Some(entry) = fields.get("knowledge") else { return knowledge };
        let fields = Fields::new(&entry.value, "`knowledge`", problems);
        if let Some(name) = fields.text("name", problems) {
            knowledge.name = name.leak();
        }
        knowledge.description = fields.text("description", problems).map(|text| &*text.leak());
        knowledge.db = self.db_of(&fields, problems);
        if let Some(entry) = fields.get("contents") {
            match &entry.value.kind {
                Kind::Sequence(items) => {
                    knowledge.contents = items.iter().filter_map(|item| self.known(item, problems)).collect();
                }
                _ => problems.push(expected("cast::type", "`contents`", "a list of contents", &entry.value)),
            }
        }
        schema::finish(&fields, schema::KNOWLEDGE, "`knowledge`", problems);
        knowledge
    }

    fn known(&self, node: &Node, problems: &mut Problems) -> Option<Known> {
        let fields = Fields::new(node, "a content", problems);
        let name = fields.text("name", problems);
        let description = fields.text("description", problems);
        let metadata = fields.get("metadata").and_then(|entry| {
            if entry.value.as_mapping().is_none() {
                problems.push(expected("cast::type", "`metadata`", "a mapping", &entry.value));
                return None;
            }
            Some(entry.value.to_json())
        });
        let (text, file) = (fields.text("text", problems), fields.text("file", problems));
        schema::finish(&fields, schema::CONTENT, "a content", problems);
        let body = match (text, &file) {
            (Some(text), None) => text,
            (None, Some(path)) => match std::fs::read_to_string(self.folder.join(path)) {
                Ok(text) => text,
                Err(error) => {
                    let span = fields.get("file").map_or(&node.span, |entry| &entry.value.span);
                    problems.push(
                        Problem::error("cast::file", format!("cannot read {path}: {error}"))
                            .label(span, "this file")
                            .help("its path is relative to the cast file"),
                    );
                    return None;
                }
            },
            _ => {
                problems.push(
                    Problem::error("cast::content", "a content has either a `text` or a `file`")
                        .label(&node.span, "this one"),
                );
                return None;
            }
        };
        let file = file.map(|path| {
            Path::new(&path).file_name().map_or(path.clone(), |name| name.to_string_lossy().into_owned())
        });
        let Some(name) = name.or_else(|| file.clone()) else {
            problems.push(
                Problem::error("cast::content", "a content without a `file` has a `name`")
                    .label(&node.span, "what is it called?"),
            );
            return None;
        };
        Some(Known { name, description, metadata, text: body, file })
    }

    fn tool(&self, key: &Key, node: &Node, problems: &mut Problems) -> &'static Tool {
        let name: &'static str = key.name.clone().leak();
        let scripted = |template: Template| Scripted { template, folder: Arc::clone(&self.folder) };
        // A text is the short form of what it answers.
        if let Kind::String(_) = node.kind {
            let template = Template::parse(node, problems);
            names::tool(&template, problems);
            return leak(Tool::new(name, Does::Result(scripted(template))));
        }
        let fields = Fields::new(node, "a tool", problems);
        let mut template = |name: &str| {
            let entry = fields.get(name)?;
            let template = Template::parse(&entry.value, problems);
            names::tool(&template, problems);
            Some(template)
        };
        let (result, error) = (template("result"), template("error"));
        if let (Some(_), Some(entry)) = (&result, fields.get("error")) {
            problems.push(
                Problem::error("cast::tool", "a tool has a `result` or an `error`, not both")
                    .label(&entry.key.span, "one of them"),
            );
        }
        let does = match (result, error) {
            (_, Some(error)) => Does::Fail(scripted(error)),
            (Some(result), None) => Does::Result(scripted(result)),
            (None, None) => Does::Result(scripted(Template::literal("done".into(), &key.span))),
        };
        let mut tool = Tool::new(name, does);
        tool.description = fields.text("description", problems).unwrap_or_default();
        tool.parameters = parameters(&fields, "parameters", problems);
        tool.input = parameters(&fields, "input", problems);
        tool.need = need(&fields, problems);
        if tool.need == Need::Nothing && !tool.input.is_empty() {
            tool.need = Need::UserInput;
        }
        if tool.need == Need::UserInput && tool.input.is_empty() {
            problems.push(
                Problem::error("cast::tool", "a tool that needs user input says which")
                    .label(&key.span, "has no `input`")
                    .help("input:\n  to: { type: string, description: the address }"),
            );
        }
        schema::finish(&fields, schema::TOOL, "a tool", problems);
        leak(tool)
    }

    fn agent(&self, key: &Key, node: &Node, problems: &mut Problems) -> Agent {
        let id = id(key, problems);
        let fields = Fields::new(node, "an agent", problems);
        let knows = fields.boolean("knowledge", problems).unwrap_or(false);
        let mut tools: Vec<&'static Tool> = Vec::new();
        for name in fields.strings("tools", problems) {
            let Some(tool) = self.tools.get(&name).filter(|_| name != SEARCH) else {
                let span = member_span(&fields, "tools", &name).unwrap_or_else(|| key.span.clone());
                let known = self.tools.keys().map(String::as_str).filter(|known| *known != SEARCH);
                let problem = Problem::error("cast::unknown", format!("there is no tool `{name}`"))
                    .label(&span, "not among `tools`");
                problems.push(if name == SEARCH {
                    problem.help("`knowledge: true` gives an agent this tool")
                } else {
                    problem.maybe_help(diagnostic::suggest(&name, known))
                });
                continue;
            };
            tools.push(tool);
        }
        if knows {
            tools.extend(self.tools.get(SEARCH).copied());
        }
        let history = history(&fields, problems);
        let script = self.script(&fields, Some(&tools), None, problems);
        if matches!(history, History::No)
            && let Some(entry) = fields.get("replies").filter(|entry| entry.value.as_sequence().is_some())
            && script.rules.iter().any(|rule| rule.recall.is_some())
        {
            problems.push(
                Problem::warning("cast::history", format!("`{id}` recalls what it cannot know"))
                    .label(&entry.key.span, "a rule here has `recall`")
                    .help("`history: true` lets the agent see earlier runs of the session"),
            );
        }
        let agent = Agent {
            id,
            name: name(&fields, id, problems),
            description: words(&fields, "description", problems),
            instructions: words(&fields, "instructions", problems),
            role: words(&fields, "role", problems),
            model: self.model_of(&fields, problems),
            db: self.db_of(&fields, problems),
            script,
            tools,
            history,
            state: object(&fields, "state", problems),
            shows_context: fields.boolean("context", problems).unwrap_or(false),
            memories: memories(&fields, problems),
            knows,
            faults: faults_of(&fields, problems),
        };
        schema::finish(&fields, schema::AGENT, "an agent", problems);
        agent
    }

    fn team(&self, key: &Key, node: &Node, problems: &mut Problems) -> Team {
        let id = id(key, problems);
        let fields = Fields::new(node, "a team", problems);
        let mut members = Vec::new();
        for name in fields.strings("members", problems) {
            let span = member_span(&fields, "members", &name).unwrap_or_else(|| key.span.clone());
            members.extend(self.person(&name, &span, problems));
        }
        if members.is_empty() && !problems.has_errors() {
            problems.push(
                Problem::error("cast::team", format!("the team `{id}` has no members"))
                    .label(&key.span, "nobody here")
                    .help("members: [ID, ...] names agents of `agents` or of `members`"),
            );
        }
        let ids: Vec<&'static str> = members.iter().map(|member| member.id).collect();
        let team = Team {
            id,
            name: name(&fields, id, problems),
            description: words(&fields, "description", problems),
            model: self.model_of(&fields, problems),
            db: self.db_of(&fields, problems),
            script: self.script(&fields, None, Some(&ids), problems),
            members,
            history: history(&fields, problems),
            faults: faults_of(&fields, problems),
        };
        schema::finish(&fields, schema::TEAM, "a team", problems);
        team
    }

    fn person(&self, name: &str, span: &Span, problems: &mut Problems) -> Option<&'static Agent> {
        let found = self.people.get(name).copied();
        if found.is_none() {
            problems.push(
                Problem::error("cast::unknown", format!("there is no agent `{name}`"))
                    .label(span, "not among `agents` and `members`")
                    .maybe_help(diagnostic::suggest(name, self.people.keys().map(String::as_str))),
            );
        }
        found
    }

    fn workflow(&self, key: &Key, node: &Node, problems: &mut Problems) -> Workflow {
        let id = id(key, problems);
        let fields = Fields::new(node, "a workflow", problems);
        let steps: Vec<Step> = match fields.get("steps").map(|entry| &entry.value) {
            Some(Node { kind: Kind::Sequence(items), .. }) if !items.is_empty() => {
                items.iter().filter_map(|item| self.step(item, problems)).collect()
            }
            other => {
                let span = other.map_or(&key.span, |node| &node.span);
                problems.push(
                    Problem::error("cast::workflow", format!("the workflow `{id}` has no list of `steps`"))
                        .label(span, "nothing is done")
                        .help("steps:\n  - { name: draft, agent: writer }"),
                );
                Vec::new()
            }
        };
        let first = steps.iter().find_map(|step| match &step.executor {
            Executor::Agent(agent) => Some(agent.model),
            Executor::Function(..) => None,
        });
        let workflow = Workflow {
            id,
            name: name(&fields, id, problems),
            description: words(&fields, "description", problems),
            db: self.db_of(&fields, problems),
            model: first.unwrap_or(self.model),
            steps,
            faults: faults_of(&fields, problems),
        };
        schema::finish(&fields, schema::WORKFLOW, "a workflow", problems);
        workflow
    }

    fn step(&self, node: &Node, problems: &mut Problems) -> Option<Step> {
        let fields = Fields::new(node, "a step", problems);
        let agent = fields.text("agent", problems);
        let function = fields.text("function", problems);
        let say = fields.get("say").map(|entry| {
            let template = Template::parse(&entry.value, problems);
            names::step(&template, problems);
            template
        });
        let confirm = words(&fields, "confirm", problems);
        let name = fields.text("name", problems).or_else(|| agent.clone()).or_else(|| function.clone());
        schema::finish(&fields, schema::STEP, "a step", problems);
        let executor = match (agent, say) {
            (Some(agent), None) if function.is_none() => {
                let span = fields.get("agent").map_or(&node.span, |entry| &entry.value.span);
                Executor::Agent(self.person(&agent, span, problems)?)
            }
            (None, Some(template)) => {
                let name = function.or_else(|| name.clone()).unwrap_or_else(|| "function".to_owned());
                let folder = Arc::clone(&self.folder);
                Executor::Function(name.leak(), Scripted { template, folder })
            }
            _ => {
                problems.push(
                    Problem::error("cast::step", "a step is done by an `agent`, or by a function that says something")
                        .label(&node.span, "which?")
                        .help("{ name: draft, agent: writer }, or { name: shout, function: shout, say: \"${{ previous | upper }}\" }"),
                );
                return None;
            }
        };
        Some(Step { name: name.unwrap_or_else(|| "step".to_owned()).leak(), executor, confirm })
    }

    /// What somebody says: rules of their own, or those of a name.
    fn script(
        &self,
        fields: &Fields<'_>,
        own: Option<&[&'static Tool]>,
        members: Option<&[&'static str]>,
        problems: &mut Problems,
    ) -> Script {
        let rules = match fields.get("replies").map(|entry| &entry.value) {
            None => Arc::default(),
            Some(Node { kind: Kind::String(name), span }) => {
                self.sets.get(name).cloned().unwrap_or_else(|| {
                    let known = self.sets.keys().map(String::as_str);
                    problems.push(
                        Problem::error("cast::unknown", format!("there are no replies `{name}`"))
                            .label(span, "not among the `replies` of the cast")
                            .maybe_help(diagnostic::suggest(name, known)),
                    );
                    Arc::default()
                })
            }
            Some(node) => {
                let owner = Owner { tools: &self.tools, own, members, shared: false };
                Arc::new(rules::all(node, &owner, problems))
            }
        };
        Script {
            rules,
            structured: fields.boolean("structured_output", problems).unwrap_or(true),
            delay: fields.get("delay").and_then(|entry| rules::delay(&entry.value, &[], problems)),
            folder: Arc::clone(&self.folder),
        }
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

fn history(fields: &Fields<'_>, problems: &mut Problems) -> History {
    let Some(entry) = fields.get("history") else { return History::No };
    match &entry.value.kind {
        Kind::Bool(true) => History::Default,
        Kind::Bool(false) => History::No,
        Kind::Number(number) if number.as_u64().is_some_and(|runs| (1..=1000).contains(&runs)) => {
            History::Runs(number.as_u64().and_then(|runs| usize::try_from(runs).ok()).unwrap_or(1))
        }
        _ => {
            let wanted = "true, false, or a number of runs from 1 to 1000";
            problems.push(expected("cast::type", "`history`", wanted, &entry.value));
            History::No
        }
    }
}

/// What goes wrong with the runs of a component.
fn faults_of(fields: &Fields<'_>, problems: &mut Problems) -> Vec<faults::Faulty> {
    fields.get("faults").map(|entry| faults::all(&entry.value, false, problems)).unwrap_or_default()
}

fn need(fields: &Fields<'_>, problems: &mut Problems) -> Need {
    const NEEDS: [&str; 3] = ["confirmation", "external_execution", "user_input"];
    let (Some(text), Some(entry)) = (fields.text("needs", problems), fields.get("needs")) else {
        return Need::Nothing;
    };
    match text.as_str() {
        "confirmation" => Need::Confirmation,
        "external_execution" => Need::ExternalExecution,
        "user_input" => Need::UserInput,
        other => {
            problems.push(
                Problem::error("cast::tool", format!("a tool cannot need `{other}`"))
                    .label(&entry.value.span, "unknown")
                    .maybe_help(diagnostic::suggest(other, NEEDS)),
            );
            Need::Nothing
        }
    }
}

fn parameters(fields: &Fields<'_>, list: &str, problems: &mut Problems) -> Vec<Parameter> {
    mapping(fields, list, "names to parameters", problems)
        .into_iter()
        .map(|(key, node)| {
            // A text is the short form of its type.
            if let Kind::String(kind) = &node.kind {
                check_type(kind, &node.span, problems);
                return Parameter { name: key.name.clone(), kind: kind.clone(), description: None };
            }
            let fields = Fields::new(node, "a parameter", problems);
            let kind = fields.text("type", problems).unwrap_or_else(|| "string".to_owned());
            if let Some(entry) = fields.get("type") {
                check_type(&kind, &entry.value.span, problems);
            }
            let description = fields.text("description", problems);
            schema::finish(&fields, schema::PARAMETER, "a parameter", problems);
            Parameter { name: key.name.clone(), kind, description }
        })
        .collect()
}

fn check_type(kind: &str, span: &Span, problems: &mut Problems) {
    if !Parameter::TYPES.contains(&kind) {
        problems.push(
            Problem::error("cast::tool", format!("there is no type `{kind}`"))
                .label(span, "unknown type")
                .maybe_help(diagnostic::suggest(kind, Parameter::TYPES)),
        );
    }
}

fn memories(fields: &Fields<'_>, problems: &mut Problems) -> Option<Vec<Remember>> {
    let entry = fields.get("memories")?;
    let Some(items) = entry.value.as_sequence() else {
        problems.push(expected("cast::type", "`memories`", "a list of what is remembered", &entry.value));
        return None;
    };
    let mut all = Vec::new();
    for item in items {
        let fields = Fields::new(item, "a memory", problems);
        let when = fields.get("when").and_then(|entry| rules::regex(&entry.value, problems));
        let topics = fields.strings("topics", problems);
        match fields.get("remember") {
            Some(entry) => {
                string(&entry.value, "`remember`", problems);
                let text = Template::parse(&entry.value, problems);
                names::memory(&text, when.as_ref(), problems);
                all.push(Remember { when, text, topics });
            }
            None => problems.push(
                Problem::error("cast::memory", "a memory says what to `remember`")
                    .label(&item.span, "nothing is remembered")
                    .help("{ when: 'I like (?<what>.+)', remember: \"User likes ${{ what }}\" }"),
            ),
        }
        schema::finish(&fields, schema::MEMORY, "a memory", problems);
    }
    Some(all)
}
