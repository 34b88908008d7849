//! A ward that says what a test wants it to say.

use super::*;
use crate::edit::EncodedEdit;
use crate::model::BundleId;
use crate::model::{ChainHash, EditId, Epoch};
use crate::protocol::bundle::{self, OpenedBundle};
use crate::protocol::feed::{self, Cursor, FeedEntry, Page, PageProof, Salt};
use crate::protocol::initiator::{ComparisonStep, DeviceAnswer, DeviceCommand};
use crate::protocol::limits::LISTED_EDITS_MAX;
use crate::protocol::reconciliation;
use crate::protocol::verdict::Verdict;

/// The ward's feed, from sequence 1.
pub(super) struct TestWard {
    pub(super) feed: Vec<Admitted>,
    epoch: u8,
}

#[derive(Clone)]
pub(super) struct Admitted {
    pub(super) id: EditId,
    pub(super) bytes: Vec<u8>,
    author: OfficerId,
    device: DeviceId,
}

impl TestWard {
    pub(super) fn new() -> Self {
        Self {
            feed: Vec::new(),
            epoch: 1,
        }
    }

    /// Hears all bundles of a phone and accepts every edit; the phone records the verdicts.
    pub(super) fn hear(&mut self, phone: &Replica) {
        while let Some((id, sealed)) = next_bundle(phone) {
            let verdicts = self.admit(phone, &opened(&sealed));
            record(phone, id, verdicts);
        }
    }

    pub(super) fn admit(&mut self, phone: &Replica, bundle: &OpenedBundle) -> Vec<Verdict> {
        let edits: Vec<EncodedEdit> = edits(bundle);
        edits
            .iter()
            .map(|edit| self.admit_edit(phone, edit))
            .collect()
    }

    pub(super) fn admit_edit(&mut self, phone: &Replica, edit: &EncodedEdit) -> Verdict {
        if let Some(place) = self.feed.iter().position(|known| known.id == edit.id()) {
            return Verdict::Duplicate {
                sequence: place as u64 + 1,
            };
        }
        let credential = phone.enrolment().unwrap().credential;
        self.feed.push(Admitted {
            id: edit.id(),
            bytes: edit.bytes().to_vec(),
            author: credential.officer,
            device: credential.device,
        });
        Verdict::Accepted {
            sequence: self.feed.len() as u64,
        }
    }

    /// Edits of a newer app, or none at all, under their own name.
    pub(super) fn admit_bytes(&mut self, bytes: &[u8]) -> EditId {
        let id = EditId(*blake3::hash(bytes).as_bytes());
        self.feed.push(Admitted {
            id,
            bytes: bytes.to_vec(),
            author: officer(),
            device: DeviceId([0; 32]),
        });
        id
    }

    /// Only so much of the feed is left, as after a restore.
    pub(super) fn restore(&mut self, kept: usize) {
        self.feed.truncate(kept);
        self.epoch += 1;
    }

    /// Everything after `after`, as the phone gets it: its own edits without a body.
    pub(super) fn page(&self, phone: &Replica, after: usize) -> Page {
        let device = phone.enrolment().unwrap().credential.device;
        let places: Vec<usize> = (after..self.feed.len()).collect();
        let mut page = self.page_of(&places, after);
        for (body, place) in page.bodies.iter_mut().zip(&places) {
            if self.feed[*place].device == device {
                *body = None;
            }
        }
        page
    }

