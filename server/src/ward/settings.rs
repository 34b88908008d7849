//! Single values of the ward's store, by name. Nothing here is a secret's only protection: the whole
//! file is encrypted.

use rusqlite::types::{FromSql, ToSql};
use rusqlite::{Connection, OptionalExtension, params};

/// The ward's five digits.
pub(super) const CODE: &str = "code";
/// Its name.
pub(super) const NAME: &str = "name";
/// Its province.
pub(super) const PROVINCE: &str = "province";
/// Seed of the Ed25519 key with which the ward signs.
pub(super) const WARD_SEED: &str = "ward_seed";
/// Seed of the key to which rescue files are sealed.
pub(super) const RESCUE_SEED: &str = "rescue_seed";
/// The recovery key's public half, to which backups are sealed.
pub(super) const RECOVERY_PUBLIC: &str = "recovery_public";
/// Seed of the Ed25519 key with which backups are signed.
pub(super) const BACKUP_SEED: &str = "backup_seed";
/// Since when numbering is paused; absent while it is not.
pub(super) const NUMBERING_PAUSED_AT: &str = "numbering_paused_at";
/// Where `serve` listened last for phones.
pub(super) const QUIC_ADDRESS: &str = "quic_address";
/// Where `serve` listened last for the console.
pub(super) const HTTP_ADDRESS: &str = "http_address";

/// Up to which place of the feed phones do not hold what is quiet.
pub(super) const FLOOR: &str = "floor";
/// The highest floor that ever was.
pub(super) const FLOOR_HIGHEST: &str = "floor_highest";
/// To which moment the floor was moved last.
pub(super) const FLOOR_CUTOFF: &str = "floor_cutoff";
/// How many months phones hold; 0 is everything.
pub(super) const MONTHS_HELD: &str = "months_held";

pub(super) fn read<T: FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<Option<T>> {
    connection
        .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

pub(super) fn write(connection: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO settings (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![name, value.to_sql()?])?;
    Ok(())
}

pub(super) fn read_text(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let bytes: Option<Vec<u8>> = read(connection, name)?;
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

pub(super) fn remove(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM settings WHERE name = ?1", [name])?;
    Ok(())
}
