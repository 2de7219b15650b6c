//! What is said over HTTPS, as types, and the OpenAPI text made from them (`docs/api/atena.json`). Assumed (想定).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{OpenApi, ToSchema};

use super::https;
use crate::Number;

/// 登録・訂正: whose number, and the number.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActRequest {
    /// 宛名番号
    #[schema(pattern = "^[0-9]{15}$")]
    pub address_number: String,
    /// 個人番号
    #[serde(serialize_with = "write")]
    #[schema(value_type = String, pattern = "^[0-9]{12}$")]
    pub individual_number: Number,
}

/// 削除・照会: whose.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonRequest {
    /// 宛名番号
    #[schema(pattern = "^[0-9]{15}$")]
    pub address_number: String,
}

/// 登録・訂正・削除の答え
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActAnswer {
    /// The idempotency key of the request that is answered
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub key: String,
    /// 宛名番号
    #[schema(pattern = "^[0-9]{15}$")]
    pub address_number: String,
    /// 団体内統合宛名番号（想定: 15桁）。削除の答えにはない
    #[schema(pattern = "^[0-9]{15}$")]
    pub integrated_number: Option<String>,
}

/// 照会の答え、一覧の1行
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HeldNumber {
    /// 宛名番号
    #[schema(pattern = "^[0-9]{15}$")]
    pub address_number: String,
    /// 団体内統合宛名番号
    #[schema(pattern = "^[0-9]{15}$")]
    pub integrated_number: String,
    /// 個人番号
    #[serde(deserialize_with = "read")]
    #[schema(value_type = String, pattern = "^[0-9]{12}$")]
    pub individual_number: Number,
}

/// 一覧の1ページを求める
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListRequest {
    /// Which list; null for a new one, as it stands now
    pub list: Option<u64>,
    /// The last 宛名番号 of the page before
    #[schema(pattern = "^[0-9]{15}$")]
    pub after: Option<String>,
    /// Rows of a page at most
    #[schema(minimum = 1, maximum = 5000)]
    pub limit: u32,
}

/// 一覧の1ページ、宛名番号の順
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListPage {
    /// Which list
    pub list: u64,
    /// Rows of the whole list
    pub total: u64,
    /// Rows
    pub entries: Vec<HeldNumber>,
    /// The 宛名番号 to go on after; null at the end
    #[schema(pattern = "^[0-9]{15}$")]
    pub next: Option<String>,
}

/// 断りと障害 (RFC 9457)
#[derive(Deserialize, ToSchema)]
pub(super) struct Problem {
    /// A stable word such as `unknown-address`, `not-linked`, `number-refused`, `key-reused`, `contract`, `busy`
    #[schema(pattern = "^[a-z0-9-]{1,40}$")]
    pub code: String,
}

fn write<S: Serializer>(number: &Number, to: S) -> Result<S::Ok, S::Error> {
    let text = std::str::from_utf8(number.digits()).map_err(serde::ser::Error::custom)?;
    to.serialize_str(text)
}

fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Number, D::Error> {
    struct Digits;
    impl serde::de::Visitor<'_> for Digits {
        type Value = Number;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an individual number")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
            Number::parse(text).map_err(|_| E::custom("no individual number"))
        }
    }
    from.deserialize_str(Digits)
}

/// 15 ASCII digits: 宛名番号 and 団体内統合宛名番号 (想定).
pub(super) fn is_fifteen(text: &str) -> bool {
    text.len() == 15 && text.bytes().all(|b| b.is_ascii_digit())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "統合宛名連携（想定）",
        version = "1",
        description = "みまもりが統合宛名に話す言葉。実在の仕様は公開されていないため、すべて想定です。相互TLSの上で使います。番号は本文にだけ書き、URLには書きません。",
        license(name = "Apache-2.0")
    ),
    paths(
        https::link,
        https::correct,
        https::delete,
        https::inquire,
        https::list
    )
)]
struct Api;

/// The OpenAPI text of our side, as checked in at `docs/api/atena.json`.
pub fn openapi() -> String {
    let mut text = Api::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}
