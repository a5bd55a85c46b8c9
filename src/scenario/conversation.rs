//! Conversations: several turns of a user in one session with an agent or a team, each of them a run.

use super::action::{self, Action, OperationAction};
use super::defaults::Defaults;
use super::step::{self, Step};
use crate::agentos;
use crate::diagnostic::{Problem, Problems};
use crate::yaml::fields::{Fields, expected, unknown_key};
use crate::yaml::{Entry, Key, Kind, Node};

/// The variable that holds the session of a conversation that names none: made anew each time it begins.
pub(crate) const SESSION: &str = "__conversation";

/// What a turn may have beside `user`.
const TURN_KEYS: &[&str] = &[
    "user",
    "id",
    "name",
    "if",
    "expect",
    "save",
    "snapshot",
    "timeout",
    "retry",
    "headers",
    "soft",
    "until",
    "every",
    "within",
    "as_user",
    "invariants",
    "resume",
];

/// Reads `conversation:`. Every turn becomes a step that runs the agent or the team.
pub(super) fn parse(entry: &Entry, defaults: &Defaults, problems: &mut Problems) -> Vec<Step> {
    let Kind::Mapping(entries) = &entry.value.kind else {
        problems.push(
            expected(
                "conversation::type",
                "`conversation`",
                "a mapping with `agent_id` and `turns`",
                &entry.value,
            )
            .help("conversation: { agent_id: assistant, turns: [{ user: Hello }] }"),
        );
        return Vec::new();
    };
    let given = |name: &str| entries.iter().find(|entry| entry.key.name == name);
    let operation = match (given("agent_id"), given("team_id")) {
        (Some(agent), Some(team)) => {
            problems.push(
                Problem::error("conversation::component", "a conversation is with an agent or with a team")
                    .label(&team.key.span, "and this?")
                    .label(&agent.key.span, "this"),
            );
            return Vec::new();
        }
        (None, Some(_)) => "run_team",
        _ => "run_agent",
    };
    let Some(turns) = given("turns") else {
        problems.push(
            Problem::error("conversation::turns", "the conversation has no `turns`")
                .label(&entry.key.span, "missing here")
                .help("turns: [{ user: My name is Alice. }, { user: What's my name? }]"),
        );
        return Vec::new();
    };
    let shared: Vec<Entry> = entries.iter().filter(|entry| entry.key.name != "turns").cloned().collect();
    let Kind::Sequence(items) = &turns.value.kind else {
        problems.push(expected("conversation::turns", "`turns`", "a list", &turns.value));
        return Vec::new();
    };
    if items.is_empty() {
        problems.push(expected("conversation::turns", "`turns`", "at least one turn", &turns.value));
    }
    // What is wrong with the shared fields is said once, not once per turn.
    let mut first = true;
    items
        .iter()
        .filter_map(|item| {
            let mut own = Problems::new();
            let turn = turn(item, entry, operation, &shared, defaults, &mut own);
            let shared_span = entry.value.span.range();
            let turns_span = turns.value.span.range();
            problems.extend(own.into_iter().filter(|problem| {
                let at = problem.span().map_or(0, |span| span.range().start);
                let in_turns = turns_span.contains(&at)
                    || !shared_span.contains(&at) && at != entry.key.span.range().start;
                in_turns || first
            }));
            first = false;
            turn
        })
        .collect()
}

fn turn(
    item: &Node,
    conversation: &Entry,
    operation: &str,
    shared: &[Entry],
    defaults: &Defaults,
    problems: &mut Problems,
) -> Option<Step> {
    let Kind::Mapping(entries) = &item.kind else {
        problems.push(
            expected("conversation::turn", "a turn", "a mapping with `user`", item).help("- user: Hello"),
        );
        return None;
    };
    let mut call: Vec<Entry> = shared.to_vec();
    let mut message = None;
    let known = agentos::find(operation)?;
    for entry in entries {
        let name = entry.key.name.as_str();
        if name == "user" {
            message = Some(entry);
        } else if known.field(name).is_some() {
            // A turn may say something else than the conversation: `stream: true`, files, dependencies.
            call.retain(|shared| shared.key.name != name);
            call.push(entry.clone());
        } else if !TURN_KEYS.contains(&name) {
            let fields = known.fields().iter().map(|field| field.name.as_str());
            problems.push(unknown_key(&entry.key, "a turn", TURN_KEYS.iter().copied().chain(fields)));
        }
    }
    let Some(message) = message else {
        problems.push(
            Problem::error("conversation::turn", "the turn has no `user`")
                .label(&item.span, "what does the user say?")
                .help("- user: Hello"),
        );
        return None;
    };
    let named = |name: &str, span: &crate::source::Span| Key { span: span.clone(), name: name.to_owned() };
    call.push(Entry { key: named("message", &message.key.span), value: message.value.clone() });
    if !call.iter().any(|entry| entry.key.name == "session_id") {
        let value =
            Node { span: conversation.key.span.clone(), kind: Kind::String(format!("${{{{ {SESSION} }}}}")) };
        call.push(Entry { key: named("session_id", &conversation.key.span), value });
    }
    let call = Entry {
        key: named(operation, &conversation.key.span),
        value: Node { span: conversation.value.span.clone(), kind: Kind::Mapping(call) },
    };
    let fields = action::fields(known, &call, defaults, problems);
    let modifiers = Fields::new(item, "a turn", problems);
    let step = step::modifiers(&modifiers, item, defaults, problems);
    let name = step.name.or_else(|| Some(crate::template::Template::parse(&message.value, problems)));
    let action = Action::Operation(OperationAction { operation: known, fields });
    Some(Step { action_key: named(operation, &message.key.span), action, name, ..step })
}
