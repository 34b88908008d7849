//! The manifest: which block of the ward's file lies where, signed by the ward. Everything but the store's
//! key and the configuration can be read without the recovery key, and none of it says anything of people.

use ed25519_dalek::{Signer as _, SigningKey};
use gandan_core::codec::{DecodeError, Reader, Writer};
use gandan_core::model::{Timestamp, WardCode};
use gandan_core::protocol::signature;

use super::{BLOCK_BYTES, BackupError};

/// What a manifest begins with, its layout included.
const MAGIC: &[u8; 16] = b"gandan-backup\0\0\x01";
/// Where in the magic the layout is.
const LAYOUT_PLACE: usize = MAGIC.len() - 1;
const SIGNATURE_PREFIX: &[u8] = b"gandan/1/backup-manifest\0";
const SIGNATURE_BYTES: usize = 64;
/// More packs than this are begun anew long before.
const PACKS_MAX: usize = 100_000;
/// A store of a terabyte.
const BLOCKS_MAX: usize = 1 << 26;
/// Key and configuration, sealed.
const SECRETS_BYTES_MAX: usize = 256 * 1024;

/// A pack that the backup needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackEntry {
    pub(super) id: u64,
    pub(super) bytes: u64,
    pub(super) hash: [u8; 32],
    pub(super) made_at: Timestamp,
}

/// Where a block lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// Place in [`Manifest::packs`].
    pub(super) pack: u32,
    /// Place in the pack.
    pub(super) index: u32,
    /// BLAKE3 of it as it lies in the ward's file.
    pub(super) hash: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) ward: WardCode,
    pub(super) number: u64,
    pub(super) made_at: Timestamp,
    pub(super) signer: [u8; 32],
    pub(super) recovery_public: [u8; 32],
    pub(super) bytes: u64,
    pub(super) audit: (u64, [u8; 32]),
    pub(super) feed: (u64, [u8; 32]),
    pub(super) encapsulated: [u8; 32],
    pub(super) secrets: Vec<u8>,
    pub(super) packs: Vec<PackEntry>,
    pub(super) blocks: Vec<Block>,
}

impl Manifest {
    /// The signed bytes that are stored.
    pub(super) fn encode(&self, key: &SigningKey) -> Vec<u8> {
        let mut writer = Writer::new();
        writer
            .fixed(MAGIC)
            .fixed(self.ward.as_bytes())
            .unsigned(self.number)
            .signed(self.made_at.0)
            .fixed(&self.signer)
            .fixed(&self.recovery_public)
            .unsigned(BLOCK_BYTES as u64)
            .unsigned(self.bytes);
        for (number, chain) in [self.audit, self.feed] {
            writer.unsigned(number).fixed(&chain);
        }
        writer.fixed(&self.encapsulated).bytes(&self.secrets);
        writer.count(self.packs.len());
        for pack in &self.packs {
            writer
                .unsigned(pack.id)
                .unsigned(pack.bytes)
                .fixed(&pack.hash)
                .signed(pack.made_at.0);
        }
        writer.count(self.blocks.len());
        for block in &self.blocks {
            writer
                .unsigned(block.pack.into())
                .unsigned(block.index.into())
                .fixed(&block.hash);
        }
        let mut bytes = writer.finish();
        let signature = key.sign(&signed_bytes(&bytes));
        bytes.extend_from_slice(&signature.to_bytes());
        bytes
    }

