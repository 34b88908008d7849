use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::edit::any::any_edit;
use crate::edit::limits::{
    DEPENDENCIES_MAX, EDIT_BYTES_MAX, FIELD_NAME_BYTES_MAX, FIELDS_MAX, INITIAL_ITEMS_MAX,
    ITEM_PARTS_MAX, OPERATIONS_MAX, VALUE_BYTES_MAX,
};
use crate::edit::{FieldName, InitialField, Item, Operation, Value};
use crate::model::{ActorId, DocumentId, IntentId, Timestamp};

fn name(text: &str) -> FieldName {
    FieldName::new(text).expect("a field name")
}

fn names(count: usize) -> impl Iterator<Item = FieldName> {
    (0..count).map(|number| name(&format!("f{number:03}")))
}

fn creation(fields: Vec<(FieldName, InitialField)>) -> Edit {
    let uuid = Uuid::from_bytes([7; 16]);
    Edit {
        document: DocumentId::case(uuid),
        intent: IntentId(uuid.into_bytes()),
        actor: ActorId([1; 16]),
        sequence: 1,
        dependencies: Vec::new(),
        device_time: Timestamp(1_772_413_200_000),
        operations: vec![Operation::Create { fields }],
    }
}

fn change(operations: Vec<Operation>) -> Edit {
    Edit {
        intent: IntentId([2; 16]),
        sequence: 2,
        dependencies: vec![EditId([3; 32])],
        operations,
        ..creation(Vec::new())
    }
}

fn set(field: &str, value: Value) -> Operation {
    Operation::SetRegister {
        field: name(field),
        value,
    }
}

fn append(item: Item) -> Operation {
    Operation::AppendItem {
        field: name("notes"),
        item,
    }
}

fn refused(edit: Edit) -> &'static str {
    EncodedEdit::encode(edit)
        .expect_err("a broken rule is refused")
        .rule
}

/// A bound is right if the largest edit within it is taken both ways, and one more neither is
/// written nor, written by a careless hand, read.
fn assert_bound(at: Edit, over: Edit, rule: &str) {
    let encoded = EncodedEdit::encode(at.clone()).expect("at the bound");
    assert_eq!(
        EncodedEdit::decode(encoded.bytes())
            .expect("at the bound")
            .edit(),
        &at
    );
    assert!(refused(over).contains(rule), "{rule}");
}

#[test]
fn a_creation_says_nothing_twice() {
    let encoded = EncodedEdit::encode(creation(vec![(
        name("text"),
        InitialField::Text("Đèn hỏng".to_owned()),
    )]))
    .expect("an edit");
    let mut expected = vec![1, 0, 2];
    expected.extend([7; 16]);
    expected.extend([1; 16]);
    expected.extend([0x80, 0x9a, 0xf9, 0xc0, 0x95, 0x67, 1]);
    // 12 bytes: two for each of Đ and è, three for ỏ.
    expected.extend(b"\x04text\x02\x0c");
    expected.extend("Đèn hỏng".as_bytes());
    assert_eq!(encoded.bytes(), expected);
    assert_eq!(encoded.id().as_bytes(), blake3::hash(&expected).as_bytes());
}

#[test]
fn a_creation_that_could_not_be_told_from_its_bytes_is_refused() {
    let proper = creation(Vec::new());
    let other_intent = Edit {
        intent: IntentId([9; 16]),
        ..proper.clone()
    };
    assert!(refused(other_intent).contains("uuid"));
    let later = Edit {
        sequence: 2,
        ..proper.clone()
    };
    assert!(refused(later).contains("sequence 1"));
    let dependent = Edit {
        dependencies: vec![EditId([3; 32])],
        ..proper.clone()
    };
    assert!(refused(dependent).contains("no dependencies"));
    let mut twofold = change(vec![set("status", Value::Null)]);
    twofold.operations.extend(proper.operations);
    assert!(refused(twofold).contains("only operation"));
}

#[test]
fn a_change_needs_a_sequence_a_dependency_and_an_operation() {
    let proper = change(vec![set("status", Value::Null)]);
    let unnumbered = Edit {
        sequence: 0,
        ..proper.clone()
    };
    assert!(refused(unnumbered).contains("from 1"));
    let rootless = Edit {
        dependencies: Vec::new(),
        ..proper.clone()
    };
    assert!(refused(rootless).contains("dependencies"));
    assert!(refused(change(Vec::new())).contains("operations"));
    for offset in [51, 52, 91] {
        let mut bytes = EncodedEdit::encode(proper.clone())
            .expect("an edit")
            .bytes()
            .to_vec();
        bytes[offset] = 0;
        assert!(EncodedEdit::decode(&bytes).is_err(), "{offset}");
    }
}

