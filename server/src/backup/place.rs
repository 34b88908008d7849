//! Where backups lie: a folder of numbered manifests and packs, or one file with a pack and its manifest.
//! A file gets its name once it is whole and on the disk, so that whatever ends a backup early leaves those
//! before it as they were.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use gandan_core::model::Timestamp;

use super::manifest::Manifest;
use super::{BackupError, pack};

const MANIFEST: &str = "manifest";
const PACK: &str = "pack";
/// Ending of what is not whole yet.
const UNFINISHED: &str = "unfinished";
/// Locked while somebody writes into the folder.
const LOCK: &str = "lock";

/// How a backup in one file ends: the length of the manifest, and this.
const FILE_END: &[u8; 16] = b"gandan-backup-1\n";
const TRAILER_BYTES: u64 = 8 + FILE_END.len() as u64;
/// A manifest of a store of a terabyte.
const MANIFEST_BYTES_MAX: u64 = 4 << 30;

/// A place of backups that exists.
pub(super) enum Place {
    Folder(PathBuf),
    File(PathBuf),
}

impl Place {
    /// What lies at a path.
    pub(super) fn of(path: &Path) -> Result<Self, BackupError> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        if path.is_file() {
            return Ok(Self::File(path.to_owned()));
        }
        Err(BackupError::NotABackup)
    }

    /// The backup of this number, or the newest.
    pub(super) fn manifest(&self, number: Option<u64>) -> Result<Manifest, BackupError> {
        let manifest = match self {
            Self::Folder(folder) => {
                let numbers = numbers(folder, MANIFEST)?;
                let newest = *numbers.last().ok_or(BackupError::NotABackup)?;
                let number = number.unwrap_or(newest);
                if !numbers.contains(&number) {
                    return Err(BackupError::NoSuchNumber(number));
                }
                let manifest = Manifest::decode(&fs::read(path_of(folder, number, MANIFEST))?)?;
                if manifest.number != number {
                    return Err(BackupError::Damaged("its list of blocks was renamed"));
                }
                manifest
            }
            Self::File(path) => {
                let mut file = File::open(path)?;
                let (start, length) = manifest_in(&mut file)?;
                file.seek(SeekFrom::Start(start))?;
                let mut bytes = Vec::new();
                file.take(length).read_to_end(&mut bytes)?;
                Manifest::decode(&bytes)?
            }
        };
        match number {
            Some(number) if number != manifest.number => Err(BackupError::NoSuchNumber(number)),
            _ => Ok(manifest),
        }
    }

    /// The bytes of a pack.
    pub(super) fn pack(&self, id: u64) -> Result<Box<dyn Read>, BackupError> {
        Ok(match self {
            Self::Folder(folder) => {
                let file =
                    File::open(path_of(folder, id, PACK)).map_err(|error| match error.kind() {
                        std::io::ErrorKind::NotFound => {
                            BackupError::Damaged("a pack of blocks is missing")
                        }
                        _ => error.into(),
                    })?;
                Box::new(file)
            }
            Self::File(path) => {
                let mut file = File::open(path)?;
                let (start, _) = manifest_in(&mut file)?;
                file.rewind()?;
                Box::new(file.take(start))
            }
        })
    }

    /// Whether a pack is as its manifest says; needs no key.
    pub(super) fn is_whole(&self, entry: &super::manifest::PackEntry) -> Result<(), BackupError> {
        let (bytes, hash) = pack::hash(&mut *self.pack(entry.id)?)?;
        if (bytes, hash) == (entry.bytes, entry.hash) {
            Ok(())
        } else {
            Err(BackupError::Damaged("a pack of blocks was changed"))
        }
    }
}

/// Where in a backup of one file the manifest lies, and how long it is.
fn manifest_in(file: &mut File) -> Result<(u64, u64), BackupError> {
    let total = file.metadata()?.len();
    let trailer_at = total
        .checked_sub(TRAILER_BYTES)
        .ok_or(BackupError::NotABackup)?;
    file.seek(SeekFrom::Start(trailer_at))?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let mut end = [0; FILE_END.len()];
    file.read_exact(&mut end)?;
    if &end != FILE_END {
        return Err(BackupError::NotABackup);
    }
    let length = u64::from_be_bytes(length);
    let start = trailer_at
        .checked_sub(length)
        .filter(|_| length <= MANIFEST_BYTES_MAX)
        .ok_or(BackupError::Damaged("its end does not read"))?;
    Ok((start, length))
}

/// Ends a backup of one file.
pub(super) fn end_file(file: &mut File, manifest: &[u8]) -> std::io::Result<()> {
    file.write_all(manifest)?;
    file.write_all(&(manifest.len() as u64).to_be_bytes())?;
    file.write_all(FILE_END)
}

