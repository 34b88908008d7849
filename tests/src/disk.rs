//! A disk under SQLite that fails on purpose: power is lost between any two operations, with what was
//! not synced forgotten, torn or reordered; there is no space left; a write fails once. The files are
//! real ones, SQLCipher is above it, and our own code is that of the phone and the ward.
//!
//! Files that are not SQLite's (keys, locks) are written past it and do not fail.

mod shim;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::simulation::world::Dice;

/// What a real disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// What goes wrong, at the operation that is counted from 1. Operations are those that change
/// something: writes, truncations, syncs and deletions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing works from that operation on, until [`Disk::power_on`].
    PowerLoss {
        /// The first operation that is not carried out.
        at: u64,
    },
    /// No write finds space from that operation on.
    Full {
        /// The first write that finds none.
        at: u64,
    },
    /// One operation fails, the others are well.
    Error {
        /// The one.
        at: u64,
    },
}

/// What an operation is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Io,
    Full,
}

/// The SQLite files of one folder.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    operations: u64,
    reads: u64,
    fault: Option<Fault>,
    has_failed: bool,
    is_down: bool,
    files: BTreeMap<PathBuf, Image>,
}

/// A file as it would be found after a power loss, and what a sync would add.
#[derive(Debug, Default)]
struct Image {
    synced: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                let end = at + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[*at..end].copy_from_slice(bytes);
            }
            Self::Truncate { length } => to.truncate(*length),
        }
    }

    /// What is left of it by a power loss; `None` if nothing is.
    fn survivor(self, dice: &mut Dice) -> Option<Self> {
        match dice.below(3) {
            0 => None,
            1 => Some(self),
            _ => match self {
                Self::Write { at, mut bytes } => {
                    let sectors = bytes.len().div_ceil(SECTOR_BYTES);
                    bytes.truncate(dice.below(sectors + 1) * SECTOR_BYTES);
                    Some(Self::Write { at, bytes })
                }
                whole @ Self::Truncate { .. } => Some(whole),
            },
        }
    }
}

impl Disk {
    /// Takes over the SQLite files below `folder`, those that are there count as synced.
    ///
    /// # Panics
    /// If SQLite has no file system of its own to put it over.
    #[must_use]
    pub fn under(folder: &Path) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        shim::take_over(folder, Arc::clone(&state));
        Self {
            folder: folder.to_owned(),
            state,
        }
    }

    /// Counts from here, and fails as told.
    pub fn plan(&self, fault: Option<Fault>) {
        let mut state = lock(&self.state);
        state.operations = 0;
        state.has_failed = false;
        state.fault = fault;
    }

    /// Whether the planned fault has come.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        lock(&self.state).has_failed
    }

    /// Operations since the last plan.
    #[must_use]
    pub fn operations(&self) -> u64 {
        lock(&self.state).operations
    }

    /// How often SQLite has read from a file.
    #[must_use]
    pub fn reads(&self) -> u64 {
        lock(&self.state).reads
    }

    /// Power comes back: of what was not synced, each write is there, or not, or only its first
    /// sectors, in no order. No file may be open.
    ///
    /// # Panics
    /// If the files cannot be written.
    pub fn power_on(&self, dice: &mut Dice) {
        let mut state = lock(&self.state);
        for (path, image) in &mut state.files {
            let changes = std::mem::take(&mut image.unsynced);
            for change in changes
                .into_iter()
                .filter_map(|change| change.survivor(dice))
            {
                change.apply(&mut image.synced);
            }
            std::fs::write(path, &image.synced).expect("the test machine has a disk");
        }
        state.is_down = false;
        state.fault = None;
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        shim::give_back(&self.folder);
    }
}

impl State {
    /// Asked before every operation that changes something.
    fn begin(&mut self, needs_space: bool) -> Result<(), Refusal> {
        if self.is_down {
            return Err(Refusal::Io);
        }
        self.operations += 1;
        let refusal = match self.fault {
            Some(Fault::PowerLoss { at }) if self.operations >= at => {
                self.is_down = true;
                Refusal::Io
            }
            Some(Fault::Full { at }) if self.operations >= at && needs_space => Refusal::Full,
            Some(Fault::Error { at }) if self.operations == at => Refusal::Io,
            _ => return Ok(()),
        };
        self.has_failed = true;
        Err(refusal)
    }

    fn changed(&mut self, path: &Path, change: Change) {
        self.files
            .entry(path.to_owned())
            .or_default()
            .unsynced
            .push(change);
    }

    fn synced(&mut self, path: &Path) {
        let image = self.files.entry(path.to_owned()).or_default();
        for change in image.unsynced.drain(..) {
            change.apply(&mut image.synced);
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
