//! Tickets and limits: what may be done at the room's window, by whom, once.

use std::collections::{BTreeMap, HashMap, VecDeque};
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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            finds: 60,
            all_finds: 600,
            reveals: 120,
            all_reveals: 1200,
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
    /// References by 宛名番号, for a load.
    pub people: BTreeMap<String, NumberRef>,
}

#[derive(Default)]
struct Inside {
    tickets: HashMap<TicketId, Ticket>,
    done: HashMap<(UserId, &'static str), VecDeque<i64>>,
    all: HashMap<&'static str, VecDeque<i64>>,
}

/// Tickets and counts of one room, in memory: a restart forgets tickets.
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

impl Desk {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            inside: Mutex::default(),
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inside) -> T) -> T {
        f(&mut self.inside.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes an order in; counted here, so that a ticket that is never opened counts too.
    ///
    /// # Errors
    /// Seconds until another try.
    pub fn order(&self, id: TicketId, order: Order, now: i64) -> Result<(), u64> {
        let most = match order.kind {
            Kind::Find => Some((self.limits.finds, self.limits.all_finds)),
            Kind::Reveal => Some((self.limits.reveals, self.limits.all_reveals)),
            _ => None,
        };
        self.with(|inside| {
            if let Some((own, all)) = most {
                let key = (order.user, order.kind.code());
                let wait = full(inside.done.entry(key).or_default(), own, now).max(full(
                    inside.all.entry(key.1).or_default(),
                    all,
                    now,
                ));
                if let Some(seconds) = wait {
                    return Err(seconds);
                }
                inside.done.entry(key).or_default().push_back(now);
                inside.all.entry(key.1).or_default().push_back(now);
            }
            inside.tickets.retain(|_, t| now < t.until);
            if inside.tickets.len() >= WAITING {
                return Err(60);
            }
            let people = BTreeMap::new();
            let ticket = Ticket {
                order,
                until: now + OPENING,
                opened: false,
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
            let good = ticket.opened && ticket.order.session == session && now < ticket.until;
            good.then(|| ticket.clone())
        })
    }

    /// Uses an opened ticket up.
    pub fn take(&self, id: &TicketId, session: &str, now: i64) -> Option<Ticket> {
        self.with(|inside| {
            let ticket = inside.tickets.get(id)?;
            if !ticket.opened || ticket.order.session != session || now >= ticket.until {
                return None;
            }
            inside.tickets.remove(id)
        })
    }

    /// Drops the tickets whose order is meant.
    pub fn forget(&self, whose: impl Fn(&Order) -> bool) {
        self.with(|inside| inside.tickets.retain(|_, ticket| !whose(&ticket.order)));
    }

    /// Puts a used ticket back after a typing error.
    pub fn back(&self, id: TicketId, ticket: Ticket) {
        self.with(|inside| inside.tickets.insert(id, ticket));
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
        let desk = Desk::new(Limits::default());
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
        let desk = Desk::new(limits);
        desk.order(id(1), order(Kind::Find, 1), 0).unwrap();
        desk.order(id(2), order(Kind::Find, 1), 1_000_000).unwrap();
        assert_eq!(
            desk.order(id(3), order(Kind::Find, 1), 2_000_000),
            Err(3599)
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
}
