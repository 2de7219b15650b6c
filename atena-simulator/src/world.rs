//! What the invented 統合宛名 knows, and how it behaves.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::Person;

/// How the other end behaves from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// As it should.
    #[default]
    Normal,
    /// Nobody listens; files stay where they are.
    Down,
    /// It does what it is told, and answers late.
    Slow,
    /// Each request arrives twice; in files each answer stands twice and each file is laid down again.
    Duplicate,
    /// It gives the answer to an earlier request; in files the later answer comes first.
    OutOfOrder,
    /// The answer is about another person.
    WrongPerson,
    /// One after the other: an error, too busy, no JSON, too long, a redirect.
    Errors,
}

impl Mode {
    /// By its name, such as `out-of-order`.
    pub fn from_name(name: &str) -> Option<Self> {
        serde_json::from_value(Value::String(name.to_owned())).ok()
    }
}

/// What is done to a person's link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Register.
    Link,
    /// Another number.
    Correct,
    /// No longer.
    Delete,
}

/// A person whom the care-insurance system linked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Linked {
    /// 宛名番号.
    pub address_number: String,
    /// 団体内統合宛名番号, 15 digits.
    pub integrated_number: String,
    /// 個人番号.
    pub individual_number: String,
}

/// One act that took effect, in order.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Applied {
    /// The key that came with it.
    pub key: String,
    /// What.
    pub kind: Kind,
    /// Whose.
    pub address_number: String,
}

/// Status and body of an answer.
pub(crate) type Reply = (u16, Value);

/// What was asked under a key: kind, 宛名番号, number.
type Asked = (Kind, String, Option<String>);

#[derive(Debug, Default)]
struct Inner {
    mode: Mode,
    people: BTreeMap<String, String>,
    linked: BTreeMap<String, Linked>,
    answered: HashMap<String, (Asked, Reply)>,
    applied: Vec<Applied>,
    held: Option<Reply>,
    lists: BTreeMap<u64, Vec<Linked>>,
    turns: usize,
}

/// The invented 統合宛名, shared by both ways in.
#[derive(Debug, Default)]
pub struct World(Mutex<Inner>);

pub(crate) fn problem(status: u16, code: &str) -> Reply {
    let title = match status {
        400 => "約束に合わない要求です",
        404 => "該当がありません",
        409 | 422 => "受け付けられません",
        _ => "処理できません",
    };
    (
        status,
        json!({"type": "about:blank", "title": title, "status": status, "code": code}),
    )
}

/// 団体内統合宛名番号 of whoever has this number: the same after a restart too.
fn integrate(number: &str) -> String {
    let hash = Sha256::digest(number);
    let most = hash
        .iter()
        .take(6)
        .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    format!("{:015}", 800_000_000_000_000 + most % 100_000_000_000_000)
}

impl Inner {
    fn apply(&mut self, kind: Kind, key: &str, address: &str, number: Option<&str>) -> Reply {
        if kind == Kind::Correct && !self.linked.contains_key(address) {
            return problem(404, "not-linked");
        }
        if number.is_some_and(|n| mimamori_kernel::check::individual_number(n).is_err()) {
            return problem(422, "number-refused");
        }
        let integrated = match number {
            Some(number) => {
                let integrated = integrate(number);
                let linked = Linked {
                    address_number: address.to_owned(),
                    integrated_number: integrated.clone(),
                    individual_number: number.to_owned(),
                };
                self.linked.insert(address.to_owned(), linked);
                Some(integrated)
            }
            None => {
                self.linked.remove(address);
                None
            }
        };
        self.applied.push(Applied {
            key: key.to_owned(),
            kind,
            address_number: address.to_owned(),
        });
        (
            200,
            json!({"key": key, "address_number": address, "integrated_number": integrated}),
        )
    }

    fn once(&mut self, kind: Kind, key: &str, address: &str, number: Option<&str>) -> Reply {
        let asked = (kind, address.to_owned(), number.map(ToOwned::to_owned));
        if let Some((before, reply)) = self.answered.get(key) {
            return if *before == asked {
                reply.clone()
            } else {
                problem(422, "key-reused")
            };
        }
        let reply = self.apply(kind, key, address, number);
        self.answered.insert(key.to_owned(), (asked, reply.clone()));
        reply
    }
}

