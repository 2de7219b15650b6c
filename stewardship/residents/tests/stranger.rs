//! Another human behind a known 宛名番号, on both engines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod place;

use std::collections::BTreeSet;

use mimamori_kernel::random::SystemRandom;
use mimamori_residents::import::{Accept, ImportError, Order, Outcome, Progress, RESIDENTS, run};
use place::{Place, each};

async fn import(place: &Place, accept: Accept) -> Result<Outcome, ImportError> {
    let order = Order {
        accept,
        ..Order::folder(&place.files)
    };
    run(&place.permit, &SystemRandom, &order, &Progress::default()).await
}

/// Writes the file anew with a strange name and birth date for the first `some` numbers.
fn swap(place: &Place, lines: &[&str], some: usize) {
    let names: Vec<&str> = lines[0].split(',').collect();
    let column = |name: &str| {
        names
            .iter()
            .position(|c| c.trim_matches('"') == name)
            .unwrap()
    };
    let (number, kana, birth) = (column("宛名番号"), column("氏名カナ"), column("生年月日"));
    let (mut text, mut seen) = (format!("{}\r\n", lines[0]), BTreeSet::new());
    for line in &lines[1..] {
        let mut cells: Vec<&str> = line.split(',').collect();
        if seen.len() < some || seen.contains(cells[number]) {
            seen.insert(cells[number]);
            (cells[birth], cells[kana]) = ("\"1901-01-01\"", "\"ベツジン イチロウ\"");
        }
        text.push_str(&format!("{}\r\n", cells.join(",")));
    }
    let path = place.files.join(RESIDENTS);
    std::fs::write(path, encoding_rs::SHIFT_JIS.encode(&text).0).unwrap();
}

/// The record in force stays and the row is told; with more than 1 % nothing comes in at all.
#[tokio::test]
async fn another_human_behind_a_known_number_is_a_finding_and_the_record_stays() {
    each(async |place| {
        import(&place, Accept::All).await.unwrap();
        let bytes = std::fs::read(place.files.join(RESIDENTS)).unwrap();
        let (text, ..) = encoding_rs::SHIFT_JIS.decode(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let strangers = async || {
            let sql = "SELECT COUNT(*) FROM residents_person WHERE birth = '1901-01-01'";
            let row = place.db.fetch_one(sql, vec![]).await.unwrap().unwrap();
            row.int(0).unwrap()
        };
        swap(&place, &lines, 1);
        let error = import(&place, Accept::All).await.unwrap_err();
        let told = |found: &[mimamori_residents::import::Finding]| {
            let codes: Vec<&str> = found.iter().map(|f| f.fault.code()).collect();
            codes == ["IMPORT-OTHER-PERSON"]
        };
        assert!(
            matches!(&error, ImportError::Refused(found) if told(found)),
            "{error:?}"
        );
        let done = import(&place, Accept::Good).await.unwrap();
        assert!(
            told(&done.findings) && done.kept >= 1,
            "{:?}",
            done.findings
        );
        assert_eq!(strangers().await, 0);
        swap(&place, &lines, place.counts.people as usize / 50);
        let error = import(&place, Accept::Good).await.unwrap_err();
        assert!(matches!(error, ImportError::Strangers { .. }), "{error:?}");
        assert_eq!(strangers().await, 0);
        std::fs::write(place.files.join(RESIDENTS), &bytes).unwrap();
    })
    .await;
}
