//! Where a device's reading of the feed stands. Opaque to the device; what the ward reads in it says
//! exactly what the device holds: the documents that its scope of that version covered at that place
//! of the feed. So the ward needs to remember nothing per device.

use crate::codec::{DecodeError, Reader, Writer};
use crate::model::{ChainHash, Epoch};

/// First byte of a cursor, so that a later ward can tell its own from ours.
const CURSOR_FORMAT: u8 = 1;

/// Bits of the byte of flags.
mod flag {
    pub(super) const WHOLE: u8 = 1;
    pub(super) const STEP: u8 = 2;
    pub(super) const STEP_AGAIN: u8 = 4;
}

/// How far a device has read. Opaque to the device, which only gives it back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor(pub Vec<u8>);

impl Cursor {
    /// Whether nothing was read yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What the ward itself reads in a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorFields {
    /// The feed's life.
    pub epoch: Epoch,
    /// The last sequence read; 0 before the first.
    pub sequence: u64,
    /// The chain at that sequence.
    pub chain: ChainHash,
    /// Version of the device's scope in which it was read.
    pub scope_version: u64,
    /// Whether the device reads from the start, and what it holds from before is doubtful until the
    /// end is reached.
    pub is_whole: bool,
    /// A change to another version of the scope that is under way.
    pub step: Option<ScopeStep>,
    /// How far the history of the document of the next entry was read, if it did not fit one page.
    pub filled: u64,
}

/// A device on its way from one version of its scope to another, at one place of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeStep {
    /// To which version.
    pub to: u64,
    /// The last sequence of which it was looked at what the device gains and loses.
    pub done: u64,
    /// Whether the step was begun towards another version before, so that the device may hold what
    /// that one covers.
    pub is_begun_again: bool,
}

impl CursorFields {
    /// As a device keeps it.
    #[must_use]
    pub fn to_cursor(self) -> Cursor {
        let mut flags = 0;
        if self.is_whole {
            flags |= flag::WHOLE;
        }
        if let Some(step) = self.step {
            flags |= flag::STEP;
            if step.is_begun_again {
                flags |= flag::STEP_AGAIN;
            }
        }
        let mut writer = Writer::new();
        writer
            .byte(CURSOR_FORMAT)
            .fixed(self.epoch.as_bytes())
            .unsigned(self.sequence)
            .fixed(self.chain.as_bytes())
            .unsigned(self.scope_version);
        // Nearly always nothing is under way, and a greeting costs less.
        if flags == 0 && self.filled == 0 {
            return Cursor(writer.finish());
        }
        writer.byte(flags).unsigned(self.filled);
        if let Some(step) = self.step {
            writer.unsigned(step.to).unsigned(step.done);
        }
        Cursor(writer.finish())
    }

    /// `None` for an empty cursor or one that is not ours: the device then reads from the start.
    #[must_use]
    pub fn from_cursor(cursor: &Cursor) -> Option<Self> {
        let mut reader = Reader::new(&cursor.0);
        Self::read(&mut reader).ok().filter(|_| reader.is_empty())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.byte()? {
            CURSOR_FORMAT => {}
            other => return Err(DecodeError::UnknownCode(other.into())),
        }
        let epoch = Epoch(reader.fixed()?);
        let sequence = reader.unsigned()?;
        let chain = ChainHash(reader.fixed()?);
        let scope_version = reader.unsigned()?;
        let quiet = Self {
            epoch,
            sequence,
            chain,
            scope_version,
            is_whole: false,
            step: None,
            filled: 0,
        };
        if reader.is_empty() {
            return Ok(quiet);
        }
        let flags = reader.byte()?;
        if flags & !(flag::WHOLE | flag::STEP | flag::STEP_AGAIN) != 0
            || flags & (flag::STEP | flag::STEP_AGAIN) == flag::STEP_AGAIN
        {
            return Err(DecodeError::InvalidValue);
        }
        let filled = reader.unsigned()?;
        let step = if flags & flag::STEP == 0 {
            None
        } else {
            Some(ScopeStep {
                to: reader.unsigned()?,
                done: reader.unsigned()?,
                is_begun_again: flags & flag::STEP_AGAIN != 0,
            })
        };
        Ok(Self {
            is_whole: flags & flag::WHOLE != 0,
            step,
            filled,
            ..quiet
        })
    }
}
