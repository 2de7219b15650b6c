use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{Change, Class, Classes, GateError, Purpose};
use mimamori_identity::{Contract, OrgKind, Organisation, Terms, Visitor, end_contract, last_day};
use mimamori_kernel::id::{ContractId, OrgId, RequestId};
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::rule::days;
use crate::error::answer;
use crate::people::{id, may, offers};
use crate::request::{Asked, Request, State as At};
use crate::screen::{
    Cell, Desk, Field, FormPage, Mark, Sent, SheetPage, classes, day, marks, mask, moved, ticked,
};
use crate::{Operations, OperationsError, action};

/// Purposes that a contract can name; a person's own look is nobody's contract.
fn purposes() -> Vec<Purpose> {
    let all = Purpose::ALL.into_iter();
    all.filter(|p| *p != Purpose::Own).collect()
}

fn purpose_words(terms: &Terms) -> String {
    let words: Vec<&str> = purposes()
        .into_iter()
        .filter(|p| terms.purposes.iter().any(|code| code == p.code()))
        .map(Purpose::japanese)
        .collect();
    words.join("、")
}

fn partner(organisations: &[Organisation], org: OrgId) -> String {
    let found = organisations.iter().find(|o| o.org.id == org);
    found.map_or("—".into(), |o| o.org.name.clone())
}

/// GET /operations/contracts
pub(crate) async fn list(Desk(room, visitor, frame): Desk) -> Response {
    let now = room.clock.now().0;
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::CONTRACT_LIST, Purpose::Operation, None)
            .await?;
        let contracts = permit.contracts().await?;
        let organisations = permit.organisations().await?;
        Ok::<_, OperationsError>(permit.reveal(contracts.and(organisations)).await?)
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let (contracts, organisations) = &*shown;
    let ends = offers(&room, &visitor, action::CONTRACT_END, None);
    let rows = contracts.iter().map(|c| {
        let (kind, words) = match c {
            c if c.ended.is_some() => ("danger", "途中で終了"),
            c if c.holds(now) => ("success", "有効"),
            c if now < c.from => ("info", "開始前"),
            _ => ("warning", "期間満了"),
        };
        let end = match c.ended.is_none() && now < c.until && ends {
            true => Cell::Link(
                format!("/operations/contracts/{}/end", c.id),
                format!("{}を終了する", c.subject),
            ),
            false => Cell::text("—"),
        };
        vec![
            Cell::text(&c.subject),
            Cell::text(partner(organisations, c.org)),
            Cell::text(purpose_words(&c.terms)),
            Cell::text(mask(c.terms.classes)),
            Cell::text(format!(
                "{}〜{}",
                day(last_day(c.from + 1)),
                day(last_day(c.until))
            )),
            Cell::Badge(kind, words.into()),
            end,
        ]
    });
    let heads = [
        "件名",
        "委託先",
        "目的",
        "情報の区分",
        "期間",
        "状態",
        "手続",
    ];
    let mut sheet = SheetPage::new(&frame, "委託契約", shown.line())
        .current("/operations/people")
        .words("委託先の利用者は、有効な契約のあいだだけ、契約に書かれた目的と情報にだけ使えます。更新しなければ3月31日に終わります。");
    if offers(&room, &visitor, action::CONTRACT_PROPOSE, None) {
        sheet = sheet.link("/operations/contracts/new", "契約の登録・更新を申請する");
    }
    sheet
        .table("委託契約", &heads, rows.collect(), "契約はまだありません。")
        .answer()
}

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, OperationsError> {
    may(room, visitor, action::CONTRACT_PROPOSE, None).await?;
    let permit = room
        .gate
        .office(visitor, action::ORGANISATION_LIST, Purpose::Operation, None)
        .await?;
    let known = permit.organisations().await?;
    let organisations = permit.reveal(known).await?;
    let partners: Vec<_> = organisations
        .iter()
        .filter(|o| o.org.kind == OrgKind::Contractor && o.ended.is_none())
        .map(|o| (o.org.id.to_string(), o.org.name.clone()))
        .collect();
    let aims = purposes().into_iter().map(|p| Mark {
        name: format!("purpose-{}", p.code()),
        label: p.japanese(),
        checked: !sent.get(&format!("purpose-{}", p.code())).is_empty(),
    });
    Ok(FormPage::new(
        frame,
        "契約の登録の申請",
        "/operations/contracts/new",
        "/operations/contracts",
    )
    .words("別の運営管理責任者か事業責任者が承認すると効きます。更新も、次の年度の契約として登録します。")
    .words("年度をまたぐ契約は、年度ごとに登録します（想定）。")
    .fields(vec![
        sent.choose("org", "委託先", partners, ""),
        sent.line("subject", "件名", true, "例: 令和8年度 システム保守"),
        Field::Marks {
            name: "purpose",
            legend: "目的",
            hint: "契約に書かれた目的だけを選びます。",
            marks: aims.collect(),
        },
        Field::Marks {
            name: "class",
            legend: "情報の区分",
            hint: "契約に書かれた情報だけを選びます。個人番号は、この画面からは扱えません。",
            marks: marks("class", classes(sent, "class")),
        },
        sent.line("from", "最初の日", false, "空欄は今日から。例: R9.4.1"),
        sent.line("until", "最後の日", false, "空欄は3月31日。"),
        sent.line("reason", "根拠", true, "例: 契約書の番号"),
    ])
    .button("propose", "申請する", "primary")
    .answer(errors))
}

