//! What a clerk enters by hand into 資格管理, over HTTP and on both engines.

use axum::http::StatusCode;
use mimamori_care_insurance::CareInsurance;
use mimamori_care_insurance::cards::Insurer;
use mimamori_care_insurance::eligibility::{Codes, Method, Numbering};
use mimamori_kernel::id::PersonId;
use mimamori_server::web::Site;
use mimamori_sheets::{Fonts, Press};
use mimamori_storage::{Statement, Value};

use crate::desk::{ALONE, IN_FORCE, typed};
use crate::house::{Answer, House, each_demo, encoded};
use crate::insurance::{count, opens, person, reasoned};

/// Somebody of 40 to 64 whom nobody calls insured.
pub const MEMBER: &str =
    "status = 1 AND insured = 0 AND protected = 0 AND birth BETWEEN '1970-01-01' AND '1982-12-31'";

pub async fn write(house: &House, sql: &str, args: Vec<Value>) {
    let step = Statement::new(sql, args);
    house.instance.trace.upkeep(vec![step], true).await.unwrap();
}

pub async fn derive(house: &House) {
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
pub async fn care_opens(house: &House, care: &str, person: &PersonId) -> bool {
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
