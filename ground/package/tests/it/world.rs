//! A town, two officers, a contractor, and packages between them. All people are invented.

use std::io::Cursor;

use age::x25519::Identity;
use ed25519_dalek::SigningKey;
use mimamori_kernel::clock::Instant;
use mimamori_package::*;
use sha2::Digest as _;

use crate::device::{Device, ORIGIN, RP_ID};

pub const CONTRACT: &str = "c0ffee00c0ffee00c0ffee00c0ffee00";
/// 2025-06-02T00:00:00Z, a Monday.
pub const MADE: i64 = 1_748_822_400;

pub struct World {
    pub identity: Identity,
    /// Fingerprint of the identity's public key.
    pub recipient: String,
    pub trust: Trust,
    pub kit: SigningKey,
    pub now: Instant,
}

pub fn contractor() -> Identity {
    // 32 bytes of 0x42: a key for tests alone.
    let text = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    text.parse().unwrap()
}

impl World {
    pub fn new() -> Self {
        let officer = |user: u8, name: &str| Approver {
            user: format!("{user:032x}"),
            name: name.to_owned(),
            keys: vec![Device::new(user).public()],
            login: format!("officer-{user}"),
        };
        let kit = SigningKey::from_bytes(&[9; 32]);
        let terminal = SigningKey::from_bytes(&[8; 32]);
        Self {
            recipient: fingerprint(&contractor().to_public()),
            identity: contractor(),
            trust: Trust {
                town: "見本町".to_owned(),
                origins: vec![ORIGIN.to_owned()],
                rp_id: RP_ID.to_owned(),
                approvers: vec![officer(1, "健康 花子"), officer(2, "保健 太郎")],
                terminals: vec![Terminal {
                    key: hex::encode(terminal.verifying_key().as_bytes()),
                    name: "模擬の顔認証端末".to_owned(),
                }],
                kits: vec![Kit {
                    name: "見本データ株式会社".to_owned(),
                    key: hex::encode(kit.verifying_key().as_bytes()),
                }],
            },
            kit,
            now: Instant((MADE + 3_600) * 1_000_000),
        }
    }

    pub fn columns() -> Vec<Column> {
        let columns = [
            ("name_kanji", "氏名（漢字）"),
            ("birth_date", "生年月日"),
            ("phone", "電話番号"),
            ("kidney_function", "クレアチニン"),
            ("kidney_function", "eGFR"),
        ];
        let column = |(item, name): (&str, &str)| Column {
            item: item.to_owned(),
            name: name.to_owned(),
        };
        columns.into_iter().map(column).collect()
    }

    pub fn rows(count: usize) -> Vec<Vec<String>> {
        let row = |n: usize| {
            vec![
                format!("見本 {n}太郎"),
                format!("19{:02}-0{}-1{}", n % 60 + 20, n % 9 + 1, n % 9),
                format!("090-0000-{n:04}"),
                format!("0.{}", n % 90 + 10),
                format!("{}", n % 70 + 20),
            ]
        };
        (0..count).map(row).collect()
    }

    pub fn manifest(&self, table: &[u8], rows: usize) -> Manifest {
        let item = |id: &str, name: &str, class: &str| Item {
            id: id.to_owned(),
            name: name.to_owned(),
            class: class.to_owned(),
        };
        Manifest {
            format: FORMAT.to_owned(),
            id: "0123456789abcdef0123456789abcdef".to_owned(),
            kind: Kind::Delivery,
            contract: Contract {
                id: CONTRACT.to_owned(),
                name: "糖尿病性腎症等重症化予防事業委託".to_owned(),
            },
            purpose: "糖尿病性腎症等の重症化予防の保健指導".to_owned(),
            legal_ground: "要綱第3条第1項第3号".to_owned(),
            items: vec![
                item("name_kanji", "氏名（漢字）", "identity"),
                item("birth_date", "生年月日", "identity"),
                item("phone", "電話番号", "contact"),
                item("kidney_function", "腎機能検査", "health"),
            ],
            files: vec![FileEntry {
                name: "people.csv".to_owned(),
                bytes: table.len() as i64,
                sha256: hex::encode(sha2::Sha256::digest(table)),
                rows: rows as i64,
                columns: Self::columns(),
            }],
            sender: Party {
                name: "見本町".to_owned(),
                key: SLIP.to_owned(),
            },
            recipient: Party {
                name: "見本データ株式会社".to_owned(),
                key: fingerprint(&self.identity.to_public()),
            },
            created: MADE,
            expires: MADE + 14 * 86_400,
            erase_by: "2026-03-31".to_owned(),
            trace: TracePosition {
                size: 42,
                root: "ab".repeat(32),
            },
            approvals: vec![],
        }
    }

