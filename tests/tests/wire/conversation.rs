//! Whole conversations, flight by flight, as another program says that `docs/wire.md` means them.
//! Both machines are held to them: each hears the other's flights from the vectors.

use gandan_core::model::{AttachmentHash, BundleId, EditId, Timestamp, WardKey};
use gandan_core::protocol::agreement::HeldDigest;
use gandan_core::protocol::directory;
use gandan_core::protocol::feed::{Cursor, Page};
use gandan_core::protocol::frame::FrameDecoder;
use gandan_core::protocol::initiator::{
    ComparisonStep, ConversationError, DeviceAnswer, DeviceCommand, Initiator, Opening,
    OutgoingAttachment, OutgoingBundle,
};
use gandan_core::protocol::message::{DeviceMessage, FileWord, Refusal, WardMessage};
use gandan_core::protocol::responder::{Responder, WardAnswer, WardCommand};
use gandan_core::protocol::verdict::Verdict;

use super::{feed, vectors};

const BUNDLE: &[u8] = b"sealed edits, opaque here";
const PHOTO: &[u8] = b"photo";

/// A conversation: its name, its flights in turn (the device begins), and what the stores hold.
struct Story {
    name: &'static str,
    flights: usize,
    has_directory: bool,
    has_bundle: bool,
    has_photo: bool,
    is_restored: bool,
    has_page: bool,
    refusal: Option<Refusal>,
}

const QUIET: Story = Story {
    name: "idle",
    flights: 3,
    has_directory: true,
    has_bundle: false,
    has_photo: false,
    is_restored: false,
    has_page: false,
    refusal: None,
};

const STORIES: &[Story] = &[
    QUIET,
    Story {
        name: "return",
        flights: 7,
        has_directory: false,
        has_bundle: true,
        has_photo: true,
        has_page: true,
        ..QUIET
    },
    Story {
        name: "restored",
        flights: 5,
        has_bundle: true,
        is_restored: true,
        ..QUIET
    },
    Story {
        name: "refused",
        flights: 2,
        has_bundle: true,
        refusal: Some(Refusal::Revoked),
        ..QUIET
    },
];

pub(crate) fn names() -> Vec<(&'static str, Vec<&'static str>)> {
    let flights = |story: &'static Story| {
        (1..=story.flights).map(|flight| {
            let name: &'static str = Box::leak(flight_name(story, flight).into_boxed_str());
            name
        })
    };
    vec![("conversation", STORIES.iter().flat_map(flights).collect())]
}

fn flight_name(story: &Story, flight: usize) -> String {
    let who = if flight % 2 == 1 { "device" } else { "ward" };
    format!("{}.{flight}-{who}", story.name)
}

fn flight(story: &Story, number: usize) -> Vec<u8> {
    vectors::read("conversation", &flight_name(story, number))
}

fn bundle_id() -> BundleId {
    BundleId(blake3::hash(BUNDLE).into())
}

fn photo_hash() -> AttachmentHash {
    AttachmentHash(blake3::hash(PHOTO).into())
}

fn page() -> Page {
    Page::open_unverified(&vectors::read("sealed-page", "three-entries")).unwrap()
}

fn directory_version() -> [u8; 32] {
    let version = vectors::read("sealed-directory", "tan-hoa.version");
    version.try_into().unwrap()
}

/// The device's store of a story.
struct Device<'a> {
    story: &'a Story,
    given: bool,
    returned: bool,
    photo_given: bool,
}

