//! The same conversation over QUIC: a thin driver between [`crate::protocol`], quinn and a replica.
//! Owns sockets, timeouts and the count of bytes; knows no message and no table.

pub mod back_off;
mod connect;
mod driver;
mod enrol;
mod hand_over;
mod link;
mod renew;
mod report;
mod socket;
mod stay;
mod tcp;
pub mod tls;
pub mod transport;

pub use enrol::enrol;
pub use renew::renew_key;
pub use report::SyncReport;
pub use stay::{Stay, StayEvent};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;

use self::connect::Route;
use self::link::Link;
use self::socket::Traffic;
use crate::model::{DeviceId, WardKey};
use crate::protocol::ALPN_SYNC;
use crate::protocol::initiator::{ConversationError, Initiator, Progress};
use crate::protocol::message::Refusal;
use crate::replica::{Agreement, Replica, WipeError};
use crate::store::StoreError;

/// What the ward's administrator sees of this build.
const APP_VERSION: &str = concat!("gandan/", env!("CARGO_PKG_VERSION"));

/// How long the address that answered the last time may take to answer again, before all are tried: the
/// phone may have left that network.
const EARLY_MS_MAX: u64 = 3_000;

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
    /// The ward wants this phone wiped, which failed.
    #[error(transparent)]
    NotWiped(#[from] WipeError),
}

/// A replica's way to its ward. Keeps, as long as it lives, what makes a return cheap: the address that
/// answered, and the ward's tickets, with which the first packet already carries the conversation.
pub struct Client {
    replica: Replica,
    route: Mutex<Option<Route>>,
}

/// What became of a conversation that began before the ward had answered.
enum Early {
    /// It went as any other.
    Said(Link, Result<(), SyncError>),
    /// The ward is there and did not read it: it was started anew since it gave the ticket.
    NotRead(Link),
    /// Nobody answers there any more, or there was no ticket.
    Silent,
}

impl Client {
    /// A client that has not met its ward yet.
    #[must_use]
    pub fn new(replica: Replica) -> Self {
        Self {
            replica,
            route: Mutex::new(None),
        }
    }

