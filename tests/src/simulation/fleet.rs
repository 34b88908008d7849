//! The ward and the phones, each a [`Machine`], and what passes between them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use gandan_core::environment::Environment;
use gandan_core::model::{Area, DeviceId, Role, WardCode};
use gandan_core::policy::{Author, RejectionCode};
use gandan_core::protocol::enrolment::EnrolmentRequest;
use gandan_core::protocol::message::Refusal;
use gandan_core::replica::{CaseSummary, RejectedItem, Replica};
use gandan_core::store::rows::CaseQuery;
use gandan_core::store::{StoreError, StoreKey, connection, device};
use gandan_server::ward::{Staff, Ward};
use tempfile::TempDir;

use super::conversation::{
    Conversation, Cut, Ending, Failure, Line, NoteMeanwhile, converse, replay,
};
use super::ledger::Ledger;
use super::machine::Machine;
use super::packets::Path;
use super::world::{Clock, Dice, SimulatedEnvironment, Skew};
use super::{Plan, Tally, checks};

/// Phường Tân Hòa.
pub(super) const WARD: &str = "26995";
/// One year and a half in milliseconds: a phone whose battery died and whose date was never set.
const SKEW_MS: i64 = 47_000_000_000;
/// A hundred days: longer than a month, and than what is kept for a while.
const SEASON_MS: i64 = 100 * 24 * 60 * 60 * 1000;
/// Rounds within which everything must be equal once faults stop: everybody sends, then everybody
/// hears; a restored ward costs one more because its phones first give back what it lost.
const ROUNDS_TO_HEAL_MAX: usize = 3;
/// How likely a phone is among those for which faults stop first, in percent.
const HEALTHY_PERCENT: usize = 60;
/// The others' conversations break off before so many things have happened.
const FAILING_CUT_MAX: usize = 30;
/// How likely the ward still hears what was under way when a phone gave a conversation up, in percent.
const HALF_OPEN_PERCENT: usize = 50;
/// How likely bytes travel in datagrams, in percent: many times the work of bytes that simply arrive.
const PACKETS_PERCENT: usize = 10;
/// How likely one side speaks as a later version will, in percent.
const NEWER_PERCENT: usize = 15;
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
    /// Whether the ward has been told that it is lost.
    pub is_revoked: bool,
    /// How far its clock is off.
    pub skew: Skew,
    pub(super) machine: Machine<Replica>,
}

impl Phone {
    /// The open store.
    #[must_use]
    pub fn replica(&self) -> &Replica {
        self.machine.process()
    }

    /// Its store as it is on disk.
    ///
    /// # Panics
    /// If the store does not open.
    #[must_use]
    pub fn store(&self) -> rusqlite::Connection {
        let path = self.machine.folder().join("phone.db");
        connection::open(&path, &store_key(), device::MIGRATIONS).expect("the store opens")
    }

