//! Virtual time and seeded chance: the only source of both in a simulation.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use gandan_core::environment::Environment;
use gandan_core::model::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// 2 March 2026, 08:00 in Việt Nam.
const BEGIN_MS: i64 = 1_772_413_200_000;

/// The moment that everybody shares; a phone may believe another one.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Mutex<i64>>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(BEGIN_MS)))
    }
}

impl Clock {
    /// Lets time pass.
    pub fn advance_ms(&self, milliseconds: i64) {
        *self.0.lock().expect("one thread never poisons a lock") += milliseconds;
    }

    fn now_ms(&self) -> i64 {
        *self.0.lock().expect("one thread never poisons a lock")
    }
}

/// How far a clock is off; it may be set at any time.
#[derive(Debug, Clone, Default)]
pub struct Skew(Arc<AtomicI64>);

impl Skew {
    /// So far ahead from now on, or behind.
    pub fn set_ms(&self, milliseconds: i64) {
        self.0.store(milliseconds, Ordering::Relaxed);
    }

    fn ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Seeded chance.
#[derive(Debug, Clone)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The same numbers for the same seed and purpose, whatever others draw meanwhile.
    #[must_use]
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(purpose);
        Self(rng)
    }

    /// A number below `bound`, which is at least one.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).expect("a usize fits into 64 bits");
        usize::try_from(self.0.next_u64() % bound).expect("below a usize")
    }

    /// `true` in so many of a hundred cases.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Any number: the seed of other dice.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

/// What a store is told of time and chance.
pub struct SimulatedEnvironment {
    clock: Clock,
    skew: Skew,
    dice: Mutex<Dice>,
}

impl SimulatedEnvironment {
    /// An environment whose clock is off by `skew` and whose chance is its own.
    #[must_use]
    pub fn new(clock: Clock, skew: Skew, dice: Dice) -> Arc<Self> {
        Arc::new(Self {
            clock,
            skew,
            dice: Mutex::new(dice),
        })
    }
}

impl Environment for SimulatedEnvironment {
    fn now(&self) -> Timestamp {
        Timestamp(self.clock.now_ms() + self.skew.ms())
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.dice
            .lock()
            .expect("one thread never poisons a lock")
            .fill(bytes);
    }
}
