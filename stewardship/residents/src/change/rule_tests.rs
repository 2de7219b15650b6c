use super::*;

const TODAY: Date = Date::constant(2026, 11, 21);

fn given(fields: &[(&str, &str)]) -> Sent {
    let base = [
        ("address", "見守市本町一丁目1番1号"),
        ("household_number", "17"),
        ("relation", "妻"),
        ("event_day", "R081101"),
        ("notified_day", "R081105"),
    ];
    base.iter()
        .chain(fields)
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect()
}

fn now() -> Values {
    Values::from([
        ("status", "1".to_owned()),
        ("status_day", "2020-04-01".to_owned()),
        ("birth", "1940-03-12".to_owned()),
        ("relation", "世帯主".to_owned()),
        ("household_number", "0000000016".to_owned()),
        ("address", "見守市本町一丁目1番1号".to_owned()),
    ])
}

fn fields(form: Form, sent: &[(&str, &str)]) -> Vec<String> {
    let errors = check(form, &given(sent), Some(&now()), TODAY).unwrap_err();
    errors.into_iter().map(|e| e.field).collect()
}

#[test]
fn an_event_has_its_days_in_every_habit_and_sets_state_and_facts() {
    for (word, status, facts) in [
        ("転居", None, (0, 0)),
        (
            "転出",
            Some("2"),
            (Facts::MOVED_OUT, Facts::RESIDENT | Facts::DECEASED),
        ),
        (
            "死亡",
            Some("3"),
            (Facts::DECEASED, Facts::RESIDENT | Facts::MOVED_OUT),
        ),
    ] {
        let wish = check(Form::Move, &given(&[("kind", word)]), Some(&now()), TODAY).unwrap();
        assert_eq!(
            wish.items.get("status").map(String::as_str),
            status,
            "{word}"
        );
        assert_eq!(wish.event_day, "2026-11-01");
        assert_eq!(wish.notified_day, "2026-11-05");
        assert_eq!(wish.items["household_number"], "0000000017");
        assert_eq!(wish.kind.facts(), facts, "{word}");
    }
}

#[test]
fn days_that_cannot_be_are_refused_beside_their_field() {
    let kind = ("kind", "転居");
    assert_eq!(
        fields(Form::Move, &[kind, ("event_day", "R081122")]),
        ["event_day"]
    );
    assert_eq!(
        fields(Form::Move, &[kind, ("event_day", "S640108")]),
        ["event_day"]
    );
    assert_eq!(
        fields(Form::Move, &[kind, ("event_day", "R8年")]),
        ["event_day"]
    );
    assert_eq!(
        fields(Form::Move, &[kind, ("event_day", "S150311")]),
        ["event_day"]
    );
    assert_eq!(
        fields(Form::Move, &[kind, ("notified_day", "")]),
        ["notified_day"]
    );
    assert_eq!(
        fields(Form::Move, &[kind, ("notified_day", "R081031")]),
        ["notified_day"]
    );
    // No state begins before the present one did.
    for kind in ["転出", "死亡"] {
        let days = [
            ("kind", kind),
            ("event_day", "R020331"),
            ("notified_day", "R020401"),
        ];
        assert_eq!(fields(Form::Move, &days), ["event_day"], "{kind}");
    }
    // A 転出 is reported before it happens; a death may have a day that nobody knows.
    for more in [
        [("kind", "転出"), ("notified_day", "R081020")],
        [("kind", "死亡"), ("event_day", "R8年10月不詳")],
    ] {
        assert!(check(Form::Move, &given(&more), Some(&now()), TODAY).is_ok());
    }
}

#[test]
fn the_state_decides_which_events_are_possible_and_the_office_gives_a_reason() {
    assert_eq!(fields(Form::Move, &[("kind", "転入")]), ["kind"]);
    assert_eq!(fields(Form::Move, &[("kind", "出生")]), ["kind"]);
    assert_eq!(fields(Form::Move, &[("kind", "職権消除")]), ["reason"]);
    let words: Vec<_> = Form::Move.kinds_for("3").iter().map(|k| k.word()).collect();
    assert_eq!(words, ["職権記載", "職権修正"]);
    let office = [
        ("kind", "職権消除"),
        ("reason", "実態調査"),
        ("notified_day", ""),
    ];
    let wish = check(Form::Move, &given(&office), Some(&now()), TODAY).unwrap();
    assert_eq!(
        (wish.items["status"].as_str(), wish.notified_day.as_str()),
        ("2", "")
    );
}

#[test]
fn items_are_read_in_the_habits_of_the_office_or_refused() {
    let place = |more: &[(&str, &str)]| {
        let more: Vec<_> = [("reason", "誤記")].iter().chain(more).copied().collect();
        check(Form::Place, &given(&more), Some(&now()), TODAY)
    };
    let good = place(&[
        ("postal", "９９９０１０１"),
        ("phone", "０３－１２３４－５６７８"),
    ])
    .unwrap();
    assert_eq!(
        (good.items["postal"].as_str(), good.items["phone"].as_str()),
        ("999-0101", "03-1234-5678")
    );
    for (field, text) in [
        ("postal", "12"),
        ("phone", "abc"),
        ("household_number", "12345678901"),
        ("address", ""),
        ("address", "あ\u{7}"),
    ] {
        assert_eq!(
            place(&[(field, text)]).unwrap_err()[0].field,
            field,
            "{text}"
        );
    }
    let long = "長".repeat(101);
    assert_eq!(
        place(&[("building", &long)]).unwrap_err()[0].field,
        "building"
    );
    let basic = given(&[
        ("kanji", "見守 花子"),
        ("kana", "みまもり ﾊﾅｺ"),
        ("sex", "2"),
        ("birth", "S150312"),
        ("foreigner", "0"),
        ("reason", "届書の誤り"),
    ]);
    let wish = check(Form::Basic, &basic, Some(&now()), TODAY).unwrap();
    assert_eq!(wish.items["kana"], "ミマモリ ハナコ");
    assert_eq!(wish.items["birth"], "1940-03-12");
    assert_eq!(differences(&now(), &wish.items).len(), 4);
}

#[test]
fn an_officer_is_warned_of_late_reports_of_the_head_who_leaves_and_of_a_move_without_an_address() {
    let late = given(&[
        ("kind", "転居"),
        ("notified_day", "R081116"),
        ("household_number", "16"),
    ]);
    let wish = check(Form::Move, &late, Some(&now()), TODAY).unwrap();
    let told = warnings(&now(), &wish).join("");
    assert!(
        told.contains("14日") && told.contains("変わっていません") && !told.contains("世帯主です")
    );
    let death = given(&[("kind", "死亡")]);
    let wish = check(Form::Move, &death, Some(&now()), TODAY).unwrap();
    assert!(warnings(&now(), &wish).join("").contains("世帯主です"));
}
