use super::ward::*;
use super::*;
use crate::edit::{Edit, EncodedEdit};
use crate::model::{Person, Urgency};
use crate::policy::RejectionCode;
use crate::protocol::verdict::Verdict;
use crate::store::rows::CaseQuery;

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
    phone.add_note(id, "dựa trên ghi chú").unwrap();
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
    assert_eq!(phone.rejected().unwrap().len(), 3);
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
