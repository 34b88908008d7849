//! The page of one case as a value: everything that was recorded, in the words of the screen. Made
//! from plain values, so it can be tested without a ward.

use askama::Template;
use gandan_core::document::DocumentState;
use gandan_core::document::schema::field;
use gandan_core::model::{
    AttachmentHash, Case, Concurrency, Confidentiality, Location, NoteVisibility, Person,
    ReportedKind, Role, Status, Timestamp, Visit,
};
use uuid::Uuid;

use super::names::Names;
use super::page::{Choice, Fact, Frame, Message, Section, Word};
use super::permitted::{Action, Permitted};
use super::{catalogue, collation, history};
use crate::ward::{HistoryEntry, Staff};

/// What the ward knows of a case.
pub(super) struct Dossier {
    pub(super) case: Case,
    pub(super) state: DocumentState,
    pub(super) person: Option<Person>,
    pub(super) visit: Option<Visit>,
    pub(super) case_history: Vec<HistoryEntry>,
    pub(super) person_history: Vec<HistoryEntry>,
    /// Attachments whose bytes are here; the others are on a phone still.
    pub(super) here: Vec<AttachmentHash>,
    pub(super) names: Names,
    /// By the ward's clock.
    pub(super) now: Timestamp,
}

/// What the deadline is called.
const DUE: &str = "Hạn trả lời";

/// What somebody typed and did not send, or sent in vain.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) note: String,
    pub(super) is_reply: bool,
    pub(super) answer: String,
    pub(super) division: String,
    pub(super) assignee: String,
    pub(super) note_error: Option<&'static str>,
    pub(super) answer_error: Option<&'static str>,
    pub(super) division_error: Option<&'static str>,
    pub(super) denunciation_error: Option<&'static str>,
    /// The action that was tried.
    pub(super) tried: Option<Action>,
}

impl Draft {
    /// Whether the fold around an action must be open.
    fn opens(&self, action: &Action) -> bool {
        self.tried == Some(*action)
    }
}

struct Step {
    label: &'static str,
    /// `done`, `now` or `later`.
    state: &'static str,
    when: String,
}

struct Place {
    area: String,
    old: Option<String>,
    words: Option<String>,
    point: Option<String>,
}

/// Who raised the matter, as far as the one before the screen may know.
pub(super) enum Citizen {
    Known(Vec<Fact>),
    Anonymous,
    Hidden,
}

struct NoteView {
    author: String,
    at: String,
    visibility: Word,
    text: String,
}

struct Photo {
    hash: String,
    name: String,
    at: String,
    is_here: bool,
}

struct Side {
    value: String,
    by: String,
    is_shown: bool,
}

struct Conflict {
    field: &'static str,
    remedy: &'static str,
    sides: Vec<Side>,
}

/// The page.
#[derive(Template)]
#[template(path = "case.html")]
pub(super) struct CasePage {
    frame: Frame,
    back: String,
    message: Option<Message>,
    id: Uuid,
    code: String,
    official_number: Option<String>,
    kind: &'static str,
    category: String,
    status: Word,
    urgency: Word,
    is_restricted: bool,
    steps: Vec<Step>,
    conflicts: Vec<Conflict>,
    said_heading: &'static str,
    text: String,
    no_text: &'static str,
    source: &'static str,
    households: i64,
    recorded: String,
    void_reason: Option<String>,
    photos: Vec<Photo>,
    answer: Option<String>,
    delivered: Option<String>,
    satisfaction: Option<&'static str>,
    notes: Vec<NoteView>,
    history: Vec<history::Told>,
    actions: Permitted,
    draft: Draft,
    seen: String,
    addressee: String,
    divisions: Vec<Choice>,
    officers: Vec<Choice>,
    citizen: Citizen,
    place: Place,
    facts: Vec<Fact>,
}

