//! The device's side of a conversation. Owns the message order; knows neither socket nor store.
//!
//! The device speaks first and waits as little as it can: the greeting, the first bundles and the
//! request for the feed leave in one flight. Should the ward not know the cursor (it was restored),
//! what was said after the greeting counts as not said, and the device gives back first.

mod attachments;
mod comparing;
mod contract;
mod download;
mod fetches;
mod looks;
mod receive;
mod return_pages;
mod staying;
mod upload;
mod witness;

use std::collections::VecDeque;

use attachments::Attachments;
use comparing::Comparing;
pub use contract::{
    ComparisonStep, ConversationError, DeviceAnswer, DeviceCommand, Opening, OutgoingAttachment,
    OutgoingBundle, Progress,
};
use download::Download;
use fetches::Fetches;
use looks::Looks;
use return_pages::ReturnPages;
use staying::Staying;
use upload::Upload;

use super::agreement::HeldDigest;
use super::checkpoint::Testimony;
use super::directory::DirectoryVersion;
use super::feed::{Page, ScopeDelta};
use super::frame::FrameDecoder;
use super::limits;
use super::message::{DeviceMessage, Hello, MinorVersions, WardMessage};
use super::outbound::Outbound;
use super::reconciliation::Answer;
use super::verdict::Verdict;
use crate::model::{AttachmentHash, BundleId, Directory, EditId, Timestamp, WardKey};
use uuid::Uuid;

pub use super::violation::Violation;

/// What the machine waits for the store to answer.
#[derive(Debug)]
enum Outstanding {
    Bundle,
    Verdicts {
        bundle: BundleId,
        verdicts: Vec<Verdict>,
    },
    Page {
        received: usize,
        origin: PageOrigin,
        round: u32,
    },
    Directory {
        is_followed: bool,
    },
    BeginReturn,
    Return,
    Attachment,
    Confirm(AttachmentHash),
    Kept,
    Lacked,
    Settled,
    Comparison {
        round: u32,
    },
    Fetch,
    Fetched,
    Look,
    Lent {
        round: u32,
    },
    Witnessed,
}

/// Why a page came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PageOrigin {
    /// It follows in the feed; the ward waits to hear that it is stored.
    Feed,
    /// It was asked for by name.
    Wanted,
}

/// What the ward said and the store has not heard yet, in the order in which it came.
#[derive(Debug)]
enum Due {
    Verdicts {
        bundle: BundleId,
        verdicts: Vec<Verdict>,
    },
    Page {
        page: Box<Page>,
        origin: PageOrigin,
        round: u32,
    },
    NothingWanted {
        round: u32,
    },
    CaughtUp {
        round: u32,
        held: HeldDigest,
    },
    Directory {
        directory: Box<Directory>,
        version: DirectoryVersion,
        /// It came to a device that stays, which takes it as it takes a page.
        is_followed: bool,
    },
    BeginReturn,
    Compared {
        answers: Vec<Answer>,
        round: u32,
    },
    Confirm(AttachmentHash),
    Kept {
        hash: AttachmentHash,
        bytes: u64,
    },
    Lacked(Vec<AttachmentHash>),
    Fetched {
        hash: AttachmentHash,
        size: usize,
        offset: usize,
        bytes: Vec<u8>,
    },
    Lent {
        words: String,
        lent: Option<(Uuid, Box<Page>)>,
        round: u32,
    },
    Witnessed(Box<Testimony>),
}

/// How far the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The greeting is on its way.
    Greeting,
    /// The ward welcomed us.
    Open,
    /// Both sides have said everything.
    Finished,
    /// An error ended it.
    Broken,
}

