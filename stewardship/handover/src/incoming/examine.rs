//! Opening a return: the town's key or the slip's passphrase, every check of the package, then what the tables look like.
//! No value leaves this file but sealed.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use mimamori_kernel::clock::Instant;
use mimamori_package::{
    Checks, Key, Kind, Kit, SLIP, Trust, fingerprint, open, read_rows, write_rows,
};
use zeroize::Zeroizing;

use crate::files::{folder, write};
use crate::{Handover, HandoverError};

/// What an opened return looks like.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Examined {
    pub package: String,
    pub rows: i64,
    /// For the screen: columns, filled cells, cells that a spreadsheet would run.
    pub findings: String,
    /// The first table, formulas made harmless.
    pub table: Zeroizing<Vec<u8>>,
}

/// A cell that a spreadsheet program would take for a formula; numbers with a sign are none.
pub(super) fn is_formula(cell: &str) -> bool {
    let starts = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    starts && cell.parse::<f64>().is_err()
}

/// The cell as text that no spreadsheet runs.
pub(super) fn harmless(cell: String) -> String {
    match is_formula(&cell) {
        true => format!("'{cell}"),
        false => cell,
    }
}

impl Handover {
    /// Where the town's own key lies.
    fn key_file(&self) -> Result<PathBuf, HandoverError> {
        Ok(folder(&self.settings.folder, "key")?.join("town.key"))
    }

    /// The key to which partners seal returns; made at the first use.
    ///
    /// # Errors
    /// [`HandoverError::Folder`], [`HandoverError::Record`] for a file that holds no key.
    pub(crate) fn town_key(&self) -> Result<Identity, HandoverError> {
        let path = self.key_file()?;
        if !path.exists() {
            let made = Identity::generate();
            write(&path, made.to_string().expose_secret().as_bytes())?;
        }
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(HandoverError::Folder)?);
        text.trim().parse().map_err(|_| HandoverError::Record)
    }
}

/// Opens a file in quarantine and looks at its tables; `allowed` says whether an item may come back.
///
/// # Errors
/// [`HandoverError::Package`] with the first thing that does not hold; [`HandoverError::Paper`] for an item that the
/// contract does not name.
pub(super) fn examine(
    room: &Handover,
    bytes: &[u8],
    passphrase: &str,
    (contract, kits): (&str, Vec<Kit>),
    seen: &[String],
    allowed: &dyn Fn(&str) -> bool,
    now: Instant,
) -> Result<Examined, HandoverError> {
    let identity = room.town_key()?;
    let trust = Trust {
        town: room.settings.town.clone(),
        origins: vec![],
        rp_id: String::new(),
        approvers: vec![],
        terminals: vec![],
        kits,
    };
    let own = fingerprint(&identity.to_public());
    let (key, recipient) = match passphrase.is_empty() {
        true => (Key::Identity(&identity), own.as_str()),
        false => (Key::Passphrase(passphrase), SLIP),
    };
    let checks = Checks {
        trust: &trust,
        kind: Kind::Return,
        contract,
        recipient,
        now,
        seen: &|id| seen.iter().any(|s| s == id),
        limits: room.limits,
    };
    let mut opened = open(Cursor::new(bytes), &key, &checks)?;
    let manifest = opened.manifest().clone();
    let strange: Vec<&str> = manifest
        .items
        .iter()
        .filter(|i| !allowed(&i.id))
        .map(|i| i.name.as_str())
        .collect();
    if !strange.is_empty() {
        return Err(HandoverError::Paper(format!(
            "「{}」は、この契約で受け取る項目にありません。",
            strange.join("」「")
        )));
    }
    let mut findings = Vec::new();
    let mut first = None;
    for file in manifest.files.iter().filter(|f| !f.columns.is_empty()) {
        let bytes = opened.file(&file.name)?;
        let rows = read_rows(&file.columns, &bytes)?;
        let cells = || rows.iter().flatten();
        let formulas = cells().filter(|c| is_formula(c)).count();
        let filled: Vec<String> = file
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let filled = rows.iter().filter(|r| !r[at].trim().is_empty()).count();
                format!("{} {filled}/{}", column.name, rows.len())
            })
            .collect();
        findings.push(format!(
            "{}: {}件、記入のある件数: {}、数式とみなされるため無害にした欄: {formulas}",
            file.name,
            rows.len(),
            filled.join("、")
        ));
        if first.is_none() {
            let rows: Vec<Vec<String>> = rows
                .into_iter()
                .map(|row| row.into_iter().map(harmless).collect())
                .collect();
            first = Some(write_rows(&file.columns, &rows)?);
        }
    }
    let table = first.ok_or_else(|| HandoverError::Paper("封筒に表がありません。".into()))?;
    Ok(Examined {
        package: manifest.id.clone(),
        rows: manifest.rows(),
        findings: findings.join(" "),
        table,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_made_text_and_numbers_stay() {
        for formula in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "@SUM(A1)",
            "-2+3",
            "\t=1",
            "＝1",
        ] {
            assert!(is_formula(formula), "{formula}");
            assert!(harmless(formula.to_owned()).starts_with('\''));
        }
        for plain in ["-1.5", "+3", "見本", "", "1=1", "a@example.jp"] {
            assert_eq!(harmless(plain.to_owned()), plain);
        }
    }
}
