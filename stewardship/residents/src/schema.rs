use mimamori_gate::Migration;

/// Tables of the room. Rows carry the generation of the import that made them; one
/// generation is in force, so that an import is flipped by changing one number.
pub const MIGRATIONS: &[Migration] = &[
    FIRST, IMPORTS, NUMBERS, NOTES, CHANGES, DIFFERING, STAGING, ADDRESSES, ELSEWHERE,
];

const FIRST: Migration = Migration {
    id: "residents-0001",
    ddl: "
CREATE TABLE residents_state (
  one {int} NOT NULL PRIMARY KEY,
  generation {int} NOT NULL);
INSERT INTO residents_state (one, generation) VALUES (1, 0);
CREATE TABLE residents_person (
  generation {int} NOT NULL,
  person {blob} NOT NULL,
  address_number {text} NOT NULL,
  household_number {text} NOT NULL,
  kanji {text} NOT NULL,
  kana {text} NOT NULL,
  alias {text} NOT NULL,
  alias_kana {text} NOT NULL,
  kanji_key {text} NOT NULL,
  kana_key {text} NOT NULL,
  alias_key {text} NOT NULL,
  sex {int} NOT NULL,
  birth {text} NOT NULL,
  foreigner {int} NOT NULL,
  namesakes {int} NOT NULL,
  relation {text} NOT NULL,
  status {int} NOT NULL,
  status_day {text} NOT NULL,
  insured {int} NOT NULL,
  insured_number {text} NOT NULL,
  special_address {int} NOT NULL,
  protected {int} NOT NULL,
  phone {text} NOT NULL,
  postal {text} NOT NULL,
  address {text} NOT NULL,
  building {text} NOT NULL,
  address_key {text} NOT NULL,
  PRIMARY KEY (generation, person)) {clustered};
CREATE INDEX residents_person_kana ON residents_person (generation, kana_key);
CREATE INDEX residents_person_alias ON residents_person (generation, alias_key);
CREATE INDEX residents_person_kanji ON residents_person (generation, kanji_key);
CREATE INDEX residents_person_birth ON residents_person (generation, birth);
CREATE INDEX residents_person_number ON residents_person (generation, address_number);
CREATE INDEX residents_person_insured ON residents_person (generation, insured_number);
CREATE INDEX residents_person_household ON residents_person (generation, household_number);
CREATE TABLE residents_history (
  generation {int} NOT NULL,
  person {blob} NOT NULL,
  number {int} NOT NULL,
  reason {text} NOT NULL,
  event_day {text} NOT NULL,
  notified_day {text} NOT NULL,
  postal {text} NOT NULL,
  address {text} NOT NULL,
  building {text} NOT NULL,
  moved_to {text} NOT NULL,
  PRIMARY KEY (generation, person, number)) {clustered};
CREATE TABLE residents_household (
  generation {int} NOT NULL,
  household_number {text} NOT NULL,
  person {blob} NOT NULL,
  address {text} NOT NULL,
  founded {text} NOT NULL,
  ended {text} NOT NULL,
  PRIMARY KEY (generation, household_number)) {clustered};
CREATE TABLE residents_fact (
  generation {int} NOT NULL,
  person {blob} NOT NULL,
  mask {int} NOT NULL,
  PRIMARY KEY (generation, person)) {clustered};
",
};

/// Imports on the screen: who ordered them, how they ended, what was wrong; no values.
const IMPORTS: Migration = Migration {
    id: "residents-0002",
    ddl: "
CREATE TABLE residents_import (
  import {blob} NOT NULL PRIMARY KEY,
  made_at {int} NOT NULL,
  ordered_by {blob} NOT NULL,
  ordered_name {text} NOT NULL,
  stand {text} NOT NULL,
  files {text} NOT NULL,
  settings {text} NOT NULL,
  totals {text} NOT NULL,
  trace_line {int} NOT NULL) {clustered};
CREATE TABLE residents_import_finding (
  import {blob} NOT NULL,
  number {int} NOT NULL,
  sheet {text} NOT NULL,
  at_row {int} NOT NULL,
  item {text} NOT NULL,
  code {text} NOT NULL,
  PRIMARY KEY (import, number)) {clustered};
CREATE TABLE residents_import_layout (
  name {text} NOT NULL PRIMARY KEY,
  saved_by {blob} NOT NULL,
  saved_at {int} NOT NULL,
  body {text} NOT NULL) {clustered};
",
};

