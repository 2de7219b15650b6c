//! The drill (復元訓練): a generation is restored to a scratch place and compared, and the report is kept.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mimamori_kernel::clock::{Clock as _, SystemClock};
use mimamori_numbers::Tried;

use super::copy::{facts, open_copy};
use super::{DRILL, DRILL_SCHEMA, NUMBERS, emptied, opened, repository, server};
use crate::config::Config;
use crate::error::StartError;
use crate::instance::{Instance, database};
use crate::numbers::Proof;

/// Sealed words of this many newest lines are opened.
const SAMPLES: i64 = 100;

/// What a drill found; kept as `staging/backup-drill.json`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// Generation that was tried.
    pub number: u64,
    /// When it was tried, microseconds since 1970 UTC.
    pub at: i64,
    /// Seconds until everything was compared.
    pub seconds: u64,
    /// Tables whose rows were counted.
    pub tables: u64,
    /// Sealed words that opened.
    pub opened: u64,
    /// What the numbers room found in its part of the copy; none where there are no numbers, or no key for them.
    #[serde(default)]
    pub numbers: Option<Tried>,
    /// What did not fit, one sentence each; empty: it can be restored.
    pub findings: Vec<String>,
}

fn file(dir: &Path) -> PathBuf {
    dir.join("staging/backup-drill.json")
}

/// The report of the last drill, if there was one.
///
/// # Errors
/// [`StartError::File`].
pub fn last_report(dir: &Path) -> Result<Option<Report>, StartError> {
    let path = file(dir);
    match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|e| StartError::File {
                path,
                source: e.into(),
            }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StartError::File { path, source }),
    }
}

/// Restores generation `number` (the newest without one) beside the running service, compares rows and trace with what
/// was signed, opens sealed words, starts the trace on it, and removes everything again.
///
/// # Errors
/// [`StartError`] when it could not even be tried; what does not fit is in the report.
pub async fn drill(dir: &Path, number: Option<u64>, identity: &Path) -> Result<Report, StartError> {
    let config = Config::load(dir)?;
    let newest = repository(dir, &config)?
        .generations()?
        .last()
        .map(|g| g.number);
    let number = number
        .or(newest)
        .ok_or_else(|| StartError::State("控えがまだありません。".into()))?;
    let started = Instant::now();
    let scratch = emptied(dir, DRILL)?;
    // A schema of its own beside the live one, also when the last drill was killed.
    let mut aside = config.clone();
    aside.postgres_schema = Some(DRILL_SCHEMA.into());
    let aside = aside.location(dir)?;
    server::dropped(&aside).await?;
    let mut report = Report {
        number,
        at: SystemClock::new().now().0,
        seconds: 0,
        tables: 0,
        opened: 0,
        numbers: None,
        findings: vec![],
    };
    if let Err(error) = tried(dir, &config, identity, &scratch, &mut report).await {
        report.findings.push(error.to_string());
    }
    server::dropped(&aside).await?;
    removed(&scratch).await?;
    report.seconds = started.elapsed().as_secs();
    let path = file(dir);
    let text = serde_json::to_vec_pretty(&report).map_err(|e| StartError::State(e.to_string()))?;
    std::fs::write(&path, text).map_err(StartError::file(path))?;
    Ok(report)
}

/// The room's own program opens its part of the copy; this process never sees a number.
async fn prove_numbers(dir: &Path, copy: &Path, report: &mut Report) -> Result<(), StartError> {
    match crate::numbers::proof(dir, copy).await? {
        Proof::Good(tried) => {
            if tried.wrong > 0 {
                report.findings.push(format!(
                    "個人番号: 開いた{}件のうち{}件が正しくありません",
                    tried.opened + tried.wrong,
                    tried.wrong
                ));
            }
            report.numbers = Some(tried);
        }
        Proof::Bad(why) => report.findings.push(format!("個人番号: {why}")),
    }
    Ok(())
}

/// Removes the register in clear. The tasks of the tried instance may need a moment to end.
async fn removed(scratch: &Path) -> Result<(), StartError> {
    let mut tries = 0;
    loop {
        match std::fs::remove_dir_all(scratch) {
            Ok(()) => return Ok(()),
            Err(_) if tries < 20 => tries += 1,
            Err(source) => return Err(StartError::file(scratch)(source)),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn tried(
    dir: &Path,
    config: &Config,
    identity: &Path,
    scratch: &Path,
    report: &mut Report,
) -> Result<(), StartError> {
    let from = dir.join(&super::settings(config)?.folder);
    let (keys, to) = (dir.join("keys"), scratch.join("data"));
    let (identity, target, number) = (identity.to_owned(), to.clone(), report.number);
    let manifest = super::blocking(move || {
        let manifest = opened(&from, Some(number), &identity, &keys, &target)?;
        // Where they lie already: a drill makes no second copy of the keys.
        let link = target.join("keys");
        let keys = std::path::absolute(&keys).map_err(StartError::file(&keys))?;
        std::os::unix::fs::symlink(keys, &link).map_err(StartError::file(link))?;
        Ok(manifest)
    })
    .await?;
    let url_file = config.postgres_url_file.as_ref().map(|path| dir.join(path));
    server::filled(&to, &manifest, url_file.as_deref(), Some(DRILL_SCHEMA)).await?;
    mimamori_backup::finish(&to)?;
    let db = database(&to, &Config::load(&to)?).await?;
    let mut found = facts(&db, "rows").await?;
    let numbers = to.join(NUMBERS);
    if numbers.exists() {
        let db = open_copy(numbers).await?;
        found.extend(facts(&db, "numbers").await?);
        db.close().await;
    }
    report.tables = found.len() as u64;
    if to.join(NUMBERS).exists() && config.numbers.is_some() {
        prove_numbers(dir, &to.join(NUMBERS), report).await?;
    }
    for (name, count) in &found {
        let told = manifest.facts.get(name);
        if told != Some(count) {
            let told = told.map_or("なし", String::as_str);
            let finding = format!("{name}: 控えを取ったとき {told}、戻したあと {count}");
            report.findings.push(finding);
        }
    }
    let tree = db.fetch_one(mimamori_trace::TREE, vec![]).await?;
    let trace = mimamori_trace::extent(tree.as_ref(), &to.join("trace"), scratch)?;
    db.close().await;
    for (name, value) in [
        ("trace/size", trace.size.to_string()),
        ("trace/root", trace.root),
    ] {
        if manifest.facts.get(name) != Some(&value) {
            report
                .findings
                .push(format!("{name}: 証跡の木が控えを取ったときと違います"));
        }
    }
    // The trace and the keys fit, and the program of today opens it.
    let instance = Instance::open(&to).await?;
    let lines = "SELECT l.line FROM trace_line l JOIN trace_key k ON k.scope = l.scope WHERE k.wrapped IS NOT NULL \
                 ORDER BY l.line DESC LIMIT ?";
    for row in instance.db.fetch(lines, vec![SAMPLES.into()]).await? {
        let line = row.int(0)?;
        match instance
            .trace
            .details(u64::try_from(line).unwrap_or(0))
            .await?
        {
            Some(_) => report.opened += 1,
            None => report
                .findings
                .push(format!("行 {line} の封印された言葉が開けません")),
        }
    }
    // In order, so that nothing writes any more when the scratch place is removed.
    instance.trace.close().await?;
    instance.db.close().await;
    Ok(())
}
