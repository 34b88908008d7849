//! What conversations ask of the ward: those that change something in one transaction, the others on
//! a connection that only reads.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gandan_core::model::{DeviceId, DocumentId, Timestamp};
use gandan_core::protocol::directory as directory_format;
use gandan_core::protocol::feed::Cursor;
use gandan_core::protocol::message::Refusal;
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use rusqlite::{Connection, params};

use super::audit::{self, Actor, Entry, Kind};
use super::connections::{Shared, Work};
use super::devices::{self, Known};
use super::restore::{self, Standing};
use super::{WardError, attachments, directory, documents, feed, sums};

/// How exactly it is known when a device was seen last; saves a transaction when nothing else is to be
/// written.
const SEEN_STEP_MS: i64 = 60 * 1000;

pub(super) fn execute_all(
    shared: &Shared,
    commands: Vec<(DeviceId, WardCommand)>,
) -> Result<Vec<WardAnswer>, WardError> {
    let mut answers: Vec<Option<WardAnswer>> = Vec::new();
    answers.resize_with(commands.len(), || None);
    // A greeting changes something only now and then.
    let mut writes = Vec::new();
    for (index, (device, command)) in commands.iter().enumerate() {
        if is_write(shared, *device, command)? {
            writes.push(index);
        }
    }
    if let [index] = writes[..] {
        let (device, command) = &commands[index];
        answers[index] = Some(write_alone(shared, *device, command)?);
    } else if !writes.is_empty() {
        let written = shared.write(Actor::Ward, |work| {
            writes
                .iter()
                .map(|&index| work.guarded(commands[index].0, &commands[index].1))
                .collect::<Result<Vec<_>, _>>()
        })?;
        for (index, answer) in writes.into_iter().zip(written) {
            answers[index] = Some(answer);
        }
    }
    let answer = |((device, command), answer): (&(DeviceId, WardCommand), Option<WardAnswer>)| {
        answer.unwrap_or_else(|| read_guarded(shared, *device, command))
    };
    Ok(commands.iter().zip(answers).map(answer).collect())
}

/// Does a command that has the transaction to itself: if it fails, all of it is undone. Without a
/// savepoint around those of its edits, because SQLite walks through what the outer one has kept
/// whenever an inner one ends.
fn write_alone(
    shared: &Shared,
    device: DeviceId,
    command: &WardCommand,
) -> Result<WardAnswer, WardError> {
    let result = catch_unwind(AssertUnwindSafe(|| {
        shared.write(Actor::Ward, |work| work.execute(device, command))
    }));
    Ok(settled(device, result)?.unwrap_or_else(|refused| refused))
}

/// The answer to a command, or the refusal if it failed. Only a full disk is everybody's.
fn settled(
    device: DeviceId,
    result: std::thread::Result<Result<WardAnswer, WardError>>,
) -> Result<Result<WardAnswer, WardAnswer>, WardError> {
    match result {
        Ok(Ok(answer)) => Ok(Ok(answer)),
        Ok(Err(WardError::Full)) => Err(WardError::Full),
        Ok(Err(error)) => Ok(Err(refuse_failed(device, &error))),
        Err(_) => Ok(Err(refuse_failed(device, &"it panicked"))),
    }
}

/// Answers a command that changes nothing. What was written before is durable by now, so a reading
/// that fails may not take the others' answers with it.
fn read_guarded(shared: &Shared, device: DeviceId, command: &WardCommand) -> WardAnswer {
    let result = catch_unwind(AssertUnwindSafe(|| {
        answer_by_reading(shared, device, command)
    }));
    match result {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => refuse_failed(device, &error),
        Err(_) => refuse_failed(device, &"it panicked"),
    }
}

fn refuse_failed(device: DeviceId, failure: &dyn std::fmt::Display) -> WardAnswer {
    tracing::error!(%device, %failure, "a command failed");
    WardAnswer::Refused(Refusal::Unavailable)
}

