//! 資格を入力する: what the register cannot tell is entered by hand, looked at once more, and derived from.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mimamori_gate::{GateError, Purpose, Reason, Record, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::date::{PartialDate, day_age_is_reached, parse_any, wareki_with_western};
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, Term, html_with_status};
use mimamori_residents::answer;

use super::queue::WAITING;
use super::unreasoned;
use crate::eligibility::{FACT, Fact, Kind, event, fact};
use crate::{CareInsurance, action};

/// What an entry rests on, code and words. Assumed (想定): no list is laid down.
const EVIDENCE: [(&str, &str); 7] = [
    ("certification", "要介護・要支援認定の申請書"),
    ("card", "被保険者証の交付申請書"),
    ("facility", "施設の入所・退所の連絡票"),
    ("town", "他市町村からの住所地特例の連絡票"),
    ("family", "戸籍・除票などの写し"),
    ("hearing", "本人・家族への聞き取りの記録"),
    ("other", "その他（理由に書く）"),
];

/// What this room knows before an entry; somebody of the register without a row is version 0.
pub(super) struct Seen {
    pub birth: PartialDate,
    who: String,
    version: i64,
    pub facts: Vec<Fact>,
    protected: bool,
    question: String,
    line: u64,
}

/// The fact of a revealed record.
pub(super) fn stored(record: &Record) -> Option<Fact> {
    let text = |column| record.text(column);
    let texts = [
        text("kind")?,
        text("from_day")?,
        text("until_day")?,
        text("cancelled_at")?,
    ];
    fact(record.int("number")?, texts)
}

pub(super) async fn see(
    room: &CareInsurance,
    visitor: &Visitor,
    person: PersonId,
    reason: String,
) -> Result<Seen, GateError> {
    let why = Some(Reason(reason));
    let permit = room
        .gate
        .person(visitor, action::OPEN, Purpose::CareInsurance, person, why)
        .await?
        .on_queue("care_insurance_person", WAITING)
        .await?;
    let names = ["kanji", "kana", "birth", "protected", "question", "version"];
    let (row, facts) = tokio::try_join!(
        permit.fetch("care_insurance_person", &names, "1 = 1", vec![]),
        permit.fetch(
            "care_insurance_fact",
            &FACT,
            "1 = 1 ORDER BY number",
            vec![]
        ),
    )?;
    let all = permit.reveal(row.and(facts)).await?;
    let line = all.line();
    let (rows, facts) = all.into_inner();
    let facts = facts.iter().filter_map(stored).collect();
    let Some(row) = rows.first() else {
        return Ok(Seen {
            birth: PartialDate::UNKNOWN,
            who: "資格の記録がまだない人です。氏名は住民の記録で確かめてください。".into(),
            version: 0,
            facts,
            protected: false,
            question: String::new(),
            line,
        });
    };
    let text = |column| row.text(column).unwrap_or("").to_owned();
    let birth: PartialDate = text("birth").parse().unwrap_or(PartialDate::UNKNOWN);
    let born = wareki_with_western(birth);
    Ok(Seen {
        birth,
        who: format!("{}（{}）　{born}生まれ", text("kanji"), text("kana")),
        version: row.int("version").unwrap_or(0),
        facts,
        protected: row.int("protected").is_some_and(|p| p != 0),
        question: text("question"),
        line,
    })
}

#[derive(Default, Clone, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    /// look, edit or write.
    step: String,
    kind: String,
    from: String,
    until: String,
    evidence: String,
    note: String,
    /// `yes`: the medical insurance of a second category was checked.
    medical: String,
    version: i64,
    /// Facts there were when the form was made.
    facts: usize,
}

#[derive(Template)]
#[template(path = "care-insurance/fact.html")]
struct FactPage<'a> {
    frame: &'a Frame,
    person: PersonId,
    seen: &'a Seen,
    kinds: Vec<Choice>,
    evidence: Vec<Choice>,
    sent: &'a Sent,
    /// Between which days 65 is reached when the birth is known in part.
    reached: Option<(String, String)>,
    errors: Vec<FieldError>,
}

#[derive(Template)]
#[template(path = "care-insurance/fact_confirm.html")]
struct ConfirmPage<'a> {
    frame: &'a Frame,
    person: PersonId,
    seen: &'a Seen,
    terms: Vec<Term>,
    sent: &'a Sent,
}

fn titled(frame: &Frame) -> Frame {
    frame
        .clone()
        .with_title("資格を入力する")
        .with_current("/insurance")
}

fn choices(all: impl Iterator<Item = (&'static str, &'static str)>, chosen: &str) -> Vec<Choice> {
    std::iter::once(("", "選んでください"))
        .chain(all)
        .map(|(code, name)| Choice::new(code, name, chosen))
        .collect()
}

pub(super) fn words(day: Date) -> String {
    wareki_with_western(day.into())
}

