//! A device that stays: what reaches it by itself, what it says meanwhile, and what a slow one costs.

use super::super::initiator::Initiator;
use super::super::responder::{Responder, WardCommand};
use super::super::violation::Violation;
use super::ward::{COLLEAGUE, DEVICE};
use super::*;
use crate::protocol::message::{DeviceMessage, WardMessage};

/// A connection that goes on, bytes handed over at once.
struct Live {
    device: FakeDevice,
    ward: FakeWard,
    initiator: Initiator,
    responder: Responder,
    progress: Vec<Progress>,
    /// Bytes that the ward sent.
    down: usize,
    /// Bytes that the device sent.
    up: usize,
}

impl Live {
    /// A device that has read everything and stays.
    fn new() -> Self {
        let (mut device, ward) = acquainted();
        let mut initiator = Initiator::new(device.opening());
        initiator.stay();
        let mut live = Self {
            device,
            ward,
            initiator,
            responder: Responder::new(),
            progress: Vec::new(),
            down: 0,
            up: 0,
        };
        live.settle();
        assert!(live.initiator.is_following() && live.responder.is_following());
        assert_eq!(live.progress, [Progress::Welcomed, Progress::CaughtUp]);
        live.forget();
        live
    }

    fn forget(&mut self) {
        self.progress.clear();
        self.ward.log.clear();
        self.device.log.clear();
        (self.up, self.down) = (0, 0);
    }

    fn device_turn(&mut self) -> bool {
        let mut is_moving = false;
        while let Some(command) = self.initiator.poll_command() {
            let answer = self.device.execute(command);
            self.initiator.handle_answer(answer);
        }
        while let Some(bytes) = self.initiator.poll_transmit() {
            self.up += bytes.len();
            self.responder.handle_bytes(&bytes).unwrap();
            is_moving = true;
        }
        let told = std::iter::from_fn(|| self.initiator.poll_progress());
        self.progress.extend(told);
        is_moving
    }

    fn ward_turn(&mut self) -> bool {
        let mut is_moving = false;
        while let Some(command) = self.responder.poll_command() {
            let answer = self.ward.execute(command);
            self.responder.handle_answer(answer);
            is_moving = true;
        }
        while let Some(bytes) = self.responder.poll_transmit() {
            self.down += bytes.len();
            self.initiator.handle_bytes(&bytes).unwrap();
            is_moving = true;
        }
        is_moving
    }

    fn settle(&mut self) {
        while self.device_turn() | self.ward_turn() {}
    }

    fn admit(&mut self, edit: &FakeEdit) {
        self.ward.admit_from_colleague(edit);
        self.responder.note_feed();
    }
}

#[test]
fn what_is_admitted_meanwhile_comes_by_itself() {
    let mut live = Live::new();
    let edit = FakeEdit::new("nước ngập");
    live.admit(&edit);
    live.settle();
    assert_eq!(live.progress, [Progress::Received { edits: 1 }]);
    assert_eq!(live.device.edits[&edit.id()], edit.body());
    assert_eq!(live.ward.log, ["read feed", "read feed"]);
    assert_eq!(live.up, DeviceMessage::Taken.encode().len());
}

#[test]
fn while_nothing_happens_nothing_is_said_and_nothing_read() {
    let mut live = Live::new();
    live.settle();
    assert_eq!((live.up, live.down), (0, 0));
    assert_eq!(live.ward.log, [""; 0]);
}

#[test]
fn what_came_between_the_last_word_and_the_wish_to_stay_is_heard() {
    let (mut device, mut ward) = acquainted();
    let mut initiator = Initiator::new(device.opening());
    initiator.stay();
    let mut responder = Responder::new();
    let edit = FakeEdit::new("nước ngập");
    let mut has_come = false;
    for _ in 0..20 {
        while let Some(command) = initiator.poll_command() {
            let answer = device.execute(command);
            initiator.handle_answer(answer);
        }
        if initiator.is_following() && !has_come {
            // Nobody tells the responder, which does not follow yet.
            ward.admit_from_colleague(&edit);
            has_come = true;
        }
        while let Some(bytes) = initiator.poll_transmit() {
            responder.handle_bytes(&bytes).unwrap();
        }
        while let Some(command) = responder.poll_command() {
            let answer = ward.execute(command);
            responder.handle_answer(answer);
        }
        while let Some(bytes) = responder.poll_transmit() {
            initiator.handle_bytes(&bytes).unwrap();
        }
    }
    assert!(device.edits.contains_key(&edit.id()));
}

