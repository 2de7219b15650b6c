//! The case of document 001 as a demo shows it: the document's words, with an invented town and partner.

use mimamori_gate::Statement;
use mimamori_identity::{Contract, last_day};
use mimamori_kernel::clock::Instant;
use mimamori_kernel::id::UserId;
use mimamori_kernel::random::Random;

use crate::catalogue;
use crate::checklist::Answer;
use crate::contract::{Certification, Duty, Entry, Person, Spans, Variant, opening};
use crate::council::{Case, Ground, Past};
use crate::sheet;
use crate::sheet::model::{CaseId, Content, Kind, Named, Period};

/// The invented partner.
pub const PARTNER: &str = "株式会社見本データ";
/// Subject of the case.
pub const SUBJECT: &str = "特定健康診査受診者の糖尿病治療中の者に対する保健指導等業務に係る外部結合等について（受渡方法の追加）";
/// Council.
pub const MEETING: &str = "個人情報保護管理運営会議";
/// Owning department.
pub const OWNER: &str = "健康部健康づくり課";
/// Subject of the contract.
pub const CONTRACT: &str = "糖尿病性腎症等重症化予防の保健指導等業務委託（見本）";

/// People named for the contract; invented.
pub const PEOPLE: [(Duty, &str); 3] = [
    (Duty::Town, "健康 すこやか（見本）"),
    (Duty::Responsible, "見本 責任（見本）"),
    (Duty::Handler, "見本 取扱（見本）"),
];

/// Certifications that the sheets name.
pub const CERTIFICATIONS: [&str; 2] = ["プライバシーマーク", "ISO27001"];

/// Matter, old ordinance, current law.
pub const GROUNDS: [(&str, &str, &str); 2] = [
    (
        "外部結合",
        "（旧）個人情報保護条例の外部結合の条項（文書に条番号の記載なし）",
        "要綱第3条第1項第3号（外部結合、業務委託）",
    ),
    (
        "業務委託",
        "（旧）個人情報保護条例第14条第1項（業務委託）",
        "要綱第3条第1項第3号（外部結合、業務委託）",
    ),
];

/// Earlier decisions that the document names (S1-10).
pub const HISTORY: [(&str, &str); 2] = [
    ("平成30年度第9回 情報公開・個人情報保護審議会", "了承"),
    ("令和3年度第7回 情報公開・個人情報保護審議会", "了承"),
];

const BODY: &str = "1 概要
区では、糖尿病性腎症等の重症化を予防するため、糖尿病治療に関する十分な知識と経験を有した委託事業者に、当該予防事業の全体統括業務（スケジュール管理、参加勧奨業務、対象者からの問い合わせ等受電業務）や対面及び電話等（WEB面談含む）による保健指導を委託している。（平成30年度第9回、令和3年度第7回情報公開・個人情報保護審議会にて了承済）
この度、LGWAN回線による受渡し方法を追加することで、情報セキュリティ対策の向上や事務処理の効率化を図る。
2 個人情報保護管理運営会議付議内容
（1）外部結合
対象者データ及び指導結果報告書の送付について、LGWAN回線を通じ、委託事業者との間で外部結合を行う。
（2）業務委託
糖尿病性腎症等重症化予防の保健指導を行うため、業務の全体統括管理、保健指導及び報告書の作成業務を専門業者に委託する。
3 予定対象者数
約200名
※個人情報の流れは、資料75-1のとおり";

const PARTNER_LINE: &str = "株式会社見本データ（プライバシーマーク、ISO27001取得事業者）";
const MEASURES: &str = "別紙チェックリストのとおり";

fn texts(rows: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    let own = |(code, words): &(&str, &str)| ((*code).to_owned(), (*words).to_owned());
    rows.iter().map(own).collect()
}

fn with_items(title: &str, rows: &[(&str, &str)], media: &[&str]) -> Content {
    let named = |item: &catalogue::Item| Named {
        id: item.id.to_owned(),
        words: item.short.to_owned(),
    };
    Content {
        title: title.to_owned(),
        texts: texts(rows),
        persons: "糖尿病性腎症等重症化予防事業対象者".into(),
        items: catalogue::ITEMS.iter().map(named).collect(),
        media: media.iter().map(|m| (*m).to_owned()).collect(),
        period: Some(Period {
            from: "2025-04-01".into(),
            until: "2026-03-31".into(),
            renewed: true,
            note: "（次年度以降も、同様の外部結合を行う。）".into(),
        }),
    }
}

