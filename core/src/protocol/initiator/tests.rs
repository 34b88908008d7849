//! What a ward may not do, message by message.

use ed25519_dalek::SigningKey;

use super::super::feed::{self, Cursor, PageProof};
use super::super::message::FileWord;
use super::*;
use crate::codec::DecodeError;
use crate::model::{ChainHash, Epoch};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn opening(cursor: &[u8]) -> Opening {
    Opening {
        ward_key: WardKey(key().verifying_key().to_bytes()),
        cursor: Cursor(cursor.to_vec()),
        directory_version: [0; 32],
        device_time: Timestamp(1),
        app_version: "0.1.0".to_owned(),
        wanted: Vec::new(),
        witness: None,
    }
}

fn welcome() -> WardMessage {
    WardMessage::Welcome {
        minor: 0,
        ward_time: Timestamp(2),
        is_cursor_known: true,
        lacked: Vec::new(),
    }
}

fn caught_up() -> WardMessage {
    WardMessage::CaughtUp {
        held: HeldDigest::default(),
    }
}

fn hear(initiator: &mut Initiator, message: &WardMessage) -> Result<(), ConversationError> {
    initiator.handle_bytes(&message.encode())
}

/// Answers as a store does that has nothing.
fn answer(initiator: &mut Initiator) -> Option<DeviceCommand> {
    let command = initiator.poll_command()?;
    initiator.handle_answer(match &command {
        DeviceCommand::NextBundle => DeviceAnswer::Bundle(None),
        DeviceCommand::ApplyPage(_) | DeviceCommand::KeepLent { .. } => DeviceAnswer::PageApplied {
            missing: Vec::new(),
        },
        DeviceCommand::NextLook => DeviceAnswer::Look(None),
        DeviceCommand::NextReturn => DeviceAnswer::Return(None),
        DeviceCommand::Settle { .. } => DeviceAnswer::Settled { is_agreed: true },
        DeviceCommand::BeginComparison { .. } | DeviceCommand::Compare(_) => {
            DeviceAnswer::Comparison(ComparisonStep::Found {
                missing: Vec::new(),
                is_anything_lacked_there: false,
            })
        }
        DeviceCommand::NextAttachment => DeviceAnswer::Attachment(None),
        DeviceCommand::NextFetch => DeviceAnswer::Fetch(None),
        DeviceCommand::RecordVerdicts { .. }
        | DeviceCommand::ApplyDirectory { .. }
        | DeviceCommand::BeginReturn
        | DeviceCommand::NoteKept { .. }
        | DeviceCommand::KeepWitnessed(_)
        | DeviceCommand::KeepFetched { .. }
        | DeviceCommand::DoubtAttachments(_)
        | DeviceCommand::ConfirmAttachment(_) => DeviceAnswer::Done,
    });
    Some(command)
}

/// Welcomed, with nothing to say, waiting for the feed.
fn pulling() -> Initiator {
    let mut initiator = Initiator::new(opening(&[1]));
    while answer(&mut initiator).is_some() {}
    hear(&mut initiator, &welcome()).unwrap();
    initiator
}

fn page(cursor: Option<u8>) -> Vec<u8> {
    let proof = PageProof {
        ward: "26995".parse().unwrap(),
        epoch: Epoch([1; 16]),
        after: 0,
        up_to: 0,
        chain: ChainHash([0; 32]),
        entries: Vec::new(),
        signature: [0; 64],
    };
    let page = Page {
        proof: feed::sign(&key(), proof),
        bodies: Vec::new(),
        cursor: cursor.map(|cursor| Cursor(vec![cursor])),
        scope: feed::ScopeDelta::default(),
    };
    page.seal()
}

fn violation(violation: Violation) -> Result<(), ConversationError> {
    Err(ConversationError::Violation(violation))
}