    /// Whether an edit that waits for the ward holds these words.
    ///
    /// # Panics
    /// If the store does not answer.
    #[must_use]
    pub fn has_unsent(&self, words: &str) -> bool {
        let holds = "SELECT EXISTS (SELECT 1 FROM outbox JOIN edits USING (position)
                     WHERE instr(bytes, CAST(?1 AS BLOB)) > 0)";
        let found = self.store().query_row(holds, [words], |row| row.get(0));
        found.expect("the store answers")
    }

    /// Whether edits are here that build on others which are not.
    ///
    /// # Panics
    /// If the store does not answer.
    #[must_use]
    pub fn waits_for_others(&self) -> bool {
        let waiting = "SELECT EXISTS (SELECT 1 FROM set_aside)";
        let found = self.store().query_row(waiting, [], |row| row.get(0));
        found.expect("the store answers")
    }

    /// Its cases, also if it has not met its ward for long, as its clock says, and would show none.
    ///
    /// # Panics
    /// If the store does not answer.
    #[must_use]
    pub fn cases(&self) -> Vec<CaseSummary> {
        self.shown(|replica| replica.cases(&CaseQuery::default()))
    }

    /// What the ward refused of it; as [`Phone::cases`].
    ///
    /// # Panics
    /// If the store does not answer.
    #[must_use]
    pub fn refused(&self) -> Vec<RejectedItem> {
        self.shown(Replica::rejected)
    }

    fn shown<T>(&self, read: impl Fn(&Replica) -> Result<T, StoreError>) -> T {
        let shown = match read(self.replica()) {
            Err(StoreError::OutOfTouch { .. }) => {
                let met = "DELETE FROM settings WHERE name = 'contact'";
                self.store().execute(met, []).expect("the store answers");
                read(self.replica())
            }
            shown => shown,
        };
        shown.expect("the store answers")
    }

    /// The device that its key names; a clone has the same.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        DeviceId::of(&self.replica().device_key())
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
    /// Which phone sends how, by what comes first.
    pub(super) dice: Dice,
    pub(super) ward: Machine<Ward>,
    /// Whether faults have stopped.
    pub(super) is_calm: bool,
    folders: usize,
    openings: u64,
    notes_meanwhile: usize,
    /// Last: the disks above are given back before it goes.
    root: TempDir,
}

