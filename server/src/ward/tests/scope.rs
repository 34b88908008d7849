//! What a device is told when its scope changes, page by page. The device here keeps what the pages
//! say and nothing else, so it holds exactly what `docs/wire.md` lets it hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gandan_core::document::schema::{self, field};
use gandan_core::edit::EncodedEdit;
use gandan_core::model::{
    Confidentiality, DocumentId, DocumentKind, EditId, IntentId, Role, Status,
};
use gandan_core::protocol::agreement::EditSum;
use gandan_core::protocol::feed::{Cursor, Page};
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use gandan_core::protocol::verdict::Verdict;

use super::fixture::World;
use super::phone::Phone;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

const AREAS: [&str; 3] = ["26995", "26998", "27001"];

/// A device that only reads.
#[derive(Default)]
struct Holder {
    documents: BTreeMap<DocumentId, BTreeSet<EditId>>,
    doubtful: BTreeSet<DocumentId>,
    cursor: Cursor,
    pages: usize,
}

impl Holder {
    /// Reads one page; `false`: there is none.
    fn read_page(&mut self, world: &World, phone: &Phone) -> bool {
        let command = WardCommand::ReadFeed(self.cursor.clone());
        match world.ward.execute(phone.device(), command).unwrap() {
            WardAnswer::Page(Some(page)) => self.take(&page),
            WardAnswer::CaughtUp(said) => {
                let edits = self.documents.values().flatten().copied();
                let held: EditSum = edits.collect();
                assert_eq!(held.digest(), said, "the device holds what the ward says");
                assert!(world.ward.are_sums_right().unwrap());
                return false;
            }
            other => panic!("no page but {other:?}"),
        }
        true
    }

    fn read(&mut self, world: &World, phone: &Phone) {
        while self.read_page(world, phone) {}
    }

    fn take(&mut self, page: &Page) {
        if page.scope.is_beginning {
            self.doubtful = self.documents.keys().copied().collect();
        }
        for document in &page.scope.forgotten {
            self.documents.remove(document);
        }
        for (entry, body) in page.proof.entries.iter().zip(&page.bodies) {
            let body = body.as_ref().expect("this device writes nothing");
            let edit = EncodedEdit::decode(body).unwrap();
            let document = edit.edit().document;
            self.doubtful.remove(&document);
            let held = self.documents.entry(document).or_default();
            for dependency in &edit.edit().dependencies {
                assert!(
                    held.contains(dependency),
                    "an edit comes before what it builds on"
                );
            }
            held.insert(entry.edit);
        }
        if page.scope.is_end {
            for document in std::mem::take(&mut self.doubtful) {
                self.documents.remove(&document);
            }
        }
        let cursor = page.cursor.clone().expect("the feed moves on");
        assert_ne!(cursor, self.cursor, "a page that does not move on");
        self.cursor = cursor;
        self.pages += 1;
    }

    fn cases(&self) -> Vec<DocumentId> {
        self.documents.keys().copied().collect()
    }
}

fn give_areas(world: &World, areas: &[&str]) {
    let areas: Vec<String> = areas.iter().map(|&area| area.to_owned()).collect();
    world.ward.set_areas("Cán bộ 2", &areas).unwrap();
}

fn send(world: &World, phone: &Phone, edit: &EncodedEdit) {
    let verdicts = phone.send(&world.ward, std::slice::from_ref(edit));
    assert!(matches!(verdicts[..], [Verdict::Accepted { .. }]));
}

#[test]
fn an_officer_who_loses_areas_is_told_what_to_forget() {
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let reader = Phone::enrol(&world, 2, Role::Officer, &["26995", "26998"]);
    let mut holder = Holder::default();
    let gone = desk.case("Ngập", Some("26998"));
    let kept = desk.case("Rác", Some("26995"));
    for edit in [&gone, &kept] {
        send(&world, &desk, edit);
    }
    holder.read(&world, &reader);
    assert_eq!(holder.documents.len(), 2);
    give_areas(&world, &["26995"]);
    let pages = holder.pages;
    holder.read(&world, &reader);
    assert_eq!(holder.cases(), [kept.edit().document]);
    assert_eq!(holder.pages, pages + 1, "nothing else is said");
}

#[test]
fn a_case_that_went_and_came_back_while_the_phone_was_away_is_whole() {
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let reader = Phone::enrol(&world, 2, Role::Officer, &["26995"]);
    let mut holder = Holder::default();
    let case = desk.case("Ngập", Some("26995"));
    send(&world, &desk, &case);
    holder.read(&world, &reader);
    let away = desk.set(&case, field::AREA, "26998");
    let note = desk.note(&away, "ở nơi khác");
    let back = desk.set(&note, field::AREA, "26995");
    for edit in [&away, &note, &back] {
        send(&world, &desk, edit);
    }
    holder.read(&world, &reader);
    let all = [&case, &away, &note, &back].map(EncodedEdit::id);
    assert_eq!(holder.documents[&case.edit().document], BTreeSet::from(all));
}

