//! The desk: somebody comes, calls or writes, and gets a short code to ask by.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use gandan_core::edit::limits::VALUE_BYTES_MAX;
use gandan_core::model::{
    LegalBasis, Person, ReportedKind, Source, Urgency, consent, phone_number,
};
use gandan_core::store::rows;
use uuid::Uuid;

use super::case::parse_id;
use super::fields::Fields;
use super::names::Names;
use super::page::{self, Choice, Frame, Message, Section};
use super::problem::Problem;
use super::session::{Clerk, Submission};
use super::{Console, catalogue, filter};
use crate::app::{self, DeskCase};
use crate::ward::Staff;

/// Ways in which people reach the desk; the other sources are an officer's.
const SOURCES: [Source; 3] = [Source::WalkIn, Source::Phone, Source::Letter];

/// Longest name, address or place: a line, not a story.
const LINE_CHARACTERS_MAX: usize = 300;

/// The form as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    source: String,
    kind: String,
    text: String,
    category: String,
    urgency: String,
    area: String,
    place: String,
    name: String,
    phone: String,
    address: String,
    contact_name: String,
    contact_phone: String,
    legal_basis: String,
}

impl Entry {
    fn blank() -> Self {
        Self {
            source: Source::WalkIn.code().to_owned(),
            kind: ReportedKind::Report.code().to_owned(),
            urgency: Urgency::Normal.code().to_owned(),
            ..Self::typed(&Fields::default())
        }
    }

    fn typed(fields: &Fields) -> Self {
        Self {
            source: fields.text("source"),
            kind: fields.text("kind"),
            text: fields.text("text"),
            category: fields.text("category"),
            urgency: fields.text("urgency"),
            area: fields.text("area"),
            place: fields.text("place"),
            name: fields.text("name"),
            phone: fields.text("phone"),
            address: fields.text("address"),
            contact_name: fields.text("contact_name"),
            contact_phone: fields.text("contact_phone"),
            legal_basis: fields.text("legal_basis"),
        }
    }
}

/// A sentence for each field that cannot stay as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Errors {
    text: Option<&'static str>,
    category: Option<&'static str>,
    area: Option<&'static str>,
    place: Option<&'static str>,
    name: Option<&'static str>,
    phone: Option<&'static str>,
    address: Option<&'static str>,
    contact_phone: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "desk.html")]
struct DeskPage {
    frame: Frame,
    message: Option<Message>,
    entry: Entry,
    errors: Errors,
    sources: Vec<Choice>,
    kinds: Vec<Choice>,
    categories: Vec<Choice>,
    urgencies: Vec<Choice>,
    areas: Vec<Choice>,
    bases: Vec<Choice>,
    consent: &'static str,
}

#[derive(Template)]
#[template(path = "desk_done.html")]
struct DonePage {
    frame: Frame,
    id: Uuid,
    code: String,
    spelled: Vec<String>,
    summary: String,
}

/// `GET /desk`, and `GET /desk?recorded={id}` once a case was recorded.
pub(super) async fn show(
    State(console): State<Console>,
    RawQuery(query): RawQuery,
    Clerk(staff): Clerk,
) -> Result<Response, Problem> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    match query.filled("recorded") {
        Some(id) => show_done(&console, &staff, parse_id(&id)?).await,
        None => {
            let names = names(&console).await?;
            let page = DeskPage::new(&names, &staff, Entry::blank(), Errors::default(), None);
            Ok(page::answer(StatusCode::OK, &page))
        }
    }
}

