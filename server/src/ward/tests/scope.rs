//! What a device is told when its scope changes, page by page. The device here keeps what the pages
//! say and nothing else, so it holds exactly what `docs/wire.md` lets it hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gandan_core::document::schema::field;
use gandan_core::edit::EncodedEdit;
use gandan_core::model::{Confidentiality, DocumentId, DocumentKind, EditId, Role};
use gandan_core::protocol::feed::{Cursor, Page};
use gandan_core::protocol::responder::{WardAnswer, WardCommand};
use gandan_core::protocol::verdict::Verdict;

use super::fixture::World;
use super::phone::Phone;

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
            WardAnswer::Page(None) => return false,
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

#[test]
fn whatever_changes_between_two_pages_a_device_holds_its_scope_in_the_end() {
    // 11: an edit was read before its document's history, because the document came back meanwhile.
    for seed in [1, 2, 3, 4, 5, 6, 11] {
        println!("seed {seed}");
        play(seed);
    }
}

/// Cases of many kilobytes are written, moved and restricted and areas are given, while a device reads
/// a page now and then: so pages end in the middle of everything.
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
    let mut cases: Vec<(EncodedEdit, &str, bool, BTreeSet<EditId>)> = Vec::new();
    let words = "y".repeat(25_000);
    for _ in 0..90 {
        match below(10) {
            0 | 1 => {
                let area = AREAS[below(3)];
                let case = desk.case(&words, Some(area));
                send(&world, &desk, &case);
                let all = BTreeSet::from([case.id()]);
                cases.push((case, area, false, all));
            }
            2..=5 if !cases.is_empty() => {
                let chosen = below(cases.len());
                let (last, area, is_restricted, all) = &mut cases[chosen];
                let edit = match below(4) {
                    0 => desk.note(last, &words),
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
            }
            6 => {
                areas = AREAS.iter().copied().filter(|_| below(2) == 0).collect();
                give_areas(&world, &areas);
            }
            _ => {
                holder.read_page(&world, &reader);
            }
        }
    }
    holder.read(&world, &reader);
    let expected: HashMap<DocumentId, BTreeSet<EditId>> = cases
        .into_iter()
        .filter(|(_, area, is_restricted, _)| {
            !is_restricted && (areas.is_empty() || areas.contains(area))
        })
        .map(|(last, _, _, all)| (last.edit().document, all))
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
