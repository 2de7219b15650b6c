//! What stands after the newest checkpoint, whole and tampered with.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mimamori_verifier::finding::{Place, Problem};
use mimamori_verifier::trace::{Options, Report, verify};

use crate::samples::SEGMENT;
use crate::writer::{Lie, Line, Trace, build, key_file, records};

const START: i64 = 1_795_230_000_000_000;
const SECOND: i64 = 1_000_000;

fn line(at: i64, action: &str, persons: &[u32], checkpoint: bool) -> Line {
    Line {
        time: START + at * SECOND,
        action: action.into(),
        persons: persons.to_vec(),
        map: false,
        checkpoint,
    }
}

/// Four signed lines (five leaves), then an unsigned tail: a list of two, one look, one look.
fn with_tail() -> Vec<Line> {
    vec![
        line(0, "person.open", &[1], false),
        line(1, "person.list", &[2, 3], false),
        line(2, "person.search", &[], false),
        line(3, "person.open", &[2], true),
        line(4, "person.list", &[1, 2], false),
        line(5, "person.open", &[3], false),
        line(6, "person.open", &[1], false),
    ]
}

fn judge(folder: &Path, options: Options) -> Report {
    let options = Options {
        per_segment: SEGMENT as u64,
        settle: Duration::ZERO,
        ..options
    };
    verify(folder, &options).unwrap()
}

fn judged(trace: &Trace) -> Report {
    let scratch = tempfile::tempdir().unwrap();
    trace.write(scratch.path(), SEGMENT);
    judge(scratch.path(), Options::default())
}

#[test]
fn a_tail_is_judged_like_the_rest_and_counted() {
    let trace = build(&with_tail(), Lie::None);
    let report = judged(&trace);
    assert_eq!(report.findings, []);
    assert_eq!((report.judged, report.line, report.persons), (5, 4, 3));
    let tail = report.tail;
    assert_eq!((tail.lines, tail.leaves), (3, 4));
    assert_eq!(tail.newest, START + 6 * SECOND);
    assert!(!report.overdue && !report.closed);
    let said: String = report
        .sentences()
        .into_iter()
        .map(|s| s.en + "\n")
        .collect();
    let told = "3 lines (4 leaves) after checkpoint 5 (2026-11-21 03:00:03 UTC) are not yet signed, \
                newest at 2026-11-21 03:00:06 UTC";
    assert!(said.contains(told), "{said}");
    // The end may be any leaf, and any part of one: the writer is at work.
    for leaves in 5..=9 {
        let mut cut = trace.clone();
        cut.leaves.truncate(leaves);
        assert!(judged(&cut).good(), "{leaves}");
    }
}

#[test]
fn leaves_dropped_moved_or_changed_within_the_tail_are_found() {
    let good = build(&with_tail(), Lie::None);
    let places = |report: &Report| -> Vec<Problem> {
        report.findings.iter().map(|f| f.problem.clone()).collect()
    };
    for at in 5..8 {
        let mut bad = good.clone();
        bad.leaves.remove(at);
        let report = judged(&bad);
        assert!(!report.good(), "leaf {at} dropped");
        assert!(matches!(report.findings[0].place, Place::Leaf(n, _) if n as usize == at));
    }
    let mut bad = good.clone();
    bad.leaves.swap(6, 7);
    assert!(!judged(&bad).good(), "moved");
    let mut bad = good.clone();
    bad.leaves.insert(7, bad.leaves[7].clone());
    assert!(!judged(&bad).good(), "repeated");
    for (lie, name) in [
        (Lie::ChainGap(5), "chain gap"),
        (Lie::ChainLink(6), "chain link"),
        (Lie::LineGap(5), "line gap"),
        (Lie::ShortList(4), "short list"),
    ] {
        assert!(!judged(&build(&with_tail(), lie)).good(), "{name}");
    }
    let mut bad = good.clone();
    bad.leaves[7] = vec![1; 40];
    assert!(matches!(places(&judged(&bad))[..], [Problem::Leaf(_)]));
    // A changed word breaks the link of the person's next leaf.
    let mut bad = good.clone();
    let at = bad.leaves[5]
        .windows(5)
        .position(|w| w == b"clerk")
        .unwrap();
    bad.leaves[5][at] = b'C';
    assert!(matches!(
        places(&judged(&bad))[..],
        [Problem::ChainLink(..)]
    ));
}

