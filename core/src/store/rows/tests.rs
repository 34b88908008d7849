use rusqlite::Connection;

use super::*;
use crate::document::{DocumentState, schema};
use crate::edit::{Edit, Operation};
use crate::model::{
    ActorId, Confidentiality, DocumentId, IntentId, LegalBasis, LegalKind, Location, OfficerId,
    Person, ReportedKind, Satisfaction, Source, Visit,
};

fn store() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(ROWS_SQL).unwrap();
    connection
}

fn sample(number: u8) -> Case {
    Case {
        id: Uuid::from_bytes([number; 16]),
        code: "ABC-DEFG".to_owned(),
        external_ref: None,
        visit: None,
        area: None,
        place: None,
        reported_kind: ReportedKind::Report,
        legal_kind: None,
        category: "other".to_owned(),
        urgency: Urgency::Normal,
        source: Source::HeardFromPerson,
        status: Status::Recorded,
        recorded_at: Timestamp(i64::from(number)),
        recorded_by: OfficerId(Uuid::from_bytes([1; 16])),
        text: String::new(),
        households: 1,
        location: None,
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
    }
}

fn created(
    document: DocumentId,
    fields: Vec<(crate::edit::FieldName, crate::edit::InitialField)>,
) -> DocumentState {
    DocumentState::create(&Edit {
        document,
        intent: IntentId(*document.uuid.as_bytes()),
        actor: ActorId([3; 16]),
        sequence: 1,
        dependencies: Vec::new(),
        device_time: Timestamp(0),
        operations: vec![Operation::Create { fields }],
    })
    .unwrap()
}

fn case_state(case: &Case) -> DocumentState {
    created(DocumentId::case(case.id), schema::case_fields(case))
}

fn person_state(person: &Person) -> DocumentState {
    created(
        DocumentId::person_of(person.id),
        schema::person_fields(person),
    )
}

fn write(connection: &Connection, state: &DocumentState) -> rusqlite::Result<()> {
    write_unindexed(connection, state)?;
    index_due(connection)
}

fn write_case(connection: &Connection, case: &Case) {
    write(connection, &case_state(case)).unwrap();
}

fn write_texts(connection: &Connection, texts: &[&str]) {
    for (number, text) in (1..).zip(texts) {
        write_case(
            connection,
            &Case {
                text: (*text).to_owned(),
                ..sample(number)
            },
        );
    }
}

/// The numbers of the cases that a search finds, in its order.
fn search(connection: &Connection, typed: &str) -> Vec<u8> {
    asked(
        connection,
        &CaseQuery {
            search: Some(typed.to_owned()),
            ..CaseQuery::default()
        },
    )
}

fn asked(connection: &Connection, query: &CaseQuery) -> Vec<u8> {
    let found = cases(connection, query).unwrap();
    let numbers: Vec<u8> = found.iter().map(|row| row.case.id.as_bytes()[0]).collect();
    if query.limit == 0 && query.offset == 0 {
        assert_eq!(case_count(connection, query).unwrap(), numbers.len() as u64);
    }
    numbers
}

fn full(number: u8) -> Case {
    Case {
        external_ref: Some("nhập-17".to_owned()),
        visit: Some(Uuid::from_bytes([9; 16])),
        area: Some("kp3".to_owned()),
        place: Some("hẻm 12".to_owned()),
        reported_kind: ReportedKind::Petition,
        legal_kind: Some(LegalKind::Complaint),
        category: "noise".to_owned(),
        urgency: Urgency::Urgent,
        source: Source::SeenOnSpot,
        status: Status::Closed,
        text: "Loa kẹo kéo hát tới khuya".to_owned(),
        households: 12,
        location: Some(Location {
            latitude_e6: 10_776_500,
            longitude_e6: -106_700_900,
        }),
        official_number: Some("PA-2026-000123/P26995".to_owned()),
        division: Some("police".to_owned()),
        assignee: Some("Trần Văn Bình".to_owned()),
        due_at: Some(Timestamp(5)),
        answer: Some("Đã nhắc nhở".to_owned()),
        delivered_at: Some(Timestamp(6)),
        satisfaction: Some(Satisfaction::NotSatisfied),
        void_reason: Some("nhầm".to_owned()),
        paper_reference: Some("số 5".to_owned()),
        confidentiality: Confidentiality::Restricted,
        ..sample(number)
    }
}

