//! Registers a user: an account without a role, a request for one, and the slip.

use axum::response::Response;
use mimamori_gate::{Change, Purpose};
use mimamori_identity::{
    Account, Contract, Entrant, Initial, OrgKind, Organisation, Role, Ties, Visitor, register,
};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{OrgId, RequestId, UserId};
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::resident::{declared, fields};
use super::rule::{period, roles_of};
use super::store::Event;
use crate::error::answer;
use crate::request::{Asked, Request, State as At};
use crate::screen::{Desk, FormPage, Sent, SheetPage, day};
use crate::{INITIAL, Operations, OperationsError, action};

const BACK: &str = "/operations/people";

fn choices(organisations: &[Organisation]) -> Vec<(String, String)> {
    organisations
        .iter()
        .filter(|o| o.ended.is_none() && o.org.kind != OrgKind::Citizens)
        .map(|o| (o.org.id.to_string(), o.org.name.clone()))
        .collect()
}

fn roles() -> Vec<(String, String)> {
    Role::ALL
        .into_iter()
        .filter(|r| !matches!(r, Role::Citizen | Role::Proxy))
        .map(|r| (r.code().to_owned(), r.japanese().to_owned()))
        .collect()
}

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, OperationsError> {
    super::may(room, visitor, action::REGISTER, None).await?;
    let permit = room
        .gate
        .office(visitor, action::ORGANISATION_LIST, Purpose::Operation, None)
        .await?;
    let organisations = permit.organisations().await?;
    let organisations = permit.reveal(organisations).await?;
    Ok(
        FormPage::new(frame, "利用者の登録", "/operations/people/new", BACK)
            .words("登録した利用者は、別の人が任命を承認するまで、何もできません。管理・監査の役割では、承認した人の画面に新しい初期パスワードが出て、登録のときの控えは使えなくなります。")
            .fields({
                let mut all = vec![
                sent.line(
                    "login",
                    "ID",
                    true,
                    "半角の英小文字・数字・ハイフンで3〜40文字。一度使ったIDは使えません。",
                ),
                sent.line("name", "氏名", true, ""),
                sent.choose("org", "所属・機関", choices(&organisations), ""),
                sent.choose("role", "申請する役割", roles(), ""),
                sent.line("from", "任命の最初の日", false, "空欄はすぐに。例: R9.4.1"),
                sent.line(
                    "until",
                    "任命の最後の日",
                    false,
                    "空欄は期限なし。例: R10.3.31",
                ),
                sent.line("reason", "理由", true, "例: 4月1日付けの異動のため"),
                ];
                all.extend(fields(sent));
                all
            })
            .button("register", "登録して任命を申請する", "primary")
            .answer(errors),
    )
}

