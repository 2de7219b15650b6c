//! The lists, one of them, and the form that takes one in.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, Purpose};
use mimamori_identity::{OrgKind, Organisation, Visitor};
use mimamori_kernel::id::{OrgId, RequestId};
use mimamori_pages::{FieldError, Frame, LimitedParts, Term};

use super::rule::{Entry, Fault, HEAD, MOST, decoded, read, roles};
use super::store::{Batch, COLUMNS, Entries, one};
use crate::error::answer;
use crate::people::record::name;
use crate::people::{id, may, offers};
use crate::request::State as At;
use crate::screen::{Cell, Desk, Field, FormPage, Sent, SheetPage, Table, day, moment, settled};
use crate::{Operations, OperationsError, action};

const HOME: &str = "/operations/batches";
/// Longest text of pasted lines, bytes.
const PASTED: usize = 32 * 1024;
/// What to do with wrong rows: code and words.
const MODES: [(&str, &str); 2] = [
    ("all", "一行でも誤りがあれば、どの人も申請しない"),
    ("good", "正しい行の人だけを申請する"),
];

pub(super) fn organisation(all: &[Organisation], id: OrgId) -> String {
    let found = all.iter().find(|o| o.org.id == id);
    found.map_or("—".into(), |o| o.org.name.clone())
}

/// GET /operations/batches
pub(crate) async fn list(Desk(room, visitor, frame): Desk) -> Response {
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::REQUEST_LIST, Purpose::Operation, None)
            .await?;
        let rows = permit
            .fetch(
                "operations_batch",
                &COLUMNS,
                "1 = 1 ORDER BY CASE WHEN state = 'waiting' THEN 0 ELSE 1 END, proposed_at DESC LIMIT 200",
                vec![],
            )
            .await?;
        let known = rows
            .and(permit.accounts(room.clock.now()).await?)
            .and(permit.organisations().await?);
        Ok::<_, OperationsError>(permit.reveal(known).await?)
    };
    let shown = match read.await {
        Ok(shown) => shown,
        Err(error) => return answer(error),
    };
    let ((rows, accounts), organisations) = &*shown;
    let rows = rows.iter().filter_map(Batch::read).map(|b| {
        let kind = match b.state {
            At::Waiting => "warning",
            At::Approved => "success",
            At::Declined | At::Withdrawn => "info",
        };
        vec![
            Cell::Link(
                format!("{HOME}/{}", b.id),
                organisation(organisations, b.org),
            ),
            Cell::text(name(accounts, Some(b.proposed_by))),
            Cell::text(moment(b.proposed_at)),
            Cell::Badge(kind, b.state.japanese().into()),
        ]
    });
    let mut sheet =
        SheetPage::new(&frame, "利用者の一括申請", shown.line()).current("/operations/people");
    if offers(&room, &visitor, action::BATCH_PROPOSE, None) {
        sheet = sheet
            .link(format!("{HOME}/new"), "一括申請を入力する")
            .link(format!("{HOME}/template"), "名簿のひな形（CSV）");
    }
    let heads = ["所属・機関", "入力した人", "入力した日時", "状態"];
    sheet
        .table(
            "一括申請",
            &heads,
            rows.collect(),
            "一括申請はまだありません。",
        )
        .answer()
}

/// GET /operations/batches/template
pub(crate) async fn template(Desk(room, visitor, _): Desk) -> Response {
    let look = async {
        may(&room, &visitor, action::BATCH_PROPOSE, None).await?;
        let permit = room
            .gate
            .office(
                &visitor,
                action::ORGANISATION_LIST,
                Purpose::Operation,
                None,
            )
            .await?;
        let nothing = permit.organisations().await?.map(drop);
        permit.reveal(nothing).await?;
        Ok(())
    };
    if let Err(error) = look.await {
        return answer(error);
    }
    let text = format!("\u{feff}{}\r\n", HEAD.join(","));
    (
        [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
            (
                header::CONTENT_DISPOSITION,
                "attachment; filename=\"staff-list.csv\"",
            ),
        ],
        text,
    )
        .into_response()
}

