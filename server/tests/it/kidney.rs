//! The programme against diabetic nephropathy, from a file of health checks to guidance and its evaluation.

use axum::http::StatusCode;
use mimamori_kernel::id::PersonId;
use mimamori_testkit::TownArgs;

use crate::house::{Answer, House, demo, each_demo, encoded};

/// A resident as a health check names him.
struct Resident {
    id: PersonId,
    number: String,
    kana: String,
    birth: String,
    sex: i64,
    kanji: String,
}

const HEAD: &str = "宛名番号,氏名カナ,氏名漢字,生年月日,性別,郵便番号,住所,健診実施日,受診券整理番号,健診機関番号,身長,体重,BMI,腹囲,\
収縮期血圧1回目,収縮期血圧2回目,拡張期血圧1回目,拡張期血圧2回目,採血時間,空腹時中性脂肪,HDL,LDL,AST,ALT,γ-GT,空腹時血糖,随時血糖,\
HbA1c_HPLC,HbA1c_免疫,HbA1c_酵素,HbA1c_JDS,尿糖,尿蛋白,血色素量,赤血球数,ヘマトクリット,クレアチニン,eGFR,服薬血圧,服薬血糖,服薬脂質,\
既往脳血管,既往心血管,既往腎,喫煙,メタボ判定,保健指導レベル,医師の診断,見本データ";

impl House {
    async fn residents(&self) -> Vec<Resident> {
        let sql = "SELECT person, address_number, kana, birth, sex, kanji FROM residents_person WHERE generation = \
                   (SELECT generation FROM residents_state WHERE one = 1) AND status = 1 AND protected = 0 AND \
                   foreigner = 0 AND birth BETWEEN '1953-06-01' AND '1962-01-01' AND birth NOT LIKE '%-00' \
                   AND postal LIKE '999%' ORDER BY address_number";
        let rows = self.instance.db.fetch(sql, vec![]).await.unwrap();
        let text = |r: &mimamori_storage::Row, n| r.text(n).unwrap().to_owned();
        rows.iter()
            .map(|r| Resident {
                id: PersonId::from_bytes(r.array(0).unwrap()),
                number: text(r, 1),
                kana: text(r, 2),
                birth: text(r, 3),
                sex: r.int(4).unwrap(),
                kanji: text(r, 5),
            })
            .collect()
    }

    async fn checkups(&self, cookie: &str, bytes: &[u8]) -> Answer {
        let token = self.token("/kidney/imports", cookie).await;
        let files = [("file", bytes)];
        self.upload("/kidney/imports/files", cookie, &token, &files)
            .await
    }

    async fn number(&self, sql: &str) -> i64 {
        let row = self.instance.db.fetch_one(sql, vec![]).await.unwrap();
        row.unwrap().int(0).unwrap()
    }

    /// Goes where a form leads.
    async fn follow(&self, sent: Answer, cookie: &str) -> Answer {
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
        self.get(&sent.location, cookie).await
    }

    /// The version of a person's row, as the page's forms send it.
    async fn kidney_version(&self, person: PersonId) -> i64 {
        let sql = "SELECT version FROM kidney_prevention_person WHERE person = ?";
        self.one(sql, &person).await.int(0).unwrap()
    }

    async fn write(&self, cookie: &str, person: PersonId, what: &str, form: &str) -> Answer {
        let version = self.kidney_version(person).await;
        let path = format!("/kidney/persons/{person}");
        let form = format!("what={what}&version={version}&{form}");
        self.post(&path, cookie, &form).await
    }
}

/// A row of the sample layout with these results.
fn row(r: &Resident, birth: &str, results: &[(&str, &str)]) -> String {
    let cell = |column: &str| match column {
        "宛名番号" => r.number.clone(),
        "氏名カナ" => r.kana.clone(),
        "生年月日" => birth.to_owned(),
        "性別" => r.sex.to_string(),
        "健診実施日" => "20250715".into(),
        other => results
            .iter()
            .find(|(c, _)| *c == other)
            .map_or(String::new(), |(_, v)| (*v).to_owned()),
    };
    HEAD.split(',').map(cell).collect::<Vec<_>>().join(",")
}

