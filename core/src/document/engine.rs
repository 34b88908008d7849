//! Executes edits on an automerge document, each at its dependencies. Knows which automerge change
//! stands for which edit; no automerge hash leaves this module.

mod read;
mod write;

use std::collections::{BTreeSet, HashMap, HashSet};

use automerge::{Automerge, Change, ChangeHash, ReadDoc, TextEncoding};

use super::check::{self, History};
use super::{DocumentState, ExecuteError};
use crate::edit::EncodedEdit;
use crate::model::{ActorId, DocumentId, EditId};
use read::Reading;

/// How many forks are kept, so that branches that grow side by side each go on from their own.
const FORKS_MAX: usize = 4;

/// An automerge document, built from edits alone.
pub struct Document {
    id: DocumentId,
    automerge: Automerge,
    /// Changes of executed edits that `automerge` does not have yet; only within a replay.
    unapplied: Vec<Change>,
    /// What was forked last, the latest at the end.
    forks: Vec<Fork>,
    executed: HashMap<EditId, Executed>,
    /// automerge cannot hold two changes with one (actor, sequence).
    taken: HashSet<(ActorId, u64)>,
    heads: BTreeSet<EditId>,
    history: History,
}

/// The document as it is after some edits and what they build on.
struct Fork {
    at: Vec<EditId>,
    automerge: Automerge,
}

/// What is remembered of an executed edit.
struct Executed {
    change: ChangeHash,
    dependencies: Vec<EditId>,
    actor: ActorId,
    sequence: u64,
    weight: u64,
}