impl CasePage {
    pub(super) fn new(
        dossier: &Dossier,
        staff: &Staff,
        back: String,
        message: Option<Message>,
        draft: Option<Draft>,
    ) -> Self {
        let Dossier { case, names, .. } = dossier;
        let citizen = citizen(dossier, staff);
        let title = case.official_number.as_ref().unwrap_or(&case.code);
        let is_card = case.reported_kind == ReportedKind::Denunciation;
        Self {
            frame: Frame::new(title.clone(), Section::Cases, names, staff),
            back,
            message,
            id: case.id,
            code: case.code.clone(),
            official_number: case.official_number.clone(),
            kind: catalogue::kind(case),
            category: if is_card {
                case.reported_kind.label().to_owned()
            } else {
                names.category(&case.category)
            },
            status: case.status.into(),
            urgency: case.urgency.into(),
            is_restricted: case.confidentiality == Confidentiality::Restricted,
            steps: steps(case, &dossier.case_history),
            conflicts: conflicts(dossier, &citizen),
            said_heading: said_heading(case),
            text: case.text.clone(),
            no_text: if is_card {
                "Tố cáo: nội dung nằm trên phiếu giấy, không lưu trên máy."
            } else {
                "Không có nội dung."
            },
            source: case.source.label(),
            households: case.households,
            recorded: format!(
                "{}, {}",
                names.officer(case.recorded_by),
                case.recorded_at.to_vietnamese()
            ),
            void_reason: case.void_reason.clone(),
            photos: photos(dossier),
            answer: case.answer.clone().filter(|answer| !answer.is_empty()),
            delivered: case.delivered_at.map(Timestamp::to_vietnamese),
            satisfaction: case.satisfaction.map(|said| said.label()),
            notes: notes(case, names),
            history: history::tell(&dossier.case_history, &dossier.person_history, names),
            actions: Permitted::of(staff.author, &dossier.state, case.status),
            draft: draft.unwrap_or_else(|| Draft {
                answer: case.answer.clone().unwrap_or_default(),
                division: case.division.clone().unwrap_or_default(),
                assignee: case.assignee.clone().unwrap_or_default(),
                ..Draft::default()
            }),
            seen: seen(case),
            addressee: addressee(&citizen, dossier.person.as_ref()),
            divisions: names.division_choices(),
            officers: officers(case, names),
            citizen,
            place: place(case, names),
            facts: facts(dossier),
        }
    }
}

/// What staff decided on a case so far, as a short name. A form sends back the one it was shown with,
/// so that nobody overwrites what a colleague decided meanwhile without having seen it.
pub(super) fn seen(case: &Case) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [
        Some(case.status.code()),
        case.official_number.as_deref(),
        case.division.as_deref(),
        case.assignee.as_deref(),
        case.answer.as_deref(),
    ] {
        // A byte that no text has, so that parts cannot run into each other.
        hasher.update(part.unwrap_or("\u{0}").as_bytes());
        hasher.update(&[0xff]);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn said_heading(case: &Case) -> &'static str {
    use gandan_core::model::Source::{HeardFromRepresentative, Letter, SeenOnSpot};
    match case.source {
        SeenOnSpot => "Cán bộ ghi tại chỗ",
        HeardFromRepresentative => "Người đại diện nói",
        Letter => "Đơn thư viết",
        _ => "Người dân nói",
    }
}

/// Officers see the citizen of what they recorded only; those who triage and lead see all.
fn citizen(dossier: &Dossier, staff: &Staff) -> Citizen {
    let role = staff.author.role;
    let is_recorder = dossier.case.recorded_by == staff.author.officer;
    if !matches!(role, Role::Triage | Role::Chair | Role::Leader) && !is_recorder {
        return Citizen::Hidden;
    }
    let Some(person) = &dossier.person else {
        return Citizen::Anonymous;
    };
    let facts: Vec<Fact> = [
        ("Họ và tên", person.name.clone()),
        ("Điện thoại", person.phone.as_deref().map(catalogue::phone)),
        ("Địa chỉ", person.address.clone()),
        ("Liên hệ thay", person.contact_name.clone()),
        (
            "Điện thoại",
            person.contact_phone.as_deref().map(catalogue::phone),
        ),
        ("Cơ sở xử lý", catalogue::legal_basis(person)),
    ]
    .into_iter()
    .filter_map(|(label, value)| Fact::new(label, value))
    .collect();
    if facts.is_empty() {
        Citizen::Anonymous
    } else {
        Citizen::Known(facts)
    }
}

