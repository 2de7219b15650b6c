//! The pages of what came in: the list, one file, and the acts on it.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_encryption::{Secret, seal};
use mimamori_gate::{Action, Change, GateError, Hidden, OfficePermit, Purpose, Statement};
use mimamori_identity::Visitor;
use mimamori_kernel::id::{IncomingId, LedgerId};
use mimamori_package::Kit;
use mimamori_pages::{LimitedForm, Term};

use super::State;
use super::examine::{Examined, examine};
use super::store::{self, Incoming};
use crate::error::answer;
use crate::files::folder;
use crate::ledger::Row;
use crate::one::name;
use crate::screen::{Cell, Desk, FormPage, Sent, SheetPage, Table, moment};
use crate::{Handover, HandoverError, action};

/// GET /handover/incoming
pub(crate) async fn list(Desk(room, visitor, frame): Desk) -> Response {
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::INCOMING, Purpose::Operation, None)
            .await?;
        let found = store::all(&permit).await?;
        Ok::<_, HandoverError>(permit.reveal(found).await?)
    };
    let found = match read.await {
        Ok(found) => found,
        Err(error) => return answer(error),
    };
    let row = |i: &Incoming| {
        vec![
            Cell::Link(format!("/handover/incoming/{}", i.id), i.file.clone()),
            Cell::text(moment(i.taken_at)),
            Cell::text(format!("{}バイト", i.bytes)),
            Cell::text(&i.scan),
            Cell::Badge("info", i.state.japanese().to_owned()),
        ]
    };
    let mut sheet = SheetPage::new(&frame, "届いたファイル", found.line())
        .words("相手方から届いたファイルは、隔離して検査し、二人が確認してから受け入れます。");
    if room
        .gate
        .offers(&visitor, action::TAKE, Purpose::Operation, false)
    {
        sheet = sheet.link("/handover/incoming/new", "届いたファイルを隔離して検査する");
    }
    sheet
        .table(Table {
            caption: "届いたファイルの一覧",
            heads: vec![
                "ファイル",
                "受け入れた日時",
                "大きさ",
                "ウイルス検査",
                "段階",
            ],
            rows: found.iter().map(row).collect(),
            empty: "届いたファイルはありません。",
        })
        .answer()
}

/// What can be done with a file now: code of the form, and words.
fn next(state: State) -> Option<(&'static str, &'static str)> {
    match state {
        State::Unscanned => Some((
            "検査なしで進めることを確認する",
            "ウイルス検査ができていません。二人の職員が確認すると、開けるようになります。",
        )),
        State::Released => Some((
            "開封して確かめる",
            "封筒の署名・契約・期限・件数・項目を確かめます。通知書のパスワードで開くときだけ入力します。",
        )),
        State::Opened => Some((
            "受け入れることを確認する",
            "二人の職員が確認すると、業務で使えるようになります。値は、業務の取込みの画面で確かめます。",
        )),
        State::Accepted | State::Refused => None,
    }
}

/// GET /handover/incoming/{incoming}
pub(crate) async fn one(Desk(room, visitor, frame): Desk, path: Path<String>) -> Response {
    let read = async {
        let id: IncomingId = crate::ask::id(&path)?;
        let permit = room
            .gate
            .office(&visitor, action::INCOMING, Purpose::Operation, None)
            .await?;
        let known = store::one(&permit, id).await?;
        let known = known.and(permit.accounts(room.clock.now()).await?);
        let (found, accounts) = permit.reveal(known).await?.into_inner();
        Ok::<_, HandoverError>((found.ok_or(GateError::NotFound)?, accounts))
    };
    let (found, accounts) = match read.await {
        Ok(read) => read,
        Err(error) => return answer(error),
    };
    let who = |user| {
        let named = |u| name(&accounts, u);
        Option::map_or(user, "—".to_owned(), named)
    };
    let mut page = FormPage::new(
        &frame,
        "届いたファイル",
        format!("/handover/incoming/{}", found.id),
        "/handover/incoming",
    )
    .terms(vec![
        Term::new("ファイル", found.file.clone()),
        Term::new("SHA-256", found.sha256.clone()),
        Term::new("ウイルス検査", found.scan.clone()),
        Term::new("段階", found.state.japanese()),
        Term::new("受け入れた人", name(&accounts, found.taken_by)),
        Term::new("検査なしで進めた人", who(found.release)),
        Term::new("封筒の番号", found.package.clone()),
        Term::new("件数", format!("{}件", found.rows)),
        Term::new("検査で分かったこと", found.findings.clone()),
        Term::new(
            "受入れを確認した人",
            format!("{}、{}", who(found.accept), who(found.accepted_with)),
        ),
    ]);
    let offered = room
        .gate
        .offers(&visitor, action::ACCEPT, Purpose::Operation, false);
    if let (Some((button, words)), true) = (next(found.state), offered) {
        page = page.words(words).button(button);
        if found.state == State::Released {
            let first = Sent::default();
            page = page.fields(vec![first.line(
                "passphrase",
                "通知書のパスワード",
                false,
                "",
            )]);
        }
    }
    page.answer(vec![])
}

async fn permit(
    room: &Handover,
    visitor: &Visitor,
    action: Action,
) -> Result<OfficePermit, HandoverError> {
    let asked = room.gate.office(visitor, action, Purpose::Operation, None);
    Ok(asked.await?)
}

/// Ids of returns that were opened before.
fn seen(before: &[Incoming]) -> Vec<String> {
    let opened = before.iter().filter(|b| !b.package.is_empty());
    opened.map(|b| b.package.clone()).collect()
}

