//! Promises of the whole house: what no single room can prove alone.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "it/after_entries.rs"]
mod after_entries;
#[path = "it/audit.rs"]
mod audit;
#[path = "it/backups.rs"]
mod backups;
#[path = "it/backups_again.rs"]
mod backups_again;
#[path = "it/backups_load.rs"]
mod backups_load;
#[path = "it/batches.rs"]
mod batches;
#[path = "it/beside.rs"]
mod beside;
#[path = "it/cards.rs"]
mod cards;
#[path = "it/changes.rs"]
mod changes;
#[path = "it/desk.rs"]
mod desk;
#[path = "../../protection/identity/tests/it/device.rs"]
mod device;
#[path = "it/edges.rs"]
mod edges;
#[path = "it/entrance.rs"]
mod entrance;
#[path = "it/follow.rs"]
mod follow;
#[path = "it/forms.rs"]
mod forms;
#[path = "it/gate_changes.rs"]
mod gate_changes;
#[path = "it/hand.rs"]
mod hand;
#[path = "it/handover.rs"]
mod handover;
#[path = "it/handover_in.rs"]
mod handover_in;
#[path = "it/handover_medium.rs"]
mod handover_medium;
#[path = "it/house.rs"]
mod house;
#[path = "it/imports.rs"]
mod imports;
#[path = "it/insurance.rs"]
mod insurance;
#[path = "it/links.rs"]
mod links;
#[path = "it/numbers.rs"]
mod numbers;
#[path = "it/office.rs"]
mod office;
#[path = "it/oracle.rs"]
mod oracle;
#[path = "it/papers.rs"]
mod papers;
#[path = "it/people.rs"]
mod people;
#[path = "it/race.rs"]
mod race;
#[path = "it/requests.rs"]
mod requests;
#[path = "it/rules.rs"]
mod rules;
#[path = "it/second_manager.rs"]
mod second_manager;
#[path = "it/sessions.rs"]
mod sessions;
#[path = "it/tickets.rs"]
mod tickets;
#[path = "it/unrecorded.rs"]
mod unrecorded;
#[path = "it/unseen.rs"]
mod unseen;
#[path = "it/verify.rs"]
mod verify;
#[path = "it/ways_out.rs"]
mod ways_out;
#[path = "it/zones.rs"]
mod zones;
