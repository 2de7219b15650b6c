//! Sealing (封入): the approved manifest and its table into an envelope, and on a medium into the image of a disc that is read
//! back before it counts.

use std::io::Cursor;
use std::path::PathBuf;

use age::x25519::Recipient;
use mimamori_encryption::{Secret, open, seal as lock};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::PackageId;
use mimamori_package::{
    Digester, Envelope, ImageFile, Limits, RowDigest, Source, Trust, compare_image, passphrase,
    read_rows, seal, write_image,
};
use sha2::{Digest as _, Sha256};

use crate::ask::TABLE;
use crate::course::{Channel, Opening};
use crate::files::{folder, write};
use crate::package::Package;
use crate::{Handover, HandoverError};

/// Items that together point to one person: a digest of each pair stays with the town (PROTECTION G5.6).
const PAIRS: [(&str, &str); 6] = [
    ("name_kanji", "birth_date"),
    ("name_kana", "birth_date"),
    ("name_kanji", "phone"),
    ("name_kana", "phone"),
    ("name_kanji", "address"),
    ("birth_date", "address"),
];

/// What sealing made.
pub(crate) struct Made {
    pub file: String,
    pub sha256: String,
    /// The slip's passphrase, sealed for the register.
    pub slip: Option<Vec<u8>>,
    pub digests: Vec<RowDigest>,
    /// What has to go again when it cannot be recorded.
    pub paths: Vec<PathBuf>,
}

impl Handover {
    /// The digester of this town.
    pub(crate) fn digester(&self) -> Digester {
        let set = |(a, b): (&str, &str)| vec![a.to_owned(), b.to_owned()];
        Digester::new(self.key("digest"), PAIRS.into_iter().map(set).collect())
    }

    /// The folder from which an envelope leaves.
    pub(crate) fn place(&self, channel: Channel) -> Result<PathBuf, HandoverError> {
        let name = match channel {
            Channel::Folder => "outgoing",
            Channel::Medium => "images",
        };
        folder(&self.settings.folder, name)
    }
}

/// Name of the envelope's file; the first digits of the id are enough for people.
fn file_name(id: PackageId, opening: Opening) -> String {
    let end = match opening {
        Opening::SlipZip => "zip",
        Opening::Key | Opening::Slip => "age",
    };
    let id = id.to_string();
    format!("p-{}.{end}", &id[..12])
}

/// Seals the approved content; slow, so it runs beside the other work.
///
/// # Errors
/// [`HandoverError::Package`] when an approval does not hold any more; [`HandoverError::Record`], [`HandoverError::Folder`].
pub(crate) fn make(
    room: &Handover,
    package: &Package,
    content: &[u8],
    (recipient, trust): (Option<Recipient>, &Trust),
    now: Instant,
) -> Result<Made, HandoverError> {
    let key = Secret::from_bytes(room.key("content"));
    let table = open(&key, package.id.bytes(), content).map_err(|_| HandoverError::Record)?;
    let words = match package.opening.has_slip() {
        true => Some(passphrase(&*room.random)),
        false => None,
    };
    let envelope = match (package.opening, recipient, words.clone()) {
        (Opening::Key, Some(key), _) => Envelope::Key(key),
        (Opening::Slip, _, Some(words)) => Envelope::Passphrase(words),
        (Opening::SlipZip, _, Some(words)) => Envelope::Zip(words),
        _ => return Err(HandoverError::Record),
    };
    let source = Source {
        name: TABLE,
        input: Box::new(table.as_slice()),
    };
    let limits: Limits = room.limits;
    let out = Cursor::new(Vec::new());
    let sealed = seal(
        &package.manifest,
        (trust, &limits),
        vec![source],
        &envelope,
        out,
    )?;
    let sealed = sealed.into_inner();
    let sha256 = hex::encode(Sha256::digest(&sealed));
    let digests = digests(room, package, &table)?;
    let slip_key = Secret::from_bytes(room.key("slip"));
    let slip = words.map(|w| lock(&slip_key, package.id.bytes(), w.as_bytes(), &*room.random));
    let slip = slip.transpose().map_err(|_| HandoverError::Record)?;
    let file = file_name(package.id, package.opening);
    let mut paths = vec![room.place(package.channel)?.join(&file)];
    write(&paths[0], &sealed)?;
    if package.channel == Channel::Medium {
        let path = paths[0].with_extension("iso");
        write(&path, &image(&file, &sealed, package.id, now)?)?;
        let read = std::fs::read(&path).map_err(HandoverError::Folder)?;
        compare_image(Cursor::new(read), &[listed(&file, &sealed)])?;
        paths.push(path);
    }
    Ok(Made {
        file,
        sha256,
        slip,
        digests,
        paths,
    })
}

fn listed(name: &str, bytes: &[u8]) -> ImageFile {
    ImageFile {
        name: name.to_owned(),
        bytes: bytes.len() as u64,
        sha256: hex::encode(Sha256::digest(bytes)),
    }
}

/// The image of a disc with the envelope.
fn image(name: &str, bytes: &[u8], id: PackageId, now: Instant) -> Result<Vec<u8>, HandoverError> {
    let label = format!("PKG_{}", id.to_string()[..12].to_uppercase());
    let input = Box::new(bytes);
    let mut out = Vec::new();
    write_image(
        &label,
        now,
        vec![(listed(name, bytes), Source { name, input })],
        &mut out,
    )?;
    Ok(out)
}

/// The digests of all rows, by item; of an item with several columns the first one counts.
fn digests(
    room: &Handover,
    package: &Package,
    table: &[u8],
) -> Result<Vec<RowDigest>, HandoverError> {
    let columns = package.manifest.files.first().map(|f| f.columns.as_slice());
    let columns = columns.ok_or(HandoverError::Record)?;
    let items: Vec<String> = columns.iter().map(|c| c.item.clone()).collect();
    let digester = room.digester();
    let mut out = Vec::new();
    for row in read_rows(columns, table)? {
        out.extend(digester.row(&items, &row));
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}
