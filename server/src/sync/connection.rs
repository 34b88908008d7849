//! One connection from its first packet to its end: carries the protocol's state machine between a
//! QUIC stream and the ward. Owns patience and places; decides nothing about edits.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use gandan_core::client::{tls, transport};
use gandan_core::codec::DecodeError;
use gandan_core::model::DeviceId;
use gandan_core::protocol::enrolment::{
    EnrolmentRequest, EnrolmentResponse, decode_request, encode_response,
};
use gandan_core::protocol::limits::ENROLMENT_BYTES_MAX;
use gandan_core::protocol::message::Refusal;
use gandan_core::protocol::responder::{Responder, WardAnswer, WardCommand};
use gandan_core::protocol::violation::Violation;
use gandan_core::protocol::{ALPN_ENROLMENT, ALPN_SYNC};
use quinn::{Chunk, Connection, Incoming, ReadToEndError, RecvStream, SendStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tracing::Instrument;

use super::listener::Shared;
use super::strangers::Place;

/// How long a stranger may take until the ward knows the device: handshake, stream and greeting on a
/// bad link.
const STRANGER_MS_MAX: u64 = 15_000;
/// How long nothing may pass while it is the device's turn. A cheap phone needs seconds to store a
/// page; a minute means that it is gone.
const SILENCE_MS_MAX: u64 = 60_000;
/// How long one conversation may take: a first synchronisation with photos on a village mast.
/// Whatever is cut off goes on at the next visit.
const CONVERSATION_MS_MAX: u64 = 30 * 60 * 1_000;
/// How long the device may take to close after the last word; it has nothing to wait for.
const GOODBYE_MS_MAX: u64 = 3_000;
/// How much is taken from a stream at once.
const READ_BYTES: usize = 64 * 1024;

/// Why a connection ended that should have gone on.
#[derive(Debug)]
enum Ending {
    /// The connection is lost, or the device closed it.
    Lost,
    /// The device said nothing for too long, or took too long as a whole.
    TimedOut,
    /// Another stranger took the place.
    Displaced,
    /// The device broke the protocol.
    Violation(Violation),
}

impl From<Violation> for Ending {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, incoming: Incoming, stranger: Place) {
    let Ok(Some((connection, device))) = as_stranger(&stranger, identified(incoming)).await else {
        return;
    };
    let registration = shared.devices.register(device, &connection);
    let span = tracing::info_span!("connection", device = %prefix(device));
    let served = async {
        match tls::agreed_protocol(connection.handshake_data()).as_deref() {
            Some(ALPN_SYNC) => serve_sync(&shared, &connection, device, stranger).await,
            Some(ALPN_ENROLMENT) => serve_enrolment(&shared, &connection, device, stranger).await,
            // TLS agrees to nothing else.
            _ => Ok(()),
        }
    };
    async {
        match served.await {
            Ok(()) => {
                // The device closes once it read the last word.
                let goodbye = Duration::from_millis(GOODBYE_MS_MAX);
                let _ = timeout(goodbye, connection.closed()).await;
                connection.close(transport::CLOSE_DONE.into(), b"");
            }
            Err(Ending::Lost) => {
                tracing::debug!(reason = ?connection.close_reason(), "connection lost");
            }
            Err(Ending::TimedOut) => {
                tracing::debug!("connection timed out");
                connection.close(transport::CLOSE_TIMED_OUT.into(), b"");
            }
            Err(Ending::Displaced) => {
                tracing::debug!("a newer stranger took the place");
                connection.close(transport::CLOSE_BUSY.into(), b"");
            }
            Err(Ending::Violation(violation)) => {
                tracing::warn!(%violation, "the device broke the protocol");
                connection.close(violation.wire_code().into(), b"");
            }
        }
    }
    .instrument(span)
    .await;
    drop(registration);
}

/// The connection as soon as it is known whose it is: from the first packet if the device resumes,
/// since only who was given the ticket can have written it, else at the end of the handshake.
async fn identified(incoming: Incoming) -> Option<(Connection, DeviceId)> {
    let device = |connection: &Connection| tls::peer_device(connection.peer_identity());
    let (connection, handshake) = incoming.accept().ok()?.into_0rtt().ok()?;
    if device(&connection).is_none() {
        // Its value means nothing here; a handshake that failed has proven no device.
        handshake.await;
    }
    let device = device(&connection)?;
    Some((connection, device))
}

/// Waits for `work` as long as a stranger may take and keeps the place.
async fn as_stranger<T>(place: &Place, work: impl Future<Output = T>) -> Result<T, Ending> {
    tokio::select! {
        done = work => Ok(done),
        () = place.lost() => Err(Ending::Displaced),
        () = tokio::time::sleep(Duration::from_millis(STRANGER_MS_MAX)) => Err(Ending::TimedOut),
    }
}

async fn serve_enrolment(
    shared: &Shared,
    connection: &Connection,
    device: DeviceId,
    stranger: Place,
) -> Result<(), Ending> {
    let exchange = async {
        let (mut send, mut receive) = connection.accept_bi().await.map_err(|_| Ending::Lost)?;
        let request =
            receive
                .read_to_end(ENROLMENT_BYTES_MAX)
                .await
                .map_err(|error| match error {
                    ReadToEndError::TooLong => Violation::FrameTooLarge.into(),
                    ReadToEndError::Read(_) => Ending::Lost,
                })?;
        let response = match decode_request(&request) {
            Ok(request) => enrol(shared, device, request).await,
            Err(DecodeError::UnknownCode(_)) => Err(Refusal::DeviceTooNew),
            Err(error) => return Err(Violation::from(error).into()),
        };
        match &response {
            Ok(_) => tracing::info!("device enrolled"),
            Err(refusal) => tracing::info!(?refusal, "enrolment refused"),
        }
        send.write_all(&encode_response(&response))
            .await
            .map_err(|_| Ending::Lost)?;
        // The stream ends by itself when it is dropped; here is nothing that could fail.
        let _ = send.finish();
        Ok(())
    };
    as_stranger(&stranger, exchange).await?
}

async fn enrol(shared: &Shared, device: DeviceId, request: EnrolmentRequest) -> EnrolmentResponse {
    let ward = shared.ward.clone();
    match tokio::task::spawn_blocking(move || ward.enrol(device, &request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::error!(%error, cause = ?error.source(), "an enrolment failed");
            Err(Refusal::Unavailable)
        }
        Err(error) => {
            tracing::error!(%error, "an enrolment did not end");
            Err(Refusal::Unavailable)
        }
    }
}

async fn serve_sync(
    shared: &Shared,
    connection: &Connection,
    device: DeviceId,
    stranger: Place,
) -> Result<(), Ending> {
    let (send, receive) = as_stranger(&stranger, connection.accept_bi())
        .await?
        .map_err(|_| Ending::Lost)?;
    let mut conversation = Conversation {
        shared,
        device,
        responder: Responder::new(),
        send,
        receive,
        seat: Seat::Stranger(stranger),
    };
    let patience = Duration::from_millis(CONVERSATION_MS_MAX);
    timeout(patience, conversation.run())
        .await
        .unwrap_or(Err(Ending::TimedOut))
}

/// Whose place the conversation takes.
enum Seat {
    /// The ward has not greeted the device yet.
    Stranger(Place),
    /// The ward knows the device.
    Known(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit),
}

impl Seat {
    /// Done when the place is lost; never for a device that the ward knows.
    async fn lost(&self) {
        match self {
            Self::Stranger(place) => place.lost().await,
            Self::Known(_) => std::future::pending().await,
        }
    }
}

struct Conversation<'a> {
    shared: &'a Shared,
    device: DeviceId,
    responder: Responder,
    send: SendStream,
    receive: RecvStream,
    seat: Seat,
}