/// First and last day on which somebody with this birth can reach 65.
fn reached(birth: PartialDate) -> Option<(String, String)> {
    let day = |d: Option<Date>| day_age_is_reached(d?.into(), 65).map(words);
    match birth.is_full() {
        true => None,
        false => Some((day(birth.earliest())?, day(birth.latest())?)),
    }
}

fn form(
    frame: &Frame,
    person: PersonId,
    seen: &Seen,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Response {
    let status = match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let page = FactPage {
        frame: &titled(frame),
        person,
        seen,
        kinds: choices(
            Kind::ALL.into_iter().map(|k| (k.code(), k.japanese())),
            &sent.kind,
        ),
        evidence: choices(EVIDENCE.into_iter(), &sent.evidence),
        sent,
        reached: reached(seen.birth),
        errors,
    };
    html_with_status(status, page)
}

/// The reason given today, or the answer that asks for one.
pub(super) async fn reason(
    room: &CareInsurance,
    visitor: &Visitor,
    frame: &Frame,
    person: PersonId,
) -> Result<String, Response> {
    if let Some(words) = room.reason(&visitor.session, &person) {
        return Ok(words);
    }
    let asked = room
        .gate
        .person(visitor, action::OPEN, Purpose::CareInsurance, person, None)
        .await;
    Err(match asked {
        Ok(_) => super::ask(frame, person),
        Err(error) => answer(error),
    })
}

/// GET /insurance/persons/{person}/facts
pub(crate) async fn facts(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
) -> Response {
    let person = person.parse().unwrap_or(PersonId::from_bytes([0; 16]));
    let words = match reason(&room, &visitor, &frame, person).await {
        Ok(words) => words,
        Err(asked) => return asked,
    };
    match see(&room, &visitor, person, words).await {
        Ok(seen) => {
            let sent = Sent {
                version: seen.version,
                facts: seen.facts.len(),
                ..Sent::default()
            };
            form(&frame, person, &seen, &sent, vec![])
        }
        Err(error) => answer(error),
    }
}

/// A day as it was typed; `field` is named in what is wrong.
pub(crate) fn typed_day(text: &str, field: &str) -> Result<Option<Date>, FieldError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let day = parse_any(text).ok().and_then(PartialDate::full);
    let wrong = "ある日付を、年月日まで入力してください（例: R081101、令和8年11月1日、20261101）。";
    day.map(Some).ok_or_else(|| FieldError::new(field, wrong))
}

/// The fact that was typed, checked.
fn read(
    room: &CareInsurance,
    seen: &Seen,
    sent: &Sent,
    today: Date,
) -> Result<(Fact, &'static str), Vec<FieldError>> {
    let mut errors = Vec::new();
    let kind = Kind::of(&sent.kind);
    if kind.is_none() {
        errors.push(FieldError::new("kind", "種類を選んでください。"));
    }
    let mut day = |text: &str, field| {
        typed_day(text, field).unwrap_or_else(|error| {
            errors.push(error);
            None
        })
    };
    let (from, until) = (day(&sent.from, "from"), day(&sent.until, "until"));
    if sent.from.trim().is_empty() {
        errors.push(FieldError::new("from", "日を入力してください。"));
    }
    let evidence = EVIDENCE.iter().find(|(code, _)| *code == sent.evidence);
    if evidence.is_none() {
        errors.push(FieldError::new("evidence", "根拠の書類を選んでください。"));
    }
    errors.extend(unreasoned("入力", sent.note.trim()));
    if kind == Some(Kind::Second) && sent.medical != "yes" {
        errors.push(FieldError::new(
            "medical",
            "第2号被保険者は、医療保険に加入している人です。加入を確かめてから、印を付けてください。",
        ));
    }
    let (Some(kind), Some(from)) = (kind, from) else {
        return Err(errors);
    };
    let entered = Fact {
        number: u32::try_from(seen.facts.len()).unwrap_or(u32::MAX - 1) + 1,
        kind,
        from,
        until,
        cancelled: false,
    };
    if let Err(wrong) = entered.check(&seen.facts, seen.birth, today, &room.codes) {
        errors.extend(wrong.into_iter().map(|(f, text)| FieldError::new(f, text)));
    }
    match (errors.is_empty(), evidence) {
        (true, Some((_, words))) => Ok((entered, words)),
        _ => Err(errors),
    }
}