/// The device's state machine.
#[derive(Debug)]
pub struct Initiator {
    ward_key: WardKey,
    has_cursor: bool,
    decoder: FrameDecoder,
    outbound: Outbound,
    due: VecDeque<Due>,
    outstanding: Option<Outstanding>,
    progress: VecDeque<Progress>,
    stage: Stage,
    ward_time: Option<Timestamp>,
    /// Whether the store's answer to a question that was asked before a return is to be dropped.
    is_answer_void: bool,
    has_directory: bool,
    staying: Staying,
    is_leaving: bool,
    has_caught_up: bool,
    upload: Upload,
    download: Download,
    return_pages: ReturnPages,
    comparing: Comparing,
    attachments: Attachments,
    fetches: Fetches,
    /// What the ward said last that the device holds, until the store has heard it.
    said_held: Option<HeldDigest>,
    looks: Looks,
    /// The ward was asked about its audit trail and has not answered.
    is_witness_asked: bool,
    /// Longest chain of questions that each had to wait for the answer to the one before.
    round_trips: u32,
}

impl Initiator {
    /// Begins; the greeting is ready to be transmitted.
    #[must_use]
    pub fn new(opening: Opening) -> Self {
        let mut outbound = Outbound::default();
        let has_cursor = !opening.cursor.is_empty();
        let hello = Hello {
            minor: MinorVersions::OURS,
            device_time: opening.device_time,
            app_version: shorten(&opening.app_version, limits::APP_VERSION_BYTES_MAX).to_owned(),
            cursor: opening.cursor,
            directory_version: Some(opening.directory_version)
                .filter(|version| *version != [0; 32]),
        };
        outbound.push(DeviceMessage::Hello(hello).encode());
        if let Some(number) = opening.witness {
            outbound.push(DeviceMessage::Witness { number }.encode());
        }
        Self {
            ward_key: opening.ward_key,
            has_cursor,
            decoder: FrameDecoder::new(WardMessage::payload_limit),
            outbound,
            due: VecDeque::new(),
            outstanding: None,
            progress: VecDeque::new(),
            stage: Stage::Greeting,
            ward_time: None,
            is_answer_void: false,
            has_directory: false,
            staying: Staying::No,
            is_leaving: false,
            has_caught_up: false,
            upload: Upload::new(0),
            download: Download::wanting(opening.wanted),
            return_pages: ReturnPages::NotNeeded,
            comparing: Comparing::NotNeeded,
            attachments: Attachments::default(),
            fetches: Fetches::default(),
            said_held: None,
            looks: Looks::default(),
            is_witness_asked: opening.witness.is_some(),
            round_trips: 0,
        }
    }

    /// Takes bytes from the ward, in any portions. What they ask of the store may be polled also
    /// after an error.
    ///
    /// # Errors
    /// The conversation is over; nothing more is to be handled.
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Result<(), ConversationError> {
        if self.stage == Stage::Broken {
            return Err(ConversationError::Interrupted);
        }
        let result = self.receive(bytes);
        if result.is_err() {
            self.stage = Stage::Broken;
        }
        result
    }

    /// Hears that the connection has ended.
    ///
    /// # Errors
    /// [`ConversationError::Interrupted`] unless everything was said.
    pub fn handle_end(&mut self) -> Result<(), ConversationError> {
        if self.stage == Stage::Finished {
            Ok(())
        } else {
            self.stage = Stage::Broken;
            Err(ConversationError::Interrupted)
        }
    }

