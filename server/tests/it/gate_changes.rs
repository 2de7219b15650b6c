//! Changes of one person through the gate itself: what no page would try.

use mimamori_gate::{Facts, GateError, PersonPermit, Purpose, Reason, Statement};
use mimamori_identity::{DemoGrant, Role, Visitor};
use mimamori_kernel::id::PersonId;
use mimamori_residents::action;
use mimamori_trace::TraceError;

use crate::house::{House, each_demo};

impl House {
    async fn visitor(&self, login: &str, role: Role) -> Visitor {
        let identity = &self.instance.identity;
        let account = identity.by_login(login).await.unwrap().unwrap();
        let grant = DemoGrant::from_environment("demo").unwrap();
        identity
            .open_for_demo(grant, &account, role)
            .unwrap()
            .visitor
    }
    async fn permit(&self, visitor: &Visitor, person: PersonId) -> PersonPermit {
        let (action, purpose) = (action::PERSON_MOVE, Purpose::CareInsurance);
        let why = Some(Reason("窓口".into()));
        let permit = self
            .instance
            .gate
            .person(visitor, action, purpose, person, why);
        permit.await.unwrap()
    }
    async fn count(&self, sql: &str) -> i64 {
        let row = self.instance.db.fetch_one(sql, vec![]).await.unwrap();
        row.unwrap().int(0).unwrap()
    }
}

fn bump(person: &PersonId) -> Statement {
    Statement::expecting(
        "UPDATE residents_person SET version = version + 1 WHERE person = ?",
        vec![person.bytes().into()],
        1,
        "bump",
    )
}

#[tokio::test]
async fn a_withheld_class_or_a_foreign_table_stops_a_change_before_anything_is_written() {
    each_demo(async |house| {
        let clerk = house.visitor("clerk-1", Role::Clerk).await;
        let (hidden, _) = house.persons("protected = 1").await[0].clone();
        let (open, _) = house.persons("protected = 0").await[0].clone();
        let versions = "SELECT CAST(SUM(version) AS BIGINT) FROM residents_person";
        let refusals =
            "SELECT COUNT(*) FROM trace_line WHERE decision = 0 AND action = 'person.move'";
        let (before, lines) = (house.count(versions).await, house.count(refusals).await);
        let permit = house.permit(&clerk, hidden).await;
        let refused = permit.change(vec![bump(&hidden)], None).await;
        let Err(GateError::Refused(refused)) = refused else {
            panic!("{refused:?}")
        };
        assert!(
            refused.policy.contains("F08")
                && refused.clauses.iter().any(|c| c.ends_with("（S4-55）")),
            "{refused:?}"
        );
        assert_eq!(
            house.count(refusals).await,
            lines + 1,
            "the refusal left its line"
        );
        for foreign in [
            "UPDATE identity_user SET epoch = 0",
            "DELETE FROM trace_line",
            "DELETE FROM gate_same",
        ] {
            let permit = house.permit(&clerk, open).await;
            let both = vec![bump(&open), Statement::new(foreign, vec![])];
            assert!(
                matches!(permit.change(both, None).await, Err(GateError::Rules(_))),
                "{foreign}"
            );
        }
        // One expectation that fails undoes the whole change.
        let permit = house.permit(&clerk, open).await;
        let nobody = bump(&PersonId::from_bytes([7; 16]));
        let done = permit.change(vec![bump(&open), nobody], None).await;
        assert!(
            matches!(
                done,
                Err(GateError::Trace(TraceError::Conflict { what: "bump" }))
            ),
            "{done:?}"
        );
        assert_eq!(house.count(versions).await, before);
        let permit = house.permit(&clerk, open).await;
        permit.change(vec![bump(&open)], None).await.unwrap();
        assert_eq!(house.count(versions).await, before + 1);
    })
    .await;
}

#[tokio::test]
async fn a_person_is_entered_once_even_twice_at_the_same_time() {
    each_demo(async |house| {
        let clerk = house.visitor("clerk-1", Role::Clerk).await;
        let auditor = house.visitor("audit-1", Role::Auditor).await;
        let person = PersonId::from_bytes([9; 16]);
        let enter = |visitor: Visitor, facts: i64| {
            let gate = house.instance.gate.clone();
            async move {
                let (action, purpose) = (action::PERSON_ENTER, Purpose::CareInsurance);
                let why = Reason("転入".into());
                let permit = gate
                    .new_person(&visitor, action, purpose, person, Facts(facts), why)
                    .await?;
                permit.change(vec![], Some(Facts(facts))).await
            }
        };
        let refused = enter(auditor, Facts::RESIDENT).await;
        assert!(matches!(refused, Err(GateError::Refused(_))), "{refused:?}");
        // A clerk does not enter somebody under support measures: the address would be hidden from him at once.
        let hidden = enter(clerk.clone(), Facts::RESIDENT | Facts::PROTECTED).await;
        assert!(matches!(hidden, Err(GateError::Refused(_))), "{hidden:?}");
        let (one, two) = tokio::join!(
            enter(clerk.clone(), Facts::RESIDENT),
            enter(clerk.clone(), Facts::RESIDENT)
        );
        assert_eq!(
            usize::from(one.is_ok()) + usize::from(two.is_ok()),
            1,
            "{one:?} {two:?}"
        );
        let lost = one.err().or(two.err()).unwrap();
        assert!(
            matches!(
                lost,
                GateError::Trace(
                    TraceError::SubjectChanged
                        | TraceError::Conflict {
                            what: "gate-subject"
                        }
                )
            ),
            "{lost:?}"
        );
        assert!(enter(clerk, Facts::RESIDENT).await.is_err(), "nor later");
    })
    .await;
}

#[tokio::test]
async fn what_only_shows_or_changes_is_no_way_out() {
    each_demo(async |house| {
        let lead = house.visitor("lead-1", Role::LeadOfficer).await;
        let (person, _) = house.persons("protected = 0").await[0].clone();
        let permit = house.permit(&lead, person).await;
        let row = permit
            .fetch("residents_person", &["kanji"], "generation > 0", vec![])
            .await
            .unwrap();
        let now = house.instance.clock.now();
        let out = permit.take_out(row, vec![], now).await;
        assert!(matches!(out, Err(GateError::Rules(_))));
    })
    .await;
}
