//! What a device may not do, message by message, and what a slow or hasty one costs.

use super::*;
use crate::codec::DecodeError;
use crate::model::WardKey;

fn hello(cursor: &[u8]) -> DeviceMessage {
    DeviceMessage::Hello(Hello {
        minor: MinorVersions::OURS,
        device_time: Timestamp(1),
        app_version: "0.1.0".to_owned(),
        cursor: Cursor(cursor.to_vec()),
        directory_version: Some([1; 32]),
    })
}

/// A file of seven parts, the last of them short.
fn file(number: u8) -> Vec<u8> {
    vec![number; 6 * limits::ATTACHMENT_PART_BYTES + 10]
}

fn part(number: u8, offset: usize) -> DeviceMessage {
    let file = file(number);
    let end = file.len().min(offset + limits::ATTACHMENT_PART_BYTES);
    DeviceMessage::Chunk {
        offset,
        bytes: file[offset..end].to_vec(),
    }
}

fn offer(number: u8) -> DeviceMessage {
    let tree = FileTree::of(&file(number));
    DeviceMessage::Offer {
        hash: tree.hash(),
        size: tree.size(),
        parts: tree.parts().to_vec(),
    }
}

fn chunk(offset: usize, length: usize) -> DeviceMessage {
    DeviceMessage::Chunk {
        offset,
        bytes: vec![1; length],
    }
}

fn hear(responder: &mut Responder, messages: &[DeviceMessage]) -> Result<(), Violation> {
    messages
        .iter()
        .try_for_each(|message| responder.handle_bytes(&message.encode()))
}

/// Answers a command as a ward does that has nothing and admits nothing.
fn answer(responder: &mut Responder) -> Option<WardCommand> {
    let command = responder.poll_command()?;
    responder.handle_answer(match &command {
        WardCommand::Greet { cursor, .. } => WardAnswer::Greeted {
            ward_time: Timestamp(2),
            directory_version: [1; 32],
            is_cursor_known: cursor.0 != [9],
            lacked: Vec::new(),
        },
        WardCommand::Admit(_) => WardAnswer::Verdicts(Vec::new()),
        WardCommand::TakeBack(_) => WardAnswer::Done,
        WardCommand::ReadFeed(_) | WardCommand::ReadEdits(_) => WardAnswer::Page(None),
        WardCommand::Compare(_) => WardAnswer::Compared(Vec::new()),
        WardCommand::ReadDirectory => WardAnswer::Refused(Refusal::Unavailable),
        WardCommand::ReadAttachment(_) => WardAnswer::AttachmentTree(None),
        WardCommand::Look(_) => WardAnswer::Lent(None),
        WardCommand::Witness(_) => WardAnswer::Refused(Refusal::Unavailable),
        WardCommand::ReadPart { .. } => WardAnswer::AttachmentPart(Some(vec![1])),
        WardCommand::FindAttachment { .. } => WardAnswer::AttachmentKept(0),
        WardCommand::KeepPart {
            size,
            offset,
            bytes,
            ..
        } => match offset + bytes.len() {
            kept if kept == *size => WardAnswer::AttachmentWord(FileWord::Stored),
            kept => WardAnswer::AttachmentKept(kept),
        },
    });
    Some(command)
}

fn open() -> Responder {
    let mut responder = Responder::new();
    hear(&mut responder, &[hello(&[])]).unwrap();
    while answer(&mut responder).is_some() {}
    while responder.poll_transmit().is_some() {}
    responder
}

fn page(cursor: u8) -> Page {
    use super::super::feed::PageProof;
    use crate::model::{ChainHash, Epoch};
    Page {
        proof: PageProof {
            ward: "26995".parse().unwrap(),
            epoch: Epoch([1; 16]),
            after: 0,
            up_to: 0,
            chain: ChainHash([0; 32]),
            entries: Vec::new(),
            signature: [0; 64],
        },
        bodies: Vec::new(),
        cursor: Some(Cursor(vec![cursor])),
        scope: super::super::feed::ScopeDelta::default(),
    }
}

#[test]
fn nothing_may_come_before_the_greeting_and_no_second_greeting() {
    for message in [
        DeviceMessage::Pull { window: 1 },
        DeviceMessage::Bundle(vec![1]),
        DeviceMessage::Done,
    ] {
        let mut responder = Responder::new();
        assert_eq!(hear(&mut responder, &[message]), Err(Violation::Unexpected));
        assert_eq!(answer(&mut responder), None);
    }
    let twice = [hello(&[]), hello(&[])];
    assert_eq!(
        hear(&mut Responder::new(), &twice),
        Err(Violation::Unexpected)
    );
    let mut greeting = Responder::new();
    hear(&mut greeting, &twice[..1]).unwrap();
    let _greet = greeting.poll_command().unwrap();
    assert_eq!(hear(&mut greeting, &twice[1..]), Err(Violation::Unexpected));
    assert_eq!(hear(&mut open(), &twice[..1]), Err(Violation::Unexpected));
}

