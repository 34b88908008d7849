//! Enrolment: an invite's token for a credential, on a protocol of its own.

use std::sync::Arc;

use super::connect::{Route, dial};
use super::driver::{ended, exchange};
use super::link::Link;
use super::{SyncError, run_blocking};
use crate::model::{DeviceId, WardCode, WardKey};
use crate::protocol::ALPN_ENROLMENT;
use crate::protocol::credential::Enrolment;
use crate::protocol::enrolment::{self, EnrolmentRequest};
use crate::protocol::invite::Invite;
use crate::protocol::limits::ENROLMENT_BYTES_MAX;
use crate::protocol::violation::Violation;
use crate::replica::Replica;

/// Enrols a replica with an invite, and fetches the ward's reference data if the link still holds:
/// without it, records made offline know no area by its code.
///
/// # Errors
/// See [`SyncError`]; the invite is used up only if the ward answered with a credential.
pub async fn enrol(replica: &Replica, invite: &Invite, device_name: &str) -> Result<(), SyncError> {
    let asked = replica.clone();
    let (known, device_key) = run_blocking(move || (asked.enrolment(), asked.device_key())).await;
    if known.is_some() {
        return Err(SyncError::AlreadyEnrolled);
    }
    let route = Route::new(&device_key, invite.ward_key, ALPN_ENROLMENT);
    let traffic = Arc::default();
    let mut link = dial(&invite.addresses, &route, &traffic).await?;
    let request = enrolment::encode_request(&EnrolmentRequest {
        token: invite.token,
        device_name: device_name.to_owned(),
    });
    let device = DeviceId::of(&device_key);
    let enrolment = ask(&mut link, &request, (invite.ward, invite.ward_key), device).await?;
    let stored = replica.clone();
    run_blocking(move || stored.set_enrolment(&enrolment)).await?;
    link.close().await;

    if let Err(error) = super::sync(replica, &mut |_| {}).await {
        tracing::info!(%error, "enrolled; the reference data comes with the next synchronisation");
    }
    Ok(())
}

/// What the ward, and no other, gives to this device and to no other.
pub(super) async fn ask(
    link: &mut Link,
    request: &[u8],
    (ward, ward_key): (WardCode, WardKey),
    device: DeviceId,
) -> Result<Enrolment, SyncError> {
    let response = exchange(link, request, ENROLMENT_BYTES_MAX).await?;
    let violation = |violation: Violation| ended(link, violation.into());
    let given = enrolment::decode_response(&response)
        .map_err(|error| violation(error.into()))?
        .map_err(SyncError::Refused)?;
    let is_ours = given.ward_key == ward_key
        && given.credential.ward == ward
        && given.credential.device == device
        && given.credential.verify(ward_key);
    if is_ours {
        Ok(given)
    } else {
        Err(violation(Violation::Signature))
    }
}
