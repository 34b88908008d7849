//! The ward's side of a conversation. Who the device is was settled by TLS; what it may do is
//! asked of the ward's store at every step. Everything is answered in the order in which it was said.

mod accepted;
mod contract;
mod following;
mod receive;

use std::collections::VecDeque;

use accepted::Accepted;
pub use contract::{WardAnswer, WardCommand};
use following::Following;
use receive::InFlight;

use super::agreement::HeldDigest;
use super::directory::{self, DirectoryVersion};
use super::feed::{Cursor, Page, ScopeDelta};
use super::file_tree::FileTree;
use super::frame::FrameDecoder;
use super::limits;
use super::message::{DeviceMessage, FileWord, Hello, Loan, MinorVersions, Refusal, WardMessage};
use super::outbound::Outbound;
use super::reconciliation::Question;
use super::violation::Violation;
use crate::model::{AttachmentHash, BundleId, Directory, EditId, Timestamp};
use uuid::Uuid;

/// What the machine waits for the ward to answer.
#[derive(Debug)]
enum Outstanding {
    Greet(Box<Hello>),
    Admit(BundleId),
    TakeBack,
    ReadFeed,
    ReadEdits,
    Compare,
    ReadDirectory,
    Find(FileTree),
    Fetch(AttachmentHash),
    FetchPart { offset: usize },
    Look,
    Witness,
    Keep { hash: AttachmentHash, bytes: usize },
}

/// What the device said and the ward has not heard yet.
#[derive(Debug)]
enum Item {
    Bundle(Vec<u8>),
    Return(Box<Page>),
    Pull {
        window: usize,
    },
    Follow {
        window: usize,
    },
    Want(Vec<EditId>),
    Compare(Vec<Question>),
    Offer(FileTree),
    Fetch(AttachmentHash),
    FetchPart {
        hash: AttachmentHash,
        offset: usize,
    },
    Part {
        hash: AttachmentHash,
        size: usize,
        offset: usize,
        bytes: Vec<u8>,
    },
    Look(String),
    Witness(u64),
    Done,
}

/// A file of which the ward has asked for bytes.
#[derive(Debug)]
struct NeededFile {
    tree: FileTree,
    /// How many bytes from the start came, now or in an earlier conversation.
    received: usize,
}

/// How far the conversation is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// Waits for the greeting.
    Silent,
    /// The greeting came.
    Greeted(Box<Hello>),
    /// The device may speak.
    Open,
    /// What the device says counts as not said until it gives back.
    Restored,
    /// Refused, or everything was said.
    Over,
    /// The device broke the protocol.
    Broken,
}

/// The ward's state machine for one conversation.
#[derive(Debug)]
pub struct Responder {
    versions: MinorVersions,
    decoder: FrameDecoder,
    outbound: Outbound,
    queue: VecDeque<Item>,
    outstanding: Option<Outstanding>,
    stage: Stage,
    minor: u16,
    in_flight: InFlight,
    is_directory_due: bool,
    /// Of the reference data that the device has, or was sent.
    directory_version: DirectoryVersion,
    /// Where the device's reading of the feed stands.
    position: Cursor,
    /// What the device was told of its own edits and has not read in the feed.
    accepted: Accepted,
    /// How many pages may be ahead of what the device has stored; `None` while it does not ask.
    window: Option<usize>,
    /// How many pages are ahead.
    pages_ahead: usize,
    /// Whether the device was told that nothing follows in the feed.
    has_caught_up: bool,
    /// Of a device that stays.
    following: Option<Following>,
    needed_files: VecDeque<NeededFile>,
}

impl Default for Responder {
    fn default() -> Self {
        Self::new()
    }
}

impl Responder {
    /// Waits for the greeting.
    #[must_use]
    pub fn new() -> Self {
        Self::with_versions(MinorVersions::OURS)
    }

    /// As a ward that speaks other versions would.
    pub(super) fn with_versions(versions: MinorVersions) -> Self {
        Self {
            versions,
            decoder: FrameDecoder::new(DeviceMessage::payload_limit),
            outbound: Outbound::default(),
            queue: VecDeque::new(),
            outstanding: None,
            stage: Stage::Silent,
            minor: versions.newest,
            in_flight: InFlight::default(),
            is_directory_due: false,
            directory_version: DirectoryVersion::default(),
            position: Cursor::default(),
            accepted: Accepted::default(),
            window: None,
            pages_ahead: 0,
            has_caught_up: false,
            following: None,
            needed_files: VecDeque::new(),
        }
    }

