//! All sequences of events to depth 12, judged by the list of what was accepted and not by the course itself (PROTECTION G5.3).

use std::collections::{BTreeSet, HashMap};

use mimamori_kernel::id::UserId;

use super::course::{Channel, Course, Event, Misstep, Occasion, Opening, Stage};

const DEPTH: usize = 12;

fn person(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}

/// Every event by four people on three occasions.
fn alphabet() -> Vec<Event> {
    let people: Vec<UserId> = (1..=4).map(person).collect();
    let mut out = Vec::new();
    for by in &people {
        out.extend([Event::Approve(*by), Event::Open(*by), Event::Close(*by)]);
        for minute in 1..=3 {
            let at = Occasion(minute);
            out.extend([Event::HandOver(*by, at), Event::Receive(*by, at)]);
            out.push(Event::ReleaseSlip(*by, at));
        }
    }
    // Who names, seals or checks changes nothing that follows.
    let by = people[0];
    for pair in [(1, 2), (2, 3), (3, 3), (4, 1)] {
        out.push(Event::Carriers(by, [person(pair.0), person(pair.1)]));
    }
    out.extend([Event::Withdraw(by), Event::Seal(by), Event::Return(by)]);
    out.extend([Event::Certificate(by), Event::Check(by)]);
    out
}

/// What an auditor reads out of the accepted events alone.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Read {
    approvers: BTreeSet<UserId>,
    carriers: BTreeSet<UserId>,
    handed: Option<(UserId, Occasion)>,
    received: Option<Occasion>,
    slip: bool,
    returned: bool,
    certificate: bool,
    checked: bool,
    ended: bool,
}

/// The demands, one after the other; panics where an accepted event breaks one.
fn judge(read: &mut Read, event: Event, channel: Channel, opening: Opening, asker: UserId) {
    assert!(!read.ended, "nothing follows the end");
    match event {
        Event::Approve(by) => {
            assert_ne!(by, asker, "nobody approves the own request");
            assert!(read.approvers.insert(by), "nobody approves twice");
        }
        Event::Withdraw(_) => {
            assert!(read.handed.is_none(), "what left is not taken back");
            read.ended = true;
        }
        Event::Seal(_) => assert_eq!(read.approvers.len(), 2, "two different approvers"),
        Event::Carriers(_, pair) => {
            assert_eq!(channel, Channel::Medium);
            read.carriers = pair.into();
            assert_eq!(read.carriers.len(), 2, "S2-42: two people carry");
        }
        Event::HandOver(by, at) => {
            assert_eq!(read.approvers.len(), 2);
            assert_eq!(read.carriers.len() == 2, channel == Channel::Medium);
            assert!(read.handed.replace((by, at)).is_none());
        }
        Event::Receive(_, at) => {
            assert!(read.handed.is_some_and(|(_, handed)| handed <= at));
            assert!(read.received.replace(at).is_none());
        }
        Event::ReleaseSlip(by, at) => {
            let received = read.received.expect("no slip before the receipt");
            let (sender, handed) = read.handed.expect("handed over");
            assert!(at > received && at != handed, "S1-43: another occasion");
            assert!(
                by != sender && !read.carriers.contains(&by),
                "another person"
            );
            assert!(opening.has_slip() && !read.slip);
            read.slip = true;
        }
        Event::Open(_) => {
            assert!(read.received.is_some());
            assert_eq!(read.slip, opening.has_slip());
        }
        Event::Return(_) => {
            assert!(read.received.is_some());
            read.returned = true;
        }
        Event::Certificate(_) => {
            assert!(read.received.is_some());
            let things = channel == Channel::Medium || opening.has_slip();
            assert!(read.returned || !things, "S1-47: all kinds come back");
            read.certificate = true;
        }
        Event::Check(_) => {
            assert!(read.certificate);
            read.checked = true;
        }
        Event::Close(_) => {
            assert!(read.checked, "no end without a checked certificate");
            read.ended = true;
        }
    }
}

