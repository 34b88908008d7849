//! Frames on their way to the transport. Small ones leave together, so that one flight of the
//! conversation is one packet where it fits.

use std::collections::VecDeque;

use super::limits;

/// A queue of encoded frames.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Outbound {
    /// Queues one frame.
    pub(super) fn push(&mut self, frame: Vec<u8>) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    /// The next bytes to transmit: one frame, and what follows it as long as it is little.
    pub(super) fn pop(&mut self) -> Option<Vec<u8>> {
        let mut batch = self.frames.pop_front()?;
        while let Some(next) = self.frames.front() {
            if batch.len() + next.len() > limits::TRANSMIT_BYTES {
                break;
            }
            batch.extend_from_slice(next);
            self.frames.pop_front();
        }
        self.bytes -= batch.len();
        Some(batch)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// How many bytes wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_frames_leave_together_and_large_ones_alone() {
        let mut outbound = Outbound::default();
        outbound.push(vec![1; 10]);
        outbound.push(vec![2; 20]);
        outbound.push(vec![3; limits::TRANSMIT_BYTES]);
        assert_eq!(outbound.bytes(), 30 + limits::TRANSMIT_BYTES);
        assert_eq!(outbound.pop().map(|batch| batch.len()), Some(30));
        assert_eq!(outbound.pop().map(|batch| batch[0]), Some(3));
        assert_eq!(outbound.pop(), None);
        assert!(outbound.is_empty());
        assert_eq!(outbound.bytes(), 0);
    }
}
