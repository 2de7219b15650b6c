//! The form of an event or a correction: its controls and what it says about its assumptions.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use mimamori_kernel::id::PersonId;
use mimamori_pages::{Choice, FieldError, Frame, html_with_status};

use super::address;
use crate::change::item::{Item, Shape};
use crate::change::rule::{Form, Kind, Sent, sent};

/// One control of a form.
pub(in crate::change) struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub required: bool,
    pub value: String,
    pub hint: &'static str,
    pub choices: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "residents/change.html")]
pub(in crate::change) struct FormPage<'a> {
    pub frame: &'a Frame,
    pub to: String,
    pub back: String,
    pub who: String,
    pub lock: String,
    pub note: &'static str,
    pub fields: Vec<Field>,
    pub errors: Vec<FieldError>,
}

fn control(item: &'static Item, given: &Sent) -> Field {
    let value = sent(given, item.column).to_owned();
    let choices = match item.shape {
        Shape::Code(codes) => std::iter::once(("", "選んでください"))
            .chain(codes.iter().copied())
            .map(|(code, word)| Choice::new(code, word, &value))
            .collect(),
        _ => vec![],
    };
    Field {
        name: item.column,
        label: item.label,
        required: item.required,
        value,
        hint: item.hint,
        choices,
    }
}

/// The controls of a form: kind and days for events, the items, the reason.
pub(in crate::change) fn controls(form: Form, kinds: &[Kind], given: &Sent) -> Vec<Field> {
    let line = |name, label, required, hint| Field {
        name,
        label,
        required,
        value: sent(given, name).to_owned(),
        hint,
        choices: vec![],
    };
    let mut out = Vec::new();
    if !form.kinds().is_empty() {
        let chosen = sent(given, "kind");
        let choices = std::iter::once(("", "選んでください"))
            .chain(kinds.iter().map(|k| (k.word(), k.word())))
            .map(|(code, word)| Choice::new(code, word, chosen))
            .collect();
        let kind = line("kind", "異動の種類", true, "");
        out.push(Field { choices, ..kind });
        let habits = "例: R081101、令和8年11月1日、2026-11-01";
        out.push(line("event_day", "異動日", true, habits));
        // Whatever somebody reports needs the day; the office's own entries do not.
        let hint = "職権の異動では空欄にできます。";
        out.push(line("notified_day", "届出日", true, hint));
    }
    if form == Form::Enter {
        let hint = "宛名システムで付けた15桁の番号（想定: この画面では番号を作りません）。先頭の0は省略できます。";
        out.push(line("address_number", "宛名番号", true, hint));
    }
    out.extend(form.items().map(|item| control(item, given)));
    if form == Form::Move {
        out.push(line(
            "moved_to",
            "転出先の住所",
            false,
            "転出のときに入力します。",
        ));
        let hint = "転出のときに、分かれば入力します。異動日と同じ日なら、被保険者の資格はその日に失います（次の日ではありません）。";
        out.push(line("elsewhere", "転出先の住民となった日", false, hint));
    }
    let required = form != Form::Move && form != Form::Enter;
    let hint = "訂正と職権の異動には必要です。個人の名前は書かないでください。";
    out.push(line("reason", "理由", required, hint));
    out
}

/// What the form says about its assumptions (想定).
pub(in crate::change) fn note(form: Form) -> &'static str {
    match form {
        Form::Move => {
            "転出の予定は、転出した日になってから入力します（想定）。職権消除は「転出・職権消除」の状態にします（想定）。被保険者の資格は資格管理で別に扱います。"
        }
        Form::Enter => "被保険者の資格は資格管理で別に扱います。",
        Form::Basic | Form::Place => {
            "訂正は、取込みのファイルが同じ内容になるまで取込みで上書きされません。"
        }
        Form::Flag => {
            "支援措置の対象者の住所・電話番号・世帯・異動は、担当責任者だけが見られます。"
        }
    }
}

pub(in crate::change) fn titled(frame: Frame, form: Form) -> Frame {
    frame
        .with_title(form.title())
        .with_current("/residents/search")
}

pub(super) fn form_page(
    frame: &Frame,
    person: &PersonId,
    form: Form,
    who: String,
    lock: String,
    fields: Vec<Field>,
    errors: Vec<FieldError>,
) -> Response {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let page = FormPage {
        frame,
        to: address(person, form),
        back: format!("/residents/{person}"),
        who,
        lock,
        note: note(form),
        fields,
        errors,
    };
    html_with_status(status, page)
}
