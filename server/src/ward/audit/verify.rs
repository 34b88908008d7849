//! Whether the audit trail is as it was written: every entry, their order, and that they agree with the
//! feed. Reads everything once; changes nothing.

use std::collections::BTreeSet;
use std::fmt;

use rusqlite::{Connection, OptionalExtension};

use super::chain::{self, Link};
use super::{Kind, from_sql, to_sql};
use crate::ward::{WardError, feed};

/// Most findings that are listed; what is over is counted.
const FINDINGS_MAX: usize = 100;

/// What is wrong at one place of the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// These entries are gone: the first that is missing, and the next that is there.
    Missing(u64, u64),
    /// This entry is not what the chain was made of: it, or what was before it, was changed.
    Changed(u64),
    /// The records that this entry is about are others than were written.
    SubjectsChanged(u64),
    /// The records that this entry was about are gone, and no later entry tells of an erasure.
    SubjectsGone(u64),
    /// The index of records does not say what this entry says.
    IndexDiffers(u64),
    /// The feed is not what it was when this entry was written.
    FeedDiffers(u64),
    /// The feed has entries of which the trail does not tell: its end is missing.
    Unfinished(u64),
    /// The trail ends before a checkpoint that somebody holds.
    EndsBefore(u64),
    /// The trail is another than the one of which a checkpoint was made.
    NotAsWitnessed(u64),
    /// A checkpoint does not carry this ward's signature.
    ForgedCheckpoint(u64),
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(first, next) if first + 1 == *next => {
                write!(formatter, "thiếu mục {first} · entry {first} is missing")
            }
            Self::Missing(first, next) => {
                let last = next - 1;
                write!(
                    formatter,
                    "thiếu mục {first} đến {last} · entries {first} to {last} are missing"
                )
            }
            Self::Changed(number) => write!(
                formatter,
                "mục {number} đã bị sửa, xóa hoặc đổi chỗ · entry {number} was changed, removed or moved"
            ),
            Self::SubjectsChanged(number) => write!(
                formatter,
                "hồ sơ ghi ở mục {number} đã bị sửa · what entry {number} is about was changed"
            ),
            Self::SubjectsGone(number) => write!(
                formatter,
                "hồ sơ ghi ở mục {number} bị xóa mà không có mục nào ghi việc xóa · what entry {number} was about is gone, and no entry tells of an erasure"
            ),
            Self::IndexDiffers(number) => write!(
                formatter,
                "bảng tra của mục {number} không khớp · the index of entry {number} does not agree with it"
            ),
            Self::FeedDiffers(number) => write!(
                formatter,
                "dòng sự kiện khác với lúc ghi mục {number} · the feed is not what it was at entry {number}"
            ),
            Self::Unfinished(number) => write!(
                formatter,
                "nhật ký dừng ở mục {number} trong khi dòng sự kiện còn tiếp · the trail ends with entry {number}, the feed goes on"
            ),
            Self::EndsBefore(number) => write!(
                formatter,
                "nhật ký dừng trước mục {number} mà điện thoại đã chứng kiến · the trail ends before entry {number}, which was witnessed"
            ),
            Self::NotAsWitnessed(number) => write!(
                formatter,
                "nhật ký ở mục {number} khác với bản điện thoại đã chứng kiến · the trail at entry {number} is not the one that was witnessed"
            ),
            Self::ForgedCheckpoint(number) => write!(
                formatter,
                "điểm kiểm chứng {number} không mang chữ ký của phường này · checkpoint {number} does not carry this ward's signature"
            ),
        }
    }
}

/// What came of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Entries read.
    pub entries: u64,
    /// The chain after the last.
    pub chain: [u8; 32],
    /// Checkpoints through which the trail goes.
    pub witnessed: u64,
    /// Checkpoints of what came after a backup from which the ward was restored, as the trail tells.
    pub lost_in_restore: u64,
    /// What is wrong, in order; not more than a hundred.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub unlisted: u64,
}

impl Verified {
    /// Nothing was found.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn find(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.unlisted += 1;
        }
    }
}

