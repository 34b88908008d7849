//! Another key for a phone: asked for under the present one, on the protocol of enrolment.

use std::sync::Arc;

use ed25519_dalek::SigningKey;

use super::connect::{Route, dial};
use super::driver::ended;
use super::{SyncError, enrol, run_blocking};
use crate::model::DeviceId;
use crate::protocol::ALPN_ENROLMENT;
use crate::protocol::credential::Enrolment;
use crate::protocol::enrolment::{self, RenewalRequest};
use crate::protocol::message::Refusal;
use crate::protocol::violation::Violation;
use crate::replica::Replica;

/// Gives a phone another key, without a visit to the office: the ward takes it under the present one, and
/// refuses that as soon as the new one was used. Then synchronises, which uses it.
///
/// # Errors
/// See [`SyncError`]. However it ends, the ward knows the key that the phone has.
pub async fn renew_key(replica: &Replica) -> Result<(), SyncError> {
    let asked = replica.clone();
    let (present, next) = run_blocking(move || (asked.device_key(), asked.next_device_key())).await;
    let enrolment = ask(replica, &present, &next?).await?;
    let renewed = replica.clone();
    run_blocking(move || renewed.renew_device_key(&enrolment)).await?;
    super::sync(replica, &mut |_| {}).await.map(drop)
}

/// The ward does not know the present key: it was put back from a copy that is older than a renewal. It is asked
/// once more under the newest earlier key that it knows, and from there key by key, because what phones give back
/// names each of them. Whether it knows the phone again.
pub(super) async fn reclaim(replica: &Replica) -> Result<bool, SyncError> {
    let asked = replica.clone();
    let (present, earlier) =
        run_blocking(move || (asked.device_key(), asked.earlier_device_keys())).await;
    let mut keys = vec![present];
    keys.extend(earlier?);
    let mut known = None;
    for older in 1..keys.len() {
        match ask(replica, &keys[older], &keys[older - 1]).await {
            Err(SyncError::Refused(Refusal::UnknownDevice)) => {}
            given => {
                known = Some((older - 1, given?));
                break;
            }
        }
    }
    let Some((position, mut enrolment)) = known else {
        return Ok(false);
    };
    for newer in (0..position).rev() {
        enrolment = ask(replica, &keys[newer + 1], &keys[newer]).await?;
    }
    let kept = replica.clone();
    run_blocking(move || kept.set_enrolment(&enrolment)).await?;
    Ok(true)
}

/// What the ward gives to `next`, asked under `present`. The addresses stay the phone's own.
async fn ask(
    replica: &Replica,
    present: &SigningKey,
    next: &SigningKey,
) -> Result<Enrolment, SyncError> {
    let asked = replica.clone();
    let enrolment = run_blocking(move || asked.enrolment()).await;
    let Enrolment {
        ward_key,
        addresses,
        credential,
        ..
    } = enrolment.ok_or(SyncError::NotEnrolled)?;
    let route = Route::new(present, ward_key, ALPN_ENROLMENT);
    let mut link = dial(&addresses, &route, &Arc::default()).await?;
    let present = DeviceId::of(present);
    let request = RenewalRequest::sign(next, credential.ward, present);
    let request_bytes = enrolment::encode_renewal(&request);
    let ward = (credential.ward, ward_key);
    let given = enrol::ask(&mut link, &request_bytes, ward, request.device).await?;
    if given.credential.officer != credential.officer {
        return Err(ended(&link, Violation::Signature.into()));
    }
    link.close().await;
    Ok(Enrolment { addresses, ..given })
}
