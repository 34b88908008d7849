//! What the device gives back to a ward that was restored, before it says anything else.

use std::collections::VecDeque;

use super::*;

/// How far the giving back is.
#[derive(Debug)]
pub(super) enum ReturnPages {
    /// The ward knows our cursor.
    NotNeeded,
    /// The store has not begun yet.
    Beginning {
        /// In which round we learned of it.
        round: u32,
    },
    /// Pages are on their way.
    UnderWay {
        /// One for each page that may be sent now, with the round in which it became free.
        free: VecDeque<u32>,
        /// Without the ward's word, with the round in which each was sent.
        in_flight: VecDeque<u32>,
        /// Whether the store has no more.
        is_last_said: bool,
    },
}

impl ReturnPages {
    pub(super) fn begin(round: u32) -> Self {
        Self::Beginning { round }
    }

    /// Whether bundles must wait. They may follow the last page without waiting for its word,
    /// because the ward takes everything in order.
    pub(super) fn is_under_way(&self) -> bool {
        match self {
            Self::NotNeeded => false,
            Self::Beginning { .. } => true,
            Self::UnderWay { is_last_said, .. } => !is_last_said,
        }
    }

    pub(super) fn may_ask(&self) -> bool {
        matches!(self, Self::UnderWay { free, is_last_said: false, .. } if !free.is_empty())
    }

    pub(super) fn receive_returned(&mut self) -> Result<u32, Violation> {
        let Self::UnderWay {
            free, in_flight, ..
        } = self
        else {
            return Err(Violation::Unexpected);
        };
        let round = in_flight.pop_front().ok_or(Violation::Unexpected)? + 1;
        free.push_back(round);
        Ok(round)
    }
}

impl Initiator {
    pub(super) fn handle_return_begun(&mut self) {
        if let ReturnPages::Beginning { round } = self.return_pages {
            self.outbound.push(DeviceMessage::GiveBack.encode());
            self.compare_first(round);
        }
    }

    /// What the ward lacks is known: it is given back.
    pub(super) fn begin_returning(&mut self, round: u32) {
        self.return_pages = ReturnPages::UnderWay {
            free: VecDeque::from([round; limits::RETURNS_IN_FLIGHT_MAX]),
            in_flight: VecDeque::new(),
            is_last_said: false,
        };
    }

    pub(super) fn handle_return(&mut self, page: Option<Box<Page>>) {
        let ReturnPages::UnderWay {
            free,
            in_flight,
            is_last_said,
        } = &mut self.return_pages
        else {
            return;
        };
        match page {
            Some(page) => {
                in_flight.push_back(free.pop_front().unwrap_or(self.round_trips));
                self.outbound
                    .push(DeviceMessage::Return(page.seal()).encode());
            }
            None => {
                *is_last_said = true;
                self.upload = Upload::new(self.round_trips);
            }
        }
    }
}
