use std::time::Duration;

use mimamori_identity::{
    EndReason, Kdf, Period, Role, SessionState, SignedIn, appoint, end_role, password_statements,
    revoke,
};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::random::SystemRandom;

use crate::office::{CHEAP, NOON, PHRASE, cheaply, dice, everywhere, limits};

fn is_live(state: &SessionState) -> bool {
    matches!(state, SessionState::Live(_))
}

fn is_locked(state: &SessionState) -> bool {
    matches!(state, SessionState::Locked(_))
}

#[tokio::test]
async fn fifteen_idle_minutes_lock_and_only_the_password_opens() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        let SignedIn { cookie, .. } = office.enter("suzuki").await;
        office.clock.pass(Duration::from_secs(899));
        assert!(is_live(&office.identity.state(&cookie)));
        office.clock.pass(Duration::from_secs(900));
        assert!(is_locked(&office.identity.state(&cookie)));
        assert!(
            is_locked(&office.identity.state(&cookie)),
            "asking again does not open it"
        );
        office
            .identity
            .unlock(&cookie, "wrong", "t1")
            .await
            .unwrap_err();
        assert!(is_locked(&office.identity.state(&cookie)));
        office.identity.unlock(&cookie, PHRASE, "t1").await.unwrap();
        assert!(is_live(&office.identity.state(&cookie)));
    })
    .await;
}

#[tokio::test]
async fn no_setting_makes_the_idle_time_longer_than_fifteen_minutes() {
    everywhere(CHEAP, limits(86_400, 86_400), |office| async move {
        office.clerk("suzuki").await;
        let cookie = office.enter("suzuki").await.cookie;
        assert_eq!(office.identity.idle(), Duration::from_secs(900));
        office.clock.pass(Duration::from_secs(900));
        assert!(is_locked(&office.identity.state(&cookie)));
    })
    .await;
}

#[tokio::test]
async fn a_busy_session_ends_at_its_longest_time_and_no_password_brings_it_back() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        let SignedIn { cookie, .. } = office.enter("suzuki").await;
        for _ in 0..59 {
            office.clock.pass(Duration::from_secs(600));
            assert!(is_live(&office.identity.state(&cookie)));
        }
        office.clock.pass(Duration::from_secs(600));
        let _ = office.identity.unlock(&cookie, PHRASE, "t1").await;
        assert_eq!(
            office.identity.state(&cookie),
            SessionState::Ended(EndReason::Absolute)
        );
    })
    .await;
}

#[tokio::test]
async fn a_wall_clock_set_back_does_not_lengthen_a_session() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        let cookie = office.enter("suzuki").await.cookie;
        office.clock.pass(Duration::from_secs(900));
        office.clock.set_wall(Instant(NOON.0 - 86_400_000_000));
        assert!(is_locked(&office.identity.state(&cookie)));
        office.clock.pass(Duration::from_secs(36_000));
        office.clock.set_wall(Instant(0));
        assert_eq!(
            office.identity.state(&cookie),
            SessionState::Ended(EndReason::Absolute)
        );
    })
    .await;
}

#[tokio::test]
async fn a_second_sign_in_ends_the_first_and_the_first_is_told() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        office.clerk("tanaka").await;
        let first = office.enter("suzuki").await;
        let colleague = office.enter("tanaka").await;
        let second = office.enter("suzuki").await;
        assert!(!first.ended_other && !colleague.ended_other && second.ended_other);
        assert_eq!(
            office.identity.state(&first.cookie),
            SessionState::Ended(EndReason::OtherSignIn)
        );
        assert!(
            is_live(&office.identity.state(&second.cookie))
                && is_live(&office.identity.state(&colleague.cookie))
        );
        assert_eq!(office.identity.live_sessions(), 2);
    })
    .await;
}

#[tokio::test]
async fn locking_and_signing_out_work_at_once_and_made_up_cookies_are_nobody() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        let cookie = office.enter("suzuki").await.cookie;
        office.identity.lock(&cookie);
        assert!(is_locked(&office.identity.state(&cookie)));
        office.identity.sign_out(&cookie);
        assert!(
            !is_live(&office.identity.state(&cookie))
                && !is_locked(&office.identity.state(&cookie))
        );
        for made_up in [
            "",
            "00",
            &"0".repeat(64),
            &"g".repeat(64),
            &"あ".repeat(32),
            &"x".repeat(1_000_000),
        ] {
            assert_eq!(office.identity.state(made_up), SessionState::None);
        }
    })
    .await;
}