/// What the document's sheet of this kind says.
pub fn content(kind: Kind) -> Content {
    match kind {
        Kind::Overview => Content {
            title: SUBJECT.into(),
            texts: texts(&[
                (
                    "business",
                    "糖尿病性腎症等重症化予防事業（見本の市国民健康保険事業（保健事業））",
                ),
                ("owner", "健康づくり課"),
                (
                    "aim",
                    "見本の市特定健康診査受診者のうち、糖尿病の治療中で、血糖と腎機能が基準値を超えている者に対し、医療機関（かかりつけ医）と連携の上、保健指導を行い、糖尿病性腎症による透析等の合併症の発症を防止する。",
                ),
                (
                    "persons",
                    "見本の市特定健康診査受診者のうち、糖尿病の治療中で、血糖と腎機能が基準値を超えている者。",
                ),
                ("body", &BODY.replacen("区では", "市では", 1)),
            ]),
            ..Content::default()
        },
        Kind::External => with_items(
            "特定健康診査受診者の糖尿病治療中の者に対する保健指導等業務に係る外部結合について",
            &[
                ("owner", "健康づくり課"),
                ("register", "糖尿病性腎症等重症化予防事業"),
                ("partner", PARTNER_LINE),
                (
                    "reason",
                    "対象者データ及び指導結果報告書の受渡しにおいて、従来の電磁的媒体に加え、迅速かつ安全にデータを授受できるよう、庁内イントラパソコンとLGWAN-ASPサービス提供事業者のサーバを結合する必要があるため。",
                ),
                (
                    "form",
                    "地方公共団体を相互に接続する行政専用の総合行政ネットワーク「LGWAN」を利用し、庁内イントラネットパソコン（情報システム課が管理）とLGWAN-ASPサービス提供事業者のサーバとを接続する。",
                ),
                ("measures", MEASURES),
            ],
            &[],
        ),
        Kind::Outsourcing => with_items(
            "特定健康診査受診者の糖尿病治療中の者に対する保健指導業務の委託について（委託内容の変更）",
            &[
                ("owner", "健康づくり課"),
                ("register", "糖尿病性腎症等重症化予防事業"),
                ("partner", PARTNER_LINE),
                (
                    "reason",
                    "糖尿病性腎症等重症化予防の保健指導を行うためには、業務の全体統括管理のもとで、十分な知識と経験がある専門業者に委託することで、より効率的に業務を行うため。",
                ),
                (
                    "work",
                    "1 全体統括管理（スケジュール管理、報告書のとりまとめ、意見・苦情対応）\n2 保健指導（対面、電話、手紙、WEB）\n3 報告書の作成業務",
                ),
                ("measures-town", MEASURES),
                ("measures-partner", MEASURES),
            ],
            &["paper", "system", "cd-r"],
        ),
    }
}

/// The case of document 001 for a demo, bound to a contract: its writes and its id.
pub fn case(
    contract: &Contract,
    (drafter, approver): (UserId, UserId),
    random: &dyn Random,
    now: Instant,
) -> (CaseId, Vec<Statement>) {
    let case = Case {
        id: CaseId::random(random),
        subject: SUBJECT.into(),
        meeting: MEETING.into(),
        owners: OWNER.into(),
        entered_by: drafter,
        entered_at: now.0,
        grounds: GROUNDS
            .iter()
            .map(|(matter, old, clause)| Ground {
                matter: (*matter).into(),
                old_clause: (*old).into(),
                clause: (*clause).into(),
            })
            .collect(),
        history: HISTORY
            .iter()
            .map(|(meeting, decision)| Past {
                meeting: (*meeting).into(),
                decision: (*decision).into(),
            })
            .collect(),
    };
    let mut out = case.write();
    for kind in Kind::ALL {
        let two = (drafter, approver);
        let version = sheet::first_version(case.id, kind, content(kind), two, now.0);
        out.push(version.write());
    }
    let started = last_day(contract.from + 1);
    let entry = Entry {
        contract: contract.id,
        case: case.id,
        variant: Variant::AtTheEnd,
        chosen_by: "公募プロポーザル（企画提案・評価）".into(),
        why: "十分な知識と経験がある専門業者であるため（見本）".into(),
        started: started.to_string(),
        entered_by: drafter,
        entered_at: now.0,
    };
    out.push(entry.write());
    out.extend(opening(&entry, contract, Spans::default(), random));
    for (duty, name) in PEOPLE {
        let person = Person {
            id: CaseId::random(random),
            contract: contract.id,
            duty,
            name: name.into(),
            trained: started.to_string(),
            informed: started.to_string(),
            from: started.to_string(),
            entered_by: drafter,
            entered_at: now.0,
            ended_at: 0,
        };
        out.push(person.write());
    }
    for name in CERTIFICATIONS {
        let certification = Certification {
            id: CaseId::random(random),
            org: contract.org,
            name: name.into(),
            number: "見本".into(),
            until: last_day(contract.until),
            entered_by: drafter,
            entered_at: now.0,
        };
        out.push(certification.write());
    }
    // Every line of the document has a ○; who reviews them is for the people of the demo to try.
    for line in crate::checklist::lines::all() {
        let answer = Answer {
            line: line.id,
            possible: true,
            evidence: "見本（001の回答のとおり）".into(),
            answered_by: drafter,
            answered_at: now.0,
            reviewed_by: None,
            reviewed_at: 0,
        };
        out.push(answer.write(case.id));
    }
    (case.id, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheets_of_001_are_regenerated_line_by_line() {
        let made: String = Kind::ALL
            .into_iter()
            .map(|kind| format!("【{}】\n{}\n", kind.japanese(), content(kind).plain(kind)))
            .collect();
        let kept = include_str!("../tests/sheets-001.txt");
        for (at, (made, kept)) in made.lines().zip(kept.lines()).enumerate() {
            assert_eq!(made, kept, "line {}", at + 1);
        }
        assert_eq!(made.lines().count(), kept.lines().count());
    }

    #[test]
    fn every_row_of_the_sample_says_something() {
        for kind in Kind::ALL {
            for row in kind.rows() {
                let lines = content(kind).lines(row);
                assert!(lines.iter().any(|l| !l.is_empty()), "{kind:?} {}", row.code);
            }
        }
    }
}
