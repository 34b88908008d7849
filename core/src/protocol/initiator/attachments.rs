//! Files on their way up, after every record. The hash is offered first: a photo that two phones
//! attached travels once.

use std::collections::VecDeque;

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
    hash: AttachmentHash,
    bytes: Vec<u8>,
    state: TransferState,
    round: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TransferState {
    Offered,
    Sending { next: usize },
    Sent,
}

impl Default for Attachments {
    fn default() -> Self {
        Self {
            in_flight: VecDeque::new(),
            is_asking: true,
        }
    }
}

impl Attachments {
    /// The next file may be offered while the present one travels.
    pub(super) fn may_ask(&self) -> bool {
        self.is_asking && self.in_flight.len() < limits::ATTACHMENTS_IN_FLIGHT_MAX
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.is_asking && self.in_flight.is_empty()
    }

    pub(super) fn receive_need(
        &mut self,
        hash: AttachmentHash,
        from: usize,
    ) -> Result<u32, Violation> {
        let transfer = self
            .in_flight
            .iter_mut()
            .find(|transfer| transfer.hash == hash)
            .filter(|transfer| transfer.state == TransferState::Offered)
            .filter(|transfer| from < transfer.bytes.len())
            .ok_or(Violation::Unexpected)?;
        transfer.state = TransferState::Sending { next: from };
        transfer.round += 1;
        Ok(transfer.round)
    }

    pub(super) fn receive_stored(&mut self, hash: AttachmentHash) -> Result<u32, Violation> {
        let position = self
            .in_flight
            .iter()
            .position(|transfer| transfer.hash == hash)
            .ok_or(Violation::Unexpected)?;
        match self.in_flight.remove(position) {
            // The ward cannot have a file of which it has asked for bytes that were not sent.
            Some(transfer) if !matches!(transfer.state, TransferState::Sending { .. }) => {
                Ok(transfer.round + 1)
            }
            _ => Err(Violation::Unexpected),
        }
    }

    /// The next part of the oldest file that the ward needs.
    pub(super) fn next_chunk(&mut self) -> Option<DeviceMessage> {
        let transfer = self
            .in_flight
            .iter_mut()
            .find(|transfer| matches!(transfer.state, TransferState::Sending { .. }))?;
        let TransferState::Sending { next: offset } = transfer.state else {
            return None;
        };
        let end = (offset + limits::ATTACHMENT_CHUNK_BYTES).min(transfer.bytes.len());
        let bytes = transfer.bytes[offset..end].to_vec();
        if end == transfer.bytes.len() {
            transfer.state = TransferState::Sent;
            transfer.bytes = Vec::new();
        } else {
            transfer.state = TransferState::Sending { next: end };
        }
        Some(DeviceMessage::Chunk { offset, bytes })
    }
}

impl Initiator {
    pub(super) fn handle_attachment(&mut self, attachment: Option<OutgoingAttachment>) {
        let Some(OutgoingAttachment { hash, bytes }) = attachment else {
            self.attachments.is_asking = false;
            return;
        };
        // A file that no ward takes is not even offered: it would end every conversation.
        if bytes.is_empty() || bytes.len() > limits::ATTACHMENT_BYTES_MAX {
            self.progress.push_back(Progress::AttachmentRefused(hash));
            return;
        }
        let offer = DeviceMessage::Offer {
            hash,
            size: bytes.len(),
        };
        self.outbound.push(offer.encode());
        self.attachments.in_flight.push_back(Transfer {
            hash,
            bytes,
            state: TransferState::Offered,
            round: self.round_trips,
        });
    }
}
