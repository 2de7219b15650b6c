use axum::extract::{Path, Query};
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, GateError, Purpose, Record, Statement};
use mimamori_identity::{AccountChange, Visitor};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::Quarter;
use crate::error::answer;
use crate::people::record::{name, terms};
use crate::people::rule::{few_left, held, live, roles, state};
use crate::people::store::{Event, user as user_of};
use crate::people::{before_end, few, id, offers, stop, told_few};
use crate::screen::{Cell, Desk, FormPage, Sent, SheetPage, day, moment};
use crate::{Operations, OperationsError, action};

/// What a reviewer says of a user: code and words.
const ANSWER: [(&str, &str); 3] = [
    ("keep", "このまま続ける"),
    ("change", "権限を変える（別に申請する）"),
    ("end", "利用を停止する（すぐに効く）"),
];

#[derive(serde::Deserialize)]
pub(crate) struct Which {
    quarter: Option<String>,
}

fn words(record: &Record) -> String {
    let code = record.text("answer").unwrap_or("");
    let found = ANSWER.iter().find(|(c, _)| *c == code);
    found.map_or(String::new(), |(_, w)| (*w).to_owned())
}

/// GET /operations/reviews
pub(crate) async fn list(Desk(room, visitor, frame): Desk, Query(which): Query<Which>) -> Response {
    let now = room.clock.now();
    let today = Quarter::of(now.office_day());
    let asked = which.quarter.as_deref().and_then(Quarter::from_code);
    let quarter = asked.unwrap_or(today);
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::REVIEW_LIST, Purpose::Operation, None)
            .await?;
        let accounts = permit.accounts(now).await?;
        let answers = permit
            .fetch(
                "operations_review",
                &["user_id", "answer", "reviewer", "answered_at", "note"],
                "quarter = ?",
                vec![quarter.code().into()],
            )
            .await?;
        Ok::<_, OperationsError>(permit.reveal(accounts.and(answers)).await?)
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let (accounts, answers) = &*shown;
    let late = now.office_day() > quarter.due();
    let of = |user: UserId| answers.iter().find(|r| user_of(r, "user_id") == Some(user));
    // Whoever was looked at stays on the list, also when the look ended the account.
    let asked: Vec<_> = accounts
        .iter()
        .filter(|a| of(a.id).is_some() || live(a) && quarter == today)
        .collect();
    let left = asked.iter().filter(|a| of(a.id).is_none()).count();
    let rows = asked.iter().map(|a| {
        let mut row = vec![
            Cell::text(&a.name),
            Cell::text(&a.org.name),
            Cell::text(roles(a)),
            Cell::Badge(state(a, now.0).0, state(a, now.0).1.into()),
        ];
        match of(a.id) {
            Some(record) => {
                let at = record.int("answered_at").map_or(String::new(), moment);
                let by = name(accounts, user_of(record, "reviewer"));
                row.push(Cell::text(words(record)));
                row.push(Cell::text(format!("{by} {at}")));
            }
            None => {
                let words = if late {
                    "期限を過ぎています"
                } else {
                    "まだです"
                };
                row.push(Cell::Badge(
                    if late { "danger" } else { "warning" },
                    words.into(),
                ));
                let mine = offers(&room, &visitor, action::REVIEW_ANSWER, Some(a.id));
                row.push(match mine {
                    false => Cell::text("ほかの人が確認します"),
                    true => Cell::Link(
                        format!("/operations/reviews/{}", a.id),
                        format!("{}を確認する", a.name),
                    ),
                });
            }
        }
        row
    });
    let heads = ["氏名", "所属・機関", "役割", "状態", "結果", "確認"];
    let mut sheet =
        SheetPage::new(&frame, "権限の棚卸し", shown.line()).current("/operations/people");
    if late && left > 0 {
        sheet = sheet.banner(
            "danger",
            "期限を過ぎています。",
            format!("{left}人の確認が終わっていません。"),
        );
    }
    sheet
        .words(quarter.japanese())
        .words(format!(
            "確認の期限: {}（四半期の2か月目の末日。想定）",
            day(quarter.due())
        ))
        .words(format!("{}人のうち、残り{left}人です。", asked.len()))
        .link(
            format!("/operations/reviews?quarter={}", quarter.before().code()),
            "前の四半期の結果",
        )
        .table(
            "確認する利用者",
            &heads,
            rows.collect(),
            "確認した利用者はいません。",
        )
        .answer()
}

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let act = action::REVIEW_ANSWER;
    let (account, left) = before_end(room, visitor, act, id(user)?, None).await?;
    let now = room.clock.now();
    let mut facts = terms(&account, now.0);
    for duty in &account.held {
        facts.push(Term::new(duty.role.japanese(), held(duty)));
    }
    let answers = ANSWER.map(|(code, words)| (code.to_owned(), words.to_owned()));
    let fields = vec![
        sent.choose("answer", "結果", answers, ""),
        sent.line("note", "所見", false, "変える・停止するときは必須です。"),
    ];
    // The tick is asked for once an end was chosen.
    let few = few(left.filter(|_| sent.get("answer") == "end"));
    Ok(FormPage::new(
        frame,
        "権限の棚卸しの確認",
        format!("/operations/reviews/{user}"),
        "/operations/reviews",
    )
    .words(Quarter::of(now.office_day()).japanese())
    .words("在籍・所属・役割・利用範囲が、いまの仕事に合っているかを確かめてください。")
    .terms(facts)
    .fields(fields.into_iter().chain(few).collect())
    .button("answer", "確認を記録する", "primary")
    .answer(errors))
}

