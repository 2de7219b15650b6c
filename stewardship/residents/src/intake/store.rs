//! What is kept of an import (取込みの記録): who ordered it, how, and how it ended; no values.

use mimamori_gate::{GateError, JobPermit, Statement, Value};
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::ImportId;
use serde::{Deserialize, Serialize};

use crate::import::{Accept, Encoding, Fault, Finding, Layout, Outcome, Sheet};

/// Findings of one insert.
const CHUNK: usize = 200;

/// One file that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileInfo {
    /// `residents.csv` or `households.csv`, whatever the browser called it.
    pub sheet: String,
    pub bytes: u64,
    pub sha256: String,
}

/// What the user chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    /// Codes of the encodings of residents and households.
    pub encodings: [String; 2],
    pub layout: Layout,
    /// Take over the good rows although others are wrong.
    pub good_only: bool,
    /// Rows that the sending office told.
    pub expected: [Option<u64>; 2],
}

impl Settings {
    pub fn accept(&self) -> Accept {
        match self.good_only {
            true => Accept::Good,
            false => Accept::All,
        }
    }
    pub fn encoding(&self, sheet: Sheet) -> Encoding {
        let at = usize::from(sheet == Sheet::Households);
        Encoding::of(&self.encodings[at]).unwrap_or(Encoding::Cp932)
    }
}

/// How it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Totals {
    pub persons: u64,
    pub rows: u64,
    pub households: u64,
    pub insured: u64,
    pub kept: u64,
    pub left_out: u64,
    pub errors: u64,
    pub warnings: u64,
    /// What went wrong, when it was not the rows.
    pub told: String,
}

impl Totals {
    pub fn of(outcome: &Outcome) -> Self {
        Self {
            persons: outcome.persons,
            rows: outcome.rows,
            households: outcome.households,
            insured: outcome.insured,
            kept: outcome.kept,
            left_out: outcome.left_out,
            ..Self::findings(&outcome.findings)
        }
    }
    pub fn findings(findings: &[Finding]) -> Self {
        let warnings = findings.iter().filter(|f| f.fault.is_warning()).count();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Self {
            errors: count(findings.len() - warnings),
            warnings: count(warnings),
            ..Self::default()
        }
    }
}

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Draft,
    Running,
    Done,
    Refused,
    Failed,
    Stopped,
    Discarded,
}

impl Stand {
    const ALL: [Self; 7] = [
        Self::Draft,
        Self::Running,
        Self::Done,
        Self::Refused,
        Self::Failed,
        Self::Stopped,
        Self::Discarded,
    ];
    pub fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Discarded => "discarded",
        }
    }
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Draft => "準備中",
            Self::Running => "取込み中",
            Self::Done => "取り込みました",
            Self::Refused => "誤りがあり、取り込みませんでした",
            Self::Failed => "取り込めませんでした",
            Self::Stopped => "途中で止まりました",
            Self::Discarded => "取りやめました",
        }
    }
    /// Whether its files are there and it may be begun (again).
    pub fn open(self) -> bool {
        matches!(
            self,
            Self::Draft | Self::Refused | Self::Failed | Self::Stopped
        )
    }
}

/// One import.
#[derive(Debug, Clone)]
pub(super) struct Import {
    pub id: ImportId,
    pub made_at: Instant,
    pub ordered_name: String,
    pub stand: Stand,
    pub files: Vec<FileInfo>,
    pub settings: Settings,
    pub totals: Totals,
    pub line: u64,
}

impl Import {
    pub fn has(&self, sheet: Sheet) -> bool {
        self.files.iter().any(|f| f.sheet == sheet.name())
    }
}

const COLUMNS: &str = "import, made_at, ordered_name, stand, files, settings, totals, trace_line";

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_string(value).unwrap_or_default().into()
}

fn import(row: &mimamori_gate::Row) -> Result<Option<Import>, GateError> {
    let text = |at| row.text(at).map_err(GateError::from);
    let stand = Stand::ALL
        .into_iter()
        .find(|s| Some(s.code()) == text(3).ok());
    let parts = (
        stand,
        serde_json::from_str(text(4)?).ok(),
        serde_json::from_str(text(5)?).ok(),
    );
    let (Some(stand), Some(files), Some(settings)) = parts else {
        return Ok(None);
    };
    Ok(Some(Import {
        id: ImportId::from_bytes(row.array(0).map_err(GateError::from)?),
        made_at: Instant(row.int(1).map_err(GateError::from)?),
        ordered_name: text(2)?.to_owned(),
        stand,
        files,
        settings,
        totals: serde_json::from_str(text(6)?).unwrap_or_default(),
        line: u64::try_from(row.int(7).map_err(GateError::from)?).unwrap_or(0),
    }))
}

/// The newest imports, 50 at most.
pub(super) async fn newest(permit: &JobPermit) -> Result<Vec<Import>, GateError> {
    let sql =
        format!("SELECT {COLUMNS} FROM residents_import ORDER BY made_at DESC, import LIMIT 50");
    let mut out = vec![];
    for row in permit.rows(&sql, vec![]).await? {
        out.extend(import(&row)?);
    }
    Ok(out)
}

/// One import.
pub(super) async fn one(permit: &JobPermit, id: ImportId) -> Result<Option<Import>, GateError> {
    let sql = format!("SELECT {COLUMNS} FROM residents_import WHERE import = ?");
    let rows = permit.rows(&sql, vec![id.bytes().into()]).await?;
    rows.first().map_or(Ok(None), import)
}

