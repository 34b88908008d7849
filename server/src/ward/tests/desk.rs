//! What staff do: the same admission, by way of the console.

use gandan_core::model::{
    DocumentId, NoteVisibility, Person, ReportedKind, Role, Source, Status, Urgency,
};
use gandan_core::policy::RejectionCode;
use gandan_core::store::rows::{self, CaseQuery};
use uuid::Uuid;

use super::fixture::{START_MS, World};
use crate::app::{self, DeskCase};
use crate::ward::{Ward, WardError};

pub(super) fn walk_in(text: &str) -> DeskCase {
    DeskCase {
        source: Source::WalkIn,
        kind: ReportedKind::Report,
        category: "noise".to_owned(),
        area: Some("26998".to_owned()),
        place: None,
        urgency: Urgency::Normal,
        text: text.to_owned(),
        citizen: Some(Person {
            name: Some("  Trần Thị Thịnh ".to_owned()),
            phone: Some("+84 903 343 439".to_owned()),
            ..Person::default()
        }),
    }
}

fn status(ward: &Ward, case: Uuid) -> Status {
    ward.case(case).unwrap().unwrap().status
}

#[test]
fn a_case_goes_from_the_desk_to_closed() {
    let world = World::new();
    let ward = &world.ward;
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let (id, code) = app::record(ward, &clerk, walk_in("Ồn sau 23 giờ")).unwrap();
    assert_eq!(code.len(), 8);
    assert_eq!(
        app::accept(ward, &clerk, id).unwrap(),
        "PA-2026-000001/P26995"
    );
    app::assign(ward, &clerk, id, "police", Some("Lê Văn An")).unwrap();
    assert_eq!(status(ward, id), Status::InProgress);
    app::note(
        ward,
        &clerk,
        id,
        "Đã gọi tổ trưởng",
        NoteVisibility::Internal,
    )
    .unwrap();
    app::answer(ward, &clerk, id, "Đã nhắc nhở quán").unwrap();
    app::close(ward, &clerk, id).unwrap();

    let case = ward.case(id).unwrap().unwrap();
    assert_eq!(case.status, Status::Closed);
    assert_eq!(case.answer.as_deref(), Some("Đã nhắc nhở quán"));
    assert_eq!(case.notes.len(), 1);
    let person = ward
        .read(|connection| rows::person(connection, id))
        .unwrap()
        .unwrap();
    assert_eq!(person.name.as_deref(), Some("Trần Thị Thịnh"));
    assert_eq!(person.phone.as_deref(), Some("0903343439"));
    let listed = ward
        .read(|connection| rows::cases(connection, &CaseQuery::default()))
        .unwrap();
    assert_eq!(
        listed[0].case.official_number.as_deref(),
        Some("PA-2026-000001/P26995")
    );

    let history = ward.history(DocumentId::case(id)).unwrap();
    // Creation, acceptance, number, assignment, note, answer, closing.
    assert_eq!(history.len(), 7);
    assert!(
        history
            .iter()
            .all(|entry| entry.author_name == "Ngô Thị Hạnh"
                && entry.device_name.is_none()
                && entry.received_at.0 == START_MS)
    );
    assert!(
        !ward
            .export(DocumentId::case(id))
            .unwrap()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_number_is_given_once_and_without_gaps() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let chair = world.clerk("Phạm Văn Bình", Role::Chair);
    for expected in 1..=3 {
        let (id, _) = app::record(&world.ward, &clerk, walk_in("Ngập")).unwrap();
        let number = format!("PA-2026-{expected:06}/P26995");
        assert_eq!(app::accept(&world.ward, &clerk, id).unwrap(), number);
        assert_eq!(app::accept(&world.ward, &chair, id).unwrap(), number);
    }
}

#[test]
fn two_clerks_in_two_processes_get_numbers_without_gaps() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let mut cases = Vec::new();
    for _ in 0..20 {
        cases.push(app::record(&world.ward, &clerk, walk_in("Rác")).unwrap().0);
    }
    let wards = [world.ward.clone(), world.reopen(2)];
    let numbers: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = wards
            .iter()
            .enumerate()
            .map(|(index, ward)| {
                let (cases, clerk) = (&cases, &clerk);
                scope.spawn(move || {
                    // Each accepts its half, and both write notes on the same case meanwhile.
                    let half = cases.iter().skip(index).step_by(2);
                    half.map(|case| {
                        app::note(ward, clerk, cases[0], "ghi chú", NoteVisibility::Internal)
                            .unwrap();
                        app::accept(ward, clerk, *case).unwrap()
                    })
                    .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut sorted = numbers;
    sorted.sort();
    let expected: Vec<String> = (1..=20)
        .map(|number| format!("PA-2026-{number:06}/P26995"))
        .collect();
    assert_eq!(sorted, expected);
    assert_eq!(world.ward.case(cases[0]).unwrap().unwrap().notes.len(), 20);
}

#[test]
fn an_edit_of_another_process_is_seen_before_the_next_edit() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let other = world.reopen(2);
    let (id, _) = app::record(&world.ward, &clerk, walk_in("Cây ngã")).unwrap();
    app::accept(&other, &clerk, id).unwrap();
    // With a stale document this edit would stand beside the acceptance, or be refused.
    app::assign(&world.ward, &clerk, id, "economy", None).unwrap();
    let case = world.ward.case(id).unwrap().unwrap();
    assert_eq!(case.status, Status::InProgress);
    assert!(case.conflicts.is_empty());
}

#[test]
fn what_the_policy_forbids_changes_nothing() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let (id, _) = app::record(&world.ward, &clerk, walk_in("Đèn hỏng")).unwrap();
    let refused = app::close(&world.ward, &clerk, id);
    assert!(matches!(
        refused,
        Err(WardError::NotAllowed(RejectionCode::TransitionNotAllowed))
    ));
    let admin = world.clerk("Quản trị", Role::Admin);
    let refused = app::note(&world.ward, &admin, id, "x", NoteVisibility::Internal);
    assert!(matches!(refused, Err(WardError::NotAllowed(_))));
    assert_eq!(world.ward.history(DocumentId::case(id)).unwrap().len(), 1);
}

#[test]
fn a_denunciation_with_content_is_refused_whole() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let mut case = walk_in("Tố cáo ông A");
    case.kind = ReportedKind::Denunciation;
    let refused = app::record(&world.ward, &clerk, case);
    assert!(matches!(
        refused,
        Err(WardError::NotAllowed(RejectionCode::DenunciationContent))
    ));
    let listed = world
        .ward
        .read(|connection| rows::cases(connection, &CaseQuery::default()))
        .unwrap();
    assert!(listed.is_empty());
}

#[test]
fn the_year_begins_a_new_series() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let (first, _) = app::record(&world.ward, &clerk, walk_in("Một")).unwrap();
    app::accept(&world.ward, &clerk, first).unwrap();
    world.environment.advance(305 * 24 * 60 * 60 * 1000);
    let (second, _) = app::record(&world.ward, &clerk, walk_in("Hai")).unwrap();
    let number = app::accept(&world.ward, &clerk, second).unwrap();
    assert_eq!(number, "PA-2027-000001/P26995");
}

#[test]
fn what_does_not_exist_is_named() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let nothing = Uuid::from_u128(7);
    assert!(matches!(
        app::close(&world.ward, &clerk, nothing),
        Err(WardError::NotFound("case"))
    ));
    let (id, _) = app::record(&world.ward, &clerk, walk_in("x")).unwrap();
    app::accept(&world.ward, &clerk, id).unwrap();
    assert!(matches!(
        app::assign(&world.ward, &clerk, id, "nowhere", None),
        Err(WardError::NotFound("division"))
    ));
    let mut lost = walk_in("x");
    lost.area = Some("nowhere".to_owned());
    assert!(matches!(
        app::record(&world.ward, &clerk, lost),
        Err(WardError::NotFound("area"))
    ));
}
