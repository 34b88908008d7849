//! A comparison with the ward: after it was restored, before anything is given back to it, and once in a
//! conversation in which both sides turn out not to hold the same. One question at a time.

use super::*;

/// How far the comparison is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparing {
    /// There was no reason so far.
    NotNeeded,
    /// The store is to begin.
    Due { is_restored: bool, round: u32 },
    /// The store has it in hand.
    AtHand,
    /// The ward was asked, in this round.
    Asked { round: u32 },
    /// It is over; there is no second one in a conversation.
    Over,
}

impl Comparing {
    /// Whether everything else waits for it.
    pub(super) fn is_under_way(self) -> bool {
        matches!(self, Self::Due { .. } | Self::AtHand | Self::Asked { .. })
    }

    pub(super) fn receive_compared(&mut self) -> Result<u32, Violation> {
        match *self {
            Self::Asked { round } => {
                *self = Self::AtHand;
                Ok(round + 1)
            }
            _ => Err(Violation::Unexpected),
        }
    }
}

impl Initiator {
    /// The ward was restored: what it lacks is found before anything is given back.
    pub(super) fn compare_first(&mut self, round: u32) {
        self.comparing = Comparing::Due {
            is_restored: true,
            round,
        };
    }

    /// Both sides have said everything about records and may not hold the same. A device that stays
    /// finds out at its next conversation.
    pub(super) fn handle_settled(&mut self, is_agreed: bool) {
        if !is_agreed && self.comparing == Comparing::NotNeeded && !self.is_following() {
            self.comparing = Comparing::Due {
                is_restored: false,
                round: self.round_trips,
            };
        }
    }

    pub(super) fn begin_comparison(&mut self) -> Option<(Outstanding, DeviceCommand)> {
        let Comparing::Due { is_restored, round } = self.comparing else {
            return None;
        };
        self.comparing = Comparing::AtHand;
        let begin = DeviceCommand::BeginComparison { is_restored };
        Some((Outstanding::Comparison { round }, begin))
    }

    pub(super) fn handle_comparison(&mut self, step: ComparisonStep, round: u32) {
        match step {
            ComparisonStep::Ask(questions) => {
                self.outbound
                    .push(DeviceMessage::Compare(questions).encode());
                self.comparing = Comparing::Asked { round };
            }
            ComparisonStep::Found {
                missing,
                is_anything_lacked_there,
            } => {
                self.comparing = Comparing::Over;
                let is_restored = matches!(self.return_pages, ReturnPages::Beginning { .. });
                if is_restored || is_anything_lacked_there {
                    self.begin_returning(round);
                }
                // A restored ward says in its feed what it has.
                if !is_restored {
                    self.want_missing(missing, round);
                }
            }
        }
    }
}
