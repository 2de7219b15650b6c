//! Events, corrections and two records of one person, over HTTP and on both engines.

use axum::http::StatusCode;
use mimamori_gate::Facts;
use mimamori_kernel::id::PersonId;
use mimamori_kernel::random::SystemRandom;
use mimamori_residents::{action, import};

use crate::desk::{ALONE, Desk, IN_FORCE, body, typed};
use crate::house::{House, each_demo};

impl House {
    async fn version(&self, person: &PersonId) -> i64 {
        let sql = format!("SELECT version FROM residents_person WHERE person = ? AND {IN_FORCE}");
        self.one(&sql, person).await.int(0).unwrap()
    }
    async fn namesakes(&self, person: &PersonId) -> i64 {
        let sql = format!("SELECT namesakes FROM residents_person WHERE person = ? AND {IN_FORCE}");
        self.one(&sql, person).await.int(0).unwrap()
    }
    async fn finds(&self, cookie: &str, number: &str, kanji: &str) -> bool {
        let form = format!("number={number}&channel=counter");
        let found = self.post("/residents/search", cookie, &form).await;
        self.get(&found.location, cookie).await.body.contains(kanji)
    }
}

#[tokio::test]
async fn a_death_is_confirmed_and_facts_history_household_and_journal_follow() {
    each_demo(async |house| {
        let (person, [kanji, ..]) = house.persons(ALONE).await[0].clone();
        let cookie = house.play("clerk-1").await;
        let path = format!("/residents/{person}/change/move");
        let unasked = house.get(&path, &cookie).await;
        assert_eq!(unasked.location, format!("/residents/{person}"), "a reason first");
        let desk = Desk::open(&house, "clerk-1", person).await;
        let lines = async |action: &str| {
            let sql = "SELECT COUNT(*) FROM trace_line WHERE action = ? AND decision = 1";
            let row = house.instance.db.fetch_one(sql, vec![action.into()]);
            row.await.unwrap().unwrap().int(0).unwrap()
        };
        let (looks, moves) = (lines("person.open").await, lines("person.move").await);
        let page = desk.form("move").await;
        assert_eq!(page.status, StatusCode::OK);
        let days = [("kind", "死亡"), ("event_day", "R081102"), ("notified_day", "2026-11-04")];
        let wrong = typed(&page.body, &[days[0], ("event_day", "R99年"), days[2]]);
        let answer = desk.send("move", "check", &wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.body.contains("event_day-error"), "{}", answer.body);
        let fields = typed(&page.body, &days);
        let check = desk.send("move", "check", &fields).await;
        assert_eq!(check.status, StatusCode::OK, "{}", check.body);
        assert!(check.body.contains("変更前") && check.body.contains("令和8年11月2日"));
        assert!(check.body.contains(&kanji) && check.body.contains("世帯主です"));
        assert_eq!(house.version(&person).await, 1, "nothing is written yet");
        let done = desk.send("move", "write", &typed(&check.body, &[])).await;
        assert_eq!(done.location, format!("/residents/{person}"), "{}", done.body);
        assert_eq!(
            (lines("person.open").await, lines("person.move").await),
            (looks + 1, moves + 1),
            "one look and one change, whatever was typed between them"
        );
        let sql = format!(
            "SELECT p.status, p.status_day, p.version, s.mask, f.mask, h.ended FROM residents_person p \
             JOIN gate_subject s ON s.person = p.person JOIN residents_fact f ON f.person = p.person AND f.generation = p.generation \
             JOIN residents_household h ON h.household_number = p.household_number AND h.generation = p.generation \
             WHERE p.person = ? AND p.{IN_FORCE}"
        );
        let row = house.one(&sql, &person).await;
        assert_eq!((row.int(0).unwrap(), row.text(1).unwrap(), row.int(2).unwrap()), (3, "2026-11-02", 2));
        for at in [3, 4] {
            let facts = Facts(row.int(at).unwrap());
            assert!(facts.has(Facts::DECEASED) && facts.0 & Facts::RESIDENT == 0, "{at}");
        }
        assert_eq!(row.text(5).unwrap(), "2026-11-02", "the household is empty");
        let sql = format!(
            "SELECT reason, notified_day FROM residents_history WHERE person = ? AND {IN_FORCE} ORDER BY number DESC LIMIT 1"
        );
        let row = house.one(&sql, &person).await;
        assert_eq!((row.text(0).unwrap(), row.text(1).unwrap()), ("死亡", "2026-11-04"));
        let record = desk.record().await;
        assert!(record.body.contains("亡くなった人の記録です"), "{}", record.body);
        assert!(record.body.contains("画面で入力した変更") && record.body.contains("介護 はな"));
        // A dead person does not move; an officer may undo it by the office's own entry.
        let again = desk.send("move", "check", &typed(&page.body, &[("kind", "転居"), days[1], days[2]])).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "the form is of before the death");
    })
    .await;
}