#[test]
fn messages_that_answer_nothing_are_violations() {
    for message in [
        DeviceMessage::Taken,
        DeviceMessage::GiveBack,
        DeviceMessage::Return(page(1).seal()),
        chunk(0, 1),
    ] {
        assert_eq!(
            hear(&mut open(), std::slice::from_ref(&message)),
            Err(Violation::Unexpected),
            "{message:?}"
        );
    }
}

#[test]
fn more_of_a_kind_than_may_be_under_way_is_a_violation() {
    let bundle = DeviceMessage::Bundle(vec![1]);
    let pull = DeviceMessage::Pull { window: 4 };
    let want = DeviceMessage::Want(Vec::new());
    let many = [
        vec![bundle; limits::BUNDLES_IN_FLIGHT_MAX + 1],
        vec![offer(1); limits::ATTACHMENTS_IN_FLIGHT_MAX + 1],
        vec![pull; 2],
        vec![want; 2],
        vec![
            DeviceMessage::Fetch {
                hash: AttachmentHash([1; 32])
            };
            2
        ],
        vec![
            DeviceMessage::FetchPart {
                hash: AttachmentHash([1; 32]),
                offset: 0
            };
            5
        ],
    ];
    for messages in many {
        let (last, allowed) = messages.split_last().unwrap();
        let mut responder = open();
        assert_eq!(hear(&mut responder, allowed), Ok(()));
        let too_many = hear(&mut responder, std::slice::from_ref(last));
        assert_eq!(too_many, Err(Violation::TooManyInFlight), "{last:?}");
        // Answered, there is room again.
        let mut responder = open();
        hear(&mut responder, allowed).unwrap();
        while answer(&mut responder).is_some() {}
        if !matches!(last, DeviceMessage::Offer { .. }) {
            assert_eq!(hear(&mut responder, std::slice::from_ref(last)), Ok(()));
        }
    }
}

#[test]
fn returned_pages_are_bounded_too() {
    let mut responder = Responder::new();
    hear(&mut responder, &[hello(&[9])]).unwrap();
    while answer(&mut responder).is_some() {}
    hear(&mut responder, &[DeviceMessage::GiveBack]).unwrap();
    let messages = vec![DeviceMessage::Return(page(1).seal()); limits::RETURNS_IN_FLIGHT_MAX + 1];
    let too_many = hear(&mut responder, &messages);
    assert_eq!(too_many, Err(Violation::TooManyInFlight));
}

#[test]
fn what_was_said_before_the_device_knew_of_a_restore_counts_as_not_said() {
    let mut responder = Responder::new();
    let bundle = DeviceMessage::Bundle(vec![1]);
    let pull = DeviceMessage::Pull { window: 4 };
    // Some of it is there before the ward has greeted back, some comes later.
    hear(&mut responder, &[hello(&[9]), bundle.clone(), pull.clone()]).unwrap();
    assert!(matches!(
        answer(&mut responder),
        Some(WardCommand::Greet { .. })
    ));
    assert_eq!(answer(&mut responder), None);
    hear(&mut responder, &[bundle.clone(), chunk(0, 1)]).unwrap();
    assert_eq!(answer(&mut responder), None);
    hear(&mut responder, &[DeviceMessage::GiveBack, bundle, pull]).unwrap();
    let asked: Vec<_> = std::iter::from_fn(|| answer(&mut responder)).collect();
    assert_eq!(
        asked,
        [
            WardCommand::Admit(vec![1]),
            // From the start, not from the cursor that is unknown.
            WardCommand::ReadFeed(Cursor::default())
        ]
    );
}

