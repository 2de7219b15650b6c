//! Designated handlers and registered terminals.

use jiff::ToSpan as _;
use jiff::civil::Date;
use mimamori_identity::{
    Account, DesignationDays, IdentityError, Mark, NewUser, Org, OrgKind, Place, Role,
    SessionState, designate, designations, end_designation, end_terminal, enter_terminal, new_user,
    org_statement, terminals,
};
use mimamori_kernel::clock::{Clock as _, Instant};
use mimamori_kernel::id::{DesignationId, OrgId, TerminalId, UserId};
use mimamori_kernel::random::SystemRandom;
use mimamori_storage::{Statement, Value};

use crate::office::{NOON, Office, cheaply};

fn days(from: Date, until: Date, trained: Date) -> DesignationDays {
    DesignationDays {
        from,
        until,
        trained,
    }
}

async fn account(office: &Office, login: &str) -> Account {
    office.identity.by_login(login).await.unwrap().unwrap()
}

/// Two managers and a clerk.
async fn people(office: &Office) -> (Account, Account, Account) {
    office.clerk("suzuki").await;
    for login in ["admin-1", "admin-2"] {
        office.newcomer(login, &[Role::OperationsManager]).await;
    }
    (
        account(office, "admin-1").await,
        account(office, "admin-2").await,
        account(office, "suzuki").await,
    )
}

/// Somebody of a partner; organisation and user.
async fn partner(office: &Office, kind: OrgKind, role: Role, login: &str) -> Account {
    let org = Org {
        id: OrgId::random(&SystemRandom),
        kind,
        name: login.into(),
    };
    let user = NewUser {
        login: login.into(),
        name: "見本".into(),
        org: org.id,
        org_kind: kind,
        roles: vec![role],
        person: None,
        approved_by: None,
        until: None,
    };
    let (_, _, mut writes) = new_user(&user, office.kdf, NOON, 1, &SystemRandom).unwrap();
    writes.insert(0, org_statement(&org));
    office.commit(writes).await.unwrap();
    account(office, login).await
}

fn id() -> DesignationId {
    DesignationId::random(&SystemRandom)
}

async fn handles(office: &Office, cookie: &str) -> bool {
    match office.identity.checked(cookie).await.unwrap() {
        SessionState::Live(visitor) => visitor.handler,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_designation_holds_in_its_period_and_ends_at_once() {
    cheaply(|office| async move {
        let (one, two, clerk) = people(&office).await;
        let today = NOON.office_day();
        let cookie = office.enter("suzuki").await.cookie;
        assert!(!handles(&office, &cookie).await);
        let tomorrow = today.saturating_add(1.day());
        let period = days(tomorrow, tomorrow, today);
        let change = designate(id(), (&one, &two), &clerk, period, NOON).unwrap();
        office.commit(change.into_statements()).await.unwrap();
        assert!(!handles(&office, &cookie).await, "from tomorrow");
        let midnight = NOON.0 + 12 * 3_600_000_000;
        office.clock.set_wall(Instant(midnight));
        assert!(handles(&office, &cookie).await);
        office.clock.set_wall(Instant(midnight + 86_400_000_000));
        assert!(!handles(&office, &cookie).await, "its last day is over");
        office.clock.set_wall(Instant(midnight));
        let ended = end_designation(&clerk, Instant(midnight));
        office.commit(ended.into_statements()).await.unwrap();
        let state = office.identity.checked(&cookie).await.unwrap();
        assert!(matches!(state, SessionState::Ended(_)), "the session too");
        let cookie = office.enter("suzuki").await.cookie;
        assert!(!handles(&office, &cookie).await);
        let all = designations(&office.db).await.unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].closed(midnight), Some("終了"));
        let again = end_designation(&clerk, Instant(midnight + 1)).into_statements();
        assert!(
            office.commit(again).await.is_err(),
            "nothing is left to end"
        );
    })
    .await;
}

#[tokio::test]
async fn a_training_counts_for_one_year() {
    cheaply(|office| async move {
        let (one, two, clerk) = people(&office).await;
        let today = NOON.office_day();
        let last = today.saturating_add(2.years());
        let ago = |span| today.saturating_sub(span);
        let ask = |trained| designate(id(), (&one, &two), &clerk, days(today, last, trained), NOON);
        assert!(ask(ago(1.year())).is_err());
        assert!(ask(today.saturating_add(1.day())).is_err());
        let change = ask(ago(1.year()).saturating_add(1.day())).unwrap();
        office.commit(change.into_statements()).await.unwrap();
        let cookie = office.enter("suzuki").await.cookie;
        assert!(handles(&office, &cookie).await);
        office.clock.set_wall(Instant(NOON.0 + 12 * 3_600_000_000));
        assert!(!handles(&office, &cookie).await);
        let all = designations(&office.db).await.unwrap();
        let now = office.clock.now().0;
        assert_eq!(all[0].closed(now), Some("研修から1年を過ぎた（想定）"));
    })
    .await;
}

