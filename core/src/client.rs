//! The same conversation over QUIC: a thin driver between [`crate::protocol`], quinn and a replica.

pub mod tls;
pub mod transport;

use thiserror::Error;

use crate::protocol::initiator::{ConversationError, Progress};
use crate::protocol::invite::Invite;
use crate::protocol::message::Refusal;
use crate::replica::Replica;
use crate::store::StoreError;

/// What one synchronisation did and cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncReport {
    /// Edits sent.
    pub sent: u64,
    /// Edits of others received.
    pub received: u64,
    /// Edits that got an accepting verdict.
    pub accepted: u64,
    /// Edits that got a refusing verdict.
    pub rejected: u64,
    /// Edits and attachments still without a final word afterwards.
    pub pending: u64,
    /// UDP payload bytes sent, handshake included.
    pub bytes_up: u64,
    /// UDP payload bytes received, handshake included.
    pub bytes_down: u64,
    /// Our own bytes inside the streams, up.
    pub payload_up: u64,
    /// Our own bytes inside the streams, down.
    pub payload_down: u64,
    /// Handshake and waits for the ward.
    pub round_trips: u32,
    /// Wall time, milliseconds.
    pub milliseconds: u64,
}

/// Why a synchronisation or an enrolment ended early. Nothing recorded is lost by it.
#[derive(Debug, Error)]
pub enum SyncError {
    /// The phone was not enrolled yet.
    #[error("this phone is not enrolled; ask the office for an invite")]
    NotEnrolled,
    /// The phone is enrolled already; its store belongs to one officer.
    #[error("this phone is enrolled already; use a new store for another officer")]
    AlreadyEnrolled,
    /// No address of the ward answers.
    #[error("the ward does not answer; everything is kept, try again when there is a network")]
    Offline,
    /// Whoever answers is not the ward that this phone knows.
    #[error("the server's key is not the ward's; nothing was sent. Tell the office")]
    WrongServerKey,
    /// Whoever answers speaks no protocol of ours, or only one that this build does not know.
    #[error(
        "the server does not speak this app's protocol; update the app. Everything is kept, nothing was sent"
    )]
    ForeignProtocol,
    /// The ward refuses.
    #[error("{0}")]
    Refused(Refusal),
    /// The conversation broke.
    #[error(transparent)]
    Conversation(ConversationError),
    /// The phone's own store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Enrols a replica with an invite.
///
/// # Errors
/// See [`SyncError`]; the invite is used up only if the ward answered with a credential.
pub async fn enrol(
    _replica: &Replica,
    _invite: &Invite,
    _device_name: &str,
) -> Result<(), SyncError> {
    todo!()
}

/// Sends what is unsent and receives what is new.
///
/// # Errors
/// See [`SyncError`]; what was acknowledged before stays acknowledged.
pub async fn sync(
    _replica: &Replica,
    _progress: &mut (dyn FnMut(&Progress) + Send),
) -> Result<SyncReport, SyncError> {
    todo!()
}
