//! Any edit at all, for property tests.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use uuid::Uuid;

use super::{Edit, FieldName, InitialField, Item, Operation, Value};
use crate::model::{ActorId, DocumentId, DocumentKind, EditId, IntentId, Timestamp};

fn any_name() -> impl Strategy<Value = FieldName> {
    "[a-z][a-z0-9_]{0,12}".prop_map(|text| FieldName::new(&text).expect("a field name"))
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<String>().prop_map(Value::Text),
        vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
    ]
}

fn any_item() -> impl Strategy<Value = Item> {
    btree_map(any_name(), any_value(), 0..5).prop_map(|parts| parts.into_iter().collect())
}

fn any_initial() -> impl Strategy<Value = InitialField> {
    prop_oneof![
        any_value().prop_map(InitialField::Register),
        any::<String>().prop_map(InitialField::Text),
        vec(any_item(), 0..4).prop_map(InitialField::List),
        any::<i64>().prop_map(InitialField::Counter),
    ]
}

fn any_operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (any_name(), any_value())
            .prop_map(|(field, value)| Operation::SetRegister { field, value }),
        (any_name(), any::<[u32; 3]>(), any::<String>()).prop_map(
            |(field, [position, delete, length], insert)| Operation::SpliceText {
                field,
                position,
                delete,
                insert,
                length,
            }
        ),
        (any_name(), any_item()).prop_map(|(field, item)| Operation::AppendItem { field, item }),
        (any_name(), any::<i64>()).prop_map(|(field, by)| Operation::Increment { field, by }),
    ]
}

/// Any edit that keeps the rules of form.
pub(crate) fn any_edit() -> impl Strategy<Value = Edit> {
    let kind = (1..=3u8).prop_map(|code| DocumentKind::from_code(code).expect("a kind"));
    let document = (kind, any::<[u8; 16]>()).prop_map(|(kind, uuid)| DocumentId {
        kind,
        uuid: Uuid::from_bytes(uuid),
    });
    let head = (document, any::<[u8; 16]>(), any::<i64>());
    let create = btree_map(any_name(), any_initial(), 0..8);
    let follow = (
        any::<[u8; 16]>(),
        1..=u64::MAX,
        btree_set(any::<[u8; 32]>(), 1..4),
        vec(any_operation(), 1..6),
    );
    let body = prop_oneof![
        create.prop_map(|fields| (None, fields)),
        follow.prop_map(|follow| (Some(follow), BTreeMap::new())),
    ];
    (head, body).prop_map(|((document, actor, time), (follow, fields))| {
        let (intent, sequence, dependencies, operations) = match follow {
            Some((intent, sequence, dependencies, operations)) => {
                let dependencies = dependencies.into_iter().map(EditId).collect();
                (intent, sequence, dependencies, operations)
            }
            None => {
                let fields = fields.into_iter().collect();
                (
                    document.uuid.into_bytes(),
                    1,
                    Vec::new(),
                    vec![Operation::Create { fields }],
                )
            }
        };
        Edit {
            document,
            intent: IntentId(intent),
            actor: ActorId(actor),
            sequence,
            dependencies,
            device_time: Timestamp(time),
            operations,
        }
    })
}