#[tokio::test]
async fn only_two_others_designate_and_only_people_of_a_department() {
    cheaply(|office| async move {
        let (one, two, clerk) = people(&office).await;
        let today = NOON.office_day();
        let period = days(today, today, today);
        let refused = |requester: &Account, approver: &Account, to: &Account| {
            let made = designate(id(), (requester, approver), to, period, NOON);
            matches!(made, Err(IdentityError::Separation(_)))
        };
        assert!(refused(&one, &one, &clerk));
        assert!(refused(&one, &two, &one) && refused(&one, &two, &two));
        assert!(refused(&clerk, &two, &one) && refused(&one, &clerk, &two));
        assert!(!refused(&one, &two, &clerk));
        for (kind, role, login) in [
            (OrgKind::Contractor, Role::Contractor, "vendor-1"),
            (OrgKind::University, Role::Researcher, "daigaku-1"),
            (OrgKind::Institution, Role::Institution, "clinic-1"),
            (OrgKind::Citizens, Role::Citizen, "citizen-1"),
        ] {
            let stranger = partner(&office, kind, role, login).await;
            assert!(refused(&one, &two, &stranger), "{login}");
        }
        for (role, login) in [
            (Role::SystemAdministrator, "system-1"),
            (Role::Auditor, "audit-1"),
        ] {
            office.newcomer(login, &[role]).await;
            assert!(
                refused(&one, &two, &account(&office, login).await),
                "{login}"
            );
        }
        let backwards = days(today, today.saturating_sub(1.day()), today);
        assert!(designate(id(), (&one, &two), &clerk, backwards, NOON).is_err());
    })
    .await;
}

/// A designation written by hand, past every rule of the program.
fn by_hand(user: &UserId, org: &OrgId, kind: &str, two: (&UserId, &UserId)) -> Statement {
    let moment = Value::from(i64::MAX);
    Statement::new(
        "INSERT INTO identity_handler (id, user_id, org, org_kind, valid_from, valid_until, trained, trained_until, \
         requested_by, approved_by, ended) VALUES (?, ?, ?, ?, 0, ?, 0, ?, ?, ?, NULL)",
        vec![
            id().bytes().into(),
            user.bytes().into(),
            org.bytes().into(),
            kind.into(),
            moment.clone(),
            moment,
            two.0.bytes().into(),
            two.1.bytes().into(),
        ],
    )
}

#[tokio::test]
async fn the_database_itself_takes_no_contractor_and_no_one_person_alone() {
    cheaply(|office| async move {
        let (one, two, clerk) = people(&office).await;
        let vendor = partner(&office, OrgKind::Contractor, Role::Contractor, "vendor-1").await;
        let managers = (&one.id, &two.id);
        for wrong in [
            by_hand(&vendor.id, &vendor.org.id, "contractor", managers),
            by_hand(&vendor.id, &vendor.org.id, "department", managers),
            by_hand(&vendor.id, &clerk.org.id, "department", managers),
            by_hand(&clerk.id, &clerk.org.id, "department", (&one.id, &one.id)),
            by_hand(&clerk.id, &clerk.org.id, "department", (&one.id, &clerk.id)),
            by_hand(&clerk.id, &clerk.org.id, "department", (&clerk.id, &two.id)),
        ] {
            assert!(office.commit(vec![wrong]).await.is_err());
        }
        let right = by_hand(&clerk.id, &clerk.org.id, "department", managers);
        office.commit(vec![right]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_registered_terminal_is_known_by_address_or_certificate_until_it_ends() {
    cheaply(|office| async move {
        let (_, two, _) = people(&office).await;
        let cookie = office.enter("suzuki").await.cookie;
        let known = async |address: &str, certificate: Option<[u8; 32]>| {
            let place = Place {
                address: address.into(),
                certificate,
            };
            match office.identity.checked_at(&cookie, &place).await.unwrap() {
                SessionState::Live(visitor) => visitor.terminal,
                other => panic!("{other:?}"),
            }
        };
        let digest = [0xab; 32];
        assert!(!known("192.0.2.7", Some(digest)).await);
        let words = ("窓口1", "介護保険課の取扱区域");
        let enter = |mark: &str| {
            let id = TerminalId::random(&SystemRandom);
            let mark = Mark::parse(mark).unwrap();
            (id, enter_terminal(id, &mark, words, &two.id, NOON))
        };
        let (desk, change) = enter("192.0.2.7");
        office.commit(change.into_statements()).await.unwrap();
        assert!(known("192.0.2.7", None).await);
        assert!(!known("192.0.2.70", None).await && !known("", None).await);
        let twice = enter("192.0.2.7").1.into_statements();
        assert!(office.commit(twice).await.is_err());
        let (_, change) = enter("AB:".repeat(32).trim_end_matches(':'));
        office.commit(change.into_statements()).await.unwrap();
        assert!(known("203.0.113.1", Some(digest)).await);
        assert!(!known("203.0.113.1", Some([0xac; 32])).await);
        let text = "ab".repeat(32);
        assert!(!known(&text, None).await, "a digest is no address");
        let ended = end_terminal(desk, NOON).into_statements();
        office.commit(ended).await.unwrap();
        assert!(!known("192.0.2.7", None).await);
        assert_eq!(terminals(&office.db).await.unwrap().len(), 2);
        let (_, anew) = enter("192.0.2.7");
        office.commit(anew.into_statements()).await.unwrap();
        assert!(known("192.0.2.7", None).await);
    })
    .await;
}

#[test]
fn a_mark_is_an_address_or_the_digest_of_a_certificate() {
    let text = |t: &str| Mark::parse(t).map(|m| m.text());
    assert_eq!(text(" 192.0.2.1 ").as_deref(), Some("192.0.2.1"));
    assert_eq!(text("::ffff:192.0.2.1").as_deref(), Some("192.0.2.1"));
    assert_eq!(text(&"0F ".repeat(32)), Some("0f".repeat(32)));
    for bad in [
        "",
        "192.0.2",
        "192.0.2.0/24",
        "あ",
        &"0g".repeat(32),
        &"00".repeat(31),
    ] {
        assert_eq!(text(bad), None, "{bad}");
    }
}
