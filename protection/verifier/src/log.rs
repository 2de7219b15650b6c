//! Reads `checkpoints.log` record by record.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::VerifyError;
use crate::finding::Problem;
use crate::inputs::open_regular;
use crate::note::{Checkpoint, Key, MAX_NOTE};
use crate::segments::{BUFFER, Record, read_record};

/// One record of the log.
pub(crate) struct Entry {
    pub number: u64,
    pub note: Vec<u8>,
    /// A record cut short may be one that is being written.
    pub opened: Result<Checkpoint, Problem>,
}

/// The log with one record of look-ahead.
pub(crate) struct Log<'a> {
    path: PathBuf,
    key: &'a Key,
    file: Option<Box<dyn Read>>,
    offset: u64,
    number: u64,
    pub next: Option<Entry>,
}

impl<'a> Log<'a> {
    /// Opens the log; `None` when it is missing.
    pub fn open(path: &Path, key: &'a Key) -> Result<Option<Self>, VerifyError> {
        let file = match open_regular(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(VerifyError::read(path)(error)),
        };
        let file: Box<dyn Read> = Box::new(BufReader::with_capacity(BUFFER, file));
        let mut log = Self {
            path: path.to_path_buf(),
            key,
            file: Some(file),
            offset: 0,
            number: 0,
            next: None,
        };
        log.advance()?;
        Ok(Some(log))
    }

    /// Moves on and returns the record that was next.
    pub fn advance(&mut self) -> Result<Option<Entry>, VerifyError> {
        let mut note = Vec::new();
        let record = match &mut self.file {
            Some(file) => {
                read_record(file, MAX_NOTE, &mut note).map_err(VerifyError::read(&self.path))?
            }
            None => Record::End,
        };
        let opened = match record {
            Record::End => None,
            Record::Whole(_) => Some(Checkpoint::open(&note, self.key).map_err(Problem::Note)),
            Record::Cut(_) => Some(Err(Problem::RecordCut(self.offset))),
            Record::Length(stated) => Some(Err(Problem::RecordLength(self.offset, stated))),
        };
        if !matches!(record, Record::Whole(_)) {
            self.file = None; // no way to find the next record
        }
        self.offset += 4 + note.len() as u64;
        let number = self.number;
        self.number += 1;
        Ok(std::mem::replace(
            &mut self.next,
            opened.map(|opened| Entry {
                number,
                note,
                opened,
            }),
        ))
    }
}
