//! zstd with a dictionary of what wards say.

use zstd::bulk::{Compressor, Decompressor};

use super::Effort;
use crate::protocol::limits::BUNDLE_CONTENT_BYTES_MAX;

/// A bundle is made once.
const LEVEL_ONCE: i32 = 19;
/// A page is made whenever a device reads it.
const LEVEL_EACH_TIME: i32 = 9;

/// Blank edits, then invented sentences, names and streets (`dictionary-1.txt`) with marks for digits.
/// Frozen with [`super::LAYOUT`]: a byte changed here and nobody reads what was packed before.
pub(super) static DICTIONARY: &[u8] = include_bytes!("words/dictionary-1.bin");

pub(super) fn compress(effort: Effort, words: &[u8]) -> Vec<u8> {
    let level = match effort {
        Effort::Once => LEVEL_ONCE,
        Effort::EachTime => LEVEL_EACH_TIME,
    };
    Compressor::with_dictionary(level, DICTIONARY)
        .and_then(|mut compressor| compressor.compress(words))
        .expect("zstd compresses any bytes into a buffer that it has sized itself")
}

pub(super) fn decompress(compressed: &[u8]) -> Option<Vec<u8>> {
    Decompressor::with_dictionary(DICTIONARY)
        .and_then(|mut decompressor| decompressor.decompress(compressed, BUNDLE_CONTENT_BYTES_MAX))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_is_the_one_that_the_layout_names() {
        assert_eq!(
            blake3::hash(DICTIONARY).to_string(),
            "cb912a1679d1f07ff1b03d85e01ff9bf5f14979ee849e283580e86f425fff07c"
        );
    }

    #[test]
    fn content_over_its_bound_is_refused() {
        let compressed = compress(Effort::Once, &vec![0; BUNDLE_CONTENT_BYTES_MAX]);
        assert!(decompress(&compressed).is_some());
        let compressed = compress(Effort::Once, &vec![0; BUNDLE_CONTENT_BYTES_MAX + 1]);
        assert_eq!(decompress(&compressed), None);
    }
}
