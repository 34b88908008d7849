//! One direction of a bad link: when a datagram arrives, or that it never does. Given the time by
//! whoever asks, so it holds no clock and never waits.

use std::str::FromStr;

use crate::simulation::world::Dice;

/// What IPv4 and UDP put before a payload.
const HEADER_BYTES: u64 = 28;

/// How long a full queue before the narrow part of the link takes to empty: masts hold about a second.
const QUEUE_US: u64 = 1_000_000;

/// A slow link must still hold a first flight.
const QUEUE_BYTES_MIN: u64 = 16 * 1_228;

/// Chances are of so many.
const WHOLE: u32 = 10_000;

/// How bad a link is, the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Badness {
    /// There and back without any queue, milliseconds.
    pub rtt_ms: u32,
    /// How many of 10,000 datagrams vanish.
    pub loss_of_10000: u32,
    /// Kilobits a second; 0 is no limit.
    pub kbit_per_s: u32,
}

impl FromStr for Badness {
    type Err = String;

    /// Reads `rtt=300ms,loss=5%,rate=256kbit`; what is not named is as on a good link.
    fn from_str(text: &str) -> Result<Self, String> {
        let rule = || format!("{text:?} is not like rtt=300ms,loss=5%,rate=256kbit");
        let mut badness = Self::default();
        for part in text.split(',') {
            let (name, value) = part.trim().split_once('=').ok_or_else(rule)?;
            let number = |unit: &str| -> Result<f64, String> {
                let number = value.strip_suffix(unit).ok_or_else(rule)?;
                let number: f64 = number.parse().map_err(|_| rule())?;
                let is_sane = (0.0..=1_000_000.0).contains(&number);
                is_sane.then_some(number).ok_or_else(rule)
            };
            match name {
                "rtt" => badness.rtt_ms = number("ms")? as u32,
                "loss" => badness.loss_of_10000 = (number("%")? * 100.0).min(10_000.0) as u32,
                "rate" => badness.kbit_per_s = number("kbit")? as u32,
                _ => return Err(rule()),
            }
        }
        Ok(badness)
    }
}

/// One direction.
#[derive(Debug)]
pub struct Lane {
    badness: Badness,
    dice: Dice,
    /// When everything that was taken has left the narrow part.
    free_at_us: u64,
}

impl Lane {
    /// A lane whose chance is its own.
    #[must_use]
    pub fn new(badness: Badness, dice: Dice) -> Self {
        Self {
            badness,
            dice,
            free_at_us: 0,
        }
    }

    /// When a datagram that comes at `now_us` arrives; `None` if the queue is full or it is lost.
    pub fn pass(&mut self, now_us: u64, payload_bytes: usize) -> Option<u64> {
        let bytes = payload_bytes as u64 + HEADER_BYTES;
        let begins_us = self.free_at_us.max(now_us);
        let takes_us = self.takes_us(bytes);
        let queue_us = QUEUE_US.max(self.takes_us(QUEUE_BYTES_MIN));
        if begins_us - now_us + takes_us > queue_us {
            return None;
        }
        self.free_at_us = begins_us + takes_us;
        // It is lost on the air: it took its time of the link all the same.
        let is_lost = self.dice.below(WHOLE as usize) < self.badness.loss_of_10000 as usize;
        let half_us = u64::from(self.badness.rtt_ms) * 1_000 / 2;
        (!is_lost).then_some(self.free_at_us + half_us)
    }

    fn takes_us(&self, bytes: u64) -> u64 {
        match u64::from(self.badness.kbit_per_s) {
            0 => 0,
            kbit_per_s => bytes * 8 * 1_000 / kbit_per_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(text: &str, seed: u64) -> Lane {
        Lane::new(text.parse().expect("a good link"), Dice::new(seed, 0))
    }

    #[test]
    fn a_bad_link_is_read_from_words() {
        let badness: Badness = "rtt=300ms,loss=5%,rate=256kbit".parse().expect("good");
        let expected = Badness {
            rtt_ms: 300,
            loss_of_10000: 500,
            kbit_per_s: 256,
        };
        assert_eq!(badness, expected);
        assert_eq!(
            "loss=0.5%".parse::<Badness>().map(|it| it.loss_of_10000),
            Ok(50)
        );
        for wrong in [
            "",
            "rtt",
            "rtt=3",
            "rtt=3s",
            "loss=-1%",
            "rate=akbit",
            "speed=1kbit",
        ] {
            assert!(wrong.parse::<Badness>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_link_without_faults_delays_nothing() {
        let mut lane = Lane::new(Badness::default(), Dice::new(1, 0));
        assert_eq!(lane.pass(7, 1_200), Some(7));
        assert_eq!(lane.pass(7, 1_200), Some(7));
    }

    #[test]
    fn datagrams_follow_each_other_at_the_rate_of_the_link_and_half_a_round_trip_later() {
        // 1,000 bytes with headers at 80 kbit/s: 100 ms each.
        let mut lane = lane("rtt=300ms,rate=80kbit", 1);
        assert_eq!(lane.pass(0, 972), Some(250_000));
        assert_eq!(lane.pass(0, 972), Some(350_000));
        // The link has been idle meanwhile; idle time is not saved up.
        assert_eq!(lane.pass(1_000_000, 972), Some(1_250_000));
        assert_eq!(lane.pass(1_000_000, 972), Some(1_350_000));
    }

    #[test]
    fn a_full_queue_drops_what_comes_and_has_room_again_later() {
        let mut lane = lane("rate=1000kbit", 1);
        let taken = (0..1_000).filter(|_| lane.pass(0, 1_222).is_some()).count();
        assert_eq!(taken, 100, "a second of the link at 10 ms each");
        assert!(lane.pass(5_000, 1_222).is_none());
        assert!(lane.pass(15_000, 1_222).is_some());
    }

    #[test]
    fn a_slow_link_still_takes_a_first_flight() {
        let mut lane = lane("rate=16kbit", 1);
        let taken = (0..100).filter(|_| lane.pass(0, 1_200).is_some()).count();
        assert_eq!(taken, 16);
    }

    #[test]
    fn as_many_vanish_as_was_asked_and_the_same_ones_for_the_same_seed() {
        let lost = |seed| -> Vec<usize> {
            let mut lane = lane("loss=5%", seed);
            (0..10_000)
                .filter(|_| lane.pass(0, 1_200).is_none())
                .collect()
        };
        assert!((400..600).contains(&lost(1).len()), "{}", lost(1).len());
        assert_eq!(lost(1), lost(1));
        assert_ne!(lost(1), lost(2));
    }

    #[test]
    fn what_is_lost_took_its_time_of_the_link() {
        let mut lane = lane("loss=100%,rate=80kbit", 1);
        assert_eq!(lane.pass(0, 972), None);
        assert_eq!(lane.free_at_us, 100_000);
    }
}
