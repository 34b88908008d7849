//! A device's store, as small as it can be and still keep the contract of [`DeviceCommand`].

use std::collections::{BTreeMap, BTreeSet};

use super::super::checkpoint::Testimony;
use super::super::directory::DirectoryVersion;
use super::super::feed::{Cursor, Page};
use super::super::initiator::{
    ComparisonStep, DeviceAnswer, DeviceCommand, Opening, OutgoingAttachment, OutgoingBundle,
};
use super::super::reconciliation::Comparison;
use super::super::verdict::Verdict;
use super::{FakeEdit, seal_fake};
use crate::model::{AttachmentHash, BundleId, Directory, EditId, Timestamp, WardKey};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bundle {
    pub(super) id: BundleId,
    pub(super) sealed: Vec<u8>,
    pub(super) edits: Vec<FakeEdit>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) is_given: bool,
}

impl Bundle {
    fn is_final(&self) -> bool {
        !self.verdicts.is_empty()
            && !self
                .verdicts
                .iter()
                .any(|verdict| matches!(verdict, Verdict::Waiting { .. }))
    }
}

/// Everything that is durable on the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FakeDevice {
    pub(super) ward_key: WardKey,
    pub(super) cursor: Cursor,
    pub(super) directory: Option<(Directory, DirectoryVersion)>,
    pub(super) bundles: Vec<Bundle>,
    pub(super) edits: BTreeMap<EditId, Vec<u8>>,
    pub(super) pages: Vec<Page>,
    pub(super) returned: Option<usize>,
    pub(super) files: Vec<(AttachmentHash, Vec<u8>)>,
    pub(super) given_files: BTreeSet<AttachmentHash>,
    pub(super) confirmed: BTreeSet<AttachmentHash>,
    /// Files to see, and what came of them.
    pub(super) wanted: Vec<AttachmentHash>,
    pub(super) given_fetches: BTreeSet<AttachmentHash>,
    pub(super) fetched: std::collections::BTreeMap<AttachmentHash, Vec<u8>>,
    /// Cases to see, and those that the ward has not got.
    pub(super) looks: Vec<String>,
    pub(super) not_lent: Vec<String>,
    /// What to ask of the audit trail, and what was heard of it.
    pub(super) witness: Option<u64>,
    pub(super) witnessed: Vec<Testimony>,
    /// What the store says once of its digest: not the ward's.
    pub(super) is_differing: bool,
    pub(super) comparison: Option<Comparison>,
    pub(super) lacked_there: BTreeSet<EditId>,
    /// The names of the commands, in order.
    pub(super) log: Vec<&'static str>,
}

impl FakeDevice {
    pub(super) fn new(ward_key: WardKey) -> Self {
        Self {
            ward_key,
            cursor: Cursor::default(),
            directory: None,
            bundles: Vec::new(),
            edits: BTreeMap::new(),
            pages: Vec::new(),
            returned: None,
            files: Vec::new(),
            given_files: BTreeSet::new(),
            confirmed: BTreeSet::new(),
            wanted: Vec::new(),
            given_fetches: BTreeSet::new(),
            fetched: std::collections::BTreeMap::new(),
            looks: Vec::new(),
            not_lent: Vec::new(),
            witness: None,
            witnessed: Vec::new(),
            is_differing: false,
            comparison: None,
            lacked_there: BTreeSet::new(),
            log: Vec::new(),
        }
    }

    /// Records edits and seals them into one bundle.
    pub(super) fn record(&mut self, edits: &[FakeEdit]) {
        for edit in edits {
            self.edits.insert(edit.id(), edit.body());
        }
        let sealed = seal_fake(edits);
        self.bundles.push(Bundle {
            id: BundleId(blake3::hash(&sealed).into()),
            sealed,
            edits: edits.to_vec(),
            verdicts: Vec::new(),
            is_given: false,
        });
    }

    pub(super) fn attach(&mut self, bytes: Vec<u8>) -> AttachmentHash {
        let hash = AttachmentHash(blake3::hash(&bytes).into());
        self.files.push((hash, bytes));
        hash
    }

    pub(super) fn opening(&mut self) -> Opening {
        for bundle in &mut self.bundles {
            bundle.is_given = false;
        }
        self.given_files.clear();
        self.given_fetches.clear();
        self.log.clear();
        Opening {
            ward_key: self.ward_key,
            cursor: self.cursor.clone(),
            directory_version: self.directory.as_ref().map_or([0; 32], |known| known.1),
            device_time: Timestamp(1_772_413_200_000),
            app_version: "0.1.0".to_owned(),
            wanted: Vec::new(),
            witness: self.witness,
        }
    }

