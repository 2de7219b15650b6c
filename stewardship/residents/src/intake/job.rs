//! An import at work behind the pages, and what a stop of the program left.

use mimamori_gate::{GateError, JobPermit};
use mimamori_identity::Visitor;
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::ImportId;

use super::store::{self, Import, Stand, Totals};
use super::{Intake, file};
use crate::import::{self, ImportError, Limits, Order, Progress, Sheet};
use crate::{Residents, action};

/// The order that an import's settings make.
pub(super) fn order(intake: &Intake, import: &Import) -> Order {
    let folder = intake.folder(import.id);
    let sheets = [Sheet::Residents, Sheet::Households];
    let told = sheets.into_iter().zip(import.settings.expected);
    Order {
        residents: file(&folder, Sheet::Residents),
        households: import
            .has(Sheet::Households)
            .then(|| file(&folder, Sheet::Households)),
        encodings: sheets.map(|s| (s, import.settings.encoding(s))).into(),
        layout: import.settings.layout.clone(),
        accept: import.settings.accept(),
        sample_only: intake.0.sample_only,
        expected: told.filter_map(|(s, n)| Some((s, n?))).collect(),
        allow_fewer: false,
        limits: Limits::default(),
    }
}

/// Begins an import; its beginning is a line. None: another one runs.
pub(super) async fn start(
    room: &Residents,
    intake: &Intake,
    visitor: &Visitor,
    import: &Import,
) -> Result<Option<()>, GateError> {
    let permit = room.gate.job(action::IMPORT, Some(visitor)).await?;
    let Some(progress) = intake.begin(import.id) else {
        return Ok(None);
    };
    let sums: Vec<&str> = import.files.iter().map(|f| f.sha256.as_str()).collect();
    let text = format!("住民データの取込みを始めます: SHA-256 {}", sums.join(" "));
    let running = store::step(
        import.id,
        import.stand,
        Stand::Running,
        &Totals::default(),
        0,
    );
    if let Err(error) = permit.change(&text, vec![running], false).await {
        intake.end(import.id);
        return Err(error);
    }
    let (room, intake, import) = (room.clone(), intake.clone(), import.clone());
    tokio::spawn(async move {
        let place = Place(intake, import.id);
        work(&room, &place.0, &permit, &import, &progress).await;
    });
    Ok(Some(()))
}

/// The place of the import that runs; given back whatever happens.
struct Place(Intake, ImportId);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}

async fn work(
    room: &Residents,
    intake: &Intake,
    permit: &JobPermit,
    import: &Import,
    progress: &Progress,
) {
    let order = order(intake, import);
    let result = import::run(permit, &*room.random, &order, progress).await;
    let mut kept = told(intake, permit, import.id, &result).await;
    if kept.is_err() {
        // Who ordered it may have lost the right meanwhile; the end is kept all the same.
        kept = match room.gate.job(action::IMPORT, None).await {
            Ok(system) => told(intake, &system, import.id, &result).await,
            Err(error) => Err(error),
        };
    }
    if let Err(error) = kept {
        // The import stays "running" until the next start, which says that it was stopped.
        tracing::error!(code = error.code(), error = ?error, "an import's end could not be kept");
    }
}

/// Keeps how it ended, with a line.
async fn told(
    intake: &Intake,
    permit: &JobPermit,
    id: ImportId,
    result: &Result<import::Outcome, ImportError>,
) -> Result<(), GateError> {
    let (stand, totals, line) = match result {
        Ok(outcome) => {
            store::keep_findings(permit, id, &outcome.findings).await?;
            (Stand::Done, Totals::of(outcome), outcome.line)
        }
        Err(ImportError::Refused(findings)) => {
            store::keep_findings(permit, id, findings).await?;
            (Stand::Refused, Totals::findings(findings), 0)
        }
        Err(error) => {
            tracing::error!(code = error.code(), error = ?error, "an import failed");
            store::keep_findings(permit, id, &[]).await?;
            let told = format!("{error} {} [{}]", error.advice(), error.code());
            (
                Stand::Failed,
                Totals {
                    told,
                    ..Totals::default()
                },
                0,
            )
        }
    };
    let text = format!(
        "住民データの取込みの結果: {}（誤り{}件、注意{}件、据置き{}人）",
        stand.japanese(),
        totals.errors,
        totals.warnings,
        totals.kept
    );
    let done = store::step(id, Stand::Running, stand, &totals, line);
    // Before the page says that it ended: then the next one may begin.
    intake.end(id);
    permit.change(&text, vec![done], false).await?;
    if stand == Stand::Done {
        remove(intake, id).await;
    }
    Ok(())
}

/// Removes the files of an import.
pub(super) async fn remove(intake: &Intake, id: ImportId) {
    if let Err(error) = tokio::fs::remove_dir_all(intake.folder(id)).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::error!(error = ?error, "an import's files could not be removed");
    }
}

/// At the start of the program: what ran when it stopped is marked, with a line, and can be begun
/// again: with the same file and settings it goes on after its last chunk.
///
/// # Errors
/// [`GateError`].
pub(crate) async fn wake(room: &Residents) -> Result<(), GateError> {
    let permit = room.gate.job(action::IMPORT, None).await?;
    for id in store::left_running(&permit).await? {
        let stopped = store::step(id, Stand::Running, Stand::Stopped, &Totals::default(), 0);
        let text = "住民データの取込みが、プログラムの終了で途中で止まっていました";
        permit.change(text, vec![stopped], false).await?;
    }
    Ok(())
}
