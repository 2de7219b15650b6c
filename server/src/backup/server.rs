//! Filling a PostgreSQL database with what a generation holds.

use std::path::{Path, PathBuf};

use mimamori_backup::Manifest;
use mimamori_storage::{Db, Location, Migration, fill, migrate};

use super::TABLES;
use crate::config::Config;
use crate::error::StartError;
use crate::instance::migrations;

/// The tables of the restored folder `to`: name and file.
fn tables(to: &Path, manifest: &Manifest) -> Vec<(String, PathBuf)> {
    let files = manifest.files.iter();
    let table = |name: &str| {
        let name = name.strip_prefix(TABLES)?.strip_prefix('/')?;
        name.strip_suffix(".copy").map(str::to_owned)
    };
    files
        .filter_map(|f| Some((table(&f.name)?, to.join(&f.name))))
        .collect()
}

/// The steps of the schema that the generation was made with: the first column of the storage's own list.
fn steps(list: &Path) -> Result<Vec<Migration>, StartError> {
    let text = std::fs::read_to_string(list).map_err(StartError::file(list))?;
    let ids = text.lines().skip(1).filter_map(|l| l.split('\t').next());
    let known = migrations();
    let mut wanted = Vec::new();
    for id in ids {
        let step = known.iter().find(|m| m.id == id);
        wanted.push(
            step.ok_or_else(|| {
                StartError::Pending(format!("このプログラムより新しい版の控えです（{id}）"))
            })?
            .id,
        );
    }
    Ok(known
        .into_iter()
        .filter(|m| wanted.contains(&m.id))
        .collect())
}

/// Makes the schema in the database that the file names, fills it from the restored folder `to`, and writes its place
/// into the folder's configuration. Nothing to do for a generation of the embedded database. `schema`: another one than
/// the configuration's.
pub(super) async fn filled(
    to: &Path,
    manifest: &Manifest,
    url_file: Option<&Path>,
    schema: Option<&str>,
) -> Result<(), StartError> {
    let tables = tables(to, manifest);
    let list = tables.iter().find(|(name, _)| name == "storage_migration");
    let Some((_, list)) = list else {
        return match url_file {
            None => Ok(()),
            Some(_) => Err(StartError::State(
                "この世代は組み込みのデータベースの控えです。--postgres-url-file は要りません。"
                    .into(),
            )),
        };
    };
    let Some(url_file) = url_file else {
        return Err(StartError::State(
            "この世代は PostgreSQL の控えです。空のデータベースの接続文字列のファイルを --postgres-url-file で指定してください。".into(),
        ));
    };
    let mut config = Config::load(to)?;
    let place = std::path::absolute(url_file).map_err(StartError::file(url_file))?;
    config.postgres_url_file = Some(place);
    config.postgres_schema = schema.map(str::to_owned).or(config.postgres_schema);
    let location = config.location(to)?;
    let steps = steps(list)?;
    let db = crate::instance::database(to, &config).await?;
    let empty = db.tables().await?.is_empty();
    if empty {
        migrate(&db, &steps).await?;
    }
    db.close().await;
    if !empty {
        return Err(StartError::State(
            "データベースが空ではありません。新しいデータベースを作り、その接続文字列のファイルを指定してください。".into(),
        ));
    }
    let rest: Vec<_> = tables
        .into_iter()
        .filter(|(name, _)| name != "storage_migration")
        .collect();
    fill(&location, &rest).await?;
    let dir = to.join(TABLES);
    std::fs::remove_dir_all(&dir).map_err(StartError::file(dir))?;
    let file = to.join("mimamori.toml");
    std::fs::remove_file(&file).map_err(StartError::file(file))?;
    config.save(to)
}

/// Removes a schema that was made for a drill. Nothing on the embedded database.
pub(super) async fn dropped(location: &Location) -> Result<(), StartError> {
    let Location::Server { schema, .. } = location else {
        return Ok(());
    };
    let db = Db::open(location.clone(), 1).await?;
    let mut writer = db.writer().await?;
    let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
    writer.run(&sql).await?;
    writer.close().await?;
    db.close().await;
    Ok(())
}
