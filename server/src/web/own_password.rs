//! Own password: forced at first sign-in (S4-73), possible at any time.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_identity::{AuthLevel, EndReason, IdentityError, Visitor, password_statements};
use mimamori_kernel::error::Coded as _;
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem, html_with_status};
use mimamori_trace::{Act, Decision};

use super::Site;
use super::guard::{Secret, Terminal};
use super::sign_in::{act, unwritten};

#[derive(Template)]
#[template(path = "server/password.html")]
struct PasswordPage<'a> {
    frame: &'a Frame,
    first: bool,
    errors: Vec<FieldError>,
}

fn show(frame: Frame, visitor: &Visitor, errors: Vec<FieldError>) -> Response {
    let first = visitor.auth == AuthLevel::PasswordInitial;
    let mut frame = frame.with_title("パスワードの変更");
    if first {
        frame = frame.with_nav(vec![]);
    }
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    html_with_status(
        status,
        PasswordPage {
            frame: &frame,
            first,
            errors,
        },
    )
}

/// GET /password
pub(crate) async fn page(
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    show(frame, &visitor, vec![])
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    old: String,
    new: String,
    again: String,
}

/// POST /password
pub(crate) async fn submit(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Extension(secret): Extension<Secret>,
    Extension(terminal): Extension<Terminal>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let account = match site.identity.account(&visitor.user).await {
        Ok(Some(account)) => account,
        _ => return Problem::internal(None).into_response(),
    };
    let fail = |field: &str, text: String| {
        show(frame.clone(), &visitor, vec![FieldError::new(field, text)])
    };
    match site
        .identity
        .is_password(&account, &sent.old, &terminal.0)
        .await
    {
        Ok(()) => {}
        Err(error) => {
            let throttled = matches!(error, IdentityError::TooMany { .. });
            if !throttled || site.first_refusal(&terminal.0) {
                let refused = Decision::Refused;
                let line = act(
                    &site,
                    Some(&visitor),
                    "password.change",
                    refused,
                    error.code(),
                );
                if let Err(error) = site.trace.record(line).await {
                    return unwritten(&error);
                }
            }
            return match error {
                IdentityError::TooMany { seconds } => Problem::too_many(seconds).into_response(),
                _ => fail("old", "いまのパスワードが正しくありません。".into()),
            };
        }
    }
    if sent.new != sent.again {
        return fail("again", "新しいパスワードと一致しません。".into());
    }
    if sent.new == sent.old {
        return fail("new", "いまと違うパスワードにしてください。".into());
    }
    let (kdf, random) = (site.identity.kdf(), site.random.clone());
    let made = tokio::task::spawn_blocking(move || {
        password_statements(&account, &sent.new, kdf, &*random)
    })
    .await;
    let changes = match made {
        Ok(Ok(changes)) => changes,
        Ok(Err(error)) => return fail("new", error.to_string()),
        Err(_) => return Problem::internal(None).into_response(),
    };
    let line = Act {
        changes,
        touches_accounts: true,
        ..act(
            &site,
            Some(&visitor),
            "password.change",
            Decision::Allowed,
            "",
        )
    };
    if let Err(error) = site.trace.record(line).await {
        return unwritten(&error);
    }
    // Whoever knew the old password is out, this session too; the next begins with a sign-in.
    site.identity
        .end_sessions(&visitor.user, EndReason::PasswordChanged);
    site.identity.sign_out(&secret.0);
    site.forget(&visitor);
    Redirect::to("/sign-in?ended=password").into_response()
}