#[test]
fn parts_fit_the_offer_exactly_and_are_what_it_says() {
    const PART: usize = limits::ATTACHMENT_PART_BYTES;
    let needed = || {
        let mut responder = open();
        hear(&mut responder, &[offer(1)]).unwrap();
        answer(&mut responder).unwrap();
        responder
    };
    for bad in [
        vec![part(1, PART)],
        vec![part(1, 0), part(1, 0)],
        vec![part(1, 0), part(1, 2 * PART)],
    ] {
        assert_eq!(hear(&mut needed(), &bad), Err(Violation::Unexpected));
    }
    for wrong in [chunk(0, 1), part(2, 0)] {
        let heard = hear(&mut needed(), &[wrong]);
        assert_eq!(heard, Err(Violation::Signature));
    }
    let mut responder = needed();
    for position in 0..7 {
        hear(&mut responder, &[part(1, position * PART)]).unwrap();
        let Some(WardCommand::KeepPart { offset, .. }) = answer(&mut responder) else {
            panic!("a part is kept at once");
        };
        assert_eq!(offset, position * PART);
    }
    let beyond = hear(&mut responder, &[chunk(0, 1)]);
    assert_eq!(beyond, Err(Violation::Unexpected));
}

#[test]
fn a_list_of_parts_that_does_not_lead_to_the_file_is_a_violation() {
    let DeviceMessage::Offer { size, parts, .. } = offer(1) else {
        panic!("an offer");
    };
    let forged = DeviceMessage::Offer {
        hash: AttachmentHash([9; 32]),
        size,
        parts,
    };
    assert_eq!(hear(&mut open(), &[forged]), Err(Violation::Signature));
}

#[test]
fn no_more_than_a_chunk_of_a_file_waits_for_the_wards_disk() {
    const PART: usize = limits::ATTACHMENT_PART_BYTES;
    let mut responder = open();
    hear(&mut responder, &[offer(1)]).unwrap();
    answer(&mut responder).unwrap();
    for position in 0..4 {
        hear(&mut responder, &[part(1, position * PART)]).unwrap();
    }
    let too_many = hear(&mut responder, &[part(1, 4 * PART)]);
    assert_eq!(too_many, Err(Violation::TooManyInFlight));
}

#[test]
fn a_slow_device_is_not_worked_for() {
    let mut responder = open();
    hear(&mut responder, &[DeviceMessage::Pull { window: 64 }]).unwrap();
    let mut pages = 0;
    while let Some(command) = responder.poll_command() {
        assert!(matches!(command, WardCommand::ReadFeed(_)));
        pages += 1;
        responder.handle_answer(WardAnswer::Page(Some(Box::new(page(pages)))));
    }
    assert_eq!(usize::from(pages), limits::PAGES_IN_FLIGHT_MAX);
    hear(&mut responder, &[DeviceMessage::Taken]).unwrap();
    assert!(matches!(
        responder.poll_command(),
        Some(WardCommand::ReadFeed(position)) if position.0 == [pages]
    ));
}

#[test]
fn a_ward_with_unread_answers_is_busy_and_asks_nothing_more() {
    let mut responder = open();
    responder
        .outbound
        .push(vec![0; limits::OUTBOUND_BYTES_MAX + 1]);
    hear(&mut responder, &[DeviceMessage::Bundle(vec![1])]).unwrap();
    assert!(responder.is_busy());
    assert_eq!(answer(&mut responder), None);
    responder.poll_transmit().unwrap();
    assert!(matches!(
        answer(&mut responder),
        Some(WardCommand::Admit(_))
    ));
    assert!(!responder.is_busy());
}

#[test]
fn the_feed_is_asked_for_again_only_after_its_end() {
    let mut responder = open();
    let pull = DeviceMessage::Pull { window: 1 };
    hear(&mut responder, std::slice::from_ref(&pull)).unwrap();
    responder.poll_command().unwrap();
    responder.handle_answer(WardAnswer::Page(Some(Box::new(page(1)))));
    assert_eq!(responder.poll_command(), None);
    let again = hear(&mut responder, std::slice::from_ref(&pull));
    assert_eq!(again, Err(Violation::Unexpected));
}

#[test]
fn an_empty_cursor_is_known_whatever_the_ward_says() {
    let mut responder = Responder::new();
    hear(&mut responder, &[hello(&[])]).unwrap();
    responder.poll_command().unwrap();
    responder.handle_answer(WardAnswer::Greeted {
        ward_time: Timestamp(2),
        directory_version: [1; 32],
        is_cursor_known: false,
        lacked: Vec::new(),
    });
    let welcome = WardMessage::Welcome {
        minor: 0,
        ward_time: Timestamp(2),
        is_cursor_known: true,
        lacked: Vec::new(),
    };
    assert_eq!(responder.poll_transmit(), Some(welcome.encode()));
}