/// Which person a 宛名番号 is, for ever, and the generation that first brought it.
const NUMBERS: Migration = Migration {
    id: "residents-0003",
    ddl: "
CREATE TABLE residents_number (
  address_number {text} NOT NULL PRIMARY KEY,
  person {blob} NOT NULL,
  generation {int} NOT NULL) {clustered};
CREATE INDEX residents_number_person ON residents_number (person);
INSERT INTO residents_number (address_number, person, generation)
  SELECT p.address_number, p.person, p.generation FROM residents_person p, residents_state s
  WHERE p.generation = s.generation AND s.one = 1;
",
};

/// Reception notes (受付票).
const NOTES: Migration = Migration {
    id: "residents-0004",
    ddl: "
CREATE TABLE residents_note (
  id {blob} NOT NULL PRIMARY KEY,
  person {blob} NOT NULL,
  officer {blob} NOT NULL,
  day {int} NOT NULL,
  channel {text} NOT NULL,
  asker {text} NOT NULL,
  matter {text} NOT NULL,
  written_at {int} NOT NULL);
CREATE INDEX residents_note_person ON residents_note (person, officer, day);
",
};

/// Changes on the screen: a version for each row, and the journal with before and after of each
/// data class in a pair of columns (JSON, by column name).
const CHANGES: Migration = Migration {
    id: "residents-0005",
    ddl: "
ALTER TABLE residents_person ADD COLUMN version {int} NOT NULL DEFAULT 1;
CREATE TABLE residents_change (
  person {blob} NOT NULL,
  number {int} NOT NULL,
  generation {int} NOT NULL,
  version {int} NOT NULL,
  changed_at {int} NOT NULL,
  officer {text} NOT NULL,
  pending {int} NOT NULL,
  kind {text} NOT NULL,
  event_day {text} NOT NULL,
  notified_day {text} NOT NULL,
  reason {text} NOT NULL,
  identity_before {text} NOT NULL,
  identity_after {text} NOT NULL,
  address_before {text} NOT NULL,
  address_after {text} NOT NULL,
  contact_before {text} NOT NULL,
  contact_after {text} NOT NULL,
  household_before {text} NOT NULL,
  household_after {text} NOT NULL,
  residency_before {text} NOT NULL,
  residency_after {text} NOT NULL,
  flag_before {text} NOT NULL,
  flag_after {text} NOT NULL,
  PRIMARY KEY (person, number)) {clustered};
CREATE INDEX residents_change_pending ON residents_change (pending, person);
",
};

/// What the files of the last import say of persons with open changes, as JSON of each data class.
const DIFFERING: Migration = Migration {
    id: "residents-0006",
    ddl: "
CREATE TABLE residents_differing (
  person {blob} NOT NULL PRIMARY KEY,
  generation {int} NOT NULL,
  absent {int} NOT NULL,
  identity {text} NOT NULL,
  address {text} NOT NULL,
  contact {text} NOT NULL,
  household {text} NOT NULL,
  residency {text} NOT NULL,
  flag {text} NOT NULL) {clustered};
",
};

/// Of which files and settings the rows of a generation are that is not in force yet, so that an
/// import that was killed goes on after its last chunk.
const STAGING: Migration = Migration {
    id: "residents-0007",
    ddl: "
CREATE TABLE residents_staging (
  one {int} NOT NULL PRIMARY KEY,
  generation {int} NOT NULL,
  mark {text} NOT NULL) {clustered};
",
};

/// Who lives at an address is asked with every move.
const ADDRESSES: Migration = Migration {
    id: "residents-0008",
    ddl: "
CREATE INDEX residents_person_address ON residents_person (generation, address_key);
",
};

/// Since when somebody who moved out (転出, on `event_day`) is a resident of another town. No file
/// tells it, so it stands beside the generations and outlives an import.
const ELSEWHERE: Migration = Migration {
    id: "residents-0009",
    ddl: "
CREATE TABLE residents_elsewhere (
  person {blob} NOT NULL,
  event_day {text} NOT NULL,
  since {text} NOT NULL,
  PRIMARY KEY (person, event_day)) {clustered};
",
};

/// SQL that a row is of the generation in force, for tables behind the alias `p`.
pub(crate) const IN_FORCE: &str =
    "p.generation = (SELECT generation FROM residents_state WHERE one = 1)";
/// The same for a table without alias.
pub(crate) const IN_FORCE_HERE: &str =
    "generation = (SELECT generation FROM residents_state WHERE one = 1)";
