//! Passkeys, the face product, and what a session is before and after them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::{Signer as _, SigningKey};
use mimamori_identity::{
    AuthLevel, EndReason, FaceWord, Failed, IdentityCheck, IdentityError, Proofs, Role,
    SessionState, SignedIn, Visitor, end_passkey, face_message, open_enrolment, passkeys,
    suspended_passkeys,
};
use mimamori_kernel::clock::{Clock as _, Instant};
use mimamori_kernel::id::UserId;
use mimamori_kernel::random::SystemRandom;

use crate::device::{Device, ORIGIN};
use crate::office::{NOON, Office, PHRASE, cheaply};

const FACE: [u8; 32] = [9; 32];

/// An office where passkeys and a face product are set up, with a clerk and a manager.
async fn office(office: Office) -> Office {
    let face = SigningKey::from_bytes(&FACE).verifying_key();
    let proofs = Proofs::default().with_passkeys(ORIGIN).unwrap();
    let identity = office.identity.clone().with_proofs(proofs.with_face(face));
    let office = Office { identity, ..office };
    office.clerk("suzuki").await;
    office.clerk("tanaka").await;
    office.newcomer("admin-1", &[Role::OperationsManager]).await;
    office
}

fn visitor(state: SessionState) -> Visitor {
    match state {
        SessionState::Live(visitor) | SessionState::Waiting(visitor) => visitor,
        other => panic!("{other:?}"),
    }
}

/// A code from the counter.
async fn code(office: &Office, login: &str) -> String {
    let to = office.identity.by_login(login).await.unwrap().unwrap();
    let by = office.identity.by_login("admin-1").await.unwrap().unwrap();
    let check = IdentityCheck {
        document: "職員証".into(),
        how: "写真と見比べた".into(),
    };
    let now = office.clock.now();
    let (code, change) = open_enrolment(&to, &by, &check, now, &SystemRandom).unwrap();
    office.commit(change.into_statements()).await.unwrap();
    code
}

/// Registers a device for a user who is signed in.
async fn register(
    office: &Office,
    who: &Visitor,
    code: &str,
    device: &Device,
) -> Result<(), IdentityError> {
    let options = office.identity.begin_registration(who, code).await?;
    let answer = device.create(&options);
    let words = (code, "窓口の端末");
    let proved = office.identity.finish_registration(who, words, &answer);
    let proved = proved.await?;
    office.commit(proved.changes).await.unwrap();
    office.identity.verified(who);
    Ok(())
}

/// A clerk with a registered device; signed out.
async fn enrolled(office: &Office, device: &Device) -> UserId {
    let who = office.enter("suzuki").await.visitor;
    let code = code(office, "suzuki").await;
    register(office, &who, &code, device).await.unwrap();
    who.user
}

/// One proof by a device.
async fn prove(office: &Office, who: &Visitor, device: &mut Device) -> Result<(), IdentityError> {
    let options = office.identity.begin_proof(who).await?;
    let answer = device.get(&options.ok_or(IdentityError::NoCeremony)?);
    match office.identity.finish_proof(who, &answer) {
        Ok(proved) => {
            office.commit(proved.changes).await.unwrap();
            office.identity.verified(who);
            Ok(())
        }
        Err(Failed { error, changes }) => {
            office.commit(changes).await.unwrap();
            Err(error)
        }
    }
}

#[tokio::test]
async fn a_password_alone_opens_nothing_for_whoever_has_a_passkey() {
    cheaply(|plain| async move {
        let office = office(plain).await;
        let mut device = Device::new(1);
        enrolled(&office, &device).await;
        let first = office.enter("suzuki").await;
        prove(&office, &first.visitor, &mut device).await.unwrap();
        let SignedIn {
            cookie,
            visitor: who,
            waiting,
            ended_other,
            ..
        } = office.enter("suzuki").await;
        assert!(waiting && !ended_other);
        assert!(matches!(
            office.identity.checked(&cookie).await.unwrap(),
            SessionState::Waiting(_)
        ));
        assert!(
            matches!(office.identity.state(&first.cookie), SessionState::Live(_)),
            "a stolen password throws nobody out"
        );
        prove(&office, &who, &mut device).await.unwrap();
        let now = visitor(office.identity.checked(&cookie).await.unwrap());
        assert_eq!(now.auth, AuthLevel::Verified);
        assert!(now.fresh(office.clock.steady()));
        assert_eq!(
            office.identity.state(&first.cookie),
            SessionState::Ended(EndReason::OtherSignIn)
        );
        // Five minutes later it is the same session, and not fresh any more.
        office.clock.pass(Duration::from_secs(300));
        assert!(now.fresh(office.clock.steady()));
        office.clock.pass(Duration::from_micros(1));
        let later = visitor(office.identity.checked(&cookie).await.unwrap());
        assert_eq!(later.auth, AuthLevel::Verified);
        assert!(!later.fresh(office.clock.steady()));
        let known = passkeys(&office.db, &now.user).await.unwrap();
        assert_eq!(known.len(), 1);
        assert_eq!((known[0].counter, known[0].used), (3, Some(NOON.0)));
    })
    .await;
}