/// What woke the conversation.
enum Event {
    Answered(WardAnswer),
    Written(usize),
    Read(Option<Chunk>),
}

impl Conversation<'_> {
    async fn run(&mut self) -> Result<(), Ending> {
        let shared = self.shared;
        let mut outgoing = Vec::new();
        let mut written = 0;
        let mut is_device_done = false;
        let mut execution = None;
        let greeting = tokio::time::sleep(Duration::from_millis(STRANGER_MS_MAX));
        tokio::pin!(greeting);
        loop {
            // Commands first: looking for the next one may find that something is to be said.
            if execution.is_none()
                && let Some(command) = self.responder.poll_command()
            {
                execution = Some(Box::pin(execute(shared, self.device, command)));
            }
            if written == outgoing.len() {
                written = 0;
                outgoing = self.responder.poll_transmit().unwrap_or_default();
            }
            if outgoing.is_empty() && execution.is_none() {
                if self.responder.is_finished() {
                    // As at an enrolment, nothing here can fail.
                    let _ = self.send.finish();
                    return Ok(());
                }
                if is_device_done {
                    return Err(Ending::Lost);
                }
            }

            let is_device_next = execution.is_none();
            let is_reading = !is_device_done && !self.responder.is_busy();
            let is_stranger = matches!(self.seat, Seat::Stranger(_));
            let event = tokio::select! {
                answer = pending_or(&mut execution) => Event::Answered(answer),
                count = self.send.write(&outgoing[written..]), if written < outgoing.len() => {
                    Event::Written(count.map_err(|_| Ending::Lost)?)
                }
                chunk = self.receive.read_chunk(READ_BYTES, true), if is_reading => {
                    Event::Read(chunk.map_err(|_| Ending::Lost)?)
                }
                () = self.seat.lost() => return Err(Ending::Displaced),
                () = &mut greeting, if is_stranger && is_device_next => {
                    return Err(Ending::TimedOut);
                }
                () = tokio::time::sleep(Duration::from_millis(SILENCE_MS_MAX)), if is_device_next => {
                    return Err(Ending::TimedOut);
                }
            };
            match event {
                Event::Answered(answer) => {
                    execution = None;
                    let answer = self.take_seat(answer);
                    self.responder.handle_answer(answer);
                }
                Event::Written(count) => written += count,
                Event::Read(Some(chunk)) => self.responder.handle_bytes(&chunk.bytes)?,
                Event::Read(None) => is_device_done = true,
            }
        }
    }

    /// A greeted device gives its stranger's place to the next; if the ward is full, it is told to
    /// come again.
    fn take_seat(&mut self, answer: WardAnswer) -> WardAnswer {
        if !matches!(answer, WardAnswer::Greeted { .. }) {
            return answer;
        }
        match Arc::clone(&self.shared.conversations).try_acquire_owned() {
            Ok(place) => {
                self.seat = Seat::Known(place);
                answer
            }
            Err(_) => {
                tracing::warn!("too many conversations at once; a device was sent away");
                WardAnswer::Refused(Refusal::Unavailable)
            }
        }
    }
}

