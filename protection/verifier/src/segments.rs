//! Reads and hashes the leaves, on a thread of its own.

use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;
use std::sync::mpsc::SyncSender;

use crate::VerifyError;
use crate::finding::{Findings, Place, Problem};
use crate::format::{Hash, MAX_LEAF};
use crate::inputs::open_regular;
use crate::tree::leaf_hash;

/// Bytes read at a time.
pub(crate) const BUFFER: usize = 1 << 20;

/// Leaves in order, with their hashes.
#[derive(Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    leaves: Vec<(usize, Hash)>,
}

impl Batch {
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Hash)> {
        let mut start = 0;
        self.leaves.iter().map(move |(end, hash)| {
            let bytes = &self.bytes[start..*end];
            start = *end;
            (bytes, *hash)
        })
    }
}

/// What was wrong with the files, and the bytes of an unfinished last record.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    pub bytes: u64,
    pub findings: Findings,
}

/// One record `u32 length || bytes`.
pub(crate) enum Record {
    Whole(usize),
    End,
    /// So many bytes of an unfinished record.
    Cut(u64),
    Length(u32),
}

/// Reads one record to the end of `bytes`.
pub(crate) fn read_record(
    file: &mut impl Read,
    limit: usize,
    bytes: &mut Vec<u8>,
) -> std::io::Result<Record> {
    let mut prefix = [0; 4];
    match read_full(file, &mut prefix)? {
        0 => return Ok(Record::End),
        4 => {}
        got => return Ok(Record::Cut(got as u64)),
    }
    let stated = u32::from_be_bytes(prefix);
    let length = stated as usize;
    if length == 0 || length > limit {
        return Ok(Record::Length(stated));
    }
    let start = bytes.len();
    bytes.resize(start + length, 0);
    match read_full(file, &mut bytes[start..])? {
        got if got == length => Ok(Record::Whole(length)),
        got => {
            bytes.truncate(start);
            Ok(Record::Cut(4 + got as u64))
        }
    }
}

fn read_full(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

struct Source<'a> {
    size: u64,
    per_segment: u64,
    send: &'a SyncSender<Batch>,
    batch: Batch,
    rest: Rest,
    read: u64,
    stopped: bool,
}

/// Sends all leaves of the folder; the first `size` of them must stand.
pub(crate) fn read(
    folder: &Path,
    size: u64,
    per_segment: u64,
    send: &SyncSender<Batch>,
) -> Result<Rest, VerifyError> {
    let (batch, rest) = (Batch::default(), Rest::default());
    let mut source = Source {
        size,
        per_segment: per_segment.max(1),
        send,
        batch,
        rest,
        read: 0,
        stopped: false,
    };
    // listed before reading, as a writer at work may add a segment meanwhile
    let listed = list(folder, &mut source.rest.findings)?;
    let mut segments: u64 = 0;
    loop {
        let name = format!("{segments:04}.seg");
        let path = folder.join(&name);
        let mut file = match open_regular(&path) {
            Ok(file) => BufReader::with_capacity(BUFFER, file),
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(VerifyError::read(&path)(error)),
        };
        segments += 1;
        match source.segment(&mut file, &name) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(VerifyError::read(&path)(error)),
        }
    }
    source.flush();
    if source.read < size && !source.stopped {
        source.rest.findings.add(
            Place::File("leaves".into()),
            Problem::TooFew(source.read, size),
        );
    }
    if let Some(extra) = listed.filter(|n| *n >= segments) {
        source.rest.findings.add(
            Place::File(format!("leaves/{extra:04}.seg")),
            Problem::SegmentExtra,
        );
    }
    Ok(source.rest)
}

/// The highest segment number in the folder; names no segment can have are findings.
fn list(folder: &Path, findings: &mut Findings) -> Result<Option<u64>, VerifyError> {
    let mut highest = None;
    for entry in folder.read_dir().map_err(VerifyError::read(folder))? {
        let name = entry.map_err(VerifyError::read(folder))?.file_name();
        let name = name.to_string_lossy();
        let Some(stem) = name.strip_suffix(".seg") else {
            continue;
        };
        match stem
            .parse()
            .ok()
            .filter(|n: &u64| format!("{n:04}") == stem)
        {
            Some(number) => highest = highest.max(Some(number)),
            None => findings.add(
                Place::File(format!("leaves/{}", name.escape_debug())),
                Problem::SegmentExtra,
            ),
        }
    }
    Ok(highest)
}

impl Source<'_> {
    /// Reads one segment; whether another may follow.
    fn segment(&mut self, file: &mut impl Read, name: &str) -> std::io::Result<bool> {
        let mut offset = 0;
        let place = || Place::File(format!("leaves/{name}"));
        for leaves in 0..=self.per_segment {
            let signed = self.read < self.size;
            let length = match read_record(file, MAX_LEAF, &mut self.batch.bytes)? {
                Record::End if leaves == self.per_segment => return Ok(true),
                Record::End => return Ok(false),
                _ if leaves == self.per_segment => {
                    self.batch
                        .bytes
                        .truncate(self.batch.leaves.last().map_or(0, |(end, _)| *end));
                    self.rest
                        .findings
                        .add(place(), Problem::SegmentLong(leaves));
                    return Ok(false);
                }
                Record::Whole(length) => length,
                Record::Cut(got) if signed => {
                    self.rest.bytes = got;
                    self.rest.findings.add(place(), Problem::RecordCut(offset));
                    return Ok(false);
                }
                Record::Cut(got) => {
                    self.rest.bytes = got;
                    return Ok(false);
                }
                Record::Length(stated) => {
                    self.rest
                        .findings
                        .add(place(), Problem::RecordLength(offset, stated));
                    return Ok(false);
                }
            };
            offset += 4 + length as u64;
            self.read += 1;
            let end = self.batch.bytes.len();
            self.batch
                .leaves
                .push((end, leaf_hash(&self.batch.bytes[end - length..])));
            if end >= BUFFER && !self.flush() {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Hands the batch over; whether anybody still listens.
    fn flush(&mut self) -> bool {
        let batch = std::mem::take(&mut self.batch);
        self.batch.bytes.reserve(BUFFER + MAX_LEAF);
        self.stopped = self.send.send(batch).is_err();
        !self.stopped
    }
}
