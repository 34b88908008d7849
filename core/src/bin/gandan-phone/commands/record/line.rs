//! One line of `cases.jsonl` as typed values, or what is wrong with it in words. Words name the
//! field and the rule, never what was said.

use gandan_core::model::{
    AttachmentHash, LegalBasis, Person, ReportedKind, Source, Timestamp, Urgency,
};
use gandan_core::replica::NewCase;
use serde_json::{Map, Value};

use crate::commands::location;

/// A line that can be recorded.
#[derive(Debug)]
pub(super) struct Line {
    /// The case; its visit is still to be found.
    pub(super) case: NewCase,
    /// The visit's imported id.
    pub(super) visit: Option<String>,
    /// Texts of notes.
    pub(super) notes: Vec<String>,
    /// Files that the line names.
    pub(super) files: Vec<NamedFile>,
    /// Fields that have no place in a case.
    pub(super) unknown: Vec<String>,
}

/// A file that the line names; its bytes are elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NamedFile {
    /// The key of the line's object.
    pub(super) name: String,
    /// BLAKE3, if the line says it.
    pub(super) hash: Option<AttachmentHash>,
}

/// A problem, in Vietnamese and English.
type Problem = String;

/// Reads one line.
pub(super) fn parse(bytes: &[u8]) -> Result<Line, Problem> {
    // A file from Windows may begin with a mark that JSON does not know.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        // The library's own words may quote what was said.
        format!(
            "không đọc được JSON ở cột {} (not valid JSON at column {0})",
            error.column()
        )
    })?;
    let Value::Object(object) = value else {
        return Err(
            "mỗi dòng phải là một đối tượng JSON (a line must be a JSON object)".to_owned(),
        );
    };
    let mut fields = Fields(object);
    let line = Line {
        visit: fields.text("visit")?,
        notes: fields.notes()?,
        files: fields.files()?,
        case: case(&mut fields)?,
        unknown: fields.0.keys().cloned().collect(),
    };
    let has_content = !line.notes.is_empty() || !line.files.is_empty();
    if line.case.kind == Some(ReportedKind::Denunciation) && has_content {
        use gandan_core::policy::RejectionCode::DenunciationContent;
        return Err(format!(
            "{} (refused, code {})",
            DenunciationContent.label(),
            DenunciationContent.code()
        ));
    }
    Ok(line)
}

fn case(fields: &mut Fields) -> Result<NewCase, Problem> {
    match fields.text("status")?.as_deref() {
        None | Some("new" | "recorded") => {}
        Some(_) => return Err(rule("status", "new: a phone records new cases only")),
    }
    Ok(NewCase {
        external_ref: fields.text("id")?,
        visit: None,
        area: fields.text("area")?,
        place: fields.text("place")?,
        kind: fields.word(
            "kind",
            ReportedKind::from_code,
            ReportedKind::ALL,
            ReportedKind::code,
        )?,
        category: fields.text("category")?.unwrap_or_default(),
        urgency: fields.word("urgency", Urgency::from_code, Urgency::ALL, Urgency::code)?,
        source: fields.word("source", Source::from_code, Source::ALL, Source::code)?,
        recorded_at: fields.time("recorded_at")?,
        text: fields.text("text")?.unwrap_or_default(),
        households: fields.count("households")?,
        location: fields.location()?,
        citizen: fields.citizen()?,
        paper_reference: fields.text("paper_reference")?,
    })
}

fn rule(field: &str, rule: &str) -> Problem {
    format!("{field}: sai dạng (must be {rule})")
}

/// The fields of an object that were not taken yet.
struct Fields(Map<String, Value>);

impl Fields {
    /// A field, unless it is missing or null.
    fn take(&mut self, field: &str) -> Option<Value> {
        self.0.remove(field).filter(|value| !value.is_null())
    }

