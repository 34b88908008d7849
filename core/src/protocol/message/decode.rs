//! Frames to messages. Every count and length has its limit; what a later version of a message
//! appends is skipped.

use super::super::agreement::HeldDigest;
use super::super::checkpoint::{CHECKPOINT_BYTES_MAX, Checkpoint, Testimony};
use super::super::feed::Cursor;
use super::super::frame::{Frame, MESSAGE_VERSION};
use super::super::reconciliation;
use super::super::{limits, verdict};
use super::{DeviceMessage, FileWord, Hello, Loan, MinorVersions, Refusal, WardMessage, kind};
use crate::codec::{DecodeError, Reader};
use crate::model::{AttachmentHash, BundleId, EditId, Timestamp};
use uuid::Uuid;

/// Most pages that a `Pull` or a `Follow` may announce; the ward has a bound of its own.
const WINDOW_MAX: usize = 64;

impl DeviceMessage {
    /// Reads a device's message.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(frame: &Frame) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(&frame.payload);
        let message = match frame.kind {
            kind::HELLO => Self::Hello(read_hello(&mut reader)?),
            kind::BUNDLE => Self::Bundle(reader.bytes(limits::BUNDLE_BYTES_MAX)?.to_vec()),
            kind::PULL => Self::Pull {
                window: read_window(&mut reader)?,
            },
            kind::TAKEN => Self::Taken,
            kind::WANT => {
                let count = reader.count(limits::WANTED_EDITS_MAX)?;
                let edits = (0..count)
                    .map(|_| reader.fixed().map(EditId))
                    .collect::<Result<_, _>>()?;
                Self::Want(edits)
            }
            kind::GIVE_BACK => Self::GiveBack,
            kind::RETURN => Self::Return(reader.bytes(limits::PAGE_BYTES_MAX)?.to_vec()),
            kind::OFFER => Self::Offer {
                hash: AttachmentHash(reader.fixed()?),
                size: match reader.count(limits::ATTACHMENT_BYTES_MAX)? {
                    0 => return Err(DecodeError::InvalidValue),
                    size => size,
                },
                parts: read_hashes(&mut reader, limits::ATTACHMENT_PARTS_MAX)?,
            },
            kind::CHUNK => Self::Chunk {
                offset: reader.count(limits::ATTACHMENT_BYTES_MAX)?,
                bytes: match reader.bytes(limits::ATTACHMENT_PART_BYTES)? {
                    [] => return Err(DecodeError::InvalidValue),
                    bytes => bytes.to_vec(),
                },
            },
            kind::FETCH => Self::Fetch {
                hash: AttachmentHash(reader.fixed()?),
            },
            kind::FETCH_PART => Self::FetchPart {
                hash: AttachmentHash(reader.fixed()?),
                offset: reader.count(limits::ATTACHMENT_BYTES_MAX)?,
            },
            kind::COMPARE => {
                let questions = reconciliation::read_questions(&mut reader)?;
                if questions.is_empty() {
                    return Err(DecodeError::InvalidValue);
                }
                Self::Compare(questions)
            }
            kind::FOLLOW => Self::Follow {
                window: read_window(&mut reader)?,
            },
            kind::LOOK => Self::Look {
                words: reader.text(limits::LOOK_BYTES_MAX)?.to_owned(),
            },
            kind::WITNESS => Self::Witness {
                number: reader.unsigned()?,
            },
            kind::DONE => Self::Done,
            other => return Err(DecodeError::UnknownCode(other.into())),
        };
        finish(frame, reader)?;
        Ok(message)
    }
}

/// How many pages a device can hold; one that can hold none cannot ask for any.
fn read_window(reader: &mut Reader<'_>) -> Result<usize, DecodeError> {
    match reader.count(WINDOW_MAX)? {
        0 => Err(DecodeError::InvalidValue),
        window => Ok(window),
    }
}

fn read_hello(reader: &mut Reader<'_>) -> Result<Hello, DecodeError> {
    let minor = MinorVersions {
        oldest: read_u16(reader)?,
        newest: read_u16(reader)?,
    };
    if minor.oldest > minor.newest {
        return Err(DecodeError::InvalidValue);
    }
    Ok(Hello {
        minor,
        device_time: Timestamp(reader.signed()?),
        app_version: reader.text(limits::APP_VERSION_BYTES_MAX)?.to_owned(),
        cursor: Cursor(reader.bytes(limits::CURSOR_BYTES_MAX)?.to_vec()),
        directory_version: reader.optional(Reader::fixed)?,
    })
}

