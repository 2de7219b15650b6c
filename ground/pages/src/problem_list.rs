//! The words of each status.

use crate::problem::{Detail, Problem, Refusal};

impl Problem {
    /// 400: `cause` says which input is wrong, without repeating it.
    pub fn bad_request(cause: impl Into<String>) -> Self {
        Self::new(
            400,
            "input.invalid",
            "入力を確かめてください",
            cause,
            "前の画面に戻り、入力を直してから、もう一度送ってください。",
        )
    }

    /// 401: nobody is signed in, or the session has ended.
    pub fn unauthenticated(refusal: Refusal) -> Self {
        Self::new(
            401,
            "session.missing",
            "サインインしてください",
            "サインインしていないか、サインインの期限が切れています。",
            "サインインしてから、もう一度開いてください。",
        )
        .with_detail(Detail::Refusal(refusal))
    }

    /// 401: the account was revoked or changed while the request ran; whoever guards the
    /// sessions ends this one ([`Problem::ends_session`]).
    pub fn account_changed() -> Self {
        Self::new(
            401,
            "account.changed",
            "利用を終わりました",
            "この操作のあいだに、利用者の権限が変わりました。",
            "もう一度サインインしてください。",
        )
    }

    /// Whether the session that met this problem must not go on.
    pub fn ends_session(&self) -> bool {
        self.code == "account.changed"
    }

    /// 403: the user may not do this; shows the reason and the clauses.
    pub fn forbidden(refusal: Refusal) -> Self {
        Self::new(
            403,
            "action.refused",
            "この操作はできません",
            "権限の決まりにより、この操作を止めました。",
            "仕事に必要なときは、下の問い合わせ先に相談してください。",
        )
        .with_detail(Detail::Refusal(refusal))
    }

    /// 403: the user may, but only after proving anew who he is; the page leads to `/verify` and back.
    pub fn step_up() -> Self {
        Self::new(
            403,
            "verify.needed",
            "本人確認をしてください",
            "この操作の前に、5分以内の本人確認（パスキーか顔認証）が必要です。",
            "「本人確認をする」を押してください。済んだら元の画面に戻り、もう一度操作できます。",
        )
    }

    /// Whether a fresh verification is all that is missing.
    pub fn needs_verification(&self) -> bool {
        self.code == "verify.needed"
    }

    /// 403: the form's token does not belong to this session.
    pub fn csrf_mismatch() -> Self {
        Self::new(
            403,
            "form.token",
            "この画面からは送れません",
            "画面が古いか、別の画面から送られたため、受け付けませんでした。",
            "画面を開き直してから、もう一度入力してください。",
        )
    }

    /// 404: always the same bytes, whether the thing is missing or not yours.
    pub fn not_found() -> Self {
        Self::new(
            404,
            "page.missing",
            "見つかりません",
            "この場所に表示できるものはありません。",
            "最初の画面から、もう一度さがしてください。",
        )
    }

