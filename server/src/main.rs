//! Wires the pieces; see `gandan-server --help`.
fn main() {}
