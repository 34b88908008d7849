//! What was promised to people: every call that returned, and what must come of it.

use std::collections::{BTreeMap, BTreeSet};

use gandan_core::model::{AttachmentHash, DocumentId};
use uuid::Uuid;

/// A case that a record call acknowledged.
#[derive(Debug, Clone, Default)]
pub struct PromisedCase {
    /// The words that were recorded.
    pub text: String,
    /// Notes that a call acknowledged, each with words of its own.
    pub notes: Vec<String>,
    /// Households counted by phones, the first one not included.
    pub households: i64,
    /// Files that a call attached, each with its bytes.
    pub files: BTreeMap<AttachmentHash, Vec<u8>>,
    /// Households whose call failed with the disk: counted or not, nobody was told.
    pub possible_households: i64,
    /// Files whose call failed in the same way.
    pub possible_files: BTreeMap<AttachmentHash, Vec<u8>>,
    /// Whether it was recorded on a phone that had been reported lost: never to be seen by others.
    pub is_of_lost_phone: bool,
}

impl PromisedCase {
    /// The bytes of a file that was attached, or may have been.
    #[must_use]
    pub fn file(&self, hash: AttachmentHash) -> Option<&Vec<u8>> {
        self.files
            .get(&hash)
            .or_else(|| self.possible_files.get(&hash))
    }
}

/// Everything acknowledged so far.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// By case.
    pub cases: BTreeMap<Uuid, PromisedCase>,
    /// What had to be forgotten since.
    pub purged: BTreeSet<DocumentId>,
    /// How many notes.
    pub note_count: usize,
    /// How many files, and how many bytes the different ones have together.
    pub file_count: usize,
    /// Of each file once.
    pub file_bytes: BTreeMap<AttachmentHash, usize>,
}

impl Ledger {
    /// A record call returned.
    pub fn recorded(&mut self, case: Uuid, text: &str) {
        self.cases.insert(
            case,
            PromisedCase {
                text: text.to_owned(),
                ..PromisedCase::default()
            },
        );
    }

    /// Whether a case had to be forgotten.
    #[must_use]
    pub fn is_purged(&self, case: Uuid) -> bool {
        self.purged.contains(&DocumentId::case(case))
    }

    /// Every case that did not have to be forgotten.
    pub fn kept(&self) -> impl Iterator<Item = (&Uuid, &PromisedCase)> {
        self.cases.iter().filter(|(id, _)| !self.is_purged(**id))
    }

    /// A note call returned.
    pub fn noted(&mut self, case: Uuid, words: &str) {
        self.note_count += 1;
        self.promise(case).notes.push(words.to_owned());
    }

    /// A file was attached.
    pub fn attached(&mut self, case: Uuid, hash: AttachmentHash, bytes: Vec<u8>) {
        self.file_count += 1;
        self.file_bytes.insert(hash, bytes.len());
        self.promise(case).files.insert(hash, bytes);
    }

    /// A call to attach a file failed with the disk.
    pub fn maybe_attached(&mut self, case: Uuid, hash: AttachmentHash, bytes: Vec<u8>) {
        self.promise(case).possible_files.insert(hash, bytes);
    }

    /// A call to count a household failed with the disk.
    pub fn maybe_counted(&mut self, case: Uuid, by: i64) {
        self.promise(case).possible_households += by;
    }

    /// A household was counted.
    pub fn counted(&mut self, case: Uuid, by: i64) {
        self.promise(case).households += by;
    }

    /// The promise for a case that was recorded.
    pub fn promise(&mut self, case: Uuid) -> &mut PromisedCase {
        self.cases.entry(case).or_default()
    }
}