fn is_write(shared: &Shared, device: DeviceId, command: &WardCommand) -> Result<bool, WardError> {
    Ok(match command {
        WardCommand::Admit(_) | WardCommand::TakeBack(_) | WardCommand::KeepPart { .. } => true,
        WardCommand::Greet { cursor, .. } => shared.read(|connection| {
            let Ok(known) = devices::find(connection, device)? else {
                return Ok(false);
            };
            let now = shared.environment.now();
            Ok(!is_seen_lately(&known, now)
                || restore::standing(connection, shared, cursor)? == Standing::FromTheFuture)
        })?,
        _ => false,
    })
}

fn is_seen_lately(known: &Known, now: Timestamp) -> bool {
    known
        .seen_at
        .is_some_and(|seen| (0..SEEN_STEP_MS).contains(&(now.0 - seen.0)))
}

fn answer_by_reading(
    shared: &Shared,
    device: DeviceId,
    command: &WardCommand,
) -> Result<WardAnswer, WardError> {
    let mut has_reported = false;
    let mut is_told_to_wipe = false;
    let mut read_restricted = None;
    let answer = shared.read(|connection| {
        let known = match devices::find(connection, device)? {
            Ok(known) => known,
            Err(refusal) => {
                is_told_to_wipe = refusal == Refusal::Wipe;
                return Ok(WardAnswer::Refused(refusal));
            }
        };
        Ok(match command {
            WardCommand::ReadFeed(cursor)
                if restore::standing(connection, shared, cursor)? != Standing::Known =>
            {
                // It was found to be restored since this device was greeted: the device has to hear that
                // first, and gives back before it reads.
                WardAnswer::Refused(Refusal::Unavailable)
            }
            WardCommand::ReadFeed(cursor) => {
                let scope = known.scope(connection)?;
                let page = feed::read(connection, shared, &known, &scope, cursor)?;
                has_reported =
                    page.is_none() && known.reported_epoch != restore::current_epoch(connection)?;
                match page {
                    Some(page) => WardAnswer::Page(Some(Box::new(page))),
                    None => WardAnswer::CaughtUp(sums::held(connection, &scope)?),
                }
            }
            WardCommand::ReadEdits(wanted) => {
                let page = feed::read_edits(connection, shared, &known, wanted)?;
                WardAnswer::Page(page.map(Box::new))
            }
            WardCommand::Look(words) => {
                let lent = feed::look(connection, shared, &known, words)?;
                if let Some((case, _)) = &lent {
                    let case = DocumentId::case(*case);
                    let placement = documents::placement(connection, case)?;
                    if placement.is_some_and(|placement| placement.is_restricted) {
                        read_restricted = Some((known.actor(), case));
                    }
                }
                WardAnswer::Lent(lent.map(|(case, page)| (case, Box::new(page))))
            }
            WardCommand::Witness(number) => {
                WardAnswer::Witnessed(Box::new(audit::testify(connection, shared, *number)?))
            }
            WardCommand::Compare(questions) => {
                WardAnswer::Compared(feed::compare(connection, &known, questions)?)
            }
            WardCommand::ReadDirectory => {
                WardAnswer::Directory(Box::new(directory::read(connection, shared.code)?))
            }
            WardCommand::ReadAttachment(hash) => {
                WardAnswer::AttachmentTree(attachments::tree(connection, &known, *hash)?)
            }
            WardCommand::ReadPart { hash, offset } => {
                WardAnswer::AttachmentPart(attachments::part(connection, &known, *hash, *offset)?)
            }
            WardCommand::FindAttachment { hash, size } => {
                let now = shared.environment.now();
                attachments::find(connection, device, *hash, *size, now.0)?
            }
            WardCommand::Greet { cursor, .. } => {
                let standing = restore::standing(connection, shared, cursor)?;
                let now = shared.environment.now();
                greeted(connection, shared, device, now, standing == Standing::Known)?
            }
            WardCommand::Admit(_) | WardCommand::TakeBack(_) | WardCommand::KeepPart { .. } => {
                WardAnswer::Refused(Refusal::Unavailable)
            }
        })
    })?;
    if let Some((by, case)) = read_restricted {
        audit::note(shared, by, Entry::of(Kind::RestrictedRead).about(case))?;
    }
    if is_told_to_wipe {
        shared.write(Actor::Ward, |work| work.note_wipe_told(device))?;
    }
    if has_reported {
        shared.write(Actor::Ward, |work| work.device_reported(device))?;
    }
    Ok(answer)
}