#[tokio::test]
async fn a_revoked_user_is_out_at_the_next_request() {
    cheaply(|office| async move {
        let id = office.clerk("suzuki").await;
        let cookie = office.enter("suzuki").await.cookie;
        office.commit(revoke(&id)).await.unwrap();
        office.identity.end_sessions(&id, EndReason::Revoked);
        assert_eq!(
            office.identity.state(&cookie),
            SessionState::Ended(EndReason::Revoked)
        );
        assert!(
            office
                .identity
                .sign_in("suzuki", PHRASE, None, "t1")
                .await
                .is_err()
        );
        assert!(
            office.commit(revoke(&id)).await.is_err(),
            "a second revocation is a conflict"
        );
    })
    .await;
}

#[tokio::test]
async fn an_account_works_until_the_end_of_its_last_office_day() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        let (today, id) = (NOON.office_day(), office.clerk("tanaka").await);
        let a = office
            .newcomer("admin-1", &[Role::OperationsManager])
            .await
            .0;
        let b = office
            .newcomer("admin-2", &[Role::OperationsManager])
            .await
            .0;
        let account = async |id| office.identity.account(id).await.unwrap().unwrap();
        let (a, b, to) = (account(&a).await, account(&b).await, account(&id).await);
        let period = Period {
            from: None,
            until: Some(today),
        };
        // The office's own calendar bounds the one role that is left.
        let over = end_role(&to, Role::Clerk, NOON).into_statements();
        office.commit(over).await.unwrap();
        let to = account(&id).await;
        let writes = appoint(&a, &b, &to, Role::LeadOfficer, period, NOON)
            .unwrap()
            .into_statements();
        office.commit(writes).await.unwrap();
        let cookie = office.enter("tanaka").await.cookie;
        // Noon in the office: twelve hours of the day are left, in the office and nowhere else.
        office
            .clock
            .set_wall(Instant(NOON.0 + 12 * 3_600_000_000 - 1));
        assert!(is_live(&office.identity.checked(&cookie).await.unwrap()));
        office.enter("tanaka").await;
        let cookie = office.enter("tanaka").await.cookie;
        office.clock.set_wall(Instant(NOON.0 + 12 * 3_600_000_000));
        assert_eq!(
            office.identity.checked(&cookie).await.unwrap(),
            SessionState::Ended(EndReason::Expired)
        );
        let late = office.identity.sign_in("tanaka", PHRASE, None, "t1").await;
        assert!(late.is_err());
        office.enter("suzuki").await;
    })
    .await;
}

