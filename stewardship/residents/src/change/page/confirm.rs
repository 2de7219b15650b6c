//! What an officer confirms before a change is written.

use askama::Template;
use mimamori_pages::Frame;

use crate::change::item::{Values, of};
use crate::change::journal::Step;
use crate::change::rule::{Sent, Wish, differences, warnings};

#[derive(Template)]
#[template(path = "residents/change_confirm.html")]
pub(in crate::change) struct ConfirmPage<'a> {
    pub frame: &'a Frame,
    pub to: String,
    pub kind: &'static str,
    pub who: String,
    pub days: Vec<(&'static str, String)>,
    pub reason: String,
    pub steps: Vec<Step>,
    pub warnings: Vec<String>,
    pub given: Vec<(String, String)>,
}

/// The confirmation: before and after, warnings, and the input carried on.
pub(in crate::change) fn confirm<'a>(
    frame: &'a Frame,
    to: String,
    who: String,
    now: &Values,
    wish: &Wish,
    given: &Sent,
) -> ConfirmPage<'a> {
    let steps = differences(now, &wish.items)
        .into_iter()
        .map(|(item, before, after)| Step {
            label: item.label,
            before: item.words(&before),
            after: item.words(&after),
        })
        .collect();
    let day = of("status_day");
    let days = [
        ("異動日", &wish.event_day),
        ("届出日", &wish.notified_day),
        ("転出先の住民となった日", &wish.elsewhere),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
    .map(|(label, text)| (label, day.map_or_else(String::new, |d| d.words(text))))
    .chain((!wish.moved_to.is_empty()).then(|| ("転出先の住所", wish.moved_to.clone())))
    .collect();
    ConfirmPage {
        frame,
        to,
        kind: wish.kind.word(),
        who,
        days,
        reason: wish.reason.clone(),
        steps,
        warnings: warnings(now, wish),
        given: carried(given),
    }
}

/// The input for the next page, without what each form adds itself.
pub(super) fn carried(given: &Sent) -> Vec<(String, String)> {
    given
        .iter()
        .filter(|(name, _)| !["csrf", "step"].contains(&name.as_str()))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}
