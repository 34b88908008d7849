//! Messages to frames.

use super::super::{frame, reconciliation, verdict};
use super::{DeviceMessage, Hello, PartHash, WardMessage, kind};
use crate::codec::Writer;
use crate::model::AttachmentHash;

impl DeviceMessage {
    /// The message's frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        let kind = match self {
            Self::Hello(hello) => {
                write_hello(&mut writer, hello);
                kind::HELLO
            }
            Self::Bundle(sealed) => {
                writer.bytes(sealed);
                kind::BUNDLE
            }
            Self::Pull { window } => {
                writer.count(*window);
                kind::PULL
            }
            Self::Taken => kind::TAKEN,
            Self::Want(edits) => {
                writer.count(edits.len());
                for edit in edits {
                    writer.fixed(edit.as_bytes());
                }
                kind::WANT
            }
            Self::GiveBack => kind::GIVE_BACK,
            Self::Return(sealed) => {
                writer.bytes(sealed);
                kind::RETURN
            }
            Self::Offer { hash, size, parts } => {
                write_file(&mut writer, *hash, *size, parts);
                kind::OFFER
            }
            Self::Chunk { offset, bytes } => {
                writer.count(*offset).bytes(bytes);
                kind::CHUNK
            }
            Self::Fetch { hash } => {
                writer.fixed(hash.as_bytes());
                kind::FETCH
            }
            Self::FetchPart { hash, offset } => {
                writer.fixed(hash.as_bytes()).count(*offset);
                kind::FETCH_PART
            }
            Self::Compare(questions) => {
                reconciliation::write_questions(&mut writer, questions);
                kind::COMPARE
            }
            Self::Follow { window } => {
                writer.count(*window);
                kind::FOLLOW
            }
            Self::Look { words } => {
                writer.text(words);
                kind::LOOK
            }
            Self::Witness { number } => {
                writer.unsigned(*number);
                kind::WITNESS
            }
            Self::Done => kind::DONE,
        };
        frame::encode(kind, &writer.finish())
    }
}

fn write_hello(writer: &mut Writer, hello: &Hello) {
    writer
        .unsigned(hello.minor.oldest.into())
        .unsigned(hello.minor.newest.into())
        .signed(hello.device_time.0)
        .text(&hello.app_version)
        .bytes(&hello.cursor.0)
        .optional(hello.directory_version, |writer, version| {
            writer.fixed(&version);
        });
}

impl WardMessage {
    /// The message's frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        let kind = match self {
            Self::Welcome {
                minor,
                ward_time,
                is_cursor_known,
                lacked,
            } => {
                writer
                    .unsigned((*minor).into())
                    .signed(ward_time.0)
                    .byte((*is_cursor_known).into())
                    .count(lacked.len());
                for hash in lacked {
                    writer.fixed(hash.as_bytes());
                }
                kind::WELCOME
            }
            Self::Refuse(refusal) => {
                writer.unsigned(refusal.code().into());
                kind::REFUSE
            }
            Self::Verdicts { bundle, verdicts } => {
                writer.fixed(bundle.as_bytes());
                verdict::write_all(&mut writer, verdicts);
                kind::VERDICTS
            }
            Self::Page(sealed) => {
                writer.bytes(sealed);
                kind::PAGE
            }
            Self::CaughtUp { held } => {
                writer.fixed(&held.0);
                kind::CAUGHT_UP
            }
            Self::Edits(sealed) => {
                writer.optional(sealed.as_ref(), |writer, sealed| {
                    writer.bytes(sealed);
                });
                kind::EDITS
            }
            Self::Directory(sealed) => {
                writer.bytes(sealed);
                kind::DIRECTORY
            }
            Self::Returned => kind::RETURNED,
            Self::Need { hash, from } => {
                writer.fixed(hash.as_bytes()).count(*from);
                kind::NEED
            }
            Self::Found { hash, size, parts } => {
                write_file(&mut writer, *hash, *size, parts);
                kind::FOUND
            }
            Self::Part { offset, bytes } => {
                writer.count(*offset).bytes(bytes);
                kind::PART
            }
            Self::Compared(answers) => {
                reconciliation::write_answers(&mut writer, answers);
                kind::COMPARED
            }
            Self::Kept { hash, up_to } => {
                writer.fixed(hash.as_bytes()).count(*up_to);
                kind::KEPT
            }
            Self::Witnessed(testimony) => {
                writer.bytes(&testimony.checkpoint.encode()).optional(
                    testimony.then,
                    |writer, chain| {
                        writer.fixed(&chain);
                    },
                );
                kind::WITNESSED
            }
            Self::Lent(loan) => {
                writer.optional(loan.as_ref(), |writer, loan| {
                    writer.fixed(loan.case.as_bytes()).bytes(&loan.page);
                });
                kind::LENT
            }
            Self::Stored { hash, word } => {
                writer.fixed(hash.as_bytes()).unsigned(word.code().into());
                kind::STORED
            }
        };
        frame::encode(kind, &writer.finish())
    }
}

/// A file as either side announces it: its hash, its size in bytes and the list by which each part is
/// checked.
fn write_file(writer: &mut Writer, hash: AttachmentHash, size: usize, parts: &[PartHash]) {
    writer.fixed(hash.as_bytes()).count(size).count(parts.len());
    for part in parts {
        writer.fixed(part);
    }
}
