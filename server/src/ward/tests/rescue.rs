//! A phone that will not connect any more hands over a file.

use gandan_core::model::{AttachmentHash, Role};
use gandan_core::policy::RejectionCode;
use gandan_core::protocol::verdict::Verdict;
use gandan_core::rescue::{OpenRescueError, Sealer};

use super::fixture::World;
use super::phone::Phone;
use super::restore::{backup, restored};
use crate::ward::WardError;

fn sealer(phone: &Phone) -> Sealer {
    Sealer::new(&phone.enrolment, [5; 32]).unwrap()
}

fn image() -> Vec<u8> {
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    image.extend_from_slice(&[7; 100_000]);
    image
}

#[test]
fn a_rescue_file_brings_edits_and_files_once() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    let photo = phone.attach(&case, &image());
    let note = phone.note(&photo, "sâu nửa mét");
    let mut file = sealer(&phone);
    // Out of order: the note's bundle first.
    file.bundle(&phone.seal(std::slice::from_ref(&note)));
    file.bundle(&phone.seal(&[case.clone(), photo]));
    file.attachment(&image());
    file.attachment(b"\x89PNG\r\n\x1a\n of a case that the ward refused");
    let file = file.finish();
    let verdicts = world.ward.import_rescue(&file).unwrap();
    assert_eq!(
        verdicts,
        [
            Verdict::Accepted { sequence: 3 },
            Verdict::Accepted { sequence: 1 },
            Verdict::Accepted { sequence: 2 },
        ]
    );
    let hash = AttachmentHash(*blake3::hash(&image()).as_bytes());
    assert!(world.ward.attachment(hash).unwrap().is_some());
    let history = world.ward.history(case.edit().document).unwrap();
    assert_eq!(history[0].device_name.as_deref(), Some("máy 1"));

    let again = world.ward.import_rescue(&file).unwrap();
    assert_eq!(
        again,
        [
            Verdict::Duplicate { sequence: 3 },
            Verdict::Duplicate { sequence: 1 },
            Verdict::Duplicate { sequence: 2 },
        ]
    );
}

#[test]
fn a_phone_that_enrolled_after_the_backup_is_recognised_for_what_it_recorded() {
    let world = World::new();
    let old = tempfile::tempdir().unwrap();
    backup(&world, old.path());
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &["26998"]);
    let case = phone.case("Ngập", Some("26998"));
    let mut file = sealer(&phone);
    file.bundle(&phone.seal(std::slice::from_ref(&case)));
    let file = file.finish();
    let ward = restored(old.path());
    assert_eq!(
        ward.import_rescue(&file).unwrap(),
        [Verdict::Accepted { sequence: 1 }]
    );
    // It is not let in again: nobody knows its areas.
    assert!(ward.devices().unwrap().is_empty());
}

#[test]
fn a_credential_that_was_changed_vouches_for_nobody() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    let old = tempfile::tempdir().unwrap();
    backup(&World::new(), old.path());
    let mut file = {
        let mut forged = phone.enrolment.clone();
        forged.credential.role = Role::Triage;
        Sealer::new(&forged, [5; 32]).unwrap()
    };
    file.bundle(&phone.seal(std::slice::from_ref(&case)));
    let ward = restored(old.path());
    let code = RejectionCode::ForeignActor;
    assert_eq!(
        ward.import_rescue(&file.finish()).unwrap(),
        [Verdict::Rejected { code }]
    );
}

#[test]
fn a_revoked_phone_does_not_come_in_by_a_file() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    world.ward.revoke(phone.device()).unwrap();
    let mut file = sealer(&phone);
    file.bundle(&phone.seal(std::slice::from_ref(&case)));
    let code = RejectionCode::Revoked;
    assert_eq!(
        world.ward.import_rescue(&file.finish()).unwrap(),
        [Verdict::Rejected { code }]
    );
    assert!(
        world
            .ward
            .case(case.edit().document.uuid)
            .unwrap()
            .is_none()
    );
}

#[test]
fn what_comes_before_a_damaged_place_is_taken() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    let mut file = sealer(&phone);
    file.bundle(&phone.seal(std::slice::from_ref(&case)));
    file.attachment(&image());
    let mut file = file.finish();
    let last = file.len() - 1;
    file[last] ^= 1;
    assert!(matches!(
        world.ward.import_rescue(&file),
        Err(WardError::Rescue(_))
    ));
    assert!(
        world
            .ward
            .case(case.edit().document.uuid)
            .unwrap()
            .is_some()
    );
    assert!(matches!(
        world.ward.import_rescue(b"%PDF-1.7 is no rescue file"),
        Err(WardError::Rescue(OpenRescueError::NotARescueFile))
    ));
}

#[test]
fn a_poisoned_bundle_does_not_hold_up_the_rest_of_the_file() {
    let world = World::new();
    let mut phone = Phone::enrol(&world, 1, Role::Officer, &[]);
    let case = phone.case("Ngập", None);
    let mut file = sealer(&phone);
    file.bundle(b"not a bundle");
    file.attachment(b"%PDF-1.7");
    file.bundle(&phone.seal(&[case]));
    let code = RejectionCode::Malformed;
    assert_eq!(
        world.ward.import_rescue(&file.finish()).unwrap(),
        [
            Verdict::Rejected { code },
            Verdict::Accepted { sequence: 1 }
        ]
    );
}
