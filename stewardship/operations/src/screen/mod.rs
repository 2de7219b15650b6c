//! The two shapes of this room's pages: a sheet that shows, and a form that asks.

mod desk;
mod form;
mod sheet;

pub(crate) use desk::Desk;
pub(crate) use form::{
    Field, FormPage, Mark, NAME, Sent, classes, marks, moved, plain, settled, ticked,
};
pub(crate) use sheet::{Cell, SheetPage, Table};

use jiff::civil::Date;
use mimamori_gate::{Class, Classes};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::date::wareki_with_western;

/// A day as the office writes it.
pub(crate) fn day(day: Date) -> String {
    wareki_with_western(day.into())
}

/// A moment as the office writes it.
pub(crate) fn moment(at: i64) -> String {
    let at = Instant(at);
    format!("{} {}", day(at.office_day()), at.office().strftime("%H:%M"))
}

/// The classes about residents that a scope or a contract can name.
pub(crate) fn nameable() -> impl Iterator<Item = Class> {
    // Individual numbers have rules of their own; no scope and no contract of this room opens them.
    Class::ALL
        .into_iter()
        .filter(|c| c.about_residents() && !c.of_number())
}

/// A mask of classes in words.
pub(crate) fn mask(bits: u32) -> String {
    if bits == u32::MAX {
        return "役割で認められたすべて".into();
    }
    let named: Vec<&str> = nameable()
        .filter(|c| Classes::from_bits(bits).contains(*c))
        .map(Class::japanese)
        .collect();
    match named.is_empty() {
        true => "なし".into(),
        false => named.join("、"),
    }
}