#[test]
fn no_sequence_of_twelve_events_breaks_a_demand_and_every_stage_is_reached() {
    let events = alphabet();
    let asker = person(1);
    let mut reached = BTreeSet::new();
    let mut sequences: u128 = 0;
    for channel in Channel::ALL {
        for opening in Opening::ALL {
            // A refused event changes nothing, and two sequences with the same course and the same reading go on alike: so
            // each pair is looked at once, with the number of accepted sequences that lead to it.
            let mut now = HashMap::from([(
                (Course::new(channel, opening, asker), Read::default()),
                1u128,
            )]);
            for _ in 0..DEPTH {
                let mut next: HashMap<(Course, Read), u128> = HashMap::new();
                for ((course, read), count) in &now {
                    for event in &events {
                        let Ok(after) = course.then(*event) else {
                            continue;
                        };
                        let mut read = read.clone();
                        judge(&mut read, *event, channel, opening, asker);
                        reached.insert(after.stage().code());
                        *next.entry((after, read)).or_default() += count;
                    }
                }
                sequences += next.values().sum::<u128>();
                now = next;
            }
        }
    }
    println!("{sequences} accepted sequences of up to {DEPTH} events");
    assert!(sequences > 10_000);
    let all: BTreeSet<&str> = Stage::ALL.iter().map(|s| s.code()).collect();
    // Where everything starts is not the outcome of an event unless one approval is missing.
    assert_eq!(reached, all);
}

/// The whole way of a medium with a slip.
fn way() -> Vec<Event> {
    vec![
        Event::Approve(person(2)),
        Event::Approve(person(3)),
        Event::Seal(person(1)),
        Event::Carriers(person(1), [person(1), person(2)]),
        Event::HandOver(person(1), Occasion(10)),
        Event::Receive(person(1), Occasion(11)),
        Event::ReleaseSlip(person(3), Occasion(12)),
        Event::Open(person(1)),
        Event::Return(person(1)),
        Event::Certificate(person(1)),
        Event::Check(person(2)),
        Event::Close(person(2)),
    ]
}

fn go(events: &[Event]) -> Result<Course, Misstep> {
    let start = Course::new(Channel::Medium, Opening::SlipZip, person(1));
    events.iter().try_fold(start, |course, e| course.then(*e))
}

#[test]
fn the_whole_way_leads_to_the_end_and_no_step_can_be_left_out() {
    let way = way();
    assert_eq!(go(&way).unwrap().stage(), Stage::Closed);
    for left_out in 0..way.len() {
        // Opening may be missing: a medium can come back unopened, and then its slip too.
        if matches!(way[left_out], Event::Open(_) | Event::ReleaseSlip(..)) {
            continue;
        }
        let mut short = way.clone();
        short.remove(left_out);
        let ended = go(&short);
        let closed = ended.is_ok_and(|c| c.stage() == Stage::Closed);
        assert!(!closed, "without {:?}", way[left_out]);
    }
}

#[test]
fn each_wrong_step_is_told_as_what_it_is() {
    let way = way();
    let after = |steps: usize, event: Event| go(&way[..steps]).unwrap().then(event);
    let at = Occasion;
    for (steps, event, expected) in [
        (0, Event::Approve(person(1)), Misstep::Asker),
        (1, Event::Approve(person(2)), Misstep::SameApprover),
        (1, Event::Seal(person(1)), Misstep::Order),
        (2, Event::Approve(person(4)), Misstep::Order),
        (
            3,
            Event::Carriers(person(1), [person(2), person(2)]),
            Misstep::OneCarrier,
        ),
        (3, Event::HandOver(person(1), at(1)), Misstep::Order),
        (5, Event::Withdraw(person(1)), Misstep::Left),
        (5, Event::Receive(person(1), at(9)), Misstep::Before),
        (5, Event::ReleaseSlip(person(3), at(12)), Misstep::Order),
        (6, Event::ReleaseSlip(person(2), at(12)), Misstep::Carrier),
        (6, Event::ReleaseSlip(person(1), at(12)), Misstep::Carrier),
        (
            6,
            Event::ReleaseSlip(person(3), at(11)),
            Misstep::SameOccasion,
        ),
        (
            6,
            Event::ReleaseSlip(person(3), at(10)),
            Misstep::SameOccasion,
        ),
        (8, Event::Certificate(person(1)), Misstep::NotReturned),
        (9, Event::Close(person(1)), Misstep::Order),
        (12, Event::Return(person(1)), Misstep::Over),
    ] {
        assert_eq!(after(steps, event).unwrap_err(), expected, "{event:?}");
    }
}
