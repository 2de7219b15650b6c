use crate::sql::types;
use crate::{Db, StorageError, Writer};

/// One step of the schema. `id` is `<room>-NNNN`; `ddl` uses the type tokens of this crate.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Unique name; order of application is the order of the list.
    pub id: &'static str,
    /// DDL with `{int}`, `{text}`, `{blob}`, `{clustered}`.
    pub ddl: &'static str,
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS storage_migration (id {text} NOT NULL PRIMARY KEY, ddl {text} NOT NULL)";

async fn applied(writer: &mut Writer) -> Result<Vec<(String, String)>, StorageError> {
    writer
        .fetch("SELECT id, ddl FROM storage_migration", vec![])
        .await?
        .iter()
        .map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())))
        .collect()
}

fn judge(
    applied: &[(String, String)],
    known: &[Migration],
) -> Result<Vec<Migration>, StorageError> {
    for (id, ddl) in applied {
        match known.iter().find(|m| m.id == id) {
            None => return Err(StorageError::Newer { id: id.clone() }),
            Some(m) if m.ddl != ddl => return Err(StorageError::Changed { id: id.clone() }),
            Some(_) => {}
        }
    }
    Ok(known
        .iter()
        .filter(|m| !applied.iter().any(|(id, _)| id == m.id))
        .copied()
        .collect())
}

/// The steps that have not run yet; refuses a schema newer than this program.
pub async fn pending(db: &Db, known: &[Migration]) -> Result<Vec<&'static str>, StorageError> {
    let mut writer = db.writer().await?;
    writer.run(&types(db.engine(), TABLE)).await?;
    let open = judge(&applied(&mut writer).await?, known)?;
    writer.close().await?;
    Ok(open.iter().map(|m| m.id).collect())
}

/// Applies what is missing, each step in a transaction of its own. Steps applied now.
pub async fn migrate(db: &Db, known: &[Migration]) -> Result<usize, StorageError> {
    let mut writer = db.writer().await?;
    writer.run(&types(db.engine(), TABLE)).await?;
    let open = judge(&applied(&mut writer).await?, known)?;
    for step in &open {
        writer.begin().await?;
        let done = async {
            writer.run(&types(db.engine(), step.ddl)).await?;
            writer
                .execute(
                    "INSERT INTO storage_migration (id, ddl) VALUES (?, ?)",
                    vec![step.id.into(), step.ddl.into()],
                )
                .await
        }
        .await;
        match done {
            Ok(_) => writer.commit().await?,
            Err(error) => {
                writer.rollback().await?;
                return Err(error);
            }
        }
    }
    writer.close().await?;
    Ok(open.len())
}
