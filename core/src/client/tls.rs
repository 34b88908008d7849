//! Mutual raw public keys (RFC 7250) for rustls: a device is its Ed25519 key, the ward is its own.
//!
//! TLS proves who somebody is and nothing more. The device knows its ward's key beforehand and takes
//! no other; the ward takes every key that was proven, because whose it is and what it may do is
//! the live device table's to say, on every accept and every batch; a resumed handshake copies the
//! device's key from the ticket, and is asked about no less.
//!
//! A ticket lets a device speak in its first packet (0-RTT). Whoever captured that packet may send it
//! again. That does nothing: the ward takes each ticket once, and what a device says is idempotent.

use std::sync::Arc;

use ed25519_dalek::{SigningKey, VerifyingKey};
use quinn::crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig};
use rustls::client::AlwaysResolvesClientRawPublicKeys;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer,
    UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage, ServerSessionMemoryCache,
};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, DigitallySignedStruct, DistinguishedName, PeerIncompatible,
    SignatureScheme,
};

use super::transport;
use crate::model::{DeviceId, Timestamp, WardKey};
use crate::protocol::ALPNS;

/// What every DER SubjectPublicKeyInfo of an Ed25519 key begins with (RFC 8410).
const ED25519_SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// What every PKCS#8 form of an Ed25519 seed begins with (RFC 8410).
const ED25519_PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// Error codes of QUIC that carry a TLS alert (RFC 9001, section 4.8).
const TLS_ALERTS: std::ops::RangeInclusive<u64> = 0x100..=0x1ff;

/// Tickets that the ward gives in a whole handshake. A device that returns, says one thing and goes
/// is gone before the next ones reach it, so they last for this many returns.
const TICKETS_GIVEN: usize = 4;
/// Tickets that the ward keeps, the oldest go first; some 300 bytes each, and a few hundred devices.
const TICKETS_KEPT: usize = 4_096;
/// rustls says by this that QUIC limits early data, not TLS (RFC 9001, section 4.6.1).
const EARLY_DATA_OF_QUIC: u32 = u32::MAX;

/// A client that shows `device_key` and takes no server but `ward_key`. It keeps the ward's tickets as
/// long as it lives.
///
/// # Errors
/// rustls's, which for our own keys is a bug.
pub fn client_config(
    device_key: &SigningKey,
    ward_key: WardKey,
    alpn: &[u8],
) -> Result<quinn::ClientConfig, rustls::Error> {
    let mut tls = client_tls(device_key, ward_key, alpn)?;
    tls.enable_early_data = true;
    let crypto = QuicClientConfig::try_from(tls).map_err(|_| no_initial_cipher())?;
    let mut config = quinn::ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(transport::client()));
    Ok(config)
}

/// As [`client_config`], for TLS over TCP: without tickets, because nothing can be said early there.
///
/// # Errors
/// rustls's, which for our own keys is a bug.
pub fn client_config_tcp(
    device_key: &SigningKey,
    ward_key: WardKey,
    alpn: &[u8],
) -> Result<rustls::ClientConfig, rustls::Error> {
    let mut tls = client_tls(device_key, ward_key, alpn)?;
    tls.resumption = rustls::client::Resumption::disabled();
    Ok(tls)
}

fn client_tls(
    device_key: &SigningKey,
    ward_key: WardKey,
    alpn: &[u8],
) -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let shown = Arc::new(certified_key(device_key, &provider)?);
    let mut tls = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedWard { ward_key, provider }))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(shown)));
    tls.alpn_protocols = vec![alpn.to_vec()];
    tls.enable_sni = false;
    Ok(tls)
}

/// A server that shows `ward_key` and takes any client that proves an Ed25519 key. Both our ALPNs. `now`
/// says which week's key seals its Retry tokens. There is no key of tickets to rotate: a ticket is the
/// number of a row in this configuration's memory, taken out when it is used, and names its device for a
/// day at most.
///
/// # Errors
/// rustls's, which for our own keys is a bug.
pub fn server_config(
    ward_key: &SigningKey,
    now: Timestamp,
) -> Result<quinn::ServerConfig, rustls::Error> {
    let mut tls = server_tls(ward_key)?;
    // In memory and taken out when it is used: a ticket that came twice would be a replay.
    tls.session_storage = ServerSessionMemoryCache::new(TICKETS_KEPT);
    tls.send_tls13_tickets = TICKETS_GIVEN;
    tls.max_early_data_size = EARLY_DATA_OF_QUIC;
    let crypto = QuicServerConfig::try_from(tls).map_err(|_| no_initial_cipher())?;
    let token_key = transport::token_key(ward_key.as_bytes(), now);
    let mut config = quinn::ServerConfig::new(Arc::new(crypto), token_key);
    transport::limit_server(&mut config);
    Ok(config)
}

/// As [`server_config`], for TLS over TCP: without tickets.
///
/// # Errors
/// rustls's, which for our own keys is a bug.
pub fn server_config_tcp(ward_key: &SigningKey) -> Result<rustls::ServerConfig, rustls::Error> {
    let mut tls = server_tls(ward_key)?;
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    tls.send_tls13_tickets = 0;
    Ok(tls)
}

