//! Who lives with a protected person is covered, and uncovered, with the change itself.

use axum::http::StatusCode;
use mimamori_gate::Facts;
use mimamori_kernel::id::PersonId;

use crate::desk::{ALONE, Desk, IN_FORCE, body, typed};
use crate::house::{House, each_demo};

impl House {
    /// The mark of a person; the bit must be the same for the gate and for the next import.
    async fn mark(&self, person: &PersonId) -> i64 {
        let sql = format!(
            "SELECT p.protected, s.mask, f.mask FROM residents_person p JOIN gate_subject s ON s.person = p.person \
             JOIN residents_fact f ON f.person = p.person AND f.generation = p.generation WHERE p.person = ? AND p.{IN_FORCE}"
        );
        let row = self.one(&sql, person).await;
        let mark = row.int(0).unwrap();
        for at in [1, 2] {
            let covered = Facts(row.int(at).unwrap()).has(Facts::PROTECTED);
            assert_eq!(covered, mark != 0, "mark {mark}, mask {at}");
        }
        mark
    }

    /// Household and address of a person.
    async fn home(&self, person: &PersonId) -> [String; 2] {
        let sql = format!(
            "SELECT household_number, address FROM residents_person WHERE person = ? AND {IN_FORCE}"
        );
        let row = self.one(&sql, person).await;
        [0, 1].map(|at| row.text(at).unwrap().to_owned())
    }
}

/// Fills a form in and writes it.
async fn write(desk: &Desk<'_>, form: &str, anew: &[(&str, &str)]) {
    let page = desk.form(form).await;
    assert_eq!(page.status, StatusCode::OK, "{form}: {}", page.body);
    let done = desk.send(form, "write", &typed(&page.body, anew)).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{form}: {}", done.body);
}

fn moving<'a>(kind: &'a str, household: &'a str, address: &'a str) -> [(&'a str, &'a str); 7] {
    [
        ("kind", kind),
        ("event_day", "R081110"),
        ("notified_day", "R081110"),
        ("household_number", household),
        ("address", address),
        ("building", ""),
        ("relation", "同居人"),
    ]
}

const WHY: (&str, &str) = ("reason", "届出");

#[tokio::test]
async fn whoever_moves_to_a_protected_person_is_covered_at_once_and_uncovered_on_leaving() {
    each_demo(async |house| {
        let (protected, _) = house.persons("protected = 1 AND status = 1").await[0].clone();
        let [household, address] = house.home(&protected).await;
        let alone = house.persons(ALONE).await;
        let (mover, neighbour) = (alone[0].0, alone[1].0);
        let clerk = Desk::open(&house, "clerk-1", mover).await;
        write(&clerk, "move", &moving("転居", &household, &address)).await;
        assert_eq!(
            (house.mark(&mover).await, house.mark(&protected).await),
            (2, 1)
        );
        let again = clerk.form("move").await;
        assert_eq!(
            again.status,
            StatusCode::FORBIDDEN,
            "the lead officer's from now on"
        );
        assert!(
            !clerk.record().await.body.contains(&address),
            "the record tells where"
        );
        // Another household at the same address tells the same.
        let clerk = Desk::open(&house, "clerk-1", neighbour).await;
        write(&clerk, "move", &moving("転居", "8888888881", &address)).await;
        assert_eq!(house.mark(&neighbour).await, 2);
        for (who, number) in [(mover, "8888888882"), (neighbour, "8888888883")] {
            let lead = Desk::open(&house, "lead-1", who).await;
            write(
                &lead,
                "move",
                &moving("転居", number, "見守市新町九丁目9番9号"),
            )
            .await;
            assert_eq!(house.mark(&who).await, 0);
        }
        assert_eq!(house.mark(&protected).await, 1);
        // Whoever comes from another town to live there, too.
        let cookie = house.play("clerk-1").await;
        let page = house.get("/residents/enter", &cookie).await;
        let mut fields = moving("転入", &household, &address).to_vec();
        fields.extend([
            ("address_number", "999999999999998"),
            ("kanji", "見守 新"),
            ("kana", "ミマモリ アラタ"),
            ("sex", "1"),
            ("birth", "S200401"),
            ("foreigner", "0"),
        ]);
        let sent = body("write", &typed(&page.body, &fields));
        let done = house.post("/residents/enter", &cookie, &sent).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let person: PersonId = done.location.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(house.mark(&person).await, 2);
    })
    .await;
}