    /// Sends what is unsent and receives what is new.
    ///
    /// # Errors
    /// See [`SyncError`]; what was acknowledged before stays acknowledged.
    pub async fn sync(
        &self,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<SyncReport, SyncError> {
        self.meet(None, progress).await
    }

    /// As [`Client::sync`], then stays connected: what is new comes by itself, and what is recorded goes up
    /// when `stay` is told of it. Gives the report when `stay` says that it is time to go.
    ///
    /// # Errors
    /// See [`SyncError`]; also when the connection is lost, which it is sooner or later. Whatever was
    /// confirmed stays confirmed; come again.
    pub async fn follow(
        &self,
        stay: &Stay,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<SyncReport, SyncError> {
        self.meet(Some(stay), progress).await
    }

    async fn meet(
        &self,
        stay: Option<&Stay>,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<SyncReport, SyncError> {
        #[expect(clippy::disallowed_methods, reason = "measures how long it took")]
        let started = std::time::Instant::now();
        let enrolment = self.ask(Replica::enrolment).await;
        let enrolment = enrolment.ok_or(SyncError::NotEnrolled)?;
        let route = self.route(enrolment.ward_key).await;
        let traffic = Arc::new(Traffic::default());
        let mut report = SyncReport::default();

        let (link, said) = match self
            .begin_early(&route, &traffic, stay, progress, &mut report)
            .await
        {
            Early::Said(link, said) => (link, said),
            unheard => {
                let mut link = match unheard {
                    Early::NotRead(link) => link,
                    _ => connect::dial(&enrolment.addresses, &route, &traffic).await?,
                };
                report = SyncReport {
                    round_trips: link.handshake_round_trips(),
                    ..SyncReport::default()
                };
                let said = self.converse(&mut link, stay, progress, &mut report).await;
                (link, said)
            }
        };
        self.remember(route, &link);
        report.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        link.close().await;
        if let Err(SyncError::Refused(refusal)) = said {
            self.part(refusal).await?;
        }
        said?;

        report.pending = self.ask(Replica::pending).await?.len() as u64;
        let agreement = self.ask(Replica::agreement).await?;
        report.is_agreed = matches!(agreement, Agreement::Synced { .. } | Agreement::Unsent);
        report.bytes_up = traffic.up();
        report.bytes_down = traffic.down();
        Ok(report)
    }

    /// Does what follows from a refusal. A device that was revoked first hands over what is unsent; if that
    /// was cut off, it tries again at the next contact before it wipes anything.
    async fn part(&self, refusal: Refusal) -> Result<(), SyncError> {
        if matches!(refusal, Refusal::Revoked | Refusal::Wipe)
            && let Err(error) = hand_over::hand_over(&self.replica).await
        {
            tracing::warn!(%error, "what is unsent is not handed over");
            if refusal == Refusal::Wipe && self.ask(Replica::note_hand_over_cut).await? {
                return Ok(());
            }
        }
        let refusal = match refusal {
            Refusal::UnknownDevice => match renew::reclaim(&self.replica).await {
                // The ward knows it again at the next contact.
                Ok(true) => return Ok(()),
                Ok(false) => refusal,
                // By an earlier key it is known as one that was lost.
                Err(SyncError::Refused(earlier @ (Refusal::Revoked | Refusal::Wipe))) => earlier,
                Err(error) => return Err(error),
            },
            refusal => refusal,
        };
        self.ask(move |replica| replica.heed(refusal)).await?;
        Ok(())
    }

    /// Speaks before the ward has answered, if it gave a ticket.
    async fn begin_early(
        &self,
        route: &Route,
        traffic: &Arc<Traffic>,
        stay: Option<&Stay>,
        progress: &mut (dyn FnMut(&Progress) + Send),
        report: &mut SyncReport,
    ) -> Early {
        let Some((mut link, connection, accepted)) = connect::resume(route, traffic) else {
            return Early::Silent;
        };
        let handshake = timeout(Duration::from_millis(EARLY_MS_MAX), accepted);
        tokio::pin!(handshake);
        let (said, is_accepted) = {
            let conversation = self.converse(&mut link, stay, progress, report);
            tokio::pin!(conversation);
            tokio::select! {
                said = &mut conversation => match said {
                    // Only the ward can have answered.
                    Ok(()) => (Ok(()), Ok(true)),
                    failed => (failed, handshake.await),
                },
                is_accepted = &mut handshake => match is_accepted {
                    Ok(true) => (conversation.await, is_accepted),
                    _ => (Ok(()), is_accepted),
                },
            }
        };
        match is_accepted {
            Ok(true) => Early::Said(link, said),
            Ok(false) if connection.close_reason().is_none() => Early::NotRead(link),
            Ok(false) | Err(_) => Early::Silent,
        }
    }

    async fn converse(
        &self,
        link: &mut Link,
        stay: Option<&Stay>,
        progress: &mut (dyn FnMut(&Progress) + Send),
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        let opening = self
            .ask(|replica| replica.begin_conversation(APP_VERSION))
            .await?
            .ok_or(SyncError::NotEnrolled)?;
        let initiator = Initiator::new(opening);
        driver::converse(link, initiator, &self.replica, stay, progress, report).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Replica) -> T + Send + 'static,
    ) -> T {
        let asked = self.replica.clone();
        run_blocking(move || question(&asked)).await
    }

    /// The way that was taken the last time, unless the phone has another ward or another key since.
    async fn route(&self, ward_key: WardKey) -> Route {
        let device_key = self.ask(Replica::device_key).await;
        let device = DeviceId::of(&device_key);
        let known = self.lock().clone();
        match known.filter(|route| route.ward_key == ward_key && route.device == device) {
            Some(route) => route,
            None => Route::new(&device_key, ward_key, ALPN_SYNC),
        }
    }

    fn remember(&self, route: Route, link: &Link) {
        *self.lock() = Some(route.after(link));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Route>> {
        self.route.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As [`Client::sync`], by a process that does nothing else.
///
/// # Errors
/// See [`SyncError`].
pub async fn sync(
    replica: &Replica,
    progress: &mut (dyn FnMut(&Progress) + Send),
) -> Result<SyncReport, SyncError> {
    Client::new(replica.clone()).sync(progress).await
}

/// Runs what blocks on the store beside the threads that serve the network.
async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}
