//! What is still out under a contract (契約の締めの日): counts alone, for the room of the papers. S1-47, TK-12.

use mimamori_kernel::id::ContractId;

use crate::course::{Opening, Stage};
use crate::{Handover, HandoverError, action};

/// What did not come back under one contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StillOut {
    /// Packages that are neither closed nor taken back.
    pub packages: u32,
    /// Media that are not in their cabinet.
    pub media: u32,
    /// Slips that were handed over and did not come back.
    pub slips: u32,
    /// Packages at the partner whose erasure nobody reported.
    pub files: u32,
    /// Certificates that nobody checked.
    pub certificates: u32,
}

impl StillOut {
    /// Adds a package.
    fn count(&mut self, stage: Stage, opening: Opening, medium: bool) {
        use Stage as S;
        let one = |yes: bool| u32::from(yes);
        self.packages += one(!matches!(stage, S::Closed | S::Withdrawn));
        let back = matches!(
            stage,
            S::Returned | S::Certified | S::Checked | S::Closed | S::Withdrawn
        );
        self.media += one(medium && !back);
        self.slips += one(opening.has_slip() && matches!(stage, S::SlipReleased | S::Opened));
        self.files += one(stage.is_outside() && !matches!(stage, S::Certified | S::Checked));
        self.certificates += one(stage == S::Certified);
    }
}

impl Handover {
    /// Counts what is out under a contract.
    ///
    /// # Errors
    /// [`HandoverError::Gate`]; [`HandoverError::Record`] for a row that cannot be read: it is never left out.
    pub async fn still_out(&self, contract: ContractId) -> Result<StillOut, HandoverError> {
        let permit = self.gate.job(action::COUNT, None).await?;
        let sql = "SELECT stage, opening, CASE WHEN medium IS NULL THEN 0 ELSE 1 END FROM handover_package \
                   WHERE contract = ?";
        let rows = permit.rows(sql, vec![contract.bytes().into()]).await?;
        let mut out = StillOut::default();
        for row in rows {
            let text = |at| row.text(at).map_err(mimamori_gate::GateError::from);
            let (stage, opening) = (text(0)?, text(1)?);
            let stage = Stage::ALL.into_iter().find(|s| s.code() == stage);
            let opening = Opening::ALL.into_iter().find(|o| o.code() == opening);
            let medium = row.int(2).map_err(mimamori_gate::GateError::from)?;
            match (stage, opening) {
                (Some(stage), Some(opening)) => out.count(stage, opening, medium == 1),
                _ => return Err(HandoverError::Record),
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_back_and_was_checked_counts_as_nothing() {
        let counted = |stage| {
            let mut out = StillOut::default();
            out.count(stage, Opening::SlipZip, true);
            [
                out.packages,
                out.media,
                out.slips,
                out.files,
                out.certificates,
            ]
        };
        assert_eq!(counted(Stage::Closed), [0; 5]);
        assert_eq!(counted(Stage::Withdrawn), [0; 5]);
        assert_eq!(counted(Stage::Requested), [1, 1, 0, 0, 0]);
        assert_eq!(counted(Stage::HandedOver), [1, 1, 0, 1, 0]);
        assert_eq!(counted(Stage::Opened), [1, 1, 1, 1, 0]);
        assert_eq!(counted(Stage::Returned), [1, 0, 0, 1, 0]);
        assert_eq!(counted(Stage::Certified), [1, 0, 0, 0, 1]);
        assert_eq!(counted(Stage::Checked), [1, 0, 0, 0, 0]);
    }
}
