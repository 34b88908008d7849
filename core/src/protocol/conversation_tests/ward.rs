//! A ward's store, as small as it can be and still keep the contract of [`WardCommand`].

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;

use super::super::checkpoint::{Checkpoint, Testimony};
use super::super::directory;
use super::super::feed::{self, Cursor, CursorFields, FeedEntry, Page, PageProof, Salt};
use super::super::file_tree::FileTree;
use super::super::limits::{ATTACHMENT_PART_BYTES, LISTED_EDITS_MAX};
use super::super::message::{FileWord, Refusal};
use super::super::reconciliation;
use super::super::responder::{WardAnswer, WardCommand};
use super::super::verdict::Verdict;
use super::{FakeEdit, open_fake};
use crate::model::{
    AttachmentHash, ChainHash, DeviceId, Directory, EditId, Epoch, OfficerId, Timestamp, WardKey,
};
use crate::policy::RejectionCode;
use uuid::Uuid;

/// The device that speaks in these tests.
pub(super) const DEVICE: DeviceId = DeviceId([1; 32]);
/// Another device, whose edits come down.
pub(super) const COLLEAGUE: DeviceId = DeviceId([2; 32]);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Admitted {
    entry: FeedEntry,
    chain: ChainHash,
    body: Vec<u8>,
}

/// Everything that is durable at the ward.
#[derive(Debug, Clone)]
pub(super) struct FakeWard {
    key: SigningKey,
    epoch: Epoch,
    feed: Vec<Admitted>,
    /// A wound in the feed: these bodies are not sent although the device has not got them.
    pub(super) left_out: Vec<EditId>,
    /// In the feed and nowhere else.
    lost: BTreeSet<EditId>,
    /// Gives nothing that is asked for by name.
    pub(super) is_silent_about_edits: bool,
    pub(super) files: BTreeMap<AttachmentHash, Vec<u8>>,
    /// What came of files that are not here whole.
    pub(super) parts: BTreeMap<AttachmentHash, Vec<u8>>,
    /// What is answered to an offer of these.
    pub(super) file_words: BTreeMap<AttachmentHash, FileWord>,
    pub(super) lacked: Vec<AttachmentHash>,
    pub(super) directory: Directory,
    /// How many entries a page covers.
    pub(super) page_entries: usize,
    /// What is answered instead of a bundle's verdicts.
    pub(super) refusal: Option<Refusal>,
    pub(super) refusal_at_greeting: Option<Refusal>,
    /// What may be lent, by what is typed: its newest edits.
    pub(super) loans: BTreeMap<String, (Uuid, Vec<EditId>)>,
    /// The names of the commands, in order.
    pub(super) log: Vec<&'static str>,
}

