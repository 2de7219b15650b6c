//! What the council was told decides what may leave: two write and approve, a refusal quotes the sheet's line.

use axum::http::StatusCode;
use mimamori_kernel::id::ContractId;
use mimamori_oversight::catalogue::ITEMS;
use mimamori_server::demo::council_case;

use crate::house::{Answer, House, each_demo, encoded};

/// The case in the demo and its contract.
pub async fn case(house: &House) -> (String, ContractId) {
    let contract = council_case(&house.instance).await.unwrap();
    let sql = "SELECT id FROM oversight_case";
    let row = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
    let id = mimamori_kernel::id::RequestId::from_bytes(row.unwrap().array(0).unwrap());
    (format!("/oversight/cases/{id}"), contract)
}

/// What the form of a sheet holds now, as it would be sent back; `without` are names left out.
fn sent(page: &str, without: &[&str]) -> String {
    let mut out = Vec::new();
    let unescape = |text: &str| {
        let text = text.replace("&#38;", "&").replace("&#34;", "\"");
        text.replace("&#60;", "<").replace("&#62;", ">")
    };
    for part in page.split("<input ").skip(1) {
        let tag = part.split('>').next().unwrap();
        let of = |name: &str| {
            let found = tag.split_once(&format!(" {name}=\""))?.1;
            Some(unescape(found.split('"').next()?))
        };
        let (Some(name), Some(value)) = (of("name"), of("value")) else {
            continue;
        };
        let box_without_tick = tag.contains("type=\"checkbox\"") && !tag.contains(" checked");
        if name != "csrf" && !box_without_tick && !without.contains(&name.as_str()) {
            out.push((name, value));
        }
    }
    for part in page.split("<textarea ").skip(1) {
        let (tag, rest) = part.split_once('>').unwrap();
        let name = tag
            .split_once(" name=\"")
            .unwrap()
            .1
            .split('"')
            .next()
            .unwrap();
        let value = rest.split("</textarea>").next().unwrap();
        out.push((name.to_owned(), unescape(value.trim())));
    }
    let pairs = out.iter().filter(|(name, _)| name != "reason");
    let pairs: Vec<String> = pairs.map(|(n, v)| format!("{n}={}", encoded(v))).collect();
    pairs.join("&")
}

async fn ask(house: &House, cookie: &str, contract: ContractId, form: &str) -> Answer {
    let path = format!("/oversight/contracts/{contract}/grant");
    house.post(&path, cookie, form).await
}

fn all_items() -> String {
    let all: Vec<String> = ITEMS.iter().map(|i| format!("item-{}=1", i.id)).collect();
    format!("{}&channel=lgwan", all.join("&"))
}

/// The table of refused items of an answer.
fn refused(answer: &Answer) -> &str {
    let (_, rest) = answer.body.split_once("渡せない項目").expect("an answer");
    rest.split("渡せる項目").next().unwrap()
}

