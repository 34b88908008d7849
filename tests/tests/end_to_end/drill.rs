//! The restore drill with real programs: a backup while the ward serves, the disk gone, the ward put back
//! from the key on paper, and phones that give back what came after the backup.

use gandan_core::model::Role;
use gandan_core::policy::Author;
use gandan_server::app;
use gandan_server::ward::Staff;
use gandan_tests::programs::Phone;
use serde_json::Value;

use crate::fixture::{Town, cases, photo, texts};

/// Accepts a case as the office does; gives its number.
fn accept(town: &Town, id: &str) -> String {
    let ward = town.server.open();
    let role = Role::Triage;
    let officer = ward.officer("Ngô Thị Hạnh", role, &[]).unwrap();
    let staff = Staff {
        author: Author { officer, role },
        login: "hanh".to_owned(),
        name: "Ngô Thị Hạnh".to_owned(),
    };
    app::accept(&ward, &staff, id.parse().unwrap()).unwrap()
}

fn assert_agreed(phone: &Phone) {
    let report = phone.sync();
    assert_eq!(report["agreed"], true, "{report}");
    assert_eq!(report["rejected"], 0, "{report}");
}

fn numbers(phone: &Phone) -> Vec<String> {
    let mut numbers: Vec<String> = phone
        .list()
        .iter()
        .filter_map(|case| case["official_number"].as_str().map(str::to_owned))
        .collect();
    numbers.sort();
    numbers
}

#[test]
fn a_ward_whose_disk_is_gone_comes_back_from_a_backup_and_its_phones() {
    let mut town = Town::new();
    let (a, b) = (town.phone("a"), town.phone("b"));
    let before = a.record(&cases(0..6));
    let early = photo(&town.path("early.jpg"), 1);
    let attached = a.run(&[
        "attach",
        &before[0],
        town.path("early.jpg").to_str().unwrap(),
    ]);
    let _ = attached.expect(0);
    assert_agreed(&a);
    let mut issued = vec![accept(&town, &before[0]), accept(&town, &before[1])];
    assert_agreed(&b);
    let backups = town.path("backups");
    let to = ["backup", "--to", backups.to_str().unwrap()];
    let _ = town.server.run(&to).expect(0);

    // What comes after the backup is on phones only, once the disk is gone.
    let after = a.record(&cases(6..9));
    let late = photo(&town.path("late.jpg"), 2);
    let attached = a.run(&["attach", &after[0], town.path("late.jpg").to_str().unwrap()]);
    let _ = attached.expect(0);
    assert_agreed(&a);
    issued.extend([accept(&town, &after[0]), accept(&town, &before[2])]);
    for phone in [&a, &b] {
        assert_agreed(phone);
    }
    assert_eq!(numbers(&b), issued);
    town.server.kill();
    std::fs::remove_dir_all(town.server.data()).unwrap();

    let from = ["restore", "--from", backups.to_str().unwrap()];
    let key = town.server.recovery_key().to_owned();
    let _ = town.server.run_with(&from, &key).expect(0);
    let checked = town.server.run(&["check"]).expect(0);
    assert!(checked.stdout.starts_with("sound"), "{checked:?}");
    town.server.serve();
    for phone in [&a, &b, &a, &b] {
        assert_agreed(phone);
        assert_eq!(texts(&phone.list()), texts(&cases(0..9)));
        assert_eq!(numbers(phone), issued);
    }
    // Numbers go on above those that came back: none is given twice, none is missing.
    let next = accept(&town, &after[1]);
    assert!(!issued.contains(&next), "{next}");
    assert!(issued.iter().all(|number| *number < next), "{next}");
    let ward = town.server.open();
    for (file, of) in [(&early, &before[0]), (&late, &after[0])] {
        let case = ward.case(of.parse().unwrap()).unwrap().unwrap();
        let attachment = case.attachments.first().expect("the photo");
        let kept = ward.attachment(attachment.hash).unwrap();
        let (bytes, _) = kept.expect("the photo is at the ward");
        // What a phone keeps of a photo may be less than what was taken; never something else.
        assert!(file.len() >= bytes.len());
    }
    drop(ward);
    let _ = town.server.run(&["check"]).expect(0);

    // The trail goes through what phones witnessed before the backup, and tells of the restore.
    let seen = town.path("seen.txt");
    let printed = a.run(&["checkpoint"]).expect(0).stdout;
    assert!(printed.lines().count() >= 1, "{printed}");
    std::fs::write(&seen, printed).unwrap();
    let verify = ["audit", "verify", "--checkpoint", seen.to_str().unwrap()];
    let verified = town.server.run(&verify).expect(0);
    assert!(!verified.stdout.contains("witnessed=0"), "{verified:?}");
    let listed = town.server.run(&["audit", "list", "--json"]).expect(0);
    let kinds: Vec<Value> = listed.objects();
    for kind in ["restored", "epoch_began", "taken_back", "numbering_resumed"] {
        assert!(kinds.iter().any(|entry| entry["kind"] == kind), "{kind}");
    }
}
