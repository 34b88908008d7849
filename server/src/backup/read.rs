//! Looking at a backup: without the recovery key every byte is checked against the ward's signature, with it
//! everything is opened as well.

use std::path::Path;

use gandan_core::recovery::{PieceOpener, RecoveryKey};
use zeroize::Zeroizing;

use super::manifest::Manifest;
use super::pack::PackReader;
use super::place::Place;
use super::{BackupError, Summary};

/// Checks the backup of this number, or the newest, at a place.
///
/// # Errors
/// See [`BackupError`].
pub fn verify(
    path: &Path,
    number: Option<u64>,
    key: Option<&RecoveryKey>,
) -> Result<Summary, BackupError> {
    let place = Place::of(path)?;
    let manifest = place.manifest(number)?;
    for pack in &manifest.packs {
        place.is_whole(pack)?;
    }
    if let Some(key) = key {
        open_secrets(&manifest, key)?;
        read_blocks(&place, &manifest, key, &mut |_, _| Ok(()))?;
    }
    Ok(summary(&manifest, path))
}

pub(super) fn summary(manifest: &Manifest, path: &Path) -> Summary {
    Summary {
        ward: manifest.ward,
        number: manifest.number,
        made_at: manifest.made_at,
        bytes: manifest.bytes,
        added: 0,
        feed: manifest.feed.0,
        audit: manifest.audit.0,
        path: path.to_owned(),
    }
}

/// What only the recovery key gives.
pub(super) struct Secrets {
    /// The store's key, 64 hexadecimal digits.
    pub(super) digits: Zeroizing<Vec<u8>>,
    /// The configuration; may be empty.
    pub(super) config: Zeroizing<Vec<u8>>,
}

/// Takes a block and its place in the ward's file.
pub(super) type TakeBlock<'a> = dyn FnMut(usize, &[u8]) -> Result<(), BackupError> + 'a;

pub(super) fn open_secrets(manifest: &Manifest, key: &RecoveryKey) -> Result<Secrets, BackupError> {
    const DIGITS: usize = 64;
    if !key.is_of(&manifest.signer) {
        return Err(BackupError::WrongKey);
    }
    let secrets = PieceOpener::new(key, manifest.ward, &manifest.encapsulated)
        .and_then(|mut opener| opener.open(&manifest.secrets, true))
        .ok_or(BackupError::WrongKey)?;
    let (digits, config) = secrets
        .split_at_checked(DIGITS)
        .ok_or(BackupError::Damaged("the key in it is cut short"))?;
    Ok(Secrets {
        digits: Zeroizing::new(digits.to_vec()),
        config: Zeroizing::new(config.to_vec()),
    })
}

/// Opens every block and gives it with its place in the ward's file; each place is given once.
pub(super) fn read_blocks(
    place: &Place,
    manifest: &Manifest,
    key: &RecoveryKey,
    take: &mut TakeBlock<'_>,
) -> Result<(), BackupError> {
    const CHANGED: BackupError = BackupError::Damaged("a block is not what was backed up");
    let mut given = 0;
    for (number, pack) in manifest.packs.iter().enumerate() {
        // Where each block of this pack goes, in the order of the pack.
        let mut wanted: Vec<(u32, usize)> = manifest
            .blocks
            .iter()
            .enumerate()
            .filter(|(_, block)| block.pack as usize == number)
            .map(|(at, block)| (block.index, at))
            .collect();
        wanted.sort_unstable();
        let from = std::io::BufReader::with_capacity(256 * 1024, place.pack(pack.id)?);
        let mut reader = PackReader::new(from, key, manifest.ward)?;
        let mut wanted = wanted.into_iter().peekable();
        let mut index = 0;
        while let Some(plain) = reader.next()? {
            while let Some((_, at)) = wanted.next_if(|(wanted, _)| *wanted == index) {
                let is_right = plain.len() == manifest.block_bytes(at)
                    && blake3::hash(&plain) == blake3::Hash::from_bytes(manifest.blocks[at].hash);
                if !is_right {
                    return Err(CHANGED);
                }
                take(at, &plain)?;
                given += 1;
            }
            index += 1;
        }
    }
    if given == manifest.blocks.len() {
        Ok(())
    } else {
        Err(CHANGED)
    }
}
