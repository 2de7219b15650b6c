//! The words for places and problems, in both languages.

use crate::finding::{Place, Problem};
use crate::format::Hash;

fn short(token: &Hash) -> String {
    format!("{}…", hex::encode(&token[..4]))
}

impl Place {
    pub(crate) fn ja(&self) -> String {
        match self {
            Self::Leaf(index, Some(line)) => format!("{line} 行目の葉 {index}"),
            Self::Leaf(index, None) => format!("葉 {index}"),
            Self::File(name) => format!("ファイル {name}"),
            Self::Log(record) => format!("checkpoints.log の {record} 番"),
            Self::Known(name) => format!("以前のチェックポイント {name}"),
            Self::Statement => "証明書".into(),
            Self::Entry(n) => format!("証明書の記録 {n}"),
            Self::Map => "証明書の対応表".into(),
        }
    }

    pub(crate) fn en(&self) -> String {
        match self {
            Self::Leaf(index, Some(line)) => format!("leaf {index} of line {line}"),
            Self::Leaf(index, None) => format!("leaf {index}"),
            Self::File(name) => format!("file {name}"),
            Self::Log(record) => format!("record {record} of checkpoints.log"),
            Self::Known(name) => format!("known checkpoint {name}"),
            Self::Statement => "statement".into(),
            Self::Entry(n) => format!("entry {n} of the statement"),
            Self::Map => "map of the statement".into(),
        }
    }
}

impl Problem {
    pub(crate) fn ja(&self) -> String {
        use Problem as P;
        match self {
            P::Leaf(why) => format!("第 1 版の葉ではありません（{}）", why.ja()),
            P::LineJump(from, to) => format!("行番号が {from} から {to} へ飛んでいます"),
            P::ListJump(found, expected) => {
                format!("一覧の位置が {expected} ではなく {found} です")
            }
            P::CountChanged(from, to) => {
                format!("同じ行の件数が {from} から {to} へ変わっています")
            }
            P::LineUnfinished(line, have, count) => {
                format!("その前の {line} 行目は {count} 件中 {have} 件しかありません")
            }
            P::ChainJump(token, from, to) => format!(
                "トークン {} の連鎖が {from} から {to} へ飛んでいます",
                short(token)
            ),
            P::ChainLink(token, n) => format!(
                "トークン {} の連鎖の {n} 番が直前の葉を指していません",
                short(token)
            ),
            P::MapPersons(found, expected) => {
                format!("対応表の人数が {expected} ではなく {found} です")
            }
            P::MapRoot => "対応表が連鎖と一致しません".into(),
            P::RecordLength(at, length) => format!("位置 {at} の長さ {length} は許されません"),
            P::RecordCut(at) => format!("位置 {at} の記録が途中で終わっています"),
            P::Missing => "ファイルがないか、大きすぎます".into(),
            P::SegmentLong(leaves) => format!("{leaves} 件の後にもバイトがあります"),
            P::SegmentExtra => "葉の終わりより後のファイルです".into(),
            P::TooFew(leaves, size) => {
                format!("葉が {leaves} 件しかなく、最新のチェックポイントは {size} 件です")
            }
            P::Note(why) => format!(
                "この鍵で署名されたチェックポイントではありません（{}）",
                why.ja()
            ),
            P::Key(why) => format!("検証鍵ではありません（{}）", why.ja()),
            P::OtherKey => "渡された鍵と違います".into(),
            P::Root(size) => format!("{size} 件の木の根と一致しません"),
            P::CheckpointLine(found, expected) => {
                format!("行番号が {expected} ではなく {found} です")
            }
            P::CutsLine(line, have, count) => {
                format!("{line} 行目の {count} 件中 {have} 件で切れています")
            }
            P::SizeShrinks(from, to) => format!("件数が {from} から {to} へ減っています"),
            P::LineShrinks(from, to) => format!("行番号が {from} から {to} へ減っています"),
            P::NotInLog => "最新のチェックポイントが checkpoints.log の最後にありません".into(),
            P::KnownLonger(known, ours) => format!(
                "{known} 件を示していますが、最新のチェックポイントは {ours} 件です（巻き戻し）"
            ),
            P::LineMissing(line, last) => {
                format!("{line} 行目があったはずですが、最後は {last} 行目です（切り詰め）")
            }
            P::Json(why) => format!("JSON が書式に合いません（{why}）"),
            P::Field(name) => format!("項目 {name} が書式に合いません"),
            P::NoEntry => "記録がないため、全件であることを示せません".into(),
            P::OtherPerson => "この人の葉ではありません".into(),
            P::Order => "葉の順序が正しくありません".into(),
            P::Proof => "証明がチェックポイントの根に届きません".into(),
            P::MapNotLast => "木の最後の葉である対応表ではありません".into(),
            P::MapEntry(n) => format!("対応表はこの人の記録がこの {n} 件で全部だと示していません"),
        }
    }

