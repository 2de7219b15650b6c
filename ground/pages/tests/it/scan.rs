//! A small reader of our own markup, enough to look at tags and attributes.

use askama::Template;
use mimamori_pages::{Frame, Gallery, Problem, Shell};

/// One opening tag: its name and its attributes.
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// All opening tags of `page`; our templates quote every value.
pub fn tags(page: &str) -> Vec<Tag> {
    let opens = page.split('<').skip(1);
    let opens = opens.filter(|piece| piece.starts_with(|c: char| c.is_ascii_alphabetic()));
    opens.map(tag).collect()
}

fn tag(piece: &str) -> Tag {
    let end = piece.find([' ', '>', '\n']).unwrap();
    let (name, mut rest) = piece.split_at(end);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.starts_with('>') {
            break;
        }
        let end = rest.find(['=', ' ', '>']).expect("closed tag");
        let key = rest[..end].to_string();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let close = quoted.find('"').expect("quoted value");
            value = quoted[..close].to_string();
            rest = &quoted[close + 1..];
        } else {
            assert!(!rest.starts_with('='), "unquoted attribute {key}");
        }
        attributes.push((key, value));
    }
    Tag {
        name: name.to_string(),
        attributes,
    }
}

/// Every sample page of this room with a name for messages.
pub fn samples() -> Vec<(String, String)> {
    let bare = Gallery::new(Frame::public("公開"), "");
    let hostile = "<script>alert(1)</script>\" onclick=\"x' {{ 1 }}";
    let mut frame = Frame::sample().with_title(hostile).with_notice(hostile);
    frame.user = Some(hostile.into());
    let mut pages = vec![
        ("gallery".to_string(), Gallery::sample().render().unwrap()),
        ("public".to_string(), bare.render().unwrap()),
        (
            "hostile".to_string(),
            Gallery::new(frame, hostile).render().unwrap(),
        ),
    ];
    let shell = Shell {
        tls: true,
        demo: true,
        env_label: Some("研修環境".into()),
        contact: None,
    };
    for problem in Problem::samples() {
        pages.push((problem.code.to_string(), problem.page(&shell)));
    }
    pages
}
