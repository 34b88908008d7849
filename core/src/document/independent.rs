//! Concurrent edits of different fields, merged without automerge: in whatever order they are taken,
//! they say the same. As soon as two touch one field, the engine is to decide.

use std::collections::HashMap;

use super::check::{self, History};
use super::{DocumentState, Materialized};
use crate::edit::{Edit, EncodedEdit};
use crate::model::EditId;

/// A document with more edits is left to the engine: each edit has a bit of its own.
const EDITS_MAX: usize = u128::BITS as usize;

/// An edit that was taken, and what it builds on.
struct Taken<'a> {
    edit: &'a Edit,
    /// A bit for each place.
    ancestors: u128,
}

/// What edits say of which none is concurrent with another on the same field or by the same actor,
/// each after what it depends on. `None` if there is such a pair, or an edit that does not fit: the
/// engine tells which.
#[must_use]
pub fn merge_independent<'a>(
    edits: impl IntoIterator<Item = &'a EncodedEdit>,
) -> Option<Materialized> {
    let mut edits = edits.into_iter();
    let first = edits.next()?;
    let mut state = DocumentState::create(first.edit()).ok()?;
    let mut heads = vec![first.id()];
    let mut places: HashMap<EditId, usize> = HashMap::from([(first.id(), 0)]);
    let mut taken = vec![Taken {
        edit: first.edit(),
        ancestors: 0,
    }];
    for encoded in edits {
        let edit = encoded.edit();
        let place = taken.len();
        if place == EDITS_MAX || places.insert(encoded.id(), place).is_some() {
            return None;
        }
        let mut ancestors = 0;
        for dependency in &edit.dependencies {
            let known = *places.get(dependency).filter(|&&known| known < place)?;
            ancestors |= taken[known].ancestors | (1 << known);
        }
        let is_ancestor = |other: usize| ancestors & (1 << other) != 0;
        let unseen = (0..place).filter(|&other| !is_ancestor(other));
        for other in unseen {
            if !is_independent(edit, taken[other].edit) {
                return None;
            }
        }
        let mut history = History::default();
        for seen in (0..place).filter(|&other| is_ancestor(other)) {
            let seen = taken[seen].edit;
            history.push(seen.actor, seen.sequence, check::weight(seen));
        }
        // No field that the edit touches has changed since: it meets what its author met.
        state.apply_after(edit, &history).ok()?;
        heads.retain(|head| !edit.dependencies.contains(head));
        heads.push(encoded.id());
        taken.push(Taken { edit, ancestors });
    }
    heads.sort_unstable();
    Some(Materialized { state, heads })
}

/// Whether two edits that do not know of each other touch nothing in common. A creation touches all.
fn is_independent(one: &Edit, other: &Edit) -> bool {
    let fields = |edit: &Edit| -> Option<Vec<_>> {
        let operations = edit.operations.iter();
        operations
            .map(|operation| operation.field().cloned())
            .collect()
    };
    match (fields(one), fields(other)) {
        (Some(one_fields), Some(other_fields)) => {
            one.actor != other.actor && one_fields.iter().all(|field| !other_fields.contains(field))
        }
        _ => false,
    }
}
