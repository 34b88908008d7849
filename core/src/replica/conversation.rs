//! What a conversation asks of the device's store, and what is remembered while it lasts.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::observers::Change;
use super::{Core, Replica, agreement, forgetting, page, verdicts};
use crate::model::{AttachmentHash, ChainHash, EditId, Epoch};
use crate::protocol::bundle;
use crate::protocol::directory;
use crate::protocol::feed::{Cursor, Page, PageProof, ScopeDelta, Tombstone};
use crate::protocol::initiator::{
    DeviceAnswer, DeviceCommand, Opening, OutgoingAttachment, OutgoingBundle,
};
use crate::protocol::limits::{
    BUNDLE_CONTENT_BYTES_MAX, BUNDLE_EDITS_MAX, TOMBSTONES_MAX, WANTED_EDITS_MAX,
};
use crate::protocol::reconciliation::Comparison;
use crate::store::device::outbox::{self, StoredBundle};
use crate::store::device::{
    edits, files, malformed, proofs, rejected, set_aside, settings, tombstones,
};
use crate::store::{StoreError, attachments, connection};

/// Free pages of 4 KiB that are worth writing the file anew, if they are a quarter of it: a thousand
/// cases, or two photos.
const FREE_PAGES_MAX: i64 = 1_024;

/// What was given in this conversation. Lost with it: what has no final word is given again.
#[derive(Debug, Default)]
pub(super) struct ConversationMemory {
    /// Numbers of bundles given.
    given: BTreeSet<i64>,
    /// Numbers of bundles that the ward accepted in an earlier conversation without a page that
    /// names them: should it have been restored since, it does not have them.
    doubtful: BTreeSet<i64>,
    /// Of bundles given, the edits that some of theirs wait for. Each bundle waits once.
    pub(super) waiting: BTreeMap<i64, BTreeSet<EditId>>,
    /// Bundles that waited and are given a second time.
    given_again: BTreeSet<i64>,
    /// The ward could not open a bundle of ours: it could not open the next one either.
    pub(super) is_sealing_over: bool,
    /// So many tombstones were given back; all of them before any page.
    tombstones_returned: usize,
    /// Number of the last proof given.
    returned: i64,
    /// A comparison under way, and what the last one found that the ward lacks.
    pub(super) comparison: Option<Comparison>,
    pub(super) lacked_there: BTreeSet<EditId>,
    /// Attachments given.
    attachments: BTreeSet<AttachmentHash>,
    /// Files that were asked for.
    pub(super) fetches: BTreeSet<AttachmentHash>,
    /// Cases that were asked for.
    pub(super) looks: BTreeSet<String>,
}

impl ConversationMemory {
    /// Something was accepted: what waited for it may be given once more.
    pub(super) fn note_accepted(&mut self, edit: EditId) {
        let ready: Vec<i64> = self
            .waiting
            .iter()
            .filter_map(|(bundle, awaited)| awaited.contains(&edit).then_some(*bundle))
            .collect();
        for bundle in ready {
            self.waiting.remove(&bundle);
            if self.given_again.insert(bundle) {
                self.given.remove(&bundle);
            }
        }
    }
}

