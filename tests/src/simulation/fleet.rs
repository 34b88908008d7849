//! The ward and the phones with their files: what a hand can do to them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gandan_core::environment::Environment;
use gandan_core::model::{Area, DeviceId, Role, WardCode};
use gandan_core::policy::{Author, RejectionCode};
use gandan_core::protocol::enrolment::EnrolmentRequest;
use gandan_core::replica::{RejectedItem, Replica};
use gandan_core::store::{StoreKey, connection, device};
use gandan_server::ward::{Staff, Ward};
use tempfile::TempDir;

use super::conversation::{Conversation, Cut, Ending, NoteMeanwhile, converse, replay};
use super::ledger::Ledger;
use super::world::{Clock, Dice, SimulatedEnvironment};
use super::{Plan, Tally, checks};

/// Phường Tân Hòa.
const WARD: &str = "26995";
/// One year and a half in milliseconds: a phone whose battery died and whose date was never set.
const SKEW_MS: i64 = 47_000_000_000;
/// Rounds within which everything must be equal once faults stop: everybody sends, then everybody
/// hears; a restored ward costs one more because its phones first give back what it lost.
const ROUNDS_TO_HEAL_MAX: usize = 3;
/// Neighbourhoods that cases lie in and officers work in.
pub const AREAS: [&str; 4] = ["kp1", "kp2", "kp3", "kp4"];

/// One phone: its files, and the store open on them.
pub struct Phone {
    /// Shown in failures.
    pub name: String,
    /// In whose name it writes.
    pub author: Author,
    /// The officer's name, by which an administrator gives other areas.
    pub officer: String,
    /// Open, except in the middle of a crash.
    pub replica: Replica,
    folder: PathBuf,
}

impl Phone {
    /// Its store as it is on disk.
    #[must_use]
    pub fn store(&self) -> rusqlite::Connection {
        let path = self.folder.join("phone.db");
        connection::open(&path, &store_key(), device::MIGRATIONS).expect("the store opens")
    }

    /// The device that its key names; a clone has the same.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        DeviceId(self.replica.device_key().verifying_key().to_bytes())
    }
}

fn store_key() -> StoreKey {
    StoreKey::new([7; 32])
}

/// The ward, its phones and everything they promised.
pub struct Fleet {
    /// The seed, for messages.
    pub plan: Plan,
    /// Time that everybody shares.
    pub clock: Clock,
    /// The ward.
    pub ward: Ward,
    /// A clerk.
    pub clerk: Staff,
    /// Every phone that is in somebody's hand.
    pub phones: Vec<Phone>,
    /// What was promised.
    pub ledger: Ledger,
    /// What happened.
    pub tally: Tally,
    /// Whether the ward lost something that only it had.
    pub was_ward_restored: bool,
    /// Refused items on phones over which an older copy was put.
    pub wiped_refusals: Vec<RejectedItem>,
    /// The areas of each officer, by name; none: the whole ward.
    pub areas: BTreeMap<String, Vec<String>>,
    dice: Dice,
    folders: usize,
    notes_meanwhile: usize,
    root: TempDir,
    ward_folder: PathBuf,
}

