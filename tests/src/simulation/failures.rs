//! Disks that fail under phones and ward, who starts again after it, and which errors that excuses.

use std::fmt::Display;
use std::path::Path;

use gandan_server::ward::{Ward, WardError};

use crate::disk::Fault;

use super::checks;
use super::fleet::{Fleet, start_phone, start_ward};
use super::world::Skew;

/// How likely somebody makes room on a full disk before the next thing happens, in percent.
const ROOM_IS_MADE_PERCENT: usize = 70;

/// What a machine needs.
enum Care {
    None,
    Restart,
    Mend,
}

impl Fleet {
    /// What follows from what failed: who lost power starts again, a full disk is given room.
    pub fn attend(&mut self) {
        for phone in 0..self.phones.len() {
            match self.care_for(self.phones[phone].machine.failure()) {
                Care::None => {}
                Care::Restart => self.restart_phone(phone),
                Care::Mend => self.phones[phone].machine.plan(None),
            }
        }
        match self.care_for(self.ward.failure()) {
            Care::None => {}
            Care::Restart => self.restart_ward(),
            Care::Mend => self.ward.plan(None),
        }
    }

    fn care_for(&mut self, failure: Option<Fault>) -> Care {
        match failure {
            None => Care::None,
            Some(Fault::PowerLoss { .. }) => Care::Restart,
            Some(Fault::Full { .. }) if !self.dice.percent(ROOM_IS_MADE_PERCENT) => Care::None,
            Some(Fault::Full { .. } | Fault::Error { .. }) => {
                self.tally.disk_failures += 1;
                Care::Mend
            }
        }
    }

    /// Nothing fails any more.
    pub fn mend(&mut self) {
        self.is_calm = true;
        self.attend();
        for phone in &mut self.phones {
            phone.machine.plan(None);
        }
        self.ward.plan(None);
    }

    fn restart_phone(&mut self, phone: usize) {
        let environment = self.environment(&self.phones[phone].skew.clone());
        let machine = &mut self.phones[phone].machine;
        machine.restart(&mut self.dice, &|folder: &Path| {
            start_phone(folder, &environment)
        });
        self.tally.crashes += 1;
        checks::is_sound(&self.phones[phone].store(), self.plan.seed);
    }

    fn restart_ward(&mut self) {
        let environment = self.environment(&Skew::default());
        self.ward.restart(&mut self.dice, &|folder: &Path| {
            start_ward(folder, &environment)
        });
        self.tally.ward_crashes += 1;
        self.ward()
            .read(|connection| {
                checks::is_sound(connection, self.plan.seed);
                Ok(())
            })
            .expect("the ward answers");
    }

    /// The power of a phone goes now.
    pub fn crash(&mut self, phone: usize) {
        self.restart_phone(phone);
    }

    /// An error of a phone is one only if its disk failed.
    ///
    /// # Panics
    /// If it did not.
    pub fn excuse(&self, phone: usize, error: &dyn Display) {
        let phone = &self.phones[phone];
        assert!(
            phone.machine.failure().is_some(),
            "seed {}: {} says: {error}",
            self.plan.seed,
            phone.name
        );
    }

    /// The same of the ward.
    ///
    /// # Panics
    /// If its disk did not fail.
    pub fn excuse_ward(&self, error: &dyn Display) {
        assert!(
            self.ward.failure().is_some(),
            "seed {}: the ward says: {error}",
            self.plan.seed
        );
    }

    /// What an administrator does, again and again until the ward says that it is done.
    pub(super) fn insist<T>(&mut self, what: impl Fn(&Ward) -> Result<T, WardError>) -> T {
        loop {
            match what(self.ward()) {
                Ok(done) => return done,
                Err(error) => self.excuse_ward(&error),
            }
            self.attend();
        }
    }
}
