//! The bytes of the wire, held by vectors under `vectors/wire/v1/`: hex, with a comment on every
//! field. Most were written by another program from `docs/wire.md`. A round trip alone would prove
//! nothing about yesterday's peer. Released vectors are only ever added.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps fails with a line number, which is what a test is for"
)]

#[path = "wire/conversation.rs"]
mod conversation;
#[path = "wire/edits.rs"]
mod edits;
#[path = "wire/feed.rs"]
mod feed;
#[path = "wire/messages.rs"]
mod messages;
#[path = "wire/sealed.rs"]
mod sealed;
#[path = "wire/vectors.rs"]
mod vectors;

/// Kinds of vector, each with names.
type NamesByKind = Vec<(&'static str, Vec<&'static str>)>;

/// The kinds of vector, each with the list of names that its tests know. A vector that no test reads
/// would be a promise that nobody keeps.
const KNOWN: &[fn() -> NamesByKind] = &[
    edits::names,
    sealed::names,
    messages::names,
    feed::names,
    conversation::names,
];

#[test]
fn every_vector_is_read_by_a_test() {
    let mut known: Vec<String> = KNOWN
        .iter()
        .flat_map(|names| names())
        .flat_map(|(kind, names)| names.into_iter().map(move |name| format!("{kind}/{name}")))
        .collect();
    known.sort();
    assert_eq!(vectors::all(), known);
}