/// A folder that nobody else writes into.
pub(super) struct LockedFolder {
    path: PathBuf,
    _lock: File,
}

impl LockedFolder {
    /// Opens a folder, made if there is none, and takes away what an earlier backup left unfinished.
    pub(super) fn open(path: &Path) -> Result<Self, BackupError> {
        make_private(path)?;
        let is_ours = |name: &str| {
            name == LOCK
                || [MANIFEST, PACK, UNFINISHED]
                    .iter()
                    .any(|ending| name.ends_with(&format!(".{ending}")))
        };
        for entry in fs::read_dir(path)? {
            if !entry?.file_name().to_str().is_some_and(is_ours) {
                return Err(BackupError::Occupied);
            }
        }
        let lock = private_file(&path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(BackupError::Busy),
            Err(fs::TryLockError::Error(error)) => return Err(error.into()),
        }
        let folder = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        for entry in fs::read_dir(path)? {
            let entry = entry?.path();
            if entry.extension().is_some_and(|ending| ending == UNFINISHED) {
                fs::remove_file(entry)?;
            }
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Numbers of the backups, ascending.
    pub(super) fn manifests(&self) -> Result<Vec<u64>, BackupError> {
        numbers(&self.path, MANIFEST)
    }

    /// A number that no file of the folder has.
    pub(super) fn next_number(&self) -> Result<u64, BackupError> {
        let last = |ending| Ok::<_, BackupError>(numbers(&self.path, ending)?.pop().unwrap_or(0));
        Ok(last(MANIFEST)?.max(last(PACK)?) + 1)
    }

    pub(super) fn begin_pack(&self, id: u64) -> Result<Unfinished, BackupError> {
        Unfinished::begin(&path_of(&self.path, id, PACK))
    }

    pub(super) fn put_manifest(&self, number: u64, bytes: &[u8]) -> Result<(), BackupError> {
        let mut unfinished = Unfinished::begin(&path_of(&self.path, number, MANIFEST))?;
        unfinished.file.write_all(bytes)?;
        unfinished.finish()
    }

    /// Takes away all but the newest backups and, for so many days, the last one of each day; then packs that
    /// none of those needs.
    pub(super) fn keep_newest(
        &self,
        keep: usize,
        days: u32,
        now: Timestamp,
    ) -> Result<(), BackupError> {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        let mut needed = BTreeSet::new();
        let mut days_kept = BTreeSet::new();
        let mut old = Vec::new();
        for (place, number) in self.manifests()?.into_iter().rev().enumerate() {
            let path = path_of(&self.path, number, MANIFEST);
            // Of a damaged one nobody knows what it needs: nothing is thrown away.
            let Ok(manifest) = Manifest::decode(&fs::read(&path)?) else {
                return Ok(());
            };
            let day = manifest.made_at.0.div_euclid(DAY_MS);
            let is_recent = now.0.div_euclid(DAY_MS).saturating_sub(day) < i64::from(days);
            if place < keep.max(1) || (is_recent && !days_kept.contains(&day)) {
                days_kept.insert(day);
                needed.extend(manifest.packs.iter().map(|pack| pack.id));
            } else {
                old.push(path);
            }
        }
        for path in old {
            fs::remove_file(path)?;
        }
        sync_folder(&self.path)?;
        for id in numbers(&self.path, PACK)? {
            if !needed.contains(&id) {
                fs::remove_file(path_of(&self.path, id, PACK))?;
            }
        }
        Ok(())
    }
}

/// A file that gets its name at its end.
pub(super) struct Unfinished {
    pub(super) file: File,
    path: PathBuf,
    name: PathBuf,
}

impl Unfinished {
    pub(super) fn begin(name: &Path) -> Result<Self, BackupError> {
        let mut path = name.as_os_str().to_owned();
        path.push(".");
        path.push(UNFINISHED);
        let path = PathBuf::from(path);
        Ok(Self {
            file: private_file(&path)?,
            path,
            name: name.to_owned(),
        })
    }

    /// Onto the disk, and then under its name.
    pub(super) fn finish(self) -> Result<(), BackupError> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.name)?;
        sync_folder(self.name.parent().unwrap_or(Path::new(".")))?;
        Ok(())
    }

    /// Nothing comes of it.
    pub(super) fn discard(self) -> Result<(), BackupError> {
        Ok(fs::remove_file(&self.path)?)
    }
}

pub(super) fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

pub(super) fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    File::open(path)?.sync_all()
}

fn path_of(folder: &Path, number: u64, ending: &str) -> PathBuf {
    folder.join(format!("{number:010}.{ending}"))
}

fn numbers(folder: &Path, ending: &str) -> Result<Vec<u64>, BackupError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_named = path.extension().is_some_and(|found| found == ending);
        let number = path
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse().ok());
        if let (true, Some(number)) = (is_named, number) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}
