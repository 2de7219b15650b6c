//! The drill opens numbers of the copy in the room's own program, with the live key (S0-28, S0-47).

use mimamori_kernel::clock::{Clock as _, SystemClock};
use mimamori_server::backup::{State, Weight, last_report};
use mimamori_server::config::Config;
use mimamori_storage::{Db, Location, Synchronous};

use crate::office::{Office, good, mimamori, people, text};

impl Office {
    fn with_backups() -> Self {
        let office = Self::new();
        let made = std::process::Command::new("age-keygen")
            .arg("-o")
            .arg(office.path("identity"))
            .output();
        let told = String::from_utf8(made.expect("age is installed by ./dev test").stderr).unwrap();
        let public = told.trim().strip_prefix("Public key: ").unwrap();
        std::fs::write(office.path("recipients"), public).unwrap();
        std::fs::create_dir(office.path("journal")).unwrap();
        office.set("\n[backup]\nfolder = \"../backups\"\nrecipients_file = \"../recipients\"\njournal = \"../journal\"\n");
        office
    }

    fn create(&self) {
        good(&["backup", "create", "--data", text(&self.data())]);
    }

    /// Whether the drill found nothing, and what it said.
    fn drill(&self, more: &[&str]) -> (bool, String) {
        let (data, identity) = (self.data(), self.path("identity"));
        let drill = [
            "backup",
            "drill",
            "--data",
            text(&data),
            "--identity",
            text(&identity),
        ];
        let out = mimamori(&[&drill, more].concat());
        let told = [out.stdout, out.stderr].concat();
        (out.status.success(), String::from_utf8(told).unwrap())
    }

    /// What the operator's page says.
    fn state(&self) -> State {
        let data = self.data();
        let config = Config::load(&data).unwrap();
        let state = State::of(&data, &config, SystemClock::new().now());
        state.unwrap().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_opens_numbers_of_the_copy_with_the_live_key_and_says_what_it_cannot_open() {
    let office = Office::with_backups();
    let all = people(300, 1);
    let room = office.start().await;
    assert_eq!(room.loaded(&all).await.rows, 300);
    office.create();
    // While the room works.
    let (good, told) = office.drill(&[]);
    assert!(good, "{told}");
    let line = "300件の検査値が合い、50件を開いて";
    assert!(told.contains(line), "{told}");
    let report = last_report(&office.data()).unwrap().unwrap();
    let tried = report.numbers.unwrap();
    assert_eq!((tried.rows, tried.opened, tried.wrong), (300, 50, 0));
    let state = office.state();
    assert!(
        state.weight == Weight::Good && state.text.contains(line),
        "{state:?}"
    );
    let kept = std::fs::read_to_string(office.data().join("staging/backup-drill.json")).unwrap();
    assert!(
        all.iter()
            .all(|(_, number)| !kept.contains(number) && !told.contains(number))
    );
    assert_eq!(room.shown(all[0].0).await, all[0].1);
    room.end();

    // A generation of before the wrapping key was replaced: the live key does not open it.
    let old = office.data().join("numbers/keys/kek.key.old");
    let data = office.data();
    crate::office::good(&["numbers-key", "--data", text(&data)]);
    assert!(old.exists());
    let red = |found: (bool, String), words: &str| {
        assert!(!found.0 && found.1.contains(words), "{words}: {}", found.1);
        let state = office.state();
        assert_eq!(state.weight, Weight::Bad);
        assert!(state.text.contains("1件の食い違い"), "{}", state.text);
    };
    red(office.drill(&[]), "鍵ではありません");
    office.create();
    assert!(office.drill(&[]).0);
    assert_eq!(office.state().weight, Weight::Good);
    red(office.drill(&["--number", "1"]), "鍵ではありません");

    // A row that somebody changed before the copy was made.
    let location = Location::File {
        path: office.file(),
        synchronous: Synchronous::Full,
    };
    let db = Db::open(location, 1).await.unwrap();
    let mut writer = db.writer().await.unwrap();
    let change = |to: &str| {
        format!(
            "UPDATE numbers_record SET proof = '{to}' WHERE reference = (SELECT MIN(reference) FROM numbers_record)"
        )
    };
    writer.run(&change("card")).await.unwrap();
    office.create();
    red(office.drill(&[]), "その場所のものではありません");
    writer.run(&change("")).await.unwrap();
    writer.close().await.unwrap();
    db.close().await;
    office.create();
    assert!(office.drill(&[]).0);

    // The key is lost.
    let key = office.data().join("numbers/keys/kek.key");
    std::fs::rename(&key, office.path("kek.key")).unwrap();
    red(office.drill(&[]), "kek.key");
    std::fs::rename(office.path("kek.key"), &key).unwrap();
    assert!(office.drill(&[]).0);
}
