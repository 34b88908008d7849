//! What is purged is gone from the ward, is told first to every device, and never comes back.

use gandan_core::document::schema::field;
use gandan_core::environment::Environment as _;
use gandan_core::model::{DocumentId, Role};
use gandan_core::policy::RejectionCode;
use gandan_core::protocol::feed::{Cursor, Page, PurgeReason, Tombstone};
use gandan_core::protocol::verdict::Verdict;
use gandan_core::store::rows;

use super::fixture::World;
use super::phone::Phone;
use super::restore::{backup, restored};
use crate::app;
use crate::ward::audit::{Filter, Kind};
use crate::ward::purge::TOMBSTONES_PER_PAGE_MAX;
use crate::ward::{RequestKind, RequestOutcome, Ward, WardError};

const PHOTO: &[u8] = b"\x89PNG\r\n\x1a\nDAUVETANH";

fn count(ward: &Ward, sql: &str) -> i64 {
    ward.read(|connection| connection.query_row(sql, [], |row| row.get(0)))
        .unwrap()
}

fn told(page: &Page) -> Vec<(DocumentId, PurgeReason)> {
    let told = page.scope.tombstones.iter();
    told.map(|tombstone| (tombstone.document, tombstone.reason))
        .collect()
}

#[test]
fn a_case_found_to_be_a_denunciation_leaves_a_reference_and_a_chain_that_holds() {
    let world = World::new();
    let clerk = world.clerk("Ngô Thị Hạnh", Role::Triage);
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut away = Phone::enrol(&world, 2, Role::Triage, &[]);
    let case = phone.case("DAUVET", None);
    let uuid = case.edit().document.uuid;
    let person = phone.person(uuid);
    let shown = phone.attach(&case, PHOTO);
    let other = phone.case("Ngập", None);
    let all = [case.clone(), person.clone(), shown, other.clone()];
    phone.send(&world.ward, &all);
    phone.upload(&world.ward, PHOTO);
    let number = app::accept(&world.ward, &clerk, uuid).unwrap();
    assert_eq!(away.read(&world.ward).len(), 6);
    phone.read(&world.ward);
    world.ward.assert_sound();

    world.ward.reclassify(uuid).unwrap();

    assert_eq!(world.log_bytes(), 0);
    let checked = world.ward.assert_sound();
    assert_eq!(checked.edits, 1);
    assert!(world.ward.case(uuid).unwrap().is_none());
    let other_uuid = other.edit().document.uuid;
    assert!(world.ward.case(other_uuid).unwrap().is_some());
    for table in [
        "attachments",
        "attachment_parts",
        "case_attachments",
        "person_rows",
    ] {
        let left = count(&world.ward, &format!("SELECT COUNT(*) FROM {table}"));
        assert_eq!(left, 0, "{table}");
    }
    let sealed = world.ward.sealed_register().unwrap();
    assert_eq!(sealed.len(), 1);
    assert_eq!(sealed[0].official_number, Some(number));
    for kind in [Kind::Reclassified, Kind::SealedRegister] {
        let filter = Filter {
            kind: Some(kind),
            limit: 10,
            ..Filter::default()
        };
        assert_eq!(world.ward.audit_records(&filter).unwrap().len(), 1);
    }
    assert!(world.ward.verify_audit().unwrap().is_sound());

    // The first page says it, to a phone that was away and to one that is new; then nothing is left to say.
    let both = [
        (DocumentId::case(uuid), PurgeReason::Denunciation),
        (DocumentId::person_of(uuid), PurgeReason::Denunciation),
    ];
    let page = away.read_page(&world.ward).unwrap();
    assert_eq!(told(&page), both);
    away.read(&world.ward);
    assert!(away.read_page(&world.ward).is_none());
    away.cursor = Cursor::default();
    assert_eq!(told(&away.read_page(&world.ward).unwrap()), both);

    // Nothing of it is admitted any more, and it cannot be purged twice.
    let late = phone.note(&case, "DAUVET nữa");
    let code = RejectionCode::Purged;
    assert_eq!(
        phone.send(&world.ward, &[late, case, person]),
        [Verdict::Rejected { code }; 3]
    );
    assert!(matches!(
        world.ward.reclassify(uuid),
        Err(WardError::NotFound("case"))
    ));
}

