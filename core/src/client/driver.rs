//! Carries one conversation between [`Initiator`], a stream and a replica. Decides nothing: the
//! order of messages is the state machine's, what is durable is the replica's.

use std::io;
use std::time::Duration;

use quinn::ConnectionError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::link::{self, GOODBYE_MS_MAX, Link, Receiver, Sender};
use super::report::{SyncReport, Tally};
use super::stay::Stay;
use super::{SyncError, transport};
use crate::protocol::initiator::{ConversationError, DeviceAnswer, Initiator, Progress};
use crate::protocol::message::Refusal;
use crate::protocol::violation::Violation;
use crate::replica::Replica;
use crate::store::StoreError;

/// How long the ward may say nothing while the device waits. It groups what many devices ask and
/// writes to a slow disk; a minute is far beyond that.
pub(super) const SILENCE_MS_MAX: u64 = 60_000;
/// How long a device that stays hears nothing before it asks whether the ward is still there, where the
/// connection does not notice by itself: well within what routers remember of a silent one.
const ASK_AFTER_MS: u64 = 15_000;
/// How many times in a row it asks in vain.
const ASKS_MAX: u32 = 2;
/// How much is taken from the stream at once.
const READ_BYTES: usize = 64 * 1024;

type Execution = JoinHandle<Result<DeviceAnswer, StoreError>>;

/// What woke the driver.
enum Event {
    Executed(DeviceAnswer),
    Written(usize),
    Flushed,
    /// So many bytes; none at the end.
    Read(usize),
    /// The ward takes no more; what it says last is still to be read.
    Stopped,
    /// The app has something to send.
    Recorded,
    /// The app wants to go.
    Leaving,
    /// Nothing was heard for a while.
    Silent,
}

/// Speaks until both sides have said everything, and adds what it cost to `report`. However it ends,
/// what the ward had said by then is durable.
pub(super) async fn converse(
    link: &mut Link,
    mut initiator: Initiator,
    replica: &Replica,
    stay: Option<&Stay>,
    progress: &mut (dyn FnMut(&Progress) + Send),
    report: &mut SyncReport,
) -> Result<(), SyncError> {
    let (send, receive) = link.open().await.map_err(broken)?;
    if stay.is_some() {
        initiator.stay();
    }
    let mut conversation = Conversation {
        initiator,
        replica,
        stay,
        execution: None,
        tally: Tally::default(),
        progress,
    };
    let said = conversation.run(link, send, receive, report).await;
    if said.is_err() {
        conversation.keep_what_was_said().await?;
    }
    conversation.tally.fill(report);
    report.round_trips += conversation.initiator.round_trips();
    said
}

struct Conversation<'a> {
    initiator: Initiator,
    replica: &'a Replica,
    stay: Option<&'a Stay>,
    execution: Option<Execution>,
    tally: Tally,
    progress: &'a mut (dyn FnMut(&Progress) + Send),
}

impl Conversation<'_> {
    async fn run(
        &mut self,
        link: &Link,
        mut send: Sender,
        mut receive: Receiver,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        let mut outgoing = Vec::new();
        let mut written = 0;
        let mut is_flushed = true;
        let mut is_stopped = false;
        let mut buffer = vec![0; READ_BYTES];
        let mut is_leaving = false;
        let mut unheard = 0;
        loop {
            // Commands first: with the last of them the machine says goodbye.
            self.begin_execution();
            self.tell();
            if written == outgoing.len() || is_stopped {
                written = 0;
                outgoing = self.initiator.poll_transmit().unwrap_or_default();
            }
            let is_over =
                outgoing.is_empty() && self.execution.is_none() && self.initiator.is_finished();
            if is_over && is_flushed {
                // The connection is closed next, which says the same.
                let goodbye = Duration::from_millis(GOODBYE_MS_MAX);
                let _ = timeout(goodbye, send.shutdown()).await;
                return Ok(());
            }

            // The stream is read even while a large frame is being written: if both sides only
            // wrote, both would wait for ever. It is not read while the store works, so that a fast
            // ward cannot fill the phone's memory.
            // After the last word comes the end of the stream, which would look as if it had come early.
            let is_executing = self.execution.is_some();
            let is_writing = written < outgoing.len() && !is_stopped;
            let is_following = self.initiator.is_following();
            let patience = self.patience(link);
            let event = tokio::select! {
                executed = executed(&mut self.execution) => {
                    self.execution = None;
                    Event::Executed(executed?)
                }
                wrote = write(&mut send, &outgoing[written..], is_writing),
                    if is_writing || !is_flushed => match wrote {
                    Ok(event) => event,
                    Err(error) if link::is_stopped(&error) => Event::Stopped,
                    Err(error) => return Err(broken(error)),
                },
                count = receive.read(&mut buffer), if !is_executing && !is_over => {
                    Event::Read(count.map_err(broken)?)
                }
                () = or_never(self.stay.map(Stay::is_recorded)), if is_following => Event::Recorded,
                () = or_never(self.stay.map(Stay::left)), if !is_leaving => Event::Leaving,
                () = or_never(patience.map(tokio::time::sleep)), if !is_executing => Event::Silent,
            };
            match event {
                Event::Executed(answer) => self.initiator.handle_answer(answer),
                Event::Written(count) => {
                    written += count;
                    is_flushed = false;
                    report.payload_up += count as u64;
                }
                Event::Flushed => is_flushed = true,
                Event::Read(0) => {
                    return Err(SyncError::Conversation(ConversationError::Interrupted));
                }
                Event::Read(count) => {
                    unheard = 0;
                    report.payload_down += count as u64;
                    self.initiator
                        .handle_bytes(&buffer[..count])
                        .map_err(|error| ended(link, error))?;
                }
                Event::Stopped => {
                    is_stopped = true;
                    is_flushed = true;
                }
                Event::Recorded => self.initiator.look_again(),
                Event::Leaving => {
                    is_leaving = true;
                    self.initiator.leave();
                }
                Event::Silent if is_following && unheard < ASKS_MAX => {
                    unheard += 1;
                    self.initiator.ask_whether_there();
                }
                Event::Silent => {
                    return Err(SyncError::Conversation(ConversationError::Interrupted));
                }
            }
        }
    }

    /// How long nothing may happen. QUIC says by itself when nobody is there any more, so a device that
    /// stays asks over TCP only.
    fn patience(&self, link: &Link) -> Option<Duration> {
        match (self.initiator.is_following(), link.notices_silence()) {
            (true, true) => None,
            (true, false) => Some(Duration::from_millis(ASK_AFTER_MS)),
            (false, _) => Some(Duration::from_millis(SILENCE_MS_MAX)),
        }
    }

    /// The ward's words of which the store has not heard are recorded although the conversation is over.
    async fn keep_what_was_said(&mut self) -> Result<(), StoreError> {
        // The error that ended it is at hand already.
        let _ = self.initiator.handle_end();
        loop {
            self.begin_execution();
            if self.execution.is_none() {
                self.tell();
                return Ok(());
            }
            let answer = executed(&mut self.execution).await;
            self.execution = None;
            self.initiator.handle_answer(answer?);
        }
    }

    fn begin_execution(&mut self) {
        if self.execution.is_some() {
            return;
        }
        if let Some(command) = self.initiator.poll_command() {
            self.tally.watch(&command);
            let replica = self.replica.clone();
            let work = move || replica.execute(command);
            self.execution = Some(tokio::task::spawn_blocking(work));
        }
    }

    fn tell(&mut self) {
        while let Some(happened) = self.initiator.poll_progress() {
            (self.progress)(&happened);
        }
    }
}

