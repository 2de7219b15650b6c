//! 記録媒体利用管理簿: rows in the columns of FACTS F.4. They are only added; a correction is a new row that says so.

use axum::response::Response;
use mimamori_gate::{Purpose, Record, Statement, Value};
use mimamori_kernel::id::{LedgerId, PackageId, UserId};

use crate::error::answer;
use crate::screen::{Desk, day, moment};
use crate::{HandoverError, action};

/// One row; empty where there is nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// 管理番号.
    pub number: String,
    /// 媒体種別.
    pub kind: String,
    pub serial: String,
    pub capacity: String,
    pub encryption: String,
    pub purpose: String,
    /// 持出, 受渡, 受領, 返却 …
    pub what: &'static str,
    /// 日時, microseconds.
    pub minute: i64,
    pub handlers: [String; 2],
    pub counterpart: String,
    pub place: String,
    pub carriage: String,
    pub content: String,
    pub quantity: String,
    pub file: String,
    pub sha256: String,
    pub slip: String,
    pub approvers: String,
    pub returned: String,
    pub erased: String,
    pub scan: String,
    pub note: String,
}

impl Row {
    /// The write.
    pub(crate) fn write(
        &self,
        id: LedgerId,
        package: Option<PackageId>,
        (by, at): (UserId, i64),
    ) -> Statement {
        let text = |value: &str| Value::from(value);
        Statement::new(
            "INSERT INTO handover_ledger (id, package, entered_at, entered_by, number, kind, serial, capacity, encryption, \
             purpose, what, minute, handler_1, handler_2, counterpart, place, carriage, content, quantity, file, sha256, slip, \
             approvers, returned, erased, scan, note) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            vec![
                id.bytes().into(),
                package.map_or(Value::NullBytes, |p| p.bytes().into()),
                at.into(),
                by.bytes().into(),
                text(&self.number),
                text(&self.kind),
                text(&self.serial),
                text(&self.capacity),
                text(&self.encryption),
                text(&self.purpose),
                text(self.what),
                self.minute.into(),
                text(&self.handlers[0]),
                text(&self.handlers[1]),
                text(&self.counterpart),
                text(&self.place),
                text(&self.carriage),
                text(&self.content),
                text(&self.quantity),
                text(&self.file),
                text(&self.sha256),
                text(&self.slip),
                text(&self.approvers),
                text(&self.returned),
                text(&self.erased),
                text(&self.scan),
                text(&self.note),
            ],
        )
    }
}

/// Column and heading, in the order of the paper.
const PAPER: [(&str, &str); 22] = [
    ("number", "管理番号"),
    ("kind", "媒体種別"),
    ("serial", "シリアル"),
    ("capacity", "容量"),
    ("encryption", "暗号化方式"),
    ("purpose", "利用目的・案件"),
    ("what", "区分"),
    ("minute", "日時"),
    ("handler_1", "取扱者1"),
    ("handler_2", "取扱者2"),
    ("counterpart", "相手方機関・管理責任者"),
    ("place", "受渡場所"),
    ("carriage", "運搬方法"),
    ("content", "情報の内容"),
    ("quantity", "件数・数量"),
    ("file", "ファイル名"),
    ("sha256", "ハッシュ（SHA-256）"),
    ("slip", "パスワード通知書の別便"),
    ("approvers", "承認者"),
    ("returned", "返却日・確認者"),
    ("erased", "消去・廃棄"),
    ("scan", "ウイルス検査"),
];

#[derive(askama::Template)]
#[template(path = "handover/ledger.html")]
struct LedgerPage {
    frame: mimamori_pages::Frame,
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    printed: String,
    line: u64,
}

fn shown(record: &Record) -> Vec<String> {
    let mut cells: Vec<String> = PAPER
        .iter()
        .map(|(column, _)| match *column {
            "minute" => record.int("minute").map_or_else(String::new, moment),
            column => record.text(column).unwrap_or_default().to_owned(),
        })
        .collect();
    cells.push(record.text("note").unwrap_or_default().to_owned());
    cells
}

/// GET /handover/ledger: the ledger as it is printed, with approval boxes.
pub(crate) async fn page(Desk(room, visitor, frame): Desk) -> Response {
    let now = room.clock.now();
    let read = async {
        let permit = room
            .gate
            .office(&visitor, action::LEDGER, Purpose::Operation, None)
            .await?;
        let mut columns: Vec<&'static str> = PAPER.iter().map(|(column, _)| *column).collect();
        columns.push("note");
        let filter = "1 = 1 ORDER BY minute DESC, entered_at DESC, id LIMIT 1000";
        let rows = permit
            .fetch("handover_ledger", &columns, filter, vec![])
            .await?;
        Ok::<_, HandoverError>(permit.reveal(rows).await?)
    };
    let found = match read.await {
        Ok(found) => found,
        Err(error) => return answer(error),
    };
    let mut heads: Vec<&'static str> = PAPER.iter().map(|(_, head)| *head).collect();
    heads.push("備考");
    mimamori_pages::html(LedgerPage {
        frame: frame
            .with_title("記録媒体利用管理簿")
            .with_current("/handover"),
        heads,
        rows: found.iter().map(shown).collect(),
        printed: day(now.office_day()),
        line: found.line(),
    })
}
