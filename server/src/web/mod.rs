//! Routes of the instance and what stands before them.

pub mod guard;
mod guide;
mod home;
mod outputs;
mod own_password;
mod passkeys;
mod second_administrator;
mod sign_in;
mod verify;

pub(crate) use sign_in::opened;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Router, middleware};
use mimamori_audit::Audit;
use mimamori_files::Shelf;
use mimamori_gate::Purpose;
use mimamori_handover::Handover;
use mimamori_identity::{DemoGrant, EndReason, Identity, Role, SessionId};
use mimamori_kernel::clock::Clock;
use mimamori_kernel::random::Random;
use mimamori_operations::Operations;
use mimamori_pages::{Csrf, Frame, NavLink, Problem, Shell, protect};
use mimamori_residents::Residents;
use mimamori_residents::import::{Phase, Progress, State};
use mimamori_trace::Trace;

use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use mimamori_care_insurance::CareInsurance;
use mimamori_kernel::error::Coded as _;
use mimamori_sheets::{Fonts, Press};

use crate::config::Contact;
use crate::instance::Instance;

/// The name of the session's cookie; under TLS one that browsers bind to the host.
pub(crate) fn cookie_name(tls: bool) -> &'static str {
    if tls { "__Host-mimamori" } else { "mimamori" }
}

/// Gives up a request after so many seconds.
fn late(seconds: u64) -> TimeoutLayer {
    TimeoutLayer::with_status_code(
        StatusCode::SERVICE_UNAVAILABLE,
        Duration::from_secs(seconds),
    )
}

/// The printer that the rooms share; without fonts it says which package is missing.
fn press() -> Press {
    Fonts::system().map_or_else(
        |error| {
            tracing::warn!(code = error.code(), "{error} {}", error.advice());
            Press::default()
        },
        Press::new,
    )
}

/// Whether the register of persons is this role's work; others find no link to it, and the gate
/// refuses them.
pub(crate) fn searches(visitor: &mimamori_identity::Visitor) -> bool {
    matches!(
        visitor.role,
        Role::Clerk | Role::CareClerk | Role::LeadOfficer
    )
}

/// Where user management begins for a role; none for the rest.
pub(crate) fn office(visitor: &mimamori_identity::Visitor) -> Option<&'static str> {
    match visitor.role {
        Role::OperationsManager | Role::ProgrammeDirector | Role::Auditor => {
            Some("/operations/people")
        }
        Role::SystemAdministrator => Some("/operations/overview"),
        _ => None,
    }
}
/// Roles that read the analysis report; the policies decide, this is only the menu.
pub(crate) const REPORT_READERS: [Role; 3] = [
    Role::Auditor,
    Role::OperationsManager,
    Role::ProgrammeDirector,
];

/// What the server's own pages need.
#[derive(Clone)]
pub struct Site {
    pub(crate) identity: Identity,
    pub(crate) trace: Trace,
    pub(crate) gate: mimamori_gate::Gate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) db: mimamori_storage::Db,
    pub(crate) csrf: Arc<Csrf>,
    pub(crate) residents: Option<Residents>,
    pub(crate) operations: Operations,
    pub(crate) handover: Handover,
    /// Search over the trace, alerts, reports; the hourly task runs its rules.
    pub audit: Audit,
    /// Qualifications and cards, where the register is; the nightly task derives.
    pub insurance: Option<CareInsurance>,
    /// Files that were taken out and wait for the browser.
    pub shelf: Shelf<SessionId>,
    pub(crate) tls: bool,
    pub(crate) trusted_proxy: Vec<std::net::IpAddr>,
    pub(crate) maintenance: Vec<std::net::IpAddr>,
    /// Whom to tell of a weakness, an incident or a fault.
    pub(crate) contact: Option<String>,
    /// When a terminal was last told that it tried too often, microseconds of the steady clock.
    throttled: Arc<std::sync::Mutex<std::collections::HashMap<String, i64>>>,
    /// Data directory and configuration, for the state of the backups.
    pub(crate) place: (std::path::PathBuf, Arc<crate::config::Config>),
    /// Present in a demo only.
    pub(crate) demo: Option<DemoGrant>,
    /// Key of the simulated face terminal; present in a demo only.
    pub(crate) face_key: Option<Arc<ed25519_dalek::SigningKey>>,
    /// Progress of the import that runs, for the screen.
    pub progress: Progress,
    /// Why the demo's load failed.
    pub failed: Arc<std::sync::Mutex<Option<String>>>,
}