#[test]
fn news_that_come_while_the_feed_is_being_read_are_read_again() {
    let mut live = Live::new();
    live.responder.note_feed();
    let command = live.responder.poll_command().unwrap();
    assert!(matches!(command, WardCommand::ReadFeed(_)));
    let answer = live.ward.execute(command);
    let edit = FakeEdit::new("nước ngập");
    live.admit(&edit);
    live.responder.handle_answer(answer);
    live.settle();
    assert!(live.device.edits.contains_key(&edit.id()));
}

#[test]
fn what_is_recorded_meanwhile_is_said_and_judged_and_its_proof_comes_back() {
    let mut live = Live::new();
    let edit = FakeEdit::new("cống nghẹt");
    live.device.record(std::slice::from_ref(&edit));
    live.initiator.look_again();
    live.settle();
    assert!(live.ward.has(edit.id()));
    assert!(live.device.has_final_words());
    assert!(
        !live.ward.log.contains(&"read feed"),
        "no pull: {:?}",
        live.ward.log
    );
    live.responder.note_feed();
    live.settle();
    let proven = live.device.pages.last().unwrap();
    assert_eq!(proven.proof.entries.last().unwrap().device, DEVICE);
}

#[test]
fn an_edit_that_waits_for_a_colleagues_goes_again_when_that_has_come() {
    let mut live = Live::new();
    let first = FakeEdit::new("của đồng nghiệp");
    let second = FakeEdit::after("của tôi", &first);
    live.device.record(std::slice::from_ref(&second));
    live.initiator.look_again();
    live.settle();
    assert!(!live.ward.has(second.id()));
    live.admit(&first);
    live.settle();
    assert!(live.ward.has(second.id()), "{:?}", live.device.bundles);
}

#[test]
fn a_photo_that_is_attached_meanwhile_goes_up() {
    let mut live = Live::new();
    let hash = live.device.attach(vec![7; 100_000]);
    live.initiator.look_again();
    live.settle();
    assert!(live.ward.files.contains_key(&hash));
    assert!(live.initiator.is_following());
}

#[test]
fn a_reader_that_takes_nothing_costs_the_window_and_hears_everything_later() {
    let mut live = Live::new();
    let edits = cases(100..140);
    let mut held = Vec::new();
    for edit in &edits {
        live.admit(edit);
        while let Some(command) = live.responder.poll_command() {
            let answer = live.ward.execute(command);
            live.responder.handle_answer(answer);
        }
        held.extend(std::iter::from_fn(|| live.responder.poll_transmit()));
    }
    assert_eq!(held.len(), limits::PAGES_FOLLOWED_MAX);
    assert_eq!(live.ward.log.len(), limits::PAGES_FOLLOWED_MAX + 1);
    assert!(live.responder.is_ahead() && !live.responder.is_busy());
    for bytes in held {
        live.initiator.handle_bytes(&bytes).unwrap();
    }
    live.settle();
    assert!(
        edits
            .iter()
            .all(|edit| live.device.edits.contains_key(&edit.id()))
    );
    assert!(!live.responder.is_ahead());
}

#[test]
fn a_page_that_brings_the_device_nothing_is_kept_from_it() {
    let mut live = Live::new();
    live.responder.note_feed();
    let command = live.responder.poll_command().unwrap();
    live.admit(&FakeEdit::new("việc của nơi khác"));
    let mut answer = live.ward.execute(command);
    if let super::super::responder::WardAnswer::Page(Some(page)) = &mut answer {
        page.proof.entries.clear();
        page.bodies.clear();
    }
    live.responder.handle_answer(answer);
    live.settle();
    assert_eq!((live.up, live.down), (0, 0));
    let edit = FakeEdit::new("việc của mình");
    live.admit(&edit);
    live.settle();
    let page = live.device.pages.last().unwrap();
    assert_eq!(
        page.proof.entries.len(),
        1,
        "it goes on behind what it was not told"
    );
    assert_eq!(page.proof.entries[0].device, COLLEAGUE);
}

#[test]
fn reference_data_that_changed_comes_once_and_is_taken_like_a_page() {
    let mut live = Live::new();
    live.responder.note_directory();
    live.settle();
    assert_eq!((live.up, live.down), (0, 0), "it has not changed");
    for name in ["Phường Tân Hòa mới", "Phường Tân Hòa mới nữa"] {
        live.ward.directory.ward_name = name.to_owned();
        live.responder.note_directory();
        live.settle();
        assert_eq!(live.device.directory.as_ref().unwrap().0.ward_name, name);
    }
    assert!(!live.responder.is_ahead());
}

