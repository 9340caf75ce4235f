//! Where the programs under test are. Owns finding them; never builds them.

use std::path::PathBuf;

/// The daemon's program, as built last.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn pilotfish() -> PathBuf {
    beside_the_tests("pilotfish")
}

/// The program that confines itself and becomes a command, as built last.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn pilotfish_sandbox() -> PathBuf {
    beside_the_tests("pilotfish-sandbox")
}

// Test executables are in `target/PROFILE/deps`, programs of ours (the bench) in `target/PROFILE`. Cargo names neither to a
// package that is not theirs.
fn beside_the_tests(name: &str) -> PathBuf {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let this = std::env::current_exe().expect("a running program knows its own path");
    let folders = this.ancestors().skip(1).take(2);
    folders
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{file} is not built; run `cargo build -p pilotfish --bins` first"))
}
