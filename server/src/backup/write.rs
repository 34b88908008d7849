//! Writing a backup: the ward's file, frozen, block by block; what has not changed since the last backup of
//! the folder is named and not written again.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use gandan_core::recovery::PieceSealer;
use zeroize::Zeroizing;

use super::manifest::{Block, Manifest, PackEntry};
use super::pack::PackWriter;
use super::place::{LockedFolder, Place, Unfinished, end_file, make_private};
use super::{BLOCK_BYTES, BackupError, Summary};
use crate::config;
use crate::ward::Ward;
use crate::ward::frozen::Frozen;

/// A block is written anew at the latest after this, so that nothing of what was purged stays for ever.
const PACK_MS_MAX: i64 = 60 * 24 * 60 * 60 * 1000;
/// Packs may hold so many times what is needed of them before all is written anew, and so much more.
const WASTE_TIMES: u64 = 2;
const WASTE_BYTES: u64 = 64 * 1024 * 1024;
/// Largest configuration that goes along.
const CONFIG_BYTES_MAX: u64 = 64 * 1024;

/// How a backup is to be.
#[derive(Debug, Clone, Copy)]
pub struct Wishes {
    /// Everything anew, nothing from earlier packs.
    pub full: bool,
    /// How many of the newest backups the folder keeps.
    pub keep: usize,
    /// And for how many days the last one of each day.
    pub keep_days: u32,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            full: false,
            keep: 30,
            keep_days: 30,
        }
    }
}

/// Writes a backup of `ward`, whose folder is `data`, to `to`: into a folder, with those that are there, or
/// as one file. A path that is not there is a file if its name has an ending, else a folder.
///
/// # Errors
/// See [`BackupError`]; then all that was there before is as it was.
pub fn write(ward: &Ward, data: &Path, to: &Path, wishes: Wishes) -> Result<Summary, BackupError> {
    let secrets_config = read_config(data)?;
    let ends_as_folder = to
        .as_os_str()
        .to_string_lossy()
        .ends_with(std::path::MAIN_SEPARATOR);
    let is_file = to.is_file() || (!to.exists() && !ends_as_folder && to.extension().is_some());
    let summary = ward.frozen(|frozen| {
        if is_file {
            write_file(ward, frozen, &secrets_config, to)
        } else {
            write_into(ward, frozen, &secrets_config, to, wishes)
        }
    })??;
    ward.note_backup(summary.added)?;
    Ok(summary)
}

fn read_config(data: &Path) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let path = data.join(config::FILE_NAME);
    match std::fs::metadata(&path) {
        Ok(found) if found.len() <= CONFIG_BYTES_MAX => Ok(Zeroizing::new(std::fs::read(path)?)),
        _ => Ok(Zeroizing::default()),
    }
}

fn write_file(
    ward: &Ward,
    frozen: &Frozen,
    config: &[u8],
    to: &Path,
) -> Result<Summary, BackupError> {
    if to.exists() {
        let there = Place::of(to)?.manifest(None);
        let there = there.map_err(|_| BackupError::Occupied)?;
        refuse_other_ward(&there, frozen)?;
    }
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private(folder)?;
    }
    let mut unfinished = Unfinished::begin(to)?;
    let mut draft = Draft::new(ward, frozen, config, 1)?;
    draft.write_blocks(frozen, &mut unfinished.file, None)?;
    let manifest = draft.manifest.encode(&frozen.signing);
    end_file(&mut unfinished.file, &manifest)?;
    unfinished.finish()?;
    Ok(draft.summary(manifest.len(), to))
}

fn write_into(
    ward: &Ward,
    frozen: &Frozen,
    config: &[u8],
    to: &Path,
    wishes: Wishes,
) -> Result<Summary, BackupError> {
    let folder = LockedFolder::open(to)?;
    let place = Place::Folder(folder.path().to_owned());
    let mut earlier = None;
    for number in folder.manifests()?.into_iter().rev() {
        // A damaged one is of no use, and no reason not to make a good one.
        match place.manifest(Some(number)) {
            Ok(manifest) => {
                refuse_other_ward(&manifest, frozen)?;
                earlier = Some(manifest);
                break;
            }
            Err(BackupError::Newer) => return Err(BackupError::Newer),
            Err(_) => {}
        }
    }
    let number = folder.next_number()?;
    let mut draft = Draft::new(ward, frozen, config, number)?;
    let earlier =
        earlier.filter(|earlier| !wishes.full && is_to_be_used(earlier, &place, &draft.manifest));
    let mut unfinished = folder.begin_pack(number)?;
    if draft.write_blocks(frozen, &mut unfinished.file, earlier)? {
        unfinished.finish()?;
    } else {
        unfinished.discard()?;
    }
    let manifest = draft.manifest.encode(&frozen.signing);
    folder.put_manifest(number, &manifest)?;
    folder.keep_newest(wishes.keep, wishes.keep_days, draft.manifest.made_at)?;
    Ok(draft.summary(manifest.len(), folder.path()))
}