#[test]
fn a_person_is_erased_and_the_case_stays() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    let uuid = case.edit().document.uuid;
    let person = phone.person(uuid);
    phone.send(&world.ward, &[case, person]);
    assert!(matches!(
        world.ward.erase(uuid::Uuid::nil()),
        Err(WardError::NotFound("person"))
    ));

    world.ward.erase(uuid).unwrap();

    assert!(world.ward.case(uuid).unwrap().is_some());
    let left = world
        .ward
        .read(|connection| rows::person(connection, uuid))
        .unwrap();
    assert!(left.is_none());
    world.ward.assert_sound();
    let page = phone.read_page(&world.ward).unwrap();
    assert_eq!(
        told(&page),
        [(DocumentId::person_of(uuid), PurgeReason::Erasure)]
    );
}

#[test]
fn a_ward_put_back_from_before_a_purge_hears_of_it_and_takes_nothing_back() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut late = Phone::enrol(&world, 2, Role::Triage, &[]);
    let case = phone.case("DAUVET", None);
    let uuid = case.edit().document.uuid;
    phone.send(&world.ward, std::slice::from_ref(&case));
    late.read(&world.ward);
    let old = tempfile::tempdir().unwrap();
    backup(&world, old.path());
    world.ward.reclassify(uuid).unwrap();
    let page = phone.read_page(&world.ward).unwrap();
    phone.read(&world.ward);

    let ward = restored(old.path());
    assert!(ward.case(uuid).unwrap().is_some());
    assert!(!phone.greet(&ward), "the purge has a place in the feed");
    let mut forged = page.clone();
    forged.proof.entries.clear();
    forged.scope.tombstones[0].signature[0] ^= 1;
    forged.scope.tombstones.truncate(1);
    phone.return_page(&ward, forged);
    assert!(ward.case(uuid).unwrap().is_some());
    phone.return_page(&ward, page);
    assert!(ward.case(uuid).unwrap().is_none());
    // Who has not heard of it yet brings the case in vain.
    late.give_back(&ward, &[]);
    assert!(ward.case(uuid).unwrap().is_none());
    late.cursor = Cursor::default();
    assert_eq!(told(&late.read_page(&ward).unwrap()).len(), 2);
    ward.assert_sound();
}

#[test]
fn a_triage_phone_that_finds_a_denunciation_purges_it_everywhere() {
    let world = World::new();
    let mut recorder = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut triage = Phone::enrol(&world, 2, Role::Triage, &[]);
    let case = recorder.case("DAUVET", None);
    let other = recorder.case("Ngập", None);
    recorder.send(&world.ward, &[case.clone(), other.clone()]);
    let uuid = case.edit().document.uuid;

    // An officer may not say so by himself.
    let claimed = recorder.set(&case, field::LEGAL_KIND, "denunciation");
    assert_eq!(
        recorder.send(&world.ward, &[claimed]),
        [Verdict::Rejected {
            code: RejectionCode::FieldNotAllowed
        }]
    );
    assert!(world.ward.case(uuid).unwrap().is_some());

    // What comes with it and builds on it is refused, what is beside it is not.
    let found = triage.set(&case, field::LEGAL_KIND, "denunciation");
    let late = triage.note(&case, "DAUVET nữa");
    let beside = triage.note(&other, "Đã xem");
    let verdicts = triage.send(&world.ward, &[found, late, beside]);
    assert!(
        matches!(
            verdicts[..],
            [
                Verdict::Accepted { .. },
                Verdict::Rejected {
                    code: RejectionCode::Purged
                },
                Verdict::Accepted { .. }
            ]
        ),
        "{verdicts:?}"
    );
    assert_eq!(world.log_bytes(), 0);
    assert!(world.ward.case(uuid).unwrap().is_none());
    assert_eq!(world.ward.sealed_register().unwrap().len(), 1);
    world.ward.assert_sound();
    let page = recorder.read_page(&world.ward).unwrap();
    assert_eq!(told(&page)[0].0, DocumentId::case(uuid));
}

