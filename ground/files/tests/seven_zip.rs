//! The archive is one that 7-Zip opens, and only with its password.

use std::path::Path;
use std::process::{Command, Output};

use mimamori_files::lock;

const PASSWORD: &str = "abcd-efgh-jkmn-pqrs";

/// The program under its Debian names.
fn seven_zip() -> Option<&'static str> {
    ["7zz", "7z"]
        .into_iter()
        .find(|name| Command::new(name).arg("i").output().is_ok())
}

fn unpack(program: &str, archive: &Path, password: &str) -> Output {
    Command::new(program)
        .args(["x", "-so", &format!("-p{password}")])
        .arg(archive)
        .output()
        .expect("7-Zip")
}

#[test]
fn seven_zip_opens_the_file_with_its_password_only() {
    let Some(program) = seven_zip() else {
        assert!(
            std::env::var_os("CI").is_none(),
            "7-Zip is missing (Debian: 7zip)"
        );
        eprintln!("NOT RUN: 7-Zip is not here (Debian: 7zip)");
        return;
    };
    let text = "氏名,番号\r\n".repeat(10_000);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("list.zip");
    let bytes = lock("list.csv", text.as_bytes(), PASSWORD).unwrap();
    assert!(!bytes.windows(6).any(|w| w == "氏名".as_bytes()));
    std::fs::write(&path, &bytes).unwrap();
    let opened = unpack(program, &path, PASSWORD);
    assert!(opened.status.success(), "{opened:?}");
    assert_eq!(opened.stdout, text.as_bytes());
    assert!(
        !unpack(program, &path, "abcd-efgh-jkmn-pqrt")
            .status
            .success()
    );
    let listed = Command::new(program)
        .args(["l", "-slt"])
        .arg(&path)
        .output()
        .unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("Method = AES-256"), "{listed}");
    // A changed byte of the ciphertext is noticed.
    let mut broken = bytes;
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    std::fs::write(&path, &broken).unwrap();
    assert!(!unpack(program, &path, PASSWORD).status.success());
}
