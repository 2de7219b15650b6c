//! Generations made, restored, damaged and mixed up.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use mimamori_backup::{
    BackupError, Check, Identities, Order, Recipients, Repository, Source, UNFINISHED, finish,
};
use proptest::prelude::*;

struct Place {
    dir: tempfile::TempDir,
    repository: Repository,
    recipients: Recipients,
    identities: Identities,
}

fn sign(text: &str) -> String {
    format!("{text}\n— town {}\n", text.len())
}

fn key(dir: &Path, name: &str) -> (PathBuf, PathBuf) {
    let identity = age::x25519::Identity::generate();
    let (public, private) = (dir.join(format!("{name}.pub")), dir.join(name));
    std::fs::write(
        &public,
        format!("# to the safe\n{}\n", identity.to_public()),
    )
    .unwrap();
    std::fs::write(&private, identity.to_string().expose_secret()).unwrap();
    (public, private)
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (public, private) = key(dir.path(), "key");
        Self {
            repository: Repository::at(&dir.path().join("repository")),
            recipients: Recipients::load(&public).unwrap(),
            identities: Identities::load(&private).unwrap(),
            dir,
        }
    }

    fn file(&self, number: u64, kind: &str) -> PathBuf {
        let name = format!("repository/{number:06}-{kind}.age");
        self.dir.path().join(name)
    }

    fn create(&self, files: &[(&str, Vec<u8>)], full: bool) -> mimamori_backup::Generation {
        let live = self.dir.path().join("live");
        std::fs::create_dir_all(&live).unwrap();
        let sources: Vec<Source> = files
            .iter()
            .map(|(name, bytes)| {
                let path = live.join(name.replace('/', "_"));
                std::fs::write(&path, bytes).unwrap();
                Source {
                    name: (*name).to_owned(),
                    path,
                    bytes: bytes.len() as u64,
                    pieces: name.ends_with(".copy"),
                }
            })
            .collect();
        let order = Order {
            sources: &sources,
            facts: BTreeMap::from([("rows".to_owned(), "3".to_owned())]),
            recipients: &self.recipients,
            sign: &sign,
            known: &self.dir.path().join("known"),
            at: 7,
            full,
        };
        self.repository.create(&order).unwrap()
    }

    fn restore(&self, number: u64, name: &str) -> Result<PathBuf, BackupError> {
        let to = self.dir.path().join(name);
        self.repository
            .restore(number, &self.identities, &sign, &to)?;
        assert!(to.join(UNFINISHED).exists());
        finish(&to)?;
        Ok(to)
    }
}

fn bytes(seed: u8, length: usize) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn every_generation_comes_back_as_it_was() {
    let place = Place::new();
    let mut register = bytes(1, 300_001);
    let one = vec![
        ("register.db", register.clone()),
        ("trace/leaves/0000.seg", bytes(2, 10)),
    ];
    assert_eq!(place.create(&one, false).base, None);
    register[150_000] ^= 1;
    let two = vec![
        ("register.db", register.clone()),
        ("trace/leaves/0000.seg", bytes(2, 9_000)),
    ];
    let second = place.create(&two, false);
    assert_eq!(second.base, Some(1));
    assert!(
        second.bytes < 20_000,
        "{} bytes for four changed blocks",
        second.bytes
    );
    register.truncate(5_000);
    let three = vec![("register.db", register)];
    place.create(&three, false);
    assert_eq!(place.create(&three, true).base, None);
    for (number, state) in [(1, &one), (2, &two), (3, &three), (4, &three)] {
        let to = place.restore(number, &format!("back-{number}")).unwrap();
        for (name, bytes) in state {
            assert!(
                std::fs::read(to.join(name)).unwrap() == *bytes,
                "{number} {name}"
            );
        }
        assert_eq!(to.join("trace").exists(), number < 4);
        assert_eq!(to.join("trace/leaves/0000.seg").exists(), number < 3);
    }
}

#[test]
fn the_ordinary_age_program_opens_a_generation() {
    let place = Place::new();
    place.create(&[("register.db", bytes(1, 5_000))], false);
    let out = std::process::Command::new("age")
        .arg("--decrypt")
        .arg("--identity")
        .arg(place.dir.path().join("key"))
        .arg(place.file(1, "full"))
        .output()
        .expect("age is installed by ./dev test");
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(out.stdout.starts_with(b"mimamori-backup-2\n"));
}

