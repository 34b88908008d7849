//! Every input that once made a reader of bytes panic, again, on every run; what is valid, and what is
//! near it. The fuzzer does the same for longer, see `fuzz/README.md`.

use std::fs;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

#[path = "crashes/seeds.rs"]
mod seeds;
#[path = "../fuzz/targets.rs"]
mod targets;

/// Bytes that no target may panic on, whether or not anything was ever found.
const ALWAYS: &[&[u8]] = &[b"", b"\0", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"];
/// Inputs near the valid ones, for each target; `GANDAN_FUZZ_ROUNDS` says otherwise.
const ROUNDS: u64 = 400;
/// Set to a folder, it gets the valid inputs for the fuzzer to begin with.
const CORPUS: &str = "GANDAN_FUZZ_CORPUS";

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

#[test]
fn past_crashers_are_refused_or_read() {
    let crashes = fuzz_folder().join("corpus/crashes");
    for (name, run) in targets::TARGETS {
        ALWAYS.iter().for_each(|bytes| run(bytes));
        let Ok(folder) = fs::read_dir(crashes.join(name)) else {
            continue;
        };
        for file in folder {
            let path = file.expect("the folder can be read").path();
            println!("{}", path.display());
            run(&fs::read(&path).expect("the crasher can be read"));
        }
    }
}

#[test]
fn what_is_valid_and_what_is_near_it_is_refused_or_read() {
    let rounds = std::env::var("GANDAN_FUZZ_ROUNDS")
        .map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    for (name, run) in targets::TARGETS {
        let valid = seeds::of(name);
        assert!(!valid.is_empty(), "{name} has nothing to begin with");
        if let Some(corpus) = std::env::var_os(CORPUS) {
            let folder = Path::new(&corpus).join(name);
            fs::create_dir_all(&folder).expect("the corpus can be written");
            for (number, bytes) in valid.iter().enumerate() {
                fs::write(folder.join(format!("valid-{number:03}")), bytes).expect("as above");
            }
        }
        valid.iter().for_each(|bytes| run(bytes));
        for round in 0..rounds {
            let mut dice = ChaCha8Rng::seed_from_u64(round);
            let mut bytes = pick(&mut dice, &valid).clone();
            for _ in 0..=dice.next_u32() % 4 {
                spoil(&mut dice, &mut bytes, &valid);
            }
            // The test's output is shown if it fails: the last line names what to run again.
            println!("{name}: round {round}");
            run(&bytes);
        }
    }
}

#[test]
fn every_target_is_a_program_of_the_fuzzer_and_every_folder_of_crashers_is_a_target_s() {
    let manifest = fs::read_to_string(fuzz_folder().join("Cargo.toml")).expect("it can be read");
    for (name, _) in targets::TARGETS {
        let path = format!("fuzz_targets/{name}.rs");
        assert!(manifest.contains(&format!("path = \"{path}\"")), "{name}");
        let program = fs::read_to_string(fuzz_folder().join(path)).expect("it can be read");
        assert!(program.contains(&format!("targets::run(\"{name}\", bytes)")));
        targets::run(name, b"");
    }
    let crashes = fuzz_folder().join("corpus/crashes");
    for folder in fs::read_dir(crashes).into_iter().flatten() {
        let folder = folder.expect("the folder can be read");
        let name = folder.file_name();
        let is_target = targets::TARGETS
            .iter()
            .any(|(target, _)| name.to_str() == Some(target));
        assert!(is_target || folder.path().is_file(), "{name:?}");
    }
}

/// Does one of the things that fuzzers do.
fn spoil(dice: &mut ChaCha8Rng, bytes: &mut Vec<u8>, valid: &[Vec<u8>]) {
    const EXTREMES: [u8; 6] = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff];
    let place = below(dice, bytes.len() + 1);
    let until = (place + 1 + below(dice, 16)).min(bytes.len());
    match dice.next_u32() % 6 {
        0 if place < bytes.len() => bytes[place] ^= 1 << (dice.next_u32() % 8),
        1 if place < bytes.len() => bytes[place] = *pick(dice, &EXTREMES),
        2 if place < until => drop(bytes.drain(place..until)),
        3 if place < until => {
            let again = bytes[place..until].to_vec();
            bytes.splice(place..place, again);
        }
        4 => {
            let other = pick(dice, valid);
            let from = below(dice, other.len() + 1);
            bytes.truncate(place);
            bytes.extend_from_slice(&other[from..]);
        }
        _ => bytes.insert(place, *pick(dice, &EXTREMES)),
    }
}

fn pick<'a, T>(dice: &mut ChaCha8Rng, of: &'a [T]) -> &'a T {
    &of[below(dice, of.len())]
}

fn below(dice: &mut ChaCha8Rng, bound: usize) -> usize {
    usize::try_from(dice.next_u64() % bound.max(1) as u64).expect("below a length")
}
