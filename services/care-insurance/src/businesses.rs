//! 登録業務台帳 (register of businesses): the 18 categories of the insurer's registration (S0-18).
//!
//! Category 1 is held by this room and has its items; the other 17 are entries whose names and items
//! nobody outside the town has: they are marked assumed and stand in no menu.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use mimamori_gate::Purpose;
use mimamori_identity::Visitor;
use mimamori_kernel::error::Coded;
use mimamori_pages::{Frame, Problem, html};
use mimamori_residents::answer;

use crate::{CareInsurance, action};

/// One category.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Business {
    /// 1 to 18.
    pub number: u32,
    /// Name.
    pub name: String,
    /// Purpose of keeping the records.
    pub purpose: String,
    /// Whose records.
    pub subjects: String,
    /// Data items.
    pub items: Vec<String>,
    /// Screens exist.
    pub built: bool,
    /// Name and items are our proposal (想定).
    pub assumed: bool,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    business: Vec<Business>,
}

/// Why the register cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("登録業務台帳を読めません。")]
pub struct RegisterError(#[source] Box<toml::de::Error>);

impl Coded for RegisterError {
    fn code(&self) -> &'static str {
        "BUSINESS-REGISTER"
    }
    fn advice(&self) -> &'static str {
        "配布されたとおりの台帳ファイルに戻してください。"
    }
}

/// The register that comes with the program.
///
/// # Errors
/// [`RegisterError`]; a test shows that there is none.
pub fn register() -> Result<Vec<Business>, RegisterError> {
    let file: File = toml::from_str(include_str!("../businesses.toml"))
        .map_err(|e| RegisterError(Box::new(e)))?;
    Ok(file.business)
}

#[derive(Template)]
#[template(path = "care-insurance/businesses.html")]
struct RegisterPage<'a> {
    frame: &'a Frame,
    businesses: Vec<Business>,
}

/// GET /insurance/businesses
pub(crate) async fn page(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    if let Err(error) = room
        .gate
        .list(&visitor, action::BUSINESSES, Purpose::CareInsurance)
        .await
    {
        return answer(error);
    }
    match register() {
        Ok(businesses) => html(RegisterPage {
            frame: &frame.with_title("登録業務台帳").with_current("/insurance"),
            businesses,
        }),
        Err(error) => {
            tracing::error!(code = error.code(), error = ?error, "the register of businesses");
            axum::response::IntoResponse::into_response(Problem::internal(None))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_eighteen_and_what_is_not_known_is_marked() {
        let all = register().unwrap();
        let numbers: Vec<u32> = all.iter().map(|b| b.number).collect();
        assert_eq!(numbers, (1..=18).collect::<Vec<_>>());
        assert!(all[0].built && all[0].items.len() > 8);
        let number = all[0].items.last().unwrap();
        assert!(
            number.starts_with("㊸個人番号管理情報"),
            "known from 000 (S0-12)"
        );
        // P-18 in its order.
        assert_eq!(
            (&*all[2].name, &*all[16].name),
            ("特別徴収", "総合事業・地域支援事業")
        );
        assert!(all.iter().skip(1).all(|b| b.assumed && !b.built));
    }
}