#[tokio::test]
async fn a_session_waits_five_minutes_for_its_passkey_and_a_lock_ends_freshness() {
    cheaply(|plain| async move {
        let office = office(plain).await;
        let mut device = Device::new(1);
        enrolled(&office, &device).await;
        let waiting = office.enter("suzuki").await;
        office.clock.pass(Duration::from_secs(299));
        let state = office.identity.state(&waiting.cookie);
        assert!(matches!(state, SessionState::Waiting(_)));
        office.clock.pass(Duration::from_secs(1));
        assert_eq!(office.identity.state(&waiting.cookie), SessionState::None);
        let open = office.enter("suzuki").await;
        prove(&office, &open.visitor, &mut device).await.unwrap();
        office.identity.lock(&open.cookie);
        let unlocked = office.identity.unlock(&open.cookie, PHRASE, "t1").await;
        unlocked.unwrap();
        let now = visitor(office.identity.state(&open.cookie));
        assert_eq!(now.auth, AuthLevel::Verified);
        assert!(!now.fresh(office.clock.steady()));
    })
    .await;
}

#[tokio::test]
async fn no_user_verification_another_origin_and_another_key_prove_nothing() {
    cheaply(|plain| async move {
        let office = office(plain).await;
        let device = Device::new(1);
        enrolled(&office, &device).await;
        let who = office.enter("suzuki").await.visitor;
        let careless = Device {
            verifies: false,
            ..device.clone()
        };
        let astray = Device {
            origin: "https://mimamori.town.example.evil.example",
            ..device.clone()
        };
        let http = Device {
            origin: "http://mimamori.town.example",
            ..device.clone()
        };
        for (mut one, expected) in [
            (careless, "IDENTITY-NOT-VERIFIED"),
            (astray, "IDENTITY-WRONG-ORIGIN"),
            (http, "IDENTITY-WRONG-ORIGIN"),
            (Device::new(2), "IDENTITY-NOT-PROVED"),
        ] {
            let error = prove(&office, &who, &mut one).await.unwrap_err();
            assert_eq!(mimamori_kernel::error::Coded::code(&error), expected);
        }
        for rubbish in ["", "{}", "null", &"[".repeat(100_000)] {
            office.identity.begin_proof(&who).await.unwrap();
            let failed = office.identity.finish_proof(&who, rubbish).unwrap_err();
            assert!(matches!(failed.error, IdentityError::NotProved));
        }
        let known = passkeys(&office.db, &who.user).await.unwrap();
        assert_eq!((known[0].used, known[0].suspended), (None, None));
    })
    .await;
}

