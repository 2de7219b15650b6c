use mimamori_storage::{Migration, Statement};

/// Every column of the trace's tables: class, legal item name, retention, way of erasure.
pub const ITEMS: &str = include_str!("../items.toml");

/// Tables of the trace.
///
/// `trace_line` is the source; `trace_chain`, `trace_leaf` and `trace_tree` are what the
/// sequencer derived from it, and can be derived again.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        id: "trace-0001",
        ddl: "
CREATE TABLE trace_line (
  line {int} NOT NULL PRIMARY KEY,
  time {int} NOT NULL,
  actor {blob} NOT NULL,
  org {blob} NOT NULL,
  role {text} NOT NULL,
  action {text} NOT NULL,
  purpose {text} NOT NULL,
  classes {int} NOT NULL,
  decision {int} NOT NULL,
  policy {text} NOT NULL,
  tokens {blob} NOT NULL,
  scope {text},
  details {blob});
CREATE TABLE trace_leaf (
  token {blob} NOT NULL,
  sequence {int} NOT NULL,
  leaf {int} NOT NULL,
  place {int} NOT NULL,
  line {int} NOT NULL,
  PRIMARY KEY (token, sequence)) {clustered};
CREATE TABLE trace_chain (
  token {blob} NOT NULL PRIMARY KEY,
  count {int} NOT NULL,
  head {blob} NOT NULL) {clustered};
CREATE TABLE trace_tree (
  one {int} NOT NULL PRIMARY KEY,
  line {int} NOT NULL,
  place {int} NOT NULL,
  frontier {blob} NOT NULL);
CREATE TABLE trace_key (
  scope {text} NOT NULL PRIMARY KEY,
  wrapped {blob});
",
    },
    Migration {
        id: "trace-0002",
        // Leaves under the newest checkpoint when the tree last grew: a checkpoint that is lost
        // or replaced by an older one is noticed at the next start.
        ddl: "ALTER TABLE trace_tree ADD COLUMN signed {int} NOT NULL DEFAULT 0;",
    },
    Migration {
        id: "trace-0003",
        // What auditors search by. Few distinct officers, offices and actions, and times that grow:
        // the committer's inserts stay at the ends of these trees.
        ddl: "
CREATE INDEX trace_line_time ON trace_line (time, line);
CREATE INDEX trace_line_actor ON trace_line (actor, line);
CREATE INDEX trace_line_org ON trace_line (org, line);
CREATE INDEX trace_line_action ON trace_line (action, line);
",
    },
    Migration {
        id: "trace-0004",
        // What was erased and must stay erased when a backup is restored; the journal of the backups takes it along.
        ddl: "
CREATE TABLE backup_erasure (
  kind {text} NOT NULL,
  id {blob} NOT NULL,
  at {int} NOT NULL,
  PRIMARY KEY (kind, id)) {clustered};
",
    },
];

/// The kind of an erased individual number; its id is the reference in the numbers room.
pub const ERASED_NUMBER: &str = "number";

/// The write that makes an erasure outlast a restore (S0-28). It belongs into the transaction that erases, or before it.
/// `id` has 16 bytes or so, tells nothing by itself and is never given again; `at`: microseconds since 1970 UTC.
pub fn erasure(kind: &str, id: &[u8], at: i64) -> Statement {
    Statement::new(
        "INSERT INTO backup_erasure (kind, id, at) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO NOTHING",
        vec![kind.into(), id.into(), at.into()],
    )
}
