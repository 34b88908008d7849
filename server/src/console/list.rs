//! The list of cases: states at the side with how many there are, filters above, pages below.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use gandan_core::model::{Confidentiality, Status, Timestamp, Urgency};
use gandan_core::store::rows::{self, CaseRow};

use super::fields::Fields;
use super::filter::{self, Filter, PAGE_ROWS, UNPLACED_VALUE};
use super::names::{Names, UNPLACED};
use super::page::{self, Choice, Frame, Message, Section, Word};
use super::problem::Problem;
use super::session::Clerk;
use super::{Console, catalogue};

/// As many characters of a report as fit on a line of any screen.
const EXCERPT_CHARACTERS_MAX: usize = 160;

/// In place of what a restricted case says.
const RESTRICTED: &str = "Hồ sơ hạn chế: mở ra để xem, việc xem được ghi vào nhật ký";

struct Tab {
    url: String,
    label: &'static str,
    count: u64,
    is_current: bool,
    begins_group: bool,
}

struct Select {
    name: &'static str,
    label: &'static str,
    value: String,
    options: Vec<Choice>,
}

impl Select {
    /// Whether it narrows the list; an order does not.
    fn is_set(&self) -> bool {
        !self.value.is_empty() && self.name != "order"
    }
}

struct Row {
    url: String,
    code: String,
    kind: &'static str,
    urgency: Word,
    category: String,
    excerpt: String,
    place: String,
    notes: u32,
    photos: u32,
    conflicts: u32,
    due: Option<String>,
    is_overdue: bool,
    /// Nobody waits any more, so that it need not stand out.
    is_done: bool,
    status: Word,
    responsible: String,
    recorded_at: String,
    recorded_by: String,
}

struct Pages {
    current: u32,
    last: u32,
    previous: Option<String>,
    next: Option<String>,
}

impl Pages {
    fn is_needed(&self) -> bool {
        self.last > 1 || self.current > 1
    }
}

#[derive(Template)]
#[template(path = "cases.html")]
struct ListPage {
    frame: Frame,
    filter: Filter,
    tabs: Vec<Tab>,
    selects: Vec<Select>,
    message: Option<Message>,
    heading: String,
    range: String,
    clear_url: Option<String>,
    rows: Vec<Row>,
    empty: (&'static str, &'static str),
    pages: Pages,
}

/// What the rows answered.
struct Found {
    rows: Vec<CaseRow>,
    /// How many there are in each state, other filters held.
    counts: Vec<(Status, u64)>,
    names: Names,
    /// By the ward's clock.
    now: Timestamp,
}

/// `GET /cases`
pub(super) async fn show(
    State(console): State<Console>,
    RawQuery(query): RawQuery,
    Clerk(staff): Clerk,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let mut filter = Filter::parse(&query);
    if query.split('&').any(|pair| pair.ends_with('=')) {
        // A form sends its empty fields too; the address that people copy has none.
        return Ok(Redirect::to(&filter.url()).into_response());
    }
    let asked = filter.clone();
    let answer = console
        .ask(move |ward| {
            let names = Names::new(ward.directory()?);
            let query = asked.to_query(&names);
            ward.read(|connection| {
                // A code read out on the telephone names one case; no list is wanted.
                if let Some(code) = &query.search
                    && let Some(id) = rows::case_by_code(connection, code)?
                {
                    return Ok(Err(id));
                }
                let rows = rows::cases(connection, &query)?;
                let counts = Status::ALL
                    .iter()
                    .map(|&status| {
                        let mut query = query.clone();
                        query.statuses = vec![status];
                        Ok((status, rows::case_count(connection, &query)?))
                    })
                    .collect::<Result<_, rusqlite::Error>>()?;
                Ok(Ok((rows, counts)))
            })
            .map(|found| {
                found.map(|(rows, counts)| Found {
                    rows,
                    counts,
                    names,
                    now: ward.now(),
                })
            })
        })
        .await?;
    let found = match answer {
        Ok(found) => found,
        Err(id) => return Ok(Redirect::to(&format!("/cases/{id}")).into_response()),
    };
    let total = found.total(&filter.statuses);
    let last_page = u32::try_from(total.saturating_sub(1) / u64::from(PAGE_ROWS)).unwrap_or(0);
    if filter.page > last_page {
        // Cases moved on since the address was made: the last page there is, not an empty one.
        filter.page = last_page;
        return Ok(Redirect::to(&filter.url()).into_response());
    }
    let frame = Frame::new("Vụ việc".to_owned(), Section::Cases, &found.names, &staff);
    let done = Fields::parse(query.as_bytes()).text("done");
    Ok(page::answer(
        StatusCode::OK,
        &ListPage {
            message: catalogue::done_away(&done).map(Message::good),
            ..ListPage::new(frame, filter, found, total, last_page)
        },
    ))
}

impl Found {
    fn total(&self, statuses: &[Status]) -> u64 {
        self.counts
            .iter()
            .filter(|(status, _)| statuses.is_empty() || statuses.contains(status))
            .map(|(_, count)| count)
            .sum()
    }
}

impl ListPage {
    /// Whether a choice narrows the list, so that it must be seen.
    fn is_filtered(&self) -> bool {
        self.selects.iter().any(Select::is_set)
    }