impl Device<'_> {
    fn opening(&self) -> Opening {
        let ward_key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
        Opening {
            ward_key: WardKey(ward_key.to_bytes()),
            cursor: Cursor(vectors::read("cursor", "ours")),
            directory_version: if self.story.has_directory {
                directory_version()
            } else {
                [0; 32]
            },
            device_time: Timestamp(1_772_413_200_000),
            app_version: "0.1.0".to_owned(),
            wanted: Vec::new(),
            witness: None,
        }
    }

    fn execute(&mut self, command: DeviceCommand) -> DeviceAnswer {
        let once = |has: bool, given: &mut bool| has && !std::mem::replace(given, true);
        match command {
            DeviceCommand::NextBundle => {
                DeviceAnswer::Bundle(once(self.story.has_bundle, &mut self.given).then(|| {
                    OutgoingBundle {
                        id: bundle_id(),
                        sealed: BUNDLE.to_vec(),
                        edits: vec![EditId([7; 32])],
                    }
                }))
            }
            DeviceCommand::RecordVerdicts { bundle, verdicts } => {
                assert_eq!(bundle, bundle_id());
                assert_eq!(verdicts, [Verdict::Accepted { sequence: 302 }]);
                DeviceAnswer::Done
            }
            DeviceCommand::ApplyPage(received) => {
                assert_eq!(*received, page());
                DeviceAnswer::PageApplied {
                    missing: Vec::new(),
                }
            }
            DeviceCommand::ApplyDirectory { version, .. } => {
                assert_eq!(version, directory_version());
                DeviceAnswer::Done
            }
            DeviceCommand::BeginReturn => {
                self.given = false;
                DeviceAnswer::Done
            }
            DeviceCommand::NextReturn => {
                DeviceAnswer::Return(once(true, &mut self.returned).then(|| Box::new(page())))
            }
            DeviceCommand::NextAttachment => DeviceAnswer::Attachment(
                once(self.story.has_photo, &mut self.photo_given).then(|| OutgoingAttachment {
                    hash: photo_hash(),
                    bytes: PHOTO.to_vec(),
                }),
            ),
            DeviceCommand::ConfirmAttachment(hash) => {
                assert_eq!(hash, photo_hash());
                DeviceAnswer::Done
            }
            DeviceCommand::Settle { .. } => DeviceAnswer::Settled { is_agreed: true },
            // This one gives back everything without a look.
            DeviceCommand::BeginComparison { .. } | DeviceCommand::Compare(_) => {
                DeviceAnswer::Comparison(ComparisonStep::Found {
                    missing: Vec::new(),
                    is_anything_lacked_there: true,
                })
            }
            DeviceCommand::NextFetch => DeviceAnswer::Fetch(None),
            DeviceCommand::NextLook => DeviceAnswer::Look(None),
            DeviceCommand::KeepLent { .. } => DeviceAnswer::PageApplied {
                missing: Vec::new(),
            },
            DeviceCommand::KeepWitnessed(_) => unreachable!("nobody witnesses here"),
            DeviceCommand::KeepFetched { .. }
            | DeviceCommand::NoteKept { .. }
            | DeviceCommand::DoubtAttachments(_) => DeviceAnswer::Done,
        }
    }
}

/// The ward's store of a story.
struct Ward<'a> {
    story: &'a Story,
    page_given: bool,
}

impl Ward<'_> {
    fn execute(&mut self, command: WardCommand) -> WardAnswer {
        match command {
            WardCommand::Greet { cursor, .. } => {
                assert_eq!(cursor, Cursor(vectors::read("cursor", "ours")));
                match self.story.refusal {
                    Some(refusal) => WardAnswer::Refused(refusal),
                    None => WardAnswer::Greeted {
                        ward_time: Timestamp(1_772_413_260_000),
                        directory_version: directory_version(),
                        is_cursor_known: !self.story.is_restored,
                        lacked: Vec::new(),
                    },
                }
            }
            WardCommand::Admit(sealed) => {
                assert_eq!(sealed, BUNDLE);
                WardAnswer::Verdicts(vec![Verdict::Accepted { sequence: 302 }])
            }
            WardCommand::TakeBack(returned) => {
                assert_eq!(*returned, page());
                WardAnswer::Done
            }
            WardCommand::ReadFeed(cursor) => {
                assert_eq!(cursor.is_empty(), self.story.is_restored);
                let next = self.story.has_page && !std::mem::replace(&mut self.page_given, true);
                if next {
                    WardAnswer::Page(Some(Box::new(page())))
                } else {
                    WardAnswer::CaughtUp(HeldDigest([7; 16]))
                }
            }
            WardCommand::Compare(_) => WardAnswer::Compared(Vec::new()),
            WardCommand::ReadEdits(_) => WardAnswer::Page(None),
            WardCommand::ReadDirectory => {
                let sealed = vectors::read("sealed-directory", "tan-hoa");
                let (directory, _) = directory::open(&sealed).unwrap();
                WardAnswer::Directory(Box::new(directory))
            }
            WardCommand::ReadAttachment(_) => WardAnswer::AttachmentTree(None),
            WardCommand::Look(_) => WardAnswer::Lent(None),
            WardCommand::Witness(_) => unreachable!("nobody witnesses here"),
            WardCommand::ReadPart { .. } => WardAnswer::AttachmentPart(None),
            WardCommand::FindAttachment { hash, size } => {
                assert_eq!((hash, size), (photo_hash(), PHOTO.len()));
                WardAnswer::AttachmentKept(0)
            }
            WardCommand::KeepPart { hash, bytes, .. } => {
                assert_eq!((hash, &bytes[..]), (photo_hash(), PHOTO));
                WardAnswer::AttachmentWord(FileWord::Stored)
            }
        }
    }
}

