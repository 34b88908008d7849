//! The rules of the house that a machine can hold; the reasons are in `CONTRIBUTING.md`.
//! Reads the tree as text and knows nothing of what the code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold what was made or fetched, not what was written.
const MADE: &[&str] = &[
    ".cache",
    ".git",
    "__pycache__",
    "gandan-demo",
    "node_modules",
    "target",
];

/// Rooms of the core that never touch a socket, a file, a thread, a clock or chance.
const PURE_ROOMS: &[&str] = &["codec", "document", "edit", "model", "policy", "protocol"];

#[test]
fn no_module_is_called_mod() {
    let found: Vec<_> = files(root(), "rs")
        .into_iter()
        .filter(|path| path.ends_with("mod.rs"))
        .collect();
    assert!(
        found.is_empty(),
        "name the file after its module: {found:?}"
    );
}

#[test]
fn every_source_file_says_what_it_owns() {
    let found: Vec<_> = sources()
        .into_iter()
        // What a module of tests owns is told by their names.
        .filter(|(path, _)| !is_test(path))
        .filter(|(_, text)| {
            let mut lines = text.lines().filter(|line| !line.starts_with("#!["));
            !lines.next().is_some_and(|line| line.starts_with("//!"))
        })
        .map(|(path, _)| path)
        .collect();
    assert!(found.is_empty(), "no `//!` at the beginning: {found:?}");
}

#[test]
fn automerge_is_known_to_the_document_module_only() {
    let found = lines_that(
        |path| {
            !path.starts_with("core/src/document/")
                && path != "core/src/document.rs"
                && !is_self(path)
        },
        |line| line.contains("automerge::") || line.contains("extern crate automerge"),
    );
    assert!(
        found.is_empty(),
        "automerge outside core/src/document:\n{}",
        found.join("\n")
    );
    for manifest in ["ffi/Cargo.toml", "server/Cargo.toml", "tests/Cargo.toml"] {
        let text = read(&root().join(manifest));
        assert!(
            !text.contains("automerge"),
            "{manifest} depends on automerge"
        );
    }
}

#[test]
fn the_core_does_not_know_its_bindings() {
    let found = lines_that(
        |path| path.starts_with("core/"),
        |line| line.contains("uniffi"),
    );
    assert!(found.is_empty(), "uniffi in core:\n{}", found.join("\n"));
    assert!(!read(&root().join("core/Cargo.toml")).contains("uniffi"));
}

#[test]
fn bindings_and_server_never_meet() {
    assert!(!read(&root().join("ffi/Cargo.toml")).contains("gandan-server"));
    assert!(!read(&root().join("server/Cargo.toml")).contains("gandan-ffi"));
}

#[test]
fn pure_rooms_of_the_core_do_no_input_or_output() {
    let outside = [
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::",
        "tokio",
        "quinn",
        "rusqlite",
        "rustls",
        "getrandom",
        "OsRng",
    ];
    let mut found = Vec::new();
    for (path, text) in sources() {
        let is_pure = !is_test(&path)
            && PURE_ROOMS.iter().any(|room| {
                path == format!("core/src/{room}.rs")
                    || path.starts_with(&format!("core/src/{room}/"))
            });
        if is_pure {
            found.extend(
                code_lines(&text)
                    .filter(|(_, line)| outside.iter().any(|word| line.contains(word)))
                    .map(|(number, line)| format!("{path}:{number}: {}", line.trim())),
            );
        }
    }
    assert!(
        found.is_empty(),
        "give it as an argument instead:\n{}",
        found.join("\n")
    );
}

