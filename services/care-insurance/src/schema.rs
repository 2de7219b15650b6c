use mimamori_gate::Migration;

/// Tables of the room. `care_insurance_person` carries what lists and cards need of the
/// register, taken over by the derivation; everything else is the room's own.
pub const MIGRATIONS: &[Migration] = &[FIRST, MARKS, HAND, SETTLED, NUMBERS];

const FIRST: Migration = Migration {
    id: "care-insurance-0001",
    ddl: "
CREATE TABLE care_insurance_person (
  person {blob} NOT NULL PRIMARY KEY,
  insured_number {text} NOT NULL,
  kanji {text} NOT NULL,
  kana {text} NOT NULL,
  kana_key {text} NOT NULL,
  birth {text} NOT NULL,
  sex {int} NOT NULL,
  postal {text} NOT NULL,
  address {text} NOT NULL,
  building {text} NOT NULL,
  address_key {text} NOT NULL,
  protected {int} NOT NULL,
  category {int} NOT NULL,
  since {text} NOT NULL,
  until {text} NOT NULL,
  due_age {text} NOT NULL,
  due_moved {text} NOT NULL,
  due_unknown {text} NOT NULL,
  question {text} NOT NULL,
  card_wait {int} NOT NULL,
  card_reason {text} NOT NULL,
  batch {text} NOT NULL,
  version {int} NOT NULL) {clustered};
CREATE INDEX care_insurance_person_number ON care_insurance_person (insured_number);
CREATE INDEX care_insurance_person_age ON care_insurance_person (due_age);
CREATE INDEX care_insurance_person_moved ON care_insurance_person (due_moved);
CREATE INDEX care_insurance_person_unknown ON care_insurance_person (due_unknown);
CREATE INDEX care_insurance_person_wait ON care_insurance_person (card_wait);
CREATE INDEX care_insurance_person_batch ON care_insurance_person (batch);
CREATE TABLE care_insurance_qualification (
  person {blob} NOT NULL,
  number {int} NOT NULL,
  category {int} NOT NULL,
  from_day {text} NOT NULL,
  until_day {text} NOT NULL,
  gained {text} NOT NULL,
  lost {text} NOT NULL,
  cancelled {int} NOT NULL,
  decided {int} NOT NULL,
  PRIMARY KEY (person, number)) {clustered};
CREATE TABLE care_insurance_event (
  person {blob} NOT NULL,
  number {int} NOT NULL,
  decided_at {text} NOT NULL,
  decided_by {text} NOT NULL,
  words {text} NOT NULL,
  PRIMARY KEY (person, number)) {clustered};
CREATE TABLE care_insurance_card (
  person {blob} NOT NULL,
  number {int} NOT NULL,
  issued {text} NOT NULL,
  reason {text} NOT NULL,
  issued_by {text} NOT NULL,
  returned {text} NOT NULL,
  returned_why {text} NOT NULL,
  PRIMARY KEY (person, number)) {clustered};
CREATE TABLE care_insurance_run (
  number {int} NOT NULL PRIMARY KEY,
  as_of {text} NOT NULL,
  persons {int} NOT NULL,
  changed {int} NOT NULL) {clustered};
",
};

/// What the register was when a derivation began, so that one is due when it changed.
const MARKS: Migration = Migration {
    id: "care-insurance-0002",
    ddl: "
ALTER TABLE care_insurance_run ADD COLUMN mark {text} NOT NULL DEFAULT '';
",
};

/// Facts entered by hand, what on a card is not so any more, and how far a row follows the register.
const HAND: Migration = Migration {
    id: "care-insurance-0003",
    ddl: "
ALTER TABLE care_insurance_person ADD COLUMN card_old {text} NOT NULL DEFAULT '';
ALTER TABLE care_insurance_person ADD COLUMN seen {int} NOT NULL DEFAULT 0;
CREATE INDEX care_insurance_person_old ON care_insurance_person (card_old);
CREATE TABLE care_insurance_fact (
  person {blob} NOT NULL,
  number {int} NOT NULL,
  kind {text} NOT NULL,
  from_day {text} NOT NULL,
  until_day {text} NOT NULL,
  evidence {text} NOT NULL,
  note {text} NOT NULL,
  entered_at {text} NOT NULL,
  entered_by {text} NOT NULL,
  ended_at {text} NOT NULL,
  ended_by {text} NOT NULL,
  ended_why {text} NOT NULL,
  cancelled_at {text} NOT NULL,
  cancelled_by {text} NOT NULL,
  cancelled_why {text} NOT NULL,
  PRIMARY KEY (person, number)) {clustered};
",
};

/// What an officer looked at and let stand, so that it leaves the queue until the answer is another one.
const SETTLED: Migration = Migration {
    id: "care-insurance-0004",
    ddl: "
ALTER TABLE care_insurance_person ADD COLUMN doubt {text} NOT NULL DEFAULT '';
ALTER TABLE care_insurance_person ADD COLUMN settled {text} NOT NULL DEFAULT '';
",
};

/// References of individual numbers, which lie in a room of their own; what that room told of its acts, and whom it
/// holds a number of without ground (S0-14).
const NUMBERS: Migration = Migration {
    id: "care-insurance-0005",
    ddl: "
CREATE TABLE care_insurance_number (
  reference {blob} NOT NULL PRIMARY KEY,
  person {blob} NOT NULL,
  ended {int} NOT NULL,
  gone {int} NOT NULL) {clustered};
CREATE INDEX care_insurance_number_person ON care_insurance_number (person, ended);
CREATE TABLE care_insurance_number_outcome (
  ticket {blob} NOT NULL PRIMARY KEY,
  kind {text} NOT NULL,
  outcome {text} NOT NULL,
  line {int} NOT NULL,
  reference {blob} NOT NULL,
  loaded {int} NOT NULL,
  refused {int} NOT NULL,
  at {int} NOT NULL) {clustered};
CREATE INDEX care_insurance_number_outcome_of ON care_insurance_number_outcome (reference, at);
CREATE TABLE care_insurance_number_finding (
  person {blob} NOT NULL PRIMARY KEY,
  since {int} NOT NULL) {clustered};
CREATE TABLE care_insurance_number_state (
  one {int} NOT NULL PRIMARY KEY,
  epoch {int} NOT NULL,
  checked {int} NOT NULL,
  held {int} NOT NULL,
  outside {int} NOT NULL,
  strange {int} NOT NULL,
  missing {int} NOT NULL);
INSERT INTO care_insurance_number_state (one, epoch, checked, held, outside, strange, missing) VALUES (1, 0, 0, 0, 0, 0, 0);
",
};
