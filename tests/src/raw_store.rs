//! An encrypted store as it lies on the disk: every page of the file and of its log, decrypted without SQLite,
//! so that free pages, freed cells and old frames are seen too. Format: SQLCipher 4, a raw key, pages of
//! 4,096 bytes with 80 reserved (an initialisation vector, an HMAC that is not checked here).

use std::path::{Path, PathBuf};

use aes::Aes256;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use data_encoding::HEXLOWER;
use rusqlite::types::ValueRef;
use zstd::stream::read::Decoder;

const PAGE: usize = 4096;
const VECTOR: usize = 16;
/// Bytes of a page that SQLite uses.
const USABLE: usize = PAGE - 80;
/// The salt lies in clear text where SQLite's magic would be.
const SALT: usize = 16;
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// More than any content that is packed.
const UNPACKED_MAX: u64 = 8 << 20;

/// What bundles and pages are packed with.
static DICTIONARY: &[u8] = include_bytes!("../../core/src/protocol/packing/words/dictionary-1.bin");

/// A store's file and its key.
#[derive(Debug, Clone)]
pub struct RawStore {
    path: PathBuf,
    key: [u8; 32],
}

impl RawStore {
    /// The store in `path`, whose key is 64 hexadecimal digits.
    ///
    /// # Panics
    /// If they are not.
    #[must_use]
    pub fn new(path: &Path, key: &str) -> Self {
        let key = HEXLOWER.decode(key.trim().as_bytes()).expect("digits");
        Self {
            path: path.to_owned(),
            key: key.try_into().expect("64 digits"),
        }
    }

    /// All that lies on the disk, page after page, the log's frames behind the file's, and what is packed in
    /// values of the tables, unpacked.
    ///
    /// # Panics
    /// If the key is another one, or the file is none of ours.
    #[must_use]
    pub fn everything(&self) -> Vec<u8> {
        let mut all = self.pages().concat();
        all.extend(self.frames().concat());
        all.extend(self.unpacked());
        all
    }

    /// How many bytes of free pages are not blank.
    ///
    /// # Panics
    /// If the log is not empty: the file is then not the newest there is.
    #[must_use]
    pub fn written_bytes_of_free_pages(&self) -> usize {
        assert!(self.frames().is_empty(), "the log is not empty");
        let pages = self.pages();
        let number = |page: usize, at: usize| {
            let bytes = pages[page - 1][at..at + 4].try_into().expect("four bytes");
            u32::from_be_bytes(bytes) as usize
        };
        // https://sqlite.org/fileformat2.html#the_freelist
        let mut trunk = number(1, 32);
        let mut written = 0;
        while trunk != 0 {
            let leaves = number(trunk, 4);
            for leaf in 0..leaves {
                let page = &pages[number(trunk, 8 + 4 * leaf) - 1];
                written += page.iter().filter(|byte| **byte != 0).count();
            }
            let unused = &pages[trunk - 1][8 + 4 * leaves..];
            written += unused.iter().filter(|byte| **byte != 0).count();
            trunk = number(trunk, 0);
        }
        written
    }

    fn pages(&self) -> Vec<Vec<u8>> {
        let file = std::fs::read(&self.path).expect("the store's file");
        let pages: Vec<_> = file
            .chunks_exact(PAGE)
            .enumerate()
            .map(|(index, page)| self.decrypted(page, index == 0))
            .collect();
        // Size of a page, and the reserved bytes: nothing else decrypts to these.
        assert_eq!(pages[0][16..18], [0x10, 0], "another key, or no store");
        assert_eq!(usize::from(pages[0][20]), PAGE - USABLE);
        pages
    }

    fn frames(&self) -> Vec<Vec<u8>> {
        let log = std::fs::read(self.path.with_extension("db-wal")).unwrap_or_default();
        log.get(LOG_HEADER..)
            .unwrap_or_default()
            .chunks_exact(FRAME_HEADER + PAGE)
            .map(|frame| self.decrypted(&frame[FRAME_HEADER..], frame[..4] == [0, 0, 0, 1]))
            .collect()
    }

    fn decrypted(&self, page: &[u8], is_first: bool) -> Vec<u8> {
        let begin = if is_first { SALT } else { 0 };
        let mut plain = page[..USABLE].to_vec();
        let vector = &page[USABLE..USABLE + VECTOR];
        cbc::Decryptor::<Aes256>::new_from_slices(&self.key, vector)
            .expect("a key and a vector of their sizes")
            .decrypt_padded::<NoPadding>(&mut plain[begin..])
            .expect("whole blocks");
        plain
    }

    /// What zstd packed into any value of any table.
    fn unpacked(&self) -> Vec<u8> {
        let connection = rusqlite::Connection::open(&self.path).expect("the store opens");
        let pragma = format!("PRAGMA key = \"x'{}'\"", HEXLOWER.encode(&self.key));
        connection.execute_batch(&pragma).expect("a key");
        let tables: Vec<String> = connection
            .prepare(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'case_search'",
            )
            .and_then(|mut tables| tables.query_map([], |row| row.get(0))?.collect())
            .expect("the tables");
        let mut unpacked = Vec::new();
        for table in tables {
            let mut statement = connection
                .prepare(&format!("SELECT * FROM {table}"))
                .expect("a table");
            let columns = statement.column_count();
            let mut rows = statement.query([]).expect("its rows");
            while let Some(row) = rows.next().expect("a row") {
                for column in 0..columns {
                    if let Ok(ValueRef::Blob(bytes)) = row.get_ref(column) {
                        unpack(bytes, &mut unpacked);
                    }
                }
            }
        }
        unpacked
    }
}

/// Adds the content of whatever zstd packed in `bytes`.
fn unpack(bytes: &[u8], unpacked: &mut Vec<u8>) {
    for begin in 0..bytes.len().saturating_sub(ZSTD_MAGIC.len()) {
        if !bytes[begin..].starts_with(&ZSTD_MAGIC) {
            continue;
        }
        for dictionary in [&[][..], DICTIONARY] {
            let decoder = Decoder::with_dictionary(&bytes[begin..], dictionary);
            let content = decoder.expect("a decoder").single_frame();
            // What comes out before an error counts as well.
            let _ = std::io::Read::read_to_end(
                &mut std::io::Read::take(content, UNPACKED_MAX),
                unpacked,
            );
        }
    }
}

/// Which of `markers` are in `bytes`.
#[must_use]
pub fn found<'a>(bytes: &[u8], markers: &[&'a str]) -> Vec<&'a str> {
    let is_in = |marker: &str| {
        let marker = marker.as_bytes();
        bytes.windows(marker.len()).any(|window| window == marker)
    };
    markers
        .iter()
        .copied()
        .filter(|marker| is_in(marker))
        .collect()
}
