//! What every edit has beside its operations: when, who, which document, what it depends on. Names
//! that were met before are written as how long ago.

use std::collections::HashMap;
use std::hash::Hash;

use uuid::Uuid;

use super::bits::{BitReader, BitWriter, Packer, Unpacker};
use super::shape::Shape;
use crate::codec::DecodeError;
use crate::edit::Edit;
use crate::model::{ActorId, EditId, IntentId, Timestamp};

mod uuid_mode {
    /// Beside the time, 80 bits of each uuid.
    pub(super) const ANY: u8 = 0;
    /// Every uuid is of version 7: 74 bits of each.
    pub(super) const VERSION_7: u8 = 1;
}

/// The head of one edit that decodes.
pub(super) struct Head {
    uuid: Uuid,
    actor: ActorId,
    time: i64,
    change: Option<ChangeHead>,
}

struct ChangeHead {
    intent: IntentId,
    sequence: u64,
    dependencies: Vec<Dependency>,
}

enum Dependency {
    Elsewhere(EditId),
    /// So many edits before this one.
    Before(usize),
}

impl Head {
    /// Of the edit at `place`; `places` are those of the edits before it.
    pub(super) fn new(edit: &Edit, place: usize, places: &HashMap<EditId, usize>) -> Self {
        let dependency = |id: &EditId| match places.get(id) {
            Some(before) => Dependency::Before(place - before),
            None => Dependency::Elsewhere(*id),
        };
        let change = (!edit.dependencies.is_empty()).then(|| ChangeHead {
            intent: edit.intent,
            sequence: edit.sequence,
            dependencies: edit.dependencies.iter().map(dependency).collect(),
        });
        Self {
            uuid: edit.document.uuid,
            actor: edit.actor,
            time: edit.device_time.0,
            change,
        }
    }
}

/// The heads of all edits that decode, in order.
pub(super) struct Heads {
    heads: Vec<Head>,
    /// Uuids of documents in order of appearance.
    uuids: Vec<Uuid>,
    places_of_uuids: HashMap<Uuid, usize>,
    /// Of each head, the place of its uuid.
    documents: Vec<usize>,
}

impl Heads {
    pub(super) fn new(heads: Vec<Head>) -> Self {
        let mut known = Self {
            heads: Vec::new(),
            uuids: Vec::new(),
            places_of_uuids: HashMap::new(),
            documents: Vec::new(),
        };
        for head in &heads {
            let next = known.uuids.len();
            let place = *known.places_of_uuids.entry(head.uuid).or_insert(next);
            if place == next {
                known.uuids.push(head.uuid);
            }
            known.documents.push(place);
        }
        known.heads = heads;
        known
    }

    /// Device time of an edit.
    pub(super) fn time(&self, owner: usize) -> i64 {
        self.heads[owner].time
    }

    /// How many documents ago (negative: later) the document `uuid` was named first, seen from an
    /// edit's own.
    pub(super) fn document_distance(&self, owner: usize, uuid: Uuid) -> Option<i64> {
        let place = *self.places_of_uuids.get(&uuid)?;
        Some(self.documents[owner] as i64 - place as i64)
    }

    /// The reverse of [`Heads::document_distance`].
    pub(super) fn document_at(&self, owner: usize, distance: i64) -> Option<Uuid> {
        let place = (self.documents[owner] as i64).checked_sub(distance)?;
        self.uuids.get(usize::try_from(place).ok()?).copied()
    }

