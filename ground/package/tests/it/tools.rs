//! The envelopes are ordinary ones: the programs `age` and 7-Zip open them.

use std::path::Path;
use std::process::{Command, Stdio};

use mimamori_package::*;

use crate::world::World;

/// Whether the programs are here; with `CI` set a missing one is a failure. Pairs of program and Debian package.
pub fn needs(programs: &[(&str, &str)]) -> bool {
    for (program, package) in programs {
        let found = std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
        });
        if !found {
            assert!(
                std::env::var_os("CI").is_none(),
                "{program} is missing (Debian: {package})"
            );
            eprintln!("NOT RUN: {program} is not here (Debian: {package})");
            return false;
        }
    }
    true
}

/// What `tar` finds in a file, and that it is the table.
fn unpacked(archive: &Path, rows: usize) {
    let out = Command::new("tar")
        .args(["-xOf"])
        .arg(archive)
        .arg("people.csv")
        .output()
        .unwrap();
    assert!(out.status.success(), "{out:?}");
    let found = read_rows(&World::columns(), &out.stdout).unwrap();
    assert_eq!(found, World::rows(rows));
    let list = Command::new("tar")
        .args(["-tf"])
        .arg(archive)
        .output()
        .unwrap();
    assert_eq!(list.stdout, b"manifest.json\npeople.csv\n");
}

#[test]
fn age_opens_the_envelope_with_the_recipients_key() {
    if !needs(&[("age", "age"), ("tar", "tar")]) {
        return;
    }
    use age::secrecy::ExposeSecret as _;
    let world = World::new();
    let dir = tempfile::tempdir().unwrap();
    let (sealed, key, plain) = (
        dir.path().join("p.age"),
        dir.path().join("key"),
        dir.path().join("p.tar"),
    );
    std::fs::write(&sealed, world.package(3_000)).unwrap();
    std::fs::write(&key, world.identity.to_string().expose_secret()).unwrap();
    let out = Command::new("age")
        .args(["-d", "-i"])
        .arg(&key)
        .arg("-o")
        .arg(&plain)
        .arg(&sealed)
        .output()
        .unwrap();
    assert!(out.status.success(), "{out:?}");
    unpacked(&plain, 3_000);
}

#[test]
fn age_opens_the_envelope_with_the_passphrase_of_the_slip() {
    if !needs(&[("age", "age"), ("script", "bsdutils"), ("tar", "tar")]) {
        return;
    }
    let words = "abcd-efgh-jkmn-pqrs-tuvw-xyz2-3456";
    let bytes = World::new().with_slip(300, &Envelope::Passphrase(words.into()));
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("p.age"), bytes).unwrap();
    // `age` reads a passphrase from a terminal alone, so `script` gives it one.
    let mut run = Command::new("script")
        .args(["-qec", "age -d -o p.tar p.age", "/dev/null"])
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(
        &mut run.stdin.take().unwrap(),
        format!("{words}\n").as_bytes(),
    )
    .unwrap();
    assert!(run.wait().unwrap().success());
    unpacked(&dir.path().join("p.tar"), 300);
}

#[test]
fn seven_zip_opens_the_archive_with_the_passphrase_of_the_slip_alone() {
    let Some(program) = ["7zz", "7z"]
        .into_iter()
        .find(|name| Command::new(name).arg("i").output().is_ok())
    else {
        assert!(!needs(&[("7zz", "7zip")]));
        return;
    };
    let words = "abcd-efgh-jkmn-pqrs-tuvw-xyz2-3456";
    let bytes = World::new().with_slip(3_000, &Envelope::Zip(words.into()));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("package.zip");
    std::fs::write(&path, bytes).unwrap();
    let unpack = |words: &str| {
        Command::new(program)
            .args(["x", "-y", &format!("-p{words}"), "-oout"])
            .arg(&path)
            .current_dir(dir.path())
            .output()
            .unwrap()
    };
    assert!(!unpack("abcd").status.success());
    let out = unpack(words);
    assert!(out.status.success(), "{out:?}");
    let table = std::fs::read(dir.path().join("out/people.csv")).unwrap();
    assert_eq!(
        read_rows(&World::columns(), &table).unwrap(),
        World::rows(3_000)
    );
    let manifest = std::fs::read(dir.path().join("out/manifest.json")).unwrap();
    assert_eq!(from_canonical::<Manifest>(&manifest).unwrap().rows(), 3_000);
    let list = Command::new(program)
        .args(["l", "-slt"])
        .arg(&path)
        .output()
        .unwrap();
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert_eq!(list.matches("Method = AES-256").count(), 2, "{list}");
}
