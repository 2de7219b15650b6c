//! Home: what this role can do, and what the machine is doing.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use mimamori_gate::{DailyCap, Taken};
use mimamori_identity::{Role, Visitor, bootstrap_done};
use mimamori_pages::{Frame, html};

use super::{REPORT_READERS, Site};
use crate::backup::{self, Weight};

struct Work {
    href: &'static str,
    title: &'static str,
    text: &'static str,
}

#[derive(Template)]
#[template(path = "server/home.html")]
struct HomePage<'a> {
    frame: &'a Frame,
    works: Vec<Work>,
    /// Phase, done, total of a running import.
    import: Option<(String, u64, u64)>,
    other: bool,
    today: String,
    /// What this user took out today; none when nothing.
    taken: Option<Taken>,
    cap: DailyCap,
    /// Kind and text of the banner about the backups, for who operates.
    backup: Option<(&'static str, String)>,
}

/// The state of the backups for who has to act on it; none where none is set.
fn backup(site: &Site, visitor: &Visitor) -> Option<(&'static str, String)> {
    if !matches!(
        visitor.role,
        Role::SystemAdministrator | Role::OperationsManager
    ) {
        return None;
    }
    let (dir, config) = &site.place;
    match backup::State::of(dir, config, site.clock.now()) {
        Ok(state) => state.map(|state| match state.weight {
            Weight::Good => ("info", state.text),
            Weight::Bad => ("danger", state.text),
        }),
        Err(error) => Some(("danger", error.to_string())),
    }
}

#[derive(serde::Deserialize)]
pub(crate) struct Told {
    other: Option<u8>,
}

/// GET /
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visitor): Extension<Visitor>,
    Extension(frame): Extension<Frame>,
    Query(told): Query<Told>,
) -> Response {
    let mut works = Vec::new();
    if site.residents.is_some() {
        if super::searches(&visitor) {
            let text = "カナ・漢字・生年月日・住所・電話・番号から人を探し、記録を開きます。";
            works.push(Work {
                href: "/residents/search",
                title: "住民の検索",
                text,
            });
            if matches!(visitor.role, Role::Clerk | Role::LeadOfficer) {
                works.push(Work {
                    href: "/residents/enter",
                    title: "転入などの入力",
                    text: "転入・出生・職権記載で、新しい人を台帳に入れます。",
                });
            }
            if visitor.role == Role::LeadOfficer {
                works.push(Work {
                    href: "/residents/differences",
                    title: "取込みとの突合",
                    text: "画面で入力した変更と、取込みのファイルの違いを確かめて決めます。",
                });
                works.push(Work {
                    href: "/residents/imports",
                    title: "住民データの取込み",
                    text: "住民と世帯のファイルを確かめ、台帳に取り込みます。",
                });
            }
        }
        if site.insurance.is_some() && matches!(visitor.role, Role::Clerk | Role::LeadOfficer) {
            let text = "被保険者の資格、期限のある処理、被保険者証の発行と回収を扱います。";
            works.push(Work {
                href: "/insurance",
                title: "資格管理",
                text,
            });
        }
        if visitor.role == Role::Citizen && visitor.person.is_some() {
            let text = "あなたの記録を誰が何のために見たかを確かめます。";
            works.push(Work {
                href: "/me",
                title: "自分の記録を見た人",
                text,
            });
        }
    }
    if visitor.role == Role::Auditor {
        works.push(Work {
            href: "/audit",
            title: "証跡の検索",
            text: "だれが、いつ、何のために記録を見たかを探します。",
        });
        works.push(Work {
            href: "/audit/alerts",
            title: "点検の結果",
            text: "規則にかかった閲覧を確かめ、回答します。",
        });
    }
    if REPORT_READERS.contains(&visitor.role) {
        works.push(Work {
            href: "/audit/reports",
            title: "分析報告",
            text: "ひと月の利用と点検の結果を、署名つきでまとめた報告です。",
        });
    }
    if visitor.role == Role::OperationsManager
        && matches!(bootstrap_done(&site.db).await, Ok(false))
    {
        let text = "二人そろうまで、ほかの利用者は登録できません。";
        works.push(Work {
            href: "/administrators/second",
            title: "二人目の運営管理責任者の登録",
            text,
        });
    }
    if let Some(href) = super::office(&visitor) {
        works.push(Work {
            href,
            title: "利用者管理",
            text: "利用者・任命・契約・権限の棚卸しを扱います。システム管理者には数だけを表示します。",
        });
    }
    if visitor.org_kind != mimamori_identity::OrgKind::Citizens {
        works.push(Work {
            href: "/account",
            title: "自分の登録",
            text: "自分の役割・任期・利用範囲を確かめ、利用の終了を申し出ます。",
        });
    }
    let text = "五つの基になった文書と、いまできること・まだできないこと。";
    works.push(Work {
        href: "/guide",
        title: "案内",
        text,
    });
    works.push(Work {
        href: "/password",
        title: "パスワードの変更",
        text: "自分のパスワードを変えます。",
    });
    let now = site.clock.now();
    let today = now.office_day();
    // The visitor's own count, of no resident: it needs no line.
    let taken = site.gate.taken(&visitor.user, now).await.ok();
    let taken = taken.filter(|taken| taken.documents > 0);
    let frame = frame.with_title("ホーム").with_current("/");
    html(HomePage {
        frame: &frame,
        works,
        import: site.running(),
        other: told.other.is_some(),
        today: mimamori_kernel::date::wareki_with_western(today.into()),
        taken,
        cap: site.gate.daily_cap(),
        backup: backup(&site, &visitor),
    })
}
