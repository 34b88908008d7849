//! What officers might see, version by version. A cursor names the version in which a device has
//! read, so the ward can say what a device gains and loses without remembering anything per device.

use std::collections::BTreeSet;

use gandan_core::model::{OfficerId, Role};
use gandan_core::policy::Author;
use rusqlite::{Connection, OptionalExtension, params};

use super::connections::{Work, from_sql, to_sql};
use super::scope::Scope;
use super::{WardError, directory};

/// How many versions of an officer's scope are kept. A device that read in an older one reads the
/// feed from the start.
const VERSIONS_KEPT: i64 = 32;

/// The scopes that a device may have read in since `version`: that one alone, or with
/// `and_all_since` also every later one but the newest. `None` if the version is not known.
pub(super) fn read(
    connection: &Connection,
    author: Author,
    version: u64,
    and_all_since: bool,
) -> rusqlite::Result<Option<Vec<Scope>>> {
    let number: Option<i64> = connection
        .prepare_cached("SELECT number FROM scopes WHERE officer = ?1 AND version = ?2")?
        .query_row(
            params![author.officer.0.as_bytes(), to_sql(version)],
            |row| row.get(0),
        )
        .optional()?;
    let Some(number) = number else {
        return Ok(None);
    };
    let last = if and_all_since { i64::MAX } else { number };
    let scopes = connection
        .prepare_cached(
            "SELECT areas, floor FROM scopes WHERE officer = ?1 AND number BETWEEN ?2 AND ?3
             AND (number = ?2 OR number < (SELECT max(number) FROM scopes WHERE officer = ?1))
             ORDER BY number",
        )?
        .query_map(params![author.officer.0.as_bytes(), number, last], |row| {
            let areas: Option<String> = row.get(0)?;
            let areas: Option<BTreeSet<String>> =
                areas.map(|areas| areas.lines().map(str::to_owned).collect());
            let floor = from_sql(row.get(1)?);
            Ok(Scope::of_version(author.officer, author.role, areas, floor))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Some(scopes))
}

impl Work<'_> {
    /// A new version for what the officer may see now, unless nothing has changed.
    pub(super) fn renew_scope(&mut self, officer: OfficerId) -> Result<(), WardError> {
        let role: Role = self
            .connection
            .prepare_cached("SELECT role FROM officers WHERE id = ?1")?
            .query_row([officer.0.as_bytes()], |row| directory::role(row, 0))?;
        let scope = directory::scope(self.connection, officer, role)?;
        let areas = scope
            .areas()
            .map(|areas| areas.iter().cloned().collect::<Vec<_>>().join("\n"));
        let newest: Option<(i64, Option<String>, i64)> = self
            .connection
            .prepare_cached(
                "SELECT number, areas, floor FROM scopes WHERE officer = ?1 ORDER BY number DESC LIMIT 1",
            )?
            .query_row([officer.0.as_bytes()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let number = match newest {
            Some((_, known, floor)) if known == areas && floor == to_sql(scope.floor()) => {
                return Ok(());
            }
            Some((number, ..)) => number + 1,
            None => 1,
        };
        self.happened.has_changed_rights = true;
        let version = self.random_version();
        self.connection
            .prepare_cached(
                "INSERT INTO scopes (officer, number, version, areas, floor)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                officer.0.as_bytes(),
                number,
                to_sql(version),
                areas,
                to_sql(scope.floor())
            ])?;
        self.connection
            .prepare_cached("DELETE FROM scopes WHERE officer = ?1 AND number <= ?2")?
            .execute(params![officer.0.as_bytes(), number - VERSIONS_KEPT])?;
        self.connection
            .prepare_cached("UPDATE officers SET scope_version = ?2 WHERE id = ?1")?
            .execute(params![officer.0.as_bytes(), to_sql(version)])?;
        Ok(())
    }

    /// Fits SQLite's integers and a few bytes of a cursor; a ward has some hundred officers, so that
    /// two versions of one officer are never the same.
    fn random_version(&self) -> u64 {
        let random: [u8; 8] = self.shared.random();
        from_sql(to_sql(u64::from_be_bytes(random) >> 15)).max(1)
    }
}