#[tokio::test]
async fn a_new_account_with_a_last_day_ends_and_a_further_appointment_keeps_it() {
    cheaply(|office| async move {
        let until = Some(NOON.office_day());
        let (id, initial) = office.appointed("suzuki", &[Role::Clerk], until).await;
        let a = office
            .newcomer("admin-1", &[Role::OperationsManager])
            .await
            .0;
        let b = office
            .newcomer("admin-2", &[Role::OperationsManager])
            .await
            .0;
        let account = async |id| office.identity.account(id).await.unwrap().unwrap();
        let (a, b, to) = (account(&a).await, account(&b).await, account(&id).await);
        let more = appoint(&a, &b, &to, Role::LeadOfficer, Period::default(), NOON)
            .unwrap()
            .into_statements();
        office.commit(more).await.unwrap();
        let sign_in = async || {
            office
                .identity
                .sign_in("suzuki", &initial, None, "t1")
                .await
        };
        sign_in().await.unwrap();
        office.clock.set_wall(Instant(NOON.0 + 12 * 3_600_000_000));
        assert!(sign_in().await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_change_by_another_process_ends_the_session_at_its_next_request() {
    cheaply(|office| async move {
        let id = office.clerk("suzuki").await;
        let cookie = office.enter("suzuki").await.cookie;
        assert!(is_live(&office.identity.checked(&cookie).await.unwrap()));
        let account = office.identity.account(&id).await.unwrap().unwrap();
        let new = password_statements(&account, "kita-no-ookii-hashi", CHEAP, &SystemRandom);
        office.commit(new.unwrap()).await.unwrap();
        let ended = SessionState::Ended(EndReason::Revoked);
        assert_eq!(office.identity.checked(&cookie).await.unwrap(), ended);
        let now = "kita-no-ookii-hashi";
        let entered = office.identity.sign_in("suzuki", now, None, "t1").await;
        let cookie = entered.unwrap().cookie;
        office.identity.lock(&cookie);
        office.commit(revoke(&id)).await.unwrap();
        assert_eq!(office.identity.checked(&cookie).await.unwrap(), ended);
        let gone = office.identity.checked(&cookie).await.unwrap();
        assert_eq!(gone, SessionState::None, "told once");
    })
    .await;
}

#[tokio::test]
async fn whatever_the_order_of_steps_nobody_is_live_after_his_revocation() {
    cheaply(|office| async move {
        for seed in 0..12 {
            let dice = dice(seed);
            let mut users = Vec::new();
            for n in 0..3 {
                let login = format!("u-{seed}-{n}");
                users.push((office.clerk(&login).await, login, false));
            }
            let mut cookies: Vec<(usize, String)> = Vec::new();
            for _ in 0..40 {
                let at = usize::try_from(dice.below(3)).unwrap();
                match dice.below(8) {
                    0 if !users[at].2 => {
                        office.commit(revoke(&users[at].0)).await.unwrap();
                        office
                            .identity
                            .end_sessions(&users[at].0, EndReason::Revoked);
                        users[at].2 = true;
                    }
                    1..=3 => {
                        let tried = office
                            .identity
                            .sign_in(&users[at].1, PHRASE, Some(Role::Clerk), &seed.to_string())
                            .await;
                        cookies.extend(tried.ok().map(|done| (at, done.cookie)));
                    }
                    _ => {}
                }
                let live: Vec<usize> = cookies
                    .iter()
                    .filter(|(_, c)| is_live(&office.identity.state(c)))
                    .map(|(who, _)| *who)
                    .collect();
                assert!(
                    live.iter().all(|who| !users[*who].2),
                    "seed {seed}: a revoked user is live"
                );
                assert!(
                    (0..3).all(|who| live.iter().filter(|l| **l == who).count() <= 1),
                    "seed {seed}: two sessions of one user"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_revocation_during_the_sign_in_wins() {
    everywhere(
        Kdf {
            memory: 64 * 1024,
            passes: 12,
        },
        limits(900, 36_000),
        |office| async move {
            let id = office.clerk("suzuki").await;
            let identity = office.identity.clone();
            let entering =
                tokio::spawn(async move { identity.sign_in("suzuki", PHRASE, None, "t1").await });
            while office.identity.verifications() == 0 {
                tokio::task::yield_now().await;
            }
            office.commit(revoke(&id)).await.unwrap();
            office.identity.end_sessions(&id, EndReason::Revoked);
            if let Ok(done) = entering.await.unwrap() {
                assert!(
                    !is_live(&office.identity.state(&done.cookie)),
                    "live after the revocation"
                );
            }
        },
    )
    .await;
}

#[tokio::test]
async fn unlocking_opens_the_cookies_own_session_alone() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        office.clerk("tanaka").await;
        let (mine, other) = (office.enter("suzuki").await, office.enter("tanaka").await);
        office.identity.lock(&mine.cookie);
        office.identity.lock(&other.cookie);
        office
            .identity
            .unlock(&mine.cookie, PHRASE, "t1")
            .await
            .unwrap();
        assert!(is_live(&office.identity.state(&mine.cookie)));
        assert!(is_locked(&office.identity.state(&other.cookie)));
        let unknown = "0".repeat(64);
        assert!(
            office
                .identity
                .unlock(&unknown, PHRASE, "t1")
                .await
                .is_err()
        );
    })
    .await;
}

#[tokio::test]
async fn the_session_id_does_not_give_away_the_cookie() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        let done = office.enter("suzuki").await;
        let text: String = done
            .visitor
            .session
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_ne!(text, done.cookie);
    })
    .await;
}
