use std::sync::Arc;
use std::time::Duration;

use mimamori_identity::{AuthLevel, DemoGrant, Identity, IdentityError, Kdf, Role};
use mimamori_kernel::random::SystemRandom;

use crate::office::{CHEAP, DAY, NOON, PHRASE, cheaply, everywhere, limits};

#[tokio::test]
async fn unknown_wrong_and_revoked_get_the_same_answer_and_the_same_work() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        let gone = office.clerk("tanaka").await;
        office
            .commit(mimamori_identity::revoke(&gone))
            .await
            .unwrap();
        let mut answers = Vec::new();
        for (login, password) in [
            ("nobody", PHRASE),
            ("suzuki", "not this one at all"),
            ("tanaka", PHRASE),
            ("鈴木'--", PHRASE),
        ] {
            let before = office.identity.verifications();
            answers.push(
                office
                    .identity
                    .sign_in(login, password, None, "t1")
                    .await
                    .unwrap_err()
                    .to_string(),
            );
            assert_eq!(office.identity.verifications() - before, 1, "{login}");
        }
        answers.dedup();
        assert_eq!(answers.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn full_width_and_capitals_of_the_login_are_the_same_login() {
    cheaply(|office| async move {
        let id = office.clerk("suzuki-1").await;
        let visitor = office
            .identity
            .sign_in(" ＳＵＺＵＫＩ－１ ", PHRASE, None, "t1")
            .await
            .unwrap()
            .visitor;
        assert_eq!(
            (visitor.user, visitor.role, visitor.auth),
            (id, Role::Clerk, AuthLevel::Password)
        );
    })
    .await;
}

#[tokio::test]
async fn after_five_failures_at_a_desk_the_next_waits_and_a_wall_clock_moved_on_does_not_help() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        let wrong = async |at| {
            let tried = office.identity.sign_in("suzuki", "wrong", None, at).await;
            tried.unwrap_err()
        };
        for _ in 0..5 {
            assert!(matches!(wrong("t1").await, IdentityError::WrongPair));
        }
        office
            .clock
            .set_wall(NOON.plus(Duration::from_secs(86_400)));
        let refused = office.identity.sign_in("suzuki", PHRASE, None, "t1").await;
        let wait = match refused {
            Err(IdentityError::TooMany { seconds }) => seconds,
            other => panic!("{other:?}"),
        };
        assert!((1..=30).contains(&wait), "{wait}");
        office.clock.pass(Duration::from_secs(30));
        assert!(matches!(wrong("t1").await, IdentityError::WrongPair));
        // The sixth doubles the wait.
        office.clock.pass(Duration::from_secs(31));
        assert!(matches!(wrong("t1").await, IdentityError::TooMany { .. }));
        office.clock.pass(Duration::from_secs(29));
        let signed = office.identity.sign_in("suzuki", PHRASE, None, "t1").await;
        signed.unwrap();
        // A success takes everything back.
        for _ in 0..5 {
            assert!(matches!(wrong("t1").await, IdentityError::WrongPair));
        }
    })
    .await;
}

#[tokio::test]
async fn an_attack_from_many_addresses_does_not_keep_an_officer_from_the_usual_desk() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        let signed = office.enter("suzuki").await;
        office.commit(signed.changes).await.unwrap();
        let mut throttled = 0;
        for n in 0..200 {
            let attack = format!("198.51.100.{n}");
            let tried = office
                .identity
                .sign_in("suzuki", "wrong", None, &attack)
                .await;
            throttled += u32::from(matches!(tried, Err(IdentityError::TooMany { .. })));
        }
        assert_eq!(throttled, 170);
        // Whoever comes from an address never used waits like the attacker, with the right password too.
        let new = office
            .identity
            .sign_in("suzuki", PHRASE, None, "192.0.2.1")
            .await;
        assert!(matches!(new, Err(IdentityError::TooMany { .. })));
        // The usual desk does not, nor does it after a restart: the desk stands in the database.
        office.enter("suzuki").await;
        let restarted = Identity::new(
            office.db.clone(),
            office.clock.clone(),
            Arc::new(SystemRandom),
            CHEAP,
            limits(900, 36_000),
        )
        .unwrap();
        for n in 0..200 {
            let attack = format!("198.51.100.{n}");
            let _ = restarted.sign_in("suzuki", "wrong", None, &attack).await;
        }
        restarted
            .sign_in("suzuki", PHRASE, None, "t1")
            .await
            .unwrap();
        // The desk of one login is nothing for another, and after 90 days it is forgotten.
        office.clerk("tanaka").await;
        for n in 0..60 {
            let attack = format!("203.0.113.{n}");
            let _ = office
                .identity
                .sign_in("tanaka", "wrong", None, &attack)
                .await;
        }
        let other = office.identity.sign_in("tanaka", PHRASE, None, "t1").await;
        assert!(matches!(other, Err(IdentityError::TooMany { .. })));
        office
            .clock
            .set_wall(NOON.plus(Duration::from_secs(91 * 86_400)));
        let late = office.identity.sign_in("suzuki", PHRASE, None, "t1").await;
        assert!(matches!(late, Err(IdentityError::TooMany { .. })));
    })
    .await;
}