    /// Takes the store's answer to the last command.
    ///
    /// # Panics
    /// If it is not an answer to it: a bug of the caller, who alone sees both.
    pub fn handle_answer(&mut self, answer: DeviceAnswer) {
        let is_void = std::mem::take(&mut self.is_answer_void);
        match (self.outstanding.take(), answer) {
            (Some(Outstanding::Bundle), DeviceAnswer::Bundle(bundle)) => {
                if !is_void {
                    self.handle_bundle(bundle);
                }
            }
            (Some(Outstanding::Verdicts { bundle, verdicts }), DeviceAnswer::Done) => {
                self.handle_verdicts_recorded(bundle, &verdicts);
            }
            (
                Some(Outstanding::Page {
                    received,
                    origin,
                    round,
                }),
                DeviceAnswer::PageApplied { missing },
            ) => {
                self.handle_page_applied(received, origin, round, missing);
            }
            (Some(Outstanding::Directory { is_followed }), DeviceAnswer::Done) => {
                if is_followed {
                    self.say_taken(self.round_trips);
                }
            }
            (
                Some(
                    Outstanding::Kept
                    | Outstanding::Lacked
                    | Outstanding::Fetched
                    | Outstanding::Witnessed,
                ),
                DeviceAnswer::Done,
            ) => {}
            (Some(Outstanding::Settled), DeviceAnswer::Settled { is_agreed }) => {
                self.handle_settled(is_agreed);
            }
            (Some(Outstanding::Comparison { round }), DeviceAnswer::Comparison(step)) => {
                self.handle_comparison(step, round);
            }
            (Some(Outstanding::Fetch), DeviceAnswer::Fetch(wanted)) => self.handle_fetch(wanted),
            (Some(Outstanding::Look), DeviceAnswer::Look(words)) => self.handle_look(words),
            (Some(Outstanding::Lent { round }), DeviceAnswer::PageApplied { missing }) => {
                self.want_missing(missing, round);
            }
            (Some(Outstanding::BeginReturn), DeviceAnswer::Done) => self.handle_return_begun(),
            (Some(Outstanding::Return), DeviceAnswer::Return(page)) => self.handle_return(page),
            (Some(Outstanding::Attachment), DeviceAnswer::Attachment(attachment)) => {
                self.handle_attachment(attachment);
            }
            (Some(Outstanding::Confirm(hash)), DeviceAnswer::Done) => {
                self.progress.push_back(Progress::AttachmentStored(hash));
            }
            (asked, _) => panic!("the store answers something else than was asked: {asked:?}"),
        }
    }

    /// What the store should do next, if it is not busy.
    pub fn poll_command(&mut self) -> Option<DeviceCommand> {
        if self.outstanding.is_some() || self.stage == Stage::Finished {
            return None;
        }
        while let Some(due) = self.due.pop_front() {
            if let Some((outstanding, command)) = self.begin_due(due) {
                self.outstanding = Some(outstanding);
                return Some(command);
            }
        }
        if self.stage == Stage::Broken {
            return None;
        }
        let (outstanding, command) = self.next_question()?;
        self.outstanding = Some(outstanding);
        Some(command)
    }

