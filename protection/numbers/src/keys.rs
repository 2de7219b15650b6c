//! Keys of the room: one that wraps (KEK), and under it the versions of data and index keys.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use mimamori_encryption::{Secret, open, seal};
use mimamori_kernel::id::NumberRef;
use mimamori_kernel::random::Random;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{Number, NumbersError};

/// First line of a key file.
const HEAD: &str = "mimamori-numbers-kek 1";
/// Rounds over a passphrase; PBKDF2-HMAC-SHA-256 is made of what the CRYPTREC list names (PROTECTION 3.1).
pub(crate) const ROUNDS: u32 = 1_000_000;

type Mac = Hmac<Sha256>;

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = match Mac::new_from_slice(key) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes a key of any length"),
    };
    for part in parts {
        mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The key that wraps all others (鍵暗号化鍵). Nothing else of it leaves this type than wrapping and unwrapping, so
/// that a hardware module can stand in its place.
pub struct Kek(Secret);

impl std::fmt::Debug for Kek {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kek")
    }
}

impl Kek {
    /// Makes the key file; the folder is 0700, the file 0600. Refuses to touch a file that exists.
    ///
    /// # Errors
    /// [`NumbersError::File`].
    pub fn create(path: &Path, random: &dyn Random) -> Result<Self, NumbersError> {
        if let Some(dir) = path.parent() {
            let made = std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir);
            made.map_err(NumbersError::file(dir))?;
        }
        let key = Secret::random(random);
        let text = Zeroizing::new(key_text(&key));
        let mut options = std::fs::OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(0o600).open(path);
        opened
            .and_then(|mut file| {
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
            })
            .map_err(NumbersError::file(path))?;
        if let Some(dir) = path.parent() {
            let synced = std::fs::File::open(dir).and_then(|folder| folder.sync_all());
            synced.map_err(NumbersError::file(dir))?;
        }
        Ok(Self(key))
    }

    /// Reads a key file that nobody else may read, and checks it.
    ///
    /// # Errors
    /// [`NumbersError::KeyText`] for a damaged file, a file that others can read, or something else.
    pub fn from_file(path: &Path) -> Result<Self, NumbersError> {
        let text = private_text(path)?;
        let wrong = |why| NumbersError::KeyText {
            path: path.display().to_string(),
            why,
        };
        let mut lines = text.lines();
        if lines.next() != Some(HEAD) {
            return Err(wrong("1行目が違います"));
        }
        let mut bytes = Zeroizing::new([0u8; 32]);
        let key = lines.next().unwrap_or_default();
        hex::decode_to_slice(key, bytes.as_mut()).map_err(|_| wrong("2行目が鍵ではありません"))?;
        let key = Secret::from_bytes(*bytes);
        if lines.next() != Some(check_line(&key).as_str()) {
            return Err(wrong("検査行が合いません"));
        }
        Ok(Self(key))
    }

    /// The key behind the passphrase in a file that nobody else may read; `salt` comes with the database. Slow on
    /// purpose: blocks the thread for about a second.
    ///
    /// # Errors
    /// [`NumbersError::KeyText`] for fewer than 15 characters.
    pub fn from_passphrase(path: &Path, salt: &[u8], rounds: u32) -> Result<Self, NumbersError> {
        let text = private_text(path)?;
        let words = text.trim_end_matches(['\r', '\n']);
        if words.chars().count() < 15 {
            return Err(NumbersError::KeyText {
                path: path.display().to_string(),
                why: "合い言葉は15文字以上にしてください",
            });
        }
        let mut out = Zeroizing::new([0u8; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(words.as_bytes(), salt, rounds, out.as_mut());
        Ok(Self(Secret::from_bytes(*out)))
    }

    /// Names the key without telling it; 16 hexadecimal digits.
    pub fn id(&self) -> String {
        hex::encode(&mac(self.0.bytes(), &[b"mimamori numbers kek"])[..8])
    }

    /// Wraps a key for its `place`.
    pub(crate) fn wrap(
        &self,
        place: &str,
        key: &Secret,
        random: &dyn Random,
    ) -> Result<Vec<u8>, NumbersError> {
        Ok(seal(&self.0, place.as_bytes(), key.bytes(), random)?)
    }

    /// Unwraps what [`Self::wrap`] made for the same `place`.
    pub(crate) fn unwrap(&self, place: &str, wrapped: &[u8]) -> Result<Secret, NumbersError> {
        let bytes = Zeroizing::new(open(&self.0, place.as_bytes(), wrapped)?);
        let mut out = Zeroizing::new([0u8; 32]);
        if bytes.len() != 32 {
            return Err(NumbersError::Moved("鍵"));
        }
        out.copy_from_slice(&bytes);
        Ok(Secret::from_bytes(*out))
    }
}

fn check_line(key: &Secret) -> String {
    let digest = Sha256::digest(mac(key.bytes(), &[b"check"]));
    format!("check {}", hex::encode(&digest[..8]))
}

fn key_text(key: &Secret) -> String {
    let mut digits = hex::encode(key.bytes());
    let text = format!("{HEAD}\n{digits}\n{}\n", check_line(key));
    digits.zeroize();
    text
}

/// A small file that belongs to its owner alone.
fn private_text(path: &Path) -> Result<Zeroizing<String>, NumbersError> {
    let wrong = |why| NumbersError::KeyText {
        path: path.display().to_string(),
        why,
    };
    let meta = std::fs::metadata(path).map_err(NumbersError::file(path))?;
    if meta.mode() & 0o077 != 0 {
        return Err(wrong("所有者以外も読める設定です。0600 にしてください"));
    }
    if meta.len() > 4096 {
        return Err(wrong("大きすぎます"));
    }
    let text = std::fs::read_to_string(path).map_err(NumbersError::file(path))?;
    Ok(Zeroizing::new(text))
}

/// One version of the keys.
pub(crate) struct Version {
    pub number: i64,
    data: Secret,
    index: Secret,
}

fn place(kind: &str, version: i64) -> String {
    format!("numbers_key|{kind}|{version}")
}

impl Version {
    pub fn random(number: i64, random: &dyn Random) -> Self {
        Self {
            number,
            data: Secret::random(random),
            index: Secret::random(random),
        }
    }

    /// Both keys wrapped: data, index.
    pub fn wrapped(
        &self,
        kek: &Kek,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Vec<u8>), NumbersError> {
        Ok((
            kek.wrap(&place("data", self.number), &self.data, random)?,
            kek.wrap(&place("index", self.number), &self.index, random)?,
        ))
    }

    pub fn unwrapped(
        kek: &Kek,
        number: i64,
        data: &[u8],
        index: &[u8],
    ) -> Result<Self, NumbersError> {
        Ok(Self {
            number,
            data: kek.unwrap(&place("data", number), data)?,
            index: kek.unwrap(&place("index", number), index)?,
        })
    }

    /// The key of one record, by HKDF-SHA-256 from the data key.
    fn record_key(&self, reference: &NumberRef) -> Result<Secret, NumbersError> {
        let hkdf = hkdf::Hkdf::<Sha256>::new(Some(b"mimamori numbers record 1"), self.data.bytes());
        let mut out = Zeroizing::new([0u8; 32]);
        hkdf.expand(reference.bytes(), out.as_mut())
            .map_err(|_| NumbersError::Moved("鍵"))?;
        Ok(Secret::from_bytes(*out))
    }

    /// AES-256-GCM under the record's own key; the text opens only in this row, field, version and revision.
    pub fn seal(
        &self,
        reference: &NumberRef,
        revision: i64,
        number: &Number,
        random: &dyn Random,
    ) -> Result<Vec<u8>, NumbersError> {
        let place = self.row(reference, revision);
        let key = self.record_key(reference)?;
        Ok(seal(&key, place.as_bytes(), number.digits(), random)?)
    }

    pub fn open(
        &self,
        reference: &NumberRef,
        revision: i64,
        sealed: &[u8],
    ) -> Result<Number, NumbersError> {
        let place = self.row(reference, revision);
        let key = self.record_key(reference)?;
        let plain = Zeroizing::new(open(&key, place.as_bytes(), sealed)?);
        Number::from_digits(&plain).ok_or(NumbersError::Moved("番号"))
    }

    fn row(&self, reference: &NumberRef, revision: i64) -> String {
        format!(
            "numbers_record|number|{reference}|{}|{revision}",
            self.number
        )
    }

    /// The blind index of a number: HMAC-SHA-256 under a key that never leaves the room.
    pub fn index(&self, number: &Number) -> [u8; 32] {
        mac(self.index.bytes(), &[b"number", number.digits()])
    }
}

/// One row as the sum over all rows sees it: every column.
pub(crate) struct Marked<'a> {
    pub reference: &'a NumberRef,
    pub version: i64,
    pub revision: i64,
    pub sealed: &'a [u8],
    pub index: &'a [u8],
    /// How the number was obtained: day, way, proof.
    pub known: [&'a str; 3],
    /// First registered and last changed, microseconds.
    pub times: [i64; 2],
}

impl Marked<'_> {
    /// What the row adds to the sum.
    pub fn mark(&self, key: &Secret) -> [u8; 32] {
        let (version, revision) = (self.version.to_be_bytes(), self.revision.to_be_bytes());
        let [registered, changed] = self.times.map(i64::to_be_bytes);
        let [acquired, method, proof] = self.known.map(str::as_bytes);
        let parts: [&[u8]; 11] = [
            b"row 2",
            self.reference.bytes(),
            &version,
            &revision,
            self.sealed,
            self.index,
            acquired,
            method,
            proof,
            &registered,
            &changed,
        ];
        mac(key.bytes(), &parts)
    }

    /// What it added before the sum held how a number was obtained.
    pub fn first(&self, key: &Secret) -> [u8; 32] {
        let (version, revision) = (self.version.to_be_bytes(), self.revision.to_be_bytes());
        let parts: [&[u8]; 6] = [
            b"row",
            self.reference.bytes(),
            &version,
            &revision,
            self.sealed,
            self.index,
        ];
        mac(key.bytes(), &parts)
    }
}

