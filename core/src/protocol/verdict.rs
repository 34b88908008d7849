//! What the ward says of each edit that a device sent, and its bytes. Knows no frame.

use super::limits;
use crate::codec::{DecodeError, Reader, Writer};
use crate::model::EditId;
use crate::policy::RejectionCode;

/// The ward's word on one edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Durable in the ward's feed under this sequence. Final.
    Accepted {
        /// Place in the feed.
        sequence: u64,
    },
    /// The edit or its intent was there already. Final.
    Duplicate {
        /// Place in the feed of what was there.
        sequence: u64,
    },
    /// Something it depends on is not here yet; send it again after that.
    Waiting {
        /// What is missing.
        dependency: EditId,
    },
    /// Refused. Final; the content stays on the device, with the reason.
    Rejected {
        /// Why.
        code: RejectionCode,
    },
}

/// How many edits met which verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Accepted.
    pub accepted: u64,
    /// There already.
    pub duplicate: u64,
    /// Waiting for what they depend on.
    pub waiting: u64,
    /// Refused.
    pub rejected: u64,
}

impl Tally {
    /// Of so many.
    #[must_use]
    pub fn of(verdicts: &[Verdict]) -> Self {
        let mut tally = Self::default();
        for verdict in verdicts {
            *match verdict {
                Verdict::Accepted { .. } => &mut tally.accepted,
                Verdict::Duplicate { .. } => &mut tally.duplicate,
                Verdict::Waiting { .. } => &mut tally.waiting,
                Verdict::Rejected { .. } => &mut tally.rejected,
            } += 1;
        }
        tally
    }
}

/// Tags on the wire.
mod tag {
    pub(super) const ACCEPTED: u8 = 1;
    pub(super) const DUPLICATE: u8 = 2;
    pub(super) const WAITING: u8 = 3;
    pub(super) const REJECTED: u8 = 4;
}

/// Appends a count and the verdicts.
pub(super) fn write_all(writer: &mut Writer, verdicts: &[Verdict]) {
    writer.count(verdicts.len());
    for verdict in verdicts {
        match verdict {
            Verdict::Accepted { sequence } => writer.byte(tag::ACCEPTED).unsigned(*sequence),
            Verdict::Duplicate { sequence } => writer.byte(tag::DUPLICATE).unsigned(*sequence),
            Verdict::Waiting { dependency } => {
                writer.byte(tag::WAITING).fixed(dependency.as_bytes())
            }
            Verdict::Rejected { code } => writer.byte(tag::REJECTED).unsigned(code.code().into()),
        };
    }
}

/// Takes a count and as many verdicts.
pub(super) fn read_all(reader: &mut Reader<'_>) -> Result<Vec<Verdict>, DecodeError> {
    let count = reader.count(limits::BUNDLE_EDITS_MAX)?;
    (0..count).map(|_| read(reader)).collect()
}

fn read(reader: &mut Reader<'_>) -> Result<Verdict, DecodeError> {
    Ok(match reader.byte()? {
        tag::ACCEPTED => Verdict::Accepted {
            sequence: reader.unsigned()?,
        },
        tag::DUPLICATE => Verdict::Duplicate {
            sequence: reader.unsigned()?,
        },
        tag::WAITING => Verdict::Waiting {
            dependency: EditId(reader.fixed()?),
        },
        tag::REJECTED => {
            let code = reader
                .unsigned()?
                .try_into()
                .map_err(|_| DecodeError::InvalidValue)?;
            // A reason of a newer ward is still a refusal: the officer reads the nearest that this
            // build knows, and the content stays.
            let code = RejectionCode::from_code(code).unwrap_or(RejectionCode::NotApplicable);
            Verdict::Rejected { code }
        }
        other => return Err(DecodeError::UnknownCode(other.into())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_comes_back() {
        let verdicts = vec![
            Verdict::Accepted { sequence: 1 },
            Verdict::Duplicate { sequence: u64::MAX },
            Verdict::Waiting {
                dependency: EditId([9; 32]),
            },
            Verdict::Rejected {
                code: RejectionCode::OutOfScope,
            },
        ];
        let mut writer = Writer::new();
        write_all(&mut writer, &verdicts);
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes);
        assert_eq!(read_all(&mut reader), Ok(verdicts));
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn an_unknown_reason_is_still_a_refusal() {
        let bytes = [1, tag::REJECTED, 0x63];
        assert_eq!(
            read_all(&mut Reader::new(&bytes)),
            Ok(vec![Verdict::Rejected {
                code: RejectionCode::NotApplicable
            }])
        );
    }

    #[test]
    fn more_verdicts_than_a_bundle_has_edits_are_refused() {
        let mut writer = Writer::new();
        writer.count(limits::BUNDLE_EDITS_MAX + 1);
        assert_eq!(
            read_all(&mut Reader::new(&writer.finish())),
            Err(DecodeError::OverLimit {
                limit: limits::BUNDLE_EDITS_MAX
            })
        );
    }
}
