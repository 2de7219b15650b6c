//! One manifest has one text, and the text comes back as the manifest.

use mimamori_package::*;
use proptest::prelude::*;

use crate::world::World;

fn words() -> impl Strategy<Value = String> {
    // Any characters, also quotes, controls and such beyond the first plane.
    proptest::collection::vec(any::<char>(), 1..20).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_manifest_comes_back_from_its_text(
        purpose in words(), name in words(), size in 0i64..9_007_199_254_740_991, rows in 0usize..4
    ) {
        let world = World::new();
        let table = write_rows(&World::columns(), &World::rows(rows)).unwrap();
        let mut manifest = world.manifest(&table, rows);
        manifest.purpose = purpose;
        manifest.contract.name = name;
        manifest.trace.size = size;
        let manifest = world.approved(manifest);
        let text = manifest.to_bytes().unwrap();
        let back: Manifest = from_canonical(&text).unwrap();
        prop_assert_eq!(&back, &manifest);
        prop_assert_eq!(back.digest().unwrap(), manifest.digest().unwrap());
        // An independent reader finds the same values in it.
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        prop_assert_eq!(value["purpose"].as_str(), Some(manifest.purpose.as_str()));
        prop_assert_eq!(value["trace"]["size"].as_i64(), Some(size));
    }

    #[test]
    fn a_text_with_one_byte_changed_is_another_manifest_or_none(at in 0usize..4000, by in 1u8..=255) {
        let world = World::new();
        let table = write_rows(&World::columns(), &World::rows(2)).unwrap();
        let manifest = world.approved(world.manifest(&table, 2));
        let mut text = manifest.to_bytes().unwrap();
        let at = at % text.len();
        text[at] ^= by;
        if let Ok(back) = from_canonical::<Manifest>(&text) {
            prop_assert_ne!(back, manifest);
        }
    }
}

#[test]
fn spaces_other_orders_doubled_and_unknown_keys_are_refused() {
    let world = World::new();
    let table = write_rows(&World::columns(), &World::rows(2)).unwrap();
    let text = world.manifest(&table, 2).to_bytes().unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(from_canonical::<Manifest>(text.as_bytes()).is_ok());
    let unknown = text.replacen("\"approvals\":[],", "\"approvals\":[],\"a\":1,", 1);
    let doubled = text.replacen("\"approvals\":[],", "\"approvals\":[],\"approvals\":[],", 1);
    let moved = text.replacen("\"approvals\":[],", "", 1);
    let moved = moved.replacen("{\"contract\"", "{\"contract_\"", 1);
    let spaced = text.replacen(":[]", ": []", 1);
    let escaped = text.replacen("見本町", "\\u898b\\u672c\\u753a", 1);
    let newline = format!("{text}\n");
    for other in [unknown, doubled, moved, spaced, escaped, newline] {
        assert_ne!(other, text);
        assert!(
            from_canonical::<Manifest>(other.as_bytes()).is_err(),
            "{other}"
        );
    }
}

#[test]
fn the_digest_covers_every_field_but_the_approvals() {
    let world = World::new();
    let table = write_rows(&World::columns(), &World::rows(2)).unwrap();
    let plain = world.manifest(&table, 2);
    let digest = plain.digest().unwrap();
    assert_eq!(world.approved(plain.clone()).digest().unwrap(), digest);
    let bends: [fn(&mut Manifest); 14] = [
        |m| m.id.replace_range(0..1, "f"),
        |m| m.kind = Kind::Return,
        |m| m.contract.name.push('2'),
        |m| m.purpose.push('2'),
        |m| m.legal_ground.push('2'),
        |m| m.items[3].class.push('2'),
        |m| m.files[0].rows += 1,
        |m| m.files[0].sha256.replace_range(0..1, "x"),
        |m| m.sender.name.push('2'),
        |m| m.recipient.key.push('2'),
        |m| m.created += 1,
        |m| m.expires += 1,
        |m| m.erase_by.push('2'),
        |m| m.trace.size += 1,
    ];
    for bend in bends {
        let mut other = plain.clone();
        bend(&mut other);
        assert_ne!(other.digest().unwrap(), digest);
    }
}
