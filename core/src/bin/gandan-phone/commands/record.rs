//! Recording from standard input: each line is one case, durable when its answer is printed. A bad
//! line is named on standard error and keeps out no other.

mod line;

use std::fs;
use std::io::{self, BufRead, Read};
use std::path::{Component, Path};

use gandan_core::model::AttachmentHash;
use gandan_core::protocol::limits::ATTACHMENT_BYTES_MAX;
use gandan_core::replica::{NewVisit, RecordError, Recorded, Replica};
use uuid::Uuid;

use self::line::{Line, NamedFile};
use crate::Outcome;
use crate::arguments;
use crate::failure::Failure;
use crate::output::{Output, RecordedLine};
use crate::store;

/// Longest line: ten times the longest text and everything around it. Longer is no case, and is
/// passed over without being held in memory.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// Records every line of standard input.
pub(super) fn record(arguments: &arguments::Record) -> Result<Outcome, Failure> {
    let replica = store::open(&arguments.store)?;
    let mut output = Output::new();
    record_lines(
        &replica,
        arguments.attachments.as_deref(),
        &mut |recorded| {
            output.object(&RecordedLine::from(recorded))?;
            output.flush()
        },
    )
}

/// Records every line of standard input and tells of each that was.
pub(super) fn record_lines(
    replica: &Replica,
    attachments: Option<&Path>,
    tell: &mut dyn FnMut(Recorded) -> Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let mut input = io::stdin().lock();
    let mut recorder = Recorder {
        replica,
        attachments,
        number: 0,
        outcome: Outcome::Complete,
    };
    while let Some(bytes) = next_line(&mut input).map_err(Failure::Stream)? {
        recorder.number += 1;
        if let Some(recorded) = recorder.record(bytes)? {
            tell(recorded)?;
        }
    }
    Ok(recorder.outcome)
}

/// What a line of input was.
enum Input {
    Whole(Vec<u8>),
    TooLong,
}

/// The next line without its end; `None` at the end of the input.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Input>> {
    let mut bytes = Vec::new();
    input
        .by_ref()
        .take(LINE_BYTES_MAX)
        .read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.last() != Some(&b'\n') && bytes.len() as u64 == LINE_BYTES_MAX {
        input.skip_until(b'\n')?;
        return Ok(Some(Input::TooLong));
    }
    Ok(Some(Input::Whole(bytes)))
}

struct Recorder<'a> {
    replica: &'a Replica,
    attachments: Option<&'a Path>,
    number: usize,
    outcome: Outcome,
}

