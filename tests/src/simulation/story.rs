//! What happens next: people at work, and the world that gets in their way.

use std::path::PathBuf;

use gandan_core::document::schema::{self, field};
use gandan_core::edit::Value;
use gandan_core::model::{
    AttachmentHash, Confidentiality, DocumentId, Person, Role, Status, Urgency,
};
use gandan_core::replica::{CaseChange, NewCase, RecordError};
use gandan_core::store::StoreError;
use gandan_core::store::rows::{self, CaseQuery, CaseRow};
use gandan_server::app;
use gandan_server::ward::WardError;
use uuid::Uuid;

use crate::disk::Fault;

use super::Plan;
use super::fleet::{AREAS, Fleet};
use super::world::Dice;

/// Which of the two histories is set back in this seed. Never both: what only a wiped phone and a
/// wiped ward held is gone by the hand of man, and no engine can promise it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SetBack {
    Phone,
    Ward,
}

/// Phones and clones beyond that share an album.
const PHOTO_ALBUMS: usize = 8;

/// Largest photo: a dozen parts, three chunks.
const PHOTO_BYTES_MAX: usize = 200_000;

/// A disk that is told to fail does so within so many operations.
const DISK_OPERATIONS: usize = 160;

/// How far clocks are off, in milliseconds: right; a day ahead and behind; ten years; the phone's
/// battery was empty and it believes in 1970.
const SKEWS_MS: [i64; 6] = [
    0,
    86_400_000,
    -86_400_000,
    315_576_000_000,
    -315_576_000_000,
    -1_772_413_200_000,
];

/// Draws events.
pub struct Story {
    dice: Dice,
    set_back: SetBack,
    phone_backup: Option<(usize, PathBuf)>,
    ward_backup: Option<PathBuf>,
    /// At most one phone is lost in a story.
    has_lost_phone: bool,
    words: usize,
    /// What each phone has attached.
    photos: [Vec<Vec<u8>>; PHOTO_ALBUMS],
}

