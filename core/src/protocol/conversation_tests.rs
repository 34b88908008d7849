//! Conversations between the two machines, told as stories. The stores are fakes; what is tested is
//! who says what when, and what it costs.

mod device;
mod endings;
mod files;
mod hostile;
mod looks;
mod pair;
mod restore;
mod staying;
mod ward;
mod witness;

use device::FakeDevice;
use pair::{Link, Outcome, talk};
use ward::FakeWard;

use super::initiator::{ConversationError, Progress};
use super::limits;
use super::message::{MinorVersions, Refusal};
use super::verdict::Verdict;
use crate::codec::{Reader, Writer};
use crate::model::EditId;

/// As much of an edit as a conversation needs: a name, something to say, and what it builds on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FakeEdit {
    dependency: Option<EditId>,
    text: String,
}

impl FakeEdit {
    fn new(text: &str) -> Self {
        Self {
            dependency: None,
            text: text.to_owned(),
        }
    }

    fn after(text: &str, dependency: &FakeEdit) -> Self {
        Self {
            dependency: Some(dependency.id()),
            text: text.to_owned(),
        }
    }

    fn id(&self) -> EditId {
        EditId(blake3::hash(&self.body()).into())
    }

    fn body(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .optional(self.dependency, |writer, dependency| {
                writer.fixed(dependency.as_bytes());
            })
            .text(&self.text);
        writer.finish()
    }
}

/// What stands for a sealed bundle here; the machines do not look into one.
fn seal_fake(edits: &[FakeEdit]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.count(edits.len());
    for edit in edits {
        writer.bytes(&edit.body());
    }
    writer.finish()
}

/// A bundle that was changed on its way is one that cannot be opened: no edits.
fn open_fake(sealed: &[u8]) -> Vec<FakeEdit> {
    fn read(sealed: &[u8]) -> Option<Vec<FakeEdit>> {
        let mut reader = Reader::new(sealed);
        let count = reader.count(limits::BUNDLE_EDITS_MAX).ok()?;
        let edits = (0..count)
            .map(|_| {
                let mut body = Reader::new(reader.bytes(100_000).ok()?);
                let dependency = body.optional(Reader::fixed).ok()?.map(EditId);
                let text = body.text(100_000).ok()?.to_owned();
                Some(FakeEdit { dependency, text })
            })
            .collect::<Option<_>>()?;
        reader.is_empty().then_some(edits)
    }
    read(sealed).unwrap_or_default()
}

fn cases(numbers: std::ops::Range<u32>) -> Vec<FakeEdit> {
    numbers
        .map(|number| FakeEdit::new(&format!("Khu phố {number}: cống nghẹt, nước tràn vào nhà")))
        .collect()
}

/// A device and a ward that have met and know the same.
fn acquainted() -> (FakeDevice, FakeWard) {
    let mut ward = FakeWard::new();
    for edit in cases(0..3) {
        ward.admit_from_colleague(&edit);
    }
    let mut device = FakeDevice::new(ward.ward_key());
    meet(&mut device, &mut ward).assert_caught_up();
    (device, ward)
}

fn meet(device: &mut FakeDevice, ward: &mut FakeWard) -> Outcome {
    talk(device, ward, &Link::default())
}

#[test]
fn a_device_with_nothing_to_say_or_hear_spends_one_exchange() {
    let (mut device, mut ward) = acquainted();
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert_eq!(outcome.flights, 1);
    assert_eq!(outcome.round_trips, 1);
    assert!(outcome.payload() < 200, "{}", outcome.payload());
    assert_eq!(ward.log, ["greet", "read feed"]);
    assert_eq!(outcome.progress, [Progress::Welcomed, Progress::CaughtUp]);
}

#[test]
fn forty_cases_go_up_and_their_places_come_down_in_one_exchange() {
    let (mut device, mut ward) = acquainted();
    device.record(&cases(10..50));
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert_eq!(outcome.round_trips, 1);
    assert_eq!(outcome.flights, 1);
    assert!(device.has_final_words());
    assert!(device.own().into_iter().all(|edit| ward.has(edit)));
    assert_eq!(ward.log[..3], ["greet", "admit", "read feed"]);
    assert_eq!(device.pages.last().unwrap().proof.entries.len(), 40);
    // Names do not compress, and the device knows them from its verdicts.
    assert!(outcome.down.len() < 40 * 32, "{}", outcome.down.len());
}

#[test]
fn pages_come_down_as_the_device_stores_them() {
    let (mut device, mut ward) = acquainted();
    ward.page_entries = 3;
    let edits = cases(100..130);
    for edit in &edits {
        ward.admit_from_colleague(edit);
    }
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert!(
        edits
            .iter()
            .all(|edit| device.edits.contains_key(&edit.id()))
    );
    // Ten pages and the end, four ahead.
    assert_eq!(outcome.round_trips, 3);
    let received: usize = outcome
        .progress
        .iter()
        .map(|step| match step {
            Progress::Received { edits } => *edits,
            _ => 0,
        })
        .sum();
    assert_eq!(received, 30);
}

#[test]
fn bytes_may_arrive_one_by_one() {
    let (mut device, mut ward) = acquainted();
    let (mut other_device, mut other_ward) = (device.clone(), ward.clone());
    for (device, ward) in [
        (&mut device, &mut ward),
        (&mut other_device, &mut other_ward),
    ] {
        ward.page_entries = 2;
        device.record(&cases(10..15));
        for edit in cases(100..107) {
            ward.admit_from_colleague(&edit);
        }
    }
    let whole = meet(&mut device, &mut ward);
    let link = Link {
        portions: vec![1],
        ..Link::default()
    };
    let bytewise = talk(&mut other_device, &mut other_ward, &link);
    whole.assert_caught_up();
    bytewise.assert_caught_up();
    assert_eq!(device, other_device);
    assert_eq!(whole.round_trips, bytewise.round_trips);
}