#[test]
fn answers_to_nothing_are_violations() {
    let hash = AttachmentHash([1; 32]);
    let unasked = [
        welcome(),
        WardMessage::Verdicts {
            bundle: BundleId([1; 32]),
            verdicts: Vec::new(),
        },
        WardMessage::Edits(None),
        WardMessage::Returned,
        WardMessage::Need { hash, from: 0 },
        WardMessage::Kept { hash, up_to: 1 },
        WardMessage::Found {
            hash,
            size: 0,
            parts: Vec::new(),
        },
        WardMessage::Part {
            offset: 0,
            bytes: vec![1],
        },
        WardMessage::Stored {
            hash,
            word: FileWord::Stored,
        },
    ];
    for message in unasked {
        let heard = hear(&mut pulling(), &message);
        assert_eq!(heard, violation(Violation::Unexpected), "{message:?}");
    }
}

#[test]
fn nothing_but_a_welcome_or_a_refusal_comes_first() {
    for message in [
        caught_up(),
        WardMessage::Page(page(Some(2))),
        WardMessage::Directory(Vec::new()),
    ] {
        let mut initiator = Initiator::new(opening(&[]));
        while answer(&mut initiator).is_some() {}
        let heard = hear(&mut initiator, &message);
        assert_eq!(heard, violation(Violation::Unexpected), "{message:?}");
    }
}

#[test]
fn a_welcome_in_a_version_that_we_did_not_offer_is_a_violation() {
    let message = WardMessage::Welcome {
        minor: MinorVersions::OURS.newest + 1,
        ward_time: Timestamp(2),
        is_cursor_known: true,
        lacked: Vec::new(),
    };
    let heard = hear(&mut Initiator::new(opening(&[])), &message);
    assert_eq!(heard, violation(Violation::Unexpected));
}

#[test]
fn a_ward_cannot_be_restored_for_a_device_that_has_read_nothing() {
    let restored = WardMessage::Welcome {
        minor: 0,
        ward_time: Timestamp(2),
        is_cursor_known: false,
        lacked: Vec::new(),
    };
    let fresh = hear(&mut Initiator::new(opening(&[])), &restored);
    assert_eq!(fresh, violation(Violation::Unexpected));
    assert_eq!(hear(&mut Initiator::new(opening(&[1])), &restored), Ok(()));
}

#[test]
fn more_pages_than_were_asked_for_are_a_violation() {
    let mut initiator = pulling();
    for number in 0..limits::PAGES_IN_FLIGHT_MAX {
        let message = WardMessage::Page(page(Some(number as u8 + 2)));
        assert_eq!(hear(&mut initiator, &message), Ok(()));
    }
    let one_more = hear(&mut initiator, &WardMessage::Page(page(Some(99))));
    assert_eq!(one_more, violation(Violation::TooManyInFlight));
}

#[test]
fn a_page_after_the_end_or_without_a_cursor_is_a_violation() {
    let mut initiator = pulling();
    hear(&mut initiator, &caught_up()).unwrap();
    let after = hear(&mut initiator, &WardMessage::Page(page(Some(2))));
    assert_eq!(after, violation(Violation::Unexpected));
    let without = hear(&mut pulling(), &WardMessage::Page(page(None)));
    assert_eq!(without, violation(Violation::Unexpected));
}

#[test]
fn a_page_that_the_pinned_ward_did_not_sign_is_a_violation() {
    let mut opening = opening(&[1]);
    opening.ward_key = WardKey(SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes());
    let mut initiator = Initiator::new(opening);
    while answer(&mut initiator).is_some() {}
    hear(&mut initiator, &welcome()).unwrap();
    let heard = hear(&mut initiator, &WardMessage::Page(page(Some(2))));
    assert_eq!(heard, violation(Violation::Signature));
    let garbage = hear(&mut pulling(), &WardMessage::Page(vec![1, 2, 3]));
    let refused = Violation::Decode(DecodeError::InvalidValue);
    assert_eq!(garbage, violation(refused));
}

#[test]
fn what_the_ward_said_before_it_broke_the_protocol_is_kept() {
    let mut initiator = pulling();
    let mut bytes = WardMessage::Page(page(Some(2))).encode();
    bytes.extend(WardMessage::Returned.encode());
    let heard = initiator.handle_bytes(&bytes);
    assert_eq!(heard, violation(Violation::Unexpected));
    assert!(matches!(
        answer(&mut initiator),
        Some(DeviceCommand::ApplyPage(_))
    ));
    assert_eq!(answer(&mut initiator), None);
    assert_eq!(initiator.poll_transmit(), None);
    assert!(!initiator.is_finished());
}