impl FakeWard {
    pub(super) fn new() -> Self {
        Self {
            key: SigningKey::from_bytes(&[7; 32]),
            epoch: Epoch([1; 16]),
            feed: Vec::new(),
            left_out: Vec::new(),
            lost: BTreeSet::new(),
            is_silent_about_edits: false,
            files: BTreeMap::new(),
            parts: BTreeMap::new(),
            file_words: BTreeMap::new(),
            lacked: Vec::new(),
            directory: Directory {
                ward: "26995".parse().unwrap(),
                ward_name: "Phường Tân Hòa".to_owned(),
                province: "Thành phố Hồ Chí Minh".to_owned(),
                old_wards: Vec::new(),
                areas: Vec::new(),
                officers: Vec::new(),
                divisions: Vec::new(),
                categories: Vec::new(),
            },
            page_entries: 1_000,
            refusal: None,
            refusal_at_greeting: None,
            loans: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    pub(super) fn ward_key(&self) -> WardKey {
        WardKey(self.key.verifying_key().to_bytes())
    }

    /// Whether an edit is in the feed, however the feed was restored meanwhile.
    pub(super) fn has(&self, edit: EditId) -> bool {
        self.sequence_of(edit).is_some() && !self.lost.contains(&edit)
    }

    /// Loses an edit in the middle, which no cursor shows.
    pub(super) fn lose(&mut self, edit: EditId) {
        self.lost.insert(edit);
    }

    pub(super) fn edits(&self) -> Vec<EditId> {
        self.feed
            .iter()
            .map(|admitted| admitted.entry.edit)
            .collect()
    }

    /// Admits an edit of a colleague.
    pub(super) fn admit_from_colleague(&mut self, edit: &FakeEdit) {
        self.append(edit, COLLEAGUE);
    }

    /// Forgets everything after the first `kept` entries, as a backup of last night does.
    pub(super) fn restore(&mut self, kept: usize) {
        self.feed.truncate(kept);
    }

    pub(super) fn execute(&mut self, command: WardCommand) -> WardAnswer {
        match command {
            WardCommand::Greet { cursor, .. } => {
                self.log.push("greet");
                if let Some(refusal) = self.refusal_at_greeting {
                    return WardAnswer::Refused(refusal);
                }
                let is_cursor_known = self.knows(&cursor);
                if !is_cursor_known {
                    self.epoch = Epoch([2; 16]);
                }
                WardAnswer::Greeted {
                    ward_time: Timestamp(1_772_413_260_000),
                    directory_version: directory::version(&self.directory),
                    is_cursor_known,
                    lacked: std::mem::take(&mut self.lacked),
                }
            }
            WardCommand::Admit(sealed) => {
                self.log.push("admit");
                match self.refusal {
                    Some(refusal) => WardAnswer::Refused(refusal),
                    None => WardAnswer::Verdicts(self.admit(&sealed)),
                }
            }
            WardCommand::TakeBack(page) => {
                self.log.push("take back");
                self.take_back(*page);
                WardAnswer::Done
            }
            WardCommand::ReadFeed(cursor) => {
                self.log.push("read feed");
                WardAnswer::Page(self.read_feed(&cursor).map(Box::new))
            }
            WardCommand::ReadEdits(edits) => {
                self.log.push("read edits");
                let page = self
                    .read_edits(&edits)
                    .filter(|_| !self.is_silent_about_edits);
                WardAnswer::Page(page.map(Box::new))
            }
            WardCommand::Look(words) => {
                self.log.push("look");
                let lent = self.loans.get(&words);
                WardAnswer::Lent(
                    lent.and_then(|(case, edits)| Some((*case, Box::new(self.read_edits(edits)?)))),
                )
            }
            WardCommand::Witness(number) => {
                self.log.push("witness");
                let unsigned = Checkpoint {
                    ward: "26995".parse().unwrap(),
                    epoch: Epoch([1; 16]),
                    number: 7,
                    chain: [7; 32],
                    feed_sequence: 0,
                    feed_chain: ChainHash([0; 32]),
                    at: Timestamp(1),
                    signature: [0; 64],
                };
                WardAnswer::Witnessed(Box::new(Testimony {
                    checkpoint: Checkpoint::sign(&self.key, unsigned),
                    then: (number <= 7).then_some([number as u8; 32]),
                }))
            }
            WardCommand::Compare(questions) => {
                self.log.push("compare");
                let mut room = LISTED_EDITS_MAX;
                let answers = questions.iter().map(|question| {
                    let (first, last) = question.prefix.bounds();
                    let mut edits = self.edits();
                    edits.retain(|edit| (first..=last).contains(edit) && self.has(*edit));
                    edits.sort_unstable();
                    reconciliation::answer(question, edits, &mut room)
                });
                WardAnswer::Compared(answers.collect())
            }
            WardCommand::ReadDirectory => {
                self.log.push("read directory");
                WardAnswer::Directory(Box::new(self.directory.clone()))
            }
            WardCommand::ReadAttachment(hash) => {
                let tree = self.files.get(&hash).map(|bytes| FileTree::of(bytes));
                WardAnswer::AttachmentTree(tree)
            }
            WardCommand::ReadPart { hash, offset } => {
                let file = self.files.get(&hash).map_or(&[][..], Vec::as_slice);
                let end = file.len().min(offset + ATTACHMENT_PART_BYTES);
                WardAnswer::AttachmentPart(file.get(offset..end).map(<[u8]>::to_vec))
            }
            WardCommand::FindAttachment { hash, .. } => {
                self.log.push("find attachment");
                if let Some(word) = self.file_words.get(&hash) {
                    return WardAnswer::AttachmentWord(*word);
                }
                if self.files.contains_key(&hash) {
                    return WardAnswer::AttachmentWord(FileWord::Stored);
                }
                WardAnswer::AttachmentKept(self.parts.get(&hash).map_or(0, Vec::len))
            }
            WardCommand::KeepPart {
                hash,
                size,
                offset,
                bytes,
            } => {
                self.log.push("keep part");
                let kept = self.parts.entry(hash).or_default();
                assert_eq!(kept.len(), offset);
                kept.extend(bytes);
                if kept.len() < size {
                    return WardAnswer::AttachmentKept(kept.len());
                }
                let whole = self.parts.remove(&hash).unwrap_or_default();
                assert_eq!(*blake3::hash(&whole).as_bytes(), hash.0);
                self.files.insert(hash, whole);
                WardAnswer::AttachmentWord(FileWord::Stored)
            }
        }
    }

    fn knows(&self, cursor: &Cursor) -> bool {
        let Some(fields) = CursorFields::from_cursor(cursor) else {
            return cursor.is_empty();
        };
        fields.epoch == self.epoch && self.chain_at(fields.sequence) == Some(fields.chain)
    }

    fn admit(&mut self, sealed: &[u8]) -> Vec<Verdict> {
        let edits = open_fake(sealed);
        edits.iter().map(|edit| self.admit_edit(edit)).collect()
    }

    fn admit_edit(&mut self, edit: &FakeEdit) -> Verdict {
        if let Some(sequence) = self.sequence_of(edit.id()) {
            return Verdict::Duplicate { sequence };
        }
        if let Some(dependency) = edit.dependency
            && !self.has(dependency)
        {
            return Verdict::Waiting { dependency };
        }
        if edit.text.contains("forbidden") {
            return Verdict::Rejected {
                code: RejectionCode::FieldNotAllowed,
            };
        }
        Verdict::Accepted {
            sequence: self.append(edit, DEVICE),
        }
    }

    fn append(&mut self, edit: &FakeEdit, device: DeviceId) -> u64 {
        let sequence = self.feed.len() as u64 + 1;
        let entry = FeedEntry {
            sequence,
            edit: edit.id(),
            author: OfficerId(uuid::Uuid::from_u128(device.0[0].into())),
            device,
            received_at: Timestamp(1_772_413_260_000),
            salt: Salt::Shared([7; 16]),
        };
        self.push(entry, edit.body());
        sequence
    }

    fn push(&mut self, entry: FeedEntry, body: Vec<u8>) {
        let previous = self
            .feed
            .last()
            .map_or(ChainHash([0; 32]), |last| last.chain);
        self.feed.push(Admitted {
            chain: entry.extend(previous),
            entry,
            body,
        });
    }

    fn take_back(&mut self, page: Page) {
        if !feed::verify_proof(self.ward_key(), &page.proof) {
            return;
        }
        for (entry, body) in page.proof.entries.into_iter().zip(page.bodies) {
            if body.is_some() && self.lost.remove(&entry.edit) {
                continue;
            }
            if let Some(body) = body
                && !self.has(entry.edit)
            {
                let sequence = self.feed.len() as u64 + 1;
                self.push(FeedEntry { sequence, ..entry }, body);
            }
        }
    }

    fn read_feed(&self, cursor: &Cursor) -> Option<Page> {
        let after = CursorFields::from_cursor(cursor).map_or(0, |fields| fields.sequence);
        let entries: Vec<&Admitted> = self
            .feed
            .iter()
            .skip(after as usize)
            .take(self.page_entries)
            .collect();
        let last = entries.last()?;
        let up_to = last.entry.sequence;
        let cursor = CursorFields {
            epoch: self.epoch,
            sequence: up_to,
            chain: last.chain,
            scope_version: 1,
            is_whole: false,
            step: None,
            filled: 0,
        };
        Some(self.page(after, up_to, last.chain, &entries, Some(cursor.to_cursor())))
    }

    fn read_edits(&self, edits: &[EditId]) -> Option<Page> {
        let mut entries: Vec<&Admitted> = self
            .feed
            .iter()
            .filter(|admitted| edits.contains(&admitted.entry.edit))
            .collect();
        entries.truncate(self.page_entries);
        let last = entries.last()?;
        let mut page = self.page(0, last.entry.sequence, last.chain, &entries, None);
        for (body, admitted) in page.bodies.iter_mut().zip(&entries) {
            *body = Some(admitted.body.clone());
        }
        Some(page)
    }

    fn page(
        &self,
        after: u64,
        up_to: u64,
        chain: ChainHash,
        entries: &[&Admitted],
        cursor: Option<Cursor>,
    ) -> Page {
        let proof = PageProof {
            ward: self.directory.ward,
            epoch: self.epoch,
            after,
            up_to,
            chain,
            entries: entries
                .iter()
                .map(|admitted| admitted.entry.clone())
                .collect(),
            signature: [0; 64],
        };
        let bodies = entries.iter().map(|admitted| {
            let is_there =
                admitted.entry.device == DEVICE || self.left_out.contains(&admitted.entry.edit);
            (!is_there).then(|| admitted.body.clone())
        });
        Page {
            bodies: bodies.collect(),
            proof: feed::sign(&self.key, proof),
            cursor,
            scope: feed::ScopeDelta::default(),
        }
    }

    fn sequence_of(&self, edit: EditId) -> Option<u64> {
        let admitted = self
            .feed
            .iter()
            .find(|admitted| admitted.entry.edit == edit)?;
        Some(admitted.entry.sequence)
    }

    fn chain_at(&self, sequence: u64) -> Option<ChainHash> {
        let index = usize::try_from(sequence.checked_sub(1)?).ok()?;
        Some(self.feed.get(index)?.chain)
    }
}
