use proptest::collection::vec;
use proptest::prelude::*;
use uuid::{Builder, Uuid};

use super::*;
use crate::document::schema::{self, field};
use crate::edit::any::any_edit;
use crate::edit::{InitialField, Operation, Value};
use crate::model::{
    ActorId, Attachment, AttachmentHash, Case, Confidentiality, DocumentId, IntentId, Location,
    Note, NoteVisibility, OfficerId, Person, ReportedKind, ShortCode, Source, Status, Timestamp,
    Urgency, Visit,
};

/// What one phone says in an afternoon. Its chance comes from a counter.
struct Afternoon {
    drawn: u64,
    now: i64,
    actor: ActorId,
    officer: OfficerId,
    edits: Vec<EncodedEdit>,
}

impl Afternoon {
    fn new() -> Self {
        let mut afternoon = Self {
            drawn: 0,
            now: 1_790_000_000_000,
            actor: ActorId([0; 16]),
            officer: OfficerId(Uuid::nil()),
            edits: Vec::new(),
        };
        afternoon.actor = ActorId(afternoon.random());
        afternoon.officer = OfficerId(Uuid::from_bytes(afternoon.random()));
        afternoon
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.drawn += 1;
        blake3::Hasher::new()
            .update(&self.drawn.to_le_bytes())
            .finalize_xof()
            .fill(&mut bytes);
        bytes
    }

