//! A revoked device hands over what it has unsent. Nothing of it is looked at here: it goes to the ward's
//! disk, sealed as it comes, in pieces, so that what was cut off is not lost and nobody fills the memory.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use gandan_core::protocol::hand_over::{HandOverWord, OFFER_BYTES, decode_offer};
use gandan_core::protocol::violation::Violation;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::carrier::{Proven, Receiver, Sender};
use super::connection::{CONVERSATION_MS_MAX, Ending, SILENCE_MS_MAX, as_stranger, farewell};
use super::listener::Shared;
use super::strangers::Place;
use crate::ward::{Ward, WardError};

/// How much is kept at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Serves one handing over to its end.
pub(super) async fn serve(
    shared: &Shared,
    connection: &mut Proven,
    stranger: Place,
) -> Result<(), Ending> {
    let device = connection.device;
    let (mut send, mut receive) = as_stranger(&stranger, connection.stream())
        .await?
        .ok_or(Ending::Lost)?;
    let offered = as_stranger(&stranger, read_offer(&mut receive)).await??;
    let begun = ask(shared, move |ward| ward.begin_hand_over(device, offered)).await;
    let (number, bytes) = match (begun, offered) {
        (Ok(Ok(number)), Some(bytes)) => (number, bytes),
        (Ok(Err(word)), _) => return part(word, send, receive).await,
        _ => return part(HandOverWord::Unavailable, send, receive).await,
    };
    let Ok(_seat) = Arc::clone(&shared.conversations).try_acquire_owned() else {
        return part(HandOverWord::Unavailable, send, receive).await;
    };
    drop(stranger);
    say(HandOverWord::Wanted, &mut send).await?;
    let keeping = keep(shared, number, bytes, &mut receive);
    let word = timeout(Duration::from_millis(CONVERSATION_MS_MAX), keeping)
        .await
        .unwrap_or(Err(Ending::TimedOut))?;
    tracing::info!(device = %device, ?word, bytes, "a revoked device handed over what it had unsent");
    part(word, send, receive).await
}

async fn read_offer(receive: &mut Receiver) -> Result<Option<usize>, Ending> {
    let mut offer = [0; OFFER_BYTES];
    receive
        .read_exact(&mut offer)
        .await
        .map_err(|_| Ending::Lost)?;
    decode_offer(offer).map_err(|error| Violation::from(error).into())
}

/// Keeps every byte that was offered, in pieces.
async fn keep(
    shared: &Shared,
    number: u64,
    bytes: usize,
    receive: &mut Receiver,
) -> Result<HandOverWord, Ending> {
    let silence = Duration::from_millis(SILENCE_MS_MAX);
    let mut start = 0;
    let mut piece = Vec::new();
    while start < bytes {
        let wanted = PIECE_BYTES.min(bytes - start);
        let missing = wanted - piece.len();
        piece.reserve(missing);
        let came = timeout(silence, receive.take(missing as u64).read_buf(&mut piece)).await;
        let is_cut = !matches!(came, Ok(Ok(1..)));
        if piece.len() == wanted || (is_cut && !piece.is_empty()) {
            let kept = std::mem::take(&mut piece);
            let next = start + kept.len();
            let done = ask(shared, move |ward| {
                ward.keep_handed_over(number, start, &kept)
            });
            if done.await.is_err() {
                return Ok(HandOverWord::Unavailable);
            }
            start = next;
        }
        if is_cut {
            return Err(Ending::Lost);
        }
    }
    match ask(shared, move |ward| ward.end_hand_over(number)).await {
        Ok(()) => Ok(HandOverWord::Kept),
        Err(_) => Ok(HandOverWord::Unavailable),
    }
}

async fn part(word: HandOverWord, mut send: Sender, receive: Receiver) -> Result<(), Ending> {
    say(word, &mut send).await?;
    farewell(send, receive).await;
    Ok(())
}

async fn say(word: HandOverWord, send: &mut Sender) -> Result<(), Ending> {
    send.write_all(&word.encode())
        .await
        .map_err(|_| Ending::Lost)?;
    send.flush().await.map_err(|_| Ending::Lost)
}

/// Asks the ward beside the threads that serve the network.
async fn ask<T: Send + 'static>(
    shared: &Shared,
    question: impl FnOnce(&Ward) -> Result<T, WardError> + Send + 'static,
) -> Result<T, Failed> {
    let ward = shared.ward.clone();
    match tokio::task::spawn_blocking(move || question(&ward)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            tracing::error!(%error, cause = ?error.source(), "a handing over failed");
            Err(Failed)
        }
        Err(error) => {
            tracing::error!(%error, "a handing over did not end");
            Err(Failed)
        }
    }
}

/// It is in the log.
struct Failed;
