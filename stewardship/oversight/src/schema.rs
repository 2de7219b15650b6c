use mimamori_gate::Migration;

/// Tables of the room. Contracts and partners themselves are identity's; nothing here is about a resident.
pub const MIGRATIONS: &[Migration] = &[FIRST, OBLIGATIONS, ATTACHMENTS];

const FIRST: Migration = Migration {
    id: "oversight-0001",
    ddl: "
CREATE TABLE oversight_case (
  id {blob} NOT NULL PRIMARY KEY,
  subject {text} NOT NULL,
  meeting {text} NOT NULL,
  owners {text} NOT NULL,
  entered_by {blob} NOT NULL,
  entered_at {int} NOT NULL);
CREATE TABLE oversight_ground (
  case_id {blob} NOT NULL,
  number {int} NOT NULL,
  matter {text} NOT NULL,
  old_clause {text} NOT NULL,
  clause {text} NOT NULL,
  PRIMARY KEY (case_id, number)) {clustered};
CREATE TABLE oversight_history (
  case_id {blob} NOT NULL,
  number {int} NOT NULL,
  meeting {text} NOT NULL,
  decision {text} NOT NULL,
  PRIMARY KEY (case_id, number)) {clustered};
CREATE TABLE oversight_version (
  case_id {blob} NOT NULL,
  sheet {text} NOT NULL,
  number {int} NOT NULL,
  state {text} NOT NULL,
  content {text} NOT NULL,
  reason {text} NOT NULL,
  drafted_by {blob} NOT NULL,
  drafted_at {int} NOT NULL,
  decided_by {blob},
  decided_at {int} NOT NULL,
  PRIMARY KEY (case_id, sheet, number)) {clustered};
CREATE UNIQUE INDEX oversight_version_in_force ON oversight_version (case_id, sheet) WHERE state = 'approved';
CREATE UNIQUE INDEX oversight_version_draft ON oversight_version (case_id, sheet) WHERE state = 'draft';
CREATE TABLE oversight_contract (
  contract {blob} NOT NULL PRIMARY KEY,
  case_id {blob} NOT NULL,
  variant {text} NOT NULL,
  chosen_by {text} NOT NULL,
  why {text} NOT NULL,
  started {text} NOT NULL,
  entered_by {blob} NOT NULL,
  entered_at {int} NOT NULL);
CREATE INDEX oversight_contract_case ON oversight_contract (case_id);
CREATE TABLE oversight_person (
  id {blob} NOT NULL PRIMARY KEY,
  contract {blob} NOT NULL,
  duty {text} NOT NULL,
  name {text} NOT NULL,
  trained {text} NOT NULL,
  informed {text} NOT NULL,
  from_day {text} NOT NULL,
  entered_by {blob} NOT NULL,
  entered_at {int} NOT NULL,
  ended_at {int} NOT NULL);
CREATE INDEX oversight_person_contract ON oversight_person (contract);
",
};

/// Clauses as obligations, certifications, the checklist, the closing day.
const OBLIGATIONS: Migration = Migration {
    id: "oversight-0002",
    ddl: "
CREATE TABLE oversight_obligation (
  id {blob} NOT NULL PRIMARY KEY,
  contract {blob} NOT NULL,
  clause {int} NOT NULL,
  cause {text} NOT NULL,
  due {text} NOT NULL,
  evidence {text} NOT NULL,
  done {text} NOT NULL,
  done_by {blob},
  done_at {int} NOT NULL);
CREATE INDEX oversight_obligation_contract ON oversight_obligation (contract);
CREATE INDEX oversight_obligation_open ON oversight_obligation (done_at);
CREATE TABLE oversight_span (
  word {text} NOT NULL PRIMARY KEY,
  days {int} NOT NULL,
  office {int} NOT NULL);
CREATE TABLE oversight_certification (
  id {blob} NOT NULL PRIMARY KEY,
  org {blob} NOT NULL,
  name {text} NOT NULL,
  number {text} NOT NULL,
  until_day {text} NOT NULL,
  entered_by {blob} NOT NULL,
  entered_at {int} NOT NULL);
CREATE INDEX oversight_certification_org ON oversight_certification (org);
CREATE TABLE oversight_answer (
  case_id {blob} NOT NULL,
  line {text} NOT NULL,
  answer {text} NOT NULL,
  evidence {text} NOT NULL,
  answered_by {blob} NOT NULL,
  answered_at {int} NOT NULL,
  reviewed_by {blob},
  reviewed_at {int} NOT NULL,
  PRIMARY KEY (case_id, line)) {clustered};
CREATE TABLE oversight_closing (
  contract {blob} NOT NULL PRIMARY KEY,
  closed_by {blob} NOT NULL,
  closed_at {int} NOT NULL,
  note {text} NOT NULL);
",
};

/// Flow diagrams and the like, as they were uploaded (S0-15).
const ATTACHMENTS: Migration = Migration {
    id: "oversight-0003",
    ddl: "
CREATE TABLE oversight_attachment (
  id {blob} NOT NULL PRIMARY KEY,
  case_id {blob} NOT NULL,
  sheet {text} NOT NULL,
  title {text} NOT NULL,
  phase {text} NOT NULL,
  size {int} NOT NULL,
  sha256 {text} NOT NULL,
  content {blob} NOT NULL,
  entered_by {blob} NOT NULL,
  entered_at {int} NOT NULL);
CREATE INDEX oversight_attachment_case ON oversight_attachment (case_id, sheet);
",
};
