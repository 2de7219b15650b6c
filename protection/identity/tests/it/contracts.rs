//! Contractors and their contracts, periods of roles, ends of organisations, the last manager.

use jiff::civil::date;
use mimamori_identity::{
    Contract, EndReason, Entrant, IdentityError, Initial, Org, OrgKind, Period, Role, Scope,
    SessionState, Terms, appoint, end_contract, end_org, end_role, enter_contract, enter_org,
    register, reset_password, set_scope, stop,
};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::{ContractId, OrgId, UserId};
use mimamori_kernel::random::SystemRandom;
use mimamori_storage::StorageError;

use crate::office::{CHEAP, DAY, NOON, Office, PHRASE, cheaply};

async fn partner(office: &Office) -> Org {
    let org = Org {
        id: OrgId::random(&SystemRandom),
        kind: OrgKind::Contractor,
        name: "見本情報サービス".into(),
    };
    office
        .commit(enter_org(&org).into_statements())
        .await
        .unwrap();
    org
}

fn contract(org: &Org, days: (jiff::civil::Date, jiff::civil::Date)) -> Contract {
    Contract::new(
        ContractId::random(&SystemRandom),
        org.id,
        "システム保守".into(),
        Terms {
            purposes: vec!["operation".into()],
            classes: 0,
        },
        days,
    )
}

/// A contractor's user with a role and an own password.
async fn worker(office: &Office, org: &Org, login: &str) -> UserId {
    let user = mimamori_identity::NewUser {
        login: login.into(),
        name: "委託 つよし".into(),
        org: org.id,
        org_kind: org.kind,
        roles: vec![Role::Contractor],
        person: None,
        approved_by: None,
        until: None,
    };
    let (id, _, writes) =
        mimamori_identity::new_user(&user, CHEAP, NOON, DAY, &SystemRandom).unwrap();
    office.commit(writes).await.unwrap();
    let account = office.identity.account(&id).await.unwrap().unwrap();
    let own = mimamori_identity::password_statements(&account, PHRASE, CHEAP, &SystemRandom);
    office.commit(own.unwrap()).await.unwrap();
    id
}

#[tokio::test]
async fn a_contractor_works_only_while_a_contract_is_in_force() {
    cheaply(|office| async move {
        let org = partner(&office).await;
        worker(&office, &org, "vendor").await;
        let enter = async || office.identity.sign_in("vendor", PHRASE, None, "t1").await;
        assert!(enter().await.is_err(), "no contract yet");
        let runs = contract(&org, (date(2026, 11, 21), date(2027, 3, 31)));
        office
            .commit(enter_contract(&runs).into_statements())
            .await
            .unwrap();
        let cookie = enter().await.unwrap().cookie;
        // The last microsecond of 31 March in the office, and the next one.
        let end = Instant::after_office_day(date(2027, 3, 31));
        office.clock.set_wall(Instant(end.0 - 1));
        let state = office.identity.checked(&cookie).await.unwrap();
        assert!(matches!(state, SessionState::Live(_)), "{state:?}");
        office.clock.set_wall(end);
        assert_eq!(
            office.identity.checked(&cookie).await.unwrap(),
            SessionState::Ended(EndReason::Expired)
        );
        let late = enter().await;
        assert!(matches!(late, Err(IdentityError::WrongPair)), "{late:?}");
        // Renewed for the next year: the same people work again.
        let next = contract(&org, (date(2027, 4, 1), date(2028, 3, 31)));
        office
            .commit(enter_contract(&next).into_statements())
            .await
            .unwrap();
        let cookie = enter().await.unwrap().cookie;
        office
            .commit(end_contract(&next, end).into_statements())
            .await
            .unwrap();
        let state = office.identity.checked(&cookie).await.unwrap();
        assert!(matches!(state, SessionState::Ended(_)), "{state:?}");
        assert!(enter().await.is_err(), "ended early");
    })
    .await;
}

#[tokio::test]
async fn the_terms_of_a_contract_reach_the_visitor() {
    cheaply(|office| async move {
        let org = partner(&office).await;
        worker(&office, &org, "vendor").await;
        let runs = contract(&org, (date(2026, 11, 1), date(2027, 3, 31)));
        office
            .commit(enter_contract(&runs).into_statements())
            .await
            .unwrap();
        assert_eq!(office.enter("vendor").await.visitor.terms, [runs.terms]);
        office.clerk("tanaka").await;
        assert_eq!(office.enter("tanaka").await.visitor.terms, []);
    })
    .await;
}

