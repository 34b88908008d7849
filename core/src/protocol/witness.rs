//! What a phone holds of its ward's audit trail, and what it makes of what the ward shows next. Knows no
//! store and no clock.

use super::checkpoint::{CHECKPOINT_BYTES_MAX, Checkpoint, Testimony};
use crate::codec::{DecodeError, Reader, Writer};

/// How many checkpoints a phone keeps: a day's and a half.
const KEPT_MAX: usize = 32;

/// A ward is asked once in an hour.
const ASKED_MS_MIN: i64 = 60 * 60 * 1000;

/// What this phone holds of the ward's audit trail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Witnessed {
    /// The ward's word, oldest first.
    pub checkpoints: Vec<Checkpoint>,
    /// What the ward showed once that does not go through the last of them: its trail was cut or written
    /// anew, and no restore tells why.
    pub broken_by: Option<Checkpoint>,
}

impl Witnessed {
    /// What to ask the ward about at `now`, milliseconds since 1970; `None`: it was asked lately.
    #[must_use]
    pub fn question(&self, now: i64) -> Option<u64> {
        let Some(last) = self.checkpoints.last() else {
            return Some(0);
        };
        let is_lately = (0..ASKED_MS_MIN).contains(&now.saturating_sub(last.at.0));
        (!is_lately || self.broken_by.is_some()).then_some(last.number)
    }

    /// Takes what the ward shows.
    pub fn hear(&mut self, Testimony { checkpoint, then }: Testimony) {
        if let Some(last) = self.checkpoints.last()
            && last.epoch == checkpoint.epoch
        {
            let is_extended = then == Some(last.chain) && checkpoint.number >= last.number;
            if !is_extended {
                tracing::error!(
                    held = last.number,
                    shown = checkpoint.number,
                    "the ward's audit trail does not go through what this phone witnessed"
                );
                self.broken_by = Some(checkpoint);
                return;
            }
        } else {
            // A restore, which the trail itself tells of, begins a new epoch.
            self.broken_by = None;
        }
        self.checkpoints.push(checkpoint);
        let over = self.checkpoints.len().saturating_sub(KEPT_MAX);
        self.checkpoints.drain(..over);
    }

    /// As it is kept.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.count(self.checkpoints.len());
        for checkpoint in &self.checkpoints {
            writer.bytes(&checkpoint.encode());
        }
        writer.optional(self.broken_by.as_ref(), |writer, checkpoint| {
            writer.bytes(&checkpoint.encode());
        });
        writer.finish()
    }

    /// From what was kept.
    ///
    /// # Errors
    /// If it is not of this form.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let read =
            |reader: &mut Reader<'_>| Checkpoint::decode(reader.bytes(CHECKPOINT_BYTES_MAX)?);
        let mut reader = Reader::new(bytes);
        let count = reader.count(KEPT_MAX)?;
        let checkpoints = (0..count)
            .map(|_| read(&mut reader))
            .collect::<Result<_, _>>()?;
        let broken_by = reader.optional(read)?;
        reader.finish()?;
        Ok(Self {
            checkpoints,
            broken_by,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChainHash, Epoch, Timestamp};

    const HOUR: i64 = 60 * 60 * 1000;

    fn shown(epoch: u8, number: u64, chain: u8, then: Option<u8>) -> Testimony {
        Testimony {
            checkpoint: Checkpoint {
                ward: "26995".parse().unwrap(),
                epoch: Epoch([epoch; 16]),
                number,
                chain: [chain; 32],
                feed_sequence: 0,
                feed_chain: ChainHash([0; 32]),
                at: Timestamp(number as i64 * HOUR),
                signature: [0; 64],
            },
            then: then.map(|chain| [chain; 32]),
        }
    }

    fn heard(testimonies: &[Testimony]) -> Witnessed {
        let mut witnessed = Witnessed::default();
        for testimony in testimonies {
            witnessed.hear(testimony.clone());
        }
        assert_eq!(
            Witnessed::decode(&witnessed.encode()),
            Ok(witnessed.clone())
        );
        witnessed
    }

    #[test]
    fn a_trail_that_goes_on_is_kept_and_one_that_was_cut_or_changed_is_told() {
        let first = shown(1, 10, 10, Some(0));
        let good = heard(&[first.clone(), shown(1, 20, 20, Some(10))]);
        assert_eq!((good.checkpoints.len(), good.broken_by), (2, None));
        for bad in [
            shown(1, 20, 21, Some(11)),
            shown(1, 20, 20, None),
            shown(1, 5, 5, None),
            shown(1, 5, 5, Some(10)),
        ] {
            let told = heard(&[first.clone(), bad.clone()]);
            assert_eq!(told.checkpoints.len(), 1, "{bad:?}");
            assert_eq!(told.broken_by, Some(bad.checkpoint));
        }
        // After a restore, of which the trail tells, the ward goes on from less.
        let restored = heard(&[first.clone(), shown(1, 5, 5, None), shown(2, 6, 6, None)]);
        assert_eq!((restored.checkpoints.len(), restored.broken_by), (2, None));
    }

    #[test]
    fn a_ward_is_asked_once_an_hour_and_a_phone_keeps_the_newest() {
        let mut witnessed = Witnessed::default();
        assert_eq!(witnessed.question(0), Some(0));
        for number in 1..100 {
            witnessed.hear(shown(1, number, number as u8, Some(number as u8 - 1)));
        }
        assert_eq!(witnessed.checkpoints.len(), KEPT_MAX);
        let last = 99 * HOUR;
        assert_eq!(witnessed.question(last + HOUR - 1), None);
        assert_eq!(witnessed.question(last + HOUR), Some(99));
        // A clock that went back asks again.
        assert_eq!(witnessed.question(last - 1), Some(99));
    }
}