#[test]
fn the_end_of_the_connection_is_an_interruption_until_everything_was_said() {
    let mut initiator = pulling();
    assert_eq!(initiator.handle_end(), Err(ConversationError::Interrupted));
    let mut initiator = pulling();
    hear(&mut initiator, &caught_up()).unwrap();
    while answer(&mut initiator).is_some() {}
    assert!(
        !initiator.is_finished(),
        "the goodbye was not transmitted yet"
    );
    let said = initiator.poll_transmit().unwrap();
    assert!(said.ends_with(&DeviceMessage::Done.encode()));
    assert!(initiator.is_finished());
    assert_eq!(initiator.handle_end(), Ok(()));
}

#[test]
fn a_second_directory_is_a_violation() {
    let directory = Directory {
        ward: "26995".parse().unwrap(),
        ward_name: String::new(),
        province: String::new(),
        old_wards: Vec::new(),
        areas: Vec::new(),
        officers: Vec::new(),
        divisions: Vec::new(),
        categories: Vec::new(),
    };
    let message = WardMessage::Directory(super::super::directory::seal(&directory).unwrap());
    let mut initiator = pulling();
    assert_eq!(hear(&mut initiator, &message), Ok(()));
    assert_eq!(
        hear(&mut initiator, &message),
        violation(Violation::Unexpected)
    );
}

#[test]
fn a_long_version_of_the_app_is_shortened_between_letters() {
    let mut opening = opening(&[]);
    opening.app_version = format!("{}ệ", "v".repeat(limits::APP_VERSION_BYTES_MAX - 1));
    let hello = Initiator::new(opening).poll_transmit().unwrap();
    let mut rest = &hello[..];
    let frame = FrameDecoder::new(DeviceMessage::payload_limit)
        .next(&mut rest)
        .unwrap()
        .unwrap();
    let Ok(DeviceMessage::Hello(hello)) = DeviceMessage::decode(&frame) else {
        panic!("the greeting decodes");
    };
    assert_eq!(
        hello.app_version,
        "v".repeat(limits::APP_VERSION_BYTES_MAX - 1)
    );
}

/// A file of six parts, the last of them short.
fn file() -> OutgoingAttachment {
    let bytes = vec![1; 5 * PART + 100];
    OutgoingAttachment {
        hash: AttachmentHash(*blake3::hash(&bytes).as_bytes()),
        bytes,
    }
}

const PART: usize = limits::ATTACHMENT_PART_BYTES;

/// A device that has offered one file.
fn offering() -> Initiator {
    let mut initiator = pulling();
    hear(&mut initiator, &caught_up()).unwrap();
    assert_eq!(answer(&mut initiator), Some(DeviceCommand::NextBundle));
    let settle = DeviceCommand::Settle {
        ward_time: Timestamp(2),
        held: HeldDigest::default(),
    };
    assert_eq!(answer(&mut initiator), Some(settle));
    assert_eq!(answer(&mut initiator), Some(DeviceCommand::NextLook));
    assert_eq!(answer(&mut initiator), Some(DeviceCommand::NextFetch));
    assert_eq!(
        initiator.poll_command(),
        Some(DeviceCommand::NextAttachment)
    );
    initiator.handle_answer(DeviceAnswer::Attachment(Some(file())));
    while initiator.poll_transmit().is_some() {}
    while answer(&mut initiator).is_some() {}
    initiator
}

fn need(from: usize) -> WardMessage {
    WardMessage::Need {
        hash: file().hash,
        from,
    }
}

fn kept(up_to: usize) -> WardMessage {
    WardMessage::Kept {
        hash: file().hash,
        up_to,
    }
}

fn stored() -> WardMessage {
    WardMessage::Stored {
        hash: file().hash,
        word: FileWord::Stored,
    }
}