#[tokio::test]
async fn the_last_operations_manager_cannot_be_stopped_or_lose_the_role() {
    cheaply(|office| async move {
        let roles = [Role::OperationsManager];
        let first = office.newcomer("admin-1", &roles).await.0;
        let second = office.newcomer("admin-2", &roles).await.0;
        let account = async |id| office.identity.account(id).await.unwrap().unwrap();
        let last = |e: StorageError| {
            matches!(
                e,
                StorageError::Conflict {
                    what: "last-manager"
                }
            )
        };
        let writes = stop(&account(&second).await, NOON).into_statements();
        office.commit(writes).await.unwrap();
        let writes = stop(&account(&first).await, NOON).into_statements();
        assert!(last(office.commit(writes).await.unwrap_err()));
        let only = account(&first).await;
        let writes = end_role(&only, Role::OperationsManager, NOON).into_statements();
        assert!(last(office.commit(writes).await.unwrap_err()));
        let after = account(&first).await;
        assert!(after.active && after.roles == roles && after.epoch == only.epoch);
        // A manager whose department is to end is not left without it.
        let people = office.identity.accounts().await.unwrap();
        assert!(end_org(&office.town, &people, NOON).is_err());
    })
    .await;
}

#[tokio::test]
async fn whoever_is_registered_without_a_role_can_do_nothing_until_two_appointed_one() {
    cheaply(|office| async move {
        let roles = [Role::OperationsManager];
        let a = office.newcomer("admin-1", &roles).await.0;
        let b = office.newcomer("admin-2", &roles).await.0;
        let entrant = Entrant {
            login: "suzuki".into(),
            name: "鈴木 はな".into(),
            org: office.town.id,
            until: None,
        };
        let initial = Initial::new(CHEAP, &SystemRandom).unwrap();
        let (id, change) = register(&entrant, &initial, NOON, DAY, a, &SystemRandom).unwrap();
        office.commit(change.into_statements()).await.unwrap();
        let sign_in = async || {
            let words = initial.words();
            office.identity.sign_in("suzuki", words, None, "t1").await
        };
        assert!(matches!(sign_in().await, Err(IdentityError::NoSuchRole)));
        let account = async |id| office.identity.account(id).await.unwrap().unwrap();
        let period = Period {
            from: Some(date(2026, 11, 22)),
            until: Some(date(2026, 11, 30)),
        };
        let (a, b, to) = (account(&a).await, account(&b).await, account(&id).await);
        assert!(appoint(&a, &a, &to, Role::Clerk, period, NOON).is_err());
        let writes = appoint(&a, &b, &to, Role::Clerk, period, NOON).unwrap();
        office.commit(writes.into_statements()).await.unwrap();
        assert!(sign_in().await.is_err(), "the period begins tomorrow");
        office.clock.set_wall(Instant(NOON.0 + DAY / 2));
        let cookie = sign_in().await.unwrap().cookie;
        office
            .clock
            .set_wall(Instant::after_office_day(date(2026, 11, 30)));
        assert_eq!(
            office.identity.checked(&cookie).await.unwrap(),
            SessionState::Ended(EndReason::Expired)
        );
    })
    .await;
}

#[tokio::test]
async fn a_reset_ends_the_old_password_and_a_scope_comes_with_the_next_sign_in() {
    cheaply(|office| async move {
        let id = office.clerk("tanaka").await;
        let old = office.enter("tanaka").await;
        assert_eq!(old.visitor.scope, Scope::WHOLE);
        let account = async || office.identity.account(&id).await.unwrap().unwrap();
        let initial = Initial::new(CHEAP, &SystemRandom).unwrap();
        let writes = reset_password(&account().await, &initial, NOON, DAY).into_statements();
        office.commit(writes).await.unwrap();
        let state = office.identity.checked(&old.cookie).await.unwrap();
        assert_eq!(state, SessionState::Ended(EndReason::Revoked));
        let with = async |words: &str| office.identity.sign_in("tanaka", words, None, "t1").await;
        assert!(with(PHRASE).await.is_err());
        let scope = Scope { read: 6, write: 2 };
        let writes = set_scope(&account().await, scope).into_statements();
        office.commit(writes).await.unwrap();
        let entered = with(initial.words()).await.unwrap();
        assert_eq!(entered.visitor.scope, scope);
    })
    .await;
}
