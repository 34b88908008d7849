//! The hash chain of the audit trail: what each link commits to. Knows no table.

/// Domains of the hashes, so that none can stand for another.
const ENTRY_CONTEXT: &str = "gandan/1/audit-entry";
const CHAIN_CONTEXT: &str = "gandan/1/audit-chain";
const SUBJECTS_CONTEXT: &str = "gandan/1/audit-subjects";

/// One entry as the chain sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ward) struct Link<'a> {
    pub(in crate::ward) number: u64,
    pub(in crate::ward) at: i64,
    pub(in crate::ward) kind: &'a str,
    pub(in crate::ward) outcome: &'a str,
    pub(in crate::ward) actor: &'a str,
    pub(in crate::ward) officer: Option<[u8; 16]>,
    pub(in crate::ward) device: Option<[u8; 32]>,
    pub(in crate::ward) detail: &'a str,
    /// In place of the subjects, which an erasure takes away together with their salt.
    pub(in crate::ward) subjects_digest: [u8; 32],
    /// Where the feed stood, with the entries of the same transaction up to then.
    pub(in crate::ward) feed_sequence: u64,
    pub(in crate::ward) feed_chain: [u8; 32],
}

impl Link<'_> {
    /// The chain after this entry.
    pub(in crate::ward) fn extend(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(CHAIN_CONTEXT);
        hasher.update(previous).update(&self.digest());
        hasher.finalize().into()
    }

    fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(ENTRY_CONTEXT);
        hasher
            .update(&self.number.to_be_bytes())
            .update(&self.at.to_be_bytes());
        for word in [self.kind, self.outcome, self.actor, self.detail] {
            // With its length, so that no word can end in the next one.
            hasher
                .update(&(word.len() as u64).to_be_bytes())
                .update(word.as_bytes());
        }
        for id in [
            self.officer.as_ref().map(<[u8; 16]>::as_slice),
            self.device.as_ref().map(<[u8; 32]>::as_slice),
        ] {
            hasher.update(&[u8::from(id.is_some())]);
            hasher.update(id.unwrap_or_default());
        }
        hasher
            .update(&self.subjects_digest)
            .update(&self.feed_sequence.to_be_bytes())
            .update(&self.feed_chain);
        hasher.finalize().into()
    }
}

/// Stands for the subjects; without the salt it does not tell what they were.
pub(in crate::ward) fn subjects_digest(salt: &[u8; 16], subjects: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(SUBJECTS_CONTEXT);
    hasher.update(salt).update(subjects.as_bytes());
    hasher.finalize().into()
}