fn refuse_other_ward(there: &Manifest, frozen: &Frozen) -> Result<(), BackupError> {
    // A ward that was made anew under the same code is another one.
    let signer = frozen.signing.verifying_key().to_bytes();
    if (there.ward, there.signer) == (frozen.ward, signer) {
        Ok(())
    } else {
        Err(BackupError::OtherWard(there.ward))
    }
}

/// Whether what an earlier backup wrote is good for this one.
fn is_to_be_used(earlier: &Manifest, place: &Place, new: &Manifest) -> bool {
    let is_young =
        |pack: &PackEntry| (0..PACK_MS_MAX).contains(&new.made_at.0.saturating_sub(pack.made_at.0));
    let packed: u64 = earlier.packs.iter().map(|pack| pack.bytes).sum();
    (earlier.signer, earlier.recovery_public) == (new.signer, new.recovery_public)
        && earlier.packs.iter().all(is_young)
        && packed <= new.bytes.saturating_mul(WASTE_TIMES) + WASTE_BYTES
        // Nothing is built on what is gone or was changed.
        && earlier.packs.iter().all(|pack| place.is_whole(pack).is_ok())
}

/// A backup in the making.
struct Draft {
    manifest: Manifest,
    random: [u8; 32],
    added: u64,
}

impl Draft {
    fn new(ward: &Ward, frozen: &Frozen, config: &[u8], number: u64) -> Result<Self, BackupError> {
        let mut secrets = Zeroizing::new(frozen.store_key.as_bytes().to_vec());
        secrets.extend_from_slice(config);
        let bad = |_| BackupError::Damaged("the ward's recovery key is damaged");
        let (mut sealer, encapsulated) =
            PieceSealer::new(&frozen.recovery_public, frozen.ward, ward.random()).map_err(bad)?;
        Ok(Self {
            manifest: Manifest {
                ward: frozen.ward,
                number,
                made_at: ward.now(),
                signer: frozen.signing.verifying_key().to_bytes(),
                recovery_public: frozen.recovery_public,
                bytes: frozen.bytes,
                audit: frozen.audit,
                feed: frozen.feed,
                encapsulated,
                secrets: sealer.seal(&secrets, true),
                packs: Vec::new(),
                blocks: Vec::new(),
            },
            random: ward.random(),
            added: 0,
        })
    }

    /// Writes the blocks that are not in `earlier` as a pack; whether there were any.
    fn write_blocks(
        &mut self,
        frozen: &Frozen,
        to: &mut File,
        earlier: Option<Manifest>,
    ) -> Result<bool, BackupError> {
        let (packs, known) =
            earlier.map_or_else(Default::default, |earlier| (earlier.packs, earlier.blocks));
        self.manifest.packs = packs;
        let pack = self.manifest.packs.len() as u32;
        let buffered = BufWriter::with_capacity(256 * 1024, &mut *to);
        let manifest = &mut self.manifest;
        let mut writer =
            PackWriter::new(buffered, &frozen.recovery_public, frozen.ward, self.random)?;
        let count = frozen.bytes.div_ceil(BLOCK_BYTES as u64);
        let mut block = vec![0; BLOCK_BYTES];
        for place in 0..usize::try_from(count).unwrap_or(usize::MAX) {
            let block = &mut block[..manifest.block_bytes(place)];
            read_at(&frozen.file, block, (place * BLOCK_BYTES) as u64)?;
            let hash: [u8; 32] = blake3::hash(block).into();
            let known = known.get(place).filter(|known| known.hash == hash);
            manifest.blocks.push(match known {
                Some(known) => *known,
                None => Block {
                    pack,
                    index: writer.push(block)?,
                    hash,
                },
            });
        }
        let is_needed = !writer.is_empty();
        let (buffered, bytes, hash) = writer.finish()?;
        buffered
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?
            .flush()?;
        if is_needed {
            self.added = bytes;
            manifest.packs.push(PackEntry {
                id: manifest.number,
                bytes,
                hash,
                made_at: manifest.made_at,
            });
        }
        manifest.forget_unneeded_packs();
        Ok(is_needed)
    }

    fn summary(&self, manifest_bytes: usize, path: &Path) -> Summary {
        Summary {
            added: self.added + manifest_bytes as u64,
            ..super::read::summary(&self.manifest, path)
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
    use std::io::{Read as _, Seek as _};
    file.seek(std::io::SeekFrom::Start(offset))?;
    file.read_exact(buffer)
}