/// GET /operations/contracts/new
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    form(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

async fn propose(
    room: &Operations,
    visitor: &Visitor,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::CONTRACT_PROPOSE, Purpose::Operation, None)
        .await?;
    let org = sent.get("org").parse::<OrgId>();
    if org.is_err() {
        sent.refuse("org", "委託先を選んでください。");
    }
    let subject = sent.need("subject", "件名を入力してください。");
    let codes: Vec<&str> = purposes().into_iter().map(Purpose::code).collect();
    let aims: Vec<String> = ticked(sent, "purpose", &codes)
        .into_iter()
        .map(str::to_owned)
        .collect();
    if aims.is_empty() {
        sent.refuse("purpose", "目的を選んでください。");
    }
    let named = classes(sent, "class");
    let (from, until) = (sent.day("from"), sent.day("until"));
    let reason = sent.need("reason", "根拠を入力してください。");
    let (Ok(org), true) = (org, sent.errors.is_empty()) else {
        return Err(sent.refused());
    };
    debug_assert!(!Classes::from_bits(named).iter().any(Class::of_number));
    let request = Request {
        id: RequestId::random(&*room.random),
        asked: Asked::Contract {
            org,
            subject,
            terms: Terms {
                purposes: aims,
                classes: named,
            },
            days: days(from, until, now.office_day())?,
        },
        reason,
        proposed_by: visitor.user,
        proposed_at: now.0,
        state: At::Waiting,
    };
    let known = permit.organisations().await?;
    permit
        .change(known, now, move |organisations| {
            let right = |o: &&Organisation| {
                o.org.id == org && o.org.kind == OrgKind::Contractor && o.ended.is_none()
            };
            let Some(found) = organisations.iter().find(right) else {
                return Err(OperationsError::field("org", "この委託先は選べません。"));
            };
            let words = format!("契約の申請 {} {}", found.org.name, request.reason);
            let change = Change {
                statements: vec![request.write()],
                words,
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await?;
    Ok(())
}

/// POST /operations/contracts/new
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = propose(&room, &visitor, &mut sent).await;
    moved(done, "/operations/requests", async |errors| {
        form(&room, &visitor, &frame, &sent, errors).await
    })
    .await
}

async fn end_form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    contract: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let wanted: ContractId = id(contract)?;
    may(room, visitor, action::CONTRACT_END, None).await?;
    let permit = room
        .gate
        .office(visitor, action::CONTRACT_LIST, Purpose::Operation, None)
        .await?;
    let organisations = permit.organisations().await?;
    let found = permit
        .contracts()
        .await?
        .map(|all| all.into_iter().find(|c| c.id == wanted));
    let (found, organisations) = permit.reveal(found.and(organisations)).await?.into_inner();
    let found = found.ok_or(GateError::NotFound)?;
    Ok(FormPage::new(
        frame,
        "契約の終了",
        format!("/operations/contracts/{contract}/end"),
        "/operations/contracts",
    )
    .words("終了すると、この契約で使っている委託先の利用者は、すぐに使えなくなります。")
    .terms(vec![
        Term::new("件名", found.subject),
        Term::new("委託先", partner(&organisations, found.org)),
    ])
    .fields(vec![sent.line("reason", "理由", true, "例: 中途解約")])
    .button("end", "契約を終了する", "danger")
    .answer(errors))
}

/// GET /operations/contracts/{contract}/end
pub(crate) async fn end_page(
    Desk(room, visitor, frame): Desk,
    Path(contract): Path<String>,
) -> Response {
    let first = Sent::default();
    end_form(&room, &visitor, &frame, &contract, (&first, vec![]))
        .await
        .unwrap_or_else(answer)
}

async fn finish(
    room: &Operations,
    visitor: &Visitor,
    contract: ContractId,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::CONTRACT_END, Purpose::Operation, None)
        .await?;
    let reason = sent.need("reason", "理由を入力してください。");
    sent.complete()?;
    let known = permit.contracts().await?.and(permit.accounts(now).await?);
    let done = permit
        .change(known, now, move |(contracts, accounts)| {
            let open = |c: &&Contract| c.id == contract && c.ended.is_none();
            let found = contracts.iter().find(open).ok_or(GateError::NotFound)?;
            let change = Change {
                accounts: end_contract(found, now),
                words: format!("契約の終了 {} {reason}", found.subject),
                ..Change::default()
            };
            let people = accounts.iter().filter(|a| a.org.id == found.org);
            let people: Vec<_> = people.map(|a| a.id).collect();
            Ok::<_, OperationsError>((change, people))
        })
        .await?;
    done.iter().for_each(|user| (room.end_sessions)(user));
    Ok(())
}

/// POST /operations/contracts/{contract}/end
pub(crate) async fn end(
    Desk(room, visitor, frame): Desk,
    Path(contract): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async { finish(&room, &visitor, id(&contract)?, &mut sent).await }.await;
    moved(done, "/operations/contracts", async |errors| {
        end_form(&room, &visitor, &frame, &contract, (&sent, errors)).await
    })
    .await
}
