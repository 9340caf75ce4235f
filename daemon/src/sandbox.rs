//! Running commands, confined. This module alone starts what a model or a repository names, and it never starts it
//! unconfined: where the machine cannot confine, there is a refusal with the reason and the mend.
//!
//! What is decided is decided in [`spec`]; the separate program `pilotfish-sandbox` carries it out.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use pilotfish_protocol::Mode;
use tokio::time::Instant;

use crate::path::AbsPath;
use crate::sandbox::launcher::{Launcher, Streams};
use crate::sandbox::refusal::Machine;
use crate::sandbox::wire::{Report, Strength};

mod attendance;
pub mod environment;
mod launcher;
pub mod matrix;
pub mod proxy;
pub mod refusal;
pub mod scratch;
pub mod spec;
pub mod wire;

pub use crate::sandbox::attendance::{Attendance, OnListener};
pub use crate::sandbox::environment::{passes, spec_env};
pub use crate::sandbox::scratch::{Scratch, ScratchError};
pub use crate::sandbox::spec::SpecError;
pub use crate::sandbox::wire::Layer;

/// What to run, and in what cage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// What the command may do.
    pub mode: Mode,
    /// The folder the session works in.
    pub workspace: AbsPath,
    /// Where it starts; the workspace or a folder below it.
    pub cwd: AbsPath,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The whole environment of the inside, as [`spec_env`] makes it, before the cage adds its own TMPDIR. HOME is the person's:
    /// inside, an empty folder of that name takes its place, and the toolchains below it are shown in it.
    pub env: Vec<(String, String)>,
    /// When it is stopped.
    pub time_limit: Option<Duration>,
    /// What the workspace is seen through: an overlay over the work tree, and others over git directories outside of it. Without any the
    /// workspace is read-only inside.
    pub layers: Vec<Layer>,
    /// Whether programs inside are told a proxy at [`spec::PROXY_PORT`], whose listener is handed to [`Attendance::on_listener`].
    pub proxy: bool,
    /// Paths outside the workspace, absolute, that the person granted: they are written directly. What does not exist is not made.
    pub grants_paths: Vec<PathBuf>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status. 127 is also a program that was not found, 126 one that could not be run.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// The status a shell would show: 128 and the number for a signal.
    #[must_use]
    pub fn shell_status(self) -> u8 {
        match self {
            Exit::Code(code) => u8::try_from(code & 0xff).unwrap_or(u8::MAX),
            Exit::Signal(signal) => u8::try_from(signal.saturating_add(128)).unwrap_or(u8::MAX),
        }
    }
}

/// Why we ended a command that did not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It ran longer than it may.
    TimeLimit,
    /// It was cancelled.
    Cancelled,
}

/// With how much of the machine's help a command was confined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tier {
    /// With all of it.
    Full,
    /// Without namespaces: it saw no network and no secret, and could write nothing but a private temporary folder.
    Weak {
        /// What was attempted and what the system answered.
        reason: String,
    },
}

/// A command that was started and is over, with everything it had started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How it ended; the signal is 9 when we stopped it.
    pub status: Exit,
    /// Whether we stopped it.
    pub stopped: Option<Stopped>,
    /// From the start of the helper to the end of the last process.
    pub duration: Duration,
    /// How it was confined.
    pub tier: Tier,
}

/// Whether this machine can confine commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confinement {
    /// It can.
    Confined,
    /// Without namespaces only, so that commands can read and run but not write.
    Weak {
        /// What was attempted and what the system answered.
        reason: String,
        /// What a person can do about it.
        mend: String,
    },
    /// It cannot, so that no command is run.
    Refused {
        /// What was attempted and what the system answered.
        reason: String,
        /// What a person can do about it.
        mend: String,
    },
}

