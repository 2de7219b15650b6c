//! One error page for each status: code, cause, next step, incident number.

use crate::frame::Frame;
use crate::render::HTML;
use crate::security::Shell;
use askama::Template;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// Why a request was refused (401, 403).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    /// One polite sentence.
    pub reason: String,
    /// Articles of law, ordinance or rule.
    pub clauses: Vec<String>,
    /// Id of the policy that decided; empty when none did.
    pub policy: String,
    /// Whom to ask; empty when nobody.
    pub ask: String,
}

impl Refusal {
    /// A refusal with invented content.
    pub fn sample() -> Self {
        Self {
            reason: "担当していない方の記録のため、表示できません。".into(),
            clauses: vec!["個人情報の保護に関する法律 第69条第1項".into()],
            policy: "resident.read.own-cases".into(),
            ask: "介護保険課の係長にお問い合わせください。".into(),
        }
    }
}

impl IntoResponse for Refusal {
    /// The 403 page.
    fn into_response(self) -> Response {
        Problem::forbidden(self).into_response()
    }
}

/// What only some statuses carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Detail {
    Refusal(Refusal),
    RetryAfter(u32),
    Allow(&'static str),
}

/// An error as a page. Never holds words of the request; `code` and `title` are
/// fixed at compile time. A 404 answers the same bytes whatever it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status, 400 to 599.
    pub status: u16,
    /// Stable code, lower case with dots.
    pub code: &'static str,
    /// Heading.
    pub title: &'static str,
    /// 原因, one sentence.
    pub cause: String,
    /// 次にすること, one sentence.
    pub next: String,
    /// 障害番号 by which staff and operators find the log line.
    pub incident: Option<String>,
    pub(crate) detail: Option<Box<Detail>>,
}

#[derive(Template)]
#[template(path = "pages/problem.html")]
struct ProblemPage<'a> {
    frame: Frame,
    problem: &'a Problem,
}

impl Problem {
    /// A problem with its own words.
    pub fn new(
        status: u16,
        code: &'static str,
        title: &'static str,
        cause: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            title,
            cause: cause.into(),
            next: next.into(),
            incident: None,
            detail: None,
        }
    }

    /// Adds the incident number.
    #[must_use]
    pub fn with_incident(mut self, incident: impl Into<String>) -> Self {
        self.incident = Some(incident.into());
        self
    }

    /// Replaces the next step.
    #[must_use]
    pub fn with_next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// Why the request was refused, for 401 and 403.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self.detail.as_deref() {
            Some(Detail::Refusal(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// Seconds to wait, for 429.
    pub fn retry_after(&self) -> Option<u32> {
        match self.detail.as_deref() {
            Some(Detail::RetryAfter(seconds)) => Some(*seconds),
            _ => None,
        }
    }

    pub(crate) fn with_detail(mut self, detail: Detail) -> Self {
        self.detail = Some(Box::new(detail));
        self
    }

    /// The page as HTML in the public frame of `shell`.
    pub fn page(&self, shell: &Shell) -> String {
        let mut frame = Frame::public("")
            .with_demo(shell.demo)
            .with_contact(shell.contact.clone());
        frame.env_label.clone_from(&shell.env_label);
        self.page_in(frame)
    }

    /// The page as HTML in the frame of the visitor; its title and message are replaced.
    pub(crate) fn page_in(&self, frame: Frame) -> String {
        let fixed;
        // "not yours" and "not there" must be the same bytes (DESIGN 6).
        let problem = if self.status == 404 {
            fixed = Self::not_found();
            &fixed
        } else {
            self
        };
        let mut frame = frame.with_title(problem.title).with_current("");
        frame.notice = None;
        ProblemPage { frame, problem }
            .render()
            .unwrap_or_else(|_| String::from("エラー"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = self.page(&Shell::default());
        let mut response = (status, [(CONTENT_TYPE, HTML)], body).into_response();
        let headers = response.headers_mut();
        match self.detail.as_deref() {
            Some(Detail::RetryAfter(seconds)) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Some(Detail::Allow(methods)) => {
                headers.insert(ALLOW, HeaderValue::from_static(methods));
            }
            _ => {}
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("MimamoriSession"),
            );
        }
        response.extensions_mut().insert(self);
        response
    }
}
