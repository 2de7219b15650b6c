//! Who is believed.

use std::os::unix::fs::PermissionsExt as _;

use super::super::{ActKind, LinkConfig, LinkState, calls};
use super::{CERTIFICATES, HttpsConfig, Office, Town, https_config, person};

#[tokio::test]
async fn a_client_of_another_authority_is_shut_out_and_a_server_of_another_is_not_told() {
    let town = Town::new().await;
    let dir = CERTIFICATES.path();
    let right = https_config(town.simulator.addresses.service);
    let elsewhere = tempfile::tempdir().unwrap();
    mimamori_atena_simulator::write_certificates(elsewhere.path()).unwrap();
    let stranger = HttpsConfig {
        certificate: dir.join("stranger.pem"),
        key: dir.join("stranger.key"),
        ..right.clone()
    };
    let deceived = HttpsConfig {
        ca: elsewhere.path().join("ca.pem"),
        ..right
    };
    for config in [stranger, deceived] {
        let office = Office::new(|_| LinkConfig::Https(config)).await;
        let (reference, address, number) = person(0);
        office
            .act(reference, &address, ActKind::Link, Some(&number))
            .await;
        office.connector.pass().await.unwrap();
        assert_eq!(office.state(reference).await, LinkState::Waiting);
        assert_eq!(
            calls(&office.db, None, 10).await.unwrap()[0].code,
            "connection"
        );
        assert!(town.world.applied().is_empty());
    }
}

#[tokio::test]
async fn settings_that_cannot_be_right_are_refused_at_the_start() {
    let town = Town::new().await;
    let right = https_config(town.simulator.addresses.service);
    let dir = tempfile::tempdir().unwrap();
    let open = dir.path().join("client.key");
    std::fs::copy(&right.key, &open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o640)).unwrap();
    let wrong = [
        HttpsConfig {
            key: open,
            ..right.clone()
        },
        HttpsConfig {
            url: "http://127.0.0.1:1".into(),
            ..right.clone()
        },
        HttpsConfig {
            url: "https://host/path".into(),
            ..right.clone()
        },
        HttpsConfig {
            ca: "absent.pem".into(),
            ..right.clone()
        },
        HttpsConfig {
            ca: right.key.clone(),
            ..right.clone()
        },
        HttpsConfig {
            key: CERTIFICATES.path().join("stranger.key"),
            ..right.clone()
        },
        HttpsConfig { hour: 24, ..right },
    ];
    for config in wrong {
        let told = format!("{config:?}");
        let read = super::super::https::Https::new(&config, dir.path(), town.office.clock.clone());
        assert!(read.is_err(), "{told}");
    }
}

#[test]
fn the_configuration_is_read_and_what_nobody_knows_is_refused() {
    let read = |text: &str| serde_json::from_str::<LinkConfig>(text);
    let https = r#"{"adapter":"https","url":"https://a:1","ca":"a","certificate":"b","key":"c"}"#;
    assert!(matches!(
        read(https),
        Ok(LinkConfig::Https(HttpsConfig { hour: 3, .. }))
    ));
    assert!(matches!(
        read(r#"{"adapter":"files","folder":"x"}"#),
        Ok(LinkConfig::Files(_))
    ));
    assert!(read(r#"{"adapter":"files","folder":"x","password":"y"}"#).is_err());
    assert!(read(r#"{"adapter":"carrier-pigeon"}"#).is_err());
}
