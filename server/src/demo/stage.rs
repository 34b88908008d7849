//! What the afternoon needs before it begins: a ward with its people, and two phones that were
//! enrolled over QUIC. Owns where things lie in the demo's folder and what time the phones think it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use data_encoding::HEXLOWER;
use gandan_core::environment::Environment;
use gandan_core::model::{Role, Timestamp, WardCode};
use gandan_core::policy::Author;
use gandan_core::replica::Replica;
use gandan_core::store::StoreKey;

use super::{DemoError, office};
use crate::register;
use crate::ward::{STORE_FILE, STORE_KEY_FILE, Staff, Ward};

/// Says that a folder is a demo's, so that the next one may replace what it wrote.
const MARKER_FILE: &str = "gandan-demo.txt";
const PHONES_FOLDER: &str = "phones";
/// Phường Tân Hòa, Thành phố Hồ Chí Minh.
const WARD: &str = "26995";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Việt Nam has kept UTC+7 without summer time since 1975.
const VIETNAM_MS: i64 = 7 * 60 * MINUTE_MS;
/// When the last visit is over, in minutes after midnight.
const AFTERNOON_END_MINUTE: i64 = 17 * 60 + 15;

/// An officer of the demo.
pub(super) struct OfficerOfDemo {
    /// In the afternoon's file and in folders.
    pub(super) short: &'static str,
    pub(super) name: &'static str,
    /// Phường 8 is both officers', so that they see each other's cases there.
    areas: &'static [&'static str],
    device: &'static str,
}

/// Who goes out.
pub(super) const OFFICERS: [OfficerOfDemo; 2] = [
    OfficerOfDemo {
        short: "huong",
        name: "Nguyễn Thị Thu Hương",
        areas: &["26995", "26998"],
        device: "Điện thoại chị Hương",
    },
    OfficerOfDemo {
        short: "khanh",
        name: "Trần Quốc Khánh",
        areas: &["26998", "27001"],
        device: "Điện thoại anh Khánh",
    },
];

/// Everything and everybody in place.
pub(super) struct Stage {
    pub(super) ward: Ward,
    pub(super) triage: Staff,
    pub(super) password: String,
    pub(super) phones: Vec<Phone>,
    /// Midnight in Việt Nam before the afternoon.
    pub(super) midnight: Timestamp,
}

/// One officer's phone.
pub(super) struct Phone {
    pub(super) officer: &'static OfficerOfDemo,
    pub(super) replica: Replica,
    pub(super) clock: Arc<PhoneClock>,
    pub(super) folder: PathBuf,
    pub(super) key_file: PathBuf,
}

/// A phone's time: set while the afternoon is recorded, the system's afterwards.
pub(super) struct PhoneClock {
    /// 0: the system's.
    set_to: AtomicI64,
    environment: Arc<dyn Environment>,
}

impl PhoneClock {
    pub(super) fn set(&self, moment: Timestamp) {
        self.set_to.store(moment.0, Ordering::Relaxed);
    }

    pub(super) fn follow_the_system(&self) {
        self.set_to.store(0, Ordering::Relaxed);
    }
}

impl Environment for PhoneClock {
    fn now(&self) -> Timestamp {
        match self.set_to.load(Ordering::Relaxed) {
            0 => self.environment.now(),
            moment => Timestamp(moment),
        }
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.environment.fill_random(bytes);
    }
}

/// Removes what an earlier demo wrote into `folder`; refuses a folder that holds a real ward.
pub(super) fn clear(folder: &Path) -> Result<(), DemoError> {
    let marker = folder.join(MARKER_FILE);
    if !marker.exists() {
        if folder.join(STORE_FILE).exists() || folder.join(STORE_KEY_FILE).exists() {
            return Err(DemoError::NotADemo(folder.to_owned()));
        }
        std::fs::create_dir_all(folder)?;
        std::fs::write(
            &marker,
            "Phường mẫu của gandan-server demo; chạy lại demo sẽ xóa và tạo mới.\n\
             Made by gandan-server demo; running it again replaces what is here.\n",
        )?;
        return Ok(());
    }
    // The store, its journals and whatever else the store keeps beside itself.
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(STORE_FILE) {
            remove_if_there(&entry.path())?;
        }
    }
    remove_if_there(&folder.join(STORE_KEY_FILE))?;
    match std::fs::remove_dir_all(folder.join(PHONES_FOLDER)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn remove_if_there(path: &Path) -> Result<(), DemoError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

impl Stage {
    /// A ward with its areas and staff, and two phones that know nothing of it yet.
    pub(super) fn set(
        folder: &Path,
        environment: &Arc<dyn Environment>,
    ) -> Result<Self, DemoError> {
        let code: WardCode = WARD.parse().expect("five digits are a ward's code");
        let ward = Ward::init(folder, code, environment.clone())?;
        let areas = register::parse_areas(register::SAMPLE_AREAS_26995)
            .expect("a test holds that the sample's areas can be read");
        ward.add_areas(&areas)?;
        let password = password(environment.as_ref());
        let (login, name, role) = ("thu", "Lê Thị Minh Thư", Role::Triage);
        let officer = ward.add_staff(login, name, role, &password)?;
        let triage = Staff {
            author: Author { officer, role },
            login: login.to_owned(),
            name: name.to_owned(),
        };
        for name in office::COLLEAGUES {
            ward.officer(name, Role::Triage, &[])?;
        }
        let phones = OFFICERS
            .iter()
            .map(|officer| Phone::make(folder, officer, environment))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            ward,
            triage,
            password,
            phones,
            midnight: midnight_before_afternoon(environment.now()),
        })
    }

    pub(super) fn phone(&self, short: &str) -> &Phone {
        self.phones
            .iter()
            .find(|phone| phone.officer.short == short)
            .expect("a test holds that the afternoon knows its officers")
    }
}

