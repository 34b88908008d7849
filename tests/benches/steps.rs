//! The steps of a record's way, each by itself: record, admit, page, apply, search. Statistics by divan;
//! `cargo bench -p gandan-tests --bench steps`. How they add up in a day is in the benchmark `parts`.

use divan::Bencher;
use gandan_core::model::Role;
use gandan_core::protocol::feed::Page;
use gandan_core::protocol::initiator::OutgoingBundle;
use gandan_core::store::rows::CaseQuery;
use gandan_server::ward::Ward;
use gandan_tests::ward_day::steps::{self, Phone};
use tempfile::TempDir;

/// Cases that are there already; under `cargo test`, which only tries it, a few.
const CASES: usize = 1_000;
const CASES_TRIED: usize = 20;

/// Cases in a bundle and in a page.
const BATCH: usize = 50;

fn main() {
    divan::main();
}

struct Day {
    ward: Ward,
    phone: Phone,
    // Dropped last: the stores are in it.
    folder: TempDir,
}

impl Day {
    /// A ward with a phone whose cases are all at the ward.
    fn begin() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the stores");
        let ward = steps::ward(folder.path()).expect("a ward");
        let phone = Phone::enrol(folder.path(), "a", &ward, Role::Leader).expect("a phone");
        let is_measured = std::env::args().any(|argument| argument == "--bench");
        let cases = if is_measured { CASES } else { CASES_TRIED };
        phone.record(cases, 1).expect("the cases are recorded");
        let day = Self {
            ward,
            phone,
            folder,
        };
        while let Some(bundle) = day.phone.seal().expect("the store answers") {
            day.send(bundle);
        }
        day
    }

    fn send(&self, bundle: OutgoingBundle) {
        let verdicts = self.phone.admit(&self.ward, bundle.sealed);
        self.phone
            .hear(bundle.id, verdicts.expect("it is admitted"))
            .expect("the store answers");
    }

    fn newcomer(&self, name: &str) -> Phone {
        Phone::enrol(self.folder.path(), name, &self.ward, Role::Triage).expect("a phone")
    }

    /// The first page of a newcomer's feed.
    fn first_page(&self, newcomer: &Phone) -> Page {
        let cursor = newcomer.begin().expect("it is enrolled");
        let page = newcomer.read(&self.ward, cursor).expect("the ward answers");
        *page.expect("there is something to read")
    }
}

#[divan::bench]
fn record(bencher: Bencher) {
    let day = Day::begin();
    let mut seed = 1;
    bencher.bench_local(|| {
        seed += 1;
        day.phone.record(1, seed).expect("the case is recorded");
    });
}

/// A bundle of 50 cases.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn admit(bencher: Bencher) {
    let day = Day::begin();
    let mut seed = 1;
    bencher
        .with_inputs(|| {
            seed += 1;
            day.phone
                .record(BATCH, seed)
                .expect("the cases are recorded");
            let bundle = day.phone.seal().expect("the store answers");
            bundle.expect("something is unsent")
        })
        .bench_local_values(|bundle| day.send(bundle));
}

/// The first page of a feed of 1,000 cases, read and sealed.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn page(bencher: Bencher) {
    let day = Day::begin();
    let newcomer = day.newcomer("b");
    bencher.bench_local(|| day.first_page(&newcomer).seal());
}

/// The same page on a phone that has nothing.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn apply(bencher: Bencher) {
    let day = Day::begin();
    let mut number = 0;
    bencher
        .with_inputs(|| {
            number += 1;
            let newcomer = day.newcomer(&format!("b{number}"));
            let page = day.first_page(&newcomer);
            (newcomer, page)
        })
        .bench_local_values(|(newcomer, page)| newcomer.apply(page).expect("it is applied"));
}

#[divan::bench]
fn search(bencher: Bencher) {
    let day = Day::begin();
    let query = CaseQuery {
        search: Some("ngập nước".to_owned()),
        limit: 50,
        ..CaseQuery::default()
    };
    bencher.bench_local(|| day.phone.replica.cases(&query).expect("the store answers"));
}
