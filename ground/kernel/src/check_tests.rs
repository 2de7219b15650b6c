use super::*;
use proptest::prelude::*;

#[test]
fn known_individual_numbers_pass_and_wrong_ones_do_not() {
    for number in [
        "123456789018",
        "023456789013",
        "999999999996",
        "135792468015",
        "987654321093",
        "100000000005",
        "000000000019",
        "621498320257",
        "000000000060",
        "123456789000",
    ] {
        assert_eq!(individual_number(number), Ok(()), "{number}");
    }
    for number in ["123456789012", "621498320258"] {
        assert_eq!(individual_number(number).unwrap_err().code(), "CHECK-DIGIT");
    }
    assert_eq!(
        individual_number("000000000000").unwrap_err().code(),
        "CHECK-ALL-ZERO"
    );
    assert_eq!(
        individual_number("12345678901").unwrap_err().code(),
        "CHECK-LENGTH"
    );
    assert_eq!(
        individual_number("１23456789018").unwrap_err().code(),
        "CHECK-CHARACTER"
    );
}

#[test]
fn the_two_six_digit_codes_of_one_town_are_told_apart() {
    for code in ["131045", "142059", "082164", "131151", "131128", "141002"] {
        assert_eq!(care_insurer(code), Ok(()), "{code}");
    }
    for code in ["142051", "131041", "082163"] {
        assert_eq!(local_government(code), Ok(()), "{code}");
        assert!(care_insurer(code).is_err(), "{code}");
    }
}

#[test]
fn an_insured_number_is_text_and_its_digit_only_warns() {
    assert_eq!(
        insured_number("0000012345", InsuredMethod::None),
        Ok(InsuredCheck::Sound)
    );
    assert_eq!(
        insured_number("H000012345", InsuredMethod::Mod10),
        Ok(InsuredCheck::Sound)
    );
    assert_eq!(
        insured_number("0000000018", InsuredMethod::Mod10),
        Ok(InsuredCheck::Sound)
    );
    assert_eq!(
        insured_number("0000000019", InsuredMethod::Mod10),
        Ok(InsuredCheck::Warn)
    );
    assert!(insured_number("12345", InsuredMethod::None).is_err());
    assert!(insured_number("00000h2345", InsuredMethod::None).is_err());
    assert!(insured_number("あ000012345", InsuredMethod::None).is_err());
}

proptest! {
    #[test]
    fn a_number_with_its_own_check_digit_passes(n in 1u64..100_000_000_000) {
        let eleven = format!("{n:011}");
        let check = individual_number_check(&eleven).unwrap();
        prop_assert_eq!(individual_number(&format!("{eleven}{check}")), Ok(()));
        let wrong = format!("{eleven}{}", (check + 1) % 10);
        prop_assert!(individual_number(&wrong).is_err());
    }

    #[test]
    fn no_text_makes_a_check_panic(text in "\\PC*") {
        let _ = individual_number(&text);
        let _ = care_insurer(&text);
        let _ = local_government(&text);
        let _ = insured_number(&text, InsuredMethod::Mod10);
    }
}
