//! Tickets and limits: what may be done at the room's window, by whom, once.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use mimamori_kernel::id::{NumberRef, TicketId, UserId};

use crate::port::{Kind, Order};

/// Time to open a ticket, microseconds: the page that holds it opens it at once.
const OPENING: i64 = 60_000_000;
/// Time to fill in a form that was opened.
const FILLING: i64 = 5 * 60_000_000;
/// One hour.
const HOUR: i64 = 3_600_000_000;
/// Tickets that wait at most.
const WAITING: usize = 10_000;
/// Ended sessions that are remembered.
const OVER: usize = 10_000;

/// What a user may do in an hour, and all together (PROTECTION 3.2; settings).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Searches by number of one user.
    pub finds: usize,
    /// Searches by number of all users.
    pub all_finds: usize,
    /// Numbers shown to one user.
    pub reveals: usize,
    /// Numbers shown to all users.
    pub all_reveals: usize,
    /// Registrations and corrections of one user.
    pub registers: usize,
    /// Registrations and corrections of all users.
    pub all_registers: usize,
    /// Files loaded by one user.
    pub loads: usize,
    /// Files loaded by all users.
    pub all_loads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            finds: 60,
            all_finds: 600,
            reveals: 120,
            all_reveals: 1200,
            registers: 240,
            all_registers: 2400,
            loads: 20,
            all_loads: 60,
        }
    }
}

impl Limits {
    /// Under which name a kind is counted, and how many of it there may be: one user, all users.
    fn of(&self, kind: Kind) -> (&'static str, usize, usize) {
        match kind {
            Kind::Find => ("find", self.finds, self.all_finds),
            Kind::Reveal => ("reveal", self.reveals, self.all_reveals),
            Kind::Load => ("load", self.loads, self.all_loads),
            Kind::Register | Kind::Correct | Kind::Delete => {
                ("register", self.registers, self.all_registers)
            }
        }
    }
}

/// A ticket in the room.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub order: Order,
    /// Until when it can be used, steady microseconds.
    until: i64,
    opened: bool,
    /// Somebody works with it; it stays, so that whoever forgets it is heard.
    taken: bool,
    /// References by 宛名番号, for a load.
    pub people: BTreeMap<String, NumberRef>,
}

#[derive(Default)]
struct Inside {
    tickets: HashMap<TicketId, Ticket>,
    done: HashMap<(UserId, &'static str), VecDeque<i64>>,
    all: HashMap<&'static str, VecDeque<i64>>,
    /// Sessions that ended lately: what they still ask for comes too late.
    over: VecDeque<String>,
}

/// Tickets and counts of one room, in memory: a restart makes tickets worthless, and the vault knows what was ordered.
pub(crate) struct Desk {
    limits: Limits,
    inside: Mutex<Inside>,
}

/// Seconds until the oldest of a full hour is over; none while there is room.
fn full(times: &mut VecDeque<i64>, most: usize, now: i64) -> Option<u64> {
    while times.front().is_some_and(|at| now - at >= HOUR) {
        times.pop_front();
    }
    let oldest = times.front().filter(|_| times.len() >= most)?;
    Some(u64::try_from((oldest + HOUR - now) / 1_000_000 + 1).unwrap_or(3600))
}

/// Why there is no ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTicket {
    /// Seconds until another try.
    Limited(u64),
    /// The session has ended.
    Over,
}

