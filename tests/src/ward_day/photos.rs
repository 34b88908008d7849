//! Records and photos on their way over a bad link, from a phone that may be killed several times: when
//! all records are at the ward, when all photos are, and what the link would have allowed.

use gandan_core::replica::Replica;
use serde_json::json;

use super::driver::{Stage, look_again_later, now_ms, number, text};
use super::process::round;
use super::{words, workload};

/// A photo as a phone sends it.
const PHOTO_BYTES: usize = 200_000;

/// So many files, and so often the phone is killed while it sends them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Photos {
    pub(super) count: usize,
    pub(super) kills: u64,
}

/// Attaches a photo that does not compress to each of the first cases.
pub(super) fn attach(
    replica: &Replica,
    cases: &[workload::InputCase],
    count: usize,
) -> Result<(), String> {
    for (number, case) in cases.iter().enumerate().take(count) {
        let found = replica.find_case(&case.id).map_err(words)?;
        let id = found.ok_or_else(|| format!("{} is not here", case.id))?;
        let mut photo = vec![0; PHOTO_BYTES];
        let mut hasher = blake3::Hasher::new();
        hasher.update(&number.to_le_bytes());
        hasher.finalize_xof().fill(&mut photo);
        photo[..4].copy_from_slice(b"\xff\xd8\xff\xe0");
        let name = format!("{number}.jpg");
        replica.attach(id, &name, &photo).map_err(words)?;
    }
    Ok(())
}

impl Stage {
    /// Sends everything.
    pub(super) fn send(&mut self, photos: Photos) -> Result<(), String> {
        let store = text(&self.folder("a"));
        let before = self.link_a.bytes();
        let size = (photos.count * PHOTO_BYTES) as u64;
        let mut kills = 0;
        let mut phone = self.start(&["sync", &store])?;
        let began_ms = now_ms();
        let mut records_at = None;
        loop {
            let held = self.held_by_ward()?;
            let up = self.link_a.bytes().0 - before.0;
            if records_at.is_none() && held.edits >= self.recorded {
                self.note("photos_before_records", json!(held.files));
                self.note("records_up", json!(up));
                records_at = Some(now_ms());
            }
            if records_at.is_some() && held.files >= photos.count as u64 {
                break;
            }
            if kills < photos.kills && up > size * (kills + 1) / (photos.kills + 1) {
                phone.kill();
                kills += 1;
                phone = self.start(&["sync", &store])?;
            }
            look_again_later();
        }
        let ended_ms = now_ms();
        phone.answer()?;
        let seconds = |at: f64| round((at - began_ms) / 1_000.0, 2);
        self.note("records_s", json!(seconds(records_at.unwrap_or(ended_ms))));
        self.note("all_s", json!(seconds(ended_ms)));
        self.note("kills", json!(kills));
        let after = self.link_a.bytes();
        self.note("all_up", json!(after.0 - before.0));
        self.note("all_down", json!(after.1 - before.1));
        self.note("photo_bytes", json!(size));
        phone.end()
    }

    fn held_by_ward(&mut self) -> Result<Held, String> {
        let answer = self.ask_server()?;
        Ok(Held {
            edits: number(&answer, "sequence") as u64,
            files: number(&answer, "files") as u64,
        })
    }
}

/// What is durable at the ward.
struct Held {
    edits: u64,
    files: u64,
}