fn cp932(rows: &[String]) -> Vec<u8> {
    let text = format!("{HEAD}\r\n{}\r\n", rows.join("\r\n"));
    encoding_rs::SHIFT_JIS.encode(&text).0.into_owned()
}

const TREATED: [(&str, &str); 3] = [("HbA1c_HPLC", "7.6"), ("服薬血糖", "1"), ("尿蛋白", "1")];

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    TREATED.iter().chain(more).copied().collect()
}

#[tokio::test]
async fn from_a_file_to_six_contacts_with_two_persons_eyes() {
    each_demo(async |house| {
        let all = house.residents().await;
        let [a, b, c, ..] = all.as_slice() else {
            panic!("{} residents", all.len())
        };
        let first = house.play("health-1").await;
        let second = house.play("health-2").await;
        let bytes = cp932(&[
            row(
                a,
                &a.birth,
                &with(&[("クレアチニン", "1.60"), ("HDL", "9999")]),
            ),
            row(b, &b.birth, &with(&[])),
            row(c, "1949-01-01", &with(&[("eGFR", "40.0")])),
            row(c, &c.birth, &with(&[("eGFR", "72.5")])),
        ]);
        let preview = house
            .follow(house.checkups(&first, &bytes).await, &first)
            .await;
        assert_eq!(preview.status, StatusCode::OK);
        for words in [
            "4件",
            "3件",
            "1件",
            "CHECKUP-NOBODY",
            "CHECKUP-RANGE",
            "下見（未確定）",
        ] {
            assert!(preview.body.contains(words), "{words}: {}", preview.body);
        }
        assert!(
            !preview.body.contains(&a.kanji),
            "an import shows no person"
        );
        let taken = "SELECT COUNT(*) FROM kidney_prevention_checkup WHERE taken = 1";
        assert_eq!(
            house.number(taken).await,
            0,
            "nothing counts before it was taken in"
        );
        let done = house.post("/kidney/imports/1", &first, "do=take").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        assert_eq!(house.number(taken).await, 3);
        let again = house.post("/kidney/imports/1", &first, "do=take").await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        // The same file once more changes nothing.
        let twice = house
            .follow(house.checkups(&first, &bytes).await, &first)
            .await;
        assert!(twice.body.contains("CHECKUP-AGAIN"));
        house.post("/kidney/imports/2", &first, "do=take").await;
        assert_eq!(house.number(taken).await, 3);

        let proposed = house
            .post(
                "/kidney/rules",
                &first,
                "preset=hba1c-70&hba1c=&egfr=&source=",
            )
            .await;
        assert_eq!(proposed.status, StatusCode::SEE_OTHER, "{}", proposed.body);
        let own = house.post("/kidney/rules/1", &first, "do=approve").await;
        assert_eq!(
            own.status,
            StatusCode::CONFLICT,
            "nobody approves the own proposal"
        );
        let run = house
            .post("/kidney/runs", &first, "rule=1&year=2025&until=2027-03-31")
            .await;
        let counts = house.follow(run, &first).await;
        for words in [
            "選定ルールは仮です",
            "判定不能（腎機能なし）",
            "HbA1c（NGSP）7.0%以上",
        ] {
            assert!(counts.body.contains(words), "{words}");
        }
        let open = house.post("/kidney/runs/1", &second, "do=approve").await;
        assert_eq!(
            open.status,
            StatusCode::CONFLICT,
            "the rule is not approved yet"
        );
        let rule = house.post("/kidney/rules/1", &second, "do=approve").await;
        assert_eq!(rule.status, StatusCode::SEE_OTHER);
        let list = house.get("/kidney/results/selected", &first).await;
        assert!(list.body.contains(&a.kanji) && !list.body.contains(&b.kanji));
        assert!(list.body.contains("クレアチニン1.60") && list.body.contains("証跡の行"));
        let unknown = house
            .get("/kidney/results/undetermined-kidney", &first)
            .await;
        assert!(
            unknown.body.contains(&b.kanji),
            "a missing kidney value is its own result"
        );
        let good = house.get("/kidney/results/no-kidney", &first).await;
        assert!(good.body.contains(&c.kanji));
        let mine = house.post("/kidney/runs/1", &first, "do=approve").await;
        assert_eq!(mine.status, StatusCode::CONFLICT);
        let approved = house.post("/kidney/runs/1", &second, "do=approve").await;
        assert_eq!(approved.status, StatusCode::SEE_OTHER);
        let listed = house.get("/kidney/stages/listed", &first).await;
        assert!(listed.body.contains(&a.kanji) && !listed.body.contains(&c.kanji));

        let wrong = house
            .write(
                &first,
                a.id,
                "doctor",
                "doctor_day=2025-08-01&clinic=&consent=1&treated=1&doctor_hba1c=74",
            )
            .await;
        assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
        assert!(wrong.body.contains("医療機関と医師の名前") && wrong.body.contains("入力範囲の外"));
        let form = format!(
            "doctor_day=2025-08-01&clinic={}&consent=1&treated=1&diseases=&instructions=",
            encoded("見本診療所")
        );
        let consent = house.write(&first, a.id, "doctor", &form).await;
        assert_eq!(consent.status, StatusCode::SEE_OTHER, "{}", consent.body);
        let letters = house.get("/kidney/letters", &first).await;
        assert!(letters.body.contains(&a.kanji));
        if letters.body.contains("印刷に使う書体がありません") {
            panic!("the fonts of the forms are not installed");
        }
        let printed = house
            .post(
                "/kidney/letters",
                &first,
                &format!("note={}", encoded("第1回の勧奨")),
            )
            .await;
        let page = house.follow(printed, &first).await;
        let (_, link) = page
            .body
            .split_once("href=\"/kidney/letters/")
            .expect("a link to the PDF");
        let path = format!("/kidney/letters/{}", link.split('"').next().unwrap());
        let pdf = house.get(&path, &first).await;
        assert!(pdf.bytes.starts_with(b"%PDF"));
        assert_eq!(
            house.get(&path, &first).await.status,
            StatusCode::CONFLICT,
            "once only"
        );
        let early = house
            .write(
                &first,
                a.id,
                "contact",
                &format!(
                    "contact_day=2025-09-01&mode=telephone&contact_words={}",
                    encoded("話した")
                ),
            )
            .await;
        assert_ne!(
            early.status,
            StatusCode::SEE_OTHER,
            "no contact before the person takes part"
        );
        let joined = house
            .write(&first, a.id, "join", "join_day=2026-11-24")
            .await;
        let record = house.follow(joined, &first).await;
        assert_eq!(record.body.matches("第6回").count(), 1, "{}", record.body);
        for n in 1..=6 {
            let form = format!(
                "contact_day=2026-11-21&mode=web&contact_words={}",
                encoded("食事のふりかえり")
            );
            let held = house.write(&first, a.id, "contact", &form).await;
            assert_eq!(held.status, StatusCode::SEE_OTHER, "{n}: {}", held.body);
        }
        let finished = house.get("/kidney/stages/finished", &second).await;
        assert!(finished.body.contains(&a.kanji));
        let evaluation = house.get("/kidney/evaluation", &first).await;
        assert!(
            evaluation.body.contains("<svg")
                && evaluation.body.contains("効果の証明ではありません")
        );
        assert!(!evaluation.body.contains(&a.kanji));
    })
    .await;
}