    fn number(&mut self, limit: u32) -> u32 {
        u32::from_le_bytes(self.random()) % limit
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.number(from.len() as u32) as usize]
    }

    fn uuid(&mut self) -> Uuid {
        self.now += 2;
        Builder::from_unix_timestamp_millis(self.now as u64, &self.random()).into_uuid()
    }

    fn create(
        &mut self,
        document: DocumentId,
        fields: Vec<(crate::edit::FieldName, InitialField)>,
    ) {
        self.push(Edit {
            document,
            intent: IntentId(document.uuid.into_bytes()),
            actor: self.actor,
            sequence: 1,
            dependencies: Vec::new(),
            device_time: Timestamp(self.now),
            operations: vec![Operation::Create { fields }],
        });
    }

    fn change(&mut self, sequence: u64, before: &EncodedEdit, operation: Operation) {
        let intent = IntentId(self.random());
        self.push(Edit {
            document: before.edit().document,
            intent,
            actor: self.actor,
            sequence,
            dependencies: vec![before.id()],
            device_time: Timestamp(self.now),
            operations: vec![operation],
        });
    }

    fn push(&mut self, edit: Edit) {
        self.edits
            .push(EncodedEdit::encode(edit).expect("a proper edit"));
    }

    fn visit(&mut self) -> Uuid {
        let id = self.uuid();
        let visit = Visit {
            id,
            external_ref: None,
            area: Some("kp3".to_owned()),
            place: None,
            started_at: Timestamp(self.now),
            ended_at: None,
            officer: self.officer,
            summary: String::new(),
            conflicts: Vec::new(),
        };
        self.create(DocumentId::visit(id), schema::visit_fields(&visit));
        id
    }

    fn case(&mut self, visit: Uuid) -> String {
        let id = self.uuid();
        let text = self.text();
        let case = Case {
            id,
            code: ShortCode::from_random(self.random()).as_str().to_owned(),
            external_ref: None,
            visit: Some(visit),
            area: Some("kp3".to_owned()),
            place: None,
            reported_kind: self.pick(&[ReportedKind::Report, ReportedKind::Petition]),
            legal_kind: None,
            category: self
                .pick(&["road", "waste", "noise", "lighting"])
                .to_owned(),
            urgency: self.pick(&[Urgency::Normal, Urgency::Normal, Urgency::High]),
            source: Source::HeardFromPerson,
            status: Status::Recorded,
            recorded_at: Timestamp(self.now),
            recorded_by: self.officer,
            text: text.clone(),
            households: 1,
            location: Some(Location {
                latitude_e6: 10_790_000 + self.number(9_000) as i32,
                longitude_e6: 106_650_000 + self.number(9_000) as i32,
            }),
            official_number: None,
            division: None,
            assignee: None,
            due_at: None,
            answer: None,
            delivered_at: None,
            satisfaction: None,
            void_reason: None,
            paper_reference: None,
            confidentiality: Confidentiality::Normal,
            notes: Vec::new(),
            attachments: Vec::new(),
            conflicts: Vec::new(),
        };
        self.create(DocumentId::case(id), schema::case_fields(&case));
        let person = Person {
            id,
            name: Some("Tạ Thị Khuê".to_owned()),
            phone: Some(format!("09{:08}", self.number(100_000_000))),
            address: Some(format!(
                "{}/{} Hẻm Giếng",
                self.number(300),
                self.number(20)
            )),
            ..Person::default()
        };
        self.create(DocumentId::person_of(id), schema::person_fields(&person));
        format!(
            r#"{{"id":"{}","code":"{}","visit":"{visit}","area":"kp3","kind":"{}","category":"{}","urgency":"{}","recorded_at":{},"text":"{text}","citizen":{{"name":"{}","phone":"{}","address":"{}"}},"location":{{"lat":{},"lon":{}}}}}"#,
            id,
            case.code,
            case.reported_kind.code(),
            case.category,
            case.urgency.code(),
            case.recorded_at.0,
            person.name.unwrap_or_default(),
            person.phone.unwrap_or_default(),
            person.address.unwrap_or_default(),
            f64::from(case.location.expect("a place").latitude_e6) / 1e6,
            f64::from(case.location.expect("a place").longitude_e6) / 1e6,
        )
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..2 + self.number(3) {
            let sentence = self.pick(&[
                "Ống khói lò bánh mì số # thải bụi xuống # mái nhà liền kề. ",
                "Trụ cứu hỏa đầu hẻm # rò nước suốt # ngày. ",
                "Bãi giữ xe thu # nghìn đồng một lượt, cao hơn niêm yết. ",
                "Cụ # tuổi trượt chân vì gạch men lát lối đi trơn láng. ",
                "Thang máy lô # kẹt # lần trong quý, có lần kẹt # phút. ",
                "Bà con xin dời giờ họp tổ sang # giờ tối cho người đi làm ca. ",
                "Sân bóng mini bật đèn pha rọi thẳng phòng ngủ tới # giờ. ",
                "Cột tín hiệu góc chợ chớp vàng cả # tuần. ",
            ]);
            for part in sentence.split_inclusive('#') {
                text.push_str(part.trim_end_matches('#'));
                if part.ends_with('#') {
                    text.push_str(&self.number(200).to_string());
                }
            }
        }
        text.trim_end().to_owned()
    }

    fn packed(&self) -> Vec<u8> {
        pack(Effort::Once, self.edits.iter().map(EncodedEdit::bytes))
    }

    /// Everything that a phone does: cases, notes, corrections, photos.
    fn whole() -> Self {
        let mut afternoon = Self::new();
        for _ in 0..3 {
            let visit = afternoon.visit();
            for _ in 0..3 {
                afternoon.case(visit);
            }
        }
        let case = afternoon.edits[1].clone();
        let note = Note {
            id: afternoon.uuid(),
            author: afternoon.officer,
            at: Timestamp(afternoon.now),
            text: "Đã hẹn 9 giờ".to_owned(),
            visibility: NoteVisibility::Internal,
        };
        let attachment = Attachment {
            hash: AttachmentHash(afternoon.random()),
            name: "anh-1.jpg".to_owned(),
            bytes: 234_567,
            mime: "image/jpeg".to_owned(),
            at: Timestamp(afternoon.now),
            thumbnail: None,
        };
        let operations = [
            schema::append(field::NOTES, schema::note_item(&note)),
            schema::append(field::ATTACHMENTS, schema::attachment_item(&attachment)),
            schema::increment(field::HOUSEHOLDS, 12),
            schema::set(field::URGENCY, Value::Text("urgent".to_owned())),
            schema::set(field::STATUS, Value::Null),
            Operation::SpliceText {
                field: schema::field::field_name(field::TEXT),
                position: 3,
                delete: 2,
                insert: "12".to_owned(),
                length: 40,
            },
        ];
        for (sequence, operation) in (2..).zip(operations) {
            let before = match afternoon.edits.last() {
                Some(last) if sequence > 2 => last.clone(),
                _ => case.clone(),
            };
            afternoon.change(sequence, &before, operation);
        }
        afternoon
    }
}

