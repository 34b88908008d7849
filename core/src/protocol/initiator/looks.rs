//! Cases that somebody wants to see and that the feed does not bring: asked for one at a time, by what
//! was typed. What the ward lends is kept; what it builds on is asked for as any missing edit is.

use super::super::message::Loan;
use super::receive::violation_of_page;
use super::*;

/// The question under way.
#[derive(Debug)]
pub(super) struct Looks {
    /// What was asked, and the round in which it was.
    asked: Option<(String, u32)>,
    /// Whether the store may have another.
    is_asking: bool,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            asked: None,
            is_asking: true,
        }
    }
}

impl Looks {
    pub(super) fn may_ask(&self) -> bool {
        self.is_asking && self.asked.is_none()
    }

    pub(super) fn ask_again(&mut self) {
        self.is_asking = true;
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.is_asking && self.asked.is_none()
    }
}

impl Initiator {
    pub(super) fn handle_look(&mut self, words: Option<String>) {
        let Some(words) = words else {
            self.looks.is_asking = false;
            return;
        };
        let look = DeviceMessage::Look {
            words: words.clone(),
        };
        self.outbound.push(look.encode());
        self.looks.asked = Some((words, self.round_trips));
    }

    pub(super) fn receive_lent(&mut self, loan: Option<Loan>) -> Result<(), Violation> {
        let (words, asked_in) = self.looks.asked.take().ok_or(Violation::Unexpected)?;
        let round = asked_in + 1;
        self.count_round(round);
        let lent = match loan {
            None => None,
            Some(Loan { case, page }) => {
                let page = Page::open(self.ward_key, &page).map_err(violation_of_page)?;
                // It moves nothing in the feed, and takes nothing from the device.
                if page.cursor.is_some() || page.scope != ScopeDelta::default() {
                    return Err(Violation::Unexpected);
                }
                Some((case, Box::new(page)))
            }
        };
        self.due.push_back(Due::Lent { words, lent, round });
        Ok(())
    }
}