/// GET /operations/people/new
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    form(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

struct Wanted {
    entrant: Entrant,
    role: Role,
    period: mimamori_identity::Period,
    ties: Ties,
    reason: String,
}

fn wanted(sent: &mut Sent, today: jiff::civil::Date) -> Result<Wanted, OperationsError> {
    let login = sent.need("login", "IDを入力してください。");
    let name = sent.need_name("name", "氏名を入力してください。");
    let org = sent.get("org").parse::<OrgId>();
    if org.is_err() {
        sent.refuse("org", "所属・機関を選んでください。");
    }
    let role = sent.one("role", &Role::ALL, Role::code);
    let (from, until) = (sent.day("from"), sent.day("until"));
    let ties = declared(sent);
    let reason = sent.need("reason", "理由を入力してください。");
    let (Ok(org), Some(role), true) = (org, role, sent.errors.is_empty()) else {
        return Err(sent.refused());
    };
    Ok(Wanted {
        entrant: Entrant {
            login,
            name,
            org,
            until: None,
        },
        role,
        period: period(from, until, today)?,
        ties,
        reason,
    })
}

/// Whether this registration fits the organisations, contracts and accounts there are.
fn judge(
    wanted: &Wanted,
    accounts: &[Account],
    organisations: &[Organisation],
    contracts: &[Contract],
    now: Instant,
) -> Result<(), OperationsError> {
    let no = |field: &str, message: &str| Err(OperationsError::field(field, message));
    let login = &wanted.entrant.login;
    if accounts.iter().any(|a| a.login == *login) {
        return no("login", "このIDは使われています。別のIDを決めてください。");
    }
    let open = |o: &&Organisation| o.org.id == wanted.entrant.org && o.ended.is_none();
    let Some(org) = organisations.iter().find(open) else {
        return no("org", "この所属・機関は選べません。");
    };
    if !roles_of(org.org.kind).any(|r| r == wanted.role) {
        return no("role", "この所属・機関の人は、この役割に就けません。");
    }
    let runs = |c: &Contract| c.org == org.org.id && c.ended.is_none() && now.0 < c.until;
    if org.org.kind == OrgKind::Contractor && !contracts.iter().any(runs) {
        return no(
            "org",
            "この委託先には契約がありません。先に契約を登録してください。",
        );
    }
    Ok(())
}

async fn act(
    room: &Operations,
    visitor: &Visitor,
    sent: &mut Sent,
) -> Result<(UserId, String, Initial, u64), OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::REGISTER, Purpose::Operation, None)
        .await?;
    let wanted = wanted(sent, now.office_day())?;
    let initial = super::initial(room).await?;
    let known = permit
        .accounts(now)
        .await?
        .and(permit.organisations().await?)
        .and(permit.contracts().await?);
    let (login, slip, random) = (
        wanted.entrant.login.clone(),
        initial.clone(),
        room.random.clone(),
    );
    let by = visitor.user;
    let done = permit
        .change(known, now, move |((accounts, organisations), contracts)| {
            judge(&wanted, &accounts, &organisations, &contracts, now)?;
            let (user, change) = register(&wanted.entrant, &initial, now, INITIAL, by, &*random)?;
            let request = Request {
                id: RequestId::random(&*random),
                asked: Asked::Role {
                    user,
                    role: wanted.role,
                    period: wanted.period,
                    ties: wanted.ties.clone(),
                },
                reason: wanted.reason.clone(),
                proposed_by: by,
                proposed_at: now.0,
                state: At::Waiting,
            };
            let event = Event {
                user,
                kind: "登録",
                by,
                reason: &wanted.reason,
                checked: "",
            };
            let change = Change {
                statements: vec![event.write(now, &*random), request.write()],
                accounts: change,
                words: format!("利用者の登録 {} {}", wanted.entrant.login, wanted.reason),
            };
            Ok::<_, OperationsError>((change, user))
        })
        .await?;
    Ok((*done, login, slip, done.line()))
}

/// The slip with an initial password; shown once.
pub(crate) fn slip(
    room: &Operations,
    frame: &Frame,
    user: UserId,
    login: &str,
    initial: &Initial,
    line: u64,
) -> Response {
    let last = Instant(room.clock.now().0.saturating_add(INITIAL)).office_day();
    SheetPage::new(frame, "初期パスワードの控え", line)
        .current("/operations/people")
        .banner(
            "warning",
            "この画面は一度だけ表示されます。",
            "書き写すか印刷して、本人に手渡してください。ほかの人に見せないでください。",
        )
        .words("本人は、最初のサインインで自分のパスワードを決めます。")
        .terms(vec![
            Term::new("ID", login),
            Term::new("初期パスワード", initial.words()),
            Term::new("初期パスワードの期限", day(last)),
        ])
        .link(
            format!("/operations/people/{user}"),
            "利用者の登録内容を開く",
        )
        .answer()
}

/// POST /operations/people/new
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let errors = match act(&room, &visitor, &mut sent).await {
        Ok((user, login, initial, line)) => {
            return slip(&room, &frame, user, &login, &initial, line);
        }
        Err(OperationsError::Input(errors)) => errors,
        Err(OperationsError::Identity(error @ mimamori_identity::IdentityError::Login)) => {
            vec![FieldError::new("login", error.to_string())]
        }
        Err(error) => return answer(error),
    };
    form(&room, &visitor, &frame, &sent, errors)
        .await
        .unwrap_or_else(answer)
}
