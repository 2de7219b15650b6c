//! The closed catalogue of items that a sheet can name (情報項目), in the order of document 001 (S1-16 to S1-18).

/// Words that several items share on a sheet, as `氏名（カナ・漢字）`.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// Words before the bracket.
    pub words: &'static str,
    /// What stands between the members.
    pub between: &'static str,
}

/// One item of personal data that can leave the town.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// Id in packages, grants and sheets.
    pub id: &'static str,
    /// Its name when it stands alone.
    pub name: &'static str,
    /// Its words inside its group, or its name again.
    pub short: &'static str,
    /// The group it belongs to.
    pub group: Option<&'static Group>,
    /// 要配慮個人情報 (S1-18; of the results of a health check: 想定).
    pub sensitive: bool,
}

const NAME: Group = Group {
    words: "氏名",
    between: "・",
};
const RESULTS: Group = Group {
    words: "特定健康診査の受診結果及びかかりつけ医における検査結果",
    between: "、",
};

const fn plain(id: &'static str, name: &'static str, sensitive: bool) -> Item {
    Item {
        id,
        name,
        short: name,
        group: None,
        sensitive,
    }
}

const fn result(id: &'static str, name: &'static str) -> Item {
    Item {
        id,
        name,
        short: name,
        group: Some(&RESULTS),
        sensitive: true,
    }
}

const fn name(id: &'static str, name: &'static str, short: &'static str) -> Item {
    Item {
        id,
        name,
        short,
        group: Some(&NAME),
        sensitive: false,
    }
}

/// All items, in the order in which a sheet prints them.
pub const ITEMS: [Item; 19] = [
    name("name_kana", "氏名（カナ）", "カナ"),
    name("name_kanji", "氏名（漢字）", "漢字"),
    plain("birth_date", "生年月日", false),
    plain("sex", "性別", false),
    plain("address", "住所", false),
    plain("phone", "電話番号", false),
    plain("email", "メールアドレス", false),
    result("body_measurement", "身体測定結果"),
    result("blood_pressure", "血圧測定"),
    result("lipids", "脂質検査"),
    result("liver", "肝機能検査"),
    result("blood_glucose", "血糖検査"),
    result("urine", "尿検査"),
    result("anaemia", "貧血検査"),
    result("smoking", "喫煙"),
    result("kidney_function", "腎機能検査"),
    plain("disease_names", "傷病名", true),
    plain("treatment_state", "治療状況", true),
    plain("guidance_instructions", "保健指導における指示事項", true),
];

/// The item with this id.
pub fn find(id: &str) -> Option<&'static Item> {
    ITEMS.iter().find(|i| i.id == id)
}

/// Items with their words as one line of a sheet: members of a group that follow each other share a bracket.
pub fn line<'a>(items: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut open: Option<&'static Group> = None;
    for (id, words) in items {
        let group = find(id).and_then(|i| i.group);
        match (group, open, out.last_mut()) {
            (Some(group), Some(before), Some(last)) if group == before => {
                last.push_str(group.between);
                last.push_str(words);
            }
            (group, before, last) => {
                if let (Some(_), Some(last)) = (before, last) {
                    last.push('）');
                }
                out.push(match group {
                    Some(group) => format!("{}（{words}", group.words),
                    None => words.to_owned(),
                });
            }
        }
        open = group;
    }
    if let (Some(_), Some(last)) = (open, out.last_mut()) {
        last.push('）');
    }
    out.join("、")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> String {
        line(ITEMS.iter().map(|i| (i.id, i.short)))
    }

    #[test]
    fn all_items_make_the_line_of_document_001() {
        assert_eq!(
            all(),
            "氏名（カナ・漢字）、生年月日、性別、住所、電話番号、メールアドレス、特定健康診査の受診結果及びかかりつけ医における検査結果（身体測定結果、\
             血圧測定、脂質検査、肝機能検査、血糖検査、尿検査、貧血検査、喫煙、腎機能検査）、傷病名、治療状況、保健指導における指示事項"
        );
    }

    #[test]
    fn a_group_of_one_and_a_group_at_the_end_are_closed() {
        let line = |ids: &[&'static str]| line(ids.iter().map(|id| (*id, find(id).unwrap().short)));
        assert_eq!(line(&["name_kana", "sex"]), "氏名（カナ）、性別");
        assert_eq!(
            line(&["sex", "urine", "smoking"]),
            "性別、特定健康診査の受診結果及びかかりつけ医における検査結果（尿検査、喫煙）"
        );
        assert_eq!(line(&["name_kanji", "urine"]).matches('）').count(), 2);
        assert_eq!(line(&[]), "");
    }

    #[test]
    fn no_id_stands_twice() {
        for (at, item) in ITEMS.iter().enumerate() {
            assert!(
                !ITEMS[at + 1..]
                    .iter()
                    .any(|o| o.id == item.id || o.name == item.name)
            );
        }
    }
}
