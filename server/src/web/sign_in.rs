//! Sign-in, sign-out, lock and unlock; each leaves its line.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Redirect, Response};
use mimamori_identity::{IdentityError, SignedIn, Visitor};
use mimamori_kernel::error::Coded as _;
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem, html_with_status};
use mimamori_trace::{Act, Decision, Details, Scope, TraceError};

use super::Site;
use super::guard::{Secret, Terminal};

#[derive(Template)]
#[template(path = "server/sign_in.html")]
struct SignInPage<'a> {
    frame: &'a Frame,
    login: String,
    errors: Vec<FieldError>,
    told: &'static str,
    advice: &'static str,
}

#[derive(Template)]
#[template(path = "server/lock.html")]
struct LockPage<'a> {
    frame: &'a Frame,
    errors: Vec<FieldError>,
}

#[derive(serde::Deserialize)]
pub(crate) struct Why {
    ended: Option<String>,
}

/// A line about a session or account, by the visitor himself.
pub(crate) fn act(
    site: &Site,
    visitor: Option<&Visitor>,
    action: &'static str,
    decision: Decision,
    policy: &str,
) -> Act {
    Act {
        actor: visitor.map(|v| v.user),
        epoch: visitor.map_or(0, |v| v.epoch),
        org: visitor.map(|v| v.org),
        role: visitor.map_or("none", |v| v.role.code()).into(),
        action,
        purpose: "operation",
        classes: 0,
        decision,
        policy: policy.into(),
        shown: vec![],
        details: None,
        changes: vec![],
        ground: site.trace.ground(),
        touches_subjects: false,
        touches_accounts: false,
    }
}

/// The page when a line cannot be written.
pub(crate) fn unwritten(error: &TraceError) -> Response {
    if matches!(error, TraceError::AccountChanged) {
        return Problem::account_changed().into_response();
    }
    tracing::error!(code = error.code(), error = ?error, "nothing was done");
    Problem::cannot_record(None).into_response()
}

fn told(ended: Option<&str>) -> &'static str {
    match ended {
        Some("other") => {
            "同じIDで別の端末からサインインがあったため、こちらの利用を終わりました。心当たりがないときは、すぐに運営事務局へ連絡してください。"
        }
        Some("revoked") => "利用者の権限が変わったため、利用を終わりました。",
        Some("expired") => {
            "利用できる期間が終わったため、利用を終わりました。続けるときは運営事務局へ連絡してください。"
        }
        Some("password") => {
            "パスワードが変わったため、利用を終わりました。新しいパスワードでサインインしてください。"
        }
        Some("absolute") => "サインインから決められた時間がたったため、利用を終わりました。",
        Some("out") => "サインアウトしました。",
        _ => "",
    }
}

/// GET /sign-in
pub(crate) async fn page(Extension(frame): Extension<Frame>, Query(why): Query<Why>) -> Response {
    let frame = frame.with_title("サインイン");
    html_with_status(
        StatusCode::OK,
        SignInPage {
            frame: &frame,
            login: String::new(),
            errors: vec![],
            told: told(why.ended.as_deref()),
            advice: "",
        },
    )
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    login: String,
    password: String,
}

/// Sets the session cookie: not for scripts, not for other sites, gone with the browser.
pub(crate) fn set_cookie(site: &Site, value: &str) -> String {
    let secure = if site.cookie_name().starts_with("__Host-") {
        "; Secure"
    } else {
        ""
    };
    format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}",
        site.cookie_name()
    )
}

/// The answer after a session opened: line first, then the cookie.
pub(crate) async fn opened(site: &Site, signed: SignedIn, how: &str) -> Response {
    let policy = if signed.ended_other {
        site.forget_others(&signed.visitor.user).await;
        format!("{how},ended-other")
    } else {
        how.to_owned()
    };
    // Nothing is open before the passkey: the line of the sign-in follows then.
    let action = match signed.waiting {
        true => "session.password",
        false => "session.open",
    };
    let allowed = Decision::Allowed;
    let mut act = act(site, Some(&signed.visitor), action, allowed, &policy);
    // The account is looked at again in the same transaction.
    act.ground = Default::default();
    act.changes = signed.changes;
    if let Err(error) = site.trace.record(act).await {
        site.identity.sign_out(&signed.cookie);
        return unwritten(&error);
    }
    let home = match (signed.waiting, signed.ended_other) {
        (true, _) => "/verify",
        (false, true) => "/?other=1",
        (false, false) => "/",
    };
    (
        AppendHeaders([(header::SET_COOKIE, set_cookie(site, &signed.cookie))]),
        Redirect::to(home),
    )
        .into_response()
}

/// Which account was tried from where, sealed like search terms: the login may be a name.
fn attempt(site: &Site, login: &str, terminal: &Terminal) -> Details {
    let login: String = login.chars().take(100).collect();
    Details {
        scope: Scope::SearchMonth(site.clock.now()),
        text: format!("ID「{login}」 端末 {}", terminal.0),
    }
}

