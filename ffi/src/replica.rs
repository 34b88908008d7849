//! What an app opens: one phone's records.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use gandan_core::client::{self, Client, Stay, StayEvent, SyncReport};
use gandan_core::environment::SystemEnvironment;
use gandan_core::model::{
    Attachment, AttachmentHash, Directory, Person, Satisfaction, Visit, consent,
};
use gandan_core::protocol::initiator::Progress;
use gandan_core::protocol::invite::Invite;
use gandan_core::replica::{
    Agreement, CaseChange, CaseDetail, CaseSummary, FetchPolicy, FreedSpace, Look, NewCase,
    NewVisit, PendingItem, Recorded, Replica as CoreReplica,
};
use gandan_core::store::StoreKey;
use gandan_core::store::rows::CaseQuery;
use uuid::Uuid;
use zeroize::Zeroize;

use crate::error::GandanError;
use crate::events::{ChangeObserver, ProgressObserver, SyncProgress};
use crate::lock;
use crate::records::RejectedRecord;

/// One phone's encrypted records and its conversation with the ward. Calls that are not `async`
/// do one short SQLite transaction each; call them off the main thread. Every record call has made
/// its record durable when it returns.
#[derive(uniffi::Object)]
pub struct Replica {
    core: CoreReplica,
    client: Client,
    staying: Arc<Staying>,
}

/// Of the connection that stays, if there is one.
#[derive(Default)]
struct Staying(Mutex<Option<Stay>>);

