//! Nothing of what was purged is left in any byte of any disk: pages of the stores, free ones too, their logs,
//! what is packed in them, the files beside them.

use std::path::Path;

use gandan_tests::folders;
use gandan_tests::programs::{Link, Phone, WardServer, Weather};
use gandan_tests::raw_store::{RawStore, found};
use serde_json::{Value, json};

use crate::fixture::{Town, case, cases, photo};

/// Of the denunciation: its ends, since an index of words may cut off how they begin.
const OF_THE_CASE: [&str; 7] = [
    "oldtext7740",
    "newtext7741",
    "place7742",
    "note7743",
    "file7744",
    "unsent7745",
    "ref7746",
];
/// Of its person.
const OF_THE_DENOUNCER: [&str; 4] = ["name7751", "77517752", "address7753", "contact7754"];
/// Of the person who asks to be erased.
const OF_THE_ERASED: [&str; 2] = ["name7761", "77617762"];
/// Of somebody beside them: found before and after, or the search would find nothing anyway.
const OF_ANOTHER: &str = "other7771";

fn denunciation() -> Value {
    let mut told = case(1);
    told["id"] = json!("khuatleref7746");
    told["area"] = Value::Null;
    told["place"] = json!("Sau nhà khuatleplace7742");
    told["text"] = json!("Ông ấy nhận tiền của khuatleoldtext7740");
    told["citizen"] = json!({
        "name": "Trần khuatlename7751", "phone": "0977517752", "address": "khuatleaddress7753",
        "contact_name": "khuatlecontact7754",
    });
    told["notes"] = json!(["Dặn riêng khuatlenote7743"]);
    told
}

fn of_the_erased() -> Value {
    let mut told = case(2);
    told["citizen"] = json!({"name": "Lê khuatlename7761", "phone": "0977617762"});
    told["text"] = json!("Cống tắc, khuatleother7771");
    told
}

fn ward(server: &WardServer) -> RawStore {
    let key = std::fs::read_to_string(server.data().join("store.key")).unwrap();
    RawStore::new(&server.data().join("ward.db"), &key)
}

fn phone(phone: &Phone) -> RawStore {
    RawStore::new(&phone.store().join("phone.db"), Phone::KEY)
}

/// Nothing is left in a store, nor in the files beside it.
fn assert_clean(who: &str, store: &RawStore, folder: &Path, gone: &[&str]) {
    let mut bytes = store.everything();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    bytes.make_ascii_lowercase();
    assert_eq!(found(&bytes, gone), [""; 0], "{who}");
    assert_eq!(found(&bytes, &[OF_ANOTHER]), [OF_ANOTHER], "{who}");
}

#[test]
fn no_byte_of_what_was_purged_is_left_on_any_disk() {
    let mut town = Town::new();
    let link = Link::to(town.server.address());
    let (a, b) = (town.phone("a"), town.phone("b"));
    let invite = town.server.invite_through("away", "leader", link.address());
    let away = Phone::enrolled(&town.path("away"), &invite);

    // Among others, before and behind, so that pages are split and joined.
    let _ = a.record(&cases(10..60));
    let codes = a.record(&[denunciation(), of_the_erased()]);
    let _ = a.record(&cases(60..110));
    let picture = town.path("photo.jpg");
    let mut bytes = photo(&picture, 7);
    bytes.extend(b"khuatlefile7744 ".repeat(9_000));
    std::fs::write(&picture, bytes).unwrap();
    let _ = a
        .run(&["attach", &codes[0], picture.to_str().unwrap()])
        .expect(0);
    let _ = a.sync();
    for change in [
        ["--text", "Ông ấy nhận tiền của khuatlenewtext7741"],
        ["--note", "Ghi thêm khuatlenote7743"],
    ] {
        let _ = a
            .run(&[&["edit", &codes[0]][..], &change].concat())
            .expect(0);
    }
    for phone in [&a, &b, &away] {
        let _ = phone.sync();
        let _ = phone.run(&["list", "--search", "khuatle"]).expect(0);
    }
    // On one phone something is packed and waits for an answer.
    let _ = away
        .run(&["edit", &codes[0], "--note", "Chưa gửi khuatleunsent7745"])
        .expect(0);
    link.set_weather(Weather::NoAnswers);
    let synchronising = away.begin_sync();
    while found(&ward(&town.server).everything(), &["unsent7745"]).is_empty() {
        std::thread::yield_now();
    }
    town.server.stop();
    let old = town.path("old");
    folders::copy(town.server.data(), &old);
    town.server.serve();
    link.set_weather(Weather::Clear);
    let _ = synchronising.wait_with_output().unwrap();

    let purged = [&OF_THE_CASE[..], &OF_THE_DENOUNCER, &OF_THE_ERASED].concat();
    let before = |store: &RawStore| {
        let mut bytes = store.everything();
        bytes.make_ascii_lowercase();
        found(&bytes, &purged)
    };
    // Else the rest proves nothing.
    assert_eq!(before(&ward(&town.server)), purged);
    let without =
        |marker| -> Vec<_> { purged.iter().copied().filter(|it| *it != marker).collect() };
    assert_eq!(before(&phone(&a)), without("unsent7745"));
    assert_eq!(before(&phone(&away)), without("file7744"));

    let reclassify = ["reclassify", &codes[0], "--kind", "denunciation"];
    let _ = town.server.run(&reclassify).expect(0);
    let _ = town.server.run(&["erase", "--person", &codes[1]]).expect(0);
    assert_clean("ward", &ward(&town.server), town.server.data(), &purged);
    for (name, who) in [("a", &a), ("b", &b), ("away", &away)] {
        let _ = who.run(&["sync"]);
        let _ = who.sync();
        assert_clean(name, &phone(who), who.store(), &purged);
    }
    assert_clean(
        "ward after phones",
        &ward(&town.server),
        town.server.data(),
        &purged,
    );
    let log = town.server.log_text();
    assert_eq!(found(log.as_bytes(), &purged), [""; 0]);

    // A backup made after, restored.
    let backups = town.path("backups");
    let to = ["backup", "--to", backups.to_str().unwrap()];
    let _ = town.server.run(&to).expect(0);
    town.server.stop();
    assert_eq!(ward(&town.server).written_bytes_of_free_pages(), 0);
    std::fs::remove_dir_all(town.server.data()).unwrap();
    let from = ["restore", "--from", backups.to_str().unwrap()];
    let key = town.server.recovery_key().to_owned();
    let _ = town.server.run_with(&from, &key).expect(0);
    assert_clean(
        "ward restored",
        &ward(&town.server),
        town.server.data(),
        &purged,
    );

    // A copy from before, in its place: clean again as soon as one phone has come.
    std::fs::remove_dir_all(town.server.data()).unwrap();
    folders::copy(&old, town.server.data());
    assert_eq!(before(&ward(&town.server)), purged);
    town.server.serve();
    let _ = b.sync();
    assert_clean(
        "ward put back",
        &ward(&town.server),
        town.server.data(),
        &purged,
    );
    let fresh = town.phone("fresh");
    let _ = fresh.sync();
    assert_clean("fresh", &phone(&fresh), fresh.store(), &purged);
    for (name, who) in [("a", &a), ("away", &away)] {
        let _ = who.sync();
        assert_clean(name, &phone(who), who.store(), &purged);
    }
}
