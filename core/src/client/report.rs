//! What a synchronisation did and cost, counted where it happens.

use std::collections::BTreeMap;

use crate::model::BundleId;
use crate::protocol::initiator::DeviceCommand;
use crate::protocol::verdict::Verdict;

/// What one synchronisation did and cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncReport {
    /// Edits sent on which the ward gave its word.
    pub sent: u64,
    /// Edits received, those of others and those that the ward made.
    pub received: u64,
    /// Edits that got an accepting verdict, or were there already.
    pub accepted: u64,
    /// Edits that got a refusing verdict.
    pub rejected: u64,
    /// Edits and attachments still without a final word afterwards.
    pub pending: u64,
    /// Whether both sides hold the same afterwards. With nothing pending it may be called synchronised.
    pub is_agreed: bool,
    /// UDP payload bytes sent: handshake, repeats and attempts at other addresses included.
    pub bytes_up: u64,
    /// UDP payload bytes received, handshake included.
    pub bytes_down: u64,
    /// Our own bytes inside the streams, up.
    pub payload_up: u64,
    /// Our own bytes inside the streams, down.
    pub payload_down: u64,
    /// Handshake and waits for the ward.
    pub round_trips: u32,
    /// Wall time until everything was said, milliseconds.
    pub milliseconds: u64,
}

/// The ward's word as it passes on its way to the store. A bundle that is sent twice in one
/// conversation counts once, with the last word.
#[derive(Debug, Default)]
pub(super) struct Tally {
    verdicts: BTreeMap<BundleId, Vec<Verdict>>,
    received: u64,
}

impl Tally {
    /// Looks at what the conversation asks of the store.
    pub(super) fn watch(&mut self, command: &DeviceCommand) {
        match command {
            DeviceCommand::RecordVerdicts { bundle, verdicts } => {
                self.verdicts.insert(*bundle, verdicts.clone());
            }
            DeviceCommand::ApplyPage(page) => {
                self.received += page.bodies.iter().flatten().count() as u64;
            }
            _ => {}
        }
    }

    /// Puts the counts into a report.
    pub(super) fn fill(&self, report: &mut SyncReport) {
        for verdict in self.verdicts.values().flatten() {
            report.sent += 1;
            match verdict {
                Verdict::Accepted { .. } | Verdict::Duplicate { .. } => report.accepted += 1,
                Verdict::Rejected { .. } => report.rejected += 1,
                Verdict::Waiting { .. } => {}
            }
        }
        report.received += self.received;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EditId;
    use crate::policy::RejectionCode;

    fn word(bundle: u8, verdicts: Vec<Verdict>) -> DeviceCommand {
        DeviceCommand::RecordVerdicts {
            bundle: BundleId([bundle; 32]),
            verdicts,
        }
    }

    #[test]
    fn a_bundle_that_was_sent_twice_counts_once_with_the_last_word() {
        let waiting = Verdict::Waiting {
            dependency: EditId([9; 32]),
        };
        let mut tally = Tally::default();
        tally.watch(&word(1, vec![Verdict::Accepted { sequence: 1 }, waiting]));
        tally.watch(&word(
            2,
            vec![Verdict::Rejected {
                code: RejectionCode::OutOfScope,
            }],
        ));
        tally.watch(&word(
            1,
            vec![
                Verdict::Duplicate { sequence: 1 },
                Verdict::Accepted { sequence: 3 },
            ],
        ));
        let mut report = SyncReport::default();
        tally.fill(&mut report);
        assert_eq!((report.sent, report.accepted, report.rejected), (3, 2, 1));
    }
}
