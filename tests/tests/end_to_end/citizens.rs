//! A person asks what is held of them, and then to be forgotten, with real programs.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::fixture::{Town, cases};

#[test]
fn a_person_is_given_a_copy_and_then_forgotten_everywhere() {
    let town = Town::new();
    let phone = town.phone("a");
    let codes = phone.record(&cases(0..1));
    let _ = phone.sync();
    let run = |arguments: &[&str]| town.server.run(arguments);
    let asked = [
        "request",
        "add",
        "--asker",
        "Bà Bình",
        "--person",
        &codes[0],
        "--kind",
    ];
    for kind in ["access", "erasure"] {
        let _ = run(&[&asked[..], &[kind]].concat()).expect(0);
    }
    let _ = run(&[&asked[..], &["everything"]].concat()).expect(2);
    let list = run(&["request", "list"]).expect(0).stdout;
    let states: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(states.len(), 2);
    assert!(
        states
            .iter()
            .all(|fields| fields[4] == "open" && fields[3] != "-"),
        "{list}"
    );

    for (name, needle) in [
        ("copy.json", "\"name\": \"Nguyễn Thị Bình\""),
        ("copy.html", "Nguyễn Thị Bình"),
    ] {
        let path = town.path(name);
        let file = path.to_str().unwrap();
        let _ = run(&["access", "--person", &codes[0], "--to", file]).expect(0);
        let copy = std::fs::read_to_string(&path).unwrap();
        assert!(copy.contains(needle), "{copy}");
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        // A file that is there is not written over.
        let _ = run(&["access", "--person", &codes[0], "--to", file]).expect(3);
    }
    let copy = std::fs::read(town.path("copy.json")).unwrap();
    let copy: Value = serde_json::from_slice(&copy).unwrap();
    assert_eq!(copy["case"]["status"], "recorded");

    let _ = run(&["request", "close", "1"]).expect(0);
    let _ = run(&["request", "close", "2"]).expect(0);
    let _ = phone.sync();
    let shown = phone.show(&codes[0]).to_string();
    assert!(!shown.contains("Nguyễn Thị Bình"), "{shown}");
    assert_eq!(phone.list().len(), 1, "the case stays");
    let _ = run(&["request", "answer", "2"]).expect(2);
    let _ = run(&["check"]).expect(0);
}

#[test]
fn nothing_goes_without_a_rule_of_the_ward() {
    let town = Town::new();
    let said = town.server.run(&["retention", "--apply"]).expect(0).stdout;
    let rules: Vec<Vec<&str>> = said
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let kept: Vec<_> = rules
        .iter()
        .map(|fields| (fields[0], fields[1], fields[2]))
        .collect();
    assert_eq!(kept, [("person", "-", "0"), ("citizen_request", "-", "0")]);
}
