use std::sync::Mutex;

use super::*;
use crate::model::{
    DocumentId, LegalBasis, Person, ReportedKind, Satisfaction, ShortCode, Status, Urgency, consent,
};
use crate::policy::RejectionCode;
use crate::store::rows::CaseQuery;

fn full() -> NewCase {
    NewCase {
        external_ref: Some("bản ghi-1".to_owned()),
        area: Some("khu phố 3".to_owned()),
        place: Some("hẻm 12".to_owned()),
        category: "Tiếng ồn".to_owned(),
        urgency: Some(Urgency::High),
        text: " Loa ke\u{323}\u{302}o kéo ".to_owned(),
        households: Some(4),
        citizen: Some(Person {
            name: Some("Nguyễn Thị Thịnh".to_owned()),
            phone: Some("+84 903 343 439".to_owned()),
            ..Person::default()
        }),
        ..NewCase::default()
    }
}

#[test]
fn what_was_recorded_is_there_after_reopening_under_a_fresh_actor() {
    let (folder, replica) = phone();
    let recorded = replica.record_case(full()).unwrap();
    let key = replica.device_key().to_bytes();
    let actor = replica.core().actor;
    let before = replica.case(recorded.id).unwrap().unwrap();
    drop(replica);
    let replica = open(folder.path());
    assert_eq!(replica.case(recorded.id).unwrap(), Some(before.clone()));
    assert_eq!(replica.device_key().to_bytes(), key);
    assert_ne!(replica.core().actor, actor);
    assert_eq!(replica.enrolment().unwrap().credential.officer, officer());
    assert_eq!(replica.directory(), Some(directory()));
    assert_eq!(replica.pending().unwrap().len(), 2);
    assert_eq!(before.sync, SyncState::Recorded);

    // What is changed now has a number of its own among this opening's edits.
    replica.add_note(recorded.id, "đã gọi lại").unwrap();
    replica.add_note(recorded.id, "bà đồng ý").unwrap();
    let notes = replica.case(recorded.id).unwrap().unwrap().case.notes;
    assert_eq!(notes.len(), 2);
    assert_eq!(replica.check().unwrap(), Vec::<Uuid>::new());
}

#[test]
fn a_case_is_recorded_in_the_form_in_which_it_is_kept() {
    let (_folder, replica) = phone();
    let recorded = replica.record_case(full()).unwrap();
    assert!(ShortCode::parse(&recorded.code).is_some());
    assert_eq!(recorded.id.get_version_num(), 7);
    let detail = replica.case(recorded.id).unwrap().unwrap();
    let case = detail.case;
    assert_eq!(case.text, "Loa kẹo kéo".replace("kẹo", "kệo"));
    assert_eq!(case.area.as_deref(), Some("p6-kp3"));
    assert_eq!(case.place.as_deref(), Some("hẻm 12"));
    assert_eq!(case.category, "noise");
    assert_eq!(case.households, 4);
    assert_eq!(case.recorded_at, MORNING);
    assert_eq!(case.recorded_by, officer());
    assert_eq!(case.code, recorded.code);
    let citizen = detail.citizen.unwrap();
    assert_eq!(citizen.phone.as_deref(), Some("0903343439"));
    assert_eq!(citizen.id, recorded.id);
    assert_eq!(detail.history.len(), 2);
    assert_eq!(detail.history[0].author, Some(officer()));
    for typed in [
        recorded.id.to_string(),
        recorded.code.to_lowercase(),
        "bản ghi-1".to_owned(),
    ] {
        assert_eq!(
            replica.find_case(&typed).unwrap(),
            Some(recorded.id),
            "{typed}"
        );
    }
    assert_eq!(replica.find_case("bản ghi-2").unwrap(), None);
}

#[test]
fn what_the_wards_lists_do_not_know_is_kept_in_words() {
    let (_folder, replica) = phone();
    let place_of = |area: &str, place: Option<&str>| {
        let recorded = replica
            .record_case(NewCase {
                area: Some(area.to_owned()),
                place: place.map(str::to_owned),
                category: "chó thả rông".to_owned(),
                ..case("x")
            })
            .unwrap();
        let case = replica.case(recorded.id).unwrap().unwrap().case;
        assert_eq!(case.category, "chó thả rông");
        (case.area, case.place)
    };
    let words = |text: &str| Some(text.to_owned());
    assert_eq!(place_of("p6-kp1", None), (words("p6-kp1"), None));
    // Two areas have this name: nobody may guess.
    assert_eq!(place_of("Khu phố 1", None), (None, words("Khu phố 1")));
    assert_eq!(
        place_of("Ấp 5", Some("gần chùa")),
        (None, words("Ấp 5, gần chùa"))
    );
    // Marks are part of a name.
    assert_eq!(place_of("Khu pho 3", None), (None, words("Khu pho 3")));
    let unplaced = CaseQuery {
        areas: vec![String::new()],
        ..CaseQuery::default()
    };
    assert_eq!(replica.cases(&unplaced).unwrap().len(), 3);
}

