//! Limits of one user's rights by data class: they narrow what the role permits (S4-28).

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::Purpose;
use mimamori_identity::{Scope, Visitor};
use mimamori_kernel::id::UserId;
use mimamori_pages::{FieldError, Frame, LimitedForm};

use super::{about, ask, before, id};
use crate::error::answer;
use crate::request::Asked;
use crate::screen::{Desk, Field, FormPage, Sent, classes, marks, moved};
use crate::{Operations, OperationsError, action};

const EXTENT: [(&str, &str); 2] = [
    ("whole", "役割で認められたすべて"),
    ("narrow", "下で選んだ情報だけ"),
];

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: &str,
    sent: Option<&Sent>,
    errors: Vec<FieldError>,
) -> Result<Response, OperationsError> {
    let account = before(room, visitor, action::SCOPE_PROPOSE, id(user)?).await?;
    let Scope { read, write } = match sent {
        Some(sent) => Scope {
            read: classes(sent, "read"),
            write: classes(sent, "write"),
        },
        None => account.scope,
    };
    let first = Sent::from(vec![(
        "extent".to_owned(),
        match account.scope == Scope::WHOLE {
            true => "whole".to_owned(),
            false => "narrow".to_owned(),
        },
    )]);
    let sent = sent.unwrap_or(&first);
    let extent = EXTENT.map(|(code, words)| (code.to_owned(), words.to_owned()));
    let at = format!("/operations/people/{user}");
    Ok(
        FormPage::new(frame, "利用範囲の変更の申請", format!("{at}/scope"), &at)
            .words("役割で認められた範囲を、この利用者だけ狭くします。広くすることはできません。")
            .words("別の運営管理責任者か事業責任者が承認すると効きます。")
            .terms(about(&account))
            .fields(vec![
                sent.choose("extent", "範囲", extent, ""),
                Field::Marks {
                    name: "read",
                    legend: "閲覧できる情報",
                    hint: "",
                    marks: marks("read", read),
                },
                Field::Marks {
                    name: "write",
                    legend: "変更できる情報",
                    hint: "変更できるのは、閲覧できる情報だけです。",
                    marks: marks("write", write),
                },
                sent.line("reason", "理由", true, ""),
            ])
            .button("propose", "申請する", "primary")
            .answer(errors),
    )
}

/// GET /operations/people/{user}/scope
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Path(user): Path<String>) -> Response {
    form(&room, &visitor, &frame, &user, None, vec![])
        .await
        .unwrap_or_else(answer)
}

async fn propose(
    room: &Operations,
    visitor: &Visitor,
    user: UserId,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let permit = room
        .gate
        .office(
            visitor,
            action::SCOPE_PROPOSE,
            Purpose::Operation,
            Some(user),
        )
        .await?;
    let extent = sent.one("extent", &EXTENT, |(code, _)| code);
    let reason = sent.need("reason", "理由を入力してください。");
    let scope = match extent {
        Some(("whole", _)) | None => Scope::WHOLE,
        Some(_) => Scope {
            read: classes(sent, "read"),
            write: classes(sent, "write"),
        },
    };
    if scope.write & !scope.read != 0 {
        sent.refuse(
            "write",
            "変更できる情報は、閲覧できる情報の中から選んでください。",
        );
    }
    sent.complete()?;
    ask(
        room,
        permit,
        visitor,
        user,
        Asked::Scope { user, scope },
        (reason, "利用範囲の申請"),
    )
    .await
}

/// POST /operations/people/{user}/scope
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async { propose(&room, &visitor, id(&user)?, &mut sent).await }.await;
    moved(
        done,
        &format!("/operations/people/{user}"),
        async |errors| form(&room, &visitor, &frame, &user, Some(&sent), errors).await,
    )
    .await
}
