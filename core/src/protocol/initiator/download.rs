//! The feed on its way down: how many pages may come, and which edits are asked for by name.

use std::collections::{BTreeSet, VecDeque};

use super::*;

/// What the device reads in this conversation.
#[derive(Debug, Default)]
pub(super) struct Download {
    state: FeedState,
    /// One for each page that the ward may still send, with the round in which we said so.
    allowed: VecDeque<u32>,
    /// Whether the ward said that nothing follows.
    is_end_received: bool,
    /// To be asked for by name.
    wanted: VecDeque<EditId>,
    /// Wanted since an earlier conversation. They wait for the end of the feed, which may bring them.
    wanted_before: Vec<EditId>,
    /// Every edit ever asked for: each is asked for once.
    asked: BTreeSet<EditId>,
    /// Asked for and not answered, and the round in which we asked.
    request: Option<u32>,
    /// Of the last request, what has not come.
    not_come: Vec<EditId>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum FeedState {
    #[default]
    NotAsked,
    Asked,
    CaughtUp,
    /// What follows comes by itself.
    Followed {
        /// Whether the ward is still to say that it has heard so.
        is_open: bool,
        /// Whether pages came since the ward said last that nothing follows.
        is_behind: bool,
    },
}

impl Download {
    pub(super) fn wanting(wanted: Vec<EditId>) -> Self {
        Self {
            wanted_before: wanted,
            ..Self::default()
        }
    }

    /// Asks for the feed, all of the window free again.
    pub(super) fn pull(&mut self, round: u32) -> DeviceMessage {
        let window = limits::PAGES_IN_FLIGHT_MAX;
        self.state = FeedState::Asked;
        self.is_end_received = false;
        self.allowed = std::iter::repeat_n(round, window).collect();
        DeviceMessage::Pull { window }
    }

    /// Asks for whatever comes. What was asked before is stored by now, so all of the window is free; said
    /// again, the window stays as it is.
    pub(super) fn follow(&mut self, round: u32) -> DeviceMessage {
        let window = limits::PAGES_FOLLOWED_MAX;
        let is_behind = match self.state {
            FeedState::Followed { is_behind, .. } => is_behind,
            _ => {
                self.allowed = std::iter::repeat_n(round, window).collect();
                self.is_end_received = false;
                false
            }
        };
        self.state = FeedState::Followed {
            is_open: true,
            is_behind,
        };
        DeviceMessage::Follow { window }
    }

    pub(super) fn may_follow_again(&self) -> bool {
        matches!(self.state, FeedState::Followed { is_open: false, .. })
    }

    fn is_followed(&self) -> bool {
        matches!(self.state, FeedState::Followed { .. })
    }

    pub(super) fn receive_page(&mut self) -> Result<u32, Violation> {
        let is_asked = self.state == FeedState::Asked || self.is_followed();
        if !is_asked || self.is_end_received {
            return Err(Violation::Unexpected);
        }
        let asked_in = self.allowed.pop_front().ok_or(Violation::TooManyInFlight)?;
        if let FeedState::Followed { is_behind, .. } = &mut self.state {
            *is_behind = true;
        }
        Ok(asked_in + 1)
    }

    pub(super) fn receive_caught_up(&mut self) -> Result<u32, Violation> {
        match self.state {
            FeedState::Asked if !self.is_end_received => self.is_end_received = true,
            FeedState::Followed {
                is_open,
                is_behind: true,
            } => {
                self.state = FeedState::Followed {
                    is_open,
                    is_behind: false,
                };
            }
            FeedState::Followed { is_open: true, .. } => {
                self.state = FeedState::Followed {
                    is_open: false,
                    is_behind: false,
                };
            }
            _ => return Err(Violation::Unexpected),
        }
        Ok(self.allowed.front().map_or(0, |asked_in| asked_in + 1))
    }

    pub(super) fn receive_edits(&mut self) -> Result<u32, Violation> {
        let asked_in = self.request.take().ok_or(Violation::Unexpected)?;
        Ok(asked_in + 1)
    }

    /// What came of what was asked for; the rest is asked for again as long as something comes.
    pub(super) fn receive_wanted(&mut self, page: &Page) {
        let come: BTreeSet<EditId> = page.proof.entries.iter().map(|entry| entry.edit).collect();
        let before = self.not_come.len();
        self.not_come.retain(|edit| !come.contains(edit));
        if self.not_come.len() == before {
            self.not_come.clear();
        }
        for edit in std::mem::take(&mut self.not_come).into_iter().rev() {
            self.wanted.push_front(edit);
        }
    }

    /// The ward has nothing of what was asked for: outside our scope, or not there.
    pub(super) fn give_up_wanted(&mut self) {
        self.not_come.clear();
    }

    /// Everything before the ward's `CaughtUp` is stored.
    pub(super) fn finish(&mut self) {
        self.state = FeedState::CaughtUp;
        let wanted = std::mem::take(&mut self.wanted_before);
        self.want(wanted);
    }

    pub(super) fn is_complete(&self) -> bool {
        let is_read = self.state == FeedState::CaughtUp || self.is_followed();
        is_read && self.request.is_none() && self.wanted.is_empty()
    }

    fn want(&mut self, missing: Vec<EditId>) {
        for edit in missing {
            if self.asked.len() < limits::WANTED_EDITS_PER_CONVERSATION_MAX
                && self.asked.insert(edit)
            {
                self.wanted.push_back(edit);
            }
        }
    }

    fn next_request(&mut self, round: u32) -> Option<DeviceMessage> {
        if self.request.is_some() || self.wanted.is_empty() {
            return None;
        }
        let count = self.wanted.len().min(limits::WANTED_EDITS_MAX);
        let edits: Vec<EditId> = self.wanted.drain(..count).collect();
        self.not_come.clone_from(&edits);
        self.request = Some(round);
        Some(DeviceMessage::Want(edits))
    }
}

impl Initiator {
    pub(super) fn handle_page_applied(
        &mut self,
        received: usize,
        origin: PageOrigin,
        round: u32,
        missing: Vec<EditId>,
    ) {
        if received > 0 {
            self.progress
                .push_back(Progress::Received { edits: received });
        }
        if origin == PageOrigin::Feed && !self.download.is_end_received {
            self.say_taken(round);
        }
        self.look_after_news();
        self.want_missing(missing, round);
    }

    /// Asks for edits by name that a page has shown to be missing.
    pub(super) fn want_missing(&mut self, missing: Vec<EditId>, round: u32) {
        self.download.want(missing);
        self.ask_for_wanted(round);
    }

    /// What came is stored: one more may come.
    pub(super) fn say_taken(&mut self, round: u32) {
        self.download.allowed.push_back(round);
        self.outbound.push(DeviceMessage::Taken.encode());
    }

    pub(super) fn ask_for_wanted(&mut self, round: u32) {
        if let Some(request) = self.download.next_request(round) {
            self.outbound.push(request.encode());
        }
    }
}