#[test]
fn a_row_says_what_its_document_says() {
    let connection = store();
    let visit = Visit {
        id: Uuid::from_bytes([9; 16]),
        external_ref: Some("buổi 1".to_owned()),
        area: Some("kp3".to_owned()),
        place: Some("chùa".to_owned()),
        started_at: Timestamp(1),
        ended_at: Some(Timestamp(2)),
        officer: OfficerId(Uuid::from_bytes([1; 16])),
        summary: "thăm hộ cao tuổi".to_owned(),
        conflicts: Vec::new(),
    };
    let person_of = Person {
        id: Uuid::from_bytes([1; 16]),
        name: Some("Nguyễn Thị Thịnh".to_owned()),
        phone: Some("0903343439".to_owned()),
        address: Some("12/3 Lạc Long Quân".to_owned()),
        contact_name: Some("Lê Hùng".to_owned()),
        contact_phone: Some("0381234567".to_owned()),
        legal_basis: Some(LegalBasis::Consent),
        consent_text: Some("2026-1".to_owned()),
        conflicts: Vec::new(),
    };
    let states = [
        person_state(&person_of),
        case_state(&full(1)),
        case_state(&sample(2)),
        created(DocumentId::visit(visit.id), schema::visit_fields(&visit)),
    ];
    for state in &states {
        assert!(!is_current(&connection, state).unwrap());
        write(&connection, state).unwrap();
        assert!(is_current(&connection, state).unwrap());
    }
    assert_eq!(
        case(&connection, full(1).id).unwrap().unwrap().case,
        full(1)
    );
    assert_eq!(
        case(&connection, sample(2).id).unwrap().unwrap().case,
        sample(2)
    );
    assert_eq!(
        super::visit(&connection, visit.id).unwrap(),
        Some(visit.clone())
    );
    assert_eq!(
        visits(&connection, 10).unwrap(),
        std::slice::from_ref(&visit)
    );
    assert_eq!(person(&connection, person_of.id).unwrap(), Some(person_of));
    assert_eq!(
        visit_by_external_ref(&connection, "buổi 1").unwrap(),
        Some(visit.id)
    );
    assert_eq!(
        case_by_external_ref(&connection, "nhập-17").unwrap(),
        Some(full(1).id)
    );
    for state in &states {
        remove(&connection, state.document).unwrap();
    }
    assert_eq!(case(&connection, full(1).id).unwrap(), None);
    assert_eq!(person(&connection, full(1).id).unwrap(), None);
    assert_eq!(visits(&connection, 10).unwrap(), []);
    let words: i64 = connection
        .query_row("SELECT count(*) FROM case_search", [], |row| row.get(0))
        .unwrap();
    assert_eq!(words, 0);
}

#[test]
fn a_row_written_by_another_hand_is_noticed() {
    let connection = store();
    let state = case_state(&full(1));
    for change in [
        "UPDATE case_rows SET households = 13",
        "UPDATE case_rows SET area = NULL",
        "UPDATE case_rows SET note_count = 1",
        "UPDATE case_search SET folded = 'x'",
        "DELETE FROM case_search",
    ] {
        write(&connection, &state).unwrap();
        assert!(is_current(&connection, &state).unwrap());
        connection.execute(change, []).unwrap();
        assert!(!is_current(&connection, &state).unwrap(), "{change}");
    }
}

#[test]
fn words_are_found_without_marks_and_exact_ones_come_first() {
    let connection = store();
    write_texts(
        &connection,
        &[
            "Nước ngập đường Âu Cơ",
            "Ông Dương xin xác nhận",
            "Dưỡng lão",
            "ĐƯỜNG hư",
        ],
    );
    assert_eq!(search(&connection, "duong"), [4, 3, 2, 1]);
    assert_eq!(search(&connection, "đường"), [4, 1, 3, 2]);
    assert_eq!(search(&connection, "dương"), [2, 4, 3, 1]);
    assert_eq!(search(&connection, "Ðường"), [4, 1, 3, 2], "Icelandic eth");
    assert_eq!(
        search(&connection, "du\u{31b}o\u{31b}\u{300}ng"),
        [4, 3, 2, 1],
        "d is not đ"
    );
}

