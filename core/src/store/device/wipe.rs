//! Destroying a phone's store on its ward's order: what is in the folder besides what only the ward can
//! read. A mark is left first, so that a wipe that was cut off is ended at the next opening.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::FILE_NAME;
use crate::model::Timestamp;
use crate::store::connection::RESCUE_SUFFIX;
use crate::store::{OpenError, durable};

/// Says that the store was destroyed, and when by this phone's clock, in milliseconds since 1970.
const MARK_NAME: &str = "phone.wiped";

/// How much is overwritten at once.
const PIECE_BYTES: usize = 64 * 1024;

/// When the store in this folder was wiped; `None` if it was not.
///
/// # Errors
/// The operating system's.
pub fn wiped_at(directory: &Path) -> io::Result<Option<Timestamp>> {
    match fs::read_to_string(directory.join(MARK_NAME)) {
        // A mark that lost its content to a power cut is a mark all the same.
        Ok(text) => Ok(Some(Timestamp(text.trim().parse().unwrap_or_default()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Ends a wipe that was cut off, and says that there is no store any more.
///
/// # Errors
/// [`OpenError::Wiped`], or the operating system's.
pub fn refuse_wiped(directory: &Path) -> Result<(), OpenError> {
    match wiped_at(directory) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => {
            destroy(directory).map_err(OpenError::Unusable)?;
            Err(OpenError::Wiped)
        }
        Err(error) => Err(OpenError::Unusable(error)),
    }
}

/// Where the sealed file lies with what the ward did not have, if there was something.
#[must_use]
pub fn rescued(directory: &Path) -> PathBuf {
    directory.join(format!("{FILE_NAME}-wiped{RESCUE_SUFFIX}"))
}

/// Writes what the ward does not have, sealed to it, before the rest is destroyed.
pub(crate) fn rescue(directory: &Path, sealed: &[u8]) -> io::Result<()> {
    durable::write(&rescued(directory), sealed)
}

/// Marks the store as wiped. From here on it is never opened again.
pub(crate) fn mark(directory: &Path, now: Timestamp) -> io::Result<()> {
    durable::write(&directory.join(MARK_NAME), now.0.to_string().as_bytes())
}

/// Overwrites and removes every file of the store. Flash memory may keep older copies of a page somewhere:
/// they are encrypted, and the app destroys the key.
pub(crate) fn destroy(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(FILE_NAME) && !name.ends_with(RESCUE_SUFFIX) {
            overwrite(&entry.path())?;
            fs::remove_file(entry.path())?;
        }
    }
    durable::sync_folder(directory)
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let mut left = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let zeros = [0; PIECE_BYTES];
    while left > 0 {
        let piece = left.min(PIECE_BYTES);
        file.write_all(&zeros[..piece])?;
        left -= piece;
    }
    file.sync_all()
}
