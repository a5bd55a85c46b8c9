//! The three kinds of components, and so of runs and sessions.

/// An agent, a team or a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Agent,
    Team,
    Workflow,
}

impl Kind {
    /// How pydantic names the choice.
    pub(crate) const EXPECTED: &'static str = "'agent', 'team' or 'workflow'";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "agent" => Some(Self::Agent),
            "team" => Some(Self::Team),
            "workflow" => Some(Self::Workflow),
            _ => None,
        }
    }

    /// `agent`: the `type` of a session.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Team => "team",
            Self::Workflow => "workflow",
        }
    }

    /// `Agent`: in messages.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Agent => "Agent",
            Self::Team => "Team",
            Self::Workflow => "Workflow",
        }
    }

    /// `agent_id`: the column and the field that hold a component's id.
    pub(crate) fn id_field(self) -> &'static str {
        match self {
            Self::Agent => "agent_id",
            Self::Team => "team_id",
            Self::Workflow => "workflow_id",
        }
    }
}
