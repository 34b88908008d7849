//! The hashes by which a file is checked part by part as it arrives: the inner nodes of the BLAKE3 tree
//! whose root is the file's name. Whoever knows the name can check the list before the first byte
//! comes, so a wrong part is never kept, whoever sent it, and parts of several senders fit together.

use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

use super::limits::{ATTACHMENT_BYTES_MAX, ATTACHMENT_PART_BYTES};
use crate::model::AttachmentHash;

/// The hash of one part as a node of the tree. No hash of the part's bytes alone.
pub type PartHash = [u8; 32];

/// A file's name, its size, and the hashes of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTree {
    hash: AttachmentHash,
    size: usize,
    parts: Vec<PartHash>,
}

impl FileTree {
    /// The tree of a file.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let hash = AttachmentHash(*blake3::hash(bytes).as_bytes());
        let parts = if bytes.len() <= ATTACHMENT_PART_BYTES {
            Vec::new()
        } else {
            bytes
                .chunks(ATTACHMENT_PART_BYTES)
                .enumerate()
                .map(|(position, part)| part_hash(position, part))
                .collect()
        };
        Self {
            hash,
            size: bytes.len(),
            parts,
        }
    }

    /// A tree as a peer gave it; `None` unless the hashes lead to the name.
    #[must_use]
    pub fn open(hash: AttachmentHash, size: usize, parts: Vec<PartHash>) -> Option<Self> {
        if size == 0 || size > ATTACHMENT_BYTES_MAX {
            return None;
        }
        let is_right = match size.div_ceil(ATTACHMENT_PART_BYTES) {
            1 => parts.is_empty(),
            count => count == parts.len() && root(&parts) == hash,
        };
        is_right.then_some(Self { hash, size, parts })
    }

    /// The file's name.
    #[must_use]
    pub fn hash(&self) -> AttachmentHash {
        self.hash
    }

    /// How many bytes the file has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The hashes of the parts; none if there is one part only, whose hash is the file's.
    #[must_use]
    pub fn parts(&self) -> &[PartHash] {
        &self.parts
    }

    /// How many bytes the part at `offset` has; `None` if none begins there.
    #[must_use]
    pub fn part_bytes(&self, offset: usize) -> Option<usize> {
        (offset.is_multiple_of(ATTACHMENT_PART_BYTES) && offset < self.size)
            .then(|| ATTACHMENT_PART_BYTES.min(self.size - offset))
    }

    /// Whether these are the bytes of the part at `offset`.
    #[must_use]
    pub fn is_part(&self, offset: usize, bytes: &[u8]) -> bool {
        if self.part_bytes(offset) != Some(bytes.len()) {
            return false;
        }
        let position = offset / ATTACHMENT_PART_BYTES;
        match self.parts.get(position) {
            Some(expected) => part_hash(position, bytes) == *expected,
            None => AttachmentHash(*blake3::hash(bytes).as_bytes()) == self.hash,
        }
    }
}

fn part_hash(position: usize, bytes: &[u8]) -> PartHash {
    blake3::Hasher::new()
        .set_input_offset((position * ATTACHMENT_PART_BYTES) as u64)
        .update(bytes)
        .finalize_non_root()
}

/// The root of at least two parts.
fn root(parts: &[PartHash]) -> AttachmentHash {
    let (left, right) = halves(parts);
    let hash = merge_subtrees_root(&subtree(left), &subtree(right), Mode::Hash);
    AttachmentHash(*hash.as_bytes())
}

fn subtree(parts: &[PartHash]) -> PartHash {
    match parts {
        [part] => *part,
        parts => {
            let (left, right) = halves(parts);
            merge_subtrees_non_root(&subtree(left), &subtree(right), Mode::Hash)
        }
    }
}

/// BLAKE3 puts the largest power of two that leaves something for the right into the left half.
fn halves(parts: &[PartHash]) -> (&[PartHash], &[PartHash]) {
    parts.split_at(parts.len().next_power_of_two() / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|index| (index % 251) as u8).collect()
    }

    #[test]
    fn a_tree_of_any_size_leads_to_the_files_hash_and_names_each_part() {
        let part = ATTACHMENT_PART_BYTES;
        let sizes = [
            1,
            part - 1,
            part,
            part + 1,
            2 * part,
            3 * part + 7,
            4 * part,
            5 * part,
            13 * part + 1,
            64 * part,
            65 * part,
            ATTACHMENT_BYTES_MAX,
        ];
        for size in sizes {
            let file = bytes(size);
            let tree = FileTree::of(&file);
            let again = FileTree::open(tree.hash(), size, tree.parts().to_vec());
            assert_eq!(again.as_ref(), Some(&tree), "{size}");
            for (position, part) in file.chunks(ATTACHMENT_PART_BYTES).enumerate() {
                assert!(tree.is_part(position * ATTACHMENT_PART_BYTES, part));
            }
        }
    }

    #[test]
    fn a_wrong_list_a_wrong_size_and_a_wrong_part_are_told() {
        let file = bytes(5 * ATTACHMENT_PART_BYTES + 100);
        let tree = FileTree::of(&file);
        let mut wrong = tree.parts().to_vec();
        wrong[3][0] ^= 1;
        assert_eq!(FileTree::open(tree.hash(), file.len(), wrong), None);
        let swapped = tree.parts().iter().rev().copied().collect();
        assert_eq!(FileTree::open(tree.hash(), file.len(), swapped), None);
        for size in [0, 1, 5 * ATTACHMENT_PART_BYTES, ATTACHMENT_BYTES_MAX + 1] {
            assert_eq!(
                FileTree::open(tree.hash(), size, tree.parts().to_vec()),
                None
            );
        }
        let mut part = file[..ATTACHMENT_PART_BYTES].to_vec();
        assert!(!tree.is_part(ATTACHMENT_PART_BYTES, &part), "another place");
        assert!(!tree.is_part(1, &part) && !tree.is_part(0, &part[1..]));
        part[9] ^= 1;
        assert!(!tree.is_part(0, &part));
        assert!(!FileTree::of(b"a").is_part(0, b"b"));
    }

    #[test]
    fn a_size_that_lies_within_the_last_part_never_gets_its_part() {
        let file = bytes(2 * ATTACHMENT_PART_BYTES);
        let tree = FileTree::of(&file);
        let lie = file.len() - 1;
        let lying = FileTree::open(tree.hash(), lie, tree.parts().to_vec()).expect("as many parts");
        assert!(!lying.is_part(ATTACHMENT_PART_BYTES, &file[ATTACHMENT_PART_BYTES..lie]));
    }
}