#[test]
fn every_bound_is_held_when_writing() {
    let dependencies = |count: u8| Edit {
        dependencies: (0..count).map(|number| EditId([number; 32])).collect(),
        ..change(vec![set("status", Value::Null)])
    };
    let limit = u8::try_from(DEPENDENCIES_MAX).expect("a small limit");
    assert_bound(
        dependencies(limit),
        dependencies(limit + 1),
        "DEPENDENCIES_MAX",
    );

    let operations = |count| change(vec![set("status", Value::Null); count]);
    assert_bound(
        operations(OPERATIONS_MAX),
        operations(OPERATIONS_MAX + 1),
        "OPERATIONS_MAX",
    );

    let fields = |count| {
        creation(
            names(count)
                .map(|name| (name, InitialField::Counter(0)))
                .collect(),
        )
    };
    assert_bound(fields(FIELDS_MAX), fields(FIELDS_MAX + 1), "FIELDS_MAX");

    let items = |count| {
        creation(vec![(
            name("notes"),
            InitialField::List(vec![Vec::new(); count]),
        )])
    };
    assert_bound(
        items(INITIAL_ITEMS_MAX),
        items(INITIAL_ITEMS_MAX + 1),
        "INITIAL_ITEMS_MAX",
    );

    let parts = |count| {
        change(vec![append(
            names(count).map(|name| (name, Value::Null)).collect(),
        )])
    };
    assert_bound(
        parts(ITEM_PARTS_MAX),
        parts(ITEM_PARTS_MAX + 1),
        "ITEM_PARTS_MAX",
    );

    let text = |count| change(vec![set("text", Value::Text("x".repeat(count)))]);
    assert_bound(
        text(VALUE_BYTES_MAX),
        text(VALUE_BYTES_MAX + 1),
        "VALUE_BYTES_MAX",
    );

    let bytes = |count| change(vec![set("hash", Value::Bytes(vec![0; count]))]);
    assert_bound(
        bytes(VALUE_BYTES_MAX),
        bytes(VALUE_BYTES_MAX + 1),
        "VALUE_BYTES_MAX",
    );

    let initial = |count| creation(vec![(name("text"), InitialField::Text("x".repeat(count)))]);
    assert_bound(
        initial(VALUE_BYTES_MAX),
        initial(VALUE_BYTES_MAX + 1),
        "VALUE_BYTES_MAX",
    );

    let splice = |count| {
        change(vec![Operation::SpliceText {
            field: name("text"),
            position: 0,
            delete: 0,
            insert: "x".repeat(count),
            length: 0,
        }])
    };
    assert_bound(
        splice(VALUE_BYTES_MAX),
        splice(VALUE_BYTES_MAX + 1),
        "VALUE_BYTES_MAX",
    );

    let full = Value::Text("x".repeat(VALUE_BYTES_MAX));
    let whole = |last: usize| {
        change(vec![
            set("a", full.clone()),
            set("b", Value::Text("x".repeat(last))),
        ])
    };
    let used = EncodedEdit::encode(whole(20_000))
        .expect("an edit")
        .bytes()
        .len();
    let last = 20_000 + EDIT_BYTES_MAX - used;
    assert_bound(whole(last), whole(last + 1), "EDIT_BYTES_MAX");
}