#[test]
fn whole_words_typed_without_marks_come_before_beginnings() {
    let connection = store();
    write_texts(
        &connection,
        &[
            "Nắp hố ga trước chợ bị vỡ",
            "Hộ bán thịt không có nắp đậy, đã gặp nhắc nhở",
        ],
    );
    assert_eq!(search(&connection, "nap ho ga"), [1, 2]);
    assert_eq!(search(&connection, "nắp hố ga"), [1, 2]);
}

#[test]
fn both_places_of_a_tone_are_one_exact_word() {
    let connection = store();
    write_texts(
        &connection,
        &["hoà giải", "hóa đơn", "hòa giải", "hoa kiểng"],
    );
    assert_eq!(search(&connection, "hoà"), [3, 1, 4, 2]);
    assert_eq!(search(&connection, "hòa"), [3, 1, 4, 2]);
    assert_eq!(search(&connection, "hoa"), [4, 3, 2, 1]);
}

#[test]
fn the_beginning_of_a_word_and_a_single_letter_are_enough() {
    let connection = store();
    write_texts(&connection, &["Cống thoát nước", "Đèn đường", "Rác"]);
    assert_eq!(search(&connection, "tho"), [1]);
    assert_eq!(search(&connection, "r"), [3]);
    assert_eq!(search(&connection, "nuoc cong"), [1]);
    assert_eq!(search(&connection, "nuoc rac"), [0u8; 0]);
    assert_eq!(
        search(&connection, "..."),
        [3, 2, 1],
        "nothing to find is no filter"
    );
}

#[test]
fn people_numbers_and_codes_are_found() {
    let connection = store();
    let citizen = Person {
        id: full(1).id,
        name: Some("Nguyễn Thị Thịnh".to_owned()),
        phone: Some("0903343439".to_owned()),
        ..Person::default()
    };
    write(&connection, &person_state(&citizen)).unwrap();
    write_case(&connection, &full(1));
    write_case(&connection, &sample(2));
    for typed in [
        "ba thinh",
        "thinh",
        "0903 343 439",
        "+84 903 343",
        "0903",
        "090.334",
        "PA-2026-000123/P26995",
        "pa-2026",
        "123",
        "pa2026000123",
        "binh",
        "hem 12",
    ] {
        let expected: &[u8] = if typed == "ba thinh" { &[] } else { &[1] };
        assert_eq!(search(&connection, typed), expected, "{typed}");
    }
    assert_eq!(search(&connection, "abc-defg"), [2, 1]);
    assert_eq!(search(&connection, "abcdefg"), [2, 1]);

    // The person may come after the case, change, and go.
    let later = Person {
        id: sample(2).id,
        name: Some("Phạm Hùng".to_owned()),
        ..Person::default()
    };
    write(&connection, &person_state(&later)).unwrap();
    assert_eq!(search(&connection, "pham hung"), [2]);
    remove(&connection, DocumentId::person_of(later.id)).unwrap();
    forget_words(&connection).unwrap();
    assert_eq!(search(&connection, "pham hung"), [0u8; 0]);
}

#[test]
fn a_stop_card_is_not_found_by_searching() {
    let connection = store();
    write_case(
        &connection,
        &Case {
            reported_kind: ReportedKind::Denunciation,
            paper_reference: Some("TC-7".to_owned()),
            ..sample(1)
        },
    );
    assert_eq!(search(&connection, "tc"), [0u8; 0]);
    assert_eq!(asked(&connection, &CaseQuery::default()), [1]);
}

#[test]
fn a_case_is_found_by_what_is_read_out() {
    let connection = store();
    let code = crate::model::ShortCode::from_random([7, 1, 5, 2, 9, 8, 3, 4]);
    write_case(
        &connection,
        &Case {
            code: code.as_str().to_owned(),
            ..full(1)
        },
    );
    let spoken = code.as_str().replace('-', "").to_lowercase();
    for typed in [
        code.as_str(),
        &spoken,
        "pa-2026-000123/p26995",
        " PA-2026-000123/P26995 ",
        "PA-2026-000123",
        "pa-2026-000123",
    ] {
        assert_eq!(
            case_by_code(&connection, typed).unwrap(),
            Some(full(1).id),
            "{typed}"
        );
    }
    for other in [
        "PA-2026-000124/P26995",
        "PA-2026-000124",
        "PA-2026",
        "PA",
        "-",
    ] {
        assert_eq!(case_by_code(&connection, other).unwrap(), None, "{other}");
    }
}

