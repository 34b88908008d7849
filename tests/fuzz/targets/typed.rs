//! What people give: pictures, forms, tables, settings.

use gandan_core::picture;
use gandan_server::config::Config;
use gandan_server::register;

#[path = "../../../server/src/console/fields.rs"]
#[allow(dead_code, reason = "the console asks for more")]
mod fields;

use fields::Fields;

/// A picture of any kind. What is kept has nothing left to take away.
pub(crate) fn picture_take(bytes: &[u8]) {
    if let Ok(taken) = picture::take(bytes) {
        let again = picture::take(&taken.bytes).expect("what is kept is a picture");
        assert_eq!(again.bytes, taken.bytes);
        assert_eq!(again.mime, taken.mime);
    }
}

/// A form of the console. Whatever it is, it has texts without outer space and without a carriage return
/// before a line feed.
pub(crate) fn console_form(bytes: &[u8]) {
    let form = Fields::parse(bytes);
    for name in ["text", "area", "login", ""] {
        let text = form.text(name);
        assert_eq!(text, text.trim());
        assert!(!text.contains("\r\n"));
        assert_eq!(form.filled(name).is_none(), text.is_empty());
        assert!(form.all(name).count() <= bytes.len() + 1);
    }
}

/// A table of areas, as a spreadsheet or an attacker writes it.
pub(crate) fn areas_csv(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match register::parse_areas(&text) {
        Ok(areas) => assert!(areas.len() <= register::AREAS_MAX),
        Err(error) => assert!(error.line >= 1 && error.line <= text.lines().count().max(1)),
    }
}

/// A file of settings and a variable of each kind.
pub(crate) fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let refused = Config::from_parts(&text, &|_| None);
    if let Err(error) = refused {
        assert!(!error.to_string().is_empty());
    }
    let variable = |_: &str| Some(text.clone().into_owned());
    let _ = Config::from_parts("", &variable);
}
