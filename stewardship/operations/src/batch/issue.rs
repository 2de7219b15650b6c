//! The decision about a list; an approval registers everybody and prints slips and certificates.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::{
    Account, AccountChange, Contract, Entrant, Initial, OrgKind, Organisation, Visitor, enrol,
};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::wareki;
use mimamori_kernel::id::{RequestId, UserId};
use mimamori_kernel::random::Random;
use mimamori_pages::{Frame, LimitedForm, pdf};
use mimamori_sheets::{Layout, Sheet};
use serde_json::{Value, json};

use super::page::{look, show};
use super::rule::{Entry, roles};
use super::store::{Batch, Entries, one};
use crate::people::certificate::issuer;
use crate::people::id;
use crate::people::store::Event;
use crate::request::State as At;
use crate::screen::{Desk, Sent, day, settled};
use crate::{INITIAL, Operations, OperationsError, action};

/// Slips and certificates; two A4 pages for each person.
const PAPERS: Layout = Layout {
    name: "一括登録の控えと登録済証",
    text: include_str!("../../layouts/batch.typ"),
};

/// What is on every page beside the person.
struct Paper<'a> {
    /// Number of the first certificate's line; none before it is known.
    line: Option<u64>,
    stamp: String,
    org: &'a str,
    approver: &'a str,
    issuer: String,
    contact: &'a str,
    demo: bool,
}

fn values(entries: &Entries, initials: &[Initial], paper: &Paper<'_>, now: Instant) -> Value {
    let last = Instant(now.0.saturating_add(INITIAL)).office_day();
    let people: Vec<Value> = entries
        .iter()
        .zip(initials)
        .zip(1..)
        .map(|(((e, _), initial), n)| {
            let from = e.period.from.map_or("承認の日".into(), day);
            let until = e.period.until.map_or("期限なし".into(), day);
            json!({
                "number": paper.line.map_or("登録済証".to_owned(), |l| format!("登録済証 第{l}-{n}号")),
                "login": e.login,
                "name": e.name,
                "password": initial.words(),
                "role": e.role.japanese(),
                "period": format!("{from}から{until}"),
            })
        })
        .collect();
    json!({
        "people": people,
        "org": paper.org,
        "approver": paper.approver,
        "issued": wareki(now.office_day().into()),
        "expires": day(last),
        "issuer": paper.issuer,
        "contact": paper.contact,
        "form": "様式 O-02（想定）",
        "stamp": paper.stamp,
        "watermark": if paper.demo { "見本" } else { "" },
    })
}

/// Everything that an approval needs to know in the dark.
struct Known<'a> {
    accounts: &'a [Account],
    organisations: &'a [Organisation],
    contracts: &'a [Contract],
}

/// The accounts that an approval by `by` makes; the list must still be what the approver saw.
fn enrolled(
    (batch, entries): (&Batch, &[Entry]),
    known: &Known<'_>,
    by: UserId,
    initials: &[Initial],
    now: Instant,
    random: &dyn Random,
) -> Result<(Vec<UserId>, AccountChange), OperationsError> {
    if batch.state != At::Waiting || entries.len() != initials.len() {
        return Err(OperationsError::Decided);
    }
    if batch.proposed_by == by {
        return Err(OperationsError::SamePerson);
    }
    let find = |user: UserId| known.accounts.iter().find(|a| a.id == user);
    let asker = find(batch.proposed_by).ok_or(OperationsError::AskerGone)?;
    let approver = find(by).ok_or(OperationsError::Stopped)?;
    let org = known.organisations.iter().find(|o| o.org.id == batch.org);
    let org = org
        .filter(|o| o.ended.is_none())
        .ok_or(OperationsError::Overtaken)?;
    let runs = |c: &Contract| c.org == org.org.id && c.ended.is_none() && now.0 < c.until;
    if org.org.kind == OrgKind::Contractor && !known.contracts.iter().any(runs) {
        return Err(OperationsError::Overtaken);
    }
    let (mut users, mut change) = (vec![], AccountChange::default());
    for (entry, initial) in entries.iter().zip(initials) {
        let taken = known.accounts.iter().any(|a| a.login == entry.login);
        let over = entry.period.until.is_some_and(|u| u < now.office_day());
        if taken || over || !roles(org.org.kind).any(|r| r == entry.role) {
            return Err(OperationsError::Overtaken);
        }
        let entrant = Entrant {
            login: entry.login.clone(),
            name: entry.name.clone(),
            org: org.org.id,
            until: None,
        };
        let (user, made) = enrol(
            (asker, approver),
            (&entrant, org.org.kind),
            (entry.role, entry.period),
            initial,
            (now, INITIAL),
            random,
        )?;
        users.push(user);
        change = change.and(made);
    }
    Ok((users, change))
}

