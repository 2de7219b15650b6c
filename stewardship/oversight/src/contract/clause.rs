//! The 21 clauses (特記事項) as obligations: whose, when, proved by what (TK-1 to TK-21, FACTS F.4).

use super::store::Variant;

/// Who owes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// 甲, the town.
    Town,
    /// 乙, the contractor.
    Partner,
}

impl Side {
    /// 甲 or 乙 with who that is.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Town => "甲（区市町村）",
            Self::Partner => "乙（委託先）",
        }
    }
}

/// When it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So soon after the first day of the work; the word is a setting.
    Start(Word),
    /// Before the first day.
    Before,
    /// Once in each fiscal year of the contract, by its last day (TK-16).
    Yearly,
    /// So soon after the contract's last day.
    End(Word),
    /// So soon after each time that it happens.
    Happens(Word),
}

/// A word of the clauses that has no number in them; the number is the town's setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// 直ちに.
    AtOnce,
    /// 速やかに.
    Promptly,
    /// 遅滞なく.
    WithoutDelay,
}

impl Word {
    /// All words.
    pub const ALL: [Self; 3] = [Self::AtOnce, Self::Promptly, Self::WithoutDelay];

    /// Code of the setting.
    pub fn code(self) -> &'static str {
        match self {
            Self::AtOnce => "at-once",
            Self::Promptly => "promptly",
            Self::WithoutDelay => "without-delay",
        }
    }

    /// The word.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::AtOnce => "直ちに",
            Self::Promptly => "速やかに",
            Self::WithoutDelay => "遅滞なく",
        }
    }
}

/// One clause.
#[derive(Debug, PartialEq, Eq)]
pub struct Clause {
    /// Number, 1 to 21.
    pub number: i64,
    /// Heading in the documents.
    pub heading: &'static str,
    /// What is owed, in our words.
    pub duty: &'static str,
    /// Who owes it.
    pub side: Side,
    /// When.
    pub when: When,
    /// What proves it.
    pub evidence: &'static str,
    /// It goes on after the contract's end (TK-2).
    pub endless: bool,
}

const fn clause(
    number: i64,
    heading: &'static str,
    duty: &'static str,
    side: Side,
    when: When,
    evidence: &'static str,
) -> Clause {
    Clause {
        number,
        heading,
        duty,
        side,
        when,
        evidence,
        endless: number == 2,
    }
}

use Side::{Partner, Town};
use When::{Before, End, Happens, Start, Yearly};
use Word::{AtOnce, Promptly, WithoutDelay};