impl World {
    /// A world in which these people are known and nobody is linked yet.
    pub fn new(people: Vec<Person>) -> Self {
        let people = people
            .into_iter()
            .map(|p| (p.address_number, p.individual_number))
            .collect();
        Self(Mutex::new(Inner {
            people,
            ..Inner::default()
        }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it behaves now.
    pub fn mode(&self) -> Mode {
        self.inner().mode
    }

    /// Behaves so from now on.
    pub fn set_mode(&self, mode: Mode) {
        let mut inner = self.inner();
        inner.mode = mode;
        inner.held = None;
    }

    /// Everybody who is linked, by 宛名番号.
    pub fn linked(&self) -> Vec<Linked> {
        self.inner().linked.values().cloned().collect()
    }

    /// Every act that took effect, in order.
    pub fn applied(&self) -> Vec<Applied> {
        self.inner().applied.clone()
    }

    /// Puts a link there behind the connector's back.
    pub fn set(&self, linked: Linked) {
        self.inner()
            .linked
            .insert(linked.address_number.clone(), linked);
    }

    /// Takes a link away behind the connector's back.
    pub fn remove(&self, address_number: &str) {
        self.inner().linked.remove(address_number);
    }

    /// Does an act, once for each key.
    pub(crate) fn act(&self, kind: Kind, key: &str, address: &str, number: Option<&str>) -> Reply {
        let mut inner = self.inner();
        let reply = inner.once(kind, key, address, number);
        match inner.mode {
            Mode::Duplicate => inner.once(kind, key, address, number),
            Mode::OutOfOrder => {
                let before = inner.held.replace(reply);
                before.unwrap_or_else(|| problem(503, "busy"))
            }
            Mode::WrongPerson if reply.0 == 200 => {
                let other = format!("{:015}", 999_999_999_999_999_u64);
                (
                    200,
                    json!({"key": key, "address_number": other, "integrated_number": other}),
                )
            }
            _ => reply,
        }
    }

    /// Does an act and answers to the point, whatever the mode.
    pub(crate) fn act_plainly(
        &self,
        kind: Kind,
        key: &str,
        address: &str,
        number: Option<&str>,
    ) -> Reply {
        self.inner().once(kind, key, address, number)
    }

    /// Who is behind a 宛名番号: linked, or known from elsewhere.
    pub(crate) fn inquire(&self, address: &str) -> Reply {
        let inner = self.inner();
        let linked = inner.linked.get(address).cloned();
        let found = linked.or_else(|| {
            let number = inner.people.get(address)?.clone();
            let integrated_number = integrate(&number);
            Some(Linked {
                address_number: address.to_owned(),
                integrated_number,
                individual_number: number,
            })
        });
        let Some(mut found) = found else {
            return problem(404, "unknown-address");
        };
        if inner.mode == Mode::WrongPerson {
            found.address_number = format!("{:015}", 999_999_999_999_999_u64);
        }
        (200, json!(found))
    }

    /// One page of the list as it stood when its first page was asked for.
    pub(crate) fn list(&self, list: Option<u64>, after: &str, limit: usize) -> Reply {
        let mut inner = self.inner();
        let id = list.unwrap_or_else(|| inner.lists.last_key_value().map_or(1, |(id, _)| id + 1));
        if list.is_none() {
            let now = inner.linked.values().cloned().collect();
            inner.lists.insert(id, now);
        }
        let Some(all) = inner.lists.get(&id) else {
            return problem(404, "unknown-list");
        };
        let rest = all.iter().filter(|l| l.address_number.as_str() > after);
        let page: Vec<&Linked> = rest.take(limit).collect();
        let last = page.last().map(|l| l.address_number.clone());
        let more = all.last().map(|l| &l.address_number) > last.as_ref();
        let next = if more { last } else { None };
        (
            200,
            json!({"list": id, "total": all.len(), "entries": page, "next": next}),
        )
    }

    /// Which kind of error it is this time.
    pub(crate) fn turn(&self) -> usize {
        let mut inner = self.inner();
        inner.turns += 1;
        inner.turns
    }
}