/// Why a command was not run, or its end is not known.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// What was asked for makes no sense on any machine.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The helper program is not where it should be.
    #[error("cannot open the sandbox program {}: {error}", path.display())]
    NoHelper {
        /// Where it was looked for.
        path: PathBuf,
        /// The system's answer.
        error: std::io::Error,
    },
    /// The helper program could not be started or talked to.
    #[error("cannot start the sandbox program: {0}")]
    Start(#[from] std::io::Error),
    /// This machine cannot confine the command, so it was not started.
    #[error("the command was not run, because it cannot be confined: {reason}; to mend it, {mend}")]
    Refused {
        /// What was attempted and what the system answered.
        reason: String,
        /// What a person can do about it.
        mend: String,
    },
    /// The helper was ended by somebody else, and all below it with it.
    #[error("the sandbox was ended from outside ({0})")]
    Lost(ExitStatus),
}

/// Runs commands in the cage. Cheap to clone; holds the helper program open, so that replacing its file changes nothing.
#[derive(Debug, Clone)]
pub struct Sandbox {
    launcher: Launcher,
    own: Arc<[PathBuf]>,
}

/// Why an attempt failed.
enum Failed {
    /// For what the machine refuses; with less of its help it may go.
    ByMachine(String),
    /// For good.
    Otherwise(SandboxError),
}

impl<E: Into<SandboxError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Failed::Otherwise(error.into())
    }
}

impl Sandbox {
    /// Opens the helper program at `path`.
    ///
    /// # Errors
    /// When it is not there.
    pub fn open(path: &Path) -> Result<Self, SandboxError> {
        Ok(Self { launcher: Launcher::open(path)?, own: Arc::default() })
    }

    /// Opens the helper program that was installed with this one: `pilotfish-sandbox` in the folder of the running program,
    /// or, for a test, in the folder above it.
    ///
    /// # Errors
    /// When it is not there.
    pub fn find() -> Result<Self, SandboxError> {
        let program = std::env::current_exe()?;
        let beside = program.with_file_name(launcher::NAME);
        let above = program.parent().map(|folder| folder.with_file_name(launcher::NAME));
        match above {
            Some(above) if !beside.exists() && above.exists() => Self::open(&above),
            Some(_) | None => Self::open(&beside),
        }
    }

    /// The same, but nothing of these folders, which hold our own configuration and records, is ever granted.
    #[must_use]
    pub fn keeping_out(self, own: &[PathBuf]) -> Self {
        Self { own: own.into(), ..self }
    }

    /// Runs a command, attended as said. Returns when the command is over, and with it everything it started.
    /// Where the machine refuses namespaces it is run with the rest, and its tier says so.
    ///
    /// # Errors
    /// When the command was not run.
    pub async fn run(&self, spec: &Spec, mut attendance: Attendance<'_>) -> Result<Finished, SandboxError> {
        let start = Instant::now();
        let (tier, (status, stopped)) = match self.attempt(spec, Strength::Full, &mut attendance).await {
            Ok(ended) => (Tier::Full, ended),
            Err(Failed::Otherwise(error)) => return Err(error),
            Err(Failed::ByMachine(reason)) => match self.attempt(spec, Strength::Weak, &mut attendance).await {
                Ok(ended) => (Tier::Weak { reason }, ended),
                Err(failed) => return Err(self.refused(&reason, failed)),
            },
        };
        Ok(Finished { status, stopped, duration: start.elapsed(), tier })
    }

    /// Runs a command with the streams of this program, and waits for it. No time limit applies, and there is no proxy.
    ///
    /// # Errors
    /// When the command was not run.
    pub fn run_attached(&self, spec: &Spec) -> Result<Finished, SandboxError> {
        self.run_and_wait(spec, Streams::Ours)
    }

