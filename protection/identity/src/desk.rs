//! Desks (いつもの端末): from which addresses a login was used before.
//!
//! Kept as digests of login and address, so that the table is no list of who sits where.

use std::net::IpAddr;

use mimamori_storage::{Statement, Value};

/// A desk that was not used for so long is unknown again, microseconds (想定: 90 days).
pub(crate) const KEPT: i64 = 90 * 86_400 * 1_000_000;

/// Whether a desk is known; arguments from [`Desk::since`].
pub(crate) const KNOWN: &str = "SELECT seen FROM identity_desk WHERE desk = ? AND seen > ?";

/// A login at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Desk {
    /// Folded login.
    pub login: String,
    /// Address; of IPv6 the network of 64 bits, since one machine can take any address in it.
    pub address: String,
}

impl Desk {
    pub fn new(login: &str, terminal: &str) -> Self {
        let address = match terminal.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
            Ok(IpAddr::V6(ip)) => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            Ok(IpAddr::V4(ip)) => ip.to_string(),
            Err(_) => terminal.to_owned(),
        };
        Self {
            login: login.to_owned(),
            address,
        }
    }

    fn digest(&self) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(format!("{}\n{}", self.login, self.address)).into()
    }

    /// Arguments of [`KNOWN`].
    pub fn since(&self, since: i64) -> Vec<Value> {
        vec![(&self.digest()).into(), since.into()]
    }

    /// The writes of a sign-in at `now`: this desk is known, those long unused are forgotten.
    pub fn seen(&self, now: i64) -> Vec<Statement> {
        vec![
            Statement::new(
                "INSERT INTO identity_desk (desk, seen) VALUES (?, ?) \
                 ON CONFLICT (desk) DO UPDATE SET seen = excluded.seen",
                vec![(&self.digest()).into(), now.into()],
            ),
            Statement::new(
                "DELETE FROM identity_desk WHERE seen < ?",
                vec![now.saturating_sub(KEPT).into()],
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_one_network_of_64_bits_are_one_address() {
        let at = |terminal| Desk::new("suzuki", terminal);
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    }

    #[test]
    fn the_same_address_is_another_desk_for_another_login() {
        let (one, other) = (Desk::new("suzuki", "t1"), Desk::new("tanaka", "t1"));
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.digest(), Desk::new("suzuki", "t1").digest());
    }
}
