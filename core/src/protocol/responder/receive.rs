//! What a device may say when. Everything is checked when it arrives, before the ward is asked, so
//! that neither a queue nor a file grows over its bound.

use super::*;
use crate::codec::DecodeError;

/// How much of each kind waits for the ward's word.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    pub(super) bundles: usize,
    pub(super) returns: usize,
    pub(super) wants: usize,
    pub(super) files: usize,
    pub(super) file_bytes: usize,
    pub(super) fetches: usize,
    pub(super) parts: usize,
    pub(super) follows: usize,
    pub(super) looks: usize,
    pub(super) compares: usize,
    /// Once in a conversation.
    witnessed: usize,
    /// How many there were in all.
    compared: usize,
    pulls: usize,
    is_done: bool,
    is_giving_back: bool,
}

impl InFlight {
    fn add(count: &mut usize, limit: usize) -> Result<(), Violation> {
        if *count >= limit {
            return Err(Violation::TooManyInFlight);
        }
        *count += 1;
        Ok(())
    }
}

impl Responder {
    pub(super) fn receive(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        // After a refusal the device may still be sending what it could not know to be vain.
        while !matches!(self.stage, Stage::Over) || self.in_flight.is_done {
            if self.stage == Stage::Broken {
                return Err(Violation::Unexpected);
            }
            let Some(frame) = self.decoder.next(&mut bytes)? else {
                break;
            };
            self.receive_message(DeviceMessage::decode(&frame)?)?;
        }
        Ok(())
    }

    fn receive_message(&mut self, message: DeviceMessage) -> Result<(), Violation> {
        if self.in_flight.is_done {
            return Err(Violation::Unexpected);
        }
        match (&self.stage, message) {
            (Stage::Silent, DeviceMessage::Hello(hello)) if self.outstanding.is_none() => {
                match self.versions.agree(hello.minor) {
                    Ok(minor) => {
                        self.minor = minor;
                        self.stage = Stage::Greeted(Box::new(hello));
                    }
                    Err(refusal) => self.refuse(refusal),
                }
            }
            // Until the ward has greeted back, the stage is silent and its answer outstanding.
            (Stage::Silent, _) if self.outstanding.is_none() => return Err(Violation::Unexpected),
            (_, DeviceMessage::Hello(_)) => return Err(Violation::Unexpected),
            (Stage::Restored, DeviceMessage::GiveBack) => {
                self.in_flight.is_giving_back = true;
                self.stage = Stage::Open;
            }
            // Said before the device knew of the restore; it says it again.
            (Stage::Restored, DeviceMessage::Done) => self.stage = Stage::Over,
            (Stage::Restored, _) => {}
            (_, message) => self.receive_open(message)?,
        }
        Ok(())
    }

