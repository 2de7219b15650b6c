//! What is entered beside a contract: people, certifications, what happened, and the town's words for time.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use mimamori_gate::{Change, GateError, Hidden, Purpose, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{ContractId, RequestId};
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::clause::{Word, all, can_happen, find};
use super::due::{Span, happened};
use super::obligation::{Certification, Obligation, set_span, spans};
use super::store::{Duty, Entry, Person, Variant, entries, people};
use crate::error::answer;
use crate::screen::{Desk, Field, FormPage, Mark, Sent, again};
use crate::{Oversight, OversightError, action, id};

/// What can be entered beside a contract; the last part of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Person,
    Certification,
    Event,
}

impl What {
    fn from_code(code: &str) -> Result<Self, OversightError> {
        match code {
            "person" => Ok(Self::Person),
            "certification" => Ok(Self::Certification),
            "event" => Ok(Self::Event),
            _ => Err(GateError::NotFound.into()),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Person => "担当者・取扱責任者・取扱者の登録",
            Self::Certification => "委託先の認証の登録",
            Self::Event => "起きたことの記録",
        }
    }
}

fn fields(what: What, sent: &Sent) -> Vec<Field> {
    match what {
        What::Person => vec![
            sent.choose_field(
                "duty",
                "役目",
                Duty::ALL.map(|d| (d.code().to_owned(), d.japanese().to_owned())),
                "",
            ),
            sent.line_field("name", "氏名", true, "60文字まで"),
            sent.line_field("from", "従事を始める日", false, "空欄はきょう。"),
            sent.line_field(
                "trained",
                "教育を受けた日",
                false,
                "まだのときは空欄。名簿では赤く示します。",
            ),
            sent.line_field("informed", "条例・法令を周知した日", false, ""),
        ],
        What::Certification => vec![
            sent.line_field(
                "name",
                "認証の名称",
                true,
                "例: プライバシーマーク、ISO27001",
            ),
            sent.line_field("number", "番号", false, ""),
            sent.line_field(
                "until",
                "有効期限",
                true,
                "60日前から知らせます（想定）。更新は、同じ名称で登録します。",
            ),
        ],
        What::Event => {
            // The wording of document 000 has one clause more that can happen; the rule refuses it for the other.
            let clauses = all(Variant::WhenNotNeeded)
                .filter(|c| can_happen(Variant::WhenNotNeeded, c))
                .map(|c| (c.number.to_string(), format!("{} {}", c.number, c.heading)));
            vec![
                sent.choose_field(
                    "clause",
                    "特記事項",
                    clauses,
                    "この項の期限が、起きた日から始まります。",
                ),
                sent.line_field("day", "起きた日", true, "例: R8.11.20"),
                sent.line_field("cause", "起きたこと", true, "例: 報告の求め、事故のおそれ"),
            ]
        }
    }
}

async fn form(
    room: &Oversight,
    visitor: &Visitor,
    frame: &Frame,
    (contract, what): (&str, &str),
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OversightError> {
    let permit = room
        .gate
        .office(visitor, action::OBLIGATION_RECORD, Purpose::Operation, None)
        .await?;
    let (Ok(wanted), Ok(kind)) = (id::<ContractId>(contract), What::from_code(what)) else {
        return Ok(permit.missing().await?);
    };
    let known = permit.contracts().await?.and(entries(&permit).await?);
    let (contracts, entries) = permit.reveal(known).await?.into_inner();
    let found = contracts.iter().find(|c| c.id == wanted);
    let (Some(found), true) = (found, entries.iter().any(|e| e.contract == wanted)) else {
        return Err(GateError::NotFound.into());
    };
    let back = format!("/oversight/contracts/{contract}");
    Ok(
        FormPage::new(frame, kind.title(), format!("{back}/enter/{what}"), &back)
            .terms(vec![Term::new("契約", found.subject.clone())])
            .fields(fields(kind, sent))
            .button("enter", "登録する", "primary")
            .answer(errors),
    )
}

/// GET /oversight/contracts/{contract}/enter/{what}
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    Path((contract, what)): Path<(String, String)>,
) -> Response {
    let first = (&Sent::default(), vec![]);
    form(&room, &visitor, &frame, (&contract, &what), first)
        .await
        .unwrap_or_else(answer)
}

/// A form that was read, before the contract is known.
enum Read {
    Person(Person),
    Certification {
        name: String,
        number: String,
        until: Date,
    },
    Event {
        clause: i64,
        day: Date,
        cause: String,
    },
}