/// People are addressed by their given name.
fn addressee(citizen: &Citizen, person: Option<&Person>) -> String {
    let name = match citizen {
        Citizen::Known(_) => person.and_then(|person| person.name.as_deref()),
        _ => None,
    };
    match name {
        Some(name) => format!("ông/bà {}", collation::given_name(name)),
        None => "người dân".to_owned(),
    }
}

/// The way from the door to the end, with the moments that are known.
fn steps(case: &Case, entries: &[HistoryEntry]) -> Vec<Step> {
    let at = |status| {
        history::taken_at(entries, status).map_or_else(String::new, Timestamp::to_vietnamese)
    };
    let recorded = case.recorded_at.to_vietnamese();
    let way = |labels: [(&'static str, String); 5], now: usize| {
        labels
            .into_iter()
            .enumerate()
            .map(|(index, (label, when))| {
                let is_past = index < now;
                let state = match index {
                    index if index < now => "done",
                    index if index == now && case.status == Status::Closed => "done",
                    index if index == now => "now",
                    _ => "later",
                };
                let when = if is_past || index == now {
                    when
                } else {
                    String::new()
                };
                Step { label, state, when }
            })
            .collect()
    };
    let labels = |working: &'static str, since: String| {
        [
            (Status::Recorded.label(), recorded.clone()),
            (Status::Accepted.label(), at(Status::Accepted)),
            (working, since),
            (Status::Answered.label(), at(Status::Answered)),
            (Status::Closed.label(), at(Status::Closed)),
        ]
    };
    let usual = || labels(Status::InProgress.label(), at(Status::InProgress));
    match case.status {
        Status::Recorded => way(usual(), 0),
        Status::Accepted => way(usual(), 1),
        Status::InProgress => way(usual(), 2),
        Status::WaitingCitizen | Status::Transferred | Status::Reopened => {
            way(labels(case.status.label(), at(case.status)), 2)
        }
        Status::Answered => way(usual(), 3),
        Status::Closed => way(usual(), 4),
        Status::Duplicate | Status::Withdrawn | Status::Voided => vec![
            Step {
                label: Status::Recorded.label(),
                state: "done",
                when: recorded,
            },
            Step {
                label: case.status.label(),
                state: "now",
                when: at(case.status),
            },
        ],
    }
}

fn conflicts(dossier: &Dossier, citizen: &Citizen) -> Vec<Conflict> {
    let of_case = dossier
        .case
        .conflicts
        .iter()
        .map(|conflict| self::conflict(conflict, dossier, &dossier.case_history));
    let person = match citizen {
        Citizen::Known(_) => dossier.person.as_ref(),
        Citizen::Anonymous | Citizen::Hidden => None,
    };
    let of_person = person
        .into_iter()
        .flat_map(|person| &person.conflicts)
        .map(|conflict| self::conflict(conflict, dossier, &dossier.person_history));
    of_case.chain(of_person).collect()
}

fn conflict(conflict: &Concurrency, dossier: &Dossier, entries: &[HistoryEntry]) -> Conflict {
    let name = conflict.field.as_str();
    let remedy = match name {
        field::ANSWER => "ghi lại câu trả lời ở bên để chọn.",
        field::DIVISION | field::ASSIGNEE => "phân công lại ở bên để chọn.",
        field::STATUS => "bước xử lý tiếp theo sẽ chọn.",
        _ => "người ghi nhận sửa trên điện thoại để chọn.",
    };
    Conflict {
        field: catalogue::field_label(name).unwrap_or("Một mục của ứng dụng mới hơn"),
        remedy,
        sides: conflict
            .values
            .iter()
            .enumerate()
            .map(|(index, side)| Side {
                value: catalogue::field_value(name, &side.value, &dossier.names),
                by: history::set_by(entries, name, &side.value).unwrap_or_default(),
                is_shown: index == 0,
            })
            .collect(),
    }
}

