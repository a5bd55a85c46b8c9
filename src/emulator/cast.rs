//! Who plays in the embedded AgentOS: its agents, teams and workflows, as plain data.

use super::kind::Kind;
use super::tools::Tool;

/// The ids and names of the server itself.
pub(crate) const OS_ID: &str = "demo-os";
pub(crate) const OS_NAME: &str = "Demo OS";
pub(crate) const OS_DESCRIPTION: &str = "The embedded AgentOS: offline and deterministic";
pub(crate) const OS_VERSION: &str = "1.0.0";
pub(crate) const DB_ID: &str = "demo-db";
pub(crate) const AGNO_VERSION: &str = "3.1.10";
/// The one model that answers for everybody.
pub(crate) const MODEL_ID: &str = "offline-1";
pub(crate) const MODEL_NAME: &str = "OfflineModel";
pub(crate) const MODEL_PROVIDER: &str = "Offline";

/// How many earlier runs an agent or team remembers that does not say a number.
pub(crate) const HISTORY_RUNS: usize = 3;

/// What the offline model does for somebody.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode {
    /// Names, counts and echoes.
    Chat,
    /// Calls plain tools when the message asks for them.
    Tools,
    /// Calls tools that need a human.
    Approval,
    /// Many words, slowly.
    Slow,
    /// Fails.
    Broken,
    /// Searches the knowledge base and says what it found.
    Librarian,
    /// Grades what it is told, as JSON.
    Judge,
    /// Delegates to every member, then joins their answers.
    Leader(&'static [&'static Agent]),
}

/// Whether earlier runs of the session go into the context.
#[derive(Debug, Clone, Copy)]
pub(crate) enum History {
    No,
    Default,
    Runs(usize),
}

impl History {
    pub(crate) fn runs(self) -> usize {
        match self {
            Self::No => 0,
            Self::Default => HISTORY_RUNS,
            Self::Runs(runs) => runs,
        }
    }
}

/// An agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: Option<&'static str>,
    pub(crate) instructions: Option<&'static str>,
    pub(crate) role: Option<&'static str>,
    pub(crate) mode: Mode,
    pub(crate) tools: &'static [Tool],
    pub(crate) history: History,
    /// The state of a new session.
    pub(crate) state: &'static [(&'static str, i64)],
    /// Whether session state and dependencies stand in the context, and events are stored.
    pub(crate) shows_context: bool,
    /// Whether a memory manager listens to its users.
    pub(crate) remembers: bool,
}

pub(crate) const PLAIN: Agent = Agent {
    id: "",
    name: "",
    description: None,
    instructions: None,
    role: None,
    mode: Mode::Chat,
    tools: &[],
    history: History::No,
    state: &[],
    shows_context: false,
    remembers: false,
};

static AGENTS: [Agent; 11] = [
    Agent {
        id: "assistant",
        name: "Assistant",
        description: Some("Plain chat agent with history"),
        instructions: Some("Be brief."),
        history: History::Runs(10),
        ..PLAIN
    },
    Agent { id: "contextual", name: "Contextual", state: &[("counter", 0)], shows_context: true, ..PLAIN },
    Agent {
        id: "toolbox",
        name: "Toolbox",
        mode: Mode::Tools,
        tools: &[Tool::Add, Tool::GetWeather, Tool::Explode],
        history: History::Default,
        ..PLAIN
    },
    Agent { id: "confirmer", name: "Confirmer", mode: Mode::Approval, tools: &[Tool::DeleteFile], ..PLAIN },
    Agent { id: "external", name: "External", mode: Mode::Approval, tools: &[Tool::RunShell], ..PLAIN },
    Agent { id: "asker", name: "Asker", mode: Mode::Approval, tools: &[Tool::SendEmail], ..PLAIN },
    SLOW,
    BROKEN,
    Agent { id: "rememberer", name: "Rememberer", remembers: true, ..PLAIN },
    Agent { id: "judge", name: "Judge", mode: Mode::Judge, ..PLAIN },
    Agent {
        id: "librarian",
        name: "Librarian",
        mode: Mode::Librarian,
        tools: &[Tool::SearchKnowledge],
        ..PLAIN
    },
];

const SLOW: Agent = Agent { id: "slow", name: "Slow", mode: Mode::Slow, ..PLAIN };
const BROKEN: Agent = Agent { id: "broken", name: "Broken", mode: Mode::Broken, ..PLAIN };

