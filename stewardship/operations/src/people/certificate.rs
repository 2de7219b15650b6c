//! 登録済証: the paper that says who is registered as what, given out by the office (S4-52, S4-54).

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{Change, GateError, Hidden, OfficePermit, Purpose, Record};
use mimamori_identity::{Account, Visitor};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::wareki;
use mimamori_kernel::id::UserId;
use mimamori_pages::{FieldError, Frame, LimitedForm, pdf, png};
use mimamori_sheets::{Layout, Sheet};
use serde_json::{Value, json};

use super::record::name;
use super::rule::held;
use super::store::{Event, user as user_of};
use super::{about, id, may};
use crate::error::answer;
use crate::screen::{Desk, Field, FormPage, Mark, Sent, settled};
use crate::{Operations, OperationsError, action};

/// The form; one A4 page.
const CERTIFICATE: Layout = Layout {
    name: "登録済証",
    text: include_str!("../../layouts/certificate.typ"),
};
/// Columns of an approved appointment.
const APPROVED: [&str; 2] = ["role", "decided_by"];
/// Pixels for each point of the preview.
const SCALE: f64 = 1.3;

/// What stands on the paper beside the registration.
struct Issue<'a> {
    number: String,
    stamp: String,
    /// 見本 in a demo, 確認用 on the screen.
    watermark: &'static str,
    issuer: String,
    contact: &'a str,
}

type Known = (Vec<Account>, Vec<Record>);

/// All users, because an approver is one of them, and the approved appointments of one.
async fn known(
    permit: &OfficePermit,
    user: UserId,
    now: Instant,
) -> Result<Hidden<Known>, GateError> {
    let accounts = permit.accounts(now).await?;
    let approved = permit
        .fetch(
            "operations_request",
            &APPROVED,
            "user_id = ? AND kind = 'role' AND state = 'approved' ORDER BY decided_at DESC",
            vec![user.bytes().into()],
        )
        .await?;
    Ok(accounts.and(approved))
}

/// The values of the form. Duties that are over are left out; one without a request was entered
/// when the system was set up.
fn values(account: &Account, (accounts, approved): &Known, issue: &Issue, now: Instant) -> Value {
    let approver = |code: &str| {
        let found = approved.iter().find(|r| r.text("role") == Some(code));
        let found = found.map(|r| name(accounts, user_of(r, "decided_by")));
        found.unwrap_or_else(|| "運用を始めたときの登録".into())
    };
    let roles: Vec<Value> = account
        .held
        .iter()
        .filter(|h| !h.over(now.0))
        .map(|h| {
            json!({
                "role": h.role.japanese(),
                "period": held(h),
                "approver": approver(h.role.code()),
            })
        })
        .collect();
    json!({
        "number": issue.number,
        "issued": wareki(now.office_day().into()),
        "login": account.login,
        "name": account.name,
        "org": account.org.name,
        "roles": roles,
        "issuer": issue.issuer,
        "contact": issue.contact,
        "form": "様式 O-01（想定）",
        "stamp": issue.stamp,
        "watermark": issue.watermark,
    })
}

/// Who signs.
pub(crate) fn issuer(visitor: &Visitor) -> String {
    format!(
        "{}　{}　{}",
        visitor.org_name,
        visitor.role.japanese(),
        visitor.name
    )
}

/// Somebody who has a duty; nobody else gets the paper.
fn registered(known: &Known, user: UserId, now: Instant) -> Result<&Account, OperationsError> {
    let account = known.0.iter().find(|a| a.id == user);
    let account = account.ok_or(GateError::NotFound)?;
    match account.active && account.held.iter().any(|h| !h.over(now.0)) {
        true => Ok(account),
        false => Err(OperationsError::NoDuty),
    }
}

