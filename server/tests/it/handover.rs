//! A package from the request to the end, through the folder and on a medium (S1-43, S1-45, S1-47, S2-42, S2-44, TK-12).

use std::io::Cursor;

use age::x25519::Identity;
use axum::http::StatusCode;
use ed25519_dalek::SigningKey;
use mimamori_kernel::clock::{Clock as _, Instant, SystemClock};
use mimamori_package::*;
use sha2::Digest as _;

use crate::device::Device;
use crate::house::{Answer, House, demo, each_demo, encoded};

const TABLE: &str = "\u{feff}氏名（漢字）,生年月日,電話番号,血圧測定／収縮期\r\n\
    見本 太郎,1950-01-02,090-0000-0001,141\r\n見本 花子,1948-03-04,090-0000-0002,150\r\n";

struct Partner {
    identity: Identity,
    kit: SigningKey,
}

impl Partner {
    fn new() -> Self {
        Self {
            identity: Identity::generate(),
            kit: SigningKey::from_bytes(&[9; 32]),
        }
    }
}

impl House {
    async fn one_text(&self, sql: &str) -> String {
        let row = self.instance.db.fetch_one(sql, vec![]).await.unwrap();
        row.unwrap().text(0).unwrap().to_owned()
    }

    async fn contract_id(&self) -> String {
        let sql = "SELECT id FROM identity_contract";
        let row = self.instance.db.fetch_one(sql, vec![]).await.unwrap();
        hex::encode(row.unwrap().array::<16>(0).unwrap())
    }

    async fn user_id(&self, login: &str) -> String {
        let sql = format!("SELECT id FROM identity_user WHERE login = '{login}'");
        let row = self.instance.db.fetch_one(&sql, vec![]).await.unwrap();
        hex::encode(row.unwrap().array::<16>(0).unwrap())
    }

    /// Asks for a package as a clerk does.
    async fn ask(&self, cookie: &str, (channel, opening): (&str, &str), table: &str) -> Answer {
        let contract = self.contract_id().await;
        let token = self.token("/password", cookie).await;
        let files: [(&str, &[u8]); 5] = [
            ("contract", contract.as_bytes()),
            ("channel", channel.as_bytes()),
            ("opening", opening.as_bytes()),
            ("reason", "第1回".as_bytes()),
            ("file", table.as_bytes()),
        ];
        self.upload("/handover/packages/new", cookie, &token, &files)
            .await
    }

    async fn step(&self, path: &str, step: &str, cookie: &str, form: &str) -> Answer {
        self.post(&format!("{path}/steps/{step}"), cookie, form)
            .await
    }

    /// Two officers approve at the demo's face terminal.
    async fn approved(&self, path: &str) {
        for login in ["lead-1", "kanri-1"] {
            let cookie = self.play(login).await;
            let page = self.get(&format!("{path}/approve"), &cookie).await;
            assert!(page.body.contains("目録のハッシュ"), "{}", page.body);
            let done = self
                .post(&format!("{path}/approve"), &cookie, "simulated=1")
                .await;
            moved(&done);
        }
    }

    /// Whom a partner of this demo trusts.
    async fn trust(&self, manifest: &Manifest) -> Trust {
        let mut approvers = Vec::new();
        for (login, name) in [("lead-1", "守屋 まこと"), ("kanri-1", "運営 みどり")] {
            approvers.push(Approver {
                user: self.user_id(login).await,
                name: name.into(),
                keys: vec![],
                login: login.into(),
            });
        }
        let Proof::Terminal { key, .. } = &manifest.approvals[0].proof else {
            panic!("{:?}", manifest.approvals)
        };
        Trust {
            town: "test.example".into(),
            origins: vec![],
            rp_id: String::new(),
            approvers,
            terminals: vec![Terminal {
                key: key.clone(),
                name: "模擬".into(),
            }],
            kits: vec![],
        }
    }

    async fn manifest(&self) -> Manifest {
        let text = self.one_text("SELECT manifest FROM handover_package").await;
        from_canonical(text.as_bytes()).unwrap()
    }
}

/// What a form says when it went through.
fn moved(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
}

fn refused(answer: &Answer, words: &str) {
    assert_ne!(answer.status, StatusCode::SEE_OTHER, "{words}");
    assert!(answer.body.contains(words), "{words}: {}", answer.body);
}

