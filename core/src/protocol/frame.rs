//! Frames: the type, the version and the length of a message, then the message. Knows how many
//! bytes each type may have before it reserves any; knows nothing of what is in them.
//! Normative text: `docs/wire.md`.

use super::limits;
use super::violation::Violation;
use crate::codec::{DecodeError, Writer};

/// Bit of a type that says: whoever does not know this message skips it.
pub const SKIPPABLE: u8 = 0x80;

/// The version in which this build writes every message. A later version only appends fields to a
/// message; what cannot be said so gets a new type.
pub const MESSAGE_VERSION: u8 = 1;

/// Longest length: three bytes of LEB128 hold 2 MiB, more than any frame may have.
const LENGTH_BYTES_MAX: usize = 3;

/// One whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What the message is.
    pub kind: u8,
    /// In which version it was written.
    pub version: u8,
    /// Its fields.
    pub payload: Vec<u8>,
}

/// Puts the header before a message's fields.
#[must_use]
pub fn encode(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.byte(kind).byte(MESSAGE_VERSION).bytes(payload);
    writer.finish()
}

/// Says how many bytes of payload a type may have; `None` for a type that the reader does not know.
pub type PayloadLimit = fn(kind: u8) -> Option<usize>;

/// Takes frames out of a stream of bytes that arrive in any portions. Holds at most one frame.
#[derive(Debug)]
pub struct FrameDecoder {
    payload_limit: PayloadLimit,
    state: State,
}

#[derive(Debug)]
enum State {
    Kind,
    Version {
        kind: u8,
    },
    Length {
        kind: u8,
        version: u8,
        value: usize,
        taken: usize,
    },
    Payload {
        kind: u8,
        version: u8,
        remaining: usize,
        payload: Vec<u8>,
    },
    Skip {
        remaining: usize,
    },
}

impl FrameDecoder {
    /// Waits for the first frame.
    #[must_use]
    pub fn new(payload_limit: PayloadLimit) -> Self {
        Self {
            payload_limit,
            state: State::Kind,
        }
    }

    /// Whether the bytes so far end with a whole frame.
    #[must_use]
    pub fn is_between_frames(&self) -> bool {
        matches!(self.state, State::Kind)
    }

    /// Takes bytes from the front of `input` until a frame is whole or the input is used up.
    ///
    /// # Errors
    /// The header is not one, the type is unknown and may not be skipped, or the length is over the
    /// type's limit. The stream cannot be read any further then.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Violation> {
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Kind) {
                State::Payload {
                    kind,
                    version,
                    remaining,
                    mut payload,
                } => {
                    let taken = take(input, remaining);
                    payload.extend_from_slice(taken);
                    let remaining = remaining - taken.len();
                    if remaining == 0 {
                        return Ok(Some(Frame {
                            kind,
                            version,
                            payload,
                        }));
                    }
                    self.state = State::Payload {
                        kind,
                        version,
                        remaining,
                        payload,
                    };
                    return Ok(None);
                }
                State::Skip { remaining } => {
                    let remaining = remaining - take(input, remaining).len();
                    if remaining > 0 {
                        self.state = State::Skip { remaining };
                        return Ok(None);
                    }
                    State::Kind
                }
                header => {
                    let Some((&byte, rest)) = input.split_first() else {
                        self.state = header;
                        return Ok(None);
                    };
                    *input = rest;
                    self.next_header(header, byte)?
                }
            };
        }
    }

    fn next_header(&self, header: State, byte: u8) -> Result<State, Violation> {
        match header {
            State::Kind => {
                if (self.payload_limit)(byte).is_none() && byte & SKIPPABLE == 0 {
                    return Err(Violation::UnknownMessage(byte));
                }
                Ok(State::Version { kind: byte })
            }
            State::Version { kind } if byte > 0 => Ok(State::Length {
                kind,
                version: byte,
                value: 0,
                taken: 0,
            }),
            State::Version { .. } => Err(DecodeError::InvalidValue.into()),
            State::Length {
                kind,
                version,
                value,
                taken,
            } => {
                let value = value | (usize::from(byte & 0x7f) << (7 * taken));
                if byte & 0x80 != 0 {
                    let taken = taken + 1;
                    return if taken < LENGTH_BYTES_MAX {
                        Ok(State::Length {
                            kind,
                            version,
                            value,
                            taken,
                        })
                    } else {
                        Err(Violation::FrameTooLarge)
                    };
                }
                if byte == 0 && taken > 0 {
                    return Err(DecodeError::NonCanonicalInteger.into());
                }
                self.begin_payload(kind, version, value)
            }
            State::Payload { .. } | State::Skip { .. } => Ok(header),
        }
    }

    fn begin_payload(&self, kind: u8, version: u8, length: usize) -> Result<State, Violation> {
        let limit = (self.payload_limit)(kind);
        if length > limit.unwrap_or(limits::FRAME_BYTES_MAX) {
            return Err(Violation::FrameTooLarge);
        }
        Ok(if limit.is_some() {
            // The payload grows with the bytes that really arrive: a claim alone reserves nothing.
            State::Payload {
                kind,
                version,
                remaining: length,
                payload: Vec::new(),
            }
        } else {
            State::Skip { remaining: length }
        })
    }
}