/// Seals epoch, count and sum of the whole table; `first` as before the rows' marks held every column.
pub(crate) fn state_mark(
    key: &Secret,
    first: bool,
    epoch: i64,
    count: i64,
    sum: &[u8; 32],
) -> [u8; 32] {
    let name: &[u8] = if first { b"state" } else { b"state 2" };
    let (epoch, count) = (epoch.to_be_bytes(), count.to_be_bytes());
    mac(key.bytes(), &[name, &epoch, &count, sum])
}

/// `a + b` modulo 2^256; order does not matter, so rows come and go one by one.
pub(crate) fn plus(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut out = [0; 32];
    let mut carry = 0u16;
    for i in (0..32).rev() {
        let sum = u16::from(a[i]) + u16::from(b[i]) + carry;
        out[i] = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    out
}

/// `a - b` modulo 2^256.
pub(crate) fn minus(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut out = [0; 32];
    let mut borrow = 0i16;
    for i in (0..32).rev() {
        let rest = i16::from(a[i]) - i16::from(b[i]) - borrow;
        borrow = i16::from(rest < 0);
        out[i] = (rest & 0xff) as u8;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimamori_kernel::random::SystemRandom;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_file_with_one_wrong_letter_or_readable_by_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/kek.key");
        let made = Kek::create(&path, &SystemRandom).unwrap();
        assert_eq!(Kek::from_file(&path).unwrap().id(), made.id());
        assert!(
            Kek::create(&path, &SystemRandom).is_err(),
            "never over a key that exists"
        );
        let text = std::fs::read_to_string(&path).unwrap();
        for place in 0..text.trim_end().len() {
            let mut bad = text.clone().into_bytes();
            bad[place] = if bad[place] == b'0' { b'1' } else { b'0' };
            std::fs::write(&path, &bad).unwrap();
            assert!(
                matches!(Kek::from_file(&path), Err(NumbersError::KeyText { .. })),
                "letter {place}"
            );
        }
        std::fs::write(&path, &text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            Kek::from_file(&path),
            Err(NumbersError::KeyText { .. })
        ));
    }

    #[test]
    fn a_passphrase_makes_a_key_of_its_words_and_salt() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("words");
        let write = |words: &str| {
            std::fs::write(&path, words).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        };
        write("とても長い合い言葉を使う町です\n");
        let id = |salt: &[u8]| Kek::from_passphrase(&path, salt, 10).unwrap().id();
        assert_eq!(id(b"one"), id(b"one"));
        assert_ne!(id(b"one"), id(b"two"));
        write("短い");
        assert!(matches!(
            Kek::from_passphrase(&path, b"one", 10),
            Err(NumbersError::KeyText { .. })
        ));
    }

    #[test]
    fn a_sealed_number_opens_in_its_own_row_version_and_revision_only() {
        let one = Version::random(1, &SystemRandom);
        let two = Version {
            number: 2,
            data: one.data.clone(),
            index: one.index.clone(),
        };
        let (a, b) = (
            NumberRef::from_bytes([1; 16]),
            NumberRef::from_bytes([2; 16]),
        );
        let number = Number::parse("123456789018").unwrap();
        let sealed = one.seal(&a, 7, &number, &SystemRandom).unwrap();
        assert!(one.open(&a, 7, &sealed).unwrap().same(&number));
        assert!(one.open(&b, 7, &sealed).is_err(), "another row");
        assert!(one.open(&a, 8, &sealed).is_err(), "a later revision");
        assert!(
            two.open(&a, 7, &sealed).is_err(),
            "another version, even with equal keys"
        );
    }

    proptest! {
        #[test]
        fn sums_take_rows_in_and_out_in_any_order(a: [u8; 32], b: [u8; 32], c: [u8; 32]) {
            prop_assert_eq!(plus(&plus(&a, &b), &c), plus(&plus(&a, &c), &b));
            prop_assert_eq!(minus(&plus(&a, &b), &b), a);
        }

        #[test]
        fn indexes_are_equal_exactly_when_numbers_are(a in 0u64..100_000_000_000, b in 0u64..100_000_000_000) {
            let version = Version::random(1, &SystemRandom);
            let number = |n: u64| {
                let eleven = format!("{n:011}");
                let check = mimamori_kernel::check::individual_number_check(&eleven).unwrap();
                Number::parse(&format!("{eleven}{check}")).ok()
            };
            if let (Some(x), Some(y)) = (number(a), number(b)) {
                prop_assert_eq!(version.index(&x) == version.index(&y), a == b);
            }
        }
    }
}