#[test]
fn a_tail_longer_than_the_interval_is_told_by_its_own_exit_status() {
    let scratch = tempfile::tempdir().unwrap();
    let mut lines = with_tail();
    lines[6].time += 80 * SECOND;
    build(&lines, Lie::None).write(scratch.path(), 1 << 20);
    let run = |arguments: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_mimamori-verify"))
            .args(["trace", "."])
            .args(arguments)
            .current_dir(scratch.path())
            .output()
            .unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        (out.status.code().unwrap(), said)
    };
    let taken = (START / SECOND + 87).to_string();
    let (code, said) = run(&["--taken", &taken]);
    assert!(
        code == 3 && said.contains("ATTENTION") && said.contains("注意"),
        "{said}"
    );
    assert_eq!(run(&["--taken", &taken, "--interval", "90"]).0, 0);
    // The same tail a day later was never signed.
    let later = (START / SECOND + 86_400).to_string();
    assert_eq!(run(&["--taken", &later, "--interval", "90"]).0, 3);
    // What is wrong stays wrong.
    assert_eq!(run(&["--taken", &later, "--line", "8"]).0, 1);
    assert_eq!(
        run(&["--taken", &taken, "--interval", "90", "--line", "7"]).0,
        0
    );
}

#[test]
fn a_tail_of_checkpoints_taken_away_is_overdue() {
    let mut lines = with_tail();
    for (n, line) in lines.iter_mut().enumerate() {
        line.time = START + n as i64 * 40 * SECOND;
        line.checkpoint = true;
    }
    let mut trace = build(&lines, Lie::None);
    assert!(!judged(&trace).overdue);
    trace.notes.truncate(3);
    let report = judged(&trace);
    assert!(report.good() && report.overdue);
    assert_eq!(report.tail.lines, 4);
}

#[test]
fn a_clean_stop_closes_the_trace_and_a_seen_line_must_be_there() {
    let mut lines = with_tail();
    lines.push(line(7, "trace.stop", &[], true));
    let trace = build(&lines, Lie::None);
    assert!(judged(&trace).closed);
    // Not when anything follows it.
    lines.push(line(8, "session.open", &[], false));
    assert!(!judged(&build(&lines, Lie::None)).closed);
    let scratch = tempfile::tempdir().unwrap();
    trace.write(scratch.path(), SEGMENT);
    let seen = |line| {
        let options = Options {
            line: Some(line),
            ..Options::default()
        };
        judge(scratch.path(), options).findings
    };
    assert_eq!(seen(8), []);
    assert_eq!(seen(9)[0].problem, Problem::LineMissing(9, 8));
}

/// What nobody can notice from the folder alone; `docs/trace-format.md` section 6 says so.
#[test]
fn the_end_of_an_unsigned_tail_can_be_dropped_unnoticed_and_the_report_says_so() {
    let scratch = tempfile::tempdir().unwrap();
    let mut trace = build(&with_tail(), Lie::None);
    trace.leaves.truncate(5);
    trace.write(scratch.path(), SEGMENT);
    assert_eq!(
        std::fs::read(scratch.path().join("key.pub")).unwrap(),
        key_file().as_bytes()
    );
    assert_eq!(
        std::fs::read(scratch.path().join("checkpoints.log")).unwrap(),
        records(&trace.notes)
    );
    let report = judge(scratch.path(), Options::default());
    assert!(report.good() && !report.closed);
    let said: String = report
        .sentences()
        .into_iter()
        .map(|s| s.en + "\n")
        .collect();
    assert!(said.contains("cannot be noticed"), "{said}");
}
