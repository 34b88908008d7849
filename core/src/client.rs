//! The same conversation over QUIC: a thin driver between [`crate::protocol`], quinn and a replica.
//! Owns sockets, timeouts and the count of bytes; knows no message and no table.

mod connect;
mod driver;
mod enrol;
mod report;
mod socket;
pub mod tls;
pub mod transport;

pub use enrol::enrol;
pub use report::SyncReport;

use thiserror::Error;

use crate::protocol::ALPN_SYNC;
use crate::protocol::initiator::{ConversationError, Initiator, Progress};
use crate::protocol::message::Refusal;
use crate::replica::Replica;
use crate::store::StoreError;

/// What the ward's administrator sees of this build.
const APP_VERSION: &str = concat!("gandan/", env!("CARGO_PKG_VERSION"));

/// Why a synchronisation or an enrolment ended early. Nothing recorded is lost by it.
#[derive(Debug, Error)]
pub enum SyncError {
    /// The phone was not enrolled yet.
    #[error(
        "Máy chưa được đăng ký: hãy xin văn phòng thư mời (this phone is not enrolled; ask the office for an invite)"
    )]
    NotEnrolled,
    /// The phone is enrolled already; its store belongs to one officer.
    #[error(
        "Máy đã được đăng ký: cán bộ khác phải dùng kho mới (this phone is enrolled already; use a new store for another officer)"
    )]
    AlreadyEnrolled,
    /// No address of the ward answers.
    #[error(
        "Máy chủ của phường không trả lời: dữ liệu vẫn an toàn trên máy, hãy thử lại khi có mạng (the ward does not answer; everything is kept, try again when there is a network)"
    )]
    Offline,
    /// Whoever answers is not the ward that this phone knows.
    #[error(
        "Khoá của máy chủ không phải khoá của phường; chưa gửi gì. Hãy báo văn phòng (the server's key is not the ward's; nothing was sent. Tell the office)"
    )]
    WrongServerKey,
    /// Whoever answers speaks no protocol of ours, or only one that this build does not know.
    #[error(
        "Máy chủ nói giao thức khác: hãy cập nhật ứng dụng; chưa gửi gì, dữ liệu vẫn an toàn trên máy (the server does not speak this app's protocol; update the app. Everything is kept, nothing was sent)"
    )]
    ForeignProtocol,
    /// The ward refuses.
    #[error("{0}")]
    Refused(Refusal),
    /// The ward says that this phone broke the protocol.
    #[error(
        "Máy chủ đã ngắt vì lỗi giao thức: dữ liệu vẫn an toàn trên máy. Hãy cập nhật ứng dụng; nếu lặp lại, hãy báo văn phòng (the ward broke off the conversation, code {code:#x}; everything is kept. Update the app; if it happens again, tell the office)"
    )]
    ClosedByWard {
        /// Application error code with which the connection was closed.
        code: u32,
    },
    /// The conversation broke.
    #[error(transparent)]
    Conversation(ConversationError),
    /// The phone's own store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sends what is unsent and receives what is new.
///
/// # Errors
/// See [`SyncError`]; what was acknowledged before stays acknowledged.
pub async fn sync(
    replica: &Replica,
    progress: &mut (dyn FnMut(&Progress) + Send),
) -> Result<SyncReport, SyncError> {
    #[expect(clippy::disallowed_methods, reason = "measures how long it took")]
    let started = std::time::Instant::now();
    let asked = replica.clone();
    let (enrolment, device_key, opening) = run_blocking(move || {
        let opening = asked.begin_conversation(APP_VERSION);
        (asked.enrolment(), asked.device_key(), opening)
    })
    .await;
    let (Some(enrolment), Some(opening)) = (enrolment, opening?) else {
        return Err(SyncError::NotEnrolled);
    };
    let config = tls::client_config(&device_key, enrolment.ward_key, ALPN_SYNC)
        .expect("our own Ed25519 key fits our own TLS configuration");
    let link = connect::dial(&enrolment.addresses, &config).await?;

    let mut report = SyncReport {
        round_trips: 1,
        ..SyncReport::default()
    };
    let initiator = Initiator::new(opening);
    let said = driver::converse(&link.connection, initiator, replica, progress, &mut report).await;
    report.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    link.close().await;
    said?;

    let asked = replica.clone();
    report.pending = run_blocking(move || asked.pending()).await?.len() as u64;
    report.bytes_up = link.traffic.up();
    report.bytes_down = link.traffic.down();
    Ok(report)
}

/// Runs what blocks on the store beside the threads that serve the network.
async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}
