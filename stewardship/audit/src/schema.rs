use mimamori_gate::Migration;

/// Tables of the room. No name, number or address of a person: a person is the token of the trace.
pub const MIGRATIONS: &[Migration] = &[FIRST, LINKS, AGAIN];

const FIRST: Migration = Migration {
    id: "audit-0001",
    ddl: "
CREATE TABLE audit_state (
  one {int} NOT NULL PRIMARY KEY,
  from_line {int} NOT NULL,
  run_at {int} NOT NULL);
INSERT INTO audit_state (one, from_line, run_at) VALUES (1, 1, 0);
CREATE TABLE audit_alert (
  id {blob} NOT NULL PRIMARY KEY,
  kind {text} NOT NULL,
  actor {blob} NOT NULL,
  day {text} NOT NULL,
  subject {blob} NOT NULL,
  looks {int} NOT NULL,
  first_line {int} NOT NULL,
  last_line {int} NOT NULL,
  rules {text} NOT NULL,
  found_at {int} NOT NULL,
  due {text} NOT NULL,
  state {text} NOT NULL,
  UNIQUE (kind, actor, day, subject));
CREATE INDEX audit_alert_state ON audit_alert (state, due);
CREATE INDEX audit_alert_day ON audit_alert (day);
CREATE TABLE audit_answer (
  alert {blob} NOT NULL,
  number {int} NOT NULL,
  answer {text} NOT NULL,
  words {text} NOT NULL,
  reviewer {blob} NOT NULL,
  answered_at {int} NOT NULL,
  PRIMARY KEY (alert, number)) {clustered};
CREATE TABLE audit_report (
  id {blob} NOT NULL PRIMARY KEY,
  month {text} NOT NULL,
  made_at {int} NOT NULL,
  made_by {blob} NOT NULL,
  note {text} NOT NULL);
CREATE INDEX audit_report_month ON audit_report (month);
",
};

/// How many officers the rules about relatives can judge, as of the last run.
const LINKS: Migration = Migration {
    id: "audit-0002",
    ddl: "
ALTER TABLE audit_state ADD COLUMN officers {int} NOT NULL DEFAULT 0;
ALTER TABLE audit_state ADD COLUMN linked {int} NOT NULL DEFAULT 0;
ALTER TABLE audit_state ADD COLUMN unknown {int} NOT NULL DEFAULT 0;
",
};

/// Which lines an alert counts, and up to which of them an answer was given: later looks open it again. What was
/// answered before was never changed afterwards, so its figures are those of its answers.
const AGAIN: Migration = Migration {
    id: "audit-0003",
    ddl: "
ALTER TABLE audit_alert ADD COLUMN lines {text} NOT NULL DEFAULT '';
ALTER TABLE audit_answer ADD COLUMN looks {int} NOT NULL DEFAULT 0;
ALTER TABLE audit_answer ADD COLUMN last_line {int} NOT NULL DEFAULT 0;
UPDATE audit_answer SET looks = (SELECT a.looks FROM audit_alert a WHERE a.id = audit_answer.alert),
  last_line = (SELECT a.last_line FROM audit_alert a WHERE a.id = audit_answer.alert);
",
};
