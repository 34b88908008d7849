//! A ward with phones in a folder of its own, and cases to record.

use std::path::{Path, PathBuf};

use gandan_tests::programs::{Phone, WardServer};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A ward that serves, and room for phones.
pub(crate) struct Town {
    pub(crate) server: WardServer,
    folder: TempDir,
}

impl Town {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            server: WardServer::start(&folder.path().join("ward")),
            folder,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The phone of a leader, who sees the whole ward.
    pub(crate) fn phone(&self, name: &str) -> Phone {
        let invite = self.server.invite(name, "leader");
        Phone::enrolled(&self.path(name), &invite)
    }
}

/// A case as `cases.jsonl` has it.
pub(crate) fn case(number: usize) -> Value {
    json!({
        "id": format!("c{number:06}"),
        "visit": format!("v{:05}", number / 4),
        "area": "Hẻm 12 Lê Lợi",
        "kind": "report",
        "category": "lighting",
        "urgency": "high",
        "status": "new",
        "recorded_at": "2026-03-02T01:00:12.345Z",
        "text": format!("Đèn đường cột số {number} bị hỏng, buổi tối rất tối và nguy hiểm."),
        "citizen": {"name": "Nguyễn Thị Bình", "phone": "0912345678", "address": "12/3 Lê Lợi"},
        "location": {"lat": 10.776889, "lon": 106.700898},
        "attachments": {},
        "notes": [],
    })
}

/// Several of them.
pub(crate) fn cases(numbers: std::ops::Range<usize>) -> Vec<Value> {
    numbers.map(case).collect()
}

/// The texts of a list, sorted.
pub(crate) fn texts(list: &[Value]) -> Vec<String> {
    let mut texts: Vec<_> = list
        .iter()
        .map(|case| case["text"].as_str().unwrap().to_owned())
        .collect();
    texts.sort();
    texts
}

/// A large file that no part of another one equals, and that does not compress, attached to a case.
pub(crate) fn attach_large_photo(town: &Town, phone: &Phone, case: &str) -> Vec<u8> {
    let mut photo = vec![0; 3_000_000];
    blake3::Hasher::new().finalize_xof().fill(&mut photo);
    photo[..4].copy_from_slice(b"\xff\xd8\xff\xe0");
    let path = town.path("photo.jpg");
    std::fs::write(&path, &photo).unwrap();
    let _ = phone
        .run(&["attach", case, path.to_str().unwrap()])
        .expect(0);
    photo
}

/// A photo that a phone could have taken: the smallest JPEG, made different by `salt` after its end.
pub(crate) fn photo(path: &Path, salt: u8) -> Vec<u8> {
    let mut bytes = vec![
        0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0,
    ];
    bytes.extend(std::iter::repeat_n(salt, 200_000));
    bytes.extend([0xff, 0xd9]);
    std::fs::write(path, &bytes).unwrap();
    bytes
}
