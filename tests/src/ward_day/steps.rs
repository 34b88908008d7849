//! A phone and a ward in one process, and each step of what passes between them as a call of its own.
//! Measures nothing.

use std::path::Path;
use std::sync::Arc;

use gandan_core::environment::SystemEnvironment;
use gandan_core::model::{BundleId, DeviceId, Role, WardKey};
use gandan_core::protocol::enrolment::EnrolmentRequest;
use gandan_core::protocol::feed::{Cursor, Page};
use gandan_core::protocol::initiator::{DeviceAnswer, DeviceCommand, OutgoingBundle};
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use gandan_core::protocol::verdict::Verdict;
use gandan_core::replica::Replica;
use gandan_core::store::StoreKey;
use gandan_server::ward::Ward;

use super::{invented, words};

/// An hour.
const INVITE_MS: i64 = 3_600_000;

/// A new ward, its store under `root`.
///
/// # Errors
/// In words.
pub fn ward(root: &Path) -> Result<Ward, String> {
    let code = "26995".parse().map_err(|_| "no ward code")?;
    Ward::init(&root.join("ward"), code, Arc::new(SystemEnvironment)).map_err(words)
}

/// A phone in this process.
pub struct Phone {
    /// Its store.
    pub replica: Replica,
    device: DeviceId,
    ward_key: WardKey,
}

impl Phone {
    /// Enrolled with the ward, its store under `root`.
    ///
    /// # Errors
    /// In words.
    pub fn enrol(root: &Path, name: &str, ward: &Ward, role: Role) -> Result<Self, String> {
        let environment = Arc::new(SystemEnvironment);
        let replica =
            Replica::open(&root.join(name), &StoreKey::new([7; 32]), environment).map_err(words)?;
        let device = DeviceId::of(&replica.device_key());
        let officer = ward.officer(name, role, &[]).map_err(words)?;
        let invite = ward
            .invite(officer, &["127.0.0.1:1".to_owned()], INVITE_MS)
            .map_err(words)?;
        let request = EnrolmentRequest {
            token: invite.token,
            device_name: name.to_owned(),
        };
        let enrolled = ward.enrol(device, &request).map_err(words)?;
        let enrolment = enrolled.map_err(|_| "the invite does not hold")?;
        replica.set_enrolment(&enrolment).map_err(words)?;
        Ok(Self {
            replica,
            device,
            ward_key: enrolment.ward_key,
        })
    }

    /// Records so many invented cases; other ones for another `seed`.
    ///
    /// # Errors
    /// In words.
    pub fn record(&self, count: usize, seed: u64) -> Result<(), String> {
        for case in invented::cases(count, seed) {
            self.replica.record_case(case.to_form()?).map_err(words)?;
        }
        Ok(())
    }

    /// Begins a conversation; gives how far this phone has read the feed.
    ///
    /// # Errors
    /// In words.
    pub fn begin(&self) -> Result<Cursor, String> {
        let opening = self.replica.begin_conversation("steps").map_err(words)?;
        Ok(opening.ok_or("not enrolled")?.cursor)
    }

    fn ask(&self, command: DeviceCommand) -> Result<DeviceAnswer, String> {
        self.replica.execute(command).map_err(words)
    }

    /// The next bundle of what is unsent.
    ///
    /// # Errors
    /// In words.
    pub fn seal(&self) -> Result<Option<OutgoingBundle>, String> {
        match self.ask(DeviceCommand::NextBundle)? {
            DeviceAnswer::Bundle(bundle) => Ok(bundle),
            _ => Err("the phone seals nothing".to_owned()),
        }
    }

    /// What the ward says of a bundle.
    ///
    /// # Errors
    /// In words.
    pub fn admit(&self, ward: &Ward, sealed: Vec<u8>) -> Result<Vec<Verdict>, String> {
        match ward.execute(self.device, WardCommand::Admit(sealed)) {
            Ok(WardAnswer::Verdicts(verdicts)) => Ok(verdicts),
            _ => Err("the ward does not admit".to_owned()),
        }
    }

    /// Takes what the ward says of a bundle.
    ///
    /// # Errors
    /// In words.
    pub fn hear(&self, bundle: BundleId, verdicts: Vec<Verdict>) -> Result<(), String> {
        let command = DeviceCommand::RecordVerdicts { bundle, verdicts };
        self.ask(command).map(drop)
    }

    /// The next page after a cursor; `None` at the end of the feed.
    ///
    /// # Errors
    /// In words.
    pub fn read(&self, ward: &Ward, cursor: Cursor) -> Result<Option<Box<Page>>, String> {
        match ward.execute(self.device, WardCommand::ReadFeed(cursor)) {
            Ok(WardAnswer::Page(page)) => Ok(page),
            Ok(WardAnswer::CaughtUp(_)) => Ok(None),
            _ => Err("the ward gives no page".to_owned()),
        }
    }

    /// A page from its bytes.
    ///
    /// # Errors
    /// In words.
    pub fn open(&self, sealed: &[u8]) -> Result<Page, String> {
        Page::open(self.ward_key, sealed).map_err(words)
    }

    /// Takes a page.
    ///
    /// # Errors
    /// In words.
    pub fn apply(&self, page: Page) -> Result<(), String> {
        self.ask(DeviceCommand::ApplyPage(Box::new(page))).map(drop)
    }
}