impl WardMessage {
    /// Reads a ward's message.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(frame: &Frame) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(&frame.payload);
        let message = match frame.kind {
            kind::WELCOME => Self::Welcome {
                minor: read_u16(&mut reader)?,
                ward_time: Timestamp(reader.signed()?),
                is_cursor_known: read_bool(&mut reader)?,
                lacked: read_hashes(&mut reader, limits::LACKED_ATTACHMENTS_MAX)?
                    .into_iter()
                    .map(AttachmentHash)
                    .collect(),
            },
            kind::REFUSE => Self::Refuse(Refusal::from_code(read_u16(&mut reader)?)),
            kind::VERDICTS => Self::Verdicts {
                bundle: BundleId(reader.fixed()?),
                verdicts: verdict::read_all(&mut reader)?,
            },
            kind::PAGE => Self::Page(reader.bytes(limits::PAGE_BYTES_MAX)?.to_vec()),
            kind::CAUGHT_UP => Self::CaughtUp {
                held: HeldDigest(reader.fixed()?),
            },
            kind::EDITS => Self::Edits(
                reader.optional(|reader| Ok(reader.bytes(limits::PAGE_BYTES_MAX)?.to_vec()))?,
            ),
            kind::DIRECTORY => Self::Directory(reader.bytes(limits::DIRECTORY_BYTES_MAX)?.to_vec()),
            kind::RETURNED => Self::Returned,
            kind::COMPARED => Self::Compared(reconciliation::read_answers(&mut reader)?),
            kind::NEED => Self::Need {
                hash: AttachmentHash(reader.fixed()?),
                from: reader.count(limits::ATTACHMENT_BYTES_MAX)?,
            },
            kind::FOUND => Self::Found {
                hash: AttachmentHash(reader.fixed()?),
                size: reader.count(limits::ATTACHMENT_BYTES_MAX)?,
                parts: read_hashes(&mut reader, limits::ATTACHMENT_PARTS_MAX)?,
            },
            kind::PART => Self::Part {
                offset: reader.count(limits::ATTACHMENT_BYTES_MAX)?,
                bytes: match reader.bytes(limits::ATTACHMENT_PART_BYTES)? {
                    [] => return Err(DecodeError::InvalidValue),
                    bytes => bytes.to_vec(),
                },
            },
            kind::KEPT => Self::Kept {
                hash: AttachmentHash(reader.fixed()?),
                up_to: reader.count(limits::ATTACHMENT_BYTES_MAX)?,
            },
            kind::LENT => Self::Lent(reader.optional(|reader| {
                Ok(Loan {
                    case: Uuid::from_bytes(reader.fixed()?),
                    page: reader.bytes(limits::PAGE_BYTES_MAX)?.to_vec(),
                })
            })?),
            kind::WITNESSED => Self::Witnessed(Testimony {
                checkpoint: Checkpoint::decode(reader.bytes(CHECKPOINT_BYTES_MAX)?)?,
                then: reader.optional(Reader::fixed)?,
            }),
            kind::STORED => Self::Stored {
                hash: AttachmentHash(reader.fixed()?),
                word: FileWord::from_code(read_u16(&mut reader)?),
            },
            other => return Err(DecodeError::UnknownCode(other.into())),
        };
        finish(frame, reader)?;
        Ok(message)
    }
}

/// In the version that we know, a message has exactly one form; a later one may have more fields.
fn finish(frame: &Frame, reader: Reader<'_>) -> Result<(), DecodeError> {
    if frame.version > MESSAGE_VERSION {
        Ok(())
    } else {
        reader.finish()
    }
}

fn read_hashes(reader: &mut Reader<'_>, count_max: usize) -> Result<Vec<[u8; 32]>, DecodeError> {
    let count = reader.count(count_max)?;
    (0..count).map(|_| reader.fixed()).collect()
}

fn read_u16(reader: &mut Reader<'_>) -> Result<u16, DecodeError> {
    reader
        .unsigned()?
        .try_into()
        .map_err(|_| DecodeError::InvalidValue)
}

