//! The handshake between real endpoints on loopback, and hostile ones.

use std::net::{Ipv4Addr, SocketAddr};

use quinn::{Connection, ConnectionError, Endpoint};

use super::*;
use crate::protocol::ALPN_SYNC;

/// A day of 2026.
const NOW: Timestamp = Timestamp(1_795_000_000_000);
/// Until the keys of Retry tokens are others.
const WEEK_MS: i64 = 7 * 24 * 3_600_000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn ward_key(key: &SigningKey) -> WardKey {
    WardKey(key.verifying_key().to_bytes())
}

fn ward(key: &SigningKey) -> Endpoint {
    Endpoint::server(
        server_config(key, NOW).unwrap(),
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    )
    .unwrap()
}

async fn connect(
    config: quinn::ClientConfig,
    ward: &Endpoint,
) -> (Endpoint, Result<Connection, ConnectionError>) {
    let device = Endpoint::client(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let connecting = device
        .connect_with(config, ward.local_addr().unwrap(), "ward")
        .unwrap();
    let connection = connecting.await;
    (device, connection)
}

async fn accept(ward: Endpoint) -> Result<Connection, ConnectionError> {
    ward.accept().await.unwrap().await
}

#[tokio::test]
async fn both_sides_learn_who_the_other_is() {
    let (ward_secret, device_secret) = (key(1), key(2));
    let endpoint = ward(&ward_secret);
    for alpn in ALPNS {
        let accepted = tokio::spawn(accept(endpoint.clone()));
        let config = client_config(&device_secret, ward_key(&ward_secret), alpn).unwrap();
        let (_device, connection) = connect(config, &endpoint).await;
        let connection = connection.unwrap();
        let accepted = accepted.await.unwrap().unwrap();

        assert_eq!(
            peer_device(accepted.peer_identity()),
            Some(DeviceId::of(&device_secret))
        );
        assert_eq!(
            peer_device(connection.peer_identity()),
            Some(DeviceId::of(&ward_secret))
        );
        assert_eq!(
            agreed_protocol(accepted.handshake_data()).as_deref(),
            Some(alpn)
        );
    }
}

#[tokio::test]
async fn a_ward_with_another_key_is_refused_and_named() {
    let endpoint = ward(&key(1));
    let accepted = tokio::spawn(accept(endpoint.clone()));
    let config = client_config(&key(2), ward_key(&key(3)), ALPN_SYNC).unwrap();
    let (_device, connection) = connect(config, &endpoint).await;
    let error = connection.unwrap_err();
    assert!(is_wrong_ward(&error), "{error:?}");
    assert!(!is_foreign_protocol(&error));
    assert!(accepted.await.unwrap().is_err());
}

#[tokio::test]
async fn a_server_with_a_certificate_in_place_of_a_raw_key_is_refused() {
    // A certificate-shaped byte string under the right key: the type was not negotiated.
    let ward_secret = key(1);
    let provider = Arc::new(ring::default_provider());
    let shown = certified_key(&ward_secret, &provider).unwrap();
    #[derive(Debug)]
    struct Certificates(Arc<CertifiedKey>);
    impl rustls::server::ResolvesServerCert for Certificates {
        fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Certificates(Arc::new(shown))));
    tls.alpn_protocols = vec![ALPN_SYNC.to_vec()];
    let config =
        quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
    let endpoint = Endpoint::server(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let accepted = tokio::spawn(accept(endpoint.clone()));
    let config = client_config(&key(2), ward_key(&ward_secret), ALPN_SYNC).unwrap();
    let (_device, connection) = connect(config, &endpoint).await;
    let error = connection.unwrap_err();
    assert!(is_foreign_protocol(&error), "{error:?}");
    accepted.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_ward_key_without_its_signature_is_refused_and_named() {
    let (ward_secret, thief) = (key(1), key(4));
    let provider = Arc::new(ring::default_provider());
    let stolen = CertifiedKey::new(
        certified_key(&ward_secret, &provider).unwrap().cert,
        certified_key(&thief, &provider).unwrap().key,
    );
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(Arc::new(AnyProvenDevice { provider }))
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(Arc::new(
            stolen,
        ))));
    tls.alpn_protocols = vec![ALPN_SYNC.to_vec()];
    let crypto = QuicServerConfig::try_from(tls).unwrap();
    let endpoint = Endpoint::server(
        quinn::ServerConfig::with_crypto(Arc::new(crypto)),
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    )
    .unwrap();
    let accepted = tokio::spawn(accept(endpoint.clone()));
    let config = client_config(&key(2), ward_key(&ward_secret), ALPN_SYNC).unwrap();
    let (_device, connection) = connect(config, &endpoint).await;
    let error = connection.unwrap_err();
    assert!(is_wrong_ward(&error), "{error:?}");
    accepted.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_protocol_that_is_not_ours_is_refused_and_named() {
    let ward_secret = key(1);
    let endpoint = ward(&ward_secret);
    let accepted = tokio::spawn(accept(endpoint.clone()));
    let config = client_config(&key(2), ward_key(&ward_secret), b"gandan/2").unwrap();
    let (_device, connection) = connect(config, &endpoint).await;
    let error = connection.unwrap_err();
    assert!(is_foreign_protocol(&error), "{error:?}");
    assert!(!is_wrong_ward(&error));
    assert!(accepted.await.unwrap().is_err());
}

#[tokio::test]
async fn a_device_that_shows_no_key_is_refused() {
    let ward_secret = key(1);
    let endpoint = ward(&ward_secret);
    let accepted = tokio::spawn(accept(endpoint.clone()));
    let provider = Arc::new(ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedWard {
            ward_key: ward_key(&ward_secret),
            provider,
        }))
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN_SYNC.to_vec()];
    let crypto = QuicClientConfig::try_from(tls).unwrap();
    let (_device, connection) =
        connect(quinn::ClientConfig::new(Arc::new(crypto)), &endpoint).await;
    accepted.await.unwrap().unwrap_err();
    // The device's side of the handshake may be over before the ward refuses.
    if let Ok(connection) = connection {
        connection.closed().await;
    }
}

