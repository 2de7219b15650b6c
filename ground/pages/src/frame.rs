//! What stands around the content of a page.

use crate::assets::asset_path;

/// One entry of the main menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavLink {
    /// Path on this site, beginning with `/`.
    pub href: String,
    /// Words of the link.
    pub label: String,
    /// Whether this is the page being shown.
    pub current: bool,
}

impl NavLink {
    /// A link to `href` with the words `label`.
    pub fn new(href: impl Into<String>, label: impl Into<String>, current: bool) -> Self {
        Self {
            href: href.into(),
            label: label.into(),
            current,
        }
    }
}

/// The one variable (`frame`) that `pages/base.html` needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// Title of the page, also the default of the `title` block.
    pub title: String,
    /// 所属 of the user.
    pub office: Option<String>,
    /// Name of the user; `Some` means signed in.
    pub user: Option<String>,
    /// 役割 of the user.
    pub role: Option<String>,
    /// Whether the red demo band is shown.
    pub demo: bool,
    /// Token for POST forms, from [`crate::Csrf::token`]; empty when signed out.
    pub csrf: String,
    /// Main menu.
    pub nav: Vec<NavLink>,
    /// Seconds without input before the page empties and locks; `None` for no lock.
    pub idle_seconds: Option<u32>,
    /// A message above the content, for example after saving.
    pub notice: Option<String>,
    /// Name of the environment, for example 研修環境.
    pub env_label: Option<String>,
    /// Whom to tell of a weakness, an incident or a fault, in one line.
    pub contact: Option<String>,
    /// Office day, written across every page that a browser prints, with office and user (S4-92).
    pub printed: Option<String>,
    /// Path of the page that the visitor came from; an error page of a conflict leads back there.
    pub back: Option<String>,
}

impl Frame {
    /// A frame without a user, for sign-in and error pages.
    pub fn public(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// A signed-in frame for tests, screenshots and the manual (invented person).
    pub fn sample() -> Self {
        Self::public("見本")
            .signed_in_as("介護保険課", "見本 花子", "認定担当")
            .with_csrf("sample-token")
            .with_nav(vec![
                NavLink::new("/", "今日の仕事", true),
                NavLink::new("/residents", "住民をさがす", false),
            ])
            .with_idle(600)
            .with_notice("保存しました。")
            .with_env_label("研修環境")
            .with_demo(true)
    }

    /// Sets the user whose office and name stand in the header; empty for a citizen's office.
    #[must_use]
    pub fn signed_in_as(
        mut self,
        office: impl Into<String>,
        user: impl Into<String>,
        role: impl Into<String>,
    ) -> Self {
        self.office = Some(office.into()).filter(|office| !office.is_empty());
        self.user = Some(user.into());
        self.role = Some(role.into()).filter(|role| !role.is_empty());
        self
    }

    /// Sets the title.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the token that the page's POST forms carry.
    #[must_use]
    pub fn with_csrf(mut self, token: impl Into<String>) -> Self {
        self.csrf = token.into();
        self
    }

    /// Sets the main menu.
    #[must_use]
    pub fn with_nav(mut self, nav: Vec<NavLink>) -> Self {
        self.nav = nav;
        self
    }

    /// Marks the menu entry whose `href` is `path` as the page being shown.
    #[must_use]
    pub fn with_current(mut self, path: &str) -> Self {
        for link in &mut self.nav {
            link.current = link.href == path;
        }
        self
    }

    /// Sets the idle lock in seconds.
    #[must_use]
    pub fn with_idle(mut self, seconds: u32) -> Self {
        self.idle_seconds = Some(seconds);
        self
    }

    /// Sets the message above the content.
    #[must_use]
    pub fn with_notice(mut self, notice: impl Into<String>) -> Self {
        self.notice = Some(notice.into());
        self
    }

    /// Sets the name of the environment.
    #[must_use]
    pub fn with_env_label(mut self, label: impl Into<String>) -> Self {
        self.env_label = Some(label.into());
        self
    }

    /// Sets the office day for the mark on printed pages.
    #[must_use]
    pub fn with_printed(mut self, day: impl Into<String>) -> Self {
        self.printed = Some(day.into());
        self
    }

    /// Sets the path of the page that the visitor came from.
    #[must_use]
    pub fn with_back(mut self, back: Option<String>) -> Self {
        self.back = back;
        self
    }

    /// Sets whom to tell of a weakness, an incident or a fault.
    #[must_use]
    pub fn with_contact(mut self, contact: Option<String>) -> Self {
        self.contact = contact;
        self
    }

    /// Shows or hides the demo band.
    #[must_use]
    pub fn with_demo(mut self, demo: bool) -> Self {
        self.demo = demo;
        self
    }

    /// Whether a user is signed in.
    pub fn signed_in(&self) -> bool {
        self.user.is_some()
    }

    /// The user's name, or words that say it is missing.
    pub fn user_words(&self) -> &str {
        self.user.as_deref().unwrap_or("氏名なし")
    }

    /// Path of one of this room's assets, for templates of any crate.
    pub fn asset(&self, name: &str) -> &'static str {
        asset_path(name)
    }
}
