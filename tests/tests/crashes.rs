//! Every input that once made a reader of bytes panic, again, on every run.

use std::fs;
use std::path::Path;

#[path = "../fuzz/targets.rs"]
mod targets;

/// Bytes that no target may panic on, whether or not anything was ever found.
const ALWAYS: &[&[u8]] = &[b"", b"\0", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"];

#[test]
fn past_crashers_are_refused_or_read() {
    let crashes = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/crashes");
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
fn every_folder_of_crashers_belongs_to_a_target() {
    let crashes = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/crashes");
    for folder in fs::read_dir(crashes).into_iter().flatten() {
        let folder = folder.expect("the folder can be read");
        let name = folder.file_name();
        let is_target = targets::TARGETS
            .iter()
            .any(|(target, _)| name.to_str() == Some(target));
        assert!(is_target || folder.path().is_file(), "{name:?}");
    }
}
