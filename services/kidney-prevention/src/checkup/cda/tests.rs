use super::super::{Amount, Outcome, Sex, Test};
use super::*;
use jiff::civil::date;

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" classCode="DOCCLIN" moodCode="EVN">
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<code code="10" codeSystem="1.2.392.200119.6.1001"/>
<effectiveTime value="20250610"/>
<recordTarget><patientRole>
<id root="1.2.392.200119.6.101" extension="00990001"/><id root="1.2.392.200119.6.205" extension="１２３４"/>
<addr>見守市本町1-1<postalCode>999-0101</postalCode></addr>
<patient><name>ミマモリ　ハナコ</name><administrativeGenderCode code="2" codeSystem="1.2.392.200119.6.1104"/><birthTime value="19550102"/></patient>
</patientRole></recordTarget>
<author><assignedAuthor><representedOrganization><id root="1.2.392.200119.6.102" extension="9911234567"/></representedOrganization></assignedAuthor></author>
<participant typeCode="HLD"><associatedEntity classCode="IDENT"><id root="1.2.392.200119.6.209.100990001" extension="25000000123"/></associatedEntity></participant>
<documentationOf><serviceEvent classCode="ACT" moodCode="EVN"><code code="010" codeSystem="1.2.392.200119.6.1002"/><effectiveTime value="20250601"/></serviceEvent></documentationOf>
<component><structuredBody><component><section><code code="01010" codeSystem="1.2.392.200119.6.1010"/>"#;
const FOOT: &str = "</section></component></structuredBody></component></ClinicalDocument>";

fn read(body: &str) -> Read {
    read_document(
        "h.xml",
        format!("{HEAD}{body}{FOOT}").as_bytes(),
        Codes::standard(),
        date(2025, 12, 1),
    )
}

fn entry(code: &str, value: &str) -> String {
    format!(
        r#"<entry><observation classCode="OBS" moodCode="EVN"><code code="{code}"/>{value}</observation></entry>"#
    )
}

fn reasons(read: &Read) -> Vec<Reason> {
    read.defects.iter().map(|d| d.reason).collect()
}

