//! Two officers, two devices, verified by the device, at our address, over this manifest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::{Signer as _, SigningKey};
use mimamori_package::*;

use crate::device::Device;
use crate::world::{World, code};

/// Seals with the second approval bent.
fn with_second(world: &World, bend: impl Fn(&mut Approval, &[u8; 32])) -> &'static str {
    let table = write_rows(&World::columns(), &World::rows(2)).unwrap();
    let mut manifest = world.approved(world.manifest(&table, 2));
    let digest = manifest.digest().unwrap();
    bend(&mut manifest.approvals[1], &digest);
    let envelope = Envelope::Key(world.identity.to_public());
    match world.seal(&manifest, &table, &envelope) {
        Ok(bytes) => world.open(&bytes, |_| {}).map(|_| "opened").unwrap(),
        refused => code(refused),
    }
}

fn by(device: Device) -> impl Fn(&mut Approval, &[u8; 32]) {
    move |a, digest| a.proof = Proof::Passkey(device.approve(digest))
}

#[test]
fn an_assertion_from_elsewhere_unverified_for_another_digest_or_by_another_key_is_refused() {
    let world = World::new();
    let device = Device::new(2);
    assert_eq!(with_second(&world, by(device.clone())), "opened");
    let bent = |bend: fn(&mut Device)| {
        let mut device = Device::new(2);
        bend(&mut device);
        with_second(&world, by(device))
    };
    assert_eq!(
        bent(|d| d.origin = "https://evil.example"),
        "PACKAGE-ORIGIN"
    );
    assert_eq!(bent(|d| d.rp_id = "evil.example"), "PACKAGE-ORIGIN");
    assert_eq!(bent(|d| d.cross_origin = true), "PACKAGE-ORIGIN");
    assert_eq!(bent(|d| d.flags = 0b001), "PACKAGE-NOT-VERIFIED");
    assert_eq!(bent(|d| d.flags = 0b100), "PACKAGE-NOT-VERIFIED");
    assert_eq!(bent(|d| d.kind = "webauthn.create"), "PACKAGE-CHALLENGE");
    assert_eq!(bent(|d| d.key = [3; 32]), "PACKAGE-UNKNOWN-APPROVER");
    let other = |a: &mut Approval, digest: &[u8; 32]| {
        let mut digest = *digest;
        digest[0] ^= 1;
        a.proof = Proof::Passkey(device.approve(&digest));
    };
    assert_eq!(with_second(&world, other), "PACKAGE-CHALLENGE");
    let unsigned = |a: &mut Approval, digest: &[u8; 32]| {
        // The key of the right device over the signature of another.
        let mut forged = Device::new(3).approve(digest);
        forged.public_key = device.public();
        a.proof = Proof::Passkey(forged);
    };
    assert_eq!(with_second(&world, unsigned), "PACKAGE-SIGNATURE");
    let broken = |a: &mut Approval, digest: &[u8; 32]| {
        let mut forged = device.approve(digest);
        forged.authenticator_data = B64.encode([1u8; 20]);
        a.proof = Proof::Passkey(forged);
    };
    assert_eq!(with_second(&world, broken), "PACKAGE-APPROVAL-SHAPE");
}

#[test]
fn one_person_twice_a_stranger_one_approval_or_three_are_refused() {
    let world = World::new();
    let first = |a: &mut Approval, digest: &[u8; 32]| {
        a.user = format!("{:032x}", 1);
        a.name = "健康 花子".to_owned();
        a.proof = Proof::Passkey(Device::new(1).approve(digest));
    };
    assert_eq!(with_second(&world, first), "PACKAGE-SAME-PERSON");
    let one_device = |a: &mut Approval, digest: &[u8; 32]| {
        a.proof = Proof::Passkey(Device::new(1).approve(digest));
    };
    assert_eq!(with_second(&world, one_device), "PACKAGE-SAME-PERSON");
    let renamed = |a: &mut Approval, _: &[u8; 32]| a.name = "だれか".to_owned();
    assert_eq!(with_second(&world, renamed), "PACKAGE-UNKNOWN-APPROVER");
    let table = write_rows(&World::columns(), &World::rows(2)).unwrap();
    let envelope = Envelope::Key(world.identity.to_public());
    for count in [0, 1, 3] {
        let mut manifest = world.approved(world.manifest(&table, 2));
        let third = manifest.approvals[0].clone();
        manifest.approvals.push(third);
        manifest.approvals.truncate(count);
        let refused = world.seal(&manifest, &table, &envelope);
        assert_eq!(code(refused), "PACKAGE-APPROVAL-COUNT");
    }
}

#[test]
fn the_towns_face_terminal_counts_like_a_passkey_for_the_officer_it_names_alone() {
    let world = World::new();
    let terminal = SigningKey::from_bytes(&[8; 32]);
    let word = |login: &'static str, key: SigningKey| {
        move |a: &mut Approval, digest: &[u8; 32]| {
            let time = crate::world::MADE;
            let message = terminal_message(login, digest, time);
            a.proof = Proof::Terminal {
                key: hex::encode(key.verifying_key().as_bytes()),
                time,
                signature: B64.encode(key.sign(message.as_bytes()).to_bytes()),
            };
        }
    };
    assert_eq!(
        with_second(&world, word("officer-2", terminal.clone())),
        "opened"
    );
    assert_eq!(
        with_second(&world, word("officer-1", terminal)),
        "PACKAGE-SIGNATURE"
    );
    let other = SigningKey::from_bytes(&[6; 32]);
    assert_eq!(
        with_second(&world, word("officer-2", other)),
        "PACKAGE-UNKNOWN-APPROVER"
    );
}