/// `POST /desk`
pub(super) async fn record(
    State(console): State<Console>,
    Submission { staff, fields }: Submission,
) -> Result<Response, Problem> {
    let names = names(&console).await?;
    let entry = Entry::typed(&fields);
    let desk_case = match read(&entry, &names) {
        Ok(desk_case) => desk_case,
        Err(errors) => {
            let message = Message::bad("Chưa ghi được: xem các mục đánh dấu bên dưới.", None);
            let page = DeskPage::new(&names, &staff, entry, *errors, Some(message));
            return Ok(page::answer(StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
    };
    let author = staff.clone();
    match console
        .ask(move |ward| app::record(ward, &author, desk_case))
        .await
    {
        Ok((id, _)) => Ok(Redirect::to(&format!("/desk?recorded={id}")).into_response()),
        Err(problem) => {
            problem.log();
            let message = Message::bad(problem.sentence(), Some(problem.code()));
            let errors = Errors::default();
            let page = DeskPage::new(&names, &staff, entry, errors, Some(message));
            Ok(page::answer(problem.status(), &page))
        }
    }
}

/// The form with what was typed before signing in again; nothing is recorded yet.
pub(super) async fn resume(
    console: &Console,
    staff: Staff,
    fields: &Fields,
) -> Result<Response, Problem> {
    let names = names(console).await?;
    let message = Message::warn(page::TYPED_BEFORE);
    let entry = Entry::typed(fields);
    let page = DeskPage::new(&names, &staff, entry, Errors::default(), Some(message));
    Ok(page::answer(StatusCode::OK, &page))
}

async fn names(console: &Console) -> Result<Names, Problem> {
    console.ask(|ward| ward.directory().map(Names::new)).await
}

async fn show_done(console: &Console, staff: &Staff, id: Uuid) -> Result<Response, Problem> {
    let (names, row) = console
        .ask(move |ward| {
            let names = Names::new(ward.directory()?);
            Ok((names, ward.read(|connection| rows::case(connection, id))?))
        })
        .await?;
    let case = row.ok_or(Problem::NoCase)?.case;
    let spelled = case
        .code
        .chars()
        .filter_map(catalogue::spell)
        .map(str::to_owned)
        .collect();
    let page = DonePage {
        frame: Frame::new("Đã ghi nhận".to_owned(), Section::Desk, &names, staff),
        id,
        spelled,
        summary: format!(
            "{} · {} · {}",
            catalogue::kind(&case),
            names.category(&case.category),
            names.area(case.area.as_deref()).short()
        ),
        code: case.code,
    };
    Ok(page::answer(StatusCode::OK, &page))
}

impl DeskPage {
    fn new(
        names: &Names,
        staff: &Staff,
        entry: Entry,
        errors: Errors,
        message: Option<Message>,
    ) -> Self {
        Self {
            frame: Frame::new("Ghi tại bàn".to_owned(), Section::Desk, names, staff),
            message,
            entry,
            errors,
            sources: SOURCES
                .iter()
                .map(|source| Choice::new(source.code(), source.label()))
                .collect(),
            kinds: filter::kinds()
                .map(|kind| Choice::new(kind.code(), kind.label()))
                .collect(),
            categories: names.category_choices(),
            urgencies: Urgency::ALL
                .iter()
                .map(|urgency| Choice::new(urgency.code(), urgency.label()))
                .collect(),
            areas: names.area_choices(),
            bases: LegalBasis::ALL
                .iter()
                .map(|basis| Choice::new(basis.code(), basis.label()))
                .collect(),
            consent: consent::current().vietnamese,
        }
    }
}

/// Reads a form, or says of each field what is wrong with it.
fn read(entry: &Entry, names: &Names) -> Result<DeskCase, Box<Errors>> {
    let line = |typed: &str| {
        (typed.chars().count() > LINE_CHARACTERS_MAX).then_some("Dài quá một dòng; rút gọn lại.")
    };
    let number = |typed: &str| {
        (!typed.is_empty() && phone_number::parse(typed).is_none())
            .then_some("Không phải số điện thoại. Xem lại, hoặc để trống.")
    };
    let errors = Errors {
        text: if !entry.kind.is_empty() && filter::kinds().all(|kind| kind.code() != entry.kind) {
            Some(
                "Bàn tiếp nhận không ghi tố cáo hay loại khác: hướng dẫn người dân nộp đơn tố cáo cho người có thẩm quyền, và không ghi nội dung vào đây.",
            )
        } else if entry.text.is_empty() {
            Some("Ghi nội dung người dân nói.")
        } else if entry.text.len() > VALUE_BYTES_MAX {
            Some("Nội dung quá dài; rút gọn lại.")
        } else {
            None
        },
        category: (!names.has_category(&entry.category)).then_some("Chọn lĩnh vực."),
        area: (!entry.area.is_empty() && !names.has_area(&entry.area))
            .then_some("Địa bàn không còn trong danh sách; chọn lại."),
        place: line(&entry.place),
        name: line(&entry.name).or_else(|| line(&entry.contact_name)),
        phone: number(&entry.phone),
        address: line(&entry.address),
        contact_phone: number(&entry.contact_phone),
    };
    if errors != Errors::default() {
        return Err(Box::new(errors));
    }
    let some = |typed: &String| Some(typed.clone()).filter(|typed| !typed.is_empty());
    let digits = |typed: &str| phone_number::parse(typed);
    let legal_basis = LegalBasis::from_code(&entry.legal_basis);
    let is_consent = legal_basis == Some(LegalBasis::Consent);
    let person = Person {
        name: some(&entry.name),
        phone: digits(&entry.phone),
        address: some(&entry.address),
        contact_name: some(&entry.contact_name),
        contact_phone: digits(&entry.contact_phone),
        legal_basis,
        consent_text: is_consent.then(|| consent::current().version.to_owned()),
        ..Person::default()
    };
    Ok(DeskCase {
        source: Source::from_code(&entry.source)
            .filter(|source| SOURCES.contains(source))
            .unwrap_or(Source::WalkIn),
        kind: filter::kinds()
            .find(|kind| kind.code() == entry.kind)
            .unwrap_or(ReportedKind::Report),
        category: entry.category.clone(),
        area: some(&entry.area),
        place: some(&entry.place),
        urgency: Urgency::from_code(&entry.urgency).unwrap_or(Urgency::Normal),
        text: entry.text.clone(),
        citizen: Some(person).filter(|person| *person != Person::default()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::names::tests::sample;
    use super::*;

    fn typed(pairs: &str) -> Entry {
        Entry::typed(&Fields::parse(pairs.as_bytes()))
    }

    #[test]
    fn a_form_becomes_a_case_with_the_number_as_digits() {
        let entry = typed(
            "source=phone&kind=petition&text=Xin+th%C3%AAm+%C4%91%C3%A8n&category=road&area=6-9\
             &urgency=high&place=h%E1%BA%BBm+12&phone=%2B84+903+343+439",
        );
        let case = read(&entry, &sample()).unwrap();
        assert_eq!(case.source, Source::Phone);
        assert_eq!(case.kind, ReportedKind::Petition);
        assert_eq!(case.urgency, Urgency::High);
        assert_eq!(case.text, "Xin thêm đèn");
        assert_eq!(case.area.as_deref(), Some("6-9"));
        let citizen = case.citizen.unwrap();
        assert_eq!(citizen.phone.as_deref(), Some("0903343439"));
        assert_eq!(citizen.name, None);
    }

    #[test]
    fn nobody_has_to_leave_a_name() {
        let case = read(&typed("text=a&category=other"), &sample()).unwrap();
        assert_eq!(case.citizen, None);
        assert_eq!(case.area, None);
    }

    #[test]
    fn each_mistake_is_named_at_its_field() {
        let errors = read(
            &typed("text=+&category=nonsense&area=nowhere&phone=12345"),
            &sample(),
        )
        .unwrap_err();
        assert!(errors.text.is_some() && errors.category.is_some());
        assert!(errors.area.is_some() && errors.phone.is_some());
        assert!(errors.name.is_none() && errors.contact_phone.is_none());
    }

    #[test]
    fn a_denunciation_cannot_be_slipped_in_at_the_desk() {
        let refused = read(&typed("text=a&category=other&kind=denunciation"), &sample());
        assert!(refused.unwrap_err().text.is_some());
        let blank = Entry::blank();
        assert_eq!(blank.kind, ReportedKind::Report.code());
    }
}
