//! Names of things. Each is its own type, so that a device can never be passed for an actor.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use thiserror::Error;
use uuid::Uuid;

/// A text that is not the name it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a valid {expected}")]
pub struct ParseIdError {
    /// What was expected.
    pub expected: &'static str,
}

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $length:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// The bytes of the name.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }

            /// Takes a name from bytes of any length, as storage gives them.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($name), &HEXLOWER.encode(&self.0)[..8])
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                HEXLOWER
                    .decode(text.as_bytes())
                    .ok()
                    .and_then(|bytes| Self::from_slice(&bytes))
                    .ok_or(ParseIdError { expected: $expected })
            }
        }
    };
}

byte_id!(/// What a person meant once: an edit authored anew keeps it, and the ward applies it once.
    IntentId, 16, "intent id");
byte_id!(/// One opening of a store. Never reused, so a cloned store cannot repeat (actor, sequence).
    ActorId, 16, "actor id");
byte_id!(/// BLAKE3 of an edit's canonical encoding.
    EditId, 32, "edit id");
byte_id!(/// BLAKE3 of a sealed bundle's bytes.
    BundleId, 32, "bundle id");
byte_id!(/// A device is its Ed25519 public key. The ward's own console writes under the ward's key.
    DeviceId, 32, "device id");
byte_id!(/// The ward's Ed25519 public key, pinned by every device at enrolment.
    WardKey, 32, "ward key");
byte_id!(/// BLAKE3 of an attachment's bytes.
    AttachmentHash, 32, "attachment hash");
byte_id!(/// One uninterrupted life of a ward's feed; a restore begins a new one.
    Epoch, 16, "epoch");
byte_id!(/// The feed up to one entry, folded into a hash.
    ChainHash, 32, "chain hash");

impl DeviceId {
    /// The device that has this key.
    #[must_use]
    pub fn of(key: &SigningKey) -> Self {
        Self(key.verifying_key().to_bytes())
    }
}

/// The kinds of aggregate that are documents of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum DocumentKind {
    /// A visit to a neighbourhood.
    Visit = 1,
    /// One matter that a citizen raised.
    Case = 2,
    /// The identifying data of the citizen of a case; has the uuid of its case.
    Person = 3,
}

impl DocumentKind {
    /// The byte that names the kind on the wire and in SQL.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The kind that a byte names.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Visit),
            2 => Some(Self::Case),
            3 => Some(Self::Person),
            _ => None,
        }
    }
}

/// The name of a document: its kind and a UUIDv7 made on the device. A case and its person share
/// the uuid, so that the one is found from the other and the id need not travel twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId {
    /// What the document is.
    pub kind: DocumentKind,
    /// UUIDv7 (RFC 9562).
    pub uuid: Uuid,
}

impl DocumentId {
    /// The case `uuid`.
    #[must_use]
    pub fn case(uuid: Uuid) -> Self {
        Self {
            kind: DocumentKind::Case,
            uuid,
        }
    }

    /// The visit `uuid`.
    #[must_use]
    pub fn visit(uuid: Uuid) -> Self {
        Self {
            kind: DocumentKind::Visit,
            uuid,
        }
    }

    /// The person of the case `uuid`.
    #[must_use]
    pub fn person_of(uuid: Uuid) -> Self {
        Self {
            kind: DocumentKind::Person,
            uuid,
        }
    }

    /// Kind byte, then the uuid's 16 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [self.kind.code(); 17];
        bytes[1..].copy_from_slice(self.uuid.as_bytes());
        bytes
    }

    /// The reverse of [`DocumentId::to_bytes`].
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let (&kind, uuid) = bytes.split_first()?;
        Some(Self {
            kind: DocumentKind::from_code(kind)?,
            uuid: Uuid::from_slice(uuid).ok()?,
        })
    }
}

/// A person who signs what they write: a leader, an officer or a member of the ward's staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfficerId(pub Uuid);

impl fmt::Display for OfficerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Five digits of the National Statistics Office; a text, because codes begin with zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WardCode([u8; 5]);

impl WardCode {
    /// The five digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a ward code holds ASCII digits only")
    }

    /// The five digits, as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 5] {
        &self.0
    }
}

impl FromStr for WardCode {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let error = ParseIdError {
            expected: "ward code of five digits",
        };
        let digits: [u8; 5] = text.as_bytes().try_into().map_err(|_| error)?;
        if digits.iter().all(u8::is_ascii_digit) {
            Ok(Self(digits))
        } else {
            Err(error)
        }
    }
}

impl fmt::Display for WardCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