#[test]
fn lines_come_back_whole_and_grow_by_what_changed() {
    let place = Place::new();
    let mut lines: Vec<String> = (0..4_000u32)
        .map(|n| format!("{n}\t{}\n", "a".repeat(n as usize % 90)))
        .collect();
    let mut states = Vec::new();
    let mut made = Vec::new();
    for turn in 0..4usize {
        states.push(lines.concat().into_bytes());
        let files = [
            ("tables/a.copy", states[turn].clone()),
            ("register.db", bytes(1, 9_000)),
        ];
        made.push(place.create(&files, false));
        lines.insert(10, format!("new {turn}\n"));
        lines.remove(2_000 + turn);
        lines.swap(3_000, 3_100);
    }
    assert!(
        made[1].bytes * 5 < made[0].bytes,
        "{} {}",
        made[1].bytes,
        made[0].bytes
    );
    for (number, state) in (1u64..).zip(&states) {
        let to = place.restore(number, &format!("back-{number}")).unwrap();
        assert!(
            std::fs::read(to.join("tables/a.copy")).unwrap() == *state,
            "{number}"
        );
    }
    // A file of pieces that is one of blocks from now on, and gone in the end.
    let to = place.create(&[("register.db", bytes(1, 9_000))], false);
    let back = place.restore(to.number, "gone").unwrap();
    assert!(!back.join("tables/a.copy").exists());
}

/// What the first version wrote is the same but for its first line.
#[test]
fn a_generation_of_the_first_version_is_still_read_and_built_upon() {
    let place = Place::new();
    let state = bytes(1, 30_000);
    place.create(&[("register.db", state.clone())], false);
    let file = place.file(1, "full");
    let age = |args: &[&std::ffi::OsStr], input: &[u8]| {
        use std::io::Write as _;
        let mut child = std::process::Command::new("age")
            .args(args)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("age is installed by ./dev test");
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().stdout
    };
    let (key, public) = (
        place.dir.path().join("key"),
        place.dir.path().join("key.pub"),
    );
    let sealed = std::fs::read(&file).unwrap();
    let mut plain = age(
        &["--decrypt".as_ref(), "-i".as_ref(), key.as_ref()],
        &sealed,
    );
    let head = plain.first_chunk_mut::<18>().unwrap();
    assert_eq!(head, b"mimamori-backup-2\n");
    head[16] = b'1';
    std::fs::write(&file, age(&["-R".as_ref(), public.as_ref()], &plain)).unwrap();
    let to = place.restore(1, "first").unwrap();
    assert!(std::fs::read(to.join("register.db")).unwrap() == state);
    let mut more = state;
    more[20_000] ^= 1;
    assert_eq!(
        place.create(&[("register.db", more.clone())], false).base,
        Some(1)
    );
    let to = place.restore(2, "second").unwrap();
    assert!(std::fs::read(to.join("register.db")).unwrap() == more);
}

#[test]
fn a_changed_bit_anywhere_is_found_with_and_without_the_key() {
    let place = Place::new();
    place.create(&[("register.db", bytes(1, 20_000))], false);
    place.create(&[("register.db", bytes(2, 20_000))], false);
    let path = place.file(1, "full");
    let good = std::fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(good.len() / 40) {
        let mut bad = good.clone();
        bad[at] ^= 4;
        std::fs::write(&path, &bad).unwrap();
        let found = place.repository.check().unwrap();
        assert_eq!(
            [found[0].1, found[1].1],
            [Check::Changed, Check::Baseless],
            "byte {at}"
        );
        let error = place.restore(2, &format!("bad-{at}")).unwrap_err();
        assert!(
            matches!(error, BackupError::Closed { .. }),
            "byte {at}: {error:?}"
        );
        assert!(
            place
                .dir
                .path()
                .join(format!("bad-{at}/RESTORE-UNFINISHED"))
                .exists()
        );
    }
    std::fs::write(&path, &good[..good.len() - 100]).unwrap();
    assert!(matches!(
        place.restore(2, "short"),
        Err(BackupError::Closed { .. })
    ));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(place.repository.check().unwrap()[0].1, Check::Missing);
    std::fs::write(&path, good).unwrap();
    assert!(
        place
            .repository
            .check()
            .unwrap()
            .iter()
            .all(|(_, c)| *c == Check::Good)
    );
    place.restore(2, "good").unwrap();
}

