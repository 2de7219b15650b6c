//! The archive of 特定健診: a ZIP with `ix08`, `su08`, DATA, CLAIMS and XSD (提供用アーカイブ; FACTS E).

use std::io::{Read as _, Seek};

use jiff::civil::Date;
use roxmltree::{Document, ParsingOptions};
use zip::ZipArchive;

use super::Read;
use super::cda::{CDA_LIMIT, read_document};
use super::codes::Codes;

/// What an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries.
    pub entries: usize,
    /// Unpacked bytes of all entries.
    pub bytes: u64,
    /// Unpacked bytes for each packed one, of entries above 64 KiB.
    pub ratio: u64,
    /// Folders above a file.
    pub depth: usize,
}

impl Limits {
    /// 100,000 entries, 4 GiB, a hundredfold, four folders.
    pub const STANDARD: Self = Self {
        entries: 100_000,
        bytes: 4 << 30,
        ratio: 100,
        depth: 4,
    };
}

/// What an archive had beside its documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archive {
    /// Documents of health checks that were read, refused ones too.
    pub documents: u64,
    /// Documents that the index announces; none without an index.
    pub announced: Option<u64>,
    /// Persons that the summary announces; none without a summary.
    pub summed: Option<u64>,
    /// Other files by folder or kind, with their number: nothing is passed over in silence.
    pub others: std::collections::BTreeMap<&'static str, u64>,
}

impl Archive {
    /// Whether index and summary, where they are, tell the number of documents.
    pub fn agrees(&self) -> bool {
        [self.announced, self.summed]
            .into_iter()
            .flatten()
            .all(|n| n == self.documents)
    }
}

/// Why an archive is not read at all.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Not a ZIP file, damaged, or of an unknown method.
    #[error("ZIPファイルとして読めません。壊れているか、対応していない形式です。")]
    Zip(#[from] zip::result::ZipError),
    /// It cannot be read.
    #[error("ファイルを読めません。")]
    Io(#[from] std::io::Error),
    /// More entries than the limit.
    #[error("ファイルの数が多すぎます。")]
    Entries,
    /// More bytes than the limit, or more than the archive says.
    #[error("展開した大きさが上限を超えています。")]
    Bytes,
    /// Packed far too well.
    #[error("圧縮率が高すぎるファイルがあります。")]
    Ratio,
    /// Entries share bytes.
    #[error("重なり合ったファイルがあります。")]
    Overlap,
    /// A path that leaves the folder, is absolute or too deep.
    #[error("ファイルの場所の書き方が正しくありません。")]
    Path,
    /// An entry with a password.
    #[error("パスワードの付いたファイルが入っています。パスワードを外してから取り込んでください。")]
    Encrypted,
    /// No document of a health check.
    #[error("DATAフォルダに健診結果の文書（h…xml）がありません。")]
    Nothing,
}

/// What an entry is, by its path.
enum Kind {
    Document,
    Index,
    Summary,
    Other(&'static str),
}

/// Reads all documents in the order of the archive and hands each to `take`.
///
/// Everything is checked against `limits` before the first document is unpacked.
///
/// # Errors
/// [`ArchiveError`]; `take` may have been called before a damaged entry was met.
pub fn read_archive<R: std::io::Read + Seek>(
    source: R,
    limits: Limits,
    codes: &Codes,
    today: Date,
    mut take: impl FnMut(Read),
) -> Result<Archive, ArchiveError> {
    let mut zip = ZipArchive::new(source)?;
    let plan = look(&mut zip, limits)?;
    let mut archive = Archive::default();
    for (place, name, kind) in plan {
        let limit = match kind {
            Kind::Other(what) => {
                *archive.others.entry(what).or_default() += 1;
                continue;
            }
            _ => CDA_LIMIT,
        };
        let mut bytes = vec![];
        let entry = zip.by_index(place)?;
        entry.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        match kind {
            Kind::Document => {
                archive.documents += 1;
                take(read_document(&name, &bytes, codes, today));
            }
            Kind::Index => archive.announced = count(&bytes, "totalRecordCount"),
            Kind::Summary => archive.summed = count(&bytes, "totalSubjectCount"),
            Kind::Other(_) => {}
        }
    }
    if archive.documents == 0 {
        return Err(ArchiveError::Nothing);
    }
    Ok(archive)
}

/// Checks every entry before anything is unpacked.
fn look<R: std::io::Read + Seek>(
    zip: &mut ZipArchive<R>,
    limits: Limits,
) -> Result<Vec<(usize, String, Kind)>, ArchiveError> {
    if zip.len() > limits.entries {
        return Err(ArchiveError::Entries);
    }
    if zip.has_overlapping_files()? {
        return Err(ArchiveError::Overlap);
    }
    let (mut plan, mut total) = (vec![], 0u64);
    for place in 0..zip.len() {
        let entry = zip.by_index_raw(place)?;
        let name = entry.name()?.into_owned();
        let folders: Vec<&str> = name.split('/').collect();
        let plain = |part: &&str| {
            !part.is_empty() && *part != "." && *part != ".." && !part.contains(['\\', ':', '\0'])
        };
        let parts = folders.iter().filter(|p| !(entry.is_dir() && p.is_empty()));
        if folders.len() > limits.depth + 1 || !parts.clone().all(plain) {
            return Err(ArchiveError::Path);
        }
        if entry.encrypted() {
            return Err(ArchiveError::Encrypted);
        }
        total = total.saturating_add(entry.size());
        if total > limits.bytes {
            return Err(ArchiveError::Bytes);
        }
        if entry.size() > 64 << 10 && entry.size() / entry.compressed_size().max(1) > limits.ratio {
            return Err(ArchiveError::Ratio);
        }
        if !entry.is_dir() {
            let short = folders.last().copied().unwrap_or_default().to_owned();
            plan.push((place, short, kind(&folders)));
        }
    }
    Ok(plan)
}

fn kind(path: &[&str]) -> Kind {
    let [folders @ .., file] = path else {
        return Kind::Other("その他");
    };
    let upper = file.to_ascii_uppercase();
    let folder = folders
        .last()
        .map(|f| f.to_ascii_uppercase())
        .unwrap_or_default();
    let xml = upper.ends_with(".XML");
    match folder.as_str() {
        "DATA" if xml && upper.starts_with('H') => Kind::Document,
        "DATA" => Kind::Other("DATA（健診結果以外）"),
        "CLAIMS" => Kind::Other("CLAIMS（決済情報）"),
        "XSD" => Kind::Other("XSD（構造定義）"),
        _ if xml && upper.starts_with("IX08") => Kind::Index,
        _ if xml && upper.starts_with("SU08") => Kind::Summary,
        _ => Kind::Other("その他"),
    }
}

/// The `value` of the first element of this name, in any namespace.
fn count(bytes: &[u8], element: &str) -> Option<u64> {
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|t| t.len() <= CDA_LIMIT)?;
    let options = ParsingOptions {
        nodes_limit: 1_000,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).ok()?;
    let found = document
        .descendants()
        .find(|n| n.is_element() && n.tag_name().name() == element)?;
    found.attribute("value")?.parse().ok()
}

#[cfg(test)]
mod tests;
