//! Batch files: UTF-8 CSV with a fixed header, and beside each a trailer file with count and SHA-256. Assumed (想定).
//!
//! `out/request-00000001.csv` goes out; `in/answer-00000001.csv` and `in/list-00000001.csv` come in, each row of files
//! counted from 1 without a gap. The trailer (`.end`) is laid down last: a file without it is not there yet.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use mimamori_kernel::clock::Instant;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::config::FilesConfig;
use super::contract::is_fifteen;
use super::https::plain_code;
use super::port::{Call, CallLog, Held, Order, Told};
use super::{ActKind, LinkError};
use crate::Number;

/// Header of a request file.
const REQUEST: [&str; 5] = ["行番号", "処理区分", "処理番号", "宛名番号", "個人番号"];
/// Header of an answer file.
const ANSWER: [&str; 6] = [
    "行番号",
    "処理番号",
    "宛名番号",
    "団体内統合宛名番号",
    "結果",
    "理由",
];
/// Header of a list.
const LIST: [&str; 4] = ["行番号", "宛名番号", "団体内統合宛名番号", "個人番号"];
/// Longest file that is read: about two million rows.
const LIMIT: u64 = 128 << 20;

/// The folders.
pub(super) struct Files {
    base: PathBuf,
    pub every: u64,
    pub log: CallLog,
    /// Files before their turn that were told of already.
    early: Mutex<BTreeSet<String>>,
}

/// Which kind of file comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Answer,
    List,
}

impl Kind {
    /// Beginning of its name.
    pub fn code(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::List => "list",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Answer => "file-answer",
            Self::List => "file-list",
        }
    }
}

/// A file that is whole and whose turn it is.
pub(super) struct Incoming {
    pub name: String,
    pub sequence: i64,
    pub digest: String,
    /// When the other end made it; lists say so.
    pub as_of: Option<Instant>,
    /// Which request file it answers; answers say so.
    pub request: Option<i64>,
    pub body: Zeroizing<Vec<u8>>,
    pub count: usize,
}

/// One row of an answer file.
pub(super) struct Answered {
    pub key: String,
    /// What is answered, or the word of refusal.
    pub told: Result<Told, String>,
}