/// What will be written and what follows from it by the law, in words.
fn preview(room: &CareInsurance, entered: &Fact, evidence: &str, note: &str) -> Vec<Term> {
    let mut terms = vec![
        Term::new("種類", entered.kind.japanese()),
        Term::new(
            match entered.kind.lasts() {
                true => "始まりの日",
                false => "決めた日",
            },
            words(entered.from),
        ),
    ];
    if entered.kind.lasts() {
        let until = entered.until.map_or("続いています".into(), words);
        terms.push(Term::new("終わりの日", until));
    }
    let reasons = entered
        .kind
        .reasons(entered.from, entered.until, &room.codes);
    let days = [Some(entered.from), entered.until].into_iter().flatten();
    for (reason, day) in reasons.unwrap_or_default().into_iter().zip(days) {
        let (name, on) = match reason.day {
            None => ("取得日と事由", day),
            Some(rule) => ("喪失日と事由", rule.of(day, None)),
        };
        let assumed = match reason.assumed {
            true => "、日の決め方は想定",
            false => "",
        };
        let text = format!("{}　{} {}{assumed}", words(on), reason.code, reason.name);
        terms.push(Term::new(name, text));
    }
    if entered.kind == Kind::Birth
        && let Some(day) = day_age_is_reached(entered.from.into(), 65)
    {
        terms.push(Term::new("65歳に達する日（誕生日の前日）", words(day)));
    }
    terms.push(Term::new("根拠の書類", evidence));
    terms.push(Term::new("入力の理由", note));
    terms
}

/// POST /insurance/persons/{person}/facts: looked at, changed once more, or written.
pub(crate) async fn enter(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let person = person.parse().unwrap_or(PersonId::from_bytes([0; 16]));
    let given = match reason(&room, &visitor, &frame, person).await {
        Ok(words) => words,
        Err(asked) => return asked,
    };
    let seen = match see(&room, &visitor, person, given).await {
        Ok(seen) => seen,
        Err(error) => return answer(error),
    };
    let now = room.clock.now();
    let (entered, evidence) = match read(&room, &seen, &sent, now.office_day()) {
        Ok(read) => read,
        Err(errors) => return form(&frame, person, &seen, &sent, errors),
    };
    let note = sent.note.trim();
    match sent.step.as_str() {
        "write" => {}
        "edit" => return form(&frame, person, &seen, &sent, vec![]),
        _ => {
            let page = ConfirmPage {
                frame: &titled(&frame),
                person,
                seen: &seen,
                terms: preview(&room, &entered, evidence, note),
                sent: &sent,
            };
            return html_with_status(StatusCode::OK, page);
        }
    }
    let by = format!("{} {}", visitor.org_name, visitor.name);
    let at = now.office_text();
    let days = match entered.until {
        Some(until) => format!("{}から{}まで", words(entered.from), words(until)),
        None => words(entered.from),
    };
    let told = format!(
        "手入力{}を登録: {}　{days}（根拠: {evidence}）",
        entered.number,
        entered.kind.japanese()
    );
    let mut steps = vec![Statement::expecting(
        "INSERT INTO care_insurance_fact (person, number, kind, from_day, until_day, evidence, note, entered_at, entered_by, \
         ended_at, ended_by, ended_why, cancelled_at, cancelled_by, cancelled_why) \
         SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', '', '', '', '' FROM residents_state s WHERE s.one = 1 \
         AND COALESCE((SELECT p.version FROM care_insurance_person p WHERE p.person = ?), 0) = ? \
         AND (SELECT COUNT(*) FROM care_insurance_fact f WHERE f.person = ?) = ?",
        vec![
            person.bytes().into(),
            entered.number.into(),
            entered.kind.code().into(),
            entered.from.to_string().into(),
            entered
                .until
                .map_or_else(String::new, |d| d.to_string())
                .into(),
            evidence.into(),
            note.into(),
            at.as_str().into(),
            by.as_str().into(),
            person.bytes().into(),
            sent.version.into(),
            person.bytes().into(),
            i64::try_from(sent.facts).unwrap_or(-1).into(),
        ],
        1,
        "care-insurance-version",
    )];
    if sent.version > 0 {
        steps.push(Statement::new(
            "UPDATE care_insurance_person SET version = version + 1 WHERE person = ?",
            vec![person.bytes().into()],
        ));
        steps.push(event(&person, sent.version + 1, &at, &by, &told));
    }
    write(&room, &visitor, person, format!("{told} {note}"), steps).await
}

/// Writes with its line, derives the person anew, and shows the record.
pub(super) async fn write(
    room: &CareInsurance,
    visitor: &Visitor,
    person: PersonId,
    reason: String,
    steps: Vec<Statement>,
) -> Response {
    let done = async {
        let why = Some(Reason(reason));
        let permit = room
            .gate
            .person(visitor, action::DECIDE, Purpose::CareInsurance, person, why)
            .await?;
        permit.change(steps, None).await
    };
    if let Err(error) = done.await {
        return answer(error);
    }
    // What was written stands; the nightly run, or the one that the change makes due, follows it.
    if let Err(error) = room.refresh(person).await {
        tracing::error!(code = error.code(), error = ?error, "an entry by hand waits for the next derivation");
    }
    Redirect::to(&format!("/insurance/persons/{person}")).into_response()
}
