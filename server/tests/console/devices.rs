//! The phones, and what is done when one is lost.

use axum::http::StatusCode;
use gandan_server::ward::DeviceState;

use super::browser::Office;

#[tokio::test]
async fn whoever_oversees_locks_a_lost_phone_out_and_has_it_wiped() {
    let office = Office::open();
    let _phone = office.phone("Trần Thị Mai");
    let id = office.ward.devices().unwrap()[0].id;
    let state = || office.ward.devices().unwrap()[0].state();
    let mut admin = office.signed_in("quantri").await;
    let page = admin.get("/devices").await;
    assert!(page.body.contains("Trần Thị Mai") && page.body.contains("Đang dùng"));

    let deed = format!("/devices/{id}/revoke");
    let revoked = admin.post(&deed, &[]).await;
    assert_eq!(revoked.status, StatusCode::OK);
    assert!(revoked.body.contains("Đã khóa máy.") && !revoked.body.contains("Đang dùng"));
    assert_eq!(state(), DeviceState::Revoked);
    let wiped = admin.post(&deed, &[("wipe", "yes")]).await;
    assert!(wiped.body.contains("chờ máy kết nối để xóa"));
    assert_eq!(state(), DeviceState::ToBeWiped);
    let trail = admin.get("/audit?kind=device_revoked").await;
    assert!(trail.body.contains("khóa và xóa") && trail.body.contains("Quản trị"));

    let unknown = admin
        .post(&format!("/devices/{}/revoke", "0".repeat(64)), &[])
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn clerks_and_strangers_lock_nobody_out() {
    let office = Office::open();
    let _phone = office.phone("Trần Thị Mai");
    let id = office.ward.devices().unwrap()[0].id;
    let deed = format!("/devices/{id}/revoke");
    let mut clerk = office.signed_in("dung").await;
    assert_eq!(clerk.get("/devices").await.status, StatusCode::NOT_FOUND);
    assert_eq!(clerk.post(&deed, &[]).await.status, StatusCode::NOT_FOUND);
    let led = office.browser().post(&deed, &[]).await;
    assert!(led.location().starts_with("/login"));
    let mut admin = office.signed_in("quantri").await;
    let foreign = admin
        .post_from(Some("cross-site"), &deed, String::new())
        .await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    assert_eq!(
        office.ward.devices().unwrap()[0].state(),
        DeviceState::Active
    );
}
