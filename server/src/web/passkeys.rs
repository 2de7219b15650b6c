//! One's own passkeys: the list, registration with the code from the counter, revocation, and the setup sheet.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use mimamori_gate::{Change, GateError, Purpose};
use mimamori_identity::{IdentityError, KnownPasskey, Visitor, end_passkey};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::PasskeyId;
use mimamori_operations::action;
use mimamori_pages::{FieldError, Frame, LimitedForm, Problem, html, html_with_status};
use mimamori_residents::answer;
use mimamori_trace::{Act, Decision};

use super::Site;
use super::guard::Host;
use super::sign_in::{act, unwritten};
use super::verify::{elsewhere, told};

/// Longest name of a passkey, characters.
const NAME: usize = 60;

struct Key {
    id: PasskeyId,
    name: String,
    created: String,
    used: String,
    counter: i64,
    badge: &'static str,
    state: &'static str,
    open: bool,
}

#[derive(Template)]
#[template(path = "server/passkeys.html")]
struct KeysPage<'a> {
    frame: &'a Frame,
    keys: Vec<Key>,
    done: bool,
}

#[derive(Template)]
#[template(path = "server/passkey_new.html")]
struct NewPage<'a> {
    frame: &'a Frame,
    wrong: Option<(String, String)>,
    elsewhere: Option<&'a str>,
    options: Option<String>,
    errors: Vec<FieldError>,
    code: &'a str,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "server/passkey_setup.html")]
struct SetupPage<'a> {
    frame: &'a Frame,
}

fn moment(at: i64) -> String {
    let at = Instant(at);
    let day = mimamori_kernel::date::wareki_with_western(at.office_day().into());
    format!("{day} {}", at.office().strftime("%H:%M"))
}