impl Desk {
    /// A desk that knows what was ordered in the hour before `now` (steady microseconds): who, what, how long ago,
    /// oldest first.
    pub fn new(limits: Limits, before: &[(UserId, Kind, i64)], now: i64) -> Self {
        let mut inside = Inside::default();
        for (user, kind, age) in before {
            let (name, ..) = limits.of(*kind);
            inside.count(*user, name, now - age);
        }
        Self {
            limits,
            inside: Mutex::new(inside),
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inside) -> T) -> T {
        f(&mut self.inside.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes an order in; counted here, so that a ticket that is never opened counts too.
    ///
    /// # Errors
    /// [`NoTicket`].
    pub fn order(&self, id: TicketId, order: Order, now: i64) -> Result<(), NoTicket> {
        let (name, own, all) = self.limits.of(order.kind);
        self.with(|inside| {
            if inside.over.contains(&order.session) {
                return Err(NoTicket::Over);
            }
            let wait = full(inside.done.entry((order.user, name)).or_default(), own, now);
            let wait = wait.max(full(inside.all.entry(name).or_default(), all, now));
            if let Some(seconds) = wait {
                return Err(NoTicket::Limited(seconds));
            }
            inside.tickets.retain(|_, t| now < t.until);
            if inside.tickets.len() >= WAITING {
                return Err(NoTicket::Limited(60));
            }
            inside.count(order.user, name, now);
            let people = BTreeMap::new();
            let ticket = Ticket {
                order,
                until: now + OPENING,
                opened: false,
                taken: false,
                people,
            };
            inside.tickets.insert(id, ticket);
            Ok(())
        })
    }

    /// Adds references to a load that is not opened yet.
    pub fn people(&self, id: &TicketId, people: BTreeMap<String, NumberRef>) -> bool {
        self.with(|inside| match inside.tickets.get_mut(id) {
            Some(ticket) if !ticket.opened && ticket.order.kind == Kind::Load => {
                ticket.people.extend(people);
                true
            }
            _ => false,
        })
    }

    /// Opens a ticket for the session that it was made for, once.
    pub fn open(&self, id: &TicketId, session: &str, now: i64) -> Option<Kind> {
        self.with(|inside| {
            let ticket = inside.tickets.get_mut(id)?;
            if ticket.opened || ticket.order.session != session || now >= ticket.until {
                return None;
            }
            ticket.opened = true;
            ticket.until = now + FILLING;
            Some(ticket.order.kind)
        })
    }

    /// An opened ticket of this session, still to be used up.
    pub fn opened(&self, id: &TicketId, session: &str, now: i64) -> Option<Ticket> {
        self.with(|inside| {
            let ticket = inside.tickets.get(id)?;
            ticket.usable(session, now).then(|| ticket.clone())
        })
    }

    /// Uses an opened ticket up.
    pub fn take(&self, id: &TicketId, session: &str, now: i64) -> Option<Ticket> {
        self.with(|inside| {
            let ticket = inside.tickets.get_mut(id)?;
            if !ticket.usable(session, now) {
                return None;
            }
            ticket.taken = true;
            let people = std::mem::take(&mut ticket.people);
            Some(Ticket {
                people,
                ..ticket.clone()
            })
        })
    }

    /// Drops the tickets whose order is meant, also those that somebody works with.
    pub fn forget(&self, whose: impl Fn(&Order) -> bool) {
        self.with(|inside| inside.tickets.retain(|_, ticket| !whose(&ticket.order)));
    }

    /// A session has ended: it gets no ticket any more.
    pub fn end(&self, session: String) {
        self.with(|inside| {
            if inside.over.len() >= OVER {
                inside.over.pop_front();
            }
            inside.over.push_back(session);
        });
    }

    /// Puts a used ticket back after a typing error, unless it was forgotten meanwhile.
    pub fn back(&self, id: &TicketId, ticket: Ticket) {
        self.with(|inside| {
            if let Some(place) = inside.tickets.get_mut(id) {
                *place = Ticket {
                    taken: false,
                    ..ticket
                };
            }
        });
    }

    /// Whether a ticket, used or not, was not forgotten.
    pub fn holds(&self, id: &TicketId) -> bool {
        self.with(|inside| inside.tickets.contains_key(id))
    }

    /// Every ticket that was not forgotten.
    pub fn held(&self) -> HashSet<TicketId> {
        self.with(|inside| inside.tickets.keys().copied().collect())
    }
}

impl Ticket {
    fn usable(&self, session: &str, now: i64) -> bool {
        self.opened && !self.taken && self.order.session == session && now < self.until
    }
}

impl Inside {
    fn count(&mut self, user: UserId, name: &'static str, at: i64) {
        self.done.entry((user, name)).or_default().push_back(at);
        self.all.entry(name).or_default().push_back(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Obtained;

    fn order(kind: Kind, user: u8) -> Order {
        Order {
            kind,
            reference: None,
            user: UserId::from_bytes([user; 16]),
            session: "a".into(),
            line: 1,
            obtained: Obtained::default(),
            address_number: String::new(),
        }
    }

    fn id(n: u8) -> TicketId {
        TicketId::from_bytes([n; 16])
    }

    #[test]
    fn a_ticket_is_good_once_for_its_session_and_for_a_minute() {
        let desk = Desk::new(Limits::default(), &[], 0);
        desk.order(id(1), order(Kind::Reveal, 1), 0).unwrap();
        assert_eq!(desk.open(&id(2), "a", 0), None, "another ticket");
        assert_eq!(desk.open(&id(1), "b", 0), None, "another session");
        assert_eq!(desk.open(&id(1), "a", OPENING), None, "too late");
        assert!(desk.take(&id(1), "a", 0).is_none(), "not opened yet");
        assert_eq!(desk.open(&id(1), "a", 5), Some(Kind::Reveal));
        assert_eq!(desk.open(&id(1), "a", 5), None, "opened twice");
        assert!(desk.take(&id(1), "b", 6).is_none());
        assert!(
            desk.take(&id(1), "a", 6 + FILLING).is_none(),
            "filled in too slowly"
        );
        assert!(desk.take(&id(1), "a", 6).is_some());
        assert!(desk.take(&id(1), "a", 6).is_none(), "used twice");
    }

    #[test]
    fn the_hour_has_its_limit_for_one_and_for_all() {
        let limits = Limits {
            finds: 2,
            all_finds: 3,
            ..Limits::default()
        };
        let desk = Desk::new(limits, &[], 0);
        desk.order(id(1), order(Kind::Find, 1), 0).unwrap();
        desk.order(id(2), order(Kind::Find, 1), 1_000_000).unwrap();
        assert_eq!(
            desk.order(id(3), order(Kind::Find, 1), 2_000_000),
            Err(NoTicket::Limited(3599))
        );
        desk.order(id(4), order(Kind::Find, 2), 3_000_000).unwrap();
        assert!(
            desk.order(id(5), order(Kind::Find, 3), 4_000_000).is_err(),
            "all together"
        );
        desk.order(id(6), order(Kind::Reveal, 1), 4_000_000)
            .unwrap();
        assert!(
            desk.order(id(7), order(Kind::Find, 1), HOUR).is_ok(),
            "the hour moves on"
        );
    }

    #[test]
    fn a_desk_that_is_opened_again_knows_what_was_ordered_before() {
        let limits = Limits {
            registers: 2,
            loads: 1,
            ..Limits::default()
        };
        let user = UserId::from_bytes([1; 16]);
        let minute = 60_000_000;
        let before = [
            (user, Kind::Register, 50 * minute),
            (user, Kind::Correct, 10 * minute),
            (user, Kind::Load, 0),
        ];
        let desk = Desk::new(limits, &before, 5);
        let ask = |n, kind, now| desk.order(id(n), order(kind, 1), now);
        assert_eq!(ask(1, Kind::Register, 5), Err(NoTicket::Limited(601)));
        assert!(ask(2, Kind::Load, 5).is_err());
        assert!(ask(3, Kind::Reveal, 5).is_ok());
        assert!(
            ask(4, Kind::Correct, 10 * minute + 5).is_ok(),
            "the first one is an hour ago"
        );
        assert!(ask(5, Kind::Correct, 10 * minute + 5).is_err());
        assert!(
            desk.order(id(6), order(Kind::Register, 2), 5).is_ok(),
            "another user"
        );
    }

    #[test]
    fn a_ticket_that_was_forgotten_while_it_was_used_is_not_put_back() {
        let desk = Desk::new(Limits::default(), &[], 0);
        let taken = |n| {
            desk.order(id(n), order(Kind::Register, 1), 0).unwrap();
            desk.open(&id(n), "a", 0).unwrap();
            desk.take(&id(n), "a", 0).unwrap()
        };
        let ticket = taken(1);
        assert!(desk.take(&id(1), "a", 0).is_none(), "taken twice");
        desk.back(&id(1), ticket);
        let ticket = desk.take(&id(1), "a", 0).unwrap();
        desk.forget(|order| order.user == UserId::from_bytes([1; 16]));
        desk.back(&id(1), ticket);
        assert!(desk.take(&id(1), "a", 0).is_none() && !desk.holds(&id(1)));
        desk.end("a".into());
        let late = desk.order(id(2), order(Kind::Reveal, 1), 0);
        assert_eq!(late, Err(NoTicket::Over), "its session has ended");
    }
}
