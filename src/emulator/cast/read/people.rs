//! Agents and teams, and what they say.

use std::sync::Arc;

use super::{Reader, faults_of, id, member_span, name, object, words};
use crate::diagnostic::{self, Problem, Problems};
use crate::emulator::cast::rules::{self, Owner};
use crate::emulator::cast::{Agent, History, Remember, Script, Team, names, schema};
use crate::emulator::tools::{SEARCH, Tool};
use crate::source::Span;
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, string};
use crate::yaml::{Key, Kind, Node};

impl Reader {
    pub(super) fn agent(&self, key: &Key, node: &Node, problems: &mut Problems) -> Agent {
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

    pub(super) fn team(&self, key: &Key, node: &Node, problems: &mut Problems) -> Team {
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

    pub(super) fn person(&self, name: &str, span: &Span, problems: &mut Problems) -> Option<&'static Agent> {
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
                let written = fields.get("when").and_then(|entry| entry.value.as_str());
                names::memory(&text, when.as_ref(), written, problems);
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
