//! The folder of the trace: segments of leaves, the newest checkpoint, the log of all.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Leaves of one segment file.
pub(crate) const SEGMENT: u64 = 1 << 20;

/// The file that holds a leaf.
pub(crate) fn segment(dir: &Path, leaf: u64) -> PathBuf {
    dir.join("leaves")
        .join(format!("{:04}.seg", leaf / SEGMENT))
}

/// The whole notes of a checkpoint log, each with the place where it ends.
pub(crate) fn records(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0usize;
    std::iter::from_fn(move || {
        let length = bytes.get(at..at + 4)?;
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let note = bytes.get(at + 4..at + 4 + length)?;
        at += 4 + length;
        Some((at, note))
    })
}

/// Cuts an unfinished last record of the checkpoint log, and lets the newest note be the log's last.
pub(super) fn repair_log(dir: &Path) -> std::io::Result<()> {
    let path = dir.join("checkpoints.log");
    let Ok(bytes) = std::fs::read(&path) else {
        return Ok(());
    };
    let last = records(&bytes).last();
    let end = last.map_or(0, |(end, _)| end);
    if end < bytes.len() {
        OpenOptions::new()
            .write(true)
            .open(&path)?
            .set_len(end as u64)?;
    }
    if let Some((_, note)) = last {
        replace(dir, "checkpoint", note)?;
    }
    Ok(())
}

/// Gives a small file its content at once; a full disk or a power cut leaves the old one whole.
pub(super) fn replace(dir: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let path = dir.join(name);
    if std::fs::read(&path).is_ok_and(|kept| kept == bytes) {
        return Ok(());
    }
    let new = dir.join(format!("{name}.new"));
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    std::fs::rename(new, path)?;
    sync_folder(dir)
}

/// Makes new names in a folder durable.
fn sync_folder(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The bytes of one leaf.
pub(crate) fn read_leaf(path: &Path, place: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(place))?;
    let mut head = [0u8; 4];
    file.read_exact(&mut head)?;
    let mut leaf = vec![0u8; (u32::from_be_bytes(head) as usize).min(4096)];
    file.read_exact(&mut leaf)?;
    Ok(leaf)
}

/// Writes leaves at their places, durably.
pub(super) fn append(files: &[(PathBuf, u64, Vec<u8>)]) -> std::io::Result<()> {
    for (path, place, bytes) in files {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.seek(SeekFrom::Start(*place))?;
        file.write_all(bytes)?;
        file.set_len(place + bytes.len() as u64)?;
        file.sync_data()?;
        if let Some(folder) = path.parent().filter(|_| *place == 0) {
            sync_folder(folder)?;
        }
    }
    Ok(())
}

/// Adds a note to the log and makes it the newest checkpoint.
pub(super) fn publish(dir: &Path, note: &str) -> std::io::Result<()> {
    let mut log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("checkpoints.log"))?;
    let mut record = u32::try_from(note.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes()
        .to_vec();
    record.extend_from_slice(note.as_bytes());
    log.write_all(&record)?;
    log.sync_data()?;
    replace(dir, "checkpoint", note.as_bytes())
}
