//! A package from the request to the end, through the folder and on a medium (S1-43, S1-45, S1-47, S2-42, S2-44, TK-12).

use std::io::Cursor;

use age::x25519::Identity;
use axum::http::StatusCode;
use ed25519_dalek::SigningKey;
use mimamori_kernel::clock::Instant;
use mimamori_package::*;
use mimamori_server::demo::council_case;

use crate::house::{Answer, House, each_demo, encoded};

pub const TABLE: &str = "\u{feff}氏名（漢字）,生年月日,電話番号,血圧測定／収縮期\r\n\
    見本 太郎,1950-01-02,090-0000-0001,141\r\n見本 花子,1948-03-04,090-0000-0002,150\r\n";

pub struct Partner {
    pub identity: Identity,
    pub kit: SigningKey,
}

impl Partner {
    pub fn new() -> Self {
        Self {
            identity: Identity::generate(),
            kit: SigningKey::from_bytes(&[9; 32]),
        }
    }
}

impl House {
    pub async fn one_text(&self, sql: &str) -> String {
        let row = self.instance.db.fetch_one(sql, vec![]).await.unwrap();
        row.unwrap().text(0).unwrap().to_owned()
    }

    pub async fn contract_id(&self) -> String {
        let sql = "SELECT id FROM identity_contract WHERE subject = ?";
        let subject = mimamori_oversight::sample::CONTRACT;
        let row = self.instance.db.fetch_one(sql, vec![subject.into()]);
        match row.await.unwrap() {
            Some(row) => hex::encode(row.array::<16>(0).unwrap()),
            None => council_case(&self.instance).await.unwrap().to_string(),
        }
    }

    pub async fn user_id(&self, login: &str) -> String {
        let sql = format!("SELECT id FROM identity_user WHERE login = '{login}'");
        let row = self.instance.db.fetch_one(&sql, vec![]).await.unwrap();
        hex::encode(row.unwrap().array::<16>(0).unwrap())
    }

    /// Asks for a package as a clerk does.
    pub async fn ask(&self, cookie: &str, (channel, opening): (&str, &str), table: &str) -> Answer {
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

    pub async fn step(&self, path: &str, step: &str, cookie: &str, form: &str) -> Answer {
        self.post(&format!("{path}/steps/{step}"), cookie, form)
            .await
    }

    /// Two officers approve at the demo's face terminal.
    pub async fn approved(&self, path: &str) {
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
    pub async fn trust(&self, manifest: &Manifest) -> Trust {
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

    pub async fn manifest(&self) -> Manifest {
        let text = self.one_text("SELECT manifest FROM handover_package").await;
        from_canonical(text.as_bytes()).unwrap()
    }
}

/// What a form says when it went through.
pub fn moved(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
}

pub fn refused(answer: &Answer, words: &str) {
    assert_ne!(answer.status, StatusCode::SEE_OTHER, "{words}");
    assert!(answer.body.contains(words), "{words}: {}", answer.body);
}

pub fn when(house: &House, minutes_ago: i64) -> String {
    let at = Instant(house.instance.clock.now().0 - minutes_ago * 60_000_000).office();
    let day = at.date().to_string();
    format!("day={day}&time={:02}{:02}", at.hour(), at.minute())
}

/// The rows of a sealed package, opened as the partner opens it.
pub fn rows(
    bytes: &[u8],
    key: &Key<'_>,
    recipient: &str,
    trust: &Trust,
    manifest: &Manifest,
) -> usize {
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
