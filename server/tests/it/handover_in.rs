//! What comes back from a partner (PROTECTION T17).

use std::io::Cursor;

use mimamori_kernel::clock::{Clock as _, SystemClock};
use mimamori_package::*;
use sha2::Digest as _;

use crate::handover::{Partner, moved, refused};
use crate::house::{each_demo, encoded};

/// A return to the town's key, signed by the partner's program.
fn returned(partner: &Partner, contract: &str, town: &str, item: &str) -> Vec<u8> {
    let columns = vec![
        Column {
            item: "name_kanji".into(),
            name: "氏名（漢字）".into(),
        },
        Column {
            item: item.into(),
            name: "指導の内容".into(),
        },
    ];
    let rows = [vec!["見本 太郎".to_owned(), "=HYPERLINK(1)".to_owned()]];
    let table = write_rows(&columns, &rows).unwrap();
    let named = |id: &str, name: &str| Item {
        id: id.into(),
        name: name.into(),
        class: "health".into(),
    };
    let name = mimamori_oversight::sample::PARTNER;
    let created = SystemClock::new().now().0 / 1_000_000 - 60;
    let mut manifest = Manifest {
        format: FORMAT.into(),
        id: format!("{:032x}", item.len()),
        kind: Kind::Return,
        contract: Contract {
            id: contract.into(),
            name: "見本".into(),
        },
        purpose: "保健指導の報告".into(),
        legal_ground: "契約書".into(),
        items: vec![
            named("name_kanji", "氏名（漢字）"),
            named(item, "指導の内容"),
        ],
        files: vec![FileEntry {
            name: "report.csv".into(),
            bytes: table.len() as i64,
            sha256: hex::encode(sha2::Sha256::digest(&*table)),
            rows: 1,
            columns,
        }],
        sender: Party {
            name: name.into(),
            key: SLIP.into(),
        },
        recipient: Party {
            name: "test.example".into(),
            key: fingerprint(&town.parse().unwrap()),
        },
        created,
        expires: created + 86_400,
        erase_by: "2027-03-31".into(),
        trace: TracePosition {
            size: 0,
            root: String::new(),
        },
        approvals: vec![],
    };
    let digest = manifest.digest().unwrap();
    manifest.approvals = vec![Approval::by_kit(name, &digest, &partner.kit)];
    let trust = Trust {
        town: "test.example".into(),
        origins: vec![],
        rp_id: String::new(),
        approvers: vec![],
        terminals: vec![],
        kits: vec![Kit {
            name: name.into(),
            key: hex::encode(partner.kit.verifying_key().as_bytes()),
        }],
    };
    let files = vec![Source {
        name: "report.csv",
        input: Box::new(table.as_slice()),
    }];
    let envelope = Envelope::Key(town.parse().unwrap());
    let out = Cursor::new(vec![]);
    let limits = Limits::default();
    let sealed = seal(&manifest, (&trust, &limits), files, &envelope, out).unwrap();
    sealed.into_inner()
}

#[tokio::test]
async fn what_comes_in_waits_for_a_scanner_or_two_people_is_checked_and_accepted_by_two() {
    each_demo(async |house| {
        let partner = Partner::new();
        let contract = house.contract_id().await;
        let kanri = house.play("kanri-1").await;
        let page = house.get("/handover/partners", &kanri).await.body;
        let (_, rest) = page
            .split_once("町の鍵（相手方に渡します）: ")
            .expect("a key");
        let town = rest.split('<').next().unwrap().trim().to_owned();
        let form = format!(
            "contract={contract}&recipient=&kit={}&checked={}",
            hex::encode(partner.kit.verifying_key().as_bytes()),
            encoded("読み合わせ")
        );
        moved(&house.post("/handover/partners", &kanri, &form).await);
        let clerk = house.play("clerk-1").await;
        house.get("/handover/incoming/new", &clerk).await;
        let folder = house.instance.dir.join("handover/incoming");
        let good = returned(&partner, &contract, &town, "guidance_content");
        let mut broken = good.clone();
        let middle = broken.len() / 2;
        broken[middle] ^= 1;
        let strange = returned(&partner, &contract, &town, "my_number");
        let other = "0123456789abcdef0123456789abcdef";
        let foreign = returned(&partner, other, &town, "guidance_contents");
        for (name, bytes) in [
            ("good.age", &good),
            ("broken.age", &broken),
            ("strange.age", &strange),
            ("foreign.age", &foreign),
        ] {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        let take = async |name: &str| {
            let form = format!("file={}&contract={contract}", encoded(name));
            house.post("/handover/incoming/new", &clerk, &form).await
        };
        refused(&take("../run.lock").await, "ファイルを選んでください");
        let taken = take("good.age").await;
        moved(&taken);
        assert!(!folder.join("good.age").exists());
        let at = taken.location;
        let page = house.get(&at, &clerk).await.body;
        assert!(
            page.contains("検査なし（検査の設定がありません）"),
            "{page}"
        );
        // Without a scanner two people release it, and one alone cannot.
        moved(&house.post(&at, &clerk, "").await);
        refused(
            &house.post(&at, &clerk, "").await,
            "同じ人は二度確認できません",
        );
        let care = house.play("care-1").await;
        moved(&house.post(&at, &care, "").await);
        moved(&house.post(&at, &clerk, "").await);
        let page = house.get(&at, &clerk).await.body;
        assert!(page.contains("指導の内容 1/1"), "{page}");
        assert!(page.contains("無害にした欄: 1"), "{page}");
        assert!(
            !page.contains("見本 太郎") && !page.contains("HYPERLINK"),
            "no value on the page"
        );
        moved(&house.post(&at, &clerk, "").await);
        refused(
            &house.post(&at, &clerk, "").await,
            "同じ人は二度確認できません",
        );
        moved(&house.post(&at, &care, "").await);
        let page = house.get(&at, &clerk).await.body;
        assert!(page.contains("受入れ済み"), "{page}");
        // The same file, a changed one, one with another item and one of another contract go nowhere.
        std::fs::write(folder.join("again.age"), &good).unwrap();
        refused(&take("again.age").await, "すでに受け入れています");
        for (name, words) in [
            ("broken.age", "壊れているか、変更されています"),
            ("strange.age", "この契約で受け取る項目にありません"),
            ("foreign.age", "契約が違います"),
        ] {
            let taken = take(name).await;
            moved(&taken);
            for cookie in [&clerk, &care] {
                moved(&house.post(&taken.location, cookie, "").await);
            }
            refused(&house.post(&taken.location, &clerk, "").await, words);
        }
        let ledger = house.get("/handover/ledger", &clerk).await.body;
        assert!(
            ledger.contains("検査なしの受入れ") && ledger.contains("受入れの確認"),
            "{ledger}"
        );
    })
    .await;
}