#[tokio::test]
async fn the_second_officer_is_told_what_changed_and_goes_on_with_the_own_input() {
    each_demo(async |house| {
        let (person, _) = house.persons(ALONE).await[1].clone();
        let first = Desk::open(&house, "lead-1", person).await;
        let second = Desk::open(&house, "clerk-1", person).await;
        let (theirs, mine) = (first.form("correct").await, second.form("correct").await);
        let why = ("reason", "届書の誤り");
        let fields = typed(&theirs.body, &[("alias", "見守 さくら"), why]);
        let done = first.send("correct", "write", &fields).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let fields = typed(&mine.body, &[("kana", "ミマモリ ウメ"), why]);
        for step in ["check", "write"] {
            let late = second.send("correct", step, &fields).await;
            assert_eq!(late.status, StatusCode::CONFLICT, "{step}: {}", late.body);
            for told in ["守屋 まこと", "見守 さくら", "ミマモリ ウメ", "まだ何も登録していません"] {
                assert!(late.body.contains(told), "{step}: {told}");
            }
            assert_eq!(house.version(&person).await, 2);
        }
        let late = second.send("correct", "write", &fields).await;
        let check = second.send("correct", "check", &typed(&late.body, &[])).await;
        assert_eq!(check.status, StatusCode::OK, "{}", check.body);
        let (_, table) = check.body.split_once("<tbody>").unwrap();
        let table = table.split("</tbody>").next().unwrap();
        assert!(table.contains("ミマモリ ウメ") && !table.contains("通称</th>"), "{table}");
        let done = second.send("correct", "write", &typed(&check.body, &[])).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let sql = format!("SELECT alias, kana, kana_key, version FROM residents_person WHERE person = ? AND {IN_FORCE}");
        let row = house.one(&sql, &person).await;
        assert_eq!((row.text(0).unwrap(), row.text(1).unwrap()), ("見守 さくら", "ミマモリ ウメ"));
        assert_eq!((row.text(2).unwrap(), row.int(3).unwrap()), ("ミマモリウメ", 3));
    })
    .await;
}

