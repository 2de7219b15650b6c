//! The steps of a package after its approval: which may follow, and the form of each.

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{Action, GateError, Purpose};
use mimamori_identity::{Account, OrgKind, Visitor};
use mimamori_kernel::id::{PackageId, UserId};
use mimamori_pages::{FieldError, Frame};

use crate::course::{Channel, Event, Occasion, Stage};
use crate::error::answer;
use crate::medium::{Medium, media};
use crate::one::terms;
use crate::package::{Whole, whole};
use crate::screen::{Desk, Field, FormPage, Sent};
use crate::{Handover, HandoverError, action};

/// A step that an officer takes on a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Seal,
    Carriers,
    HandOver,
    Receive,
    ReleaseSlip,
    Open,
    Return,
    Certificate,
    Check,
    Close,
    Withdraw,
}

impl Step {
    pub(crate) const ALL: [Self; 11] = [
        Self::Seal,
        Self::Carriers,
        Self::HandOver,
        Self::Receive,
        Self::ReleaseSlip,
        Self::Open,
        Self::Return,
        Self::Certificate,
        Self::Check,
        Self::Close,
        Self::Withdraw,
    ];

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Carriers => "carriers",
            Self::HandOver => "hand-over",
            Self::Receive => "receive",
            Self::ReleaseSlip => "slip",
            Self::Open => "open",
            Self::Return => "return",
            Self::Certificate => "certificate",
            Self::Check => "check",
            Self::Close => "close",
            Self::Withdraw => "withdraw",
        }
    }

    pub(crate) fn japanese(self) -> &'static str {
        match self {
            Self::Seal => "封筒に封入する",
            Self::Carriers => "媒体と運搬者を指名する",
            Self::HandOver => "引渡し（送信）を記録する",
            Self::Receive => "相手方の受領を記録する",
            Self::ReleaseSlip => "パスワード通知書を渡す",
            Self::Open => "相手方の開封を記録する",
            Self::Return => "媒体と通知書の返却を記録する",
            Self::Certificate => "消去証明書を受け取る",
            Self::Check => "消去証明書を確認する",
            Self::Close => "受渡しを完了する",
            Self::Withdraw => "取り下げる",
        }
    }

    pub(crate) fn action(self) -> Action {
        match self {
            Self::Seal | Self::Withdraw => action::SEAL,
            Self::Carriers | Self::HandOver | Self::Receive | Self::Open | Self::Return => {
                action::CARRY
            }
            Self::ReleaseSlip => action::SLIP,
            Self::Certificate | Self::Check | Self::Close => action::CONFIRM,
        }
    }

    /// The event, with its carriers and its minute where it has some.
    pub(crate) fn event(self, by: UserId, carriers: [UserId; 2], minute: i64) -> Event {
        let at = Occasion(minute.div_euclid(60_000_000));
        match self {
            Self::Seal => Event::Seal(by),
            Self::Carriers => Event::Carriers(by, carriers),
            Self::HandOver => Event::HandOver(by, at),
            Self::Receive => Event::Receive(by, at),
            Self::ReleaseSlip => Event::ReleaseSlip(by, at),
            Self::Open => Event::Open(by),
            Self::Return => Event::Return(by),
            Self::Certificate => Event::Certificate(by),
            Self::Check => Event::Check(by),
            Self::Close => Event::Close(by),
            Self::Withdraw => Event::Withdraw(by),
        }
    }

    /// Whether it may be the next one, for this officer.
    pub(crate) fn follows(self, found: &Whole, by: UserId) -> bool {
        let other = UserId::from_bytes([0; 16]);
        let event = self.event(by, [by, other], i64::MAX);
        found.course.then(event).is_ok()
    }

    /// The fields of its form.
    fn fields(self, sent: &Sent, known: &Known) -> Vec<Field> {
        let when = || {
            [
                sent.line("day", "日付", true, "例: R8.11.22"),
                sent.line("time", "時刻", true, "例: 9:05"),
            ]
        };
        let medium = known.found.package.channel == Channel::Medium;
        match self {
            Self::Seal | Self::Close => vec![],
            Self::Carriers => vec![
                sent.choose("carrier_1", "運搬者1", known.people(), ""),
                sent.choose(
                    "carrier_2",
                    "運搬者2",
                    known.people(),
                    "別の職員を選びます。",
                ),
                sent.choose(
                    "medium",
                    "媒体",
                    known.stored(),
                    "保管中の媒体から選びます。",
                ),
            ],
            Self::HandOver => {
                let mut out = Vec::from(when());
                out.push(sent.line("counterpart", "相手方の管理責任者・担当者", true, ""));
                if medium {
                    out.push(sent.line("place", "受渡場所", true, ""));
                    let bag = [("locked", "鍵付きカバン")].map(|(c, w)| (c.into(), w.into()));
                    out.push(sent.choose("bag", "運搬方法", bag, "鍵付きカバンで運びます。"));
                }
                out
            }
            Self::Receive => {
                let mut out = Vec::from(when());
                out.push(sent.line("counterpart", "受領した人", true, "受領書に署名した人"));
                out
            }
            Self::ReleaseSlip => {
                let mut out = Vec::from(when());
                out.push(sent.line("counterpart", "受け取る人", true, ""));
                out.push(sent.line("place", "受渡場所", true, ""));
                out
            }
            Self::Open | Self::Certificate => vec![
                Field::Lines {
                    name: "document",
                    label: "電子の書面",
                    value: sent.get("document").to_owned(),
                    hint: "相手方のプログラムが作ったファイルの中身を貼り付けます。紙のときは空欄にします。",
                },
                sent.line(
                    "words",
                    "紙で受け取ったときの内容",
                    false,
                    "例: 紙の証明書 第12号を文書番号345で保存",
                ),
            ],
            Self::Return => {
                let mut out = vec![];
                if medium {
                    out.push(sent.line(
                        "serial",
                        "返却された媒体のシリアル番号",
                        true,
                        "渡したものと同じかを確かめます。",
                    ));
                }
                if known.found.package.opening.has_slip() {
                    let back = [
                        ("back", "返却された"),
                        ("destroyed", "相手方で裁断し確認した"),
                    ];
                    let back = back.map(|(c, w)| (c.to_owned(), w.to_owned()));
                    out.push(sent.choose("slip", "パスワード通知書", back, ""));
                }
                out.push(sent.line("words", "備考", false, "紙の資料の返却など"));
                out
            }
            Self::Check => vec![
                sent.line("method", "消去の方法", true, "例: 暗号鍵の破棄、論理上書き"),
                sent.line(
                    "words",
                    "確認したこと",
                    true,
                    "例: 対象・件数・控えの有無を目録と照合",
                ),
            ],
            Self::Withdraw => vec![sent.line("words", "理由", true, "")],
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Seal => "承認された目録と表を封筒に入れます。封入すると、元の表は消えます。",
            Self::Carriers => "媒体は、別の2人の職員が運びます。",
            Self::HandOver => {
                "封筒のハッシュを封入のときと比べてから、管理簿に記入します。LGWAN回線では、提供者の画面で送信したあとに記録します。"
            }
            Self::Receive => "受領の日時と、受領した人を管理簿に記入します。",
            Self::ReleaseSlip => {
                "媒体の受渡しとは別の機会に、別の職員が渡します。パスワードは、次の画面に一度だけ出ます。"
            }
            Self::Open => "開封受領書は、封筒の番号とハッシュが合うかを確かめます。",
            Self::Return => "媒体とパスワード通知書の両方を確かめます。",
            Self::Certificate => "電子の証明書は、相手方の登録された鍵で署名を確かめます。",
            Self::Check => "証明書の内容を目録と照合した結果を記入します。",
            Self::Close => "確認が終わった受渡しを閉じます。",
            Self::Withdraw => "封筒と通知書は消えます。取り下げた受渡しは、元に戻せません。",
        }
    }
}