impl Fleet {
    /// A ward with enrolled phones; the odd ones have a clock that is far off.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let root = tempfile::tempdir().expect("the test machine has a temporary folder");
        let clock = Clock::default();
        let ward_folder = root.path().join("ward");
        let environment = SimulatedEnvironment::new(clock.clone(), 0, Dice::new(plan.seed, 1));
        let code: WardCode = WARD.parse().expect("a ward code");
        let ward = Ward::init(&ward_folder, code, environment).expect("a ward can be made");
        let officer = ward
            .officer("Ngô Thị Hạnh", Role::Triage, &[])
            .expect("an officer can be added");
        let clerk = Staff {
            author: Author {
                officer,
                role: Role::Triage,
            },
            login: "hanh".to_owned(),
            name: "Ngô Thị Hạnh".to_owned(),
        };
        let mut fleet = Self {
            plan,
            clock,
            ward,
            clerk,
            phones: Vec::new(),
            ledger: Ledger::default(),
            tally: Tally::default(),
            was_ward_restored: false,
            wiped_refusals: Vec::new(),
            areas: BTreeMap::new(),
            dice: Dice::new(plan.seed, 2),
            folders: 0,
            notes_meanwhile: 0,
            root,
            ward_folder,
        };
        let areas: Vec<Area> = AREAS.iter().map(|code| area(code)).collect();
        fleet
            .ward
            .add_areas(&areas)
            .expect("the tree can be changed");
        for number in 0..plan.phones {
            fleet.add_phone(number);
        }
        fleet
    }

    fn add_phone(&mut self, number: usize) {
        let folder = self.new_folder("phone");
        let replica = self.open(&folder);
        // A leader sees the whole ward, the others work in areas of their own.
        let name = format!("Cán bộ {number}");
        let (role, areas) = match number {
            0 => (Role::Leader, Vec::new()),
            _ => (Role::Officer, vec![AREAS[number % AREAS.len()].to_owned()]),
        };
        let officer = self
            .ward
            .officer(&name, role, &areas)
            .expect("an officer can be added");
        self.areas.insert(name.clone(), areas);
        let invite = self
            .ward
            .invite(officer, &["127.0.0.1:1".to_owned()], 3_600_000)
            .expect("an invite can be made");
        let device = DeviceId(replica.device_key().verifying_key().to_bytes());
        let request = EnrolmentRequest {
            token: invite.token,
            device_name: format!("phone {number}"),
        };
        let enrolment = self
            .ward
            .enrol(device, &request)
            .expect("the ward answers")
            .expect("the invite holds");
        replica
            .set_enrolment(&enrolment)
            .expect("the store answers");
        self.phones.push(Phone {
            name: format!("phone {number}"),
            author: Author { officer, role },
            officer: name,
            replica,
            folder,
        });
    }

    /// An administrator gives the officer of a phone other areas.
    pub fn reassign(&mut self, phone: usize, areas: Vec<String>) {
        let phone = &self.phones[phone];
        if phone.author.role != Role::Officer {
            return;
        }
        self.ward
            .set_areas(&phone.officer, &areas)
            .expect("areas can be given");
        self.areas.insert(phone.officer.clone(), areas);
        self.tally.reassignments += 1;
    }

    fn new_folder(&mut self, what: &str) -> PathBuf {
        self.folders += 1;
        self.root.path().join(format!("{what}-{}", self.folders))
    }

    /// Opens a store; chance and clock are this opening's own.
    fn open(&self, folder: &Path) -> Replica {
        let opening = u64::try_from(self.folders).expect("few folders");
        let skew_ms = if opening.is_multiple_of(2) {
            SKEW_MS
        } else {
            0
        };
        let environment: Arc<dyn Environment> = SimulatedEnvironment::new(
            self.clock.clone(),
            skew_ms,
            Dice::new(self.plan.seed, 1_000 + opening),
        );
        Replica::open(folder, &store_key(), environment).expect("the store opens")
    }

    /// A conversation of each phone named, all at once; `cuts` says where each breaks off.
    pub fn sync(&mut self, phones: &[usize], cuts: &[Cut]) -> Vec<Ending> {
        self.converse(phones, cuts, &[])
    }

    /// The same, and meanwhile officers may write.
    pub fn sync_at_work(&mut self, phones: &[usize], cuts: &[Cut]) -> Vec<Ending> {
        let notes: Vec<_> = phones
            .iter()
            .map(|_| {
                self.notes_meanwhile += 1;
                let words = format!("Ghi khi máy đang gửi số {}", self.notes_meanwhile);
                let after = self.dice.below(25);
                self.dice
                    .percent(40)
                    .then_some(NoteMeanwhile { after, words })
            })
            .collect();
        self.converse(phones, cuts, &notes)
    }

    fn converse(
        &mut self,
        phones: &[usize],
        cuts: &[Cut],
        notes: &[Option<NoteMeanwhile>],
    ) -> Vec<Ending> {
        let conversations = phones
            .iter()
            .zip(cuts)
            .enumerate()
            .map(|(index, (&phone, &cut))| {
                let note = notes.get(index).cloned().flatten();
                Conversation::new(&self.phones[phone].replica, cut, note)
            })
            .collect();
        let endings = converse(&self.ward, conversations, &mut self.dice);
        for (&phone, ending) in phones.iter().zip(&endings) {
            if ending.is_complete {
                checks::agrees(self, phone);
            }
            self.tally.file_bytes += ending.file_bytes;
            if let Some((case, words)) = &ending.noted {
                self.ledger.noted(*case, words);
                self.tally.notes_meanwhile += 1;
            }
            if ending.is_complete {
                self.tally.conversations += 1;
            } else {
                self.tally.cuts += 1;
                self.tally.file_cuts += usize::from(ending.file_bytes > 0);
            }
        }
        endings
    }

    /// Delivers the bytes of a conversation a second time: nothing may change.
    pub fn replay(&mut self, phone: usize, ending: &Ending) {
        let said = &ending.said;
        if !ending.is_complete {
            // What the cut has swallowed arrives now for the first time.
            replay(&self.ward, self.phones[phone].device(), said);
        }
        let before = checks::snapshot_of_ward(&self.ward);
        replay(&self.ward, self.phones[phone].device(), said);
        assert_eq!(
            before,
            checks::snapshot_of_ward(&self.ward),
            "seed {}: bytes delivered twice changed the ward",
            self.plan.seed
        );
        self.tally.replays += 1;
    }

    /// The power of a phone goes: what is on disk at this instant is all that is left.
    pub fn crash(&mut self, phone: usize) {
        let folder = self.new_folder("crashed");
        copy(&self.phones[phone].folder, &folder);
        self.phones[phone].replica = self.open(&folder);
        self.phones[phone].folder = folder;
        self.tally.crashes += 1;
    }

    /// Somebody copies a phone onto a second one; both go on.
    pub fn clone_phone(&mut self, phone: usize) {
        let folder = self.new_folder("clone");
        copy(&self.phones[phone].folder, &folder);
        let replica = self.open(&folder);
        self.phones.push(Phone {
            name: format!("clone {} of {}", self.folders, self.phones[phone].name),
            author: self.phones[phone].author,
            officer: self.phones[phone].officer.clone(),
            replica,
            folder,
        });
        self.tally.clones += 1;
    }

    /// A copy of a phone's files, to be put back later.
    pub fn back_up_phone(&mut self, phone: usize) -> PathBuf {
        let folder = self.new_folder("backup");
        copy(&self.phones[phone].folder, &folder);
        folder
    }

    /// A phone is put back from an old copy, after it had told the ward everything.
    pub fn restore_phone(&mut self, phone: usize, backup: &Path) {
        let folder = self.new_folder("restored");
        copy(backup, &folder);
        // What the ward refused is on the phone alone: whoever puts an older copy over it takes it away.
        let refused = self.phones[phone].replica.rejected();
        self.wiped_refusals
            .extend(refused.expect("the store answers"));
        self.phones[phone].replica = self.open(&folder);
        self.phones[phone].folder = folder;
        self.tally.phone_restores += 1;
    }

    /// A copy of the ward's files, to be put back later.
    pub fn back_up_ward(&mut self) -> PathBuf {
        let folder = self.new_folder("ward-backup");
        copy(&self.ward_folder, &folder);
        folder
    }

    /// The ward is put back from an old copy: files swapped, nobody is told.
    pub fn restore_ward(&mut self, backup: &Path) {
        let folder = self.new_folder("ward-restored");
        copy(backup, &folder);
        let purpose = 500 + u64::try_from(self.folders).expect("few folders");
        let environment =
            SimulatedEnvironment::new(self.clock.clone(), 0, Dice::new(self.plan.seed, purpose));
        self.ward = Ward::open(&folder, environment).expect("the ward opens");
        self.ward_folder = folder;
        self.was_ward_restored = true;
        // The administrator notices that the areas are those of the backup.
        for (name, areas) in &self.areas {
            if !areas.is_empty()
                || self
                    .phones
                    .iter()
                    .any(|phone| phone.officer == *name && phone.author.role == Role::Officer)
            {
                self.ward
                    .set_areas(name, areas)
                    .expect("areas can be given");
            }
        }
        self.tally.ward_restores += 1;
    }

    /// Faults stop: everybody talks to the ward until all is equal, which may not take long.
    pub fn heal(&mut self) {
        let everybody: Vec<usize> = (0..self.phones.len()).collect();
        for round in 1..=ROUNDS_TO_HEAL_MAX {
            for &phone in &everybody {
                let endings = self.sync(&[phone], &[None]);
                assert!(
                    endings[0].is_complete,
                    "seed {}: a conversation without faults does not end",
                    self.plan.seed
                );
            }
            self.tally.rounds_to_heal = round;
            if checks::is_converged(self) {
                return;
            }
        }
        checks::explain_divergence(self);
    }

    /// What happened so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = self.tally;
        tally.cases = self.ledger.cases.len();
        tally.notes = self.ledger.note_count;
        tally.files = self.ledger.file_count;
        let needed: usize = self.ledger.file_bytes.values().sum();
        tally.resent_bytes = tally.file_bytes.saturating_sub(needed);
        for phone in &self.phones {
            let rejected = phone.replica.rejected().expect("the store answers");
            tally.rejections += rejected.len();
            tally.out_of_scope += rejected
                .iter()
                .filter(|item| item.reason == RejectionCode::OutOfScope)
                .count();
        }
        tally
    }
}

fn area(code: &str) -> Area {
    Area {
        code: code.to_owned(),
        name: format!("Khu phố {code}"),
        type_label: "khu phố".to_owned(),
        parent: None,
        old_names: Vec::new(),
        valid_from: "2025-07-01".to_owned(),
        valid_to: None,
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the file can be copied");
        }
    }
}