    /// Bytes for the ward, if there are any now.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        if self.stage == Stage::Broken {
            return None;
        }
        if self.outbound.is_empty() {
            let part = self.next_part()?;
            self.outbound.push(part.encode());
        }
        self.outbound.pop()
    }

    /// What to show, if anything happened.
    pub fn poll_progress(&mut self) -> Option<Progress> {
        self.progress.pop_front()
    }

    /// Whether both sides have said everything and it was transmitted.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.stage == Stage::Finished && self.outbound.is_empty()
    }

    /// How often the device had to wait for the ward before it could go on: the longest chain of
    /// questions that each needed the answer to the one before.
    #[must_use]
    pub fn round_trips(&self) -> u32 {
        self.round_trips
    }

    /// The ward's clock when it welcomed us, to show how far ours is off.
    #[must_use]
    pub fn ward_time(&self) -> Option<Timestamp> {
        self.ward_time
    }

    /// Hands to the store what the ward said; `None` where only this machine needed to know.
    fn begin_due(&mut self, due: Due) -> Option<(Outstanding, DeviceCommand)> {
        match due {
            Due::Verdicts { bundle, verdicts } => Some((
                Outstanding::Verdicts {
                    bundle,
                    verdicts: verdicts.clone(),
                },
                DeviceCommand::RecordVerdicts { bundle, verdicts },
            )),
            Due::Page {
                page,
                origin,
                round,
            } => {
                self.upload.note_named(&page);
                let outstanding = Outstanding::Page {
                    received: page.bodies.iter().flatten().count(),
                    origin,
                    round,
                };
                Some((outstanding, DeviceCommand::ApplyPage(page)))
            }
            Due::NothingWanted { round } => {
                self.ask_for_wanted(round);
                None
            }
            Due::CaughtUp { held, .. } if self.staying == Staying::Yes => {
                self.said_held = Some(held);
                self.tell_caught_up();
                None
            }
            Due::CaughtUp { round, held } => {
                self.download.finish();
                self.said_held = Some(held);
                self.ask_for_wanted(round);
                self.upload.ask_again(round);
                None
            }
            Due::Directory {
                directory,
                version,
                is_followed,
            } => Some((
                Outstanding::Directory { is_followed },
                DeviceCommand::ApplyDirectory { directory, version },
            )),
            Due::Compared { answers, round } => Some((
                Outstanding::Comparison { round },
                DeviceCommand::Compare(answers),
            )),
            Due::BeginReturn => Some((Outstanding::BeginReturn, DeviceCommand::BeginReturn)),
            Due::Confirm(hash) => Some((
                Outstanding::Confirm(hash),
                DeviceCommand::ConfirmAttachment(hash),
            )),
            Due::Kept { hash, bytes } => {
                Some((Outstanding::Kept, DeviceCommand::NoteKept { hash, bytes }))
            }
            Due::Fetched {
                hash,
                size,
                offset,
                bytes,
            } => Some((
                Outstanding::Fetched,
                DeviceCommand::KeepFetched {
                    hash,
                    size,
                    offset,
                    bytes,
                },
            )),
            Due::Lent { words, lent, round } => Some((
                Outstanding::Lent { round },
                DeviceCommand::KeepLent { words, lent },
            )),
            Due::Witnessed(testimony) => Some((
                Outstanding::Witnessed,
                DeviceCommand::KeepWitnessed(testimony),
            )),
            Due::Lacked(lacked) => {
                Some((Outstanding::Lacked, DeviceCommand::DoubtAttachments(lacked)))
            }
        }
    }

    /// What the device itself has left to say: what it gives back, then bundles, then files, so that
    /// records come before photos. Says goodbye when nothing is left, or stays.
    fn next_question(&mut self) -> Option<(Outstanding, DeviceCommand)> {
        if let Some(question) = self.begin_comparison() {
            return Some(question);
        }
        if self.comparing.is_under_way() {
            return None;
        }
        if self.return_pages.is_under_way() {
            return self
                .return_pages
                .may_ask()
                .then_some((Outstanding::Return, DeviceCommand::NextReturn));
        }
        if self.upload.may_ask() {
            return Some((Outstanding::Bundle, DeviceCommand::NextBundle));
        }
        if !self.upload.is_answered() || !self.download.is_complete() {
            return None;
        }
        if let Some(ward_time) = self.ward_time
            && let Some(held) = self.said_held.take()
        {
            let settle = DeviceCommand::Settle { ward_time, held };
            return Some((Outstanding::Settled, settle));
        }
        if self.looks.may_ask() {
            return Some((Outstanding::Look, DeviceCommand::NextLook));
        }
        if !self.looks.is_complete() {
            return None;
        }
        if self.fetches.may_ask() {
            return Some((Outstanding::Fetch, DeviceCommand::NextFetch));
        }
        if !self.fetches.is_complete() {
            return None;
        }
        if self.attachments.may_ask() {
            return Some((Outstanding::Attachment, DeviceCommand::NextAttachment));
        }
        if self.attachments.is_complete() && self.stage == Stage::Open && !self.begin_following() {
            self.outbound.push(DeviceMessage::Done.encode());
            self.tell_caught_up();
            self.stage = Stage::Finished;
        }
        None
    }

    fn tell_caught_up(&mut self) {
        if !std::mem::replace(&mut self.has_caught_up, true) {
            self.progress.push_back(Progress::CaughtUp);
        }
    }

    fn count_round(&mut self, round: u32) {
        self.round_trips = self.round_trips.max(round);
    }
}

/// The longest beginning of `text` that has at most `bytes_max` bytes.
fn shorten(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests;