impl Document {
    /// Executes edits in the order given; the first must be the creation.
    ///
    /// # Errors
    /// The first edit that cannot be executed.
    pub fn replay<'a>(
        edits: impl IntoIterator<Item = &'a EncodedEdit>,
    ) -> Result<Self, ExecuteError> {
        let mut edits = edits.into_iter();
        let mut document = Self::create(edits.next().ok_or(ExecuteError::NotACreation)?)?;
        for edit in edits {
            document.execute_later(edit)?;
        }
        document.apply()?;
        Ok(document)
    }

    /// Executes one more edit at its dependencies, which need not be the heads. Nothing changes on
    /// error, nor if the edit was executed before.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub fn execute(&mut self, encoded: &EncodedEdit) -> Result<(), ExecuteError> {
        self.execute_later(encoded)?;
        self.apply()
    }

    /// The edits that nothing else builds on, ascending.
    #[must_use]
    pub fn heads(&self) -> Vec<EditId> {
        self.heads.iter().copied().collect()
    }

    /// What the document says.
    #[must_use]
    pub fn state(&self) -> DocumentState {
        DocumentState {
            document: self.id,
            fields: read::fields(&self.automerge),
            history: self.history.clone(),
        }
    }

    /// A standard automerge file.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        self.automerge.save()
    }

    fn create(encoded: &EncodedEdit) -> Result<Self, ExecuteError> {
        let edit = encoded.edit();
        check::check_creation(edit)?;
        // Positions in texts are Unicode scalars on the wire, so they must be in automerge too.
        let mut automerge = Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint);
        let change = write::execute(&mut automerge, edit)?;
        let mut document = Self {
            id: edit.document,
            automerge,
            unapplied: Vec::new(),
            forks: Vec::new(),
            executed: HashMap::new(),
            taken: HashSet::new(),
            heads: BTreeSet::new(),
            history: History::default(),
        };
        document.remember(encoded, change);
        Ok(document)
    }

    /// Executes an edit, but leaves the change of one with concurrency for [`Document::apply`].
    fn execute_later(&mut self, encoded: &EncodedEdit) -> Result<(), ExecuteError> {
        if self.executed.contains_key(&encoded.id()) {
            return Ok(());
        }
        let edit = encoded.edit();
        if edit.document != self.id {
            return Err(ExecuteError::AnotherDocument);
        }
        let is_missing = |dependency: &&EditId| !self.executed.contains_key(*dependency);
        if let Some(missing) = edit.dependencies.iter().find(is_missing) {
            return Err(ExecuteError::MissingDependency(*missing));
        }
        let change = if edit.dependencies.iter().eq(&self.heads) {
            self.apply()?;
            check::check_change(edit, &self.history, &Reading(&self.automerge))?;
            write::execute(&mut self.automerge, edit)?
        } else {
            self.execute_on_fork(encoded)?
        };
        self.remember(encoded, change);
        Ok(())
    }

    // All at once, because each time costs as much as the document is long.
    fn apply(&mut self) -> Result<(), ExecuteError> {
        if self.unapplied.is_empty() {
            return Ok(());
        }
        let changes = std::mem::take(&mut self.unapplied);
        self.automerge
            .apply_changes(changes)
            .map_err(|_| ExecuteError::EngineFailed)
    }

    // A transaction on the whole document would number its operations after edits that the author
    // had not seen, and replicas would disagree on them; a fork knows only what the author knew.
    fn execute_on_fork(&mut self, encoded: &EncodedEdit) -> Result<ChangeHash, ExecuteError> {
        let edit = encoded.edit();
        if edit.dependencies.is_empty() {
            return Err(ExecuteError::NotACreation);
        }
        let mut fork = self.fork_at(&edit.dependencies)?;
        let history = self.history_of(&edit.dependencies);
        check::check_change(edit, &history, &Reading(&fork))?;
        if self.taken.contains(&(edit.actor, edit.sequence)) {
            return Err(ExecuteError::BrokenSequence);
        }
        let hash = write::execute(&mut fork, edit)?;
        let change = fork
            .get_change_by_hash(&hash)
            .ok_or(ExecuteError::EngineFailed)?;
        self.unapplied.push(change);
        self.keep(vec![encoded.id()], fork);
        Ok(hash)
    }

    fn fork_at(&mut self, dependencies: &[EditId]) -> Result<Automerge, ExecuteError> {
        if let Some(known) = self.forks.iter().position(|fork| fork.at == dependencies) {
            let known = self.forks.remove(known);
            let automerge = known.automerge.clone();
            self.forks.push(known);
            return Ok(automerge);
        }
        self.apply()?;
        let base: Vec<ChangeHash> = dependencies
            .iter()
            .filter_map(|dependency| self.executed.get(dependency))
            .map(|executed| executed.change)
            .collect();
        let automerge = self
            .automerge
            .fork_at(&base)
            .map_err(|_| ExecuteError::EngineFailed)?;
        self.keep(dependencies.to_vec(), automerge.clone());
        Ok(automerge)
    }

    fn keep(&mut self, at: Vec<EditId>, automerge: Automerge) {
        if self.forks.len() == FORKS_MAX {
            self.forks.remove(0);
        }
        self.forks.push(Fork { at, automerge });
    }

    /// What the edits amount to that `dependencies` build on, themselves included.
    fn history_of(&self, dependencies: &[EditId]) -> History {
        let mut history = History::default();
        let mut seen: HashSet<EditId> = dependencies.iter().copied().collect();
        let mut open = dependencies.to_vec();
        while let Some(executed) = open.pop().and_then(|edit| self.executed.get(&edit)) {
            history.push(executed.actor, executed.sequence, executed.weight);
            for dependency in &executed.dependencies {
                if seen.insert(*dependency) {
                    open.push(*dependency);
                }
            }
        }
        history
    }

    fn remember(&mut self, encoded: &EncodedEdit, change: ChangeHash) {
        let edit = encoded.edit();
        let weight = check::weight(edit);
        for dependency in &edit.dependencies {
            self.heads.remove(dependency);
        }
        self.heads.insert(encoded.id());
        self.taken.insert((edit.actor, edit.sequence));
        self.history.push(edit.actor, edit.sequence, weight);
        let executed = Executed {
            change,
            dependencies: edit.dependencies.clone(),
            actor: edit.actor,
            sequence: edit.sequence,
            weight,
        };
        self.executed.insert(encoded.id(), executed);
    }
}
