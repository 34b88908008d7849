//! A pack: blocks sealed to the recovery key, one after the other. Its whole content is hashed as it passes,
//! so that the manifest can name it; only a block is in memory.

use std::io::{Read, Write};

use gandan_core::model::WardCode;
use gandan_core::recovery::{
    BadPublicKey, ENCAPSULATED_BYTES, PieceOpener, PieceSealer, RecoveryKey, TAG_BYTES,
};
use zeroize::Zeroizing;

use super::{BLOCK_BYTES, BackupError};

const MAGIC: &[u8; 16] = b"gandan-pack\0\0\0\0\x01";

const CUT: BackupError = BackupError::Damaged("a pack of blocks is cut short or changed");

/// A pack that is being written.
pub(super) struct PackWriter<W> {
    to: W,
    sealer: PieceSealer,
    hasher: blake3::Hasher,
    bytes: u64,
    count: u32,
}

impl<W: Write> PackWriter<W> {
    pub(super) fn new(
        to: W,
        recovery_public: &[u8; 32],
        ward: WardCode,
        random: [u8; 32],
    ) -> Result<Self, BackupError> {
        let (sealer, encapsulated) = PieceSealer::new(recovery_public, ward, random)
            .map_err(|BadPublicKey| BackupError::Damaged("the ward's recovery key is damaged"))?;
        let mut writer = Self {
            to,
            sealer,
            hasher: blake3::Hasher::new(),
            bytes: 0,
            count: 0,
        };
        writer.put(MAGIC)?;
        writer.put(&encapsulated)?;
        Ok(writer)
    }

    /// Adds a block; gives its place in the pack.
    pub(super) fn push(&mut self, block: &[u8]) -> Result<u32, BackupError> {
        let sealed = self.sealer.seal(block, false);
        self.put_piece(&sealed)?;
        self.count += 1;
        Ok(self.count - 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Ends the pack where it cannot be cut: gives what was written to, its length and its hash.
    pub(super) fn finish(mut self) -> Result<(W, u64, [u8; 32]), BackupError> {
        let end = self.sealer.seal(&[], true);
        self.put_piece(&end)?;
        Ok((self.to, self.bytes, self.hasher.finalize().into()))
    }

    fn put_piece(&mut self, sealed: &[u8]) -> Result<(), BackupError> {
        // A piece is a block and its tag at most.
        self.put(&(sealed.len() as u32).to_be_bytes())?;
        self.put(sealed)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.to.write_all(bytes)?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Reads a pack through and checks that it is what the manifest names; needs no key.
pub(super) fn hash(from: &mut dyn Read) -> Result<(u64, [u8; 32]), BackupError> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut bytes = 0;
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, hasher.finalize().into()));
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Opens a pack block by block.
pub(super) struct PackReader<R> {
    from: R,
    opener: PieceOpener,
}

impl<R: Read> PackReader<R> {
    pub(super) fn new(mut from: R, key: &RecoveryKey, ward: WardCode) -> Result<Self, BackupError> {
        let mut magic = [0; MAGIC.len()];
        take(&mut from, &mut magic)?;
        if &magic != MAGIC {
            return Err(CUT);
        }
        let mut encapsulated = [0; ENCAPSULATED_BYTES];
        take(&mut from, &mut encapsulated)?;
        let opener = PieceOpener::new(key, ward, &encapsulated).ok_or(CUT)?;
        Ok(Self { from, opener })
    }

    /// The next block; `None` at the end that was written.
    pub(super) fn next(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, BackupError> {
        let mut length = [0; 4];
        take(&mut self.from, &mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if !(TAG_BYTES..=BLOCK_BYTES + TAG_BYTES).contains(&length) {
            return Err(CUT);
        }
        let mut sealed = vec![0; length];
        take(&mut self.from, &mut sealed)?;
        let is_last = length == TAG_BYTES;
        let plain = self.opener.open(&sealed, is_last).ok_or(CUT)?;
        Ok((!is_last).then_some(plain))
    }
}

fn take(from: &mut impl Read, buffer: &mut [u8]) -> Result<(), BackupError> {
    from.read_exact(buffer).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => CUT,
        _ => error.into(),
    })
}