#[test]
fn nothing_is_recorded_before_enrolment() {
    let folder = tempfile::tempdir().unwrap();
    let replica = open(folder.path());
    assert!(matches!(
        replica.record_case(case("x")),
        Err(RecordError::NotEnrolled)
    ));
    assert_eq!(replica.begin_conversation("1").unwrap().map(|_| ()), None);
}

#[test]
fn a_denunciation_keeps_nothing_but_its_paper_reference() {
    let (_folder, replica) = phone();
    let card = NewCase {
        kind: Some(ReportedKind::Denunciation),
        area: Some("p6-kp1".to_owned()),
        paper_reference: Some("TC-12".to_owned()),
        ..NewCase::default()
    };
    replica.record_case(card.clone()).unwrap();
    let with_text = NewCase {
        text: "ông X".to_owned(),
        ..card.clone()
    };
    let with_citizen = NewCase {
        citizen: Some(Person {
            name: Some("Bà Y".to_owned()),
            ..Person::default()
        }),
        ..card.clone()
    };
    let with_unknown_area = NewCase {
        area: Some("nhà ông X".to_owned()),
        ..card
    };
    for refused in [with_text, with_citizen, with_unknown_area] {
        assert!(matches!(
            replica.record_case(refused),
            Err(RecordError::NotAllowed(RejectionCode::DenunciationContent))
        ));
    }
    assert_eq!(replica.cases(&CaseQuery::default()).unwrap().len(), 1);
    assert_eq!(replica.pending().unwrap().len(), 1);
}

#[test]
fn a_stop_card_does_not_tell_on_which_visit_it_was_written() {
    let (_folder, replica) = phone();
    let visit = replica.start_visit(NewVisit::default()).unwrap();
    let card = NewCase {
        kind: Some(ReportedKind::Denunciation),
        visit: Some(visit),
        external_ref: Some("c-17".to_owned()),
        paper_reference: Some("TC-12".to_owned()),
        ..NewCase::default()
    };
    let id = replica.record_case(card).unwrap().id;
    let case = replica.case(id).unwrap().unwrap().case;
    assert_eq!((case.visit, case.external_ref), (None, None));
}

#[test]
fn an_anonymous_citizen_leaves_no_person() {
    let (_folder, replica) = phone();
    let recorded = replica
        .record_case(NewCase {
            citizen: Some(Person {
                name: Some("  ".to_owned()),
                ..Person::default()
            }),
            ..case("x")
        })
        .unwrap();
    assert_eq!(replica.case(recorded.id).unwrap().unwrap().citizen, None);
    assert_eq!(replica.pending().unwrap().len(), 1);
}

#[test]
fn a_corrected_text_is_the_smallest_splice() {
    let (_folder, replica) = phone();
    let recorded = replica
        .record_case(case("Đường ngập nước từ sáng"))
        .unwrap();
    let change = CaseChange {
        text: Some("Đường ngập sâu từ sáng".to_owned()),
        urgency: Some(Urgency::Normal),
        ..CaseChange::default()
    };
    replica.edit_case(recorded.id, change.clone()).unwrap();
    let detail = replica.case(recorded.id).unwrap().unwrap();
    assert_eq!(detail.case.text, "Đường ngập sâu từ sáng");
    let last = &detail.history.last().unwrap().changes;
    assert_eq!(last.len(), 1, "what it says already is not said again");
    assert_eq!(last[0].operation, "splice");
    assert_eq!(last[0].value.as_deref(), Some("sâu"));
    replica.edit_case(recorded.id, change).unwrap();
    assert_eq!(replica.case(recorded.id).unwrap().unwrap().history.len(), 2);
}

