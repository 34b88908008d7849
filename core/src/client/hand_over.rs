//! Handing over: a revoked phone gives its ward what is unsent, on a protocol of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::connect::{Route, dial};
use super::driver::{SILENCE_MS_MAX, broken, ended};
use super::link::{Link, Receiver};
use super::{SyncError, run_blocking};
use crate::protocol::ALPN_HAND_OVER;
use crate::protocol::hand_over::{HandOverWord, WORD_BYTES, encode_offer};
use crate::protocol::initiator::ConversationError;
use crate::protocol::message::Refusal;
use crate::protocol::violation::Violation;
use crate::replica::{Replica, Unsent, WipeError};

/// How much is written at once: what leaves in a minute on the worst of links.
const PIECE_BYTES: usize = 16 * 1024;

/// Gives the ward what it lacks, unless it has it or does not want it.
///
/// # Errors
/// See [`SyncError`]: it was cut off, and may be tried again.
pub(super) async fn hand_over(replica: &Replica) -> Result<(), SyncError> {
    let asked = replica.clone();
    let unsent = run_blocking(move || asked.unsent()).await;
    let Some(unsent) = unsent.map_err(WipeError::from)? else {
        return Ok(());
    };
    let asked = replica.clone();
    let (enrolment, device_key) =
        run_blocking(move || (asked.enrolment(), asked.device_key())).await;
    let enrolment = enrolment.ok_or(SyncError::NotEnrolled)?;
    let route = Route::new(&device_key, enrolment.ward_key, ALPN_HAND_OVER);
    let mut link = dial(&enrolment.addresses, &route, &Arc::default()).await?;
    let word = give(&mut link, &unsent).await?;
    link.close().await;
    match word {
        HandOverWord::Kept => {
            let told = replica.clone();
            run_blocking(move || told.note_handed_over(&unsent)).await?;
            Ok(())
        }
        HandOverWord::Unavailable => Err(SyncError::Refused(Refusal::Unavailable)),
        word => {
            tracing::warn!(?word, "the ward does not take what is unsent");
            Ok(())
        }
    }
}

/// The ward's last word.
async fn give(link: &mut Link, unsent: &Unsent) -> Result<HandOverWord, SyncError> {
    let (mut send, mut receive) = link.open().await.map_err(broken)?;
    let file = &unsent.sealed;
    in_time(async {
        send.write_all(&encode_offer(file.len())).await?;
        send.flush().await
    })
    .await?;
    match read_word(link, &mut receive).await? {
        HandOverWord::Wanted => {}
        word => return Ok(word),
    }
    for piece in file.chunks(PIECE_BYTES) {
        in_time(send.write_all(piece)).await?;
    }
    in_time(send.shutdown()).await?;
    match read_word(link, &mut receive).await? {
        HandOverWord::Wanted => Err(ended(link, Violation::Unexpected.into())),
        word => Ok(word),
    }
}

async fn read_word(link: &Link, receive: &mut Receiver) -> Result<HandOverWord, SyncError> {
    let mut word = [0; WORD_BYTES];
    in_time(receive.read_exact(&mut word)).await?;
    HandOverWord::decode(word).map_err(|error| ended(link, Violation::from(error).into()))
}

/// Waits for the network as long as it may be silent.
async fn in_time<T>(work: impl Future<Output = std::io::Result<T>>) -> Result<T, SyncError> {
    match timeout(Duration::from_millis(SILENCE_MS_MAX), work).await {
        Ok(done) => done.map_err(broken),
        Err(_) => Err(SyncError::Conversation(ConversationError::Interrupted)),
    }
}
