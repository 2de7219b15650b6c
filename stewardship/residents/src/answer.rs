//! How a refusal or failure of the gate looks on the screen.

use axum::response::{IntoResponse as _, Response};
use mimamori_gate::GateError;
use mimamori_kernel::error::Coded as _;
use mimamori_pages::{Problem, Refusal};
use mimamori_trace::TraceError;

/// The page for an error of the gate. Causes go to the log once, here.
pub fn answer(error: GateError) -> Response {
    match error {
        GateError::Refused(refused) => Problem::forbidden(Refusal {
            reason: refused.sentence,
            clauses: refused.clauses,
            policy: refused.policy,
            ask: "業務に必要なときは、所属の管理者に相談してください。".into(),
        })
        .into_response(),
        GateError::NotFound => Problem::not_found().into_response(),
        GateError::StepUp => Problem::step_up().into_response(),
        error @ GateError::TooMany { .. } => {
            Problem::bad_request(error.to_string()).into_response()
        }
        GateError::Trace(TraceError::AccountChanged) => Problem::account_changed().into_response(),
        GateError::Trace(TraceError::SubjectChanged | TraceError::Conflict { .. }) => {
            Problem::conflict("表示しようとした記録が、ほかの処理で変わりました。").into_response()
        }
        GateError::Trace(error) => {
            tracing::error!(code = error.code(), error = ?error, "nothing was shown");
            Problem::cannot_record(None).into_response()
        }
        GateError::Storage(error) => {
            tracing::error!(code = error.code(), error = ?error, "a read failed");
            Problem::internal(None).into_response()
        }
        GateError::Rules(why) => {
            tracing::error!(why, "the rules do not hold together");
            Problem::internal(None).into_response()
        }
    }
}
