//! How large an edit may be. Each bound is checked before memory is reserved.

/// Longest name of a field.
pub const FIELD_NAME_BYTES_MAX: usize = 40;
/// Longest encoding of one edit: a record of several pages, far from what a phone cannot hold.
pub const EDIT_BYTES_MAX: usize = 64 * 1024;
/// Longest text or byte string in one value, splice or initial text.
pub const VALUE_BYTES_MAX: usize = 32 * 1024;
/// Most operations in one edit; a form has some thirty fields.
pub const OPERATIONS_MAX: usize = 64;
/// Most fields in a creation.
pub const FIELDS_MAX: usize = 96;
/// Most items that a list may have when it is created.
pub const INITIAL_ITEMS_MAX: usize = 256;
/// Most parts of a list item.
pub const ITEM_PARTS_MAX: usize = 16;
/// Most dependencies. More heads than this at once are merged by more than one edit.
pub const DEPENDENCIES_MAX: usize = 32;
/// Longest text that splices may grow a field to, in Unicode scalars.
pub const TEXT_SCALARS_MAX: usize = 64 * 1024;
/// Most fields in a document. Above [`FIELDS_MAX`], so that a newer app can add some later.
pub const DOCUMENT_FIELDS_MAX: usize = 192;
/// Most items that appending may grow a list to. A case has a few notes; a thousand is a flood.
pub const LIST_ITEMS_MAX: usize = 1024;
/// Farthest from zero that a counter may be, at creation and after any increment.
pub const COUNTER_MAX: i64 = 1 << 40;
/// Largest single step of a counter. Steps taken concurrently are added without being asked, so
/// it takes 2^31 of them to leave the range of an integer.
pub const COUNTER_STEP_MAX: i64 = 1 << 32;
/// Most edits that an edit may build on in one document. A case sees some twenty in its life; the
/// worst history of this length, made on purpose, takes seconds to rebuild (`benches/documents.rs`).
pub const DOCUMENT_EDITS_MAX: u64 = 1024;
/// Most that these edits may weigh together (about the bytes of their values), because a history
/// is kept for ever and is read whole when somebody opens the document.
pub const DOCUMENT_WEIGHT_MAX: u64 = 4 * 1024 * 1024;