#[test]
fn the_day_of_a_case_is_recorded_edit_by_edit() {
    let (_folder, replica) = phone();
    let visit = replica
        .start_visit(NewVisit {
            external_ref: Some("buổi-1".to_owned()),
            area: Some("p6-kp3".to_owned()),
            summary: "thăm hộ cao tuổi".to_owned(),
            ..NewVisit::default()
        })
        .unwrap();
    assert_eq!(
        replica.visit_by_external_ref("buổi-1").unwrap(),
        Some(visit)
    );
    let recorded = replica
        .record_case(NewCase {
            visit: Some(visit),
            ..case("Cống tắc")
        })
        .unwrap();
    let note = replica.add_note(recorded.id, "đã chụp ảnh").unwrap();
    let photo = replica.attach(recorded.id, "cống.png", PNG).unwrap();
    assert_eq!(photo.mime, "image/png");
    assert_eq!(
        replica.attachment(photo.hash).unwrap().as_deref(),
        Some(PNG)
    );
    replica
        .edit_case(
            recorded.id,
            CaseChange {
                households_by: Some(5),
                area: Some("p6-kp1".to_owned()),
                ..CaseChange::default()
            },
        )
        .unwrap();
    replica
        .end_visit(visit, Some("thăm hộ cao tuổi; 1 phản ánh".to_owned()))
        .unwrap();
    let detail = replica.case(recorded.id).unwrap().unwrap();
    assert_eq!(detail.case.notes[0].id, note);
    assert_eq!(detail.case.attachments, std::slice::from_ref(&photo));
    assert_eq!(detail.case.households, 6);
    assert_eq!(detail.case.area.as_deref(), Some("p6-kp1"));
    assert_eq!(detail.attachments_on_server, []);
    let visits = replica.visits(10).unwrap();
    assert_eq!(visits[0].ended_at, Some(MORNING));
    assert_eq!(visits[0].summary, "thăm hộ cao tuổi; 1 phản ánh");
    replica.void_case(recorded.id, "ghi nhầm hộ").unwrap();
    let row = &replica.cases(&CaseQuery::default()).unwrap()[0];
    assert_eq!(row.row.case.status, Status::Voided);
    assert_eq!((row.row.note_count, row.row.attachment_count), (1, 1));
    let pending = replica.pending().unwrap();
    assert_eq!(pending.iter().filter(|item| item.edit.is_some()).count(), 7);
    assert_eq!(
        pending
            .iter()
            .filter(|item| item.attachment == Some(photo.hash))
            .count(),
        1
    );
    assert_eq!(replica.check().unwrap(), Vec::<Uuid>::new());
    assert!(
        replica
            .export_case(recorded.id)
            .unwrap()
            .is_some_and(|file| !file.is_empty())
    );
}

#[test]
fn what_the_role_may_not_do_is_refused_before_it_is_recorded() {
    let (_folder, replica) = phone();
    let recorded = replica.record_case(case("x")).unwrap();
    let accept = CaseChange {
        status: Some(Status::Accepted),
        ..CaseChange::default()
    };
    assert!(matches!(
        replica.edit_case(recorded.id, accept),
        Err(RecordError::NotAllowed(_))
    ));
    assert!(matches!(
        replica.mark_delivered(recorded.id, Satisfaction::Satisfied),
        Err(RecordError::NotAllowed(_))
    ));
    assert_eq!(replica.pending().unwrap().len(), 1);
    assert_eq!(replica.check().unwrap(), Vec::<Uuid>::new());
}

#[test]
fn input_that_cannot_be_kept_is_refused_with_the_rule_and_loses_nothing() {
    let (_folder, replica) = phone();
    let recorded = replica.record_case(case("x")).unwrap();
    let nowhere = Uuid::from_bytes([5; 16]);
    assert!(matches!(
        replica.add_note(nowhere, "x"),
        Err(RecordError::NotFound)
    ));
    assert!(matches!(
        replica.add_note(recorded.id, " \n"),
        Err(RecordError::Invalid { field: "text", .. })
    ));
    assert!(matches!(
        replica.record_case(case(&"ợ".repeat(20_000))),
        Err(RecordError::Invalid { field: "text", .. })
    ));
    assert!(matches!(
        replica.void_case(recorded.id, ""),
        Err(RecordError::Invalid {
            field: "void_reason",
            ..
        })
    ));
    assert!(matches!(
        replica.attach(recorded.id, "x.pdf", b"%PDF-1.7"),
        Err(RecordError::UnsupportedAttachment)
    ));
    assert_eq!(replica.pending().unwrap().len(), 1);
}

#[test]
fn observers_hear_of_each_change_after_it_is_durable() {
    let (_folder, replica) = phone();
    let heard: Arc<Mutex<Vec<Change>>> = Arc::default();
    let (notebook, asked) = (heard.clone(), replica.clone());
    replica.observe(Box::new(move |change| {
        if let Change::Case(id) = change {
            assert!(asked.case(*id).unwrap().is_some());
        }
        notebook.lock().unwrap().push(change.clone());
    }));
    let recorded = replica.record_case(full()).unwrap();
    assert!(replica.record_case(case(&"x".repeat(40_000))).is_err());
    let visit = replica.start_visit(NewVisit::default()).unwrap();
    apply_directory(&replica);
    assert_eq!(
        *heard.lock().unwrap(),
        [
            Change::Case(recorded.id),
            Change::Visit(visit),
            Change::Directory
        ]
    );
}

#[test]
fn a_store_has_one_owner_at_a_time() {
    let (folder, replica) = phone();
    assert!(matches!(
        Replica::open(folder.path(), &key(), environment()),
        Err(OpenError::Busy)
    ));
    drop(replica);
    open(folder.path());
}