fn server_tls(ward_key: &SigningKey) -> Result<rustls::ServerConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let shown = Arc::new(certified_key(ward_key, &provider)?);
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(AnyProvenDevice { provider }))
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(shown)));
    tls.alpn_protocols = ALPNS.map(<[u8]>::to_vec).to_vec();
    Ok(tls)
}

/// The device that a connection proved to be, from `Connection::peer_identity`.
#[must_use]
pub fn peer_device(identity: Option<Box<dyn std::any::Any>>) -> Option<DeviceId> {
    let chain = identity?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    shown_device(&chain)
}

/// The device that showed this in the place of a certificate chain, and proved it.
#[must_use]
pub fn shown_device(chain: &[CertificateDer<'_>]) -> Option<DeviceId> {
    let [shown] = chain else {
        return None;
    };
    ed25519_key(shown).map(DeviceId)
}

/// The protocol that both sides agreed on, from `Connection::handshake_data`.
#[must_use]
pub fn agreed_protocol(handshake: Option<Box<dyn std::any::Any>>) -> Option<Vec<u8>> {
    handshake?.downcast::<HandshakeData>().ok()?.protocol
}

/// Whether a connection failed because whoever answered did not prove to be the pinned ward: another
/// key, a key without its signature, or a certificate in its place.
#[must_use]
pub fn is_wrong_ward(error: &quinn::ConnectionError) -> bool {
    // A transport error is our own side's judgement; the ward's arrives as a closed connection.
    matches!(error, quinn::ConnectionError::TransportError(ended)
        if TLS_ALERTS.contains(&u64::from(ended.code)) && !is_foreign_protocol(error))
}

/// Whether a connection failed because the other side speaks no protocol of ours, or not our way of
/// showing keys.
#[must_use]
pub fn is_foreign_protocol(error: &quinn::ConnectionError) -> bool {
    match error {
        quinn::ConnectionError::TransportError(ended) => ended.code == no_application_protocol(),
        quinn::ConnectionError::ConnectionClosed(closed) => {
            TLS_ALERTS.contains(&u64::from(closed.error_code))
        }
        quinn::ConnectionError::VersionMismatch => true,
        _ => false,
    }
}

/// As [`is_wrong_ward`], for TLS over TCP.
#[must_use]
pub fn is_wrong_ward_tcp(error: &std::io::Error) -> bool {
    // An alert is the other side's judgement, whatever it is about.
    tls_error(error).is_some_and(|error| {
        !matches!(
            error,
            rustls::Error::AlertReceived(_) | rustls::Error::NoApplicationProtocol
        )
    })
}

/// As [`is_foreign_protocol`], for TLS over TCP.
#[must_use]
pub fn is_foreign_protocol_tcp(error: &std::io::Error) -> bool {
    tls_error(error).is_some_and(|_| !is_wrong_ward_tcp(error))
}

fn tls_error(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn no_application_protocol() -> quinn::TransportErrorCode {
    quinn::TransportErrorCode::crypto(AlertDescription::NoApplicationProtocol.into())
}

fn no_initial_cipher() -> rustls::Error {
    rustls::Error::General("the provider lacks the cipher of QUIC's first packets".to_owned())
}

/// The key with its public half in the place of a certificate chain.
fn certified_key(
    key: &SigningKey,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, rustls::Error> {
    let mut private = ED25519_PKCS8_PREFIX.to_vec();
    private.extend_from_slice(key.as_bytes());
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(private));
    let mut public = ED25519_SPKI_PREFIX.to_vec();
    public.extend_from_slice(key.verifying_key().as_bytes());
    Ok(CertifiedKey::new(
        vec![CertificateDer::from(public)],
        provider.key_provider.load_private_key(private)?,
    ))
}

/// The key of a SubjectPublicKeyInfo, if it is an Ed25519 key that can prove anything: under a key of
/// small order, signatures hold that nobody made.
fn ed25519_key(spki: &[u8]) -> Option<[u8; 32]> {
    let key: [u8; 32] = spki.strip_prefix(&ED25519_SPKI_PREFIX)?.try_into().ok()?;
    let point = VerifyingKey::from_bytes(&key).ok()?;
    (!point.is_weak()).then_some(key)
}

fn verify_possession(
    message: &[u8],
    shown: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
    provider: &CryptoProvider,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    verify_tls13_signature_with_raw_key(
        message,
        &SubjectPublicKeyInfoDer::from(shown.as_ref()),
        signature,
        &provider.signature_verification_algorithms,
    )
}

/// TLS 1.2 is never offered, so this is never reached; it refuses all the same.
fn refuse_tls12() -> Result<HandshakeSignatureValid, rustls::Error> {
    Err(PeerIncompatible::Tls13RequiredForQuic.into())
}

/// Takes the one key that was pinned at enrolment.
#[derive(Debug)]
struct PinnedWard {
    ward_key: WardKey,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedWard {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if ed25519_key(end_entity) == Some(self.ward_key.0) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        refuse_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_possession(message, cert, dss, &self.provider)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// Takes any Ed25519 key whose possession is proven.
#[derive(Debug)]
struct AnyProvenDevice {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyProvenDevice {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if intermediates.is_empty() && ed25519_key(end_entity).is_some() {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::BadEncoding.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        refuse_tls12()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_possession(message, cert, dss, &self.provider)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
