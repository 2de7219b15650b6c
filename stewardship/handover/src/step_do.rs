//! Doing a step: the event, the ledger's row, and what goes with it, in one transaction with its line.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_encryption::{Secret, open};
use mimamori_gate::{Change, GateError, Purpose, Statement, Value};
use mimamori_identity::Visitor;
use mimamori_kernel::id::{LedgerId, MediumId, PackageId, UserId};
use mimamori_package::{ErasureCertificate, Kit, OpeningReceipt, verify_document};
use mimamori_pages::{LimitedForm, Term};

use crate::course::{Channel, Event};
use crate::error::answer;
use crate::files::{remove, sha256};
use crate::ledger::Row;
use crate::medium::{Medium, media, moves};
use crate::one::name;
use crate::package::{Package, Whole, sealed, whole};
use crate::partner::keys;
use crate::screen::{Desk, Sent, SheetPage, moment};
use crate::seal::{Made, make};
use crate::step::{Known, Step, address, form, lies_here};
use crate::{Handover, HandoverError};

/// Digests written by one statement.
const AT_ONCE: usize = 400;

/// What was filled in, read once.
struct Filled {
    carriers: [UserId; 2],
    medium: Option<MediumId>,
    /// Microseconds; the moment of the record where the form has none.
    minute: i64,
    /// What the event says.
    words: String,
}

fn user(sent: &mut Sent, field: &'static str) -> Option<UserId> {
    let found = sent.get(field).parse().ok();
    if found.is_none() {
        sent.refuse(field, "職員を選んでください。");
    }
    found
}