/// Opens the file beside the other work; what it says goes with the act.
async fn opened(
    room: &Handover,
    visitor: &Visitor,
    id: IncomingId,
    passphrase: String,
) -> Result<Option<Examined>, HandoverError> {
    let now = room.clock.now();
    let permit = permit(room, visitor, action::ACCEPT).await?;
    let known = store::one(&permit, id).await?;
    let known = known.and(store::all(&permit).await?);
    let kit = permit
        .fetch(
            "handover_partner",
            &["kit"],
            "contract IN (SELECT contract FROM handover_incoming WHERE id = ?)",
            vec![id.bytes().into()],
        )
        .await?;
    let known = known.and(kit.map(|rows| {
        let key = rows.first().and_then(|r| r.text("kit"));
        key.unwrap_or_default().to_owned()
    }));
    let ((found, before), kit) = permit.reveal(known).await?.into_inner();
    let found = found.ok_or(GateError::NotFound)?;
    if found.state != State::Released {
        return Ok(None);
    }
    let grant = (room.grants)(visitor.clone(), found.contract, now.office_day()).await;
    let grant = grant.map_err(HandoverError::Paper)?;
    let path = folder(&room.settings.folder, "quarantine")?.join(id.to_string());
    let bytes = std::fs::read(path).map_err(HandoverError::Folder)?;
    let (room, before) = (room.clone(), seen(&before));
    let done = tokio::task::spawn_blocking(move || {
        let kits = vec![Kit {
            name: grant.partner.clone(),
            key: kit,
        }];
        // What the partner reports about its own work begins with these words (想定).
        let allowed = |item: &str| {
            let reported = item.starts_with("guidance_") || item.starts_with("report_");
            reported || grant.items.iter().any(|i| i.id == item)
        };
        let contract = found.contract.to_string();
        let checked = (contract.as_str(), kits);
        examine(&room, &bytes, &passphrase, checked, &before, &allowed, now)
    });
    done.await.map_err(|_| HandoverError::Record)?.map(Some)
}

async fn go_on(
    room: &Handover,
    visitor: &Visitor,
    id: IncomingId,
    sent: &Sent,
) -> Result<(), HandoverError> {
    let examined = opened(room, visitor, id, sent.get("passphrase").to_owned()).await?;
    let now = room.clock.now();
    let by = visitor.user;
    let permit = permit(room, visitor, action::ACCEPT).await?;
    let known: Hidden<_> = store::one(&permit, id).await?;
    let known = known.and(permit.accounts(now).await?);
    let ledger = LedgerId::random(&*room.random);
    permit
        .change(known, now, |(found, accounts)| {
            let found = found.ok_or(GateError::NotFound)?;
            let user = || by.bytes().into();
            let other = |first| match first == by {
                true => Err(HandoverError::Paper(
                    "同じ人は二度確認できません。もう一人の職員が確認してください。".into(),
                )),
                false => Ok(()),
            };
            let row = |what: &'static str, first, scan: String| Row {
                what,
                minute: now.0,
                handlers: [name(&accounts, first), name(&accounts, by)],
                content: found.findings.clone(),
                quantity: format!("{}件", found.rows),
                file: found.file.clone(),
                sha256: found.sha256.clone(),
                scan,
                ..Row::default()
            };
            let statements = match (found.state, examined, found.release, found.accept) {
                (State::Unscanned, _, None, _) => {
                    vec![found.set("release_1", user(), State::Unscanned)]
                }
                (State::Unscanned, _, Some(first), _) => {
                    other(first)?;
                    let row = row("検査なしの受入れ", first, "検査なし（二人で確認）".into());
                    vec![
                        found.set("release_2", user(), State::Released),
                        row.write(ledger, None, (by, now.0)),
                    ]
                }
                (State::Released, Some(examined), ..) => {
                    let key = Secret::from_bytes(room.key("incoming"));
                    let sealed = seal(&key, id.bytes(), &examined.table, &*room.random);
                    vec![
                        found.set("package", examined.package.into(), State::Opened),
                        Statement::new(
                            "UPDATE handover_incoming SET rows_held = ?, findings = ? WHERE id = ?",
                            vec![
                                examined.rows.into(),
                                examined.findings.into(),
                                id.bytes().into(),
                            ],
                        ),
                        Statement::new(
                            "INSERT INTO handover_content (package, sealed) VALUES (?, ?)",
                            vec![
                                id.bytes().into(),
                                sealed.map_err(|_| HandoverError::Record)?.into(),
                            ],
                        ),
                    ]
                }
                (State::Opened, _, _, None) => vec![found.set("accept_1", user(), State::Opened)],
                (State::Opened, _, _, Some(first)) => {
                    other(first)?;
                    vec![
                        found.set("accept_2", user(), State::Accepted),
                        row("受入れの確認", first, found.scan.clone()).write(
                            ledger,
                            None,
                            (by, now.0),
                        ),
                    ]
                }
                _ => return Err(GateError::NotFound.into()),
            };
            let change = Change {
                statements,
                words: format!(
                    "届いたファイルの確認 {} {}",
                    found.file,
                    found.state.japanese()
                ),
                ..Change::default()
            };
            Ok::<_, HandoverError>((change, ()))
        })
        .await?;
    Ok(())
}

/// POST /handover/incoming/{incoming}
pub(crate) async fn act(
    Desk(room, visitor, _): Desk,
    path: Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let sent = Sent::from(pairs);
    let done = async {
        let id: IncomingId = crate::ask::id(&path)?;
        go_on(&room, &visitor, id, &sent).await?;
        Ok::<_, HandoverError>(id)
    };
    match done.await {
        Ok(id) => Redirect::to(&format!("/handover/incoming/{id}")).into_response(),
        Err(error) => answer(error),
    }
}
