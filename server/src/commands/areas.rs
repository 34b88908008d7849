//! The ward itself and its tree of areas: `init`, `area list`, `area add`, `area import`.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use gandan_core::environment::Environment;
use gandan_core::model::Area;
use gandan_core::model::text::normalize;

use super::{CommandError, Outcome, Terminal, say, tell};
use crate::cli;
use crate::register;
use crate::ward::Ward;

/// Three thousand areas with old names are less than 1 MiB.
const AREAS_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

pub(super) fn init(
    arguments: &cli::Init,
    environment: Arc<dyn Environment>,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let directory = &arguments.data.directory;
    let (ward, recovery_key) = Ward::make(directory, arguments.ward, environment)?;
    let known = ward.directory()?;
    let shown = directory.display();
    say(
        terminal.output,
        format_args!("{} {} · {}", known.ward, known.ward_name, known.province),
    )?;
    say(terminal.output, format_args!("recovery-key {recovery_key}"))?;
    tell(
        terminal.messages,
        format_args!(
            "Đã tạo {} trong {shown}.\n\
             KHÓA KHÔI PHỤC ở dòng trên chỉ hiện một lần này: in ra hoặc chép lại, cất xa máy chủ. Mất máy chủ mà không có khóa này\n\
             thì không bản sao lưu nào mở được.\n\
             Made in {shown}. THE RECOVERY KEY above is shown this once: print it or write it down, keep it away from the server.\n\
             Without it no backup can be opened.\n\n\
             Tiếp theo · Next:\n  \
             gandan-server staff add --data {shown} --login NAME --role triage\n  \
             gandan-server area import --data {shown} FILE.csv\n  \
             gandan-server serve --data {shown}\n  \
             gandan-server backup --data {shown} --to FOLDER",
            known.ward_name
        ),
    );
    Ok(Outcome::Done)
}

pub(super) fn list(ward: &Ward, terminal: &mut Terminal) -> Result<Outcome, CommandError> {
    say(
        terminal.output,
        format_args!("code,name,type,parent,old_names,valid_from"),
    )?;
    for area in ward.directory()?.areas {
        let old_names = area.old_names.join(";");
        let fields = [
            area.code.as_str(),
            &area.name,
            &area.type_label,
            area.parent.as_deref().unwrap_or_default(),
            &old_names,
            &area.valid_from,
        ];
        say(
            terminal.output,
            format_args!("{}", fields.map(quoted).join(",")),
        )?;
    }
    Ok(Outcome::Done)
}

pub(super) fn add(
    arguments: &cli::AreaAdd,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let area = Area {
        code: arguments.code.clone(),
        name: normalize(&arguments.name),
        type_label: normalize(&arguments.type_label),
        parent: arguments.parent.clone(),
        old_names: arguments
            .old_names
            .iter()
            .map(|name| normalize(name))
            .collect(),
        valid_from: arguments.valid_from.clone(),
        valid_to: None,
    };
    ward.add_area(&area)?;
    tell(
        terminal.messages,
        format_args!(
            "Đã ghi {} · Phones learn of it when they sync next",
            area.name
        ),
    );
    Ok(Outcome::Done)
}

pub(super) fn import(
    file: &Path,
    ward: &Ward,
    terminal: &mut Terminal,
) -> Result<Outcome, CommandError> {
    let mut csv = String::new();
    let read = if file == Path::new("-") {
        let mut input = terminal.input.take(AREAS_FILE_BYTES_MAX);
        input.read_to_string(&mut csv)
    } else {
        std::fs::File::open(file)
            .and_then(|file| file.take(AREAS_FILE_BYTES_MAX).read_to_string(&mut csv))
    };
    read.map_err(CommandError::Input)?;
    let areas = register::parse_areas(&csv)?;
    ward.add_areas(&areas)?;
    tell(
        terminal.messages,
        format_args!(
            "Đã nhập {} khu vực · Phones learn of them when they sync next",
            areas.len()
        ),
    );
    Ok(Outcome::Done)
}

/// A field of CSV, in quotes where it must be.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
