use std::time::Duration;

use mimamori_identity::{AuthLevel, DemoGrant, IdentityError, Kdf, Role};

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
async fn after_five_failures_the_login_waits_and_a_wall_clock_moved_on_does_not_help() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        for n in 0..5 {
            let terminal = format!("t{n}");
            assert!(matches!(
                office
                    .identity
                    .sign_in("suzuki", "wrong", None, &terminal)
                    .await,
                Err(IdentityError::WrongPair)
            ));
        }
        office
            .clock
            .set_wall(NOON.plus(Duration::from_secs(86_400)));
        let refused = office.identity.sign_in("suzuki", PHRASE, None, "t9").await;
        assert!(matches!(
            refused,
            Err(IdentityError::TooMany { seconds: 1..=901 })
        ));
        office.clock.pass(Duration::from_secs(15 * 60));
        office
            .identity
            .sign_in("suzuki", PHRASE, None, "t9")
            .await
            .unwrap();
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
        let guesses: Vec<_> = (0..40)
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
            office.identity.verifications() <= 5,
            "{}",
            office.identity.verifications()
        );
    })
    .await;
}
