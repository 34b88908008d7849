//! How long a device that stays waits before it tries again. Pure: time and chance are arguments, so that
//! ten thousand devices and an hour can be looked at in a moment.
//!
//! A ward that was away meets all its devices at once. So the first wait is drawn from half a minute
//! already, and the longest from five: ten thousand devices never knock more than some four hundred times
//! a second, and after a long silence some seventy times. Nobody ever gives up, and nobody is later than
//! five minutes.

/// The first wait is at most this long.
pub const FIRST_MS: u64 = 30_000;

/// Every further one grows so many times: the second wave of a crowd should not meet the first.
const GROWTH: u64 = 4;

/// But no further than this.
pub const LONGEST_MS: u64 = 300_000;

/// No wait is shorter, whatever chance says.
pub const SHORTEST_MS: u64 = 500;

/// After the network has changed or the person has asked, at most this long: all of an office may have
/// got their network back at once.
pub const SOON_MS: u64 = 2_000;

/// A connection that held so long shows that the ward is well: the next failure is a first one.
pub const STEADY_MS: u64 = 60_000;

/// Why a connection is not there any more, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// It was lost, or nobody answered.
    Lost,
    /// The ward is there and cannot take anything now: it is left alone for longer.
    Unavailable,
}

/// How often it failed in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackOff {
    failures: u32,
}

impl BackOff {
    /// How long to wait after a setback, milliseconds. `held_ms` is how long the connection was of use,
    /// zero if it never was; `random` is any number.
    #[must_use]
    pub fn wait(&mut self, setback: Setback, held_ms: u64, random: u64) -> u64 {
        if held_ms >= STEADY_MS {
            self.failures = 0;
        }
        let window = FIRST_MS
            .saturating_mul(GROWTH.saturating_pow(self.failures))
            .min(LONGEST_MS);
        // One that holds for a moment each time is no better than none, and no worse.
        if !(1..STEADY_MS).contains(&held_ms) {
            self.failures = self.failures.saturating_add(1);
        }
        let shortest = match setback {
            Setback::Lost => SHORTEST_MS,
            Setback::Unavailable => window / 2,
        };
        shortest + random % (window - shortest + 1)
    }

    /// How long to wait when there is reason to believe that it will go better now: the phone has another
    /// network, or somebody asked. The failures before say nothing any more.
    #[must_use]
    pub fn soon(&mut self, random: u64) -> u64 {
        self.failures = 0;
        random % (SOON_MS + 1)
    }
}

#[cfg(test)]
mod tests;