/// The messages of a flight, with what is sealed in them unsealed: two compressors may differ.
fn device_messages(mut bytes: &[u8]) -> Vec<DeviceMessage> {
    let mut decoder = FrameDecoder::new(DeviceMessage::payload_limit);
    let mut messages = Vec::new();
    while let Some(frame) = decoder.next(&mut bytes).unwrap() {
        messages.push(match DeviceMessage::decode(&frame).unwrap() {
            DeviceMessage::Return(sealed) => DeviceMessage::Return(feed::parts(&sealed).concat()),
            other => other,
        });
    }
    messages
}

fn ward_messages(mut bytes: &[u8]) -> Vec<WardMessage> {
    let mut decoder = FrameDecoder::new(WardMessage::payload_limit);
    let mut messages = Vec::new();
    while let Some(frame) = decoder.next(&mut bytes).unwrap() {
        messages.push(match WardMessage::decode(&frame).unwrap() {
            WardMessage::Page(sealed) => WardMessage::Page(feed::parts(&sealed).concat()),
            WardMessage::Directory(sealed) => WardMessage::Directory(unseal(&sealed)),
            other => other,
        });
    }
    messages
}

fn unseal(sealed: &[u8]) -> Vec<u8> {
    zstd::bulk::decompress(sealed, 1 << 22).unwrap()
}

#[test]
fn a_device_says_what_the_vectors_say() {
    for story in STORIES {
        let mut device = Device {
            story,
            given: false,
            returned: false,
            photo_given: false,
        };
        let mut initiator = Initiator::new(device.opening());
        let mut result = Ok(());
        for number in 1..=story.flights {
            if number % 2 == 0 {
                result = initiator.handle_bytes(&flight(story, number));
                continue;
            }
            // Commands and bytes in turn, as a driver does, until nothing moves.
            let mut said = Vec::new();
            loop {
                if let Some(command) = initiator.poll_command() {
                    initiator.handle_answer(device.execute(command));
                } else if let Some(bytes) = initiator.poll_transmit() {
                    said.extend(bytes);
                } else {
                    break;
                }
            }
            assert_eq!(
                device_messages(&said),
                device_messages(&flight(story, number)),
                "{}",
                flight_name(story, number)
            );
        }
        match story.refusal {
            None => assert!(initiator.is_finished(), "{}", story.name),
            Some(refusal) => assert_eq!(result, Err(ConversationError::Refused(refusal))),
        }
    }
}

#[test]
fn a_ward_says_what_the_vectors_say() {
    for story in STORIES {
        let mut ward = Ward {
            story,
            page_given: false,
        };
        let mut responder = Responder::new();
        for number in 1..=story.flights {
            if number % 2 == 1 {
                responder.handle_bytes(&flight(story, number)).unwrap();
                continue;
            }
            let mut said = Vec::new();
            loop {
                if let Some(command) = responder.poll_command() {
                    responder.handle_answer(ward.execute(command));
                } else if let Some(bytes) = responder.poll_transmit() {
                    said.extend(bytes);
                } else {
                    break;
                }
            }
            assert_eq!(
                ward_messages(&said),
                ward_messages(&flight(story, number)),
                "{}",
                flight_name(story, number)
            );
        }
        assert_eq!(responder.poll_command(), None);
        assert!(responder.is_finished(), "{}", story.name);
    }
}

#[test]
fn a_device_with_nothing_to_say_or_hear_spends_few_bytes() {
    let bytes: usize = (1..=QUIET.flights)
        .map(|number| flight(&QUIET, number).len())
        .sum();
    assert!(bytes < 150, "{bytes}");
}
