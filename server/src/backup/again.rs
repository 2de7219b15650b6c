//! After a restore: what was revoked and erased since the generation is done again before anybody is served.

use std::path::Path;

use mimamori_backup::replace;
use mimamori_encryption::Keys;
use mimamori_storage::{Db, Location, Synchronous};
use mimamori_trace::ERASED_NUMBER;

use super::NUMBERS;
use super::journal::Journal;
use crate::error::StartError;
use crate::init::{system_act, system_line};
use crate::instance::Instance;

/// The journal that has to be done again; written by `restore`, gone when it is done.
pub(super) const AGAIN: &str = "RESTORE-JOURNAL";
/// Instead of it: the reason why there is none.
pub(super) const WITHOUT: &str = "RESTORE-WITHOUT-JOURNAL";
/// Stands until somebody says that he did by hand what the journal would have done.
const UNCHECKED: &str = "staging/restored-without-journal";

/// Why a generation is restored without a journal; the code stands in the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Without {
    /// 写しの場所も失われた
    Lost,
    /// 写しの場所を設定していなかった
    NotSet,
    /// 訓練や調査のため、仮の場所に戻す
    Exercise,
}

impl Without {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::NotSet => "not-set",
            Self::Exercise => "exercise",
        }
    }
}

/// Does again what a restored instance has to; to be called before it serves. Killed inside, it begins anew at the next
/// start. Nothing happens where nothing was restored.
///
/// # Errors
/// [`StartError`]: the instance must not be used then.
pub async fn again(instance: &Instance) -> Result<(), StartError> {
    let file = instance.dir.join(AGAIN);
    if file.exists() {
        let journal = Journal::load(&file, &instance.keys)?;
        erase_numbers(&instance.dir, &journal.erased(ERASED_NUMBER)).await?;
        let told = format!("journal at {} tree {}", journal.at, journal.size());
        let act = system_act(instance, "backup.again", told, journal.statements()?);
        instance.trace.record(act).await?;
        gone(&instance.dir, &file)?;
    }
    let file = instance.dir.join(WITHOUT);
    if file.exists() {
        let told = std::fs::read_to_string(&file).map_err(StartError::file(&file))?;
        let line = system_line(
            &instance.trace,
            "backup.without-journal",
            told.trim().to_owned(),
        );
        instance.trace.record(line).await?;
        let staging = instance.dir.join("staging");
        std::fs::create_dir_all(&staging).map_err(StartError::file(&staging))?;
        replace(&instance.dir.join(UNCHECKED), told.as_bytes())?;
        gone(&instance.dir, &file)?;
    }
    Ok(())
}

fn gone(dir: &Path, file: &Path) -> Result<(), StartError> {
    std::fs::remove_file(file)
        .and_then(|()| std::fs::File::open(dir)?.sync_all())
        .map_err(StartError::file(file))
}

/// Erases numbers from the restored numbers database, which nobody has opened yet.
async fn erase_numbers(dir: &Path, references: &[Vec<u8>]) -> Result<(), StartError> {
    let path = dir.join(NUMBERS);
    if references.is_empty() || !path.exists() {
        return Ok(());
    }
    let synchronous = Synchronous::Full;
    let db = Db::open(Location::File { path, synchronous }, 1).await?;
    let mut writer = db.writer().await?;
    // Erased rows are overwritten, not only unlinked, also in the log of the database.
    writer.run("PRAGMA secure_delete = ON").await?;
    writer.begin().await?;
    for reference in references {
        let sql = "DELETE FROM numbers_record WHERE reference = ?";
        writer.execute(sql, vec![reference.clone().into()]).await?;
    }
    writer.commit().await?;
    writer.run("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    writer.close().await?;
    db.close().await;
    Ok(())
}

/// Whether this instance was restored without a journal and nobody has said yet that it was made up for.
pub(super) fn unchecked(dir: &Path) -> bool {
    dir.join(UNCHECKED).exists() || dir.join(WITHOUT).exists()
}

/// Notes in the trace that revocations and erasures since the generation were done again by hand.
///
/// # Errors
/// [`StartError::State`] when there is nothing to answer.
pub async fn checked(instance: &Instance) -> Result<(), StartError> {
    let file = instance.dir.join(UNCHECKED);
    if !file.exists() {
        return Err(StartError::State(
            "失効の記録なしで戻したフォルダではありません。".into(),
        ));
    }
    let told = std::fs::read_to_string(&file).map_err(StartError::file(&file))?;
    let line = system_line(&instance.trace, "backup.checked", told.trim().to_owned());
    instance.trace.record(line).await?;
    gone(&instance.dir.join("staging"), &file)
}

/// What a restore leaves for the first start: the journal, or the reason why there is none.
pub(super) fn leave(
    to: &Path,
    left: Result<(&Journal, &Keys), Without>,
    number: u64,
) -> Result<(), StartError> {
    match left {
        Ok((journal, keys)) => replace(&to.join(AGAIN), journal.note(keys)?.as_bytes())?,
        Err(why) => {
            let text = format!("generation {number} reason {}\n", why.code());
            replace(&to.join(WITHOUT), text.as_bytes())?;
        }
    }
    Ok(())
}