#[test]
fn a_history_that_does_not_fit_a_page_comes_over_several_and_goes_if_it_is_lost_meanwhile() {
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let reader = Phone::enrol(&world, 2, Role::Officer, &["26995"]);
    let mut last = desk.case("Ngập", Some("26998"));
    let document = last.edit().document;
    send(&world, &desk, &last);
    let mut count = 2;
    for _ in 0..40 {
        last = desk.note(&last, &"x".repeat(20_000));
        send(&world, &desk, &last);
        count += 1;
    }
    let mut holder = Holder::default();
    holder.read(&world, &reader);
    assert_eq!(holder.documents.len(), 0);
    let moved = desk.set(&last, field::AREA, "26995");
    send(&world, &desk, &moved);
    let before = holder.pages;
    holder.read(&world, &reader);
    assert_eq!(holder.documents[&document].len(), count);
    assert!(holder.pages > before + 1);

    for is_by_areas in [true, false] {
        let mut holder = Holder::default();
        assert!(holder.read_page(&world, &reader));
        assert!(holder.documents[&document].len() < count);
        if is_by_areas {
            give_areas(&world, &["27001"]);
        } else {
            let away = desk.set(&moved, field::AREA, "27001");
            send(&world, &desk, &away);
        }
        holder.read(&world, &reader);
        assert_eq!(holder.documents.len(), 0);
        give_areas(&world, &["26995"]);
    }
}

#[test]
fn a_phone_that_missed_too_many_changes_reads_from_the_start_and_forgets_the_rest() {
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let reader = Phone::enrol(&world, 2, Role::Officer, &["26995"]);
    let mut holder = Holder::default();
    let gone = desk.case("Ngập", Some("26995"));
    let gained = desk.case("Rác", Some("27001"));
    for edit in [&gone, &gained] {
        send(&world, &desk, edit);
    }
    holder.read(&world, &reader);
    assert_eq!(holder.cases(), [gone.edit().document]);
    for number in 0..41 {
        give_areas(&world, &[AREAS[1 + number % 2]]);
    }
    give_areas(&world, &["27001"]);
    holder.read(&world, &reader);
    assert_eq!(holder.cases(), [gained.edit().document]);
    assert_eq!(holder.doubtful.len(), 0);
}

/// Half a year goes by, and phones hold three months.
fn half_a_year_later(world: &World) {
    world.environment.advance(183 * DAY_MS);
    world.ward.set_months_held(Some(3)).unwrap();
}

#[test]
fn a_phone_does_not_hold_what_is_finished_and_old_until_something_happens_to_it() {
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let reader = Phone::enrol(&world, 2, Role::Leader, &[]);
    let mut holder = Holder::default();
    let open = desk.case("Ngập", Some("26995"));
    let case = desk.case("Rác", Some("26995"));
    let person = desk.person(case.edit().document.uuid);
    let closed = desk.set(&case, field::STATUS, Status::Withdrawn.code());
    for edit in [&open, &case, &person, &closed] {
        send(&world, &desk, edit);
    }
    holder.read(&world, &reader);
    assert_eq!(holder.documents.len(), 3);

    half_a_year_later(&world);
    holder.read(&world, &reader);
    assert_eq!(holder.cases(), [open.edit().document]);
    let mut fresh = Holder::default();
    fresh.read(&world, &reader);
    assert_eq!(
        fresh.cases(),
        [open.edit().document],
        "nor does a new phone"
    );
    assert_eq!(desk.read(&world.ward).len(), 4, "its recorder keeps it");

    // The citizen has another number; the case is as it was.
    let intent = IntentId([9; 16]);
    let called = schema::set(field::PHONE, schema::text_value(Some("0903343439")));
    let told = desk.edit(person.edit().document, intent, &[person.id()], vec![called]);
    send(&world, &desk, &told);
    for holder in [&mut holder, &mut fresh] {
        holder.read(&world, &reader);
        let held = &holder.documents[&case.edit().document];
        assert_eq!(*held, BTreeSet::from([case.id(), closed.id()]));
        let held = &holder.documents[&person.edit().document];
        assert_eq!(*held, BTreeSet::from([person.id(), told.id()]));
    }
}

#[test]
fn a_phone_gets_back_what_it_may_hold_when_the_ward_wants_more_months() {
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let reader = Phone::enrol(&world, 2, Role::Officer, &["26995"]);
    let mut holder = Holder::default();
    let case = desk.case("Rác", Some("26995"));
    let closed = desk.set(&case, field::STATUS, Status::Withdrawn.code());
    for edit in [&case, &closed] {
        send(&world, &desk, edit);
    }
    holder.read(&world, &reader);
    half_a_year_later(&world);
    holder.read(&world, &reader);
    assert_eq!(holder.documents.len(), 0);
    world.ward.set_months_held(None).unwrap();
    holder.read(&world, &reader);
    assert_eq!(holder.documents[&case.edit().document].len(), 2);
    assert!(
        !world.ward.move_floor().unwrap(),
        "it stands where it should"
    );
}

