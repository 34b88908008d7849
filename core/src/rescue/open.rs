//! Reading a rescue file, item by item. What was read before a damaged place is good.

use hpke::aead::AeadCtxR;
use hpke::{Deserializable as _, Kem as _, OpModeR, setup_receiver};

use super::{
    ENCAPSULATED_BYTES, ITEM_BYTES_MAX, LAYOUT_PLACE, MAGIC, OpenRescueError, PIECE_BYTES,
    SealAead, SealKdf, SealKem, TAG_BYTES, context, item_tag, piece,
};
use crate::codec::{DecodeError, Reader};
use crate::model::WardCode;
use crate::protocol::credential::DeviceCredential;

/// What a rescue file holds beside its credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RescueItem {
    /// A sealed bundle, signed by the device as always.
    Bundle(Vec<u8>),
    /// A file.
    Attachment(Vec<u8>),
}

/// An open rescue file: an iterator over its items, which ends after the first error.
pub struct Opener<'f> {
    credential: DeviceCredential,
    pieces: Pieces<'f>,
    is_over: bool,
}

impl<'f> Opener<'f> {
    /// Opens a file with the seed of the ward's rescue key.
    ///
    /// # Errors
    /// See [`OpenRescueError`].
    pub fn new(seed: &[u8; 32], ward: WardCode, file: &'f [u8]) -> Result<Self, OpenRescueError> {
        type Encapsulated = <SealKem as hpke::Kem>::EncappedKey;
        let (magic, rest) = file
            .split_at_checked(MAGIC.len())
            .filter(|(magic, _)| magic[..LAYOUT_PLACE] == MAGIC[..LAYOUT_PLACE])
            .ok_or(OpenRescueError::NotARescueFile)?;
        if magic != MAGIC {
            return Err(OpenRescueError::Newer);
        }
        let mut reader = Reader::new(rest);
        let written_by: [u8; 5] = reader.fixed().map_err(|_| OpenRescueError::Damaged)?;
        let written_by: WardCode = std::str::from_utf8(&written_by)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .ok_or(OpenRescueError::Damaged)?;
        if written_by != ward {
            return Err(OpenRescueError::OtherWard(written_by));
        }
        let encapsulated = reader
            .slice(ENCAPSULATED_BYTES)
            .map_err(|_| OpenRescueError::Damaged)?;
        let encapsulated =
            Encapsulated::from_bytes(encapsulated).map_err(|_| OpenRescueError::Damaged)?;
        let (key, _) = SealKem::derive_keypair(seed);
        let context = setup_receiver(&OpModeR::Base, &key, &encapsulated, &context(ward))
            .map_err(|_| OpenRescueError::Sealed)?;
        let mut pieces = Pieces {
            context,
            rest: reader.rest(),
            plain: Vec::new(),
            was_last: false,
        };
        let (tag, item) = pieces.item()?;
        if tag != item_tag::CREDENTIAL {
            return Err(OpenRescueError::Damaged);
        }
        Ok(Self {
            credential: DeviceCredential::decode(&item).map_err(|_| OpenRescueError::Damaged)?,
            pieces,
            is_over: false,
        })
    }

    /// Whose phone wrote it; whether the ward still stands by it is the ward's to say.
    #[must_use]
    pub fn credential(&self) -> &DeviceCredential {
        &self.credential
    }

    /// The next item that this build knows, or none left.
    fn read(&mut self) -> Result<Option<RescueItem>, OpenRescueError> {
        loop {
            let (tag, item) = self.pieces.item()?;
            return match tag {
                item_tag::END => self.pieces.finish().map(|()| None),
                item_tag::BUNDLE => Ok(Some(RescueItem::Bundle(item))),
                item_tag::ATTACHMENT => Ok(Some(RescueItem::Attachment(item))),
                item_tag::CREDENTIAL => Err(OpenRescueError::Damaged),
                // Of a later app, and beside what this build takes.
                _ => continue,
            };
        }
    }
}

impl Iterator for Opener<'_> {
    type Item = Result<RescueItem, OpenRescueError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let item = self.read().transpose();
        self.is_over = !matches!(item, Some(Ok(_)));
        item
    }
}

/// The sealed pieces, opened as items need them.
struct Pieces<'f> {
    context: AeadCtxR<SealAead, SealKdf, SealKem>,
    rest: &'f [u8],
    /// Opened and not taken yet: less than an item and a piece.
    plain: Vec<u8>,
    was_last: bool,
}

impl Pieces<'_> {
    /// Tag and bytes of the next item; no bytes for the end.
    fn item(&mut self) -> Result<(u8, Vec<u8>), OpenRescueError> {
        loop {
            let mut reader = Reader::new(&self.plain);
            let read = reader.byte().and_then(|tag| match tag {
                item_tag::END => Ok((tag, Vec::new())),
                _ => Ok((tag, reader.bytes(ITEM_BYTES_MAX)?.to_vec())),
            });
            match read {
                Ok(item) => {
                    let taken = self.plain.len() - reader.rest().len();
                    self.plain.drain(..taken);
                    return Ok(item);
                }
                Err(DecodeError::Truncated) => self.open_one()?,
                Err(_) => return Err(OpenRescueError::Damaged),
            }
        }
    }

    fn open_one(&mut self) -> Result<(), OpenRescueError> {
        if self.was_last {
            return Err(OpenRescueError::Damaged);
        }
        self.was_last = self.rest.len() <= PIECE_BYTES + TAG_BYTES;
        let (sealed, rest) = self
            .rest
            .split_at(self.rest.len().min(PIECE_BYTES + TAG_BYTES));
        let position = if self.was_last {
            piece::LAST
        } else {
            piece::MORE
        };
        let plain = self
            .context
            .open(sealed, position)
            .map_err(|_| OpenRescueError::Sealed)?;
        self.rest = rest;
        self.plain.extend_from_slice(&plain);
        Ok(())
    }

    /// Nothing may follow the end.
    fn finish(&self) -> Result<(), OpenRescueError> {
        if self.was_last && self.plain.is_empty() {
            Ok(())
        } else {
            Err(OpenRescueError::Damaged)
        }
    }
}
