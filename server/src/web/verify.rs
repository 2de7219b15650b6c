//! Verification of the signed-in user (本人確認): the second step of a sign-in, and anew before number work, exports and
//! grants (S0-48). A page that needs it leads here and back.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_identity::{FaceWord, Failed, IdentityError, OrgKind, Proved, Visitor};
use mimamori_kernel::error::Coded as _;
use mimamori_pages::{Frame, LimitedForm, Problem, Term, html_with_status};
use mimamori_trace::{Act, Decision};

use super::Site;
use super::guard::{Host, Waiting};
use super::sign_in::{act, unwritten};

/// Longest path that is led back to, bytes.
const LONGEST: usize = 2048;

#[derive(Template)]
#[template(path = "server/verify.html")]
struct VerifyPage<'a> {
    frame: &'a Frame,
    waiting: bool,
    wrong: Option<(String, String)>,
    /// Where passkeys belong to, when the page was opened elsewhere.
    elsewhere: Option<&'a str>,
    options: Option<String>,
    /// Why there is no passkey to ask for.
    without: &'a str,
    face: bool,
    terms: Vec<Term>,
    to: String,
}

#[derive(Template)]
#[template(path = "server/face.html")]
struct FacePage<'a> {
    frame: &'a Frame,
    wrong: Option<(String, String)>,
    simulated: bool,
    challenge: String,
    login: String,
    to: String,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct To {
    to: String,
}

/// A path of this site, or the first page; never another site's address.
fn own_path(to: &str) -> &str {
    let sound = to.starts_with('/')
        && !to.starts_with("//")
        && to.len() <= LONGEST
        && to.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if sound { to } else { "/" }
}

/// An error in words for the page.
pub(super) fn told(error: &IdentityError) -> (String, String) {
    (error.to_string(), error.advice().to_owned())
}

/// Where passkeys belong to, when this page was opened under another address.
pub(super) fn elsewhere<'a>(site: &'a Site, host: &Host) -> Option<&'a str> {
    let origin = site.identity.passkey_origin()?;
    let (_, right) = origin.split_once("://")?;
    (right != host.0).then_some(origin)
}

/// What number work needs, and what is missing (S0-46, S0-48); for officers.
fn terms(site: &Site, visitor: &Visitor) -> Vec<Term> {
    if visitor.org_kind != OrgKind::Department {
        return vec![];
    }
    let auth = visitor.auth == mimamori_identity::AuthLevel::Verified;
    let fresh = visitor.fresh(site.clock.steady());
    let word = |has: bool, good: &str, bad: &str| match has {
        true => format!("よい（{good}）"),
        false => format!("足りない（{bad}）"),
    };
    vec![
        Term::new(
            "特定個人情報取扱者の指定",
            word(
                visitor.handler,
                "有効",
                "必要なときは運営管理責任者に申し出てください",
            ),
        ),
        Term::new(
            "端末",
            word(
                visitor.terminal,
                "登録された端末",
                "取扱区域の登録された端末で開いてください",
            ),
        ),
        Term::new(
            "サインイン",
            word(
                auth,
                "本人確認つき",
                "パスキーか顔認証で本人確認をしてください",
            ),
        ),
        Term::new(
            "いまの本人確認",
            word(fresh, "5分以内", "この画面で本人確認をしてください"),
        ),
    ]
}

async fn show(
    site: &Site,
    frame: Frame,
    (visitor, waiting, host): (&Visitor, bool, &Host),
    wrong: Option<&IdentityError>,
    to: &str,
) -> Response {
    let begun = site.identity.begin_proof(visitor).await;
    let (options, without) = match begun {
        Ok(Some(options)) => (Some(options), ""),
        Ok(None) => (
            None,
            "使えるパスキーがありません。運営事務局の窓口で本人確認を受けて、登録してください。",
        ),
        Err(IdentityError::NoPasskeys) => (
            None,
            "この環境では、パスキーの設定がまだありません。システム管理者に確かめてください。",
        ),
        Err(error) => {
            tracing::error!(code = error.code(), error = ?error, "no passkey could be asked for");
            return Problem::internal(None).into_response();
        }
    };
    let frame = frame.with_title("本人確認").with_current("");
    let status = match wrong {
        None => StatusCode::OK,
        Some(_) => StatusCode::BAD_REQUEST,
    };
    let page = VerifyPage {
        frame: &frame,
        waiting,
        wrong: wrong.map(told),
        elsewhere: elsewhere(site, host),
        options,
        without,
        face: site.identity.has_face_product(),
        terms: match waiting {
            true => vec![],
            false => terms(site, visitor),
        },
        to: own_path(to).to_owned(),
    };
    html_with_status(status, page)
}

/// GET /verify
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Extension(Waiting(waiting)): Extension<Waiting>,
    Extension(host): Extension<Host>,
    Query(sent): Query<To>,
) -> Response {
    show(&site, frame, (&visitor, waiting, &host), None, &sent.to).await
}

/// The line of a proof that held, then the session goes on; its writes are in the same transaction.
async fn accept(
    site: &Site,
    (visitor, waiting): (&Visitor, bool),
    how: &str,
    proved: Proved,
    to: &str,
) -> Response {
    let action = match waiting {
        true => "session.open",
        false => "session.verify",
    };
    let line = Act {
        // The account is looked at again in the same transaction.
        ground: Default::default(),
        changes: proved.changes,
        ..act(site, Some(visitor), action, Decision::Allowed, how)
    };
    if let Err(error) = site.trace.record(line).await {
        return unwritten(&error);
    }
    match site.identity.verified(visitor) {
        true => {
            site.forget_others(&visitor.user).await;
            Redirect::to("/?other=1").into_response()
        }
        false => Redirect::to(own_path(to)).into_response(),
    }
}