    fn new(frame: Frame, filter: Filter, found: Found, total: u64, last_page: u32) -> Self {
        let names = &found.names;
        let back = filter.query();
        let first = u64::from(filter.page * PAGE_ROWS) + 1;
        let shown = found.rows.len() as u64;
        let range = match (total, shown) {
            (0, _) | (_, 0) => String::new(),
            (total, shown) if shown == total => format!("{total} vụ việc"),
            (total, shown) => format!("{first}–{} trong {total} vụ việc", first + shown - 1),
        };
        let is_narrowed = filter.is_narrowed();
        Self {
            message: None,
            tabs: tabs(&filter, &found),
            selects: selects(&filter, names),
            heading: heading(&filter),
            range,
            clear_url: is_narrowed.then(|| Filter::default().with_statuses(&filter.statuses).url()),
            rows: found
                .rows
                .iter()
                .map(|row| Row::new(row, names, &back, found.now))
                .collect(),
            empty: catalogue::empty_list(is_narrowed, &filter.statuses),
            pages: Pages {
                current: filter.page + 1,
                last: last_page + 1,
                previous: filter
                    .page
                    .checked_sub(1)
                    .map(|page| filter.at_page(page).url()),
                next: (filter.page < last_page).then(|| filter.at_page(filter.page + 1).url()),
            },
            frame,
            filter,
        }
    }
}

fn heading(filter: &Filter) -> String {
    if !filter.search.is_empty() {
        return format!("Tìm “{}”", filter.search);
    }
    match filter.statuses.as_slice() {
        [] => "Tất cả vụ việc".to_owned(),
        statuses => statuses
            .iter()
            .map(|status| status.label())
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn tabs(filter: &Filter, found: &Found) -> Vec<Tab> {
    let all = Tab {
        url: filter.with_statuses(&[]).url(),
        label: "Tất cả",
        count: found.total(&[]),
        is_current: filter.statuses.is_empty(),
        begins_group: false,
    };
    let each = found.counts.iter().map(|&(status, count)| Tab {
        url: filter.with_statuses(&[status]).url(),
        label: status.label(),
        count,
        is_current: filter.statuses == [status],
        begins_group: matches!(
            status,
            Status::Recorded | Status::Answered | Status::Duplicate
        ),
    });
    std::iter::once(all).chain(each).collect()
}

fn selects(filter: &Filter, names: &Names) -> Vec<Select> {
    let any = |label: &str, choices: Vec<Choice>| {
        std::iter::once(Choice::new("", label))
            .chain(choices)
            .collect::<Vec<_>>()
    };
    let mut areas = vec![Choice::new(UNPLACED_VALUE, UNPLACED)];
    areas.extend(names.area_choices());
    let order = if filter.order == rows::CaseOrder::Urgency {
        "urgency"
    } else {
        ""
    };
    [
        (
            "kind",
            "Loại",
            &filter.kind,
            any(
                "Mọi loại",
                filter::kinds()
                    .map(|kind| Choice::new(kind.code(), kind.label()))
                    .collect(),
            ),
        ),
        (
            "category",
            "Lĩnh vực",
            &filter.category,
            any("Mọi lĩnh vực", names.category_choices()),
        ),
        ("area", "Địa bàn", &filter.area, any("Mọi địa bàn", areas)),
        (
            "urgency",
            "Mức khẩn",
            &filter.urgency,
            any(
                "Mọi mức",
                Urgency::ALL
                    .iter()
                    .rev()
                    .map(|urgency| Choice::new(urgency.code(), urgency.label()))
                    .collect(),
            ),
        ),
        (
            "division",
            "Bộ phận",
            &filter.division,
            any("Mọi bộ phận", names.division_choices()),
        ),
        (
            "assignee",
            "Phụ trách",
            &filter.assignee,
            any("Mọi người", names.officer_choices()),
        ),
        (
            "order",
            "Sắp xếp",
            &order.to_owned(),
            vec![
                Choice::new("", "Mới trước"),
                Choice::new("urgency", "Khẩn trước"),
            ],
        ),
    ]
    .into_iter()
    .map(|(name, label, value, options)| Select {
        name,
        label,
        value: value.clone(),
        options,
    })
    .collect()
}

impl Row {
    fn new(row: &CaseRow, names: &Names, back: &str, now: Timestamp) -> Self {
        let case = &row.case;
        let area = names.area(case.area.as_deref()).short();
        let place = match &case.place {
            Some(words) => format!("{area} · {words}"),
            None => area,
        };
        let responsible = match (&case.assignee, &case.division) {
            (Some(person), _) => person.clone(),
            (None, Some(division)) => names.division(division),
            (None, None) => String::new(),
        };
        Self {
            url: catalogue::case_url(case.id, back),
            code: case.code.clone(),
            kind: catalogue::kind(case),
            urgency: case.urgency.into(),
            category: names.category(&case.category),
            excerpt: match case.confidentiality {
                Confidentiality::Normal => excerpt(&case.text),
                // Whoever reads it opens it, and the audit trail tells so.
                Confidentiality::Restricted => RESTRICTED.to_owned(),
            },
            place,
            notes: row.note_count,
            photos: row.attachment_count,
            conflicts: row.conflict_count,
            due: case.due_at.map(catalogue::day),
            is_overdue: catalogue::is_overdue(case, now),
            is_done: case.status.is_finished(),
            status: case.status.into(),
            responsible,
            recorded_at: case.recorded_at.to_vietnamese(),
            recorded_by: names.officer(case.recorded_by),
        }
    }
}

/// The beginning of a text, on one line, cut between words.
fn excerpt(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() > EXCERPT_CHARACTERS_MAX {
            line.push('…');
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_line_and_ends_between_words() {
        assert_eq!(excerpt("  Hẻm 12\n\nbị ngập "), "Hẻm 12 bị ngập");
        let long = "nước ngập ".repeat(40);
        let cut = excerpt(&long);
        assert!(cut.ends_with("ngập…") || cut.ends_with("nước…"), "{cut}");
        assert!(cut.chars().count() <= EXCERPT_CHARACTERS_MAX + 1);
    }
}