/// Organisations that can hold somebody a list may name.
fn open(organisations: &[Organisation]) -> impl Iterator<Item = &Organisation> {
    organisations
        .iter()
        .filter(|o| o.ended.is_none() && o.org.kind != OrgKind::Citizens)
}

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    (sent, pasted): (&Sent, &str),
    errors: Vec<FieldError>,
) -> Result<Response, OperationsError> {
    may(room, visitor, action::BATCH_PROPOSE, None).await?;
    let permit = room
        .gate
        .office(visitor, action::ORGANISATION_LIST, Purpose::Operation, None)
        .await?;
    let organisations = permit.organisations().await?;
    let organisations = permit.reveal(organisations).await?;
    let choices = open(&organisations).map(|o| (o.org.id.to_string(), o.org.name.clone()));
    let modes = MODES.map(|(code, words)| (code.to_owned(), words.to_owned()));
    let rows = [
        OrgKind::Department,
        OrgKind::Institution,
        OrgKind::Contractor,
        OrgKind::University,
    ]
    .map(|kind| {
        let words: Vec<&str> = roles(kind).map(|r| r.japanese()).collect();
        vec![
            Cell::text(crate::organisation::kind(kind)),
            Cell::text(words.join("、")),
        ]
    });
    Ok(FormPage::new(frame, "利用者の一括申請", format!("{HOME}/new"), HOME)
        .words(format!(
            "機関から届いた名簿を、ひな形のCSVで選ぶか、表計算の5列を下に貼り付けます。列は {}。{MOST}人まで（想定）。",
            HEAD.join("、")
        ))
        .words("別の運営管理責任者が承認すると、全員のID・初期パスワードの控えと登録済証が一つのPDFになります。管理・監査の役割は、一人ずつ登録してください。")
        .table(Table {
            caption: "名簿に書ける役割".into(),
            heads: vec!["種別", "役割"],
            rows: rows.into(),
            empty: "",
        })
        .fields(vec![
            sent.choose("org", "所属・機関", choices, ""),
            sent.line("applicant", "申請した機関の責任者", true, "例: 施設長 見守 花子"),
            sent.line("reason", "理由", true, "例: 4月1日からの利用開始"),
            Field::File {
                name: "file",
                label: "名簿のファイル（CSV）",
                hint: "UTF-8かシフトJIS。256KiBまで。貼り付けるときは選びません。",
            },
            Field::Lines {
                name: "lines",
                label: "貼り付けた名簿",
                value: pasted.to_owned(),
                hint: "1行に1人。列の間はタブかカンマ。",
            },
            sent.choose("mode", "誤りのある行", modes, ""),
        ])
        .button("propose", "確かめて申請する", "primary")
        .answer(errors))
}

/// GET /operations/batches/new
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    form(&room, &visitor, &frame, (&Sent::default(), ""), vec![])
        .await
        .unwrap_or_else(answer)
}

/// What was sent: short fields, pasted lines, and the text of the list.
struct Given {
    sent: Sent,
    pasted: String,
    text: Result<String, FieldError>,
}

fn given(parts: Vec<(String, Vec<u8>)>) -> Given {
    let (mut pairs, mut pasted, mut file) = (vec![], String::new(), vec![]);
    for (name, bytes) in parts {
        match name.as_str() {
            "file" => file = bytes,
            "lines" => pasted = String::from_utf8_lossy(&bytes).into_owned(),
            _ => pairs.push((name, String::from_utf8_lossy(&bytes).into_owned())),
        }
    }
    let no = |field: &str, message: &str| Err(FieldError::new(field, message));
    let text = match (file.is_empty(), pasted.trim().is_empty()) {
        (true, true) => no("file", "名簿のファイルを選ぶか、名簿を貼り付けてください。"),
        (false, false) => no("file", "ファイルと貼り付けの、どちらか一方にしてください。"),
        (false, true) => decoded(&file).map_or_else(
            || {
                no(
                    "file",
                    "文字を読み取れません。UTF-8かシフトJISで保存してください。",
                )
            },
            Ok,
        ),
        (true, false) if pasted.len() > PASTED => no(
            "lines",
            "貼り付けた名簿が長すぎます。ファイルで送ってください。",
        ),
        (true, false) => Ok(pasted.clone()),
    };
    Given {
        sent: Sent::from(pairs),
        pasted,
        text,
    }
}

