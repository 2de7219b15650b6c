//! Reading a step's form: what was filled in, what a signed document says, and the ledger's row of it.

use mimamori_kernel::id::{MediumId, UserId};
use mimamori_package::{ErasureCertificate, Kit, OpeningReceipt, verify_document};

use crate::HandoverError;
use crate::course::Channel;
use crate::ledger::Row;
use crate::medium::Medium;
use crate::one::name;
use crate::package::Package;
use crate::screen::{Sent, moment};
use crate::step::{Known, Step};

/// What was filled in, read once.
pub(crate) struct Filled {
    pub(crate) carriers: [UserId; 2],
    pub(crate) medium: Option<MediumId>,
    /// Microseconds; the moment of the record where the form has none.
    pub(crate) minute: i64,
    /// What the event says.
    pub(crate) words: String,
}

fn user(sent: &mut Sent, field: &'static str) -> Option<UserId> {
    let found = sent.get(field).parse().ok();
    if found.is_none() {
        sent.refuse(field, "職員を選んでください。");
    }
    found
}

pub(crate) fn filled(
    step: Step,
    sent: &mut Sent,
    package: &Package,
    now: i64,
) -> Result<Filled, HandoverError> {
    let nobody = UserId::from_bytes([0; 16]);
    let mut out = Filled {
        carriers: [nobody; 2],
        medium: None,
        minute: now,
        words: String::new(),
    };
    if matches!(step, Step::HandOver | Step::Receive | Step::ReleaseSlip) {
        out.minute = sent.minute().unwrap_or(now);
        if out.minute > now {
            sent.refuse("day", "先の日時は記録できません。");
        }
        out.words = sent.need("counterpart", "相手方の氏名を入力してください。");
    }
    let medium = package.channel == Channel::Medium;
    match step {
        Step::Carriers => {
            let pair = (user(sent, "carrier_1"), user(sent, "carrier_2"));
            out.medium = sent.get("medium").parse().ok();
            if out.medium.is_none() {
                sent.refuse("medium", "媒体を選んでください。");
            }
            if let (Some(first), Some(second)) = pair {
                out.carriers = [first, second];
            }
        }
        Step::HandOver if medium => {
            sent.need("place", "受渡場所を入力してください。");
            sent.one("bag", &["locked"], |b| b);
        }
        Step::ReleaseSlip => {
            sent.need("place", "受渡場所を入力してください。");
        }
        Step::Return => {
            if medium {
                sent.need("serial", "シリアル番号を入力してください。");
            }
            if package.opening.has_slip() {
                sent.one("slip", &["back", "destroyed"], |s| s);
            }
            out.words = sent.text("words");
        }
        Step::Check => {
            let method = sent.need("method", "消去の方法を入力してください。");
            let words = sent.need("words", "確認したことを入力してください。");
            out.words = format!("{method}／{words}");
        }
        Step::Withdraw => out.words = sent.need("words", "理由を入力してください。"),
        Step::Open | Step::Certificate => {
            out.words = sent.text("words");
            if sent.get("document").is_empty() && out.words.is_empty() {
                sent.refuse(
                    "document",
                    "電子の書面か、紙で受け取った内容のどちらかを入力してください。",
                );
            }
        }
        _ => {}
    }
    sent.complete()?;
    Ok(out)
}

/// What a signed document says, when it is about this package.
pub(crate) fn document(
    step: Step,
    text: &str,
    package: &Package,
    kits: &[Kit],
) -> Result<String, HandoverError> {
    let other = || {
        HandoverError::field(
            "document",
            "この書面は、この受渡しについてのものではありません。",
        )
    };
    let (id, contract) = (package.id.to_string(), package.contract.to_string());
    match step {
        Step::Open => {
            let (receipt, _) = verify_document::<OpeningReceipt>(text.as_bytes(), kits)?;
            if (receipt.package, receipt.contract) != (id, contract)
                || receipt.sha256 != package.sha256
            {
                return Err(other());
            }
            Ok(format!(
                "開封受領書 {} {}（{}）",
                moment(receipt.opened.saturating_mul(1_000_000)),
                receipt.handler,
                receipt.program
            ))
        }
        _ => {
            let (found, _) = verify_document::<ErasureCertificate>(text.as_bytes(), kits)?;
            if !found.packages.contains(&id) || found.contract != contract {
                return Err(other());
            }
            if found.rows != package.manifest.rows() {
                return Err(HandoverError::field(
                    "document",
                    "証明書の件数が、目録の件数と違います。",
                ));
            }
            Ok(format!(
                "消去証明書 {} {} {} 控え: {} 責任者: {}",
                moment(found.erased.saturating_mul(1_000_000)),
                found.method,
                found.result,
                found.backups,
                found.responsible
            ))
        }
    }
}

