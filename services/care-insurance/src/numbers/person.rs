//! One person's item ㊸, and 照会: the number itself in the room's frame.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use mimamori_gate::{Purpose, Reason};
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{NumberRef, PersonId};
use mimamori_numbers::NumbersError;
use mimamori_numbers::link::{LinkAsk, LinkState, LinkTold, Status};
use mimamori_numbers::port::{Call, Kind, METHODS, Management, Obtained, PROOFS, Reply};
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, Term, html, html_with_status};

use super::find::EntryPage;
use super::form::Given;
use super::{DeskError, book, framing, numbers, order, told};
use crate::eligibility::pages::wareki_text;
use crate::{CareInsurance, action};

/// A row of the history: when, what, how it was obtained, line.
struct Act {
    at: String,
    what: &'static str,
    how: String,
    line: i64,
}

#[derive(Template)]
#[template(path = "care-insurance/number_person.html")]
struct PersonPage<'a> {
    frame: &'a Frame,
    person: PersonId,
    who: String,
    held: bool,
    terms: Vec<Term>,
    acts: Vec<Act>,
    looks: Vec<(String, i64)>,
    given: &'a Given,
    purposes: Vec<Choice>,
    errors: Vec<FieldError>,
    line: u64,
}

/// Whoever is looked at: name for the page, and the reference when there is one.
pub(super) struct Seen {
    pub who: String,
    pub reference: Option<NumberRef>,
    pub line: u64,
}