fn fault_cells(faults: &[Fault]) -> Vec<Vec<Cell>> {
    faults
        .iter()
        .map(|f| {
            vec![
                Cell::text(format!("{}行目", f.row)),
                Cell::text(f.item),
                Cell::text(&f.reason),
            ]
        })
        .collect()
}

async fn propose(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    given: &mut Given,
) -> Result<Response, OperationsError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::BATCH_PROPOSE, Purpose::Operation, None)
        .await?;
    let sent = &mut given.sent;
    let org = sent.get("org").parse::<OrgId>();
    if org.is_err() {
        sent.refuse("org", "所属・機関を選んでください。");
    }
    let applicant = sent.need_name("applicant", "申請した機関の責任者を入力してください。");
    let reason = sent.need("reason", "理由を入力してください。");
    let mode = sent.one("mode", &MODES, |(code, _)| code);
    if let Err(error) = &given.text {
        sent.errors.push(error.clone());
    }
    let (Ok(org), Some((mode, _)), Ok(text), true) =
        (org, mode, given.text.clone(), sent.errors.is_empty())
    else {
        return Err(sent.refused());
    };
    let known = permit
        .accounts(now)
        .await?
        .and(permit.organisations().await?);
    let (by, batch) = (visitor.user, RequestId::random(&*room.random));
    let done = permit
        .change(known, now, move |(accounts, organisations)| {
            let Some(org) = open(&organisations).find(|o| o.org.id == org) else {
                return Err(OperationsError::field(
                    "org",
                    "この所属・機関は選べません。",
                ));
            };
            let taken = |login: &str| accounts.iter().any(|a| a.login == login);
            let (entries, faults) = read(&text, org.org.kind, taken, now.office_day());
            if entries.is_empty() || mode == "all" && !faults.is_empty() {
                let mut errors: Vec<FieldError> = faults
                    .iter()
                    .map(|f| {
                        let message = format!("{}行目 {}: {}", f.row, f.item, f.reason);
                        FieldError::new("lines", message)
                    })
                    .collect();
                if errors.is_empty() {
                    errors.push(FieldError::new("lines", "名簿に人がいません。"));
                }
                return Err(OperationsError::Input(errors));
            }
            let one = Batch {
                id: batch,
                org: org.org.id,
                applicant,
                reason,
                refused: i64::try_from(faults.len()).unwrap_or(i64::MAX),
                proposed_by: by,
                proposed_at: now.0,
                state: At::Waiting,
                decided_by: None,
                decided_at: None,
            };
            let logins: Vec<&str> = entries.iter().map(|e| e.login.as_str()).collect();
            let change = Change {
                statements: one.write(&entries),
                words: format!(
                    "一括申請 {} {} {}",
                    org.org.name,
                    logins.join(" "),
                    one.reason
                ),
                ..Change::default()
            };
            Ok((change, (entries.len(), faults)))
        })
        .await?;
    let line = done.line();
    let (people, faults) = done.into_inner();
    let at = format!("{HOME}/{batch}");
    if faults.is_empty() {
        return Ok(Redirect::to(&at).into_response());
    }
    Ok(SheetPage::new(frame, "一括申請を受け付けました", line)
        .current("/operations/people")
        .words(format!(
            "正しい行の{people}人を申請しました。次の行は受け付けていません。直して、別の名簿で申請してください。"
        ))
        .link(at, "申請を開く")
        .table(
            "受け付けなかった行",
            &["行", "項目", "理由"],
            fault_cells(&faults),
            "",
        )
        .answer())
}

/// POST /operations/batches/new
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedParts(parts): LimitedParts,
) -> Response {
    let mut given = given(parts);
    let done = propose(&room, &visitor, &frame, &mut given).await;
    settled(done, async |errors| {
        let before = (&given.sent, given.pasted.as_str());
        form(&room, &visitor, &frame, before, errors).await
    })
    .await
}

