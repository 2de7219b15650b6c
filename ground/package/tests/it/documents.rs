//! Receipts and certificates hold under the registered key and under no other.

use ed25519_dalek::SigningKey;
use mimamori_package::*;

use crate::world::{CONTRACT, MADE, World, code};

fn receipt() -> OpeningReceipt {
    OpeningReceipt {
        package: "0123456789abcdef0123456789abcdef".to_owned(),
        contract: CONTRACT.to_owned(),
        sha256: "ab".repeat(32),
        rows: 200,
        opened: MADE + 60,
        handler: "見本 次郎".to_owned(),
        program: "mimamori-kit 0.1.0".to_owned(),
    }
}

fn certificate() -> ErasureCertificate {
    ErasureCertificate {
        packages: vec!["0123456789abcdef0123456789abcdef".to_owned()],
        contract: CONTRACT.to_owned(),
        content: "対象者データ".to_owned(),
        rows: 200,
        media: vec![ErasedMedium {
            kind: "業務用パソコンの内蔵SSD".to_owned(),
            model: "X-1".to_owned(),
            serial: "S-0001".to_owned(),
            capacity: "512 GB".to_owned(),
        }],
        erased: MADE + 86_400,
        method: "暗号鍵破棄".to_owned(),
        program: "mimamori-kit 0.1.0".to_owned(),
        result: "完了".to_owned(),
        backups: "控えなし".to_owned(),
        operator: "保健事業部 見本 次郎".to_owned(),
        witness: "見本 三郎".to_owned(),
        evidence: "kit.log".to_owned(),
        issued: "2026-03-31".to_owned(),
        responsible: "見本 四郎".to_owned(),
    }
}

#[test]
fn a_document_holds_with_its_signature_and_every_changed_byte_is_noticed() {
    let world = World::new();
    let bytes = sign_document(certificate(), &world.kit).unwrap();
    let (found, kit) = verify_document::<ErasureCertificate>(&bytes, &world.trust.kits).unwrap();
    assert_eq!(
        (found, kit.name.as_str()),
        (certificate(), "見本データ株式会社")
    );
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 1;
        let refused = verify_document::<ErasureCertificate>(&broken, &world.trust.kits);
        assert!(refused.is_err(), "byte {at}");
    }
}

#[test]
fn another_key_another_kind_and_too_long_a_document_are_refused() {
    let world = World::new();
    let stranger = SigningKey::from_bytes(&[3; 32]);
    let kits = &world.trust.kits;
    let bytes = sign_document(receipt(), &stranger).unwrap();
    assert_eq!(
        code(verify_document::<OpeningReceipt>(&bytes, kits)),
        "PACKAGE-UNKNOWN-APPROVER"
    );
    let bytes = sign_document(receipt(), &world.kit).unwrap();
    assert!(verify_document::<OpeningReceipt>(&bytes, kits).is_ok());
    assert_eq!(
        code(verify_document::<ErasureCertificate>(&bytes, kits)),
        "PACKAGE-CANONICAL"
    );
    let text = String::from_utf8(bytes).unwrap();
    let renamed = text.replace("opening-receipt-1", "opening-receipt-2");
    assert_eq!(
        code(verify_document::<OpeningReceipt>(renamed.as_bytes(), kits)),
        "PACKAGE-VERSION"
    );
    let more = text.replace("\"rows\":200", "\"rows\":201");
    assert_eq!(
        code(verify_document::<OpeningReceipt>(more.as_bytes(), kits)),
        "PACKAGE-DOCUMENT-SIGNATURE"
    );
    assert_eq!(
        code(verify_document::<OpeningReceipt>(&vec![b' '; 70_000], kits)),
        "PACKAGE-LIMIT"
    );
}

#[test]
fn the_towns_card_comes_back_and_its_fingerprint_follows_its_content() {
    let world = World::new();
    let text = world.trust.to_bytes().unwrap();
    assert_eq!(Trust::from_bytes(&text).unwrap(), world.trust);
    let fingerprint = world.trust.fingerprint().unwrap();
    assert_eq!(fingerprint.split(' ').count(), 16);
    let mut other = world.trust;
    other.approvers[0].keys.clear();
    assert_ne!(other.fingerprint().unwrap(), fingerprint);
    let text = String::from_utf8(text).unwrap();
    assert!(Trust::from_bytes(text.replace(':', ": ").as_bytes()).is_err());
}
