//! Tests of the verifier, against a writer that shares nothing with it but the format page.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stop at the first surprise"
)]

#[path = "it/cases.rs"]
mod cases;
#[path = "it/definition.rs"]
mod definition;
#[path = "it/report.rs"]
mod report;
#[path = "it/samples.rs"]
mod samples;
#[path = "it/statement.rs"]
mod statement;
#[path = "it/tail.rs"]
mod tail;
#[path = "it/tampering.rs"]
mod tampering;
#[path = "it/whole.rs"]
mod whole;
#[path = "it/writer.rs"]
mod writer;
