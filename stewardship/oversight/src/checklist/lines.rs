//! The lines of document 001's checklists: four actors, operational and system measures, 76 lines of which one lost its
//! text in the source (S1-33 to S1-58, FACTS F.3). In a text `{a|b}` is what the town's line says and what the partner's says.

/// Whose measure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The town, external connection.
    K1,
    /// The connected party.
    K2,
    /// The town, outsourcing.
    I1,
    /// The contractor.
    I2,
}

impl Actor {
    /// All four, in the order of the paper.
    pub const ALL: [Self; 4] = [Self::K1, Self::K2, Self::I1, Self::I2];

    /// Code in the ids of lines.
    pub fn code(self) -> &'static str {
        match self {
            Self::K1 => "K1",
            Self::K2 => "K2",
            Self::I1 => "I1",
            Self::I2 => "I2",
        }
    }

    /// Heading on the paper.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::K1 => "外部結合 区市町村が行う情報保護対策",
            Self::K2 => "外部結合 結合先に行わせる情報保護対策",
            Self::I1 => "業務委託 区市町村が行う情報保護対策",
            Self::I2 => "業務委託 委託事業者に行わせる情報保護対策",
        }
    }

    /// The town itself does it; the rest is what it has others do.
    pub fn is_town(self) -> bool {
        matches!(self, Self::K1 | Self::I1)
    }

    fn outsourcing(self) -> bool {
        matches!(self, Self::I1 | Self::I2)
    }
}

/// Operational (運用上) or system (システム上) measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// 運用上の対策.
    Operational,
    /// システム上の対策.
    System,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Operational, Self::System];

    fn code(self) -> &'static str {
        match self {
            Self::Operational => "U",
            Self::System => "S",
        }
    }

    /// Heading on the paper.
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Operational => "運用上の対策",
            Self::System => "システム上の対策",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `K1-U1`.
    pub id: String,
    /// Actor.
    pub actor: Actor,
    /// Side.
    pub side: Side,
    /// Text; empty for the line that lost it.
    pub text: String,
}

impl Line {
    /// The source has no text for it (原文欠落).
    pub fn lost(&self) -> bool {
        self.text.is_empty()
    }
}

const LAW: &str = "個人情報保護法及び区市町村の情報セキュリティポリシーを遵守{するよう指導する|させる}。また、クラウドサービスを利用する場合は、総務省「クラウドサービス提供における情報セキュリティ対策ガイドライン」を準拠{するよう指導する|させる}。";
const READY: &str = "業務開始前に、事故、災害、トラブルに対応できる体制及び手順を整備{し、【相手】|させ、区市町村}と緊急時の連絡体制や対応手順を確認{する|させる}。";
const TALK: &str = "事故が発生した場合又は個人情報保護及び情報セキュリティ対策の変更があった場合は、直ちに{【相手】|区市町村}と今後の対応を協議{する|させる}。";

const CONNECTION: [&str; 3] = [
    LAW,
    "必要に応じて、事業者への立入り調査等を{実施する|受けさせる}とともに、結合先に対し速やかに状況報告を{するよう指導する|させる}。",
    "システム上で不要となった電子データを削除{し|させ}、電子データの消去を行ったことの報告書を提出{するよう指導する|させる}。",
];
const OUTSOURCING: [&str; 8] = [
    "契約履行の間、特記事項に基づき立入り調査等を{実施する|受けさせる}とともに、委託先に対し速やかに状況報告を{するよう指導する|させる}。",
    "取扱責任者及び取扱者をあらかじめ指定{し|させ}、区市町村に報告{するよう指導する|させる}。",
    "{全体の業務フローを作成し、委託先と共有する。|区市町村が作成した業務フローに基づき、業務を行わせる。}",
    "個人情報を含むデータを作成する必要がある場合は、パスワードを付してデータを暗号化{する。また、|させる。}電磁的媒体（DVD-R等）とパスワード通知書の受渡しは、それぞれ別の機会を設定し、鍵付きカバン等を使用{して|させ}、手渡しで{行うよう指導する|行わせる}。",
    "個人情報を手交する場合は、鍵付きカバン等を使用して運搬{する|させる}。",
    "個人情報の{受渡し|受け渡し}にあたっては、管理簿に記載{する|させる}。管理簿には、日時、取扱者、情報の内容、数量を確認記録票に記録し、履歴を追跡できるように{する|させる}。",
    "個人情報は、施錠できる金庫又はキャビネット等に保管{する|させる}。",
    "業務履行後、個人情報が記録された電磁的媒体（DVD-R等）、紙媒体及びパスワード通知書は返却{し|させ}、電子データは消去{するよう指導する|させる}。また、区市町村に電子データの消去を行ったことの報告書を提出{するよう指導する|させる}。",
];
const SYSTEM: [&str; 11] = [
    "接続するネットワークについては、特定相手以外との通信を不可と{する|させる}。",
    "ネットワーク機器やサーバを制御し、通信できるシステムを限定{する|させる}。",
    "通信内容は暗号化{し|させ}、通信途上の個人情報の盗用、改ざん、成りすましを防止{する|させる}。",
    "ファイアウォールの設置、サーバの要塞化、侵入検知、セキュリティパッチの適用等の対策を講じ{|させ}、外部からの不正侵入やデータ破壊・漏えい等各種の攻撃から防御{する|させる}。",
    "【計算機】ウイルス感染等がないよう、ウイルス対策ソフトウェアの導入及び最新のパターンファイルを適用{する|させる}。",
    "ID・パスワードやアドレス情報による運用により、第三者による個人情報の盗用、改ざん、成りすましを防止{する|させる}。",
    "個人情報を保存する場合は、保存先フォルダへアクセス権を設定{する|させる}とともに、ファイルにパスワードを付すなど、情報へのアクセス制御を徹底{する|させる}。",
    "システム・ネットワークの状態、機器操作、サービス利用等の監視及びアクセスログ等を取得{する|させる}。取得したログは、定期的に分析{する|させる}。",
    "サーバ冗長化、バックアップ等により、事故や障害発生時におけるシステム稼働体制を整備{する|させる}。",
    "入退室管理等により情報資産の危殆化を防止{する|させる}。",
    "システムを提供するサーバは日本国内の法が適用される安全性が確保された環境に{する|させる}。",
];

