use super::ward::*;
use super::*;
use crate::edit::{Edit, EncodedEdit};
use crate::model::{EditId, Person, Urgency};
use crate::policy::RejectionCode;
use crate::protocol::verdict::Verdict;
use crate::store::rows::CaseQuery;

#[test]
fn a_refused_edit_is_taken_back_and_stays_readable_and_what_built_on_it_goes_on_without_it() {
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
    phone.add_note(id, "dựa trên ghi chú").unwrap();
    let actor = phone.core().actor;
    let refused = Verdict::Rejected {
        code: RejectionCode::NotYourRecord,
    };
    record(&phone, bundle, vec![refused]);

    let detail = phone.case(id).unwrap().unwrap();
    assert_eq!(detail.case.text, "Cống tắc");
    assert_eq!(detail.case.urgency, Urgency::Normal);
    let notes: Vec<&str> = detail
        .case
        .notes
        .iter()
        .map(|note| note.text.as_str())
        .collect();
    assert_eq!(notes, ["dựa trên sửa đổi", "dựa trên ghi chú"]);
    assert_eq!(detail.sync, SyncState::Rejected);
    let count = |state| {
        let history = detail.history.iter();
        history.filter(|entry| entry.sync == state).count()
    };
    assert_eq!(count(SyncState::OnServer), 1);
    assert_eq!(count(SyncState::Rejected), 1);
    assert_eq!(count(SyncState::Recorded), 2);
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
    assert_eq!(rejected.len(), 1);
    assert_eq!(phone.pending().unwrap().len(), 2);
    assert_sound(&phone);

    // Work goes on, under an actor whose numbers the ward has never seen.
    assert_ne!(phone.core().actor, actor);
    phone.add_note(id, "ghi lại").unwrap();
    drop(phone);
    let phone = open(folder.path());
    assert_eq!(phone.case(id).unwrap().unwrap().case.notes.len(), 3);
    assert_eq!(phone.rejected().unwrap().len(), 1);
    begin(&phone);
    ward.hear(&phone);
    assert_eq!(ward.tell(&phone, 0), []);
    assert_eq!(phone.pending().unwrap(), []);
    assert_eq!(phone.case(id).unwrap().unwrap().case.notes.len(), 3);
    assert_sound(&phone);
}

#[test]
fn what_is_made_anew_keeps_its_intent_and_its_time_and_what_speaks_of_the_refused_falls_with_it() {
    let (_folder, phone) = phone();
    let mut ward = TestWard::new();
    let id = phone.record_case(case("Cống tắc")).unwrap().id;
    begin(&phone);
    ward.hear(&phone);
    let text = |text: &str| CaseChange {
        text: Some(text.to_owned()),
        ..CaseChange::default()
    };
    phone.edit_case(id, text("Cống tắc ba tuần")).unwrap();
    phone.add_note(id, "đứng riêng").unwrap();
    phone.edit_case(id, text("Cống tắc ba tuần nay")).unwrap();
    phone.add_note(id, "đứng riêng nữa").unwrap();
    let (bundle, sealed) = next_bundle(&phone).unwrap();
    let sent = edits(&opened(&sealed));
    let refused = Verdict::Rejected {
        code: RejectionCode::NotYourRecord,
    };
    let fell = Verdict::Rejected {
        code: RejectionCode::DependsOnRejected,
    };
    record(&phone, bundle, vec![refused, fell, fell, fell]);

    assert_eq!(phone.case(id).unwrap().unwrap().case.text, "Cống tắc");
    let rejected: Vec<EditId> = phone
        .rejected()
        .unwrap()
        .iter()
        .map(|item| item.edit)
        .collect();
    assert_eq!(rejected, [sent[0].id(), sent[2].id()]);
    let (_, again) = next_bundle(&phone).unwrap();
    let again = edits(&opened(&again));
    assert_eq!(again.len(), 2);
    for (anew, first) in again.iter().zip([&sent[1], &sent[3]]) {
        assert_eq!(anew.edit().intent, first.edit().intent);
        assert_eq!(anew.edit().device_time, first.edit().device_time);
        assert_eq!(anew.edit().operations, first.edit().operations);
        assert_ne!(anew.edit().actor, first.edit().actor);
    }
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
    let notes: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(notes, ["một lần", "dựa trên đó"]);
    assert_eq!(phone.rejected().unwrap(), []);
    assert_eq!(
        phone.pending().unwrap().len(),
        1,
        "what was built on it is made anew"
    );
    assert_sound(&phone);
}