impl Phone {
    fn make(
        folder: &Path,
        officer: &'static OfficerOfDemo,
        environment: &Arc<dyn Environment>,
    ) -> Result<Self, DemoError> {
        let folder = folder.join(PHONES_FOLDER).join(officer.short);
        std::fs::create_dir_all(&folder)?;
        let mut key = [0; 32];
        environment.fill_random(&mut key);
        let key_file = folder.with_extension("key");
        std::fs::write(&key_file, HEXLOWER.encode(&key))?;
        let clock = Arc::new(PhoneClock {
            set_to: AtomicI64::new(0),
            environment: environment.clone(),
        });
        let replica = Replica::open(&folder, &StoreKey::new(key), clock.clone())?;
        Ok(Self {
            officer,
            replica,
            clock,
            folder,
            key_file,
        })
    }

    /// Enrols by an invite, as an administrator would show it on paper: as a line of text.
    pub(super) async fn enrol(&self, ward: &Ward, address: &str) -> Result<(), DemoError> {
        let areas: Vec<String> = self
            .officer
            .areas
            .iter()
            .map(|&area| area.to_owned())
            .collect();
        let officer = ward.officer(self.officer.name, Role::Officer, &areas)?;
        let line = ward
            .invite(officer, &[address.to_owned()], 10 * MINUTE_MS)?
            .to_string();
        let invite = line
            .parse()
            .expect("an invite is read back as it was written");
        gandan_core::client::enrol(&self.replica, &invite, self.officer.device).await?;
        Ok(())
    }
}

/// Of today, or of yesterday if the afternoon is not over: nobody records in the future.
fn midnight_before_afternoon(now: Timestamp) -> Timestamp {
    let local = now.0 + VIETNAM_MS;
    let mut midnight = local - local.rem_euclid(DAY_MS);
    if local < midnight + AFTERNOON_END_MINUTE * MINUTE_MS {
        midnight -= DAY_MS;
    }
    Timestamp(midnight - VIETNAM_MS)
}

/// The moment `minutes` after `from`.
pub(super) fn after(from: Timestamp, minutes: u32) -> Timestamp {
    Timestamp(from.0 + i64::from(minutes) * MINUTE_MS)
}

/// Typed once from a screen: forty random bits for a ward that lives on one machine for an hour.
fn password(environment: &dyn Environment) -> String {
    let mut random = [0; 5];
    environment.fill_random(&mut random);
    let letters = data_encoding::BASE32_NOPAD.encode(&random).to_lowercase();
    format!("{}-{}", &letters[..4], &letters[4..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_afternoon_lies_in_the_past() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).expect("a time");
        let night = midnight_before_afternoon(at("2026-11-24T23:00:00+07:00"));
        assert_eq!(night, at("2026-11-24T00:00:00+07:00"));
        let morning = midnight_before_afternoon(at("2026-11-24T06:00:00+07:00"));
        assert_eq!(morning, at("2026-11-23T00:00:00+07:00"));
    }

    #[test]
    fn a_folder_with_a_real_ward_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(STORE_FILE), "a ward").expect("writable");
        assert!(matches!(clear(folder.path()), Err(DemoError::NotADemo(_))));
        assert!(folder.path().join(STORE_FILE).exists());
    }

    #[test]
    fn a_demo_replaces_the_demo_before_it_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        clear(folder.path()).expect("an empty folder is fine");
        for name in [STORE_FILE, STORE_KEY_FILE, "gandan.toml"] {
            std::fs::write(folder.path().join(name), "old").expect("writable");
        }
        clear(folder.path()).expect("an earlier demo's folder is fine");
        assert!(!folder.path().join(STORE_FILE).exists());
        assert!(!folder.path().join(STORE_KEY_FILE).exists());
        assert!(folder.path().join("gandan.toml").exists());
    }
}
