//! What was promised to people: every call that returned, and what must come of it.

use std::collections::BTreeMap;

use gandan_core::model::AttachmentHash;
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
}

/// Everything acknowledged so far.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// By case.
    pub cases: BTreeMap<Uuid, PromisedCase>,
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

    /// A household was counted.
    pub fn counted(&mut self, case: Uuid, by: i64) {
        self.promise(case).households += by;
    }

    /// The promise for a case that was recorded.
    pub fn promise(&mut self, case: Uuid) -> &mut PromisedCase {
        self.cases.entry(case).or_default()
    }
}