fn came_back(edits: &[EncodedEdit]) -> bool {
    let unpacked = unpack(&pack(
        Effort::EachTime,
        edits.iter().map(EncodedEdit::bytes),
    ))
    .expect("packed edits");
    unpacked
        .iter()
        .map(Vec::as_slice)
        .eq(edits.iter().map(EncodedEdit::bytes))
}

#[test]
fn an_afternoon_comes_back_to_the_byte() {
    assert!(came_back(&Afternoon::whole().edits));
    assert!(came_back(&[]));
}

#[test]
fn forty_cases_are_smaller_than_their_compressed_json() {
    let mut afternoon = Afternoon::new();
    let visit = afternoon.visit();
    let json: Vec<String> = (0..40).map(|_| afternoon.case(visit)).collect();
    let json = zstd::bulk::compress(json.join("\n").as_bytes(), 19).expect("zstd");
    let packed = afternoon.packed();
    assert!(
        packed.len() * 10 < json.len() * 9,
        "{} bytes packed, {} of JSON",
        packed.len(),
        json.len()
    );
}

#[test]
fn a_dependency_among_the_packed_edits_does_not_travel() {
    let mut afternoon = Afternoon::new();
    let visit = afternoon.visit();
    afternoon.case(visit);
    let mut one = afternoon.edits[1].clone();
    let before = afternoon.packed().len();
    for sequence in 2..22 {
        afternoon.change(sequence, &one, schema::increment(field::HOUSEHOLDS, 1));
        one = afternoon.edits.last().expect("just made").clone();
    }
    // Twenty intents of 16 random bytes each; the same number of hashes would be 640 bytes.
    let more = afternoon.packed().len() - before;
    assert!((320..380).contains(&more), "{more}");
}

#[test]
fn an_edit_that_this_build_cannot_read_travels_as_it_is() {
    let afternoon = Afternoon::whole();
    let mut edits: Vec<&[u8]> = afternoon.edits.iter().map(EncodedEdit::bytes).collect();
    let newer = b"\x02an edit of a later layout".as_slice();
    edits.insert(0, newer);
    edits.insert(7, b"");
    edits.push(newer);
    assert_eq!(
        unpack(&pack(Effort::EachTime, edits.iter().copied())).expect("packed edits"),
        edits
    );
}

#[test]
fn a_dependency_on_an_edit_that_this_build_cannot_read_comes_back() {
    let newer = b"\x02an edit of a later layout".as_slice();
    let mut afternoon = Afternoon::new();
    afternoon.visit();
    let mut edit = afternoon.edits[0].edit().clone();
    edit.sequence = 2;
    edit.dependencies = vec![EditId(blake3::hash(newer).into())];
    edit.operations = vec![schema::set(field::PLACE, Value::Null)];
    afternoon.push(edit);
    let edits = [newer, afternoon.edits[1].bytes()];
    assert_eq!(
        unpack(&pack(Effort::EachTime, edits)).expect("packed edits"),
        edits
    );
}

#[test]
fn texts_with_every_kind_of_digits_come_back() {
    let texts = [
        "",
        "0",
        "007",
        "12345678",
        "123456789",
        "0000000012345678",
        "số 7/12-A",
        "७",
        "１２",
        "\u{1}",
        "9\u{2}9",
        "a\u{8}",
        "\t1\n2",
    ];
    for column in [
        &texts[..],
        &texts[..9],
        &["c000001", "c000002", "c000007", "c000003"],
    ] {
        let mut afternoon = Afternoon::new();
        for text in column {
            let id = afternoon.uuid();
            let fields = vec![(
                schema::field::field_name("text"),
                InitialField::Text((*text).to_owned()),
            )];
            afternoon.create(DocumentId::case(id), fields);
        }
        assert!(came_back(&afternoon.edits), "{column:?}");
    }
}