impl Staying {
    fn replace(&self, with: Option<Stay>) -> Option<Stay> {
        let mut stay = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut stay, with)
    }

    fn tell(&self, tell: impl FnOnce(&Stay)) {
        if let Some(stay) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            tell(stay);
        }
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Replica {
    /// Opens the store in `directory`, making it if there is none. `key` is 32 bytes from the
    /// phone's keystore; on [`GandanError::WrongKey`] stop and keep the file. A store with an
    /// [`AppLock`](crate::lock::AppLock) opens through the lock alone.
    #[uniffi::constructor]
    pub fn open(directory: String, key: Vec<u8>) -> Result<Arc<Self>, GandanError> {
        let key = store_key(key)?;
        let directory = Path::new(&directory);
        lock::refuse_locked(directory)?;
        let core = CoreReplica::open(directory, &key, Arc::new(SystemEnvironment))?;
        Ok(Self::of(core))
    }

    /// Whether the phone belongs to an officer yet.
    pub fn is_enrolled(&self) -> bool {
        self.core.enrolment().is_some()
    }

    /// The ward's reference data as of the last conversation: areas, officers, categories.
    pub fn directory(&self) -> Option<Directory> {
        self.core.directory()
    }

    /// Uses up an invite (`gandan:…`, from the QR code) and binds this store to its officer.
    pub async fn enrol(&self, invite: String, device_name: String) -> Result<(), GandanError> {
        let invite: Invite = invite.trim().parse()?;
        Ok(client::enrol(&self.core, &invite, &device_name).await?)
    }

    /// Starts a visit; gives its id.
    pub fn start_visit(&self, visit: NewVisit) -> Result<Uuid, GandanError> {
        Ok(self.core.start_visit(visit)?)
    }

    /// Ends a visit, with what came of it.
    pub fn end_visit(&self, visit: Uuid, summary: Option<String>) -> Result<(), GandanError> {
        Ok(self.core.end_visit(visit, summary)?)
    }

    /// Visits, newest first.
    pub fn visits(&self, limit: u32) -> Result<Vec<Visit>, GandanError> {
        Ok(self.core.visits(limit)?)
    }

    /// Records a case; gives its id and the code to say to the citizen.
    pub fn record_case(&self, case: NewCase) -> Result<Recorded, GandanError> {
        Ok(self.core.record_case(case)?)
    }

    /// Corrects a case, as far as the officer's role may.
    pub fn edit_case(&self, case: Uuid, change: CaseChange) -> Result<(), GandanError> {
        Ok(self.core.edit_case(case, change)?)
    }

    /// Voids a case recorded in error; it stays readable, with the reason.
    pub fn void_case(&self, case: Uuid, reason: String) -> Result<(), GandanError> {
        Ok(self.core.void_case(case, &reason)?)
    }

    /// Adds a note; gives its id.
    pub fn add_note(&self, case: Uuid, text: String) -> Result<Uuid, GandanError> {
        Ok(self.core.add_note(case, &text)?)
    }

    /// Attaches a JPEG, PNG or WebP image of at most 10 MiB.
    pub fn attach(
        &self,
        case: Uuid,
        name: String,
        bytes: Vec<u8>,
    ) -> Result<Attachment, GandanError> {
        Ok(self.core.attach(case, &name, &bytes)?)
    }

    /// Marks the answer brought, and what the citizen said of it.
    pub fn mark_delivered(
        &self,
        case: Uuid,
        satisfaction: Satisfaction,
    ) -> Result<(), GandanError> {
        Ok(self.core.mark_delivered(case, satisfaction)?)
    }

    /// The cases that a query asks for; search folds diacritics, exact hits come first.
    pub fn cases(&self, query: CaseQuery) -> Result<Vec<CaseSummary>, GandanError> {
        Ok(self.core.cases(&query)?)
    }

    /// One case, whole.
    pub fn case(&self, id: Uuid) -> Result<Option<CaseDetail>, GandanError> {
        Ok(self.core.case(id)?)
    }

    /// Finds a case by id, short code, official number or external reference, as typed.
    pub fn find_case(&self, typed: String) -> Result<Option<Uuid>, GandanError> {
        Ok(self.core.find_case(&typed)?)
    }

    /// Wants to see a case, as typed. Unless it is here, the next synchronisation asks the ward for it;
    /// it then stays for 30 days.
    pub fn look_up(&self, typed: String) -> Result<Look, GandanError> {
        Ok(self.core.look_up(&typed)?)
    }

    /// What became of such a wish.
    pub fn look(&self, typed: String) -> Result<Look, GandanError> {
        Ok(self.core.look(&typed)?)
    }

    /// Whether a case was fetched to be seen and goes again by itself.
    pub fn is_borrowed(&self, case: Uuid) -> Result<bool, GandanError> {
        Ok(self.core.is_borrowed(case)?)
    }

    /// The bytes of an attachment, if they are on this phone.
    pub fn attachment(&self, hash: AttachmentHash) -> Result<Option<Vec<u8>>, GandanError> {
        Ok(self.core.attachment(hash)?)
    }

    /// The next synchronisation fetches a file of a case that is not on this phone.
    pub fn request_attachment(&self, hash: AttachmentHash) -> Result<(), GandanError> {
        Ok(self.core.request_attachment(hash)?)
    }

    /// Which files come without being asked for; none at first.
    pub fn set_fetch_policy(&self, policy: FetchPolicy) -> Result<(), GandanError> {
        Ok(self.core.set_fetch_policy(policy)?)
    }

    /// Removes the bytes of every original that the ward has confirmed; records and thumbnails stay.
    /// Nothing is ever removed without this call.
    pub fn free_space(&self) -> Result<FreedSpace, GandanError> {
        Ok(self.core.free_space()?)
    }

    /// Edits and attachments without a final word of the ward.
    pub fn pending(&self) -> Result<Vec<PendingItem>, GandanError> {
        Ok(self.core.pending()?)
    }

    /// Whether this phone and the ward hold the same. Only `Synced` may be shown as synchronised.
    pub fn agreement(&self) -> Result<Agreement, GandanError> {
        Ok(self.core.agreement()?)
    }

    /// What to show to the officer at once and until it is settled, if the ward has shown an audit trail that does not
    /// go through what this phone witnessed: it was cut or written anew. In Vietnamese, with what to do.
    pub fn audit_warning(&self) -> Result<Option<String>, GandanError> {
        let shown = self.core.witnessed()?.broken_by;
        Ok(shown.map(|shown| {
            format!(
                "Nhật ký kiểm tra của phường đã bị cắt hoặc viết lại (mục {}, lúc {}). Hãy báo lãnh đạo phường và giữ nguyên điện thoại này.",
                shown.number,
                shown.at.to_vietnamese()
            )
        }))
    }

    /// Edits that the ward refused, with reason and content.
    pub fn rejected(&self) -> Result<Vec<RejectedRecord>, GandanError> {
        Ok(self.core.rejected()?.into_iter().map(Into::into).collect())
    }

    /// A standard automerge file of a case.
    pub fn export_case(&self, case: Uuid) -> Result<Option<Vec<u8>>, GandanError> {
        Ok(self.core.export_case(case)?)
    }

    /// Everything unsent or refused, sealed so that only the ward can read it. For the day a phone
    /// will not connect: hand the file to the office.
    pub fn rescue_file(&self) -> Result<Vec<u8>, GandanError> {
        Ok(self.core.rescue_file()?)
    }

    /// Rebuilds every row from its document; gives the records whose stored row differed.
    pub fn check(&self) -> Result<Vec<Uuid>, GandanError> {
        Ok(self.core.check()?)
    }

    /// Calls `observer` after every change from now on.
    pub fn observe(&self, observer: Arc<dyn ChangeObserver>) {
        self.core
            .observe(Box::new(move |change| observer.on_change(change.clone())));
    }

    /// Sends what is unsent and receives what is new.
    pub async fn sync(
        &self,
        observer: Option<Arc<dyn ProgressObserver>>,
    ) -> Result<SyncReport, GandanError> {
        let mut tell = move |progress: &Progress| {
            if let Some(observer) = &observer {
                observer.on_progress(SyncProgress::from(progress));
            }
        };
        Ok(self.client.sync(&mut tell).await?)
    }

    /// Gives this phone another key, without a visit to the office: for the time after it may have been in
    /// other hands. The old key is of no use afterwards. Needs a network; however it ends, the ward knows
    /// the key that the phone has.
    pub async fn renew_key(&self) -> Result<(), GandanError> {
        Ok(gandan_core::client::renew_key(&self.core).await?)
    }

    /// As [`Replica::sync`], then stays connected until [`Replica::leave`]: what is new comes by itself and is told
    /// to the change observers, what is recorded goes up by itself. A lost connection is tried again, with
    /// growing waits and for ever. Fails only if no attempt can help any more. A second call takes the
    /// place of the first.
    pub async fn stay(
        &self,
        observer: Option<Arc<dyn ProgressObserver>>,
    ) -> Result<(), GandanError> {
        let stay = Stay::default();
        if let Some(before) = self.staying.replace(Some(stay.clone())) {
            before.leave();
        }
        let mut tell = move |event: StayEvent| {
            if let Some(observer) = &observer {
                observer.on_progress(match event {
                    StayEvent::Progress(progress) => SyncProgress::from(&progress),
                    StayEvent::Waiting { milliseconds, .. } => {
                        SyncProgress::Waiting { milliseconds }
                    }
                });
            }
        };
        Ok(self.client.stay(&stay, &mut tell).await?)
    }

    /// Says what there is to say and ends [`Replica::stay`].
    pub fn leave(&self) {
        if let Some(stay) = self.staying.replace(None) {
            stay.leave();
        }
    }

    /// The phone has another network, or the officer wants to see news now: if the connection was lost,
    /// it is tried again at once.
    pub fn network_changed(&self) {
        self.staying.tell(Stay::network_changed);
    }
}

