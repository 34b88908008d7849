//! The one unit of change. An edit says what somebody meant, in a closed set of operations over
//! field names, and is named by the hash of its canonical bytes. Normative: `docs/wire.md`.

#[cfg(test)]
pub(crate) mod any;
mod encoding;
pub mod limits;

pub use encoding::InvalidEdit;

use crate::model::{ActorId, DocumentId, EditId, IntentId, Timestamp};

/// Name of a field: `[a-z][a-z0-9_]*`, at most [`limits::FIELD_NAME_BYTES_MAX`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldName(String);

impl FieldName {
    /// Takes a name that follows the rule.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let mut bytes = name.bytes();
        let starts = bytes.next().is_some_and(|first| first.is_ascii_lowercase());
        let goes_on =
            bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        (starts && goes_on && name.len() <= limits::FIELD_NAME_BYTES_MAX)
            .then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Ordered as its words are, so that a field is found without making a name first.
impl std::borrow::Borrow<str> for FieldName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A value of a register or of a part of a list item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, said on purpose.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number, a time in milliseconds.
    Int(i64),
    /// NFC text or a code.
    Text(String),
    /// A hash, a uuid.
    Bytes(Vec<u8>),
}

/// An element of a list: named parts in ascending order of name.
pub type Item = Vec<(FieldName, Value)>;

/// What a field is when its document is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InitialField {
    /// One value; concurrent values are all kept.
    Register(Value),
    /// Text that several people may edit.
    Text(String),
    /// Items that are only ever appended.
    List(Vec<Item>),
    /// A number that is only ever counted up or down.
    Counter(i64),
}

/// What an edit does. Generic over field names, so that an old app applies and keeps an edit to a
/// field that it does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The whole first state, fields in ascending order of name; the only operation of its edit.
    Create {
        /// Every field that the document will ever need.
        fields: Vec<(FieldName, InitialField)>,
    },
    /// Sets a register; a field that does not exist yet becomes one.
    SetRegister {
        /// The register.
        field: FieldName,
        /// Its new value.
        value: Value,
    },
    /// Replaces part of a text. Numbers count Unicode scalars at the edit's dependencies, after
    /// the edit's earlier operations.
    SpliceText {
        /// The text.
        field: FieldName,
        /// Where it begins.
        position: u32,
        /// How many scalars go.
        delete: u32,
        /// What comes.
        insert: String,
        /// How long the text was; checked, so that a misplaced splice is refused, not applied.
        length: u32,
    },
    /// Adds an item at the end of a list.
    AppendItem {
        /// The list.
        field: FieldName,
        /// The item.
        item: Item,
    },
    /// Adds to a counter.
    Increment {
        /// The counter.
        field: FieldName,
        /// How much, positive or negative.
        by: i64,
    },
}

impl Operation {
    /// The field that the operation touches; `None` for [`Operation::Create`].
    #[must_use]
    pub fn field(&self) -> Option<&FieldName> {
        match self {
            Self::Create { .. } => None,
            Self::SetRegister { field, .. }
            | Self::SpliceText { field, .. }
            | Self::AppendItem { field, .. }
            | Self::Increment { field, .. } => Some(field),
        }
    }
}

/// One change to one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is changed.
    pub document: DocumentId,
    /// What was meant. Of an edit that creates a document it is the document's uuid, so that it
    /// costs nothing to send; of any other it is random.
    pub intent: IntentId,
    /// The opening of a store that made the edit.
    pub actor: ActorId,
    /// Number of this edit among those of `actor` on `document`, from 1.
    pub sequence: u64,
    /// The edits that the author had seen last, in ascending order; empty for a creation only.
    pub dependencies: Vec<EditId>,
    /// By the author's clock: a claim.
    pub device_time: Timestamp,
    /// What happens, in order; never empty.
    pub operations: Vec<Operation>,
}

/// An edit with its canonical bytes and its name, which always belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedEdit {
    id: EditId,
    bytes: Vec<u8>,
    edit: Edit,
}

impl EncodedEdit {
    /// BLAKE3 of the bytes.
    #[must_use]
    pub fn id(&self) -> EditId {
        self.id
    }

    /// The canonical encoding.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the bytes say.
    #[must_use]
    pub fn edit(&self) -> &Edit {
        &self.edit
    }
}
