use super::*;
use crate::error::Coded;
use icu_calendar::{Date as IcuDate, cal::Japanese};
use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;

fn p(text: &str) -> PartialDate {
    text.parse().unwrap()
}

#[test]
fn every_habit_of_the_counter_is_the_same_day() {
    for text in [
        "S150312",
        "s150312",
        "s15.3.12",
        "S15-3-12",
        "S15/03/12",
        "昭和15年3月12日",
        "昭15年3月12日",
        "昭和15.3.12",
        "1940-03-12",
        "1940/3/12",
        "1940.3.12",
        "19400312",
        "3150312",
        "Ｓ１５０３１２",
        "１９４０／３／１２",
        "ｓ１５．３．１２",
        "昭和１５年　３月１２日",
        "㍼15年3月12日",
        "1940年3月12日",
        " S15.03.12 ",
        "昭和15年3月12日 (1940)",
        "昭和15年3月12日（1940）",
    ] {
        assert_eq!(parse_any(text), Ok(p("1940-03-12")), "{text}");
    }
}

#[test]
fn unknown_parts_are_legal_values() {
    for (text, iso) in [
        ("昭和15年3月不詳", "1940-03-00"),
        ("昭和15年3月（日不詳）", "1940-03-00"),
        ("昭和15年3月", "1940-03-00"),
        ("昭和15年不詳", "1940-00-00"),
        ("昭和15年（月日不詳）", "1940-00-00"),
        ("昭和15年", "1940-00-00"),
        ("R7", "2025-00-00"),
        ("令和元年", "2019-00-00"),
        ("S15.03.00", "1940-03-00"),
        ("3150000", "1940-00-00"),
        ("19400300", "1940-03-00"),
        ("1940", "1940-00-00"),
        ("1940-3", "1940-03-00"),
        ("不詳", "0000-00-00"),
        ("0000-00-00", "0000-00-00"),
        ("00000000", "0000-00-00"),
        ("昭和64年", "1989-00-00"),
        ("昭和64年1月", "1989-01-00"),
        ("昭和元年12月25日", "1926-12-25"),
        ("令和元年5月1日", "2019-05-01"),
        ("昭和64年1月7日", "1989-01-07"),
    ] {
        assert_eq!(
            parse_any(text).map(PartialDate::to_iso),
            Ok(iso.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn what_cannot_be_a_date_is_refused_with_its_reason() {
    for (text, code) in [
        ("昭和64年1月8日", "DATE-ERA-END"),
        ("昭和64年2月", "DATE-ERA-END"),
        ("昭和65年", "DATE-ERA-END"),
        ("S640108", "DATE-ERA-END"),
        ("平成31年5月1日", "DATE-ERA-END"),
        ("明治45年7月30日", "DATE-ERA-END"),
        ("大正15年12月25日", "DATE-ERA-END"),
        ("平成元年1月7日", "DATE-ERA-START"),
        ("昭和元年11月", "DATE-ERA-START"),
        ("令和元年4月30日", "DATE-ERA-START"),
        ("昭和0年1月1日", "DATE-ERA-YEAR"),
        ("S000101", "DATE-ERA-YEAR"),
        ("昭和15年2月30日", "DATE-DAY"),
        ("1941/2/29", "DATE-DAY"),
        ("1940-13-01", "DATE-MONTH"),
        ("1940-00-12", "DATE-UNKNOWN-ORDER"),
        ("", "DATE-EMPTY"),
        ("　", "DATE-EMPTY"),
        ("abc", "DATE-SHAPE"),
        ("6150312", "DATE-SHAPE"),
        ("S1503", "DATE-SHAPE"),
        ("昭和15年3月12日不詳", "DATE-SHAPE"),
        ("15-3-12", "DATE-YEAR"),
        ("0312", "DATE-YEAR"),
        ("昭和15年3月12日 (1941)", "DATE-CONTRADICTION"),
        ("昭和15年12日", "DATE-SHAPE"),
    ] {
        let error = parse_any(text).expect_err(text);
        assert_eq!(error.code(), code, "{text}");
        assert!(error.to_string().ends_with('。') && error.advice().ends_with('。'));
    }
    let error = parse_any("昭和64年1月8日").expect_err("後の日付");
    assert_eq!(
        error.to_string(),
        "昭和は昭和64年1月7日までです。それより後の日付です。"
    );
}

#[test]
fn dates_are_shown_as_the_counter_writes_them() {
    assert_eq!(wareki(p("1940-03-12")), "昭和15年3月12日");
    assert_eq!(wareki(p("1989-01-08")), "平成元年1月8日");
    assert_eq!(wareki(p("1940-03-00")), "昭和15年3月（日不詳）");
    assert_eq!(wareki(p("1940-00-00")), "昭和15年（月日不詳）");
    assert_eq!(wareki(p("0000-00-00")), "不詳");
    assert_eq!(wareki(p("1926-00-00")), "大正15年（月日不詳）");
    assert_eq!(
        wareki_with_western(p("1940-03-12")),
        "昭和15年3月12日 (1940)"
    );
    assert_eq!(wareki_with_western(p("2025-04-01")), "令和7年4月1日 (2025)");
    assert_eq!(era_letters(p("1940-03-12")), "S15.03.12");
    assert_eq!(
        interface_digits(p("1940-03-12")).as_deref(),
        Some("3150312")
    );
    assert_eq!(interface_digits(PartialDate::UNKNOWN), None);
}

#[test]
fn the_legal_age_is_reached_on_the_day_before_the_birthday() {
    for (birth, years, reached) in [
        ("1961-04-01", 65, date(2026, 3, 31)),
        ("1961-04-02", 65, date(2026, 4, 1)),
        ("1960-02-29", 65, date(2025, 2, 28)),
        ("1959-03-01", 65, date(2024, 2, 29)),
        ("1961-01-01", 65, date(2025, 12, 31)),
    ] {
        assert_eq!(
            day_age_is_reached(p(birth), years),
            Some(reached),
            "{birth}"
        );
        assert_eq!(age_on(p(birth), reached), Age::Exact(years));
        assert_eq!(
            age_on(p(birth), reached.checked_sub(1.day()).unwrap()),
            Age::Exact(years - 1)
        );
        assert_eq!(age_completed(p(birth), reached), Age::Exact(years - 1));
    }
    assert_eq!(
        age_completed(p("1940-00-00"), date(2026, 11, 21)),
        Age::Between(85, 86)
    );
    assert_eq!(
        age_completed(p("1940-03-00"), date(2026, 11, 21)),
        Age::Exact(86)
    );
    assert_eq!(
        age_completed(PartialDate::UNKNOWN, date(2026, 11, 21)),
        Age::Unknown
    );
    assert_eq!(
        age_completed(p("2027-01-01"), date(2026, 11, 21)),
        Age::NotBorn
    );
    assert_eq!(day_age_is_reached(p("1940-03-00"), 65), None);
    assert_eq!(
        (
            fiscal_year(date(2026, 3, 31)),
            fiscal_year(date(2026, 4, 1))
        ),
        (2025, 2026)
    );
}

#[test]
fn the_first_and_last_days_of_every_era_agree_with_icu() {
    for era in Era::ALL.into_iter().skip(1) {
        for day in [
            era.first_day(),
            era.first_day().checked_sub(1.day()).unwrap(),
        ] {
            agrees_with_icu(day);
        }
    }
}

fn agrees_with_icu(day: Date) {
    let iso = IcuDate::try_new_iso(
        day.year().into(),
        day.month().unsigned_abs(),
        day.day().unsigned_abs(),
    )
    .unwrap();
    let icu = iso.to_calendar(Japanese::new()).era_year();
    let ours = Era::of(day).unwrap();
    let name = ["meiji", "taisho", "showa", "heisei", "reiwa"][ours as usize];
    assert_eq!(
        (icu.era.as_str(), icu.year),
        (name, i32::from(day.year() - ours.first_year() + 1)),
        "{day}"
    );
}

fn some_day() -> impl Strategy<Value = Date> {
    (0i64..89_000).prop_map(|n| date(1873, 1, 1).checked_add(n.days()).unwrap())
}

fn some_partial() -> impl Strategy<Value = PartialDate> {
    (some_day(), 0u8..4).prop_map(|(d, cut)| {
        let full = PartialDate::from(d);
        match cut {
            0 => PartialDate::new(full.year(), full.month(), 0).unwrap(),
            1 => PartialDate::new(full.year(), 0, 0).unwrap(),
            _ => full,
        }
    })
}

proptest! {
    #[test]
    fn every_day_since_1873_agrees_with_icu(day in some_day()) {
        agrees_with_icu(day);
    }

    #[test]
    fn what_is_shown_can_be_typed_again(d in some_partial()) {
        prop_assert_eq!(parse_any(&wareki(d)), Ok(d));
        prop_assert_eq!(parse_any(&wareki_with_western(d)), Ok(d));
        prop_assert_eq!(parse_any(&d.to_iso()), Ok(d));
        prop_assert_eq!(d.to_iso().parse(), Ok(d));
        if let Some(digits) = interface_digits(d) {
            prop_assert_eq!(parse_any(&digits), Ok(d));
            prop_assert_eq!(parse_any(&era_letters(d)), Ok(d));
        }
    }

    #[test]
    fn the_order_of_the_text_is_the_order_of_the_dates(a in some_partial(), b in some_partial()) {
        prop_assert_eq!(a.cmp(&b), a.to_iso().cmp(&b.to_iso()));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        let _ = parse_any(&text);
        let _ = text.parse::<PartialDate>();
    }

    #[test]
    fn texts_made_of_date_characters_never_panic(text in "[SsHR昭和元年月日不詳0-9()（）/.\\-０-９]{0,14}") {
        let _ = parse_any(&text);
    }

    #[test]
    fn the_reached_day_is_where_the_legal_age_changes(d in some_day(), years in 1u16..120) {
        let birth = PartialDate::from(d);
        let reached = day_age_is_reached(birth, years).unwrap();
        prop_assert_eq!(age_on(birth, reached), Age::Exact(years));
        prop_assert_eq!(age_on(birth, reached.checked_sub(1.day()).unwrap()), Age::Exact(years - 1));
    }
}
