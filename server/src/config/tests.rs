use super::*;

#[test]
fn a_file_of_another_version_names_its_line_and_a_demo_is_known_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mimamori.toml");
    let text = "zone = \"demo\"\nenvironment = \"demo\"\ntown = \"a\"\nlisten = \"127.0.0.1:80\"\ntrusted_proxy = false\n";
    std::fs::write(&file, text).unwrap();
    let error = Config::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("5行目「trusted_proxy = false」"), "{error}");
    assert!(Config::is_demo(dir.path()).unwrap());
    std::fs::write(
        &file,
        text.replace("environment = \"demo\"", "environment = \"production\""),
    )
    .unwrap();
    assert!(!Config::is_demo(dir.path()).unwrap());
}

#[test]
fn unsafe_settings_are_refused() {
    let good = Config::new(
        Zone::Number,
        Environment::Production,
        "town.example",
        "127.0.0.1:8080".parse().unwrap(),
    );
    good.check().unwrap();
    let open = Config {
        listen: "0.0.0.0:8080".parse().unwrap(),
        ..good.clone()
    };
    assert!(open.check().is_err());
    assert!(
        Config {
            trusted_proxy: vec!["192.0.2.1".parse().unwrap()],
            ..open.clone()
        }
        .check()
        .is_ok()
    );
    assert!(
        Config {
            idle_minutes: 16,
            ..good.clone()
        }
        .check()
        .is_err()
    );
    assert!(
        Config {
            zone: Zone::Demo,
            ..good.clone()
        }
        .check()
        .is_err()
    );
    assert!(
        Config {
            synchronous: Some("off-for-tests".into()),
            ..good.clone()
        }
        .check()
        .is_err()
    );
    assert!(
        Config {
            derivation_hour: 24,
            ..good.clone()
        }
        .check()
        .is_err()
    );
    let nameless = CareInsurance {
        insurer_name: " ".into(),
        ..CareInsurance::sample()
    };
    assert!(
        Config {
            care_insurance: Some(nameless),
            ..good.clone()
        }
        .check()
        .is_err()
    );
    let demo = Config {
        zone: Zone::Demo,
        environment: Environment::Demo,
        ..good
    };
    demo.check().unwrap();
    assert!(
        Config {
            listen: "0.0.0.0:80".parse().unwrap(),
            trusted_proxy: vec!["192.0.2.1".parse().unwrap()],
            ..demo
        }
        .check()
        .is_err()
    );
}
