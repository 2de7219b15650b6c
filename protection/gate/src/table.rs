//! The permission table as text, so that a change of rights is a diff a lawyer can read.

use mimamori_identity::{AuthLevel, OrgKind, Role};

use crate::class::Class;
use crate::decide::{Purpose, Question, Rules, Standing};
use crate::facts::Facts;
use crate::job::SYSTEM;

const BITS: [(i64, &str); 6] = [
    (Facts::RESIDENT, "市内に住所がある"),
    (Facts::DECEASED, "死亡"),
    (Facts::MOVED_OUT, "転出"),
    (Facts::PROTECTED, "支援措置"),
    (Facts::INSURED, "被保険者"),
    (Facts::OPTED_OUT, "提供停止"),
];

/// Organisation kind that a role stands in.
fn kind(role: Role) -> OrgKind {
    OrgKind::ALL
        .into_iter()
        .find(|k| k.may_hold(role))
        .unwrap_or(OrgKind::Department)
}

/// Nobody is "the person" of a list: only a record or a page is somebody's own.
fn lists(action: &str) -> bool {
    action.ends_with(".search") || action.ends_with(".list")
}

/// Whether the class is open for every combination of facts and ownership.
fn open(gate: &Rules, base: Question) -> Vec<bool> {
    let mut out = Vec::with_capacity(128);
    let one = !lists(base.action.code());
    let about_nobody = matches!(base.class, Class::Staff | Class::Aggregate);
    for own in [false, one] {
        if about_nobody {
            // The office's own records and counts: no facts are ever asked.
            let answer = gate.decide(Question { own, ..base }).allowed;
            out.extend(Facts::EVERY.map(|_| answer));
            continue;
        }
        for mask in Facts::EVERY {
            out.push(
                gate.decide(Question {
                    facts: Facts(mask),
                    own,
                    ..base
                })
                .allowed,
            );
        }
    }
    out
}

/// The same set of combinations in few terms: (values, bits that do not matter), by merging
/// neighbours (Quine and McCluskey) and taking the widest that still add something.
fn shortest(holds: &[usize], bits: usize) -> Vec<(usize, usize)> {
    let covers = |(value, free): (usize, usize), c: usize| c & !free == value & !free;
    let mut terms: Vec<(usize, usize)> = (0..1usize << bits)
        .flat_map(|free| holds.iter().map(move |value| (value & !free, free)))
        .filter(|term| (0..1usize << bits).all(|c| !covers(*term, c) || holds.contains(&c)))
        .collect();
    terms.sort_by_key(|(value, free)| (std::cmp::Reverse(free.count_ones()), *value));
    terms.dedup();
    let (mut left, mut out) = (holds.to_vec(), Vec::new());
    for term in terms {
        if left.iter().any(|c| covers(term, *c)) {
            left.retain(|c| !covers(term, *c));
            out.push(term);
        }
    }
    out
}

/// The condition in words; none when nothing is open.
fn words(open: &[bool]) -> Option<String> {
    if !open.contains(&true) {
        return None;
    }
    let names: Vec<(usize, &str)> = BITS
        .iter()
        .map(|(bit, name)| (usize::try_from(*bit).unwrap_or(0), *name))
        .chain(std::iter::once((64, "本人")))
        .filter(|(bit, _)| (0..128).any(|i| open[i] != open[i ^ bit]))
        .collect();
    if names.is_empty() {
        return Some("いつでも".into());
    }
    let at = |choice: usize| {
        names
            .iter()
            .enumerate()
            .filter(|(n, _)| choice >> n & 1 == 1)
            .fold(0, |i, (_, (bit, _))| i | bit)
    };
    let holds: Vec<usize> = (0..1usize << names.len())
        .filter(|c| open[at(*c)])
        .collect();
    let cases: Vec<String> = shortest(&holds, names.len())
        .into_iter()
        .map(|(value, free)| {
            let word =
                |(n, (_, name)): (usize, &(usize, &str))| match (free >> n & 1, value >> n & 1) {
                    (1, _) => None,
                    (_, 1) => Some((*name).to_owned()),
                    _ => Some(format!("{name}でない")),
                };
            names
                .iter()
                .enumerate()
                .filter_map(word)
                .collect::<Vec<_>>()
                .join("・")
        })
        .collect();
    Some(cases.join(" または "))
}

/// Parts of a standing: a name, and the standing without it.
type Part = (&'static str, fn(Standing) -> Standing);

const PARTS: [Part; 4] = [
    ("特定個人情報取扱者", |s| Standing {
        handler: false,
        ..s
    }),
    ("登録された端末", |s| Standing {
        terminal: false,
        ..s
    }),
    ("パスキーでのサインイン", |s| Standing {
        auth: AuthLevel::Password,
        ..s
    }),
    ("5分以内の本人確認", |s| Standing {
        fresh: false,
        ..s
    }),
];

/// Of the visitor's standing what the class needs, for number work; empty for anything else.
fn needs(gate: &Rules, base: Question) -> String {
    if !base.class.of_number() {
        return String::new();
    }
    let needed = PARTS.iter().filter(|(_, without)| {
        let standing = without(base.standing);
        !open(gate, Question { standing, ..base }).contains(&true)
    });
    let needed: Vec<&str> = needed.map(|(name, _)| *name).collect();
    format!("（必要: {}）", needed.join("・"))
}

/// One line for each role, action and class that can be permitted, with the condition in words.
pub fn permission_table(gate: &Rules) -> String {
    let mut out = String::from("役割 | 操作 | 目的 | 情報の区分 | 条件\n");
    let roles = Role::ALL.into_iter().map(|r| (r.code(), kind(r).code()));
    for (role, org_kind) in roles.chain([SYSTEM]) {
        for action in gate.actions() {
            for purpose in Purpose::ALL {
                for class in Class::ALL {
                    if !action.classes().contains(&class) {
                        continue;
                    }
                    let base = Question {
                        role,
                        org_kind,
                        standing: match class.of_number() {
                            true => Standing::WHOLE,
                            false => AuthLevel::Password.into(),
                        },
                        action,
                        purpose,
                        class,
                        facts: Facts::default(),
                        own: false,
                        care: false,
                        proxy: false,
                        in_scope: true,
                        in_contract: true,
                    };
                    if let Some(mut words) = words(&open(gate, base)) {
                        words.push_str(&needs(gate, base));
                        out.push_str(&format!(
                            "{} {} | {} {} | {} {} | {} {} | {words}\n",
                            Role::from_code(role).map_or("サーバーでの作業", Role::japanese),
                            role,
                            action.japanese(),
                            action.code(),
                            purpose.japanese(),
                            purpose.code(),
                            class.japanese(),
                            class.code()
                        ));
                    }
                }
            }
        }
    }
    out
}
