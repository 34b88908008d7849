//! Reads vectors: hex digits, white space, and comments from `#` to the end of the line.

use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/wire/v1")
}

/// The bytes of `vectors/wire/v1/KIND/NAME.hex`.
pub(crate) fn read(kind: &str, name: &str) -> Vec<u8> {
    let path = folder().join(kind).join(format!("{name}.hex"));
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    parse(&text).unwrap_or_else(|| panic!("{} is not hex", path.display()))
}

/// The bytes of a text of hex digits and comments.
pub(crate) fn parse(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(""))
        .flat_map(|line| line.chars().filter(|letter| !letter.is_whitespace()))
        .map(|letter| letter.to_digit(16))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    pairs
        .remainder()
        .is_empty()
        .then(|| pairs.map(|pair| (pair[0] * 16 + pair[1]) as u8).collect())
}

/// The names of all vectors, `KIND/NAME`, sorted.
pub(crate) fn all() -> Vec<String> {
    let mut names = Vec::new();
    for kind in fs::read_dir(folder()).expect("the vectors are there") {
        let kind = kind.expect("the folder can be read").path();
        for vector in fs::read_dir(&kind).expect("the folder can be read") {
            let vector = vector.expect("the folder can be read").path();
            let part = |path: &PathBuf| {
                let name = path.file_name().expect("a vector has a name");
                name.to_string_lossy().into_owned()
            };
            let name = part(&vector);
            let name = name.strip_suffix(".hex").expect("a vector ends with .hex");
            names.push(format!("{}/{name}", part(&kind)));
        }
    }
    names.sort();
    names
}
