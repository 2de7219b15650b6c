//! Which resident a user of the office is (本人の宛名番号), as he declared it: asked for by one person,
//! approved by another, for the monitoring rules alone (S0-45, decision 0026).
//!
//! No screen of this room says whether the register knows a number: who enters it learns nothing.

use axum::extract::Path;
use axum::response::Response;
use mimamori_gate::{GateError, Purpose};
use mimamori_identity::{ADDRESS_NUMBER, Ties, Visitor};
use mimamori_kernel::id::UserId;
use mimamori_pages::{FieldError, Frame, LimitedForm, Term};

use super::{about, ask, id, may};
use crate::error::answer;
use crate::request::Asked;
use crate::screen::{Desk, Field, FormPage, Sent, moved};
use crate::{Operations, OperationsError, action};

/// Others of a household that can be declared (想定).
const HOUSEHOLD: usize = 10;

/// A number with its leading zeros, whatever the width of the digits.
fn number(text: &str) -> Option<String> {
    let digit = |c: char| match c {
        '0'..='9' => Some(c),
        '０'..='９' => char::from_u32(u32::from(c) - 0xfee0),
        _ => None,
    };
    let digits: String = text.chars().map(digit).collect::<Option<_>>()?;
    let sound = (1..=ADDRESS_NUMBER).contains(&digits.len()) && digits.chars().any(|c| c != '0');
    sound.then(|| format!("{digits:0>ADDRESS_NUMBER$}"))
}

/// The two questions.
pub(crate) fn fields(sent: &Sent) -> [Field; 2] {
    [
        sent.line(
            "own-number",
            "本人の宛名番号",
            false,
            "本人が出した届のとおりに、15桁まで（先頭の0は省略できます）。市民でない人は空欄。住民記録にあるかどうかは、この画面では調べません。",
        ),
        sent.line(
            "household-numbers",
            "同じ世帯の人の宛名番号",
            false,
            "10人まで。番号の間は空白か読点で区切ります。",
        ),
    ]
}

/// What was declared; refuses what cannot be a number.
pub(crate) fn declared(sent: &mut Sent) -> Ties {
    let mut ties = Ties::default();
    let own = sent.get("own-number").to_owned();
    if !own.is_empty() {
        ties.own = number(&own);
        if ties.own.is_none() {
            sent.refuse("own-number", "宛名番号は15桁までの数字で入力してください。");
        }
    }
    let text = sent.get("household-numbers").to_owned();
    let parts = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '、' | '，' | '・'))
        .filter(|p| !p.is_empty());
    for part in parts {
        match number(part) {
            Some(n) if ties.own.as_ref() == Some(&n) || ties.household.contains(&n) => {
                sent.refuse("household-numbers", "同じ番号が2回あります。");
                break;
            }
            Some(n) => ties.household.push(n),
            None => {
                let message = "宛名番号は15桁までの数字で、空白か読点で区切って入力してください。";
                sent.refuse("household-numbers", message);
                break;
            }
        }
    }
    if ties.household.len() > HOUSEHOLD {
        sent.refuse("household-numbers", "同じ世帯の人は10人までです。");
    }
    ties
}

/// How much is entered, without a number.
pub(crate) fn words(ties: &Ties) -> String {
    match (&ties.own, ties.household.len()) {
        (None, 0) => "登録なし".into(),
        (None, n) => format!("本人は登録なし、同じ世帯の人{n}人"),
        (Some(_), n) => format!("登録あり（同じ世帯の人{n}人）"),
    }
}

