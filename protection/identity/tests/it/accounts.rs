use mimamori_identity::{
    AuthLevel, IdentityError, NewUser, Org, OrgKind, Period, Role, appoint, bootstrap_done,
    new_user, org_statement, password_statements,
};
use mimamori_kernel::error::Coded as _;
use mimamori_kernel::id::OrgId;
use mimamori_kernel::random::SystemRandom;

use crate::office::{CHEAP, DAY, NOON, Office, PHRASE, cheaply};

fn candidate(office: &Office, login: &str, kind: OrgKind, roles: &[Role]) -> NewUser {
    let (login, name, roles) = (login.into(), "見本".into(), roles.to_vec());
    NewUser {
        login,
        name,
        org: office.town.id,
        org_kind: kind,
        roles,
        person: None,
        approved_by: None,
        until: None,
    }
}

#[tokio::test]
async fn the_first_change_ends_the_initial_password() {
    cheaply(|office| async move {
        let (id, initial) = office.newcomer("suzuki", &[Role::Clerk]).await;
        let account = office.identity.account(&id).await.unwrap().unwrap();
        assert!(account.password_initial);
        office
            .identity
            .is_password(&account, &initial, "t1")
            .await
            .unwrap();
        office
            .commit(password_statements(&account, PHRASE, CHEAP, &SystemRandom).unwrap())
            .await
            .unwrap();
        assert!(
            office
                .identity
                .sign_in("suzuki", &initial, None, "t1")
                .await
                .is_err()
        );
        assert_eq!(
            office.enter("suzuki").await.visitor.auth,
            AuthLevel::Password
        );
    })
    .await;
}

#[tokio::test]
async fn a_password_change_from_before_a_revocation_is_a_conflict() {
    cheaply(|office| async move {
        let id = office.clerk("suzuki").await;
        let account = office.identity.account(&id).await.unwrap().unwrap();
        let late =
            password_statements(&account, "another-long-phrase", CHEAP, &SystemRandom).unwrap();
        office.commit(mimamori_identity::revoke(&id)).await.unwrap();
        assert!(office.commit(late).await.is_err());
        assert_eq!(
            office.identity.account(&id).await.unwrap().unwrap().epoch,
            account.epoch + 1
        );
    })
    .await;
}