    /// The manifest with the word of both officers.
    pub fn approved(&self, mut manifest: Manifest) -> Manifest {
        let digest = manifest.digest().unwrap();
        let approval = |user: usize| Approval {
            user: self.trust.approvers[user].user.clone(),
            name: self.trust.approvers[user].name.clone(),
            proof: Proof::Passkey(Device::new(user as u8 + 1).approve(&digest)),
        };
        manifest.approvals = vec![approval(0), approval(1)];
        manifest
    }

    pub fn seal(
        &self,
        manifest: &Manifest,
        table: &[u8],
        envelope: &Envelope,
    ) -> Result<Vec<u8>, PackageError> {
        let files = vec![Source {
            name: "people.csv",
            input: Box::new(table),
        }];
        let limits = Limits::default();
        let out = seal(
            manifest,
            (&self.trust, &limits),
            files,
            envelope,
            Cursor::new(vec![]),
        )?;
        Ok(out.into_inner())
    }

    /// A package of so many rows to the contractor's key.
    pub fn package(&self, rows: usize) -> Vec<u8> {
        let table = write_rows(&Self::columns(), &Self::rows(rows)).unwrap();
        let manifest = self.approved(self.manifest(&table, rows));
        let envelope = Envelope::Key(self.identity.to_public());
        self.seal(&manifest, &table, &envelope).unwrap()
    }

    /// The same with a passphrase, as `age` or as ZIP.
    pub fn with_slip(&self, rows: usize, envelope: &Envelope) -> Vec<u8> {
        let table = write_rows(&Self::columns(), &Self::rows(rows)).unwrap();
        let mut manifest = self.manifest(&table, rows);
        manifest.recipient.key = SLIP.to_owned();
        let manifest = self.approved(manifest);
        self.seal(&manifest, &table, envelope).unwrap()
    }

    pub fn open<'a, 'c>(
        &'c self,
        bytes: &'a [u8],
        bend: impl FnOnce(&mut Checks<'c>),
    ) -> Result<Opened<Cursor<&'a [u8]>>, PackageError> {
        self.open_by(bytes, &Key::Identity(&self.identity), bend)
    }

    pub fn open_by<'a, 'c>(
        &'c self,
        bytes: &'a [u8],
        key: &Key<'_>,
        bend: impl FnOnce(&mut Checks<'c>),
    ) -> Result<Opened<Cursor<&'a [u8]>>, PackageError> {
        let mut checks = Checks {
            trust: &self.trust,
            kind: Kind::Delivery,
            contract: CONTRACT,
            recipient: match key {
                Key::Identity(_) => &self.recipient,
                Key::Passphrase(_) => SLIP,
            },
            now: self.now,
            seen: &|_| false,
            limits: Limits::default(),
        };
        bend(&mut checks);
        open(Cursor::new(bytes), key, &checks)
    }
}

/// The code of an error.
pub fn code<T: std::fmt::Debug>(result: Result<T, PackageError>) -> &'static str {
    use mimamori_kernel::error::Coded as _;
    let error = result.expect_err("it had to be refused");
    assert!(!error.to_string().is_empty() && error.advice().ends_with('。'));
    error.code()
}