#[test]
fn filters_narrow_and_orders_sort() {
    let connection = store();
    write_case(&connection, &full(1));
    write_case(&connection, &sample(2));
    write_case(
        &connection,
        &Case {
            urgency: Urgency::High,
            status: Status::Answered,
            ..sample(3)
        },
    );
    let all = CaseQuery::default();
    let text = |text: &str| vec![text.to_owned()];
    assert_eq!(asked(&connection, &all), [3, 2, 1]);
    for (query, expected) in [
        (
            CaseQuery {
                order: CaseOrder::Urgency,
                ..all.clone()
            },
            &[1, 3, 2][..],
        ),
        (
            CaseQuery {
                statuses: vec![Status::Answered, Status::Closed],
                ..all.clone()
            },
            &[3, 1],
        ),
        (
            CaseQuery {
                kinds: text("complaint"),
                ..all.clone()
            },
            &[1],
        ),
        (
            CaseQuery {
                kinds: text("petition"),
                ..all.clone()
            },
            &[],
        ),
        (
            CaseQuery {
                kinds: text("report"),
                ..all.clone()
            },
            &[3, 2],
        ),
        (
            CaseQuery {
                categories: text("noise"),
                ..all.clone()
            },
            &[1],
        ),
        (
            CaseQuery {
                areas: text("kp3"),
                ..all.clone()
            },
            &[1],
        ),
        (
            CaseQuery {
                areas: text(""),
                ..all.clone()
            },
            &[3, 2],
        ),
        (
            CaseQuery {
                areas: vec![String::new(), "kp3".to_owned()],
                ..all.clone()
            },
            &[3, 2, 1],
        ),
        (
            CaseQuery {
                urgencies: vec![Urgency::High],
                ..all.clone()
            },
            &[3],
        ),
        (
            CaseQuery {
                division: Some("police".to_owned()),
                ..all.clone()
            },
            &[1],
        ),
        (
            CaseQuery {
                assignee: Some("Trần Văn Bình".to_owned()),
                ..all.clone()
            },
            &[1],
        ),
        (
            CaseQuery {
                visit: full(1).visit,
                ..all.clone()
            },
            &[1],
        ),
        (
            CaseQuery {
                recorded_from: Some(Timestamp(2)),
                ..all.clone()
            },
            &[3, 2],
        ),
        (
            CaseQuery {
                recorded_before: Some(Timestamp(2)),
                ..all.clone()
            },
            &[1],
        ),
        (
            CaseQuery {
                limit: 1,
                offset: 1,
                ..all.clone()
            },
            &[2],
        ),
        (
            CaseQuery {
                offset: 2,
                ..all.clone()
            },
            &[1],
        ),
        (
            CaseQuery {
                search: Some("loa".to_owned()),
                statuses: vec![Status::Closed],
                order: CaseOrder::Urgency,
                ..all.clone()
            },
            &[1],
        ),
    ] {
        assert_eq!(asked(&connection, &query), expected, "{query:?}");
    }
}

#[test]
fn words_that_were_removed_are_gone_from_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("plain.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA secure_delete = ON")
        .unwrap();
    connection.execute_batch(ROWS_SQL).unwrap();
    write_texts(&connection, &["một hai ba", "grauxyplo"]);
    // What it said before is to go with it.
    write_texts(&connection, &["một hai ba", "xyzzyquux"]);
    let contains = |word: &[u8]| {
        let bytes = std::fs::read(&path).unwrap();
        bytes.windows(word.len()).any(|window| window == word)
    };
    assert!(contains(b"xyzzyquux"));
    assert!(contains(b"grauxyplo"));
    remove(&connection, DocumentId::case(sample(2).id)).unwrap();
    forget_words(&connection).unwrap();
    assert!(!contains(b"xyzzyquux"));
    assert!(!contains(b"grauxyplo"));
}