    pub(super) fn write(&self, packer: &mut Packer) {
        let times: Vec<i64> = self.heads.iter().map(|head| head.time).collect();
        packer.sequence(&times);

        let (references, actors) = references(self.heads.iter().map(|head| head.actor));
        packer.ints(&references);
        for actor in actors {
            packer.bits.put_bytes(actor.as_bytes());
        }

        let (references, _) = self::references(self.heads.iter().map(|head| head.uuid));
        packer.ints(&references);
        self.write_uuids(packer, &references);

        let changes = || self.heads.iter().filter_map(|head| head.change.as_ref());
        for change in changes() {
            packer.bits.put_bytes(change.intent.as_bytes());
        }
        // All 64 bits of a sequence are kept, whatever their sign is now.
        let sequences: Vec<i64> = changes().map(|change| change.sequence as i64).collect();
        packer.ints(&sequences);
        let dependencies = || changes().flat_map(|change| &change.dependencies);
        let distances: Vec<i64> = dependencies()
            .map(|dependency| match dependency {
                Dependency::Elsewhere(_) => 0,
                Dependency::Before(distance) => *distance as i64,
            })
            .collect();
        packer.ints(&distances);
        for dependency in dependencies() {
            if let Dependency::Elsewhere(id) = dependency {
                packer.bits.put_bytes(id.as_bytes());
            }
        }
    }

    fn write_uuids(&self, packer: &mut Packer, references: &[i64]) {
        let new: Vec<&Head> = self
            .heads
            .iter()
            .zip(references)
            .filter(|&(_, &reference)| reference == 0)
            .map(|(head, _)| head)
            .collect();
        let times: Vec<i64> = new
            .iter()
            .map(|head| time_of(head.uuid).wrapping_sub(head.time))
            .collect();
        packer.ints(&times);
        if new.is_empty() {
            return;
        }
        let all_7 = new.iter().all(|head| is_version_7(head.uuid));
        packer.numbers.byte(if all_7 {
            uuid_mode::VERSION_7
        } else {
            uuid_mode::ANY
        });
        for head in new {
            put_rest(&mut packer.bits, head.uuid, all_7);
        }
    }

    pub(super) fn read(
        unpacker: &mut Unpacker<'_>,
        shapes: &[&Shape],
    ) -> Result<Self, DecodeError> {
        let times = unpacker.sequence(shapes.len())?;
        let references = unpacker.counts(shapes.len(), shapes.len())?;
        let actors = resolve(&references, |_| Ok(ActorId(unpacker.bits.take_bytes()?)))?;
        let references = unpacker.counts(shapes.len(), shapes.len())?;
        let uuids = read_uuids(unpacker, &references, &times)?;

        let dependency_counts = shapes.iter().map(|shape| shape.dependency_count());
        let change_count = dependency_counts.clone().filter(|&count| count > 0).count();
        let mut intents = Vec::new();
        for _ in 0..change_count {
            intents.push(IntentId(unpacker.bits.take_bytes()?));
        }
        let mut intents_and_sequences = intents.into_iter().zip(unpacker.ints(change_count)?);
        let distances = unpacker.counts(dependency_counts.sum(), usize::MAX)?;
        let mut dependencies = Vec::new();
        for distance in distances {
            dependencies.push(match distance {
                0 => Dependency::Elsewhere(EditId(unpacker.bits.take_bytes()?)),
                distance => Dependency::Before(distance),
            });
        }
        let mut dependencies = dependencies.into_iter();

        let heads = shapes.iter().zip(times).zip(actors.into_iter().zip(uuids));
        let heads = heads.map(|((shape, time), (actor, uuid))| Head {
            uuid,
            actor,
            time,
            change: (shape.dependency_count() > 0)
                .then(|| intents_and_sequences.next())
                .flatten()
                .map(|(intent, sequence)| ChangeHead {
                    intent,
                    sequence: sequence as u64,
                    dependencies: dependencies
                        .by_ref()
                        .take(shape.dependency_count())
                        .collect(),
                }),
        });
        Ok(Self::new(heads.collect()))
    }

