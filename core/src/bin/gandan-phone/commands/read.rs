//! Commands that only read.

use std::collections::HashMap;

use gandan_core::model::{Directory, consent};
use gandan_core::replica::CaseDetail;
use gandan_core::store::rows::CaseQuery;

use crate::Outcome;
use crate::arguments::{List, Read, Show};
use crate::failure::Failure;
use crate::output::{CaseLine, CaseObject, IdLine, Output, PendingLine, RejectedLine};
use crate::store;

/// How many scalars of a text fit beside the rest on a terminal.
const TEXT_SCALARS: usize = 60;

/// Lists cases.
pub(super) fn list(arguments: &List) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let query = CaseQuery {
        search: arguments.search.clone(),
        statuses: arguments.status.clone(),
        limit: arguments.limit,
        ..CaseQuery::default()
    };
    let mut output = Output::new();
    for summary in replica.cases(&query)? {
        if arguments.json {
            output.object(&CaseLine::from(&summary))?;
        } else {
            let case = &summary.row.case;
            let text: String = case.text.chars().take(TEXT_SCALARS).collect();
            output.line(&format!(
                "{}  {}  {:<14}  {}  {}",
                case.code,
                case.recorded_at.to_vietnamese(),
                case.status.label(),
                case.official_number.as_deref().unwrap_or("-"),
                text.replace('\n', " ")
            ))?;
        }
    }
    output.flush()?;
    Ok(Outcome::Complete)
}

/// Prints the words with which a person is asked for consent.
pub(super) fn consent() -> Result<Outcome, Failure> {
    let mut output = Output::new();
    let text = consent::current();
    output.line(&format!(
        "{}\n{}\n{}",
        text.version, text.vietnamese, text.english
    ))?;
    output.flush()?;
    Ok(Outcome::Complete)
}

/// Shows one case.
pub(super) fn show(arguments: &Show) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let id = store::find_case(&replica, &arguments.id)?;
    let detail = replica.case(id)?.ok_or(Failure::UnknownRecord)?;
    let directory = replica.directory();
    let names = names(directory.as_ref());
    let mut output = Output::new();
    if arguments.json {
        output.object(&CaseObject::new(&detail, &|officer| {
            names.get(&officer).copied()
        }))?;
    } else {
        let directory = replica.directory();
        for line in words(&detail, directory.as_ref()) {
            output.line(&line)?;
        }
    }
    output.flush()?;
    Ok(Outcome::Complete)
}

/// Lists what has no final word.
pub(super) fn pending(arguments: &Read) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let mut output = Output::new();
    for item in replica.pending()? {
        output.object(&PendingLine::from(&item))?;
    }
    output.flush()?;
    Ok(Outcome::Complete)
}

/// Lists what was refused.
pub(super) fn rejected(arguments: &Read) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let mut output = Output::new();
    for item in replica.rejected()? {
        output.object(&RejectedLine::from(&item))?;
    }
    output.flush()?;
    Ok(Outcome::Complete)
}

/// Rebuilds every row.
pub(super) fn check(arguments: &Read) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let differed = replica.check()?;
    let mut output = Output::new();
    for id in &differed {
        output.object(&IdLine { id: *id })?;
    }
    output.flush()?;
    if differed.is_empty() {
        return Ok(Outcome::Complete);
    }
    eprintln!(
        "{} bản ghi hiển thị khác với nội dung gốc: hãy báo người phát triển \
         (rows that differed from their documents; this is a bug)",
        differed.len()
    );
    Ok(Outcome::Partial)
}

fn names(directory: Option<&Directory>) -> HashMap<gandan_core::model::OfficerId, &str> {
    directory
        .into_iter()
        .flat_map(|directory| &directory.officers)
        .map(|officer| (officer.id, officer.name.as_str()))
        .collect()
}

/// The name of what has this code; the code itself if the directory knows none, as of a free label.
fn name_of<'a, T>(
    known: Option<&'a [T]>,
    code: &'a str,
    entry: impl Fn(&'a T) -> (&'a str, &'a str),
) -> &'a str {
    known
        .into_iter()
        .flatten()
        .map(entry)
        .find_map(|(known, name)| (known == code).then_some(name))
        .unwrap_or(code)
}

/// A case for a person: what is empty is not shown.
fn words(detail: &CaseDetail, directory: Option<&Directory>) -> Vec<String> {
    let case = &detail.case;
    let category = name_of(
        directory.map(|known| known.categories.as_slice()),
        &case.category,
        |category| (&category.code, &category.name),
    );
    let area = case.area.as_deref().map(|code| {
        let areas = directory.map(|known| known.areas.as_slice());
        name_of(areas, code, |area| (&area.code, &area.name))
    });
    let division = case.division.as_deref().map(|code| {
        let divisions = directory.map(|known| known.divisions.as_slice());
        name_of(divisions, code, |division| (&division.code, &division.name))
    });
    let mut lines = vec![
        format!("{}  {}", case.code, case.status.label()),
        format!(
            "{}, {}, {}",
            case.legal_kind
                .map_or(case.reported_kind.label(), |kind| kind.label()),
            category,
            case.urgency.label()
        ),
        format!("Ghi lúc {}", case.recorded_at.to_vietnamese()),
    ];
    let mut add = |label: &str, value: Option<&str>| {
        lines.extend(value.map(|value| format!("{label}: {value}")));
    };
    add("Số", case.official_number.as_deref());
    add("Khu vực", area);
    add("Địa điểm", case.place.as_deref());
    add(
        "Nội dung",
        Some(case.text.as_str()).filter(|text| !text.is_empty()),
    );
    if let Some(citizen) = &detail.citizen {
        add("Người dân", citizen.name.as_deref());
        add("Điện thoại", citizen.phone.as_deref());
        add("Địa chỉ", citizen.address.as_deref());
    }
    add("Bộ phận", division);
    add("Người xử lý", case.assignee.as_deref());
    add("Trả lời", case.answer.as_deref());
    let delivered_at = case.delivered_at.map(|at| at.to_vietnamese());
    add("Đã báo người dân", delivered_at.as_deref());
    add("Mức hài lòng", case.satisfaction.map(|said| said.label()));
    for note in &case.notes {
        add(&note.at.to_vietnamese(), Some(&note.text));
    }
    for attachment in &case.attachments {
        add("Tệp", Some(&attachment.name));
    }
    for conflict in &case.conflicts {
        let values: Vec<_> = conflict
            .values
            .iter()
            .map(|value| value.value.as_str())
            .collect();
        add(
            &format!("Nhiều giá trị của {}", conflict.field),
            Some(&values.join(" | ")),
        );
    }
    lines
}
