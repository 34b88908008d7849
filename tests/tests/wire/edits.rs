//! Edits of every operation, and every way in which bytes fail to be an edit.

use gandan_core::codec::DecodeError;
use gandan_core::edit::{Edit, EncodedEdit, FieldName, InitialField, Item, Operation, Value};
use gandan_core::model::{ActorId, DocumentId, EditId, IntentId, Timestamp};
use uuid::Uuid;

use super::vectors;

const ACTOR: ActorId = ActorId([0x11; 16]);
const OFFICER: [u8; 16] = [0x22; 16];
const VISIT: Uuid = Uuid::from_u128(0x019c_ac0f_2680_71a1_a1a1_a1a1_a1a1_a1a1);
const CASE: Uuid = Uuid::from_u128(0x019c_ac10_10e0_72b2_b2b2_b2b2_b2b2_b2b2);
/// 2026-03-02T01:00:00Z.
const BEGIN: i64 = 1_772_413_200_000;

fn name(text: &str) -> FieldName {
    FieldName::new(text).expect("a field name")
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn officer() -> Value {
    Value::Bytes(OFFICER.to_vec())
}

fn note(words: &str) -> Item {
    vec![(name("author"), officer()), (name("text"), text(words))]
}

fn creation(document: DocumentId, time: i64, fields: &[(&str, InitialField)]) -> Edit {
    let fields = fields
        .iter()
        .map(|(field, initial)| (name(field), initial.clone()))
        .collect();
    Edit {
        document,
        intent: IntentId(document.uuid.into_bytes()),
        actor: ACTOR,
        sequence: 1,
        dependencies: Vec::new(),
        device_time: Timestamp(time),
        operations: vec![Operation::Create { fields }],
    }
}

fn change(number: u8, sequence: u64, dependencies: &[&str], operations: Vec<Operation>) -> Edit {
    Edit {
        document: DocumentId::case(CASE),
        intent: IntentId([0x31 + number; 16]),
        actor: ACTOR,
        sequence,
        dependencies: dependencies.iter().map(|vector| id(vector)).collect(),
        device_time: Timestamp(BEGIN + 68_000 + 1_000 * i64::from(number)),
        operations,
    }
}

fn set(field: &str, value: Value) -> Operation {
    let field = name(field);
    Operation::SetRegister { field, value }
}

/// The name that a vector's comment gives to its edit.
fn id(vector: &str) -> EditId {
    IDS.iter()
        .find(|(known, _)| *known == vector)
        .and_then(|(_, id)| id.parse().ok())
        .expect("a vector of this list")
}

const IDS: &[(&str, &str)] = &[
    (
        "create-visit",
        "ed2628df4275936399770c88ca5c21146c331927f29be028e18653ae00a0edaf",
    ),
    (
        "create-case",
        "6e03f34f91edbd11a95ce0dad4caa95b337bd25f3da31dd49df3c8412e9d6f9f",
    ),
    (
        "create-person",
        "baf2ec487d3fd99658e3e1300d327f3a8032d2185273bd7757c4b2921c93cf3c",
    ),
    (
        "set-register",
        "96006f2e85fd33637781c16bd60fb325de52619a918365dee0d7b114b542ba36",
    ),
    (
        "splice-text",
        "8924fed73b701c1c5ed4de46ad82e8a76b1dad71527bc123f68b7a0c7218f009",
    ),
    (
        "append-item",
        "e135bacaebc23acd0d525c42da9ecc70f35a5ecec2dc6050572650c817dea453",
    ),
    (
        "increment",
        "e4be650805609e76b9db430742a34a4320f5c4b06c86cb17a1376986586bfeb3",
    ),
    (
        "longest-numbers",
        "f5140f37fe628b015bc906caf1eb174e06bcf0c5f7622655741cfd8c36a28329",
    ),
];

fn edits() -> Vec<(&'static str, Edit)> {
    let register = InitialField::Register;
    let mut place = 10_787_001i32.to_be_bytes().to_vec();
    place.extend(106_652_002i32.to_be_bytes());
    let visit = [
        ("area", register(text("kp3"))),
        ("ended_at", register(Value::Null)),
        ("officer", register(officer())),
        ("started_at", register(Value::Int(BEGIN))),
        ("summary", InitialField::Text("Đi thăm tổ 12".to_owned())),
    ];
    let case = [
        ("attachments", InitialField::List(Vec::new())),
        ("code", register(text("345-678A"))),
        ("households", InitialField::Counter(3)),
        ("location", register(Value::Bytes(place))),
        ("notes", InitialField::List(vec![note("Đã báo tổ trưởng")])),
        ("recorded_at", register(Value::Int(BEGIN + 60_000))),
        ("recorded_by", register(officer())),
        ("status", register(text("recorded"))),
        (
            "text",
            InitialField::Text("Đèn hẻm 48 hỏng 10 ngày".to_owned()),
        ),
        ("visit", register(Value::Bytes(VISIT.into_bytes().to_vec()))),
    ];
    let person = [
        ("name", register(text("Tạ Thị Khuê"))),
        ("phone", register(text("0903343439"))),
    ];
    let values = vec![
        set("a_null", Value::Null),
        set("b_false", Value::Bool(false)),
        set("c_true", Value::Bool(true)),
        set("d_integer", Value::Int(-1)),
        set("e_text", text("urgent")),
        set("f_bytes", Value::Bytes(vec![0xca, 0xfe])),
    ];
    let splice = Operation::SpliceText {
        field: name("text"),
        position: 8,
        delete: 2,
        insert: "50".to_owned(),
        length: 23,
    };
    let append = Operation::AppendItem {
        field: name("notes"),
        item: note("Xong"),
    };
    let step = |by| Operation::Increment {
        field: name("households"),
        by,
    };
    let longest = Edit {
        document: DocumentId::visit(Uuid::from_u128(0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f)),
        intent: IntentId([0; 16]),
        actor: ActorId([0xff; 16]),
        sequence: u64::MAX,
        dependencies: (0..32).map(|number| EditId([number; 32])).collect(),
        device_time: Timestamp(i64::MIN),
        operations: vec![set(&"z".repeat(40), Value::Int(i64::MAX))],
    };
    vec![
        (
            "create-visit",
            creation(DocumentId::visit(VISIT), BEGIN, &visit),
        ),
        (
            "create-case",
            creation(DocumentId::case(CASE), BEGIN + 60_001, &case),
        ),
        (
            "create-person",
            creation(DocumentId::person_of(CASE), BEGIN + 60_001, &person),
        ),
        ("set-register", change(2, 2, &["create-case"], values)),
        ("splice-text", change(3, 3, &["set-register"], vec![splice])),
        ("append-item", change(4, 4, &["splice-text"], vec![append])),
        (
            "increment",
            Edit {
                actor: ActorId([0x12; 16]),
                ..change(
                    5,
                    1,
                    &["create-case", "append-item"],
                    vec![step(-2), step(300)],
                )
            },
        ),
        ("longest-numbers", longest),
    ]
}

fn refused() -> Vec<(&'static str, DecodeError)> {
    vec![
        ("invalid-dependency-order", DecodeError::NonCanonicalOrder),
        ("invalid-dependency-twice", DecodeError::NonCanonicalOrder),
        ("invalid-empty", DecodeError::Truncated),
        ("invalid-field-name-empty", DecodeError::InvalidValue),
        (
            "invalid-field-name-too-long",
            DecodeError::OverLimit { limit: 40 },
        ),
        ("invalid-field-name", DecodeError::InvalidValue),
        ("invalid-field-order", DecodeError::NonCanonicalOrder),
        ("invalid-field-tag", DecodeError::UnknownCode(5)),
        ("invalid-field-twice", DecodeError::NonCanonicalOrder),
        ("invalid-form", DecodeError::UnknownCode(2)),
        (
            "invalid-integer-too-large",
            DecodeError::NonCanonicalInteger,
        ),
        ("invalid-kind", DecodeError::UnknownCode(4)),
        ("invalid-layout", DecodeError::UnknownCode(2)),
        ("invalid-long-integer", DecodeError::NonCanonicalInteger),
        ("invalid-no-dependency", DecodeError::InvalidValue),
        ("invalid-no-operation", DecodeError::InvalidValue),
        ("invalid-no-sequence", DecodeError::InvalidValue),
        ("invalid-operation-tag", DecodeError::UnknownCode(5)),
        ("invalid-part-order", DecodeError::NonCanonicalOrder),
        ("invalid-splice-position", DecodeError::NonCanonicalInteger),
        ("invalid-text-not-utf8", DecodeError::InvalidText),
        (
            "invalid-text-too-long",
            DecodeError::OverLimit { limit: 32_768 },
        ),
        (
            "invalid-too-many-dependencies",
            DecodeError::OverLimit { limit: 32 },
        ),
        (
            "invalid-too-many-fields",
            DecodeError::OverLimit { limit: 96 },
        ),
        (
            "invalid-too-many-items",
            DecodeError::OverLimit { limit: 256 },
        ),
        (
            "invalid-too-many-operations",
            DecodeError::OverLimit { limit: 64 },
        ),
        (
            "invalid-too-many-parts",
            DecodeError::OverLimit { limit: 16 },
        ),
        ("invalid-trailing", DecodeError::TrailingBytes),
        ("invalid-truncated", DecodeError::Truncated),
        ("invalid-value-tag", DecodeError::UnknownCode(6)),
    ]
}

pub(crate) fn names() -> Vec<(&'static str, Vec<&'static str>)> {
    let valid = edits().into_iter().map(|(name, _)| name);
    let invalid = refused().into_iter().map(|(name, _)| name);
    vec![("edit", valid.chain(invalid).collect())]
}

#[test]
fn every_edit_has_the_bytes_and_the_name_of_its_vector() {
    for (vector, edit) in edits() {
        let bytes = vectors::read("edit", vector);
        let decoded =
            EncodedEdit::decode(&bytes).unwrap_or_else(|error| panic!("{vector}: {error}"));
        assert_eq!(decoded.edit(), &edit, "{vector}");
        assert_eq!(decoded.id(), id(vector), "{vector}");
        let encoded = EncodedEdit::encode(edit).unwrap_or_else(|error| panic!("{vector}: {error}"));
        assert_eq!(encoded.bytes(), bytes, "{vector}");
    }
}

#[test]
fn what_is_no_edit_is_refused_for_the_right_reason() {
    for (vector, error) in refused() {
        let decoded = EncodedEdit::decode(&vectors::read("edit", vector));
        assert_eq!(decoded, Err(error), "{vector}");
    }
}