fn take<'a>(input: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(most.min(input.len()));
    *input = rest;
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(kind: u8) -> Option<usize> {
        match kind {
            1 => Some(0),
            2 => Some(300),
            0x83 => Some(10),
            _ => None,
        }
    }

    fn decode(portions: &[&[u8]]) -> Result<Vec<Frame>, Violation> {
        let mut decoder = FrameDecoder::new(limit);
        let mut frames = Vec::new();
        for portion in portions {
            let mut rest = *portion;
            while let Some(frame) = decoder.next(&mut rest)? {
                frames.push(frame);
            }
            assert!(rest.is_empty(), "all of a portion is taken");
        }
        assert!(decoder.is_between_frames(), "the portions end with a frame");
        Ok(frames)
    }

    fn frame(kind: u8, payload: &[u8]) -> Frame {
        Frame {
            kind,
            version: MESSAGE_VERSION,
            payload: payload.to_vec(),
        }
    }

    #[test]
    fn a_frame_is_type_version_length_and_payload() {
        assert_eq!(encode(1, &[]), [1, 1, 0]);
        assert_eq!(encode(2, &[9, 8]), [2, 1, 2, 9, 8]);
        assert_eq!(encode(2, &[7; 200])[..4], [2, 1, 0xc8, 0x01]);
    }

    #[test]
    fn unknown_skippable_messages_are_skipped() {
        let mut stream = encode(1, &[]);
        stream.extend(encode(0x99, &[1; 5_000]));
        stream.extend(encode(0x9a, &[]));
        stream.extend(encode(0x83, &[5]));
        assert_eq!(
            decode(&[&stream]),
            Ok(vec![frame(1, &[]), frame(0x83, &[5])])
        );
    }

    #[test]
    fn unknown_messages_that_may_not_be_skipped_are_a_violation() {
        assert_eq!(decode(&[&[0x19]]), Err(Violation::UnknownMessage(0x19)));
    }

    #[test]
    fn a_length_over_the_limit_of_its_type_is_refused_before_the_payload() {
        assert_eq!(decode(&[&[1, 1, 1]]), Err(Violation::FrameTooLarge));
        assert_eq!(
            decode(&[&[2, 1, 0xad, 0x02]]),
            Err(Violation::FrameTooLarge)
        );
        assert_eq!(
            decode(&[&[0x99, 1, 0xff, 0xff, 0x7f]]),
            Err(Violation::FrameTooLarge)
        );
        assert_eq!(
            decode(&[&[2, 1, 0xff, 0xff, 0xff]]),
            Err(Violation::FrameTooLarge)
        );
    }

    #[test]
    fn a_length_that_is_not_in_its_shortest_form_is_refused() {
        let refused = Err(DecodeError::NonCanonicalInteger.into());
        assert_eq!(decode(&[&[2, 1, 0x80, 0x00]]), refused);
    }

    #[test]
    fn version_zero_does_not_exist() {
        assert_eq!(
            decode(&[&[2, 0]]),
            Err(Violation::Decode(DecodeError::InvalidValue))
        );
    }

    #[test]
    fn a_claimed_length_reserves_nothing() {
        let mut decoder = FrameDecoder::new(|_| Some(limits::FRAME_BYTES_MAX));
        assert_eq!(
            decoder.next(&mut &[2, 1, 0x80, 0x80, 0x40, 5][..]),
            Ok(None)
        );
        let State::Payload { payload, .. } = &decoder.state else {
            panic!("the decoder waits for the payload");
        };
        assert!(payload.capacity() < 100, "{}", payload.capacity());
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_frames(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5),
            cuts in prop::collection::vec(0usize..1_600, 0..8),
        ) {
            let stream: Vec<u8> = payloads.iter().flat_map(|payload| encode(2, payload)).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.sort_unstable();
            let mut portions = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([stream.len()]) {
                portions.push(&stream[from..cut]);
                from = cut;
            }
            let expected: Vec<Frame> = payloads.iter().map(|payload| frame(2, payload)).collect();
            prop_assert_eq!(decode(&portions), Ok(expected));
        }

        #[test]
        fn garbage_ends_cleanly(garbage in prop::collection::vec(any::<u8>(), 0..500)) {
            let mut decoder = FrameDecoder::new(limit);
            let mut rest = &garbage[..];
            while let Ok(Some(frame)) = decoder.next(&mut rest) {
                prop_assert!(frame.payload.len() <= 300);
            }
        }
    }
}
