//! A ward and its phones in one thread, in virtual time, from one seed: the real stores, sessions
//! and admission with every fault between them that this harness can name.
//!
//! [`world`] owns time and chance, [`machine`] a process on a disk that fails under it, [`conversation`]
//! carries bytes between a phone and the ward and breaks off where it is told, [`packets`] does so over a bad path of
//! datagrams, [`newer`] speaks as a later version will, [`fleet`] holds the ward and the phones, [`failures`] breaks their disks, [`hands`] is what people do to them, [`poison`] what
//! nobody should, [`handing_over`] what becomes of lost phones,
//! [`purging`] what has to be forgotten, [`renewing`] how phones get other keys,
//! [`ledger`] remembers what was promised, [`story`] draws the next thing that happens, [`checks`] says
//! whether the promises were kept. [`run`] plays one seed: first anything fails (safety), then nothing
//! fails for some phones, which must agree with the ward within three rounds whatever the others
//! suffer (liveness), then nothing fails at all.

pub mod checks;
pub mod conversation;
mod failures;
pub mod fleet;
mod handing_over;
mod hands;
pub mod ledger;
pub mod machine;
mod newer;
pub mod packets;
mod poison;
mod purging;
mod renewing;
pub mod story;
pub mod world;

use fleet::Fleet;
use story::Story;

/// Every so-manyth seed has from ten to fifty phones.
const MANY_EVERY: u64 = 40;

/// How long one seed plays, and with whom.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// From which everything follows.
    pub seed: u64,
    /// Phones at the start; clones come on top.
    pub phones: usize,
    /// Random things that happen before the faults stop.
    pub steps: usize,
}

impl Plan {
    /// The usual length: a few phones and a day of work; now and then a whole ward's phones.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let few = 1 + seed % 5;
        let many = 10 + seed / MANY_EVERY % 41;
        let phones = if seed.is_multiple_of(MANY_EVERY) {
            many
        } else {
            few
        };
        Self {
            seed,
            phones: usize::try_from(phones).expect("at most fifty"),
            steps: 60,
        }
    }
}

/// What one seed went through, so that a run shows that it tried something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases that a record call acknowledged.
    pub cases: usize,
    /// Notes that a call acknowledged.
    pub notes: usize,
    /// Files that a call attached.
    pub files: usize,
    /// Bytes of files that phones sent.
    pub file_bytes: usize,
    /// Bytes of files that phones sent although they had been sent before.
    pub resent_bytes: usize,
    /// Files that phones removed to make room.
    pub freed_files: usize,
    /// Files that phones hold in the end although they did not attach them, or had removed them.
    pub fetched_files: usize,
    /// Conversations that said everything.
    pub conversations: usize,
    /// Conversations in datagrams, over a bad path.
    pub by_packets: usize,
    /// Ports that changed in the middle of one.
    pub rebindings: usize,
    /// Conversations cut off.
    pub cuts: usize,
    /// Of those, conversations in which a part of a file had been sent.
    pub file_cuts: usize,
    /// Power cuts on a phone.
    pub crashes: usize,
    /// Power cuts on the ward.
    pub ward_crashes: usize,
    /// Disks that were full, or lost an operation.
    pub disk_failures: usize,
    /// Clocks that were set.
    pub clock_jumps: usize,
    /// Phones that were reported lost, with their copies.
    pub revocations: usize,
    /// Bundles of nonsense, sent with a phone's key.
    pub poisonings: usize,
    /// Phones copied.
    pub clones: usize,
    /// Phones put back from an old copy.
    pub phone_restores: usize,
    /// Wards put back from an old copy.
    pub ward_restores: usize,
    /// Conversations whose bytes were delivered to the ward a second time.
    pub replays: usize,
    /// Finished cases that phones did not hold any more when a season had gone by.
    pub let_go: usize,
    /// Cases that were lent to phones that looked for them.
    pub lent: usize,
    /// Notes written while a phone talked.
    pub notes_meanwhile: usize,
    /// Officers given other areas.
    pub reassignments: usize,
    /// Cases moved to another area.
    pub moves: usize,
    /// Cases restricted, or opened again.
    pub restrictions: usize,
    /// Phones that got another key.
    pub renewals: usize,
    /// Cases that were found to be denunciations, and persons that were erased.
    pub purges: usize,
    /// Edits that lost phones handed over.
    pub handed_over: usize,
    /// Edits that the ward refused.
    pub rejections: usize,
    /// Of these, edits whose document had left the scope.
    pub out_of_scope: usize,
    /// Rounds after the faults stopped until everything was equal.
    pub rounds_to_heal: usize,
}

impl Tally {
    /// Both together; of the rounds the larger.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cases: self.cases + other.cases,
            notes: self.notes + other.notes,
            files: self.files + other.files,
            file_bytes: self.file_bytes + other.file_bytes,
            resent_bytes: self.resent_bytes + other.resent_bytes,
            freed_files: self.freed_files + other.freed_files,
            fetched_files: self.fetched_files + other.fetched_files,
            conversations: self.conversations + other.conversations,
            by_packets: self.by_packets + other.by_packets,
            rebindings: self.rebindings + other.rebindings,
            cuts: self.cuts + other.cuts,
            file_cuts: self.file_cuts + other.file_cuts,
            crashes: self.crashes + other.crashes,
            ward_crashes: self.ward_crashes + other.ward_crashes,
            disk_failures: self.disk_failures + other.disk_failures,
            clock_jumps: self.clock_jumps + other.clock_jumps,
            revocations: self.revocations + other.revocations,
            poisonings: self.poisonings + other.poisonings,
            clones: self.clones + other.clones,
            phone_restores: self.phone_restores + other.phone_restores,
            ward_restores: self.ward_restores + other.ward_restores,
            replays: self.replays + other.replays,
            let_go: self.let_go + other.let_go,
            lent: self.lent + other.lent,
            notes_meanwhile: self.notes_meanwhile + other.notes_meanwhile,
            reassignments: self.reassignments + other.reassignments,
            moves: self.moves + other.moves,
            restrictions: self.restrictions + other.restrictions,
            renewals: self.renewals + other.renewals,
            purges: self.purges + other.purges,
            handed_over: self.handed_over + other.handed_over,
            rejections: self.rejections + other.rejections,
            out_of_scope: self.out_of_scope + other.out_of_scope,
            rounds_to_heal: self.rounds_to_heal.max(other.rounds_to_heal),
        }
    }
}

/// Plays one seed and checks every promise.
///
/// # Panics
/// With the seed and the promise that was broken.
#[must_use]
pub fn run(plan: Plan) -> Tally {
    let mut fleet = Fleet::new(plan);
    let mut story = Story::new(plan);
    for _ in 0..plan.steps {
        story.step(&mut fleet);
        checks::always(&fleet);
        // A phone that closes keeps that it did, which may be what a disk fails at.
        fleet.attend();
    }
    story.finish(&mut fleet);
    fleet.heal();
    if fleet.purge_again() {
        fleet.heal();
    }
    checks::healed(&fleet);
    let apart = fleet.hand_over();
    fleet.heal();
    apart.completes_what_was_promised(&fleet);
    fleet.let_a_season_go_by();
    let mut tally = fleet.tally();
    tally.fetched_files = checks::held_files(&fleet).saturating_sub(tally.files);
    tally
}