    fn text(&mut self, field: &str) -> Result<Option<String>, Problem> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(rule(field, "a text")),
        }
    }

    fn word<T: Copy>(
        &mut self,
        field: &str,
        from_code: impl Fn(&str) -> Option<T>,
        all: &[T],
        code: impl Fn(T) -> &'static str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        from_code(&text).map(Some).ok_or_else(|| {
            let codes: Vec<_> = all.iter().map(|value| code(*value)).collect();
            rule(field, &format!("one of {}", codes.join(", ")))
        })
    }

    fn time(&mut self, field: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        Timestamp::parse_rfc3339(&text)
            .map(Some)
            .map_err(|_| rule(field, "a time such as 2026-03-02T08:00:00+07:00"))
    }

    fn count(&mut self, field: &str) -> Result<Option<u32>, Problem> {
        match self.take(field) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .and_then(|count| u32::try_from(count).ok())
                .map(Some)
                .ok_or_else(|| rule(field, "a count")),
        }
    }

    fn object(&mut self, field: &str) -> Result<Option<Self>, Problem> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(Self(object))),
            Some(_) => Err(rule(field, "an object")),
        }
    }

    /// Fields that are left in an object within the line are named as unknown like the line's own.
    fn leave(&mut self, field: &str, rest: Self) {
        for key in rest.0.keys() {
            self.0.insert(format!("{field}.{key}"), Value::Null);
        }
    }

    fn location(&mut self) -> Result<Option<gandan_core::model::Location>, Problem> {
        let Some(mut object) = self.object("location")? else {
            return Ok(None);
        };
        let rule = || rule("location", "{lat, lon} in degrees");
        let mut degrees = |field| object.take(field).and_then(|value| value.as_f64());
        let (latitude, longitude) = degrees("lat").zip(degrees("lon")).ok_or_else(rule)?;
        let location = location(latitude, longitude).ok_or_else(rule)?;
        self.leave("location", object);
        Ok(Some(location))
    }

    fn citizen(&mut self) -> Result<Option<Person>, Problem> {
        let Some(mut object) = self.object("citizen")? else {
            return Ok(None);
        };
        let citizen = Person {
            name: object.text("name")?,
            phone: object.text("phone")?,
            address: object.text("address")?,
            contact_name: object.text("contact_name")?,
            contact_phone: object.text("contact_phone")?,
            legal_basis: object.word(
                "legal_basis",
                LegalBasis::from_code,
                LegalBasis::ALL,
                LegalBasis::code,
            )?,
            consent_text: object.text("consent_text")?,
            ..Person::default()
        };
        self.leave("citizen", object);
        Ok(Some(citizen))
    }

    /// Texts of notes. A note of this phone is its officer's and of now, so whoever else wrote it, and
    /// when, is kept in its words.
    fn notes(&mut self) -> Result<Vec<String>, Problem> {
        let rule = || rule("notes", "a list of texts or of {text, author, at}");
        let notes = match self.take("notes") {
            None => Vec::new(),
            Some(Value::Array(notes)) => notes,
            Some(_) => return Err(rule()),
        };
        notes
            .into_iter()
            .map(|note| match note {
                Value::String(text) => Ok(text),
                Value::Object(object) => {
                    let mut note = Self(object);
                    let mut text = note.text("text")?.ok_or_else(rule)?;
                    let author = note.text("author")?.or(note.text("by")?);
                    let origin: Vec<_> = [author, note.text("at")?].into_iter().flatten().collect();
                    if !origin.is_empty() {
                        text = format!("{text}\n— {}", origin.join(", "));
                    }
                    self.leave("notes", note);
                    Ok(text)
                }
                _ => Err(rule()),
            })
            .collect()
    }

    fn files(&mut self) -> Result<Vec<NamedFile>, Problem> {
        let Some(files) = self.object("attachments")? else {
            return Ok(Vec::new());
        };
        files
            .0
            .into_iter()
            .map(|(name, value)| {
                let rule = || rule("attachments", "{name: {hash, bytes, mime}}");
                let Value::Object(object) = value else {
                    return Err(rule());
                };
                // Size and type are found by content when the file is attached.
                let hash = match Self(object).text("hash")? {
                    None => None,
                    Some(hash) => Some(hash.parse().map_err(|_| rule())?),
                };
                Ok(NamedFile { name, hash })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use gandan_core::model::Location;

    use super::*;

    fn read(line: &str) -> Line {
        parse(line.as_bytes()).expect("a good line")
    }

    fn problem(line: &str) -> String {
        parse(line.as_bytes()).expect_err("a bad line")
    }

    #[test]
    fn a_line_of_the_generator_is_read_whole() {
        let line = read(
            r#"{"id":"c000003","visit":"v1234-00000","area":"P5-T12","kind":"petition","category":"tree",
                "urgency":"high","status":"new","recorded_at":"2026-03-02T01:00:12.345Z","text":"Cây ngã.",
                "citizen":{"name":"Lê Thị Hoa","phone":"0912345678","address":"1/2 Lê Lợi"},
                "location":{"lat":10.712345,"lon":106.654321},"attachments":{},"notes":[]}"#,
        );
        assert_eq!(line.visit.as_deref(), Some("v1234-00000"));
        assert!(line.unknown.is_empty() && line.notes.is_empty() && line.files.is_empty());
        let case = line.case;
        assert_eq!(case.external_ref.as_deref(), Some("c000003"));
        assert_eq!(case.area.as_deref(), Some("P5-T12"));
        assert_eq!(case.kind, Some(ReportedKind::Petition));
        assert_eq!(case.urgency, Some(Urgency::High));
        assert_eq!(
            case.recorded_at.map(Timestamp::to_rfc3339).as_deref(),
            Some("2026-03-02T01:00:12.345Z")
        );
        assert_eq!(
            case.location,
            Some(Location {
                latitude_e6: 10_712_345,
                longitude_e6: 106_654_321
            })
        );
        let citizen = case.citizen.expect("named");
        assert_eq!(citizen.phone.as_deref(), Some("0912345678"));
    }

    #[test]
    fn what_is_missing_or_null_is_left_to_its_default() {
        let line = read(r#"{"text":"x","citizen":null,"location":null,"kind":null}"#);
        assert!(line.case.citizen.is_none() && line.case.kind.is_none());
    }

    #[test]
    fn a_problem_names_the_field_and_never_what_was_said() {
        for (line, field) in [
            (r#"{"kind":"bí mật"}"#, "kind"),
            (r#"{"urgency":"bí mật"}"#, "urgency"),
            (r#"{"text":{"bí mật":1}}"#, "text"),
            (r#"{"recorded_at":"bí mật"}"#, "recorded_at"),
            (r#"{"location":{"lat":"bí mật","lon":1}}"#, "location"),
            (r#"{"location":{"lat":91,"lon":1}}"#, "location"),
            (r#"{"status":"bí mật"}"#, "status"),
            (r#"{"notes":[1]}"#, "notes"),
            (r#"{"attachments":{"bí mật":1}}"#, "attachments"),
            (r#"{"attachments":{"x":{"hash":"bí mật"}}}"#, "attachments"),
            (r#"{"text":"bí mật"#, "JSON"),
            (r#"["bí mật"]"#, "JSON"),
        ] {
            let problem = problem(line);
            assert!(problem.contains(field), "{problem}");
            assert!(!problem.contains("bí mật"), "{problem}");
        }
        assert!(parse(b"{\"text\":\"\xff\"}").is_err());
    }

    #[test]
    fn fields_without_a_place_are_named() {
        let line = read(r#"{"text":"x","mood":1,"citizen":{"name":"A","age":70}}"#);
        assert_eq!(line.unknown, ["citizen.age", "mood"]);
    }

    #[test]
    fn notes_keep_who_else_wrote_them() {
        let line = read(
            r#"{"text":"x","notes":["một",{"text":"hai","by":"A","at":"2026-02-03T00:00:00Z"},{"text":"ba"}]}"#,
        );
        assert_eq!(line.notes, ["một", "hai\n— A, 2026-02-03T00:00:00Z", "ba"]);
    }

    #[test]
    fn a_denunciation_with_notes_or_files_is_refused_whole() {
        for content in [r#""notes":["x"]"#, r#""attachments":{"a.jpg":{}}"#] {
            let line = format!(r#"{{"kind":"denunciation",{content}}}"#);
            assert!(problem(&line).contains("13"), "{line}");
        }
        let card = read(r#"{"kind":"denunciation","paper_reference":"TC-7","area":"KP1"}"#);
        assert_eq!(card.case.paper_reference.as_deref(), Some("TC-7"));
    }
}
