//! What the tests share. Owns stand-ins for the world around the daemon; never a decision of the daemon's own.

pub mod acp;
pub mod bins;
pub mod client;
pub mod daemon;
pub mod desk;
pub mod fake_model;
pub mod mutate;
pub mod nvim;
pub mod program;
pub mod raw_model;
pub mod replay;
pub mod snapshot;
pub mod soak;
pub mod story;
pub mod texts;
pub mod vscode;

/// Says that a test cannot do its work on this machine; the test then returns. `tests/run` finds the line in its report, names
/// the test aloud, and fails where nothing may be skipped.
#[expect(clippy::print_stderr, reason = "this is how a test speaks to tests/run")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
