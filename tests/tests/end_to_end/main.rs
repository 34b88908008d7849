//! The real programs against each other over real QUIC: an officer's day, links and processes that
//! fail in the middle of it, and peers who mean harm.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps fails with a line number, which is what a test is for"
)]

mod bad_input;
mod citizens;
mod console_tls;
mod day;
mod drill;
mod failures;
mod fixture;
mod hostile;
#[cfg(target_os = "linux")]
mod hostile_inputs;
mod hostile_peer;
mod locked;
mod looking;
mod lost;
mod networks;
mod photos;
mod purge;
mod raw_bytes;
mod recovery;
mod replay;
mod staying;
mod stores;
