//! Running commands, confined. This module alone starts what a model or a repository names, and it never starts it
//! unconfined: where the machine cannot confine, there is a refusal with the reason and the mend.
//!
//! What is decided is decided in [`spec`]; the separate program `pilotfish-sandbox` carries it out.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use pilotfish_protocol::Mode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::path::AbsPath;
use crate::sandbox::launcher::{Launcher, Streams};
use crate::sandbox::refusal::Machine;
use crate::sandbox::wire::Report;

pub mod environment;
mod launcher;
pub mod proxy;
pub mod refusal;
pub mod spec;
pub mod wire;

pub use crate::sandbox::environment::{passes, spec_env};
pub use crate::sandbox::spec::SpecError;

/// How much output is taken at once, in bytes.
const CHUNK: usize = 64 << 10;

/// How long the helper may take to end everything before it is killed itself. Measured: 1 to 3 ms.
const GRACE: Duration = Duration::from_millis(500);

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

/// A command that was started and is over, with everything it had started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// How it ended; the signal is 9 when we stopped it.
    pub status: Exit,
    /// Whether we stopped it.
    pub stopped: Option<Stopped>,
    /// From the start of the helper to the end of the last process.
    pub duration: Duration,
}

/// Whether this machine can confine commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confinement {
    /// It can.
    Confined,
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
}

impl Sandbox {
    /// Opens the helper program at `path`.
    ///
    /// # Errors
    /// When it is not there.
    pub fn open(path: &Path) -> Result<Self, SandboxError> {
        Ok(Self { launcher: Launcher::open(path)? })
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

    /// Runs a command without input. `on_output` gets what it writes to either stream, in the order it was written and as it
    /// comes; it must not wait. Returns when the command is over, and with it everything it started.
    ///
    /// # Errors
    /// When the command was not run.
    pub async fn run(
        &self,
        spec: &Spec,
        cancel: &CancellationToken,
        on_output: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Finished, SandboxError> {
        let request = spec::request(spec, &|path| path.canonicalize().ok())?;
        let start = Instant::now();
        let (reader, writer) = std::io::pipe()?;
        let (child, channel) = self.launcher.start_async(writer)?;
        let mut run = Run {
            child,
            channel: UnixStream::from_std(channel)?,
            output: pipe::Receiver::from_owned_fd(reader.into())?,
            chunk: vec![0; CHUNK],
        };
        let stopped = run.watch(&request.encode(), cancel, spec.time_limit, on_output).await?;
        let status = match stopped {
            Some(_) => run.stop().await?,
            None => run.child.wait().await?,
        };
        run.drain(on_output);
        let status = match stopped {
            Some(_) => Exit::Signal(libc::SIGKILL),
            None => self.judge(launcher::take_report(&run.channel.into_std()?)?, status)?,
        };
        Ok(Finished { status, stopped, duration: start.elapsed() })
    }

    /// Runs a command with the streams of this program, and waits for it. No time limit applies.
    ///
    /// # Errors
    /// When the command was not run.
    pub fn run_attached(&self, spec: &Spec) -> Result<Exit, SandboxError> {
        self.run_and_wait(spec, Streams::Ours)
    }

    /// Finds out whether this machine can confine commands, by confining one.
    #[must_use]
    pub fn check(&self) -> Confinement {
        let usr = match AbsPath::new("/usr") {
            Ok(usr) => usr,
            Err(error) => return Confinement::Refused { reason: error.to_string(), mend: String::new() },
        };
        let spec = Spec {
            mode: Mode::ReadOnly,
            workspace: usr.clone(),
            cwd: usr,
            argv: vec!["true".to_owned()],
            env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            time_limit: None,
        };
        match self.run_and_wait(&spec, Streams::None) {
            Ok(Exit::Code(0)) => Confinement::Confined,
            Ok(exit) => Confinement::Refused { reason: format!("a probe ended with {exit:?}"), mend: self.mend() },
            Err(SandboxError::Refused { reason, mend }) => Confinement::Refused { reason, mend },
            Err(error) => Confinement::Refused { reason: error.to_string(), mend: self.mend() },
        }
    }

    fn run_and_wait(&self, spec: &Spec, streams: Streams) -> Result<Exit, SandboxError> {
        let request = spec::request(spec, &|path| path.canonicalize().ok())?;
        let (mut child, channel) = self.launcher.start(streams)?;
        launcher::send(&channel, &request.encode())?;
        let status = child.wait()?;
        self.judge(launcher::take_report(&channel)?, status)
    }

    fn judge(&self, report: Option<Report>, status: ExitStatus) -> Result<Exit, SandboxError> {
        match report {
            Some(Report::Exited(code)) => Ok(Exit::Code(code)),
            Some(Report::Signalled(signal)) => Ok(Exit::Signal(signal)),
            Some(refused @ Report::Refused { .. }) => {
                Err(SandboxError::Refused { reason: refusal::reason(&refused).unwrap_or_default(), mend: self.mend() })
            }
            None => Err(SandboxError::Lost(status)),
        }
    }

    fn mend(&self) -> String {
        refusal::mend(Machine::look(), self.launcher.path())
    }
}

/// A helper at work. Dropped, it takes everything below it along.
struct Run {
    child: tokio::process::Child,
    channel: UnixStream,
    output: pipe::Receiver,
    chunk: Vec<u8>,
}

impl Run {
    /// Hands the request over and passes output on until the command is over or must be stopped.
    async fn watch(
        &mut self,
        request: &[u8],
        cancel: &CancellationToken,
        time_limit: Option<Duration>,
        on_output: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Option<Stopped>, SandboxError> {
        let out_of_time = async {
            match time_limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(out_of_time);
        let send = async {
            // A helper that does not take all of it has ended, and says why in its report.
            let _ = self.channel.write_all(request).await;
            std::future::pending::<()>().await;
        };
        tokio::pin!(send);
        let mut is_open = true;
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Ok(Some(Stopped::Cancelled)),
                () = &mut out_of_time => return Ok(Some(Stopped::TimeLimit)),
                () = &mut send => {}
                read = self.output.read(&mut self.chunk), if is_open => match read {
                    Ok(0) | Err(_) => is_open = false,
                    Ok(read) => on_output(self.chunk.get(..read).unwrap_or_default()),
                },
                ended = self.child.wait() => {
                    ended?;
                    return Ok(None);
                }
            }
        }
    }

    /// Ends everything and waits until it is gone: the helper itself ends last.
    async fn stop(&mut self) -> Result<ExitStatus, SandboxError> {
        let _ = self.channel.shutdown().await;
        match tokio::time::timeout(GRACE, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => {
                self.child.start_kill()?;
                Ok(self.child.wait().await?)
            }
        }
    }

    /// Passes on what is left in the pipe. Nobody can write to it any more, so there is nothing to wait for.
    fn drain(&mut self, on_output: &mut (dyn FnMut(&[u8]) + Send)) {
        while let Ok(read @ 1..) = self.output.try_read(&mut self.chunk) {
            on_output(self.chunk.get(..read).unwrap_or_default());
        }
    }
}