/// The ledger's row of a step; none for one that is no handling of data.
pub(crate) fn ledger(
    step: Step,
    known: &Known,
    done: &Filled,
    sent: &Sent,
    by: UserId,
) -> Option<Row> {
    let package = &known.found.package;
    let manifest = &package.manifest;
    let held: Option<&Medium> = known.media.iter().find(|m| Some(m.id) == package.medium);
    let part = |get: fn(&Medium) -> &String| held.map_or_else(String::new, |m| get(m).clone());
    let what = match step {
        Step::HandOver => "持出・受渡",
        Step::Receive => "受領",
        Step::ReleaseSlip => "パスワード通知書の受渡",
        Step::Return => "返却",
        Step::Check => "消去の確認",
        _ => return None,
    };
    let carriers = known.found.course.carriers().unwrap_or([by, by]);
    let names = match (step, package.channel) {
        (Step::HandOver, Channel::Medium) => carriers.map(|c| name(&known.accounts, c)),
        _ => [name(&known.accounts, by), String::new()],
    };
    let approvers: Vec<&str> = manifest.approvals.iter().map(|a| a.name.as_str()).collect();
    let who = format!("{} {}", moment(done.minute), name(&known.accounts, by));
    Some(Row {
        number: part(|m| &m.number),
        kind: match package.channel {
            Channel::Medium => part(|m| &m.kind),
            Channel::Folder => "LGWAN回線".to_owned(),
        },
        serial: part(|m| &m.serial),
        capacity: part(|m| &m.capacity),
        encryption: package.opening.japanese().to_owned(),
        purpose: format!("{}（{}）", manifest.purpose, package.title),
        what,
        minute: done.minute,
        handlers: names,
        counterpart: format!("{} {}", package.partner, sent.get("counterpart")),
        place: sent.get("place").to_owned(),
        carriage: match (step, package.channel) {
            (Step::HandOver, Channel::Medium) => "鍵付きカバン・手渡し".to_owned(),
            (Step::HandOver, Channel::Folder) => "提供者の画面で送信".to_owned(),
            _ => String::new(),
        },
        content: package.items.clone(),
        quantity: format!("{}件", manifest.rows()),
        file: package.file.clone(),
        sha256: package.sha256.clone(),
        slip: match step {
            Step::ReleaseSlip => who.clone(),
            _ => String::new(),
        },
        approvers: approvers.join("、"),
        returned: match step {
            Step::Return => who.clone(),
            _ => String::new(),
        },
        erased: match step {
            Step::Check => format!("{who} {}", done.words),
            _ => String::new(),
        },
        scan: String::new(),
        note: match step {
            Step::Return => done.words.clone(),
            _ => String::new(),
        },
    })
}

/// The serial that came back must be the one that went out (S2-44).
pub(crate) fn same_serial(step: Step, known: &Known, sent: &Sent) -> Result<(), HandoverError> {
    let package = &known.found.package;
    if step != Step::Return || package.channel != Channel::Medium {
        return Ok(());
    }
    let held = known.media.iter().find(|m| Some(m.id) == package.medium);
    match held {
        Some(held) if held.serial == sent.get("serial") => Ok(()),
        _ => Err(HandoverError::field(
            "serial",
            "渡した媒体のシリアル番号と違います。同じ媒体が返却されたかを確かめてください。",
        )),
    }
}