async fn approve(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    batch: RequestId,
    sent: &mut Sent,
) -> Result<Response, OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::BATCH_ISSUE, Purpose::Operation, None)
        .await?;
    // Looked at, and tried on paper, before anything is counted: what cannot be printed stops it here.
    let (seen, entries, terms, _) = look(room, visitor, batch).await?;
    if seen.state != At::Waiting {
        return Err(OperationsError::Decided);
    }
    if seen.proposed_by == visitor.user {
        return Err(OperationsError::SamePerson);
    }
    let mut initials = vec![];
    for _ in &entries {
        initials.push(crate::people::initial(room).await?);
    }
    let org = terms
        .first()
        .map_or("", |t| t.description.as_str())
        .to_owned();
    let mut paper = Paper {
        line: None,
        stamp: String::new(),
        org: &org,
        approver: &visitor.name,
        issuer: issuer(visitor),
        contact: frame.contact.as_deref().unwrap_or(""),
        demo: frame.demo,
    };
    let set = async |paper: &Paper<'_>| -> Result<Sheet, OperationsError> {
        let values = values(&entries, &initials, paper, now);
        Ok(room.press.set(PAPERS, values).await?)
    };
    let tried = set(&paper).await?;
    if !tried.unprintable().is_empty() && sent.get("accept-yes").is_empty() {
        let codes: Vec<String> = tried.unprintable().iter().map(|u| u.codes()).collect();
        let words = format!("紙に出せない文字を確かめてください: {}", codes.join("、"));
        sent.refuse("accept", &words);
        return Err(sent.refused());
    }
    let known = one(&permit, batch)
        .await?
        .and(permit.accounts(now).await?)
        .and(permit.organisations().await?)
        .and(permit.contracts().await?);
    let persons = u32::try_from(initials.len()).unwrap_or(u32::MAX);
    let (by, random, secrets) = (visitor.user, room.random.clone(), &initials);
    let (_, stamp) = permit
        .issue(
            known,
            persons,
            now,
            move |(((found, accounts), organisations), contracts)| {
                let (batch, entries) = found;
                let batch = batch.ok_or(GateError::NotFound)?;
                let entries: Vec<Entry> = entries.into_iter().map(|e| e.0).collect();
                let known = Known {
                    accounts: &accounts,
                    organisations: &organisations,
                    contracts: &contracts,
                };
                let (users, change) =
                    enrolled((&batch, &entries), &known, by, secrets, now, &*random)?;
                let mut statements = vec![batch.settle(At::Approved, by, now)];
                for (user, number) in users.iter().zip(1i64..) {
                    statements.push(batch.became(number, *user));
                    let event = Event {
                        user: *user,
                        kind: "一括登録と登録済証の交付",
                        by,
                        reason: &batch.reason,
                        checked: "",
                    };
                    statements.push(event.write(now, &*random));
                }
                let logins: Vec<&str> = entries.iter().map(|e| e.login.as_str()).collect();
                let change = Change {
                    statements,
                    accounts: change,
                    words: format!("一括申請の承認 {} {}", logins.join(" "), batch.reason),
                };
                Ok::<_, OperationsError>((change, ()))
            },
        )
        .await?;
    paper.line = Some(stamp.line);
    paper.stamp = stamp.to_string();
    let sheet = set(&paper).await?;
    Ok(pdf(&format!("registration-{}", stamp.line), sheet.pdf()?))
}