/// Keeps a new draft.
pub(super) async fn add(
    permit: &JobPermit,
    by: &Visitor,
    id: ImportId,
    at: Instant,
    files: &[FileInfo],
    settings: &Settings,
) -> Result<(), GateError> {
    let sql = "INSERT INTO residents_import (import, made_at, ordered_by, ordered_name, stand, files, settings, totals, trace_line) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)";
    let args = vec![
        id.bytes().into(),
        at.0.into(),
        by.user.bytes().into(),
        format!("{} {}", by.org_name, by.name).into(),
        Stand::Draft.code().into(),
        json(&files),
        json(settings),
        json(&Totals::default()),
    ];
    permit.stage(vec![Statement::new(sql, args)]).await
}

/// Keeps what the user chose.
pub(super) fn set(id: ImportId, settings: &Settings) -> Statement {
    let sql = "UPDATE residents_import SET settings = ? WHERE import = ?";
    Statement::new(sql, vec![json(settings), id.bytes().into()])
}

/// Moves an import on, when it still stands where `from` says.
pub(super) fn step(id: ImportId, from: Stand, to: Stand, totals: &Totals, line: u64) -> Statement {
    Statement::expecting(
        "UPDATE residents_import SET stand = ?, totals = ?, trace_line = ? WHERE import = ? AND stand = ?",
        vec![
            to.code().into(),
            json(totals),
            i64::try_from(line).unwrap_or(0).into(),
            id.bytes().into(),
            from.code().into(),
        ],
        1,
        "residents-import-stand",
    )
}

/// Puts the findings of an import in place of earlier ones.
pub(super) async fn keep_findings(
    permit: &JobPermit,
    id: ImportId,
    findings: &[Finding],
) -> Result<(), GateError> {
    let clear = "DELETE FROM residents_import_finding WHERE import = ?";
    permit
        .stage(vec![Statement::new(clear, vec![id.bytes().into()])])
        .await?;
    let mut number = 0i64;
    for chunk in findings.chunks(CHUNK) {
        let mut steps = vec![];
        for finding in chunk {
            number += 1;
            steps.push(Statement::new(
                "INSERT INTO residents_import_finding (import, number, sheet, at_row, item, code) VALUES (?, ?, ?, ?, ?, ?)",
                vec![
                    id.bytes().into(),
                    number.into(),
                    finding.sheet.name().into(),
                    i64::try_from(finding.row).unwrap_or(0).into(),
                    finding.item().into(),
                    finding.fault.code().into(),
                ],
            ));
        }
        permit.stage(steps).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// One finding as it is listed.
pub(super) struct Listed {
    pub sheet: String,
    pub row: i64,
    pub item: String,
    pub code: String,
    pub weight: &'static str,
    pub reason: &'static str,
}

/// `limit` findings after number `after`.
pub(super) async fn findings(
    permit: &JobPermit,
    id: ImportId,
    after: i64,
    limit: i64,
) -> Result<Vec<Listed>, GateError> {
    let sql = "SELECT sheet, at_row, item, code FROM residents_import_finding WHERE import = ? AND number > ? ORDER BY number LIMIT ?";
    let args = vec![id.bytes().into(), after.into(), limit.into()];
    let mut out = vec![];
    for row in permit.rows(sql, args).await? {
        let text = |at| row.text(at).map(str::to_owned).map_err(GateError::from);
        let code = text(3)?;
        let fault = Fault::of(&code);
        out.push(Listed {
            sheet: text(0)?,
            row: row.int(1).map_err(GateError::from)?,
            item: text(2)?,
            weight: match fault.is_some_and(Fault::is_warning) {
                true => "注意",
                false => "誤り",
            },
            reason: fault.map_or("", Fault::sentence),
            code,
        });
    }
    Ok(out)
}

/// Names of kept layouts.
pub(super) async fn layouts(permit: &JobPermit) -> Result<Vec<String>, GateError> {
    let sql = "SELECT name FROM residents_import_layout ORDER BY name LIMIT 100";
    let rows = permit.rows(sql, vec![]).await?;
    rows.iter()
        .map(|r| r.text(0).map(str::to_owned).map_err(GateError::from))
        .collect()
}

/// A kept layout.
pub(super) async fn layout(permit: &JobPermit, name: &str) -> Result<Option<Layout>, GateError> {
    let sql = "SELECT body FROM residents_import_layout WHERE name = ?";
    let rows = permit.rows(sql, vec![name.into()]).await?;
    let body = rows.first().map(|r| r.text(0)).transpose();
    Ok(body
        .map_err(GateError::from)?
        .and_then(|text| serde_json::from_str(text).ok()))
}

/// Keeps a layout under a name, in place of the one before.
pub(super) fn keep_layout(name: &str, layout: &Layout, by: &Visitor, at: Instant) -> Statement {
    let sql = "INSERT INTO residents_import_layout (name, saved_by, saved_at, body) VALUES (?, ?, ?, ?) \
               ON CONFLICT (name) DO UPDATE SET saved_by = excluded.saved_by, saved_at = excluded.saved_at, body = excluded.body";
    Statement::new(
        sql,
        vec![
            name.into(),
            by.user.bytes().into(),
            at.0.into(),
            json(layout),
        ],
    )
}

/// Imports that a stop of the program left running.
pub(super) async fn left_running(permit: &JobPermit) -> Result<Vec<ImportId>, GateError> {
    let sql = "SELECT import FROM residents_import WHERE stand = 'running'";
    let rows = permit.rows(sql, vec![]).await?;
    rows.iter()
        .map(|r| {
            r.array(0)
                .map(ImportId::from_bytes)
                .map_err(GateError::from)
        })
        .collect()
}
