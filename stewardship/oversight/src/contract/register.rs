//! Binds a contract of identity to the case that it carries out (S0-53, S1-21).

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::{Visitor, last_day};
use mimamori_kernel::id::ContractId;
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::obligation::{opening, spans};
use super::store::{Entry, Variant, entries};
use crate::council::page::{days, partner};
use crate::council::store::cases;
use crate::error::answer;
use crate::screen::{Desk, FormPage, Sent, again};
use crate::sheet::CaseId;
use crate::{Oversight, OversightError, action, id};

/// How a partner can be chosen (選定方法).
const CHOSEN: [(&str, &str); 4] = [
    ("proposal", "公募プロポーザル（企画提案・評価）"),
    ("tender", "競争入札"),
    ("negotiated", "随意契約"),
    ("other", "その他"),
];

async fn form(
    room: &Oversight,
    visitor: &Visitor,
    frame: &Frame,
    contract: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OversightError> {
    let permit = room
        .gate
        .office(visitor, action::REGISTER_ENTER, Purpose::Operation, None)
        .await?;
    let wanted: ContractId = id(contract)?;
    let known = permit
        .contracts()
        .await?
        .and(permit.organisations().await?)
        .and(cases(&permit).await?);
    let ((contracts, organisations), cases) = permit.reveal(known).await?.into_inner();
    let found = contracts.iter().find(|c| c.id == wanted);
    let found = found.ok_or(GateError::NotFound)?;
    let cases = cases.iter().map(|c| (c.id.to_string(), c.subject.clone()));
    let variants = Variant::ALL.map(|v| (v.code().to_owned(), v.japanese().to_owned()));
    let chosen = CHOSEN.map(|(code, words)| (code.to_owned(), words.to_owned()));
    let at = format!("/oversight/contracts/{contract}/register");
    Ok(FormPage::new(frame, "契約台帳への登録", at, "/oversight")
        .words("登録すると、案件の有効なシートに書かれた項目を、この契約の期間に渡せるようになります。特記事項の各項は、義務の一覧に入ります。")
        .terms(vec![
            Term::new("契約", found.subject.clone()),
            Term::new("委託先", partner(&organisations, found.org)),
            Term::new("期間", days(found)),
        ])
        .fields(vec![
            sent.choose_field("case", "案件", cases, "この契約で行う案件です。"),
            sent.choose_field("variant", "特記事項", variants, "第11項の文言で選びます。"),
            sent.choose_field("chosen", "選定方法", chosen, ""),
            sent.line_field("why", "選定理由", true, "例: 認証を取得し、十分な知識と経験があるため"),
            sent.line_field("started", "業務の開始日", false, "空欄は契約の最初の日。"),
        ])
        .button("register", "契約台帳に登録する", "primary")
        .answer(errors))
}

/// GET /oversight/contracts/{contract}/register
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    Path(contract): Path<String>,
) -> Response {
    let first = (&Sent::default(), vec![]);
    form(&room, &visitor, &frame, &contract, first)
        .await
        .unwrap_or_else(answer)
}

async fn register(
    room: &Oversight,
    visitor: &Visitor,
    contract: &str,
    sent: &mut Sent,
) -> Result<Response, OversightError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::REGISTER_ENTER, Purpose::Operation, None)
        .await?;
    let contract: ContractId = id(contract)?;
    let case = sent.get("case").parse::<CaseId>();
    if case.is_err() {
        sent.refuse("case", "案件を選んでください。");
    }
    let variant = sent.one("variant", &Variant::ALL.map(Variant::code));
    let chosen = sent.one("chosen", &CHOSEN.map(|(code, _)| code));
    let why = sent.need("why", "選定理由を入力してください。");
    let started = sent.day("started");
    sent.complete()?;
    let (Ok(case), Some(variant)) = (case, variant.and_then(Variant::from_code)) else {
        return Err(OversightError::field("case", "案件を選んでください。"));
    };
    let words = CHOSEN.iter().find(|(code, _)| Some(*code) == chosen);
    let words = words.map_or("", |(_, words)| *words).to_owned();
    let by = visitor.user;
    let known = permit
        .contracts()
        .await?
        .and(cases(&permit).await?)
        .and(entries(&permit).await?)
        .and(spans(&permit).await?);
    let random = room.random.clone();
    permit
        .change(known, now, move |(((contracts, cases), entries), spans)| {
            let found = contracts.iter().find(|c| c.id == contract);
            let found = found.ok_or(GateError::NotFound)?;
            if entries.iter().any(|e| e.contract == contract) {
                return Err(OversightError::field(
                    "case",
                    "この契約は、すでに契約台帳にあります。",
                ));
            }
            if !cases.iter().any(|c| c.id == case) {
                return Err(OversightError::field("case", "この案件は選べません。"));
            }
            let first = last_day(found.from + 1);
            let entry = Entry {
                contract,
                case,
                variant,
                chosen_by: words,
                why,
                started: started.unwrap_or(first).to_string(),
                entered_by: by,
                entered_at: now.0,
            };
            let mut statements = vec![entry.write()];
            statements.extend(opening(&entry, found, spans, &*random));
            let change = Change {
                statements,
                words: format!("契約台帳 {}", found.subject),
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await?;
    Ok(Redirect::to(&format!("/oversight/contracts/{contract}")).into_response())
}

/// POST /oversight/contracts/{contract}/register
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(contract): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = register(&room, &visitor, &contract, &mut sent).await;
    again(done, async |errors| {
        form(&room, &visitor, &frame, &contract, (&sent, errors)).await
    })
    .await
}
