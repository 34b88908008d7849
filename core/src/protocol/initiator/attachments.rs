//! Files on their way up, after every record. The hash is offered first: a photo that two phones
//! attached travels once, and one that was interrupted goes on where the ward has it.
//!
//! At most a chunk is under way without the ward's word, and before each part the store is asked for
//! bundles: a record that is made while a photo travels waits for that chunk, never for the photo.

use std::collections::VecDeque;

use super::super::file_tree::FileTree;
use super::super::message::FileWord;
use super::*;

/// The files under way.
#[derive(Debug)]
pub(super) struct Attachments {
    /// In the order in which they were offered.
    in_flight: VecDeque<Transfer>,
    /// Whether the store may have more.
    is_asking: bool,
}

#[derive(Debug)]
struct Transfer {
    tree: FileTree,
    bytes: Vec<u8>,
    state: TransferState,
    round: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TransferState {
    Offered,
    /// The ward needs it: how much was sent, and how much of that it keeps.
    Sending {
        sent: usize,
        kept: usize,
    },
}

impl Default for Attachments {
    fn default() -> Self {
        Self {
            in_flight: VecDeque::new(),
            is_asking: true,
        }
    }
}

impl Transfer {
    fn is_sent(&self) -> bool {
        matches!(self.state, TransferState::Sending { sent, .. } if sent == self.bytes.len())
    }
}

impl Attachments {
    /// The next file may be offered while the present one travels.
    pub(super) fn may_ask(&self) -> bool {
        self.is_asking && self.in_flight.len() < limits::ATTACHMENTS_IN_FLIGHT_MAX
    }

    pub(super) fn ask_again(&mut self) {
        self.is_asking = true;
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.is_asking && self.in_flight.is_empty()
    }

    fn find(&mut self, hash: AttachmentHash) -> Result<&mut Transfer, Violation> {
        self.in_flight
            .iter_mut()
            .find(|transfer| transfer.tree.hash() == hash)
            .ok_or(Violation::Unexpected)
    }

    fn receive_need(&mut self, hash: AttachmentHash, from: usize) -> Result<u32, Violation> {
        let transfer = self.find(hash)?;
        if transfer.state != TransferState::Offered || transfer.tree.part_bytes(from).is_none() {
            return Err(Violation::Unexpected);
        }
        transfer.state = TransferState::Sending {
            sent: from,
            kept: from,
        };
        transfer.round += 1;
        Ok(transfer.round)
    }

    fn receive_kept(&mut self, hash: AttachmentHash, up_to: usize) -> Result<usize, Violation> {
        let transfer = self.find(hash)?;
        let size = transfer.bytes.len();
        match &mut transfer.state {
            // The last part is answered with the last word.
            TransferState::Sending { sent, kept }
                if (*kept + 1..=*sent).contains(&up_to) && up_to < size =>
            {
                *kept = up_to;
                Ok(size)
            }
            _ => Err(Violation::Unexpected),
        }
    }

    fn receive_stored(&mut self, hash: AttachmentHash) -> Result<u32, Violation> {
        let position = self
            .in_flight
            .iter()
            .position(|transfer| transfer.tree.hash() == hash)
            .ok_or(Violation::Unexpected)?;
        match self.in_flight.remove(position) {
            // The ward cannot have a file of which it has asked for bytes that were not sent.
            Some(transfer) if transfer.state == TransferState::Offered || transfer.is_sent() => {
                Ok(transfer.round + 1)
            }
            _ => Err(Violation::Unexpected),
        }
    }

    /// The next part of the oldest file that the ward needs, unless a chunk is under way already.
    fn next_part(&mut self) -> Option<DeviceMessage> {
        let under_way: usize = self
            .in_flight
            .iter()
            .map(|transfer| match transfer.state {
                TransferState::Sending { sent, kept } => sent - kept,
                TransferState::Offered => 0,
            })
            .sum();
        let transfer = self
            .in_flight
            .iter_mut()
            .find(|transfer| !transfer.is_sent() && transfer.state != TransferState::Offered)?;
        let TransferState::Sending { sent: offset, kept } = transfer.state else {
            return None;
        };
        let end = offset + transfer.tree.part_bytes(offset)?;
        if under_way + (end - offset) > limits::ATTACHMENT_CHUNK_BYTES {
            return None;
        }
        transfer.state = TransferState::Sending { sent: end, kept };
        let bytes = transfer.bytes[offset..end].to_vec();
        Some(DeviceMessage::Chunk { offset, bytes })
    }
}

impl Initiator {
    pub(super) fn handle_attachment(&mut self, attachment: Option<OutgoingAttachment>) {
        let Some(OutgoingAttachment { hash, bytes }) = attachment else {
            self.attachments.is_asking = false;
            return;
        };
        let is_sendable = !bytes.is_empty() && bytes.len() <= limits::ATTACHMENT_BYTES_MAX;
        let tree = FileTree::of(&bytes);
        // A file that no ward takes is not even offered: it would end every conversation.
        if !is_sendable || tree.hash() != hash {
            self.progress.push_back(Progress::AttachmentRefused(hash));
            return;
        }
        let offer = DeviceMessage::Offer {
            hash,
            size: bytes.len(),
            parts: tree.parts().to_vec(),
        };
        self.outbound.push(offer.encode());
        self.attachments.in_flight.push_back(Transfer {
            tree,
            bytes,
            state: TransferState::Offered,
            round: self.round_trips,
        });
    }

    pub(super) fn receive_need(
        &mut self,
        hash: AttachmentHash,
        from: usize,
    ) -> Result<(), Violation> {
        let round = self.attachments.receive_need(hash, from)?;
        self.count_round(round);
        let size = self.attachments.find(hash)?.bytes.len();
        self.note_kept(hash, from, size);
        Ok(())
    }

    pub(super) fn receive_kept(
        &mut self,
        hash: AttachmentHash,
        up_to: usize,
    ) -> Result<(), Violation> {
        let size = self.attachments.receive_kept(hash, up_to)?;
        self.note_kept(hash, up_to, size);
        // What was recorded meanwhile goes before the next part.
        self.upload.ask_again(self.round_trips);
        Ok(())
    }

    fn note_kept(&mut self, hash: AttachmentHash, kept: usize, size: usize) {
        // Not for each part: what is noted is made durable.
        if kept > 0 && kept.is_multiple_of(limits::ATTACHMENT_CHUNK_BYTES) {
            self.due.push_back(Due::Kept {
                hash,
                bytes: kept as u64,
            });
        }
        self.progress.push_back(Progress::AttachmentKept {
            hash,
            bytes: kept as u64,
            of: size as u64,
        });
    }

    pub(super) fn receive_stored(
        &mut self,
        hash: AttachmentHash,
        word: FileWord,
    ) -> Result<(), Violation> {
        let round = self.attachments.receive_stored(hash)?;
        self.count_round(round);
        match word {
            FileWord::Stored => self.due.push_back(Due::Confirm(hash)),
            FileWord::Refused => self.progress.push_back(Progress::AttachmentRefused(hash)),
            FileWord::Unreferenced | FileWord::OverQuota => {
                self.progress.push_back(Progress::AttachmentPostponed(hash));
            }
        }
        self.upload.ask_again(self.round_trips);
        Ok(())
    }

    /// One part at a time, so that a file does not lie in memory twice, and none before what was
    /// recorded meanwhile is with the ward.
    pub(super) fn next_part(&mut self) -> Option<DeviceMessage> {
        if !self.upload.is_answered() || !self.download.is_complete() {
            return None;
        }
        self.attachments.next_part()
    }
}