impl Story {
    /// The story of a seed.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let mut dice = Dice::new(plan.seed, 0);
        let set_back = *dice.pick(&[SetBack::Phone, SetBack::Ward]);
        Self {
            dice,
            set_back,
            phone_backup: None,
            ward_backup: None,
            has_lost_phone: false,
            words: 0,
            photos: Default::default(),
        }
    }

    /// The next thing.
    pub fn step(&mut self, fleet: &mut Fleet) {
        let pause_ms = i64::try_from(self.dice.below(3_600_000)).expect("an hour fits");
        fleet.clock.advance_ms(pause_ms);
        let phone = self.dice.below(fleet.phones.len());
        match self.dice.below(119) {
            0..18 => self.record(fleet, phone),
            18..24 => self.attach(fleet, phone),
            24..27 => self.look_at_photos(fleet, phone),
            27..37 => self.work_on_a_case(fleet, phone),
            37..47 => self.clerk_works(fleet),
            47..52 => self.clerk_sorts(fleet),
            52..55 => self.reassign(fleet, phone),
            55..58 => self.lose_under_the_hand(fleet, phone),
            58..76 => self.sync(fleet, phone),
            76..81 => self.sync_together(fleet),
            81..86 => fleet.crash(phone),
            86..89 if fleet.phones.len() < fleet.plan.phones + 2 => fleet.clone_phone(phone),
            86..100 => self.set_back(fleet, phone),
            100..109 => self.break_a_disk(fleet, phone),
            109..111 => fleet.set_clock(phone, *self.dice.pick(&SKEWS_MS)),
            111..113 => {
                if let Some(case) = self.some_case(fleet, phone) {
                    fleet.poison(phone, case);
                }
            }
            113 => self.lose_phone(fleet, phone),
            114..117 => self.purge(fleet),
            // An old copy of a phone would come back with a key that is locked out.
            _ if self.set_back == SetBack::Phone => {}
            _ => fleet.renew_key(phone),
        }
        fleet.attend();
    }

    /// Before the faults stop: an administrator lets numbering go on.
    pub fn finish(&mut self, fleet: &mut Fleet) {
        fleet.mend();
        if fleet.was_ward_restored {
            let everybody: Vec<usize> = (0..fleet.phones.len()).collect();
            for &phone in &everybody {
                let _ = fleet.sync(&[phone], &[None]);
            }
            fleet
                .ward()
                .resume_numbering()
                .expect("an administrator can go on");
        }
    }

    fn words(&mut self, what: &str) -> String {
        self.words += 1;
        format!("{what} số {}", self.words)
    }

    fn record(&mut self, fleet: &mut Fleet, phone: usize) {
        let text = self.words("Nước ngập hẻm");
        let citizen = self.dice.percent(60).then(|| Person {
            name: Some(self.words("Bà Thịnh")),
            ..Person::default()
        });
        let recorded = fleet.phones[phone].replica().record_case(NewCase {
            text: text.clone(),
            category: "flooding".to_owned(),
            area: Some((*self.dice.pick(&AREAS)).to_owned()),
            citizen,
            ..NewCase::default()
        });
        match recorded {
            Ok(recorded) => {
                fleet.ledger.recorded(recorded.id, &text);
                fleet.ledger.promise(recorded.id).is_of_lost_phone = fleet.phones[phone].is_revoked;
            }
            Err(error) => fleet.excuse(phone, &error),
        }
        fleet.attend();
    }

    fn some_case(&mut self, fleet: &Fleet, phone: usize) -> Option<Uuid> {
        let cases = match fleet.phones[phone].replica().cases(&CaseQuery::default()) {
            Ok(cases) => cases,
            // Its clock jumped: it shows nothing before it meets its ward.
            Err(StoreError::OutOfTouch { .. }) => return None,
            // A reader of a phone that is out of touch may be the first to note the day, on a
            // disk that fails just then.
            Err(error) => {
                fleet.excuse(phone, &error);
                return None;
            }
        };
        (!cases.is_empty()).then(|| self.dice.pick(&cases).row.case.id)
    }

    fn work_on_a_case(&mut self, fleet: &mut Fleet, phone: usize) {
        let Some(case) = self.some_case(fleet, phone) else {
            return;
        };
        let words = self.words("Ghi thêm");
        let replica = fleet.phones[phone].replica().clone();
        let done: Result<(), RecordError> = match self.dice.below(10) {
            0..4 => replica.add_note(case, &words).map(|_| {
                if !fleet.phones[phone].is_revoked {
                    fleet.ledger.noted(case, &words);
                }
            }),
            4..6 => {
                let counted = replica.edit_case(
                    case,
                    CaseChange {
                        households_by: Some(1),
                        ..CaseChange::default()
                    },
                );
                match &counted {
                    Ok(()) if !fleet.phones[phone].is_revoked => fleet.ledger.counted(case, 1),
                    Err(RecordError::NotAllowed(_)) => {}
                    Ok(()) | Err(_) => fleet.ledger.maybe_counted(case, 1),
                }
                counted
            }
            6..7 => replica.edit_case(
                case,
                CaseChange {
                    urgency: Some(*self.dice.pick(Urgency::ALL)),
                    ..CaseChange::default()
                },
            ),
            7..9 => {
                let text = replica
                    .case(case)
                    .expect("the store answers")
                    .map(|detail| format!("{} ({words})", detail.case.text));
                // Whatever comes of it, these are not the words that were recorded.
                fleet.ledger.promise(case).text.clear();
                replica.edit_case(
                    case,
                    CaseChange {
                        text,
                        ..CaseChange::default()
                    },
                )
            }
            _ => replica.void_case(case, &words),
        };
        drop(replica);
        match done {
            Ok(()) | Err(RecordError::NotAllowed(_)) => {}
            Err(error) => fleet.excuse(phone, &error),
        }
        fleet.attend();
    }

    /// A photo of up to a dozen parts; now and then one that was attached before.
    fn attach(&mut self, fleet: &mut Fleet, phone: usize) {
        let Some(case) = self.some_case(fleet, phone) else {
            return;
        };
        let own = &self.photos[phone % PHOTO_ALBUMS];
        let bytes = if !own.is_empty() && self.dice.percent(20) {
            self.dice.pick(own).clone()
        } else {
            let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
            let length = 8 + self.dice.below(PHOTO_BYTES_MAX);
            self.words += 1;
            let mut content = blake3::Hasher::new()
                .update(&self.words.to_be_bytes())
                .finalize_xof();
            bytes.resize(length, 0);
            content.fill(&mut bytes[8..]);
            bytes
        };
        match fleet.phones[phone]
            .replica()
            .attach(case, "anh.png", &bytes)
        {
            Ok(attachment) if fleet.phones[phone].is_revoked => {
                fleet.ledger.maybe_attached(case, attachment.hash, bytes);
            }
            Ok(attachment) => {
                fleet.ledger.attached(case, attachment.hash, bytes.clone());
                self.photos[phone % PHOTO_ALBUMS].push(bytes);
            }
            Err(RecordError::NotAllowed(_)) => {}
            Err(error) => {
                fleet.excuse(phone, &error);
                let hash = AttachmentHash(*blake3::hash(&bytes).as_bytes());
                fleet.ledger.maybe_attached(case, hash, bytes);
            }
        }
        fleet.attend();
    }

    /// Somebody wants to see a case's photos, or the phone is full. What only a wiped ward held is gone,
    /// so a phone is emptied only where no ward is set back.
    fn look_at_photos(&mut self, fleet: &mut Fleet, phone: usize) {
        let replica = fleet.phones[phone].replica().clone();
        if self.set_back == SetBack::Phone && self.dice.percent(60) {
            match replica.free_space() {
                Ok(freed) => {
                    fleet.tally.freed_files += usize::try_from(freed.files).expect("few files");
                }
                Err(error) => fleet.excuse(phone, &error),
            }
            return;
        }
        let Some(case) = self.some_case(fleet, phone) else {
            return;
        };
        let detail = replica.case(case).expect("the store answers");
        for file in detail.into_iter().flat_map(|detail| detail.attachments) {
            if let Err(error) = replica.request_attachment(file.hash) {
                fleet.excuse(phone, &error);
                return;
            }
        }
    }

    /// A case turns out to be a denunciation, or whoever told of it wants to be forgotten.
    fn purge(&mut self, fleet: &mut Fleet) {
        let rows = cases_of_ward(fleet);
        if rows.is_empty() {
            return;
        }
        let case = self.dice.pick(&rows).case.id;
        fleet.purge(if self.dice.percent(50) {
            DocumentId::case(case)
        } else {
            DocumentId::person_of(case)
        });
        fleet.attend();
    }

    fn clerk_works(&mut self, fleet: &mut Fleet) {
        let rows = cases_of_ward(fleet);
        if rows.is_empty() {
            return;
        }
        let case = self.dice.pick(&rows).case.clone();
        let (ward, clerk) = (fleet.ward(), &fleet.clerk);
        let done = match case.status {
            Status::Recorded => app::accept(ward, clerk, case.id).map(|_| ()),
            Status::Accepted => app::assign(ward, clerk, case.id, "economy", Some("Ông Tâm")),
            Status::InProgress => app::answer(ward, clerk, case.id, "Đã nạo vét cống"),
            Status::Answered => app::close(ward, clerk, case.id),
            _ => Ok(()),
        };
        match done {
            Ok(()) | Err(WardError::NumberingPaused | WardError::NotAllowed(_)) => {}
            Err(error) => fleet.excuse_ward(&error),
        }
        fleet.attend();
    }

    /// An officer works on cases while others take them away, and then the phone talks.
    fn lose_under_the_hand(&mut self, fleet: &mut Fleet, phone: usize) {
        for _ in 0..3 {
            self.work_on_a_case(fleet, phone);
        }
        self.reassign(fleet, phone);
        self.clerk_sorts(fleet);
        self.sync(fleet, phone);
    }

    /// The clerk finds that a case lies elsewhere, or that not everybody may see it.
    fn clerk_sorts(&mut self, fleet: &mut Fleet) {
        let rows = cases_of_ward(fleet);
        if rows.is_empty() {
            return;
        }
        let case = self.dice.pick(&rows).case.clone();
        let operation = if self.dice.percent(65) {
            fleet.tally.moves += 1;
            schema::set(
                field::AREA,
                schema::text_value(Some(*self.dice.pick(&AREAS))),
            )
        } else {
            fleet.tally.restrictions += 1;
            let other = match case.confidentiality {
                Confidentiality::Normal => Confidentiality::Restricted,
                Confidentiality::Restricted => Confidentiality::Normal,
            };
            schema::set(
                field::CONFIDENTIALITY,
                schema::text_value(Some(other.code())),
            )
        };
        let mut operations = vec![operation];
        if self.dice.percent(20) {
            // A later console writes what nobody here knows; it must go round all the same.
            let later = Value::Text(self.words("sau này"));
            operations.push(schema::set("later_field", later));
        }
        let sorted = fleet
            .ward()
            .author(fleet.clerk.author, DocumentId::case(case.id), operations);
        if let Err(error) = sorted {
            fleet.excuse_ward(&error);
        }
        fleet.attend();
    }

    /// An officer is given other areas: some, another one, or the whole ward.
    fn reassign(&mut self, fleet: &mut Fleet, phone: usize) {
        let mut areas: Vec<String> = AREAS.iter().map(|&area| area.to_owned()).collect();
        areas.retain(|_| self.dice.percent(45));
        fleet.reassign(phone, areas);
    }

    fn sync(&mut self, fleet: &mut Fleet, phone: usize) {
        // Long enough that many a photo is cut in its middle.
        let longest = *self.dice.pick(&[40, 40, 160]);
        let cut = self.dice.percent(50).then(|| self.dice.below(longest));
        let ending = fleet.sync_at_work(&[phone], &[cut]).remove(0);
        if self.dice.percent(25) {
            fleet.replay(phone, &ending);
        }
        if self.dice.percent(25) {
            fleet.crash(phone);
        }
    }

    fn sync_together(&mut self, fleet: &mut Fleet) {
        let everybody: Vec<usize> = (0..fleet.phones.len()).collect();
        let cuts: Vec<_> = everybody
            .iter()
            .map(|_| self.dice.percent(30).then(|| self.dice.below(60)))
            .collect();
        let _ = fleet.sync_at_work(&everybody, &cuts);
    }

    /// A disk fails soon: the power goes, there is no room, or one operation is lost.
    fn break_a_disk(&mut self, fleet: &mut Fleet, phone: usize) {
        let at = u64::try_from(1 + self.dice.below(DISK_OPERATIONS)).expect("few operations");
        let fault = match self.dice.below(5) {
            0..3 => Fault::PowerLoss { at },
            3 => Fault::Full { at },
            _ => Fault::Error { at },
        };
        if self.dice.percent(40) {
            fleet.ward.plan(Some(fault));
        } else {
            fleet.phones[phone].machine.plan(Some(fault));
        }
    }

    /// A phone is lost with what it has not sent. The leader's is not: somebody must see the whole.
    fn lose_phone(&mut self, fleet: &mut Fleet, phone: usize) {
        if self.has_lost_phone || fleet.phones[phone].author.role == Role::Leader {
            return;
        }
        self.has_lost_phone = true;
        fleet.revoke(phone);
    }

    fn set_back(&mut self, fleet: &mut Fleet, phone: usize) {
        match self.set_back {
            SetBack::Phone => match self.phone_backup.take() {
                None => self.phone_backup = Some((phone, fleet.back_up_phone(phone))),
                Some((phone, backup)) => {
                    let endings = fleet.sync(&[phone], &[None]);
                    if endings[0].is_complete {
                        fleet.restore_phone(phone, &backup);
                    }
                }
            },
            SetBack::Ward => match self.ward_backup.take() {
                None => self.ward_backup = Some(fleet.back_up_ward()),
                Some(backup) => fleet.restore_ward(&backup),
            },
        }
    }
}

/// What the office has in its list.
fn cases_of_ward(fleet: &Fleet) -> Vec<CaseRow> {
    fleet
        .ward()
        .read(|connection| rows::cases(connection, &CaseQuery::default()))
        .expect("the ward answers")
}
