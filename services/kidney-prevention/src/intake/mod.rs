//! Import of health checks (健診結果の取込み): read, matched to residents, staged, looked at as counts and defects, and
//! taken in or dropped by one decision. Nothing of a person is shown here.

mod matching;
mod page;
mod store;
mod upload;

pub use store::{Incoming, accept, take_in};

pub(crate) use page::{decide, list, receive, show};
