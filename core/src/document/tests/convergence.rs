//! Whatever the order in which replicas learn of edits, they show the same.

use automerge::Automerge;
use proptest::prelude::*;

use super::super::{Document, DocumentState, FieldState, materialize, merge_independent, schema};
use super::plan::{self, Step, play, reorder, seeded, steps};
use crate::edit::{EncodedEdit, Operation};

proptest! {
    #![proptest_config(seeded(150))]

    #[test]
    fn replicas_that_executed_the_same_edits_in_any_causal_order_show_the_same(
        plan in steps(24),
        first in prop::collection::vec(any::<u16>(), 8..32),
        second in prop::collection::vec(any::<u16>(), 8..32),
    ) {
        let edits = play(&plan);
        let one = materialize(&reorder(&edits, &first)).unwrap();
        let other = materialize(&reorder(&edits, &second)).unwrap();
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(schema::case(&one.state), schema::case(&other.state));
        let engine = Document::replay(&edits).unwrap();
        prop_assert_eq!(&engine.state(), &one.state);
        prop_assert_eq!(engine.heads(), one.heads);
        let mut engine = Document::replay(&edits[..1]).unwrap();
        for edit in reorder(&edits, &second) {
            engine.execute(&edit).unwrap();
        }
        prop_assert_eq!(&engine.state(), &other.state);
    }

    #[test]
    fn a_document_rebuilt_in_another_causal_order_saves_the_same_content(
        plan in steps(16),
        order in prop::collection::vec(any::<u16>(), 8..32),
    ) {
        let edits = play(&plan);
        let saved = Document::replay(&edits).unwrap().save();
        let rebuilt = Document::replay(&reorder(&edits, &order)).unwrap().save();
        let saved = Automerge::load(&saved).unwrap();
        let rebuilt = Automerge::load(&rebuilt).unwrap();
        prop_assert_eq!(saved.hydrate(None), rebuilt.hydrate(None));
        let mut heads = [saved.get_heads(), rebuilt.get_heads()];
        heads.iter_mut().for_each(|heads| heads.sort_unstable());
        prop_assert_eq!(&heads[0], &heads[1]);
    }

    #[test]
    fn the_shortcut_says_what_the_engine_says_while_nothing_is_concurrent(
        changes in prop::collection::vec((0..plan::WRITERS, prop::collection::vec(plan::change(), 1..5)), 1..16),
    ) {
        let mut edits = vec![plan::creation()];
        let mut shortcut = DocumentState::create(edits[0].edit()).unwrap();
        let mut engine = Document::replay(&edits).unwrap();
        for (writer, changes) in changes {
            let heads = vec![edits[edits.len() - 1].id()];
            let operations = plan::operations(&shortcut, &changes);
            let edit = plan::next_edit(&shortcut, heads, plan::actor(writer), operations);
            shortcut.apply(edit.edit()).unwrap();
            engine.execute(&edit).unwrap();
            prop_assert_eq!(&engine.state(), &shortcut);
            edits.push(edit);
        }
        let read = materialize(&edits).unwrap();
        prop_assert_eq!(read.state, shortcut);
        prop_assert_eq!(read.heads, engine.heads());
    }

    #[test]
    fn the_shortcut_goes_on_where_concurrent_edits_were_merged(
        plan in steps(16),
        changes in prop::collection::vec(plan::change(), 1..5),
    ) {
        let mut edits = play(&plan);
        let merged = materialize(&edits).unwrap();
        let mut shortcut = merged.state.clone();
        let operations = plan::operations(&shortcut, &changes);
        let edit = plan::next_edit(&shortcut, merged.heads, plan::actor(4), operations);
        shortcut.apply(edit.edit()).unwrap();
        edits.push(edit);
        prop_assert_eq!(materialize(&edits).unwrap().state, shortcut);
    }

    #[test]
    fn edits_that_meet_on_no_field_say_what_the_engine_says(
        plan in steps(6),
        order in prop::collection::vec(any::<u16>(), 8..32),
    ) {
        let edits = play(&plan);
        let engine = Document::replay(&edits).unwrap();
        if let Some(merged) = merge_independent(&reorder(&edits, &order)) {
            prop_assert_eq!(merged.state, engine.state());
            prop_assert_eq!(merged.heads, engine.heads());
        }
    }

    #[test]
    fn nothing_that_anybody_appended_or_counted_is_lost(plan in steps(24)) {
        let edits = play(&plan);
        let state = materialize(&edits).unwrap().state;
        let mut appended = 0;
        let mut counted = 3;
        for edit in &edits[1..] {
            for operation in &edit.edit().operations {
                match operation {
                    Operation::AppendItem { field, .. } if field.as_str() == "notes" => appended += 1,
                    Operation::Increment { field, by } if field.as_str() == "households" => counted += by,
                    _ => {}
                }
            }
        }
        let FieldState::List(notes) = &state.fields[&plan::name("notes")] else { panic!() };
        prop_assert_eq!(notes.len(), appended);
        prop_assert_eq!(&state.fields[&plan::name("households")], &FieldState::Counter(counted));
    }

    #[test]
    fn every_value_that_nobody_overwrote_can_be_read(plan in steps(24)) {
        let edits = play(&plan);
        let state = materialize(&edits).unwrap().state;
        let FieldState::Register(values) = &state.fields[&plan::name("status")] else { panic!() };
        // The slow way: an assignment stands unless another one knew of it.
        let mut standing: Vec<_> = edits
            .iter()
            .filter(|edit| last_status(edit).is_some())
            .filter(|edit| !edits.iter().any(|later| last_status(later).is_some() && knew(&edits, later, edit)))
            .map(|edit| (edit.edit().actor, last_status(edit)))
            .collect();
        let mut read: Vec<_> = values
            .iter()
            .map(|concurrent| (concurrent.actor, Some(concurrent.value.clone())))
            .collect();
        standing.sort_by_key(|(actor, _)| *actor);
        read.sort_by_key(|(actor, _)| *actor);
        prop_assert_eq!(read, standing);
    }
}

