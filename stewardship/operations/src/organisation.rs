//! 所属・機関: departments, contractors, institutions and universities.

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::{Org, OrgKind, Organisation, Visitor, end_org, enter_org};
use mimamori_kernel::id::OrgId;
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use crate::error::answer;
use crate::people::rule::live;
use crate::people::{id, may, offers};
use crate::screen::{Cell, Desk, FormPage, Sent, SheetPage, moment, moved};
use crate::{Operations, OperationsError, action};

/// Kinds that the office enters; the citizens' side is there from the beginning.
const KINDS: [(OrgKind, &str); 4] = [
    (OrgKind::Department, "市の課・室"),
    (OrgKind::Contractor, "委託先"),
    (OrgKind::Institution, "利用機関（介護・医療）"),
    (OrgKind::University, "大学"),
];

pub(crate) fn kind(kind: OrgKind) -> &'static str {
    let found = KINDS.iter().find(|(k, _)| *k == kind);
    found.map_or("市民", |(_, words)| words)
}

/// GET /operations/organisations
pub(crate) async fn list(Desk(room, visitor, frame): Desk) -> Response {
    let read = async {
        let permit = room
            .gate
            .office(
                &visitor,
                action::ORGANISATION_LIST,
                Purpose::Operation,
                None,
            )
            .await?;
        let accounts = permit.accounts(room.clock.now()).await?;
        let organisations = permit.organisations().await?;
        Ok::<_, OperationsError>(permit.reveal(organisations.and(accounts)).await?)
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let (organisations, accounts) = &*shown;
    let changes = offers(&room, &visitor, action::ORGANISATION_CHANGE, None);
    let rows = organisations
        .iter()
        .filter(|o| o.org.kind != OrgKind::Citizens)
        .map(|o| {
            let people = accounts.iter().filter(|a| a.org.id == o.org.id && live(a));
            vec![
                Cell::text(&o.org.name),
                Cell::text(kind(o.org.kind)),
                Cell::text(format!("{}人", people.count())),
                match o.ended {
                    Some(at) => Cell::text(format!("終了（{}）", moment(at))),
                    None if !changes => Cell::text("—"),
                    None => Cell::Link(
                        format!("/operations/organisations/{}/end", o.org.id),
                        format!("{}を終了する", o.org.name),
                    ),
                },
            ]
        });
    let heads = ["名称", "種別", "利用者", "手続"];
    let mut sheet =
        SheetPage::new(&frame, "所属・機関", shown.line()).current("/operations/people");
    if changes {
        sheet = sheet.link("/operations/organisations/new", "所属・機関を登録する");
    }
    sheet
        .table(
            "所属・機関",
            &heads,
            rows.collect(),
            "所属・機関はまだありません。",
        )
        .answer()
}

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, OperationsError> {
    may(room, visitor, action::ORGANISATION_CHANGE, None).await?;
    let permit = room
        .gate
        .office(visitor, action::ORGANISATION_LIST, Purpose::Operation, None)
        .await?;
    let nothing = permit.organisations().await?.map(drop);
    permit.reveal(nothing).await?;
    let kinds = KINDS.map(|(kind, words)| (kind.code().to_owned(), words.to_owned()));
    Ok(FormPage::new(
        frame,
        "所属・機関の登録",
        "/operations/organisations/new",
        "/operations/organisations",
    )
    .fields(vec![
        sent.choose("kind", "種別", kinds, "登録したあとは変えられません。"),
        sent.line("name", "名称", true, "60文字まで"),
    ])
    .button("enter", "登録する", "primary")
    .answer(errors))
}

/// GET /operations/organisations/new
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    form(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

async fn enter(
    room: &Operations,
    visitor: &Visitor,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let permit = room
        .gate
        .office(
            visitor,
            action::ORGANISATION_CHANGE,
            Purpose::Operation,
            None,
        )
        .await?;
    let chosen = sent.one("kind", &KINDS, |(k, _)| k.code());
    let name = sent.need_name("name", "名称を入力してください。");
    let (Some((kind, _)), true) = (chosen, sent.errors.is_empty()) else {
        return Err(sent.refused());
    };
    let org = Org {
        id: OrgId::random(&*room.random),
        kind,
        name,
    };
    let known = permit.organisations().await?;
    permit
        .change(known, room.clock.now(), move |known| {
            let same = |o: &Organisation| o.ended.is_none() && o.org.name == org.name;
            if known.iter().any(same) {
                return Err(OperationsError::field(
                    "name",
                    "同じ名称の所属・機関があります。",
                ));
            }
            let change = Change {
                accounts: enter_org(&org),
                words: format!("所属・機関の登録 {}", org.name),
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await?;
    Ok(())
}

/// POST /operations/organisations/new
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = enter(&room, &visitor, &mut sent).await;
    moved(done, "/operations/organisations", async |errors| {
        form(&room, &visitor, &frame, &sent, errors).await
    })
    .await
}

async fn end_form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    organisation: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let org: OrgId = id(organisation)?;
    may(room, visitor, action::ORGANISATION_CHANGE, None).await?;
    let permit = room
        .gate
        .office(visitor, action::ORGANISATION_LIST, Purpose::Operation, None)
        .await?;
    let found = permit
        .organisations()
        .await?
        .map(|all| all.into_iter().find(|o| o.org.id == org));
    let shown = permit.reveal(found).await?.into_inner();
    let found = shown.ok_or(GateError::NotFound)?;
    Ok(FormPage::new(
        frame,
        "所属・機関の終了",
        format!("/operations/organisations/{organisation}/end"),
        "/operations/organisations",
    )
    .words("終了すると、ここに所属する利用者は全員、すぐに使えなくなります。元に戻せません。")
    .terms(vec![
        Term::new("名称", found.org.name),
        Term::new("種別", kind(found.org.kind)),
    ])
    .fields(vec![sent.line("reason", "理由", true, "例: 組織の改編")])
    .button("end", "終了する", "danger")
    .answer(errors))
}

/// GET /operations/organisations/{organisation}/end
pub(crate) async fn end_page(
    Desk(room, visitor, frame): Desk,
    Path(organisation): Path<String>,
) -> Response {
    let first = Sent::default();
    end_form(&room, &visitor, &frame, &organisation, (&first, vec![]))
        .await
        .unwrap_or_else(answer)
}

async fn finish(
    room: &Operations,
    visitor: &Visitor,
    org: OrgId,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(
            visitor,
            action::ORGANISATION_CHANGE,
            Purpose::Operation,
            None,
        )
        .await?;
    let reason = sent.need("reason", "理由を入力してください。");
    sent.complete()?;
    let known = permit
        .organisations()
        .await?
        .and(permit.accounts(now).await?);
    let done = permit
        .change(known, now, move |(organisations, accounts)| {
            let open = |o: &&Organisation| o.org.id == org && o.ended.is_none();
            let found = organisations.iter().find(open).ok_or(GateError::NotFound)?;
            let change = Change {
                accounts: end_org(&found.org, &accounts, now)?,
                words: format!("所属・機関の終了 {} {reason}", found.org.name),
                ..Change::default()
            };
            let people = accounts.iter().filter(|a| a.org.id == org);
            let people: Vec<_> = people.map(|a| a.id).collect();
            Ok::<_, OperationsError>((change, people))
        })
        .await?;
    done.iter().for_each(|user| (room.end_sessions)(user));
    Ok(())
}

/// POST /operations/organisations/{organisation}/end
pub(crate) async fn end(
    Desk(room, visitor, frame): Desk,
    Path(organisation): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async { finish(&room, &visitor, id(&organisation)?, &mut sent).await }.await;
    moved(done, "/operations/organisations", async |errors| {
        end_form(&room, &visitor, &frame, &organisation, (&sent, errors)).await
    })
    .await
}