/// The text for one actor.
fn told(template: &str, actor: Actor) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (choice, behind) = after.split_once('}').unwrap_or((after, ""));
        let (town, partner) = choice.split_once('|').unwrap_or((choice, choice));
        out.push_str(if actor.is_town() { town } else { partner });
        rest = behind;
    }
    out.push_str(rest);
    let other = if actor.outsourcing() {
        "委託先"
    } else {
        "結合先"
    };
    let machine = match actor {
        Actor::I1 => "コンピューター",
        _ => "コンピュータ",
    };
    out.replace("【相手】", other)
        .replace("【計算機】", machine)
}

/// All 76 lines, in the order of the paper.
pub fn all() -> Vec<Line> {
    let mut out = Vec::new();
    for actor in Actor::ALL {
        let operational: Vec<String> = match actor.outsourcing() {
            false => CONNECTION
                .into_iter()
                .chain([READY, TALK])
                .map(str::to_owned)
                .collect(),
            true => {
                let first = format!("契約にあたり、「特記事項」を付すとともに、{LAW}");
                let more = OUTSOURCING
                    .into_iter()
                    .chain([READY, TALK])
                    .map(str::to_owned);
                std::iter::once(first).chain(more).collect()
            }
        };
        let system: Vec<String> = SYSTEM.into_iter().map(str::to_owned).collect();
        for (side, templates) in [(Side::Operational, operational), (Side::System, system)] {
            for (number, template) in (1..).zip(templates) {
                let id = format!("{}-{}{number}", actor.code(), side.code());
                // The source's first system line of the contractor has a ○ and no words.
                let text = match id.as_str() {
                    "I2-S1" => String::new(),
                    _ => told(&template, actor),
                };
                out.push(Line {
                    id,
                    actor,
                    side,
                    text,
                });
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_76_lines_and_one_lost_its_text() {
        let lines = all();
        let count = |actor, side| {
            let of = lines.iter().filter(|l| l.actor == actor && l.side == side);
            of.count()
        };
        let counts = Actor::ALL.map(|a| Side::ALL.map(|s| count(a, s)));
        assert_eq!(counts, [[5, 11], [5, 11], [11, 11], [11, 11]]);
        let lost: Vec<&str> = lines
            .iter()
            .filter(|l| l.lost())
            .map(|l| l.id.as_str())
            .collect();
        assert_eq!(lost, ["I2-S1"]);
        assert!(!lines.iter().any(|l| l.text.contains(['{', '|', '}', '【'])));
    }

    #[test]
    fn the_words_follow_who_acts() {
        let lines = all();
        let text = |id: &str| lines.iter().find(|l| l.id == id).unwrap().text.as_str();
        for (id, words) in [
            (
                "K1-U3",
                "システム上で不要となった電子データを削除し、電子データの消去を行ったことの報告書を提出するよう指導する。",
            ),
            ("K2-U5", "直ちに区市町村と今後の対応を協議させる。"),
            (
                "I1-U10",
                "整備し、委託先と緊急時の連絡体制や対応手順を確認する。",
            ),
            (
                "I2-U4",
                "区市町村が作成した業務フローに基づき、業務を行わせる。",
            ),
            (
                "I1-U5",
                "暗号化する。また、電磁的媒体（DVD-R等）とパスワード通知書の受渡しは",
            ),
            (
                "I2-U5",
                "暗号化させる。電磁的媒体（DVD-R等）とパスワード通知書の受渡しは",
            ),
            ("I1-S5", "コンピューターウイルス"),
            ("K1-S4", "対策を講じ、外部からの"),
            ("K2-S4", "対策を講じさせ、外部からの"),
            ("I2-S7", "アクセス権を設定させるとともに"),
        ] {
            assert!(text(id).contains(words), "{id}: {}", text(id));
        }
    }
}