#[tokio::test]
async fn of_two_protected_members_one_stays_beside_the_other_and_the_last_uncovers_all() {
    each_demo(async |house| {
        let shared = "status = 1 AND protected = 0 AND special_address = 0 AND 3 <= (SELECT COUNT(*) FROM residents_person h \
             WHERE h.generation = residents_person.generation AND h.household_number = residents_person.household_number \
             AND h.status = 1 AND h.protected = 0)";
        let (first, _) = house.persons(shared).await[0].clone();
        let [household, _] = house.home(&first).await;
        let members = house
            .persons(&format!("status = 1 AND household_number = '{household}'"))
            .await;
        let others: Vec<PersonId> = members.iter().map(|m| m.0).filter(|m| *m != first).collect();
        let (second, child) = (others[0], others[1]);
        let marks = async || {
            let (a, b) = (house.mark(&first).await, house.mark(&second).await);
            (a, b, house.mark(&child).await)
        };
        let one = Desk::open(&house, "lead-1", first).await;
        write(&one, "flag", &[("protected", "1"), WHY]).await;
        assert_eq!(marks().await, (1, 2, 2));
        let two = Desk::open(&house, "lead-1", second).await;
        write(&two, "flag", &[("protected", "1"), WHY]).await;
        assert_eq!(marks().await, (1, 1, 2));
        let one = Desk::open(&house, "lead-1", first).await;
        write(&one, "flag", &[("protected", "0"), WHY]).await;
        assert_eq!(marks().await, (2, 1, 2), "the other one still lives there");
        let clerk = Desk::open(&house, "clerk-1", first).await;
        assert_eq!(clerk.form("move").await.status, StatusCode::FORBIDDEN);
        let two = Desk::open(&house, "lead-1", second).await;
        write(&two, "flag", &[("protected", "0"), WHY]).await;
        assert_eq!(marks().await, (0, 0, 0));
    })
    .await;
}

/// A protected person has two 宛名番号: the kept record and its household are covered with the merge,
/// and stay so after an import that does not know of it (S4-55).
#[tokio::test]
async fn a_merge_never_drops_the_protection_of_either_record() {
    each_demo(async |house| {
        let shared = "status = 1 AND protected = 0 AND special_address = 0 AND 2 <= (SELECT COUNT(*) FROM residents_person h \
             WHERE h.generation = residents_person.generation AND h.household_number = residents_person.household_number \
             AND h.status = 1 AND h.protected = 0)";
        let (kept, _) = house.persons(shared).await[0].clone();
        let [household, _] = house.home(&kept).await;
        let members = house.persons(&format!("status = 1 AND household_number = '{household}'")).await;
        let member = members.iter().map(|m| m.0).find(|m| *m != kept).unwrap();
        let (_, [_, _, number]) = house.persons("protected = 1 AND status = 1").await[0].clone();
        let desk = Desk::open(&house, "lead-1", kept).await;
        let path = format!("/residents/{kept}/merge");
        let form = format!("number={number}&reason=duplicate");
        let check = house.post(&path, &desk.cookie, &format!("step=check&{form}")).await;
        assert!(check.body.contains("統合と同時に対象になります"), "{}", check.body);
        assert!(check.body.contains(">支援措置</th><td>対象でない</td><td>対象</td>"), "{}", check.body);
        assert_eq!((house.mark(&kept).await, house.mark(&member).await), (0, 0));
        let done = house.post(&path, &desk.cookie, &format!("step=write&{form}")).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        for when in ["at once", "after an import"] {
            assert_eq!((house.mark(&kept).await, house.mark(&member).await), (1, 2), "{when}");
            house.import().await;
        }
        let clerk = Desk::open(&house, "clerk-1", kept).await;
        assert_eq!(clerk.form("move").await.status, StatusCode::FORBIDDEN);
    })
    .await;
}
