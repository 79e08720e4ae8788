//! Which commands read the index.

use super::{Command, Report};

impl Command {
    /// Whether the rows have to be up to the journal first. Recording needs none but the last number's, and must never wait.
    pub(crate) fn reads_rows(&self) -> bool {
        matches!(
            self,
            Command::Reindex
                | Command::CaseDo(_)
                | Command::Evaluate(_)
                | Command::CaseEdit(_)
                | Command::CaseTick(_)
                | Command::ErrandNew(_)
                | Command::ErrandList(_)
                | Command::Sent(_)
                | Command::CaseList(_)
                | Command::CaseFind(_)
                | Command::DayShow(_)
                | Command::DayClose(_)
                | Command::Monthly(_)
                | Command::Report(_)
                | Command::CasePrint(_)
                | Command::Today
                | Command::Matters
                | Command::Visits(_)
                | Command::CaseShow(_)
                | Command::CaseImport(_)
                | Command::CaseErase(_)
                | Command::ConflictList
                | Command::ConflictResolve(_)
                | Command::QuarantineList
                | Command::Work(_)
                | Command::AuditList(_)
                | Command::AuditAppend(_)
                | Command::Verify
        )
    }

    /// Whether it counts all cases, and so is to be carried out slice by slice: [`crate::Office::begin_report`].
    pub fn counts_all(&self) -> bool {
        match self.asked() {
            Command::Report(report) => !matches!(report, Report::List | Report::Absence(_)),
            _ => false,
        }
    }
}