fn key(known: &KnownPasskey) -> Key {
    let (badge, state) = match (known.ended, known.suspended) {
        (Some(_), _) => ("info", "失効"),
        (None, Some(_)) => ("danger", "停止（複製の疑い）"),
        (None, None) => ("success", "使用中"),
    };
    Key {
        id: known.id,
        name: known.name.clone(),
        created: moment(known.created),
        used: known.used.map_or_else(|| "—".into(), moment),
        counter: known.counter,
        badge,
        state,
        open: known.ended.is_none(),
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Done {
    done: Option<u8>,
}

async fn own(site: &Site, visitor: &Visitor) -> Result<Vec<Key>, GateError> {
    let user = Some(visitor.user);
    let permit = site
        .gate
        .office(visitor, action::ACCOUNT_OWN, Purpose::Operation, user)
        .await?;
    let known = permit.passkeys(&visitor.user).await?;
    let shown = permit.reveal(known).await?;
    Ok(shown.iter().map(key).collect())
}

/// GET /passkeys
pub(crate) async fn list(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Query(told): Query<Done>,
) -> Response {
    let keys = match own(&site, &visitor).await {
        Ok(keys) => keys,
        Err(error) => return answer(error),
    };
    let frame = frame.with_title("自分のパスキー").with_current("");
    html(KeysPage {
        frame: &frame,
        keys,
        done: told.done.is_some(),
    })
}

/// POST /passkeys/{passkey}/end
pub(crate) async fn end(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Path(passkey): Path<String>,
) -> Response {
    let Ok(passkey) = passkey.parse::<PasskeyId>() else {
        return Problem::not_found().into_response();
    };
    let now = site.clock.now();
    let done = async {
        let user = Some(visitor.user);
        let permit = site
            .gate
            .office(&visitor, action::PASSKEY_END, Purpose::Operation, user)
            .await?;
        let known = permit.account(&visitor.user, now).await?;
        let ended = permit.change(known, now, |account| {
            let account = account.ok_or(GateError::NotFound)?;
            let change = Change {
                accounts: end_passkey(&account, passkey, &visitor.user, now),
                words: "本人によるパスキーの失効".into(),
                ..Change::default()
            };
            Ok::<_, GateError>((change, ()))
        });
        ended.await
    };
    match done.await {
        Ok(_) => Redirect::to("/passkeys").into_response(),
        Err(error) => answer(error),
    }
}

/// How far a registration has come.
#[derive(Default)]
struct Step {
    /// Options for the browser; none while the code is asked for.
    options: Option<String>,
    wrong: Option<(String, String)>,
    errors: Vec<FieldError>,
}

fn form(
    site: &Site,
    frame: Frame,
    host: &Host,
    (code, name): (&str, &str),
    step: Step,
) -> Response {
    let frame = frame.with_title("パスキーの登録").with_current("");
    let status = match step.wrong.is_none() && step.errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let page = NewPage {
        frame: &frame,
        wrong: step.wrong,
        elsewhere: elsewhere(site, host),
        options: step.options,
        errors: step.errors,
        code,
        name,
    };
    html_with_status(status, page)
}

/// GET /passkeys/new
pub(crate) async fn new(
    State(site): State<Site>,
    Extension(frame): Extension<Frame>,
    Extension(host): Extension<Host>,
) -> Response {
    form(&site, frame, &host, ("", ""), Step::default())
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Sent {
    code: String,
    name: String,
    answer: String,
}

impl Sent {
    /// Code and name, cut to what they can be.
    fn words(&self) -> (String, String) {
        let cut = |text: &str, most| text.trim().chars().take(most).collect::<String>();
        (cut(&self.code, 40), cut(&self.name, NAME + 1))
    }
}

/// The line of a registration that was refused, and the form with the reason.
async fn refused(
    site: &Site,
    frame: Frame,
    (visitor, host): (&Visitor, &Host),
    error: IdentityError,
    name: &str,
) -> Response {
    if matches!(error, IdentityError::Storage(_)) {
        tracing::error!(code = error.code(), error = ?error, "no passkey could be registered");
        return Problem::internal(None).into_response();
    }
    let line = act(
        site,
        Some(visitor),
        "passkey.enrol",
        Decision::Refused,
        error.code(),
    );
    if let Err(error) = site.trace.record(line).await {
        return unwritten(&error);
    }
    let step = match error {
        IdentityError::EnrolmentCode => Step {
            errors: vec![FieldError::new("code", error.to_string())],
            ..Step::default()
        },
        error => Step {
            wrong: Some(told(&error)),
            ..Step::default()
        },
    };
    form(site, frame, host, ("", name), step)
}

/// POST /passkeys/new
pub(crate) async fn begin(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Extension(host): Extension<Host>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let (code, name) = sent.words();
    let mut errors = Vec::new();
    let plain = |c: char| !c.is_control() && !mimamori_kernel::fold::is_hidden(c);
    if name.is_empty() {
        errors.push(FieldError::new(
            "name",
            "パスキーの名前を入力してください。",
        ));
    } else if name.chars().count() > NAME || !name.chars().all(plain) {
        errors.push(FieldError::new(
            "name",
            "名前は、見える文字で60文字までにしてください。",
        ));
    }
    if code.is_empty() {
        errors.push(FieldError::new("code", "受付の番号を入力してください。"));
    }
    if !errors.is_empty() {
        let step = Step {
            errors,
            ..Step::default()
        };
        return form(&site, frame, &host, ("", &name), step);
    }
    match site.identity.begin_registration(&visitor, &code).await {
        Ok(options) => {
            let step = Step {
                options: Some(options),
                ..Step::default()
            };
            form(&site, frame, &host, (&code, &name), step)
        }
        Err(error) => refused(&site, frame, (&visitor, &host), error, &name).await,
    }
}

/// POST /passkeys/register
pub(crate) async fn register(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Extension(host): Extension<Host>,
    LimitedForm(sent): LimitedForm<Sent>,
) -> Response {
    let (code, name) = sent.words();
    let words = (code.as_str(), name.as_str());
    let made = site
        .identity
        .finish_registration(&visitor, words, &sent.answer);
    let proved = match made.await {
        Ok(proved) => proved,
        Err(error) => return refused(&site, frame, (&visitor, &host), error, &name).await,
    };
    let line = Act {
        changes: proved.changes,
        ground: Default::default(),
        ..act(
            &site,
            Some(&visitor),
            "passkey.enrol",
            Decision::Allowed,
            "passkey",
        )
    };
    if let Err(error) = site.trace.record(line).await {
        return unwritten(&error);
    }
    // The device verified its user a moment ago.
    site.identity.verified(&visitor);
    Redirect::to("/passkeys?done=1").into_response()
}

/// GET /passkeys/setup
pub(crate) async fn setup(Extension(frame): Extension<Frame>) -> Response {
    let frame = frame
        .with_title("パスキーが示すこと・示さないこと")
        .with_current("");
    html(SetupPage { frame: &frame })
}
