//! 委託契約, as much of it as signing in and the gate need: partner, purposes, classes, period.
//! The whole contract (clauses, handlers, certificates) belongs to oversight, later.

pub(crate) mod page;
mod rule;
