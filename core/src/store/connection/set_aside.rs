//! Damaged files are renamed, never deleted: what can still be read of them is somebody's only copy.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{OpenError, beside, key_check};
use crate::environment::{Environment, SystemEnvironment};

/// What could still be read of a damaged store, for the office.
pub(crate) const RESCUE_SUFFIX: &str = "-rescue";

/// What belongs to a store beside its main file. SQLite finds a log by the name of its main file.
const COMPANIONS: [&str; 5] = ["-wal", "-shm", key_check::SUFFIX, "-suspect", RESCUE_SUFFIX];

/// Whether the main file is gone or empty although there was a store: its log or the value that is
/// written once it was made are still there.
pub(super) fn is_emptied(path: &Path) -> io::Result<bool> {
    let length = |path: &Path| match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    };
    Ok(length(path)? == 0
        && (length(&beside(path, "-wal"))? > 0 || length(&beside(path, key_check::SUFFIX))? > 0))
}

/// Renames the store and all that belongs to it, and says under which name.
pub(super) fn damaged(path: &Path) -> OpenError {
    match rename(path) {
        Ok(aside) => OpenError::Damaged {
            set_aside: aside.file_name().map_or_else(
                || aside.display().to_string(),
                |name| name.to_string_lossy().into_owned(),
            ),
        },
        Err(error) => OpenError::Unusable(error),
    }
}

fn rename(path: &Path) -> io::Result<PathBuf> {
    let aside = free_name(path);
    // The main file goes first: if power fails in between, what is left is found to be emptied and
    // follows under a name of its own. A main file without its log would open, and lack the newest.
    rename_if_there(path, &aside)?;
    for suffix in COMPANIONS {
        rename_if_there(&beside(path, suffix), &beside(&aside, suffix))?;
    }
    Ok(aside)
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// `phone.db.damaged-20260302T080000Z`, with a number if that is taken.
fn free_name(path: &Path) -> PathBuf {
    let stamp: String = SystemEnvironment
        .now()
        .to_rfc3339()
        .chars()
        .filter(|letter| !matches!(letter, '-' | ':'))
        .take_while(|letter| *letter != '.')
        .collect();
    let name = beside(path, &format!(".damaged-{stamp}Z"));
    let is_taken = |name: &Path| name.exists() || beside(name, "-wal").exists();
    if !is_taken(&name) {
        return name;
    }
    (2u32..)
        .map(|number| beside(&name, &format!("-{number}")))
        .find(|name| !is_taken(name))
        .expect("a folder holds fewer than 2^32 files")
}