#[tokio::test]
async fn nobody_outside_the_section_comes_near() {
    let house = demo(None).await;
    let person = house.residents().await[0].id;
    for login in [
        "clerk-1",
        "lead-1",
        "care-1",
        "system-1",
        "audit-1",
        "citizen-1",
        "vendor-1",
    ] {
        let cookie = house.play(login).await;
        for path in [
            "/kidney".to_owned(),
            "/kidney/imports".into(),
            "/kidney/rules".into(),
            "/kidney/runs".into(),
            "/kidney/results/selected".into(),
            "/kidney/letters".into(),
            "/kidney/evaluation".into(),
            format!("/kidney/persons/{person}"),
        ] {
            let answer = house.get(&path, &cookie).await;
            let closed = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
            assert!(
                closed.contains(&answer.status),
                "{login} {path}: {}",
                answer.status
            );
        }
    }
    // And the section opens nothing else of the register.
    let health = house.play("health-1").await;
    for path in ["/insurance", "/residents/search"] {
        assert_eq!(
            house.get(path, &health).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    // Somebody who was never judged is not there.
    let missing = house
        .get(&format!("/kidney/persons/{person}"), &health)
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_protected_persons_place_is_shown_to_nobody_here_and_no_letter_goes_out() {
    let house = demo(None).await;
    let first = house.play("health-1").await;
    let second = house.play("health-2").await;
    let all = house.residents().await;
    let (a, b) = (&all[0], &all[1]);
    let rows = [a, b].map(|r| row(r, &r.birth, &with(&[("eGFR", "41.0")])));
    house.checkups(&first, &cp932(&rows)).await;
    house.post("/kidney/imports/1", &first, "do=take").await;
    house
        .post(
            "/kidney/rules",
            &first,
            "preset=hba1c-65&hba1c=&egfr=&source=",
        )
        .await;
    house.post("/kidney/rules/1", &second, "do=approve").await;
    house
        .post("/kidney/runs", &first, "rule=1&year=2025&until=2027-03-31")
        .await;
    house.post("/kidney/runs/1", &second, "do=approve").await;
    for person in [a, b] {
        let form = format!(
            "doctor_day=2025-08-01&clinic={}&consent=1&treated=1",
            encoded("見本診療所")
        );
        let done = house.write(&first, person.id, "doctor", &form).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
    }
    let sql = "UPDATE gate_subject SET mask = mask + 8 WHERE person = ?";
    let protect =
        mimamori_storage::Statement::expecting(sql, vec![a.id.bytes().into()], 1, "protect");
    let act =
        mimamori_server::init::system_act(&house.instance, "test", "protect".into(), vec![protect]);
    house.instance.trace.record(act).await.unwrap();
    let address = "SELECT address FROM kidney_prevention_person WHERE person = ?";
    let place = house.one(address, &a.id).await.text(0).unwrap().to_owned();
    let record = house
        .get(&format!("/kidney/persons/{}", a.id), &first)
        .await;
    assert!(record.body.contains("（非表示）") && !record.body.contains(&place));
    let letters = house.get("/kidney/letters", &first).await;
    assert!(letters.body.contains(&b.kanji) && !letters.body.contains(&a.kanji));
}

#[tokio::test]
async fn the_sample_towns_checks_come_in_with_their_dirt_and_are_tried() {
    let house = demo(None).await;
    let folder = tempfile::tempdir().unwrap();
    let town = TownArgs {
        people: 300,
        ..TownArgs::default()
    };
    let taken = mimamori_server::kidney::sample(&house.instance, town, 250, folder.path())
        .await
        .unwrap();
    assert!((200..=250).contains(&taken), "{taken}");
    let health = house.play("health-1").await;
    let page = house.get("/kidney/runs/1", &health).await;
    assert_eq!(page.status, StatusCode::OK);
    let imports = house.get("/kidney/imports", &health).await;
    assert!(imports.body.contains("特定健診のZIP（CDA）") && imports.body.contains("取込済み"));
    let broken = house.checkups(&health, b"PK\x03\x04 not an archive").await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert!(broken.body.contains("ZIPファイルとして読めません"));
}
