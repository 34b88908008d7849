//! What was typed, in the form in which it is recorded, or the rule that it breaks.

use super::RecordError;
use crate::model::{LegalBasis, Person, consent, phone_number, text};

/// Longest text of a report, a note or an answer: ten times the longest that people write.
const TEXT_BYTES_MAX: usize = 32 * 1024;
/// Longest name, place, label or reference.
const WORDS_BYTES_MAX: usize = 1024;

/// A text; may be empty.
pub(super) fn text(field: &'static str, typed: &str) -> Result<String, RecordError> {
    let text = text::normalize(typed);
    if text.len() > TEXT_BYTES_MAX {
        return Err(RecordError::Invalid {
            field,
            rule: "dài nhất 32 KiB, hãy rút gọn hoặc ghi thành hai vụ việc (at most 32 KiB; shorten it or make a second record)",
        });
    }
    Ok(text)
}

/// A text that says something.
pub(super) fn required_text(field: &'static str, typed: &str) -> Result<String, RecordError> {
    let text = text(field, typed)?;
    if text.is_empty() {
        return Err(RecordError::Invalid {
            field,
            rule: "không được để trống (must not be empty)",
        });
    }
    Ok(text)
}

/// Words of one line; may be empty.
pub(super) fn words(field: &'static str, typed: &str) -> Result<String, RecordError> {
    let words = text::normalize(typed);
    if words.len() > WORDS_BYTES_MAX {
        return Err(RecordError::Invalid {
            field,
            rule: "dài nhất 1.024 byte, hãy rút gọn (at most 1,024 bytes; shorten it)",
        });
    }
    Ok(words)
}

/// Words of one line; none if there is nothing in them.
pub(super) fn optional_words(
    field: &'static str,
    typed: Option<&str>,
) -> Result<Option<String>, RecordError> {
    let words = words(field, typed.unwrap_or_default())?;
    Ok(Some(words).filter(|words| !words.is_empty()))
}

/// The words to which a person said yes. Whoever records a consent says to which.
fn consent_text(typed: &Person) -> Result<Option<String>, RecordError> {
    let version = optional_words("consent_text", typed.consent_text.as_deref())?;
    let is_consent = typed.legal_basis == Some(LegalBasis::Consent);
    let is_known = version
        .as_deref()
        .is_none_or(|version| consent::find(version).is_some());
    if is_consent == version.is_some() && is_known {
        return Ok(version);
    }
    Err(RecordError::Invalid {
        field: "consent_text",
        rule: "đi cùng legal_basis consent, và là bản lời xin đồng ý đã đọc cho người dân (goes with legal_basis consent, and is the version of the words that were shown)",
    })
}

/// A citizen's data; `None` if nothing was said, which is an anonymous citizen.
pub(super) fn person(typed: &Person) -> Result<Option<Person>, RecordError> {
    let phone = |field, typed: &Option<String>| -> Result<Option<String>, RecordError> {
        let words = optional_words(field, typed.as_deref())?;
        // What is no number of ours may be one all the same: it is kept as it was said.
        Ok(words.map(|words| phone_number::parse(&words).unwrap_or(words)))
    };
    let person = Person {
        id: typed.id,
        name: optional_words("name", typed.name.as_deref())?,
        phone: phone("phone", &typed.phone)?,
        address: optional_words("address", typed.address.as_deref())?,
        contact_name: optional_words("contact_name", typed.contact_name.as_deref())?,
        contact_phone: phone("contact_phone", &typed.contact_phone)?,
        legal_basis: typed.legal_basis,
        consent_text: consent_text(typed)?,
        conflicts: Vec::new(),
    };
    let is_anonymous = [
        &person.name,
        &person.phone,
        &person.address,
        &person.contact_name,
        &person.contact_phone,
    ]
    .iter()
    .all(|field| field.is_none());
    Ok((!is_anonymous).then_some(person))
}