impl Fleet {
    /// A ward with enrolled phones; the odd ones have a clock that is far off.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let root = tempfile::tempdir().expect("the test machine has a temporary folder");
        let clock = Clock::default();
        let environment =
            SimulatedEnvironment::new(clock.clone(), Skew::default(), Dice::new(plan.seed, 1));
        let code: WardCode = WARD.parse().expect("a ward code");
        let ward = Machine::new(root.path().join("ward"), &|folder: &std::path::Path| {
            Ward::init(folder, code, environment.clone()).map_err(|error| error.to_string())
        });
        let officer = ward
            .process()
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
            clerk,
            phones: Vec::new(),
            ledger: Ledger::default(),
            tally: Tally::default(),
            was_ward_restored: false,
            wiped_refusals: Vec::new(),
            areas: BTreeMap::new(),
            dice: Dice::new(plan.seed, 2),
            ward,
            is_calm: false,
            folders: 0,
            openings: 0,
            notes_meanwhile: 0,
            root,
        };
        let areas: Vec<Area> = AREAS.iter().map(|code| area(code)).collect();
        fleet
            .ward()
            .add_areas(&areas)
            .expect("the tree can be changed");
        for number in 0..plan.phones {
            fleet.add_phone(number);
        }
        fleet
    }

    /// The ward.
    #[must_use]
    pub fn ward(&self) -> &Ward {
        self.ward.process()
    }

    fn add_phone(&mut self, number: usize) {
        let skew = Skew::default();
        if number.is_multiple_of(2) {
            skew.set_ms(SKEW_MS);
        }
        let folder = self.new_folder("phone");
        let environment = self.environment(&skew);
        let machine = Machine::new(folder, &|folder: &std::path::Path| {
            start_phone(folder, &environment)
        });
        // A leader sees the whole ward, the others work in areas of their own.
        let name = format!("Cán bộ {number}");
        let (role, areas) = match number {
            0 => (Role::Leader, Vec::new()),
            _ => (Role::Officer, vec![AREAS[number % AREAS.len()].to_owned()]),
        };
        let officer = self
            .ward()
            .officer(&name, role, &areas)
            .expect("an officer can be added");
        self.areas.insert(name.clone(), areas);
        let invite = self
            .ward()
            .invite(officer, &["127.0.0.1:1".to_owned()], 3_600_000)
            .expect("an invite can be made");
        let phone = Phone {
            name: format!("phone {number}"),
            author: Author { officer, role },
            officer: name,
            is_revoked: false,
            skew,
            machine,
        };
        let request = EnrolmentRequest {
            token: invite.token,
            device_name: phone.name.clone(),
        };
        let enrolment = self
            .ward()
            .enrol(phone.device(), &request)
            .expect("the ward answers")
            .expect("the invite holds");
        phone
            .replica()
            .set_enrolment(&enrolment)
            .expect("the store answers");
        self.phones.push(phone);
    }

    pub(super) fn new_folder(&mut self, what: &str) -> PathBuf {
        self.folders += 1;
        self.root.path().join(format!("{what}-{}", self.folders))
    }

    /// Time and chance for one opening of a store.
    pub(super) fn environment(&mut self, skew: &Skew) -> Arc<dyn Environment> {
        self.openings += 1;
        SimulatedEnvironment::new(
            self.clock.clone(),
            skew.clone(),
            Dice::new(self.plan.seed, 1_000 + self.openings),
        )
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
        let mut conversations = Vec::new();
        let mut never_begun = Vec::new();
        for (index, (&phone, &cut)) in phones.iter().zip(cuts).enumerate() {
            let line = Line {
                cut,
                is_half_open: self.dice.percent(HALF_OPEN_PERCENT),
                is_app_newer: self.dice.percent(NEWER_PERCENT),
                is_ward_newer: self.dice.percent(NEWER_PERCENT),
                path: (!self.is_calm && self.dice.percent(PACKETS_PERCENT))
                    .then(|| Path::draw(&mut self.dice)),
            };
            self.tally.by_packets += usize::from(line.path.is_some());
            let note = notes.get(index).cloned().flatten();
            match Conversation::new(
                self.phones[phone].replica(),
                line,
                note,
                &Dice::new(self.dice.seed(), 3),
            ) {
                Ok(conversation) => {
                    conversations.push(conversation);
                    never_begun.push(None);
                }
                Err(failure) => never_begun.push(Some(failure)),
            }
        }
        let mut ended = converse(self.ward.process(), conversations, &mut self.dice).into_iter();
        let endings: Vec<Ending> = never_begun
            .into_iter()
            .map(|failure| match failure {
                None => ended.next().expect("each that began has ended"),
                failure => Ending {
                    failure,
                    ..Ending::default()
                },
            })
            .collect();
        for (&phone, ending) in phones.iter().zip(&endings) {
            match &ending.failure {
                Some(Failure::Phone(error)) => self.excuse(phone, error),
                Some(Failure::Ward(error)) => self.excuse_ward(error),
                Some(Failure::Refused(Refusal::Revoked)) => assert!(
                    self.phones[phone].is_revoked,
                    "seed {}: a phone in hand is turned away",
                    self.plan.seed
                ),
                // It was restored, and has found so in between or knows an earlier key: the phone comes again.
                Some(Failure::Refused(refusal)) if self.was_ward_restored => {
                    self.reclaim(phone, *refusal);
                }
                Some(Failure::Refused(refusal)) => self.excuse_ward(refusal),
                None => {}
            }
            if ending.is_complete {
                checks::agrees(self, phone);
            }
            self.tally.file_bytes += ending.file_bytes;
            self.tally.rebindings += ending.rebindings;
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
        self.attend();
        endings
    }

    /// Delivers the bytes of a conversation a second time: nothing may change.
    pub fn replay(&mut self, phone: usize, ending: &Ending) {
        let device = self.phones[phone].device();
        if !ending.is_complete && !self.hears(device, &ending.said) {
            return;
        }
        let before = checks::snapshot_of_ward(self.ward());
        if !self.hears(device, &ending.said) {
            return;
        }
        checks::is_unchanged(self, &before, "bytes delivered twice");
        self.tally.replays += 1;
    }

    /// Whether the ward has heard all of it: what a cut had swallowed may arrive for the first time. It
    /// has not if its disk failed in the middle.
    fn hears(&mut self, device: DeviceId, said: &[u8]) -> bool {
        if let Err(error) = replay(self.ward(), device, said) {
            self.excuse_ward(&error);
        }
        let has_heard = self.ward.failure().is_none();
        self.attend();
        has_heard
    }

    /// Faults stop: first for some, who must agree whatever the others go on suffering; then for all.
    pub fn heal(&mut self) {
        self.mend();
        let everybody: Vec<usize> = (0..self.phones.len())
            .filter(|&phone| !self.phones[phone].is_revoked)
            .collect();
        let (healthy, failing): (Vec<usize>, Vec<usize>) = everybody
            .iter()
            .partition(|_| self.dice.percent(HEALTHY_PERCENT));
        self.converge(&healthy, &failing);
        self.converge(&everybody, &[]);
    }

    /// A season goes by in which nothing happens. What is finished leaves the phones, by the steps of the
    /// feed; and when the ward wants phones to hold everything, it is there again.
    pub fn let_a_season_go_by(&mut self) {
        self.clock.advance_ms(SEASON_MS);
        for months in [Some(1), None] {
            self.ward()
                .set_months_held(months)
                .expect("an administrator can say how long phones hold");
            for phone in 0..self.phones.len() {
                if !self.phones[phone].is_revoked {
                    // That both then hold the same is looked at there.
                    let endings = self.sync(&[phone], &[None]);
                    assert!(
                        endings[0].is_complete,
                        "seed {}: a conversation after a season does not end",
                        self.plan.seed
                    );
                }
            }
            self.tally.let_go += checks::recent_is_held(self, months);
            self.look_up_what_is_not_here();
        }
    }

    /// Everybody looks for every case that their phone does not hold: what they may see is lent to them,
    /// of the rest they learn no more than that it is not there.
    fn look_up_what_is_not_here(&mut self) {
        let cases = checks::snapshot_of_ward(self.ward());
        for phone in 0..self.phones.len() {
            if self.phones[phone].is_revoked {
                continue;
            }
            let replica = self.phones[phone].replica().clone();
            for case in cases.values() {
                let code = case.code.to_string();
                replica.look_up(&code).expect("the store answers");
            }
            let endings = self.sync(&[phone], &[None]);
            assert!(endings[0].is_complete, "seed {}", self.plan.seed);
            self.tally.lent += checks::loans_are_right(self, phone, &cases);
        }
    }

    /// The healthy talk until all that they and the ward show is equal, which may not take long.
    fn converge(&mut self, healthy: &[usize], failing: &[usize]) {
        for round in 1..=ROUNDS_TO_HEAL_MAX {
            for &phone in failing {
                let cut = Some(self.dice.below(FAILING_CUT_MAX));
                let _ = self.sync(&[phone], &[cut]);
            }
            for &phone in healthy {
                let endings = self.sync(&[phone], &[None]);
                assert!(
                    endings[0].is_complete,
                    "seed {}: a conversation without faults does not end",
                    self.plan.seed
                );
            }
            self.tally.rounds_to_heal = self.tally.rounds_to_heal.max(round);
            if checks::is_converged(self, healthy) {
                return;
            }
        }
        checks::explain_divergence(self, healthy);
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
            let rejected = phone.refused();
            tally.rejections += rejected.len();
            tally.out_of_scope += rejected
                .iter()
                .filter(|item| item.reason == RejectionCode::OutOfScope)
                .count();
        }
        tally
    }
}

/// Opens a phone's store.
pub(super) fn start_phone(
    folder: &std::path::Path,
    environment: &Arc<dyn Environment>,
) -> Result<Replica, String> {
    Replica::open(folder, &store_key(), Arc::clone(environment)).map_err(|error| error.to_string())
}

/// Opens a ward's.
pub(super) fn start_ward(
    folder: &std::path::Path,
    environment: &Arc<dyn Environment>,
) -> Result<Ward, String> {
    Ward::open(folder, Arc::clone(environment)).map_err(|error| error.to_string())
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
