//! What is whole opens, and everything else is refused before a row is seen.

use mimamori_kernel::clock::Instant;
use mimamori_package::*;

use crate::world::{MADE, World, code};

#[test]
fn a_package_opens_by_key_by_passphrase_and_as_zip_under_the_same_rules() {
    let world = World::new();
    let rows = World::rows(500);
    let bytes = world.package(500);
    let mut opened = world.open(&bytes, |_| {}).unwrap();
    assert_eq!(opened.manifest().rows(), 500);
    assert_eq!(opened.sha256().len(), 64);
    let file = opened.file("people.csv").unwrap();
    assert_eq!(read_rows(&World::columns(), &file).unwrap(), rows);
    assert_eq!(
        code(opened.file("other.csv")),
        "PACKAGE-NO-SUCH-FILE",
        "nothing else is inside"
    );
    let words = "abcd-efgh-jkmn-pqrs-tuvw-xyz2-3456";
    for envelope in [
        Envelope::Passphrase(words.into()),
        Envelope::Zip(words.into()),
    ] {
        let bytes = world.with_slip(500, &envelope);
        let mut opened = world
            .open_by(&bytes, &Key::Passphrase(words), |_| {})
            .unwrap();
        let file = opened.file("people.csv").unwrap();
        assert_eq!(read_rows(&World::columns(), &file).unwrap(), rows);
        let other = Key::Passphrase("abcd-efgh-jkmn-pqrs-tuvw-xyz2-3457");
        let wrong = world.open_by(&bytes, &other, |_| {});
        assert_eq!(code(wrong), "PACKAGE-WRONG-PASSPHRASE");
        assert_eq!(code(world.open(&bytes, |_| {})), "PACKAGE-KEY-KIND");
        assert!(!bytes.windows(6).any(|w| w == "見本".as_bytes()));
    }
}

#[test]
fn wrong_recipient_contract_time_direction_sender_and_a_second_time_are_refused_each_with_its_code()
{
    let world = World::new();
    let bytes = world.package(20);
    let other = age::x25519::Identity::generate();
    let stranger = world.open_by(&bytes, &Key::Identity(&other), |_| {});
    assert_eq!(code(stranger), "PACKAGE-WRONG-KEY");
    let renamed = "age:".to_owned() + &"0".repeat(64);
    let refused = world.open(&bytes, |c| c.recipient = &renamed);
    assert_eq!(code(refused), "PACKAGE-RECIPIENT");
    let refused = world.open(&bytes, |c| c.contract = "c0ffee00c0ffee00c0ffee00c0ffee01");
    assert_eq!(code(refused), "PACKAGE-CONTRACT");
    let last = MADE + 14 * 86_400;
    assert!(
        world
            .open(&bytes, |c| c.now = Instant(last * 1_000_000 + 999_999))
            .is_ok(),
        "the last second counts"
    );
    let refused = world.open(&bytes, |c| c.now = Instant((last + 1) * 1_000_000));
    assert_eq!(code(refused), "PACKAGE-EXPIRED");
    let refused = world.open(&bytes, |c| c.now = Instant((MADE - 90_000) * 1_000_000));
    assert_eq!(code(refused), "PACKAGE-FUTURE");
    let seen = |id: &str| id == "0123456789abcdef0123456789abcdef";
    assert_eq!(
        code(world.open(&bytes, |c| c.seen = &seen)),
        "PACKAGE-REPLAY"
    );
    assert_eq!(
        code(world.open(&bytes, |c| c.kind = Kind::Return)),
        "PACKAGE-DIRECTION"
    );
    let mut trust = world.trust.clone();
    trust.town = "隣町".to_owned();
    assert_eq!(
        code(world.open(&bytes, |c| c.trust = &trust)),
        "PACKAGE-SENDER"
    );
    assert_eq!(
        code(world.open(b"no envelope", |_| {})),
        "PACKAGE-NOT-AN-ENVELOPE"
    );
    let limits = Limits {
        rows: 19,
        ..Limits::default()
    };
    assert_eq!(
        code(world.open(&bytes, |c| c.limits = limits)),
        "PACKAGE-LIMIT"
    );
}