/// The line of a proof that did not hold.
async fn refuse(site: &Site, visitor: &Visitor, failed: Failed) -> Result<IdentityError, Response> {
    let Failed { error, changes } = failed;
    if matches!(error, IdentityError::Storage(_)) {
        tracing::error!(code = error.code(), error = ?error, "a proof could not be read");
        return Err(Problem::internal(None).into_response());
    }
    let refused = Decision::Refused;
    let line = Act {
        changes,
        ..act(site, Some(visitor), "session.verify", refused, error.code())
    };
    match site.trace.record(line).await {
        Ok(_) => Ok(error),
        Err(error) => Err(unwritten(&error)),
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    answer: String,
    to: String,
}

/// POST /verify/passkey
pub(crate) async fn passkey(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Extension(Waiting(waiting)): Extension<Waiting>,
    Extension(host): Extension<Host>,
    LimitedForm(sent): LimitedForm<Answer>,
) -> Response {
    let failed = match site.identity.finish_proof(&visitor, &sent.answer) {
        Ok(proved) => {
            return accept(&site, (&visitor, waiting), "passkey", proved, &sent.to).await;
        }
        Err(failed) => failed,
    };
    match refuse(&site, &visitor, failed).await {
        Err(response) => response,
        Ok(error) => {
            let who = (&visitor, waiting, &host);
            show(&site, frame, who, Some(&error), &sent.to).await
        }
    }
}

async fn face_page(
    site: &Site,
    frame: Frame,
    visitor: &Visitor,
    (wrong, simulated): (Option<&IdentityError>, bool),
    to: &str,
) -> Response {
    let challenge = match site.identity.begin_face(visitor) {
        Ok(challenge) => challenge,
        Err(_) => return Problem::not_found().into_response(),
    };
    let login = match site.identity.account(&visitor.user).await {
        Ok(Some(account)) => account.login,
        _ => return Problem::internal(None).into_response(),
    };
    let title = match simulated {
        true => "顔認証の端末（模擬）",
        false => "顔認証の端末",
    };
    let frame = frame.with_title(title).with_current("");
    let status = match wrong {
        None => StatusCode::OK,
        Some(_) => StatusCode::BAD_REQUEST,
    };
    let page = FacePage {
        frame: &frame,
        wrong: wrong.map(told),
        simulated,
        challenge,
        login,
        to: own_path(to).to_owned(),
    };
    html_with_status(status, page)
}

/// GET /verify/face
pub(crate) async fn face(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Query(sent): Query<To>,
) -> Response {
    face_page(&site, frame, &visitor, (None, false), &sent.to).await
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct FaceSent {
    time: String,
    signature: String,
    to: String,
}

async fn judge(
    site: &Site,
    frame: Frame,
    (visitor, waiting): (&Visitor, bool),
    (word, simulated): (FaceWord, bool),
    to: &str,
) -> Response {
    let failed: Failed = match site.identity.finish_face(visitor, &word).await {
        Ok(proved) => return accept(site, (visitor, waiting), "face", proved, to).await,
        Err(IdentityError::NoFaceProduct) => return Problem::not_found().into_response(),
        Err(error) => error.into(),
    };
    match refuse(site, visitor, failed).await {
        Err(response) => response,
        Ok(error) => face_page(site, frame, visitor, (Some(&error), simulated), to).await,
    }
}

/// POST /verify/face
pub(crate) async fn face_submit(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Extension(Waiting(waiting)): Extension<Waiting>,
    LimitedForm(sent): LimitedForm<FaceSent>,
) -> Response {
    let word = FaceWord {
        time: sent.time.trim().parse().unwrap_or(0),
        signature: sent.signature.chars().take(200).collect(),
    };
    judge(&site, frame, (&visitor, waiting), (word, false), &sent.to).await
}

/// GET /demo/face: the labelled simulation of a face terminal.
pub(crate) async fn simulated(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Query(sent): Query<To>,
) -> Response {
    face_page(&site, frame, &visitor, (None, true), &sent.to).await
}

/// POST /demo/face: signs as a face product would, with the demo's own key, and goes through the same door.
pub(crate) async fn simulated_submit(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Extension(Waiting(waiting)): Extension<Waiting>,
    LimitedForm(sent): LimitedForm<To>,
) -> Response {
    use base64::Engine as _;
    use ed25519_dalek::Signer as _;
    let (Some(key), Ok(challenge)) = (&site.face_key, site.identity.begin_face(&visitor)) else {
        return Problem::not_found().into_response();
    };
    let login = match site.identity.account(&visitor.user).await {
        Ok(Some(account)) => account.login,
        _ => return Problem::internal(None).into_response(),
    };
    let time = site.clock.now().0 / 1_000_000;
    let message = mimamori_identity::face_message(&login, &challenge, time);
    let signature = key.sign(message.as_bytes()).to_bytes();
    let word = FaceWord {
        time,
        signature: base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(signature),
    };
    judge(&site, frame, (&visitor, waiting), (word, true), &sent.to).await
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn only_a_path_of_this_site_is_led_back_to() {
        for good in ["/", "/residents/00?x=1&y=%E3", "/verify"] {
            assert_eq!(own_path(good), good);
        }
        let long = format!("/{}", "a".repeat(3000));
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "/a\nb",
            "/あ",
            &long,
        ] {
            assert_eq!(own_path(bad), "/", "{bad}");
        }
    }
}
