//! Designated handlers (特定個人情報取扱者, S0-46) and registered terminals (S0-48).

use jiff::civil::Date;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{DesignationId, TerminalId, UserId};
use mimamori_storage::{Db, Statement, StorageError};

use crate::change::AccountChange;
use crate::contract::first_moment;
use crate::error::IdentityError;
use crate::model::{Account, OrgKind, Role};

/// A designation with its period; moments in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Designation {
    /// Id.
    pub id: DesignationId,
    /// Who handles numbers.
    pub user: UserId,
    /// First moment.
    pub from: i64,
    /// First moment after the last day.
    pub until: i64,
    /// First moment of the day of the training (研修).
    pub trained: i64,
    /// Who asked for it.
    pub requested_by: UserId,
    /// Who approved it.
    pub approved_by: UserId,
    /// When it was ended early.
    pub ended: Option<i64>,
}

/// Years that a training counts (想定: 年1回の研修, 特定個人情報ガイドライン).
const TRAINING_YEARS: i32 = 1;

/// The first moment at which a training of this day no longer counts.
fn trained_until(trained: Date) -> i64 {
    use jiff::ToSpan as _;
    let last = trained.saturating_add(TRAINING_YEARS.years());
    first_moment(last)
}

impl Designation {
    /// Why it is not in force at this moment; none when it is.
    pub fn closed(&self, now: i64) -> Option<&'static str> {
        let trained = Instant(self.trained).office_day();
        match () {
            () if self.ended.is_some() => Some("終了"),
            () if now < self.from => Some("開始前"),
            () if now >= self.until => Some("期間の終了"),
            () if now >= trained_until(trained) => Some("研修から1年を過ぎた（想定）"),
            () => None,
        }
    }
}

/// The days of a designation in the office's calendar, first and last included, and the day of the training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DesignationDays {
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
    /// Day of the training.
    pub trained: Date,
}

/// Whether somebody may be designated at all (S0-46, S0-59).
///
/// # Errors
/// [`IdentityError::Separation`] with the reason.
pub fn may_handle(to: &Account) -> Result<(), IdentityError> {
    if to.org.kind != OrgKind::Department {
        return Err(IdentityError::Separation(
            "特定個人情報取扱者になれるのは、区市町村の所属の職員だけです。委託先・大学・利用機関の人は指定できません。",
        ));
    }
    let apart =
        |h: &crate::model::Held| matches!(h.role, Role::SystemAdministrator | Role::Auditor);
    if to.held.iter().any(apart) {
        return Err(IdentityError::Separation(
            "システム管理者と監査責任者は、特定個人情報取扱者になれません。",
        ));
    }
    Ok(())
}

/// A designation: a 運営管理責任者 requests, another one or the 事業責任者 approves, and neither is meant.
///
/// # Errors
/// [`IdentityError::Separation`] with the reason.
pub fn designate(
    id: DesignationId,
    (requester, approver): (&Account, &Account),
    to: &Account,
    days: DesignationDays,
    now: Instant,
) -> Result<AccountChange, IdentityError> {
    let wrong = |why| Err(IdentityError::Separation(why));
    if requester.id == approver.id || to.id == requester.id || to.id == approver.id {
        return wrong("指定には、本人でない二人（申請する人と承認する人）が必要です。");
    }
    let holds = |a: &Account, role: Role| a.active && a.roles.contains(&role);
    let approves =
        holds(approver, Role::OperationsManager) || holds(approver, Role::ProgrammeDirector);
    if !holds(requester, Role::OperationsManager) || !approves {
        return wrong(
            "指定は、運営管理責任者が申請し、ほかの運営管理責任者か事業責任者が承認します。",
        );
    }
    may_handle(to)?;
    if days.until < days.from {
        return wrong("終わりの日は、始めの日より後にしてください。");
    }
    let today = now.office_day();
    if days.trained > today || trained_until(days.trained) <= now.0 {
        return wrong("研修の日は、きょうまでの1年以内の日にしてください（想定）。");
    }
    Ok(AccountChange::of(vec![designation_statement(
        id,
        to,
        days,
        (&requester.id, &approver.id),
    )]))
}

/// The write. The kind of the organisation is bound to the user's own by the database, which takes departments alone.
fn designation_statement(
    id: DesignationId,
    to: &Account,
    days: DesignationDays,
    (requester, approver): (&UserId, &UserId),
) -> Statement {
    Statement::new(
        "INSERT INTO identity_handler (id, user_id, org, org_kind, valid_from, valid_until, trained, trained_until, \
         requested_by, approved_by, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        vec![
            id.bytes().into(),
            to.id.bytes().into(),
            to.org.id.bytes().into(),
            to.org.kind.code().into(),
            first_moment(days.from).into(),
            Instant::after_office_day(days.until).0.into(),
            first_moment(days.trained).into(),
            trained_until(days.trained).into(),
            requester.bytes().into(),
            approver.bytes().into(),
        ],
    )
}

/// Ends every designation of a user at once; sessions end with it.
pub fn end_designation(to: &Account, now: Instant) -> AccountChange {
    AccountChange::of(vec![
        Statement::new(
            "UPDATE identity_handler SET ended = ? WHERE user_id = ? AND ended IS NULL",
            vec![now.0.into(), to.id.bytes().into()],
        ),
        Statement::expecting(
            "UPDATE identity_user SET epoch = epoch + 1 WHERE id = ? AND EXISTS \
             (SELECT 1 FROM identity_handler h WHERE h.user_id = identity_user.id AND h.ended = ?)",
            vec![to.id.bytes().into(), now.0.into()],
            1,
            "designation-ended",
        ),
    ])
}