#[test]
fn a_copied_store_goes_on_beside_the_first_under_another_actor() {
    let (folder, replica) = phone();
    let recorded = replica.record_case(case("x")).unwrap();
    replica.add_note(recorded.id, "trước khi chép").unwrap();
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let clone = open(copy.path());
    clone.add_note(recorded.id, "ở máy chép").unwrap();
    replica.add_note(recorded.id, "ở máy gốc").unwrap();
    let last_edit = |replica: &Replica| {
        let stored = replica.read(|connection| {
            crate::store::device::edits::of_document(connection, DocumentId::case(recorded.id))
        });
        stored.unwrap().pop().unwrap().edit
    };
    let (first, second) = (last_edit(&replica), last_edit(&clone));
    assert_ne!(first.edit().actor, second.edit().actor);
    assert_eq!(second.edit().sequence, 1);
    assert_eq!(
        clone.pending().unwrap().len(),
        3,
        "what was unsent is unsent on both"
    );
    assert_eq!(replica.pending().unwrap().len(), 3);
}

#[test]
fn a_full_disk_is_said_and_what_was_recorded_stays() {
    let (_folder, replica) = phone();
    let recorded = replica.record_case(case("x")).unwrap();
    let photo = [PNG, &vec![0; 3_000_000]].concat();
    let limit = |pages: i64| {
        let core = replica.core();
        core.store
            .connection
            .pragma_update(None, "max_page_count", pages)
            .unwrap();
    };
    limit(200);
    assert!(matches!(
        replica.attach(recorded.id, "x.png", &photo),
        Err(RecordError::Store(StoreError::Full))
    ));
    let detail = replica.case(recorded.id).unwrap().unwrap();
    assert_eq!(detail.case.attachments, []);
    assert_eq!(replica.check().unwrap(), Vec::<Uuid>::new());
    limit(1_000_000);
    replica.attach(recorded.id, "x.png", &photo).unwrap();
}

#[test]
fn a_row_that_differs_from_its_document_is_found_and_mended() {
    let (_folder, replica) = phone();
    let recorded = replica.record_case(full()).unwrap();
    let other = replica.record_case(case("y")).unwrap();
    {
        let core = replica.core();
        let connection = &core.store.connection;
        connection
            .execute(
                "UPDATE case_rows SET text = 'khác' WHERE id = ?1",
                [recorded.id.as_bytes()],
            )
            .unwrap();
        connection.execute("DELETE FROM person_rows", []).unwrap();
        connection
            .execute(
                "INSERT INTO visit_rows (id, started_at, officer, summary, conflict_count)
                 VALUES (?1, 0, ?1, '', 0)",
                [[8u8; 16]],
            )
            .unwrap();
    }
    let mut expected = vec![recorded.id, Uuid::from_bytes([8; 16])];
    expected.sort();
    assert_eq!(replica.check().unwrap(), expected);
    assert_eq!(replica.check().unwrap(), Vec::<Uuid>::new());
    assert!(replica.case(other.id).unwrap().is_some());
    let query = CaseQuery {
        search: Some("thinh".to_owned()),
        ..CaseQuery::default()
    };
    assert_eq!(
        replica.cases(&query).unwrap()[0].row.case.text,
        "Loa kệo kéo"
    );
}

#[test]
fn a_consent_is_kept_with_the_words_to_which_somebody_said_yes_and_not_without() {
    let (_folder, replica) = phone();
    let record = |legal_basis, consent_text: Option<&str>| {
        replica.record_case(NewCase {
            citizen: Some(Person {
                name: Some("Nguyễn Thị Thịnh".to_owned()),
                legal_basis,
                consent_text: consent_text.map(str::to_owned),
                ..Person::default()
            }),
            ..case("Ngập")
        })
    };
    let version = consent::current().version;
    for (legal_basis, consent_text) in [
        (Some(LegalBasis::Consent), None),
        (Some(LegalBasis::Consent), Some("2019-1")),
        (Some(LegalBasis::Law), Some(version)),
        (None, Some(version)),
    ] {
        assert!(matches!(
            record(legal_basis, consent_text),
            Err(RecordError::Invalid {
                field: "consent_text",
                ..
            })
        ));
    }
    let recorded = record(Some(LegalBasis::Consent), Some(version)).unwrap();
    let citizen = replica.case(recorded.id).unwrap().unwrap().citizen.unwrap();
    assert_eq!(citizen.legal_basis, Some(LegalBasis::Consent));
    assert_eq!(citizen.consent_text.as_deref(), Some(version));
    // Nobody consents by default.
    let silent = record(None, None).unwrap();
    let citizen = replica.case(silent.id).unwrap().unwrap().citizen.unwrap();
    assert_eq!((citizen.legal_basis, citizen.consent_text), (None, None));
}
