//! A folder on a disk that fails, and the process that has it open: what a power cut, a full disk and
//! a hand that copies files do to a phone and to a ward alike.

use std::path::{Path, PathBuf};

use crate::disk::{Disk, Fault};
use crate::folders;

use super::world::Dice;

/// Power may go again while a store is being opened; so often at most in a row.
const POWER_CUTS_IN_A_ROW_MAX: usize = 3;
/// Within so many operations of an opening it goes again.
const OPENING_OPERATIONS: usize = 40;
/// How likely it goes again, in percent.
const CUT_AGAIN_PERCENT: usize = 20;

/// Opens what is in a folder. `Err` says in words why it cannot.
pub type Start<'a, P> = &'a dyn Fn(&Path) -> Result<P, String>;

/// A process and its files.
pub struct Machine<P> {
    folder: PathBuf,
    disk: Disk,
    fault: Option<Fault>,
    /// `None` only without power.
    process: Option<P>,
}

impl<P> Machine<P> {
    /// Starts a process on a folder.
    ///
    /// # Panics
    /// If it does not start: nothing fails yet.
    #[must_use]
    pub fn new(folder: PathBuf, start: Start<'_, P>) -> Self {
        let disk = Disk::under(&folder);
        let process = start(&folder).expect("a healthy store opens");
        Self {
            folder,
            disk,
            fault: None,
            process: Some(process),
        }
    }

    /// The process that runs.
    ///
    /// # Panics
    /// Never: it is away only within [`Machine::restart`].
    #[must_use]
    pub fn process(&self) -> &P {
        self.process.as_ref().expect("the machine has power")
    }

    /// The files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lets the disk fail, counted in operations from now; `None` mends it.
    pub fn plan(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        self.disk.plan(fault);
    }

    /// The fault that has come and was not mended.
    #[must_use]
    pub fn failure(&self) -> Option<Fault> {
        self.fault.filter(|_| self.disk.has_failed())
    }

    /// Power goes, and comes back: the process is gone, what was not synced is there, or not, or torn.
    ///
    /// # Panics
    /// If the store does not open any more.
    pub fn restart(&mut self, dice: &mut Dice, start: Start<'_, P>) {
        for attempt in 1.. {
            self.plan(Some(Fault::PowerLoss { at: 1 }));
            self.process = None;
            self.disk.power_on(dice);
            let is_cut_again =
                attempt <= POWER_CUTS_IN_A_ROW_MAX && dice.percent(CUT_AGAIN_PERCENT);
            let at = 1 + dice.below(OPENING_OPERATIONS) as u64;
            self.plan(is_cut_again.then_some(Fault::PowerLoss { at }));
            match start(&self.folder) {
                Ok(process) if self.failure().is_none() => {
                    self.process = Some(process);
                    self.plan(None);
                    return;
                }
                Ok(_) => {}
                Err(_) if self.failure().is_some() => {}
                Err(error) => panic!("after a power cut a store does not open: {error}"),
            }
        }
    }

    /// A copy of the files as they are at this instant.
    ///
    /// # Panics
    /// If the test machine's disk is full.
    pub fn copy_to(&self, folder: &Path) {
        folders::copy(&self.folder, folder);
    }
}
