//! A revocation while the account reads: no look comes after it (S4-76).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mimamori_gate::{GateError, Purpose, Reason};
use mimamori_identity::{DemoGrant, Role, revoke};
use mimamori_residents::action;
use mimamori_server::init::system_act;
use mimamori_trace::TraceError;

use crate::house::each_demo;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_look_of_a_revoked_account_comes_after_its_revocation() {
    each_demo(async |house| {
        let instance = &house.instance;
        let persons = house.persons("protected = 0 AND insured = 1").await;
        let account = instance
            .identity
            .by_login("clerk-1")
            .await
            .unwrap()
            .unwrap();
        let grant = DemoGrant::from_environment("demo").unwrap();
        let signed = instance
            .identity
            .open_for_demo(grant, &account, Role::Clerk)
            .unwrap();
        let looks = Arc::new(AtomicU32::new(0));
        let mut readers = Vec::new();
        for reader in 0..4 {
            let (gate, visitor, looks) =
                (instance.gate.clone(), signed.visitor.clone(), looks.clone());
            let persons: Vec<_> = persons.iter().map(|p| p.0).collect();
            readers.push(tokio::spawn(async move {
                for turn in 0..100_000 {
                    let person = persons[(reader * 7 + turn) % persons.len()];
                    let look = async {
                        let why = Some(Reason("窓口".into()));
                        let (action, purpose) = (action::PERSON_OPEN, Purpose::CareInsurance);
                        let permit = gate.person(&visitor, action, purpose, person, why).await?;
                        let filter = "generation > 0";
                        let row = permit
                            .fetch("residents_person", &["kanji"], filter, vec![])
                            .await?;
                        permit.reveal(row).await
                    };
                    match look.await {
                        Ok(shown) => {
                            assert!(shown[0].text("kanji").is_some());
                            looks.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(GateError::Trace(TraceError::AccountChanged)) => return,
                        Err(error) => panic!("{error:?}"),
                    }
                }
                panic!("the revocation never came through");
            }));
        }
        while looks.load(Ordering::SeqCst) < 40 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let line = system_act(
            instance,
            "account.revoke",
            "test".into(),
            revoke(&account.id),
        );
        let revoked = instance.trace.record(line).await.unwrap().line();
        for reader in readers {
            reader.await.unwrap();
        }
        let count = async |sign: &str| {
            let sql = format!(
                "SELECT COUNT(*) FROM trace_line WHERE actor = ? AND decision = 1 AND line {sign} ?"
            );
            let args = vec![
                account.id.bytes().into(),
                i64::try_from(revoked).unwrap().into(),
            ];
            instance
                .db
                .fetch_one(&sql, args)
                .await
                .unwrap()
                .unwrap()
                .int(0)
                .unwrap()
        };
        assert_eq!(count(">").await, 0, "a look after line {revoked}");
        assert_eq!(count("<").await, i64::from(looks.load(Ordering::SeqCst)));
    })
    .await;
}
