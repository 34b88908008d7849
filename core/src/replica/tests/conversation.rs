use super::ward::*;
use super::*;
use crate::edit::{Edit, EncodedEdit, Operation};
use crate::model::{DocumentId, IntentId, Person, Status, Urgency};
use crate::policy::RejectionCode;
use crate::protocol::feed::Page;
use crate::protocol::verdict::Verdict;
use crate::store::rows::CaseQuery;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn case(text: &str) -> NewCase {
    NewCase {
        text: text.to_owned(),
        ..NewCase::default()
    }
}

/// A second phone, of the triage desk.
fn desk() -> (tempfile::TempDir, Replica) {
    let folder = tempfile::tempdir().unwrap();
    let replica = open(folder.path());
    enrol(&replica, OfficerId(Uuid::from_bytes([2; 16])), Role::Triage);
    (folder, replica)
}

fn status(status: Status) -> CaseChange {
    CaseChange {
        status: Some(status),
        ..CaseChange::default()
    }
}

fn sync_of(phone: &Replica, id: Uuid) -> SyncState {
    phone.case(id).unwrap().unwrap().sync
}

fn assert_sound(phone: &Replica) {
    assert_eq!(phone.check().unwrap(), Vec::<Uuid>::new());
}

fn count(phone: &Replica, table: &str) -> i64 {
    let count = |connection: &rusqlite::Connection| {
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get(0)
        })
    };
    phone.read(count).unwrap()
}

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
fn a_refused_edit_is_taken_back_and_stays_readable() {
    let (folder, phone) = phone();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("Cống tắc")).unwrap().id;
    begin(&phone);
    ward.hear(&phone);
    let change = CaseChange {
        text: Some("Cống tắc ba tuần".to_owned()),
        urgency: Some(Urgency::Urgent),
        ..CaseChange::default()
    };
    phone.edit_case(id, change).unwrap();
    let (bundle, sealed) = next_bundle(&phone).unwrap();
    phone.add_note(id, "dựa trên sửa đổi").unwrap();
    let actor = phone.core().actor;
    let refused = Verdict::Rejected {
        code: RejectionCode::NotYourRecord,
    };
    record(&phone, bundle, vec![refused]);

    let detail = phone.case(id).unwrap().unwrap();
    assert_eq!(detail.case.text, "Cống tắc");
    assert_eq!(detail.case.urgency, Urgency::Normal);
    assert_eq!(detail.case.notes, []);
    assert_eq!(detail.sync, SyncState::Rejected);
    let states: Vec<SyncState> = detail.history.iter().map(|entry| entry.sync).collect();
    assert_eq!(
        states,
        [
            SyncState::OnServer,
            SyncState::Rejected,
            SyncState::Rejected
        ]
    );
    let rejected = phone.rejected().unwrap();
    assert_eq!(rejected[0].edit, edits(&opened(&sealed))[0].id());
    assert_eq!(rejected[0].record, id);
    assert_eq!(rejected[0].reason, RejectionCode::NotYourRecord);
    let said = |item: &RejectedItem| -> Vec<Option<String>> {
        item.content
            .iter()
            .map(|change| change.value.clone())
            .collect()
    };
    assert_eq!(
        said(&rejected[0]),
        [Some("urgent".to_owned()), Some(" ba tuần".to_owned())]
    );
    assert_eq!(rejected[1].reason, RejectionCode::DependsOnRejected);
    assert_eq!(said(&rejected[1]), [Some("dựa trên sửa đổi".to_owned())]);
    assert_eq!(phone.pending().unwrap(), []);
    assert_sound(&phone);

    // Work goes on, under an actor whose numbers the ward has never seen.
    assert_ne!(phone.core().actor, actor);
    phone.add_note(id, "ghi lại").unwrap();
    drop(phone);
    let phone = open(folder.path());
    assert_eq!(phone.case(id).unwrap().unwrap().case.notes.len(), 1);
    assert_eq!(phone.rejected().unwrap().len(), 2);
    begin(&phone);
    ward.hear(&phone);
    assert_eq!(ward.tell(&phone, 0), []);
    assert_sound(&phone);
}

