//! Commands around files: images, rescue files, exports.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use gandan_core::replica::RecordError;

use super::display;
use crate::Outcome;
use crate::arguments::{Attach, Export, Fetch, Read, Rescue};
use crate::failure::Failure;
use crate::output::{AttachedLine, FreedLine, Output};
use crate::store;

/// Attaches images, each on its own: one that is refused does not keep out the others.
pub(super) fn attach(arguments: &Attach) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let id = store::find_case(&replica, &arguments.id)?;
    let mut output = Output::new();
    let mut outcome = Outcome::Complete;
    for path in &arguments.files {
        let attached = read(path).and_then(|bytes| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            Ok(replica.attach(id, &name.to_string_lossy(), &bytes)?)
        });
        match attached {
            Ok(attachment) => {
                output.object(&AttachedLine::from(attachment))?;
                output.flush()?;
            }
            // With the store broken the next file fails as well.
            Err(failure @ Failure::Record(RecordError::Store(_))) => return Err(failure),
            Err(failure) => {
                eprintln!("{}: {failure}", display(path));
                outcome = Outcome::Partial;
            }
        }
    }
    Ok(outcome)
}

/// Asks for every file of a case that is not here.
pub(super) fn fetch(arguments: &Fetch) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let id = store::find_case(&replica, &arguments.id)?;
    let detail = replica.case(id)?.ok_or(Failure::UnknownRecord)?;
    for file in detail.attachments.iter().filter(|file| !file.is_here) {
        replica.request_attachment(file.hash)?;
    }
    Ok(Outcome::Complete)
}

/// Removes what the ward has confirmed, and says how much that was.
pub(super) fn free(arguments: &Read) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let freed = replica.free_space()?;
    let mut output = Output::new();
    output.object(&FreedLine::from(freed))?;
    output.flush()?;
    Ok(Outcome::Complete)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |cause| Failure::File {
        path: display(path),
        cause,
    };
    // Looked at before it is read: a film does not fit into a phone's memory.
    let bytes = fs::metadata(path).map_err(failed)?.len();
    if bytes > gandan_core::protocol::limits::ATTACHMENT_BYTES_MAX as u64 {
        return Err(RecordError::UnsupportedAttachment.into());
    }
    fs::read(path).map_err(failed)
}

/// Writes everything unsent into a file. It appears under its name only when it is whole.
pub(super) fn rescue(arguments: &Rescue) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let bytes = replica.rescue_file()?;
    write_new(&arguments.out, &bytes).map_err(|cause| Failure::File {
        path: display(&arguments.out),
        cause,
    })?;
    eprintln!(
        "Đã ghi tệp cứu hộ: hãy đưa cho văn phòng; dữ liệu trên máy vẫn còn \
         (rescue file written; give it to the office, everything stays on this phone)"
    );
    Ok(Outcome::Complete)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.try_exists()? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

/// Writes a case as a standard automerge file to standard output.
pub(super) fn export(arguments: &Export) -> Result<Outcome, Failure> {
    if io::stdout().is_terminal() {
        return Err(Failure::OutputIsTerminal);
    }
    let replica = store::open(&arguments.store)?;
    let id = store::find_case(&replica, &arguments.id)?;
    let bytes = replica.export_case(id)?.ok_or(Failure::UnknownRecord)?;
    let mut output = Output::new();
    output.bytes(&bytes)?;
    output.flush()?;
    Ok(Outcome::Complete)
}