/// Where the parts begin that leave now.
fn sent(initiator: &mut Initiator) -> Vec<usize> {
    let mut decoder = FrameDecoder::new(DeviceMessage::payload_limit);
    let mut offsets = Vec::new();
    while let Some(bytes) = initiator.poll_transmit() {
        let mut bytes = &bytes[..];
        while let Some(frame) = decoder.next(&mut bytes).unwrap() {
            if let DeviceMessage::Chunk { offset, .. } = DeviceMessage::decode(&frame).unwrap() {
                offsets.push(offset);
            }
        }
    }
    offsets
}

#[test]
fn a_file_is_needed_once_from_a_parts_beginning_within_its_size() {
    let mut initiator = offering();
    assert_eq!(hear(&mut initiator, &need(PART)), Ok(()));
    let again = hear(&mut initiator, &need(PART));
    assert_eq!(again, violation(Violation::Unexpected));
    for wrong in [1, 6 * PART, 5 * PART + 100] {
        let heard = hear(&mut offering(), &need(wrong));
        assert_eq!(heard, violation(Violation::Unexpected), "{wrong}");
    }
}

#[test]
fn a_file_goes_on_where_the_ward_has_it_with_one_chunk_under_way() {
    let mut initiator = offering();
    hear(&mut initiator, &need(PART)).unwrap();
    assert_eq!(sent(&mut initiator), [PART, 2 * PART, 3 * PART, 4 * PART]);
    for wrong in [PART, 6 * PART] {
        let mut initiator = offering();
        hear(&mut initiator, &need(PART)).unwrap();
        let heard = hear(&mut initiator, &kept(wrong));
        assert_eq!(heard, violation(Violation::Unexpected), "{wrong}");
    }
    hear(&mut initiator, &kept(2 * PART)).unwrap();
    // Before the next part the store is asked for what was recorded meanwhile.
    assert_eq!(sent(&mut initiator), Vec::<usize>::new());
    while answer(&mut initiator).is_some() {}
    assert_eq!(sent(&mut initiator), [5 * PART]);
    hear(&mut initiator, &stored()).unwrap();
    while answer(&mut initiator).is_some() {}
    assert!(!sent(&mut initiator).is_empty() || initiator.is_finished());
}

#[test]
fn a_record_that_is_made_while_a_file_is_sent_goes_before_its_next_part() {
    let mut initiator = offering();
    hear(&mut initiator, &need(0)).unwrap();
    assert_eq!(sent(&mut initiator).len(), 4);
    hear(&mut initiator, &kept(PART)).unwrap();
    assert_eq!(initiator.poll_command(), Some(DeviceCommand::NextBundle));
    let bundle = OutgoingBundle {
        id: BundleId([1; 32]),
        sealed: vec![1],
        edits: vec![EditId([1; 32])],
    };
    initiator.handle_answer(DeviceAnswer::Bundle(Some(bundle)));
    while answer(&mut initiator).is_some() {}
    assert_eq!(
        sent(&mut initiator),
        Vec::<usize>::new(),
        "only the bundle and its pull"
    );
    let verdicts = WardMessage::Verdicts {
        bundle: BundleId([1; 32]),
        verdicts: vec![Verdict::Accepted { sequence: 1 }],
    };
    hear(&mut initiator, &verdicts).unwrap();
    hear(&mut initiator, &caught_up()).unwrap();
    while answer(&mut initiator).is_some() {}
    assert_eq!(sent(&mut initiator), [4 * PART]);
}

#[test]
fn a_file_that_is_being_sent_cannot_be_stored_yet() {
    let mut initiator = offering();
    hear(&mut initiator, &need(0)).unwrap();
    let early = hear(&mut initiator, &stored());
    assert_eq!(early, violation(Violation::Unexpected));
}

