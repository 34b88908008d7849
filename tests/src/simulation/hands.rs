//! What hands do to phones and to the ward: give officers other areas, copy files, put old ones back,
//! set a clock, report a phone lost.

use std::path::{Path, PathBuf};

use gandan_core::model::Role;
use gandan_server::ward::WardError;

use crate::folders;

use super::fleet::{Fleet, Phone, start_phone, start_ward};
use super::machine::Machine;
use super::world::Skew;

impl Fleet {
    /// An administrator gives the officer of a phone other areas.
    pub fn reassign(&mut self, phone: usize, areas: Vec<String>) {
        let phone = &self.phones[phone];
        if phone.author.role != Role::Officer {
            return;
        }
        let officer = phone.officer.clone();
        self.insist(|ward| ward.set_areas(&officer, &areas));
        self.areas.insert(officer, areas);
        self.tally.reassignments += 1;
    }

    /// Somebody copies a phone onto a second one; both go on.
    pub fn clone_phone(&mut self, phone: usize) {
        let folder = self.new_folder("clone");
        let number = self.phones.len();
        let original = &self.phones[phone];
        original.machine.copy_to(&folder);
        let name = format!("clone {number} of {}", original.name);
        let (author, officer) = (original.author, original.officer.clone());
        let is_revoked = original.is_revoked;
        let skew = Skew::default();
        let environment = self.environment(&skew);
        self.phones.push(Phone {
            name,
            author,
            officer,
            is_revoked,
            skew,
            machine: Machine::new(folder, &|folder: &Path| start_phone(folder, &environment)),
        });
        self.tally.clones += 1;
    }

    /// A copy of a phone's files, to be put back later.
    pub fn back_up_phone(&mut self, phone: usize) -> PathBuf {
        let folder = self.new_folder("backup");
        self.phones[phone].machine.copy_to(&folder);
        folder
    }

    /// A phone is put back from an old copy, after it had told the ward everything.
    pub fn restore_phone(&mut self, phone: usize, backup: &Path) {
        let folder = self.new_folder("restored");
        folders::copy(backup, &folder);
        // What the ward refused is on the phone alone: whoever puts an older copy over it takes it away.
        let refused = self.phones[phone].refused();
        self.wiped_refusals.extend(refused);
        let environment = self.environment(&self.phones[phone].skew.clone());
        self.phones[phone].machine =
            Machine::new(folder, &|folder: &Path| start_phone(folder, &environment));
        self.tally.phone_restores += 1;
    }

    /// A copy of the ward's files, to be put back later.
    pub fn back_up_ward(&mut self) -> PathBuf {
        let folder = self.new_folder("ward-backup");
        self.ward.copy_to(&folder);
        folder
    }

    /// The ward is put back from an old copy: files swapped, nobody is told.
    pub fn restore_ward(&mut self, backup: &Path) {
        let folder = self.new_folder("ward-restored");
        folders::copy(backup, &folder);
        let environment = self.environment(&Skew::default());
        self.ward = Machine::new(folder, &|folder: &Path| start_ward(folder, &environment));
        self.was_ward_restored = true;
        // The administrator notices that areas and lost phones are those of the backup, and what had been purged.
        for (name, areas) in self.areas.clone() {
            let is_officer =
                |phone: &Phone| phone.officer == name && phone.author.role == Role::Officer;
            if self.phones.iter().any(is_officer) {
                self.insist(|ward| ward.set_areas(&name, &areas));
            }
        }
        for phone in 0..self.phones.len() {
            if self.phones[phone].is_revoked {
                self.revoke(phone);
            }
        }
        self.purge_again();
        self.tally.ward_restores += 1;
    }

    /// A phone is reported lost. Its copies are the same device.
    pub fn revoke(&mut self, phone: usize) {
        let device = self.phones[phone].device();
        // A restored ward may know an earlier key only.
        let mut known = vec![device];
        known.extend(self.phones[phone].earlier_devices());
        self.insist(|ward| {
            let mut revoked = known.iter().map(|device| ward.revoke(*device));
            let known = revoked.find(|revoked| !matches!(revoked, Err(WardError::NotFound(_))));
            known.unwrap_or(Err(WardError::NotFound("device")))
        });
        for phone in &mut self.phones {
            if phone.device() == device && !phone.is_revoked {
                phone.is_revoked = true;
                self.tally.revocations += 1;
            }
        }
    }

    /// Somebody sets a phone's clock, or its battery was empty.
    pub fn set_clock(&mut self, phone: usize, skew_ms: i64) {
        self.phones[phone].skew.set_ms(skew_ms);
        self.tally.clock_jumps += 1;
    }
}