async fn form(
    room: &Operations,
    visitor: &Visitor,
    frame: &Frame,
    user: &str,
    (sent, errors): (&Sent, Vec<FieldError>),
) -> Result<Response, OperationsError> {
    let whom = id(user)?;
    may(room, visitor, action::RESIDENT_PROPOSE, Some(whom)).await?;
    let permit = room
        .gate
        .office(visitor, action::OPEN, Purpose::Operation, Some(whom))
        .await?;
    let known = permit.account(&whom, room.clock.now()).await?;
    let known = known.and(permit.ties(&whom).await?);
    let (account, ties) = permit.reveal(known).await?.into_inner();
    let account = account.ok_or(GateError::NotFound)?;
    let at = format!("/operations/people/{user}");
    let mut terms = about(&account);
    terms.push(Term::new("いまの登録", words(&ties)));
    let mut fields = Vec::from(fields(sent));
    fields.push(sent.line("reason", "理由", true, "例: 転入の届出による"));
    Ok(
        FormPage::new(frame, "本人の宛名番号の登録の申請", format!("{at}/resident"), &at)
            .words("職員が自分や同じ世帯・同じ番地の人の記録を見たときに、点検の結果に出すための登録です。ほかのことには使いません。")
            .words("別の運営管理責任者か事業責任者が、届と見比べて承認すると効きます。いまの登録は、入力した内容に置き換わります。両方を空欄にすると、登録がなくなります。")
            .terms(terms)
            .fields(fields)
            .button("propose", "申請する", "primary")
            .answer(errors),
    )
}

/// GET /operations/people/{user}/resident
pub(crate) async fn page(Desk(room, visitor, frame): Desk, Path(user): Path<String>) -> Response {
    form(&room, &visitor, &frame, &user, (&Sent::default(), vec![]))
        .await
        .unwrap_or_else(answer)
}

async fn propose(
    room: &Operations,
    visitor: &Visitor,
    user: UserId,
    sent: &mut Sent,
) -> Result<(), OperationsError> {
    let permit = room
        .gate
        .office(
            visitor,
            action::RESIDENT_PROPOSE,
            Purpose::Operation,
            Some(user),
        )
        .await?;
    let ties = declared(sent);
    let reason = sent.need("reason", "理由を入力してください。");
    sent.complete()?;
    ask(
        room,
        permit,
        visitor,
        user,
        Asked::Resident { user, ties },
        (reason, "本人の宛名番号の登録の申請"),
    )
    .await
}

/// POST /operations/people/{user}/resident
pub(crate) async fn submit(
    Desk(room, visitor, frame): Desk,
    Path(user): Path<String>,
    LimitedForm(pairs): LimitedForm<Vec<(String, String)>>,
) -> Response {
    let mut sent = Sent::from(pairs);
    let done = async { propose(&room, &visitor, id(&user)?, &mut sent).await }.await;
    moved(
        done,
        &format!("/operations/people/{user}"),
        async |errors| form(&room, &visitor, &frame, &user, (&sent, errors)).await,
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(own: &str, household: &str) -> Sent {
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        Sent::from(vec![
            pair("own-number", own),
            pair("household-numbers", household),
        ])
    }

    #[test]
    fn numbers_are_read_in_any_width_and_get_their_zeros() {
        let mut given = sent("１２３", "456、000000000000789 １０");
        let ties = declared(&mut given);
        assert!(given.errors.is_empty());
        assert_eq!(ties.own.as_deref(), Some("000000000000123"));
        assert_eq!(
            ties.household,
            ["000000000000456", "000000000000789", "000000000000010"]
        );
        assert_eq!(words(&ties), "登録あり（同じ世帯の人3人）");
        assert!(declared(&mut sent("", "")).is_empty());
    }

    #[test]
    fn what_is_no_number_or_stands_twice_is_refused_beside_its_field() {
        for (own, household, field) in [
            ("12a", "", "own-number"),
            ("0000000000000001", "", "own-number"),
            ("000", "", "own-number"),
            ("", "1;2", "household-numbers"),
            ("7", "8 7", "household-numbers"),
            ("", "5 5", "household-numbers"),
            ("", "1 2 3 4 5 6 7 8 9 10 11", "household-numbers"),
        ] {
            let mut given = sent(own, household);
            declared(&mut given);
            assert_eq!(given.errors.len(), 1, "{own} {household}");
            assert_eq!(given.errors[0].field, field, "{own} {household}");
        }
    }
}
