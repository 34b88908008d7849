//! A device that stays when everything was said: the ward sends what is new by itself, and the device
//! says what is recorded meanwhile as soon as it is told of it.

use super::*;

/// Whether the device goes when everything was said.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Staying {
    /// It goes.
    #[default]
    No,
    /// It stays once everything was said.
    Wanted,
    /// It said so.
    Yes,
}

impl Initiator {
    /// The device does not go when everything was said, until [`Initiator::leave`].
    pub fn stay(&mut self) {
        if self.staying == Staying::No {
            self.staying = Staying::Wanted;
        }
    }

    /// Says goodbye as soon as everything was said.
    pub fn leave(&mut self) {
        self.staying = match self.staying {
            Staying::Yes => Staying::Yes,
            Staying::No | Staying::Wanted => Staying::No,
        };
        self.is_leaving = true;
    }

    /// Whether the device stays and the ward was told so: what it says from now on comes unasked.
    #[must_use]
    pub fn is_following(&self) -> bool {
        self.staying == Staying::Yes && self.stage == Stage::Open
    }

    /// Something was recorded, attached or wished for: the store is asked once more for what to say.
    pub fn look_again(&mut self) {
        self.upload.ask_again(self.round_trips);
        self.looks.ask_again();
        self.fetches.ask_again();
        self.attachments.ask_again();
    }

    /// Asks whether the ward is still there, which it answers by a word. For a connection that does not
    /// notice by itself that nobody is behind it; nothing is said while the last question is open.
    pub fn ask_whether_there(&mut self) {
        if self.is_following() && self.download.may_follow_again() {
            let follow = self.download.follow(self.round_trips);
            self.outbound.push(follow.encode());
        }
    }

    /// Everything was said: the device stays if it wants to.
    pub(super) fn begin_following(&mut self) -> bool {
        match self.staying {
            Staying::Wanted if !self.is_leaving => {
                self.staying = Staying::Yes;
                let follow = self.download.follow(self.round_trips);
                self.outbound.push(follow.encode());
                true
            }
            Staying::Yes => !self.is_leaving,
            Staying::No | Staying::Wanted => false,
        }
    }

    /// What came may be what something of ours waits for, and may show files that are wanted.
    pub(super) fn look_after_news(&mut self) {
        if self.is_following() {
            self.look_again();
        }
    }
}
