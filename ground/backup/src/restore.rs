//! Opening generations again.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::blocks::{BLOCK, digest, hashes};
use crate::catalog::{Generation, Repository, hex};
use crate::format::{Content, END, FIRST, MAGIC, Manifest, read_part, read_place};
use crate::pieces;
use crate::{BackupError, Identities};

/// Name of the file that stands in the folder until everything in it is compared.
pub const UNFINISHED: &str = "RESTORE-UNFINISHED";

impl Repository {
    /// Puts the state of generation `number` into the new folder `to` and compares every file with what was signed.
    /// While the file `RESTORE-UNFINISHED` stands in the folder it is not to be used; it stands there until [`finish`].
    /// Blocks the thread.
    ///
    /// `sign` is the signer that made the generation, as in [`crate::Order`].
    ///
    /// # Errors
    /// [`BackupError::Closed`] with the wrong key or changed bytes; [`BackupError::Wrong`] when a generation is another
    /// instance's, stands under another number, or does not build on the one before it; [`BackupError::NotEmpty`].
    pub fn restore(
        &self,
        number: u64,
        identities: &Identities,
        sign: &dyn Fn(&str) -> String,
        to: &Path,
    ) -> Result<Manifest, BackupError> {
        self.try_settle();
        let chain = self.chain(number)?;
        std::fs::create_dir_all(to).map_err(BackupError::file(to))?;
        let mut inside = std::fs::read_dir(to).map_err(BackupError::file(to))?;
        if inside.next().is_some() {
            return Err(BackupError::NotEmpty(to.to_owned()));
        }
        let unfinished = to.join(UNFINISHED);
        File::create(&unfinished).map_err(BackupError::file(&unfinished))?;
        let mut last: Option<Manifest> = None;
        for generation in &chain {
            last = Some(self.apply(generation, last.as_ref(), identities, sign, to)?);
        }
        let manifest = last.ok_or(BackupError::Unknown(number))?;
        for content in &manifest.files {
            let path = to.join(&content.name);
            let found = hashes(&path, content.bytes).map_err(BackupError::file(&path))?;
            if hex(&digest(&found)) != content.digest {
                let file = Generation::file_name(number, manifest.base.is_none());
                return Err(BackupError::wrong(&file, "戻した中身が署名と違います"));
            }
            let file = File::open(&path).map_err(BackupError::file(&path))?;
            file.sync_all().map_err(BackupError::file(&path))?;
        }
        Ok(manifest)
    }

    fn apply(
        &self,
        generation: &Generation,
        before: Option<&Manifest>,
        identities: &Identities,
        sign: &dyn Fn(&str) -> String,
        to: &Path,
    ) -> Result<Manifest, BackupError> {
        let name = generation.file.as_str();
        let closed = |_| BackupError::Closed {
            name: name.to_owned(),
        };
        let path = self.dir().join(name);
        let file = File::open(&path).map_err(BackupError::file(&path))?;
        let sealed = age::Decryptor::new_buffered(BufReader::with_capacity(1 << 20, file));
        let sealed = sealed.map_err(|_| BackupError::Closed {
            name: name.to_owned(),
        })?;
        let keys = identities.0.iter().map(|i| i as &dyn age::Identity);
        let opened = sealed.decrypt(keys).map_err(|_| BackupError::Closed {
            name: name.to_owned(),
        })?;
        let mut input = BufReader::with_capacity(1 << 20, opened);
        let mut magic = [0; MAGIC.len()];
        input.read_exact(&mut magic).map_err(closed)?;
        if magic != *MAGIC && magic != *FIRST {
            return Err(BackupError::wrong(name, "控えの形ではありません"));
        }
        let json = read_part(&mut input).map_err(closed)?;
        let note = read_part(&mut input).map_err(closed)?;
        if sign(&Manifest::statement(&json)).as_bytes() != note {
            return Err(BackupError::wrong(name, "この町の署名ではありません"));
        }
        let manifest: Manifest = serde_json::from_slice(&json)
            .map_err(|_| BackupError::wrong(name, "目録が読めません"))?;
        if manifest.number != generation.number {
            return Err(BackupError::wrong(name, "ほかの世代のファイルです"));
        }
        if manifest.base != before.map(|b| b.number) {
            return Err(BackupError::wrong(name, "前の世代とつながりません"));
        }
        if !manifest.names_are_plain() {
            return Err(BackupError::wrong(name, "ファイル名が正しくありません"));
        }
        for content in &manifest.files {
            let read = match content.pieces {
                true => {
                    let (path, beside) = (to.join(&content.name), to.join("restore-pieces"));
                    folder(&path)
                        .and_then(|()| pieces::read(&mut input, content.bytes, &path, &beside))
                }
                false => blocks(&mut input, content, to),
            };
            read.map_err(|source| match source.kind() {
                std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => {
                    closed(source)
                }
                _ => BackupError::File {
                    path: to.join(&content.name),
                    source,
                },
            })?;
        }
        let mut more = [0; 1];
        if input.read(&mut more).map_err(closed)? > 0 {
            return Err(BackupError::wrong(name, "目録にない続きがあります"));
        }
        let gone = before.iter().flat_map(|b| &b.files);
        for old in gone.filter(|o| manifest.files.iter().all(|f| f.name != o.name)) {
            let path = to.join(&old.name);
            std::fs::remove_file(&path).map_err(BackupError::file(&path))?;
        }
        Ok(manifest)
    }
}

/// Takes away the mark of a restore: whatever else belongs to the folder is in it.
///
/// # Errors
/// [`BackupError::File`].
pub fn finish(to: &Path) -> Result<(), BackupError> {
    let unfinished = to.join(UNFINISHED);
    let sync = || File::open(to)?.sync_all();
    sync().map_err(BackupError::file(to))?;
    std::fs::remove_file(&unfinished).map_err(BackupError::file(&unfinished))?;
    sync().map_err(BackupError::file(to))
}

fn folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)
}

/// Writes the blocks of one file at their places.
fn blocks(input: &mut impl Read, content: &Content, to: &Path) -> std::io::Result<()> {
    let path = to.join(&content.name);
    folder(&path)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    file.set_len(content.bytes)?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    let mut block = [0; BLOCK as usize];
    let (mut next, mut at) = (0, 0);
    loop {
        let place = read_place(input)?;
        if place == END {
            return file.flush();
        }
        let begin = place
            .checked_mul(BLOCK)
            .filter(|b| place >= at && *b < content.bytes);
        let Some(begin) = begin else {
            return Err(std::io::ErrorKind::InvalidData.into());
        };
        let size = (content.bytes - begin).min(BLOCK) as usize;
        input.read_exact(&mut block[..size])?;
        if begin != next {
            file.seek(SeekFrom::Start(begin))?;
        }
        file.write_all(&block[..size])?;
        next = begin + size as u64;
        at = place + 1;
    }
}
