//! Cases that the feed does not bring.

use super::*;
use uuid::Uuid;

#[test]
fn cases_are_asked_for_after_the_records_and_before_the_files_and_what_they_build_on_follows() {
    let (mut device, mut ward) = acquainted();
    let old = FakeEdit::new("an old case");
    let newest = FakeEdit::after("closed long ago", &old);
    for edit in [&old, &newest] {
        ward.admit_from_colleague(edit);
        // The feed passes over it, as over anything out of scope.
        ward.left_out.push(edit.id());
    }
    device.looks = vec!["PA-2019-000001".to_owned(), "K7P-2M9C".to_owned()];
    let loan = (Uuid::from_u128(1), vec![newest.id()]);
    ward.loans.insert("K7P-2M9C".to_owned(), loan);
    device.record(&cases(10..12));
    device.attach(b"a photo".to_vec());
    let outcome = meet(&mut device, &mut ward);
    outcome.assert_caught_up();
    assert!(device.edits.contains_key(&old.id()));
    assert!(device.edits.contains_key(&newest.id()));
    assert_eq!(device.not_lent, ["PA-2019-000001"]);
    let place = |name: &str| ward.log.iter().position(|step| *step == name);
    assert!(place("look") > place("admit"), "{:?}", ward.log);
    assert!(place("look") < place("find attachment"), "{:?}", ward.log);
}
