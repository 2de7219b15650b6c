//! What a clerk enters by hand into 資格管理, over HTTP and on both engines.

use axum::http::StatusCode;
use mimamori_care_insurance::CareInsurance;
use mimamori_care_insurance::cards::Insurer;
use mimamori_care_insurance::eligibility::{Codes, Method, Numbering};
use mimamori_kernel::id::PersonId;
use mimamori_server::web::Site;
use mimamori_sheets::{Fonts, Press};
use mimamori_storage::{Statement, Value};

use crate::desk::{ALONE, Desk, IN_FORCE, typed};
use crate::house::{Answer, House, each_demo, encoded};
use crate::insurance::{count, opens, paper_of, person, reasoned};

/// Somebody of 40 to 64 whom nobody calls insured.
const MEMBER: &str =
    "status = 1 AND insured = 0 AND protected = 0 AND birth BETWEEN '1970-01-01' AND '1982-12-31'";

async fn write(house: &House, sql: &str, args: Vec<Value>) {
    let step = Statement::new(sql, args);
    house.instance.trace.upkeep(vec![step], true).await.unwrap();
}

async fn derive(house: &House) {
    mimamori_server::insurance::derive(&house.instance)
        .await
        .unwrap();
}

/// The form of an entry with some fields typed anew.
async fn form(house: &House, cookie: &str, person: &PersonId, anew: &[(&str, &str)]) -> String {
    let path = format!("/insurance/persons/{person}/facts");
    let page = house.get(&path, cookie).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    // A box that is not ticked is not sent.
    let mut fields = typed(&page.body, anew);
    fields.retain(|(name, value)| name != "medical" || anew.contains(&("medical", value.as_str())));
    fields
        .iter()
        .map(|(name, value)| format!("&{name}={}", encoded(value)))
        .collect()
}

async fn send(house: &House, cookie: &str, person: &PersonId, form: &str, step: &str) -> Answer {
    let path = format!("/insurance/persons/{person}/facts");
    house
        .post(&path, cookie, &format!("step={step}{form}"))
        .await
}

/// Whether the care clerk, who works with insured persons alone, may open the record.
async fn care_opens(house: &House, care: &str, person: &PersonId) -> bool {
    let path = format!("/residents/{person}");
    house
        .post(&format!("{path}/reason"), care, "channel=counter")
        .await;
    house.get(&path, care).await.status == StatusCode::OK
}

const SECOND: [(&str, &str); 5] = [
    ("kind", "second"),
    ("from", "R080510"),
    ("evidence", "certification"),
    ("note", "申請書第12号"),
    ("medical", "yes"),
];

