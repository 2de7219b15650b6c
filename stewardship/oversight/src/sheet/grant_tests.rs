//! What an approved sheet opens and what it refuses.

use super::*;
use crate::sample;
use crate::sheet::model::State;
use jiff::civil::date;
use mimamori_kernel::id::UserId;

const DAY: Date = date(2026, 11, 22);

fn version(number: i64, kind: Kind, state: State) -> Version {
    let who = UserId::from_bytes([7; 16]);
    Version {
        case: crate::CaseId::from_bytes([1; 16]),
        kind,
        number,
        state,
        content: sample::content(kind),
        reason: format!("第{number}版の理由"),
        drafted_by: who,
        drafted_at: 0,
        decided_by: Some(who),
        decided_at: 1_700_000_000_000_000,
    }
}

fn basis(versions: Vec<Version>) -> Basis {
    Basis {
        contract: ContractId::from_bytes([2; 16]),
        subject: "保健指導等業務委託".into(),
        partner: sample::PARTNER.into(),
        days: (date(2026, 4, 1), date(2027, 3, 31)),
        ended: false,
        legal_ground: "要綱第3条第1項第3号".into(),
        versions,
        in_charge: vec![],
    }
}

fn whole() -> Vec<Version> {
    Kind::ALL
        .into_iter()
        .map(|k| version(1, k, State::Approved))
        .collect()
}

const ALL: fn() -> Vec<&'static str> = || catalogue::ITEMS.iter().map(|i| i.id).collect();

#[test]
fn an_approved_sheet_opens_exactly_what_it_names() {
    let grant = grant(&basis(whole()), DAY).unwrap();
    assert_eq!(grant.items.len(), 19);
    assert!(grant.renewed, "the sheet's days ended on 2026-03-31");
    assert_eq!(check(&grant, &ALL()), Ok(()));
    assert_eq!(check_over(&grant, Channel::Lgwan, &ALL()), Ok(()));
    let wrong = check(&grant, &["email", "my_number"]).unwrap_err();
    assert_eq!(wrong.len(), 1);
    assert_eq!(wrong[0].item, "my_number");
    assert!(
        wrong[0]
            .line
            .contains("「委託先に処理させる項目」の行に「my_number」がありません")
    );
    let channels: Vec<_> = grant.channels.iter().map(|c| c.channel).collect();
    assert_eq!(channels, [Channel::Lgwan, Channel::Medium, Channel::Paper]);
    assert_eq!(grant.channels[1].media, ["cd-r"]);
}

#[test]
fn an_item_that_was_taken_out_is_refused_with_the_line_and_the_change() {
    let mut versions = whole();
    versions[2].state = State::Superseded;
    let mut second = version(2, Kind::Outsourcing, State::Approved);
    second.content.items.retain(|i| i.id != "email");
    versions.push(second);
    let grant = grant(&basis(versions), DAY).unwrap();
    let wrong = check(&grant, &["phone", "email"]).unwrap_err();
    assert_eq!(wrong.len(), 1);
    let line = &wrong[0].line;
    for words in [
        "業務委託シート 第2版",
        "「委託先に処理させる項目」の行に「メールアドレス」がありません",
        "第1版にはありましたが、第2版（2023-11-15承認、変更の理由: 第2版の理由）で削られました",
    ] {
        assert!(line.contains(words), "{words}: {line}");
    }
    // The connection's sheet still names it; the outsourcing sheet decides.
    assert!(!grant.channels[0].items.contains(&"email".to_owned()));
}

#[test]
fn a_channel_opens_only_what_its_own_sheet_names() {
    let mut versions = whole();
    versions[1].content.items.retain(|i| i.id != "urine");
    let full = grant(&basis(versions.clone()), DAY).unwrap();
    assert_eq!(check_over(&full, Channel::Medium, &["urine"]), Ok(()));
    let wrong = check_over(&full, Channel::Lgwan, &["urine"]).unwrap_err();
    assert!(
        wrong[0].line.contains("外部結合シート 第1版"),
        "{}",
        wrong[0].line
    );
    versions.remove(1);
    let closed = grant(&basis(versions), DAY).unwrap();
    let wrong = check_over(&closed, Channel::Lgwan, &["sex", "urine"]).unwrap_err();
    assert_eq!(wrong.len(), 2);
}

#[test]
fn without_an_approved_sheet_a_day_or_a_contract_nothing_opens() {
    for state in [State::Draft, State::Superseded, State::Dropped] {
        let one = vec![version(1, Kind::Outsourcing, state)];
        assert_eq!(grant(&basis(one), DAY), Err(NoGrant::NoSheet), "{state:?}");
    }
    let mut once = whole();
    if let Some(period) = &mut once[2].content.period {
        period.renewed = false;
    }
    let refused = grant(&basis(once), DAY).unwrap_err();
    assert!(matches!(refused, NoGrant::Period { .. }), "{refused}");
    let ended = Basis {
        ended: true,
        ..basis(whole())
    };
    assert!(matches!(grant(&ended, DAY), Err(NoGrant::Contract { .. })));
    for day in [date(2026, 3, 31), date(2027, 4, 1)] {
        let late = grant(&basis(whole()), day);
        assert!(matches!(late, Err(NoGrant::Contract { .. })), "{day}");
    }
}