#[test]
fn a_tombstone_does_not_hold_up_a_long_history_that_comes() {
    let world = World::new();
    let mut triage = Phone::enrol(&world, 1, Role::Triage, &[]);
    let mut reader = Phone::enrol(&world, 2, Role::Officer, &["26998"]);
    let case = triage.case("Ngập", Some("26995"));
    let other = triage.case("DAUVET", Some("26998"));
    triage.send(&world.ward, &[case.clone(), other.clone()]);
    let mut last = case.clone();
    let mut history = vec![case.id()];
    for _ in 0..16 {
        last = triage.note(&last, &"ngập lắm ".repeat(2_200));
        history.push(last.id());
        triage.send(&world.ward, std::slice::from_ref(&last));
    }
    reader.read(&world.ward);
    world.ward.reclassify(other.edit().document.uuid).unwrap();
    let moved = triage.set(&last, field::AREA, "26998");
    history.push(moved.id());
    triage.send(&world.ward, &[moved]);

    let mut seen = Vec::new();
    while let Some(page) = reader.read_page(&world.ward) {
        let next = page.cursor.clone().unwrap();
        assert_ne!(
            next, reader.cursor,
            "a page that does not move on is the end"
        );
        seen.extend(page.proof.entries.iter().map(|entry| entry.edit));
        reader.cursor = next;
    }
    assert_eq!(seen, history);
}

#[test]
fn more_tombstones_than_a_page_holds_come_in_several() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let mut late = Phone::enrol(&world, 2, Role::Officer, &[]);
    let before = phone.case("Ngập", None);
    phone.send(&world.ward, std::slice::from_ref(&before));
    let purged = TOMBSTONES_PER_PAGE_MAX as u128 + 10;
    let documents: Vec<_> = (1..=purged)
        .map(|number| DocumentId::case(uuid::Uuid::from_u128(number)))
        .collect();
    let key = world.ward.signing_key();
    let at = world.environment.now();
    let reason = PurgeReason::Denunciation;
    let sign = |document: &DocumentId| Tombstone::sign(&key, *document, reason, at);
    let mut page = phone.read_page(&world.ward).unwrap();
    page.proof.entries.clear();
    page.bodies.clear();
    for some in documents.chunks(1_000) {
        page.scope.tombstones = some.iter().map(sign).collect();
        phone.return_page(&world.ward, page.clone());
    }
    let after = phone.case("Đèn đường tắt", None);
    phone.send(&world.ward, std::slice::from_ref(&after));

    let mut heard = Vec::new();
    let mut seen = Vec::new();
    while let Some(page) = late.read_page(&world.ward) {
        let next = page.cursor.clone().unwrap();
        assert_ne!(next, late.cursor, "a page that does not move on is the end");
        heard.extend(told(&page).into_iter().map(|(document, _)| document));
        seen.extend(page.proof.entries.iter().map(|entry| entry.edit));
        late.cursor = next;
    }
    assert_eq!(heard, documents);
    assert_eq!(seen, [before.id(), after.id()]);
}

#[test]
fn who_asked_about_their_data_goes_with_whatever_names_them_however_it_goes() {
    for purge in [Ward::reclassify, Ward::erase] {
        let world = World::new();
        let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
        let case = phone.case("Ngập", None);
        let uuid = case.edit().document.uuid;
        let person = phone.person(uuid);
        phone.send(&world.ward, &[case, person]);
        let ask = |of, asker| {
            let kind = RequestKind::Correction;
            world.ward.add_request(kind, of, asker).unwrap()
        };
        ask(Some(uuid), "Bà DAUVET, 0903 343 439");
        let refused = ask(Some(uuid), "Bà DAUVET");
        let why = RequestOutcome::Refused("DAUVET nói khác".to_owned());
        world.ward.close_request(refused, &why).unwrap();
        ask(None, "Ông Tám");

        purge(&world.ward, uuid).unwrap();

        let words = "SELECT COUNT(*) FROM citizen_requests
                     WHERE asker LIKE '%DAUVET%' OR reason LIKE '%DAUVET%'";
        assert_eq!(count(&world.ward, words), 0);
        let requests = world.ward.requests().unwrap();
        assert_eq!(requests.len(), 3, "that there were requests stays");
        let others = requests
            .iter()
            .filter_map(|request| request.asker.as_deref());
        assert_eq!(others.collect::<Vec<_>>(), ["Ông Tám"]);
    }
}

#[test]
fn closing_an_erasure_takes_who_asked_also_where_no_person_was_recorded() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    let uuid = case.edit().document.uuid;
    phone.send(&world.ward, &[case]);
    let ask = |kind| {
        let asker = "Bà DAUVET, 0903 343 439";
        world.ward.add_request(kind, Some(uuid), asker).unwrap()
    };
    ask(RequestKind::Correction);
    let erasure = ask(RequestKind::Erasure);
    world
        .ward
        .close_request(erasure, &RequestOutcome::Done)
        .unwrap();
    let requests = world.ward.requests().unwrap();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.asker.is_none()));
    assert_eq!(world.log_bytes(), 0, "no word of it is left there");
}
