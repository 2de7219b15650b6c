use mimamori_gate::Migration;

/// Tables of the room.
pub const MIGRATIONS: &[Migration] = &[FIRST];

const FIRST: Migration = Migration {
    id: "kidney-prevention-0001",
    ddl: "
CREATE TABLE kidney_prevention_import (
  number {int} NOT NULL PRIMARY KEY,
  made_at {text} NOT NULL,
  made_name {text} NOT NULL,
  form {text} NOT NULL,
  sha256 {text} NOT NULL,
  bytes {int} NOT NULL,
  state {text} NOT NULL,
  read_rows {int} NOT NULL,
  good {int} NOT NULL,
  refused {int} NOT NULL,
  beside {text} NOT NULL,
  decided_at {text} NOT NULL,
  decided_name {text} NOT NULL) {clustered};
CREATE TABLE kidney_prevention_defect (
  import {int} NOT NULL,
  number {int} NOT NULL,
  place {text} NOT NULL,
  item {text} NOT NULL,
  reason {text} NOT NULL,
  PRIMARY KEY (import, number)) {clustered};
CREATE TABLE kidney_prevention_checkup (
  person {blob} NOT NULL,
  day {text} NOT NULL,
  import {int} NOT NULL,
  year {int} NOT NULL,
  taken {int} NOT NULL,
  facility {text} NOT NULL,
  results {text} NOT NULL,
  digest {text} NOT NULL,
  PRIMARY KEY (person, day, import)) {clustered};
CREATE INDEX kidney_prevention_checkup_import ON kidney_prevention_checkup (import);
CREATE INDEX kidney_prevention_checkup_year ON kidney_prevention_checkup (year, taken);
CREATE TABLE kidney_prevention_rule (
  number {int} NOT NULL PRIMARY KEY,
  name {text} NOT NULL,
  body {text} NOT NULL,
  state {text} NOT NULL,
  made_by {blob},
  made_name {text} NOT NULL,
  made_at {text} NOT NULL,
  decided_name {text} NOT NULL,
  decided_at {text} NOT NULL) {clustered};
CREATE TABLE kidney_prevention_run (
  number {int} NOT NULL PRIMARY KEY,
  rule {int} NOT NULL,
  year {int} NOT NULL,
  until_day {text} NOT NULL,
  state {text} NOT NULL,
  counts {text} NOT NULL,
  made_by {blob},
  made_name {text} NOT NULL,
  made_at {text} NOT NULL,
  decided_name {text} NOT NULL,
  decided_at {text} NOT NULL) {clustered};
CREATE TABLE kidney_prevention_person (
  person {blob} NOT NULL PRIMARY KEY,
  kanji {text} NOT NULL,
  kana {text} NOT NULL,
  kana_key {text} NOT NULL,
  birth {text} NOT NULL,
  sex {int} NOT NULL,
  postal {text} NOT NULL,
  address {text} NOT NULL,
  building {text} NOT NULL,
  address_key {text} NOT NULL,
  phone {text} NOT NULL,
  protected {int} NOT NULL,
  run {int} NOT NULL,
  day {text} NOT NULL,
  verdict {text} NOT NULL,
  reasons {text} NOT NULL,
  hba1c {text} NOT NULL,
  egfr {text} NOT NULL,
  chosen {int} NOT NULL,
  stage {text} NOT NULL,
  version {int} NOT NULL) {clustered};
CREATE INDEX kidney_prevention_person_verdict ON kidney_prevention_person (run, verdict);
CREATE INDEX kidney_prevention_person_stage ON kidney_prevention_person (stage);
CREATE TABLE kidney_prevention_mark (
  person {blob} NOT NULL,
  exclusion {text} NOT NULL,
  words {text} NOT NULL,
  made_at {text} NOT NULL,
  made_name {text} NOT NULL,
  PRIMARY KEY (person, exclusion)) {clustered};
CREATE TABLE kidney_prevention_doctor (
  person {blob} NOT NULL,
  number {int} NOT NULL,
  day {text} NOT NULL,
  clinic {text} NOT NULL,
  consent {int} NOT NULL,
  treated {int} NOT NULL,
  diseases {text} NOT NULL,
  instructions {text} NOT NULL,
  results {text} NOT NULL,
  made_at {text} NOT NULL,
  made_name {text} NOT NULL,
  PRIMARY KEY (person, number)) {clustered};
CREATE TABLE kidney_prevention_event (
  person {blob} NOT NULL,
  number {int} NOT NULL,
  kind {text} NOT NULL,
  day {text} NOT NULL,
  words {text} NOT NULL,
  made_at {text} NOT NULL,
  made_name {text} NOT NULL,
  PRIMARY KEY (person, number)) {clustered};
CREATE TABLE kidney_prevention_contact (
  person {blob} NOT NULL,
  number {int} NOT NULL,
  mode {text} NOT NULL,
  from_day {text} NOT NULL,
  due_day {text} NOT NULL,
  held_day {text} NOT NULL,
  report {text} NOT NULL,
  PRIMARY KEY (person, number)) {clustered};
",
};
