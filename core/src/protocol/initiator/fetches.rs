//! Files on their way down, for whoever looks at a case that somebody else has recorded: one at a time,
//! part by part, each checked when it comes. What came is kept, so the next conversation goes on there.

use super::super::file_tree::{FileTree, PartHash};
use super::*;

/// The file under way.
#[derive(Debug)]
pub(super) struct Fetches {
    state: FetchState,
    /// Whether the store may want more.
    is_asking: bool,
}

#[derive(Debug)]
enum FetchState {
    Idle,
    /// Its parts' hashes are asked for.
    Asked {
        hash: AttachmentHash,
        kept: usize,
        round: u32,
    },
    /// Its parts come: how much was asked for, and how much came.
    Coming {
        tree: FileTree,
        asked: usize,
        received: usize,
        round: u32,
    },
}

impl Default for Fetches {
    fn default() -> Self {
        Self {
            state: FetchState::Idle,
            is_asking: true,
        }
    }
}

impl Fetches {
    pub(super) fn may_ask(&self) -> bool {
        self.is_asking && matches!(self.state, FetchState::Idle)
    }

    pub(super) fn ask_again(&mut self) {
        self.is_asking = true;
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.is_asking && matches!(self.state, FetchState::Idle)
    }
}

impl Initiator {
    pub(super) fn handle_fetch(&mut self, wanted: Option<(AttachmentHash, usize)>) {
        let Some((hash, kept)) = wanted else {
            self.fetches.is_asking = false;
            return;
        };
        self.outbound.push(DeviceMessage::Fetch { hash }.encode());
        self.fetches.state = FetchState::Asked {
            hash,
            kept,
            round: self.round_trips,
        };
    }

    pub(super) fn receive_found(
        &mut self,
        hash: AttachmentHash,
        size: usize,
        parts: Vec<PartHash>,
    ) -> Result<(), Violation> {
        let FetchState::Asked {
            hash: asked,
            kept,
            round,
        } = self.fetches.state
        else {
            return Err(Violation::Unexpected);
        };
        if hash != asked {
            return Err(Violation::Unexpected);
        }
        self.count_round(round + 1);
        if size == 0 {
            self.fetches.state = FetchState::Idle;
            self.progress.push_back(Progress::AttachmentMissing(hash));
            return Ok(());
        }
        let tree = FileTree::open(hash, size, parts).ok_or(Violation::Signature)?;
        // What is here of a file of another size is of no use; the store keeps it anew.
        let from = tree.part_bytes(kept).map_or(0, |_| kept);
        self.fetches.state = FetchState::Coming {
            tree,
            asked: from,
            received: from,
            round: round + 1,
        };
        self.ask_for_parts();
        Ok(())
    }

    pub(super) fn receive_part(&mut self, offset: usize, bytes: Vec<u8>) -> Result<(), Violation> {
        let FetchState::Coming {
            tree,
            asked,
            received,
            round,
        } = &mut self.fetches.state
        else {
            return Err(Violation::Unexpected);
        };
        if offset != *received || *asked == *received {
            return Err(Violation::Unexpected);
        }
        if !tree.is_part(offset, &bytes) {
            return Err(Violation::Signature);
        }
        *received += bytes.len();
        let (hash, size, received, round) = (tree.hash(), tree.size(), *received, *round);
        self.count_round(round + 1);
        self.due.push_back(Due::Fetched {
            hash,
            size,
            offset,
            bytes,
        });
        if received == size {
            self.fetches.state = FetchState::Idle;
        } else {
            self.ask_for_parts();
        }
        Ok(())
    }

    /// At most a chunk is asked for ahead of what came.
    fn ask_for_parts(&mut self) {
        let FetchState::Coming {
            tree,
            asked,
            received,
            ..
        } = &mut self.fetches.state
        else {
            return;
        };
        while *asked - *received < limits::ATTACHMENT_CHUNK_BYTES
            && let Some(length) = tree.part_bytes(*asked)
        {
            let ask = DeviceMessage::FetchPart {
                hash: tree.hash(),
                offset: *asked,
            };
            self.outbound.push(ask.encode());
            *asked += length;
        }
    }
}
