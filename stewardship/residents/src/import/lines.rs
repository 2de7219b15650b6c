//! Rows of a CSV file in bounded memory, one row for each line.
//!
//! A line break always ends the row, within a quotation too: the rows after a quotation that never
//! closes are read as they stand, and the number of a row is the number of its line. The bytes
//! `"`, `,` and line feed are never a part of another character in CP932 or UTF-8.

use std::io::{self, Read};

/// Bytes of one field that are kept; one more says that it was longer.
pub(super) const FIELD_LIMIT: usize = 4 << 10;
/// Fields of one row that are kept; further ones are counted.
pub(super) const FIELDS_LIMIT: usize = 500;

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    Plain,
    Quoted,
    Closing,
    Closed,
}

/// Reads rows one after the other, each in the place of the one before.
pub(super) struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    line: Line,
}

/// What is known of the row at hand, beside its fields.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Line {
    /// Line of the file, from 1.
    pub number: u64,
    /// Fields in the row, kept or not.
    pub fields: usize,
    /// Quotation marks that do not fit together.
    pub malformed: bool,
    /// The last line, without a line break at its end.
    pub unended: bool,
    /// Nothing in it, or the end mark of old systems (0x1A).
    pub blank: bool,
}

impl<R: Read> Lines<R> {
    pub fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; 1 << 16],
            at: 0,
            end: 0,
            bytes: vec![],
            ends: vec![],
            line: Line::default(),
        }
    }

    /// The bytes of a field; empty past the end. [`FIELD_LIMIT`] + 1 bytes: it was longer.
    pub fn field(&self, index: usize) -> &[u8] {
        let Some(end) = self.ends.get(index) else {
            return &[];
        };
        let start = index.checked_sub(1).map_or(0, |i| self.ends[i]);
        &self.bytes[start..*end]
    }

    /// Reads on to the next row that is not blank; none at the end of the file.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            match self.step()? {
                Some(line) if line.blank => {}
                other => return Ok(other),
            }
        }
    }

    fn push(&mut self, byte: u8) {
        let start = self.ends.last().copied().unwrap_or(0);
        if self.line.fields < FIELDS_LIMIT && self.bytes.len() - start <= FIELD_LIMIT {
            self.bytes.push(byte);
        }
    }

    fn end_field(&mut self) {
        if self.line.fields < FIELDS_LIMIT {
            self.ends.push(self.bytes.len());
        }
        self.line.fields += 1;
    }

    fn step(&mut self) -> io::Result<Option<Line>> {
        self.bytes.clear();
        self.ends.clear();
        self.line = Line {
            number: self.line.number + 1,
            ..Line::default()
        };
        let (mut state, mut quoted, mut any) = (State::Start, false, false);
        loop {
            if self.at == self.end {
                self.at = 0;
                self.end = self.source.read(&mut self.buffer)?;
                if self.end == 0 {
                    if !any {
                        return Ok(None);
                    }
                    self.line.unended = true;
                    break;
                }
            }
            let byte = self.buffer[self.at];
            self.at += 1;
            any = true;
            state = match (state, byte) {
                (_, b'\n') => break,
                (State::Start, b'"') => {
                    quoted = true;
                    State::Quoted
                }
                (State::Start | State::Plain | State::Closing | State::Closed, b',') => {
                    self.end_field();
                    State::Start
                }
                (State::Quoted, b'"') => State::Closing,
                (State::Quoted, other) => {
                    self.push(other);
                    State::Quoted
                }
                (State::Closing, b'"') => {
                    self.push(b'"');
                    State::Quoted
                }
                (State::Closing, b'\r') => State::Closed,
                (State::Start | State::Plain, other) => {
                    self.line.malformed |= other == b'"';
                    self.push(other);
                    State::Plain
                }
                (State::Closing | State::Closed, other) => {
                    self.line.malformed = true;
                    self.push(other);
                    State::Plain
                }
            };
        }
        self.line.malformed |= state == State::Quoted && !self.line.unended;
        if state == State::Plain && self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        self.line.blank =
            self.line.fields == 0 && !quoted && matches!(self.bytes.as_slice(), [] | [0x1a]);
        self.end_field();
        Ok(Some(self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(bytes: &[u8]) -> Vec<(u64, Vec<String>, bool, bool)> {
        let (mut lines, mut out) = (Lines::new(bytes), vec![]);
        while let Some(line) = lines.next().unwrap() {
            let fields = (0..line.fields)
                .map(|i| String::from_utf8_lossy(lines.field(i)).into_owned())
                .collect();
            out.push((line.number, fields, line.malformed, line.unended));
        }
        out
    }

    #[test]
    fn quotations_line_ends_and_blank_lines() {
        let read = rows(b"a,\"b \"\"c\"\"\",\r\n\r\n\"\",x\n\x1a\n1,2");
        let texts = |t: &[&str]| t.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            read,
            [
                (1, texts(&["a", "b \"c\"", ""]), false, false),
                (3, texts(&["", "x"]), false, false),
                (5, texts(&["1", "2"]), false, true),
            ]
        );
        assert_eq!(rows(b""), []);
    }

    #[test]
    fn a_broken_quotation_spoils_its_own_lines_only() {
        let read = rows(b"\"a,\"1\"\r\nb\"c,2\r\n\"x\r\ny\",3\r\ngood,4\r\n\"cut");
        let seen: Vec<_> = read.iter().map(|r| (r.0, r.2, r.3)).collect();
        assert_eq!(
            seen,
            [
                (1, true, false),
                (2, true, false),
                (3, true, false),
                (4, true, false),
                (5, false, false),
                (6, false, true)
            ]
        );
        assert_eq!(read[4].1, ["good", "4"]);
    }

    #[test]
    fn what_is_too_long_or_too_wide_is_counted_and_not_held() {
        let mut long = b"1,".to_vec();
        long.extend(vec![b'x'; 5 << 20]);
        long.extend(b",2\r\n");
        let mut lines = Lines::new(long.as_slice());
        assert_eq!(lines.next().unwrap().unwrap().fields, 3);
        assert_eq!(lines.field(1).len(), FIELD_LIMIT + 1);
        assert_eq!((lines.field(0), lines.field(2)), (&b"1"[..], &b"2"[..]));
        assert!(lines.bytes.capacity() < 64 << 10);
        let wide = vec![b','; 1 << 20];
        let mut lines = Lines::new(wide.as_slice());
        assert_eq!(lines.next().unwrap().unwrap().fields, (1 << 20) + 1);
        assert!(lines.ends.len() <= FIELDS_LIMIT && lines.bytes.is_empty());
    }
}
