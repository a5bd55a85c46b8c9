//! Who plays in the embedded AgentOS: its databases, agents, teams and workflows, and what they say, as a cast file has them.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use regex::Regex;
use serde_json::{Map, Value};

use self::faults::{Auth, Chaos, Faulty};
use super::kind::Kind;
use super::tools::Tool;
use crate::diagnostic::Problems;
use crate::expr::Expression;
use crate::source::Source;
use crate::template::Template;

pub(crate) mod faults;
mod names;
mod read;
mod rules;
pub mod schema;

/// The version of agno that is played.
pub(crate) const AGNO_VERSION: &str = "3.1.10";
/// How many earlier runs an agent or team remembers that does not say a number.
pub(crate) const HISTORY_RUNS: usize = 3;

/// The cast file that plays where no other is named.
pub const DEMO: &str = include_str!("cast/demo.yaml");

/// Everybody who can be asked, and what they know. Whoever plays stays to the end of the process.
#[derive(Debug, Clone, Copy)]
pub struct Cast {
    pub(crate) os: &'static Identity,
    /// The ids of the databases; the first is that of everybody who names none.
    pub(crate) databases: &'static [&'static str],
    pub(crate) agents: &'static [Agent],
    pub(crate) teams: &'static [Team],
    pub(crate) workflows: &'static [Workflow],
    pub(crate) knowledge: &'static Knowledge,
    /// What goes wrong on purpose.
    pub(crate) faults: &'static [Faulty],
    /// What goes wrong when chaos is asked for.
    pub(crate) chaos: &'static Chaos,
    pub(crate) auth: &'static Auth,
}

/// What the server says of itself.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: Option<&'static str>,
    pub(crate) version: Option<&'static str>,
}

/// The model that is said to have answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) provider: &'static str,
}

/// The one knowledge base.
#[derive(Debug)]
pub(crate) struct Knowledge {
    pub(crate) name: &'static str,
    pub(crate) description: Option<&'static str>,
    pub(crate) db: &'static str,
    /// What is known from the beginning.
    pub(crate) contents: Vec<Known>,
}

/// Something that is known from the beginning.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Option<Value>,
    pub(crate) text: String,
    /// The name of the file that the text came from.
    pub(crate) file: Option<String>,
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
    pub(crate) model: &'static Model,
    pub(crate) db: &'static str,
    pub(crate) script: Script,
    pub(crate) tools: Vec<&'static Tool>,
    pub(crate) history: History,
    /// The state of a new session.
    pub(crate) state: Map<String, Value>,
    /// Whether session state and dependencies stand in the context, and events are stored.
    pub(crate) shows_context: bool,
    /// What a memory manager makes of what users say; without one nobody listens.
    pub(crate) memories: Option<Vec<Remember>>,
    /// Whether it may search the knowledge base.
    pub(crate) knows: bool,
    pub(crate) faults: Vec<Faulty>,
}

/// A team.
#[derive(Debug)]
pub(crate) struct Team {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: Option<&'static str>,
    pub(crate) model: &'static Model,
    pub(crate) db: &'static str,
    pub(crate) script: Script,
    pub(crate) members: Vec<&'static Agent>,
    pub(crate) history: History,
    pub(crate) faults: Vec<Faulty>,
}

