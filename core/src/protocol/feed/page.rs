//! A page's bytes: compressed, and without what can be derived (the id of an edit whose body is
//! there, the writer and the salt that an entry shares with another). Bodies are packed as a
//! bundle's are.

use std::collections::BTreeMap;

use thiserror::Error;

use super::super::compression::{self, DecompressError};
use super::super::limits;
use super::super::packing::{self, Effort, PACKED_BYTES_MAX, UnpackError};
use super::{Cursor, FeedEntry, PageProof, Salt, Tombstone, verify_proof};
use crate::codec::{DecodeError, Reader, Writer};
use crate::model::{
    ChainHash, DeviceId, DocumentId, EditId, Epoch, OfficerId, Timestamp, WardCode, WardKey,
};

/// A page of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The ward's word.
    pub proof: PageProof,
    /// For each entry the edit's bytes, or `None` if the receiving device wrote it and has it.
    pub bodies: Vec<Option<Vec<u8>>>,
    /// Where to go on; `None` for edits that were asked for by name.
    pub cursor: Option<Cursor>,
    /// What the device may not hold any more. Not part of the ward's signed word.
    pub scope: ScopeDelta,
}

/// What leaves the device's scope with a page. It is applied before the page's edits are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeDelta {
    /// The ward reads the feed to the device from the start: what the device holds is doubtful until
    /// a page names it.
    pub is_beginning: bool,
    /// That reading is at its end: what is still doubtful is to be forgotten.
    pub is_end: bool,
    /// Another scope begins: documents that were lent in the old one are to be forgotten.
    pub ends_loans: bool,
    /// To be forgotten.
    pub forgotten: Vec<DocumentId>,
    /// To be purged before anything else is done. Each carries the ward's signature.
    pub tombstones: Vec<Tombstone>,
}

/// Bits of the byte before the documents to be forgotten.
const BEGINNING: u8 = 1;
const END: u8 = 2;
const LOANS: u8 = 4;
const TOMBSTONES: u8 = 8;

/// What stands for an edit's body.
mod body_tag {
    /// The device has it; its name follows.
    pub(super) const ABSENT: u8 = 0;
    /// It is the next of the bodies.
    pub(super) const HERE: u8 = 1;
    /// The device wrote it and heard at which sequence it was accepted.
    pub(super) const KNOWN: u8 = 2;
}

/// Why a page is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenPageError {
    /// Its bytes are not a page.
    #[error("the page does not decode: {0}")]
    Decode(#[from] DecodeError),
    /// Its content is not what zstd makes, or is too large.
    #[error("the page does not decompress within its limit")]
    Decompress,
    /// The signature is not the pinned ward's.
    #[error("the page's signature does not hold")]
    Signature,
}

impl From<UnpackError> for OpenPageError {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::Decode(error) => Self::Decode(error),
            UnpackError::Decompress => Self::Decompress,
        }
    }
}

impl From<DecompressError> for OpenPageError {
    fn from(_: DecompressError) -> Self {
        Self::Decompress
    }
}

/// Who wrote an entry: most pages have few writers and many entries.
type EntryWriter = (OfficerId, DeviceId);

impl Page {
    /// The bytes of the page's frame, compressed. A body that is not the named edit's is left out,
    /// because the id of an edit whose body is there is not sent; so is what is more than a page
    /// holds.
    #[must_use]
    pub fn seal(&self) -> Vec<u8> {
        self.seal_for(|_| false)
    }