fn photos(dossier: &Dossier) -> Vec<Photo> {
    dossier
        .case
        .attachments
        .iter()
        .map(|attachment| Photo {
            hash: attachment.hash.to_string(),
            name: attachment.name.clone(),
            at: attachment.at.to_vietnamese(),
            is_here: dossier.here.contains(&attachment.hash),
        })
        .collect()
}

fn notes(case: &Case, names: &Names) -> Vec<NoteView> {
    case.notes
        .iter()
        .map(|note| NoteView {
            author: names.officer(note.author),
            at: note.at.to_vietnamese(),
            visibility: Word {
                code: match note.visibility {
                    NoteVisibility::Internal => "internal",
                    NoteVisibility::Reply => "reply",
                },
                label: note.visibility.label(),
            },
            text: note.text.clone(),
        })
        .collect()
}

/// Whoever has the case stays a choice, also if the ward's list does not name them any more.
fn officers(case: &Case, names: &Names) -> Vec<Choice> {
    let mut choices = names.officer_choices();
    if let Some(assignee) = &case.assignee
        && !choices.iter().any(|choice| choice.value == *assignee)
    {
        choices.push(Choice::new(assignee, assignee));
    }
    choices
}

fn place(case: &Case, names: &Names) -> Place {
    let area = names.area(case.area.as_deref());
    Place {
        area: area.name,
        old: area.old,
        words: case.place.clone().filter(|words| !words.is_empty()),
        point: case.location.map(degrees),
    }
}

/// Five places behind the comma: about a metre, and no more than a phone knows.
fn degrees(location: Location) -> String {
    let shown = |degrees_e6: i32| {
        let rounded = (i64::from(degrees_e6) + i64::from(degrees_e6.signum()) * 5) / 10;
        let sign = if rounded < 0 { "−" } else { "" };
        let (whole, part) = (
            rounded.unsigned_abs() / 100_000,
            rounded.unsigned_abs() % 100_000,
        );
        format!("{sign}{whole},{part:05}")
    };
    format!(
        "{}; {}",
        shown(location.latitude_e6),
        shown(location.longitude_e6)
    )
}

fn facts(dossier: &Dossier) -> Vec<Fact> {
    let Dossier { case, names, .. } = dossier;
    let is_overdue = catalogue::is_overdue(case, dossier.now);
    let visit = dossier.visit.as_ref().map(|visit| {
        format!(
            "{}, {}",
            visit.started_at.to_vietnamese(),
            names.officer(visit.officer)
        )
    });
    [
        (
            "Bộ phận",
            case.division.as_deref().map(|code| names.division(code)),
        ),
        ("Phụ trách", case.assignee.clone()),
        (DUE, case.due_at.map(Timestamp::to_vietnamese)),
        ("Mức khẩn", Some(case.urgency.label().to_owned())),
        ("Lĩnh vực", Some(names.category(&case.category))),
        (
            "Loại",
            Some(match case.legal_kind {
                Some(legal) => format!(
                    "{} (ghi lúc đầu: {})",
                    legal.label(),
                    case.reported_kind.label()
                ),
                None => case.reported_kind.label().to_owned(),
            }),
        ),
        ("Số hộ", Some(case.households.to_string())),
        ("Ghi nhận", Some(case.recorded_at.to_vietnamese())),
        ("Người ghi", Some(names.officer(case.recorded_by))),
        ("Chuyến đi", visit),
        ("Số phiếu giấy", case.paper_reference.clone()),
        ("Mã nơi khác", case.external_ref.clone()),
    ]
    .into_iter()
    .filter_map(|(label, value)| Fact::new(label, value))
    .map(|fact| Fact {
        is_alarm: is_overdue && fact.label == DUE,
        ..fact
    })
    .collect()
}

#[cfg(test)]
mod tests;
