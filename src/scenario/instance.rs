//! What is planned, run and reported: a scenario, and where it has cases, one of them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::Scenario;
use super::cases::Case;

/// One run of a scenario: cheap to clone, however many there are, for they share the scenario and its rows.
#[derive(Clone)]
pub struct Instance {
    scenario: Arc<Scenario>,
    /// The place of its case in the scenario's.
    case: Option<usize>,
    /// Its place in the plan.
    place: usize,
    attempt: u32,
}

impl Instance {
    /// All runs of a scenario, in the order of its cases; one where it has none.
    pub fn all_of(scenario: &Arc<Scenario>) -> impl Iterator<Item = Self> + use<> {
        let scenario = Arc::clone(scenario);
        let cases = scenario.cases.as_ref().map(super::Cases::len);
        (0..cases.unwrap_or(1)).map(move |index| {
            let case = cases.map(|_| index);
            Self { scenario: Arc::clone(&scenario), case, place: index, attempt: 1 }
        })
    }

    /// The same at this place of the plan, counted from 0.
    #[must_use]
    pub fn at(self, place: usize) -> Self {
        Self { place, ..self }
    }

    /// The next attempt at the same.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { attempt: self.attempt + 1, ..self.clone() }
    }

    /// Its place in the whole plan, from 0: what tells it from all others of a run, whatever part of the plan that runs.
    pub fn place(&self) -> usize {
        self.place
    }

    /// How often it has been begun, with this time: 1, and more with `retries`.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The scenario.
    pub fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// Its case, where the scenario has `cases` or `matrix`.
    pub fn case(&self) -> Option<Case<'_>> {
        self.scenario.cases.as_ref()?.get(self.case?)
    }

    /// What people call it, unique in its file: `Weather`, `Weather [city=Paris]`.
    pub fn title(&self) -> Cow<'_, str> {
        match self.case() {
            None => Cow::Borrowed(&self.scenario.name),
            Some(case) => Cow::Owned(format!("{} [{}]", self.scenario.name, case.name)),
        }
    }

    /// What names it from one run to the next: `scenarios/weather.yaml::Weather [city=Paris]`.
    pub fn id(&self) -> String {
        format!("{}::{}", self.scenario.source.name(), self.title())
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Instance").field(&self.id()).finish()
    }
}