impl Recorder<'_> {
    /// Records one line; `None` if there was nothing in it that could be recorded. An error ends the
    /// command: the store failed, so the next line would fail as well.
    fn record(&mut self, input: Input) -> Result<Option<Recorded>, Failure> {
        let Input::Whole(bytes) = input else {
            self.complain("dòng quá dài (the line is longer than 1 MiB; is this the right file?)");
            return Ok(None);
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let parsed = match line::parse(&bytes) {
            Ok(parsed) => parsed,
            Err(problem) => {
                self.complain(&problem);
                return Ok(None);
            }
        };
        for field in &parsed.unknown {
            self.complain(&format!(
                "trường {field:?} không có chỗ ghi (this field is unknown and was not recorded)"
            ));
        }
        match self.record_case(parsed) {
            Ok(recorded) => Ok(Some(recorded)),
            Err(RecordError::Store(error)) => Err(error.into()),
            // Every other line would fail for the same reason.
            Err(error @ RecordError::NotEnrolled) => Err(error.into()),
            Err(error) => {
                self.complain(&Failure::from(error).to_string());
                Ok(None)
            }
        }
    }

    fn record_case(&mut self, line: Line) -> Result<Recorded, RecordError> {
        let Line {
            mut case,
            visit,
            notes,
            files,
            unknown: _,
        } = line;
        if let Some(known) = self.known(case.external_ref.as_deref())? {
            eprintln!(
                "dòng {}: đã ghi trước đó (recorded before under the same id; use edit to correct it)",
                self.number
            );
            return Ok(known);
        }
        if let Some(reference) = visit {
            case.visit = Some(self.visit(reference, &case)?);
        }
        let recorded = self.replica.record_case(case)?;
        for note in notes {
            if let Err(error) = self.replica.add_note(recorded.id, &note) {
                self.complain_or_fail(error)?;
            }
        }
        for file in files {
            self.attach(recorded.id, &file)?;
        }
        Ok(recorded)
    }

    /// The case that an earlier, interrupted run made of the same imported id: the import can simply
    /// be run again.
    fn known(&self, external_ref: Option<&str>) -> Result<Option<Recorded>, RecordError> {
        let Some(reference) = external_ref else {
            return Ok(None);
        };
        let Some(id) = self.replica.find_case(reference)? else {
            return Ok(None);
        };
        // A short code or a uuid may read like an imported id; only the same id is the same case.
        let found = self.replica.case(id)?.map(|detail| detail.case);
        Ok(found
            .filter(|case| case.external_ref.as_deref() == Some(reference))
            .map(|case| Recorded {
                id,
                code: case.code,
            }))
    }

    /// The visit that the line names; an unknown one is made, begun when the case was recorded. It gets none
    /// of the case's words: they would stay with it when the case has to go.
    fn visit(
        &self,
        reference: String,
        case: &gandan_core::replica::NewCase,
    ) -> Result<Uuid, RecordError> {
        if let Some(known) = self.replica.visit_by_external_ref(&reference)? {
            return Ok(known);
        }
        self.replica.start_visit(NewVisit {
            external_ref: Some(reference),
            area: case.area.clone(),
            place: None,
            started_at: case.recorded_at,
            summary: String::new(),
        })
    }

    /// Attaches a file that the line names. What is not here is not recorded as if it were: the
    /// officer is told and attaches it later.
    fn attach(&mut self, case: Uuid, file: &NamedFile) -> Result<(), RecordError> {
        let bytes = match self.read(file) {
            Ok(bytes) => bytes,
            Err(problem) => {
                self.complain(&format!("tệp {:?}: {problem}", file.name));
                return Ok(());
            }
        };
        match self.replica.attach(case, &file.name, &bytes) {
            Ok(_) => Ok(()),
            Err(error) => self.complain_or_fail(error),
        }
    }

    fn read(&self, file: &NamedFile) -> Result<Vec<u8>, &'static str> {
        const NOT_HERE: &str = "không có tệp; vụ việc đã ghi, hãy đính kèm sau \
             (the file is not here; the case is recorded, attach it later: gandan-phone attach, \
             or name its folder with --attachments)";
        let path = Path::new(&file.name);
        let is_plain = matches!(
            path.components().collect::<Vec<_>>().as_slice(),
            [Component::Normal(_)]
        );
        let folder = self.attachments.filter(|_| is_plain).ok_or(NOT_HERE)?;
        let path = folder.join(path);
        let size = fs::metadata(&path).map_err(|_| NOT_HERE)?.len();
        if size > ATTACHMENT_BYTES_MAX as u64 {
            return Err("tệp quá lớn (larger than 10 MiB; make it smaller and attach it)");
        }
        let bytes = fs::read(&path).map_err(|_| NOT_HERE)?;
        let hash = AttachmentHash(*blake3::hash(&bytes).as_bytes());
        if file.hash.is_some_and(|named| named != hash) {
            return Err(
                "nội dung khác với mã băm trong dòng (the file's content is not what the line names)",
            );
        }
        Ok(bytes)
    }

    fn complain_or_fail(&mut self, error: RecordError) -> Result<(), RecordError> {
        if let RecordError::Store(_) = error {
            return Err(error);
        }
        self.complain(&Failure::from(error).to_string());
        Ok(())
    }

    fn complain(&mut self, problem: &str) {
        eprintln!("dòng {}: {problem}", self.number);
        self.outcome = Outcome::Partial;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_an_end_is_a_line_and_a_film_is_passed_over() {
        let film = vec![b'x'; LINE_BYTES_MAX as usize * 2 + 5];
        let mut bytes = b"one\n\n".to_vec();
        bytes.extend(&film);
        bytes.extend(b"\nlast");
        let mut input = io::Cursor::new(bytes);
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input).expect("memory does not fail") {
            lines.push(match line {
                Input::Whole(bytes) => Some(String::from_utf8(bytes).expect("ASCII")),
                Input::TooLong => None,
            });
        }
        let whole = |text: &str| Some(text.to_owned());
        assert_eq!(lines, [whole("one\n"), whole("\n"), None, whole("last")]);
    }
}
