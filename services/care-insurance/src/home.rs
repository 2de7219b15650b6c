//! 資格管理 home: the queues, and one person by the insured-person number.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use mimamori_gate::{Class, Condition, Purpose};
use mimamori_identity::{Role, Visitor};
use mimamori_kernel::check::{InsuredMethod, insured_number};
use mimamori_pages::{FieldError, Frame, LimitedForm, html, html_with_status};
use mimamori_residents::answer;

use crate::eligibility::pages::{COLUMNS, Line, QUEUES, Queue, lines};
use crate::{CareInsurance, action};

#[derive(Template)]
#[template(path = "care-insurance/home.html")]
struct HomePage<'a> {
    frame: &'a Frame,
    queues: &'a [Queue],
    number: String,
    errors: Vec<FieldError>,
    found: Option<(Vec<Line>, u64)>,
    /// The lead officer orders derivations.
    derives: bool,
}

fn framed(frame: &Frame) -> Frame {
    frame
        .clone()
        .with_title("資格管理")
        .with_current("/insurance")
}

/// GET /insurance
pub(crate) async fn page(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
) -> Response {
    if let Err(error) = room
        .gate
        .list(&visitor, action::LIST, Purpose::CareInsurance)
        .await
    {
        return answer(error);
    }
    html(HomePage {
        frame: &framed(&frame),
        queues: &QUEUES,
        number: String::new(),
        errors: vec![],
        found: None,
        derives: visitor.role == Role::LeadOfficer,
    })
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    number: String,
}

/// A number as it is kept: digits typed in any width, and capitals.
pub(crate) fn narrow(typed: &str) -> String {
    let narrow = |c: char| match c {
        '０'..='９' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other.to_ascii_uppercase(),
    };
    typed.trim().chars().map(narrow).collect()
}

/// The same with the zeros before it that may be left out in a search.
fn whole(typed: &str) -> String {
    let number = narrow(typed);
    match !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        true => format!("{number:0>10}"),
        false => number,
    }
}

/// POST /insurance: by number.
pub(crate) async fn find(
    State(room): State<CareInsurance>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    LimitedForm(asked): LimitedForm<Asked>,
) -> Response {
    let number = whole(&asked.number);
    let frame = framed(&frame);
    let (mut errors, mut found) = (vec![], None);
    match insured_number(&number, InsuredMethod::None) {
        Err(error) => errors.push(FieldError::new("number", error.to_string())),
        Ok(_) => {
            let look = async {
                let permit = room
                    .gate
                    .list(&visitor, action::LIST, Purpose::CareInsurance)
                    .await?;
                let by_number = [Condition {
                    class: Class::Insurance,
                    sql: "p.insured_number = ?",
                    args: vec![number.as_str().into()],
                }];
                let table = "care_insurance_person";
                let rows = permit
                    .fetch(
                        &permit,
                        table,
                        &COLUMNS,
                        "1 = 1",
                        &by_number,
                        "p.kana_key",
                        0,
                        20,
                    )
                    .await?;
                permit.reveal(rows).await
            };
            match look.await {
                Ok(rows) => {
                    found = Some((lines(&rows, room.clock.now().office_day()), rows.line()))
                }
                Err(error) => return answer(error),
            }
        }
    }
    let status = match errors.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    html_with_status(
        status,
        HomePage {
            frame: &frame,
            queues: &QUEUES,
            number: asked.number,
            errors,
            found,
            derives: visitor.role == Role::LeadOfficer,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_before_a_number_may_be_left_out() {
        for typed in ["101", "0000000101", " １０１ ", "00101"] {
            assert_eq!(whole(typed), "0000000101", "{typed}");
        }
        assert_eq!(whole("h123456789"), "H123456789");
        for wrong in ["", "12a", "00000000101"] {
            assert!(insured_number(&whole(wrong), InsuredMethod::None).is_err());
        }
    }
}
