//! The device's store: edits, rows, outbox, proofs, cursor.