fn last_status(edit: &EncodedEdit) -> Option<crate::edit::Value> {
    use crate::edit::InitialField;
    edit.edit()
        .operations
        .iter()
        .rev()
        .find_map(|operation| match operation {
            Operation::Create { fields } => {
                fields.iter().find_map(|(name, initial)| match initial {
                    InitialField::Register(value) if name.as_str() == "status" => {
                        Some(value.clone())
                    }
                    _ => None,
                })
            }
            Operation::SetRegister { field, value } if field.as_str() == "status" => {
                Some(value.clone())
            }
            _ => None,
        })
}

/// Whether the author of `later` had seen `earlier`.
fn knew(edits: &[EncodedEdit], later: &EncodedEdit, earlier: &EncodedEdit) -> bool {
    let dependencies = &later.edit().dependencies;
    dependencies.contains(&earlier.id())
        || edits
            .iter()
            .filter(|edit| dependencies.contains(&edit.id()))
            .any(|edit| knew(edits, edit, earlier))
}

#[test]
fn random_plans_do_make_concurrent_edits_that_meet_on_no_field() {
    let mut runner = proptest::test_runner::TestRunner::new(seeded(1));
    let independent = (0..100)
        .filter(|_| {
            let tree = steps(6).new_tree(&mut runner).unwrap();
            let edits = play(&proptest::strategy::ValueTree::current(&tree));
            let is_linear = edits
                .windows(2)
                .all(|two| two[1].edit().dependencies == [two[0].id()]);
            !is_linear && merge_independent(&edits).is_some()
        })
        .count();
    assert!(independent > 10, "{independent} of 100");
}

#[test]
fn random_plans_do_make_concurrent_edits() {
    // Otherwise the properties above would hold for a reason that proves nothing.
    let mut runner = proptest::test_runner::TestRunner::new(seeded(1));
    let concurrent = (0..50)
        .filter(|_| {
            let tree = steps(24).new_tree(&mut runner).unwrap();
            let plan: Vec<Step> = proptest::strategy::ValueTree::current(&tree);
            let state = materialize(&play(&plan)).unwrap().state;
            schema::case(&state).is_some_and(|case| !case.conflicts.is_empty())
        })
        .count();
    assert!(concurrent > 5, "{concurrent} of 50");
}