fn people(entries: &[(Entry, Option<mimamori_kernel::id::UserId>)]) -> Table {
    let rows = entries.iter().map(|(e, user)| {
        let from = e.period.from.map_or("承認の時".into(), day);
        let until = e.period.until.map_or("期限なし".into(), day);
        vec![
            match user {
                Some(user) => Cell::Link(format!("/operations/people/{user}"), e.login.clone()),
                None => Cell::text(&e.login),
            },
            Cell::text(&e.name),
            Cell::text(e.role.japanese()),
            Cell::text(format!("{from}〜{until}")),
        ]
    });
    Table {
        caption: "申請する人".into(),
        heads: vec!["ID", "氏名", "役割", "任期"],
        rows: rows.collect(),
        empty: "いません。",
    }
}

/// A list as it is shown, with the words about it.
pub(super) async fn look(
    room: &Operations,
    visitor: &Visitor,
    batch: RequestId,
) -> Result<(Batch, Entries, Vec<Term>, u64), OperationsError> {
    let permit = room
        .gate
        .office(visitor, action::REQUEST_LIST, Purpose::Operation, None)
        .await?;
    let known = one(&permit, batch)
        .await?
        .and(permit.accounts(room.clock.now()).await?)
        .and(permit.organisations().await?);
    let shown = permit.reveal(known).await?;
    let line = shown.line();
    let (((batch, entries), accounts), organisations) = shown.into_inner();
    let batch = batch.ok_or(mimamori_gate::GateError::NotFound)?;
    let mut terms = vec![
        Term::new("所属・機関", organisation(&organisations, batch.org)),
        Term::new("申請した機関の責任者", batch.applicant.clone()),
        Term::new("理由", batch.reason.clone()),
        Term::new(
            "人数",
            format!(
                "{}人（ほかに、受け付けなかった誤り{}件）",
                entries.len(),
                batch.refused
            ),
        ),
        Term::new("入力した人", name(&accounts, Some(batch.proposed_by))),
        Term::new("入力した日時", moment(batch.proposed_at)),
        Term::new("状態", batch.state.japanese()),
    ];
    if let (Some(by), Some(at)) = (batch.decided_by, batch.decided_at) {
        let words = format!("{} {}", name(&accounts, Some(by)), moment(at));
        terms.push(Term::new("処理した人と日時", words));
    }
    Ok((batch, entries, terms, line))
}

/// One list, with what this visitor may do about it.
pub(super) async fn show(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    batch: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let (batch, entries, terms, line) = look(room, visitor, id(batch)?).await?;
    let table = people(&entries);
    let title = "利用者の一括申請";
    if batch.state != At::Waiting || !offers(room, visitor, action::BATCH_ISSUE, None) {
        return Ok(SheetPage::new(frame, title, line)
            .current("/operations/people")
            .terms(terms)
            .table(table.caption, &table.heads, table.rows, table.empty)
            .link(HOME, "一括申請の一覧に戻る")
            .answer());
    }
    let at = format!("{HOME}/{}", batch.id);
    let form = FormPage::new(frame, title, at, HOME)
        .terms(terms)
        .table(table);
    Ok(match batch.proposed_by == visitor.user {
        true => form
            .words("入力した人は承認できません。ほかの運営管理責任者が承認します。")
            .button("withdrawn", "申請を取り下げる", "secondary"),
        false => form
            .words("名簿を機関の申請書と見比べてから承認してください。承認すると、全員のID・初期パスワードの控えと登録済証が、一つのPDFで一度だけ出ます。保存せずに印刷し、封をして機関に渡してください。")
            .fields(vec![Field::Marks {
                name: "accept",
                legend: "紙に出せない文字",
                hint: "書体にない文字があるときだけ選びます。〓で印刷されます。",
                marks: vec![crate::screen::Mark {
                    name: "accept-yes".into(),
                    label: "このまま印刷する",
                    checked: !sent.get("accept-yes").is_empty(),
                }],
            }])
            .button("approved", "承認してPDFを作る", "primary")
            .button("declined", "却下する", "secondary"),
    }
    .answer(errors))
}

/// GET /operations/batches/{batch}
pub(crate) async fn open_one(
    Desk(room, visitor, frame): Desk,
    Path(batch): Path<String>,
) -> Response {
    show(&room, &visitor, &frame, &batch, (&Sent::default(), vec![]))
        .await
        .unwrap_or_else(answer)
}