#[test]
fn the_facades_show_no_foreign_types() {
    let foreign = ["automerge", "quinn", "rusqlite", "rustls", "tokio"];
    let mut found = Vec::new();
    for (path, text) in sources() {
        let facade = path == "core/src/replica.rs"
            || path.starts_with("core/src/replica/")
            || path.starts_with("ffi/src/");
        if facade {
            let names = imported_names(&text, &foreign);
            for (number, signature) in public_signatures(&text) {
                let shown =
                    words(&signature).any(|word| foreign.contains(&word) || names.contains(word));
                if shown {
                    found.push(format!("{path}:{number}: {}", signature.trim()));
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "foreign types in public signatures:\n{}",
        found.join("\n")
    );
}

/// SQLite asks for a file system in C.
const FAILING_DISK: &str = "tests/src/disk/shim.rs";

#[test]
fn unsafe_code_is_written_by_generators_and_in_the_failing_disk_only() {
    let found = lines_that(
        |path| !is_self(path) && path != FAILING_DISK,
        |line| {
            line.contains("unsafe {") || line.contains("unsafe fn") || line.contains("unsafe impl")
        },
    );
    assert!(found.is_empty(), "unsafe:\n{}", found.join("\n"));
    for manifest in ["core", "server", "tests"] {
        let text = read(&root().join(manifest).join("Cargo.toml"));
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{manifest} has lints of its own"
        );
    }
    assert!(read(&root().join("Cargo.toml")).contains("\nunsafe_code = \"deny\"\n"));
    // What denies can be allowed again further in, what forbids cannot. The tests' own crate has the disk.
    for library in ["core", "server", "ffi"] {
        let text = read(&root().join(library).join("src/lib.rs"));
        assert!(text.contains("\n#![forbid(unsafe_code)]\n"), "{library}");
    }
    for program in ["core/src/bin/gandan-phone/main.rs", "server/src/main.rs"] {
        let text = read(&root().join(program));
        assert!(text.contains("\n#![forbid(unsafe_code)]\n"), "{program}");
    }
}

#[test]
fn every_decision_is_in_the_index_and_none_is_missing() {
    let folder = root().join("docs/adr");
    let index = read(&folder.join("README.md"));
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("docs/adr can be listed")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "README.md")
        .collect();
    names.sort();
    let mut last = String::new();
    for name in &names {
        // A number may be missing: it was given to a decision that was not taken in the end.
        let (number, _) = name.split_once('-').expect("a number, then the title");
        let is_number = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
        assert!(
            is_number && *number > *last,
            "{name}: decisions have numbers of four digits, each its own"
        );
        number.clone_into(&mut last);
        assert!(
            index.contains(&format!("({name})")),
            "docs/adr/README.md does not list {name}"
        );
        let text = read(&folder.join(name));
        for part in [
            "## Context",
            "## Options",
            "## Decision",
            "## What would make us reconsider",
        ] {
            assert!(text.contains(part), "{name} lacks '{part}'");
        }
    }
    let listed = index.matches(".md)").count();
    assert_eq!(
        listed,
        names.len(),
        "docs/adr/README.md lists what is not there"
    );
}

#[test]
fn every_message_has_golden_vectors() {
    let source = read(&root().join("core/src/protocol/message.rs"));
    let vectors = root().join("tests/vectors/wire/v1");
    let mut messages = 0;
    for name in ["DeviceMessage", "WardMessage"] {
        let (_, after) = source
            .split_once(&format!("pub enum {name} {{"))
            .expect("the messages of each side are an enum");
        let body = after.split("\n}").next().unwrap_or_default();
        let variants = body.lines().filter_map(|line| {
            let line = line.strip_prefix("    ")?;
            let is_variant = line.starts_with(|first: char| first.is_ascii_uppercase());
            words(line).next().filter(|_| is_variant)
        });
        for variant in variants {
            messages += 1;
            let folder = vectors.join(kebab(variant));
            assert!(
                !files(&folder, "hex").is_empty(),
                "{name}::{variant} has no vector under {}",
                relative(&folder)
            );
        }
    }
    assert!(
        messages > 10,
        "{messages} messages were found in the source"
    );
}

#[test]
fn every_link_within_the_documentation_leads_somewhere() {
    let mut broken = Vec::new();
    for path in files(root(), "md") {
        let text = read(&path);
        let folder = path.parent().expect("a file has a folder");
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = target.split('#').next().unwrap_or_default();
            let foreign = target.is_empty() || target.contains("://") || target.contains(' ');
            if !foreign && !folder.join(target).exists() {
                broken.push(format!("{}: {target}", relative(&path)));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn every_test_that_the_promises_name_exists() {
    let promises = read(&root().join("docs/sync.md"));
    let sources: Vec<String> = files(root(), "rs").iter().map(|path| read(path)).collect();
    let mut missing = Vec::new();
    // Names of tests are sentences: other code in that document has at most two words.
    for name in promises.split('`').skip(1).step_by(2) {
        let is_test = name.matches('_').count() > 2 && !name.contains('/');
        let declaration = format!("fn {name}(");
        if is_test && !sources.iter().any(|source| source.contains(&declaration)) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    // Put together here, so that this file does not find itself.
    let places = [
        ["/wor", "k/"],
        ["/farm", "/"],
        ["../sha", "red"],
        [".libr", "ary/"],
        ["/ro", "ot/"],
        ["issues sh", "ow"],
    ]
    .map(|parts| parts.concat());
    let mut found = Vec::new();
    for path in every_file(root()) {
        let name = relative(&path);
        if let Ok(text) = fs::read_to_string(&path) {
            for (number, line) in text.lines().enumerate() {
                if places.iter().any(|place| line.contains(place.as_str())) {
                    found.push(format!("{name}:{}", number + 1));
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "paths of one machine:\n{}",
        found.join("\n")
    );
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is a folder of the workspace")
}

/// A module of tests beside what it tests.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// `CaughtUp` as `caught-up`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(character.to_lowercase());
    }
    kebab
}

fn is_self(path: &str) -> bool {
    path == "tests/tests/house.rs"
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", relative(path)))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

/// Every file that somebody wrote.
fn every_file(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let entry = entry.expect("an entry of a folder");
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().expect("the type of an entry");
        if kind.is_dir() && !MADE.contains(&name.as_str()) {
            found.extend(every_file(&entry.path()));
        } else if kind.is_file() && name != ".git" && name != "Cargo.lock" && name != ".cargo-env" {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = every_file(folder);
    found.retain(|path| path.extension().is_some_and(|found| found == extension));
    found
}

/// Every Rust file with its path from the root.
fn sources() -> Vec<(String, String)> {
    files(root(), "rs")
        .into_iter()
        .map(|path| (relative(&path), read(&path)))
        .collect()
}

/// Lines of code, numbered from 1, without comments and without the tests at the end of a file.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line))
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn lines_that(of_file: impl Fn(&str) -> bool, matches: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources().iter().filter(|(path, _)| of_file(path)) {
        for (number, line) in text.lines().enumerate() {
            if !line.trim_start().starts_with("//") && matches(line) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|word| !word.is_empty())
}

/// Names that a file takes from the crates `foreign` by `use`.
fn imported_names(text: &str, foreign: &[&str]) -> BTreeSet<String> {
    text.split(';')
        .filter_map(|statement| statement.rsplit_once("use ").map(|(_, path)| path))
        .filter(|path| {
            foreign
                .iter()
                .any(|name| path.starts_with(&format!("{name}::")))
        })
        .flat_map(words)
        .filter(|word| word.chars().next().is_some_and(char::is_uppercase))
        .map(str::to_owned)
        .collect()
}

/// What a user of the crate sees: `pub` functions up to their body, `pub` fields, types and the
/// variants of `pub` enums. Text only, so it takes the house's formatting for granted.
fn public_signatures(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let mut enum_indent: Option<usize> = None;
    for (number, line) in code_lines(text) {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        if let Some((begin, mut signature)) = open.take() {
            signature.push(' ');
            signature.push_str(trimmed);
            close_or_keep(&mut open, &mut found, begin, signature);
        } else if let Some(outer) = enum_indent {
            if indent == outer && trimmed.starts_with('}') {
                enum_indent = None;
            } else if !trimmed.starts_with("#[") {
                found.push((number, trimmed.to_owned()));
            }
        } else if trimmed.starts_with("pub enum ") {
            enum_indent = Some(indent);
        } else if trimmed.starts_with("pub ") && !trimmed.starts_with("pub use ") {
            if indent > 0 && trimmed.ends_with(',') {
                found.push((number, trimmed.to_owned()));
            } else {
                close_or_keep(&mut open, &mut found, number, trimmed.to_owned());
            }
        }
    }
    found
}

/// A signature ends where its body begins.
fn close_or_keep(
    open: &mut Option<(usize, String)>,
    found: &mut Vec<(usize, String)>,
    begin: usize,
    signature: String,
) {
    if signature.contains('{') || signature.ends_with(';') {
        let end = signature.find('{').unwrap_or(signature.len());
        found.push((begin, signature[..end].to_owned()));
    } else {
        *open = Some((begin, signature));
    }
}

#[test]
fn a_foreign_type_in_a_public_signature_is_noticed() {
    let text = "use rusqlite::{Connection, Row};\n\
        pub struct Open {\n    connection: Connection,\n    pub row: Row,\n}\n\
        impl Open {\n    pub fn read(\n        &self,\n        connection: &Connection,\n    ) -> u8 {\n        0\n    }\n\
        \x20   fn hidden(&self, connection: &Connection) {}\n}\n\
        pub enum Error {\n    Store(rusqlite::Error),\n}\n";
    let names = imported_names(text, &["rusqlite"]);
    let noticed: Vec<usize> = public_signatures(text)
        .into_iter()
        .filter(|(_, signature)| {
            words(signature).any(|word| word == "rusqlite" || names.contains(word))
        })
        .map(|(number, _)| number)
        .collect();
    assert_eq!(noticed, [4, 7, 16]);
}