impl Site {
    /// The site of an instance.
    pub fn new(instance: &Instance) -> Self {
        let gate = instance.gate.clone();
        let press = press();
        let shelf = Shelf::new(instance.random.clone());
        let insurance = crate::insurance::room(instance, press.clone(), shelf.clone());
        let residents = instance.config.zone.has_residents().then(|| {
            Residents::new(
                gate.clone(),
                instance.clock.clone(),
                instance.random.clone(),
            )
            .with_imports(
                instance.dir.join("staging"),
                instance.config.environment == crate::config::Environment::Demo,
            )
            .with_press(press.clone())
            .with_services(crate::insurance::services(insurance.as_ref()))
        });
        let (identity, tickets) = (instance.identity.clone(), insurance.clone());
        let operations = Operations::new(
            gate.clone(),
            instance.clock.clone(),
            instance.random.clone(),
            identity.kdf(),
            Arc::new(move |user| {
                identity.end_sessions(user, EndReason::Revoked);
                if let Some(insurance) = &tickets {
                    insurance.forget_user(user);
                }
            }),
        )
        .with_press(press);
        let audit = Audit::new(
            gate,
            instance.clock.clone(),
            instance.random.clone(),
            instance.rules.clone(),
            shelf.clone(),
        );
        Self {
            identity: instance.identity.clone(),
            trace: instance.trace.clone(),
            gate: instance.gate.clone(),
            clock: instance.clock.clone(),
            random: instance.random.clone(),
            db: instance.db.clone(),
            csrf: Arc::new(Csrf::new(*instance.keys.form.bytes())),
            residents,
            operations,
            handover: crate::handover::room(instance),
            audit,
            insurance,
            shelf,
            tls: instance.config.tls.is_some(),
            trusted_proxy: instance.config.trusted_proxy.clone(),
            maintenance: instance.config.maintenance.clone(),
            contact: instance.config.contact.as_ref().map(Contact::line),
            place: (instance.dir.clone(), Arc::new(instance.config.clone())),
            demo: DemoGrant::from_environment(instance.config.environment.code()),
            face_key: instance.demo_face.clone(),
            throttled: Arc::default(),
            progress: Progress::default(),
            failed: Arc::default(),
        }
    }

    /// Phase, done and total of an import that runs.
    pub(crate) fn running(&self) -> Option<(String, u64, u64)> {
        let told =
            |phase: Phase| format!("{}（{}）", "住民データを取り込んでいます", phase.japanese());
        match self.progress.state() {
            State::Running => Some((
                told(self.progress.phase()),
                self.progress.done(),
                self.progress.total().max(1),
            )),
            State::Waiting if self.demo.is_some() && self.why_failed().is_none() => {
                Some(("見本の町を作っています".into(), 0, 1))
            }
            _ => None,
        }
    }

    /// Why the demo could not be loaded.
    pub(crate) fn why_failed(&self) -> Option<String> {
        self.failed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    /// Whether a reverse proxy ends TLS.
    pub(crate) fn tls_ends_before(&self) -> bool {
        !self.trusted_proxy.is_empty()
    }

    /// Whether browsers reach the instance by https.
    pub(crate) fn behind_tls(&self) -> bool {
        self.tls || self.tls_ends_before()
    }

    /// Whether this refusal for too many attempts is the terminal's first within a minute. Only
    /// that one gets a line, so that a flood of attempts does not become a flood of lines.
    pub(crate) fn first_refusal(&self, terminal: &str) -> bool {
        let now = self.clock.steady();
        let mut seen = self
            .throttled
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.retain(|_, at| now - *at < 60_000_000);
        if seen.contains_key(terminal) {
            return false;
        }
        seen.insert(terminal.to_owned(), now);
        true
    }

    /// The cookie's name; `__Host-` binds it to this host under TLS.
    pub(crate) fn cookie_name(&self) -> &'static str {
        cookie_name(self.behind_tls())
    }

    /// A frame for people who are not signed in.
    pub(crate) fn public_frame(&self, title: &str) -> Frame {
        Frame::public(title)
            .with_demo(self.demo.is_some())
            .with_contact(self.contact.clone())
    }

    /// Forgets what the rooms kept for a session that ended.
    pub(crate) fn forget(&self, visitor: &mimamori_identity::Visitor) {
        if let Some(residents) = &self.residents {
            residents.forget(&visitor.session);
        }
        self.shelf.forget(&visitor.session);
        self.audit.forget(&visitor.session);
        if let Some(insurance) = &self.insurance {
            insurance.forget(&visitor.session);
        }
    }

    /// Another session of this user ended by this sign-in: its tickets for numbers end before the new one works.
    pub(crate) async fn forget_others(&self, user: &mimamori_kernel::id::UserId) {
        if let Some(insurance) = &self.insurance {
            insurance.forgot_user(user).await;
        }
    }