    pub(super) fn has_final_words(&self) -> bool {
        self.bundles.iter().all(Bundle::is_final)
    }

    pub(super) fn execute(&mut self, command: DeviceCommand) -> DeviceAnswer {
        match command {
            DeviceCommand::NextBundle => {
                self.log.push("next bundle");
                let next = self
                    .bundles
                    .iter_mut()
                    .find(|bundle| !bundle.is_given && !bundle.is_final());
                DeviceAnswer::Bundle(next.map(|bundle| {
                    bundle.is_given = true;
                    OutgoingBundle {
                        id: bundle.id,
                        sealed: bundle.sealed.clone(),
                        edits: bundle.edits.iter().map(FakeEdit::id).collect(),
                    }
                }))
            }
            DeviceCommand::RecordVerdicts { bundle, verdicts } => {
                self.log.push("verdicts");
                self.record_verdicts(bundle, verdicts);
                DeviceAnswer::Done
            }
            DeviceCommand::ApplyPage(page) => {
                self.log.push("page");
                self.apply(*page)
            }
            DeviceCommand::ApplyDirectory { directory, version } => {
                self.log.push("directory");
                self.directory = Some((*directory, version));
                DeviceAnswer::Done
            }
            DeviceCommand::BeginReturn => {
                self.log.push("begin return");
                self.begin_return();
                DeviceAnswer::Done
            }
            DeviceCommand::NextReturn => {
                self.log.push("next return");
                DeviceAnswer::Return(self.next_return().map(Box::new))
            }
            DeviceCommand::NextAttachment => {
                self.log.push("next attachment");
                let next = self.files.iter().find(|(hash, _)| {
                    !self.confirmed.contains(hash) && !self.given_files.contains(hash)
                });
                let next = next.cloned().map(|(hash, bytes)| {
                    self.given_files.insert(hash);
                    OutgoingAttachment { hash, bytes }
                });
                DeviceAnswer::Attachment(next)
            }
            DeviceCommand::ConfirmAttachment(hash) => {
                self.log.push("confirm attachment");
                self.confirmed.insert(hash);
                DeviceAnswer::Done
            }
            DeviceCommand::Settle { .. } => DeviceAnswer::Settled {
                is_agreed: !std::mem::take(&mut self.is_differing),
            },
            DeviceCommand::BeginComparison { is_restored } => {
                self.log.push("compare");
                assert!(!is_restored || self.returned.is_none());
                let proven = self.pages.iter().flat_map(|page| &page.proof.entries);
                let own = proven.map(|entry| entry.edit);
                self.comparison = Some(Comparison::new(
                    own.filter(|edit| self.edits.contains_key(edit)).collect(),
                ));
                self.next_step()
            }
            DeviceCommand::Compare(answers) => {
                let comparison = self.comparison.as_mut().expect("a comparison is under way");
                if comparison.hear(answers) {
                    return self.next_step();
                }
                self.comparison = None;
                self.lacked_there = self.edits.keys().copied().collect();
                DeviceAnswer::Comparison(ComparisonStep::Found {
                    missing: Vec::new(),
                    is_anything_lacked_there: true,
                })
            }
            DeviceCommand::KeepWitnessed(testimony) => {
                self.log.push("witnessed");
                self.witnessed.push(*testimony);
                DeviceAnswer::Done
            }
            DeviceCommand::NextLook => DeviceAnswer::Look(self.looks.pop()),
            DeviceCommand::KeepLent { words, lent } => {
                self.log.push("lent");
                match lent {
                    Some((_, page)) => self.apply(*page),
                    None => {
                        self.not_lent.push(words);
                        DeviceAnswer::PageApplied {
                            missing: Vec::new(),
                        }
                    }
                }
            }
            DeviceCommand::NextFetch => {
                let next = self
                    .wanted
                    .iter()
                    .find(|hash| !self.given_fetches.contains(hash));
                DeviceAnswer::Fetch(next.copied().map(|hash| {
                    self.given_fetches.insert(hash);
                    (hash, self.fetched.get(&hash).map_or(0, Vec::len))
                }))
            }
            DeviceCommand::KeepFetched {
                hash,
                size,
                offset,
                bytes,
            } => {
                let kept = self.fetched.entry(hash).or_default();
                assert_eq!(kept.len(), offset);
                kept.extend(bytes);
                if kept.len() == size {
                    self.wanted.retain(|wanted| *wanted != hash);
                }
                DeviceAnswer::Done
            }
            DeviceCommand::NoteKept { .. } => {
                self.log.push("kept");
                DeviceAnswer::Done
            }
            DeviceCommand::DoubtAttachments(lacked) => {
                self.log.push("doubt");
                for hash in lacked {
                    self.confirmed.remove(&hash);
                }
                DeviceAnswer::Done
            }
        }
    }

