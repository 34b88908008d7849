//! Where in the feed this conversation's verdicts put the device's own edits. A page need not name
//! what the device has just been told.

use crate::protocol::verdict::Verdict;

/// Runs of sequences beyond this are not remembered: their edits are named in the page, which costs 32
/// bytes each. One long run is what a phone's morning makes; 1,024 are 16 KiB.
const RUNS_MAX: usize = 1_024;

/// Sequences that the device knows, ascending, as runs from a first to a last one.
#[derive(Debug, Default)]
pub(super) struct Accepted(Vec<(u64, u64)>);

impl Accepted {
    /// The device is told these.
    pub(super) fn note(&mut self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            let Verdict::Accepted { sequence } = *verdict else {
                continue;
            };
            let is_full = self.0.len() == RUNS_MAX;
            match self.0.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(sequence) => *last = sequence,
                // The ward numbers upwards.
                Some((_, last)) if *last >= sequence => {}
                _ if is_full => {}
                _ => self.0.push((sequence, sequence)),
            }
        }
    }

    /// Whether the device knows which edit of its own is there.
    pub(super) fn contains(&self, sequence: u64) -> bool {
        let next = self.0.partition_point(|(_, last)| *last < sequence);
        self.0
            .get(next)
            .is_some_and(|(first, _)| *first <= sequence)
    }

    /// The feed was read to the device up to here.
    pub(super) fn forget(&mut self, up_to: u64) {
        self.0.retain(|(_, last)| *last > up_to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(sequences: impl IntoIterator<Item = u64>) -> Accepted {
        let verdicts: Vec<Verdict> = sequences
            .into_iter()
            .map(|sequence| Verdict::Accepted { sequence })
            .collect();
        let mut accepted = Accepted::default();
        accepted.note(&verdicts);
        accepted
    }

    #[test]
    fn neighbours_are_one_run_and_what_lies_between_runs_is_unknown() {
        let mut known = accepted([3, 4, 5, 9, 10]);
        assert_eq!(known.0, [(3, 5), (9, 10)]);
        let found: Vec<u64> = (0..12)
            .filter(|sequence| known.contains(*sequence))
            .collect();
        assert_eq!(found, [3, 4, 5, 9, 10]);
        known.forget(5);
        assert_eq!(known.0, [(9, 10)]);
    }

    #[test]
    fn only_an_acceptance_says_which_edit_is_there() {
        let mut known = Accepted::default();
        known.note(&[Verdict::Duplicate { sequence: 7 }]);
        assert!(!known.contains(7));
    }

    #[test]
    fn a_device_cannot_make_the_ward_remember_without_end() {
        let known = accepted((0..10_000).map(|number| number * 2));
        assert_eq!(known.0.len(), RUNS_MAX);
    }
}
