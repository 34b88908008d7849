//! What the ward may say when. Every message is checked against what the device has asked before
//! anything is kept of it, so the ward can fill no queue.

use super::super::directory::{self, OpenDirectoryError};
use super::super::feed::OpenPageError;
use super::*;
use crate::codec::DecodeError;

impl Initiator {
    /// Takes every whole message out of `bytes`.
    pub(super) fn receive(&mut self, mut bytes: &[u8]) -> Result<(), ConversationError> {
        // A ward that sends by itself cannot know yet that we are gone.
        while !(self.stage == Stage::Finished && self.staying == Staying::Yes)
            && let Some(frame) = self.decoder.next(&mut bytes)?
        {
            let message = WardMessage::decode(&frame).map_err(Violation::from)?;
            self.receive_message(message)?;
        }
        Ok(())
    }

    fn receive_message(&mut self, message: WardMessage) -> Result<(), ConversationError> {
        match (self.stage, message) {
            (Stage::Greeting | Stage::Open, WardMessage::Refuse(refusal)) => {
                return Err(ConversationError::Refused(refusal));
            }
            (
                Stage::Greeting,
                WardMessage::Welcome {
                    minor,
                    ward_time,
                    is_cursor_known,
                    lacked,
                },
            ) => {
                self.receive_welcome(minor, ward_time, is_cursor_known)?;
                if !lacked.is_empty() {
                    self.due.push_back(Due::Lacked(lacked));
                }
            }
            (Stage::Open, WardMessage::Verdicts { bundle, verdicts }) => {
                let round = self.upload.receive_verdicts(bundle, &verdicts)?;
                self.count_round(round);
                self.due.push_back(Due::Verdicts { bundle, verdicts });
            }
            (Stage::Open, WardMessage::Page(sealed)) => {
                let round = self.download.receive_page()?;
                self.count_round(round);
                self.receive_page(&sealed, PageOrigin::Feed, round)?;
            }
            (Stage::Open, WardMessage::CaughtUp { held }) => {
                let round = self.download.receive_caught_up()?;
                self.count_round(round);
                self.due.push_back(Due::CaughtUp { round, held });
            }
            (Stage::Open, WardMessage::Edits(sealed)) => {
                let round = self.download.receive_edits()?;
                self.count_round(round);
                match sealed {
                    Some(sealed) => self.receive_page(&sealed, PageOrigin::Wanted, round)?,
                    None => {
                        self.download.give_up_wanted();
                        self.due.push_back(Due::NothingWanted { round });
                    }
                }
            }
            (Stage::Open, WardMessage::Directory(sealed))
                if !self.has_directory || self.is_following() =>
            {
                // Once, unasked, right after the welcome; to a device that stays whenever it changed.
                self.has_directory = true;
                let is_followed = self.is_following();
                if is_followed {
                    self.download.receive_page()?;
                }
                let (directory, version) =
                    directory::open(&sealed).map_err(violation_of_directory)?;
                self.due.push_back(Due::Directory {
                    directory: Box::new(directory),
                    version,
                    is_followed,
                });
            }
            (Stage::Open, WardMessage::Returned) => {
                let round = self.return_pages.receive_returned()?;
                self.count_round(round);
            }
            (Stage::Open, WardMessage::Compared(answers)) => {
                let round = self.comparing.receive_compared()?;
                self.count_round(round);
                self.due.push_back(Due::Compared { answers, round });
            }
            (Stage::Open, WardMessage::Need { hash, from }) => {
                self.receive_need(hash, from)?;
            }
            (Stage::Open, WardMessage::Lent(loan)) => self.receive_lent(loan)?,
            (Stage::Open, WardMessage::Witnessed(testimony)) => {
                self.receive_witnessed(testimony)?;
            }
            (Stage::Open, WardMessage::Found { hash, size, parts }) => {
                self.receive_found(hash, size, parts)?;
            }
            (Stage::Open, WardMessage::Part { offset, bytes }) => {
                self.receive_part(offset, bytes)?;
            }
            (Stage::Open, WardMessage::Kept { hash, up_to }) => {
                self.receive_kept(hash, up_to)?;
            }
            (Stage::Open, WardMessage::Stored { hash, word }) => {
                self.receive_stored(hash, word)?;
            }
            _ => return Err(Violation::Unexpected.into()),
        }
        Ok(())
    }

    fn receive_welcome(
        &mut self,
        minor: u16,
        ward_time: Timestamp,
        is_cursor_known: bool,
    ) -> Result<(), Violation> {
        // The ward has nothing to welcome before the greeting left, or in a version we do not speak.
        let is_restored = !is_cursor_known;
        if !MinorVersions::OURS.contains(minor) || (is_restored && !self.has_cursor) {
            return Err(Violation::Unexpected);
        }
        self.stage = Stage::Open;
        self.ward_time = Some(ward_time);
        self.progress.push_back(Progress::Welcomed);
        self.count_round(1);
        if is_restored {
            // The ward drops what was said in the first flight, so neither verdicts nor pages of it
            // will come; a bundle that the store is just now handing over is part of it.
            self.is_answer_void = self.outstanding.is_some();
            self.is_witness_asked = false;
            self.upload = Upload::new(self.round_trips);
            self.download = Download::default();
            self.return_pages = ReturnPages::begin(self.round_trips);
            self.due.push_back(Due::BeginReturn);
        }
        Ok(())
    }

    fn receive_page(
        &mut self,
        sealed: &[u8],
        origin: PageOrigin,
        round: u32,
    ) -> Result<(), Violation> {
        let known = &self.upload.accepted_at;
        let page = Page::open_knowing(self.ward_key, sealed, known).map_err(violation_of_page)?;
        if page.cursor.is_some() {
            self.upload.forget_accepted(page.proof.up_to);
        }
        match origin {
            PageOrigin::Feed if page.cursor.is_none() => return Err(Violation::Unexpected),
            PageOrigin::Wanted if page.cursor.is_some() => return Err(Violation::Unexpected),
            PageOrigin::Feed => {}
            PageOrigin::Wanted => self.download.receive_wanted(&page),
        }
        self.due.push_back(Due::Page {
            page: Box::new(page),
            origin,
            round,
        });
        Ok(())
    }
}

pub(super) fn violation_of_page(error: OpenPageError) -> Violation {
    match error {
        OpenPageError::Decode(error) => Violation::Decode(error),
        OpenPageError::Decompress => Violation::Decode(DecodeError::InvalidValue),
        OpenPageError::Signature => Violation::Signature,
    }
}

fn violation_of_directory(error: OpenDirectoryError) -> Violation {
    match error {
        OpenDirectoryError::Decode(error) => Violation::Decode(error),
        OpenDirectoryError::Decompress => Violation::Decode(DecodeError::InvalidValue),
    }
}