#[test]
fn a_case_that_was_refused_whole_can_still_be_read() {
    let (_folder, phone) = phone();
    let citizen = Person {
        name: Some("Nguyễn Thị Thịnh".to_owned()),
        ..Person::default()
    };
    let recorded = phone
        .record_case(NewCase {
            citizen: Some(citizen),
            ..case("Cống tắc")
        })
        .unwrap();
    phone.add_note(recorded.id, "một").unwrap();
    begin(&phone);
    let (bundle, _) = next_bundle(&phone).unwrap();
    let refused = |code| Verdict::Rejected { code };
    let verdicts = vec![
        refused(RejectionCode::OutOfScope),
        refused(RejectionCode::NotYourRecord),
        refused(RejectionCode::DependsOnRejected),
    ];
    record(&phone, bundle, verdicts);
    let detail = phone.case(recorded.id).unwrap().unwrap();
    assert_eq!(detail.case.text, "Cống tắc");
    assert_eq!(detail.case.notes.len(), 1);
    assert_eq!(
        detail.citizen.unwrap().name.as_deref(),
        Some("Nguyễn Thị Thịnh")
    );
    assert_eq!(detail.sync, SyncState::Rejected);
    let listed = phone.cases(&CaseQuery::default()).unwrap();
    assert_eq!(listed[0].sync, SyncState::Rejected);
    assert!(matches!(
        phone.add_note(recorded.id, "x"),
        Err(RecordError::NotAllowed(RejectionCode::DependsOnRejected))
    ));
    let reasons: Vec<RejectionCode> = phone
        .rejected()
        .unwrap()
        .iter()
        .map(|item| item.reason)
        .collect();
    assert_eq!(
        reasons,
        [
            RejectionCode::OutOfScope,
            RejectionCode::DependsOnRejected,
            RejectionCode::NotYourRecord
        ]
    );
    assert_eq!(count(&phone, "bundles"), 0);
    assert_sound(&phone);
}

#[test]
fn what_was_refused_and_is_admitted_after_all_is_in_the_document_again() {
    let (_folder, phone) = phone();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("x")).unwrap().id;
    phone.add_note(id, "một").unwrap();
    begin(&phone);
    let (bundle, sealed) = next_bundle(&phone).unwrap();
    let code = RejectionCode::OutOfScope;
    record(&phone, bundle, vec![Verdict::Rejected { code }; 2]);
    assert_eq!(phone.pending().unwrap(), []);
    ward.admit(&phone, &opened(&sealed));
    assert_eq!(ward.tell(&phone, 0), []);
    assert_eq!(phone.rejected().unwrap(), []);
    assert_eq!(sync_of(&phone, id), SyncState::OnServer);
    assert_eq!(phone.case(id).unwrap().unwrap().case.notes.len(), 1);
    assert_sound(&phone);
}

#[test]
fn others_edits_arrive_and_concurrent_values_are_shown() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    ward.hear(&phone);
    ward.tell(&phone, 0);
    ward.tell(&desk, 0);
    assert_eq!(sync_of(&desk, id), SyncState::OnServer);
    let urgency = |urgency| CaseChange {
        urgency: Some(urgency),
        ..CaseChange::default()
    };
    phone.edit_case(id, urgency(Urgency::High)).unwrap();
    desk.edit_case(id, urgency(Urgency::Low)).unwrap();
    desk.edit_case(id, status(Status::Accepted)).unwrap();
    begin(&desk);
    ward.hear(&desk);
    begin(&phone);
    ward.hear(&phone);
    for replica in [&phone, &desk] {
        assert_eq!(ward.tell(replica, 1), []);
        assert_sound(replica);
        let detail = replica.case(id).unwrap().unwrap();
        assert_eq!(detail.case.status, Status::Accepted);
        assert_eq!(detail.case.conflicts[0].values.len(), 2);
        assert_eq!(detail.sync, SyncState::OnServer);
        assert_eq!(detail.history.len(), 4);
    }
    let of = |replica: &Replica| replica.case(id).unwrap().unwrap().case;
    assert_eq!(of(&phone), of(&desk));
    // The choice settles it.
    desk.edit_case(id, urgency(Urgency::Low)).unwrap();
    assert_eq!(of(&desk).conflicts, []);
}

#[test]
fn an_edit_whose_dependency_is_missing_waits_and_the_cursor_with_it() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = desk.record_case(case("từ quầy")).unwrap().id;
    desk.add_note(id, "một").unwrap();
    desk.add_note(id, "hai").unwrap();
    begin(&desk);
    ward.hear(&desk);
    let creation = ward.feed[0].id;

    // The note first, the creation only by name.
    let missing = apply(&phone, ward.page_of(&[1, 2], 0));
    assert_eq!(missing, [creation]);
    assert!(phone.case(id).unwrap().is_none());
    assert_eq!(
        begin(&phone),
        [0u8; 0],
        "it would never be told of the creation again"
    );
    assert_eq!(apply(&phone, ward.named(&missing)), []);
    assert_eq!(phone.case(id).unwrap().unwrap().case.notes.len(), 2);
    assert_eq!(begin(&phone), [1, 3]);
    assert_eq!(count(&phone, "set_aside"), 0);
    assert_sound(&phone);
}

