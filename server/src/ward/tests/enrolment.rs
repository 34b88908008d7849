//! Invites: one use, a short life, a typed refusal for everything else.

use gandan_core::model::{DeviceId, OfficerId, Role};
use gandan_core::protocol::enrolment::{EnrolmentRequest, EnrolmentResponse};
use gandan_core::protocol::message::Refusal;
use uuid::Uuid;

use super::fixture::World;
use crate::ward::{InviteState, WardError};

const ADDRESS: &str = "127.0.0.1:4433";
const HOUR_MS: i64 = 3_600_000;

fn officer(world: &World) -> OfficerId {
    world.ward.officer("Lê Văn An", Role::Officer, &[]).unwrap()
}

fn token(world: &World) -> [u8; 16] {
    let addresses = [ADDRESS.to_owned()];
    world
        .ward
        .invite(officer(world), &addresses, HOUR_MS)
        .unwrap()
        .token
}

fn device(number: u8) -> DeviceId {
    DeviceId([number; 32])
}

fn enrol(world: &World, device: DeviceId, token: [u8; 16]) -> EnrolmentResponse {
    let request = EnrolmentRequest {
        token,
        device_name: "Máy".to_owned(),
    };
    world.ward.enrol(device, &request).unwrap()
}

#[test]
fn an_invite_enrols_one_device_with_a_word_that_holds() {
    let world = World::new();
    let token = token(&world);
    let enrolment = enrol(&world, device(1), token).unwrap();
    assert!(enrolment.credential.verify(world.ward.key()));
    assert_eq!(enrolment.credential.officer, officer(&world));
    assert_eq!(enrolment.addresses, [ADDRESS]);
    assert_eq!(enrol(&world, device(2), token), Err(Refusal::InviteUsed));
    let devices = world.ward.devices().unwrap();
    assert_eq!(devices.len(), 1);
    assert_eq!(devices[0].officer_name, "Lê Văn An");
}

#[test]
fn an_invite_that_was_lost_is_taken_back_and_enrols_nobody() {
    let world = World::new();
    let (lost, used) = (token(&world), token(&world));
    enrol(&world, device(1), used).unwrap();
    let of = |state: InviteState| {
        let invites = world.ward.invites().unwrap();
        let found = invites.into_iter().find(|invite| invite.state == state);
        found.map(|invite| invite.id)
    };
    let id = of(InviteState::Open).unwrap();
    world.ward.revoke_invite(&id).unwrap();
    assert_eq!(of(InviteState::Revoked), Some(id.clone()));
    assert_eq!(enrol(&world, device(2), lost), Err(Refusal::InviteUnknown));
    let used = of(InviteState::Used(device(1))).unwrap();
    for gone in [id.as_str(), used.as_str(), "00ff00ff00ff", "no id"] {
        let refused = world.ward.revoke_invite(gone);
        assert!(
            matches!(refused, Err(WardError::NotFound("invite"))),
            "{gone}"
        );
    }
}

#[test]
fn a_device_that_lost_the_answer_gets_it_again() {
    let world = World::new();
    let token = token(&world);
    let first = enrol(&world, device(1), token).unwrap();
    world.environment.advance(2 * HOUR_MS);
    let again = enrol(&world, device(1), token).unwrap();
    assert_eq!(first.rescue_key, again.rescue_key);
    assert!(again.credential.verify(world.ward.key()));
}

#[test]
fn an_invite_that_is_over_or_unknown_is_refused_as_such() {
    let world = World::new();
    let expired = token(&world);
    world.environment.advance(HOUR_MS);
    assert_eq!(
        enrol(&world, device(1), expired),
        Err(Refusal::InviteExpired)
    );
    assert_eq!(
        enrol(&world, device(1), [9; 16]),
        Err(Refusal::InviteUnknown)
    );
    assert!(world.ward.devices().unwrap().is_empty());
}

#[test]
fn a_revoked_device_does_not_come_back_by_an_invite() {
    let world = World::new();
    enrol(&world, device(1), token(&world)).unwrap();
    world.ward.revoke(device(1)).unwrap();
    assert_eq!(
        enrol(&world, device(1), token(&world)),
        Err(Refusal::Revoked)
    );
    assert!(matches!(
        world.ward.revoke(device(7)),
        Err(WardError::NotFound("device"))
    ));
}

#[test]
fn an_invite_needs_an_officer_an_address_and_an_end() {
    let world = World::new();
    let known = officer(&world);
    let addresses = [ADDRESS.to_owned()];
    let unknown = OfficerId(Uuid::from_u128(7));
    assert!(matches!(
        world.ward.invite(unknown, &addresses, HOUR_MS),
        Err(WardError::NotFound("officer"))
    ));
    for bad in ["", "host", "host:0", ":4433", "a b:1"] {
        let invited = world.ward.invite(known, &[bad.to_owned()], HOUR_MS);
        assert!(matches!(invited, Err(WardError::Invalid(_))), "{bad}");
    }
    assert!(matches!(
        world.ward.invite(known, &[], HOUR_MS),
        Err(WardError::Invalid(_))
    ));
    assert!(matches!(
        world.ward.invite(known, &addresses, 0),
        Err(WardError::Invalid(_))
    ));
}

#[test]
fn only_a_hash_of_the_token_is_stored() {
    let world = World::new();
    let token = token(&world);
    let stored: Vec<u8> = world
        .ward
        .read(|connection| {
            connection.query_row("SELECT token_hash FROM invites", [], |row| row.get(0))
        })
        .unwrap();
    assert_eq!(stored, blake3::hash(&token).as_bytes());
}