/// A workflow.
#[derive(Debug)]
pub(crate) struct Workflow {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: Option<&'static str>,
    pub(crate) db: &'static str,
    /// The model of its first agent, for sums.
    pub(crate) model: &'static Model,
    pub(crate) steps: Vec<Step>,
    pub(crate) faults: Vec<Faulty>,
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
#[derive(Debug)]
pub(crate) enum Executor {
    Agent(&'static Agent),
    /// A function of this name, and what it makes of the step before.
    Function(&'static str, Scripted),
}

/// A template and the folder that its `file(...)` reads relative to.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    pub(crate) template: Template,
    pub(crate) folder: Arc<PathBuf>,
}

/// What the offline model does for an agent or a team.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) rules: Arc<Vec<Rule>>,
    /// Whether an `output_schema` is heeded.
    pub(crate) structured: bool,
    /// The time of each word, where a rule says none.
    pub(crate) delay: Option<Delay>,
    pub(crate) folder: Arc<PathBuf>,
}

/// One rule: when it holds, and what is answered then.
#[derive(Debug)]
pub(crate) struct Rule {
    /// In what the user says now.
    pub(crate) when: Option<Regex>,
    /// In what the user said before, the latest first.
    pub(crate) recall: Option<Regex>,
    pub(crate) after: Option<After>,
    pub(crate) condition: Option<Expression>,
    /// Names for what is found in the message; none where it is not.
    pub(crate) find: Vec<(String, Regex)>,
    pub(crate) each: Option<Template>,
    pub(crate) say: Option<Say>,
    pub(crate) calls: Vec<(&'static str, Template)>,
    pub(crate) delegate: Option<Delegate>,
    pub(crate) then: Option<Say>,
    pub(crate) fail: Option<Fail>,
    pub(crate) delay: Option<Delay>,
    pub(crate) tokens: [Option<Template>; 2],
    /// What changes in the session state.
    pub(crate) state: Option<Template>,
    pub(crate) go_on: bool,
    /// What happens to the run instead, or on its way.
    pub(crate) fault: Option<Faulty>,
}

/// That tools have answered since the user spoke.
#[derive(Debug)]
pub(crate) enum After {
    Any,
    Tool(String),
}

/// What is said.
#[derive(Debug)]
pub(crate) enum Say {
    Text(Template),
    /// So many words.
    Words(Template),
    /// Structured, where the run wants that; as JSON otherwise.
    Data(Template),
}

/// Who of a team is told to do what.
#[derive(Debug)]
pub(crate) struct Delegate {
    /// None for all.
    pub(crate) members: Option<Vec<&'static str>>,
    /// None for what the user said.
    pub(crate) task: Option<Template>,
}

/// How the model fails.
#[derive(Debug)]
pub(crate) struct Fail {
    pub(crate) message: Template,
    pub(crate) kind: String,
}

/// How long each word takes.
#[derive(Debug, Clone)]
pub(crate) enum Delay {
    Fixed(Duration),
    Computed(Template),
}

/// What a memory manager keeps of what a user says.
#[derive(Debug)]
pub(crate) struct Remember {
    pub(crate) when: Option<Regex>,
    pub(crate) text: Template,
    pub(crate) topics: Vec<String>,
}

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

    pub(crate) fn db(self) -> &'static str {
        match self {
            Self::Agent(agent) => agent.db,
            Self::Team(team) => team.db,
            Self::Workflow(flow) => flow.db,
        }
    }

    /// The model that its tokens are counted under.
    pub(crate) fn model(self) -> &'static Model {
        match self {
            Self::Agent(agent) => agent.model,
            Self::Team(team) => team.model,
            Self::Workflow(flow) => flow.model,
        }
    }
}

impl Default for Cast {
    fn default() -> Self {
        static DEFAULT: LazyLock<Cast> = LazyLock::new(|| {
            let mut problems = Problems::new();
            // Its tests see to it that nothing is wrong with it.
            Cast::read(&Source::new("the default cast", DEMO), std::path::Path::new(""), &mut problems)
        });
        *DEFAULT
    }
}

impl Cast {
    /// Reads a cast file, whose paths are relative to `folder`. What is wrong with it becomes problems; a cast that has
    /// errors is not to be played.
    pub fn read(source: &Arc<Source>, folder: &std::path::Path, problems: &mut Problems) -> Self {
        read::cast(source, folder, problems)
    }

    pub(crate) fn find(self, kind: Kind, id: &str) -> Option<Component> {
        match kind {
            Kind::Agent => self.agents.iter().find(|agent| agent.id == id).map(Component::Agent),
            Kind::Team => self.teams.iter().find(|team| team.id == id).map(Component::Team),
            Kind::Workflow => self.workflows.iter().find(|flow| flow.id == id).map(Component::Workflow),
        }
    }

    /// How many agents, teams and workflows there are.
    pub fn counts(self) -> (usize, usize, usize) {
        (self.agents.len(), self.teams.len(), self.workflows.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Style;

    #[test]
    fn nothing_is_wrong_with_the_default_cast() {
        let mut problems = Problems::new();
        let cast = Cast::read(&Source::new("demo.yaml", DEMO), std::path::Path::new(""), &mut problems);
        let style = Style { color: false, unicode: true, width: 100 };
        let found: String = problems.iter().map(|problem| problem.render(style)).collect();
        assert!(found.is_empty(), "{found}");
        assert_eq!(cast.counts(), (11, 4, 4));
    }

    #[test]
    fn no_cast_breaks_the_reader() {
        let read = |text: String| {
            let mut problems = Problems::new();
            Cast::read(&Source::new("cast.yaml", text), std::path::Path::new(""), &mut problems);
        };
        let lines: Vec<&str> = DEMO.lines().collect();
        for at in (0..lines.len()).step_by(3) {
            // Without a line, with a line twice, up to a line, and with a line's value gone.
            let without = lines.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, line)| *line);
            read(without.collect::<Vec<_>>().join("\n"));
            read([&lines[..=at], &lines[at..]].concat().join("\n"));
            read(lines[..at].join("\n"));
            let mut blank = lines.clone();
            blank[at] = blank[at].split_once(':').map_or("- ", |(key, _)| key);
            read(blank.join("\n"));
        }
    }
}
