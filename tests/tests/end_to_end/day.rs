//! An officer's day: recorded offline, brought to the ward, seen by others.

use gandan_tests::programs::{Link, Phone};
use serde_json::json;

use crate::fixture::{Town, case, cases, photo, texts};

#[test]
fn what_was_recorded_offline_is_at_the_ward_and_on_other_phones_after_they_synchronised() {
    let mut town = Town::new();
    let (a, b) = (town.phone("a"), town.phone("b"));
    // Offline for real: nobody is there.
    town.server.kill();
    let ids = a.record(&cases(0..6));
    assert!(a.list().iter().all(|case| case["sync"] == "recorded"));
    town.server.serve();

    let report = a.sync();
    assert_eq!(report["rejected"], 0);
    assert_eq!(report["pending"], 0);
    assert_eq!(report["agreed"], true);
    assert_eq!(report["sent"], report["accepted"]);
    assert!(a.list().iter().all(|case| case["sync"] == "on_server"));

    let received = b.sync();
    assert_eq!(received["received"], report["sent"]);
    assert_eq!(texts(&b.list()), texts(&cases(0..6)));
    let seen = b.show(&ids[3]);
    let told = case(3);
    for field in ["kind", "category", "area", "urgency", "recorded_at", "text"] {
        assert_eq!(seen[field], told[field], "{field}");
    }
    assert_eq!(seen["location"], told["location"]);
    for field in ["name", "phone", "address"] {
        assert_eq!(seen["citizen"][field], told["citizen"][field], "{field}");
    }
    assert_eq!(seen["external_ref"], told["id"]);
    assert_eq!(seen["status"], "recorded");
    println!("{}", seen["history"]);
    for entry in seen["history"].as_array().unwrap() {
        assert_eq!(entry["author"], "a");
        assert!(entry["received_at"].is_string(), "{entry}");
    }

    let file = town.server.run(&["export", &ids[0]]).expect(0).stdout;
    assert!(!file.is_empty());
}

#[test]
fn a_second_synchronisation_costs_one_exchange_and_little_more_than_a_handshake() {
    let town = Town::new();
    let phone = town.phone("a");
    let _ = phone.record(&cases(0..3));
    let _ = phone.sync();
    let again = phone.sync();
    println!("{again}");
    assert_eq!(again["sent"], 0);
    assert_eq!(again["received"], 0);
    assert_eq!(again["round_trips"], 2);
    let payload = again["payload_up"].as_u64().unwrap() + again["payload_down"].as_u64().unwrap();
    assert!(payload < 400, "{again}");
}

#[test]
fn the_bytes_of_a_report_are_those_on_the_wire() {
    let town = Town::new();
    let link = Link::to(town.server.address());
    let invite = town.server.invite_through("a", "leader", link.address());
    let phone = Phone::enrolled(&town.path("a"), &invite);
    let _ = phone.record(&cases(0..40));
    let before = link.bytes();
    let report = phone.sync();
    let after = link.bytes();
    println!("{report}");
    assert_eq!(report["bytes_up"], after.0 - before.0);
    // The ward may still answer the goodbye when the phone has gone.
    let down = report["bytes_down"].as_u64().unwrap();
    assert!(
        (down..down + 200).contains(&(after.1 - before.1)),
        "{report}"
    );
    assert!(report["payload_up"].as_u64() < report["bytes_up"].as_u64());
}

#[test]
fn two_phones_that_edit_one_case_apart_keep_what_both_said() {
    let town = Town::new();
    let (a, b) = (town.phone("a"), town.phone("b"));
    let id = a.record(&cases(0..1)).remove(0);
    let _ = a.sync();
    let _ = b.sync();
    let _ = a
        .run(&["edit", &id, "--note", "Đã gọi tổ trưởng"])
        .expect(0);
    let _ = a.run(&["edit", &id, "--urgency", "urgent"]).expect(0);
    let _ = b
        .run(&[
            "edit",
            &id,
            "--note",
            "Hai hộ nữa cũng nói vậy",
            "--households",
            "2",
        ])
        .expect(0);
    for phone in [&a, &b, &a] {
        let _ = phone.sync();
    }
    let (on_a, on_b) = (a.show(&id), b.show(&id));
    assert_eq!(on_a["notes"].as_array().unwrap().len(), 2);
    assert_eq!(on_a["notes"], on_b["notes"]);
    assert_eq!(on_a["urgency"], "urgent");
    assert_eq!(on_b["urgency"], "urgent");
    assert_eq!(on_a["households"], 3);
    assert_eq!(on_b["households"], 3);
}

