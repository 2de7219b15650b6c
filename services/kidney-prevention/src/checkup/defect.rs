//! What is wrong with a row or a value (取込みの誤り): place, item, reason; never the value.

/// What a defect keeps back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// 取込み不可: the whole row or document.
    Row,
    /// 項目を除外: this one value.
    Item,
    /// 注意: nothing; it is told.
    Notice,
}

impl Weight {
    /// The word on a screen.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Row => "取込み不可",
            Self::Item => "項目を除外",
            Self::Notice => "注意",
        }
    }
}

macro_rules! reasons {
    ($($name:ident $code:literal $weight:ident $sentence:literal,)*) => {
        /// Why.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each variant's sentence says what it is")]
        pub enum Reason { $($name,)* }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What it keeps back.
            pub fn weight(self) -> Weight {
                match self { $(Self::$name => Weight::$weight,)* }
            }

            /// One sentence in Japanese for the office that made the file.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

reasons! {
    Xml "CHECKUP-XML" Row "XMLとして読めません（文書型定義を含むもの、大きすぎるもの、深すぎるものも読みません）。",
    Document "CHECKUP-DOCUMENT" Row "特定健診の結果（報告区分10）の文書ではありません。",
    Encoding "CHECKUP-ENCODING" Row "文字コードとして読めない文字があります。",
    Columns "CHECKUP-COLUMNS" Row "列の数が見出しの行と違います。",
    Quote "CHECKUP-QUOTE" Row "引用符が閉じていないか、行が途中で切れています。",
    LongRow "CHECKUP-LONG-ROW" Row "行が長すぎます（64KBまで）。",
    Empty "CHECKUP-EMPTY" Row "必須の項目が空です。",
    Date "CHECKUP-DATE" Row "年月日として読めないか、月日が不詳です。",
    Sex "CHECKUP-SEX" Row "男女区分が1か2ではありません。",
    BeforeBirth "CHECKUP-BEFORE-BIRTH" Row "健診実施日が生年月日より前です。",
    Future "CHECKUP-FUTURE" Row "健診実施日が取込みの日より後です。",
    Period "CHECKUP-PERIOD" Row "項目コード表にない年度の健診です。",
    Resident "CHECKUP-RESIDENT" Row "宛名番号が15桁の半角数字ではありません。",
    Repeated "CHECKUP-REPEATED" Row "同じ人の同じ日の結果が、このファイルにもう一つあり、内容が違います。",
    Nobody "CHECKUP-NOBODY" Row "住民の記録に、この番号・カナ氏名・生年月日・性別の人がいません。",
    Several "CHECKUP-SEVERAL" Row "カナ氏名・生年月日・性別が同じ人が住民の記録に二人以上います。宛名番号で取り込んでください。",
    Taken "CHECKUP-TAKEN" Row "同じ人の同じ日の結果が、すでに取り込まれていて、内容が違います。",
    Again "CHECKUP-AGAIN" Notice "同じ人の同じ日の同じ結果が、すでに取り込まれています。取り込みません。",
    Ticket "CHECKUP-TICKET" Notice "受診券整理番号が11桁の半角数字ではありません。",
    Facility "CHECKUP-FACILITY" Notice "健診機関番号が10桁の半角数字ではありません。",
    SameAgain "CHECKUP-SAME-AGAIN" Notice "同じ人の同じ日の同じ結果がもう一つあります。一つだけ取り込みます。",
    Kana "CHECKUP-KANA" Notice "氏名にカナではない文字があります。",
    HalfWidth "CHECKUP-HALF-WIDTH" Notice "氏名が半角カナです。全角カナにして取り込みます。",
    Gaiji "CHECKUP-GAIJI" Notice "外字が含まれています。表示できないことがあります。",
    Code "CHECKUP-CODE" Notice "項目コード表にないコードです。取り込みません。",
    Number "CHECKUP-NUMBER" Item "数字として読めません。",
    Decimals "CHECKUP-DECIMALS" Item "小数の桁数が多すぎます。",
    Unit "CHECKUP-UNIT" Item "単位が項目コード表と違います。",
    Range "CHECKUP-RANGE" Item "入力範囲の外ですが、L（以下）・H（以上）の印がありません。",
    Mark "CHECKUP-MARK" Item "L（以下）・H（以上）の印と値が合いません。",
    Choice "CHECKUP-CHOICE" Item "この年度の選択肢にない値です。",
    CodeYear "CHECKUP-CODE-YEAR" Item "この年度の項目コード表にないコードです。",
    Jds "CHECKUP-JDS" Item "HbA1cがJDS値です。NGSP値と混ぜられないため、取り込みません。",
    Twice "CHECKUP-TWICE" Item "同じ項目コードが二つ以上あり、値が違います。",
    Kind "CHECKUP-KIND" Item "値の型が項目コード表と違います。",
}

/// One thing that is wrong, without the value itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// Name of the item, or `文書`, `行` for the whole.
    pub item: String,
    /// Why.
    pub reason: Reason,
}

impl Reason {
    /// The reason of a code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.code() == code)
    }
}

impl Defect {
    /// A defect of an item.
    pub fn new(item: impl Into<String>, reason: Reason) -> Self {
        Self {
            item: item.into(),
            reason,
        }
    }
}

/// Whether any of them keeps the whole row back.
pub(super) fn refuses(defects: &[Defect]) -> bool {
    defects.iter().any(|d| d.reason.weight() == Weight::Row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_code_and_a_sentence() {
        let codes: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert!(Reason::ALL.iter().all(|r| r.sentence().ends_with('。')));
    }
}