#[test]
fn a_note_on_an_old_case_is_admitted_though_the_phone_does_not_hold_it_any_more() {
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let mut officer = Phone::enrol(&world, 2, Role::Officer, &["26995"]);
    let case = desk.case("Rác", Some("26995"));
    let closed = desk.set(&case, field::STATUS, Status::Withdrawn.code());
    for edit in [&case, &closed] {
        send(&world, &desk, edit);
    }
    half_a_year_later(&world);
    let note = officer.note(&closed, "vẫn còn rác");
    send(&world, &officer, &note);
    assert_eq!(
        officer.read(&world.ward),
        [case.id(), closed.id(), note.id()]
    );
}

#[test]
fn whatever_changes_between_two_pages_a_device_holds_its_scope_in_the_end() {
    // 7: an entry on what phones had forgotten as old. 11: an edit was read before its document's history, because the document came back meanwhile.
    for seed in [1, 2, 3, 4, 5, 6, 7, 11] {
        println!("seed {seed}");
        play(seed);
    }
}

/// What became of a case.
struct Story {
    last: EncodedEdit,
    area: &'static str,
    is_restricted: bool,
    status: Status,
    all: BTreeSet<EditId>,
    /// In which its last edit came.
    era: u32,
}

/// Cases of many kilobytes are written, moved, restricted, finished and taken up again, areas are given
/// and months go by, while a device reads a page now and then: so pages end in the middle of everything.
fn play(seed: u64) {
    let mut state = seed;
    let mut below = |bound: usize| -> usize {
        // Splitmix64: chance enough for a story, and the same each time.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = state;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((drawn ^ (drawn >> 31)) % bound as u64) as usize
    };
    let world = World::new();
    let mut desk = Phone::enrol(&world, 1, Role::Triage, &[]);
    let reader = Phone::enrol(&world, 2, Role::Officer, &["26995"]);
    let mut areas = vec!["26995"];
    let mut holder = Holder::default();
    let mut cases: Vec<Story> = Vec::new();
    // Between two eras lies more than phones hold.
    let (mut era, mut floor_era) = (0, 0);
    let words = "y".repeat(25_000);
    for _ in 0..110 {
        match below(12) {
            0 | 1 => {
                let area = AREAS[below(3)];
                let case = desk.case(&words, Some(area));
                send(&world, &desk, &case);
                cases.push(Story {
                    all: BTreeSet::from([case.id()]),
                    last: case,
                    area,
                    is_restricted: false,
                    status: Status::Recorded,
                    era,
                });
            }
            2..=5 if !cases.is_empty() => {
                let chosen = below(cases.len());
                let Story {
                    last,
                    area,
                    is_restricted,
                    status,
                    all,
                    era: era_of_last,
                } = &mut cases[chosen];
                let edit = match below(6) {
                    0 => desk.note(last, &words),
                    4 | 5 => {
                        *status = match status {
                            Status::Recorded => Status::Withdrawn,
                            Status::Reopened => Status::Answered,
                            Status::Answered => Status::Closed,
                            _ => Status::Reopened,
                        };
                        desk.set(last, field::STATUS, status.code())
                    }
                    1 => {
                        *is_restricted = !*is_restricted;
                        let to = if *is_restricted {
                            Confidentiality::Restricted
                        } else {
                            Confidentiality::Normal
                        };
                        desk.set(last, field::CONFIDENTIALITY, to.code())
                    }
                    _ => {
                        *area = AREAS[below(3)];
                        desk.set(last, field::AREA, area)
                    }
                };
                send(&world, &desk, &edit);
                all.insert(edit.id());
                *last = edit;
                *era_of_last = era;
            }
            6 => {
                areas = AREAS.iter().copied().filter(|_| below(2) == 0).collect();
                give_areas(&world, &areas);
            }
            7 => {
                era += 1;
                world.environment.advance(100 * DAY_MS);
                match below(5) {
                    0 => {}
                    1 => {
                        world.ward.set_months_held(None).unwrap();
                        floor_era = 0;
                    }
                    _ => {
                        world.ward.set_months_held(Some(1)).unwrap();
                        floor_era = era;
                    }
                }
            }
            _ => {
                holder.read_page(&world, &reader);
            }
        }
    }
    holder.read(&world, &reader);
    let expected: HashMap<DocumentId, BTreeSet<EditId>> = cases
        .into_iter()
        .filter(|case| {
            !case.is_restricted
                && (areas.is_empty() || areas.contains(&case.area))
                && !(case.status.is_finished() && case.era < floor_era)
        })
        .map(|case| (case.last.edit().document, case.all))
        .collect();
    for (document, held) in &holder.documents {
        assert_eq!(document.kind, DocumentKind::Case);
        assert!(
            expected.contains_key(document),
            "seed {seed}: a case is held out of scope"
        );
        assert_eq!(Some(held), expected.get(document), "seed {seed}");
    }
    assert_eq!(
        holder.documents.len(),
        expected.len(),
        "seed {seed}: a case of the scope is missing"
    );
}