fn text(day: Option<Date>) -> String {
    day.map_or_else(String::new, |d| d.to_string())
}

fn read(
    what: What,
    room: &Oversight,
    visitor: &Visitor,
    contract: ContractId,
    (sent, now): (&mut Sent, Instant),
) -> Result<Read, OversightError> {
    let today = now.office_day();
    let past = |sent: &mut Sent, field: &str, day: Option<Date>| {
        if day.is_some_and(|d| d > today) {
            sent.refuse(field, "まだ来ていない日です。");
        }
    };
    let out = match what {
        What::Person => {
            let duty = sent.one("duty", &Duty::ALL.map(Duty::code));
            let name = sent.need("name", "氏名を入力してください。");
            if name.chars().count() > 60 {
                sent.refuse("name", "60文字までで入力してください。");
            }
            let from = sent.day("from").unwrap_or(today);
            let (trained, informed) = (sent.day("trained"), sent.day("informed"));
            past(sent, "trained", trained);
            past(sent, "informed", informed);
            Read::Person(Person {
                id: RequestId::random(&*room.random),
                contract,
                duty: duty.and_then(Duty::from_code).unwrap_or(Duty::Handler),
                name,
                trained: text(trained),
                informed: text(informed),
                from: from.to_string(),
                entered_by: visitor.user,
                entered_at: now.0,
                ended_at: 0,
            })
        }
        What::Certification => {
            let name = sent.need("name", "認証の名称を入力してください。");
            let number = sent.text("number");
            let until = sent.need_day("until", "有効期限を入力してください。");
            Read::Certification {
                name,
                number,
                until: until.unwrap_or(today),
            }
        }
        What::Event => {
            let clause = sent.get("clause").parse().unwrap_or(0);
            if clause == 0 {
                sent.refuse("clause", "特記事項を選んでください。");
            }
            let day = sent.need_day("day", "起きた日を入力してください。");
            past(sent, "day", day);
            Read::Event {
                clause,
                day: day.unwrap_or(today),
                cause: sent.need("cause", "起きたことを入力してください。"),
            }
        }
    };
    sent.complete()?;
    Ok(out)
}

/// The obligation of what happened under an entry.
fn event(
    entry: &Entry,
    (clause, day, cause): (i64, Date, &str),
    spans: super::due::Spans,
    random: &dyn mimamori_kernel::random::Random,
) -> Result<Statement, OversightError> {
    let found = find(entry.variant, clause).filter(|c| can_happen(entry.variant, c));
    let Some(found) = found else {
        let message = "この契約の特記事項では、この項は起きたことからは始まりません。";
        return Err(OversightError::field("clause", message));
    };
    let due = happened(found, day, spans);
    Ok(Obligation::new(entry.contract, clause, cause, due, random).write())
}

async fn enter(
    room: &Oversight,
    visitor: &Visitor,
    (contract, what): (&str, &str),
    sent: &mut Sent,
) -> Result<Response, OversightError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::OBLIGATION_RECORD, Purpose::Operation, None)
        .await?;
    let (wanted, kind): (ContractId, What) = (id(contract)?, What::from_code(what)?);
    let read = read(kind, room, visitor, wanted, (sent, now))?;
    let known = permit
        .contracts()
        .await?
        .and(entries(&permit).await?)
        .and(spans(&permit).await?);
    let (random, by) = (room.random.clone(), visitor.user);
    permit
        .change(known, now, move |((contracts, entries), spans)| {
            let found = contracts.iter().find(|c| c.id == wanted);
            let entry = entries.iter().find(|e| e.contract == wanted);
            let (Some(found), Some(entry)) = (found, entry) else {
                return Err(GateError::NotFound.into());
            };
            let statement = match &read {
                Read::Person(person) => person.write(),
                Read::Certification {
                    name,
                    number,
                    until,
                } => Certification {
                    id: RequestId::random(&*random),
                    org: found.org,
                    name: name.clone(),
                    number: number.clone(),
                    until: *until,
                    entered_by: by,
                    entered_at: now.0,
                }
                .write(),
                Read::Event { clause, day, cause } => {
                    event(entry, (*clause, *day, cause), spans, &*random)?
                }
            };
            let change = Change {
                statements: vec![statement],
                words: format!("{} {}", kind.title(), found.subject),
                ..Change::default()
            };
            Ok::<_, OversightError>((change, ()))
        })
        .await?;
    Ok(Redirect::to(&format!("/oversight/contracts/{contract}")).into_response())
}