    /// 405: `allow` lists the methods, for example `"GET, POST"`.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self::new(
            405,
            "method.refused",
            "この送り方はできません",
            "この画面では使えない送り方です。",
            "最初の画面から、もう一度操作してください。",
        )
        .with_detail(Detail::Allow(allow))
    }

    /// 408: the request took too long.
    pub fn timeout() -> Self {
        Self::new(
            408,
            "request.timeout",
            "時間がかかりすぎました",
            "決められた時間内に終わらなかったため、止めました。",
            "少し待ってから、もう一度操作してください。",
        )
    }

    /// 409: someone else changed the record first, or the state does not fit.
    pub fn conflict(cause: impl Into<String>) -> Self {
        Self::new(
            409,
            "record.conflict",
            "いまの状態ではできません",
            cause,
            "最新の内容を開き直して確かめてから、もう一度入力してください。",
        )
    }

    /// 413: the body is too large.
    pub fn too_large() -> Self {
        Self::new(
            413,
            "body.large",
            "送られた内容が大きすぎます",
            "一度に送れる大きさを超えています。",
            "内容を分けるか短くして、もう一度送ってください。",
        )
    }

    /// 414: the address is too long.
    pub fn uri_too_long() -> Self {
        Self::new(
            414,
            "address.long",
            "アドレスが長すぎます",
            "検索の条件などが長すぎます。",
            "条件を減らして、もう一度操作してください。",
        )
    }

    /// 415: the body has a type this page does not take.
    pub fn unsupported_media() -> Self {
        Self::new(
            415,
            "body.type",
            "受け付けられない形式です",
            "送られた内容の形式が、この画面と合いません。",
            "画面のフォームから、もう一度送ってください。",
        )
    }

    /// 429: wait `seconds`, also sent as `Retry-After`.
    pub fn too_many(seconds: u32) -> Self {
        Self::new(
            429,
            "request.many",
            "少し待ってください",
            "短い時間に操作が多すぎたため、いったん止めました。",
            format!("{seconds}秒ほど待ってから、もう一度操作してください。"),
        )
        .with_detail(Detail::RetryAfter(seconds))
    }

    /// 500: a fault of the system.
    pub fn internal(incident: Option<String>) -> Self {
        let mut problem = Self::new(
            500,
            "system.fault",
            "システムの不具合です",
            "処理の途中で不具合が起きたため、止めました。",
            "障害番号があれば控えて、情報システムの担当に知らせてください。",
        );
        problem.incident = incident;
        problem
    }

    /// 503: a part of the system that this page needs does not answer, or may not be used.
    pub fn away(cause: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(503, "part.away", "いまは使えません", cause, next)
    }

    /// 503: the trace could not be written, so nothing is shown.
    pub fn cannot_record(incident: Option<String>) -> Self {
        let mut problem = Self::new(
            503,
            "trace.unavailable",
            "記録できないため表示しません",
            "だれが何を見たかの記録を書けないため、表示も変更もしていません。",
            "情報システムの担当に知らせ、直ってからもう一度操作してください。",
        );
        problem.incident = incident;
        problem
    }

    /// The problem for a bare status, such as those of the web framework.
    pub fn from_status(status: u16) -> Self {
        match status {
            401 => Self::unauthenticated(Refusal {
                reason: "サインインが必要です。".into(),
                ..Refusal::default()
            }),
            403 => Self::forbidden(Refusal {
                reason: "この操作は認められていません。".into(),
                ..Refusal::default()
            }),
            404 => Self::not_found(),
            405 => {
                let mut problem = Self::method_not_allowed("");
                problem.detail = None; // the framework's own Allow header stays
                problem
            }
            408 => Self::timeout(),
            409 => Self::conflict("今の状態では、この操作はできません。"),
            413 => Self::too_large(),
            414 => Self::uri_too_long(),
            415 => Self::unsupported_media(),
            429 => Self::too_many(60),
            503 => Self {
                code: "system.busy",
                title: "いまは利用できません",
                cause: "システムが一時的に利用できません。".into(),
                ..Self::cannot_record(None)
            },
            500..=599 => Self {
                status,
                ..Self::internal(None)
            },
            _ => Self {
                status,
                ..Self::bad_request("送られた内容を受け付けられませんでした。")
            },
        }
    }

    /// One of each, for tests, screenshots and the manual.
    pub fn samples() -> Vec<Self> {
        let incident = || Some(String::from("MIMA-20250401-0001"));
        vec![
            Self::bad_request("生年月日の形が正しくありません。"),
            Self::unauthenticated(Refusal {
                reason: "15分間操作がなかったため、サインアウトしました。".into(),
                ..Refusal::default()
            }),
            Self::forbidden(Refusal::sample()),
            Self::csrf_mismatch(),
            Self::not_found(),
            Self::method_not_allowed("GET"),
            Self::timeout(),
            Self::conflict("ほかの職員が先に変更しました。"),
            Self::too_large(),
            Self::uri_too_long(),
            Self::unsupported_media(),
            Self::too_many(30),
            Self::internal(incident()),
            Self::cannot_record(incident()),
        ]
    }
}
