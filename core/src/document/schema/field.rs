//! The names and shapes of the fields, as data. Released names are never reused for another
//! meaning; what is no longer needed stays in the table.

use crate::edit::FieldName;
use crate::model::DocumentKind;

macro_rules! names {
    ($($name:ident = $text:literal;)+) => {
        $(#[doc = concat!("`", $text, "`")] pub const $name: &str = $text;)+
    };
}

names! {
    ADDRESS = "address";
    ANSWER = "answer";
    AREA = "area";
    ASSIGNEE = "assignee";
    ATTACHMENTS = "attachments";
    CATEGORY = "category";
    CODE = "code";
    CONFIDENTIALITY = "confidentiality";
    CONSENT_TEXT = "consent_text";
    CONTACT_NAME = "contact_name";
    CONTACT_PHONE = "contact_phone";
    DELIVERED_AT = "delivered_at";
    DIVISION = "division";
    DUE_AT = "due_at";
    ENDED_AT = "ended_at";
    EXTERNAL_REF = "external_ref";
    HOUSEHOLDS = "households";
    LEGAL_BASIS = "legal_basis";
    LEGAL_KIND = "legal_kind";
    LOCATION = "location";
    NAME = "name";
    NOTES = "notes";
    OFFICER = "officer";
    OFFICIAL_NUMBER = "official_number";
    PAPER_REFERENCE = "paper_reference";
    PHONE = "phone";
    PLACE = "place";
    RECORDED_AT = "recorded_at";
    RECORDED_BY = "recorded_by";
    REPORTED_KIND = "reported_kind";
    SATISFACTION = "satisfaction";
    SOURCE = "source";
    STARTED_AT = "started_at";
    STATUS = "status";
    SUMMARY = "summary";
    TEXT = "text";
    URGENCY = "urgency";
    VISIT = "visit";
    VOID_REASON = "void_reason";
}

/// Names of the parts of list items.
pub mod part {
    names! {
        AT = "at";
        AUTHOR = "author";
        BYTES = "bytes";
        HASH = "hash";
        ID = "id";
        MIME = "mime";
        NAME = "name";
        TEXT = "text";
        THUMBNAIL = "thumbnail";
        VISIBILITY = "visibility";
    }
}

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldShape {
    /// One value.
    Register(ValueShape),
    /// Text that several people may edit.
    Text,
    /// Items that are only ever appended.
    List,
    /// A sum.
    Counter,
}

/// What the value of a register is; nothing, where the field is optional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueShape {
    /// Free words, shown as typed.
    Words,
    /// A code for machines: a closed vocabulary, or a key of the ward's data.
    Code,
    /// Milliseconds; see [`crate::model::Timestamp`].
    Time,
    /// Sixteen bytes.
    Uuid,
    /// Eight bytes: latitude and longitude in millionths of a degree, big-endian. One value, so
    /// that two people cannot set half a place each.
    Location,
}

/// A field that this build knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldDefinition {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub shape: FieldShape,
    /// Whether a register may hold nothing.
    pub is_optional: bool,
}

const fn required(name: &'static str, value: ValueShape) -> FieldDefinition {
    FieldDefinition {
        name,
        shape: FieldShape::Register(value),
        is_optional: false,
    }
}

const fn optional(name: &'static str, value: ValueShape) -> FieldDefinition {
    FieldDefinition {
        name,
        shape: FieldShape::Register(value),
        is_optional: true,
    }
}

const fn nested(name: &'static str, shape: FieldShape) -> FieldDefinition {
    FieldDefinition {
        name,
        shape,
        is_optional: false,
    }
}

/// The fields of a case, ascending.
pub const CASE: &[FieldDefinition] = &[
    // A register, not a text: two answers written at once must not be woven into a third.
    optional(ANSWER, ValueShape::Words),
    optional(AREA, ValueShape::Code),
    optional(ASSIGNEE, ValueShape::Words),
    nested(ATTACHMENTS, FieldShape::List),
    // A code of the ward's data, or a free label that an import brought.
    required(CATEGORY, ValueShape::Words),
    required(CODE, ValueShape::Code),
    required(CONFIDENTIALITY, ValueShape::Code),
    optional(DELIVERED_AT, ValueShape::Time),
    optional(DIVISION, ValueShape::Code),
    optional(DUE_AT, ValueShape::Time),
    optional(EXTERNAL_REF, ValueShape::Code),
    nested(HOUSEHOLDS, FieldShape::Counter),
    optional(LEGAL_KIND, ValueShape::Code),
    optional(LOCATION, ValueShape::Location),
    nested(NOTES, FieldShape::List),
    optional(OFFICIAL_NUMBER, ValueShape::Code),
    optional(PAPER_REFERENCE, ValueShape::Words),
    optional(PLACE, ValueShape::Words),
    required(RECORDED_AT, ValueShape::Time),
    required(RECORDED_BY, ValueShape::Uuid),
    required(REPORTED_KIND, ValueShape::Code),
    optional(SATISFACTION, ValueShape::Code),
    required(SOURCE, ValueShape::Code),
    required(STATUS, ValueShape::Code),
    nested(TEXT, FieldShape::Text),
    required(URGENCY, ValueShape::Code),
    optional(VISIT, ValueShape::Uuid),
    optional(VOID_REASON, ValueShape::Words),
];

/// The fields of a visit, ascending.
pub const VISIT_FIELDS: &[FieldDefinition] = &[
    optional(AREA, ValueShape::Code),
    optional(ENDED_AT, ValueShape::Time),
    optional(EXTERNAL_REF, ValueShape::Code),
    required(OFFICER, ValueShape::Uuid),
    optional(PLACE, ValueShape::Words),
    required(STARTED_AT, ValueShape::Time),
    nested(SUMMARY, FieldShape::Text),
];

/// The fields of a person, ascending.
pub const PERSON: &[FieldDefinition] = &[
    optional(ADDRESS, ValueShape::Words),
    optional(CONSENT_TEXT, ValueShape::Code),
    optional(CONTACT_NAME, ValueShape::Words),
    optional(CONTACT_PHONE, ValueShape::Words),
    optional(LEGAL_BASIS, ValueShape::Code),
    optional(NAME, ValueShape::Words),
    optional(PHONE, ValueShape::Words),
];

/// The fields that documents of this kind have, ascending.
#[must_use]
pub fn definitions(kind: DocumentKind) -> &'static [FieldDefinition] {
    match kind {
        DocumentKind::Case => CASE,
        DocumentKind::Visit => VISIT_FIELDS,
        DocumentKind::Person => PERSON,
    }
}

/// The field of that name; `None` if only a newer app knows it.
#[must_use]
pub fn definition(kind: DocumentKind, name: &str) -> Option<&'static FieldDefinition> {
    let definitions = definitions(kind);
    definitions
        .binary_search_by_key(&name, |definition| definition.name)
        .ok()
        .map(|index| &definitions[index])
}

/// The name of a field or part as edits carry it.
///
/// # Panics
/// If `name` breaks the rule of [`FieldName`]; the constants of this module follow it.
#[must_use]
pub fn field_name(name: &'static str) -> FieldName {
    FieldName::new(name).expect("names in the schema follow the rule of field names")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_ascending_and_its_names_follow_the_rule() {
        for table in [CASE, VISIT_FIELDS, PERSON] {
            assert!(table.is_sorted_by(|left, right| left.name < right.name));
            for definition in table {
                assert!(FieldName::new(definition.name).is_some());
            }
        }
    }
}
