//! 登録・訂正・削除 of one person's number.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Action, PersonPermit, Purpose};
use mimamori_identity::Visitor;
use mimamori_kernel::id::{NumberRef, PersonId};
use mimamori_numbers::NumbersError;
use mimamori_numbers::link::{LinkAsk, LinkTold};
use mimamori_numbers::port::{Kind, METHODS, Obtained, PROOFS};
use mimamori_pages::{Choice, FieldError, Frame, LimitedForm, html, html_with_status};

use super::find::EntryPage;
use super::form::Given;
use super::person::{parsed, see};
use super::{DeskError, book, framing, numbers, order, told};
use crate::eligibility::pages::typed_day;
use crate::{CareInsurance, action};

/// How a number was obtained, as it was typed.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct How {
    pub acquired: String,
    pub method: String,
    pub proof: String,
}

fn choices(list: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    let first = std::iter::once(&("", "選んでください"));
    first
        .chain(list)
        .map(|(code, name)| Choice::new(*code, *name, chosen))
        .collect()
}

impl How {
    /// Day, way and proof, or what is wrong with them.
    pub fn read(&self, today: jiff::civil::Date) -> Result<Obtained, Vec<FieldError>> {
        let mut errors = Vec::new();
        let day = match typed_day(&self.acquired, "acquired") {
            Ok(Some(day)) if day <= today => Some(day),
            Ok(_) => {
                errors.push(FieldError::new(
                    "acquired",
                    "取得日は、今日までの日を入力してください。",
                ));
                None
            }
            Err(error) => {
                errors.push(error);
                None
            }
        };
        for (name, value, list, what) in [
            ("method", &self.method, &METHODS[..], "取得方法"),
            ("proof", &self.proof, &PROOFS[..], "本人確認の方法"),
        ] {
            if !list.iter().any(|(code, _)| code == value) {
                errors.push(FieldError::new(name, format!("{what}を選んでください。")));
            }
        }
        match day {
            Some(day) if errors.is_empty() => Ok(Obtained {
                acquired: day.to_string(),
                method: self.method.clone(),
                proof: self.proof.clone(),
            }),
            _ => Err(errors),
        }
    }

    pub fn methods(&self) -> Vec<Choice> {
        choices(&METHODS, &self.method)
    }

    pub fn proofs(&self) -> Vec<Choice> {
        choices(&PROOFS, &self.proof)
    }
}

#[derive(Template)]
#[template(path = "care-insurance/number_write.html")]
struct WritePage<'a> {
    frame: &'a Frame,
    person: PersonId,
    what: &'a str,
    verb: &'a str,
    who: String,
    given: &'a Given,
    purposes: Vec<Choice>,
    how: &'a How,
    methods: Vec<Choice>,
    proofs: Vec<Choice>,
    errors: Vec<FieldError>,
}

/// S0-14.
const OUTSIDE: &str = "個人番号を持てるのは、介護保険の被保険者と、その世帯員だけです。資格と世帯を確かめてください。";

/// 登録 or 訂正.
#[derive(Clone, Copy)]
struct Work {
    code: &'static str,
    verb: &'static str,
    kind: Kind,
    action: Action,
}

const WORKS: [Work; 2] = [
    Work {
        code: "register",
        verb: "登録",
        kind: Kind::Register,
        action: action::NUMBER_REGISTER,
    },
    Work {
        code: "correct",
        verb: "訂正",
        kind: Kind::Correct,
        action: action::NUMBER_CORRECT,
    },
];

fn work(code: &str) -> Option<Work> {
    WORKS.into_iter().find(|w| w.code == code)
}

async fn form(
    room: &CareInsurance,
    visitor: &Visitor,
    frame: &Frame,
    person: PersonId,
    work: Work,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Response {
    let seen = match see(room, visitor, person, Purpose::CareInsurance).await {
        Ok(seen) => seen,
        Err(error) => return told(error),
    };
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let frame = frame
        .clone()
        .with_title(format!("個人番号の{}", work.verb))
        .with_current("/insurance/numbers");
    html_with_status(
        status,
        WritePage {
            frame: &frame,
            person,
            what: work.code,
            verb: work.verb,
            who: seen.who,
            given: &sent.given,
            purposes: sent.given.purposes(),
            how: &sent.how,
            methods: sent.how.methods(),
            proofs: sent.how.proofs(),
            errors,
        },
    )
}

#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    #[serde(flatten)]
    given: Given,
    #[serde(flatten)]
    how: How,
}

/// GET /insurance/numbers/persons/{person}/{what}
pub(crate) async fn ask(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path((person, what)): Path<(String, String)>,
) -> Response {
    let Some(work) = work(&what) else {
        return mimamori_pages::Problem::not_found().into_response();
    };
    form(
        &room,
        &visitor,
        &frame,
        parsed(&person),
        work,
        &Sent::default(),
        vec![],
    )
    .await
}