/// Writes some of it, or sees to it that what was written leaves. Nothing is lost if it is not waited for.
async fn write(send: &mut Sender, bytes: &[u8], is_writing: bool) -> io::Result<Event> {
    if is_writing {
        send.write(bytes).await.map(Event::Written)
    } else {
        send.flush().await.map(|()| Event::Flushed)
    }
}

/// Waits for what there is; for ever for nothing.
async fn or_never<T>(awaited: Option<impl Future<Output = T>>) -> T {
    match awaited {
        Some(awaited) => awaited.await,
        None => std::future::pending().await,
    }
}

/// Waits for the store; for ever if it was asked nothing.
async fn executed(execution: &mut Option<Execution>) -> Result<DeviceAnswer, StoreError> {
    match execution {
        None => std::future::pending().await,
        Some(running) => match running.await {
            Ok(executed) => executed,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        },
    }
}

/// One exchange of whole messages on a stream of its own.
pub(super) async fn exchange(
    link: &mut Link,
    request: &[u8],
    response_bytes_max: usize,
) -> Result<Vec<u8>, SyncError> {
    let exchange = async {
        let (mut send, receive) = link.open().await.map_err(broken)?;
        send.write_all(request).await.map_err(broken)?;
        // The end of the request; a ward that has heard enough needs none.
        let _ = send.shutdown().await;
        let mut response = Vec::new();
        let limit = response_bytes_max as u64 + 1;
        receive
            .take(limit)
            .read_to_end(&mut response)
            .await
            .map_err(broken)?;
        if response.len() > response_bytes_max {
            return Err(ended(link, Violation::FrameTooLarge.into()));
        }
        Ok(response)
    };
    timeout(Duration::from_millis(SILENCE_MS_MAX), exchange)
        .await
        .unwrap_or(Err(SyncError::Conversation(ConversationError::Interrupted)))
}

/// Ends the connection for what the other side did, with its code.
pub(super) fn ended(link: &Link, error: ConversationError) -> SyncError {
    match error {
        ConversationError::Violation(violation) => {
            link.break_off(violation.wire_code());
            SyncError::Conversation(error)
        }
        ConversationError::Refused(refusal) => SyncError::Refused(refusal),
        ConversationError::Interrupted => SyncError::Conversation(error),
    }
}

pub(super) fn broken(error: io::Error) -> SyncError {
    match link::connection_error(&error) {
        Some(error) => interrupted(error),
        None => SyncError::Conversation(ConversationError::Interrupted),
    }
}

fn interrupted(error: &ConnectionError) -> SyncError {
    match error {
        ConnectionError::ApplicationClosed(closed) => {
            match u32::try_from(u64::from(closed.error_code)) {
                Ok(
                    transport::CLOSE_DONE
                    | transport::CLOSE_GOING_AWAY
                    | transport::CLOSE_TIMED_OUT
                    | transport::CLOSE_REPLACED,
                ) => SyncError::Conversation(ConversationError::Interrupted),
                Ok(transport::CLOSE_BUSY) => SyncError::Refused(Refusal::Unavailable),
                Ok(code) => SyncError::ClosedByWard { code },
                Err(_) => SyncError::ClosedByWard { code: u32::MAX },
            }
        }
        _ => SyncError::Conversation(ConversationError::Interrupted),
    }
}
