//! The JSON Schema of cast files, for editors. Its tests hold it against what the reader takes.

use serde_json::{Map, Value, json};

use crate::diagnostic::Problems;
use crate::yaml::fields::Fields;

/// Complains about keys that the schema does not have.
pub(super) fn finish(fields: &Fields<'_>, keys: Keys, what: &str, problems: &mut Problems) {
    let known: Vec<&str> = rows(keys).map(|(name, ..)| name).collect();
    fields.finish(&known, &[], what, problems);
}

/// The schema as it is printed.
pub fn printed() -> String {
    format!("{:#}\n", document())
}

fn document() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A cast of agentos-run's embedded AgentOS",
        "description": "Who plays in the embedded AgentOS, and what they say.",
        "type": "object",
        "properties": properties(TOP),
        "additionalProperties": false,
        "$defs": {
            "model": one_of(&[text("The id of the model."), object("A model.", MODEL)]),
            "knowledge": object("The knowledge base.", KNOWLEDGE),
            "content": object("Something that is known from the beginning.", CONTENT),
            "tool": one_of(&[text("What the tool answers."), object("A tool.", TOOL)]),
            "parameter": one_of(&[
                json!({ "enum": TYPES }),
                object("A parameter.", PARAMETER),
            ]),
            "agent": object("An agent.", AGENT),
            "team": object("A team.", TEAM),
            "workflow": object("A workflow.", WORKFLOW),
            "step": object("A step of a workflow.", STEP),
            "rule": one_of(&[text("What is always said."), object("A rule.", RULE)]),
            "rules": json!({ "type": "array", "items": { "$ref": "#/$defs/rule" } }),
            "replies": one_of(&[
                text("The name of rules under `replies`."),
                json!({ "type": "array", "items": { "$ref": "#/$defs/rule" } }),
            ]),
            "memory": object("What is remembered.", MEMORY),
            "fail": one_of(&[text("The message."), object("A failure of the model.", FAIL)]),
            "tokens": object("The tokens of the answer.", TOKENS),
            "name_of_fault": {
                "anyOf": [
                    { "enum": ["refuse", "slow", "cut", "stall", "duplicate", "malformed"] },
                    { "type": "integer", "minimum": 400, "maximum": 599 },
                ],
            },
            "fault": one_of(&[
                json!({ "$ref": "#/$defs/name_of_fault" }),
                object("A fault, and when it happens.", FAULT),
            ]),
            "chaos": object("What `--chaos SEED` does.", CHAOS),
            "auth": object("Who is let in.", AUTH),
        },
    })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn one_of(forms: &[Value]) -> Value {
    json!({ "anyOf": forms })
}

fn object(description: &str, keys: Keys) -> Value {
    json!({
        "type": "object",
        "description": description,
        "properties": properties(keys),
        "additionalProperties": false,
    })
}

/// Keys with their types and descriptions. A type is a word of JSON Schema, `[x]` a list, `{x}` a mapping of names,
/// `#x` one of the definitions.
fn properties(keys: Keys) -> Map<String, Value> {
    rows(keys)
        .map(|(name, kind, description)| {
            let mut schema = of(kind);
            schema["description"] = json!(description);
            ((*name).to_owned(), schema)
        })
        .collect()
}

fn of(kind: &str) -> Value {
    let inside = |open, close| kind.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
    if let Some(item) = inside('[', ']') {
        return json!({ "type": "array", "items": of(item) });
    }
    if let Some(value) = inside('{', '}') {
        return json!({ "type": "object", "additionalProperties": of(value) });
    }
    if let Some(name) = kind.strip_prefix('#') {
        return json!({ "$ref": format!("#/$defs/{name}") });
    }
    match kind {
        "any" => json!({}),
        "texts" => json!({ "type": ["string", "array"], "items": { "type": "string" } }),
        "history" => json!({ "type": ["boolean", "integer"], "minimum": 1 }),
        "rate" => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        "numbers" => json!({ "type": ["integer", "array"], "items": { "type": "integer", "minimum": 1 } }),
        "condition" => json!({ "type": ["string", "boolean"] }),
        "call" => json!({ "type": ["string", "object"] }),
        kind => json!({ "type": kind }),
    }
}

const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

/// A table: in each line a key, its type, and what it is.
type Keys = &'static str;

fn rows(keys: Keys) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    keys.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(' ')?;
        let (kind, description) = rest.trim_start().split_once(' ')?;
        Some((name, kind, description.trim_start()))
    })
}

