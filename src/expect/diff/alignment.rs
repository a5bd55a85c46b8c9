//! How two sequences line up: which parts of them are the same, and which took another's place.
//!
//! Whatever they are made of is compared as numbers, so that the algorithm is compiled once; it is the same for lines, words,
//! characters and members of lists.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use similar::DiffOp;
use similar::algorithms::{Capture, Compact, Replace, myers};

/// The parts of both, in their order. After the time that it may take, what is left is told coarsely.
pub(crate) fn align<T: Hash + Eq>(old: &[T], new: &[T], within: Duration) -> Vec<DiffOp> {
    let mut numbers = HashMap::new();
    let mut numbered = |items| -> Vec<usize> {
        let items: &[T] = items;
        let number = |item| {
            let next = numbers.len();
            *numbers.entry(item).or_insert(next)
        };
        items.iter().map(number).collect()
    };
    let (old, new) = (numbered(old), numbered(new));
    of_numbers(&old, &new, Instant::now() + within)
}

fn of_numbers(old: &[usize], new: &[usize], deadline: Instant) -> Vec<DiffOp> {
    let mut hook = Compact::new(Replace::new(Capture::new()), old, new);
    // The hooks do not fail.
    let _infallible = myers::diff_deadline(&mut hook, old, 0..old.len(), new, 0..new.len(), Some(deadline));
    hook.into_inner().into_inner().into_ops()
}

/// How much of two sequences is the same, from 0 to 1.
pub(crate) fn ratio<T: Hash + Eq>(old: &[T], new: &[T], within: Duration) -> f32 {
    similar::diff_ratio(&align(old, new, within), old.len(), new.len())
}