static ALPHA: Agent = Agent { id: "alpha", name: "Alpha", role: Some("First member"), ..PLAIN };
static BETA: Agent = Agent { id: "beta", name: "Beta", role: Some("Second member"), ..PLAIN };
static GUARDED: Agent = Agent {
    id: "guarded-member",
    name: "GuardedMember",
    role: Some("Deletes files"),
    mode: Mode::Approval,
    tools: &[Tool::DeleteFile],
    ..PLAIN
};

/// A team.
#[derive(Debug)]
pub(crate) struct Team {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) mode: Mode,
    pub(crate) members: &'static [&'static Agent],
    pub(crate) history: History,
}

static TEAMS: [Team; 4] = [
    Team {
        id: "duo",
        name: "Duo",
        mode: Mode::Leader(&[&ALPHA, &BETA]),
        members: &[&ALPHA, &BETA],
        history: History::Default,
    },
    Team {
        id: "hitl-team",
        name: "HITL Team",
        mode: Mode::Leader(&[&GUARDED]),
        members: &[&GUARDED],
        history: History::No,
    },
    Team { id: "slow-team", name: "Slow Team", mode: Mode::Slow, members: &[&ALPHA], history: History::No },
    Team {
        id: "broken-team",
        name: "Broken Team",
        mode: Mode::Broken,
        members: &[&ALPHA],
        history: History::No,
    },
];

/// A workflow.
#[derive(Debug)]
pub(crate) struct Workflow {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: Option<&'static str>,
    pub(crate) steps: &'static [Step],
}

/// A step of a workflow.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) executor: Executor,
    /// What a human is asked before the step runs.
    pub(crate) confirm: Option<&'static str>,
}

/// Who does a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Executor {
    Agent(&'static Agent),
    /// The function `shout`: what the step before said, in upper case.
    Shout,
}

const SHOUT: Step = Step { name: "shout", executor: Executor::Shout, confirm: None };
const DRAFT: Step = Step { name: "draft", executor: Executor::Agent(&ALPHA), confirm: None };

static WORKFLOWS: [Workflow; 4] = [
    Workflow {
        id: "pipeline",
        name: "Pipeline",
        description: Some("Agent step, then a function step"),
        steps: &[DRAFT, SHOUT],
    },
    Workflow {
        id: "gated",
        name: "Gated",
        description: Some("Second step needs a confirmation"),
        steps: &[
            DRAFT,
            Step { name: "publish", executor: Executor::Shout, confirm: Some("Publish the draft?") },
        ],
    },
    Workflow {
        id: "slow-flow",
        name: "Slow Flow",
        description: None,
        steps: &[Step { name: "crawl", executor: Executor::Agent(&SLOW), confirm: None }, SHOUT],
    },
    Workflow {
        id: "broken-flow",
        name: "Broken Flow",
        description: None,
        steps: &[Step { name: "boom", executor: Executor::Agent(&BROKEN), confirm: None }, SHOUT],
    },
];

/// A component that runs can be asked of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Component {
    Agent(&'static Agent),
    Team(&'static Team),
    Workflow(&'static Workflow),
}

impl Component {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Agent(_) => Kind::Agent,
            Self::Team(_) => Kind::Team,
            Self::Workflow(_) => Kind::Workflow,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Agent(agent) => agent.name,
            Self::Team(team) => team.name,
            Self::Workflow(flow) => flow.name,
        }
    }

    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Agent(agent) => agent.id,
            Self::Team(team) => team.id,
            Self::Workflow(flow) => flow.id,
        }
    }
}

/// Everybody who can be asked. Whoever plays stays to the end of the process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cast {
    pub(crate) agents: &'static [Agent],
    pub(crate) teams: &'static [Team],
    pub(crate) workflows: &'static [Workflow],
}

impl Default for Cast {
    fn default() -> Self {
        Self { agents: &AGENTS, teams: &TEAMS, workflows: &WORKFLOWS }
    }
}

impl Cast {
    pub(crate) fn find(self, kind: Kind, id: &str) -> Option<Component> {
        match kind {
            Kind::Agent => self.agents.iter().find(|agent| agent.id == id).map(Component::Agent),
            Kind::Team => self.teams.iter().find(|team| team.id == id).map(Component::Team),
            Kind::Workflow => self.workflows.iter().find(|flow| flow.id == id).map(Component::Workflow),
        }
    }
}
