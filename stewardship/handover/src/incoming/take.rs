//! Taking a file out of the incoming folder into quarantine, and the scanner's word about it.

use std::fs;
use std::io::Read as _;

use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, Purpose};
use mimamori_identity::Visitor;
use mimamori_kernel::id::{ContractId, IncomingId, LedgerId};
use mimamori_pages::{FieldError, Frame, LimitedForm};
use sha2::{Digest as _, Sha256};

use super::State;
use super::store::{Incoming, all};
use crate::ask::open_contracts;
use crate::error::answer;
use crate::files::{folder, remove, write};
use crate::ledger::Row;
use crate::scan::{Verdict, scan};
use crate::screen::{Desk, FormPage, Sent};
use crate::{Handover, HandoverError, action};

/// Largest file that is taken in, bytes.
const LARGEST: u64 = 64 << 20;

/// Names in the incoming folder; plain files with plain names alone.
fn waiting(room: &Handover) -> Result<Vec<String>, HandoverError> {
    let path = folder(&room.settings.folder, "incoming")?;
    let mut out = Vec::new();
    for entry in fs::read_dir(path).map_err(HandoverError::Folder)? {
        let entry = entry.map_err(HandoverError::Folder)?;
        let plain = entry.file_type().is_ok_and(|t| t.is_file());
        if let (true, Ok(name)) = (plain, entry.file_name().into_string())
            && !name.starts_with('.')
        {
            out.push(name);
        }
    }
    out.sort();
    out.truncate(200);
    Ok(out)
}

async fn form(
    room: &Handover,
    visitor: &Visitor,
    frame: &Frame,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, HandoverError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::TAKE, Purpose::Operation, None)
        .await?;
    let known = permit.contracts().await?;
    let contracts = permit.reveal(known).await?;
    let names = waiting(room)?.into_iter().map(|n| (n.clone(), n));
    Ok(
        FormPage::new(frame, "届いたファイルの受入れ", "/handover/incoming/new", "/handover/incoming")
            .words("受入れ用のフォルダに置いたファイルを隔離し、ウイルスを検査します。開けるのは、検査のあとです。")
            .fields(vec![
                sent.choose("file", "ファイル", names, "64MBまで。"),
                sent.choose("contract", "契約", open_contracts(&contracts, now.0), ""),
            ])
            .button("隔離して検査する")
            .answer(errors),
    )
}

/// GET /handover/incoming/new
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    form(&room, &visitor, &frame, &Sent::default(), vec![])
        .await
        .unwrap_or_else(answer)
}

/// The scanner's word, for the ledger.
fn judged(room: &Handover, bytes: &[u8]) -> (State, String) {
    let Some(scanner) = &room.settings.scanner else {
        return (
            State::Unscanned,
            "検査なし（検査の設定がありません）".into(),
        );
    };
    match scan(scanner, bytes) {
        Ok(Verdict::Clean) => (State::Released, "検出なし（clamd）".into()),
        Ok(Verdict::Found(name)) => (State::Refused, format!("検出: {name}（clamd）")),
        Err(error) => {
            tracing::warn!(%error, "the scanner gave no verdict");
            (
                State::Unscanned,
                "検査なし（検査のプログラムが応答しません）".into(),
            )
        }
    }
}

async fn take(
    room: &Handover,
    visitor: &Visitor,
    sent: &mut Sent,
) -> Result<IncomingId, HandoverError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::TAKE, Purpose::Operation, None)
        .await?;
    let contract = sent.get("contract").parse::<ContractId>();
    if contract.is_err() {
        sent.refuse("contract", "契約を選んでください。");
    }
    // Only a name that the folder itself told: a path cannot be sent.
    let name = waiting(room)?.into_iter().find(|n| n == sent.get("file"));
    if name.is_none() {
        sent.refuse("file", "ファイルを選んでください。");
    }
    sent.complete()?;
    let (Ok(contract), Some(name)) = (contract, name) else {
        return Err(HandoverError::Input(vec![]));
    };
    let source = folder(&room.settings.folder, "incoming")?.join(&name);
    let file = fs::File::open(&source).map_err(HandoverError::Folder)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(HandoverError::Folder)?;
    if bytes.len() as u64 > LARGEST {
        return Err(HandoverError::field(
            "file",
            "64MBを超えるファイルは受け入れられません。",
        ));
    }
    let id = IncomingId::random(&*room.random);
    let quarantine = folder(&room.settings.folder, "quarantine")?.join(id.to_string());
    write(&quarantine, &bytes)?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let (examiner, size) = (room.clone(), bytes.len());
    let judged = tokio::task::spawn_blocking(move || judged(&examiner, &bytes)).await;
    let (state, said) = judged.map_err(|_| HandoverError::Record)?;
    let incoming = Incoming {
        id,
        contract,
        file: name,
        sha256: sha256.clone(),
        bytes: i64::try_from(size).unwrap_or(i64::MAX),
        taken_at: now.0,
        taken_by: visitor.user,
        scan: said,
        state,
        package: String::new(),
        rows: 0,
        findings: String::new(),
        release: None,
        accept: None,
        accepted_with: None,
    };
    let (by, ledger) = (visitor.user, LedgerId::random(&*room.random));
    let known = all(&permit).await?.and(permit.account(&by, now).await?);
    let done = permit
        .change(known, now, |(before, account)| {
            if before.iter().any(|b| b.sha256 == incoming.sha256) {
                return Err(HandoverError::field(
                    "file",
                    "同じファイルは、すでに受け入れています。",
                ));
            }
            let row = Row {
                what: "受入れ",
                kind: "LGWAN回線・媒体".into(),
                minute: now.0,
                handlers: [account.map(|a| a.name).unwrap_or_default(), String::new()],
                content: "相手方から届いたファイル（開封前）".into(),
                quantity: format!("{}バイト", incoming.bytes),
                file: incoming.file.clone(),
                sha256: incoming.sha256.clone(),
                scan: incoming.scan.clone(),
                ..Row::default()
            };
            let change = Change {
                statements: vec![incoming.enter(), row.write(ledger, None, (by, now.0))],
                words: format!("ファイルの受入れ {} {}", incoming.file, incoming.scan),
                ..Change::default()
            };
            Ok((change, ()))
        })
        .await;
    if let Err(error) = done {
        remove(&quarantine)?;
        return Err(error);
    }
    remove(&source)?;
    if state == State::Refused {
        // What the scanner found is not kept; its name and hash stand in the ledger.
        remove(&quarantine)?;
    }
    Ok(id)
}

/// POST /handover/incoming/new
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    match take(&room, &visitor, &mut sent).await {
        Ok(id) => Redirect::to(&format!("/handover/incoming/{id}")).into_response(),
        Err(HandoverError::Input(errors)) => form(&room, &visitor, &frame, &sent, errors)
            .await
            .unwrap_or_else(answer),
        Err(error) => answer(error),
    }
}