/// The certificate for the screen, with the account and the line of the look.
async fn look(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: UserId,
) -> Result<(Account, Sheet), OperationsError> {
    let now = room.clock.now();
    may(room, visitor, action::CERTIFICATE, Some(user)).await?;
    let permit = room
        .gate
        .office(visitor, action::OPEN, Purpose::Operation, Some(user))
        .await?;
    let found = known(&permit, user, now).await?;
    let found = permit.reveal(found).await?;
    let account = registered(&found, user, now)?;
    let issue = Issue {
        number: "登録済証 第（発行のときに付きます）号".into(),
        stamp: "画面の確認用（見本）".into(),
        watermark: "確認用",
        issuer: issuer(visitor),
        contact: frame.contact.as_deref().unwrap_or(""),
    };
    let values = values(account, &found, &issue, now);
    Ok((account.clone(), room.press.set(CERTIFICATE, values).await?))
}

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let (account, sheet) = look(room, visitor, frame, id(user)?).await?;
    let at = format!("/operations/people/{user}");
    let mut fields = vec![sent.line("reason", "印刷の理由", true, "例: 新しい利用者への交付")];
    let mut page = FormPage::new(frame, "登録済証の交付", format!("{at}/certificate"), &at)
        .words("登録済証をPDFで作ります。番号が付き、だれが、だれの分を、いつ印刷したかが記録されます。")
        .words("様式は想定です。パスワードは印刷されません。")
        .terms(about(&account))
        .picture(format!("{at}/certificate/picture"), "登録済証の見本の画像");
    if !sheet.unprintable().is_empty() {
        for one in sheet.unprintable() {
            page = page.words(format!(
                "紙に出せない文字があります: {}（{}）",
                one.codes(),
                one.why.japanese()
            ));
        }
        fields.push(Field::Marks {
            name: "accept",
            legend: "紙に出せない文字",
            hint: "書体にない文字は〓で印刷されます。",
            marks: vec![Mark {
                name: "accept-yes".into(),
                label: "このまま印刷する",
                checked: false,
            }],
        });
    }
    Ok(page
        .fields(fields)
        .button("print", "PDFを作り、交付を記録する", "primary")
        .answer(errors))
}

/// GET /operations/people/{user}/certificate
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Path(user): Path<String>) -> Response {
    form(&room, &visitor, &frame, &user, (&Sent::default(), vec![]))
        .await
        .unwrap_or_else(answer)
}

/// GET /operations/people/{user}/certificate/picture
pub(crate) async fn picture(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
) -> Response {
    let made = async {
        let (_, sheet) = look(&room, &visitor, &frame, id(&user)?).await?;
        Ok::<_, OperationsError>(sheet.picture(1, SCALE)?)
    };
    made.await.map_or_else(answer, png)
}

async fn print(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: UserId,
    sent: &mut Sent,
) -> Result<Response, OperationsError> {
    let reason = sent.need("reason", "印刷の理由を入力してください。");
    // Looked at before it is counted: what paper cannot show stops it here.
    let (account, seen) = look(room, visitor, frame, user).await?;
    if !seen.unprintable().is_empty() && sent.get("accept-yes").is_empty() {
        sent.refuse("accept", "紙に出せない文字を確かめてください。");
    }
    sent.complete()?;
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::CERTIFICATE, Purpose::Operation, Some(user))
        .await?;
    let found = known(&permit, user, now).await?;
    let event = Event {
        user,
        kind: "登録済証の交付",
        by: visitor.user,
        reason: &reason,
        checked: "",
    };
    let change = Change {
        statements: vec![event.write(now, &*room.random)],
        words: format!("登録済証の交付 {} {reason}", account.login),
        ..Change::default()
    };
    let (found, stamp) = permit.take_out(found, change, now).await?;
    let account = registered(&found, user, now)?;
    let issue = Issue {
        number: format!("登録済証 第{}号", stamp.line),
        stamp: stamp.to_string(),
        watermark: if frame.demo { "見本" } else { "" },
        issuer: issuer(visitor),
        contact: frame.contact.as_deref().unwrap_or(""),
    };
    let values = values(account, &found, &issue, now);
    let sheet = room.press.set(CERTIFICATE, values).await?;
    Ok(pdf(&format!("certificate-{}", stamp.line), sheet.pdf()?))
}

/// POST /operations/people/{user}/certificate
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = match id(&user) {
        Ok(id) => print(&room, &visitor, &frame, id, &mut sent).await,
        Err(error) => Err(error),
    };
    settled(done, async |errors| {
        form(&room, &visitor, &frame, &user, (&sent, errors)).await
    })
    .await
}
