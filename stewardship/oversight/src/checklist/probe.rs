//! What the software itself can see of a line; it turns red when it does not hold (S1-42 to S1-56).

use super::lines::Line;

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which probe.
    pub probe: Probe,
    /// The measure holds now.
    pub holds: bool,
    /// What was seen, in Japanese.
    pub told: String,
}

/// Named probes. Each stands for lines of the town's own side; what a partner does, no program of the town can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Probe {
    /// TLS of its own, or a trusted proxy that ends it.
    Encryption,
    /// ID and password, and a passkey where rights are given.
    SignIn,
    /// Nothing opens that no policy permits.
    Access,
    /// Each look leaves a line.
    AccessLog,
    /// A backup that is young enough, and a drill.
    Backup,
    /// Responsible person and handlers reported for each contract in force.
    Handlers,
    /// The clauses are in the register for each contract in force.
    Clauses,
    /// Audit of this fiscal year recorded, or not yet due.
    Audit,
}

impl Probe {
    /// The lines, without their actor, for which it stands.
    fn lines(self) -> &'static [&'static str] {
        match self {
            Self::Encryption => &["K1-S3", "I1-S3"],
            Self::SignIn => &["K1-S6", "I1-S6"],
            Self::Access => &["K1-S7", "I1-S7"],
            Self::AccessLog => &["K1-S8", "I1-S8"],
            Self::Backup => &["K1-S9", "I1-S9"],
            Self::Handlers => &["I1-U3"],
            Self::Clauses => &["I1-U1"],
            Self::Audit => &["I1-U2"],
        }
    }
}

/// The finding that stands for a line; none for lines that people answer alone.
pub fn of<'a>(line: &Line, findings: &'a [Finding]) -> Option<&'a Finding> {
    findings
        .iter()
        .find(|f| f.probe.lines().contains(&line.id.as_str()))
}

/// What the instance around the room can see of itself; called for each page.
pub trait Probes: Send + Sync {
    /// Findings of the probes that the instance knows.
    fn findings(&self) -> Vec<Finding>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::lines::all;

    #[test]
    fn every_probe_stands_for_lines_of_the_town_that_exist() {
        let lines = all();
        let probes = [
            Probe::Encryption,
            Probe::SignIn,
            Probe::Access,
            Probe::AccessLog,
            Probe::Backup,
            Probe::Handlers,
            Probe::Clauses,
            Probe::Audit,
        ];
        for id in probes.iter().flat_map(|p| p.lines()) {
            let line = lines.iter().find(|l| l.id == *id).expect(id);
            assert!(line.actor.is_town(), "{id}");
        }
    }
}
