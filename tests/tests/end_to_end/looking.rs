//! A case that no phone holds any more, looked for at the door.

use std::sync::Arc;

use gandan_core::environment::{Environment, SystemEnvironment};
use gandan_core::model::{ReportedKind, Role, Source, Timestamp, Urgency};
use gandan_core::policy::Author;
use gandan_server::app::{self, DeskCase};
use gandan_server::ward::{Staff, Ward};
use gandan_tests::programs::Phone;

use crate::fixture::Town;

/// The machine's clock, two hundred days ago.
struct LastYear;

impl Environment for LastYear {
    fn now(&self) -> Timestamp {
        Timestamp(SystemEnvironment.now().0 - 200 * 24 * 60 * 60 * 1000)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        SystemEnvironment.fill_random(bytes);
    }
}

/// A case that the desk closed last year: its short code and its official number.
fn closed_last_year(town: &Town) -> (String, String) {
    let ward = Ward::open(town.server.data(), Arc::new(LastYear)).unwrap();
    let role = Role::Triage;
    let officer = ward.officer("Ngô Thị Hạnh", role, &[]).unwrap();
    let staff = Staff {
        author: Author { officer, role },
        login: "hanh".to_owned(),
        name: "Ngô Thị Hạnh".to_owned(),
    };
    let case = DeskCase {
        source: Source::WalkIn,
        kind: ReportedKind::Report,
        category: "noise".to_owned(),
        area: Some("26995".to_owned()),
        place: None,
        urgency: Urgency::Normal,
        text: "Cây đổ chắn hẻm".to_owned(),
        citizen: None,
    };
    let (id, code) = app::record(&ward, &staff, case).unwrap();
    let number = app::accept(&ward, &staff, id).unwrap();
    app::answer(&ward, &staff, id, "Đã dọn").unwrap();
    app::close(&ward, &staff, id).unwrap();
    (code, number)
}

#[test]
fn a_phone_without_the_cases_of_last_year_looks_one_up_notes_on_it_and_holds_it_again() {
    let mut town = Town::new();
    let (code, number) = closed_last_year(&town);
    let held = town.server.run(&["hold"]).expect(0);
    assert_eq!(held.stdout.trim(), "12");
    let _ = town.server.run(&["hold", "--months", "3"]).expect(0);
    let (a, b) = (town.phone("a"), town.phone("b"));
    assert_eq!(a.sync()["received"], 0);
    assert!(a.list().is_empty());

    // Without a network there is nobody to ask; the wish is kept.
    town.server.kill();
    let _ = a.run(&["look", &code]).expect(4);
    town.server.serve();
    let _ = a.sync();
    assert_eq!(a.list().len(), 1);
    let seen = a.run(&["look", "--json", &number]).expect(0).objects();
    assert_eq!(seen[0]["text"], "Cây đổ chắn hẻm");
    assert_eq!(seen[0]["status"], "closed");
    assert_eq!(seen[0]["history"].as_array().map(Vec::len), Some(5));

    let _ = a.run(&["edit", &code, "--note", "lại đổ nữa"]).expect(0);
    let _ = a.sync();
    // It is news now: whoever sees the whole ward holds it.
    let _ = b.sync();
    assert_eq!(b.list().len(), 1);
}

#[test]
fn what_an_officer_may_not_see_is_not_lent_to_their_phone() {
    let town = Town::new();
    let (code, _) = closed_last_year(&town);
    let made = town.server.run(&[
        "invite",
        "--officer",
        "Đỗ Văn Ba",
        "--role",
        "officer",
        "--areas",
        "26998",
        "--address",
        &town.server.address().to_string(),
    ]);
    let phone = Phone::enrolled(&town.path("c"), made.expect(0).stdout.trim());
    let refused = phone.run(&["look", &code]).expect(2).stderr;
    assert_eq!(refused, phone.run(&["look", "K7P2M9C"]).expect(2).stderr);
    assert!(phone.list().is_empty());
}