#[tokio::test]
async fn an_item_taken_from_the_sheet_is_refused_with_the_sheets_line_once_another_approved() {
    each_demo(async |house| {
        let (case, contract) = case(&house).await;
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        let open = ask(&house, &first, contract, &all_items()).await;
        assert_eq!(open.status, StatusCode::OK, "{}", open.body);
        assert!(
            refused(&open).contains("選んだ項目は、すべて渡せます"),
            "{}",
            open.body
        );
        // Written by the first: nothing changes yet.
        let draft = format!("{case}/sheets/outsourcing/draft");
        let page = house.get(&draft, &first).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let mut form = sent(&page.body, &["item-email"]);
        let bare = house.post(&draft, &first, &form).await;
        assert_eq!(bare.status, StatusCode::BAD_REQUEST);
        assert!(bare.body.contains("id=\"reason-error\""), "{}", bare.body);
        form.push_str(&format!("&reason={}", encoded("連絡は電話で足りるため")));
        let drafted = house.post(&draft, &first, &form).await;
        assert_eq!(drafted.status, StatusCode::SEE_OTHER, "{}", drafted.body);
        let version = drafted.location.clone();
        assert!(version.ends_with("/outsourcing/versions/2"), "{version}");
        let same = ask(&house, &first, contract, "item-email=1").await;
        assert!(
            refused(&same).contains("すべて渡せます"),
            "a draft opens and closes nothing"
        );
        // The writer cannot approve; what changed is marked for the other.
        let decide = format!("{version}/decide");
        let own = house.post(&decide, &first, "do=approve").await;
        assert_eq!(own.status, StatusCode::CONFLICT, "{}", own.body);
        assert!(own.body.contains("起案した人は承認できません"));
        let seen = house.get(&decide, &second).await.body;
        assert!(seen.contains("<del>メールアドレス</del>"), "{seen}");
        let clerk = house.play("clerk-1").await;
        let no = house.post(&decide, &clerk, "do=approve").await;
        assert_eq!(no.status, StatusCode::FORBIDDEN);
        let done = house.post(&decide, &second, "do=approve").await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        // From now on the item is refused, and the line and the change are quoted.
        let closed = ask(&house, &clerk, contract, &all_items()).await;
        let table = refused(&closed);
        assert_eq!(
            table.matches("<tr>").count(),
            2,
            "heads and one item: {table}"
        );
        for words in [
            "業務委託シート 第2版",
            "「委託先に処理させる項目」の行に「メールアドレス」がありません",
            "第1版にはありましたが、第2版",
            "変更の理由: 連絡は電話で足りるため",
        ] {
            assert!(table.contains(words), "{words}: {table}");
        }
        let twice = house.post(&decide, &second, "do=approve").await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
        // Printed with its changes, counted as something that leaves.
        let pdf = house
            .post(&format!("{version}/print"), &first, "do=print")
            .await;
        assert!(pdf.body.starts_with("%PDF-"), "{}", pdf.body);
        let whole = house
            .post(&format!("{case}/print"), &first, "do=print")
            .await;
        assert!(whole.body.starts_with("%PDF-") && whole.bytes.len() > 10_000);
        let sql = "SELECT COUNT(*) FROM trace_line WHERE action = 'sheet.print' AND decision = 1";
        let row = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
        assert_eq!(row.unwrap().int(0).unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_contract_opens_nothing_before_it_is_bound_to_a_case_and_a_returned_draft_changes_nothing()
 {
    each_demo(async |house| {
        let (case, contract) = case(&house).await;
        let (first, second) = (house.play("kanri-1").await, house.play("kanri-2").await);
        // The maintenance contract of the demo is in no register.
        let sql = "SELECT id FROM identity_contract WHERE subject LIKE 'システム保守%'";
        let row = house.instance.db.fetch_one(sql, vec![]).await.unwrap();
        let other = ContractId::from_bytes(row.unwrap().array(0).unwrap());
        let closed = ask(&house, &first, other, "item-sex=1").await;
        assert_eq!(closed.status, StatusCode::CONFLICT);
        assert!(
            closed.body.contains("案件と結び付いていません"),
            "{}",
            closed.body
        );
        let register = format!("/oversight/contracts/{other}/register");
        let id = case.rsplit('/').next().unwrap();
        let empty = house.post(&register, &first, "why=x").await;
        assert_eq!(empty.status, StatusCode::BAD_REQUEST);
        let form = format!("case={id}&variant=at-the-end&chosen=tender&why=x");
        let entered = house.post(&register, &first, &form).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
        let open = ask(&house, &first, other, "item-sex=1&channel=paper").await;
        assert!(refused(&open).contains("すべて渡せます"), "{}", open.body);
        let again = house.post(&register, &first, &form).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST, "{}", again.body);
        // Given back: version 1 stays in force.
        let draft = format!("{case}/sheets/external-connection/draft");
        let page = house.get(&draft, &second).await.body;
        let form = format!("{}&reason=x", sent(&page, &["item-urine", "item-smoking"]));
        let drafted = house.post(&draft, &second, &form).await;
        assert_eq!(drafted.status, StatusCode::SEE_OTHER, "{}", drafted.body);
        let blocked = house.post(&draft, &first, &form).await;
        assert_eq!(blocked.status, StatusCode::BAD_REQUEST);
        let decide = format!("{}/decide", drafted.location);
        let back = house.post(&decide, &first, "do=return").await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
        let still = ask(&house, &first, contract, "item-urine=1&channel=lgwan").await;
        assert!(refused(&still).contains("すべて渡せます"));
        // Approved: over LGWAN it is closed, on a medium the outsourcing sheet still opens it.
        let drafted = house.post(&draft, &second, &form).await;
        assert!(
            drafted.location.ends_with("/versions/3"),
            "{}",
            drafted.location
        );
        let decide = format!("{}/decide", drafted.location);
        house.post(&decide, &first, "do=approve").await;
        let line = ask(&house, &first, contract, "item-urine=1&channel=lgwan").await;
        assert!(
            refused(&line).contains("外部結合シート 第3版"),
            "{}",
            line.body
        );
        let medium = ask(&house, &first, contract, "item-urine=1&channel=medium").await;
        assert!(refused(&medium).contains("すべて渡せます"));
    })
    .await;
}

#[tokio::test]
async fn a_case_is_entered_with_its_grounds_side_by_side_and_the_vendor_sees_none() {
    each_demo(async |house| {
        let first = house.play("kanri-1").await;
        let form = format!(
            "subject={}&meeting={}&owners={}&grounds={}&history={}",
            encoded("いきがいづくり支援事業等業務の委託について"),
            encoded("審議会"),
            encoded("地域包括ケア推進課"),
            encoded("業務委託｜旧条例第14条第1項｜要綱第3条第1項第3号"),
            encoded("平成30年度第1回 審議会｜了承"),
        );
        let wrong = form.replace(&encoded("｜要綱"), &encoded("要綱"));
        let no = house.post("/oversight/cases/new", &first, &wrong).await;
        assert_eq!(no.status, StatusCode::BAD_REQUEST);
        assert!(no.body.contains("1行目"), "{}", no.body);
        let entered = house.post("/oversight/cases/new", &first, &form).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
        let page = house
            .get(&entered.location, &house.play("audit-1").await)
            .await;
        for words in [
            "旧条例第14条第1項",
            "要綱第3条第1項第3号",
            "平成30年度第1回 審議会",
            "了承",
        ] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        for login in ["vendor-1", "citizen-1"] {
            let cookie = house.play(login).await;
            let none = house.get(&entered.location, &cookie).await;
            assert_eq!(none.status, StatusCode::NOT_FOUND, "{login}");
        }
        let system = house.play("system-1").await;
        let no = house.get(&entered.location, &system).await;
        assert_eq!(no.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn a_flow_diagram_is_attached_to_a_sheet_with_its_digest_and_nothing_but_pdf_and_png() {
    each_demo(async |house| {
        let (case, _) = case(&house).await;
        let first = house.play("kanri-1").await;
        let at = format!("{case}/sheets/external-connection/attachments");
        let token = house.token("/password", &first).await;
        let send = async |title: &str, bytes: &[u8]| {
            let parts = [
                ("title", title.as_bytes()),
                ("phase", &b"after"[..]),
                ("file", bytes),
            ];
            house.upload(&at, &first, &token, &parts).await
        };
        let pdf = b"%PDF-1.7 sample".as_slice();
        for (title, bytes, field) in [
            ("", pdf, "title"),
            ("図", b"<svg/>".as_slice(), "file"),
            ("図", b"".as_slice(), "file"),
            ("図", &[pdf, &vec![0; 1024 * 1024]].concat(), "file"),
        ] {
            let no = send(title, bytes).await;
            assert_eq!(no.status, StatusCode::BAD_REQUEST, "{}", no.body);
            assert!(
                no.body.contains(&format!("id=\"{field}-error\"")),
                "{}",
                no.body
            );
        }
        let huge = send("図", &vec![0; 2 * 1024 * 1024]).await;
        assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
        let kept = send("資料75-1 変更後の流れ図", pdf).await;
        assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.body);
        let page = house.get(&at, &first).await.body;
        use sha2::Digest as _;
        let digest: String = sha2::Sha256::digest(pdf)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert!(page.contains(&digest) && page.contains("変更後"), "{page}");
        let (_, link) = page.split_once("href=\"/oversight/attachments/").unwrap();
        let path = format!("/oversight/attachments/{}", link.split('"').next().unwrap());
        let auditor = house.play("audit-1").await;
        assert_eq!(house.get(&path, &auditor).await.bytes, pdf);
        let vendor = house.play("vendor-1").await;
        assert_eq!(
            house.get(&path, &vendor).await.status,
            StatusCode::NOT_FOUND
        );
        let no = house.get(&at, &auditor).await;
        assert_eq!(no.status, StatusCode::FORBIDDEN);
    })
    .await;
}
