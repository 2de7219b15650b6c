//! Doing a step: the event, the ledger's row, and what goes with it, in one transaction with its line.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_encryption::{Secret, open};
use mimamori_gate::{Change, GateError, Purpose, Statement, Value};
use mimamori_identity::Visitor;
use mimamori_kernel::id::{LedgerId, PackageId};
use mimamori_package::Kit;
use mimamori_pages::{LimitedForm, Term};

use crate::course::Event;
use crate::error::answer;
use crate::files::{remove, sha256};
use crate::medium::{media, moves};
use crate::package::{Package, Whole, sealed, whole};
use crate::partner::keys;
use crate::screen::{Desk, Sent, SheetPage};
use crate::seal::{Made, make};
use crate::step::{Known, Step, address, form, lies_here};
use crate::step_form::{document, filled, ledger, same_serial};
use crate::{Handover, HandoverError};

/// Digests written by one statement.
const AT_ONCE: usize = 400;

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
