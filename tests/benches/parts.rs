//! What each part of the day's work costs: record, seal, admit, page, open, apply, list, search, edit.
//! One thread, no network. `cargo bench -p gandan-tests --bench parts [-- CASES]`

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

fn main() {
    let count = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(2_000);
    let folder = tempfile::tempdir().expect("a folder for the stores");
    let table = gandan_tests::ward_day::parts::run(folder.path(), count);
    println!("{}", table.expect("the day can be played"));
}
