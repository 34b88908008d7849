//! Conversations between the two machines, told as stories. The stores are fakes; what is tested is
//! who says what when, and what it costs.

mod device;
mod pair;
mod ward;

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
    println!("idle: {} up, {} down", outcome.up.len(), outcome.down.len());
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
    println!(
        "forty: {} up, {} down",
        outcome.up.len(),
        outcome.down.len()
    );
    assert_eq!(ward.log[..3], ["greet", "admit", "read feed"]);
    assert_eq!(device.pages.last().unwrap().proof.entries.len(), 40);
}