#[tokio::test]
async fn each_kind_of_organisation_holds_its_own_roles_only() {
    let own = |kind: OrgKind| {
        Role::ALL
            .into_iter()
            .filter(move |r| kind.may_hold(*r))
            .collect::<Vec<_>>()
    };
    assert_eq!(own(OrgKind::Contractor), [Role::Contractor]);
    assert_eq!(
        own(OrgKind::Institution),
        [Role::Institution, Role::InstitutionManager]
    );
    assert_eq!(own(OrgKind::University), [Role::Researcher]);
    assert_eq!(own(OrgKind::Citizens), [Role::Citizen, Role::Proxy]);
    cheaply(|office| async move {
        let bad = candidate(&office, "x-company", OrgKind::Contractor, &[Role::Clerk]);
        assert!(matches!(
            new_user(&bad, CHEAP, NOON, DAY, &SystemRandom),
            Err(IdentityError::Separation(_))
        ));
        let both = candidate(
            &office,
            "x-both",
            OrgKind::Department,
            &[Role::Auditor, Role::SystemAdministrator],
        );
        assert!(matches!(
            new_user(&both, CHEAP, NOON, DAY, &SystemRandom),
            Err(IdentityError::Separation(_))
        ));
        for login in ["", "ab", "Ａdmin", "a b c", "x'--", &"x".repeat(41)] {
            let bad = candidate(&office, login, OrgKind::Department, &[Role::Clerk]);
            assert!(
                matches!(
                    new_user(&bad, CHEAP, NOON, DAY, &SystemRandom),
                    Err(IdentityError::Login)
                ),
                "{login}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_login_is_taken_once_and_a_refused_entry_leaves_nothing() {
    cheaply(|office| async move {
        office.clerk("suzuki").await;
        let again = candidate(&office, "suzuki", OrgKind::Department, &[Role::Clerk]);
        let (id, _, writes) = new_user(&again, CHEAP, NOON, DAY, &SystemRandom).unwrap();
        assert!(office.commit(writes).await.is_err());
        assert!(office.identity.account(&id).await.unwrap().is_none());
        assert_eq!(office.identity.accounts().await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_appointment_needs_two_others_and_keeps_auditors_apart() {
    cheaply(|office| async move {
        let (a, _) = office.newcomer("admin-1", &[Role::OperationsManager]).await;
        let (b, _) = office.newcomer("admin-2", &[Role::OperationsManager]).await;
        let id = office.clerk("suzuki").await;
        let to = office.identity.account(&id).await.unwrap().unwrap();
        let account = async |id| office.identity.account(id).await.unwrap().unwrap();
        let (a, b) = (account(&a).await, account(&b).await);
        for (asks, approves) in [(&a, &a), (&to, &b), (&a, &to)] {
            let refused = appoint(
                asks,
                approves,
                &to,
                Role::LeadOfficer,
                Period::default(),
                NOON,
            )
            .unwrap_err();
            assert!(
                matches!(refused, IdentityError::Separation(_)) && !refused.advice().is_empty()
            );
        }
        assert!(appoint(&a, &b, &to, Role::Contractor, Period::default(), NOON).is_err());
        assert!(appoint(&b, &to, &a, Role::Auditor, Period::default(), NOON).is_err());
        let writes = appoint(&a, &b, &to, Role::LeadOfficer, Period::default(), NOON)
            .unwrap()
            .into_statements();
        office.commit(writes.clone()).await.unwrap();
        let now = office.identity.account(&id).await.unwrap().unwrap();
        assert_eq!(
            (now.roles, now.epoch),
            (vec![Role::Clerk, Role::LeadOfficer], to.epoch + 1)
        );
        assert!(
            office.commit(writes).await.is_err(),
            "the same appointment twice is a conflict"
        );
    })
    .await;
}

#[tokio::test]
async fn accounts_carry_their_organisation() {
    cheaply(|office| async move {
        let home = Org {
            id: OrgId::random(&SystemRandom),
            kind: OrgKind::Institution,
            name: "見本の家".into(),
        };
        office.commit(vec![org_statement(&home)]).await.unwrap();
        let mut user = candidate(&office, "home-1", home.kind, &[Role::Institution]);
        user.org = home.id;
        let (id, _, writes) = new_user(&user, CHEAP, NOON, DAY, &SystemRandom).unwrap();
        office.commit(writes).await.unwrap();
        assert_eq!(
            office.identity.account(&id).await.unwrap().unwrap().org,
            home
        );
    })
    .await;
}

#[tokio::test]
async fn two_operations_managers_finish_the_bootstrap() {
    cheaply(|office| async move {
        assert!(!bootstrap_done(&office.db).await.unwrap());
        office.newcomer("admin-1", &[Role::OperationsManager]).await;
        assert!(!bootstrap_done(&office.db).await.unwrap());
        office.newcomer("admin-2", &[Role::OperationsManager]).await;
        assert!(bootstrap_done(&office.db).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn two_clerks_cannot_appoint_an_administrator() {
    cheaply(|office| async move {
        let (a, b) = (office.clerk("clerk-1").await, office.clerk("clerk-2").await);
        let (id, _) = office.newcomer("clerk-3", &[Role::LeadOfficer]).await;
        let to = office.identity.account(&id).await.unwrap().unwrap();
        let (a, b) = (
            office.identity.account(&a).await.unwrap().unwrap(),
            office.identity.account(&b).await.unwrap().unwrap(),
        );
        assert!(
            appoint(
                &a,
                &b,
                &to,
                Role::ProgrammeDirector,
                Period::default(),
                NOON
            )
            .is_err()
        );
    })
    .await;
}
