//! (filled by the protocol work)
