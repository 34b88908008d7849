use super::ward::*;
use super::*;
use crate::model::AttachmentHash;
use crate::policy::RejectionCode;
use crate::protocol::verdict::Verdict;

#[test]
fn unsent_edits_go_up_in_order_and_again_byte_for_byte() {
    let (folder, phone) = phone();
    let id = phone.record_case(case("x")).unwrap().id;
    let note = phone.add_note(id, "một").unwrap();
    begin(&phone);
    assert_eq!(sync_of(&phone, id), SyncState::Recorded);
    let first = next_bundle(&phone).unwrap();
    assert_eq!(next_bundle(&phone), None, "given once in a conversation");
    assert_eq!(sync_of(&phone, id), SyncState::Sending);
    let sealed = edits(&opened(&first.1));
    assert!(sealed[0].edit().dependencies.is_empty());
    assert_eq!(sealed[1].edit().dependencies, [sealed[0].id()]);
    assert_eq!(
        opened(&first.1).proof.device.0,
        phone.device_key().verifying_key().to_bytes()
    );

    // What is recorded later goes into another bundle; the connection broke before any word.
    phone.add_note(id, "hai").unwrap();
    assert_eq!(sync_of(&phone, id), SyncState::Recorded);
    drop(phone);
    let phone = open(folder.path());
    begin(&phone);
    assert_eq!(next_bundle(&phone), Some(first));
    let second = next_bundle(&phone).unwrap();
    assert_eq!(edits(&opened(&second.1)).len(), 1);
    let detail = phone.case(id).unwrap().unwrap();
    assert_eq!(detail.case.notes[0].id, note);
    assert_eq!(phone.pending().unwrap().len(), 3);
}

#[test]
fn an_accepted_edit_is_on_the_server_and_its_bundle_goes_once_a_page_names_it() {
    let (_folder, phone) = phone();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    ward.hear(&phone);
    assert_eq!(sync_of(&phone, id), SyncState::OnServer);
    assert_eq!(phone.pending().unwrap(), []);
    assert_eq!(count(&phone, "bundles"), 1);
    assert_eq!(ward.tell(&phone, 0), []);
    assert_eq!(count(&phone, "bundles"), 0);
    assert_eq!(count(&phone, "outbox"), 0);
    assert_eq!(count(&phone, "proofs"), 1);
    let entry = &phone.case(id).unwrap().unwrap().history[0];
    assert_eq!(entry.received_at, Some(Timestamp(MORNING.0 + 60_000)));
    assert_eq!(begin(&phone), [1, 1]);
    assert_eq!(next_bundle(&phone), None);
}

#[test]
fn an_edit_that_waits_goes_once_more_after_what_it_waits_for() {
    let (_folder, phone) = phone();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    let (first, sealed) = next_bundle(&phone).unwrap();
    let creation = edits(&opened(&sealed))[0].clone();
    phone.add_note(id, "một").unwrap();
    let second = next_bundle(&phone).unwrap();
    let waiting = Verdict::Waiting {
        dependency: creation.id(),
    };
    record(&phone, second.0, vec![waiting]);
    assert_eq!(next_bundle(&phone), None);
    record(&phone, first, vec![ward.admit_edit(&phone, &creation)]);
    assert_eq!(next_bundle(&phone).as_ref(), Some(&second));
    record(&phone, second.0, vec![waiting]);
    record(&phone, first, vec![ward.admit_edit(&phone, &creation)]);
    assert_eq!(
        next_bundle(&phone),
        None,
        "not for ever in one conversation"
    );
    assert_eq!(sync_of(&phone, id), SyncState::Sending);
    begin(&phone);
    assert_eq!(
        next_bundle(&phone).map(|(id, _)| id),
        Some(first),
        "no page named it"
    );
    assert_eq!(next_bundle(&phone), Some(second));
}

#[test]
fn a_bundle_that_the_ward_cannot_open_is_sealed_anew_in_the_next_conversation() {
    let (_folder, phone) = phone();
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    let (first, _) = next_bundle(&phone).unwrap();
    record(&phone, first, Vec::new());
    assert_eq!(sync_of(&phone, id), SyncState::Recorded);
    assert_eq!(next_bundle(&phone), None);
    begin(&phone);
    assert_eq!(edits(&opened(&next_bundle(&phone).unwrap().1)).len(), 1);
    assert_eq!(count(&phone, "bundles"), 1);
}