fn when(house: &House, minutes_ago: i64) -> String {
    let at = Instant(house.instance.clock.now().0 - minutes_ago * 60_000_000).office();
    let day = at.date().to_string();
    format!("day={day}&time={:02}{:02}", at.hour(), at.minute())
}

/// The rows of a sealed package, opened as the partner opens it.
fn rows(bytes: &[u8], key: &Key<'_>, recipient: &str, trust: &Trust, manifest: &Manifest) -> usize {
    let checks = Checks {
        trust,
        kind: Kind::Delivery,
        contract: &manifest.contract.id,
        recipient,
        now: Instant((manifest.created + 60) * 1_000_000),
        seen: &|_| false,
        limits: Limits::default(),
    };
    let mut opened = open(Cursor::new(bytes), key, &checks).unwrap();
    let file = opened.file("people.csv").unwrap();
    read_rows(&manifest.files[0].columns, &file).unwrap().len()
}

#[tokio::test]
async fn a_package_goes_through_the_folder_from_the_request_to_the_checked_certificate() {
    each_demo(async |house| {
        house.instance.trace.checkpointed(1).await;
        let partner = Partner::new();
        let kanri = house.play("kanri-1").await;
        let form = format!(
            "contract={}&recipient={}&kit={}&checked={}",
            house.contract_id().await,
            partner.identity.to_public(),
            hex::encode(partner.kit.verifying_key().as_bytes()),
            encoded("読み合わせ")
        );
        moved(&house.post("/handover/partners", &kanri, &form).await);
        let clerk = house.play("clerk-1").await;
        // What the paper does not name is refused with its line.
        let more = TABLE.replace("電話番号", "趣味");
        let no = house.ask(&clerk, ("folder", "key"), &more).await;
        refused(&no, "「趣味」は、承認された付議書の項目にありません");
        refused(&no, "《委託先に処理させる項目》");
        let asked = house.ask(&clerk, ("folder", "key"), TABLE).await;
        moved(&asked);
        let path = asked.location.clone();
        // The rows lie nowhere in clear.
        let row = house
            .instance
            .db
            .fetch_one("SELECT sealed FROM handover_content", vec![])
            .await
            .unwrap()
            .unwrap();
        let sealed = format!("{row:?}");
        assert!(!sealed.contains("見本"));
        let early = house.step(&path, "seal", &clerk, "").await;
        refused(&early, "いまの段階では");
        assert_eq!(
            house.get(&format!("{path}/approve"), &clerk).await.status,
            StatusCode::FORBIDDEN
        );
        house.approved(&path).await;
        // One live session for each user: the chooser opened a new one.
        let kanri = house.play("kanri-1").await;
        let again = house
            .post(&format!("{path}/approve"), &kanri, "simulated=1")
            .await;
        refused(&again, "いまの段階では");
        moved(&house.step(&path, "seal", &clerk, "").await);
        let manifest = house.manifest().await;
        assert_eq!(manifest.approvals.len(), 2);
        let name = house.one_text("SELECT file FROM handover_package").await;
        let file = house.instance.dir.join("handover/outgoing").join(&name);
        let bytes = std::fs::read(&file).unwrap();
        let trust = house.trust(&manifest).await;
        let recipient = fingerprint(&partner.identity.to_public());
        let key = Key::Identity(&partner.identity);
        assert_eq!(rows(&bytes, &key, &recipient, &trust, &manifest), 2);
        let left = house
            .instance
            .db
            .fetch("SELECT package FROM handover_content", vec![])
            .await;
        assert!(left.unwrap().is_empty(), "the plain table's copy is gone");
        // A few leaked rows name the package, one that it never held names none.
        let leak = |row: &str| {
            let rows = format!("氏名,生年月日\r\n{row}");
            format!("rows={}", encoded(&rows))
        };
        let auditor = house.play("audit-1").await;
        let held = house
            .post("/handover/leaks", &auditor, &leak("見本　花子,1948/03/04"))
            .await;
        assert!(held.body.contains("1行／1行"), "{}", held.body);
        let none = house
            .post("/handover/leaks", &auditor, &leak("見本 花子,1948/03/05"))
            .await;
        refused(&none, "示した行を入れた受渡しはありません");
        refused(
            &house.post("/handover/leaks", &auditor, "rows=a").await,
            "行がありません",
        );
        // A file that was changed in the folder does not leave.
        let send = format!("{}&counterpart={}", when(&house, 30), encoded("見本 次郎"));
        std::fs::write(&file, b"other").unwrap();
        refused(
            &house.step(&path, "hand-over", &clerk, &send).await,
            "封入したものと違います",
        );
        std::fs::write(&file, &bytes).unwrap();
        let future = send.replace("day=20", "day=21");
        refused(
            &house.step(&path, "hand-over", &clerk, &future).await,
            "先の日時は記録できません",
        );
        moved(&house.step(&path, "hand-over", &clerk, &send).await);
        let late = format!("{}&counterpart={}", when(&house, 31), encoded("見本 次郎"));
        refused(
            &house.step(&path, "receive", &clerk, &late).await,
            "受領の日時が、引渡しより前",
        );
        let received = format!("{}&counterpart={}", when(&house, 20), encoded("見本 次郎"));
        moved(&house.step(&path, "receive", &clerk, &received).await);
        assert!(
            !file.exists(),
            "what was received does not stay in the folder"
        );
        // The partner's program says that it opened it; another key's word does not count.
        let receipt = OpeningReceipt {
            package: manifest.id.clone(),
            contract: manifest.contract.id.clone(),
            sha256: house.one_text("SELECT sha256 FROM handover_package").await,
            rows: 2,
            opened: manifest.created + 60,
            handler: "見本 次郎".into(),
            program: "mimamori-kit 0.1.0".into(),
        };
        let paper =
            |bytes: Vec<u8>| format!("document={}", encoded(&String::from_utf8(bytes).unwrap()));
        let stranger = SigningKey::from_bytes(&[3; 32]);
        let forged = paper(sign_document(receipt.clone(), &stranger).unwrap());
        refused(
            &house.step(&path, "open", &clerk, &forged).await,
            "登録されていません",
        );
        let opened = paper(sign_document(receipt, &partner.kit).unwrap());
        moved(&house.step(&path, "open", &clerk, &opened).await);
        refused(
            &house.step(&path, "close", &clerk, "").await,
            "いまの段階では",
        );
        let mut certificate = ErasureCertificate {
            packages: vec![manifest.id.clone()],
            contract: manifest.contract.id.clone(),
            content: "対象者データ".into(),
            rows: 1,
            media: vec![],
            erased: manifest.created + 90,
            method: "暗号鍵破棄".into(),
            program: "mimamori-kit 0.1.0".into(),
            result: "完了".into(),
            backups: "控えなし".into(),
            operator: "見本 次郎".into(),
            witness: "見本 三郎".into(),
            evidence: String::new(),
            issued: "2026-11-22".into(),
            responsible: "見本 四郎".into(),
        };
        let wrong = paper(sign_document(certificate.clone(), &partner.kit).unwrap());
        refused(
            &house.step(&path, "certificate", &clerk, &wrong).await,
            "証明書の件数が、目録の件数と違います",
        );
        certificate.rows = 2;
        let right = paper(sign_document(certificate, &partner.kit).unwrap());
        moved(&house.step(&path, "certificate", &clerk, &right).await);
        refused(
            &house.step(&path, "close", &clerk, "").await,
            "いまの段階では",
        );
        let check = format!(
            "method={}&words={}",
            encoded("鍵の破棄"),
            encoded("照合した")
        );
        moved(&house.step(&path, "check", &clerk, &check).await);
        moved(&house.step(&path, "close", &clerk, "").await);
        let page = house.get(&path, &auditor).await.body;
        assert!(
            page.contains("完了") && page.contains("消去証明書の確認"),
            "{page}"
        );
        let ledger = house.get("/handover/ledger", &auditor).await.body;
        for words in [
            "持出・受渡",
            "受領",
            "消去の確認",
            "LGWAN回線",
            "2件",
            "決裁欄",
            "守屋 まこと、運営 みどり",
        ] {
            assert!(ledger.contains(words), "{words}: {ledger}");
        }
        assert!(
            !ledger.contains("見本 太郎"),
            "no resident stands in the ledger"
        );
    })
    .await;
}

