//! What goes wrong on purpose: which request, and how. The same seed and the same requests to a path give the same faults.

mod spoil;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use regex::Regex;
use sha2::{Digest as _, Sha256};

use super::cast::faults::{Chaos as Mix, Fault, Faulty};
use super::cast::{Cast, Component, Rule};
use super::kind::Kind;
pub(crate) use spoil::{before, spoil};

/// Where a server says what it is. Chaos keeps away from it unless it is sent there.
const QUIET: [&str; 5] = ["/", "/health", "/info", "/config", "/openapi.json"];

/// What goes wrong with which requests.
pub(crate) struct Chaos {
    faults: Vec<Faulty>,
    mix: Option<(u64, Mix)>,
    /// How many requests to a path met a fault's conditions so far, by the fault and the path.
    seen: Mutex<HashMap<(usize, String), u64>>,
}

impl fmt::Debug for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chaos")
            .field("faults", &self.faults.len())
            .field("seed", &self.seed())
            .finish_non_exhaustive()
    }
}

/// A request that a fault may befall.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// The path with placeholders for ids that differ from run to run: what requests are counted by.
    pub(crate) place: String,
    pub(crate) component: Option<Component>,
    /// Whether it runs the component.
    pub(crate) runs: bool,
    /// What the user says.
    pub(crate) message: Option<String>,
    /// The place of the rule that will answer, where that is asked for.
    pub(crate) rule: Option<usize>,
}

impl Chaos {
    pub(crate) fn new(cast: Cast, seed: Option<u64>) -> Self {
        let seed = seed.or(cast.chaos.seed);
        Self {
            faults: cast.faults.to_vec(),
            mix: seed.map(|seed| (seed, cast.chaos.clone())),
            seen: Mutex::default(),
        }
    }

    /// The seed of the chaos, where there is some.
    pub(crate) fn seed(&self) -> Option<u64> {
        self.mix.as_ref().map(|(seed, _)| *seed)
    }

    /// Whether somebody has to know what the user says.
    pub(crate) fn listens(&self, component: Component) -> bool {
        let says = |faulty: &Faulty| faulty.when.is_some();
        self.faults.iter().any(says) || own(component).iter().any(says) || Self::looks_ahead(component)
    }

    /// Whether somebody has to know which rule will answer.
    pub(crate) fn looks_ahead(component: Component) -> bool {
        rules(component).iter().any(|rule| rule.fault.is_some())
    }

    /// What befalls a request, if anything does. Files come first, in their order; chaos last.
    pub(crate) fn befalls(&self, target: &Target<'_>) -> Option<Fault> {
        let seed = self.seed().unwrap_or(0);
        let mut index = 0;
        let mut happens = |faulty: &Faulty, fits: bool| {
            index += 1;
            (fits && self.happens(index, faulty, target, seed)).then(|| faulty.fault.clone())
        };
        for faulty in &self.faults {
            if let Some(fault) = happens(faulty, fits(faulty, target)) {
                return Some(fault);
            }
        }
        if let Some(component) = target.component {
            for faulty in own(component) {
                if let Some(fault) = happens(faulty, target.runs && heard(faulty.when.as_ref(), target)) {
                    return Some(fault);
                }
            }
            for (place, rule) in rules(component).iter().enumerate() {
                let Some(faulty) = &rule.fault else { continue };
                let answers = target.rule == Some(place);
                if let Some(fault) = happens(faulty, answers && heard(faulty.when.as_ref(), target)) {
                    return Some(fault);
                }
            }
        }
        self.mixed(target)
    }

    fn happens(&self, index: usize, faulty: &Faulty, target: &Target<'_>, seed: u64) -> bool {
        let number = self.count(index, &target.place);
        match &faulty.nth {
            Some(nth) => nth.contains(&number),
            None => faulty.rate >= 1.0 || draw(seed, index, &target.place, number, 0).part < faulty.rate,
        }
    }

