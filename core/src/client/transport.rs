//! QUIC's own limits, the same on both sides. quinn's defaults are made for a data centre: they let
//! one peer hold 250 MB of a ward's small box.

use std::sync::Arc;
use std::time::Duration;

use quinn::congestion::BbrConfig;
use quinn::crypto::{HandshakeTokenKey, HmacKey};
use quinn::{
    EndpointConfig, IdleTimeout, ServerConfig, TransportConfig, ValidationTokenConfig, VarInt,
};
use quinn_proto::HashedConnectionIdGenerator;
use ring::hkdf::{HKDF_SHA256, Prk};

use crate::model::Timestamp;

/// A conversation is one stream; the rest is room for a newer peer that uses more.
const BIDIRECTIONAL_STREAMS_MAX: u32 = 8;
/// Nothing of ours flows one way yet.
const UNIDIRECTIONAL_STREAMS_MAX: u32 = 1;
/// What one stream may have under way: a whole bundle, four seconds of a village mast.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// What one peer may make us hold over all its streams.
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// What we hold for a peer that never acknowledges.
const SEND_WINDOW_BYTES: u64 = 1024 * 1024;
/// A silent connection is given up after this long; NAT bindings of mobile networks live about as long.
const IDLE_MS_MAX: u32 = 30_000;
/// How often a device keeps its NAT binding open, while it waits for the ward within a conversation or
/// stays: some 30 bytes each way, and half of what the routers of mobile networks remember.
const KEEP_ALIVE_MS: u64 = 15_000;
/// Connections that wait to be accepted; a ward has a few hundred devices.
const INCOMING_MAX: usize = 1_024;
/// First packets kept for each of them: a first flight is one or two datagrams.
const INCOMING_BUFFER_BYTES: u64 = 64 * 1024;
/// First packets kept for all of them.
const INCOMING_BUFFER_TOTAL_BYTES: u64 = 8 * 1024 * 1024;

/// A Retry token opens under the keys of its week only; see [`token_key`].
const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Reset tokens and connection ids change yearly; see [`endpoint`].
const YEAR_MS: i64 = 365 * 24 * 60 * 60 * 1_000;

/// Application error code of a conversation in which everything was said. Codes from 0x10 on name
/// what a peer did wrong, see [`Violation::wire_code`](crate::protocol::violation::Violation::wire_code).
pub const CLOSE_DONE: u32 = 0;
/// The ward's server is being stopped.
pub const CLOSE_GOING_AWAY: u32 = 1;
/// The ward holds as many connections of unknown devices as it may, and newer ones came.
pub const CLOSE_BUSY: u32 = 2;
/// The peer said nothing for too long, or the conversation took too long as a whole.
pub const CLOSE_TIMED_OUT: u32 = 3;
/// The same device opened newer connections.
pub const CLOSE_REPLACED: u32 = 4;

/// How a device uses a connection. What it sends is paced by the link's rate (BBR) and not by its losses:
/// mobile networks lose packets without being full. The ward's side keeps quinn's default (ADR 0021).
#[must_use]
pub fn client() -> TransportConfig {
    let mut config = common();
    config
        .keep_alive_interval(Some(Duration::from_millis(KEEP_ALIVE_MS)))
        .congestion_controller_factory(Arc::new(BbrConfig::default()));
    config
}

/// Sets the ward's limits on a server configuration.
pub fn limit_server(config: &mut ServerConfig) {
    config
        .transport_config(Arc::new(common()))
        .validation_token_config(no_validation_tokens())
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size(INCOMING_BUFFER_BYTES)
        .incoming_buffer_size_total(INCOMING_BUFFER_TOTAL_BYTES);
}

/// The ward's endpoint. Its connection ids and reset tokens come from `secret` and the year of its start,
/// so that a phone whose ward was started anew is told at once instead of waiting for the idle timeout;
/// once a year it waits. They prove nothing but that an endpoint has forgotten a connection.
#[must_use]
pub fn endpoint(secret: &[u8; 32], now: Timestamp) -> EndpointConfig {
    let secret = &of_period(secret, now.0.div_euclid(YEAR_MS));
    let reset_key = blake3::derive_key("gandan 2026 QUIC stateless reset tokens", secret);
    let id_key = blake3::derive_key("gandan 2026 QUIC connection ids", secret);
    let [a, b, c, d, e, f, g, h, ..] = id_key;
    let id_key = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let mut config = EndpointConfig::new(Arc::new(ResetKey(reset_key)));
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(id_key)));
    config
}

/// The key of Retry tokens, from `secret` and the week: a ward that was started anew within the fifteen
/// seconds that a token lives takes those that it gave before, and none that is older than its key.
/// No other tokens are given.
#[must_use]
pub fn token_key(secret: &[u8; 32], now: Timestamp) -> Arc<dyn HandshakeTokenKey> {
    let secret = &of_period(secret, week(now));
    let key = blake3::derive_key("gandan 2026 QUIC retry tokens", secret);
    Arc::new(Prk::new_less_safe(HKDF_SHA256, &key))
}

/// A token that outlives a connection would save an exchange under load only, and must be remembered to be
/// taken once.
fn no_validation_tokens() -> ValidationTokenConfig {
    let mut config = ValidationTokenConfig::default();
    config.sent(0);
    config
}

/// The number of the week since 1970.
#[must_use]
pub fn week(now: Timestamp) -> i64 {
    now.0.div_euclid(WEEK_MS)
}

fn of_period(secret: &[u8; 32], period: i64) -> [u8; 32] {
    *blake3::keyed_hash(secret, &period.to_le_bytes()).as_bytes()
}

fn common() -> TransportConfig {
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(BIDIRECTIONAL_STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(UNIDIRECTIONAL_STREAMS_MAX))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW_BYTES))
        .send_window(SEND_WINDOW_BYTES)
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MS_MAX))))
        .datagram_receive_buffer_size(None)
        // Looking for larger packets cost 5.6 KiB each way in every conversation (measured: a
        // phone with nothing to say sent 8.5 KiB instead of 2.9), and would save 0.8 % of a photo:
        // it pays from 1.4 MB on, which few visits reach. Packets stay at 1,200 bytes, which also
        // pass every tunnel.
        .mtu_discovery_config(None);
    config
}

/// A keyed hash in the place of HMAC, which is what quinn asks it to be.
struct ResetKey([u8; 32]);

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature_out: &mut [u8]) {
        let signature = blake3::keyed_hash(&self.0, data);
        signature_out.copy_from_slice(&signature.as_bytes()[..signature_out.len()]);
    }

    fn signature_len(&self) -> usize {
        blake3::OUT_LEN
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), quinn::crypto::CryptoError> {
        let expected = blake3::keyed_hash(&self.0, data);
        // `blake3::Hash` compares in constant time.
        match <[u8; 32]>::try_from(signature) {
            Ok(signature) if expected == signature => Ok(()),
            _ => Err(quinn::crypto::CryptoError),
        }
    }
}