fn word(list: &[(&str, &'static str)], code: &str) -> &'static str {
    list.iter()
        .find(|(c, _)| *c == code)
        .map_or("", |(_, word)| word)
}

fn words(how: &Obtained) -> String {
    let day = match how.acquired.is_empty() {
        true => String::new(),
        false => wareki_text(&how.acquired),
    };
    let parts = [
        day.as_str(),
        word(&METHODS, &how.method),
        word(&PROOFS, &how.proof),
    ];
    parts
        .into_iter()
        .filter(|p| !p.is_empty())
        .collect::<Vec<_>>()
        .join("、")
}

/// Opens item ㊸ of a person: one line.
pub(super) async fn see(
    room: &CareInsurance,
    visitor: &Visitor,
    person: PersonId,
    purpose: Purpose,
) -> Result<Seen, DeskError> {
    let why = Some(Reason("個人番号の管理情報の確認".into()));
    let permit = room
        .gate
        .person(visitor, action::NUMBER_OPEN, purpose, person, why)
        .await?;
    let columns = ["kanji", "kana", "insured_number"];
    let names = permit
        .fetch("residents_person", &columns, book::CURRENT, vec![])
        .await?;
    let references = permit
        .fetch("care_insurance_number", &["reference"], "ended = 0", vec![])
        .await?;
    let seen = permit.reveal(names.and(references)).await?;
    let line = seen.line();
    let (names, references) = &*seen;
    let who = names.first().map_or_else(String::new, |record| {
        let text = |name| record.text(name).unwrap_or_default();
        format!(
            "{}（{}）　被保険者番号 {}",
            text("kanji"),
            text("kana"),
            text("insured_number")
        )
    });
    let reference = references
        .first()
        .and_then(|r| r.bytes("reference")?.try_into().ok());
    Ok(Seen {
        who,
        reference: reference.map(NumberRef::from_bytes),
        line,
    })
}

pub(super) async fn person_page(
    room: &CareInsurance,
    visitor: &Visitor,
    frame: &Frame,
    person: PersonId,
    given: &Given,
    errors: Vec<FieldError>,
) -> Response {
    let done = async {
        let desk = match numbers(room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let seen = see(room, visitor, person, Purpose::CareInsurance).await?;
        desk.ready(&room.gate).await?;
        desk.sync(&room.gate).await?;
        let mut management = Management::default();
        let mut link = None;
        let LinkTold::Counts { connected, .. } = desk.link(LinkAsk::Counts).await? else {
            return Err(NumbersError::Speech.into());
        };
        let mut looks = Vec::new();
        // What was deleted keeps its history, under references of its own.
        let past = book::past(&room.gate, &person).await?;
        for reference in seen.reference.iter().chain(&past) {
            let call = Call::Management(reference.to_string());
            let Reply::Management(told) = desk.client.call(call).await? else {
                return Err(NumbersError::Speech.into());
            };
            if Some(reference) == seen.reference.as_ref() {
                management.held = told.held;
                if let LinkTold::Status(found) =
                    desk.link(LinkAsk::Status(reference.to_string())).await?
                {
                    link = found;
                }
            }
            management.history.extend(told.history);
            looks.extend(book::looks(&room.gate, reference).await?);
        }
        let at = |micros: i64| Instant(micros).office_text();
        let mut terms = Vec::new();
        if let Some((how, registered, changed)) = &management.held {
            terms.push(Term::new("個人番号", "登録あり（表示しません）"));
            terms.push(Term::new("取得日", wareki_text(&how.acquired)));
            terms.push(Term::new("取得方法", word(&METHODS, &how.method)));
            terms.push(Term::new("本人確認の方法", word(&PROOFS, &how.proof)));
            terms.push(Term::new("登録した日時", at(*registered)));
            terms.push(Term::new("最後に変えた日時", at(*changed)));
        } else {
            terms.push(Term::new("個人番号", "登録なし"));
        }
        terms.extend(linked(link.as_ref(), connected));
        let acts = management.history.iter().map(|past| Act {
            at: at(past.at),
            what: match past.act.as_str() {
                "register" => "登録",
                "correct" => "訂正",
                "delete" => "削除",
                _ => "その他",
            },
            how: words(&past.known),
            line: past.line,
        });
        let frame = frame
            .clone()
            .with_title("個人番号の管理")
            .with_current("/insurance/numbers");
        let status = if errors.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::BAD_REQUEST
        };
        let page = PersonPage {
            frame: &frame,
            person,
            who: seen.who,
            held: management.held.is_some(),
            terms,
            acts: acts.collect(),
            looks: looks
                .into_iter()
                .map(|(when, line)| (at(when), line))
                .collect(),
            given,
            purposes: given.purposes(),
            errors,
            line: seen.line,
        };
        Ok::<_, DeskError>(html_with_status(status, page))
    };
    done.await.unwrap_or_else(told)
}

/// How the person stands with 統合宛名.
fn linked(link: Option<&Status>, connected: bool) -> Vec<Term> {
    if !connected {
        let told = "この町では設定されていません（統合宛名へは何も送りません）";
        return vec![Term::new("統合宛名との連携", told)];
    }
    let Some(link) = link else {
        return vec![Term::new("統合宛名との連携", "ありません")];
    };
    let since = Instant(link.since).office_text();
    let told = match (&link.code, link.state) {
        (Some(code), LinkState::Waiting) => format!(
            "{}（{since}から、{}回試行、{code}）",
            link.state.label(),
            link.attempts
        ),
        (Some(code), _) => format!("{}（{since}から、{code}）", link.state.label()),
        (None, _) => format!("{}（{since}から）", link.state.label()),
    };
    let joint = link
        .joint
        .as_ref()
        .map(|joint| Term::new("統合宛名番号", joint.as_str()));
    std::iter::once(Term::new("統合宛名との連携", told))
        .chain(joint)
        .collect()
}

pub(super) fn parsed(person: &str) -> PersonId {
    person.parse().unwrap_or(PersonId::from_bytes([0; 16]))
}

/// GET /insurance/numbers/persons/{person}
pub(crate) async fn open(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
) -> Response {
    person_page(
        &room,
        &visitor,
        &frame,
        parsed(&person),
        &Given::default(),
        vec![],
    )
    .await
}

/// POST /insurance/numbers/persons/{person}/reveal
pub(crate) async fn reveal(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    headers: HeaderMap,
    Path(person): Path<String>,
    LimitedForm(given): LimitedForm<Given>,
) -> Response {
    let person = parsed(&person);
    let (purpose, reason) = match given.read() {
        Ok(read) => read,
        Err(errors) => return person_page(&room, &visitor, &frame, person, &given, errors).await,
    };
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let permit = room
            .gate
            .person(
                &visitor,
                action::NUMBER_REVEAL,
                purpose,
                person,
                Some(reason),
            )
            .await?;
        let permit = permit.whole().await?;
        let (_, port) = desk.ready(&room.gate).await?;
        let references = permit
            .fetch("care_insurance_number", &["reference"], "ended = 0", vec![])
            .await?;
        let references = permit.reveal(references).await?;
        let line = references.line();
        let reference = references
            .first()
            .and_then(|r| r.bytes("reference")?.try_into().ok());
        let Some(reference) = reference.map(NumberRef::from_bytes) else {
            let error = FieldError::new("purpose", "この人の個人番号は登録されていません。");
            return Ok(person_page(&room, &visitor, &frame, person, &given, vec![error]).await);
        };
        let seen = see(&room, &visitor, person, purpose).await?;
        let ticket = desk
            .ticket(order(
                &visitor,
                Kind::Reveal,
                Some(reference),
                line,
                Obtained::default(),
            ))
            .await?;
        let origin = desk.origin(&headers, port);
        let page = EntryPage {
            frame: &frame
                .clone()
                .with_title("個人番号の照会")
                .with_current("/insurance/numbers"),
            source: format!("{origin}/reveal/{ticket}"),
            title: "個人番号",
            next: format!("/insurance/numbers/persons/{person}"),
            next_label: "終わる",
            ticket: String::new(),
            purpose: purpose.code(),
            line,
            who: seen.who,
        };
        Ok::<_, DeskError>(framing(html(page), origin))
    };
    done.await.unwrap_or_else(told)
}
