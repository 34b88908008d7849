//! Which files a ward takes, and how far it has them.

use gandan_core::model::{AttachmentHash, Role};
use gandan_core::protocol::file_tree::FileTree;
use gandan_core::protocol::limits::{ATTACHMENT_BYTES_MAX, ATTACHMENT_PART_BYTES};
use gandan_core::protocol::message::FileWord;
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use gandan_core::store::attachments;

use super::fixture::World;
use super::phone::Phone;
use crate::ward::Ward;

const PART: usize = ATTACHMENT_PART_BYTES;

fn image(salt: u8, length: usize) -> Vec<u8> {
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    image.resize(length, salt);
    image
}

fn word(word: FileWord) -> WardAnswer {
    WardAnswer::AttachmentWord(word)
}

/// A ward with a phone that has sent a case showing these files.
fn showing(files: &[&[u8]]) -> (World, Phone) {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    show(&world.ward, &mut phone, files);
    (world, phone)
}

fn show(ward: &Ward, phone: &mut Phone, files: &[&[u8]]) {
    let mut edits = vec![phone.case("Ngập", None)];
    for file in files {
        let last = edits.last().unwrap().clone();
        edits.push(phone.attach(&last, file));
    }
    phone.send(ward, &edits);
}

fn lacked(ward: &Ward, phone: &Phone) -> Vec<AttachmentHash> {
    let command = WardCommand::Greet {
        cursor: phone.cursor.clone(),
        device_time: gandan_core::model::Timestamp(0),
        app_version: String::new(),
    };
    match ward.execute(phone.device(), command).unwrap() {
        WardAnswer::Greeted { lacked, .. } => lacked,
        other => panic!("no greeting but {other:?}"),
    }
}

#[test]
fn a_file_comes_in_parts_and_goes_on_after_the_server_was_killed() {
    let file = image(1, 3 * PART + 100);
    let (world, phone) = showing(&[&file]);
    assert_eq!(lacked(&world.ward, &phone), [attachments::hash(&file)]);
    assert_eq!(
        phone.offer(&world.ward, &file),
        WardAnswer::AttachmentKept(0)
    );
    assert_eq!(
        phone.part(&world.ward, &file, 0),
        WardAnswer::AttachmentKept(PART)
    );
    let again = world.reopen(2);
    assert_eq!(phone.offer(&again, &file), WardAnswer::AttachmentKept(PART));
    // Twice, as after a word that was lost.
    assert_eq!(
        phone.part(&again, &file, 0),
        WardAnswer::AttachmentKept(PART)
    );
    assert_eq!(phone.upload(&again, &file), word(FileWord::Stored));
    assert_eq!(phone.offer(&again, &file), word(FileWord::Stored));
    let stored = again.attachment(attachments::hash(&file)).unwrap();
    assert_eq!(stored, Some((file, "image/png".to_owned())));
    assert_eq!(lacked(&again, &phone), []);
}

#[test]
fn what_two_phones_show_comes_from_both_of_them_once() {
    let file = image(1, 3 * PART);
    let (world, first) = showing(&[&file]);
    let mut second = Phone::enrol(&world, 2, Role::Officer, &[]);
    show(&world.ward, &mut second, &[&file]);
    first.part(&world.ward, &file, 0);
    assert_eq!(
        second.offer(&world.ward, &file),
        WardAnswer::AttachmentKept(PART)
    );
    second.part(&world.ward, &file, PART);
    assert_eq!(second.upload(&world.ward, &file), word(FileWord::Stored));
    // The first one did not hear of it and goes on.
    assert_eq!(
        first.part(&world.ward, &file, PART),
        WardAnswer::AttachmentKept(2 * PART)
    );
    assert_eq!(
        first.part(&world.ward, &file, 2 * PART),
        word(FileWord::Stored)
    );
    assert!(lacked(&world.ward, &first).is_empty() && lacked(&world.ward, &second).is_empty());
}

#[test]
fn a_file_to_which_no_admitted_case_refers_is_not_taken() {
    let file = image(1, 100);
    let (world, phone) = showing(&[]);
    assert_eq!(
        phone.offer(&world.ward, &file),
        word(FileWord::Unreferenced)
    );
    // Whoever sends all the same sends in vain.
    assert_eq!(
        phone.part(&world.ward, &file, 0),
        word(FileWord::Unreferenced)
    );
    let stored = world.ward.attachment(attachments::hash(&file)).unwrap();
    assert_eq!(stored, None);
}

#[test]
fn a_file_that_is_no_image_is_not_taken() {
    let script = b"<svg onload='alert(1)'/>";
    let (world, phone) = showing(&[script]);
    assert_eq!(phone.upload(&world.ward, script), word(FileWord::Refused));
    assert_eq!(
        phone.offer(&world.ward, script),
        WardAnswer::AttachmentKept(0)
    );
}

#[test]
fn a_device_that_begins_many_files_loses_the_oldest_and_no_other_device_does() {
    let files: Vec<Vec<u8>> = (0..6)
        .map(|salt| image(salt, ATTACHMENT_BYTES_MAX))
        .collect();
    let shown: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let (world, hostile) = showing(&shown);
    let mut other = Phone::enrol(&world, 2, Role::Officer, &[]);
    let own = image(9, 2 * PART);
    show(&world.ward, &mut other, &[&own]);
    other.part(&world.ward, &own, 0);
    // All but the last part of each.
    for file in &files {
        for offset in (0..ATTACHMENT_BYTES_MAX - PART).step_by(PART) {
            hostile.part(&world.ward, file, offset);
        }
        world.environment.advance(1_000);
    }
    let begun: Vec<bool> = files
        .iter()
        .map(|file| hostile.offer(&world.ward, file) != WardAnswer::AttachmentKept(0))
        .collect();
    assert_eq!(begun, [false, false, true, true, true, true]);
    assert_eq!(
        other.offer(&world.ward, &own),
        WardAnswer::AttachmentKept(PART)
    );
}

#[test]
fn a_file_goes_to_those_who_may_see_a_case_that_shows_it() {
    let file = image(1, 2 * PART + 5);
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    let mut edits = vec![phone.case("Ngập", Some("26998"))];
    edits.push(phone.attach(&edits[0].clone(), &file));
    phone.send(&world.ward, &edits);
    let colleague = Phone::enrol(&world, 2, Role::Leader, &[]);
    let stranger = Phone::enrol(&world, 3, Role::Officer, &["27001"]);
    let hash = attachments::hash(&file);
    let tree = |of: &Phone| {
        let command = WardCommand::ReadAttachment(hash);
        match world.ward.execute(of.device(), command).unwrap() {
            WardAnswer::AttachmentTree(tree) => tree,
            other => panic!("no tree but {other:?}"),
        }
    };
    let part = |of: &Phone, offset| {
        let command = WardCommand::ReadPart { hash, offset };
        match world.ward.execute(of.device(), command).unwrap() {
            WardAnswer::AttachmentPart(part) => part,
            other => panic!("no part but {other:?}"),
        }
    };
    assert_eq!(tree(&colleague), None, "it has not come yet");
    assert_eq!(phone.upload(&world.ward, &file), word(FileWord::Stored));
    assert_eq!(tree(&colleague), Some(FileTree::of(&file)));
    for (position, bytes) in file.chunks(PART).enumerate() {
        let came = part(&colleague, position * PART);
        assert_eq!(came.as_deref(), Some(bytes));
    }
    assert_eq!(part(&colleague, 1), None);
    assert_eq!(part(&colleague, 3 * PART), None);
    assert_eq!((tree(&stranger), part(&stranger, 0)), (None, None));
}
