//! Making a generation.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::blocks::{BLOCK, Blocks, Hash, Known, digest, hashes, read_block};
use crate::catalog::{Generation, PART, Repository, hex, named, replace};
use crate::format::{Content, END, Facts, MAGIC, Manifest, write_part};
use crate::pieces::{self, cut};
use crate::{BackupError, Recipients};

/// A file whose first `bytes` belong to the state and do not change while the generation is made.
#[derive(Debug, Clone)]
pub struct Source {
    /// Path inside the data directory, with `/`.
    pub name: String,
    /// Where it can be read.
    pub path: PathBuf,
    /// How much of it belongs to the state.
    pub bytes: u64,
    /// Lines that are inserted and removed anywhere, as of a table: kept in pieces of whole lines, cut where the lines
    /// themselves say so. Otherwise it is kept in blocks of 4 KiB, as of a database file that keeps the numbers of its pages.
    pub pieces: bool,
}

/// What a generation is made of.
pub struct Order<'a> {
    /// The files of the state.
    pub sources: &'a [Source],
    /// For the comparison after a restore.
    pub facts: Facts,
    /// To whom it is sealed.
    pub recipients: &'a Recipients,
    /// The signer of the instance: text to signed note. Must give the same note for the same text.
    pub sign: &'a dyn Fn(&str) -> String,
    /// Where the blocks of the last generation are remembered.
    pub known: &'a Path,
    /// Now, microseconds since 1970 UTC.
    pub at: i64,
    /// Begin a new chain: all blocks, although little changed.
    pub full: bool,
}

/// Counts and hashes what passes through.
struct Summed<W> {
    out: W,
    sum: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.sum.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl Repository {
    /// Makes the next generation; durable when this returns. Blocks the thread.
    ///
    /// # Errors
    /// [`BackupError::Busy`] while another one is made, [`BackupError::File`]. The earlier generations stay as they were.
    pub fn create(&self, order: &Order<'_>) -> Result<Generation, BackupError> {
        std::fs::create_dir_all(self.dir()).map_err(BackupError::file(self.dir()))?;
        let _lock = self.lock()?;
        self.settle()?;
        let mut all = self.generations()?;
        let last = all.last();
        // Never the number of a file that is there, although the list does not know it: somebody may need it.
        let number = self.highest()?.max(last.map_or(0, |g| g.number)) + 1;
        let known = Known::load(order.known)
            .filter(|k| !order.full && last.is_some_and(|g| g.number == k.number));
        let base = known.as_ref().map(|k| k.number);
        let known = known.unwrap_or_default();
        let mut next = Known {
            number,
            files: vec![],
        };
        let mut files = Vec::with_capacity(order.sources.len());
        for source in order.sources {
            let found =
                hashes(&source.path, source.bytes).map_err(BackupError::file(&source.path))?;
            files.push(Content {
                name: source.name.clone(),
                bytes: source.bytes,
                digest: hex(&digest(&found)),
                pieces: source.pieces,
            });
            let known = match source.pieces {
                true => cut(&source.path, source.bytes).map_err(BackupError::file(&source.path))?,
                false => Blocks {
                    hashes: found,
                    lengths: vec![],
                },
            };
            next.files.push((source.name.clone(), known));
        }
        let manifest = Manifest {
            number,
            base,
            at: order.at,
            facts: order.facts.clone(),
            files,
        };
        let name = Generation::file_name(number, base.is_none());
        let path = self.dir().join(&name);
        let part = self.dir().join(PART);
        let (bytes, sum) = self
            .write(&part, order, &manifest, &known, &next)
            .map_err(BackupError::file(&part))?;
        let made = Generation {
            number,
            base,
            file: name,
            at: order.at,
            bytes,
            sha256: sum,
            facts: order.facts.clone(),
        };
        all.push(made.clone());
        // From here on it counts: whoever is killed before the next line, the next one gives the file its name.
        self.write_catalog(&all)?;
        named(&part, &path)?;
        replace(order.known, &next.bytes())?;
        Ok(made)
    }

    fn write(
        &self,
        part: &Path,
        order: &Order<'_>,
        manifest: &Manifest,
        known: &Known,
        next: &Known,
    ) -> std::io::Result<(u64, String)> {
        let file = File::create(part)?;
        let out = Summed {
            out: BufWriter::with_capacity(1 << 20, file),
            sum: Sha256::new(),
            bytes: 0,
        };
        let recipients = order.recipients.0.iter().map(|r| r as &dyn age::Recipient);
        let sealed = age::Encryptor::with_recipients(recipients).map_err(std::io::Error::other)?;
        let mut sealed = sealed.wrap_output(out)?;
        let json = serde_json::to_vec(manifest)?;
        sealed.write_all(MAGIC)?;
        write_part(&mut sealed, &json)?;
        write_part(
            &mut sealed,
            (order.sign)(&Manifest::statement(&json)).as_bytes(),
        )?;
        for (source, (_, found)) in order.sources.iter().zip(&next.files) {
            let before = known.of(&source.name);
            match source.pieces {
                true => pieces::write(&mut sealed, &source.path, before, found)?,
                false => write_blocks(&mut sealed, source, &before.hashes, &found.hashes)?,
            }
            sealed.write_all(&END.to_be_bytes())?;
        }
        let out = sealed.finish()?;
        let (bytes, sum) = (out.bytes, hex(&out.sum.finalize()));
        let file = out
            .out
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok((bytes, sum))
    }
}

/// The blocks of a file that are not as before.
fn write_blocks(
    out: &mut impl Write,
    source: &Source,
    before: &[Hash],
    found: &[Hash],
) -> std::io::Result<()> {
    let mut block = [0; BLOCK as usize];
    let mut file = File::open(&source.path)?;
    for (at, hash) in (0u64..).zip(found) {
        if usize::try_from(at).ok().and_then(|n| before.get(n)) == Some(hash) {
            continue;
        }
        out.write_all(&at.to_be_bytes())?;
        out.write_all(read_block(&mut file, at, source.bytes, &mut block)?)?;
    }
    Ok(())
}