fn read_bool(reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match reader.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(DecodeError::UnknownCode(other.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::frame::FrameDecoder;
    use super::super::super::violation::Violation;
    use super::*;

    fn frame_of(bytes: &[u8], limit: fn(u8) -> Option<usize>) -> Frame {
        let mut rest = bytes;
        let frame = FrameDecoder::new(limit).next(&mut rest);
        assert!(rest.is_empty());
        frame.expect("a frame").expect("a whole frame")
    }

    fn device_round_trip(message: &DeviceMessage) {
        let frame = frame_of(&message.encode(), DeviceMessage::payload_limit);
        assert_eq!(DeviceMessage::decode(&frame).as_ref(), Ok(message));
    }

    fn ward_round_trip(message: &WardMessage) {
        let frame = frame_of(&message.encode(), WardMessage::payload_limit);
        assert_eq!(WardMessage::decode(&frame).as_ref(), Ok(message));
    }

    fn hello() -> Hello {
        Hello {
            minor: MinorVersions::OURS,
            device_time: Timestamp(1_772_413_200_000),
            app_version: "0.1.0".to_owned(),
            cursor: Cursor(vec![1; 69]),
            directory_version: Some([7; 32]),
        }
    }

    #[test]
    fn the_largest_of_each_kind_fits_its_frame() {
        device_round_trip(&DeviceMessage::Hello(Hello {
            app_version: "v".repeat(limits::APP_VERSION_BYTES_MAX),
            cursor: Cursor(vec![1; limits::CURSOR_BYTES_MAX]),
            device_time: Timestamp(i64::MIN),
            ..hello()
        }));
        device_round_trip(&DeviceMessage::Bundle(vec![1; limits::BUNDLE_BYTES_MAX]));
        device_round_trip(&DeviceMessage::Pull { window: WINDOW_MAX });
        device_round_trip(&DeviceMessage::Follow { window: WINDOW_MAX });
        device_round_trip(&DeviceMessage::Want(vec![
            EditId([1; 32]);
            limits::WANTED_EDITS_MAX
        ]));
        device_round_trip(&DeviceMessage::Return(vec![1; limits::PAGE_BYTES_MAX]));
        device_round_trip(&DeviceMessage::Offer {
            hash: AttachmentHash([1; 32]),
            size: limits::ATTACHMENT_BYTES_MAX,
            parts: vec![[1; 32]; limits::ATTACHMENT_PARTS_MAX],
        });
        ward_round_trip(&WardMessage::Welcome {
            minor: 0,
            ward_time: Timestamp(i64::MIN),
            is_cursor_known: true,
            lacked: vec![AttachmentHash([1; 32]); limits::LACKED_ATTACHMENTS_MAX],
        });
        device_round_trip(&DeviceMessage::Chunk {
            offset: limits::ATTACHMENT_BYTES_MAX,
            bytes: vec![1; limits::ATTACHMENT_PART_BYTES],
        });
        ward_round_trip(&WardMessage::Verdicts {
            bundle: BundleId([1; 32]),
            verdicts: vec![
                super::super::Verdict::Waiting {
                    dependency: EditId([2; 32])
                };
                limits::BUNDLE_EDITS_MAX
            ],
        });
        ward_round_trip(&WardMessage::Page(vec![1; limits::PAGE_BYTES_MAX]));
        ward_round_trip(&WardMessage::Edits(Some(vec![1; limits::PAGE_BYTES_MAX])));
        device_round_trip(&DeviceMessage::Look {
            words: "x".repeat(limits::LOOK_BYTES_MAX),
        });
        ward_round_trip(&WardMessage::Lent(Some(Loan {
            case: Uuid::from_u128(1),
            page: vec![1; limits::PAGE_BYTES_MAX],
        })));
        ward_round_trip(&WardMessage::Directory(vec![
            1;
            limits::DIRECTORY_BYTES_MAX
        ]));
    }

    #[test]
    fn no_frame_is_larger_than_the_largest_frame() {
        for kind in 0..=u8::MAX {
            for limit in [DeviceMessage::payload_limit, WardMessage::payload_limit] {
                let header = 5;
                assert!(limit(kind).unwrap_or(0) + header <= limits::FRAME_BYTES_MAX);
            }
        }
    }

    #[test]
    fn fields_of_a_later_version_are_skipped_but_this_version_has_one_form() {
        let mut frame = frame_of(
            &DeviceMessage::Hello(hello()).encode(),
            DeviceMessage::payload_limit,
        );
        frame.payload.extend([1, 2, 3]);
        assert_eq!(
            DeviceMessage::decode(&frame),
            Err(DecodeError::TrailingBytes)
        );
        frame.version = MESSAGE_VERSION + 1;
        assert_eq!(
            DeviceMessage::decode(&frame),
            Ok(DeviceMessage::Hello(hello()))
        );
    }

    #[test]
    fn a_device_does_not_take_a_devices_message() {
        let bytes = DeviceMessage::Done.encode();
        assert_eq!(
            FrameDecoder::new(WardMessage::payload_limit).next(&mut &bytes[..]),
            Err(Violation::UnknownMessage(kind::DONE))
        );
    }

    #[test]
    fn versions_agree_on_the_newest_that_both_speak() {
        let ward = MinorVersions {
            oldest: 3,
            newest: 5,
        };
        let device = |oldest, newest| MinorVersions { oldest, newest };
        assert_eq!(ward.agree(device(0, 2)), Err(Refusal::DeviceTooOld));
        assert_eq!(ward.agree(device(0, 3)), Ok(3));
        assert_eq!(ward.agree(device(4, 9)), Ok(5));
        assert_eq!(ward.agree(device(5, 5)), Ok(5));
        assert_eq!(ward.agree(device(6, 9)), Err(Refusal::DeviceTooNew));
    }
}