#[tokio::test]
async fn nobody_changes_what_he_may_not_see() {
    each_demo(async |house| {
        let (person, _) = house.persons("protected = 1 AND status = 1").await[0].clone();
        let clerk = Desk::open(&house, "clerk-1", person).await;
        let lead = Desk::open(&house, "lead-1", person).await;
        let why = ("reason", "届出");
        for form in ["move", "correct-place", "flag"] {
            let theirs = lead.form(form).await;
            assert_eq!(theirs.status, StatusCode::OK, "{form}");
            assert_eq!(
                clerk.form(form).await.status,
                StatusCode::FORBIDDEN,
                "{form}"
            );
            for step in ["check", "write", "edit"] {
                let answer = clerk.send(form, step, &typed(&theirs.body, &[why])).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{form} {step}");
            }
        }
        assert_eq!(
            clerk.form("correct").await.status,
            StatusCode::OK,
            "the name is open"
        );
        assert_eq!(house.version(&person).await, 1);
        let flag = lead.form("flag").await;
        let done = lead
            .send(
                "flag",
                "write",
                &typed(&flag.body, &[("protected", "0"), why]),
            )
            .await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        assert_eq!(
            clerk.form("move").await.status,
            StatusCode::OK,
            "the measures ended"
        );
        let citizen = house.play("citizen-1").await;
        let missing = house
            .get(
                &format!("/residents/{}/change/move", PersonId::from_bytes([7; 16])),
                &citizen,
            )
            .await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);
        for path in ["change/move", "change/none", "merge", "split"] {
            let answer = house
                .get(&format!("/residents/{person}/{path}"), &citizen)
                .await;
            assert_eq!(answer.body.as_bytes(), missing.body.as_bytes(), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_moves_in_is_entered_once_and_counted_among_namesakes() {
    each_demo(async |house| {
        let (other, [kanji, kana, taken]) = house.persons(ALONE).await[2].clone();
        let clerk = house.play("clerk-1").await;
        let page = house.get("/residents/enter", &clerk).await;
        let new = |number: &str| {
            let fields = [
                ("kind", "転入"), ("event_day", "R081101"), ("notified_day", "R081102"), ("address_number", number),
                ("kanji", &kanji), ("kana", &kana), ("sex", "2"), ("birth", "S200401"), ("foreigner", "0"),
                ("address", "見守市本町一丁目1番1号"), ("household_number", "9999999999"), ("relation", "世帯主"),
            ];
            typed(&page.body, &fields)
        };
        let post = async |step: &str, number: &str| {
            house.post("/residents/enter", &clerk, &body(step, &new(number))).await
        };
        let number = "999999999999999";
        let check = post("check", number).await;
        assert!(check.status == StatusCode::OK && check.body.contains("変更後"), "{}", check.body);
        let done = post("write", number).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let person: PersonId = done.location.rsplit('/').next().unwrap().parse().unwrap();
        let page = house.get(&done.location, &clerk).await;
        assert!(page.body.contains(&kanji) && page.body.contains("同姓同名"), "{}", page.body);
        assert_eq!((house.namesakes(&person).await, house.namesakes(&other).await), (2, 2));
        for number in [number, &taken] {
            let twice = post("write", number).await;
            assert_eq!(twice.status, StatusCode::BAD_REQUEST);
            assert!(twice.body.contains("address_number-error"), "{}", twice.body);
        }
        let filter = format!("address_number IN ('{number}', '{taken}')");
        assert_eq!(house.persons(&filter).await.len(), 2);
        let desk = Desk::open(&house, "clerk-1", person).await;
        let form = desk.form("correct").await;
        let fields = typed(&form.body, &[("kanji", "見守 唯一"), ("reason", "氏名の誤り")]);
        desk.send("correct", "write", &fields).await;
        assert_eq!((house.namesakes(&person).await, house.namesakes(&other).await), (1, 1));
        // The files do not know the person: an import leaves him as he is.
        house.import().await;
        assert_eq!(house.persons(&format!("address_number = '{number}'")).await[0].0, person);
        // Who left comes back under the same number.
        for (kind, status) in [("転出", 2), ("転入", 1)] {
            let form = desk.form("move").await;
            let days = [("kind", kind), ("event_day", "R081110"), ("notified_day", "R081110")];
            let done = desk.send("move", "write", &typed(&form.body, &days)).await;
            assert_eq!(done.status, StatusCode::SEE_OTHER, "{kind}: {}", done.body);
            let sql = format!(
                "SELECT p.status, h.ended FROM residents_person p JOIN residents_household h ON h.household_number = p.household_number \
                 AND h.generation = p.generation WHERE p.person = ? AND p.{IN_FORCE}"
            );
            let row = house.one(&sql, &person).await;
            assert_eq!(row.int(0).unwrap(), status);
            assert_eq!(row.text(1).unwrap().is_empty(), status == 1, "{kind}");
        }
    })
    .await;
}

#[tokio::test]
async fn two_records_of_one_person_become_one_with_both_chains_and_two_again() {
    each_demo(async |house| {
        let own = house.persons("status = 1 AND insured = 1 AND protected = 0").await;
        let (kept, _) = own[0].clone();
        let (merged, [kanji, _, number]) = own[1].clone();
        let desk = Desk::open(&house, "lead-1", kept).await;
        let lead = desk.cookie.clone();
        assert!(house.finds(&lead, &number, &kanji).await);
        let path = format!("/residents/{kept}/merge");
        let form = format!("number={number}&reason=duplicate");
        let check = house.post(&path, &lead, &format!("step=check&{form}")).await;
        assert!(check.status == StatusCode::OK && check.body.contains(&kanji), "{}", check.body);
        assert!(check.body.contains("本当に同じ人か"), "they were born on different days");
        let clerk = house.play("clerk-1").await;
        let refused = house.post(&path, &clerk, &format!("step=write&{form}")).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let done = house.post(&path, &lead, &format!("step=write&{form}")).await;
        assert_eq!(done.location, format!("/residents/{kept}"), "{}", done.body);
        let twice = house.post(&path, &lead, &format!("step=write&{form}")).await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST, "merged already");
        let record = desk.record().await;
        assert!(record.body.contains("統合された記録です") && record.body.contains(&number));
        assert!(!house.finds(&lead, &number, &kanji).await, "gone from the search");
        let other = Desk { person: merged, ..Desk::open(&house, "lead-1", merged).await };
        assert_eq!(other.record().await.location, format!("/residents/{kept}"));
        assert_eq!(other.form("correct").await.status, StatusCode::SEE_OTHER);
        let sql = "SELECT LENGTH(tokens) FROM trace_line WHERE action = 'person.merge' AND decision = 1 ORDER BY line DESC LIMIT 1";
        let both = house.instance.db.fetch_one(sql, vec![]).await.unwrap().unwrap();
        assert_eq!(both.int(0).unwrap(), 64, "one line with both tokens");
        let last = house.instance.db.fetch_one("SELECT MAX(line) FROM trace_line", vec![]);
        let last = last.await.unwrap().unwrap().int(0).unwrap();
        // The chains follow the lines after a moment.
        house.instance.trace.checkpointed(last.unsigned_abs()).await;
        let citizen = house.play("citizen-1").await;
        let me = house.get("/me?chain=1", &citizen).await;
        assert!(me.body.contains("2つの番号") && me.body.contains("統合・分離"), "{}", me.body);
        for chain in 0..2 {
            let file = house._dir.path().join("statement.json");
            let answer = house.get(&format!("/me/statement?chain={chain}"), &citizen).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            std::fs::write(&file, &answer.body).unwrap();
            let report = mimamori_verifier::statement::verify(&file, None, None).unwrap();
            assert!(report.findings.is_empty(), "{:?}", report.findings);
            assert!(report.entries > 0 && report.proven == report.entries, "N of N");
        }
        let lead = Desk::open(&house, "lead-1", kept).await;
        let path = format!("/residents/{kept}/split");
        let page = house.get(&path, &lead.cookie).await;
        assert!(page.body.contains(&number), "{}", page.body);
        let form = format!("other={merged}&reason=wrong");
        for step in ["check", "edit", ""] {
            let check = house.post(&path, &lead.cookie, &format!("step={step}&{form}")).await;
            assert!(check.body.contains(&kanji) && check.body.contains(&number), "{}", check.body);
            assert!(!house.finds(&lead.cookie, &number, &kanji).await, "{step}: not split yet");
            assert_eq!(check.body.contains("もう一度検索や一覧に出ます"), step != "edit", "{}", check.body);
        }
        let done = house.post(&path, &lead.cookie, &format!("step=write&{form}")).await;
        assert_eq!(done.location, format!("/residents/{kept}"), "{}", done.body);
        assert!(house.finds(&lead.cookie, &number, &kanji).await);
        let citizen = house.play("citizen-1").await;
        assert_eq!(house.get("/me?chain=1", &citizen).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

impl House {
    /// The same files come again.
    pub async fn import(&self) {
        let gate = &self.instance.gate;
        let permit = gate.job(action::IMPORT, None).await.unwrap();
        let (town, progress) = (self._dir.path().join("town"), import::Progress::default());
        import::run(
            &permit,
            &SystemRandom,
            &import::Order::folder(&town),
            &progress,
        )
        .await
        .unwrap();
    }
    async fn pending(&self, person: &PersonId) -> i64 {
        let sql = "SELECT COUNT(*) FROM residents_change WHERE pending = 1 AND person = ?";
        self.one(sql, person).await.int(0).unwrap()
    }
}

#[tokio::test]
async fn a_change_stays_until_the_files_bring_the_same_and_the_lead_officer_decides_between() {
    each_demo(async |house| {
        let (person, [kanji, ..]) = house.persons(ALONE).await[3].clone();
        let sql = format!("SELECT address FROM residents_person WHERE person = ? AND {IN_FORCE}");
        let address = async || house.one(&sql, &person).await.text(0).unwrap().to_owned();
        let old = address().await;
        let new = "見守市新町九丁目9番9号";
        let clerk = Desk::open(&house, "clerk-1", person).await;
        let change = async |to: &str| {
            let form = clerk.form("correct-place").await;
            let fields = typed(&form.body, &[("address", to), ("reason", "届書の誤り")]);
            let done = clerk.send("correct-place", "write", &fields).await;
            assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        };
        change(new).await;
        let before = clerk.form("correct-place").await;
        house.import().await;
        assert_eq!(
            (address().await, house.pending(&person).await),
            (new.to_owned(), 1)
        );
        let late = typed(
            &before.body,
            &[("building", "荘"), ("reason", "届書の誤り")],
        );
        let late = clerk.send("correct-place", "write", &late).await;
        assert_eq!(late.status, StatusCode::CONFLICT, "an import came between");
        assert!(late.body.contains("取込みがありました"), "{}", late.body);
        let lead = house.play("lead-1").await;
        let path = format!("/residents/{person}/difference");
        let queued = async || {
            let page = house.get("/residents/differences", &lead).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
            page.body.contains(&path)
        };
        let refused = house.get("/residents/differences", &clerk.cookie).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let settle = async |wins: &str| {
            let page = house.get(&path, &lead).await;
            for told in [new, &old, &kanji] {
                assert!(page.body.contains(told), "{told}: {}", page.body);
            }
            let look = house.instance.db.fetch_one(
                "SELECT policy FROM trace_line WHERE action = 'person.settle' AND decision = 1 AND tokens <> ? \
                 ORDER BY line DESC LIMIT 1",
                vec![vec![].into()],
            );
            let policy = look.await.unwrap().unwrap().text(0).unwrap().to_owned();
            assert!(policy.ends_with("case:queue"), "{policy}");
            let fields = typed(&page.body, &[("wins", wins), ("reason", "本庁に確認")]);
            let done = house.post(&path, &lead, &body("", &fields)).await;
            assert_eq!(done.location, "/residents/differences", "{}", done.body);
            assert!(!queued().await, "{wins}");
        };
        assert!(queued().await);
        settle("change").await;
        assert_eq!(address().await, new);
        house.import().await;
        assert!(queued().await, "the files still differ");
        settle("file").await;
        assert_eq!(
            (address().await, house.pending(&person).await),
            (old.clone(), 0)
        );
        house.import().await;
        assert!(!queued().await);
        // Files that bring the same settle a change by themselves.
        change(new).await;
        change(&old).await;
        assert_eq!(house.pending(&person).await, 2);
        house.import().await;
        assert_eq!((address().await, house.pending(&person).await), (old, 0));
        assert!(!queued().await);
    })
    .await;
}

#[tokio::test]
async fn measures_registered_on_the_screen_cover_the_household_also_after_the_next_import() {
    each_demo(async |house| {
        let shared = "protected = 0 AND status = 1 AND household_number IN (SELECT h.household_number FROM residents_person h \
            WHERE h.generation = residents_person.generation AND h.status = 1 GROUP BY h.household_number HAVING COUNT(*) > 1) \
            AND household_number NOT IN (SELECT h.household_number FROM residents_person h \
            WHERE h.generation = residents_person.generation AND h.protected <> 0)";
        let (person, _) = house.persons(shared).await[0].clone();
        let lead = Desk::open(&house, "lead-1", person).await;
        let flag = lead.form("flag").await;
        let fields = typed(&flag.body, &[("protected", "1"), ("reason", "届出")]);
        let done = lead.send("flag", "write", &fields).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let now = "(SELECT generation FROM residents_state WHERE one = 1)";
        let open = format!(
            "SELECT COUNT(*), SUM(CASE WHEN (s.mask & 8) = 0 THEN 1 ELSE 0 END) FROM residents_person p \
             JOIN gate_subject s ON s.person = p.person WHERE p.generation = {now} AND p.household_number = \
             (SELECT k.household_number FROM residents_person k WHERE k.generation = {now} AND k.person = ?)"
        );
        for when in ["at once", "after an import that does not know of it"] {
            let row = house.one(&open, &person).await;
            assert!(row.int(0).unwrap() > 1, "{when}");
            assert_eq!(row.int(1).unwrap(), 0, "{when}");
            house.import().await;
        }
    })
    .await;
}