impl Replica {
    /// What a conversation begins with; `None` if the phone was not enrolled.
    ///
    /// # Errors
    /// The store's.
    pub fn begin_conversation(&self, app_version: &str) -> Result<Option<Opening>, StoreError> {
        let mut core = self.core();
        let Some(enrolment) = core.enrolment.clone() else {
            return Ok(None);
        };
        let opening = |work: &mut super::work::Work<'_>| -> rusqlite::Result<_> {
            let connection = work.connection;
            let are_loans_over = work.end_old_loans()?;
            proofs::count_try(connection)?;
            let cursor = settings::read(connection, settings::CURSOR)?.unwrap_or_default();
            let version = settings::read(connection, settings::DIRECTORY_VERSION)?;
            let wanted = proofs::wanted(connection, WANTED_EDITS_MAX)?;
            let bundles = outbox::open_bundles(connection, true)?;
            let witnessed = settings::witnessed(connection)?;
            Ok((are_loans_over, cursor, version, wanted, bundles, witnessed))
        };
        let ((are_loans_over, cursor, version, wanted, bundles, witnessed), changes) =
            self.transact_on(&mut core, |work| opening(work).map_err(StoreError::from))?;
        core.conversation = ConversationMemory {
            doubtful: bundles.into_iter().collect(),
            ..ConversationMemory::default()
        };
        drop(core);
        self.inner.observers.tell(&changes);
        if are_loans_over {
            self.empty_log();
        }
        let now = self.inner.environment.now();
        Ok(Some(Opening {
            ward_key: enrolment.ward_key,
            cursor: Cursor(cursor),
            directory_version: version
                .and_then(|version| version.try_into().ok())
                .unwrap_or_default(),
            device_time: now,
            app_version: app_version.to_owned(),
            wanted,
            witness: witnessed.question(now.0),
        }))
    }

    /// Does what a conversation asks of the store.
    ///
    /// # Errors
    /// The store's; the conversation ends and nothing is lost.
    pub fn execute(&self, command: DeviceCommand) -> Result<DeviceAnswer, StoreError> {
        match command {
            DeviceCommand::NextBundle => {
                let bundle = self.next_bundle()?;
                Ok(DeviceAnswer::Bundle(bundle.map(|bundle| OutgoingBundle {
                    id: bundle.id,
                    edits: bundle::edits_of_own(&bundle.sealed),
                    sealed: bundle.sealed,
                })))
            }
            DeviceCommand::RecordVerdicts { bundle, verdicts } => {
                let mut core = self.core();
                let result = self.transact_on(&mut core, |work| {
                    verdicts::record(work, bundle, &verdicts).map_err(StoreError::from)
                });
                let (word, changes) = result?;
                word.remember(&mut core.conversation);
                drop(core);
                self.inner.observers.tell(&changes);
                Ok(DeviceAnswer::Done)
            }
            DeviceCommand::ApplyPage(page) => {
                let mut core = self.core();
                let (missing, changes) = self.transact_on(&mut core, |work| {
                    page::apply(work, &page).map_err(StoreError::from)
                })?;
                for entry in &page.proof.entries {
                    core.conversation.note_accepted(entry.edit);
                }
                drop(core);
                self.inner.observers.tell(&changes);
                if page.scope != ScopeDelta::default() {
                    self.empty_log();
                }
                Ok(DeviceAnswer::PageApplied { missing })
            }
            DeviceCommand::ApplyDirectory { directory, version } => {
                let sealed = directory::seal(&directory)
                    .map_err(|_| StoreError::from(malformed(settings::DIRECTORY)))?;
                let mut core = self.core();
                let ((), changes) = self.transact_on(&mut core, |work| {
                    let connection = work.connection;
                    settings::write(connection, settings::DIRECTORY, &sealed)?;
                    settings::write(connection, settings::DIRECTORY_VERSION, &version)?;
                    work.changes.insert(Change::Directory);
                    Ok::<_, StoreError>(())
                })?;
                core.directory = Some((*directory).into());
                drop(core);
                self.inner.observers.tell(&changes);
                Ok(DeviceAnswer::Done)
            }
            DeviceCommand::BeginReturn => {
                let mut core = self.core();
                let (bundles, _) = self.transact_on(&mut core, |work| {
                    outbox::doubt_all(work.connection)?;
                    files::doubt_all(work.connection)?;
                    Ok::<_, StoreError>(outbox::open_bundles(work.connection, true)?)
                })?;
                core.conversation = ConversationMemory {
                    doubtful: bundles.into_iter().collect(),
                    ..ConversationMemory::default()
                };
                Ok(DeviceAnswer::Done)
            }
            DeviceCommand::BeginComparison { is_restored } => Ok(DeviceAnswer::Comparison(
                self.begin_comparison(is_restored)?,
            )),
            DeviceCommand::Compare(answers) => Ok(DeviceAnswer::Comparison(self.compare(answers)?)),
            DeviceCommand::NextReturn => Ok(DeviceAnswer::Return(self.next_return()?)),
            DeviceCommand::Settle { ward_time, held } => {
                let (is_agreed, has_dropped) = self.transact(|work| {
                    let is_agreed = agreement::note(work, held, ward_time)?;
                    let has_dropped = forgetting::end_retaining(work, ward_time)?;
                    settings::forget_refused(work.connection)?;
                    settings::write_contact(work.connection, self.contact_now(Some(ward_time)))?;
                    Ok::<_, StoreError>((is_agreed, has_dropped))
                })?;
                if !is_agreed {
                    tracing::warn!("this device and the ward do not hold the same");
                }
                if has_dropped {
                    self.empty_log();
                }
                Ok(DeviceAnswer::Settled { is_agreed })
            }
            DeviceCommand::NextAttachment => Ok(DeviceAnswer::Attachment(self.next_attachment()?)),
            DeviceCommand::ConfirmAttachment(hash) => self.transact(|work| {
                for record in files::confirm(work.connection, hash)? {
                    forgetting::tidy_files(work, record)?;
                    work.changes.insert(Change::Case(record));
                }
                Ok(DeviceAnswer::Done)
            }),
            DeviceCommand::NextLook => Ok(DeviceAnswer::Look(self.next_look()?)),
            DeviceCommand::KeepLent { words, lent } => {
                let missing =
                    self.transact(|work| Ok::<_, StoreError>(work.keep_lent(&words, lent)?))?;
                Ok(DeviceAnswer::PageApplied { missing })
            }
            DeviceCommand::KeepWitnessed(testimony) => {
                self.keep_testimony(*testimony)?;
                Ok(DeviceAnswer::Done)
            }
            DeviceCommand::NextFetch => Ok(DeviceAnswer::Fetch(self.next_fetch()?)),
            DeviceCommand::KeepFetched {
                hash,
                size,
                offset,
                bytes,
            } => self.transact(|work| {
                work.keep_fetched(hash, size, offset, &bytes)?;
                Ok(DeviceAnswer::Done)
            }),
            DeviceCommand::NoteKept { hash, bytes } => self.transact(|work| {
                let records = files::note_kept(work.connection, hash, bytes)?;
                work.changes.extend(records.into_iter().map(Change::Case));
                Ok(DeviceAnswer::Done)
            }),
            DeviceCommand::DoubtAttachments(lacked) => self.transact(|work| {
                for hash in lacked {
                    let records = files::doubt(work.connection, hash)?;
                    work.changes.extend(records.into_iter().map(Change::Case));
                }
                Ok(DeviceAnswer::Done)
            }),
        }
    }

    /// A bundle that is to be sent and was not given yet, oldest first; then a new one.
    fn next_bundle(&self) -> Result<Option<StoredBundle>, StoreError> {
        let mut core = self.core();
        let found = next_open_bundle(&core.store.connection, &core.conversation)
            .map_err(|error| self.store_error(error))?;
        let (bundle, changes) = match found {
            Some(bundle) => (Some(bundle), BTreeSet::new()),
            None if core.conversation.is_sealing_over => return Ok(None),
            None => self.seal(&mut core)?,
        };
        if let Some(bundle) = &bundle {
            core.conversation.given.insert(bundle.number);
        }
        drop(core);
        self.inner.observers.tell(&changes);
        Ok(bundle)
    }

    /// Seals what is unsealed, as much as one bundle takes; `None` if nothing is.
    fn seal(
        &self,
        core: &mut Core,
    ) -> Result<(Option<StoredBundle>, BTreeSet<Change>), StoreError> {
        let Some(ward) = core
            .enrolment
            .as_ref()
            .map(|enrolment| enrolment.credential.ward)
        else {
            return Ok((None, BTreeSet::new()));
        };
        let now = self.inner.environment.now();
        let device_key = core.device_key.clone();
        self.transact_on(core, |work| {
            let connection = work.connection;
            let unsealed =
                outbox::unsealed(connection, BUNDLE_EDITS_MAX, BUNDLE_CONTENT_BYTES_MAX)?;
            if unsealed.is_empty() {
                return Ok::<_, StoreError>(None);
            }
            let (positions, edits): (Vec<i64>, Vec<_>) = unsealed.into_iter().unzip();
            let (id, sealed, count) = bundle::seal(&device_key, ward, now, &edits);
            for edit in &edits[..count] {
                work.note_change(edit.edit().document);
            }
            let positions = positions.into_iter().take(count);
            let number = outbox::seal(connection, id, &sealed, positions)?;
            Ok(Some(StoredBundle { number, id, sealed }))
        })
    }

    /// What was forgotten is not to stay in the log either. Best effort: should somebody read at this
    /// moment, the next checkpoint does it.
    fn empty_log(&self) {
        let core = self.core();
        if let Err(error) = connection::fold_log(&core.store.connection) {
            tracing::warn!(%error, "the log is not emptied after documents were forgotten");
        }
        if let Err(error) = shrink(&core.store.connection) {
            tracing::warn!(%error, "what was forgotten still takes its place in the file");
        }
    }

    /// The next page that the ward once signed and that names what it lacks, with the bodies of that.
    fn next_return(&self) -> Result<Option<Box<Page>>, StoreError> {
        let mut core = self.core();
        let Core {
            store,
            conversation,
            ..
        } = &mut *core;
        let told = tombstones::some(
            &store.connection,
            conversation.tombstones_returned,
            TOMBSTONES_MAX,
        );
        let next = told.and_then(|told| {
            conversation.tombstones_returned += told.len();
            match of_tombstones(told) {
                Some(page) => Ok(Some(page)),
                None => next_lacked(&store.connection, conversation),
            }
        });
        Ok(next.map_err(|error| self.store_error(error))?.map(Box::new))
    }

    fn next_attachment(&self) -> Result<Option<OutgoingAttachment>, StoreError> {
        let mut core = self.core();
        let unconfirmed =
            files::unconfirmed(&core.store.connection).map_err(|error| self.store_error(error))?;
        for file in unconfirmed {
            if !core.conversation.attachments.insert(file.hash) {
                continue;
            }
            let found = attachments::read(&core.store.connection, file.hash)
                .map_err(|error| self.store_error(error))?;
            if let Some((bytes, _)) = found {
                let hash = file.hash;
                return Ok(Some(OutgoingAttachment { hash, bytes }));
            }
        }
        Ok(None)
    }
}