#[test]
fn a_generation_of_another_number_town_or_key_is_refused() {
    let place = Place::new();
    place.create(&[("register.db", bytes(1, 9_000))], true);
    place.create(&[("register.db", bytes(2, 9_000))], true);
    let (_, stranger) = key(place.dir.path(), "stranger");
    let stranger = Identities::load(&stranger).unwrap();
    let to = place.dir.path().join("stranger-back");
    let error = place
        .repository
        .restore(1, &stranger, &sign, &to)
        .unwrap_err();
    assert!(matches!(error, BackupError::Closed { .. }), "{error:?}");
    let other = |text: &str| format!("{text}\n— other town\n");
    let to = place.dir.path().join("other-back");
    let error = place
        .repository
        .restore(1, &place.identities, &other, &to)
        .unwrap_err();
    assert!(error.to_string().contains("この町の署名"), "{error}");
    // The older generation under the newer one's name.
    std::fs::copy(place.file(1, "full"), place.file(2, "full")).unwrap();
    let error = place.restore(2, "old").unwrap_err();
    assert!(error.to_string().contains("ほかの世代"), "{error}");
    assert!(matches!(
        place.restore(9, "none"),
        Err(BackupError::Unknown(9))
    ));
    std::fs::write(place.dir.path().join("full"), "x").unwrap();
    assert!(matches!(
        place.restore(1, "."),
        Err(BackupError::NotEmpty(_))
    ));
}

#[test]
fn whoever_lost_the_blocks_or_was_killed_makes_a_full_generation_next() {
    let place = Place::new();
    let state = [("register.db", bytes(1, 50_000))];
    place.create(&state, false);
    std::fs::write(place.dir.path().join("known"), b"damaged").unwrap();
    assert_eq!(place.create(&state, false).base, None);
    // A list that was cut: the file is named, and its number is not given again.
    let catalog = place.dir.path().join("repository/catalog.json");
    let list = std::fs::read(&catalog).unwrap();
    place.create(&state, false);
    let file = std::fs::read(place.file(3, "part")).unwrap();
    std::fs::write(&catalog, list).unwrap();
    std::fs::write(place.dir.path().join("repository/part"), b"half").unwrap();
    assert_eq!(place.repository.unlisted().unwrap(), ["000003-part.age"]);
    let next = place.create(&state, false);
    assert_eq!((next.number, next.base), (4, None));
    assert!(std::fs::read(place.file(3, "part")).unwrap() == file);
    place.restore(4, "back").unwrap();
}

#[test]
fn whoever_was_killed_between_list_and_name_finds_the_generation_again() {
    let place = Place::new();
    let state = [("register.db", bytes(1, 50_000))];
    place.create(&state, false);
    let part = place.dir.path().join("repository/part");
    let cut = |number: u64, kind: &str| std::fs::rename(place.file(number, kind), &part).unwrap();
    cut(1, "full");
    assert_eq!(place.repository.check().unwrap()[0].1, Check::Good);
    cut(1, "full");
    assert_eq!(place.create(&state, false).base, Some(1));
    cut(2, "part");
    place.restore(2, "back").unwrap();
    // Something else under that name is not taken for it.
    cut(2, "part");
    std::fs::write(&part, b"half").unwrap();
    assert_eq!(place.repository.check().unwrap()[1].1, Check::Missing);
    assert_eq!(place.repository.check().unwrap()[0].1, Check::Good);
}

#[test]
fn two_backups_at_once_do_not_mix() {
    let place = Place::new();
    std::fs::create_dir(place.dir.path().join("repository")).unwrap();
    let lock = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(place.dir.path().join("repository/lock"))
        .unwrap();
    lock.lock().unwrap();
    let order = Order {
        sources: &[],
        facts: BTreeMap::new(),
        recipients: &place.recipients,
        sign: &sign,
        known: &place.dir.path().join("known"),
        at: 7,
        full: false,
    };
    assert!(matches!(
        place.repository.create(&order),
        Err(BackupError::Busy)
    ));
}

#[test]
fn a_private_key_among_the_recipients_is_refused() {
    let place = Place::new();
    let private = place.dir.path().join("key");
    assert!(matches!(
        Recipients::load(&private),
        Err(BackupError::Key { .. })
    ));
    let public = place.dir.path().join("key.pub");
    assert!(matches!(
        Identities::load(&public),
        Err(BackupError::Key { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_row_of_states_comes_back(states in prop::collection::vec((0u8..4, 0usize..30_000), 1..6)) {
        let place = Place::new();
        for (number, (seed, length)) in (1u64..).zip(&states) {
            place.create(&[("register.db", bytes(*seed, *length))], false);
            let to = place.restore(number, &format!("back-{number}")).unwrap();
            prop_assert!(std::fs::read(to.join("register.db")).unwrap() == bytes(*seed, *length));
        }
    }
}
