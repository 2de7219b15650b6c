//! Tokens: right for one session and one key only.

use mimamori_pages::Csrf;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_token_is_right_for_its_session_and_key_only(
        key: [u8; 32],
        other_key: [u8; 32],
        session in proptest::collection::vec(any::<u8>(), 0..64),
        other in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let csrf = Csrf::new(key);
        let token = csrf.token(&session);
        prop_assert_eq!(token.len(), 43);
        prop_assert!(csrf.verify(&session, &token));
        prop_assert_eq!(csrf.verify(&other, &token), session == other);
        prop_assert_eq!(Csrf::new(other_key).verify(&session, &token), key == other_key);
    }

    #[test]
    fn a_changed_token_is_refused(key: [u8; 32], at in 0usize..43, given in "\\PC{0,60}") {
        let csrf = Csrf::new(key);
        let token = csrf.token(b"session");
        prop_assert_eq!(csrf.verify(b"session", &given), given == token);
        let mut letters = token.into_bytes();
        letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
        prop_assert!(!csrf.verify(b"session", std::str::from_utf8(&letters).unwrap()));
    }
}

#[test]
fn an_empty_or_cut_token_is_refused_and_the_key_stays_out_of_debug() {
    let csrf = Csrf::new([7; 32]);
    let token = csrf.token(b"s");
    assert!(!csrf.verify(b"s", ""));
    assert!(!csrf.verify(b"s", &token[..42]));
    assert!(!csrf.verify(b"s", &format!("{token}=")));
    assert_eq!(format!("{csrf:?}"), "Csrf(..)");
}