#[test]
fn a_document_gives_person_day_and_results() {
    let body = [
        entry(
            "3D046000001920402",
            r#"<value xsi:type="PQ" value="7.2" unit="%"/>"#,
        ),
        entry(
            "9N706000000000011",
            r#"<value xsi:type="CD" code="1" codeSystem="1.2.392.200119.6.2003"/>"#,
        ),
        entry("1A010000000191111", r#"<value xsi:type="CO" code="3"/>"#),
    ];
    let read = read(&body.concat());
    assert_eq!(reasons(&read), []);
    let checkup = read.checkup.unwrap();
    assert_eq!(checkup.subject.kana, "ミマモリ　ハナコ");
    assert_eq!(
        (checkup.subject.birth, checkup.day),
        (date(1955, 1, 2), date(2025, 6, 1))
    );
    assert_eq!(
        (checkup.subject.sex, checkup.subject.ticket.as_deref()),
        (Sex::Woman, Some("25000000123"))
    );
    assert_eq!(checkup.facility.as_deref(), Some("9911234567"));
    let amount = Amount::from_thousandths(7200);
    assert_eq!(
        checkup.outcome(Test::Hba1c),
        Some(Outcome::Amount {
            amount,
            limit: None
        })
    );
    assert_eq!(
        checkup.outcome(Test::MedicationGlucose),
        Some(Outcome::Choice(1))
    );
    assert_eq!(
        checkup.outcome(Test::UrineProtein),
        Some(Outcome::Choice(3))
    );
}

#[test]
fn not_done_not_measurable_and_beyond_the_range_stay_apart() {
    let not_done = r#"<entry><observation classCode="OBS" moodCode="EVN" negationInd="true"><code code="3C015000002327101"/></observation></entry>"#;
    let body = [
        not_done.to_owned(),
        entry(
            "3D046000001920402",
            r#"<value xsi:type="PQ" nullFlavor="NI"/>"#,
        ),
        entry(
            "3F015000002327101",
            r#"<value xsi:type="PQ" value="2300" unit="mg/dL"/><value xsi:type="CD" code="H" codeSystem="2.16.840.1.113883.5.83"/>"#,
        ),
        entry(
            "9A751000000000001",
            r#"<value xsi:type="PQ" value="320" unit="mm[Hg]"/>"#,
        ),
    ];
    let read = read(&body.concat());
    assert_eq!(reasons(&read), [Reason::Range]);
    let checkup = read.checkup.unwrap();
    assert_eq!(checkup.outcome(Test::Creatinine), Some(Outcome::NotDone));
    assert_eq!(checkup.outcome(Test::Hba1c), Some(Outcome::Unmeasurable));
    let high = Outcome::Amount {
        amount: Amount::from_thousandths(2_300_000),
        limit: Some(Limit::OrMore),
    };
    assert_eq!(checkup.outcome(Test::TriglycerideFasting), Some(high));
    assert_eq!(checkup.outcome(Test::Systolic), None);
}

#[test]
fn parts_of_a_battery_are_read_once_each() {
    let part = |code: &str, value: &str| {
        format!(
            r#"<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN"><code code="{code}"/><value xsi:type="PQ" value="{value}" unit="mm[Hg]"/></observation></entryRelationship>"#
        )
    };
    let body = format!(
        r#"<entry><observation classCode="OBS" moodCode="EVN"><code nullFlavor="NA"/>{}{}</observation></entry>"#,
        part("9A751000000000001", "151"),
        part("9A752000000000001", "138")
    );
    let checkup = read(&body).checkup.unwrap();
    assert_eq!(checkup.results[&Test::Systolic].len(), 2);
    let second = Outcome::Amount {
        amount: Amount::from_thousandths(138_000),
        limit: None,
    };
    assert_eq!(
        checkup.outcome(Test::Systolic),
        Some(second),
        "the second reading is preferred to the first"
    );
}

#[test]
fn other_sections_and_free_text_are_left_alone_and_unknown_codes_told() {
    let body = format!(
        "{}{}{}</section></component><component><section><code code=\"90010\"/>{}",
        entry(
            "9N511000000000049",
            r#"<value xsi:type="ST">異常なし</value>"#
        ),
        entry(
            "9X999000000000001",
            r#"<value xsi:type="PQ" value="1" unit="%"/>"#
        ),
        entry(
            "3D045000001920402",
            r#"<value xsi:type="PQ" value="6.6" unit="%"/>"#
        ),
        entry(
            "3D046000001920402",
            r#"<value xsi:type="PQ" value="9.9" unit="%"/>"#
        ),
    );
    let read = read(&body);
    assert_eq!(reasons(&read), [Reason::Code, Reason::Jds]);
    assert!(read.checkup.unwrap().results.is_empty());
}

#[test]
fn documents_that_are_not_plain_health_checks_are_refused() {
    let refused = |bytes: &[u8]| {
        let read = read_document("h.xml", bytes, Codes::standard(), date(2025, 12, 1));
        assert!(read.checkup.is_none());
        reasons(&read)
    };
    let whole = format!("{HEAD}{FOOT}");
    let bomb = whole.replacen(
        "?>",
        "?><!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>",
        1,
    );
    assert_eq!(refused(bomb.as_bytes()), [Reason::Xml]);
    assert_eq!(
        refused(whole.replace("code=\"10\"", "code=\"21\"").as_bytes()),
        [Reason::Document]
    );
    assert_eq!(
        refused(whole.replace("urn:hl7-org:v3", "urn:other").as_bytes()),
        [Reason::Document]
    );
    assert_eq!(refused(&whole.as_bytes()[..whole.len() - 5]), [Reason::Xml]);
    assert_eq!(
        refused(&[b"<a>".repeat(40), b"</a>".repeat(40)].concat()),
        [Reason::Xml]
    );
    assert_eq!(refused(&vec![b' '; CDA_LIMIT + 1]), [Reason::Xml]);
    let wide = whole.replacen(
        "</section>",
        &format!("{}</section>", "<entry/>".repeat(60_000)),
        1,
    );
    assert_eq!(refused(wide.as_bytes()), [Reason::Xml]);
    assert_eq!(
        refused(
            &[
                &whole.as_bytes()[..60],
                b"\x82\xa0",
                &whole.as_bytes()[60..]
            ]
            .concat()
        ),
        [Reason::Encoding]
    );
    assert_eq!(
        refused(whole.replace("19550102", "19550230").as_bytes()),
        [Reason::Date]
    );
}

#[test]
fn truncations_and_flipped_bytes_never_panic() {
    let whole = format!(
        "{HEAD}{}{FOOT}",
        entry(
            "3D046000001920402",
            r#"<value xsi:type="PQ" value="7.2" unit="%"/>"#
        )
    );
    let bytes = whole.as_bytes();
    for end in 0..bytes.len() {
        read_document("h.xml", &bytes[..end], Codes::standard(), date(2025, 12, 1));
        let mut flipped = bytes.to_vec();
        flipped[end] ^= 0x15;
        read_document("h.xml", &flipped, Codes::standard(), date(2025, 12, 1));
    }
}