    /// Reads a manifest and checks that it is what its signer signed. Whether the signer is the ward's, the
    /// recovery key knows.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BackupError> {
        let magic = bytes.get(..MAGIC.len()).ok_or(BackupError::NotABackup)?;
        if magic[..LAYOUT_PLACE] != MAGIC[..LAYOUT_PLACE] {
            return Err(BackupError::NotABackup);
        }
        if magic != MAGIC {
            return Err(BackupError::Newer);
        }
        let damaged = BackupError::Damaged("its list of blocks does not read");
        let (content, signature) = bytes
            .split_last_chunk::<SIGNATURE_BYTES>()
            .ok_or(BackupError::Damaged("its list of blocks is cut short"))?;
        let manifest = read(content).map_err(|_| damaged)?;
        if !signature::holds(&manifest.signer, &signed_bytes(content), signature) {
            return Err(BackupError::Damaged(
                "its list of blocks does not carry the ward's signature",
            ));
        }
        Ok(manifest)
    }

    /// Leaves out packs of which no block is needed any more.
    pub(super) fn forget_unneeded_packs(&mut self) {
        let mut is_needed = vec![false; self.packs.len()];
        for block in &self.blocks {
            is_needed[block.pack as usize] = true;
        }
        let mut next = 0;
        let places: Vec<u32> = is_needed
            .iter()
            .map(|&is_needed| {
                let place = next;
                next += u32::from(is_needed);
                place
            })
            .collect();
        for block in &mut self.blocks {
            block.pack = places[block.pack as usize];
        }
        let mut is_needed = is_needed.into_iter();
        self.packs.retain(|_| is_needed.next().unwrap_or(false));
    }

    /// How long the block at a place is: only the last may be shorter.
    pub(super) fn block_bytes(&self, place: usize) -> usize {
        let before = (place * BLOCK_BYTES) as u64;
        usize::try_from(self.bytes.saturating_sub(before))
            .unwrap_or(BLOCK_BYTES)
            .min(BLOCK_BYTES)
    }
}

fn signed_bytes(content: &[u8]) -> Vec<u8> {
    let mut bytes = SIGNATURE_PREFIX.to_vec();
    bytes.extend_from_slice(blake3::hash(content).as_bytes());
    bytes
}

fn read(content: &[u8]) -> Result<Manifest, DecodeError> {
    let mut reader = Reader::new(content);
    let _: [u8; 16] = reader.fixed()?;
    let digits: [u8; 5] = reader.fixed()?;
    let ward = std::str::from_utf8(&digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(DecodeError::InvalidValue)?;
    let (number, made_at) = (reader.unsigned()?, Timestamp(reader.signed()?));
    let (signer, recovery_public) = (reader.fixed()?, reader.fixed()?);
    if reader.unsigned()? != BLOCK_BYTES as u64 {
        return Err(DecodeError::InvalidValue);
    }
    let bytes = reader.unsigned()?;
    let audit = (reader.unsigned()?, reader.fixed()?);
    let feed = (reader.unsigned()?, reader.fixed()?);
    let encapsulated = reader.fixed()?;
    let secrets = reader.bytes(SECRETS_BYTES_MAX)?.to_vec();
    let packs = (0..reader.count(PACKS_MAX)?)
        .map(|_| {
            Ok(PackEntry {
                id: reader.unsigned()?,
                bytes: reader.unsigned()?,
                hash: reader.fixed()?,
                made_at: Timestamp(reader.signed()?),
            })
        })
        .collect::<Result<Vec<_>, DecodeError>>()?;
    let count = reader.count(BLOCKS_MAX)?;
    if count as u64 != bytes.div_ceil(BLOCK_BYTES as u64) {
        return Err(DecodeError::InvalidValue);
    }
    let blocks = (0..count)
        .map(|_| {
            let place = |number: u64| u32::try_from(number).map_err(|_| DecodeError::InvalidValue);
            let pack = place(reader.unsigned()?)?;
            if pack as usize >= packs.len() {
                return Err(DecodeError::InvalidValue);
            }
            Ok(Block {
                pack,
                index: place(reader.unsigned()?)?,
                hash: reader.fixed()?,
            })
        })
        .collect::<Result<Vec<_>, DecodeError>>()?;
    reader.finish()?;
    Ok(Manifest {
        ward,
        number,
        made_at,
        signer,
        recovery_public,
        bytes,
        audit,
        feed,
        encapsulated,
        secrets,
        packs,
        blocks,
    })
}
