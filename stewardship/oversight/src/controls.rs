//! The safety measures of the guideline on individual numbers (特定個人情報の適正な取扱いに関するガイドライン) beside what
//! this program does and the test that shows it (S0-33, FACTS F.6). Headings are from memory of the guideline: 想定.

use axum::response::Response;
use mimamori_gate::{Hidden, Purpose};

use crate::screen::{Cell, Desk, ShowPage, Table};
use crate::{OversightError, action, error::answer};

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The program enforces it; a test shows it.
    Program,
    /// The program records and reminds; people do it.
    Record,
    /// People and buildings alone.
    Outside,
}

impl By {
    fn badge(self) -> (&'static str, &'static str) {
        match self {
            Self::Program => ("success", "ソフトウェアが守る"),
            Self::Record => ("info", "記録と知らせ"),
            Self::Outside => ("warning", "庁舎・規程で行う"),
        }
    }
}

/// One measure.
#[derive(Debug)]
pub struct Control {
    /// Part and measure of the guideline.
    pub measure: &'static str,
    /// What the program does.
    pub told: &'static str,
    /// Where it is seen.
    pub screen: &'static str,
    /// Name of the test; empty where no program can do it.
    pub test: &'static str,
    /// Who does it.
    pub by: By,
}

const fn control(
    measure: &'static str,
    told: &'static str,
    screen: &'static str,
    test: &'static str,
    by: By,
) -> Control {
    Control {
        measure,
        told,
        screen,
        test,
        by,
    }
}

use By::{Outside, Program, Record};

/// The table.
pub const CONTROLS: [Control; 18] = [
    control(
        "基本方針の策定",
        "方針そのものは区市町村が定めます。",
        "—",
        "",
        Outside,
    ),
    control(
        "取扱規程等の整備",
        "役割ごとにできることの一覧を、規則から作って文書に残します。",
        "docs/permission-table.txt",
        "the_permission_table_in_the_documents_is_what_the_policies_permit",
        Program,
    ),
    control(
        "組織的: 責任者と事務取扱担当者",
        "特定個人情報取扱者は、一人が申請し、別の一人が承認します。",
        "/operations/handlers",
        "one_asks_for_a_designation_another_approves_and_its_end_ends_the_session",
        Program,
    ),
    control(
        "組織的: 取扱状況の記録",
        "個人の情報を開く前に、証跡に行を残します。",
        "/audit",
        "when_no_line_can_be_written_no_page_shows_a_person",
        Program,
    ),
    control(
        "組織的: 漏えい等に対応する体制",
        "契約の事故の報告に、期限を付けて記録します。",
        "/oversight/obligations",
        "a_contract_in_the_register_owes_its_21_clauses_and_each_is_recorded_once",
        Record,
    ),
    control(
        "組織的: 取扱状況の把握と監査",
        "年度ごとの監査を義務として示し、2月1日から赤くします。",
        "/oversight/obligations",
        "an_audit_is_red_from_the_first_of_february",
        Record,
    ),
    control(
        "人的: 教育",
        "取扱者の教育の日を残し、1年を過ぎると個人番号を扱えなくします。",
        "/operations/handlers",
        "a_training_counts_for_one_year",
        Program,
    ),
    control(
        "人的: 監督",
        "四半期ごとに、利用者の権限を棚卸しします。",
        "/operations/reviews",
        "of_two_managers_who_review_one_user_the_second_is_told_and_changes_nothing",
        Record,
    ),
    control(
        "物理的: 取扱区域の管理",
        "登録された端末からだけ個人番号を扱えます。区域の入退室は庁舎で管理します。",
        "/operations/terminals",
        "only_a_verified_handler_at_a_registered_terminal_reaches_any_page_of_numbers",
        Program,
    ),
    control(
        "物理的: 機器・媒体の盗難防止",
        "施錠と保管は庁舎で行います。",
        "—",
        "",
        Outside,
    ),
    control(
        "物理的: 持出しの防止・暗号化",
        "出力を人ごと・日ごとに数え、ファイルは暗号化します。",
        "/outputs",
        "a_missing_reason_is_told_beside_its_field_and_the_input_stays",
        Program,
    ),
    control(
        "物理的: 削除・廃棄",
        "契約の終了日に、返還・消去・証明書を確かめるまで閉じられません。",
        "/oversight/contracts",
        "everything_is_red_until_it_is_true_and_nothing_is_green_unseen",
        Record,
    ),
    control(
        "技術的: アクセス制御",
        "許可する規則がない操作は、すべて断ります。",
        "docs/permission-table.txt",
        "each_request_beside_the_policies_gets_the_answer_its_folder_says",
        Program,
    ),
    control(
        "技術的: 識別と認証",
        "IDとパスワードに加え、個人番号にはパスキー等の確認を求めます。",
        "/verify",
        "where_it_is_always_asked_nothing_leaves_and_nobody_gets_rights_without_a_verification",
        Program,
    ),
    control(
        "技術的: 不正アクセスの防止",
        "画面の送信には、その画面だけの合言葉を求めます。FWや検知は庁内で行います。",
        "—",
        "no_form_is_taken_without_its_token",
        Program,
    ),
    control(
        "技術的: 漏えい等の防止",
        "委託先に渡せるのは、承認されたシートの項目だけです。",
        "/oversight",
        "an_item_taken_from_the_sheet_is_refused_with_the_sheets_line_once_another_approved",
        Program,
    ),
    control(
        "外的環境の把握",
        "サーバの所在は区市町村が選びます。外へは通信しません。",
        "—",
        "",
        Outside,
    ),
    control(
        "委託先の監督（番号法11条）",
        "特記事項の各項を、期限と証拠のある義務にします。",
        "/oversight/obligations",
        "a_contract_in_the_register_owes_its_21_clauses_and_each_is_recorded_once",
        Record,
    ),
];

/// GET /oversight/controls
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    let made = async {
        let permit = room
            .gate
            .office(&visitor, action::CONTROL_LIST, Purpose::Operation, None)
            .await?;
        let shown = permit.reveal(Hidden::nothing()).await?;
        let rows = CONTROLS.iter().map(|c| {
            let (look, words) = c.by.badge();
            vec![
                Cell::text(c.measure),
                Cell::Badge(look, words.into()),
                Cell::text(c.told),
                Cell::text(c.screen),
                Cell::text(if c.test.is_empty() { "—" } else { c.test }),
            ]
        });
        Ok::<_, OversightError>(
            ShowPage::new(
                &frame,
                "番号ガイドラインの安全管理措置との対応",
                shown.line(),
            )
            .words("見出しは想定です。個人情報保護委員会のガイドラインの本文で確かめてください。")
            .push(Table {
                caption: "安全管理措置".into(),
                heads: vec![
                    "措置",
                    "だれが",
                    "このソフトウェアがすること",
                    "画面・文書",
                    "確かめる試験",
                ],
                rows: rows.collect(),
                empty: "",
                by_row: true,
            })
            .answer(),
        )
    };
    made.await.unwrap_or_else(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_does_names_its_test_and_the_rest_names_none() {
        for control in &CONTROLS {
            assert_eq!(
                control.test.is_empty(),
                control.by == Outside,
                "{}",
                control.measure
            );
        }
    }
}