#[tokio::test]
async fn a_medium_is_carried_by_two_its_slip_goes_another_way_and_the_same_serial_comes_back() {
    each_demo(async |house| {
        house.instance.trace.checkpointed(1).await;
        let clerk = house.play("clerk-1").await;
        let medium = format!(
            "number=M-0001&kind=CD-R&serial=S-77&capacity=700MB&place={}",
            encoded("金庫1")
        );
        moved(&house.post("/handover/media/new", &clerk, &medium).await);
        refused(
            &house.post("/handover/media/new", &clerk, &medium).await,
            "すでに登録されています",
        );
        let asked = house.ask(&clerk, ("medium", "slip-zip"), TABLE).await;
        moved(&asked);
        let path = asked.location.clone();
        house.approved(&path).await;
        moved(&house.step(&path, "seal", &clerk, "").await);
        // No slip before the medium was received.
        let kanri = house.play("kanri-2").await;
        let slip = |at: String| {
            let who = encoded("見本 次郎");
            format!("{at}&counterpart={who}&place={}", encoded("庁舎"))
        };
        let early = house
            .step(&path, "slip", &kanri, &slip(when(&house, 1)))
            .await;
        refused(&early, "いまの段階では");
        let id = house
            .instance
            .db
            .fetch_one("SELECT id FROM handover_medium", vec![])
            .await
            .unwrap()
            .unwrap();
        let id = hex::encode(id.array::<16>(0).unwrap());
        let (first, second) = (
            house.user_id("clerk-1").await,
            house.user_id("care-1").await,
        );
        let one = format!("carrier_1={first}&carrier_2={first}&medium={id}");
        refused(
            &house.step(&path, "carriers", &clerk, &one).await,
            "別の2人",
        );
        let two = format!("carrier_1={first}&carrier_2={second}&medium={id}");
        moved(&house.step(&path, "carriers", &clerk, &two).await);
        // The image holds the archive, which the slip's passphrase opens.
        let name = house.one_text("SELECT file FROM handover_package").await;
        let images = house.instance.dir.join("handover/images");
        let disc = std::fs::read(images.join(&name).with_extension("iso")).unwrap();
        let archive = Image::open(Cursor::new(disc)).unwrap().read(&name).unwrap();
        let over = format!(
            "{}&counterpart={}&place={}&bag=locked",
            when(&house, 30),
            encoded("見本 次郎"),
            encoded("相手方の事務所")
        );
        let no_bag = over.replace("&bag=locked", "");
        refused(
            &house.step(&path, "hand-over", &clerk, &no_bag).await,
            "選んでください",
        );
        moved(&house.step(&path, "hand-over", &clerk, &over).await);
        let gone = house.step(&path, "withdraw", &clerk, "words=x").await;
        refused(&gone, "引き渡したあとは取り下げられません");
        let received = format!("{}&counterpart={}", when(&house, 30), encoded("見本 次郎"));
        moved(&house.step(&path, "receive", &clerk, &received).await);
        // S1-43: not by a carrier, not on the same occasion.
        let by_carrier = house
            .step(&path, "slip", &clerk, &slip(when(&house, 5)))
            .await;
        refused(&by_carrier, "別の職員が渡してください");
        let at_once = house
            .step(&path, "slip", &kanri, &slip(when(&house, 30)))
            .await;
        refused(&at_once, "別の機会");
        let given = house
            .step(&path, "slip", &kanri, &slip(when(&house, 5)))
            .await;
        assert_eq!(given.status, StatusCode::OK, "{}", given.body);
        let (_, rest) = given
            .body
            .split_once("パスワード</dt>")
            .expect("a passphrase");
        let words: String = rest
            .split('<')
            .map(|part| part.split_once('>').map_or(part, |(_, text)| text).trim())
            .find(|text| text.len() == 34)
            .expect("seven groups")
            .to_owned();
        let manifest = house.manifest().await;
        let trust = house.trust(&manifest).await;
        let key = Key::Passphrase(&words);
        assert_eq!(rows(&archive, &key, SLIP, &trust, &manifest), 2);
        let left = house
            .instance
            .db
            .fetch("SELECT package FROM handover_slip", vec![])
            .await;
        assert!(left.unwrap().is_empty(), "it is shown once");
        let paper = format!("words={}", encoded("紙の受領書 第3号"));
        moved(&house.step(&path, "open", &clerk, &paper).await);
        refused(
            &house.step(&path, "certificate", &clerk, &paper).await,
            "返却が、まだ記録されていません",
        );
        let other = "serial=S-78&slip=back";
        refused(
            &house.step(&path, "return", &clerk, other).await,
            "渡した媒体のシリアル番号と違います",
        );
        moved(
            &house
                .step(&path, "return", &clerk, "serial=S-77&slip=back")
                .await,
        );
        let state = house.one_text("SELECT state FROM handover_medium").await;
        assert_eq!(state, "stored");
        moved(&house.step(&path, "certificate", &clerk, &paper).await);
        let check = format!("method={}&words={}", encoded("裁断"), encoded("立会い"));
        moved(&house.step(&path, "check", &clerk, &check).await);
        moved(&house.step(&path, "close", &clerk, "").await);
        let ledger = house.get("/handover/ledger", &clerk).await.body;
        for words in [
            "鍵付きカバン・手渡し",
            "S-77",
            "パスワード通知書の受渡",
            "介護 はな",
            "包括 あゆみ",
        ] {
            assert!(ledger.contains(words), "{words}: {ledger}");
        }
    })
    .await;
}

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
    let name = "見本情報サービス（委託先）";
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