    /// The same for a device that knows already which edits of its own are at these sequences: their
    /// names, which do not compress, are left out too.
    #[must_use]
    pub fn seal_for(&self, is_known: impl Fn(u64) -> bool) -> Vec<u8> {
        let proof = &self.proof;
        let mut writers: Vec<EntryWriter> = Vec::new();
        let mut salts: Vec<[u8; 16]> = Vec::new();
        let mut entries = Writer::new();
        let mut bodies: Vec<&[u8]> = Vec::new();
        let mut room = PACKED_BYTES_MAX;
        let mut previous = (proof.after, 0);
        for (index, entry) in proof.entries.iter().enumerate() {
            let who = (entry.author, entry.device);
            let number = number_of(&mut writers, who);
            // Wrapping, so that entries out of order give bytes that `open` refuses, not a panic.
            entries
                .unsigned(entry.sequence.wrapping_sub(previous.0))
                .count(number)
                .signed(entry.received_at.0.wrapping_sub(previous.1));
            match entry.salt {
                Salt::Own(salt) => entries.count(0).fixed(&salt),
                Salt::Shared(root) => entries.count(number_of(&mut salts, root) + 1),
            };
            previous = (entry.sequence, entry.received_at.0);
            let body = self.bodies.get(index).and_then(Option::as_deref);
            let is_sent = |body: &&[u8]| {
                body.len() <= room && blake3::hash(body).as_bytes() == entry.edit.as_bytes()
            };
            match body.filter(is_sent) {
                Some(body) => {
                    room -= body.len();
                    bodies.push(body);
                    entries.byte(body_tag::HERE)
                }
                None if is_known(entry.sequence) => entries.byte(body_tag::KNOWN),
                None => entries.byte(body_tag::ABSENT).fixed(entry.edit.as_bytes()),
            };
        }
        let mut content = Writer::new();
        content
            .fixed(proof.ward.as_bytes())
            .fixed(proof.epoch.as_bytes())
            .unsigned(proof.after)
            .unsigned(proof.up_to)
            .fixed(proof.chain.as_bytes())
            .fixed(&proof.signature)
            .optional(self.cursor.as_ref(), |writer, cursor| {
                writer.bytes(&cursor.0);
            })
            .count(writers.len());
        for (author, device) in &writers {
            content.fixed(author.0.as_bytes()).fixed(device.as_bytes());
        }
        content.count(salts.len());
        for root in &salts {
            content.fixed(root);
        }
        content.count(proof.entries.len()).fixed(&entries.finish());
        // Most pages end here.
        if self.scope != ScopeDelta::default() {
            content
                .byte(self.scope.flags())
                .count(self.scope.forgotten.len());
            for document in &self.scope.forgotten {
                content.fixed(&document.to_bytes());
            }
            if !self.scope.tombstones.is_empty() {
                content.count(self.scope.tombstones.len());
                for tombstone in &self.scope.tombstones {
                    tombstone.write(&mut content);
                }
            }
        }
        let mut sealed = Writer::new();
        sealed.bytes(&compression::compress(&content.finish()));
        if !bodies.is_empty() {
            sealed.fixed(&packing::pack(Effort::EachTime, bodies));
        }
        sealed.finish()
    }

    /// Opens a page and checks that the pinned ward signed it. Bodies are not decoded: a poisoned
    /// one must not block the rest. That each body is the named edit's holds by construction, because
    /// the id is computed from it and the signature is over the ids.
    ///
    /// # Errors
    /// See [`OpenPageError`].
    pub fn open(ward_key: WardKey, bytes: &[u8]) -> Result<Self, OpenPageError> {
        Self::open_knowing(ward_key, bytes, &BTreeMap::new())
    }

    /// The same of a page that [`Page::seal_for`] made; `known` are the device's own edits by sequence.
    ///
    /// # Errors
    /// See [`OpenPageError`].
    pub fn open_knowing(
        ward_key: WardKey,
        bytes: &[u8],
        known: &BTreeMap<u64, EditId>,
    ) -> Result<Self, OpenPageError> {
        let page = Self::decode(bytes, known)?;
        if verify_proof(ward_key, &page.proof) {
            Ok(page)
        } else {
            Err(OpenPageError::Signature)
        }
    }

    /// Opens a page without knowing whose it is: whoever uses it checks [`verify_proof`].
    ///
    /// # Errors
    /// See [`OpenPageError`].
    pub fn open_unverified(bytes: &[u8]) -> Result<Self, OpenPageError> {
        Self::decode(bytes, &BTreeMap::new())
    }

    fn decode(bytes: &[u8], known: &BTreeMap<u64, EditId>) -> Result<Self, OpenPageError> {
        let mut outer = Reader::new(bytes);
        let head = outer.bytes(limits::PAGE_BYTES_MAX)?;
        let content = compression::decompress(head, limits::BUNDLE_CONTENT_BYTES_MAX)?;
        let packed = outer.rest();
        let mut bodies = if packed.is_empty() {
            Vec::new()
        } else {
            packing::unpack(packed)?
        }
        .into_iter();
        let mut reader = Reader::new(&content);
        let page = read(&mut reader, &mut bodies, known)?;
        reader.finish()?;
        if bodies.next().is_some() {
            return Err(DecodeError::TrailingBytes.into());
        }
        Ok(page)
    }
}

impl ScopeDelta {
    fn flags(&self) -> u8 {
        let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        flag(self.is_beginning, BEGINNING)
            | flag(self.is_end, END)
            | flag(self.ends_loans, LOANS)
            | flag(!self.tombstones.is_empty(), TOMBSTONES)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let flags = reader.byte()?;
        if flags & !(BEGINNING | END | LOANS | TOMBSTONES) != 0 {
            return Err(DecodeError::InvalidValue);
        }
        let forgotten = (0..reader.count(limits::FORGOTTEN_DOCUMENTS_MAX)?)
            .map(|_| {
                let bytes: [u8; 17] = reader.fixed()?;
                DocumentId::from_slice(&bytes).ok_or(DecodeError::InvalidValue)
            })
            .collect::<Result<Vec<_>, _>>()?;
        if flags == 0 && forgotten.is_empty() {
            return Err(DecodeError::InvalidValue);
        }
        let tombstones = if flags & TOMBSTONES == 0 {
            Vec::new()
        } else {
            (0..reader.count(limits::TOMBSTONES_MAX)?)
                .map(|_| Tombstone::read(reader))
                .collect::<Result<Vec<_>, _>>()?
        };
        if flags & TOMBSTONES != 0 && tombstones.is_empty() {
            return Err(DecodeError::InvalidValue);
        }
        Ok(Self {
            is_beginning: flags & BEGINNING != 0,
            is_end: flags & END != 0,
            ends_loans: flags & LOANS != 0,
            forgotten,
            tombstones,
        })
    }
}