#[test]
fn another_layout_is_told_from_damage() {
    let mut packed = Afternoon::whole().packed();
    packed[0] = 2;
    assert_eq!(unpack(&packed), Err(DecodeError::UnknownCode(2).into()));
    assert_eq!(unpack(&[]), Err(DecodeError::Truncated.into()));
    assert_eq!(unpack(&[1, 0, 9, 9]), Err(UnpackError::Decompress));
}

#[test]
fn edits_longer_together_than_the_bound_are_refused() {
    // One text in a table, a thousand places in it: a few bytes that ask for 30 MiB.
    let mut afternoon = Afternoon::new();
    for _ in 0..BUNDLE_EDITS_MAX {
        let id = afternoon.uuid();
        let text = InitialField::Text("x".repeat(30_000));
        afternoon.create(
            DocumentId::case(id),
            vec![(schema::field::field_name("text"), text)],
        );
    }
    let bomb = pack_all(Effort::Once, afternoon.edits.iter().map(EncodedEdit::bytes));
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    let over = DecodeError::OverLimit {
        limit: BUNDLE_CONTENT_BYTES_MAX,
    };
    assert_eq!(unpack(&bomb), Err(over.into()));
}

/// Takes packed bytes apart, below what zstd and the lengths protect.
fn streams(packed: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut reader = Reader::new(&packed[1..]);
    let bits = reader.bytes(usize::MAX).expect("bits").to_vec();
    (bits, words::decompress(reader.rest()).expect("words"))
}

fn joined(bits: &[u8], words: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .byte(LAYOUT)
        .bytes(bits)
        .fixed(&words::compress(Effort::EachTime, words));
    writer.finish()
}

proptest! {
    #[test]
    fn any_edits_come_back_to_the_byte(edits in vec(any_edit(), 0..12), repeat in 0..3usize) {
        let mut edits: Vec<EncodedEdit> = edits
            .into_iter()
            .map(|edit| EncodedEdit::encode(edit).expect("a proper edit"))
            .collect();
        for _ in 0..repeat {
            edits.extend(edits.clone());
        }
        prop_assert!(came_back(&edits));
    }

    #[test]
    fn damaged_streams_never_make_unpacking_panic(
        changes in vec((any::<bool>(), any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let (mut bits, mut words) = streams(&Afternoon::whole().packed());
        for (in_bits, place, byte) in changes {
            // Most of what steers the reader is near the front.
            let (stream, limit) = if in_bits { (&mut bits, 400) } else { (&mut words, 900) };
            let place = place.index(stream.len().min(limit));
            stream[place] = byte;
        }
        if let Some(cut) = cut {
            words.truncate(cut.index(words.len()));
        }
        if let Ok(edits) = unpack(&joined(&bits, &words)) {
            let content: usize = edits.iter().map(Vec::len).sum();
            prop_assert!(content <= 2 * BUNDLE_CONTENT_BYTES_MAX);
        }
    }

    #[test]
    fn no_bytes_at_all_make_unpacking_panic(bits in vec(any::<u8>(), 0..60), words in vec(any::<u8>(), 0..200)) {
        let _ = unpack(&joined(&bits, &words));
        let _ = unpack(&words);
    }
}

/// Writes the dictionary anew. Only for a layout that was not released: what was packed with a
/// dictionary is read with the same one.
#[test]
#[ignore = "writes into the source tree"]
fn make_the_dictionary() {
    let mut dictionary = Vec::new();
    let mut known = std::collections::HashSet::new();
    let afternoon = Afternoon::whole();
    // Zstd reaches what is last in a dictionary most cheaply, and sentences are most of the words.
    for edit in afternoon.edits.iter().rev() {
        let (shape, _) = Shape::take(edit.edit());
        if known.insert(shape.bytes.clone()) {
            dictionary.extend(shape.bytes);
        }
    }
    let source = include_str!("words/dictionary-1.txt");
    dictionary.extend(column::pattern(source.trim_end()).into_bytes());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/protocol/packing/words");
    std::fs::write(format!("{folder}/dictionary-1.bin"), dictionary).expect("the source tree");
}