    /// Takes bytes from the device, in any portions. The caller stops reading while
    /// [`Responder::is_busy`], so that a fast device cannot fill memory. A caller that does not is
    /// still bounded by what may be in flight of each kind.
    ///
    /// # Errors
    /// Close the connection with [`Violation::wire_code`].
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let result = self.receive(bytes);
        if result.is_err() {
            self.stage = Stage::Broken;
            self.stop();
        }
        result
    }

    /// Takes the ward's answer to the last command.
    ///
    /// # Panics
    /// If it is not an answer to it: a bug of the caller, who alone sees both.
    pub fn handle_answer(&mut self, answer: WardAnswer) {
        let asked = self.outstanding.take();
        match (asked, answer) {
            (Some(_), _) if self.stage == Stage::Broken => {}
            (Some(_), WardAnswer::Refused(refusal)) => self.refuse(refusal),
            (
                Some(Outstanding::Greet(hello)),
                WardAnswer::Greeted {
                    ward_time,
                    directory_version,
                    is_cursor_known,
                    lacked,
                },
            ) => self.welcome(
                *hello,
                ward_time,
                directory_version,
                is_cursor_known,
                lacked,
            ),
            (Some(Outstanding::Admit(bundle)), WardAnswer::Verdicts(verdicts)) => {
                self.in_flight.bundles -= 1;
                self.accepted.note(&verdicts);
                self.say(&WardMessage::Verdicts { bundle, verdicts });
            }
            (Some(Outstanding::TakeBack), WardAnswer::Done) => {
                self.in_flight.returns -= 1;
                self.say(&WardMessage::Returned);
            }
            (Some(Outstanding::ReadFeed), WardAnswer::CaughtUp(held)) => self.say_page(None, held),
            // A page that does not move on would be read for ever; no device holds what has this digest.
            (Some(Outstanding::ReadFeed), WardAnswer::Page(page)) => {
                self.say_page(page, HeldDigest::default());
            }
            (Some(Outstanding::ReadEdits), WardAnswer::Page(page)) => {
                self.in_flight.wants -= 1;
                if let Some(sealed) = self.seal(page) {
                    self.say(&WardMessage::Edits(sealed));
                }
            }
            (Some(Outstanding::Compare), WardAnswer::Compared(answers)) => {
                self.in_flight.compares -= 1;
                self.say(&WardMessage::Compared(answers));
            }
            (Some(Outstanding::ReadDirectory), WardAnswer::Directory(directory)) => {
                self.say_directory(&directory);
            }
            (Some(Outstanding::Fetch(hash)), WardAnswer::AttachmentTree(tree)) => {
                self.in_flight.fetches -= 1;
                self.say(&WardMessage::Found {
                    hash,
                    size: tree.as_ref().map_or(0, FileTree::size),
                    parts: tree.map_or(Vec::new(), |tree| tree.parts().to_vec()),
                });
            }
            (Some(Outstanding::Look), WardAnswer::Lent(lent)) => {
                self.in_flight.looks -= 1;
                self.say_lent(lent);
            }
            (Some(Outstanding::Witness), WardAnswer::Witnessed(testimony)) => {
                self.say(&WardMessage::Witnessed(*testimony));
            }
            (Some(Outstanding::FetchPart { offset }), WardAnswer::AttachmentPart(part)) => {
                self.in_flight.parts -= 1;
                match part {
                    Some(bytes) => self.say(&WardMessage::Part { offset, bytes }),
                    // It was there a moment ago: the device comes again and hears what is so.
                    None => self.refuse(Refusal::Unavailable),
                }
            }
            (Some(Outstanding::Find(tree)), WardAnswer::AttachmentKept(from)) => {
                let hash = tree.hash();
                self.needed_files.push_back(NeededFile {
                    tree,
                    received: from,
                });
                self.say(&WardMessage::Need { hash, from });
            }
            (Some(Outstanding::Find(tree)), WardAnswer::AttachmentWord(word)) => {
                self.say_stored(tree.hash(), word);
            }
            (Some(Outstanding::Keep { hash, bytes }), WardAnswer::AttachmentKept(up_to)) => {
                self.in_flight.file_bytes -= bytes;
                self.say(&WardMessage::Kept { hash, up_to });
            }
            (Some(Outstanding::Keep { hash, bytes }), WardAnswer::AttachmentWord(word)) => {
                self.in_flight.file_bytes -= bytes;
                self.say_stored(hash, word);
            }
            (asked, _) => panic!("the ward answers something else than was asked: {asked:?}"),
        }
    }

    /// What the ward should do next, if it is not busy. Nothing while a slow device has not taken
    /// what was answered before.
    pub fn poll_command(&mut self) -> Option<WardCommand> {
        if self.outstanding.is_some() || self.outbound.bytes() > limits::OUTBOUND_BYTES_MAX {
            return None;
        }
        let (outstanding, command) = self.next_command()?;
        self.outstanding = Some(outstanding);
        Some(command)
    }

    /// Bytes for the device, if there are any now.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        if self.stage == Stage::Broken {
            return None;
        }
        self.outbound.pop()
    }

    /// Whether messages wait for the ward's answer, or answers for the device.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.outstanding.is_some()
            || !self.queue.is_empty()
            || matches!(self.stage, Stage::Greeted(_))
            || self.outbound.bytes() > limits::OUTBOUND_BYTES_MAX
    }

    /// Whether both sides have said everything, or the ward has refused and said so.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.stage == Stage::Over && self.outstanding.is_none() && self.outbound.is_empty()
    }

    fn next_command(&mut self) -> Option<(Outstanding, WardCommand)> {
        match std::mem::replace(&mut self.stage, Stage::Silent) {
            Stage::Greeted(hello) => {
                let command = WardCommand::Greet {
                    cursor: hello.cursor.clone(),
                    device_time: hello.device_time,
                    app_version: hello.app_version.clone(),
                };
                return Some((Outstanding::Greet(hello), command));
            }
            other => self.stage = other,
        }
        if std::mem::take(&mut self.is_directory_due) {
            return Some((Outstanding::ReadDirectory, WardCommand::ReadDirectory));
        }
        while let Some(item) = self.queue.pop_front() {
            if let Some(next) = self.next_of(item) {
                return Some(next);
            }
        }
        if self.is_following() {
            return self.next_followed();
        }
        let window = self.window?;
        (self.pages_ahead < window).then(|| self.read_feed())
    }

    fn read_feed(&self) -> (Outstanding, WardCommand) {
        let command = WardCommand::ReadFeed(self.position.clone());
        (Outstanding::ReadFeed, command)
    }

    fn next_of(&mut self, item: Item) -> Option<(Outstanding, WardCommand)> {
        match item {
            Item::Bundle(sealed) => {
                let bundle = BundleId(blake3::hash(&sealed).into());
                Some((Outstanding::Admit(bundle), WardCommand::Admit(sealed)))
            }
            Item::Return(page) => Some((Outstanding::TakeBack, WardCommand::TakeBack(page))),
            Item::Compare(questions) => {
                Some((Outstanding::Compare, WardCommand::Compare(questions)))
            }
            Item::Want(edits) => Some((Outstanding::ReadEdits, WardCommand::ReadEdits(edits))),
            Item::Fetch(hash) => {
                Some((Outstanding::Fetch(hash), WardCommand::ReadAttachment(hash)))
            }
            Item::Witness(number) => Some((Outstanding::Witness, WardCommand::Witness(number))),
            Item::Look(words) => Some((Outstanding::Look, WardCommand::Look(words))),
            Item::FetchPart { hash, offset } => Some((
                Outstanding::FetchPart { offset },
                WardCommand::ReadPart { hash, offset },
            )),
            Item::Offer(tree) => {
                let (hash, size) = (tree.hash(), tree.size());
                let command = WardCommand::FindAttachment { hash, size };
                Some((Outstanding::Find(tree), command))
            }
            Item::Part {
                hash,
                size,
                offset,
                bytes,
            } => {
                let outstanding = Outstanding::Keep {
                    hash,
                    bytes: bytes.len(),
                };
                let command = WardCommand::KeepPart {
                    hash,
                    size,
                    offset,
                    bytes,
                };
                Some((outstanding, command))
            }
            Item::Pull { window } => {
                self.begin_pull(window);
                None
            }
            Item::Follow { window } => {
                self.begin_following(window);
                None
            }
            Item::Done => {
                self.window = None;
                self.following = None;
                self.stage = Stage::Over;
                None
            }
        }
    }

    fn welcome(
        &mut self,
        hello: Hello,
        ward_time: Timestamp,
        directory_version: DirectoryVersion,
        is_cursor_known: bool,
        lacked: Vec<AttachmentHash>,
    ) {
        let is_cursor_known = is_cursor_known || hello.cursor.is_empty();
        self.say(&WardMessage::Welcome {
            minor: self.minor,
            ward_time,
            is_cursor_known,
            lacked,
        });
        self.is_directory_due = hello.directory_version != Some(directory_version);
        self.directory_version = directory_version;
        if is_cursor_known {
            self.position = hello.cursor;
            self.stage = Stage::Open;
        } else {
            self.stage = Stage::Restored;
            self.forget_what_was_said();
        }
    }

    fn say_page(&mut self, page: Option<Box<Page>>, held: HeldDigest) {
        if self.is_following() {
            self.say_followed(page, held);
            return;
        }
        let next = page.as_ref().and_then(|page| page.cursor.clone());
        match next.filter(|next| *next != self.position) {
            Some(next) => {
                if let Some(Some(sealed)) = self.seal(page) {
                    self.position = next;
                    self.pages_ahead += 1;
                    self.say(&WardMessage::Page(sealed));
                }
            }
            None => {
                self.window = None;
                self.has_caught_up = true;
                self.say(&WardMessage::CaughtUp { held });
            }
        }
    }

    /// The bytes of a page; a page that no device would take ends the conversation instead.
    fn seal(&mut self, page: Option<Box<Page>>) -> Option<Option<Vec<u8>>> {
        let sealed = page.map(|page| {
            let sealed = page.seal_for(|sequence| self.accepted.contains(sequence));
            if page.cursor.is_some() {
                self.accepted.forget(page.proof.up_to);
            }
            sealed
        });
        if sealed
            .as_ref()
            .is_some_and(|sealed| sealed.len() > limits::PAGE_BYTES_MAX)
        {
            tracing::error!("a page is over its limit");
            self.refuse(Refusal::Unavailable);
            return None;
        }
        Some(sealed)
    }

    fn say_lent(&mut self, lent: Option<(Uuid, Box<Page>)>) {
        let Some((case, page)) = lent else {
            return self.say(&WardMessage::Lent(None));
        };
        if let Some(Some(page)) = self.seal(Some(page)) {
            self.say(&WardMessage::Lent(Some(Loan { case, page })));
        }
    }

    fn say_directory(&mut self, directory: &Directory) {
        let version = directory::version(directory);
        let is_told = std::mem::replace(&mut self.directory_version, version) == version;
        if self.is_following() && is_told {
            return;
        }
        match directory::seal(directory) {
            Ok(sealed) => {
                // To a device that stays it is a page like others: taken, and within the window.
                self.pages_ahead += usize::from(self.is_following());
                self.say(&WardMessage::Directory(sealed));
            }
            // Records matter more: the device goes on with the directory that it has.
            Err(error) => tracing::error!(%error, "the directory is not sent"),
        }
    }

    fn say_stored(&mut self, hash: AttachmentHash, word: FileWord) {
        self.in_flight.files -= 1;
        self.say(&WardMessage::Stored { hash, word });
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.say(&WardMessage::Refuse(refusal));
        self.stage = Stage::Over;
        self.stop();
    }

    /// Nothing more is asked of the ward.
    fn stop(&mut self) {
        self.queue.clear();
        self.needed_files.clear();
        self.window = None;
        self.following = None;
        self.is_directory_due = false;
    }

    fn say(&mut self, message: &WardMessage) {
        self.outbound.push(message.encode());
    }
}

#[cfg(test)]
mod tests;