    fn mixed(&self, target: &Target<'_>) -> Option<Fault> {
        let (seed, mix) = self.mix.as_ref()?;
        let there = match &mix.paths {
            Some(paths) => paths.iter().any(|pattern| matches(pattern, target.path)),
            None => !QUIET.contains(&target.path),
        };
        if !there || mix.faults.is_empty() {
            return None;
        }
        let number = self.count(0, &target.place);
        if draw(*seed, 0, &target.place, number, 0).part >= mix.rate {
            return None;
        }
        let which = draw(*seed, 0, &target.place, number, 1).number;
        let at = usize::try_from(which % mix.faults.len() as u64).unwrap_or(0);
        Some(mix.faults[at].clone())
    }

    /// The number of this request among those that met the conditions, from 1.
    fn count(&self, index: usize, place: &str) -> u64 {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let count = seen.entry((index, place.to_owned())).or_default();
        *count += 1;
        *count
    }
}

fn own(component: Component) -> &'static [Faulty] {
    match component {
        Component::Agent(agent) => &agent.faults,
        Component::Team(team) => &team.faults,
        Component::Workflow(flow) => &flow.faults,
    }
}

fn rules(component: Component) -> &'static [Rule] {
    match component {
        Component::Agent(agent) => &agent.script.rules,
        Component::Team(team) => &team.script.rules,
        Component::Workflow(_) => &[],
    }
}

fn fits(faulty: &Faulty, target: &Target<'_>) -> bool {
    faulty.path.as_ref().is_none_or(|pattern| matches(pattern, target.path))
        && faulty.method.as_ref().is_none_or(|method| method == target.method)
        && heard(faulty.when.as_ref(), target)
}

fn heard(when: Option<&Regex>, target: &Target<'_>) -> bool {
    when.is_none_or(|when| target.message.as_ref().is_some_and(|message| when.is_match(message)))
}

/// Whether a path fits a pattern: `*` is one part, `**` any number of them.
fn matches(pattern: &str, path: &str) -> bool {
    fn parts(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((&"**", rest)), _) => (0..=path.len()).any(|skip| parts(rest, &path[skip..])),
            (Some((first, rest)), Some((part, others))) => {
                (*first == "*" || first == part) && parts(rest, others)
            }
            _ => false,
        }
    }
    let pattern: Vec<&str> = pattern.trim_matches('/').split('/').collect();
    let path: Vec<&str> = path.trim_matches('/').split('/').collect();
    parts(&pattern, &path)
}

/// A number that depends on nothing but these, and the same as a part of one.
struct Drawn {
    number: u64,
    part: f64,
}

fn draw(seed: u64, index: usize, place: &str, number: u64, turn: u8) -> Drawn {
    let digest = Sha256::digest(format!("{seed} {index} {place} {number} {turn}").as_bytes());
    let number = digest.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    #[expect(clippy::cast_precision_loss, reason = "53 bits are plenty for a rate")]
    let part = (number >> 11) as f64 / (1_u64 << 53) as f64;
    Drawn { number, part }
}

/// Where a request is counted: the path with the ids of components and placeholders for all others.
pub(crate) fn place(method: &str, route: &str, params: &[(&'static str, String)]) -> String {
    let mut place = route.to_owned();
    for kind in [Kind::Agent, Kind::Team, Kind::Workflow] {
        let name = kind.id_field();
        if let Some((_, id)) = params.iter().find(|(param, _)| *param == name) {
            place = place.replace(&format!("{{{name}}}"), id);
        }
    }
    format!("{method} {place}")
}

/// No fault lasts longer.
pub(crate) const LONGEST: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_parts_of_a_path() {
        for (pattern, path, fits) in [
            ("/agents/*/runs", "/agents/a/runs", true),
            ("/agents/*/runs", "/agents/a/b/runs", false),
            ("/agents/*/runs", "/agents/a/runs/1", false),
            ("/agents/**", "/agents/a/runs/1", true),
            ("/agents/**", "/agents", true),
            ("/**/runs", "/teams/t/runs", true),
            ("/sessions", "/sessions", true),
            ("/sessions", "/session", false),
            ("/**", "/", true),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_drawn_is_even_and_repeats() {
        let hits = |seed| {
            (0..1000)
                .filter(|number| draw(seed, 0, "GET /sessions", *number, 0).part < 0.2)
                .collect::<Vec<_>>()
        };
        assert_eq!(hits(7), hits(7));
        assert_ne!(hits(7), hits(8));
        assert!((150..250).contains(&hits(7).len()), "{}", hits(7).len());
    }
}