#[tokio::test]
async fn guesses_of_a_login_stay_below_ninety_a_day_from_however_many_addresses() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        for n in 0..24 * 60 {
            let attack = format!("198.51.{}.{}", n / 250, n % 250);
            let tried = office
                .identity
                .sign_in("suzuki", "wrong", None, &attack)
                .await;
            tried.unwrap_err();
            office.clock.pass(Duration::from_secs(60));
        }
        let guesses = office.identity.verifications();
        assert!((48..90).contains(&guesses), "{guesses}");
    })
    .await;
}

#[tokio::test]
async fn a_terminal_that_tries_many_logins_waits_too() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        for n in 0..60 {
            office
                .identity
                .sign_in(&format!("guess-{n}"), "wrong", None, "t1")
                .await
                .unwrap_err();
        }
        assert!(matches!(
            office.identity.sign_in("suzuki", PHRASE, None, "t1").await,
            Err(IdentityError::TooMany { .. })
        ));
        office
            .identity
            .sign_in("suzuki", PHRASE, None, "t2")
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_initial_password_is_marked_and_says_that_it_expired_only_to_who_knows_it() {
    cheaply(|office| async move {
        let (_, initial) = office.newcomer("suzuki", &[Role::Clerk]).await;
        let visitor = office
            .identity
            .sign_in("suzuki", &initial, None, "t1")
            .await
            .unwrap()
            .visitor;
        assert_eq!(visitor.auth, AuthLevel::PasswordInitial);
        office
            .clock
            .pass(Duration::from_micros(u64::try_from(14 * DAY).unwrap()));
        assert!(matches!(
            office.identity.sign_in("suzuki", "wrong", None, "t1").await,
            Err(IdentityError::WrongPair)
        ));
        assert!(matches!(
            office
                .identity
                .sign_in("suzuki", &initial, None, "t1")
                .await,
            Err(IdentityError::InitialExpired)
        ));
    })
    .await;
}

#[tokio::test]
async fn a_role_that_is_not_held_opens_nothing_and_a_demo_grant_exists_only_for_the_demo() {
    cheaply(|office| async move {
        let id = office.clerk("suzuki").await;
        let refused = office
            .identity
            .sign_in("suzuki", PHRASE, Some(Role::Auditor), "t1")
            .await;
        assert!(matches!(refused, Err(IdentityError::NoSuchRole)));
        for environment in ["", "Demo", "production", "demo "] {
            assert!(DemoGrant::from_environment(environment).is_none());
        }
        let account = office.identity.account(&id).await.unwrap().unwrap();
        let grant = DemoGrant::from_environment("demo").unwrap();
        assert!(
            office
                .identity
                .open_for_demo(grant, &account, Role::Auditor)
                .is_err()
        );
        assert_eq!(
            office
                .identity
                .open_for_demo(grant, &account, Role::Clerk)
                .unwrap()
                .visitor
                .user,
            id
        );
        assert_eq!(office.identity.live_sessions(), 1);
    })
    .await;
}

#[tokio::test]
async fn signing_in_works_at_the_full_cost_of_64_mib_and_three_passes() {
    everywhere(Kdf::default(), limits(900, 36_000), |office| async move {
        office.clerk("suzuki").await;
        office.enter("suzuki").await;
        office
            .identity
            .sign_in("suzuki", "wrong", None, "t1")
            .await
            .unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn parallel_guesses_do_not_pass_the_limit() {
    everywhere(CHEAP, limits(900, 36_000), |office| async move {
        office.clerk("suzuki").await;
        let guesses: Vec<_> = (0..80)
            .map(|n| {
                let identity = office.identity.clone();
                tokio::spawn(async move {
                    identity
                        .sign_in("suzuki", "wrong", None, &format!("t{n}"))
                        .await
                })
            })
            .collect();
        for guess in guesses {
            guess.await.unwrap().unwrap_err();
        }
        assert!(
            office.identity.verifications() <= 30,
            "{}",
            office.identity.verifications()
        );
    })
    .await;
}