#[test]
fn what_the_ward_never_gives_holds_the_cursor_up_for_a_few_conversations_only() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = desk.record_case(case("từ quầy")).unwrap().id;
    desk.add_note(id, "một").unwrap();
    begin(&desk);
    ward.hear(&desk);
    assert_eq!(apply(&phone, ward.page_of(&[1], 0)).len(), 1);
    let cursors: Vec<Vec<u8>> = (0..6).map(|_| begin(&phone)).collect();
    assert_eq!(cursors[4], [0u8; 0]);
    assert_eq!(cursors[5], [1, 2]);
    assert_eq!(count(&phone, "set_aside"), 1);
}

#[test]
fn an_edit_that_cannot_be_used_is_set_aside_and_blocks_nothing() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = desk.record_case(case("từ quầy")).unwrap().id;
    begin(&desk);
    ward.hear(&desk);
    let creation = ward.feed[0].id;
    ward.admit_bytes(b"an edit of a newer app");
    let misplaced = Edit {
        document: DocumentId::case(id),
        intent: IntentId([5; 16]),
        actor: ActorId([5; 16]),
        sequence: 7,
        dependencies: vec![creation],
        device_time: MORNING,
        operations: vec![Operation::Increment {
            field: crate::edit::FieldName::new("households").unwrap(),
            by: 1,
        }],
    };
    ward.admit_bytes(EncodedEdit::encode(misplaced).unwrap().bytes());
    desk.add_note(id, "sau đó").unwrap();
    ward.hear(&desk);
    assert_eq!(ward.tell(&phone, 0), []);
    assert_eq!(count(&phone, "set_aside"), 2);
    assert_eq!(phone.case(id).unwrap().unwrap().case.notes.len(), 1);
    assert_eq!(begin(&phone), [1, 4]);
    assert_sound(&phone);
    // Named again, in another life of the feed, they are still there once.
    ward.restore(4);
    assert_eq!(ward.tell(&phone, 0), []);
    assert_eq!(count(&phone, "set_aside"), 2);
    assert_eq!(
        count(&phone, "proofs"),
        1,
        "nothing refers to the older page"
    );
}

#[test]
fn a_phone_put_back_from_a_backup_asks_for_its_own_edits() {
    let (folder, phone) = phone();
    let mut ward = TestWard::new();
    let backup = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), backup.path().join(entry.file_name())).unwrap();
    }
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    ward.hear(&phone);
    let restored = open(backup.path());
    let missing = ward.tell(&restored, 0);
    assert_eq!(missing, [ward.feed[0].id]);
    assert_eq!(apply(&restored, ward.named(&missing)), []);
    assert_eq!(sync_of(&restored, id), SyncState::OnServer);
}

#[test]
fn a_restored_ward_gets_back_what_it_once_signed_and_what_it_only_promised() {
    let (_folder, phone) = phone();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    ward.hear(&phone);
    ward.tell(&phone, 0);
    let photo = phone.attach(id, "x.png", PNG).unwrap();
    let promised = next_bundle(&phone).unwrap();
    record(&phone, promised.0, ward.admit(&phone, &opened(&promised.1)));
    phone
        .execute(DeviceCommand::ConfirmAttachment(photo.hash))
        .unwrap();
    assert_eq!(sync_of(&phone, id), SyncState::OnServer);

    ward.restore(0);
    assert_eq!(begin(&phone), [1, 1]);
    phone.execute(DeviceCommand::BeginReturn).unwrap();
    assert_eq!(
        sync_of(&phone, id),
        SyncState::Recorded,
        "the photo may be lost"
    );
    let page = next_return(&phone).unwrap();
    assert!(crate::protocol::feed::verify_proof(
        phone.enrolment().unwrap().ward_key,
        &page.proof
    ));
    let body = page.bodies[0].clone().unwrap();
    assert_eq!(
        page.proof.entries[0].edit.0,
        *blake3::hash(&body).as_bytes()
    );
    assert_eq!(page.cursor, None);
    assert_eq!(next_return(&phone), None);
    assert_eq!(next_bundle(&phone), Some(promised));
    assert_eq!(next_bundle(&phone), None);
    assert!(matches!(
        phone.execute(DeviceCommand::NextAttachment).unwrap(),
        DeviceAnswer::Attachment(Some(_))
    ));
    // Interrupted: the next conversation begins with the old cursor, so that all this happens again.
    assert_eq!(begin(&phone), [1, 1]);
}