fn filled(
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
fn document(
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
fn ledger(step: Step, known: &Known, done: &Filled, sent: &Sent, by: UserId) -> Option<Row> {
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
fn same_serial(step: Step, known: &Known, sent: &Sent) -> Result<(), HandoverError> {
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

fn delete(table: &str, id: PackageId) -> Statement {
    Statement::new(
        format!("DELETE FROM {table} WHERE package = ?"),
        vec![id.bytes().into()],
    )
}

/// The envelope in our folder is still the one that was sealed.
fn unchanged(room: &Handover, package: &Package) -> Result<(), HandoverError> {
    let path = room.place(package.channel)?.join(&package.file);
    match sha256(&path)? == Some(package.sha256.clone()) {
        true => Ok(()),
        false => Err(HandoverError::Changed),
    }
}

/// The writes that record what sealing made.
fn recorded(made: &Made, id: PackageId) -> Vec<Statement> {
    let mut out = vec![
        Statement::new(
            "UPDATE handover_package SET file = ?, sha256 = ? WHERE id = ?",
            vec![
                made.file.as_str().into(),
                made.sha256.as_str().into(),
                id.bytes().into(),
            ],
        ),
        delete("handover_content", id),
    ];
    if let Some(slip) = &made.slip {
        out.push(Statement::new(
            "INSERT INTO handover_slip (package, sealed) VALUES (?, ?)",
            vec![id.bytes().into(), slip.clone().into()],
        ));
    }
    for part in made.digests.chunks(AT_ONCE) {
        let places = vec!["(?, ?)"; part.len()].join(", ");
        let mut args: Vec<Value> = Vec::with_capacity(part.len() * 2);
        for digest in part {
            args.push(digest.0.to_vec().into());
            args.push(id.bytes().into());
        }
        let sql = format!("INSERT INTO handover_digest (digest, package) VALUES {places}");
        out.push(Statement::new(sql, args));
    }
    out
}

/// Makes the envelope of an approved package, beside the other work.
async fn envelope(
    room: &Handover,
    visitor: &Visitor,
    id: PackageId,
) -> Result<Made, HandoverError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, Step::Seal.action(), Purpose::Operation, None)
        .await?;
    let known = whole(&permit, id).await?;
    let known = known.and(sealed(&permit, "handover_content", id).await?);
    let known = known.and(permit.accounts(now).await?);
    let ((found, content), accounts) = permit.reveal(known).await?.into_inner();
    let found = found?.ok_or(GateError::NotFound)?;
    found.course.then(Event::Seal(visitor.user))?;
    let content = content.ok_or(HandoverError::Record)?;
    let permit = room
        .gate
        .office(visitor, Step::Seal.action(), Purpose::Operation, None)
        .await?;
    let mut known = keys(&permit, found.package.contract)
        .await?
        .map(|k| (k, vec![]));
    for by in found.course.approvers() {
        let of = permit.approval_keys(by).await?;
        known = known.and(of).map(|((keys, mut all), of)| {
            all.push(of);
            (keys, all)
        });
    }
    let (keys, passkeys) = permit.reveal(known).await?.into_inner();
    let mut officers = Vec::new();
    for (by, passkeys) in found.course.approvers().iter().zip(passkeys) {
        let account = accounts.iter().find(|a| a.id == *by);
        officers.push((account.ok_or(HandoverError::Record)?.clone(), passkeys));
    }
    let (room, trust) = (room.clone(), room.trust(&officers));
    let recipient = keys.recipient()?;
    tokio::task::spawn_blocking(move || {
        make(&room, &found.package, &content, (recipient, &trust), now)
    })
    .await
    .map_err(|_| HandoverError::Record)?
}

/// What is shown after a step; the slip's passphrase once.
type Shown = (PackageId, Option<(String, Whole)>);

async fn act(
    room: &Handover,
    visitor: &Visitor,
    (id, step): (PackageId, Step),
    sent: &mut Sent,
) -> Result<Shown, HandoverError> {
    let made = match step {
        Step::Seal => Some(envelope(room, visitor, id).await?),
        _ => None,
    };
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, step.action(), Purpose::Operation, None)
        .await?;
    let known = whole(&permit, id).await?;
    let known = known.and(permit.accounts(now).await?);
    let known = known.and(media(&permit).await?);
    let known = known.and(sealed(&permit, "handover_slip", id).await?);
    // The contract's keys are asked for under the package's own contract, which the rule reads in the dark.
    let contract = permit
        .fetch(
            "handover_partner",
            &["kit"],
            "contract IN (SELECT contract FROM handover_package WHERE id = ?)",
            vec![id.bytes().into()],
        )
        .await?;
    let known = known.and(contract);
    let (by, ledger_id) = (visitor.user, LedgerId::random(&*room.random));
    let paths = made.as_ref().map_or_else(Vec::new, |m| m.paths.clone());
    let done = permit
        .change(known, now, |((((found, accounts), media), slip), kit)| {
            let found = found?.ok_or(GateError::NotFound)?;
            let package = found.package.clone();
            let mut filled = filled(step, sent, &package, now.0)?;
            if !sent.get("document").is_empty() && matches!(step, Step::Open | Step::Certificate) {
                let key = kit.first().and_then(|r| r.text("kit")).unwrap_or_default();
                let kits = [Kit {
                    name: package.partner.clone(),
                    key: key.to_owned(),
                }];
                filled.words = document(step, sent.get("document"), &package, &kits)?;
            }
            if step == Step::HandOver {
                unchanged(room, &package)?;
            }
            let event = step.event(by, filled.carriers, filled.minute);
            let (_, mut statements) = found.then(event, now.0, &filled.words)?;
            let known = Known {
                found,
                accounts,
                media,
            };
            same_serial(step, &known, sent)?;
            if let Some(row) = ledger(step, &known, &filled, sent, by) {
                statements.push(row.write(ledger_id, Some(id), (by, now.0)));
            }
            match (step, filled.medium, package.medium) {
                (Step::Carriers, Some(medium), _) => {
                    statements.push(moves(medium, "stored", "out"));
                    statements.push(Statement::new(
                        "UPDATE handover_package SET medium = ? WHERE id = ?",
                        vec![medium.bytes().into(), id.bytes().into()],
                    ));
                }
                (Step::Return | Step::Withdraw, _, Some(medium)) => {
                    statements.push(moves(medium, "out", "stored"));
                }
                _ => {}
            }
            let mut words = None;
            if step == Step::ReleaseSlip {
                let key = Secret::from_bytes(room.key("slip"));
                let text = slip.and_then(|s| open(&key, id.bytes(), &s).ok());
                let text = text.and_then(|t| String::from_utf8(t).ok());
                words = Some(text.ok_or(HandoverError::Record)?);
            }
            if matches!(step, Step::ReleaseSlip | Step::Withdraw) {
                statements.push(delete("handover_slip", id));
            }
            if step == Step::Withdraw {
                statements.push(delete("handover_content", id));
            }
            if let Some(made) = &made {
                statements.extend(recorded(made, id));
            }
            let change = Change {
                statements,
                words: format!("{} {} {}", step.japanese(), package.title, filled.words),
                ..Change::default()
            };
            Ok::<_, HandoverError>((change, words.map(|w| (w, known.found))))
        })
        .await;
    let shown = match done {
        Ok(shown) => shown.into_inner(),
        Err(error) => {
            // What was written for a sealing that was not recorded goes again.
            paths.iter().try_for_each(|p| remove(p))?;
            return Err(error);
        }
    };
    Ok((id, shown))
}

/// The envelope goes from our folder when it was taken back or received.
async fn tidy(
    room: &Handover,
    visitor: &Visitor,
    (id, step): (PackageId, Step),
) -> Result<(), HandoverError> {
    if !matches!(step, Step::Withdraw | Step::Receive) {
        return Ok(());
    }
    let permit = room
        .gate
        .office(visitor, step.action(), Purpose::Operation, None)
        .await?;
    let known = whole(&permit, id).await?;
    let found = permit.reveal(known).await?.into_inner()?;
    let Some(package) = found.map(|f| f.package) else {
        return Ok(());
    };
    if package.file.is_empty() || lies_here(package.stage) {
        return Ok(());
    }
    let path = room.place(package.channel)?.join(&package.file);
    remove(&path.with_extension("iso"))?;
    remove(&path)
}

/// POST /handover/packages/{package}/steps/{step}
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    path: Path<(String, String)>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let at = match address(&path) {
        Ok(at) => at,
        Err(error) => return answer(error),
    };
    let done = async {
        let shown = act(&room, &visitor, at, &mut sent).await?;
        tidy(&room, &visitor, at).await?;
        Ok::<_, HandoverError>(shown)
    };
    match done.await {
        Ok((_, Some((words, found)))) => SheetPage::new(&frame, "パスワード通知書", 0)
            .banner(
                "warning",
                "この画面でだけ表示します。",
                "印刷するか書き写して、封をして渡してください。もう一度は表示できません。",
            )
            .terms(vec![
                Term::new("契約", found.package.title.clone()),
                Term::new("相手方", found.package.partner.clone()),
                Term::new("封筒のファイル", found.package.file.clone()),
                Term::new("パスワード", words),
                Term::new("渡した相手", sent.get("counterpart")),
            ])
            .link(format!("/handover/packages/{}", at.0), "受渡しの記録に戻る")
            .answer(),
        Ok((id, None)) => Redirect::to(&format!("/handover/packages/{id}")).into_response(),
        Err(HandoverError::Input(errors)) => form(&room, &visitor, &frame, at, (&sent, errors))
            .await
            .unwrap_or_else(answer),
        Err(error) => answer(error),
    }
}
