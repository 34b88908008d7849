//! Putting a ward back from a backup, into a folder that holds none. The ward begins a new life of its feed
//! at once, so that every phone gives back what came after the backup.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use gandan_core::environment::Environment;
use gandan_core::recovery::RecoveryKey;

use super::place::{Place, make_private, private_file, sync_folder};
use super::read::{open_secrets, read_blocks, summary};
use super::{BLOCK_BYTES, BackupError, Summary};
use crate::config;
use crate::ward::{STORE_FILE, STORE_KEY_FILE, Ward};

/// Where a ward is made ready, within its folder to be.
const READY: &str = "restoring";

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
    if holds_ward(data)? {
        return Err(BackupError::WardIsThere);
    }
    let place = Place::of(from)?;
    let manifest = place.manifest(number)?;
    let secrets = open_secrets(&manifest, key)?;
    for pack in &manifest.packs {
        place.is_whole(pack)?;
    }
    // Everything is made ready beside; the ward is there once its store is, and that is moved last.
    let ready = data.join(READY);
    if ready.exists() {
        std::fs::remove_dir_all(&ready)?;
    }
    make_private(&ready)?;
    let store = private_file(&ready.join(STORE_FILE))?;
    store.set_len(manifest.bytes)?;
    read_blocks(&place, &manifest, key, &mut |at, block| {
        write_at(&store, block, (at * BLOCK_BYTES) as u64)
    })?;
    store.sync_all()?;
    drop(store);
    let mut key_file = private_file(&ready.join(STORE_KEY_FILE))?;
    key_file.write_all(&secrets.digits)?;
    key_file.write_all(b"\n")?;
    key_file.sync_all()?;
    if !secrets.config.is_empty() && !data.join(config::FILE_NAME).exists() {
        let mut file = private_file(&ready.join(config::FILE_NAME))?;
        file.write_all(&secrets.config)?;
        file.sync_all()?;
    }
    let ward = Ward::open(&ready, Arc::clone(&environment))?;
    ward.begin_after_restore()?;
    // The last handle takes the log into the file and removes it.
    drop(ward);
    sync_folder(&ready)?;
    move_in(&ready, data)?;
    Ok((Ward::open(data, environment)?, summary(&manifest, from)))
}

/// Moves everything out of a folder, the store last.
fn move_in(ready: &Path, data: &Path) -> std::io::Result<()> {
    let mut names: Vec<_> = std::fs::read_dir(ready)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<std::io::Result<_>>()?;
    names.sort_by_key(|name| name == STORE_FILE);
    for name in names {
        std::fs::rename(ready.join(&name), data.join(&name))?;
    }
    std::fs::remove_dir(ready)?;
    sync_folder(data)
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
        // The value beside a store that was not moved any more is none.
        if name.starts_with(STORE_FILE) && name != format!("{STORE_FILE}-key-check") {
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
