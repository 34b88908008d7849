//! (filled later)