/// Waits for the ward; for ever if it was asked nothing.
async fn pending_or<F: Future + Unpin>(running: &mut Option<F>) -> F::Output {
    match running {
        Some(running) => running.await,
        None => std::future::pending().await,
    }
}

/// Asks the ward. What changes something goes through the one writer; what only reads does not wait
/// for it.
async fn execute(shared: &Shared, device: DeviceId, command: WardCommand) -> WardAnswer {
    match command {
        WardCommand::Greet { .. }
        | WardCommand::Admit(_)
        | WardCommand::TakeBack(_)
        | WardCommand::KeepPart { .. } => shared.writer.execute(device, command).await,
        WardCommand::ReadFeed(_)
        | WardCommand::ReadEdits(_)
        | WardCommand::ReadDirectory
        | WardCommand::FindAttachment { .. } => read(shared, device, command).await,
    }
}

async fn read(shared: &Shared, device: DeviceId, command: WardCommand) -> WardAnswer {
    // The semaphore is never closed; without a permit nothing is lost but some order.
    let _turn = shared.reads.acquire().await;
    let ward = shared.ward.clone();
    match tokio::task::spawn_blocking(move || ward.execute(device, command)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            tracing::error!(%error, cause = ?error.source(), "a read failed");
            WardAnswer::Refused(Refusal::Unavailable)
        }
        Err(error) => {
            tracing::error!(%error, "a read did not end");
            WardAnswer::Refused(Refusal::Unavailable)
        }
    }
}

/// Enough to tell devices apart in a log.
fn prefix(device: DeviceId) -> String {
    let mut name = device.to_string();
    name.truncate(8);
    name
}
