//! What a phone gives back: the room of what it forgot, and the log of a long day.

use super::ward::*;
use super::*;
use crate::model::DocumentId;
use crate::protocol::feed::{Cursor, Page, ScopeDelta};

fn length(folder: &tempfile::TempDir, name: &str) -> u64 {
    std::fs::metadata(folder.path().join(name)).map_or(0, |file| file.len())
}

#[test]
fn the_file_shrinks_once_much_was_forgotten_and_the_log_does_not_grow_with_the_day() {
    let (folder, phone) = phone();
    let (_desk_folder, desk) = desk();
    let mut ward = TestWard::new();
    // Four chapters of a megabyte, each said and heard by itself.
    let mut cases = Vec::new();
    for _ in 0..4 {
        let read = ward.feed.len();
        for _ in 0..40 {
            let recorded = desk
                .record_case(case(&"nước ngập hẻm ".repeat(1_500)))
                .unwrap();
            cases.push(recorded.id);
        }
        begin(&desk);
        ward.hear(&desk);
        assert_eq!(ward.tell(&phone, read), []);
        let log = length(&folder, "phone.db-wal");
        assert!(log < 16 * 1024 * 1024, "{log} bytes of log");
    }
    let before = length(&folder, "phone.db");
    assert!(before > 10_000_000, "{before}");
    let forgotten = cases.iter().map(|case| DocumentId::case(*case)).collect();
    let page = Page {
        scope: ScopeDelta {
            forgotten,
            ..ScopeDelta::default()
        },
        cursor: Some(Cursor(vec![9, 9])),
        ..ward.page_of(&[], ward.feed.len())
    };
    assert_eq!(apply(&phone, page), []);
    let after = length(&folder, "phone.db");
    assert!(after < before / 10, "{before}, then {after}");
    assert_eq!(length(&folder, "phone.db-wal"), 0);
    assert_sound(&phone);
    phone.record_case(case("Cây đổ")).unwrap();
}
