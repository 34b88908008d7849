//! A phone gets another key, and whoever has the old one gets nothing.

use std::path::Path;

use gandan_core::model::DeviceId;
use gandan_core::protocol::enrolment::RenewalRequest;
use gandan_core::store::device::wipe;

use super::*;
use crate::ward::DeviceState;

fn device(phone: &Replica) -> DeviceId {
    DeviceId::of(&phone.device_key())
}

async fn synced(phone: &Replica) {
    let report = client::sync(phone, &mut |_| {}).await.unwrap();
    assert!(report.is_agreed && report.pending == 0, "{report:?}");
    assert!(phone.rejected().unwrap().is_empty());
}

fn states(ward: &Ward) -> Vec<DeviceState> {
    let mut devices = ward.devices().unwrap();
    devices.sort_by_key(|device| device.state() == DeviceState::Active);
    devices.iter().map(crate::ward::Device::state).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_phone_with_another_key_goes_on_where_it_was() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let first = phone.record_case(case("Ngập hẻm 12")).unwrap().id;
    synced(&phone).await;
    for renewal in 1..=2 {
        let before = device(&phone);
        // Something is sealed by the old key, and something is not.
        let sealed = phone.record_case(case("Ngập hẻm 14")).unwrap().id;
        phone.begin_conversation("test").unwrap().unwrap();
        let bundle = gandan_core::protocol::initiator::DeviceCommand::NextBundle;
        phone.execute(bundle).unwrap();
        phone.add_note(first, "vẫn ngập").unwrap();
        client::renew_key(&phone).await.unwrap();
        assert_ne!(device(&phone), before);
        synced(&phone).await;
        assert!(serving.ward.case(sealed).unwrap().is_some());
        let noted = serving.ward.case(first).unwrap().unwrap();
        assert_eq!(noted.notes.len(), renewal);
    }
    assert_eq!(
        states(&serving.ward),
        [
            DeviceState::Revoked,
            DeviceState::Revoked,
            DeviceState::Active
        ]
    );
    serving.ward.assert_sound();
    serving.stop().await;
}

#[tokio::test]
async fn whoever_copied_the_old_key_is_out_once_the_new_one_was_used() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let copied = serving.folder.path().join("thief");
    copy(&serving.folder.path().join("a"), &copied);
    client::renew_key(&phone).await.unwrap();
    let thief = serving.store("thief");
    assert_eq!(refused(&thief).await, Refusal::Revoked);
    let renewed = client::renew_key(&thief).await;
    assert!(
        matches!(renewed, Err(SyncError::Refused(Refusal::Revoked))),
        "{renewed:?}"
    );
    synced(&phone).await;
    serving.stop().await;
}

#[tokio::test]
async fn an_answer_that_was_lost_locks_nobody_out() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let present = device(&phone);
    // The ward has answered, and the power went before the phone had stored it.
    let next = phone.next_device_key().unwrap();
    let code = serving.ward.code();
    let request = RenewalRequest::sign(&next, code, present);
    serving.ward.renew(present, &request).unwrap().unwrap();
    drop(phone);
    let phone = serving.store("a");
    phone.record_case(case("Ngập hẻm 12")).unwrap();
    synced(&phone).await;
    client::renew_key(&phone).await.unwrap();
    assert_eq!(device(&phone).0, next.verifying_key().to_bytes());
    assert_eq!(serving.ward.devices().unwrap().len(), 2);
    synced(&phone).await;
    serving.stop().await;
}

#[tokio::test]
async fn a_phone_is_known_again_to_a_ward_put_back_from_before_it_had_this_key() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let first = phone.record_case(case("Ngập hẻm 12")).unwrap().id;
    synced(&phone).await;
    let (data, old) = (
        serving.folder.path().join("ward"),
        serving.folder.path().join("old"),
    );
    copy(&data, &old);
    client::renew_key(&phone).await.unwrap();
    let second = phone.record_case(case("Ngập hẻm 14")).unwrap().id;
    synced(&phone).await;
    // Once more: what it has to give back names a key that the ward never knew.
    client::renew_key(&phone).await.unwrap();

    serving.stop.send(()).unwrap();
    serving.serving.await.unwrap();
    let ward = Ward::open(&old, Arc::new(SystemEnvironment)).unwrap();
    let serving = Serving::listen(ward, serving.folder, serving.address);
    assert_eq!(refused(&phone).await, Refusal::UnknownDevice);
    synced(&phone).await;
    for id in [first, second] {
        assert!(serving.ward.case(id).unwrap().is_some());
    }
    assert_eq!(
        states(&serving.ward),
        [
            DeviceState::Revoked,
            DeviceState::Revoked,
            DeviceState::Active
        ]
    );
    serving.stop().await;
}

#[tokio::test]
async fn a_key_is_given_to_whoever_holds_it_and_to_nobody_who_is_locked_out() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let colleague = serving.phone("b").await;
    let (code, present) = (serving.ward.code(), device(&phone));
    let next = phone.next_device_key().unwrap();
    let request = RenewalRequest::sign(&next, code, present);
    // Another phone says the same, or takes the colleague's key.
    let said_by_another = serving.ward.renew(device(&colleague), &request);
    assert_eq!(said_by_another.unwrap(), Err(Refusal::UnknownDevice));
    let of_colleague = RenewalRequest::sign(&colleague.device_key(), code, present);
    let taken = serving.ward.renew(present, &of_colleague);
    assert_eq!(taken.unwrap(), Err(Refusal::UnknownDevice));
    // It was asked for, and then the phone is reported lost: neither key is of use.
    serving.ward.renew(present, &request).unwrap().unwrap();
    serving.ward.revoke(present).unwrap();
    let renewed = client::renew_key(&phone).await;
    assert!(
        matches!(renewed, Err(SyncError::Refused(Refusal::Revoked))),
        "{renewed:?}"
    );
    let enrolment = phone.enrolment().unwrap();
    phone.renew_device_key(&enrolment).unwrap();
    assert_eq!(refused(&phone).await, Refusal::Revoked);
    serving.stop().await;
}

#[tokio::test]
async fn a_lost_phone_is_wiped_by_a_ward_that_knows_an_earlier_key_of_it_only() {
    let serving = Serving::start();
    let phone = serving.phone("a").await;
    let before = device(&phone);
    let old = serving.folder.path().join("old");
    copy(&serving.folder.path().join("ward"), &old);
    client::renew_key(&phone).await.unwrap();
    phone.record_case(case("Ngập hẻm 14")).unwrap();

    serving.stop.send(()).unwrap();
    serving.serving.await.unwrap();
    let ward = Ward::open(&old, Arc::new(SystemEnvironment)).unwrap();
    ward.revoke_and_wipe(before).unwrap();
    let serving = Serving::listen(ward, serving.folder, serving.address);
    client::sync(&phone, &mut |_| {}).await.unwrap_err();
    let folder = serving.folder.path().join("a");
    assert!(wipe::wiped_at(&folder).unwrap().is_some());
    assert!(
        wipe::rescued(&folder).exists(),
        "what is unsent is not lost"
    );
    serving.stop().await;
}
