//! A page in the making: what fits, in the order of the feed.

use std::collections::{BTreeMap, BTreeSet};

use gandan_core::model::{ChainHash, DocumentId, Epoch};
use gandan_core::protocol::feed::{
    Cursor, FeedEntry, Page, PageProof, ScopeDelta, Tombstone, sign,
};
use gandan_core::protocol::limits::{
    BUNDLE_EDITS_MAX, FORGOTTEN_DOCUMENTS_MAX, PAGE_BODY_BYTES_MAX,
};

use super::super::connections::Shared;

/// A document to be forgotten, on the wire.
const DOCUMENT_BYTES: usize = 17;

/// A tombstone, on the wire.
const TOMBSTONE_BYTES: usize = 91;

/// An entry on its way into a page; the body is left out if the device has it.
type Line = (Option<DocumentId>, FeedEntry, Option<Vec<u8>>);

#[derive(Default)]
pub(super) struct PageBuilder {
    lines: BTreeMap<u64, Line>,
    forgotten: BTreeSet<DocumentId>,
    is_beginning: bool,
    is_end: bool,
    ends_loans: bool,
    tombstones: Vec<Tombstone>,
    size: usize,
}

impl PageBuilder {
    pub(super) fn is_empty(&self) -> bool {
        !self.moves_on() && self.tombstones.is_empty()
    }

    /// Whether there is something in it beside tombstones, which are told again by the next page.
    pub(super) fn moves_on(&self) -> bool {
        !self.lines.is_empty() || !self.forgotten.is_empty()
    }

    /// Whether bodies of `size` bytes and so many documents to be forgotten still have room.
    pub(super) fn has_room(&self, count: usize, size: usize, forgotten: usize) -> bool {
        self.lines.len() + count <= BUNDLE_EDITS_MAX
            && self.forgotten.len() + forgotten <= FORGOTTEN_DOCUMENTS_MAX
            && self.size + size + forgotten * DOCUMENT_BYTES <= PAGE_BODY_BYTES_MAX
    }

    /// Whether the entry still had room.
    pub(super) fn push(
        &mut self,
        document: Option<DocumentId>,
        entry: FeedEntry,
        body: Option<Vec<u8>>,
    ) -> bool {
        let size = body.as_ref().map_or(0, Vec::len);
        if !self.has_room(1, size, 0) {
            return false;
        }
        self.size += size;
        let replaced = self.lines.insert(entry.sequence, (document, entry, body));
        if let Some((_, _, Some(body))) = replaced {
            self.size -= body.len();
        }
        true
    }

    /// The device forgets before it takes the page's entries, so none of the document may stay in it.
    pub(super) fn forget(&mut self, document: DocumentId) {
        let mut freed = 0;
        self.lines.retain(|_, (of, _, body)| {
            let is_kept = *of != Some(document);
            if !is_kept {
                freed += body.as_ref().map_or(0, Vec::len);
            }
            is_kept
        });
        self.size -= freed;
        if self.forgotten.insert(document) {
            self.size += DOCUMENT_BYTES;
        }
    }

    /// What the device must not keep, whatever else the page says.
    pub(super) fn tell(&mut self, tombstones: Vec<Tombstone>) {
        self.size += tombstones.len() * TOMBSTONE_BYTES;
        self.tombstones = tombstones;
    }

    pub(super) fn begin(&mut self) {
        self.is_beginning = true;
    }

    pub(super) fn end_loans(&mut self) {
        self.ends_loans = true;
    }

    pub(super) fn end(&mut self) {
        self.is_end = true;
    }

    /// `after` is how far the device had read; a page that brings what the device gained begins before.
    pub(super) fn finish(
        self,
        shared: &Shared,
        epoch: Epoch,
        (after, up_to, chain): (u64, u64, ChainHash),
        cursor: Option<Cursor>,
    ) -> Page {
        let first = self.lines.first_key_value().map(|(sequence, _)| *sequence);
        let (entries, bodies) = self
            .lines
            .into_values()
            .map(|(_, entry, body)| (entry, body))
            .unzip();
        let unsigned = PageProof {
            ward: shared.code,
            epoch,
            after: first.map_or(after, |first| after.min(first - 1)),
            up_to,
            chain,
            entries,
            signature: [0; 64],
        };
        Page {
            proof: sign(&shared.keys.signing, unsigned),
            bodies,
            cursor,
            scope: ScopeDelta {
                is_beginning: self.is_beginning,
                is_end: self.is_end,
                ends_loans: self.ends_loans,
                forgotten: self.forgotten.into_iter().collect(),
                tombstones: self.tombstones,
            },
        }
    }
}