#[test]
fn every_bound_is_held_when_reading() {
    let head = |writer: &mut Writer| {
        writer.byte(1).byte(1).byte(2).fixed(&[7; 48]).unsigned(2);
    };
    let change_with = |write: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new();
        head(&mut writer);
        writer.count(1).fixed(&[3; 32]).signed(0);
        write(&mut writer);
        EncodedEdit::decode(&writer.finish())
    };
    let creation_with = |write: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new();
        writer.byte(1).byte(0).byte(2).fixed(&[7; 32]).signed(0);
        write(&mut writer);
        EncodedEdit::decode(&writer.finish())
    };
    let over = |limit| Err(DecodeError::OverLimit { limit });

    let mut writer = Writer::new();
    head(&mut writer);
    writer.count(DEPENDENCIES_MAX + 1);
    assert_eq!(
        EncodedEdit::decode(&writer.finish()),
        over(DEPENDENCIES_MAX)
    );
    assert_eq!(
        change_with(&|writer| {
            writer.count(OPERATIONS_MAX + 1);
        }),
        over(OPERATIONS_MAX)
    );
    assert_eq!(
        creation_with(&|writer| {
            writer.count(FIELDS_MAX + 1);
        }),
        over(FIELDS_MAX)
    );
    assert_eq!(
        creation_with(&|writer| {
            writer
                .count(1)
                .text("notes")
                .byte(3)
                .count(INITIAL_ITEMS_MAX + 1);
        }),
        over(INITIAL_ITEMS_MAX)
    );
    assert_eq!(
        change_with(&|writer| {
            writer
                .count(1)
                .byte(3)
                .text("notes")
                .count(ITEM_PARTS_MAX + 1);
        }),
        over(ITEM_PARTS_MAX)
    );
    assert_eq!(
        change_with(&|writer| {
            writer.count(1).byte(1).count(FIELD_NAME_BYTES_MAX + 1);
        }),
        over(FIELD_NAME_BYTES_MAX)
    );
    for tag in [4, 5] {
        assert_eq!(
            change_with(&|writer| {
                writer
                    .count(1)
                    .byte(1)
                    .text("a")
                    .byte(tag)
                    .count(VALUE_BYTES_MAX + 1);
            }),
            over(VALUE_BYTES_MAX)
        );
    }
    assert_eq!(
        creation_with(&|writer| {
            writer
                .count(1)
                .text("text")
                .byte(2)
                .count(VALUE_BYTES_MAX + 1);
        }),
        over(VALUE_BYTES_MAX)
    );
    assert_eq!(
        change_with(&|writer| {
            writer.count(1).byte(2).text("text").unsigned(0).unsigned(0);
            writer.count(VALUE_BYTES_MAX + 1);
        }),
        over(VALUE_BYTES_MAX)
    );
    assert_eq!(
        change_with(&|writer| {
            writer.count(1).byte(2).text("text").unsigned(1 << 32);
        }),
        Err(DecodeError::NonCanonicalInteger)
    );
    assert_eq!(
        EncodedEdit::decode(&[1; EDIT_BYTES_MAX + 1]),
        over(EDIT_BYTES_MAX)
    );
}

#[test]
fn names_and_dependencies_have_one_order() {
    let unordered = vec![(name("b"), Value::Null), (name("a"), Value::Null)];
    assert!(refused(change(vec![append(unordered)])).contains("ascend"));
    let twice = vec![(name("a"), Value::Null), (name("a"), Value::Null)];
    assert!(refused(change(vec![append(twice)])).contains("ascend"));
    let fields = vec![
        (name("b"), InitialField::Counter(0)),
        (name("a"), InitialField::Counter(0)),
    ];
    assert!(refused(creation(fields)).contains("ascend"));
    let dependencies = Edit {
        dependencies: vec![EditId([3; 32]); 2],
        ..change(vec![set("status", Value::Null)])
    };
    assert!(refused(dependencies).contains("ascend"));

    let ordered = |first: u8, second: u8| {
        let mut writer = Writer::new();
        writer
            .byte(1)
            .byte(0)
            .byte(2)
            .fixed(&[7; 32])
            .signed(0)
            .count(2);
        writer.bytes(&[first]).byte(4).signed(0);
        writer.bytes(&[second]).byte(4).signed(0);
        EncodedEdit::decode(&writer.finish()).map(|_| ())
    };
    assert_eq!(ordered(b'a', b'b'), Ok(()));
    assert_eq!(ordered(b'b', b'a'), Err(DecodeError::NonCanonicalOrder));
    assert_eq!(ordered(b'a', b'a'), Err(DecodeError::NonCanonicalOrder));
    assert_eq!(ordered(b'A', b'b'), Err(DecodeError::InvalidValue));
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same_edit(edit in any_edit()) {
        let encoded = EncodedEdit::encode(edit).expect("a proper edit");
        prop_assert_eq!(EncodedEdit::decode(encoded.bytes()), Ok(encoded));
    }

    #[test]
    fn bytes_that_decode_are_the_ones_that_would_be_written(
        edit in any_edit(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = EncodedEdit::encode(edit).expect("a proper edit").bytes().to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(decoded) = EncodedEdit::decode(&bytes) {
            let again = EncodedEdit::encode(decoded.edit().clone()).expect("what decodes encodes");
            prop_assert_eq!(again.bytes(), bytes);
        }
    }

    #[test]
    fn no_bytes_at_all_make_decoding_panic(bytes in vec(any::<u8>(), 0..200), form in 0..2u8) {
        let _ = EncodedEdit::decode(&bytes);
        let mut framed = vec![1, form, 2];
        framed.extend(bytes);
        let _ = EncodedEdit::decode(&framed);
    }
}