/// Declines somebody else's list, or takes the own one back.
async fn close(
    room: &Operations,
    visitor: &Visitor,
    batch: RequestId,
    to: At,
) -> Result<Response, OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::BATCH_DECLINE, Purpose::Operation, None)
        .await?;
    let known = one(&permit, batch).await?;
    let by = visitor.user;
    permit
        .change(known, now, move |(batch, _)| {
            let batch = batch.ok_or(GateError::NotFound)?;
            if batch.state != At::Waiting {
                return Err(OperationsError::Decided);
            }
            if (batch.proposed_by == by) != (to == At::Withdrawn) {
                return Err(OperationsError::SamePerson);
            }
            let change = Change {
                statements: vec![batch.settle(to, by, now)],
                words: format!("一括申請の{} {}", to.japanese(), batch.reason),
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await?;
    Ok(Redirect::to("/operations/batches").into_response())
}

/// POST /operations/batches/{batch}: `do` is approved, declined or withdrawn.
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(batch): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let to = At::ALL.into_iter().find(|s| s.code() == sent.get("do"));
    let done = match (id(&batch), to) {
        (Ok(whom), Some(At::Approved)) => approve(&room, &visitor, &frame, whom, &mut sent).await,
        (Ok(whom), Some(to @ (At::Declined | At::Withdrawn))) => {
            close(&room, &visitor, whom, to).await
        }
        (Ok(_), _) => Err(OperationsError::Decided),
        (Err(error), _) => Err(error),
    };
    settled(done, async |errors| {
        show(&room, &visitor, &frame, &batch, (&sent, errors)).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use mimamori_identity::{Kdf, Period, Role};
    use mimamori_kernel::random::SystemRandom;
    use mimamori_sheets::{Fonts, Printer};

    use super::*;

    #[test]
    fn each_person_has_a_slip_with_the_password_and_a_certificate_without_it() {
        let kdf = Kdf {
            memory: 64,
            passes: 1,
        };
        let names = ["見守 はな", "見守 太郎"];
        let initials = names.map(|_| Initial::new(kdf, &SystemRandom).unwrap());
        let entries: Entries = names
            .iter()
            .map(|name| {
                let entry = Entry {
                    login: "sato-1".into(),
                    name: (*name).into(),
                    role: Role::Institution,
                    period: Period::default(),
                };
                (entry, None)
            })
            .collect();
        let paper = Paper {
            line: Some(77),
            stamp: "出力番号 77".into(),
            org: "見守の里",
            approver: "運営 たかし",
            issuer: "運営事務局".into(),
            contact: "",
            demo: true,
        };
        let values = values(&entries, &initials, &paper, Instant(1_795_136_400_000_000));
        let sheet = Printer::new(Fonts::system().unwrap())
            .sheet(PAPERS, &values)
            .unwrap();
        assert_eq!(sheet.pages(), 4, "a slip and a certificate for each");
        let page = |n| sheet.text(n).unwrap().replace([' ', '\n'], "");
        for (at, initial) in initials.iter().enumerate() {
            let (slip, certificate) = (page(2 * at + 1), page(2 * at + 2));
            let words = initial.words().replace(' ', "");
            assert!(slip.contains(&words), "{slip}");
            for paper in &initials {
                assert!(!certificate.contains(&paper.words().replace(' ', "")));
            }
            assert!(
                certificate.contains(&format!("登録済証第77-{}号", at + 1)),
                "{certificate}"
            );
            assert!(certificate.contains("見守の里") && slip.contains("出力番号77"));
        }
    }
}