    /// Finds out whether this machine can confine commands, by confining one.
    #[must_use]
    pub fn check(&self) -> Confinement {
        let refused = |error: SandboxError| match error {
            SandboxError::Refused { reason, mend } => Confinement::Refused { reason, mend },
            error => Confinement::Refused { reason: error.to_string(), mend: self.mend() },
        };
        let spec = match probe() {
            Ok(spec) => spec,
            Err(error) => return refused(error),
        };
        match self.run_and_wait(&spec, Streams::None) {
            Ok(Finished { status: Exit::Code(0), tier: Tier::Full, .. }) => Confinement::Confined,
            Ok(Finished { status: Exit::Code(0), tier: Tier::Weak { reason }, .. }) => {
                Confinement::Weak { reason, mend: self.mend() }
            }
            Ok(Finished { status, .. }) => {
                Confinement::Refused { reason: format!("a probe ended with {status:?}"), mend: self.mend() }
            }
            Err(error) => refused(error),
        }
    }

    fn run_and_wait(&self, spec: &Spec, streams: Streams) -> Result<Finished, SandboxError> {
        let start = Instant::now();
        let (tier, status) = match self.wait(spec, Strength::Full, streams) {
            Ok(status) => (Tier::Full, status),
            Err(Failed::Otherwise(error)) => return Err(error),
            Err(Failed::ByMachine(reason)) => match self.wait(spec, Strength::Weak, streams) {
                Ok(status) => (Tier::Weak { reason }, status),
                Err(failed) => return Err(self.refused(&reason, failed)),
            },
        };
        Ok(Finished { status, stopped: None, duration: start.elapsed(), tier })
    }

    fn wait(&self, spec: &Spec, strength: Strength, streams: Streams) -> Result<Exit, Failed> {
        let message = self.message(spec, strength)?;
        let (mut child, channel) = self.launcher.start(streams)?;
        launcher::send(&channel, &message)?;
        let status = child.wait()?;
        self.judge(launcher::take_report(&channel, Vec::new())?, status)
    }

    /// What the helper is told. Blocks: it looks at the place of every store.
    fn message(&self, spec: &Spec, strength: Strength) -> Result<Vec<u8>, SpecError> {
        let context = spec::Context { strength, own: &self.own, resolve: &|path| path.canonicalize().ok() };
        Ok(spec::request(spec, context)?.encode())
    }

    fn judge(&self, report: Option<Report>, status: ExitStatus) -> Result<Exit, Failed> {
        match report {
            Some(Report::Exited(code)) => Ok(Exit::Code(code)),
            Some(Report::Signalled(signal)) => Ok(Exit::Signal(signal)),
            Some(ref refused @ Report::Refused { by_machine, .. }) => {
                let reason = refusal::reason(refused).unwrap_or_default();
                Err(if by_machine {
                    Failed::ByMachine(reason)
                } else {
                    Failed::Otherwise(SandboxError::Refused { reason, mend: self.mend() })
                })
            }
            Some(Report::Listening) | None => Err(Failed::Otherwise(SandboxError::Lost(status))),
        }
    }

    /// The end of both attempts, where the first failed for `reason`.
    fn refused(&self, reason: &str, failed: Failed) -> SandboxError {
        match failed {
            Failed::ByMachine(second) | Failed::Otherwise(SandboxError::Refused { reason: second, .. }) => {
                SandboxError::Refused { reason: format!("{reason}; with less, {second}"), mend: self.mend() }
            }
            Failed::Otherwise(error) => error,
        }
    }

    fn mend(&self) -> String {
        refusal::mend(Machine::look(), self.launcher.path())
    }
}

/// What [`Sandbox::check`] runs.
fn probe() -> Result<Spec, SandboxError> {
    let usr = AbsPath::new("/usr").map_err(|error| SandboxError::Start(std::io::Error::other(error.to_string())))?;
    Ok(Spec {
        mode: Mode::ReadOnly,
        workspace: usr.clone(),
        cwd: usr,
        argv: vec!["true".to_owned()],
        env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        time_limit: None,
        layers: Vec::new(),
        proxy: false,
        grants_paths: Vec::new(),
    })
}
