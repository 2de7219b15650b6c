//! The map of 見守市: 13 districts, about 120 町丁目, all invented.

use crate::draw::Draw;

/// One 町丁目 of the sample town.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// 7 digits: town 4, 丁目 3 (`000` without 丁目).
    pub code: String,
    /// Name of the district (地区), one of 13.
    pub district: &'static str,
    /// `見守市本町三丁目`.
    pub name: String,
    /// `999-0101`, a code that no post office has.
    pub postal: String,
}

/// District and its towns with their number of 丁目 (0 = none).
const MAP: [(&str, &[(&str, u8)]); 13] = [
    (
        "本町",
        &[("本町", 5), ("元町", 3), ("大手町", 2), ("鐘つき町", 0)],
    ),
    (
        "駅前",
        &[("駅前通", 4), ("新栄町", 3), ("停車場町", 0), ("千歳台", 2)],
    ),
    ("東山", &[("東山", 4), ("東山台", 3), ("朝日見台", 3)]),
    (
        "西浜",
        &[("西浜", 3), ("汐見台", 4), ("松原町", 2), ("網干場", 0)],
    ),
    (
        "南が丘",
        &[("南が丘", 5), ("日だまり台", 3), ("梅の木町", 2)],
    ),
    (
        "北野",
        &[("北野", 4), ("北野原", 2), ("雪見町", 0), ("水車町", 2)],
    ),
    (
        "川端",
        &[("川端", 3), ("柳橋", 3), ("渡し場町", 0), ("中洲", 2)],
    ),
    ("緑台", &[("緑台", 6), ("若葉台", 4)]),
    ("見守台", &[("見守台", 5), ("鐘見ヶ丘", 3), ("星見ヶ丘", 2)]),
    ("桜堤", &[("桜堤", 4), ("花見小路", 2), ("土手下", 0)]),
    (
        "高塚",
        &[("高塚", 3), ("古墳前", 2), ("竹の内", 3), ("茶畑", 0)],
    ),
    (
        "湯の里",
        &[("湯の里", 3), ("湯元", 0), ("滝見", 2), ("炭焼", 0)],
    ),
    (
        "田上",
        &[
            ("田上", 3),
            ("田上新田", 0),
            ("稲穂", 3),
            ("蛍沢", 2),
            ("六本杉", 2),
        ],
    ),
];

const NUMERALS: [&str; 7] = ["", "一", "二", "三", "四", "五", "六"];

/// All 町丁目 in the order of their codes.
pub fn areas() -> Vec<Area> {
    let mut out = Vec::new();
    let mut town_number = 0;
    for (place, (district, towns)) in MAP.iter().enumerate() {
        for (in_district, (town, blocks)) in towns.iter().enumerate() {
            town_number += 1;
            let blocks = if *blocks == 0 { 0..=0 } else { 1..=*blocks };
            for block in blocks {
                let suffix = match NUMERALS.get(usize::from(block)) {
                    Some(numeral) if block > 0 => format!("{numeral}丁目"),
                    _ => String::new(),
                };
                out.push(Area {
                    code: format!("{town_number:04}{block:03}"),
                    district,
                    name: format!("見守市{town}{suffix}"),
                    postal: format!("999-{:02}{:02}", place + 1, in_district + 1),
                });
            }
        }
    }
    out
}

const BUILDINGS: [&str; 12] = [
    "コーポ見守",
    "メゾンこだち",
    "ハイツ日だまり",
    "みどり荘",
    "ひばり荘",
    "サンライズ柳",
    "市営北野住宅",
    "県営緑台団地",
    "グリーンハイム",
    "第二若葉マンション",
    "見守台スカイコート",
    "つばめアパート",
];

const FACILITIES: [(&str, &str, &str); 6] = [
    (
        "遠見市山手町1番地1",
        "999-8101",
        "特別養護老人ホーム　遠見の杜",
    ),
    (
        "遠見市浜通二丁目8番5号",
        "999-8102",
        "介護老人保健施設　なぎさ",
    ),
    (
        "川向町大字川向320番地",
        "999-8201",
        "特別養護老人ホーム　せせらぎ苑",
    ),
    ("雲井町雲井1205番地3", "999-8301", "有料老人ホーム　くもい"),
    (
        "雲井町湯沢77番地",
        "999-8302",
        "特別養護老人ホーム　ゆけむり",
    ),
    ("星降村字峠12番地", "999-8401", "養護老人ホーム　ほしのさと"),
];

const ELSEWHERE: [&str; 6] = [
    "遠見市城下一丁目",
    "遠見市浜通三丁目",
    "川向町大字下川原",
    "雲井町雲井",
    "南海市港町二丁目",
    "北峰市中央四丁目",
];

/// A place to live: one address of the file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub code: String,
    pub postal: String,
    pub address: String,
    pub building: String,
}

/// A home in the town.
pub(crate) fn home(draw: &Draw, areas: &[Area]) -> Place {
    let area = draw.pick(areas);
    let (a, b) = (draw.below(38) + 1, draw.below(24) + 1);
    let number = if area.code.ends_with("000") {
        format!("{}番地{}", a * 7 + b, draw.below(5) + 1)
    } else {
        format!("{a}番{b}号")
    };
    let building = if draw.percent(28) {
        let (floor, room) = (draw.below(7) + 1, draw.below(12) + 1);
        format!("{}　{floor}{room:02}号室", draw.pick(&BUILDINGS))
    } else {
        String::new()
    };
    Place {
        code: area.code.clone(),
        postal: area.postal.clone(),
        address: format!("{}{number}", area.name),
        building,
    }
}

/// A facility in another town, for 住所地特例.
pub(crate) fn facility(draw: &Draw) -> Place {
    let (address, postal, building) = draw.pick(&FACILITIES);
    Place {
        code: "0000000".to_owned(),
        postal: (*postal).to_owned(),
        address: (*address).to_owned(),
        building: (*building).to_owned(),
    }
}

/// An address in another town, for 転出.
pub(crate) fn elsewhere(draw: &Draw) -> String {
    format!(
        "{}{}番地{}",
        draw.pick(&ELSEWHERE),
        draw.below(200) + 1,
        draw.below(9) + 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_town_has_13_districts_and_about_120_areas_with_codes_of_their_own() {
        let all = areas();
        let districts: HashSet<_> = all.iter().map(|a| a.district).collect();
        let codes: HashSet<_> = all.iter().map(|a| &a.code).collect();
        assert_eq!(districts.len(), 13);
        assert!((110..=130).contains(&all.len()), "{}", all.len());
        assert_eq!(codes.len(), all.len());
        assert!(all.iter().all(|a| a.code.len() == 7 && a.postal.len() == 8));
    }
}
