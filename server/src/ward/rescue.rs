//! Taking a rescue file: what a phone wrote that will not connect any more, whoever brings it. Every
//! bundle is admitted under the device that signed it, as if it had come over the wire; taking a
//! file twice does nothing more.

use gandan_core::model::DeviceId;
use gandan_core::policy::{Author, RejectionCode};
use gandan_core::protocol::bundle::{self, OpenedBundle};
use gandan_core::protocol::credential::DeviceCredential;
use gandan_core::protocol::message::FileWord;
use gandan_core::protocol::verdict::Verdict;
use gandan_core::rescue::{Opener, RescueItem};
use gandan_core::store::attachments;
use rusqlite::params;

use super::audit::{self, Actor, Entry, Kind};
use super::connections::{Shared, Work};
use super::devices::{self, Known};
use super::{WardError, restore};

/// What an officer is called of whom a restored ward knows only the word that it once gave.
const UNNAMED_OFFICER: &str = "Cán bộ (chưa rõ tên, từ tệp cứu hộ)";

/// What is done with the work of a device that was revoked meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Revoked {
    Refused,
    Taken,
}

pub(super) fn import(
    shared: &Shared,
    by: Actor,
    file: &[u8],
    revoked: Revoked,
) -> Result<Vec<Verdict>, WardError> {
    let opener = Opener::new(&shared.keys.rescue_seed, shared.code, file)?;
    let credential = opener.credential().clone();
    let mut bundles = Vec::new();
    let mut early_files = Vec::new();
    let mut damage = None;
    for item in opener {
        // What was read before a damaged place is good and is taken.
        match item {
            Ok(RescueItem::Bundle(sealed)) => {
                bundles.push(take_bundle(shared, by, &credential, &sealed, revoked)?)
            }
            Ok(RescueItem::Attachment(bytes)) => {
                if take_attachment(shared, by, credential.device, &bytes)? == FileWord::Unreferenced
                {
                    early_files.push(bytes);
                }
            }
            Err(error) => damage = Some(error),
        }
    }
    // Bundles may depend on later ones, as far as a file keeps no order.
    for (opened, verdicts) in &mut bundles {
        if let Some(opened) = opened {
            *verdicts =
                shared.write(by, |work| work.admit_rescued(opened, &credential, revoked))?;
        }
    }
    for bytes in early_files {
        if take_attachment(shared, by, credential.device, &bytes)? != FileWord::Stored {
            tracing::warn!("no admitted case refers to a file of a rescue file; it is not kept");
        }
    }
    let verdicts: Vec<Verdict> = bundles
        .into_iter()
        .flat_map(|(_, verdicts)| verdicts)
        .collect();
    let mut entry = Entry::of(Kind::RescueTaken)
        .about(credential.device)
        .verdicts(&verdicts);
    if damage.is_some() {
        entry = entry.ending("damaged");
    }
    audit::note(shared, by, entry)?;
    if let Some(error) = damage {
        return Err(error.into());
    }
    Ok(verdicts)
}

/// A bundle is kept only if something in it waits.
type Taken = (Option<OpenedBundle>, Vec<Verdict>);

fn take_bundle(
    shared: &Shared,
    by: Actor,
    credential: &DeviceCredential,
    sealed: &[u8],
    revoked: Revoked,
) -> Result<Taken, WardError> {
    let code = RejectionCode::Malformed;
    let Ok(opened) = bundle::open(sealed) else {
        tracing::warn!("a bundle of a rescue file does not open");
        return Ok((None, vec![Verdict::Rejected { code }]));
    };
    if opened.proof.ward != shared.code {
        return Ok((None, vec![Verdict::Rejected { code }; opened.edits.len()]));
    }
    let verdicts = shared.write(by, |work| work.admit_rescued(&opened, credential, revoked))?;
    let is_waiting = |verdict: &Verdict| matches!(verdict, Verdict::Waiting { .. });
    let is_to_be_tried_again = verdicts.iter().any(is_waiting);
    Ok((is_to_be_tried_again.then_some(opened), verdicts))
}

fn take_attachment(
    shared: &Shared,
    by: Actor,
    device: DeviceId,
    bytes: &[u8],
) -> Result<FileWord, WardError> {
    let hash = attachments::hash(bytes);
    let word = shared.write(by, |work| work.store_attachment(device, hash, bytes))?;
    if word == FileWord::Refused {
        tracing::warn!(%hash, "a file of a rescue file is no image");
    }
    Ok(word)
}

impl Work<'_> {
    /// `credential` is what the file itself says of its device.
    fn admit_rescued(
        &mut self,
        opened: &OpenedBundle,
        credential: &DeviceCredential,
        revoked: Revoked,
    ) -> Result<Vec<Verdict>, WardError> {
        let device = opened.proof.device;
        let code = match devices::find_any(self.connection, device)? {
            Some((known, standing)) if standing.is_ok() || revoked == Revoked::Taken => {
                return self.admit_opened(&known, opened);
            }
            Some(_) => RejectionCode::Revoked,
            None => match self.recognise(device, credential)? {
                Some(known) => return self.admit_opened(&known, opened),
                None => RejectionCode::ForeignActor,
            },
        };
        Ok(vec![Verdict::Rejected { code }; opened.edits.len()])
    }

    /// A device that enrolled after the backup from which the ward was restored is recognised by the
    /// word that the ward gave it, for what it recorded only: to talk to the ward again it needs a
    /// new invite, because nobody knows its areas any more.
    fn recognise(
        &mut self,
        device: DeviceId,
        credential: &DeviceCredential,
    ) -> Result<Option<Known>, WardError> {
        if credential.device != device
            || credential.ward != self.shared.code
            || !credential.verify(self.shared.keys.public())
        {
            return Ok(None);
        }
        let DeviceCredential { officer, role, .. } = *credential;
        self.happened.has_changed_directory = true;
        self.connection.execute(
            "INSERT OR IGNORE INTO officers (id, name, role, scope_version, created_at)
             VALUES (?1, ?2, ?3, 0, ?4)",
            params![
                officer.0.as_bytes(),
                UNNAMED_OFFICER,
                role.code(),
                self.now.0
            ],
        )?;
        self.renew_scope(officer)?;
        Ok(Some(Known {
            id: device,
            author: Author { officer, role },
            scope_version: 0,
            seen_at: None,
            reported_epoch: restore::current_epoch(self.connection)?,
        }))
    }
}
