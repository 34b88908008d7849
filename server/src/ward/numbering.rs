//! The register of official numbers: per ward and year, without gaps. Each number was issued to a
//! case in the transaction that accepted it, or is void with a reason.

use gandan_core::document::schema::{self, field};
use gandan_core::edit::{Edit, EncodedEdit, Operation, Value, limits::DEPENDENCIES_MAX};
use gandan_core::model::time::VIETNAM_OFFSET_HOURS;
use gandan_core::model::{
    DeviceId, DocumentId, DocumentKind, IntentId, OfficerId, Timestamp, WardCode,
};
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::admission::NotAdmitted;
use super::audit::{Entry, Kind};
use super::connections::Work;
use super::{WardError, settings};

/// The register of reports, petitions and complaints.
const REGISTER: &str = "PA";

/// Why a number is void that was issued before a restore and that nobody gave back.
const LOST_IN_RESTORE: &str = "Cấp trước khi khôi phục máy chủ, không còn hồ sơ nào mang số này";

/// Why a number is void whose case got another one before it came back.
const RENUMBERED: &str = "Hồ sơ đã được cấp số khác sau khi khôi phục máy chủ";

impl Work<'_> {
    /// Numbers an accepted case, or remembers that it waits for its number.
    pub(super) fn number_or_wait(
        &mut self,
        officer: OfficerId,
        case: DocumentId,
    ) -> Result<(), NotAdmitted> {
        if self.is_numbering_paused()? {
            self.await_number(case)?;
            return Ok(());
        }
        self.issue_number(officer, case).map(drop)
    }

    pub(super) fn is_numbering_paused(&self) -> Result<bool, WardError> {
        let since: Option<Vec<u8>> =
            settings::read(self.connection, settings::NUMBERING_PAUSED_AT)?;
        Ok(since.is_some())
    }

    pub(super) fn await_number(&self, case: DocumentId) -> Result<(), WardError> {
        self.set_awaits_number(case, true)
    }

    /// Issues the next number to a case, by an edit of the ward's own.
    pub(super) fn issue_number(
        &mut self,
        officer: OfficerId,
        case: DocumentId,
    ) -> Result<String, NotAdmitted> {
        let year = year_of(self.now);
        let number: i64 = self.connection.query_row(
            "SELECT COALESCE(MAX(number), 0) + 1 FROM official_numbers WHERE register = ?1 AND year = ?2",
            params![REGISTER, year],
            |row| row.get(0),
        )?;
        let words = format_number(self.shared.code, year, number);
        self.show_number(officer, case, &words)?;
        self.connection.execute(
            "INSERT INTO official_numbers (register, year, number, uuid, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![REGISTER, year, number, case.uuid.as_bytes(), self.now.0],
        )?;
        self.set_awaits_number(case, false)?;
        Ok(words)
    }

    fn shown_number(&mut self, case: DocumentId) -> Result<Option<String>, WardError> {
        let loaded = self.load(case)?.ok_or(WardError::NotFound("case"))?;
        let shown = schema::case_head(&loaded.state).and_then(|case| case.official_number);
        self.documents.keep(loaded);
        Ok(shown)
    }

    /// Writes into a case the number that the register has for it.
    fn show_number(
        &mut self,
        officer: OfficerId,
        case: DocumentId,
        words: &str,
    ) -> Result<(), NotAdmitted> {
        let loaded = self.load(case)?.ok_or(WardError::NotFound("case"))?;
        let edit = self.ward_edit(
            case,
            &loaded.state,
            &loaded.heads,
            vec![schema::set(
                field::OFFICIAL_NUMBER,
                Value::Text(words.to_owned()),
            )],
        )?;
        let loaded = self.execute_edit(Some(loaded), &edit)?;
        let device = DeviceId(self.shared.keys.public().0);
        self.append(device, officer, self.now, &edit, loaded)?;
        Ok(())
    }

    /// An edit that the ward writes on the heads of a document, or a creation.
    pub(super) fn ward_edit(
        &self,
        document: DocumentId,
        state: &gandan_core::document::DocumentState,
        heads: &[gandan_core::model::EditId],
        operations: Vec<Operation>,
    ) -> Result<EncodedEdit, WardError> {
        let actor = self.shared.actor;
        let edit = Edit {
            document,
            intent: IntentId(self.shared.random()),
            actor,
            sequence: state.next_sequence(actor),
            // More heads than one edit may name are merged by later ones.
            dependencies: heads.iter().copied().take(DEPENDENCIES_MAX).collect(),
            device_time: self.now,
            operations,
        };
        EncodedEdit::encode(edit).map_err(|_| WardError::Invalid(TOO_LONG))
    }

    /// Numbers the cases that were accepted while numbering was paused, oldest first.
    pub(super) fn issue_awaited_numbers(&mut self) -> Result<(), WardError> {
        let waiting: Vec<([u8; 16], [u8; 16])> = self
            .connection
            .prepare(
                "SELECT d.uuid, (SELECT f.author FROM feed f WHERE f.kind = d.kind AND f.uuid = d.uuid
                                 ORDER BY f.sequence DESC LIMIT 1)
                 FROM documents d WHERE d.awaits_number = 1
                 ORDER BY (SELECT MIN(f.sequence) FROM feed f WHERE f.kind = d.kind AND f.uuid = d.uuid)",
            )?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (case, officer) in waiting {
            let case = DocumentId::case(Uuid::from_bytes(case));
            let officer = OfficerId(Uuid::from_bytes(officer));
            match self.number_of(case)? {
                // What came back may show another number, which is void or belongs to another case.
                Some(words) => {
                    if self.shown_number(case)?.as_ref() != Some(&words) {
                        self.show_number(officer, case, &words)?;
                    }
                    self.set_awaits_number(case, false)?;
                }
                None => drop(self.issue_number(officer, case)?),
            }
        }
        Ok(())
    }

    /// Numbering goes on: what was issued before the restore and nobody gave back is void.
    pub(super) fn resume_numbering(&mut self) -> Result<(), WardError> {
        let was_paused = self.is_numbering_paused()?;
        settings::remove(self.connection, settings::NUMBERING_PAUSED_AT)?;
        let years: Vec<(i64, i64)> = self
            .connection
            .prepare(
                "SELECT year, MAX(number) FROM official_numbers WHERE register = ?1 GROUP BY year",
            )?
            .query_map([REGISTER], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut voided = 0;
        for (year, last) in years {
            for number in 1..last {
                voided += self.void_number(year, number, LOST_IN_RESTORE)?;
            }
        }
        let ending = if was_paused { "done" } else { "not_paused" };
        let entry = Entry::of(Kind::NumberingResumed).ending(ending);
        self.audit(entry.counting("voided", voided))?;
        self.issue_awaited_numbers()
    }

    /// Puts back into the register a number that a case brings from before a restore. If another case
    /// has got it meanwhile, the case that comes late waits for a new one.
    pub(super) fn take_back_number(
        &mut self,
        case: DocumentId,
        operations: &[Operation],
    ) -> Result<(), WardError> {
        let Some((year, number)) = number_set_by(self.shared.code, operations) else {
            return Ok(());
        };
        let holder: Option<Option<[u8; 16]>> = self
            .connection
            .query_row(
                "SELECT uuid FROM official_numbers WHERE register = ?1 AND year = ?2 AND number = ?3",
                params![REGISTER, year, number],
                |row| row.get(0),
            )
            .optional()?;
        let is_free = match holder.flatten() {
            None => true,
            Some(holder) => holder == *case.uuid.as_bytes(),
        };
        if !is_free {
            tracing::warn!(
                year,
                number,
                "a number came back that was issued again meanwhile"
            );
            return self.await_number(case);
        }
        if self
            .number_of(case)?
            .is_some_and(|held| held != format_number(self.shared.code, year, number))
        {
            self.void_number(year, number, RENUMBERED)?;
            return self.await_number(case);
        }
        self.connection.execute(
            "INSERT INTO official_numbers (register, year, number, uuid, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (register, year, number) DO UPDATE SET uuid = excluded.uuid, void_reason = NULL",
            params![REGISTER, year, number, case.uuid.as_bytes(), self.now.0],
        )?;
        self.set_awaits_number(case, false)
    }

    /// The number that the register has for a case.
    pub(super) fn number_of(&self, case: DocumentId) -> Result<Option<String>, WardError> {
        if case.kind != DocumentKind::Case {
            return Ok(None);
        }
        let found: Option<(i64, i64)> = self
            .connection
            .query_row(
                "SELECT year, number FROM official_numbers WHERE register = ?1 AND uuid = ?2",
                params![REGISTER, case.uuid.as_bytes()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        Ok(found.map(|(year, number)| format_number(self.shared.code, year, number)))
    }

    /// Voids a number that no case has.
    fn void_number(&self, year: i64, number: i64, reason: &str) -> Result<u64, WardError> {
        let voided = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO official_numbers (register, year, number, at, void_reason)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![REGISTER, year, number, self.now.0, reason])?;
        Ok(voided as u64)
    }

    fn set_awaits_number(&self, case: DocumentId, awaits: bool) -> Result<(), WardError> {
        self.connection
            .prepare_cached(
                "UPDATE documents SET awaits_number = ?3 WHERE kind = ?1 AND uuid = ?2",
            )?
            .execute(params![case.kind.code(), case.uuid.as_bytes(), awaits])?;
        Ok(())
    }
}

/// What to tell the writer of an edit over a bound.
pub(super) const TOO_LONG: &str = "the text is too long; shorten it or put a part into a note";

pub(super) fn format_number(ward: WardCode, year: i64, number: i64) -> String {
    format!("{REGISTER}-{year}-{number:06}/P{ward}")
}

fn number_set_by(ward: WardCode, operations: &[Operation]) -> Option<(i64, i64)> {
    operations.iter().find_map(|operation| match operation {
        Operation::SetRegister {
            field: name,
            value: Value::Text(text),
        } if name.as_str() == field::OFFICIAL_NUMBER => parse_number(ward, text),
        _ => None,
    })
}

fn parse_number(ward: WardCode, text: &str) -> Option<(i64, i64)> {
    let rest = text.strip_prefix(REGISTER)?.strip_prefix('-')?;
    let (year, rest) = rest.split_once('-')?;
    let number = rest.strip_suffix(&format!("/P{ward}"))?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(year) || !digits(number) {
        return None;
    }
    Some((year.parse().ok()?, number.parse().ok()?))
}

fn year_of(now: Timestamp) -> i64 {
    jiff::Timestamp::from_millisecond(now.0).map_or(1970, |moment| {
        i64::from(
            jiff::tz::Offset::constant(VIETNAM_OFFSET_HOURS)
                .to_datetime(moment)
                .year(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ward() -> WardCode {
        "26995".parse().unwrap()
    }

    #[test]
    fn a_number_reads_back_as_it_was_written() {
        let words = format_number(ward(), 2026, 123);
        assert_eq!(words, "PA-2026-000123/P26995");
        assert_eq!(parse_number(ward(), &words), Some((2026, 123)));
        assert_eq!(parse_number(ward(), "PA-2026-000123/P26998"), None);
        assert_eq!(parse_number(ward(), "PA-2026-+00123/P26995"), None);
    }

    #[test]
    fn the_year_begins_at_midnight_in_viet_nam() {
        let before = Timestamp::parse_rfc3339("2026-12-31T16:59:59Z").unwrap();
        let after = Timestamp::parse_rfc3339("2026-12-31T17:00:00Z").unwrap();
        assert_eq!((year_of(before), year_of(after)), (2026, 2027));
    }
}
