//! A device and a ward that talk in memory, step by step, over a link that may cut the bytes into
//! any portions and change them.

use super::super::initiator::{ConversationError, Initiator, Progress};
use super::super::message::MinorVersions;
use super::super::responder::Responder;
use super::super::violation::Violation;
use super::device::FakeDevice;
use super::ward::FakeWard;

/// How the link treats the bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    /// The sizes of the portions, again and again; empty: as they were transmitted.
    pub(super) portions: Vec<usize>,
    /// The byte at this place of the device's stream is changed by this value.
    pub(super) device_mutation: Option<(usize, u8)>,
    /// The same for the ward's stream.
    pub(super) ward_mutation: Option<(usize, u8)>,
    /// The connection ends after so many of the device's bytes.
    pub(super) device_bytes_max: Option<usize>,
    /// The connection ends after so many of the ward's bytes.
    pub(super) ward_bytes_max: Option<usize>,
    /// What the ward speaks, if not what this build does.
    pub(super) ward_versions: Option<MinorVersions>,
}

/// What a conversation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) device: Result<(), ConversationError>,
    pub(super) ward: Result<(), Violation>,
    pub(super) progress: Vec<Progress>,
    /// The streams, as they were sent.
    pub(super) up: Vec<u8>,
    pub(super) down: Vec<u8>,
    /// As the device counts them.
    pub(super) round_trips: u32,
    /// How often the link changed its direction from down to up: what somebody with a stopwatch
    /// would count.
    pub(super) flights: u32,
}

impl Outcome {
    pub(super) fn payload(&self) -> usize {
        self.up.len() + self.down.len()
    }

    #[track_caller]
    pub(super) fn assert_caught_up(&self) {
        assert_eq!(self.device, Ok(()));
        assert_eq!(self.ward, Ok(()));
        assert_eq!(self.progress.last(), Some(&Progress::CaughtUp));
    }
}

/// One side's bytes on the link: what was sent, and how far it was delivered.
#[derive(Default)]
struct Stream {
    sent: Vec<u8>,
    delivered: usize,
    portion: usize,
}

impl Stream {
    /// The next portion of at most `most` bytes of the stream.
    fn next_portion(&mut self, portions: &[usize], most: usize) -> Option<Vec<u8>> {
        let waiting = self.sent.len().min(most).saturating_sub(self.delivered);
        if waiting == 0 {
            return None;
        }
        let size = match portions {
            [] => waiting,
            sizes => sizes[self.portion % sizes.len()].clamp(1, waiting),
        };
        self.portion += 1;
        let portion = self.sent[self.delivered..self.delivered + size].to_vec();
        self.delivered += size;
        Some(portion)
    }
}

fn mutate(portion: &mut [u8], end: usize, mutation: Option<(usize, u8)>) {
    if let Some((place, value)) = mutation {
        let begin = end - portion.len();
        if let Some(byte) = place.checked_sub(begin).and_then(|at| portion.get_mut(at)) {
            *byte ^= value;
        }
    }
}

/// Lets a device and a ward talk until nothing moves any more.
pub(super) fn talk(device: &mut FakeDevice, ward: &mut FakeWard, link: &Link) -> Outcome {
    let mut initiator = Initiator::new(device.opening());
    let mut responder = match link.ward_versions {
        Some(versions) => Responder::with_versions(versions),
        None => Responder::new(),
    };
    ward.log.clear();
    let (mut up, mut down) = (Stream::default(), Stream::default());
    let mut progress = Vec::new();
    let mut device_result = Ok(());
    let mut ward_result = Ok(());
    let mut flights = 0;
    let mut was_device_quiet = false;
    for step in 0.. {
        assert!(step < 200_000, "the conversation does not end");
        let mut is_moving = false;
        // The device does all that it can before anything is delivered.
        while let Some(command) = initiator.poll_command() {
            let answer = device.execute(command);
            initiator.handle_answer(answer);
            is_moving = true;
        }
        while let Some(bytes) = initiator.poll_transmit() {
            up.sent.extend(bytes);
            is_moving = true;
        }
        progress.extend(std::iter::from_fn(|| initiator.poll_progress()));
        if initiator.is_finished() || device_result.is_err() || ward_result.is_err() {
            // The rest of what the device said is still delivered.
            link_up(&mut up, &mut responder, &mut ward_result, link);
        } else if let Some(mut portion) = (!responder.is_busy())
            .then(|| up.next_portion(&link.portions, link.device_bytes_max.unwrap_or(usize::MAX)))
            .flatten()
        {
            mutate(&mut portion, up.delivered, link.device_mutation);
            ward_result = responder.handle_bytes(&portion);
            is_moving = true;
            was_device_quiet = true;
        }
        while let Some(command) = responder.poll_command() {
            let answer = ward.execute(command);
            responder.handle_answer(answer);
            is_moving = true;
        }
        while let Some(bytes) = responder.poll_transmit() {
            down.sent.extend(bytes);
            is_moving = true;
        }
        let most = link.ward_bytes_max.unwrap_or(usize::MAX);
        // The ward's bytes arrive when all of the device's have: that is what one flight is.
        if up.delivered == up.sent.len()
            && device_result.is_ok()
            && let Some(mut portion) = down.next_portion(&link.portions, most)
        {
            mutate(&mut portion, down.delivered, link.ward_mutation);
            flights += u32::from(std::mem::take(&mut was_device_quiet));
            device_result = initiator.handle_bytes(&portion);
            is_moving = true;
        }
        if !is_moving {
            break;
        }
    }
    if device_result.is_ok() {
        device_result = initiator.handle_end();
    }
    Outcome {
        device: device_result,
        ward: ward_result,
        progress,
        up: up.sent,
        down: down.sent,
        round_trips: initiator.round_trips(),
        flights,
    }
}

fn link_up(
    up: &mut Stream,
    responder: &mut Responder,
    result: &mut Result<(), Violation>,
    link: &Link,
) {
    while result.is_ok()
        && !responder.is_busy()
        && let Some(mut portion) =
            up.next_portion(&link.portions, link.device_bytes_max.unwrap_or(usize::MAX))
    {
        mutate(&mut portion, up.delivered, link.device_mutation);
        *result = responder.handle_bytes(&portion);
    }
}