/// POST /oversight/contracts/{contract}/enter/{what}
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path((contract, what)): Path<(String, String)>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = enter(&room, &visitor, (&contract, &what), &mut sent).await;
    again(done, async |errors| {
        form(&room, &visitor, &frame, (&contract, &what), (&sent, errors)).await
    })
    .await
}

async fn end(
    room: &Oversight,
    visitor: &Visitor,
    contract: &str,
    sent: &Sent,
) -> Result<Response, OversightError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::OBLIGATION_RECORD, Purpose::Operation, None)
        .await?;
    let (wanted, person): (ContractId, RequestId) = (id(contract)?, id(sent.get("person"))?);
    let known = people(&permit, wanted).await?;
    permit
        .change(known, now, move |people| {
            let open = |p: &&Person| p.id == person && p.ended_at == 0;
            let found = people.iter().find(open).ok_or(GateError::NotFound)?;
            let change = Change {
                statements: vec![found.end(now)],
                words: format!("従事の終了 {}", found.name),
                ..Change::default()
            };
            Ok::<_, OversightError>((change, ()))
        })
        .await?;
    Ok(Redirect::to(&format!("/oversight/contracts/{contract}")).into_response())
}

/// POST /oversight/contracts/{contract}/people
pub(crate) async fn end_person(
    Desk(room, visitor, _): Desk,
    Path(contract): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let sent = Sent::from(pairs);
    end(&room, &visitor, &contract, &sent)
        .await
        .unwrap_or_else(answer)
}

async fn words_form(
    room: &Oversight,
    visitor: &Visitor,
    frame: &Frame,
    sent: Option<&Sent>,
    errors: Vec<FieldError>,
) -> Result<Response, OversightError> {
    let permit = room
        .gate
        .office(visitor, action::OBLIGATION_RECORD, Purpose::Operation, None)
        .await?;
    let known = spans(&permit).await?;
    let spans = permit.reveal(known).await?.into_inner();
    let mut first = Sent::default();
    for word in Word::ALL {
        let span = spans.of(word);
        first.set(word.code(), span.days.to_string());
        if span.office {
            first.set(format!("{}-office", word.code()), "1");
        }
    }
    let shown = sent.unwrap_or(&first);
    let mut fields = Vec::new();
    for word in Word::ALL {
        let label = format!("「{}」の日数", word.japanese());
        fields.push(shown.line_field(word.code(), &label, true, "0は同じ日。"));
    }
    fields.push(Field::Marks {
        name: "office",
        legend: "開庁日で数える言葉",
        hint: "",
        marks: Word::ALL
            .map(|word| {
                let name = format!("{}-office", word.code());
                Mark {
                    checked: shown.ticked(&name),
                    label: word.japanese().to_owned(),
                    name,
                }
            })
            .into(),
    });
    Ok(FormPage::new(frame, "期限の言葉の日数", "/oversight/words", "/oversight/obligations")
        .words("文書に日数はありません。初めの値は想定です。変えた値は、これから生じる義務の期限に使います。")
        .fields(fields)
        .button("set", "保存する", "primary")
        .answer(errors))
}

/// GET /oversight/words
pub(crate) async fn words_page(Desk(room, visitor, frame): Desk) -> Response {
    words_form(&room, &visitor, &frame, None, vec![])
        .await
        .unwrap_or_else(answer)
}

async fn set(
    room: &Oversight,
    visitor: &Visitor,
    sent: &mut Sent,
) -> Result<Response, OversightError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::OBLIGATION_RECORD, Purpose::Operation, None)
        .await?;
    let mut statements = Vec::new();
    let mut words = String::from("期限の言葉");
    for word in Word::ALL {
        let days: Option<i64> = sent.get(word.code()).parse().ok();
        let office = sent.ticked(&format!("{}-office", word.code()));
        match days.filter(|d| (0..=90).contains(d)) {
            Some(days) => {
                words.push_str(&format!(" {}={days}", word.japanese()));
                statements.push(set_span(word, Span { days, office }));
            }
            None => sent.refuse(word.code(), "0から90までの数を入力してください。"),
        }
    }
    sent.complete()?;
    permit
        .change(Hidden::nothing(), now, move |()| {
            let change = Change {
                statements,
                words,
                ..Change::default()
            };
            Ok::<_, OversightError>((change, ()))
        })
        .await?;
    Ok(Redirect::to("/oversight/obligations").into_response())
}

/// POST /oversight/words
pub(crate) async fn words_submit(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = set(&room, &visitor, &mut sent).await;
    again(done, async |errors| {
        words_form(&room, &visitor, &frame, Some(&sent), errors).await
    })
    .await
}
