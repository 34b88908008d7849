//! One connection from its first packet to its end: carries the protocol's state machine between a
//! stream and the ward. Owns patience and places; decides nothing about edits.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use gandan_core::client::transport;
use gandan_core::codec::DecodeError;
use gandan_core::model::DeviceId;
use gandan_core::protocol::enrolment::{
    EnrolmentResponse, Request, decode_request, encode_response,
};
use gandan_core::protocol::limits::ENROLMENT_BYTES_MAX;
use gandan_core::protocol::message::Refusal;
use gandan_core::protocol::responder::{Responder, WardAnswer, WardCommand};
use gandan_core::protocol::violation::Violation;
use gandan_core::protocol::{ALPN_ENROLMENT, ALPN_HAND_OVER, ALPN_SYNC};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tracing::Instrument;

use super::carrier::{Proven, Receiver, Sender};
use super::hand_over;
use super::listener::Shared;
use super::staying::{Heard, Staying, happened, seat_of_staying};
use super::strangers::Place;

/// How long a stranger may take until the ward knows the device: handshake, stream and greeting on a
/// bad link.
const STRANGER_MS_MAX: u64 = 15_000;
/// How long nothing may pass while it is the device's turn. A cheap phone needs seconds to store a
/// page; a minute means that it is gone.
pub(super) const SILENCE_MS_MAX: u64 = 60_000;
/// How long one conversation may take: a first synchronisation with photos on a village mast.
/// Whatever is cut off goes on at the next visit.
pub(super) const CONVERSATION_MS_MAX: u64 = 30 * 60 * 1_000;
/// How long the device may take to close after the last word; it has nothing to wait for.
const GOODBYE_MS_MAX: u64 = 3_000;
/// How long a device may stay. When it comes again, which costs one exchange, it offers what was put off.
const STAY_MS_MAX: u64 = 12 * 60 * 60 * 1_000;
/// How much is taken from a stream at once, at most.
const READ_BYTES_MAX: usize = 64 * 1024;
/// The same at first, and from a device that stays: nearly always it says nothing, and there may be
/// thousands.
const READ_BYTES: usize = 1_024;
/// A buffer that was filled is followed by one so many times as large.
const READ_GROWTH: usize = 8;

/// Why a connection ended that should have gone on.
#[derive(Debug)]
pub(super) enum Ending {
    /// The connection is lost, or the device closed it.
    Lost,
    /// The device said nothing for too long, or took too long as a whole.
    TimedOut,
    /// Another stranger took the place.
    Displaced,
    /// More devices stay than the ward has places for.
    Full,
    /// The device broke the protocol.
    Violation(Violation),
}