impl Replica {
    /// What an app holds of a store that is open.
    pub(crate) fn of(core: CoreReplica) -> Arc<Self> {
        let client = Client::new(core.clone());
        let staying = Arc::new(Staying::default());
        let told = Arc::clone(&staying);
        core.observe(Box::new(move |_| told.tell(Stay::recorded)));
        Arc::new(Self {
            core,
            client,
            staying,
        })
    }
}

/// The key of a store from the app's bytes, which are zeroised.
pub(crate) fn store_key(mut bytes: Vec<u8>) -> Result<StoreKey, GandanError> {
    let key = <[u8; 32]>::try_from(bytes.as_slice())
        .map(StoreKey::new)
        .map_err(|_| GandanError::WrongKey);
    bytes.zeroize();
    key
}

/// The words with which a person is asked whether what identifies them may be kept.
#[derive(uniffi::Record)]
pub struct ConsentText {
    /// For [`Person::consent_text`], if they say yes.
    pub version: String,
    /// To be shown or read out.
    pub vietnamese: String,
}

/// The words that are shown now.
#[uniffi::export]
#[must_use]
pub fn consent_text() -> ConsentText {
    let text = consent::current();
    ConsentText {
        version: text.version.to_owned(),
        vietnamese: text.vietnamese.to_owned(),
    }
}

/// A citizen with nothing known yet, to fill in. Its id is the case's and is set by the core.
#[uniffi::export]
#[must_use]
pub fn unknown_person() -> Person {
    Person::default()
}