#[tokio::test]
async fn a_device_that_does_not_verify_or_is_elsewhere_is_not_registered() {
    cheaply(|plain| async move {
        let office = office(plain).await;
        let who = office.enter("suzuki").await.visitor;
        let code = code(&office, "suzuki").await;
        let careless = Device {
            verifies: false,
            ..Device::new(1)
        };
        let astray = Device {
            origin: "http://localhost:8080",
            ..Device::new(1)
        };
        let refused = register(&office, &who, &code, &careless).await;
        assert!(matches!(refused, Err(IdentityError::NotVerified)));
        let refused = register(&office, &who, &code, &astray).await;
        assert!(matches!(refused, Err(IdentityError::WrongOrigin)));
        assert!(passkeys(&office.db, &who.user).await.unwrap().is_empty());
        // The code was not spent by it.
        register(&office, &who, &code, &Device::new(1))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_answer_counts_once_for_its_own_session_and_for_five_minutes() {
    cheaply(|plain| async move {
        let office = office(plain).await;
        let mut device = Device::new(1);
        enrolled(&office, &device).await;
        let who = office.enter("suzuki").await.visitor;
        let options = office.identity.begin_proof(&who).await.unwrap().unwrap();
        let answer = device.get(&options);
        let other = office.enter("tanaka").await.visitor;
        let failed = office.identity.finish_proof(&other, &answer).unwrap_err();
        assert!(matches!(failed.error, IdentityError::NoCeremony));
        office.identity.finish_proof(&who, &answer).unwrap();
        let again = office.identity.finish_proof(&who, &answer).unwrap_err();
        assert!(matches!(again.error, IdentityError::NoCeremony));
        let options = office.identity.begin_proof(&who).await.unwrap().unwrap();
        let answer = device.get(&options);
        office.clock.pass(Duration::from_secs(300));
        let late = office.identity.finish_proof(&who, &answer).unwrap_err();
        assert!(matches!(late.error, IdentityError::NoCeremony));
        // An answer to an older question.
        office.identity.begin_proof(&who).await.unwrap();
        let stale = office.identity.finish_proof(&who, &answer).unwrap_err();
        assert!(matches!(stale.error, IdentityError::NotProved));
    })
    .await;
}

#[tokio::test]
async fn a_counter_that_goes_back_suspends_the_passkey_and_the_password_does_not_replace_it() {
    cheaply(|plain| async move {
        let office = office(plain).await;
        let mut device = Device::new(1);
        let user = enrolled(&office, &device).await;
        let mut copy = device.clone();
        let open = office.enter("suzuki").await;
        for _ in 0..3 {
            prove(&office, &open.visitor, &mut device).await.unwrap();
        }
        let thief = office.enter("suzuki").await.visitor;
        let refused = prove(&office, &thief, &mut copy).await;
        assert!(matches!(refused, Err(IdentityError::Cloned)));
        let found = suspended_passkeys(&office.db).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, user);
        // Neither the copy nor the real one nor the password alone comes in.
        let next = office.enter("suzuki").await;
        assert!(next.waiting);
        let gone = prove(&office, &next.visitor, &mut device).await;
        assert!(matches!(gone, Err(IdentityError::NoCeremony)));
        // The office revokes it, and the user comes in by password, without number work.
        let account = office.identity.account(&user).await.unwrap().unwrap();
        let by = office.identity.by_login("admin-1").await.unwrap().unwrap();
        let ended = end_passkey(&account, found[0].1.id, &by.id, NOON);
        office.commit(ended.into_statements()).await.unwrap();
        assert!(suspended_passkeys(&office.db).await.unwrap().is_empty());
        let after = office.enter("suzuki").await;
        assert!(!after.waiting);
        assert_eq!(after.visitor.auth, AuthLevel::Password);
    })
    .await;
}

#[tokio::test]
async fn a_user_has_several_passkeys_and_a_lost_one_ends_at_once() {
    cheaply(|plain| async move {
        let office = office(plain).await;
        let (mut one, mut other) = (Device::new(1), Device::new(2));
        let user = enrolled(&office, &one).await;
        let open = office.enter("suzuki").await;
        prove(&office, &open.visitor, &mut one).await.unwrap();
        let second = code(&office, "suzuki").await;
        register(&office, &open.visitor, &second, &other)
            .await
            .unwrap();
        // The same device is not registered twice, by nobody.
        let stranger = office.enter("tanaka").await.visitor;
        let theirs = code(&office, "tanaka").await;
        let taken = register(&office, &stranger, &theirs, &one).await;
        assert!(matches!(taken, Err(IdentityError::NotProved)));
        prove(&office, &open.visitor, &mut other).await.unwrap();
        let known = passkeys(&office.db, &user).await.unwrap();
        assert_eq!(known.len(), 2);
        let lost = known.iter().find(|k| k.counter == 2 && k.used.is_some());
        let account = office.identity.account(&user).await.unwrap().unwrap();
        let lost = lost.unwrap().id;
        let foreign = office.identity.by_login("tanaka").await.unwrap().unwrap();
        let wrong = end_passkey(&foreign, lost, &foreign.id, NOON);
        assert!(office.commit(wrong.into_statements()).await.is_err());
        let ended = end_passkey(&account, lost, &user, NOON);
        office.commit(ended.into_statements()).await.unwrap();
        let states = [
            prove(&office, &open.visitor, &mut one).await.is_ok(),
            prove(&office, &open.visitor, &mut other).await.is_ok(),
        ];
        assert_eq!(states.iter().filter(|s| **s).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_code_of_the_counter_works_ten_minutes_once_and_for_its_user_alone() {
    cheaply(|plain| async move {
        let office = office(plain).await;
        let who = office.enter("suzuki").await.visitor;
        let refused = async |code: &str| {
            let begun = office.identity.begin_registration(&who, code).await;
            matches!(begun, Err(IdentityError::EnrolmentCode))
        };
        assert!(refused("").await && refused("abcd-abcd-abcd-abcd").await);
        let theirs = code(&office, "tanaka").await;
        assert!(refused(&theirs).await);
        let old = code(&office, "suzuki").await;
        let new = code(&office, "suzuki").await;
        assert!(refused(&old).await, "the newer one replaces it");
        let typed = new.replace('-', " ").to_uppercase();
        assert!(!refused(&typed).await);
        office.clock.set_wall(Instant(NOON.0 + 600_000_000));
        assert!(refused(&new).await);
        office.clock.set_wall(NOON);
        register(&office, &who, &new, &Device::new(1))
            .await
            .unwrap();
        assert!(refused(&new).await, "once");
        let rows = office
            .db
            .fetch("SELECT code FROM identity_enrolment", vec![]);
        for row in rows.await.unwrap() {
            assert!(!format!("{row:?}").contains(&new));
        }
        let by = office.identity.by_login("admin-1").await.unwrap().unwrap();
        let check = IdentityCheck {
            document: "職員証".into(),
            how: "写真".into(),
        };
        let own = open_enrolment(&by, &by, &check, NOON, &SystemRandom);
        assert!(matches!(own, Err(IdentityError::Separation(_))));
    })
    .await;
}

/// What the product would answer.
fn face(login: &str, challenge: &str, time: i64, key: &[u8; 32]) -> FaceWord {
    let signed = SigningKey::from_bytes(key).sign(face_message(login, challenge, time).as_bytes());
    FaceWord {
        time,
        signature: B64.encode(signed.to_bytes()),
    }
}

#[tokio::test]
async fn the_face_product_verifies_one_user_for_one_question_of_this_minute() {
    cheaply(|plain| async move {
        let office = office(plain).await;
        let SignedIn {
            cookie,
            visitor: who,
            ..
        } = office.enter("suzuki").await;
        let now = NOON.0 / 1_000_000;
        let begin = || office.identity.begin_face(&who).unwrap();
        for (login, time, key, challenge) in [
            ("tanaka", now, FACE, None),
            ("suzuki", now - 61, FACE, None),
            ("suzuki", now + 61, FACE, None),
            ("suzuki", now, [8; 32], None),
            ("suzuki", now, FACE, Some("AAAA")),
        ] {
            let asked = begin();
            let word = face(login, challenge.unwrap_or(&asked), time, &key);
            let refused = office.identity.finish_face(&who, &word).await;
            assert!(
                matches!(refused, Err(IdentityError::NotProved)),
                "{login} {time}"
            );
        }
        let word = face("suzuki", &begin(), now - 60, &FACE);
        office.identity.finish_face(&who, &word).await.unwrap();
        let again = office.identity.finish_face(&who, &word).await;
        assert!(matches!(again, Err(IdentityError::NoCeremony)));
        office.identity.verified(&who);
        let after = visitor(office.identity.state(&cookie));
        assert_eq!(after.auth, AuthLevel::Verified);
        assert!(after.fresh(office.clock.steady()));
        let none = office.identity.clone().with_proofs(Proofs::default());
        assert!(matches!(
            none.begin_face(&who),
            Err(IdentityError::NoFaceProduct)
        ));
    })
    .await;
}

#[test]
fn passkeys_belong_to_https_or_to_localhost() {
    for good in [ORIGIN, "http://localhost:8080", "https://town.example:8443"] {
        assert!(Proofs::default().with_passkeys(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "town.example",
        "http://town.example",
        "https://192.0.2.1",
        "http://127.0.0.1:8080",
        "https://town.example/path",
    ] {
        assert!(Proofs::default().with_passkeys(bad).is_err(), "{bad}");
    }
}