/// What stands between two texts of a page.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = page
        .split_once(before)
        .unwrap_or_else(|| panic!("{before}: {page}"));
    rest.split(after).next().unwrap()
}

/// The browser's question on a page.
fn question(page: &str) -> String {
    between(page, "data-options=\"", "\"")
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
}

#[tokio::test]
async fn an_officers_own_passkey_signs_the_manifest_and_another_devices_word_does_not_count() {
    let house = demo(None).await;
    house.instance.trace.checkpointed(1).await;
    let lead = house.user_id("lead-1").await;
    let kanri = house.play("kanri-1").await;
    let counter = format!(
        "document={}&how={}",
        encoded("職員証"),
        encoded("写真と見比べた")
    );
    let opened = house
        .post(
            &format!("/operations/people/{lead}/passkey"),
            &kanri,
            &counter,
        )
        .await;
    let code = between(&opened.body, "受付の番号</dt>", "</dd>");
    let code = code.rsplit('>').next().unwrap().trim().to_owned();
    let cookie = house.play("lead-1").await;
    let form = format!("code={code}&name={}", encoded("庁内端末"));
    let page = house.post("/passkeys/new", &cookie, &form).await;
    let mut device = Device::new(7);
    device.origin = "http://localhost:8080";
    let word = device.create(&question(&page.body));
    let form = format!("{form}&answer={}", encoded(&word));
    let done = house.post("/passkeys/register", &cookie, &form).await;
    assert!(
        done.status.is_success() || done.status.is_redirection(),
        "{}",
        done.body
    );
    let clerk = house.play("clerk-1").await;
    let asked = house.ask(&clerk, ("medium", "slip"), TABLE).await;
    moved(&asked);
    let approve = format!("{}/approve", asked.location);
    let page = house.get(&approve, &cookie).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let digest = between(&page.body, "目録のハッシュ</dt>", "</dd>");
    let digest = digest.rsplit('>').next().unwrap().trim().to_owned();
    let options = question(&page.body);
    let asked: serde_json::Value = serde_json::from_str(&options).unwrap();
    let challenge = asked["publicKey"]["challenge"].as_str().unwrap();
    let bytes: [u8; 32] = hex::decode(&digest).unwrap().try_into().unwrap();
    assert_eq!(
        challenge,
        challenge_of(&bytes),
        "the challenge is the manifest's digest"
    );
    let answer = |word: &str| format!("answer={}", encoded(word));
    let mut other = Device::new(8);
    other.origin = device.origin;
    let strange = house
        .post(&approve, &cookie, &answer(&other.get(&options)))
        .await;
    refused(&strange, "承認の本人確認ができません");
    let mut unverified = device.clone();
    unverified.verifies = false;
    let unverified = house
        .post(&approve, &cookie, &answer(&unverified.get(&options)))
        .await;
    refused(&unverified, "承認のときに本人確認がされていません");
    let mut elsewhere = device.clone();
    elsewhere.origin = "https://evil.example";
    let elsewhere = house
        .post(&approve, &cookie, &answer(&elsewhere.get(&options)))
        .await;
    refused(&elsewhere, "承認した画面の送信元が違います");
    moved(
        &house
            .post(&approve, &cookie, &answer(&device.get(&options)))
            .await,
    );
    let manifest = house.manifest().await;
    let Proof::Passkey(assertion) = &manifest.approvals[0].proof else {
        panic!("{:?}", manifest.approvals)
    };
    let origins = ["http://localhost:8080".to_owned()];
    assertion.verify(&bytes, &origins, "localhost").unwrap();
}
