//! Fixed edits give fixed content, whatever release of automerge merges them: documents are
//! rebuilt from edits on every replica, and two releases in one ward must show the same. The
//! vectors hold content, not automerge's bytes, which no other program depends on.

use data_encoding::HEXLOWER;
use serde_json::{Value as Json, json};

use super::super::{Document, FieldState, Materialized, materialize};
use super::plan::{actor, creation, edit, item, name, next_edit};
use crate::edit::{Edit, EncodedEdit, Item, Operation, Value};

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/vectors/document/v1/",
            $name,
            ".json"
        ))
    };
}

#[test]
fn edits_without_concurrency_give_the_fixed_content() {
    compare(&linear(), vector!("linear"));
}

#[test]
fn concurrent_edits_give_the_fixed_content() {
    compare(&concurrent(), vector!("concurrent"));
}

#[test]
fn edits_after_a_merge_give_the_fixed_content() {
    compare(&merged(), vector!("merged"));
}

/// What today's build writes is what the vector holds, and what the vector holds reads the same
/// today, whoever executes it.
fn compare(edits: &[EncodedEdit], vector: &str) {
    let vector: Json = serde_json::from_str(vector).unwrap();
    let written = shown(edits, &materialize(edits).unwrap());
    assert_eq!(written, vector, "written now: {written:#}");
    let read: Vec<EncodedEdit> = vector["edits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bytes| HEXLOWER.decode(bytes.as_str().unwrap().as_bytes()).unwrap())
        .map(|bytes| EncodedEdit::decode(&bytes).unwrap())
        .collect();
    let found = shown(&read, &materialize(&read).unwrap());
    assert_eq!(found, vector);
    let engine = Document::replay(&read).unwrap();
    let heads = engine.heads();
    let state = engine.state();
    assert_eq!(shown(&read, &Materialized { state, heads }), vector);
}

fn linear() -> Vec<EncodedEdit> {
    let mut edits = vec![creation()];
    let changes = [
        vec![
            set("status", Value::Text("accepted".to_owned())),
            set("due_at", Value::Int(1_773_018_000_000)),
            set("newer_field", Value::Bytes(vec![0, 1, 255])),
        ],
        vec![
            splice("text", 0, 3, "Trụ đè", 47),
            splice("text", 6, 0, "n ", 50),
        ],
        vec![append("notes", "Đã gọi điện"), append("newer_list", "")],
        vec![increment("households", -2), increment("newer_counter", 40)],
        vec![
            set("newer_register", Value::Bool(false)),
            set("place", Value::Null),
        ],
    ];
    for (index, operations) in changes.into_iter().enumerate() {
        push(&mut edits, index % 3, operations);
    }
    edits
}

fn concurrent() -> Vec<EncodedEdit> {
    let first = creation();
    let writes = [
        vec![
            set("status", Value::Text("accepted".to_owned())),
            splice("text", 4, 5, "điện", 47),
            append("notes", "một"),
            increment("households", 5),
        ],
        vec![
            set("status", Value::Text("transferred".to_owned())),
            splice("text", 4, 0, "(hẻm) ", 47),
            append("notes", "hai"),
            increment("households", -1),
            set("newer_field", Value::Bool(true)),
        ],
        vec![
            splice("text", 0, 8, "", 47),
            append("notes", "ba"),
            append("notes", "bốn"),
            set("newer_field", Value::Int(-1)),
        ],
    ];
    let mut edits = vec![first.clone()];
    for (index, operations) in writes.into_iter().enumerate() {
        let write = edit(actor(index + 1), vec![first.id()], operations);
        edits.push(EncodedEdit::encode(write).unwrap());
    }
    // One writer goes on without having heard of the others.
    let more = Edit {
        sequence: 2,
        ..edit(
            actor(2),
            vec![edits[2].id()],
            vec![set("status", Value::Text("answered".to_owned()))],
        )
    };
    edits.push(EncodedEdit::encode(more).unwrap());
    edits
}

fn merged() -> Vec<EncodedEdit> {
    let mut edits = concurrent();
    let length = match &materialize(&edits).unwrap().state.fields[&name("text")] {
        FieldState::Text(text) => text.chars().count() as u32,
        _ => panic!("text is a text"),
    };
    let operations = vec![
        set("status", Value::Text("answered".to_owned())),
        splice("text", 2, 4, "…", length),
        append("notes", "năm"),
        increment("households", 1),
    ];
    push(&mut edits, 4, operations);
    push(&mut edits, 0, vec![set("newer_field", Value::Null)]);
    edits
}

fn push(edits: &mut Vec<EncodedEdit>, writer: usize, operations: Vec<Operation>) {
    let Materialized { state, heads } = materialize(edits.iter()).unwrap();
    edits.push(next_edit(&state, heads, actor(writer), operations));
}

fn set(field: &str, value: Value) -> Operation {
    let field = name(field);
    Operation::SetRegister { field, value }
}

fn splice(field: &str, position: u32, delete: u32, insert: &str, length: u32) -> Operation {
    Operation::SpliceText {
        field: name(field),
        position,
        delete,
        insert: insert.to_owned(),
        length,
    }
}

fn append(field: &str, text: &str) -> Operation {
    Operation::AppendItem {
        field: name(field),
        item: item(text),
    }
}

fn increment(field: &str, by: i64) -> Operation {
    let field = name(field);
    Operation::Increment { field, by }
}

fn shown(edits: &[EncodedEdit], read: &Materialized) -> Json {
    let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
    let fields: serde_json::Map<String, Json> = read
        .state
        .fields
        .iter()
        .map(|(name, field)| (name.as_str().to_owned(), shown_field(field)))
        .collect();
    json!({
        "edits": edits.iter().map(|edit| hex(edit.bytes())).collect::<Vec<_>>(),
        "heads": read.heads.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "fields": fields,
    })
}

fn shown_field(field: &FieldState) -> Json {
    match field {
        FieldState::Register(values) => json!({
            "register": values
                .iter()
                .map(|one| json!({"actor": one.actor.to_string(), "value": shown_value(&one.value)}))
                .collect::<Vec<_>>()
        }),
        FieldState::Text(text) => json!({ "text": text }),
        FieldState::List(items) => {
            json!({ "list": items.iter().map(shown_item).collect::<Vec<_>>() })
        }
        FieldState::Counter(value) => json!({ "counter": value }),
    }
}

fn shown_item(item: &Item) -> Json {
    let parts: serde_json::Map<String, Json> = item
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), shown_value(value)))
        .collect();
    Json::Object(parts)
}

fn shown_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!({ "bytes": HEXLOWER.encode(bytes) }),
    }
}