#[tokio::test]
async fn a_second_category_is_entered_by_hand_and_the_law_works_on_from_it() {
    each_demo(async |house| {
        let (who, _) = house.persons(MEMBER).await[0].clone();
        let clerk = house.play("clerk-1").await;
        let care = house.play("care-1").await;
        let path = format!("/insurance/persons/{who}");
        let facts = format!("{path}/facts");
        house
            .post(&format!("{path}/reason"), &clerk, "reason=notice")
            .await;
        let nothing = house.get(&path, &clerk).await.body;
        assert!(nothing.contains(&format!("href=\"{facts}\"")), "{nothing}");
        assert!(!care_opens(&house, &care, &who).await);
        // What is missing or cannot be stands beside its field, and the input stays.
        let bare = form(&house, &clerk, &who, &[("note", "申請書第12号のx")]).await;
        let told = send(&house, &clerk, &who, &bare, "look").await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST);
        for field in ["kind", "from", "evidence"] {
            assert!(
                told.body.contains(&format!("id=\"{field}-error\"")),
                "{field}: {}",
                told.body
            );
        }
        assert!(told.body.contains("申請書第12号のx"));
        let mut unchecked = SECOND;
        unchecked[4].1 = "";
        let entry = form(&house, &clerk, &who, &unchecked).await;
        let told = send(&house, &clerk, &who, &entry, "write").await;
        assert!(told.body.contains("id=\"medical-error\""), "{}", told.body);
        let mut late = SECOND;
        late[1].1 = "R200101";
        let entry = form(&house, &clerk, &who, &late).await;
        let told = send(&house, &clerk, &who, &entry, "write").await;
        assert!(
            told.body.contains("まだ来ていない日") && told.body.contains("R200101"),
            "{}",
            told.body
        );
        // Looked at first: the reason of that day, and nothing is written.
        let entry = form(&house, &clerk, &who, &SECOND).await;
        let look = send(&house, &clerk, &who, &entry, "look").await;
        assert!(
            look.body.contains("13 2号申請") && look.body.contains("令和8年5月10日"),
            "{}",
            look.body
        );
        let back = send(&house, &clerk, &who, &entry, "edit").await;
        assert!(back.body.contains("value=\"R080510\""), "{}", back.body);
        assert_eq!(count(&house, "care_insurance_fact").await, 0);
        let done = send(&house, &clerk, &who, &entry, "write").await;
        assert_eq!(done.location, path, "{}", done.body);
        // Derived at once, with who entered it and on what evidence.
        let page = house.get(&path, &clerk).await.body;
        for word in [
            "第2号被保険者",
            "2号申請",
            "手で入力した事実",
            "介護 はな",
            "申請書第12号",
            "要介護・要支援認定の申請書",
        ] {
            assert!(page.contains(word), "{word}: {page}");
        }
        assert!(care_opens(&house, &care, &who).await, "insured since");
        // The form of before is refused, and nothing is entered twice.
        let twice = send(&house, &clerk, &who, &entry, "write").await;
        assert_ne!(twice.status, StatusCode::SEE_OTHER, "{}", twice.body);
        assert_eq!(count(&house, "care_insurance_fact").await, 1);
        assert_eq!(
            count(
                &house,
                "trace_line WHERE action = 'qualification.decide' AND decision = 1"
            )
            .await,
            1
        );
        // The nightly derivation keeps it.
        derive(&house).await;
        assert_eq!(
            house
                .one(
                    "SELECT category FROM care_insurance_person WHERE person = ?",
                    &who
                )
                .await
                .int(0)
                .unwrap(),
            2
        );
        // The end of the medical insurance ends it on the day itself; a missing day is told.
        let version = reasoned(&house, &clerk, &who).await;
        let one = format!("{facts}/1");
        let bare = house
            .post(
                &one,
                &clerk,
                &format!("what=end&version={version}&note=a&until="),
            )
            .await;
        assert!(
            bare.body.contains("id=\"fact-until-1-error\""),
            "{}",
            bare.body
        );
        let bare = house
            .post(
                &one,
                &clerk,
                &format!("what=cancel&version={version}&note="),
            )
            .await;
        assert!(
            bare.body.contains("id=\"fact-note-1-error\""),
            "{}",
            bare.body
        );
        let end = format!(
            "what=end&version={version}&note={}&until=R081101",
            encoded("国保をやめた")
        );
        assert_eq!(house.post(&one, &clerk, &end).await.location, path);
        let page = house.get(&path, &clerk).await.body;
        assert!(
            page.contains("医療保険の喪失（2号）") && page.contains("手入力1を令和8年11月1日"),
            "{page}"
        );
        assert!(!care_opens(&house, &care, &who).await, "no longer insured");
        let late = house.post(&one, &clerk, &end).await;
        assert_eq!(
            late.status,
            StatusCode::CONFLICT,
            "ended already: {}",
            late.body
        );
        // Taken back, it was never so; the row stays and says who took it back.
        let version = reasoned(&house, &clerk, &who).await;
        let cancel = format!(
            "what=cancel&version={version}&note={}",
            encoded("別の人の申請")
        );
        assert_eq!(house.post(&one, &clerk, &cancel).await.location, path);
        let page = house.get(&path, &clerk).await.body;
        assert!(
            page.contains("別の人の申請") && page.contains("資格なし"),
            "{page}"
        );
        // Others do not enter anything.
        for login in ["care-1", "citizen-1"] {
            let cookie = house.play(login).await;
            for answer in [
                house.get(&facts, &cookie).await,
                house.post(&facts, &cookie, "step=write").await,
                house
                    .post(&one, &cookie, "what=cancel&version=1&note=a")
                    .await,
            ] {
                assert!(answer.status.is_client_error(), "{login} {}", answer.status);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_unknown_birth_leads_from_the_queue_to_the_form_and_a_later_register_is_asked_about() {
    each_demo(async |house| {
        let clerk = house.play("clerk-1").await;
        let (who, _) = house.persons(ALONE).await[0].clone();
        let born = |day: &str| {
            let sql = format!(
                "UPDATE residents_person SET birth = '{day}' WHERE person = ? AND {IN_FORCE}"
            );
            let house = &house;
            async move { write(house, &sql, vec![who.bytes().into()]).await }
        };
        born("1961-00-00").await;
        write(
            &house,
            "DELETE FROM care_insurance_qualification WHERE person = ?",
            vec![who.bytes().into()],
        )
        .await;
        derive(&house).await;
        let row = async || {
            house
                .one(
                    "SELECT question, since FROM care_insurance_person WHERE person = ?",
                    &who,
                )
                .await
        };
        assert!(row().await.text(0).unwrap().contains("生年月日が不詳"));
        let facts = format!("/insurance/persons/{who}/facts");
        let queue = house.get("/insurance/queues/unknown", &clerk).await.body;
        assert!(queue.contains(&format!("href=\"{facts}\"")), "{queue}");
        let reason = format!("/insurance/persons/{who}/reason");
        house.post(&reason, &clerk, "reason=queue").await;
        // The form says between which days 65 is reached.
        let page = house.get(&facts, &clerk).await.body;
        assert!(
            page.contains("令和7年12月31日") && page.contains("令和8年12月30日"),
            "{page}"
        );
        let fields = [
            ("kind", "birth"),
            ("from", "19600115"),
            ("evidence", "family"),
            ("note", "a"),
        ];
        let entry = form(&house, &clerk, &who, &fields).await;
        let wrong = send(&house, &clerk, &who, &entry, "look").await;
        assert!(wrong.body.contains("範囲にありません"), "{}", wrong.body);
        let entry = form(
            &house,
            &clerk,
            &who,
            &[("from", "19610115"), fields[0], fields[2], fields[3]],
        )
        .await;
        let look = send(&house, &clerk, &who, &entry, "look").await.body;
        assert!(
            look.contains("65歳に達する日") && look.contains("令和8年1月14日"),
            "{look}"
        );
        opens(&send(&house, &clerk, &who, &entry, "write").await);
        let settled = row().await;
        assert_eq!(
            (settled.text(0).unwrap(), settled.text(1).unwrap()),
            ("", "2026-01-14")
        );
        // The register learns another day: asked, not overwritten in silence.
        born("1961-03-01").await;
        derive(&house).await;
        assert!(
            row().await.text(0).unwrap().contains("手入力1"),
            "{}",
            row().await.text(0).unwrap()
        );
        born("1961-01-15").await;
        derive(&house).await;
        assert_eq!(
            row().await.text(0).unwrap(),
            "",
            "the same day is no question"
        );
    })
    .await;
}

/// The demo with a room that numbers as `method` says.
fn numbered(house: &mut House, method: Method) {
    let mut site = Site::new(&house.instance);
    site.insurance = Some(CareInsurance::new(
        house.instance.gate.clone(),
        house.instance.clock.clone(),
        Press::new(Fonts::system().unwrap()),
        Some(Insurer {
            number: "999995".into(),
            name: "見本の市".into(),
            contact: "窓口".into(),
            sample: true,
        }),
        Codes::built_in().unwrap(),
        Numbering { method, first: 1 },
        site.shelf.clone(),
    ));
    house.router = site.router();
}

#[tokio::test]
async fn a_number_is_typed_where_the_setting_says_so_and_checked_by_it() {
    each_demo(async |mut house| {
        let free = "category = 1 AND protected = 0 AND insured_number <> ''";
        let who = person(&house, free).await;
        let taken = format!("{free} AND person <> (SELECT person FROM care_insurance_person WHERE {free} ORDER BY person LIMIT 1)");
        let other = person(&house, &taken).await;
        let sql = "SELECT insured_number FROM care_insurance_person WHERE person = ?";
        let theirs = house.one(sql, &other).await.text(0).unwrap().to_owned();
        let path = format!("/insurance/persons/{who}");
        let without = async |house: &House| {
            for sql in [
                "UPDATE care_insurance_person SET insured_number = '', card_wait = 1, version = version + 1 WHERE person = ?",
                "UPDATE residents_person SET insured_number = '' WHERE person = ?",
            ] {
                write(house, sql, vec![who.bytes().into()]).await;
            }
        };
        let post = async |house: &House, cookie: &str, number: &str, accept: &str| {
            let version = reasoned(house, cookie, &who).await;
            let form = format!("insured_number={}&accept={accept}&version={version}", encoded(number));
            house.post(&format!("{path}/number"), cookie, &form).await
        };
        // Numbers that the program makes are not typed.
        for method in [Method::Running, Method::RunningMod10] {
            without(&house).await;
            numbered(&mut house, method);
            let cookie = house.play("clerk-1").await;
            assert_eq!(post(&house, &cookie, "0000009999", "").await.status, StatusCode::CONFLICT);
            assert!(!house.get(&path, &cookie).await.body.contains("被保険者番号を入力する"));
        }
        // Sound by modulus 10 is …0, so …1 is not.
        let sound = Numbering { method: Method::RunningMod10, first: 999_999_001 }.make(0).unwrap();
        let digit = (sound.as_bytes()[9] - b'0' + 1) % 10;
        let doubtful = format!("{}{digit}", &sound[..9]);
        for (method, warned) in [(Method::Manual, false), (Method::ManualMod10, true)] {
            without(&house).await;
            numbered(&mut house, method);
            let cookie = house.play("clerk-1").await;
            for (number, word) in [("123", "10文字"), ("00000x0001", "被保険者番号"), (theirs.as_str(), "ほかの人が使っています")] {
                let told = post(&house, &cookie, number, "").await;
                assert_eq!(told.status, StatusCode::BAD_REQUEST, "{number}: {}", told.body);
                assert!(told.body.contains("id=\"insured_number-error\"") && told.body.contains(word), "{}", told.body);
                assert!(told.body.contains(&format!("value=\"{number}\"")), "the input stays");
            }
            // No card leaves without a number.
            let print = house.post(&format!("{path}/card/print"), &cookie, "note=a").await;
            assert_eq!(print.status, StatusCode::CONFLICT, "{}", print.body);
            assert!(print.body.contains("被保険者番号がない"), "{}", print.body);
            if warned {
                let told = post(&house, &cookie, &doubtful, "").await;
                assert!(told.body.contains("検査数字が合いません") && told.body.contains("name=\"accept\""), "{}", told.body);
            }
            let done = post(&house, &cookie, &doubtful, "yes").await;
            assert_eq!(done.location, path, "{}", done.body);
            let page = house.get(&path, &cookie).await.body;
            assert!(page.contains(&doubtful) && page.contains("被保険者番号を入力"), "{page}");
            // Given once; a derivation keeps it.
            assert_eq!(post(&house, &cookie, &sound, "").await.status, StatusCode::CONFLICT);
            derive(&house).await;
            assert_eq!(house.one(sql, &who).await.text(0).unwrap(), doubtful);
        }
    })
    .await;
}

/// S0-05: the care clerk finds who became insured by the derivation, and no longer who ceased to be.
#[tokio::test]
async fn the_care_clerk_finds_who_turned_65_and_no_longer_who_left() {
    each_demo(async |house| {
        let care = house.play("care-1").await;
        let (who, [.., number]) = house.persons(MEMBER).await[0].clone();
        let finds = async || {
            let form = format!("number={number}&channel=counter");
            let found = house.post("/residents/search", &care, &form).await;
            house.get(&found.location, &care).await.body.contains(&who.to_string())
        };
        assert!(!finds().await && !care_opens(&house, &care, &who).await);
        let today = house.instance.clock.now().office_day();
        let born = mimamori_kernel::date::parse_any(&format!("{}-{:02}-{:02}", today.year() - 65, today.month(), today.day()));
        let sql = format!("UPDATE residents_person SET birth = ? WHERE person = ? AND {IN_FORCE}");
        write(&house, &sql, vec![born.unwrap().to_iso().into(), who.bytes().into()]).await;
        derive(&house).await;
        assert!(finds().await && care_opens(&house, &care, &who).await);
        let left = format!(
            "INSERT INTO residents_history SELECT generation, person, 99, '転出', '2026-11-10', '2026-11-10', '', '', '', '' \
             FROM residents_person WHERE person = ? AND {IN_FORCE}"
        );
        let gone = format!("UPDATE residents_person SET status = 2 WHERE person = ? AND {IN_FORCE}");
        for sql in [left, gone] {
            write(&house, &sql, vec![who.bytes().into()]).await;
        }
        derive(&house).await;
        assert!(!care_opens(&house, &care, &who).await, "ceased to be insured");
        // By a decision on the screen as well, at once.
        let stays = person(&house, "category = 1 AND protected = 0 AND person IN (SELECT person FROM gate_subject WHERE mask = 17)").await;
        assert!(care_opens(&house, &care, &stays).await);
        let clerk = house.play("clerk-1").await;
        let version = reasoned(&house, &clerk, &stays).await;
        let form = format!("what=cancel&number=1&version={version}&note=a");
        opens(&house.post(&format!("/insurance/persons/{stays}"), &clerk, &form).await);
        assert!(!care_opens(&house, &care, &stays).await);
        derive(&house).await;
        assert!(!care_opens(&house, &care, &stays).await, "the derivation keeps the decision");
    })
    .await;
}

/// After a move the card that is out is called old, and the next one bears the new address even before
/// the derivation has run over the town.
#[tokio::test]
async fn after_a_move_the_old_card_is_told_and_the_new_one_is_fresh() {
    each_demo(async |house| {
        let filter = format!("{ALONE} AND insured = 1 AND person IN (SELECT person FROM care_insurance_card) \
            AND person IN (SELECT person FROM care_insurance_person WHERE category = 1)");
        let (who, _) = house.persons(&filter).await[0].clone();
        let desk = Desk::open(&house, "clerk-1", who).await;
        let version = reasoned(&house, &desk.cookie, &who).await;
        let path = format!("/insurance/persons/{who}");
        let card = format!("{path}/card");
        opens(&house.post(&card, &desk.cookie, &format!("what=order&why=lost&version={version}")).await);
        let page = desk.form("move").await.body;
        let moved = typed(&page, &[
            ("kind", "転居"), ("event_day", "R081101"), ("notified_day", "R081102"), ("postal", "9990001"),
            ("address", "見守市桜町8丁目8番8号"), ("building", ""),
        ]);
        let done = desk.send("move", "write", &moved).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        // Printed before anybody derived: the row is brought up to date first.
        let sql = "SELECT address, card_old FROM care_insurance_person WHERE person = ?";
        assert!(!house.one(sql, &who).await.text(0).unwrap().contains("8丁目8番"));
        house.get(&card, &desk.cookie).await;
        let row = house.one(sql, &who).await;
        assert!(row.text(0).unwrap().contains("桜町8丁目8番8号"), "{}", row.text(0).unwrap());
        assert_eq!(row.text(1).unwrap(), "住所");
        for page in [&path, &card] {
            let page = house.get(page, &desk.cookie).await.body;
            assert!(page.contains("被保険者証の再交付が必要です"), "{page}");
        }
        let queue = house.get("/insurance/queues/reissue", &desk.cookie).await.body;
        assert!(queue.contains(&who.to_string()) && queue.contains("証の住所が違います"), "{queue}");
        let print = house.post(&format!("{card}/print"), &desk.cookie, "note=a").await;
        assert_eq!(print.location, card, "{}", print.body);
        let page = house.get(&card, &desk.cookie).await.body;
        assert!(house.get(&paper_of(&page), &desk.cookie).await.body.starts_with("%PDF-"));
        assert!(!house.get(&path, &desk.cookie).await.body.contains("再交付が必要"));
        // A row that stays behind the register is refused, alone and in a batch.
        let behind = "UPDATE care_insurance_person SET seen = 0, card_wait = 1, batch = 'open', version = version + 1 WHERE person = ?";
        write(&house, behind, vec![who.bytes().into()]).await;
        write(&house, "UPDATE care_insurance_run SET mark = 'x'", vec![]).await;
        let cards = count(&house, "care_insurance_card").await;
        let waiting = Site::new(&house.instance).insurance.unwrap();
        assert!(waiting.waits().await.unwrap());
        let refused = house.post("/insurance/cards/print", &desk.cookie, "note=a").await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
        assert!(refused.body.contains("古い住所や氏名の証を出さない"), "{}", refused.body);
        assert_eq!(count(&house, "care_insurance_card").await, cards);
    })
    .await;
}

/// A list as a file: what CP932 lacks is told by person and in all, zeros stay, and the last row says who, when and why.
#[tokio::test]
async fn a_list_as_a_file_tells_what_is_lost_and_keeps_zeros() {
    each_demo(async |house| {
        let cookie = house.play("clerk-1").await;
        let who = person(
            &house,
            "due_moved <> '' AND protected = 0 AND insured_number <> ''",
        )
        .await;
        write(
            &house,
            "UPDATE care_insurance_person SET kanji = '𠮷田 花子' WHERE person = ?",
            vec![who.bytes().into()],
        )
        .await;
        let page = house.get("/insurance/queues/moved", &cookie).await.body;
        assert!(
            page.contains("1人の氏名・住所などにCP932にない文字があります（U+20BB7）"),
            "{page}"
        );
        let note = encoded("月次の確認");
        let file = house
            .post(
                "/insurance/queues/moved",
                &cookie,
                &format!("encoding=utf-8&zeros=sheet&note={note}"),
            )
            .await;
        let file = String::from_utf8(house.unlocked(&file, &cookie).await).unwrap();
        let number = house
            .one(
                "SELECT insured_number FROM care_insurance_person WHERE person = ?",
                &who,
            )
            .await;
        let cell = format!("\"=\"\"{}\"\"\"", number.text(0).unwrap());
        assert!(file.contains(&cell), "{file}");
        let last = file.trim_end().lines().last().unwrap();
        for word in [
            "出力番号",
            "介護 はな",
            "目的: 介護保険に関する事務",
            "理由: 月次の確認",
            "1種類 1人（U+20BB7）",
        ] {
            assert!(last.contains(word), "{word}: {last}");
        }
        let row = file.lines().find(|l| l.contains("𠮷田")).unwrap();
        assert!(row.ends_with("\"U+20BB7\""), "{row}");
        let plain = house
            .post(
                "/insurance/queues/moved",
                &cookie,
                &format!("encoding=cp932&zeros=plain&note={note}"),
            )
            .await;
        let plain = house.unlocked(&plain, &cookie).await;
        let plain = String::from_utf8_lossy(&plain).into_owned();
        assert!(
            plain.contains(&format!("\"{}\"", number.text(0).unwrap())) && !plain.contains("=\"\""),
            "{plain}"
        );
    })
    .await;
}