#[test]
fn a_photo_reaches_the_ward_whole_and_the_phone_says_so() {
    let town = Town::new();
    let phone = town.phone("a");
    let id = phone.record(&cases(0..1)).remove(0);
    let path = town.path("cột đèn.jpg");
    let bytes = photo(&path, 1);
    let attached = phone
        .run(&["attach", &id, path.to_str().unwrap()])
        .expect(0)
        .objects()
        .remove(0);
    assert_eq!(attached["bytes"], bytes.len());
    assert_eq!(attached["mime"], "image/jpeg");
    assert_eq!(
        phone.show(&id)["attachments"]["cột đèn.jpg"]["on_server"],
        false
    );

    let report = phone.sync();
    assert!(report["payload_up"].as_u64().unwrap() > bytes.len() as u64);
    assert_eq!(
        phone.show(&id)["attachments"]["cột đèn.jpg"]["on_server"],
        true
    );
    let hash = attached["hash"].as_str().unwrap().parse().unwrap();
    let (kept, _) = town.server.open().attachment(hash).unwrap().unwrap();
    assert!(kept == bytes, "the ward keeps another file");
}

#[test]
fn a_file_that_a_line_only_names_is_asked_for_and_never_pretended() {
    let town = Town::new();
    let phone = town.phone("a");
    let folder = town.path("photos");
    std::fs::create_dir(&folder).unwrap();
    let bytes = photo(&folder.join("a.jpg"), 1);
    photo(&folder.join("other.jpg"), 2);
    let hash = blake3::hash(&bytes).to_string();
    let mut line = case(0);
    line["attachments"] = json!({
        "a.jpg": {"hash": hash, "bytes": bytes.len(), "mime": "image/jpeg"},
        "other.jpg": {"hash": hash, "bytes": bytes.len(), "mime": "image/jpeg"},
        "../a.jpg": {"hash": hash},
        "gone.jpg": {"hash": hash},
    });
    line["notes"] = json!([{"text": "Đã xem tại chỗ", "author": "Tổ trưởng"}]);
    let recorded = phone.run_with(
        &["record", "--attachments", folder.to_str().unwrap()],
        &format!("{line}\n"),
    );
    let recorded = recorded.expect(1);
    assert_eq!(
        recorded.stderr.matches("dòng 1:").count(),
        3,
        "{recorded:?}"
    );
    let id = recorded.objects()[0]["id"].as_str().unwrap().to_owned();
    let shown = phone.show(&id);
    let files: Vec<_> = shown["attachments"].as_object().unwrap().keys().collect();
    assert_eq!(files, ["a.jpg"]);
    assert_eq!(shown["notes"][0]["text"], "Đã xem tại chỗ\n— Tổ trưởng");
}

#[test]
fn bad_lines_are_named_and_keep_out_no_other() {
    let town = Town::new();
    let phone = town.phone("a");
    let secret = "BÍ MẬT";
    let mut denunciation = case(7);
    denunciation["kind"] = json!("denunciation");
    denunciation["text"] = json!(secret);
    let input = format!(
        "{}\n{{\"text\": \"{secret}\n\n{denunciation}\n{{\"kind\":\"{secret}\"}}\n{}\n",
        case(1),
        case(2)
    );
    let recorded = phone.run_with(&["record"], &input).expect(1);
    assert_eq!(recorded.objects().len(), 2);
    for line in [2, 4, 5] {
        assert!(
            recorded.stderr.contains(&format!("dòng {line}:")),
            "{recorded:?}"
        );
    }
    assert!(!recorded.stderr.contains(secret), "{recorded:?}");
    assert_eq!(phone.list().len(), 2);

    // The same file once more: an import that was interrupted is simply run again.
    let again = phone.run_with(&["record"], &input).expect(1);
    assert_eq!(again.objects(), recorded.objects());
    assert_eq!(phone.list().len(), 2);
}

#[test]
fn a_stop_card_is_taken_and_holds_nothing_else() {
    let town = Town::new();
    let phone = town.phone("a");
    let card = json!({
        "kind": "denunciation",
        "recorded_at": "2026-03-02T01:00:12.345Z",
        "paper_reference": "TC-7/2026",
    });
    let id = phone.record(&[card]).remove(0);
    let _ = phone.sync();
    let shown = phone.show(&id);
    assert_eq!(shown["paper_reference"], "TC-7/2026");
    assert_eq!(shown["sync"], "on_server");
    let noted = phone.run(&["edit", &id, "--note", "nghe nói rằng"]);
    assert_eq!(noted.code, Some(2), "{noted:?}");
}

#[test]
fn an_invite_is_also_a_picture_that_its_maker_alone_may_read() {
    use std::os::unix::fs::PermissionsExt;

    let town = Town::new();
    let path = town.path("invite.svg");
    let officer = ["invite", "--officer", "Lê Hoa", "--role", "leader", "--qr"];
    let arguments = [&officer[..], &[path.to_str().unwrap()]].concat();
    let _ = town.server.run(&arguments).expect(0);
    let picture = std::fs::read_to_string(&path).unwrap();
    assert!(picture.contains("<svg") && !picture.contains("gandan:"));
    let rights = std::fs::metadata(&path).unwrap().permissions();
    assert_eq!(rights.mode() & 0o777, 0o600);
    // Another invite does not take the place of a picture that somebody may have been given.
    let _ = town.server.run(&arguments).expect(3);
}
