//! PROTECTION G5.6: a few leaked rows name every package that held them.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;

use mimamori_kernel::random::SeededRandom;
use mimamori_package::*;

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[test]
fn in_all_trials_the_packages_that_held_a_leaked_row_are_named_and_no_others() {
    let random = SeededRandom::new(56);
    let all = columns(&["氏名（漢字）", "生年月日", "電話番号", "住所", "eGFR"]);
    let sets = vec![
        columns(&["氏名（漢字）", "生年月日"]),
        columns(&["氏名（漢字）", "電話番号"]),
        columns(&["氏名（漢字）", "住所"]),
    ];
    let digester = Digester::new([5; 32], sets);
    let person = |n: u64| {
        vec![
            format!("見本 ﾀﾛｳ{n}"),
            format!("19{:02}-01-0{}", n % 70 + 20, n % 9 + 1),
            format!("03-0000-{n:04}"),
            format!("見本町{}丁目{n}番地", n % 9),
            format!("{}", n % 60 + 30),
        ]
    };
    // 40 packages, each with some of 2,000 people.
    let mut held: HashMap<RowDigest, BTreeSet<String>> = HashMap::new();
    let mut content: Vec<BTreeSet<u64>> = Vec::new();
    for package in 0..40 {
        let people: BTreeSet<u64> = (0..200).map(|_| random.below(2_000)).collect();
        for n in &people {
            for digest in digester.row(&all, &person(*n)) {
                let packages = held.entry(digest).or_default();
                packages.insert(format!("{package:02}"));
            }
        }
        content.push(people);
    }
    for trial in 0..1_000u64 {
        let n = random.below(2_000);
        // The leaked list has other columns, another order, other widths and spaces.
        let full = person(n);
        let (names, row) = match trial % 3 {
            0 => (
                columns(&["eGFR", "生年月日", "氏名（漢字）"]),
                vec![
                    full[4].clone(),
                    full[1].replace('-', "/"),
                    full[0].replace(' ', "　"),
                ],
            ),
            1 => (
                columns(&["氏名（漢字）", "電話番号"]),
                vec![full[0].replace("ﾀﾛｳ", "タロウ"), full[2].replace('-', "")],
            ),
            _ => (
                columns(&["住所", "氏名（漢字）"]),
                vec![full[3].clone(), full[0].replace(' ', "")],
            ),
        };
        let found = trace_leak(&digester, &names, &[row], |digest| {
            let packages = held.get(&digest).cloned().unwrap_or_default();
            Ok::<_, Infallible>(packages.into_iter().collect())
        })
        .unwrap();
        let found: BTreeSet<String> = found.into_iter().map(|r| r.package).collect();
        let expected: BTreeSet<String> = (0..40)
            .filter(|p| content[*p].contains(&n))
            .map(|p| format!("{p:02}"))
            .collect();
        assert_eq!(found, expected, "trial {trial}");
    }
}

#[test]
fn digests_differ_by_key_and_by_column_and_empty_values_have_none() {
    let sets = vec![columns(&["a"]), columns(&["b"])];
    let (one, two) = (
        Digester::new([1; 32], sets.clone()),
        Digester::new([2; 32], sets),
    );
    let names = columns(&["a", "b"]);
    let row = columns(&["同じ", "同じ"]);
    let digests = one.row(&names, &row);
    assert_eq!(digests.len(), 2);
    assert_ne!(digests[0], digests[1]);
    assert_ne!(digests, two.row(&names, &row));
    assert!(one.row(&names, &columns(&["", " "])).is_empty());
}