    pub(crate) fn en(&self) -> String {
        use Problem as P;
        match self {
            P::Leaf(why) => format!("is not a leaf of version 1 ({})", why.en()),
            P::LineJump(from, to) => format!("line number jumps from {from} to {to}"),
            P::ListJump(found, expected) => {
                format!("place in the line's list is {found}, not {expected}")
            }
            P::CountChanged(from, to) => format!("count of the line changes from {from} to {to}"),
            P::LineUnfinished(line, have, count) => {
                format!("line {line} before it has only {have} of {count} leaves")
            }
            P::ChainJump(token, from, to) => {
                format!("chain of token {} jumps from {from} to {to}", short(token))
            }
            P::ChainLink(token, n) => format!(
                "chain of token {} at {n} does not point to the leaf before it",
                short(token)
            ),
            P::MapPersons(found, expected) => format!("map counts {found} persons, not {expected}"),
            P::MapRoot => "map does not equal the chains before it".into(),
            P::RecordLength(at, length) => format!("length {length} at byte {at} is not allowed"),
            P::RecordCut(at) => format!("record at byte {at} is cut short"),
            P::Missing => "is missing or too large".into(),
            P::SegmentLong(leaves) => format!("goes on after {leaves} leaves"),
            P::SegmentExtra => "stands after the end of the leaves".into(),
            P::TooFew(leaves, size) => {
                format!("only {leaves} leaves stand, the newest checkpoint covers {size}")
            }
            P::Note(why) => format!("is not a checkpoint signed by this key ({why})"),
            P::Key(why) => format!("is not a verifier key ({why})"),
            P::OtherKey => "is not the key given".into(),
            P::Root(size) => format!("root is not that of the tree of {size} leaves"),
            P::CheckpointLine(found, expected) => format!("line is {found}, not {expected}"),
            P::CutsLine(line, have, count) => {
                format!("ends inside line {line}, after {have} of {count} leaves")
            }
            P::SizeShrinks(from, to) => format!("size shrinks from {from} to {to}"),
            P::LineShrinks(from, to) => format!("line shrinks from {from} to {to}"),
            P::NotInLog => "newest checkpoint is not the last one of checkpoints.log".into(),
            P::KnownLonger(known, ours) => {
                format!("covers {known} leaves, the newest checkpoint only {ours} (rolled back)")
            }
            P::LineMissing(line, last) => {
                format!("line {line} is missing, the last one is line {last} (truncated)")
            }
            P::Json(why) => format!("JSON is not as prescribed ({why})"),
            P::Field(name) => format!("field {name} is not as prescribed"),
            P::NoEntry => "has no entry, so it cannot show that it is complete".into(),
            P::OtherPerson => "is not a leaf of this person".into(),
            P::Order => "is out of order".into(),
            P::Proof => "proof does not lead to the checkpoint's root".into(),
            P::MapNotLast => "is not the map leaf at the end of the tree".into(),
            P::MapEntry(n) => {
                format!("does not show that these {n} entries are all of this person")
            }
        }
    }
}
