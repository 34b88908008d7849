//! Bundles on their way up: how many may be under way, which were sent, which may be sent again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;

/// The device's bundles in this conversation.
#[derive(Debug)]
pub(super) struct Upload {
    /// One for each bundle that may still be sent now, with the round in which it became free.
    free: VecDeque<u32>,
    /// Without a verdict yet.
    in_flight: Vec<InFlight>,
    /// Our edits of this conversation by the sequence at which the ward accepted them, until the feed
    /// goes by: a page does not name them.
    pub(super) accepted_at: BTreeMap<u64, EditId>,
    /// Verdicts that came and are not recorded yet, with the round in which each came.
    unrecorded: VecDeque<u32>,
    /// Whether the store may have more.
    is_asking: bool,
    /// Whether a bundle was sent that the last request for the feed does not follow.
    is_pull_due: bool,
    /// Every bundle sent, how often, and what was accepted when the last verdict on it was `waiting`.
    sent: BTreeMap<BundleId, Sent>,
    /// How many edits the ward has accepted so far.
    accepted: u64,
    /// What edits of ours wait for.
    awaited: BTreeSet<EditId>,
    /// The round in which the last bundle was sent.
    round: u32,
}

#[derive(Debug)]
struct InFlight {
    bundle: BundleId,
    edits: Vec<EditId>,
    /// The round in which it was sent.
    sent_in: u32,
}

#[derive(Debug)]
struct Sent {
    times: u8,
    accepted_before: u64,
}

impl Upload {
    /// Nothing sent; the first bundles may go in `round`.
    pub(super) fn new(round: u32) -> Self {
        Self {
            free: VecDeque::from([round; limits::BUNDLES_IN_FLIGHT_MAX]),
            in_flight: Vec::new(),
            accepted_at: BTreeMap::new(),
            unrecorded: VecDeque::new(),
            is_asking: true,
            is_pull_due: true,
            sent: BTreeMap::new(),
            accepted: 0,
            awaited: BTreeSet::new(),
            round,
        }
    }

    pub(super) fn may_ask(&self) -> bool {
        self.is_asking && !self.free.is_empty()
    }

    /// The feed was read in `round`; whatever the store still has follows from that.
    pub(super) fn ask_again(&mut self, round: u32) {
        self.is_asking = true;
        for free in &mut self.free {
            *free = round.max(*free);
        }
    }

    /// The feed names edits: something of ours may have waited for them.
    pub(super) fn note_named(&mut self, page: &Page) {
        let named = page.proof.entries.iter();
        let come = named.filter(|entry| self.awaited.remove(&entry.edit));
        self.accepted += come.count() as u64;
    }

    /// Whether the store has no more, and the ward's word on all that was sent is recorded.
    pub(super) fn is_answered(&self) -> bool {
        !self.is_asking && self.in_flight.is_empty() && self.unrecorded.is_empty()
    }

    /// The round in which the verdicts on a bundle of ours came.
    pub(super) fn receive_verdicts(
        &mut self,
        bundle: BundleId,
        verdicts: &[Verdict],
    ) -> Result<u32, Violation> {
        let position = self
            .in_flight
            .iter()
            .position(|sent| sent.bundle == bundle)
            .ok_or(Violation::Unexpected)?;
        let InFlight { edits, sent_in, .. } = self.in_flight.remove(position);
        for (edit, verdict) in edits.into_iter().zip(verdicts) {
            if let Verdict::Accepted { sequence } = *verdict {
                self.accepted_at.insert(sequence, edit);
            }
        }
        self.unrecorded.push_back(sent_in + 1);
        Ok(sent_in + 1)
    }

    /// A second time is for what waited, once something was accepted since; a third time would be a
    /// store that gives the same for ever.
    fn may_send(&self, bundle: BundleId) -> bool {
        self.sent.get(&bundle).is_none_or(|sent| {
            sent.times < limits::BUNDLE_SENDS_MAX && self.accepted > sent.accepted_before
        })
    }

    /// The feed was read up to here; what it named of ours needs no name any more.
    pub(super) fn forget_accepted(&mut self, up_to: u64) {
        match up_to.checked_add(1) {
            Some(next) => self.accepted_at = self.accepted_at.split_off(&next),
            None => self.accepted_at.clear(),
        }
    }

    fn note_sent(&mut self, bundle: BundleId, edits: Vec<EditId>) {
        self.round = self.free.pop_front().unwrap_or(self.round);
        self.in_flight.push(InFlight {
            bundle,
            edits,
            sent_in: self.round,
        });
        let accepted_before = self.accepted;
        let sent = self.sent.entry(bundle).or_insert(Sent {
            times: 0,
            accepted_before,
        });
        sent.times += 1;
        self.is_pull_due = true;
    }

    fn note_recorded(&mut self, bundle: BundleId, verdicts: &[Verdict]) {
        let round = self.unrecorded.pop_front().unwrap_or(self.round);
        self.free.push_back(round);
        self.accepted += accepted(verdicts) as u64;
        self.awaited
            .extend(verdicts.iter().filter_map(|verdict| match verdict {
                Verdict::Waiting { dependency } => Some(*dependency),
                _ => None,
            }));
        if let Some(sent) = self.sent.get_mut(&bundle) {
            sent.accepted_before = self.accepted;
        }
    }
}

impl Initiator {
    pub(super) fn handle_bundle(&mut self, bundle: Option<OutgoingBundle>) {
        match bundle.filter(|bundle| self.upload.may_send(bundle.id)) {
            Some(OutgoingBundle { id, sealed, edits }) => {
                self.upload.note_sent(id, edits);
                self.outbound.push(DeviceMessage::Bundle(sealed).encode());
            }
            None => {
                self.upload.is_asking = false;
                // To a device that stays the feed comes by itself.
                if std::mem::take(&mut self.upload.is_pull_due) && !self.is_following() {
                    let pull = self.download.pull(self.upload.round);
                    self.outbound.push(pull.encode());
                }
            }
        }
    }

    pub(super) fn handle_verdicts_recorded(&mut self, bundle: BundleId, verdicts: &[Verdict]) {
        self.upload.note_recorded(bundle, verdicts);
        let waiting = verdicts
            .iter()
            .filter(|verdict| matches!(verdict, Verdict::Waiting { .. }))
            .count();
        let rejected = verdicts
            .iter()
            .filter(|verdict| matches!(verdict, Verdict::Rejected { .. }))
            .count();
        self.progress.push_back(Progress::Verdicts {
            accepted: accepted(verdicts),
            rejected,
            waiting,
        });
    }
}

fn accepted(verdicts: &[Verdict]) -> usize {
    verdicts
        .iter()
        .filter(|verdict| {
            matches!(
                verdict,
                Verdict::Accepted { .. } | Verdict::Duplicate { .. }
            )
        })
        .count()
}