/// All designations, those of the latest end first.
pub async fn designations(db: &Db) -> Result<Vec<Designation>, StorageError> {
    let sql = "SELECT id, user_id, valid_from, valid_until, trained, requested_by, approved_by, ended \
               FROM identity_handler ORDER BY CASE WHEN ended IS NULL THEN 0 ELSE 1 END, valid_until DESC, id";
    let rows = db.fetch(sql, vec![]).await?;
    rows.iter()
        .map(|row| {
            Ok(Designation {
                id: DesignationId::from_bytes(row.array(0)?),
                user: UserId::from_bytes(row.array(1)?),
                from: row.int(2)?,
                until: row.int(3)?,
                trained: row.int(4)?,
                requested_by: UserId::from_bytes(row.array(5)?),
                approved_by: UserId::from_bytes(row.array(6)?),
                ended: row.opt_int(7)?,
            })
        })
        .collect()
}

/// How a terminal is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// Its address, as the instance or the trusted proxy sees it.
    Address(std::net::IpAddr),
    /// SHA-256 of its client certificate in DER.
    Certificate([u8; 32]),
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

impl Mark {
    fn code(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Certificate(_) => "certificate",
        }
    }

    /// The address, or the digest in hexadecimal.
    pub fn text(&self) -> String {
        match self {
            Self::Address(ip) => ip.to_canonical().to_string(),
            Self::Certificate(digest) => hex(digest),
        }
    }

    /// The mark in an office's writing: an address, or 64 hexadecimal digits, colons between them allowed.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(ip) = text.parse::<std::net::IpAddr>() {
            return Some(Self::Address(ip.to_canonical()));
        }
        let digits: Vec<u8> = text.bytes().filter(|b| !matches!(b, b':' | b' ')).collect();
        if digits.len() != 64 {
            return None;
        }
        let mut digest = [0u8; 32];
        for (at, pair) in digits.chunks(2).enumerate() {
            let pair = std::str::from_utf8(pair).ok()?;
            let sound = pair.bytes().all(|b| b.is_ascii_hexdigit());
            digest[at] = sound.then(|| u8::from_str_radix(pair, 16).ok())??;
        }
        Some(Self::Certificate(digest))
    }
}

/// Where a request comes from, as far as the instance can know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Address of the terminal in text.
    pub address: String,
    /// SHA-256 of the client certificate of the connection.
    pub certificate: Option<[u8; 32]>,
}

impl Place {
    /// Digest of the certificate in hexadecimal; empty without one.
    pub(crate) fn certificate_text(&self) -> String {
        self.certificate.map_or_else(String::new, |d| hex(&d))
    }
}

/// A registered terminal (登録された端末).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Id.
    pub id: TerminalId,
    /// Address or digest in text.
    pub mark: String,
    /// Whether the mark is a certificate's digest.
    pub by_certificate: bool,
    /// Name, for example 介護保険課 窓口1.
    pub name: String,
    /// 取扱区域.
    pub place: String,
    /// Who approved it.
    pub approved_by: UserId,
    /// When, microseconds.
    pub entered: i64,
    /// When it was ended.
    pub ended: Option<i64>,
}

/// The write of a terminal; a mark that another terminal in use has is a conflict.
pub fn enter_terminal(
    id: TerminalId,
    mark: &Mark,
    (name, place): (&str, &str),
    approver: &UserId,
    now: Instant,
) -> AccountChange {
    AccountChange::of(vec![Statement::expecting(
        "INSERT INTO identity_terminal (id, kind, mark, name, place, approved_by, entered, ended) \
         VALUES (?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING",
        vec![
            id.bytes().into(),
            mark.code().into(),
            mark.text().into(),
            name.into(),
            place.into(),
            approver.bytes().into(),
            now.0.into(),
        ],
        1,
        "terminal-known",
    )])
}

/// Ends a terminal at once; the next request from it counts no more.
pub fn end_terminal(id: TerminalId, now: Instant) -> AccountChange {
    AccountChange::of(vec![Statement::expecting(
        "UPDATE identity_terminal SET ended = ? WHERE id = ? AND ended IS NULL",
        vec![now.0.into(), id.bytes().into()],
        1,
        "terminal-ended",
    )])
}

/// All terminals, those in use first.
pub async fn terminals(db: &Db) -> Result<Vec<Terminal>, StorageError> {
    let sql = "SELECT id, kind, mark, name, place, approved_by, entered, ended FROM identity_terminal \
               ORDER BY CASE WHEN ended IS NULL THEN 0 ELSE 1 END, name, id";
    let rows = db.fetch(sql, vec![]).await?;
    rows.iter()
        .map(|row| {
            Ok(Terminal {
                id: TerminalId::from_bytes(row.array(0)?),
                by_certificate: row.text(1)? == "certificate",
                mark: row.text(2)?.to_owned(),
                name: row.text(3)?.to_owned(),
                place: row.text(4)?.to_owned(),
                approved_by: UserId::from_bytes(row.array(5)?),
                entered: row.int(6)?,
                ended: row.opt_int(7)?,
            })
        })
        .collect()
}