impl From<Violation> for Ending {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

/// Serves a connection to its end, once `handshake` has proven whose it is.
pub(super) async fn serve(
    shared: Arc<Shared>,
    handshake: impl Future<Output = Option<Proven>>,
    stranger: Place,
) {
    // In boxes, what the handshake needs goes with it, and what a conversation needs exists once: a future that is
    // handed on is kept in each place that it was in.
    let handshake = Box::pin(handshake);
    let Ok(Some(mut connection)) = as_stranger(&stranger, handshake).await else {
        return;
    };
    let (device, handle) = (connection.device, connection.handle.clone());
    let registration = shared.devices.register(device, &handle);
    let span = tracing::info_span!("connection", device = %prefix(device));
    let served = Box::pin(async {
        match connection.protocol.as_deref() {
            Some(ALPN_SYNC) => serve_sync(&shared, &mut connection, stranger).await,
            Some(ALPN_ENROLMENT) => serve_enrolment(&shared, &mut connection, stranger).await,
            Some(ALPN_HAND_OVER) => hand_over::serve(&shared, &mut connection, stranger).await,
            // TLS agrees to nothing else.
            _ => Ok(()),
        }
    });
    async {
        let ended = tokio::select! {
            ended = served => ended,
            () = handle.closed() => Err(Ending::Lost),
        };
        match ended {
            Ok(()) => {
                // The device closes once it read the last word.
                let goodbye = Duration::from_millis(GOODBYE_MS_MAX);
                let _ = timeout(goodbye, handle.left()).await;
                handle.close(transport::CLOSE_DONE);
            }
            Err(Ending::Lost) => tracing::debug!("connection lost"),
            Err(Ending::TimedOut) => {
                tracing::debug!("connection timed out");
                handle.close(transport::CLOSE_TIMED_OUT);
            }
            Err(Ending::Displaced) => {
                tracing::debug!("a newer stranger took the place");
                handle.close(transport::CLOSE_BUSY);
            }
            Err(Ending::Full) => {
                tracing::warn!("too many devices stay; one was sent away");
                handle.close(transport::CLOSE_BUSY);
            }
            Err(Ending::Violation(violation)) => {
                tracing::warn!(%violation, "the device broke the protocol");
                handle.close(violation.wire_code());
            }
        }
    }
    .instrument(span)
    .await;
    drop(registration);
}

/// Ends the stream, and hears it out: TCP takes back what is still under way if something came that
/// nobody read.
pub(super) async fn farewell(mut send: Sender, mut receive: Receiver) {
    let goodbye = async {
        // What was said is durable on this side; whether it arrives is the device's to notice.
        let _ = send.shutdown().await;
        let mut unheard = vec![0; READ_BYTES];
        while receive
            .read(&mut unheard)
            .await
            .is_ok_and(|count| count > 0)
        {}
    };
    let _ = timeout(Duration::from_millis(GOODBYE_MS_MAX), goodbye).await;
}

/// Waits for `work` as long as a stranger may take and keeps the place.
pub(super) async fn as_stranger<T>(
    place: &Place,
    work: impl Future<Output = T>,
) -> Result<T, Ending> {
    tokio::select! {
        done = work => Ok(done),
        () = place.lost() => Err(Ending::Displaced),
        () = tokio::time::sleep(Duration::from_millis(STRANGER_MS_MAX)) => Err(Ending::TimedOut),
    }
}

async fn serve_enrolment(
    shared: &Shared,
    connection: &mut Proven,
    stranger: Place,
) -> Result<(), Ending> {
    let device = connection.device;
    let exchange = async {
        let (mut send, receive) = connection.stream().await.ok_or(Ending::Lost)?;
        let mut request = Vec::new();
        let mut limited = receive.take(ENROLMENT_BYTES_MAX as u64 + 1);
        limited
            .read_to_end(&mut request)
            .await
            .map_err(|_| Ending::Lost)?;
        if request.len() > ENROLMENT_BYTES_MAX {
            return Err(Violation::FrameTooLarge.into());
        }
        let response = match decode_request(&request) {
            Ok(request) => enrol(shared, device, request).await,
            Err(DecodeError::UnknownCode(_)) => Err(Refusal::DeviceTooNew),
            Err(error) => return Err(Violation::from(error).into()),
        };
        match &response {
            Ok(_) => tracing::info!("a device has a key that the ward knows"),
            Err(refusal) => tracing::info!(?refusal, "enrolment refused"),
        }
        send.write_all(&encode_response(&response))
            .await
            .map_err(|_| Ending::Lost)?;
        farewell(send, limited.into_inner()).await;
        Ok(())
    };
    as_stranger(&stranger, exchange).await?
}

async fn enrol(shared: &Shared, device: DeviceId, request: Request) -> EnrolmentResponse {
    let ward = shared.ward.clone();
    let answer = move || match request {
        Request::Enrol(request) => ward.enrol(device, &request),
        Request::Renew(request) => ward.renew(device, &request),
    };
    match tokio::task::spawn_blocking(answer).await {
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
    connection: &mut Proven,
    stranger: Place,
) -> Result<(), Ending> {
    let (send, receive) = as_stranger(&stranger, connection.stream())
        .await?
        .ok_or(Ending::Lost)?;
    let mut conversation = Conversation {
        shared,
        device: connection.device,
        responder: Responder::new(),
        send,
        receive,
        seat: Seat::Stranger(stranger),
        notices_silence: connection.handle.notices_silence(),
    };
    conversation.run().await?;
    farewell(conversation.send, conversation.receive).await;
    Ok(())
}

/// Whose place the conversation takes.
enum Seat {
    /// The ward has not greeted the device yet.
    Stranger(Place),
    /// The ward knows the device, which talks or stays.
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
    send: Sender,
    receive: Receiver,
    seat: Seat,
    /// Whether the connection ends by itself soon after nobody is behind it any more.
    notices_silence: bool,
}

/// What woke the conversation.
enum Event {
    Answered(WardAnswer),
    Written(usize),
    Flushed,
    /// So many bytes; none at the end.
    Read(usize),
    /// Something happened that the device may have to hear.
    Happened,
    /// What of it, and the turn to hear it.
    Heard(Heard),
}

impl Conversation<'_> {
    async fn run(&mut self) -> Result<(), Ending> {
        let shared = self.shared;
        let mut outgoing = Vec::new();
        let mut written = 0;
        let mut is_flushed = true;
        let mut buffer = vec![0; READ_BYTES];
        // Of a device that stays.
        let mut staying: Option<Staying> = None;
        let mut hearing = None;
        let mut turn = None;
        let mut is_device_done = false;
        let mut execution = None;
        let greeting = tokio::time::sleep(Duration::from_millis(STRANGER_MS_MAX));
        let patience = tokio::time::sleep(Duration::from_millis(CONVERSATION_MS_MAX));
        tokio::pin!(greeting, patience);
        loop {
            if self.responder.is_following() && staying.is_none() && hearing.is_none() {
                // Before the feed is read: what comes after that is told.
                staying = Some(Staying::new(shared, self.device));
                self.seat = Seat::Known(seat_of_staying(shared)?);
                patience.set(tokio::time::sleep(Duration::from_millis(STAY_MS_MAX)));
            }
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
            if outgoing.is_empty() && is_flushed && execution.is_none() {
                if self.responder.is_finished() {
                    return Ok(());
                }
                if is_device_done {
                    return Err(Ending::Lost);
                }
            }

            let is_device_next = execution.is_none();
            // Nothing is under way: the ward waits for news, and need not hear from the device.
            let is_resting = self.responder.is_following()
                && is_device_next
                && outgoing.is_empty()
                && is_flushed
                && !self.responder.is_ahead()
                && !self.responder.is_busy();
            if is_resting {
                outgoing = Vec::new();
                drop(turn.take());
                if buffer.len() > READ_BYTES {
                    buffer = vec![0; READ_BYTES];
                }
            }
            let may_be_silent = is_resting && self.notices_silence;
            let is_reading = !is_device_done && !self.responder.is_busy();
            let is_stranger = matches!(self.seat, Seat::Stranger(_));
            let event = tokio::select! {
                answer = pending_or(&mut execution) => Event::Answered(answer),
                wrote = write(&mut self.send, &outgoing[written..]),
                    if written < outgoing.len() || !is_flushed => wrote.map_err(|_| Ending::Lost)?,
                count = self.receive.read(&mut buffer), if is_reading => {
                    Event::Read(count.map_err(|_| Ending::Lost)?)
                }
                () = self.seat.lost() => return Err(Ending::Displaced),
                () = &mut greeting, if is_stranger && is_device_next => {
                    return Err(Ending::TimedOut);
                }
                () = happened(&mut staying), if is_resting => Event::Happened,
                heard = pending_or(&mut hearing) => Event::Heard(heard),
                () = &mut patience => return Err(Ending::TimedOut),
                () = tokio::time::sleep(Duration::from_millis(SILENCE_MS_MAX)),
                    if is_device_next && !may_be_silent => return Err(Ending::TimedOut),
            };
            match event {
                Event::Answered(answer) => {
                    execution = None;
                    let answer = self.take_seat(answer);
                    self.responder.handle_answer(answer);
                }
                Event::Written(count) => {
                    written += count;
                    is_flushed = false;
                }
                Event::Flushed => is_flushed = true,
                Event::Happened => {
                    hearing = staying.take().map(|staying| Box::pin(staying.hear(shared)));
                }
                Event::Heard((told, interest, place)) => {
                    hearing = None;
                    staying = Some(told);
                    turn = place;
                    if interest.feed {
                        self.responder.note_feed();
                    }
                    if interest.directory {
                        self.responder.note_directory();
                    }
                }
                Event::Read(0) => is_device_done = true,
                Event::Read(count) => {
                    self.responder.handle_bytes(&buffer[..count])?;
                    if count == buffer.len() && count < READ_BYTES_MAX {
                        buffer = vec![0; READ_BYTES_MAX.min(count * READ_GROWTH)];
                    }
                }
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

/// Writes some of it, or sees to it that what was written leaves. Nothing is lost if it is not waited for.
async fn write(send: &mut Sender, bytes: &[u8]) -> std::io::Result<Event> {
    if bytes.is_empty() {
        send.flush().await.map(|()| Event::Flushed)
    } else {
        send.write(bytes).await.map(Event::Written)
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
        | WardCommand::Compare(_)
        | WardCommand::ReadDirectory
        | WardCommand::ReadAttachment(_)
        | WardCommand::ReadPart { .. }
        | WardCommand::Look(_)
        | WardCommand::Witness(_)
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
