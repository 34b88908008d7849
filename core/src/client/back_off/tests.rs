//! Waits one by one, and ten thousand devices after an hour without their ward.

use std::collections::BinaryHeap;

use super::*;

/// Any numbers, the same in every run.
struct Chance(blake3::OutputReader);

impl Chance {
    fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        Self(hasher.finalize_xof())
    }

    fn next(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

#[test]
fn waits_grow_to_five_minutes_and_no_further() {
    let mut chance = Chance::new(1);
    let mut back_off = BackOff::default();
    for seconds in [30, 120, 300, 300, 300] {
        let mut longest = 0;
        for _ in 0..2_000 {
            longest = longest.max(back_off.clone().wait(Setback::Lost, 0, chance.next()));
        }
        let expected = seconds * 1_000;
        assert!(
            (expected * 99 / 100..=expected).contains(&longest),
            "{longest}"
        );
        let _ = back_off.wait(Setback::Lost, 0, 0);
    }
    let mut back_off = BackOff { failures: u32::MAX };
    assert!(back_off.wait(Setback::Lost, 0, u64::MAX) <= LONGEST_MS);
}

#[test]
fn a_ward_that_cannot_take_anything_is_left_alone_for_half_the_wait_at_least() {
    let mut chance = Chance::new(2);
    for _ in 0..1_000 {
        let wait = BackOff::default().wait(Setback::Unavailable, 0, chance.next());
        assert!((FIRST_MS / 2..=FIRST_MS).contains(&wait), "{wait}");
    }
}

#[test]
fn only_a_connection_that_held_makes_the_next_failure_a_first_one() {
    let mut back_off = BackOff { failures: 4 };
    let _ = back_off.wait(Setback::Lost, 1_000, 7);
    assert_eq!(back_off.failures, 4, "it held for a moment");
    let _ = back_off.wait(Setback::Lost, 0, 7);
    assert_eq!(back_off.failures, 5, "nobody was there");
    assert!(back_off.wait(Setback::Lost, STEADY_MS, u64::MAX) <= FIRST_MS);
    assert_eq!(back_off.failures, 1);
}

#[test]
fn another_network_is_tried_within_two_seconds() {
    let mut back_off = BackOff { failures: 9 };
    assert!(back_off.soon(u64::MAX) <= SOON_MS);
    assert!(back_off.wait(Setback::Lost, 0, u64::MAX) <= FIRST_MS);
}

const PHONES: usize = 10_000;
const OUTAGE_S: usize = 3_600;
/// How long a phone dials before it believes that nobody is there.
const DIAL_MS: u64 = 10_000;
/// How many a ward lets in in a second; more are told to come later.
const WELCOMED_A_SECOND: usize = 200;

/// Attempts in each second, and when the last phone was back, seconds after the ward was.
fn outage(seed: u64) -> (Vec<usize>, usize) {
    let mut chance = Chance::new(seed);
    let mut back_offs = vec![BackOff::default(); PHONES];
    // The earliest first.
    let mut attempts = BinaryHeap::new();
    for (phone, back_off) in back_offs.iter_mut().enumerate() {
        // All were connected, and are thrown out at once.
        let wait = back_off.wait(Setback::Lost, 8 * STEADY_MS, chance.next());
        attempts.push(std::cmp::Reverse((wait, phone)));
    }
    let mut in_second = vec![0; 2 * OUTAGE_S];
    let mut welcomed = vec![0; 2 * OUTAGE_S];
    let mut last = 0;
    while let Some(std::cmp::Reverse((now, phone))) = attempts.pop() {
        let second = (now / 1_000) as usize;
        in_second[second] += 1;
        let next = if second < OUTAGE_S {
            DIAL_MS + back_offs[phone].wait(Setback::Lost, 0, chance.next())
        } else if welcomed[second] < WELCOMED_A_SECOND {
            welcomed[second] += 1;
            last = second - OUTAGE_S;
            continue;
        } else {
            back_offs[phone].wait(Setback::Unavailable, 0, chance.next())
        };
        attempts.push(std::cmp::Reverse((now + next, phone)));
    }
    (in_second, last)
}

#[test]
fn ten_thousand_phones_neither_storm_their_ward_nor_stay_away() {
    for seed in 1..=5 {
        let (in_second, last) = outage(seed);
        let most = |range: std::ops::Range<usize>| in_second[range].iter().max().copied();
        let (first, later, back) = (
            most(0..60).unwrap(),
            most(600..OUTAGE_S).unwrap(),
            most(OUTAGE_S..2 * OUTAGE_S).unwrap(),
        );
        println!("seed {seed}: {first}, {later}, {back} a second; the last after {last} s");
        assert!(first <= 450, "{first} attempts in one of the first seconds");
        assert!(later <= 110, "{later} attempts in a second of the outage");
        assert!(back <= 110, "{back} attempts in a second after it");
        assert!(last <= 311, "the last came after {last} s");
        assert!(
            in_second[OUTAGE_S - 30..OUTAGE_S].iter().sum::<usize>() > 1_000,
            "nobody gave up"
        );
    }
}