#[test]
fn a_manifest_that_says_something_else_than_the_files_is_neither_sealed_nor_opened() {
    let world = World::new();
    let table = write_rows(&World::columns(), &World::rows(20)).unwrap();
    let envelope = Envelope::Key(world.identity.to_public());
    let sealed = |bend: &dyn Fn(&mut Manifest)| {
        let mut manifest = world.manifest(&table, 20);
        bend(&mut manifest);
        world.seal(&world.approved(manifest), &table, &envelope)
    };
    assert_eq!(
        code(sealed(&|m| m.files[0].sha256 = "0".repeat(64))),
        "PACKAGE-HASH"
    );
    assert_eq!(code(sealed(&|m| m.files[0].bytes -= 1)), "PACKAGE-HASH");
    assert_eq!(
        code(sealed(&|m| m.items.retain(|i| i.id != "phone"))),
        "PACKAGE-ITEM"
    );
    assert_eq!(
        code(sealed(&|m| m.files[0].name = "others.csv".into())),
        "PACKAGE-CONTENTS"
    );
    assert_eq!(
        code(sealed(&|m| m.recipient.key = SLIP.into())),
        "PACKAGE-RECIPIENT"
    );
    for (bend, expected) in [
        (
            (|m| m.format = "mimamori-package-2".into()) as fn(&mut Manifest),
            "PACKAGE-VERSION",
        ),
        (|m| m.files[0].name = "../x".into(), "PACKAGE-FIELD"),
        (
            |m| m.files[0].name = "manifest.json".into(),
            "PACKAGE-FIELD",
        ),
        (|m| m.expires = m.created, "PACKAGE-FIELD"),
        (|m| m.erase_by = "2026-02-30".into(), "PACKAGE-FIELD"),
        (|m| m.purpose = "  ".into(), "PACKAGE-FIELD"),
        (|m| m.trace.root = String::new(), "PACKAGE-FIELD"),
        (|m| m.items.clear(), "PACKAGE-LIMIT"),
        (|m| m.files.clear(), "PACKAGE-LIMIT"),
    ] {
        let refused = sealed(&bend);
        assert_eq!(code(refused), expected);
    }
    // Rows and headings are compared when it is opened: who sealed may have counted wrongly.
    let miscounted = sealed(&|m| m.files[0].rows = 21).unwrap();
    assert_eq!(code(world.open(&miscounted, |_| {})), "PACKAGE-ROWS");
    let renamed = sealed(&|m| m.files[0].columns[2].name = "携帯".into()).unwrap();
    assert_eq!(code(world.open(&renamed, |_| {})), "PACKAGE-COLUMNS");
}

#[test]
fn a_return_needs_the_signature_of_the_partners_registered_program() {
    let world = World::new();
    let table = write_rows(&World::columns(), &World::rows(3)).unwrap();
    let mut manifest = world.manifest(&table, 3);
    manifest.kind = Kind::Return;
    std::mem::swap(&mut manifest.sender.name, &mut manifest.recipient.name);
    manifest.trace = TracePosition {
        size: 0,
        root: String::new(),
    };
    let digest = manifest.digest().unwrap();
    let partner = "見本データ株式会社";
    manifest.approvals = vec![Approval::by_kit(partner, &digest, &world.kit)];
    let envelope = Envelope::Key(world.identity.to_public());
    let bytes = world.seal(&manifest, &table, &envelope).unwrap();
    assert!(world.open(&bytes, |c| c.kind = Kind::Return).is_ok());
    let stranger = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let mut forged = manifest.clone();
    forged.approvals = vec![Approval::by_kit(partner, &digest, &stranger)];
    let refused = world.seal(&forged, &table, &envelope);
    assert_eq!(code(refused), "PACKAGE-UNKNOWN-APPROVER");
    let mut changed = manifest.clone();
    changed.purpose = "別の目的".to_owned();
    assert_eq!(
        code(world.seal(&changed, &table, &envelope)),
        "PACKAGE-SIGNATURE"
    );
    let mut renamed = manifest;
    renamed.sender.name = "別の会社".to_owned();
    assert_eq!(
        code(world.seal(&renamed, &table, &envelope)),
        "PACKAGE-SENDER"
    );
}

#[test]
fn a_passphrase_has_seven_groups_of_letters_that_cannot_be_mixed_up() {
    let random = mimamori_kernel::random::SeededRandom::new(5);
    let made = passphrase(&random);
    assert_eq!((made.len(), made.matches('-').count()), (34, 6), "{made}");
    assert!(!made.contains(['i', 'l', 'o', '0', '1']));
    assert_ne!(made, passphrase(&random));
}