pub(in crate::ward) fn verify(connection: &Connection) -> Result<Verified, WardError> {
    let mut verified = Verified {
        entries: 0,
        chain: [0; 32],
        witnessed: 0,
        lost_in_restore: 0,
        findings: Vec::new(),
        unlisted: 0,
    };
    let mut forgotten = BTreeSet::new();
    let mut told_forgotten = 0_u64;
    let mut feed_sequence = 0;
    let mut number = 0;
    let mut statement = connection.prepare(
        "SELECT number, at, kind, outcome, actor, officer, device, detail, subjects, salt,
           subjects_digest, feed_sequence, feed_chain, chain FROM audit ORDER BY number",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let found = from_sql(row.get(0)?);
        if found != number + 1 {
            verified.find(Finding::Missing(number + 1, found));
        }
        number = found;
        let (kind, outcome): (String, String) = (row.get(2)?, row.get(3)?);
        let (actor, detail): (String, String) = (row.get(4)?, row.get(7)?);
        let subjects: Option<String> = row.get(8)?;
        let salt: Option<[u8; 16]> = row.get(9)?;
        let link = Link {
            number,
            at: row.get(1)?,
            kind: &kind,
            outcome: &outcome,
            actor: &actor,
            officer: row.get(5)?,
            device: row.get(6)?,
            detail: &detail,
            subjects_digest: row.get(10)?,
            feed_sequence: from_sql(row.get(11)?),
            feed_chain: row.get(12)?,
        };
        let chain: [u8; 32] = row.get(13)?;
        if link.extend(&verified.chain) != chain {
            verified.find(Finding::Changed(number));
        }
        // What follows is judged by what is said here, so that one change is one finding.
        verified.chain = chain;
        verified.entries += 1;
        match (&subjects, salt) {
            (Some(subjects), Some(salt)) => {
                if chain::subjects_digest(&salt, subjects) != link.subjects_digest {
                    verified.find(Finding::SubjectsChanged(number));
                }
            }
            _ => {
                forgotten.insert(number);
            }
        }
        if !is_indexed(connection, number, subjects.as_deref().unwrap_or_default())? {
            verified.find(Finding::IndexDiffers(number));
        }
        if kind == Kind::SubjectsForgotten.code() {
            told_forgotten += counted(&detail, "entries");
        }
        let is_feed_same = link.feed_sequence >= feed_sequence
            && feed::chain_at(connection, link.feed_sequence)?
                .is_some_and(|chain| chain.0 == link.feed_chain);
        if !is_feed_same {
            verified.find(Finding::FeedDiffers(number));
        }
        feed_sequence = link.feed_sequence;
    }
    if feed::head(connection)?.0 > feed_sequence {
        verified.find(Finding::Unfinished(number));
    }
    if forgotten.len() as u64 > told_forgotten {
        let untold = forgotten.len() - usize::try_from(told_forgotten).unwrap_or_default();
        for number in forgotten.into_iter().rev().take(untold) {
            verified.find(Finding::SubjectsGone(number));
        }
    }
    let strays: Option<i64> = connection
        .query_row(
            "SELECT number FROM audit_subjects WHERE number NOT IN (SELECT number FROM audit) LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(number) = strays {
        verified.find(Finding::IndexDiffers(from_sql(number)));
    }
    Ok(verified)
}

/// Makes all chains fit what the entries say now, as a forger would.
#[cfg(test)]
pub(in crate::ward) fn chain_again(connection: &Connection) {
    let numbers: Vec<i64> = connection
        .prepare("SELECT number FROM audit ORDER BY number")
        .and_then(|mut statement| {
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        })
        .unwrap();
    let mut chain = [0; 32];
    for number in numbers {
        let words = |column: &str| -> String {
            let sql = format!("SELECT {column} FROM audit WHERE number = ?1");
            connection
                .query_row(&sql, [number], |row| row.get(0))
                .unwrap()
        };
        let (kind, outcome) = (words("kind"), words("outcome"));
        let (actor, detail) = (words("actor"), words("detail"));
        chain = connection
            .query_row(
                "SELECT at, officer, device, subjects_digest, feed_sequence, feed_chain FROM audit WHERE number = ?1",
                [number],
                |row| {
                    let link = Link {
                        number: from_sql(number),
                        at: row.get(0)?,
                        kind: &kind,
                        outcome: &outcome,
                        actor: &actor,
                        officer: row.get(1)?,
                        device: row.get(2)?,
                        detail: &detail,
                        subjects_digest: row.get(3)?,
                        feed_sequence: from_sql(row.get(4)?),
                        feed_chain: row.get(5)?,
                    };
                    Ok(link.extend(&chain))
                },
            )
            .unwrap();
        connection
            .execute(
                "UPDATE audit SET chain = ?2 WHERE number = ?1",
                rusqlite::params![number, chain],
            )
            .unwrap();
    }
}

fn is_indexed(connection: &Connection, number: u64, subjects: &str) -> rusqlite::Result<bool> {
    let indexed: BTreeSet<String> = connection
        .prepare_cached("SELECT subject FROM audit_subjects WHERE number = ?1")?
        .query_map([to_sql(number)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(indexed == subjects.lines().map(str::to_owned).collect())
}

/// The number of something in a detail; 0 if it is not there.
fn counted(detail: &str, what: &str) -> u64 {
    detail
        .split(' ')
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| *name == what)
        .and_then(|(_, number)| number.parse().ok())
        .unwrap_or_default()
}
