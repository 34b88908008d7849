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
