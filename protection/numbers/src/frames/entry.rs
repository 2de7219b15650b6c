//! The form in which a number is typed: for a search once, for a registration twice.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::TicketId;
use mimamori_pages::{LimitedForm, Problem, html_with_status};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::{broken, session, spent, told};
use crate::desk::Ticket;
use crate::port::Kind;
use crate::room::Room;
use crate::vault::{Entry, Known, Report, Told};
use crate::{Number, NumbersError};

#[derive(Template)]
#[template(path = "numbers/entry.html")]
struct Page {
    ticket: String,
    /// Typed a second time.
    twice: bool,
    button: &'static str,
    error: String,
}

fn page(ticket: &TicketId, kind: Kind, status: StatusCode, error: String) -> Response {
    let button = match kind {
        Kind::Find => "検索する",
        Kind::Correct => "訂正する",
        _ => "登録する",
    };
    let twice = kind != Kind::Find;
    html_with_status(
        status,
        Page {
            ticket: ticket.to_string(),
            twice,
            button,
            error,
        },
    )
}

/// GET /entry/{ticket}
pub(super) async fn form(
    State(room): State<Room>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Ok(ticket) = ticket.parse::<TicketId>() else {
        return spent();
    };
    match room
        .0
        .desk
        .open(&ticket, &session(&room, &headers), room.0.clock.steady())
    {
        Some(kind @ (Kind::Find | Kind::Register | Kind::Correct)) => {
            page(&ticket, kind, StatusCode::OK, String::new())
        }
        _ => spent(),
    }
}

#[derive(serde::Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    number: String,
    #[serde(default)]
    again: String,
}

/// Full-width digits and separators as people type them.
fn narrow(text: &str) -> Zeroizing<String> {
    let kept = text
        .nfkc()
        .filter(|c| !c.is_whitespace() && *c != '-' && !['‐', 'ー', '−', '–', '—'].contains(c));
    Zeroizing::new(kept.collect())
}

/// POST /entry/{ticket}
pub(super) async fn submit(
    State(room): State<Room>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    sent: Result<LimitedForm<Sent>, Problem>,
) -> Response {
    let session = session(&room, &headers);
    let Ok(id) = ticket.parse::<TicketId>() else {
        return spent();
    };
    let Some(ticket) = room.0.desk.take(&id, &session, room.0.clock.steady()) else {
        return spent();
    };
    let kind = ticket.order.kind;
    let again = |ticket: Ticket, error: String| {
        room.0.desk.back(&id, ticket);
        page(&id, kind, StatusCode::BAD_REQUEST, error)
    };
    let Ok(LimitedForm(sent)) = sent else {
        return again(
            ticket,
            "入力を読み取れませんでした。もう一度入力してください。".into(),
        );
    };
    let (typed, second) = (narrow(&sent.number), narrow(&sent.again));
    drop((Zeroizing::new(sent.number), Zeroizing::new(sent.again)));
    if kind != Kind::Find && typed != second {
        return again(
            ticket,
            "2回の入力が違います。書類を見て、2回とも入力し直してください。".into(),
        );
    }
    let number = match Number::parse(&typed) {
        Ok(number) => number,
        Err(error) => return again(ticket, format!("{error} {}", error.advice())),
    };
    match act(&room, id, &ticket, &number).await {
        Ok(told) => answered(told),
        Err(error) => broken(&error),
    }
}

async fn act(
    room: &Room,
    id: TicketId,
    ticket: &Ticket,
    number: &Number,
) -> Result<Told, NumbersError> {
    let vault = &room.0.vault;
    let order = &ticket.order;
    let report = Report {
        ticket: id,
        kind: order.kind.code(),
        line: order.line,
    };
    if order.kind == Kind::Find {
        let found = vault.find(number).await?;
        let told = if found.is_some() {
            Told::Found
        } else {
            Told::None
        };
        vault.report(&report, told, found.as_ref(), (0, 0)).await?;
        return Ok(told);
    }
    let reference = order.reference.ok_or(NumbersError::Speech)?;
    let known = Known::from(order.obtained.clone());
    let entry = Entry {
        reference,
        number,
        known: &known,
        address: Some(&order.address_number),
    };
    match order.kind {
        Kind::Correct => vault.correct(&report, &entry).await,
        _ => vault.register(&report, &entry).await,
    }
}

/// What came of it. A search does not say whose number it is: the register does, with a line of its own.
fn answered(what: Told) -> Response {
    let (title, text) = match what {
        Told::Found => (
            "1人が見つかりました",
            "下の「結果を開く」を押すと、その人を記録とともに表示します。",
        ),
        Told::None => (
            "見つかりません",
            "この番号の人は登録されていません。番号を書類と見比べてください。",
        ),
        Told::Done => ("書き込みました", "下の「終わる」で、もとの画面に戻ります。"),
        Told::Same => (
            "同じ番号です",
            "この人には、いまの番号として同じ番号が登録されています。",
        ),
        Told::Exists => (
            "登録できません",
            "この人には別の個人番号が登録されています。番号が変わったときは「訂正」を使ってください。",
        ),
        Told::Taken => (
            "登録できません",
            "この番号は別の人に登録されています。書類と人を確かめ、責任者に伝えてください。",
        ),
        Told::Stopped | Told::Void => {
            ("処理できませんでした", "もとの画面からやり直してください。")
        }
        Told::Missing => (
            "訂正できません",
            "この人の個人番号は登録されていません。「登録」を使ってください。",
        ),
    };
    let good = matches!(what, Told::Found | Told::None | Told::Done | Told::Same);
    told(
        if good {
            StatusCode::OK
        } else {
            StatusCode::CONFLICT
        },
        title,
        text,
    )
}