#[test]
fn a_word_on_a_bundle_that_is_long_finished_changes_nothing() {
    let (_folder, phone) = phone();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    let (bundle, sealed) = next_bundle(&phone).unwrap();
    ward.admit(&phone, &opened(&sealed));
    ward.tell(&phone, 0);
    let code = RejectionCode::OutOfScope;
    record(&phone, bundle, vec![Verdict::Rejected { code }]);
    assert_eq!(sync_of(&phone, id), SyncState::OnServer);
    assert_eq!(phone.rejected().unwrap(), []);
}

#[test]
fn attachments_go_up_until_the_ward_confirms_them() {
    let (_folder, phone) = phone();
    let id = phone.record_case(case("x")).unwrap().id;
    let first = phone.attach(id, "1.png", PNG).unwrap();
    let second = phone.attach(id, "2.png", &[PNG, b"2"].concat()).unwrap();
    let next = |phone: &Replica| match phone.execute(DeviceCommand::NextAttachment).unwrap() {
        DeviceAnswer::Attachment(attachment) => attachment.map(|attachment| attachment.hash),
        other => panic!("{other:?}"),
    };
    begin(&phone);
    assert_eq!(next(&phone), Some(first.hash));
    assert_eq!(next(&phone), Some(second.hash));
    assert_eq!(next(&phone), None);
    phone
        .execute(DeviceCommand::ConfirmAttachment(first.hash))
        .unwrap();
    begin(&phone);
    assert_eq!(next(&phone), Some(second.hash));
    assert_eq!(
        phone.case(id).unwrap().unwrap().attachments_on_server,
        [first.hash]
    );
}

#[test]
fn an_original_goes_only_when_the_ward_has_it_and_comes_back_when_it_is_wanted() {
    let (_folder, phone) = phone();
    let id = phone.record_case(case("x")).unwrap().id;
    let other = phone.record_case(case("y")).unwrap().id;
    let file = [PNG, &[7; 40_000]].concat();
    let hash = phone.attach(id, "1.png", &file).unwrap().hash;
    phone.attach(other, "1.png", &file).unwrap();
    let status = |phone: &Replica| phone.case(id).unwrap().unwrap().attachments[0];
    assert_eq!(phone.free_space().unwrap(), FreedSpace::default());
    assert_eq!(status(&phone).state, AttachmentState::Waiting);
    let kept = DeviceCommand::NoteKept {
        hash,
        bytes: 16_384,
    };
    phone.execute(kept).unwrap();
    let sending = status(&phone);
    assert_eq!(
        (sending.state, sending.bytes_done),
        (AttachmentState::Sending, 16_384)
    );
    phone
        .execute(DeviceCommand::ConfirmAttachment(hash))
        .unwrap();
    // Nothing goes by itself.
    assert_eq!(phone.attachment(hash).unwrap(), Some(file.clone()));
    let freed = phone.free_space().unwrap();
    assert_eq!((freed.files, freed.bytes), (1, file.len() as u64));
    assert_eq!(phone.attachment(hash).unwrap(), None);
    let gone = status(&phone);
    assert_eq!((gone.state, gone.is_here), (AttachmentState::OnWard, false));

    let next = |phone: &Replica| phone.execute(DeviceCommand::NextFetch).unwrap();
    begin(&phone);
    assert_eq!(next(&phone), DeviceAnswer::Fetch(None));
    phone.request_attachment(hash).unwrap();
    assert!(matches!(
        phone.request_attachment(AttachmentHash([9; 32])),
        Err(RecordError::NotFound)
    ));
    let keep = |phone: &Replica, offset: usize, end: usize| {
        let bytes = file[offset..end].to_vec();
        phone
            .execute(DeviceCommand::KeepFetched {
                hash,
                size: file.len(),
                offset,
                bytes,
            })
            .unwrap();
    };
    assert_eq!(next(&phone), DeviceAnswer::Fetch(Some((hash, 0))));
    keep(&phone, 0, 16_384);
    assert_eq!(next(&phone), DeviceAnswer::Fetch(None), "once each time");
    begin(&phone);
    assert_eq!(next(&phone), DeviceAnswer::Fetch(Some((hash, 16_384))));
    keep(&phone, 16_384, 32_768);
    keep(&phone, 32_768, file.len());
    assert_eq!(phone.attachment(hash).unwrap(), Some(file));
    assert!(status(&phone).is_here);
    begin(&phone);
    assert_eq!(next(&phone), DeviceAnswer::Fetch(None));
}