impl Files {
    /// Makes the folders, for their owner alone.
    pub fn new(config: &FilesConfig, base: &Path) -> Result<Self, LinkError> {
        let base = base.join(&config.folder);
        for folder in ["out", "in", "in/refused"] {
            let path = base.join(folder);
            let made = fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path);
            made.map_err(broken(&path))?;
        }
        Ok(Self {
            base,
            every: config.every_seconds,
            log: CallLog::default(),
            early: Mutex::default(),
        })
    }

    /// Writes a request file whole or not at all; the one with the same name is written over.
    pub fn write_request(
        &self,
        sequence: i64,
        orders: &[Order],
        now: Instant,
    ) -> Result<(), LinkError> {
        let mut body = Zeroizing::new(Vec::with_capacity(orders.len() * 96 + 128));
        let mut line = |fields: &[&[u8]]| {
            for (n, field) in fields.iter().enumerate() {
                if n > 0 {
                    body.push(b',');
                }
                body.extend_from_slice(field);
            }
            body.extend_from_slice(b"\r\n");
        };
        // No field holds a comma, a quote or a line end: header, digits and hexadecimal digits.
        line(&REQUEST.map(str::as_bytes));
        for (n, order) in orders.iter().enumerate() {
            let kind: &[u8] = match order.kind {
                ActKind::Link => b"1",
                ActKind::Correct => b"2",
                ActKind::Delete => b"3",
            };
            let number = order
                .number
                .as_ref()
                .map_or(&b""[..], |number| number.digits());
            line(&[
                (n + 1).to_string().as_bytes(),
                kind,
                order.key.as_bytes(),
                order.address.as_bytes(),
                number,
            ]);
        }
        let name = format!("request-{sequence:08}");
        let end = format!(
            "件数,SHA-256\r\n{},{}\r\n",
            orders.len(),
            hex::encode(Sha256::digest(&*body))
        );
        self.lay(&format!("{name}.csv"), &body)?;
        self.lay(&format!("{name}.end"), end.as_bytes())?;
        self.told(now, "file-out", "ok", body.len(), 0, orders.len());
        Ok(())
    }

    fn lay(&self, name: &str, body: &[u8]) -> Result<(), LinkError> {
        let folder = self.base.join("out");
        let (part, path) = (folder.join(format!("{name}.part")), folder.join(name));
        let write = || -> std::io::Result<()> {
            let mut options = fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&part)?;
            file.write_all(body)?;
            file.sync_all()?;
            fs::rename(&part, &path)?;
            fs::File::open(&folder)?.sync_all()
        };
        write().map_err(broken(&path))
    }

    fn told(
        &self,
        at: Instant,
        what: &'static str,
        code: &str,
        sent: usize,
        received: usize,
        records: usize,
    ) {
        self.log.push(Call {
            at,
            what,
            code: code.to_owned(),
            sent,
            received,
            records,
            micros: 0,
        });
    }

    /// Removes a request file that was answered.
    pub fn clear(&self, sequence: i64) {
        for end in ["end", "csv"] {
            // Usually the other end has taken it.
            let _ = fs::remove_file(
                self.base
                    .join("out")
                    .join(format!("request-{sequence:08}.{end}")),
            );
        }
    }

    /// Removes a file that was taken.
    pub fn remove(&self, name: &str) -> Result<(), LinkError> {
        let path = self.base.join("in").join(name);
        for end in ["end", "csv"] {
            let path = path.with_extension(end);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(broken(&path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses a file whole: it goes to `in/refused`, and the interface log says why.
    pub fn refuse(
        &self,
        kind: Kind,
        name: &str,
        code: &str,
        bytes: usize,
        now: Instant,
    ) -> Result<(), LinkError> {
        let (from, to) = (self.base.join("in"), self.base.join("in/refused"));
        for end in ["end", "csv"] {
            let path = from.join(name).with_extension(end);
            if path.exists() {
                fs::rename(&path, to.join(format!("{name}-{}.{end}", now.0)))
                    .map_err(broken(&path))?;
            }
        }
        self.told(now, kind.what(), code, 0, bytes, 0);
        Ok(())
    }

    /// The next file of its kind, number `last` + 1, if it is there and whole. Files that came again are put away, broken
    /// ones refused, early ones left until their turn; the interface log says so.
    pub fn next(
        &self,
        kind: Kind,
        last: i64,
        digest: Option<&str>,
        now: Instant,
    ) -> Result<Option<Incoming>, LinkError> {
        let prefix = format!("{}-", kind.code());
        let mut found = Vec::new();
        for name in names(&self.base.join("in"))? {
            let number = name
                .strip_prefix(&prefix)
                .and_then(|n| n.strip_suffix(".end"));
            if let Some(number) = number
                .filter(|n| n.len() == 8)
                .and_then(|n| n.parse::<i64>().ok())
            {
                found.push((number, name.trim_end_matches(".end").to_owned()));
            }
        }
        found.sort();
        for (sequence, name) in found {
            if sequence > last + 1 {
                let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
                if early.insert(name) {
                    self.told(now, kind.what(), "out-of-order", 0, 0, 0);
                }
                continue;
            }
            let read = self.read(&name, sequence);
            if sequence <= last {
                match read {
                    // We took it and stopped before we could remove it, or it was laid down twice.
                    Ok(again) if sequence == last && Some(again.digest.as_str()) == digest => {
                        self.remove(&name)?;
                        self.told(now, kind.what(), "repeated", 0, again.body.len(), 0);
                    }
                    _ => self.refuse(kind, &name, "repeated", 0, now)?,
                }
                continue;
            }
            match read {
                Ok(incoming) => return Ok(Some(incoming)),
                Err(code) => self.refuse(kind, &name, code, 0, now)?,
            }
        }
        Ok(None)
    }

    fn read(&self, name: &str, sequence: i64) -> Result<Incoming, &'static str> {
        let path = self.base.join("in").join(name);
        let end = fs::read_to_string(path.with_extension("end")).map_err(|_| "trailer")?;
        let file = path.with_extension("csv");
        if fs::metadata(&file).map_err(|_| "missing")?.len() > LIMIT {
            return Err("too-long");
        }
        let body = Zeroizing::new(fs::read(&file).map_err(|_| "missing")?);
        let digest = hex::encode(Sha256::digest(&*body));
        let mut lines = end.lines();
        let head = lines.next().unwrap_or_default();
        let fields: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        let [count, told, third] = fields.as_slice() else {
            return Err("trailer");
        };
        let (as_of, request) = match head {
            "件数,SHA-256,基準日時" => (Some(office_time(third).ok_or("trailer")?), None),
            "件数,SHA-256,要求番号" => (None, Some(third.parse().map_err(|_| "trailer")?)),
            _ => return Err("trailer"),
        };
        if digest != *told {
            return Err("digest");
        }
        let count = count.parse().map_err(|_| "trailer")?;
        Ok(Incoming {
            name: name.to_owned(),
            sequence,
            digest,
            as_of,
            request,
            body,
            count,
        })
    }
}

impl Incoming {
    /// The rows, each with the right width and number, as many as the trailer says.
    fn rows(&self, header: &[&str]) -> Result<Vec<csv::StringRecord>, &'static str> {
        let mut reader = csv::ReaderBuilder::new().from_reader(self.body.as_slice());
        if reader.headers().map_err(|_| "shape")? != header {
            return Err("header");
        }
        let mut out = Vec::new();
        for (n, row) in reader.records().enumerate() {
            let row = row.map_err(|_| "shape")?;
            if row.get(0) != Some((n + 1).to_string().as_str()) {
                return Err("line-number");
            }
            out.push(row);
        }
        if out.len() == self.count {
            Ok(out)
        } else {
            Err("count")
        }
    }

    /// Rows of an answer file.
    pub fn answers(&self) -> Result<Vec<Answered>, &'static str> {
        let mut out = Vec::new();
        for row in self.rows(&ANSWER)? {
            let at = |n: usize| row.get(n).unwrap_or_default().to_owned();
            let (address, joint) = (at(2), Some(at(3)).filter(|joint| !joint.is_empty()));
            if !is_fifteen(&address) || joint.as_deref().is_some_and(|joint| !is_fifteen(joint)) {
                return Err("shape");
            }
            let told = match at(4).as_str() {
                "0" => Ok(Told { address, joint }),
                "9" => Err(plain_code(&at(5))),
                _ => return Err("shape"),
            };
            out.push(Answered { key: at(1), told });
        }
        Ok(out)
    }

    /// Rows of a list, no 宛名番号 twice.
    pub fn list(&self) -> Result<Vec<Held>, &'static str> {
        let mut seen = BTreeSet::new();
        let mut out = Vec::new();
        for row in self.rows(&LIST)? {
            let at = |n: usize| row.get(n).unwrap_or_default();
            let (address, joint) = (at(1).to_owned(), at(2).to_owned());
            if !is_fifteen(&address) || !is_fifteen(&joint) || !seen.insert(address.clone()) {
                return Err("shape");
            }
            out.push(Held {
                address,
                joint,
                number: Number::parse(at(3)).map_err(|_| "shape")?,
            });
        }
        Ok(out)
    }
}

fn broken(path: &Path) -> impl FnOnce(std::io::Error) -> LinkError {
    let path = path.display().to_string();
    move |source| LinkError::File { path, source }
}

fn names(folder: &Path) -> Result<Vec<String>, LinkError> {
    let entries = fs::read_dir(folder).map_err(broken(folder))?;
    Ok(entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect())
}

/// `2026-11-21 09:05:07`, office time.
fn office_time(text: &str) -> Option<Instant> {
    let time = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    let moment = jiff::tz::Offset::constant(9).to_timestamp(time).ok()?;
    Some(Instant(moment.as_microsecond()))
}