    /// Gives a blank edit its head. `before` are the bytes of all edits before it.
    pub(super) fn fill(
        &self,
        owner: usize,
        edit: &mut Edit,
        before: &[Vec<u8>],
    ) -> Result<(), DecodeError> {
        let head = &self.heads[owner];
        edit.document.uuid = head.uuid;
        edit.actor = head.actor;
        edit.device_time = Timestamp(head.time);
        let Some(change) = &head.change else {
            edit.intent = IntentId(head.uuid.into_bytes());
            return Ok(());
        };
        edit.intent = change.intent;
        edit.sequence = change.sequence;
        for (slot, dependency) in edit.dependencies.iter_mut().zip(&change.dependencies) {
            *slot = match dependency {
                Dependency::Elsewhere(id) => *id,
                Dependency::Before(distance) => {
                    let place = before.len().checked_sub(*distance);
                    let bytes = place.map(|place| before[place].as_slice());
                    EditId(blake3::hash(bytes.ok_or(DecodeError::InvalidValue)?).into())
                }
            };
        }
        Ok(())
    }
}

/// Of each name 0 if it is new, or how many new names ago it was met, from 1; and the new names.
fn references<N: Copy + Eq + Hash>(names: impl Iterator<Item = N>) -> (Vec<i64>, Vec<N>) {
    let mut places = HashMap::new();
    let mut new = Vec::new();
    let references = names
        .map(|name| match places.get(&name) {
            Some(place) => (new.len() - place) as i64,
            None => {
                places.insert(name, new.len());
                new.push(name);
                0
            }
        })
        .collect();
    (references, new)
}

/// The reverse of [`references`]; `read` gives the new name at a place.
fn resolve<N: Copy>(
    references: &[usize],
    mut read: impl FnMut(usize) -> Result<N, DecodeError>,
) -> Result<Vec<N>, DecodeError> {
    let mut new: Vec<N> = Vec::new();
    let mut names = Vec::new();
    for (place, &reference) in references.iter().enumerate() {
        if reference == 0 {
            new.push(read(place)?);
        }
        let known = new.len().checked_sub(reference.max(1));
        names.push(new[known.ok_or(DecodeError::InvalidValue)?]);
    }
    Ok(names)
}

fn read_uuids(
    unpacker: &mut Unpacker<'_>,
    references: &[usize],
    times: &[i64],
) -> Result<Vec<Uuid>, DecodeError> {
    let new_count = references
        .iter()
        .filter(|&&reference| reference == 0)
        .count();
    let mut distances = unpacker.ints(new_count)?.into_iter();
    let mode = if new_count == 0 {
        uuid_mode::ANY
    } else {
        unpacker.numbers.byte()?
    };
    if mode > uuid_mode::VERSION_7 {
        return Err(DecodeError::UnknownCode(mode.into()));
    }
    resolve(references, |place| {
        let distance = distances.next().unwrap_or_default();
        let time = times[place].wrapping_add(distance);
        take_uuid(&mut unpacker.bits, time, mode == uuid_mode::VERSION_7)
    })
}

/// The first 48 bits, which a uuid of version 7 fills with milliseconds.
fn time_of(uuid: Uuid) -> i64 {
    (uuid.as_u128() >> 80) as i64
}

fn is_version_7(uuid: Uuid) -> bool {
    let bits = uuid.as_u128();
    (bits >> 76) & 0xf == 7 && (bits >> 62) & 0b11 == 0b10
}

fn put_rest(bits: &mut BitWriter, uuid: Uuid, is_version_7: bool) {
    let (high, low) = uuid.as_u64_pair();
    if is_version_7 {
        bits.put(high, 12);
        bits.put(low, 62);
    } else {
        bits.put(high, 16);
        bits.put(low, 64);
    }
}

fn take_uuid(bits: &mut BitReader<'_>, time: i64, is_version_7: bool) -> Result<Uuid, DecodeError> {
    let time = u64::try_from(time)
        .ok()
        .filter(|time| time >> 48 == 0)
        .ok_or(DecodeError::InvalidValue)?;
    let (high, low) = if is_version_7 {
        (7 << 12 | bits.take(12)?, 0b10 << 62 | bits.take(62)?)
    } else {
        (bits.take(16)?, bits.take(64)?)
    };
    Ok(Uuid::from_u64_pair(time << 16 | high, low))
}