#[tokio::test]
async fn a_device_cannot_claim_a_key_that_it_does_not_hold() {
    let ward_secret = key(1);
    let endpoint = ward(&ward_secret);
    let accepted = tokio::spawn(accept(endpoint.clone()));
    let provider = Arc::new(ring::default_provider());
    let thief = certified_key(&key(2), &provider).unwrap();
    let victim = certified_key(&key(3), &provider).unwrap();
    let stolen = CertifiedKey::new(victim.cert, thief.key);
    let mut tls = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedWard {
            ward_key: ward_key(&ward_secret),
            provider,
        }))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(Arc::new(
            stolen,
        ))));
    tls.alpn_protocols = vec![ALPN_SYNC.to_vec()];
    let crypto = QuicClientConfig::try_from(tls).unwrap();
    let (_device, _connection) =
        connect(quinn::ClientConfig::new(Arc::new(crypto)), &endpoint).await;
    accepted.await.unwrap().unwrap_err();
}

#[test]
fn only_a_sound_ed25519_key_is_a_key() {
    let sound = key(7).verifying_key();
    let mut spki = ED25519_SPKI_PREFIX.to_vec();
    spki.extend_from_slice(sound.as_bytes());
    assert_eq!(ed25519_key(&spki), Some(sound.to_bytes()));
    assert_eq!(ed25519_key(&spki[..43]), None);
    spki.push(0);
    assert_eq!(ed25519_key(&spki), None);
    // The neutral element: every signature of a certain form holds under it.
    let mut weak = ED25519_SPKI_PREFIX.to_vec();
    weak.push(1);
    weak.extend_from_slice(&[0; 31]);
    assert_eq!(ed25519_key(&weak), None);
}

/// A ward whose runtime is gone is to the phone what a killed one is: nothing says goodbye.
#[tokio::test]
async fn a_phone_is_told_at_once_that_its_ward_was_started_anew() {
    let secret = key(1);
    let bind = |address: SocketAddr| {
        Endpoint::new(
            transport::endpoint(secret.as_bytes(), NOW),
            Some(server_config(&secret, NOW).unwrap()),
            std::net::UdpSocket::bind(address).unwrap(),
            Arc::new(quinn::TokioRuntime),
        )
        .unwrap()
    };
    let doomed = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let first = {
        let _entered = doomed.enter();
        bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    };
    let address = first.local_addr().unwrap();
    let (accepted, is_accepted) = tokio::sync::oneshot::channel();
    doomed.spawn(async move {
        let connection = accept(first).await.unwrap();
        accepted.send(()).unwrap();
        connection.closed().await;
    });
    let config = client_config(&key(2), ward_key(&secret), ALPN_SYNC).unwrap();
    let device = Endpoint::client(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let connecting = device.connect_with(config, address, "ward").unwrap();
    let connection = connecting.await.unwrap();
    is_accepted.await.unwrap();
    tokio::task::spawn_blocking(move || drop(doomed))
        .await
        .unwrap();

    let _second = bind(address);
    let (mut send, _receive) = connection.open_bi().await.unwrap();
    // A reset is only given to a packet that is longer than it.
    send.write_all(&[0; 100]).await.unwrap();
    let reason = connection.closed().await;
    assert!(matches!(reason, ConnectionError::Reset), "{reason:?}");
}

/// Whether a ward that begins anew `then` takes a Retry token that it gave before.
async fn is_address_shown(token_given: Timestamp, then: Timestamp) -> bool {
    let secret = key(1);
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let first = Endpoint::server(server_config(&secret, token_given).unwrap(), loopback).unwrap();
    let address = first.local_addr().unwrap();
    let device = Endpoint::client(loopback).unwrap();
    let config = client_config(&key(2), ward_key(&secret), ALPN_SYNC).unwrap();
    let connecting = device.connect_with(config, address, "ward").unwrap();
    let asked = first.accept().await.unwrap();
    assert!(!asked.remote_address_validated());
    asked.retry().unwrap();
    // The ward of the next moment has the same key and knows nothing else.
    first.set_server_config(Some(server_config(&secret, then).unwrap()));
    let shown = first.accept().await.unwrap().remote_address_validated();
    drop(connecting);
    shown
}

#[tokio::test]
async fn a_retry_that_was_answered_holds_for_a_ward_started_anew_and_not_in_another_week() {
    assert!(is_address_shown(NOW, NOW).await);
    assert!(!is_address_shown(NOW, Timestamp(NOW.0 + WEEK_MS)).await);
}
