//! Putting a ward back from a backup, into a folder that holds none. The ward begins a new life of its feed
//! at once, so that every phone gives back what came after the backup.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use gandan_core::environment::Environment;
use gandan_core::recovery::RecoveryKey;

use super::place::{Place, Unfinished, make_private, private_file, sync_folder};
use super::read::{open_secrets, read_blocks, summary};
use super::{BLOCK_BYTES, BackupError, Summary};
use crate::config;
use crate::ward::{STORE_FILE, STORE_KEY_FILE, Ward};

/// Restores the backup of this number, or the newest, at `from` into `data`.
///
/// # Errors
/// See [`BackupError`]; then there is no ward in `data`, and it can be tried again.
pub fn restore(
    from: &Path,
    number: Option<u64>,
    data: &Path,
    key: &RecoveryKey,
    environment: Arc<dyn Environment>,
) -> Result<(Ward, Summary), BackupError> {
    let (store, store_key) = (data.join(STORE_FILE), data.join(STORE_KEY_FILE));
    if holds_ward(data)? {
        return Err(BackupError::WardIsThere);
    }
    let place = Place::of(from)?;
    let manifest = place.manifest(number)?;
    let secrets = open_secrets(&manifest, key)?;
    for pack in &manifest.packs {
        place.is_whole(pack)?;
    }
    make_private(data)?;
    let unfinished = Unfinished::begin(&store)?;
    unfinished.file.set_len(manifest.bytes)?;
    read_blocks(&place, &manifest, key, &mut |at, block| {
        write_at(&unfinished.file, block, (at * BLOCK_BYTES) as u64)
    })?;
    // The ward is there once its store has its name, and that comes last.
    let mut key_file = private_file(&store_key)?;
    key_file.write_all(&secrets.digits)?;
    key_file.write_all(b"\n")?;
    key_file.sync_all()?;
    let config = data.join(config::FILE_NAME);
    if !secrets.config.is_empty() && !config.exists() {
        let mut file = private_file(&config)?;
        file.write_all(&secrets.config)?;
        file.sync_all()?;
    }
    sync_folder(data)?;
    unfinished.finish()?;
    let ward = Ward::open(data, environment)?;
    ward.begin_after_restore()?;
    Ok((ward, summary(&manifest, from)))
}

/// Whether there is a ward's file, or something beside it: a log without its file would be taken for the
/// log of the restored one.
fn holds_ward(data: &Path) -> std::io::Result<bool> {
    if !data.exists() {
        return Ok(false);
    }
    for entry in std::fs::read_dir(data)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(STORE_FILE) && !name.ends_with(".unfinished") {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(unix)]
fn write_at(file: &std::fs::File, bytes: &[u8], offset: u64) -> Result<(), BackupError> {
    Ok(std::os::unix::fs::FileExt::write_all_at(
        file, bytes, offset,
    )?)
}

#[cfg(not(unix))]
fn write_at(mut file: &std::fs::File, bytes: &[u8], offset: u64) -> Result<(), BackupError> {
    use std::io::Seek as _;
    file.seek(std::io::SeekFrom::Start(offset))?;
    Ok(file.write_all(bytes)?)
}