    /// These places of the feed, with bodies.
    pub(super) fn page_of(&self, places: &[usize], after: usize) -> Page {
        let entry = |place: &usize| FeedEntry {
            sequence: *place as u64 + 1,
            edit: self.feed[*place].id,
            author: self.feed[*place].author,
            device: self.feed[*place].device,
            received_at: Timestamp(MORNING.0 + 60_000),
            salt: Salt::Shared([0; 16]),
        };
        let up_to = places.last().map_or(after, |place| place + 1) as u64;
        let proof = PageProof {
            ward: "26995".parse().unwrap(),
            epoch: Epoch([self.epoch; 16]),
            after: after as u64,
            up_to,
            chain: ChainHash([0; 32]),
            entries: places.iter().map(entry).collect(),
            signature: [0; 64],
        };
        let bodies = places
            .iter()
            .map(|place| Some(self.feed[*place].bytes.clone()));
        Page {
            bodies: bodies.collect(),
            cursor: Some(Cursor(vec![self.epoch, up_to as u8])),
            scope: feed::ScopeDelta::default(),
            proof: feed::sign(&ward_key(), proof),
        }
    }

    /// The phone reads the feed after `after`; gives what it asks for by name.
    pub(super) fn tell(&self, phone: &Replica, after: usize) -> Vec<EditId> {
        apply(phone, self.page(phone, after))
    }

    /// The answer to a question for edits by name.
    pub(super) fn named(&self, wanted: &[EditId]) -> Page {
        let places: Vec<usize> = (0..self.feed.len())
            .filter(|place| wanted.contains(&self.feed[*place].id))
            .collect();
        Page {
            cursor: None,
            ..self.page_of(&places, 0)
        }
    }
}

pub(super) fn begin(phone: &Replica) -> Vec<u8> {
    phone.begin_conversation("test").unwrap().unwrap().cursor.0
}

pub(super) fn next_bundle(phone: &Replica) -> Option<(BundleId, Vec<u8>)> {
    match phone.execute(DeviceCommand::NextBundle).unwrap() {
        DeviceAnswer::Bundle(bundle) => bundle.map(|bundle| (bundle.id, bundle.sealed)),
        other => panic!("{other:?}"),
    }
}

pub(super) fn opened(sealed: &[u8]) -> OpenedBundle {
    bundle::open(sealed).unwrap()
}

pub(super) fn edits(bundle: &OpenedBundle) -> Vec<EncodedEdit> {
    let decoded = bundle.edits.iter().map(|(_, edit)| edit.clone().unwrap());
    decoded.collect()
}

pub(super) fn record(phone: &Replica, bundle: BundleId, verdicts: Vec<Verdict>) {
    let command = DeviceCommand::RecordVerdicts { bundle, verdicts };
    assert_eq!(phone.execute(command).unwrap(), DeviceAnswer::Done);
}

pub(super) fn apply(phone: &Replica, page: Page) -> Vec<EditId> {
    match phone
        .execute(DeviceCommand::ApplyPage(Box::new(page)))
        .unwrap()
    {
        DeviceAnswer::PageApplied { missing } => missing,
        other => panic!("{other:?}"),
    }
}

pub(super) fn next_return(phone: &Replica) -> Option<Page> {
    match phone.execute(DeviceCommand::NextReturn).unwrap() {
        DeviceAnswer::Return(page) => page.map(|page| *page),
        other => panic!("{other:?}"),
    }
}

/// Compares with a ward that has these edits; gives what the phone lacks.
pub(super) fn compare(phone: &Replica, known: &[EditId], is_restored: bool) -> Vec<EditId> {
    let mut known = known.to_vec();
    known.sort_unstable();
    let mut command = DeviceCommand::BeginComparison { is_restored };
    loop {
        let DeviceAnswer::Comparison(step) = phone.execute(command).unwrap() else {
            panic!("no comparison");
        };
        let questions = match step {
            ComparisonStep::Ask(questions) => questions,
            ComparisonStep::Found { missing, .. } => return missing,
        };
        let mut room = LISTED_EDITS_MAX;
        let answers = questions.iter().map(|question| {
            let (first, last) = question.prefix.bounds();
            let of_range = known.iter().filter(|edit| (first..=last).contains(*edit));
            reconciliation::answer(question, of_range.copied(), &mut room)
        });
        command = DeviceCommand::Compare(answers.collect());
    }
}
