//! Measures how many cards a second are set: `cargo run --release -p mimamori-care-insurance --example cards [CARDS] [A FILE]`.
#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement tells its figures"
)]

use std::time::Instant;

use mimamori_care_insurance::cards::{CARD, Card, Insurer, Paper, values};
use mimamori_sheets::{Fonts, Printer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let cards: usize = arguments.next().map_or(Ok(5000), |n| n.parse())?;
    let each: usize = arguments.next().map_or(Ok(500), |n| n.parse())?;
    let printer = Printer::new(Fonts::system()?);
    let insurer = Insurer {
        number: "999997".into(),
        name: "見守市".into(),
        contact: "介護保険課 000-000-0000".into(),
        sample: true,
    };
    let all: Vec<Card> = (0..cards).map(card).collect();
    let started = Instant::now();
    let (mut bytes, mut pages, mut missing) = (0, 0, 0);
    for batch in all.chunks(each) {
        let day = jiff::civil::date(2026, 11, 21);
        let sheet = printer.sheet(
            CARD,
            &values(&insurer, batch, day, &Paper::Print("出力番号 1".into())),
        )?;
        (pages, missing) = (pages + sheet.pages(), missing + sheet.unprintable().len());
        let pdf = sheet.pdf()?;
        bytes += pdf.len();
        if let Some(path) = std::env::var_os("MIMAMORI_CARDS_OUT") {
            std::fs::write(path, pdf)?;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{pages} pages in {seconds:.1} s: {:.0} pages/s, {:.1} KB a page, {missing} characters reported",
        pages as f64 / seconds,
        bytes as f64 / 1000.0 / pages as f64
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status
        .lines()
        .filter(|l| l.starts_with("VmHWM") || l.starts_with("VmRSS"))
    {
        println!("{line}");
    }
    Ok(())
}

/// An invented person, different each time.
fn card(n: usize) -> Card {
    let family = [
        "見守",
        "髙橋",
        "渡邉",
        "佐々木",
        "長谷川",
        "五十嵐",
        "齋藤",
        "小笠原",
    ][n % 8];
    let given = ["一郎", "花子", "正雄", "千代", "勝", "久美子", "龍之介"][n / 8 % 7];
    Card {
        number: format!("{:010}", 100 + n * 3),
        name: format!("{family}　{given}"),
        kana: "ミマモリ　タロウ".into(),
        birth: format!("19{:02}-{:02}-{:02}", 20 + n % 41, 1 + n % 12, 1 + n % 28),
        sex: i64::try_from(n % 2).unwrap_or(0) + 1,
        postal: format!("999{:04}", n % 9000),
        address: format!(
            "見守市桜町{}丁目{}番{}号",
            1 + n % 9,
            1 + n % 40,
            1 + n % 30
        ),
        building: if n.is_multiple_of(3) {
            format!("見守コーポ{}号室", 100 + n % 700)
        } else {
            String::new()
        },
    }
}