#[test]
fn a_rejected_edit_keeps_its_content_and_holds_nothing_back() {
    let (mut device, mut ward) = acquainted();
    let edits = [
        FakeEdit::new("before"),
        FakeEdit::new("forbidden"),
        FakeEdit::new("after"),
    ];
    device.record(&edits);
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert!(outcome.progress.contains(&Progress::Verdicts {
        accepted: 2,
        rejected: 1,
        waiting: 0
    }));
    assert!(ward.has(edits[0].id()) && !ward.has(edits[1].id()) && ward.has(edits[2].id()));
    assert!(device.edits.contains_key(&edits[1].id()));
    // The word is final: next time there is nothing to say.
    meet(&mut device, &mut ward).assert_caught_up();
    assert_eq!(ward.log, ["greet", "read feed"]);
}

#[test]
fn a_bundle_that_waits_is_sent_again_once_its_dependency_was_accepted() {
    let (mut device, mut ward) = acquainted();
    let first = FakeEdit::new("first");
    device.record(&[FakeEdit::after("second", &first)]);
    device.record(&[first]);
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert!(device.has_final_words());
    assert_eq!(ward.log.iter().filter(|step| **step == "admit").count(), 3);
    let waiting = Progress::Verdicts {
        accepted: 0,
        rejected: 0,
        waiting: 1,
    };
    assert!(outcome.progress.contains(&waiting));
    // Its place in the feed has come down as well.
    assert!(device.own().into_iter().all(|edit| {
        let proven = |page: &crate::protocol::feed::Page| {
            page.proof.entries.iter().any(|entry| entry.edit == edit)
        };
        device.pages.iter().any(proven)
    }));
}

#[test]
fn a_bundle_whose_dependency_is_nowhere_is_sent_once_a_conversation() {
    let (mut device, mut ward) = acquainted();
    let elsewhere = FakeEdit::new("on a phone that lies in the river");
    device.record(&[FakeEdit::after("second", &elsewhere)]);
    device.record(&[FakeEdit::new("third")]);
    for _ in 0..2 {
        meet(&mut device, &mut ward).assert_caught_up();
        let dependency = elsewhere.id();
        assert_eq!(
            device.bundles[0].verdicts,
            [Verdict::Waiting { dependency }]
        );
    }
    assert_eq!(ward.log, ["greet", "admit", "read feed"]);
    ward.admit_from_colleague(&elsewhere);
    meet(&mut device, &mut ward).assert_caught_up();
    assert!(device.has_final_words());
}

#[test]
fn a_store_that_gives_the_same_bundle_for_ever_does_not_keep_the_conversation_alive() {
    let (mut device, mut ward) = acquainted();
    device.record(&[FakeEdit::new("one")]);
    let mut initiator = super::initiator::Initiator::new(device.opening());
    let mut responder = super::responder::Responder::new();
    for _ in 0..100 {
        while let Some(command) = initiator.poll_command() {
            let answer = device.execute(command);
            for bundle in &mut device.bundles {
                bundle.is_given = false;
                bundle.verdicts.clear();
            }
            initiator.handle_answer(answer);
        }
        while let Some(bytes) = initiator.poll_transmit() {
            responder.handle_bytes(&bytes).unwrap();
        }
        while let Some(command) = responder.poll_command() {
            responder.handle_answer(ward.execute(command));
        }
        while let Some(bytes) = responder.poll_transmit() {
            initiator.handle_bytes(&bytes).unwrap();
        }
    }
    assert!(initiator.is_finished());
    assert_eq!(ward.log.iter().filter(|step| **step == "admit").count(), 1);
}

#[test]
fn bundles_are_pipelined_up_to_their_limit() {
    let (mut device, mut ward) = acquainted();
    for number in 0..10 {
        device.record(&cases(100 * number..100 * number + 5));
    }
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert!(device.has_final_words());
    // Four, four, two.
    assert_eq!(outcome.round_trips, 3);
}

#[test]
fn the_directory_comes_when_it_has_changed_and_only_then() {
    let (mut device, mut ward) = acquainted();
    assert_eq!(device.directory.as_ref().unwrap().0, ward.directory);
    ward.directory.ward_name = "Phường Tân Hòa (mới)".to_owned();
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert_eq!(outcome.round_trips, 1);
    assert_eq!(device.directory.as_ref().unwrap().0, ward.directory);
    meet(&mut device, &mut ward).assert_caught_up();
    assert_eq!(ward.log, ["greet", "read feed"]);
}

#[test]
fn edits_that_the_device_should_have_but_lost_are_asked_for_by_name() {
    let (mut device, mut ward) = acquainted();
    device.record(&cases(10..25));
    meet(&mut device, &mut ward).assert_caught_up();
    // A new store on the same key: the ward leaves out what the device wrote itself.
    let mut restored = FakeDevice::new(ward.ward_key());
    ward.page_entries = 10;
    let outcome = meet(&mut restored, &mut ward);
    outcome.assert_caught_up();
    assert!(
        device
            .own()
            .iter()
            .all(|edit| restored.edits.contains_key(edit))
    );
    assert!(ward.log.contains(&"read edits"));
}

#[test]
fn edits_that_the_ward_does_not_give_are_asked_for_once() {
    let (mut device, mut ward) = acquainted();
    let edits = cases(30..34);
    for edit in &edits {
        ward.admit_from_colleague(edit);
    }
    ward.left_out = edits.iter().map(FakeEdit::id).collect();
    ward.is_silent_about_edits = true;
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert_eq!(
        ward.log
            .iter()
            .filter(|step| **step == "read edits")
            .count(),
        1
    );
}
