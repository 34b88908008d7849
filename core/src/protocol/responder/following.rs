//! A device that stays after it has read the feed to its end. The ward learns from outside that there is
//! something new and then reads the feed as for any other device, so a slow one costs it no more than
//! the window: it goes on from where that device stands when it has taken what is ahead.

use super::*;

/// What a device that stays is still to hear.
#[derive(Debug, Default)]
pub(super) struct Following {
    /// Whether the feed may hold something behind the device's position.
    is_feed_due: bool,
    /// Whether the device waits for the ward's word that it has read everything.
    pub(super) is_word_due: bool,
    /// Whether the device was sent pages and waits for the ward's word that these were all.
    is_end_due: bool,
    is_directory_due: bool,
}

impl Responder {
    /// Whether the device stays: the caller tells what it hears, through [`Responder::note_feed`] and
    /// [`Responder::note_directory`], and need not expect that the device speaks.
    #[must_use]
    pub fn is_following(&self) -> bool {
        self.following.is_some()
    }

    /// Whether pages are ahead of what the device has stored. As long as none is, a device that stays
    /// holds nothing of the ward's memory.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        self.pages_ahead > 0
    }

    /// The feed may hold something new for this device. Costs a reading, so the caller looks first.
    pub fn note_feed(&mut self) {
        if let Some(following) = &mut self.following {
            following.is_feed_due = true;
        }
    }

    /// The reference data may have changed.
    pub fn note_directory(&mut self) {
        if let Some(following) = &mut self.following {
            following.is_directory_due = true;
        }
    }

    pub(super) fn begin_following(&mut self, window: usize) {
        self.in_flight.follows -= 1;
        if self.following.is_none() {
            self.window = Some(window.min(limits::PAGES_FOLLOWED_MAX));
            self.pages_ahead = 0;
        }
        let following = self.following.get_or_insert_default();
        // Something may have come between the last word and this one.
        following.is_feed_due = true;
        following.is_word_due = true;
    }

    /// What a device that stays hears next, as far as its window has room.
    pub(super) fn next_followed(&mut self) -> Option<(Outstanding, WardCommand)> {
        if self.pages_ahead >= self.window? {
            return None;
        }
        let following = self.following.as_mut()?;
        if std::mem::take(&mut following.is_directory_due) {
            return Some((Outstanding::ReadDirectory, WardCommand::ReadDirectory));
        }
        std::mem::take(&mut following.is_feed_due).then(|| self.read_feed())
    }

    /// A page that brings a device that stays nothing is kept from it: it would only tell that
    /// something happens elsewhere.
    pub(super) fn say_followed(&mut self, page: Option<Box<Page>>, held: HeldDigest) {
        let next = page.as_ref().and_then(|page| page.cursor.clone());
        let Some(next) = next.filter(|next| *next != self.position) else {
            if let Some(following) = &mut self.following
                && !following.is_feed_due
            {
                let is_word_due = std::mem::take(&mut following.is_word_due);
                let is_end_due = std::mem::take(&mut following.is_end_due);
                for _ in 0..u8::from(is_word_due) + u8::from(is_end_due) {
                    self.say(&WardMessage::CaughtUp { held });
                }
            }
            return;
        };
        self.note_feed();
        let is_telling = page.as_ref().is_some_and(|page| {
            !page.proof.entries.is_empty() || page.scope != ScopeDelta::default()
        });
        if !is_telling {
            self.position = next;
        } else if let Some(Some(sealed)) = self.seal(page) {
            self.position = next;
            self.pages_ahead += 1;
            // It holds something else now, and hears at the end whether it is the right thing.
            if let Some(following) = &mut self.following {
                following.is_end_due = true;
            }
            self.say(&WardMessage::Page(sealed));
        }
    }
}
