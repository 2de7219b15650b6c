//! What can be wrong with a row (取込みの誤り): codes, sentences, and the list of findings.

use std::collections::BTreeSet;

use mimamori_kernel::date::DateError;
use mimamori_kernel::error::Coded as _;

use super::layout::{HOUSEHOLD_ITEMS, RESIDENT_ITEMS};

/// Findings that are kept at most; 16 bytes each. Reading stops there.
const MOST: usize = 1_000_000;

/// One of the two files of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sheet {
    /// Persons and their history.
    Residents,
    /// Households.
    Households,
}

impl Sheet {
    /// The file's name in lists: `residents.csv`, `households.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Residents => super::RESIDENTS,
            Self::Households => super::HOUSEHOLDS,
        }
    }

    /// The sheet of a file name.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Residents, Self::Households]
            .into_iter()
            .find(|s| s.name() == name)
    }

    /// What the file must tell, in our order.
    pub fn items(self) -> &'static [&'static str] {
        match self {
            Self::Residents => &RESIDENT_ITEMS,
            Self::Households => &HOUSEHOLD_ITEMS,
        }
    }
}

macro_rules! faults {
    ($($name:ident $code:literal $sentence:literal,)*) => {
        /// What is wrong, without the value.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each variant's sentence says what it is")]
        pub enum Fault { $($name,)* }

        impl Fault {
            const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// One sentence in Japanese for the office that made the file.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

faults! {
    Header "IMPORT-HEADER" "見出しの行に、この項目の列がありません（または二つあります）。",
    Columns "IMPORT-COLUMNS" "列の数が見出しの行と違います。",
    Quote "IMPORT-QUOTE" "引用符が閉じていないか、項目の中に改行があります。",
    Cut "IMPORT-CUT" "ファイルの最後の行が途中で切れています。",
    Length "IMPORT-LENGTH" "項目が長すぎます（4,096バイトまで）。",
    Encoding "IMPORT-ENCODING" "文字コードとして読めない文字があります。",
    Control "IMPORT-CONTROL" "タブなどの制御文字が含まれています。",
    Gaiji "IMPORT-GAIJI" "外字が含まれています。表示できないことがあります。",
    Digits "IMPORT-DIGITS" "決められた桁数の半角数字ではありません。",
    Width "IMPORT-WIDTH" "数字が全角です。半角で出力してください。",
    Zeros "IMPORT-ZEROS" "先頭の0が欠けています（桁数が足りません）。",
    Number "IMPORT-NUMBER" "1から99999までの半角数字ではありません。",
    Choice "IMPORT-CHOICE" "決められた値ではありません。",
    Empty "IMPORT-EMPTY" "必須の項目が空です。",
    Kana "IMPORT-KANA" "カナではない文字があります（列が入れ替わっていませんか）。",
    Postal "IMPORT-POSTAL" "郵便番号の形（7桁）ではありません。",
    Reason "IMPORT-REASON" "異動事由が決められた語ではありません。",
    Insured "IMPORT-INSURED" "被保険者番号が半角10文字ではありません。",
    CheckDigit "IMPORT-CHECK-DIGIT" "被保険者番号の検査数字が合いません。",
    BeforeBirth "IMPORT-BEFORE-BIRTH" "異動日が生年月日より前です。",
    Order "IMPORT-ORDER" "消除日が成立日より前です。",
    Twice "IMPORT-TWICE" "同じ番号の行が二つ以上あります。",
    Gap "IMPORT-GAP" "直前の履歴番号の行がありません。",
    Latest "IMPORT-LATEST" "最新の行が一人に一つではないか、最後の履歴ではありません。",
    SameInsured "IMPORT-SAME-INSURED" "同じ被保険者番号の人がほかにもいます。",
    Household "IMPORT-HOUSEHOLD" "世帯のファイルにない世帯番号です。",
    Head "IMPORT-HEAD" "世帯主が住民のファイルにありません。",
    HeadElsewhere "IMPORT-HEAD-ELSEWHERE" "世帯主が別の世帯の人です。",
    OtherPerson "IMPORT-OTHER-PERSON" "同じ宛名番号の今の記録と、生年月日もカナ氏名も違います（別人の疑い）。今の記録を残します。",
    NotSample "IMPORT-NOT-SAMPLE" "見本のデータの印がありません。デモには見本の町だけを取り込めます。",
    DateEmpty "DATE-EMPTY" "日付が空です。",
    DateShape "DATE-SHAPE" "日付の形として読めません。",
    DateYear "DATE-YEAR" "年が正しくありません。",
    DateEraYear "DATE-ERA-YEAR" "元号の年は元年（1年）から始まります。",
    DateEraStart "DATE-ERA-START" "元号が始まる前の日付です。",
    DateEraEnd "DATE-ERA-END" "元号が終わった後の日付です（昭和は64年1月7日まで）。",
    DateMonth "DATE-MONTH" "月は1から12までです。",
    DateDay "DATE-DAY" "その月にない日付です。",
    DateUnknownOrder "DATE-UNKNOWN-ORDER" "年や月が不詳のときは、その下の月日も不詳になります。",
    DateContradiction "DATE-CONTRADICTION" "和暦とかっこ内の西暦が合いません。",
}

impl Fault {
    /// The fault of a code; none for an unknown one.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|f| f.code() == code)
    }

    /// A warning (注意) is listed, but does not keep the row back (FACTS B.1).
    pub fn is_warning(self) -> bool {
        matches!(self, Self::CheckDigit | Self::Gaiji)
    }
}

impl From<DateError> for Fault {
    fn from(error: DateError) -> Self {
        Self::of(error.code()).unwrap_or(Self::DateShape)
    }
}

/// One thing that is wrong with one row; never the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// The file.
    pub sheet: Sheet,
    /// Line of the file; the header is line 1.
    pub row: u64,
    item: u8,
    /// What is wrong.
    pub fault: Fault,
}

impl Finding {
    /// A finding at `item`, a place in [`Sheet::items`]; none for the row as a whole.
    pub fn new(sheet: Sheet, row: u64, item: Option<usize>, fault: Fault) -> Self {
        let item = item.and_then(|i| u8::try_from(i).ok()).unwrap_or(u8::MAX);
        Self {
            sheet,
            row,
            item,
            fault,
        }
    }

    /// Name of the item, or `行` for the row as a whole.
    pub fn item(&self) -> &'static str {
        let at = usize::from(self.item);
        self.sheet.items().get(at).copied().unwrap_or("行")
    }

    /// 誤り or 注意.
    pub fn weight(&self) -> &'static str {
        if self.fault.is_warning() {
            "注意"
        } else {
            "誤り"
        }
    }
}

/// All findings of an import, in order of file and row, each once.
#[derive(Debug, Default)]
pub(super) struct Findings {
    all: BTreeSet<Finding>,
    errors: u64,
}

impl Findings {
    pub fn add(&mut self, finding: Finding) {
        if !self.is_full() && self.all.insert(finding) && !finding.fault.is_warning() {
            self.errors += 1;
        }
    }

    /// Findings that keep a row back.
    pub fn errors(&self) -> u64 {
        self.errors
    }

    pub fn is_full(&self) -> bool {
        self.all.len() >= MOST
    }

    pub fn into_vec(self) -> Vec<Finding> {
        self.all.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_back_to_its_fault_and_every_date_error_has_one() {
        for fault in Fault::ALL {
            assert_eq!(Fault::of(fault.code()), Some(*fault));
            assert!(fault.sentence().ends_with('。'));
        }
        for error in [DateError::Empty, DateError::Month, DateError::UnknownOrder] {
            assert_eq!(Fault::from(error).code(), error.code());
        }
    }

    #[test]
    fn findings_are_small_because_there_can_be_a_million() {
        assert!(std::mem::size_of::<Finding>() <= 16);
    }
}