/// The top of a cast.
pub(super) const TOP: Keys = "
    os_id        string       The id of the AgentOS.
    name         string       Its name; made of the id otherwise.
    description  string       What it is.
    version      string       Its version.
    model        #model       The model that answers for everybody who names none.
    databases    texts        The ids of the databases; the first is that of everybody who names none.
    knowledge    #knowledge   The knowledge base.
    tools        {#tool}      The tools by their names.
    replies      {#rules}     Rules that several share, by name.
    agents       {#agent}     The agents by their ids.
    members      {#agent}     Agents that only play in teams and workflows.
    teams        {#team}      The teams by their ids.
    workflows    {#workflow}  The workflows by their ids.
    faults       [#fault]     What goes wrong on purpose.
    chaos        #chaos       What `--chaos SEED` does.
    auth         #auth        Who is let in; everybody without it.
";

pub(super) const MODEL: Keys = "
    id        string  The id, as runs name it.
    name      string  The name of its class.
    provider  string  The label of its provider.
";

pub(super) const KNOWLEDGE: Keys = "
    name         string      Its name.
    description  string      What it is about.
    db           string      The database that it is in.
    contents     [#content]  What is known from the beginning.
";

pub(super) const CONTENT: Keys = "
    name         string  Its name; that of the file otherwise.
    description  string  What it is.
    metadata     object  What searches can filter by.
    text         string  The text.
    file         string  A file with the text, relative to the cast.
";

pub(super) const TOOL: Keys = "
    description  string        What it does.
    parameters   {#parameter}  What the model gives, by name.
    needs        string        `confirmation`, `external_execution` or `user_input`: a run pauses for it.
    input        {#parameter}  What a person gives, by name.
    result       any           What it answers; `${{ args.NAME }}` is an argument.
    error        string        How it fails.
";

pub(super) const PARAMETER: Keys = "
    type         string  A type of JSON Schema.
    description  string  What it is.
";

pub(super) const AGENT: Keys = "
    name               string     Its name; made of the id otherwise.
    description        string     What it is.
    instructions       string     What it is told.
    role               string     What it does in a team.
    model              #model     The model that answers.
    db                 string     Its database.
    tools              texts      The names of its tools.
    knowledge          boolean    Whether it has the tool `search_knowledge_base`.
    history            history    Whether it sees earlier runs of the session, or how many.
    state              object     The session state of a new session.
    context            boolean    Whether session state and dependencies stand in its context.
    memories           [#memory]  What a memory manager makes of what users say.
    structured_output  boolean    Whether it heeds an `output_schema`; true unless said.
    delay              string     The time of each word: `50ms`.
    replies            #replies   What it says: rules, or the name of rules that several share.
    faults             [#fault]   What goes wrong with its runs on purpose.
";

pub(super) const TEAM: Keys = "
    name         string    Its name; made of the id otherwise.
    description  string    What it is.
    model        #model    The model of its leader.
    db           string    Its database.
    members      texts     The ids of its members.
    history      history   Whether the leader sees earlier runs of the session, or how many.
    delay        string    The time of each word of the leader.
    replies      #replies  What the leader says and delegates.
    faults       [#fault]  What goes wrong with its runs on purpose.
";

pub(super) const WORKFLOW: Keys = "
    name         string    Its name; made of the id otherwise.
    description  string    What it is.
    db           string    Its database.
    steps        [#step]   The steps, in order.
    faults       [#fault]  What goes wrong with its runs on purpose.
";

pub(super) const STEP: Keys = "
    name      string  Its name.
    agent     string  The id of the agent that does it.
    function  string  The name of the function that does it.
    say       any     What the function makes of `${{ previous }}`.
    confirm   string  What a person is asked before it.
";

pub(super) const RULE: Keys = "
    when      string     A regular expression that is found in what the user says.
    recall    string     A regular expression that is found in what the user said in this session.
    if        condition  An expression that holds.
    after     string     The tool that has just answered, or `any`.
    find      {string}   Names for what regular expressions find in the message; none where nothing is found.
    for_each  any        A list: its calls are made for each `${{ item }}`.
    say       any        What is said.
    words     any        So many words are said.
    data      any        What is said as structured output, or as JSON.
    call      call       The tools that are called, with their arguments.
    delegate  texts      The members of a team that are told to do something, or `all`.
    task      string     What they are told; what the user says otherwise.
    then      any        What is said when the tools or members have answered: `${{ results }}`.
    fail      #fail      The model fails.
    delay     string     The time of each word.
    tokens    #tokens    The tokens of the answer; words are counted otherwise.
    state     object     What changes in the session state.
    go_on     boolean    Whether the calls of later rules are made, too.
    fault     #fault     What goes wrong with the run on purpose.
";

pub(super) const MEMORY: Keys = "
    when      string  A regular expression that is found in what the user says.
    remember  string  The memory.
    topics    texts   Its topics.
";

pub(super) const FAIL: Keys = "
    type     string  The `error_type` of the event.
    message  string  The message.
";

pub(super) const TOKENS: Keys = "
    input   any  Those of the request.
    output  any  Those of the answer.
";

pub(super) const FAULT: Keys = "
    fault        #name_of_fault  What goes wrong.
    after        integer         After so many events of a stream.
    for          string          How long it takes: `2s`.
    retry_after  string          The header `Retry-After` of a status.
    when         string          A regular expression that is found in the message of the run.
    nth          numbers         Which of the requests that fit, from 1.
    rate         rate            Which part of the requests that fit.
    path         string          The path: `*` is one part, `**` any number.
    method       string          The method.
";

pub(super) const CHAOS: Keys = "
    seed    integer   Chaos from the start, with this seed.
    rate    rate      Which part of the requests goes wrong: 0.2 unless said.
    faults  [#fault]  The faults that are drawn from.
    paths   texts     Where: `*` is one part of a path, `**` any number.
";

pub(super) const AUTH: Keys = "
    security_key    string   Requests must carry it as a bearer token.
    jwt_secret      string   Requests must carry tokens that it has signed (HS256).
    jwt_audience    string   Whom the tokens must be meant for.
    user_isolation  boolean  Whether users see only what is theirs.
";