/// The number of `one` among `known`, from 0; what is new is added.
fn number_of<T: PartialEq>(known: &mut Vec<T>, one: T) -> usize {
    match known.iter().rposition(|other| *other == one) {
        Some(number) => number,
        None => {
            known.push(one);
            known.len() - 1
        }
    }
}

/// Bodies that no entry has taken yet.
type Bodies = std::vec::IntoIter<Vec<u8>>;

fn read(
    reader: &mut Reader<'_>,
    unpacked: &mut Bodies,
    known: &BTreeMap<u64, EditId>,
) -> Result<Page, DecodeError> {
    let ward = read_ward(reader)?;
    let epoch = Epoch(reader.fixed()?);
    let after = reader.unsigned()?;
    let up_to = reader.unsigned()?;
    let chain = ChainHash(reader.fixed()?);
    let signature = reader.fixed()?;
    let cursor =
        reader.optional(|reader| Ok(Cursor(reader.bytes(limits::CURSOR_BYTES_MAX)?.to_vec())))?;
    let writers = (0..reader.count(limits::BUNDLE_EDITS_MAX)?)
        .map(|_| {
            let author = OfficerId(uuid::Uuid::from_bytes(reader.fixed()?));
            Ok((author, DeviceId(reader.fixed()?)))
        })
        .collect::<Result<Vec<EntryWriter>, DecodeError>>()?;
    let salts = (0..reader.count(limits::BUNDLE_EDITS_MAX)?)
        .map(|_| reader.fixed())
        .collect::<Result<Vec<[u8; 16]>, DecodeError>>()?;
    let count = reader.count(limits::BUNDLE_EDITS_MAX)?;
    let mut entries = Vec::new();
    let mut bodies = Vec::new();
    let mut previous = (after, 0);
    for _ in 0..count {
        let (entry, body) = read_entry(reader, (&writers, &salts), unpacked, known, previous)?;
        if entry.sequence > up_to {
            return Err(DecodeError::InvalidValue);
        }
        previous = (entry.sequence, entry.received_at.0);
        entries.push(entry);
        bodies.push(body);
    }
    let scope = if reader.is_empty() {
        ScopeDelta::default()
    } else {
        ScopeDelta::read(reader)?
    };
    Ok(Page {
        proof: PageProof {
            ward,
            epoch,
            after,
            up_to,
            chain,
            entries,
            signature,
        },
        bodies,
        cursor,
        scope,
    })
}

fn read_ward(reader: &mut Reader<'_>) -> Result<WardCode, DecodeError> {
    std::str::from_utf8(reader.slice(5)?)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(DecodeError::InvalidValue)
}

fn read_entry(
    reader: &mut Reader<'_>,
    (writers, salts): (&[EntryWriter], &[[u8; 16]]),
    unpacked: &mut Bodies,
    known: &BTreeMap<u64, EditId>,
    (previous_sequence, previous_time): (u64, i64),
) -> Result<(FeedEntry, Option<Vec<u8>>), DecodeError> {
    let step = reader.unsigned()?;
    let sequence = previous_sequence
        .checked_add(step)
        .filter(|_| step > 0)
        .ok_or(DecodeError::NonCanonicalOrder)?;
    let number = reader.count(limits::BUNDLE_EDITS_MAX)?;
    let &(author, device) = writers.get(number).ok_or(DecodeError::InvalidValue)?;
    let received_at = Timestamp(previous_time.wrapping_add(reader.signed()?));
    let salt = match reader.count(limits::BUNDLE_EDITS_MAX)? {
        0 => Salt::Own(reader.fixed()?),
        number => Salt::Shared(*salts.get(number - 1).ok_or(DecodeError::InvalidValue)?),
    };
    let body = reader.byte()?;
    let (edit, body) = match body {
        body_tag::ABSENT => (EditId(reader.fixed()?), None),
        body_tag::KNOWN => {
            let edit = known.get(&sequence).ok_or(DecodeError::InvalidValue)?;
            (*edit, None)
        }
        body_tag::HERE => {
            let body = unpacked.next().ok_or(DecodeError::Truncated)?;
            (EditId(blake3::hash(&body).into()), Some(body))
        }
        other => return Err(DecodeError::UnknownCode(other.into())),
    };
    let entry = FeedEntry {
        sequence,
        edit,
        author,
        device,
        received_at,
        salt,
    };
    Ok((entry, body))
}