    /// The next page that names what the ward lacks.
    fn next_return(&mut self) -> Option<Page> {
        loop {
            let number = self.returned.unwrap_or(0);
            let page = self.pages.get(number)?;
            self.returned = Some(number + 1);
            let entries = page.proof.entries.iter();
            let bodies: Vec<_> = entries
                .map(|entry| {
                    let is_lacked = self.lacked_there.contains(&entry.edit);
                    self.edits.get(&entry.edit).filter(|_| is_lacked).cloned()
                })
                .collect();
            if bodies.iter().any(Option::is_some) {
                return Some(Page {
                    bodies,
                    cursor: None,
                    scope: Default::default(),
                    proof: page.proof.clone(),
                });
            }
        }
    }

    fn next_step(&mut self) -> DeviceAnswer {
        let questions = self.comparison.as_mut().map(Comparison::ask);
        DeviceAnswer::Comparison(match questions {
            Some(questions) if !questions.is_empty() => ComparisonStep::Ask(questions),
            _ => {
                let found = self.comparison.take().map(Comparison::finish);
                let found = found.unwrap_or_default();
                self.lacked_there = found.lacked_there.into_iter().collect();
                ComparisonStep::Found {
                    missing: found.lacked_here,
                    is_anything_lacked_there: !self.lacked_there.is_empty(),
                }
            }
        })
    }

    fn record_verdicts(&mut self, id: BundleId, verdicts: Vec<Verdict>) {
        let mut accepted = BTreeSet::new();
        for bundle in &mut self.bundles {
            if bundle.id == id {
                for (edit, verdict) in bundle.edits.iter().zip(&verdicts) {
                    if matches!(
                        verdict,
                        Verdict::Accepted { .. } | Verdict::Duplicate { .. }
                    ) {
                        accepted.insert(edit.id());
                    }
                }
                bundle.verdicts.clone_from(&verdicts);
            }
        }
        for bundle in &mut self.bundles {
            let waits_no_more = bundle.verdicts.iter().any(|verdict| {
                matches!(verdict, Verdict::Waiting { dependency } if accepted.contains(dependency))
            });
            if waits_no_more {
                bundle.is_given = false;
            }
        }
    }

    fn apply(&mut self, mut page: Page) -> DeviceAnswer {
        let mut missing = Vec::new();
        for (entry, body) in page.proof.entries.iter().zip(page.bodies.iter_mut()) {
            match body.take() {
                Some(body) => drop(self.edits.insert(entry.edit, body)),
                None if self.edits.contains_key(&entry.edit) => {}
                None => missing.push(entry.edit),
            }
        }
        for entry in &page.proof.entries {
            for bundle in &mut self.bundles {
                let waits_no_more = bundle.verdicts.iter().any(|verdict| {
                    matches!(verdict, Verdict::Waiting { dependency } if *dependency == entry.edit)
                });
                if waits_no_more {
                    bundle.is_given = false;
                }
            }
        }
        // Edits asked for by name have no cursor and say nothing of what lies between them.
        if let Some(cursor) = page.cursor.take() {
            self.cursor = cursor;
            self.find_lost(&page);
        }
        self.pages.push(page);
        DeviceAnswer::PageApplied { missing }
    }

    /// Whatever was accepted under a sequence that went by without it was lost by the ward.
    fn find_lost(&mut self, page: &Page) {
        let (after, up_to) = (page.proof.after, page.proof.up_to);
        let named: BTreeSet<EditId> = page.proof.entries.iter().map(|entry| entry.edit).collect();
        for bundle in &mut self.bundles {
            let is_lost = bundle.edits.iter().zip(&bundle.verdicts).any(|(edit, verdict)| {
                matches!(verdict, Verdict::Accepted { sequence } if *sequence > after && *sequence <= up_to)
                    && !named.contains(&edit.id())
            });
            if is_lost {
                bundle.verdicts.clear();
                bundle.is_given = false;
            }
        }
    }

    fn begin_return(&mut self) {
        self.returned = None;
        self.given_files.clear();
        let proven: BTreeSet<EditId> = self
            .pages
            .iter()
            .flat_map(|page| page.proof.entries.iter().map(|entry| entry.edit))
            .collect();
        for bundle in &mut self.bundles {
            bundle.is_given = false;
            if !bundle.edits.iter().all(|edit| proven.contains(&edit.id())) {
                bundle.verdicts.clear();
            }
        }
    }

    /// The edits that this device wrote.
    pub(super) fn own(&self) -> BTreeSet<EditId> {
        let own = self.bundles.iter().flat_map(|bundle| &bundle.edits);
        own.map(FakeEdit::id).collect()
    }
}