/// What the forms need to know.
pub(crate) struct Known {
    pub(crate) found: Whole,
    pub(crate) accounts: Vec<Account>,
    pub(crate) media: Vec<Medium>,
}

impl Known {
    /// Officers of the town's departments.
    fn people(&self) -> Vec<(String, String)> {
        let ours = self.accounts.iter();
        let ours = ours.filter(|a| a.active && a.org.kind == OrgKind::Department);
        ours.map(|a| (a.id.to_string(), format!("{}（{}）", a.name, a.org.name)))
            .collect()
    }

    fn stored(&self) -> Vec<(String, String)> {
        let stored = self.media.iter().filter(|m| m.state == "stored");
        stored
            .map(|m| {
                (
                    m.id.to_string(),
                    format!("{} {} {}", m.number, m.kind, m.serial),
                )
            })
            .collect()
    }
}

/// Package and step of an address.
pub(crate) fn address(
    Path((package, step)): &Path<(String, String)>,
) -> Result<(PackageId, Step), HandoverError> {
    let package = package.parse().map_err(|_| GateError::NotFound)?;
    let found = Step::ALL.into_iter().find(|s| s.code() == step.as_str());
    Ok((package, found.ok_or(GateError::NotFound)?))
}

/// The form of a step.
pub(crate) async fn form(
    room: &Handover,
    visitor: &Visitor,
    frame: &Frame,
    (package, step): (PackageId, Step),
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, HandoverError> {
    let permit = room
        .gate
        .office(visitor, step.action(), Purpose::Operation, None)
        .await?;
    let known = whole(&permit, package).await?;
    let known = known.and(permit.accounts(room.clock.now()).await?);
    let known = known.and(media(&permit).await?);
    let ((found, accounts), media) = permit.reveal(known).await?.into_inner();
    let found = found?.ok_or(GateError::NotFound)?;
    if !step.follows(&found, visitor.user) {
        // What exactly does not fit, in words.
        let other = UserId::from_bytes([0; 16]);
        found
            .course
            .then(step.event(visitor.user, [visitor.user, other], i64::MAX))?;
    }
    let terms = terms(&found, &accounts)?;
    let known = Known {
        found,
        accounts,
        media,
    };
    Ok(FormPage::new(
        frame,
        step.japanese(),
        format!("/handover/packages/{package}/steps/{}", step.code()),
        format!("/handover/packages/{package}"),
    )
    .words(step.words())
    .terms(terms)
    .fields(step.fields(sent, &known))
    .button(step.japanese())
    .answer(errors))
}

/// GET /handover/packages/{package}/steps/{step}
pub(crate) async fn page(
    Desk(room, visitor, frame): Desk,
    path: Path<(String, String)>,
) -> Response {
    let first = Sent::default();
    let shown = async { form(&room, &visitor, &frame, address(&path)?, (&first, vec![])).await };
    shown.await.unwrap_or_else(answer)
}

/// The stage in which an envelope lies in our folder.
pub(crate) fn lies_here(stage: Stage) -> bool {
    matches!(stage, Stage::Sealed | Stage::Carried | Stage::HandedOver)
}
