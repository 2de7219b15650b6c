//! The five founding documents as five cards; what works and what does not, said plainly.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use mimamori_pages::{Frame, html};

use super::Site;

struct Card {
    number: &'static str,
    title: &'static str,
    town: &'static str,
    works: &'static [&'static str],
    open: &'static str,
}

/// What each document asks for and how far this version is.
const CARDS: [Card; 5] = [
    Card {
        number: "000",
        title: "新介護システム・新ケアマネシステム",
        town: "新宿区",
        works: &[
            "介護保険課の職員として入る",
            "住民の検索でカナ氏名と受付の種類を入れる",
            "一覧から記録を開く（被保険者と世帯員）",
            "システム管理者で /residents/search を開き、理由と根拠を示して断られることを確かめる",
            "mimamori-verify で、閲覧の行が証跡にあることを確かめる",
            "担当責任者で住民データの取込みを開き、誤りのある見本を取り込む",
            "介護保険課の職員で資格管理を開き、被保険者証の見本を見る",
            "運営管理責任者で利用者管理を開き、任命と契約を確かめる",
            "監査責任者で証跡の検索と点検の結果を開く",
        ],
        open: "個人番号、ケアマネジメント、委託先の作業はまだありません。暗号化した控えと復元訓練は mimamori backup で行い、画面には状態だけが出ます。資格管理より先の介護保険の業務もまだです。",
    },
    Card {
        number: "001",
        title: "糖尿病性腎症等重症化予防",
        town: "新宿区",
        works: &[],
        open: "対象者の選定、受け渡し、保健指導、報告はまだありません。",
    },
    Card {
        number: "002",
        title: "丁目別分析",
        town: "藤沢市",
        works: &[],
        open: "仮名化、丁目への集計、偏差値、地図、将来予測はまだありません。",
    },
    Card {
        number: "003",
        title: "いきがいづくり支援",
        town: "新宿区",
        works: &[],
        open: "グループ、交流事業、教室と抽選はまだありません。",
    },
    Card {
        number: "004",
        title: "介護・健診ネットワーク",
        town: "笠間市",
        works: &[
            "市民（対象者）として入る",
            "自分の記録を見た人の一覧を開く",
            "証明ファイルを保存する",
            "mimamori-verify statement で「N件中N件」を確かめる",
            "15分操作しないと画面が空になり、ロックされる",
        ],
        open: "利用機関、代諾者、提供の停止、開示等の求め、事故、監査はまだありません。",
    },
];

/// Assumptions that stand for annexes that are missing (想定).
const ASSUMED: [&str; 3] = [
    "保存期間（項目台帳の「資格喪失後5年」）は想定です。町の規則が入るまで仮に置いています。",
    "住民データのファイルの並び（見本の町）は想定です。実際の書き出しの並びとは異なります。",
    "検索結果の上限500人と、一覧1ページ50人は想定です。",
];

#[derive(Template)]
#[template(path = "server/guide.html")]
struct GuidePage<'a> {
    frame: &'a Frame,
    cards: &'static [Card],
    assumed: &'static [&'static str],
    demo: bool,
}

/// GET /guide
pub(crate) async fn page(State(site): State<Site>, Extension(frame): Extension<Frame>) -> Response {
    let frame = frame.with_title("案内").with_current("/guide");
    html(GuidePage {
        frame: &frame,
        cards: &CARDS,
        assumed: &ASSUMED,
        demo: site.demo.is_some(),
    })
}