fn greeted(
    connection: &Connection,
    shared: &Shared,
    device: DeviceId,
    ward_time: Timestamp,
    is_cursor_known: bool,
) -> Result<WardAnswer, WardError> {
    let directory = directory::read(connection, shared.code)?;
    Ok(WardAnswer::Greeted {
        ward_time,
        directory_version: directory_format::version(&directory),
        is_cursor_known,
        lacked: attachments::lacked(connection, device)?,
    })
}

impl Work<'_> {
    /// Does one command. If it fails, what it did is undone, the device is refused and the other
    /// commands of the transaction go on; only a full disk ends them all.
    fn guarded(
        &mut self,
        device: DeviceId,
        command: &WardCommand,
    ) -> Result<WardAnswer, WardError> {
        self.run("SAVEPOINT command")?;
        let result = catch_unwind(AssertUnwindSafe(|| self.execute(device, command)));
        match settled(device, result)? {
            Ok(answer) => {
                self.run("RELEASE command")?;
                Ok(answer)
            }
            Err(refused) => {
                self.run("ROLLBACK TO command")?;
                self.run("RELEASE command")?;
                Ok(refused)
            }
        }
    }

    fn execute(
        &mut self,
        device: DeviceId,
        command: &WardCommand,
    ) -> Result<WardAnswer, WardError> {
        let known = match devices::find(self.connection, device)? {
            Ok(known) => known,
            Err(refusal) => return Ok(WardAnswer::Refused(refusal)),
        };
        Ok(match command {
            WardCommand::Admit(sealed) => self.admit_bundle(&known, sealed)?,
            WardCommand::TakeBack(page) => {
                self.take_back(&known, page)?;
                WardAnswer::Done
            }
            WardCommand::KeepPart {
                hash,
                size,
                offset,
                bytes,
            } => self.keep_part(device, *hash, *size, *offset, bytes)?,
            WardCommand::Greet {
                cursor,
                device_time,
                app_version,
            } => self.greet(&known, cursor, *device_time, app_version)?,
            WardCommand::ReadFeed(_)
            | WardCommand::ReadEdits(_)
            | WardCommand::Compare(_)
            | WardCommand::ReadDirectory
            | WardCommand::ReadAttachment(_)
            | WardCommand::ReadPart { .. }
            | WardCommand::Look(_)
            | WardCommand::Witness(_)
            | WardCommand::FindAttachment { .. } => WardAnswer::Refused(Refusal::Unavailable),
        })
    }

    fn greet(
        &mut self,
        known: &Known,
        cursor: &Cursor,
        device_time: Timestamp,
        app_version: &str,
    ) -> Result<WardAnswer, WardError> {
        self.take_over(known.id)?;
        let standing = restore::standing(self.connection, self.shared, cursor)?;
        if standing == Standing::FromTheFuture {
            self.begin_epoch(feed::open_cursor(self.shared, cursor))?;
        }
        self.connection.execute(
            "UPDATE devices SET seen_at = ?2, app_version = ?3, clock_offset_ms = ?4 WHERE id = ?1",
            params![
                known.id.as_bytes(),
                self.now.0,
                app_version,
                device_time.0.saturating_sub(self.now.0)
            ],
        )?;
        greeted(
            self.connection,
            self.shared,
            known.id,
            self.now,
            standing == Standing::Known,
        )
    }
}