    /// Links of a role.
    pub(crate) fn nav(&self, visitor: &mimamori_identity::Visitor) -> Vec<NavLink> {
        let mut out = vec![NavLink::new("/", "ホーム", false)];
        if self.residents.is_some() {
            if searches(visitor) {
                out.push(NavLink::new("/residents/search", "住民の検索", false));
                if visitor.role == mimamori_identity::Role::LeadOfficer {
                    out.push(NavLink::new(
                        "/residents/imports",
                        "住民データの取込み",
                        false,
                    ));
                }
            }
            if self.insurance.is_some() && matches!(visitor.role, Role::Clerk | Role::LeadOfficer) {
                out.push(NavLink::new("/insurance", "資格管理", false));
            }
            if self
                .insurance
                .as_ref()
                .is_some_and(CareInsurance::has_numbers)
            {
                if visitor.handler && searches(visitor) {
                    out.push(NavLink::new("/insurance/numbers", "個人番号", false));
                }
                if visitor.role == Role::SystemAdministrator {
                    out.push(NavLink::new(
                        "/insurance/numbers/keys",
                        "個人番号の鍵",
                        false,
                    ));
                }
            }
            if matches!(visitor.role, Role::Clerk | Role::LeadOfficer) {
                out.push(NavLink::new("/residents/enter", "転入などの入力", false));
            }
            if visitor.role == Role::LeadOfficer {
                out.push(NavLink::new(
                    "/residents/differences",
                    "取込みとの突合",
                    false,
                ));
            }
            if visitor.role == Role::Citizen && visitor.person.is_some() {
                out.push(NavLink::new("/me", "自分の記録を見た人", false));
            }
        }
        if self.gate.offers(
            visitor,
            mimamori_handover::action::LIST,
            Purpose::Operation,
            false,
        ) {
            out.push(NavLink::new("/handover", "受渡し", false));
        }
        if visitor.handler {
            out.push(NavLink::new("/verify", "本人確認", false));
        }
        if let Some(href) = office(visitor) {
            out.push(NavLink::new(href, "利用者管理", false));
        }
        if visitor.role == Role::Auditor {
            out.push(NavLink::new("/audit", "証跡の検索", false));
            out.push(NavLink::new("/audit/alerts", "点検の結果", false));
        }
        if matches!(
            visitor.role,
            Role::Contractor | Role::SystemAdministrator | Role::Auditor
        ) {
            out.push(NavLink::new("/audit/operation", "運転記録", false));
        }
        if REPORT_READERS.contains(&visitor.role) {
            out.push(NavLink::new("/audit/reports", "分析報告", false));
        }
        out.push(NavLink::new("/guide", "案内", false));
        out
    }

    /// The whole router with its guards.
    pub fn router(self) -> Router {
        let mut own = Router::new()
            .route("/", get(home::page))
            .route("/guide", get(guide::page))
            .route("/sign-in", get(sign_in::page).post(sign_in::submit))
            .route("/sign-out", post(sign_in::sign_out))
            .route("/lock", get(sign_in::lock_page).post(sign_in::lock))
            .route("/unlock", post(sign_in::unlock))
            .route("/outputs/{line}", get(outputs::page))
            .route("/outputs/{line}/file", get(outputs::file))
            .route("/verify", get(verify::page))
            .route("/verify/passkey", post(verify::passkey))
            .route("/verify/face", get(verify::face).post(verify::face_submit))
            .route("/passkeys", get(passkeys::list))
            .route("/passkeys/setup", get(passkeys::setup))
            .route("/passkeys/new", get(passkeys::new).post(passkeys::begin))
            .route("/passkeys/register", post(passkeys::register))
            .route("/passkeys/{passkey}/end", post(passkeys::end))
            .route(
                "/password",
                get(own_password::page).post(own_password::submit),
            )
            .route(
                "/administrators/second",
                get(second_administrator::page).post(second_administrator::submit),
            );
        if self.demo.is_some() {
            own = own
                .route("/demo", get(crate::demo::chooser))
                .route("/demo/role", post(crate::demo::choose))
                .route(
                    "/demo/face",
                    get(verify::simulated).post(verify::simulated_submit),
                );
        }
        let shell = Shell {
            tls: self.behind_tls(),
            demo: self.demo.is_some(),
            env_label: None,
            contact: self.contact.clone(),
        };
        let residents = self
            .residents
            .clone()
            .map_or_else(Router::new, Residents::routes);
        // Files, and work on the whole town, may take longer than a page.
        let uploads = self
            .residents
            .clone()
            .map_or_else(Router::new, Residents::uploads)
            .merge(
                self.insurance
                    .clone()
                    .map_or_else(Router::new, CareInsurance::long)
                    .layer(late(600)),
            )
            .layer(CatchPanicLayer::new())
            .layer(middleware::from_fn_with_state(self.clone(), guard::session));
        let insurance = self
            .insurance
            .clone()
            .map_or_else(Router::new, CareInsurance::routes);
        let inner = own
            .with_state(self.clone())
            .merge(residents)
            .merge(self.operations.clone().routes())
            .merge(self.handover.clone().routes())
            .merge(self.audit.clone().routes())
            .merge(insurance)
            .fallback(async || Problem::not_found())
            // Inside the guard too, so that these answers stand in the visitor's frame.
            .layer(late(30))
            .layer(CatchPanicLayer::new())
            .layer(middleware::from_fn_with_state(self, guard::session))
            .merge(mimamori_pages::routes())
            .layer(late(35))
            .merge(uploads)
            .layer(CatchPanicLayer::new());
        protect(inner, shell)
    }
}
