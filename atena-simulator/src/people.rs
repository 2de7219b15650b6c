use mimamori_kernel::check::individual_number_check;
use mimamori_kernel::random::SeededRandom;

/// An invented person as 統合宛名 knows him.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Person {
    /// 宛名番号 of the care-insurance system, 15 digits.
    pub address_number: String,
    /// Invented individual number with a right check digit, 12 digits.
    pub individual_number: String,
}

/// `count` invented people, a function of `seed`. 宛名番号 count up from 1; no number comes twice.
pub fn people(count: u32, seed: u64) -> Vec<Person> {
    let random = SeededRandom::new(seed);
    let mut taken = std::collections::HashSet::new();
    let mut out = Vec::new();
    while out.len() < count as usize {
        let eleven = format!("{:011}", random.below(99_999_999_999) + 1);
        let Ok(check) = individual_number_check(&eleven) else {
            continue;
        };
        if taken.insert(eleven.clone()) {
            out.push(Person {
                address_number: format!("{:015}", out.len() + 1),
                individual_number: format!("{eleven}{check}"),
            });
        }
    }
    out
}