/// The reference of the person, made with its line when there is none.
async fn reference(
    room: &CareInsurance,
    permit: PersonPermit,
) -> Result<(NumberRef, u64), DeskError> {
    let person = permit.person();
    let permit = permit.whole().await?;
    let job = room.gate.job(action::NUMBER_OUTCOME, None).await?;
    let sql = "SELECT reference FROM care_insurance_number WHERE person = ? AND ended = 0";
    let known = job.rows(sql, vec![person.bytes().into()]).await?;
    match known.first() {
        Some(row) => {
            let reference = NumberRef::from_bytes(row.array(0)?);
            let line = permit
                .reveal(mimamori_gate::Hidden::nothing())
                .await?
                .line();
            Ok((reference, line))
        }
        None => {
            let reference = NumberRef::random(&*room.random);
            let line = permit
                .change(vec![book::new_reference(&person, &reference)], None)
                .await?;
            // Somebody else may have made one at the same moment: the stored one counts.
            let stored = job.rows(sql, vec![person.bytes().into()]).await?;
            let stored = stored.first().map(|row| row.array(0)).transpose()?;
            Ok((stored.map_or(reference, NumberRef::from_bytes), line))
        }
    }
}

/// POST /insurance/numbers/persons/{person}/{what}: leads to the room's form.
pub(crate) async fn enter(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    headers: HeaderMap,
    Path((person, what)): Path<(String, String)>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let person = parsed(&person);
    let Some(work) = work(&what) else {
        return mimamori_pages::Problem::not_found().into_response();
    };
    let (given, how) = (
        sent.given.read(),
        sent.how.read(room.clock.now().office_day()),
    );
    let ((purpose, reason), how) = match (given, how) {
        (Ok(given), Ok(how)) => (given, how),
        (given, how) => {
            let mut errors = given.err().unwrap_or_default();
            errors.extend(how.err().unwrap_or_default());
            return form(&room, &visitor, &frame, person, work, &sent, errors).await;
        }
    };
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let permit = room
            .gate
            .person(&visitor, work.action, purpose, person, Some(reason))
            .await?;
        let permit = permit.whole().await?;
        let Some(address_number) = book::in_scope(&room.gate, &person).await? else {
            let error = FieldError::new("purpose", OUTSIDE);
            return Ok(form(&room, &visitor, &frame, person, work, &sent, vec![error]).await);
        };
        let (_, port) = desk.ready(&room.gate).await?;
        let (reference, line) = reference(&room, permit).await?;
        let mut order = order(&visitor, work.kind, Some(reference), line, how);
        order.address_number = address_number;
        let ticket = desk.ticket(order).await?;
        let who = see(&room, &visitor, person, purpose).await?.who;
        let origin = desk.origin(&headers, port);
        let page = EntryPage {
            frame: &frame
                .clone()
                .with_title(format!("個人番号の{}", work.verb))
                .with_current("/insurance/numbers"),
            source: format!("{origin}/entry/{ticket}"),
            title: "個人番号の入力",
            next: format!("/insurance/numbers/persons/{person}"),
            next_label: "終わる",
            ticket: String::new(),
            purpose: purpose.code(),
            line,
            who,
        };
        Ok::<_, DeskError>(framing(html(page), origin))
    };
    done.await.unwrap_or_else(told)
}

/// POST /insurance/numbers/persons/{person}/inquire: registers the number that 統合宛名 holds; nobody types it.
pub(crate) async fn inquire(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Path(person): Path<String>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let person = parsed(&person);
    let again = async |errors| form(&room, &visitor, &frame, person, WORKS[0], &sent, errors).await;
    let (purpose, reason) = match sent.given.read() {
        Ok(read) => read,
        Err(errors) => return again(errors).await,
    };
    let wrong = |text: &str| vec![FieldError::new("purpose", text)];
    let done = async {
        let desk = match numbers(&room) {
            Ok(desk) => desk,
            Err(page) => return Ok(page),
        };
        let permit = room
            .gate
            .person(
                &visitor,
                action::NUMBER_REGISTER,
                purpose,
                person,
                Some(reason),
            )
            .await?;
        let permit = permit.whole().await?;
        let Some(address_number) = book::in_scope(&room.gate, &person).await? else {
            return Ok(again(wrong(OUTSIDE)).await);
        };
        desk.ready(&room.gate).await?;
        let (reference, line) = reference(&room, permit).await?;
        let obtained = Obtained {
            acquired: room.clock.now().office_day().to_string(),
            method: "joint".into(),
            proof: "none".into(),
        };
        let mut order = order(&visitor, Kind::Register, Some(reference), line, obtained);
        order.address_number = address_number;
        let told = match desk.link(LinkAsk::Fetch(order)).await? {
            LinkTold::Fetched(told) => told,
            LinkTold::Failed { text, advice, .. } => {
                return Ok(again(wrong(&format!("{text} {advice}"))).await);
            }
            _ => return Err(NumbersError::Speech.into()),
        };
        desk.sync(&room.gate).await?;
        let why = match told.as_str() {
            "done" | "same" => {
                return Ok(
                    Redirect::to(&format!("/insurance/numbers/persons/{person}")).into_response(),
                );
            }
            "taken" => {
                "統合宛名の番号は、別の人に登録されています。番号と人を確かめ、責任者に伝えてください。"
            }
            "exists" => {
                "この人には別の個人番号が登録されています。「訂正」か、連携の画面の「相違」で処理してください。"
            }
            _ => "統合宛名に、この人の個人番号がありません。",
        };
        Ok::<_, DeskError>(again(wrong(why)).await)
    };
    done.await.unwrap_or_else(super::told)
}
