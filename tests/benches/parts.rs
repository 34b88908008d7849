//! What each part of the day's work costs: record, seal, admit, page, open, apply, list, search, edit.
//! One thread, no network. `cargo bench -p gandan-tests --bench parts [-- CASES]`; `cargo test` only tries
//! it with a few.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

fn main() {
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let count = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(if is_measured { 2_000 } else { 20 });
    let folder = tempfile::tempdir().expect("a folder for the stores");
    let table = gandan_tests::ward_day::parts::run(folder.path(), count);
    println!("{}", table.expect("the day can be played"));
}
