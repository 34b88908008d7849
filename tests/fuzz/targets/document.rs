//! Edits on a document: the merge engine and the shortcut past it agree on whatever they are given.

use gandan_core::document::{Document, DocumentState, ExecuteError};
use gandan_core::edit::{Edit, EncodedEdit};

/// More would only be slower.
const EDITS_MAX: usize = 16;

/// Edits one after another, each with its length before it. What an attacker cannot know or would do
/// right, its place among the others, is made right; all else is as it came.
pub(crate) fn execute(bytes: &[u8]) {
    let mut edits = divided(bytes).take(EDITS_MAX);
    let Some(creation) = edits.next() else {
        return;
    };
    let both = (
        Document::replay([&creation]),
        DocumentState::create(creation.edit()),
    );
    let (mut document, mut state) = match both {
        (Ok(document), Ok(state)) => (document, state),
        (Err(engine), Err(shortcut)) => return assert_eq!(engine, shortcut),
        (engine, shortcut) => panic!("{:?} and {:?}", engine.err(), shortcut.err()),
    };
    for encoded in edits {
        let edit = Edit {
            document: creation.edit().document,
            sequence: state.next_sequence(encoded.edit().actor),
            dependencies: document.heads(),
            ..encoded.edit().clone()
        };
        let Ok(encoded) = EncodedEdit::encode(edit) else {
            continue;
        };
        let engine = document.execute(&encoded);
        assert_ne!(engine, Err(ExecuteError::EngineFailed));
        assert_eq!(engine, state.apply(encoded.edit()));
        assert_eq!(document.state(), state);
    }
    // What was taken can be written down.
    assert!(!document.save().is_empty());
}

fn divided(bytes: &[u8]) -> impl Iterator<Item = EncodedEdit> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_le_bytes(*length)).min(after.len());
        let (edit, after) = after.split_at(length);
        rest = after;
        Some(EncodedEdit::decode(edit))
    })
    .flatten()
}