#[test]
fn what_the_ward_accepted_and_its_feed_went_by_is_sent_again() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    let (bundle, sealed) = next_bundle(&phone).unwrap();
    record(&phone, bundle, ward.admit(&phone, &opened(&sealed)));
    // Put back from a copy that is older than this, the ward takes others' edits meanwhile.
    ward.restore(0);
    desk.record_case(case("y")).unwrap();
    begin(&desk);
    ward.hear(&desk);
    assert_eq!(sync_of(&phone, id), SyncState::OnServer);
    ward.tell(&phone, 0);
    assert_eq!(sync_of(&phone, id), SyncState::Sending);
    begin(&phone);
    assert_eq!(next_bundle(&phone), Some((bundle, sealed)));
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
fn an_intent_that_the_ward_applied_through_another_edit_is_there_once() {
    let (_folder, phone) = phone();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("x")).unwrap().id;
    phone.add_note(id, "một lần").unwrap();
    phone.add_note(id, "dựa trên đó").unwrap();
    begin(&phone);
    let (bundle, sealed) = next_bundle(&phone).unwrap();
    let own = edits(&opened(&sealed));
    // A clone authored the same anew under another actor, and the ward took that.
    let twin = EncodedEdit::encode(Edit {
        actor: ActorId([8; 16]),
        sequence: 1,
        ..own[1].edit().clone()
    })
    .unwrap();
    ward.admit_edit(&phone, &own[0]);
    ward.admit_bytes(twin.bytes());
    let verdicts = vec![
        Verdict::Accepted { sequence: 1 },
        Verdict::Duplicate { sequence: 2 },
        Verdict::Waiting {
            dependency: own[1].id(),
        },
    ];
    record(&phone, bundle, verdicts);
    assert_eq!(ward.tell(&phone, 0), []);
    let notes = phone.case(id).unwrap().unwrap().case.notes;
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].text, "một lần");
    let rejected = phone.rejected().unwrap();
    assert_eq!(rejected.len(), 1, "what was built on it stays readable");
    assert_eq!(rejected[0].content[0].value.as_deref(), Some("dựa trên đó"));
    assert_sound(&phone);
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
fn the_rescue_file_holds_everything_that_the_ward_does_not_have() {
    use crate::rescue::{Opener, RescueItem, public_key};
    let (_folder, phone) = phone();
    let mut enrolment = phone.enrolment().unwrap();
    let seed = [11; 32];
    enrolment.rescue_key = public_key(&seed);
    phone.set_enrolment(&enrolment).unwrap();
    let id = phone.record_case(case("x")).unwrap().id;
    begin(&phone);
    let (bundle, _) = next_bundle(&phone).unwrap();
    let code = RejectionCode::OutOfScope;
    record(&phone, bundle, vec![Verdict::Rejected { code }]);
    let other = phone.record_case(case("y")).unwrap().id;
    next_bundle(&phone).unwrap();
    phone.attach(other, "1.png", PNG).unwrap();

    let file = phone.rescue_file().unwrap();
    let opener = Opener::new(&seed, "26995".parse().unwrap(), &file).unwrap();
    let mut documents = Vec::new();
    let mut files = Vec::new();
    for item in opener {
        match item.unwrap() {
            RescueItem::Bundle(sealed) => documents.extend(
                edits(&opened(&sealed))
                    .iter()
                    .map(|edit| edit.edit().document.uuid),
            ),
            RescueItem::Attachment(bytes) => files.push(bytes),
        }
    }
    assert_eq!(documents, [other, other, id]);
    assert_eq!(files, [PNG]);
    // The phone goes on as if nothing had happened.
    begin(&phone);
    assert!(next_bundle(&phone).is_some());
    assert_eq!(phone.pending().unwrap().len(), 3);
}

#[test]
fn a_page_is_whole_or_not_at_all() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    for number in 0..40 {
        desk.record_case(case(&format!("{number} {}", "dài ".repeat(400))))
            .unwrap();
    }
    begin(&desk);
    ward.hear(&desk);
    let page: Page = ward.page(&phone, 0);
    let limit = |pages: i64| {
        let core = phone.core();
        let connection = &core.store.connection;
        connection
            .pragma_update(None, "max_page_count", pages)
            .unwrap();
    };
    limit(60);
    let result = phone.execute(DeviceCommand::ApplyPage(Box::new(page.clone())));
    assert!(matches!(result, Err(StoreError::Full)), "{result:?}");
    assert_eq!(phone.cases(&CaseQuery::default()).unwrap(), []);
    assert_eq!(begin(&phone), [0u8; 0]);
    limit(1_000_000);
    assert_eq!(apply(&phone, page), []);
    assert_eq!(phone.cases(&CaseQuery::default()).unwrap().len(), 40);
    assert_sound(&phone);
}
