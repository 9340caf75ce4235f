//! pilotfish-sandbox: confines itself as it is told and becomes the command. It decides nothing: the daemon says what is
//! visible, this program makes it so or refuses. It is single-threaded and is started with an empty environment.
//!
//! `pilotfish-sandbox run [FD]`: the request comes over standard input, which is a socket; FD is the command's standard input
//! and /dev/null when missing. `pilotfish-sandbox command MEMFD STDERR` is the same program again, started inside.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod cage;
#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod listener;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod namespaces;
#[cfg(target_os = "linux")]
mod outside;
#[cfg(target_os = "linux")]
mod overlay;
#[cfg(target_os = "linux")]
mod seccomp;
#[cfg(target_os = "linux")]
mod weak;

/// The status of a command that was not started because it could not be confined.
#[cfg(target_os = "linux")]
const REFUSED: u8 = 125;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let status = match arguments.as_slice() {
        ["run"] => outside::run(None),
        ["run", stdin] => outside::run(stdin.parse().ok()),
        ["command", request, stderr] => command::run(request, stderr),
        _ => {
            descriptors::complain("it is started by pilotfish; see `pilotfish sandbox --help`");
            REFUSED
        }
    };
    ExitCode::from(status)
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::print_stderr, reason = "the only thing it does here")]
fn main() -> ExitCode {
    eprintln!("pilotfish-sandbox: commands can be confined on Linux only so far");
    ExitCode::from(125)
}

/// Why the command cannot be confined: what was attempted, in words that follow "cannot", and what the system answered.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Failure {
    /// Whether it is for what this machine refuses, so that a weaker confinement may be possible.
    by_machine: bool,
    step: String,
    errno: i32,
    detail: String,
}

#[cfg(target_os = "linux")]
impl Failure {
    fn new(step: impl Into<String>, error: impl Into<std::io::Error>) -> Self {
        let error = error.into();
        let errno = error.raw_os_error().unwrap_or(0);
        Self { by_machine: false, step: step.into(), errno, detail: error.to_string() }
    }

    fn by_machine(step: impl Into<String>, error: impl Into<std::io::Error>) -> Self {
        Self { by_machine: true, ..Self::new(step, error) }
    }
}
