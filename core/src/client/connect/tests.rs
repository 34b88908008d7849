//! Dialling on loopback: silent, wrong and busy addresses.

use std::net::{Ipv4Addr, SocketAddr};

use ed25519_dalek::SigningKey;

use quinn::Endpoint;

use super::*;
use crate::model::{Timestamp, WardKey};
use crate::protocol::ALPN_SYNC;

const WARD: u8 = 1;
const IMPOSTOR: u8 = 2;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn route() -> Route {
    let ward_key = WardKey(key(WARD).verifying_key().to_bytes());
    Route::new(&key(9), ward_key, ALPN_SYNC)
}

/// A server that lets everybody in and says nothing.
fn listen(seed: u8) -> (Endpoint, String) {
    let endpoint = Endpoint::server(
        tls::server_config(&key(seed), Timestamp(0)).unwrap(),
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    )
    .unwrap();
    let address = endpoint.local_addr().unwrap().to_string();
    let accepting = endpoint.clone();
    tokio::spawn(async move {
        while let Some(incoming) = accepting.accept().await {
            tokio::spawn(async move {
                if let Ok(connection) = incoming.await {
                    connection.closed().await;
                }
            });
        }
    });
    (endpoint, address)
}

#[tokio::test]
async fn a_silent_address_only_delays_the_next_one() {
    let silent = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let (_ward, address) = listen(WARD);
    let link = dial(&[silent, address.clone()], &route(), &Arc::default())
        .await
        .unwrap();
    assert_eq!(link.peer_by_quic().unwrap().to_string(), address);
}

#[tokio::test]
async fn an_impostor_at_one_address_does_not_keep_the_device_from_the_ward() {
    let (_impostor, wrong) = listen(IMPOSTOR);
    let (_ward, address) = listen(WARD);
    let link = dial(&[wrong, address.clone()], &route(), &Arc::default())
        .await
        .unwrap();
    assert_eq!(link.peer_by_quic().unwrap().to_string(), address);
}

#[tokio::test]
async fn when_no_address_leads_to_the_ward_the_most_telling_reason_is_given() {
    let (_impostor, wrong) = listen(IMPOSTOR);
    let nowhere = "no port here".to_owned();
    let failure = dial(
        &[nowhere.clone(), wrong, nowhere.clone()],
        &route(),
        &Arc::default(),
    )
    .await
    .err();
    assert!(
        matches!(failure, Some(SyncError::WrongServerKey)),
        "{failure:?}"
    );
    let failure = dial(&[nowhere], &route(), &Arc::default()).await.err();
    assert!(matches!(failure, Some(SyncError::Offline)), "{failure:?}");
    let failure = dial(&[], &route(), &Arc::default()).await.err();
    assert!(matches!(failure, Some(SyncError::Offline)), "{failure:?}");
}

#[tokio::test]
async fn a_ward_without_a_place_is_busy_and_not_away() {
    let endpoint = Endpoint::server(
        tls::server_config(&key(WARD), Timestamp(0)).unwrap(),
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    )
    .unwrap();
    let address = endpoint.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            incoming.refuse();
        }
    });
    let failure = dial(&[address], &route(), &Arc::default()).await.err();
    assert!(
        matches!(failure, Some(SyncError::Refused(Refusal::Unavailable))),
        "{failure:?}"
    );
}

#[tokio::test]
async fn bytes_of_failed_attempts_and_of_the_goodbye_are_counted() {
    let (_impostor, wrong) = listen(IMPOSTOR);
    let (ward, address) = listen(WARD);
    let link = dial(&[wrong, address], &route(), &Arc::default())
        .await
        .unwrap();
    assert!(link.traffic.up() >= 2 * 1_200, "two handshakes");
    assert!(link.traffic.down() >= 2 * 1_200);
    let before = link.traffic.up();
    link.close().await;
    assert!(link.traffic.up() > before);
    ward.wait_idle().await;
}
