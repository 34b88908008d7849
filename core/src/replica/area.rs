//! What an officer typed for a place or a matter, against the ward's reference data.

use crate::document::schema::CATEGORY_OTHER;
use crate::model::{Directory, text};

/// The code of an area that was given as code or name. A name that several areas have is none: it
/// must not be guessed which one was meant.
pub(super) fn code(directory: Option<&Directory>, typed: &str) -> Option<String> {
    let areas = &directory?.areas;
    if let Some(area) = areas.iter().find(|area| area.code == typed) {
        return Some(area.code.clone());
    }
    let mut named = areas.iter().filter(|area| is_name(&area.name, typed));
    match (named.next(), named.next()) {
        (Some(area), None) => Some(area.code.clone()),
        _ => None,
    }
}

/// The code of a category that was given as code or name; otherwise what was typed, as a free label.
pub(super) fn category(directory: Option<&Directory>, typed: &str) -> String {
    if typed.is_empty() {
        return CATEGORY_OTHER.to_owned();
    }
    let categories = directory.map_or(&[][..], |directory| &directory.categories);
    categories
        .iter()
        .find(|category| category.code == typed)
        .or_else(|| {
            categories
                .iter()
                .find(|category| is_name(&category.name, typed))
        })
        .map_or_else(|| typed.to_owned(), |category| category.code.clone())
}

/// Marks count: Thanh An and Thạnh An are two places.
fn is_name(name: &str, typed: &str) -> bool {
    text::normalize(name).to_lowercase() == typed.to_lowercase()
}
