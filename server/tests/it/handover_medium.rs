//! A medium, its slip, and an officer's own passkey (S1-43, S2-42, S2-44).

use std::io::Cursor;

use axum::http::StatusCode;
use mimamori_package::*;

use crate::device::Device;
use crate::handover::{TABLE, moved, refused, rows, when};
use crate::house::{demo, each_demo, encoded};

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