    fn receive_open(&mut self, message: DeviceMessage) -> Result<(), Violation> {
        let in_flight = &mut self.in_flight;
        let item = match message {
            DeviceMessage::Hello(_) | DeviceMessage::GiveBack => return Err(Violation::Unexpected),
            DeviceMessage::Bundle(sealed) => {
                InFlight::add(&mut in_flight.bundles, limits::BUNDLES_IN_FLIGHT_MAX)?;
                Item::Bundle(sealed)
            }
            DeviceMessage::Return(sealed) => {
                if !in_flight.is_giving_back {
                    return Err(Violation::Unexpected);
                }
                InFlight::add(&mut in_flight.returns, limits::RETURNS_IN_FLIGHT_MAX)?;
                let page = Page::open_unverified(&sealed)
                    .map_err(|_| Violation::Decode(DecodeError::InvalidValue))?;
                Item::Return(Box::new(page))
            }
            DeviceMessage::Pull { window } => {
                // The device asks again only after it was told that it has caught up.
                if self.window.is_some() || in_flight.follows > 0 {
                    return Err(Violation::Unexpected);
                }
                InFlight::add(&mut in_flight.pulls, 1)?;
                Item::Pull { window }
            }
            DeviceMessage::Follow { window } => {
                // It stays once it has read what there was, and says so again only to be answered.
                let is_pulling = self.window.is_some() && self.following.is_none();
                if !self.has_caught_up || is_pulling || in_flight.pulls > 0 {
                    return Err(Violation::Unexpected);
                }
                InFlight::add(&mut in_flight.follows, 1)?;
                Item::Follow { window }
            }
            DeviceMessage::Taken => {
                self.pages_ahead = self
                    .pages_ahead
                    .checked_sub(1)
                    .ok_or(Violation::Unexpected)?;
                return Ok(());
            }
            DeviceMessage::Want(edits) => {
                InFlight::add(&mut in_flight.wants, 1)?;
                Item::Want(edits)
            }
            DeviceMessage::Offer { hash, size, parts } => {
                InFlight::add(&mut in_flight.files, limits::ATTACHMENTS_IN_FLIGHT_MAX)?;
                Item::Offer(FileTree::open(hash, size, parts).ok_or(Violation::Signature)?)
            }
            DeviceMessage::Chunk { offset, bytes } => {
                return self.receive_chunk(offset, bytes);
            }
            DeviceMessage::Fetch { hash } => {
                InFlight::add(&mut in_flight.fetches, 1)?;
                Item::Fetch(hash)
            }
            DeviceMessage::FetchPart { hash, offset } => {
                let parts_max = limits::ATTACHMENT_CHUNK_BYTES / limits::ATTACHMENT_PART_BYTES;
                InFlight::add(&mut in_flight.parts, parts_max)?;
                Item::FetchPart { hash, offset }
            }
            DeviceMessage::Compare(questions) => {
                InFlight::add(&mut in_flight.compares, 1)?;
                InFlight::add(&mut in_flight.compared, limits::COMPARISONS_MAX)?;
                // What is found lacking here may be given back.
                in_flight.is_giving_back = true;
                Item::Compare(questions)
            }
            DeviceMessage::Look { words } => {
                InFlight::add(&mut in_flight.looks, 1)?;
                Item::Look(words)
            }
            DeviceMessage::Witness { number } => {
                InFlight::add(&mut in_flight.witnessed, 1)?;
                Item::Witness(number)
            }
            DeviceMessage::Done => {
                in_flight.is_done = true;
                Item::Done
            }
        };
        self.queue.push_back(item);
        Ok(())
    }

    /// A part is checked here, so that what is handed on is right whoever sent it.
    fn receive_chunk(&mut self, offset: usize, bytes: Vec<u8>) -> Result<(), Violation> {
        let file = self.needed_files.front_mut().ok_or(Violation::Unexpected)?;
        if offset != file.received {
            return Err(Violation::Unexpected);
        }
        if !file.tree.is_part(offset, &bytes) {
            return Err(Violation::Signature);
        }
        self.in_flight.file_bytes += bytes.len();
        if self.in_flight.file_bytes > limits::ATTACHMENT_CHUNK_BYTES {
            return Err(Violation::TooManyInFlight);
        }
        file.received += bytes.len();
        let part = Item::Part {
            hash: file.tree.hash(),
            size: file.tree.size(),
            offset,
            bytes,
        };
        if file.received == file.tree.size() {
            self.needed_files.pop_front();
        }
        self.queue.push_back(part);
        Ok(())
    }

    /// Drops what came in the same flight as a greeting whose cursor is unknown, up to the device's
    /// word that it has read so.
    pub(super) fn forget_what_was_said(&mut self) {
        self.queue.clear();
        self.in_flight = InFlight {
            is_done: self.in_flight.is_done,
            ..InFlight::default()
        };
        if self.in_flight.is_done {
            self.stage = Stage::Over;
        }
    }

    pub(super) fn begin_pull(&mut self, window: usize) {
        self.in_flight.pulls -= 1;
        self.window = Some(window.min(limits::PAGES_IN_FLIGHT_MAX));
        self.pages_ahead = 0;
    }
}