#[test]
fn a_device_that_asks_whether_the_ward_is_there_is_answered_each_time() {
    let mut live = Live::new();
    for _ in 0..3 {
        live.forget();
        live.initiator.ask_whether_there();
        live.settle();
        assert!(live.up > 0 && live.down > 0);
        assert_eq!(live.progress, [], "nothing to show");
    }
    live.admit(&FakeEdit::new("nước ngập"));
    live.settle();
    assert_eq!(live.progress, [Progress::Received { edits: 1 }]);
}

#[test]
fn a_device_that_leaves_says_what_it_has_to_say_first_and_hears_no_more() {
    let mut live = Live::new();
    let edit = FakeEdit::new("cống nghẹt");
    live.device.record(std::slice::from_ref(&edit));
    live.initiator.look_again();
    live.initiator.leave();
    live.settle();
    assert!(live.ward.has(edit.id()));
    assert!(live.initiator.is_finished() && live.responder.is_finished());
    // What the ward had sent by itself before it heard the goodbye.
    let held = Default::default();
    let late = WardMessage::CaughtUp { held }.encode();
    assert_eq!(live.initiator.handle_bytes(&late), Ok(()));
    assert_eq!(live.initiator.handle_end(), Ok(()));
}

#[test]
fn who_leaves_before_everything_was_said_says_it_and_goes() {
    let (mut device, mut ward) = acquainted();
    device.record(&cases(10..12));
    let mut initiator = Initiator::new(device.opening());
    initiator.stay();
    initiator.leave();
    let mut responder = Responder::new();
    while !initiator.is_finished() {
        while let Some(command) = initiator.poll_command() {
            initiator.handle_answer(device.execute(command));
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
    assert!(device.has_final_words());
}

#[test]
fn a_revoked_device_hears_why_at_the_next_news() {
    let mut live = Live::new();
    live.responder.note_feed();
    live.responder.poll_command().unwrap();
    let refused = super::super::responder::WardAnswer::Refused(Refusal::Revoked);
    live.responder.handle_answer(refused);
    let said = live.responder.poll_transmit().unwrap();
    let heard = live.initiator.handle_bytes(&said);
    assert_eq!(heard, Err(ConversationError::Refused(Refusal::Revoked)));
    assert!(live.responder.is_finished() && !live.responder.is_following());
}

#[test]
fn staying_comes_after_the_end_of_the_feed_once_at_a_time_and_needs_no_pull() {
    let follow = DeviceMessage::Follow { window: 2 }.encode();
    let pull = DeviceMessage::Pull { window: 4 }.encode();
    let mut live = Live::new();
    assert_eq!(
        live.responder.handle_bytes(&pull),
        Err(Violation::Unexpected)
    );
    let mut live = Live::new();
    live.responder.handle_bytes(&follow).unwrap();
    let twice = live.responder.handle_bytes(&follow);
    assert_eq!(twice, Err(Violation::TooManyInFlight));
    let (mut device, _) = acquainted();
    let mut responder = Responder::new();
    let hello = Initiator::new(device.opening()).poll_transmit().unwrap();
    responder.handle_bytes(&hello).unwrap();
    assert_eq!(responder.handle_bytes(&follow), Err(Violation::Unexpected));
}

#[test]
fn a_ward_that_sends_more_pages_than_were_taken_breaks_the_protocol() {
    let mut live = Live::new();
    for edit in cases(200..203) {
        live.ward.admit_from_colleague(&edit);
    }
    let mut heard = Ok(());
    live.ward.page_entries = 1;
    let mut cursor = live.device.cursor.clone();
    for _ in 0..=limits::PAGES_FOLLOWED_MAX {
        let answer = live.ward.execute(WardCommand::ReadFeed(cursor));
        let super::super::responder::WardAnswer::Page(Some(page)) = answer else {
            panic!("a page follows");
        };
        cursor = page.cursor.clone().unwrap();
        let message = crate::protocol::message::WardMessage::Page(page.seal());
        heard = heard.and(live.initiator.handle_bytes(&message.encode()));
    }
    let violation = ConversationError::Violation(Violation::TooManyInFlight);
    assert_eq!(heard, Err(violation));
}
