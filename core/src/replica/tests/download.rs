use super::ward::*;
use super::*;
use crate::edit::{Edit, EncodedEdit, Operation};
use crate::model::{DocumentId, IntentId, Status, Urgency};
use crate::protocol::feed::Page;
use crate::store::rows::CaseQuery;

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
fn an_edit_whose_dependency_is_missing_waits_while_the_phone_asks_for_it_by_name() {
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
    let opening = phone.begin_conversation("test").unwrap().unwrap();
    assert_eq!(opening.cursor.0, [1, 3]);
    assert_eq!(opening.wanted, [creation], "it is asked for again");
    assert_eq!(apply(&phone, ward.named(&missing)), []);
    assert_eq!(phone.case(id).unwrap().unwrap().case.notes.len(), 2);
    assert_eq!(wanted(&phone), []);
    assert_eq!(count(&phone, "set_aside"), 0);
    assert_sound(&phone);
}

#[test]
fn what_the_ward_never_gives_is_asked_for_in_a_few_conversations_only() {
    let (_folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    let id = desk.record_case(case("từ quầy")).unwrap().id;
    desk.add_note(id, "một").unwrap();
    begin(&desk);
    ward.hear(&desk);
    assert_eq!(apply(&phone, ward.page_of(&[1], 0)).len(), 1);
    let asked: Vec<usize> = (0..6).map(|_| wanted(&phone).len()).collect();
    assert_eq!(asked, [1, 1, 1, 1, 1, 0]);
    assert_eq!(count(&phone, "set_aside"), 1);
}

fn wanted(phone: &Replica) -> Vec<crate::model::EditId> {
    phone.begin_conversation("test").unwrap().unwrap().wanted
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
