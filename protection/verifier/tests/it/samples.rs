//! Sample lines, and the verifier called the way the tests need it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mimamori_verifier::trace::{Options, Report, verify};

use crate::definition::Random;
use crate::writer::Line;

/// Leaves per segment in tests, so that a small trace has several.
pub const SEGMENT: usize = 32;

/// Lines with nobody, one person, lists, maps; checkpoints now and then and at the end.
pub fn lines(random: &mut Random, count: usize) -> Vec<Line> {
    let mut time = 1_700_000_000_000_000;
    let mut lines: Vec<Line> = (0..count)
        .map(|at| {
            time += random.below(5_000_000) as i64 - 1_000; // may go back
            let shape = random.below(10);
            let mut persons = Vec::new();
            if (2..9).contains(&shape) || at == 0 {
                let length = if shape > 5 { 1 + random.below(6) } else { 1 };
                let first = random.below(12) as u32;
                persons = (0..length as u32).map(|n| (first + n * 5) % 37).collect();
            }
            let map = shape == 9 && at > 0;
            let action =
                ["person.open", "person.search", "plan.change"][random.below(3)].to_owned();
            Line {
                time,
                action,
                persons,
                map,
                checkpoint: random.below(5) == 0,
            }
        })
        .collect();
    let last = lines.last_mut().unwrap();
    (last.map, last.persons, last.checkpoint) = (true, Vec::new(), true);
    lines
}

pub fn check(folder: &Path, known: &[PathBuf]) -> Report {
    let options = Options {
        known: known.to_vec(),
        per_segment: SEGMENT as u64,
        settle: Duration::ZERO,
        ..Options::default()
    };
    verify(folder, &options).unwrap()
}

pub fn full() -> bool {
    std::env::var_os("MIMAMORI_FULL").is_some()
}