/// The clauses; clause 11 here is that of document 003.
const CLAUSES: [Clause; 21] = [
    clause(
        1,
        "基本的事項",
        "重要性を認識し、必要な措置を講じる",
        Partner,
        Start(WithoutDelay),
        "各項の確認（日付・確認した人）",
    ),
    clause(
        2,
        "秘密の保持",
        "知り得た個人情報を漏らさない。契約の終了後も同じ",
        Partner,
        Before,
        "誓約書",
    ),
    clause(
        3,
        "適正収集",
        "目的を特定し、必要な最小限を公正な手段で集める",
        Partner,
        Before,
        "収集の様式と項目の確認",
    ),
    clause(
        4,
        "本人収集及び利用目的の明示",
        "目的を本人に示し、本人から集める",
        Partner,
        Before,
        "明示の方法の確認、又は承諾の番号",
    ),
    clause(
        5,
        "収集禁止事項",
        "思想・差別の原因・犯罪などに関する事項を集めない",
        Partner,
        Before,
        "様式に禁止事項がないことの確認、又は承諾の番号",
    ),
    clause(
        6,
        "持出しの禁止",
        "指定された場所の外へ持ち出さない",
        Partner,
        Happens(AtOnce),
        "承諾の番号",
    ),
    clause(
        7,
        "目的外利用及び第三者への提供等の禁止",
        "契約の目的以外に使わず、第三者に提供しない",
        Partner,
        End(WithoutDelay),
        "目的ごとの利用記録、提供がないことの報告",
    ),
    clause(
        8,
        "適正な管理",
        "施錠できる保管庫などで保管し管理する",
        Partner,
        Yearly,
        "保管場所と年1回の点検の記録",
    ),
    clause(
        9,
        "複写等の禁止",
        "提供された個人情報を複写・複製しない",
        Partner,
        End(WithoutDelay),
        "複写0件の報告、又は指示の番号",
    ),
    clause(
        10,
        "再委託の禁止",
        "個人情報を扱う業務を第三者に委託しない",
        Partner,
        Before,
        "再委託をしない旨の申告",
    ),
    clause(
        11,
        "資料等の返還等",
        "契約の終了後に資料等を返還・引渡しし、電子計算機の個人情報を消去する",
        Partner,
        End(WithoutDelay),
        "返還の受領書（甲の確認）",
    ),
    clause(
        12,
        "資料等の返還等（消去の証明）",
        "消去の記録を残し、証明書を提出する",
        Partner,
        End(WithoutDelay),
        "消去証明書（提出・確認）",
    ),
    clause(
        13,
        "個人情報を取り扱う従事者の指定",
        "取扱責任者と取扱者を指定し、報告する",
        Partner,
        Before,
        "名簿",
    ),
    clause(
        14,
        "業務に関する報告",
        "求めに応じて取扱いの状況を報告する",
        Partner,
        Happens(Promptly),
        "回答書",
    ),
    clause(
        15,
        "監査等（立入り調査等）",
        "報告した対策に基づき、適正な実施を確認する",
        Town,
        Yearly,
        "監査の記録",
    ),
    clause(
        16,
        "監査等（年度当たり1回以上）",
        "確認を年度当たり1回以上行う",
        Town,
        Yearly,
        "監査の日",
    ),
    clause(
        17,
        "監査等（監査を受ける）",
        "業務と管理の状況を明らかにし、監査を受ける",
        Partner,
        Yearly,
        "提出された資料",
    ),
    clause(
        18,
        "従事者に対する教育",
        "従事者を教育し、条例・法令を周知する",
        Partner,
        Start(WithoutDelay),
        "受講と周知の記録",
    ),
    clause(
        19,
        "事故発生時等における報告",
        "事故・そのおそれ・違反を通知し、書面で報告して指示に従う",
        Partner,
        Happens(Promptly),
        "通知の時刻、書面",
    ),
    clause(
        20,
        "公表等",
        "違反に対して指導し、公表するかを決める",
        Town,
        Happens(WithoutDelay),
        "指導書、公表の決裁",
    ),
    clause(
        21,
        "損害の賠償",
        "1から19までの違反による損害を賠償する",
        Partner,
        Happens(WithoutDelay),
        "賠償の記録",
    ),
];

/// Clause 11 of document 000: also when something is not needed any more.
const WHEN_NOT_NEEDED: Clause = clause(
    11,
    "資料等の返還等",
    "不要になったとき及び業務終了後に資料等を返還・引渡しし、電子計算機の個人情報を消去する",
    Partner,
    End(WithoutDelay),
    "返還の受領書（甲の確認）",
);

/// A clause of a variant.
pub fn find(variant: Variant, number: i64) -> Option<&'static Clause> {
    all(variant).find(|c| c.number == number)
}

/// All clauses of a variant.
pub fn all(variant: Variant) -> impl Iterator<Item = &'static Clause> {
    CLAUSES.iter().map(move |c| match (c.number, variant) {
        (11, Variant::WhenNotNeeded) => &WHEN_NOT_NEEDED,
        _ => c,
    })
}

/// Whether something can happen during the contract that makes the clause due: 14, 19, 20 and so on; with document 000's
/// wording also that something is not needed any more.
pub fn can_happen(variant: Variant, clause: &Clause) -> bool {
    let happens = matches!(clause.when, Happens(_));
    happens || clause.number == 11 && variant == Variant::WhenNotNeeded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_variants_have_the_21_clauses_and_differ_in_the_eleventh_alone() {
        let [old, new] = Variant::ALL.map(|v| all(v).collect::<Vec<_>>());
        let numbers: Vec<i64> = old.iter().map(|c| c.number).collect();
        assert_eq!(numbers, (1..=21).collect::<Vec<_>>());
        for (a, b) in old.iter().zip(&new) {
            assert_eq!(a == b, a.number != 11, "{}", a.number);
        }
        assert!(old.iter().all(|c| c.endless == (c.number == 2)));
        let happen = |variant| {
            let all = all(variant).filter(|c| can_happen(variant, c));
            all.map(|c| c.number).collect::<Vec<_>>()
        };
        assert_eq!(happen(Variant::AtTheEnd), [6, 14, 19, 20, 21]);
        assert_eq!(happen(Variant::WhenNotNeeded), [6, 11, 14, 19, 20, 21]);
    }
}
