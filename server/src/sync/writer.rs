//! The one writer of a ward. While one transaction is being made durable, what other phones ask
//! gathers; the next transaction takes all of it, so that a flush to the disk serves many.

use std::error::Error;

use gandan_core::model::DeviceId;
use gandan_core::protocol::message::Refusal;
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::ward::Ward;

/// Commands that wait. Each conversation has one under way, so this is more than ever wait unless
/// connections are made only to ask; then the next ones wait outside.
const QUEUE_MAX: usize = 256;
/// Most commands in one transaction: a phone should not wait for a whole city's.
const GROUP_COMMANDS_MAX: usize = 64;
/// A transaction takes no further command once it holds this much: four full bundles, about a
/// second on a ward's small box.
const GROUP_BYTES_MAX: usize = 1024 * 1024;

struct Job {
    device: DeviceId,
    command: WardCommand,
    reply: oneshot::Sender<WardAnswer>,
}

/// The way to the writer. The writer ends when the last of them is dropped and all is done.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the writer of `ward`.
    pub(super) fn start(ward: Ward) -> (Self, JoinHandle<()>) {
        let (jobs, waiting) = mpsc::channel(QUEUE_MAX);
        (Self { jobs }, tokio::spawn(write(ward, waiting)))
    }

    /// Does one command, in a transaction with whatever waits beside it.
    pub(super) async fn execute(&self, device: DeviceId, command: WardCommand) -> WardAnswer {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            device,
            command,
            reply,
        };
        if self.jobs.send(job).await.is_err() {
            return WardAnswer::Refused(Refusal::Unavailable);
        }
        answer
            .await
            .unwrap_or(WardAnswer::Refused(Refusal::Unavailable))
    }
}

async fn write(ward: Ward, mut waiting: mpsc::Receiver<Job>) {
    while let Some(first) = waiting.recv().await {
        let (group, replies) = gather(first, &mut waiting);
        let count = group.len();
        let ward = ward.clone();
        let executed = tokio::task::spawn_blocking(move || ward.execute_all(group)).await;
        match executed {
            Ok(Ok(answers)) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // A phone that went away meanwhile asks again at its next visit.
                    let _ = reply.send(answer);
                }
            }
            // Nothing of the group was done: the phones keep everything and try again later.
            Ok(Err(error)) => {
                tracing::error!(%error, cause = ?error.source(), count, "a transaction failed");
                refuse(replies);
            }
            Err(error) => {
                tracing::error!(%error, count, "a transaction did not end");
                refuse(replies);
            }
        }
    }
}

fn refuse(replies: Vec<oneshot::Sender<WardAnswer>>) {
    for reply in replies {
        let _ = reply.send(WardAnswer::Refused(Refusal::Unavailable));
    }
}

type Group = (
    Vec<(DeviceId, WardCommand)>,
    Vec<oneshot::Sender<WardAnswer>>,
);

/// Takes what waits now, up to the limits of one transaction.
fn gather(first: Job, waiting: &mut mpsc::Receiver<Job>) -> Group {
    let mut group = Vec::new();
    let mut replies = Vec::new();
    let mut bytes = 0;
    let mut next = Some(first);
    while let Some(job) = next {
        bytes += size(&job.command);
        group.push((job.device, job.command));
        replies.push(job.reply);
        next = if group.len() < GROUP_COMMANDS_MAX && bytes < GROUP_BYTES_MAX {
            waiting.try_recv().ok()
        } else {
            None
        };
    }
    (group, replies)
}

fn size(command: &WardCommand) -> usize {
    match command {
        WardCommand::Admit(sealed) => sealed.len(),
        WardCommand::TakeBack(page) => page.bodies.iter().flatten().map(Vec::len).sum(),
        WardCommand::KeepPart { bytes, .. } => bytes.len(),
        WardCommand::Greet { .. }
        | WardCommand::ReadFeed(_)
        | WardCommand::ReadEdits(_)
        | WardCommand::Compare(_)
        | WardCommand::ReadDirectory
        | WardCommand::ReadAttachment(_)
        | WardCommand::ReadPart { .. }
        | WardCommand::Look(_)
        | WardCommand::Witness(_)
        | WardCommand::FindAttachment { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(bytes: usize) -> Job {
        Job {
            device: DeviceId([1; 32]),
            command: WardCommand::Admit(vec![0; bytes]),
            reply: oneshot::channel().0,
        }
    }

    #[tokio::test]
    async fn what_waits_is_taken_together_up_to_the_limits_of_a_transaction() {
        let (jobs, mut waiting) = mpsc::channel(QUEUE_MAX);
        for _ in 0..GROUP_COMMANDS_MAX + 5 {
            jobs.try_send(admit(1)).expect("the queue has room");
        }
        let (group, replies) = gather(admit(1), &mut waiting);
        assert_eq!(
            (group.len(), replies.len()),
            (GROUP_COMMANDS_MAX, GROUP_COMMANDS_MAX)
        );

        let (jobs, mut waiting) = mpsc::channel(QUEUE_MAX);
        for _ in 0..3 {
            jobs.try_send(admit(GROUP_BYTES_MAX / 2))
                .expect("the queue has room");
        }
        let (group, _) = gather(admit(1), &mut waiting);
        assert_eq!(
            group.len(),
            3,
            "a small one, and two that fill the transaction"
        );
        let (group, _) = gather(admit(GROUP_BYTES_MAX * 10), &mut waiting);
        assert_eq!(group.len(), 1, "even the largest is taken, alone");
    }
}
