//! Approval of a manifest (目録の承認): the officer's own passkey signs the digest; one without can use the town's face terminal.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::Signer as _;
use mimamori_gate::{Change, GateError, Purpose, Statement};
use mimamori_identity::{Account, ApprovalKey, Visitor};
use mimamori_kernel::id::PackageId;
use mimamori_package::{
    Approval, Approver, Assertion, Proof as Signed, Terminal, Trust, challenge_of, terminal_message,
};
use mimamori_pages::{FieldError, Frame, LimitedForm};
use serde_json::json;

use crate::ask::id;
use crate::course::Event;
use crate::error::answer;
use crate::one::terms;
use crate::package::whole;
use crate::screen::{Desk, FormPage, Sent};
use crate::{Handover, HandoverError, action};

/// Name of the demo's face terminal, as it stands in packages.
pub(crate) const SIMULATED: &str = "模擬の顔認証端末（デモ）";

impl Handover {
    /// Whom a reader of this town's packages trusts, with these officers.
    pub(crate) fn trust(&self, officers: &[(Account, Vec<ApprovalKey>)]) -> Trust {
        let approver = |(account, keys): &(Account, Vec<ApprovalKey>)| Approver {
            user: account.id.to_string(),
            name: account.name.clone(),
            keys: keys.iter().map(|k| B64.encode(&k.cose)).collect(),
            login: account.login.clone(),
        };
        let terminal = self.settings.proof.simulated.as_ref().map(|key| Terminal {
            key: hex::encode(key.verifying_key().as_bytes()),
            name: SIMULATED.to_owned(),
        });
        Trust {
            town: self.settings.town.clone(),
            origins: self.settings.proof.origin.iter().cloned().collect(),
            rp_id: self.settings.proof.rp_id(),
            approvers: officers.iter().map(approver).collect(),
            terminals: terminal.into_iter().collect(),
            kits: vec![],
        }
    }
}

/// The browser's question: this digest, one of these keys, with the user verified.
fn options(rp_id: &str, digest: &[u8; 32], keys: &[ApprovalKey]) -> String {
    let allowed: Vec<_> = keys
        .iter()
        .map(|k| json!({"type": "public-key", "id": B64.encode(&k.credential)}))
        .collect();
    json!({"publicKey": {
        "challenge": challenge_of(digest),
        "rpId": rp_id,
        "allowCredentials": allowed,
        "userVerification": "required",
        "timeout": 120_000,
    }})
    .to_string()
}

/// The browser's word as an assertion of one of the officer's keys.
fn assertion(word: &str, keys: &[ApprovalKey]) -> Option<Assertion> {
    let value: serde_json::Value = serde_json::from_str(word).ok()?;
    let credential = B64.decode(value["rawId"].as_str()?).ok()?;
    let key = keys.iter().find(|k| k.credential == credential)?;
    let part = |name: &str| value["response"][name].as_str().map(str::to_owned);
    Some(Assertion {
        public_key: B64.encode(&key.cose),
        authenticator_data: part("authenticatorData")?,
        client_data: part("clientDataJSON")?,
        signature: part("signature")?,
    })
}

async fn form(
    room: &Handover,
    visitor: &Visitor,
    frame: &Frame,
    package: PackageId,
    errors: Vec<FieldError>,
) -> Result<Response, HandoverError> {
    let permit = room
        .gate
        .office(visitor, action::APPROVE, Purpose::Operation, None)
        .await?;
    let known = whole(&permit, package).await?;
    let known = known.and(permit.approval_keys(&visitor.user).await?);
    let (found, keys) = permit.reveal(known).await?.into_inner();
    let found = found?.ok_or(GateError::NotFound)?;
    // Whoever may not approve it is told before a device is asked.
    found.course.then(Event::Approve(visitor.user))?;
    let digest = found.package.manifest.digest()?;
    let rp_id = room.settings.proof.rp_id();
    let question = (!keys.is_empty() && !rp_id.is_empty()).then(|| options(&rp_id, &digest, &keys));
    let simulated = room.settings.proof.simulated.is_some();
    let mut page = FormPage::new(
        frame,
        "目録の承認",
        format!("/handover/packages/{package}/approve"),
        format!("/handover/packages/{package}"),
    )
    .words("この目録のとおりに相手方へ渡してよいときだけ、承認してください。承認は、目録のハッシュへの署名として封筒に入ります。")
    .terms(terms(&found, &[])?)
    .passkey(question.clone(), simulated);
    if question.is_none() && !simulated {
        page = page.words("使えるパスキーがありません。運営事務局の窓口で登録してください。");
    }
    Ok(page.answer(errors))
}

/// GET /handover/packages/{package}/approve
pub(crate) async fn page(Desk(room, visitor, frame): Desk, path: Path<String>) -> Response {
    let shown = async { form(&room, &visitor, &frame, id(&path)?, vec![]).await };
    shown.await.unwrap_or_else(answer)
}

async fn approve(
    room: &Handover,
    visitor: &Visitor,
    package: PackageId,
    sent: &Sent,
) -> Result<(), HandoverError> {
    let now = room.clock.now();
    let permit = room
        .gate
        .office(visitor, action::APPROVE, Purpose::Operation, None)
        .await?;
    let known = whole(&permit, package).await?;
    let known = known.and(permit.approval_keys(&visitor.user).await?);
    let known = known.and(permit.account(&visitor.user, now).await?);
    let (user, room) = (visitor.user, room.clone());
    permit
        .change(known, now, move |((found, keys), account)| {
            let found = found?.ok_or(GateError::NotFound)?;
            let account = account.ok_or(GateError::NotFound)?;
            let mut manifest = found.package.manifest.clone();
            let digest = manifest.digest()?;
            let proof = match (&room.settings.proof.simulated, sent.get("simulated")) {
                (Some(key), "1") => {
                    let time = now.0.div_euclid(1_000_000);
                    let message = terminal_message(&account.login, &digest, time);
                    Signed::Terminal {
                        key: hex::encode(key.verifying_key().as_bytes()),
                        time,
                        signature: B64.encode(key.sign(message.as_bytes()).to_bytes()),
                    }
                }
                _ => Signed::Passkey(
                    assertion(sent.get("answer"), &keys).ok_or(HandoverError::NoProof)?,
                ),
            };
            let approval = Approval {
                user: user.to_string(),
                name: account.name.clone(),
                proof,
            };
            let trust = room.trust(&[(account, keys)]);
            approval.verify_officer(&digest, &trust)?;
            manifest.approvals.push(approval);
            let text = String::from_utf8(manifest.to_bytes()?);
            let (_, mut statements) = found.then(Event::Approve(user), now.0, "")?;
            statements.push(Statement::new(
                "UPDATE handover_package SET manifest = ? WHERE id = ?",
                vec![
                    text.map_err(|_| HandoverError::Record)?.into(),
                    package.bytes().into(),
                ],
            ));
            let change = Change {
                statements,
                words: format!("目録の承認 {} {}", found.package.title, hex::encode(digest)),
                ..Change::default()
            };
            Ok::<_, HandoverError>((change, ()))
        })
        .await?;
    Ok(())
}

/// POST /handover/packages/{package}/approve
pub(crate) async fn submit(
    Desk(room, visitor, _): Desk,
    path: Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let sent = Sent::from(pairs);
    let done = async {
        let package = id(&path)?;
        approve(&room, &visitor, package, &sent).await?;
        Ok::<_, HandoverError>(package)
    };
    match done.await {
        Ok(package) => Redirect::to(&format!("/handover/packages/{package}")).into_response(),
        Err(error) => answer(error),
    }
}
