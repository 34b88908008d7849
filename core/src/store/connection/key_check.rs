//! A value beside the store that tells a wrong key from a damaged file, which `SQLCipher` cannot: to
//! it both are bytes that do not authenticate. It is a one-way function of a random 256-bit key, so
//! it gives nothing away.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::{StoreKey, beside};

/// Separates this use of the key from every other.
const CONTEXT: &str = "gandan 2026 store key check v1";

pub(super) const SUFFIX: &str = "-key-check";

/// Whether the value beside the store is that of `key`. `false` if there is none, or another: then
/// only opening the store can tell, because the value itself may be missing or damaged.
pub(super) fn is_confirmed(path: &Path, key: &StoreKey) -> io::Result<bool> {
    match fs::read(beside(path, SUFFIX)) {
        Ok(found) => Ok(found == value(key)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes the value, whole or not at all.
pub(super) fn write(path: &Path, key: &StoreKey) -> io::Result<()> {
    let unfinished = beside(path, "-key-check.new");
    let mut file = File::create(&unfinished)?;
    file.write_all(&value(key))?;
    file.sync_all()?;
    fs::rename(&unfinished, beside(path, SUFFIX))
}

fn value(key: &StoreKey) -> [u8; 32] {
    blake3::derive_key(CONTEXT, &key.0)
}