/// Gives room back to the phone, once much of the file is free. The pages are blank already, and without
/// it the store fills them before it grows.
fn shrink(connection: &Connection) -> rusqlite::Result<()> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let free = number("freelist_count")?;
    if free < FREE_PAGES_MAX || free * 4 < number("page_count")? {
        return Ok(());
    }
    connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
}

/// A page of nothing but tombstones; each is signed for itself.
fn of_tombstones(tombstones: Vec<Tombstone>) -> Option<Page> {
    let ward = "00000".parse().ok().filter(|_| !tombstones.is_empty())?;
    Some(Page {
        proof: PageProof {
            ward,
            epoch: Epoch([0; 16]),
            after: 0,
            up_to: 0,
            chain: ChainHash([0; 32]),
            entries: Vec::new(),
            signature: [0; 64],
        },
        bodies: Vec::new(),
        cursor: None,
        scope: ScopeDelta {
            tombstones,
            ..ScopeDelta::default()
        },
    })
}

fn next_lacked(
    connection: &Connection,
    conversation: &mut ConversationMemory,
) -> rusqlite::Result<Option<Page>> {
    while !conversation.lacked_there.is_empty()
        && let Some((number, sealed)) = proofs::next(connection, conversation.returned)?
    {
        conversation.returned = number;
        let mut page = Page::open_unverified(&sealed).map_err(|_| malformed("page"))?;
        let mut is_any = false;
        for (entry, body) in page.proof.entries.iter().zip(&mut page.bodies) {
            if conversation.lacked_there.remove(&entry.edit) {
                *body = body_of(connection, entry.edit)?;
                is_any |= body.is_some();
            }
        }
        if is_any {
            return Ok(Some(page));
        }
    }
    Ok(None)
}

fn next_open_bundle(
    connection: &Connection,
    conversation: &ConversationMemory,
) -> rusqlite::Result<Option<StoredBundle>> {
    let to_send = outbox::open_bundles(connection, false)?;
    let next = outbox::open_bundles(connection, true)?
        .into_iter()
        .filter(|number| to_send.contains(number) || conversation.doubtful.contains(number))
        .find(|number| !conversation.given.contains(number));
    match next {
        Some(number) => outbox::bundle(connection, number),
        None => Ok(None),
    }
}

/// The bytes of an edit, wherever this device keeps it.
fn body_of(connection: &Connection, id: EditId) -> rusqlite::Result<Option<Vec<u8>>> {
    if let Some(bytes) = edits::bytes(connection, id)? {
        return Ok(Some(bytes));
    }
    if let Some(bytes) = set_aside::bytes(connection, id)? {
        return Ok(Some(bytes));
    }
    Ok(rejected::read(connection, id)?.map(|stored| stored.edit.bytes().to_vec()))
}