#[test]
fn a_page_that_does_not_move_on_is_not_read_for_ever() {
    let mut responder = open();
    hear(&mut responder, &[DeviceMessage::Pull { window: 4 }]).unwrap();
    for _ in 0..2 {
        assert!(responder.poll_command().is_some());
        responder.handle_answer(WardAnswer::Page(Some(Box::new(page(1)))));
    }
    assert_eq!(responder.poll_command(), None);
    let said = responder.poll_transmit().unwrap();
    assert!(
        said.ends_with(
            &WardMessage::CaughtUp {
                held: HeldDigest::default()
            }
            .encode()
        )
    );
}

#[test]
fn a_refused_device_may_go_on_talking_and_is_not_heard() {
    let mut responder = Responder::new();
    hear(&mut responder, &[hello(&[])]).unwrap();
    responder.poll_command().unwrap();
    responder.handle_answer(WardAnswer::Refused(Refusal::Revoked));
    assert!(
        !responder.is_finished(),
        "the refusal was not transmitted yet"
    );
    let said = responder.poll_transmit().unwrap();
    assert_eq!(said, WardMessage::Refuse(Refusal::Revoked).encode());
    assert!(responder.is_finished());
    assert_eq!(
        hear(&mut responder, &[DeviceMessage::Bundle(vec![1])]),
        Ok(())
    );
    assert_eq!(responder.handle_bytes(&[0xff; 100]), Ok(()));
    assert_eq!(answer(&mut responder), None);
}

#[test]
fn nothing_may_follow_the_goodbye() {
    let mut responder = open();
    hear(&mut responder, &[DeviceMessage::Done]).unwrap();
    assert!(!responder.is_finished());
    assert_eq!(answer(&mut responder), None);
    assert!(responder.is_finished());
    let bundle = DeviceMessage::Bundle(vec![1]);
    let more = hear(&mut responder, std::slice::from_ref(&bundle));
    assert_eq!(more, Err(Violation::Unexpected));
    // Also before the ward has come to the goodbye.
    let more = hear(&mut open(), &[DeviceMessage::Done, bundle]);
    assert_eq!(more, Err(Violation::Unexpected));
}

#[test]
fn a_device_that_broke_the_protocol_is_asked_and_told_nothing_more() {
    let mut responder = open();
    hear(&mut responder, &[DeviceMessage::Pull { window: 4 }]).unwrap();
    let frame = [0x02, 1, 2, 5, 5];
    assert_eq!(
        responder.handle_bytes(&frame),
        Err(Violation::Decode(DecodeError::Truncated))
    );
    assert_eq!(answer(&mut responder), None);
    assert_eq!(responder.poll_transmit(), None);
    assert!(responder.handle_bytes(&[]).is_err());
    assert!(!responder.is_finished());
}

#[test]
fn a_returned_page_reaches_the_ward_unverified() {
    // Whose it is only the ward can tell; the machine holds no key.
    let mut responder = Responder::new();
    hear(&mut responder, &[hello(&[9])]).unwrap();
    while answer(&mut responder).is_some() {}
    let returned = [
        DeviceMessage::GiveBack,
        DeviceMessage::Return(page(1).seal()),
    ];
    hear(&mut responder, &returned).unwrap();
    let Some(WardCommand::TakeBack(page)) = answer(&mut responder) else {
        panic!("the ward is asked to take a page back");
    };
    assert!(!super::super::feed::verify_proof(
        WardKey([7; 32]),
        &page.proof
    ));
    let garbage = DeviceMessage::Return(vec![1, 2, 3]);
    let refused = Err(Violation::Decode(DecodeError::InvalidValue));
    assert_eq!(hear(&mut responder, &[garbage]), refused);
}

#[test]
fn a_page_over_its_limit_ends_the_conversation_and_not_the_process() {
    let mut responder = open();
    hear(&mut responder, &[DeviceMessage::Pull { window: 4 }]).unwrap();
    responder.poll_command().unwrap();
    let mut large = page(1);
    let mut random = blake3::Hasher::new().finalize_xof();
    for sequence in 1..=10 {
        let mut body = vec![0; 60_000];
        random.fill(&mut body);
        large.proof.entries.push(super::super::feed::FeedEntry {
            sequence,
            edit: EditId(blake3::hash(&body).into()),
            author: crate::model::OfficerId(uuid::Uuid::nil()),
            device: crate::model::DeviceId([1; 32]),
            received_at: Timestamp(1),
            salt: super::super::feed::Salt::Own([0; 16]),
        });
        large.bodies.push(Some(body));
    }
    responder.handle_answer(WardAnswer::Page(Some(Box::new(large))));
    let said = responder.poll_transmit().unwrap();
    assert_eq!(said, WardMessage::Refuse(Refusal::Unavailable).encode());
}
