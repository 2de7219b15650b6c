//! The requests beside the policies: one file, one sentence, one answer.

use mimamori_gate::{Action, Class, Facts, Purpose, Rules, Standing};
use mimamori_identity::{AuthLevel, OrgKind, Role};
use mimamori_server::instance::ROOMS;

use crate::edges::root;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    role: String,
    organisation: String,
    sign_in: String,
    action: String,
    purpose: String,
    class: String,
    facts: Vec<String>,
    own: bool,
    /// What number work needs besides: `handler`, `terminal`, `fresh`.
    #[serde(default)]
    standing: Vec<String>,
}

fn code<T: Copy>(all: &[T], word: &str, of: fn(T) -> &'static str) -> T {
    let found = all.iter().copied().find(|x| of(*x) == word);
    found.unwrap_or_else(|| panic!("unknown word: {word}"))
}

fn fact(word: &str) -> i64 {
    match word {
        "resident" => Facts::RESIDENT,
        "deceased" => Facts::DECEASED,
        "moved-out" => Facts::MOVED_OUT,
        "support-measure" => Facts::PROTECTED,
        "insured" => Facts::INSURED,
        "opted-out" => Facts::OPTED_OUT,
        _ => panic!("unknown fact: {word}"),
    }
}

fn allowed(rules: &Rules, request: &Request) -> bool {
    let auth = match request.sign_in.as_str() {
        "initial-password" => AuthLevel::PasswordInitial,
        "password" => AuthLevel::Password,
        "verified" => AuthLevel::Verified,
        other => panic!("unknown sign-in: {other}"),
    };
    let has = |word: &str| request.standing.iter().any(|w| w == word);
    let known = |w: &String| ["handler", "terminal", "fresh"].contains(&w.as_str());
    assert!(request.standing.iter().all(known), "unknown standing");
    let standing = Standing {
        auth,
        handler: has("handler"),
        terminal: has("terminal"),
        fresh: has("fresh"),
    };
    rules.allows(
        code(&Role::ALL, &request.role, Role::code),
        code(&OrgKind::ALL, &request.organisation, OrgKind::code),
        standing,
        code(
            &rules.actions().collect::<Vec<_>>(),
            &request.action,
            Action::code,
        ),
        code(&Purpose::ALL, &request.purpose, Purpose::code),
        code(&Class::ALL, &request.class, Class::code),
        Facts(request.facts.iter().map(|f| fact(f)).sum()),
        request.own,
    )
}

#[test]
fn each_request_beside_the_policies_gets_the_answer_its_folder_says() {
    let rules = Rules::new(ROOMS).unwrap();
    for floor in ["stewardship", "services"] {
        let Ok(rooms) = std::fs::read_dir(root().join(floor)) else {
            continue;
        };
        for policy in rooms.flatten().map(|room| room.path().join("policy")) {
            for (folder, expected) in [("ALLOW", true), ("DENY", false)] {
                answers(&rules, &policy.join(folder), expected);
            }
        }
    }
}

fn answers(rules: &Rules, folder: &std::path::Path, expected: bool) {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let at = entry.path();
        let sentence = name
            .strip_suffix(".json")
            .unwrap_or_else(|| panic!("{name}"));
        assert!(sentence.split('_').count() >= 4, "{name} is not a sentence");
        let text = std::fs::read_to_string(&at).unwrap();
        let request: Request =
            serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", at.display()));
        assert_eq!(allowed(rules, &request), expected, "{}", at.display());
        seen += 1;
    }
    assert!(seen > 0, "{} is empty", folder.display());
}