/// POST /sign-in
pub(crate) async fn submit(
    State(site): State<Site>,
    Extension(frame): Extension<Frame>,
    Extension(terminal): Extension<Terminal>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let error = if sent.login.chars().count() > 100 || sent.password.chars().count() > 200 {
        IdentityError::WrongPair
    } else {
        match site
            .identity
            .sign_in(&sent.login, &sent.password, None, &terminal.0)
            .await
        {
            Ok(signed) => return opened(&site, signed, "password").await,
            Err(IdentityError::Storage(error)) => {
                tracing::error!(error = ?error, "sign-in could not read");
                return Problem::internal(None).into_response();
            }
            Err(error) => error,
        }
    };
    let throttled = matches!(error, IdentityError::TooMany { .. });
    if !throttled || site.first_refusal(&terminal.0) {
        let line = Act {
            details: Some(attempt(&site, &sent.login, &terminal)),
            ..act(&site, None, "session.open", Decision::Refused, error.code())
        };
        if let Err(error) = site.trace.record(line).await {
            return unwritten(&error);
        }
    }
    if let IdentityError::TooMany { seconds } = error {
        return Problem::too_many(seconds).into_response();
    }
    let errors = vec![FieldError::new("login", error.to_string())];
    let frame = frame.with_title("サインイン");
    let page = SignInPage {
        frame: &frame,
        login: sent.login.chars().take(100).collect(),
        errors,
        told: "",
        advice: error.advice(),
    };
    html_with_status(StatusCode::BAD_REQUEST, page)
}

/// POST /sign-out
pub(crate) async fn sign_out(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(secret): Extension<Secret>,
) -> Response {
    // The session ends even when the line cannot be written: ending shows nothing to anyone.
    site.identity.sign_out(&secret.0);
    site.forget(&visitor);
    if let Err(error) = site
        .trace
        .record(act(
            &site,
            Some(&visitor),
            "session.close",
            Decision::Allowed,
            "",
        ))
        .await
    {
        tracing::error!(code = error.code(), "a sign-out has no line");
    }
    let gone = format!("{}; Max-Age=0", set_cookie(&site, ""));
    let next = if site.demo.is_some() {
        "/demo"
    } else {
        "/sign-in?ended=out"
    };
    (
        AppendHeaders([(header::SET_COOKIE, gone)]),
        Redirect::to(next),
    )
        .into_response()
}

/// POST /lock
pub(crate) async fn lock(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(secret): Extension<Secret>,
) -> Response {
    site.identity.lock(&secret.0);
    if let Err(error) = site
        .trace
        .record(act(
            &site,
            Some(&visitor),
            "session.lock",
            Decision::Allowed,
            "",
        ))
        .await
    {
        tracing::error!(code = error.code(), "a lock has no line");
    }
    Redirect::to("/lock").into_response()
}

fn lock_frame(frame: &Frame) -> Frame {
    let mut frame = frame.clone().with_title("画面のロック").with_nav(vec![]);
    frame.idle_seconds = None;
    frame
}

/// GET /lock
pub(crate) async fn lock_page(Extension(frame): Extension<Frame>) -> Response {
    html_with_status(
        StatusCode::OK,
        LockPage {
            frame: &lock_frame(&frame),
            errors: vec![],
        },
    )
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Unlock {
    password: String,
}

/// POST /unlock
pub(crate) async fn unlock(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Extension(secret): Extension<Secret>,
    Extension(terminal): Extension<Terminal>,
    LimitedForm(sent): LimitedForm<Unlock>,
) -> Response {
    let password: String = sent.password.chars().take(200).collect();
    match site
        .identity
        .unlock(&secret.0, &password, &terminal.0)
        .await
    {
        Ok(()) => match site
            .trace
            .record(act(
                &site,
                Some(&visitor),
                "session.unlock",
                Decision::Allowed,
                "",
            ))
            .await
        {
            Ok(_) => Redirect::to("/").into_response(),
            Err(error) => {
                site.identity.lock(&secret.0);
                unwritten(&error)
            }
        },
        Err(IdentityError::TooMany { seconds }) if !site.first_refusal(&terminal.0) => {
            Problem::too_many(seconds).into_response()
        }
        Err(error) => {
            if let Err(error) = site
                .trace
                .record(act(
                    &site,
                    Some(&visitor),
                    "session.unlock",
                    Decision::Refused,
                    error.code(),
                ))
                .await
            {
                return unwritten(&error);
            }
            if let IdentityError::TooMany { seconds } = error {
                return Problem::too_many(seconds).into_response();
            }
            let errors = vec![FieldError::new(
                "password",
                "パスワードが正しくありません。",
            )];
            html_with_status(
                StatusCode::BAD_REQUEST,
                LockPage {
                    frame: &lock_frame(&frame),
                    errors,
                },
            )
        }
    }
}
