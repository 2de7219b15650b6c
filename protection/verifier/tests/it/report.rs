//! A signed report (section 8).

use mimamori_verifier::note::{Checkpoint, Key, NoteError};
use mimamori_verifier::signed;

use crate::writer::{key_file, note, sign};

fn key() -> Key {
    Key::parse(key_file().as_bytes()).unwrap()
}

#[test]
fn a_report_opens_with_its_key_and_no_bit_of_it_may_change() {
    let good = note("mimamori-report-1\n証跡の分析報告\n規則 3件\n");
    let opened = signed::open(good.as_bytes(), &key()).unwrap();
    assert_eq!(
        opened.lines,
        ["mimamori-report-1", "証跡の分析報告", "規則 3件"]
    );
    for at in 0..good.len() {
        let mut bad = good.clone().into_bytes();
        bad[at] ^= 1;
        assert!(signed::open(&bad, &key()).is_err(), "byte {at}");
    }
    for at in 0..good.len() {
        assert!(
            signed::open(&good.as_bytes()[..at], &key()).is_err(),
            "cut at {at}"
        );
    }
}

#[test]
fn a_checkpoint_is_no_report_and_a_report_is_no_checkpoint() {
    let checkpoint = sign(5, &[3; 32], 4, 1);
    assert!(Checkpoint::open(&checkpoint, &key()).is_ok());
    assert_eq!(signed::open(&checkpoint, &key()), Err(NoteError::Shape));
    let report = note("mimamori-report-1\n5\nAAAA\nline 4\ntime 1\n");
    assert!(signed::open(report.as_bytes(), &key()).is_ok());
    assert!(Checkpoint::open(report.as_bytes(), &key()).is_err());
}

#[test]
fn hostile_reports_are_refused() {
    let head = "mimamori-report-1\n";
    for bad in [
        note("another-1\nx\n"),
        note(&format!("{head}bell \u{7}\n")),
        note(&format!("{head}a\n\nb\n")),
        note(&format!("{head}x\n")).replace("\n— ", "\n— other/name x\n— "),
        format!("{}{}", note(&format!("{head}x\n")), "more\n"),
        note(&format!("{head}{}\n", "長".repeat(20_000))),
        String::new(),
    ] {
        assert!(signed::open(bad.as_bytes(), &key()).is_err(), "{bad:.40}");
    }
}
