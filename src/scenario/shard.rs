//! Sharding: a plan in as many parts as there are machines, the same parts on each of them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// One part of a plan: `2/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    pub index: usize,
    /// Of how many.
    pub total: usize,
}

/// The most parts of a plan.
pub const MOST: usize = 10_000;

impl Shard {
    /// A part that there is. The error says what is wrong.
    pub fn new(index: usize, total: usize) -> Result<Self, String> {
        match (index, total) {
            (_, 0) => Err("there must be at least one shard".to_owned()),
            (0, _) => Err("shards are counted from 1".to_owned()),
            (_, total) if total > MOST => Err(format!("there can be at most {MOST} shards")),
            (index, total) if index > total => {
                Err(format!("there is no shard {index} where there are {total}"))
            }
            (index, total) => Ok(Self { index, total }),
        }
    }

    /// Reads `2/4`. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, total)| {
            let number = |text: &str| text.trim().parse::<usize>().ok();
            Some((number(index)?, number(total)?))
        });
        let (index, total) =
            numbers.ok_or("a shard is written I/N: `2/4` is the second of four".to_owned())?;
        Self::new(index, total)
    }

    /// Which of `items` belong to this part: true for those that do.
    ///
    /// Each part gets about the same time: what takes longest goes first, each to the part that has the least so far.
    /// It depends on nothing but `items`, so that all machines agree.
    pub fn takes(self, items: &[Item<'_>]) -> Vec<bool> {
        let mut known: Vec<Duration> = items.iter().filter_map(|item| item.duration).collect();
        known.sort_unstable();
        // What was never measured is taken for what is usual.
        let usual = known.get(known.len() / 2).copied().unwrap_or(Duration::from_secs(1));
        let usual = usual.max(Duration::from_millis(1));
        // What must not overlap stays on one machine.
        let mut units: Vec<(Duration, Vec<usize>)> = Vec::new();
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, item) in items.iter().enumerate() {
            let duration = item.duration.unwrap_or(usual);
            let unit = match item.group {
                Some(group) => *groups.entry(group).or_insert(units.len()),
                None => units.len(),
            };
            match units.get_mut(unit) {
                Some((sum, members)) => {
                    *sum = sum.saturating_add(duration);
                    members.push(at);
                }
                None => units.push((duration, vec![at])),
            }
        }
        // Stable: among equals, the order of the plan.
        units.sort_by_key(|(duration, _)| std::cmp::Reverse(*duration));
        let mut loads = vec![(Duration::ZERO, 0_usize); self.total];
        let mut taken = vec![false; items.len()];
        for (duration, members) in units {
            let least = loads.iter().enumerate().min_by_key(|(_, load)| **load).map_or(0, |(at, _)| at);
            if let Some((sum, count)) = loads.get_mut(least) {
                *sum = sum.saturating_add(duration);
                *count += members.len();
            }
            if least + 1 == self.index {
                for member in members {
                    taken[member] = true;
                }
            }
        }
        taken
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.total)
    }
}

/// What is known of a scenario before it is dealt to a part.
#[derive(Debug, Clone, Copy, Default)]
pub struct Item<'a> {
    /// How long it took earlier, where that is known.
    pub duration: Option<Duration>,
    /// The group of those that never overlap.
    pub group: Option<&'a str>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items(millis: &[u64]) -> Vec<Item<'static>> {
        let item = |&millis: &u64| Item { duration: Some(Duration::from_millis(millis)), group: None };
        millis.iter().map(item).collect()
    }

    fn parts(items: &[Item<'_>], total: usize) -> Vec<Vec<usize>> {
        let part = |index| Shard::new(index, total).unwrap().takes(items);
        let places = |taken: Vec<bool>| {
            taken.iter().enumerate().filter(|(_, taken)| **taken).map(|(at, _)| at).collect()
        };
        (1..=total).map(|index| places(part(index))).collect()
    }

    #[test]
    fn written_as_two_numbers() {
        assert_eq!(Shard::parse("2/4"), Ok(Shard { index: 2, total: 4 }));
        for wrong in ["0/3", "3/2", "1/0", "1", "a/b", "-1/2", "1/2/3", "", "1/99999"] {
            assert!(Shard::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn alike_where_nothing_is_known() {
        let parts = parts(&[Item::default(); 7], 3);
        assert_eq!(parts, [vec![0, 3, 6], vec![1, 4], vec![2, 5]]);
    }

    #[test]
    fn the_longest_stands_alone() {
        assert_eq!(
            parts(&items(&[10, 10, 10, 30, 10]), 2),
            [vec![3, 4], vec![0, 1, 2]].map(|mut part| {
                part.sort_unstable();
                part
            })
        );
    }

    #[test]
    fn a_group_stays_together() {
        let mut items = items(&[10; 6]);
        for at in [1, 3, 5] {
            items[at].group = Some("db");
        }
        let parts = parts(&items, 3);
        assert!(parts.contains(&vec![1, 3, 5]), "{parts:?}");
    }

    proptest! {
        #[test]
        fn each_in_exactly_one_part(
            all in prop::collection::vec((prop::option::of(0..100_000_u64), prop::option::of(0..3_usize)), 0..60),
            total in 1..12_usize,
        ) {
            let names = ["a", "b", "c"];
            let items: Vec<Item<'_>> = all
                .iter()
                .map(|(millis, group)| Item { duration: millis.map(Duration::from_millis), group: group.map(|at| names[at]) })
                .collect();
            let mut dealt: Vec<usize> = parts(&items, total).concat();
            dealt.sort_unstable();
            prop_assert_eq!(dealt, (0..items.len()).collect::<Vec<_>>());
            // Nobody has more than the fairest share and one unit.
            if items.iter().all(|item| item.group.is_none() && item.duration.is_some()) {
                let sum = |part: &Vec<usize>| part.iter().filter_map(|at| items[*at].duration).sum::<Duration>();
                let whole: Duration = items.iter().filter_map(|item| item.duration).sum();
                let longest = items.iter().filter_map(|item| item.duration).max().unwrap_or_default();
                for part in parts(&items, total) {
                    prop_assert!(sum(&part) <= whole / u32::try_from(total).unwrap() + longest);
                }
            }
        }
    }
}