#[test]
fn nothing_is_finished_while_a_bundle_has_no_verdict() {
    let mut initiator = Initiator::new(opening(&[1]));
    initiator.poll_command().unwrap();
    let bundle = OutgoingBundle {
        id: BundleId([1; 32]),
        sealed: vec![1],
        edits: vec![EditId([1; 32])],
    };
    initiator.handle_answer(DeviceAnswer::Bundle(Some(bundle)));
    while answer(&mut initiator).is_some() {}
    hear(&mut initiator, &welcome()).unwrap();
    hear(&mut initiator, &caught_up()).unwrap();
    while answer(&mut initiator).is_some() {}
    while initiator.poll_transmit().is_some() {}
    assert!(!initiator.is_finished());
    assert_eq!(initiator.handle_end(), Err(ConversationError::Interrupted));
}

/// What a device says once a page is stored of which the store lacks `missing`.
fn lack(initiator: &mut Initiator, missing: &[EditId]) -> Vec<u8> {
    assert!(matches!(
        initiator.poll_command(),
        Some(DeviceCommand::ApplyPage(_))
    ));
    initiator.handle_answer(DeviceAnswer::PageApplied {
        missing: missing.to_vec(),
    });
    let mut said = Vec::new();
    while let Some(bytes) = initiator.poll_transmit() {
        said.extend(bytes);
    }
    said
}

#[test]
fn an_edit_is_asked_for_once_however_often_the_store_lacks_it() {
    let lacked = EditId([1; 32]);
    let want = DeviceMessage::Want(vec![lacked]).encode();
    let mut initiator = pulling();
    while initiator.poll_transmit().is_some() {}
    hear(&mut initiator, &WardMessage::Page(page(Some(2)))).unwrap();
    assert!(lack(&mut initiator, &[lacked]).ends_with(&want));
    hear(&mut initiator, &WardMessage::Edits(None)).unwrap();
    hear(&mut initiator, &WardMessage::Page(page(Some(3)))).unwrap();
    let said = lack(&mut initiator, &[lacked]);
    assert_eq!(said, DeviceMessage::Taken.encode());
}

#[test]
fn edits_that_bring_nothing_that_was_wanted_end_the_asking() {
    let lacked = EditId([1; 32]);
    let mut initiator = pulling();
    hear(&mut initiator, &WardMessage::Page(page(Some(2)))).unwrap();
    lack(&mut initiator, &[lacked]);
    hear(&mut initiator, &WardMessage::Edits(Some(page(None)))).unwrap();
    assert_eq!(lack(&mut initiator, &[lacked]), Vec::<u8>::new());
}

#[test]
#[should_panic(expected = "the store answers something else than was asked")]
fn an_answer_to_another_question_is_a_bug_of_the_caller() {
    let mut initiator = Initiator::new(opening(&[]));
    initiator.poll_command().unwrap();
    initiator.handle_answer(DeviceAnswer::Done);
}

/// Waiting for the ward's answer to a look.
fn looking() -> Initiator {
    let mut initiator = pulling();
    hear(&mut initiator, &caught_up()).unwrap();
    while let Some(command) = initiator.poll_command() {
        initiator.handle_answer(match command {
            DeviceCommand::NextBundle => DeviceAnswer::Bundle(None),
            DeviceCommand::NextLook => DeviceAnswer::Look(Some("K7P-2M9C".to_owned())),
            DeviceCommand::Settle { .. } => DeviceAnswer::Settled { is_agreed: true },
            other => panic!("{other:?}"),
        });
    }
    initiator
}

#[test]
fn a_loan_moves_nothing_in_the_feed_and_is_not_given_unasked() {
    let loan = |page| {
        WardMessage::Lent(Some(crate::protocol::message::Loan {
            case: uuid::Uuid::from_u128(1),
            page,
        }))
    };
    let mut initiator = looking();
    hear(&mut initiator, &loan(page(None))).unwrap();
    let kept = initiator.poll_command();
    assert!(matches!(kept, Some(DeviceCommand::KeepLent { .. })));
    for mut initiator in [looking(), pulling()] {
        let told = hear(&mut initiator, &loan(page(Some(2))));
        assert_eq!(told, Err(Violation::Unexpected.into()));
    }
    let mut initiator = looking();
    hear(&mut initiator, &WardMessage::Lent(None)).unwrap();
    let again = hear(&mut initiator, &WardMessage::Lent(None));
    assert_eq!(again, Err(Violation::Unexpected.into()));
}