/// GET /operations/reviews/{user}
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Path(user): Path<String>) -> Response {
    form(&room, &visitor, &frame, &user, (&Sent::default(), vec![]))
        .await
        .unwrap_or_else(answer)
}

/// The answer of this quarter; whoever answers second is told so and changes nothing.
fn write(
    quarter: Quarter,
    user: UserId,
    code: &str,
    by: UserId,
    note: &str,
    now: Instant,
) -> Statement {
    Statement::expecting(
        "INSERT INTO operations_review (quarter, user_id, answer, reviewer, answered_at, note) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (quarter, user_id) DO NOTHING",
        vec![
            quarter.code().into(),
            user.bytes().into(),
            code.into(),
            by.bytes().into(),
            now.0.into(),
            note.into(),
        ],
        1,
        "review-answered",
    )
}

async fn act(
    room: &Operations,
    visitor: &Visitor,
    user: UserId,
    sent: &mut Sent,
) -> Result<&'static str, OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(
            visitor,
            action::REVIEW_ANSWER,
            Purpose::Operation,
            Some(user),
        )
        .await?;
    let chosen = sent.one("answer", &ANSWER, |(code, _)| code);
    let note = sent.text("note");
    if note.is_empty() && chosen.is_some_and(|(code, _)| code != "keep") {
        sent.refuse("note", "所見を入力してください。");
    }
    let (Some((code, words)), true) = (chosen, sent.errors.is_empty()) else {
        return Err(sent.refused());
    };
    let known = permit.accounts(now).await?;
    let (by, random, told) = (visitor.user, room.random.clone(), told_few(sent));
    permit
        .change(known, now, move |accounts| {
            let account = accounts.iter().find(|a| a.id == user);
            let account = account.ok_or(GateError::NotFound)?;
            if !account.active {
                return Err(OperationsError::Stopped);
            }
            let quarter = Quarter::of(now.office_day());
            let reason = format!("{}: {words} {note}", quarter.japanese());
            let event = Event {
                user,
                kind: "権限の棚卸し",
                by,
                reason: &reason,
                checked: "",
            };
            let mut change = match code {
                "end" => {
                    told(few_left(&accounts, user, None, now.0))?;
                    stop::ending(account, by, &reason, now, &*random)?
                }
                _ => Change {
                    accounts: AccountChange::default(),
                    ..Change::default()
                },
            };
            change.statements.push(event.write(now, &*random));
            change
                .statements
                .push(write(quarter, user, code, by, &note, now));
            change.words = format!("棚卸し {} {reason}", account.login);
            Ok((change, ()))
        })
        .await?;
    Ok(code)
}

/// POST /operations/reviews/{user}
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let whom = match id(&user) {
        Ok(id) => id,
        Err(error) => return answer(error),
    };
    match act(&room, &visitor, whom, &mut sent).await {
        Ok("end") => {
            (room.end_sessions)(&whom);
            Redirect::to("/operations/reviews").into_response()
        }
        Ok("change") => Redirect::to(&format!("/operations/people/{user}")).into_response(),
        Ok(_) => Redirect::to("/operations/reviews").into_response(),
        Err(OperationsError::Input(errors)) => {
            form(&room, &visitor, &frame, &user, (&sent, errors))
                .await
                .unwrap_or_else(answer)
        }
        Err(error) => answer(error),
    }
}
