//! The shim: what an editor starts. It dials the daemon, starts one if nobody answers, says who it is, and copies bytes. Its end
//! is the end of a connection, never of a session.
//!
//! It has no runtime: two threads that block start fastest and cost least. It alone starts daemons.

use crate::config::{Environment, Home};
use crate::door::hello::{self, Answer, Hello};
use crate::door::socket::{self, GOODBYE, SocketError};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::Instant;

/// How long a daemon may take to answer, and to start or end before that.
const LIMIT: Duration = Duration::from_secs(20);

/// How often a daemon that is ending is dialled again.
const PACE: Duration = Duration::from_millis(5);

/// How long the daemon may take to close a connection whose client has left.
const CLOSING_LIMIT: Duration = Duration::from_secs(2);

/// What a daemon says on its standard output when it listens.
pub const READY: &str = "ready";

/// What a daemon gets of the environment of whoever starts it: where things lie. Keys come with each client.
const FOR_DAEMON: &[&str] = &[
    // Where notices are shown.
    "DBUS_SESSION_BUS_ADDRESS",
    "HOME",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "PATH",
    "PILOTFISH_HOME",
    "PILOTFISH_LOG",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
];

/// What to do when no daemon runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Start one.
    IfNeeded,
    /// Say so.
    Never,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piped {
    /// The client said goodbye as its protocol asks.
    Goodbye,
    /// It just left, or nobody reads what the daemon says.
    Left,
    /// The daemon ended it.
    CutOff,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ShimError {
    /// None runs, and none was to be started.
    #[error("no pilotfish daemon is running")]
    NotRunning,
    /// It could not be started.
    #[error("the pilotfish daemon did not start: {0}")]
    NotStarted(String),
    /// The socket is not what it should be.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// It is not ours.
    #[error("{} belongs to a program of another user; remove it", .0.display())]
    NotOurs(PathBuf),
    /// It does not speak as expected.
    #[error("the pilotfish daemon at {} answered something else than expected: {why}", path.display())]
    BadAnswer {
        /// The socket.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It takes too long.
    #[error("the pilotfish daemon at {} did not answer within {} s; `pilotfish log` may say why", .0.display(), LIMIT.as_secs())]
    Silent(PathBuf),
    /// The system said no.
    #[error("cannot talk to the pilotfish daemon: {0}")]
    Io(#[from] io::Error),
}

enum Dialled {
    Served(UnixStream),
    Ending,
    Nobody,
}

/// A connection on which both sides have said their first line.
///
/// # Errors
/// When there is no daemon and none is to be or can be started, or it does not answer.
pub fn connect(home: &Home, environment: &Environment, hello: &Hello, start: Start) -> Result<UnixStream, ShimError> {
    let path = socket::address(home);
    socket::private_folder(&path)?;
    let begin = Instant::now();
    while begin.elapsed() < LIMIT {
        match (dial(&path, hello)?, start) {
            (Dialled::Served(stream), _) => return Ok(stream),
            (Dialled::Ending, _) => std::thread::sleep(PACE),
            (Dialled::Nobody, Start::Never) => return Err(ShimError::NotRunning),
            (Dialled::Nobody, Start::IfNeeded) => start_daemon(&path, environment)?,
        }
    }
    Err(ShimError::Silent(path))
}

/// Waits until no daemon holds the state directory.
///
/// # Errors
/// When its lock cannot be looked at.
pub fn wait_for_end(home: &Home) -> Result<(), ShimError> {
    Ok(socket::lock_file(&home.state.join("daemon.lock"))?.lock()?)
}

fn dial(path: &Path, hello: &Hello) -> Result<Dialled, ShimError> {
    let mut stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(Dialled::Nobody);
        }
        Err(error) => return Err(error.into()),
    };
    if !is_ours(&stream) {
        return Err(ShimError::NotOurs(path.to_owned()));
    }
    stream.set_read_timeout(Some(LIMIT))?;
    let mut line = Vec::new();
    let said = stream.write_all(&hello::line(hello)).and_then(|()| {
        // Nothing follows the daemon's line before we go on, so nothing is lost with this buffer.
        BufReader::with_capacity(1 << 10, &stream).take(hello::MAX_LINE as u64).read_until(b'\n', &mut line)
    });
    let welcome = match said {
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            return Err(ShimError::Silent(path.to_owned()));
        }
        // It ended while we dialled.
        Ok(0) | Err(_) => return Ok(Dialled::Ending),
        Ok(_) => hello::read_welcome(&line),
    };
    let welcome = welcome.map_err(|error| ShimError::BadAnswer { path: path.to_owned(), why: error.to_string() })?;
    stream.set_read_timeout(None)?;
    Ok(match welcome.answer {
        Answer::Served => Dialled::Served(stream),
        Answer::Ending => Dialled::Ending,
    })
}

#[cfg(target_os = "linux")]
fn is_ours(stream: &UnixStream) -> bool {
    let peer = rustix::net::sockopt::socket_peercred(stream);
    peer.is_ok_and(|peer| peer.uid == rustix::process::geteuid())
}

/// The rights of the socket's folder are what says so here.
#[cfg(not(target_os = "linux"))]
fn is_ours(_: &UnixStream) -> bool {
    true
}

/// Starts a daemon and waits until it listens. Of many who want to start one, one does.
fn start_daemon(path: &Path, environment: &Environment) -> Result<(), ShimError> {
    let lock = socket::lock_file(&path.with_extension("start"))?;
    lock.lock()?;
    if UnixStream::connect(path).is_ok() {
        return Ok(());
    }
    let (output, input) = io::pipe()?;
    let mut daemon = daemon_command(environment, input)?;
    let mut child = daemon.spawn()?;
    // Our copies of the pipe's end go with it, so that the end of the daemon ends the reading.
    drop(daemon);
    let mut said = String::new();
    let mut output = BufReader::new(output);
    while output.read_line(&mut said)? > 0 {
        if said.lines().last() == Some(READY) {
            // It goes on after us. Should it end before, somebody has to notice.
            std::thread::spawn(move || child.wait());
            return Ok(());
        }
    }
    let status = child.wait()?;
    let said = said.trim().trim_start_matches("pilotfish: ");
    Err(ShimError::NotStarted(if said.is_empty() { status.to_string() } else { said.to_owned() }))
}

#[expect(clippy::disallowed_methods, reason = "the shim starts the daemon, which is this program")]
fn daemon_command(environment: &Environment, output: io::PipeWriter) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    let passed = FOR_DAEMON.iter().filter_map(|name| Some((*name, environment.get(*name)?)));
    let home =
        environment.get("PILOTFISH_HOME").filter(|home| !home.is_empty()).map(std::path::absolute).transpose()?;
    command
        .args(["serve", "--foreground", "--detached"])
        .env_clear()
        .envs(passed)
        .envs(home.map(|home| ("PILOTFISH_HOME", home)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    Ok(command)
}

/// Copies bytes both ways until either side has ended.
pub fn pipe(stream: UnixStream, mut input: File, mut output: impl Write) -> Piped {
    let (closing, closed) = std::sync::mpsc::channel::<()>();
    if let Ok(mut upward) = stream.try_clone() {
        std::thread::spawn(move || {
            let mut chunk = vec![0; 64 << 10];
            while let Ok(read @ 1..) = input.read(&mut chunk) {
                if upward.write_all(chunk.get(..read).unwrap_or_default()).is_err() {
                    return;
                }
            }
            // What was asked is still answered, for a while.
            let _ = closing.send(());
            let _ = upward.shutdown(Shutdown::Write);
            std::thread::sleep(CLOSING_LIMIT);
            let _ = upward.shutdown(Shutdown::Both);
        });
    }
    let mut downward = stream;
    let mut chunk = vec![0; 64 << 10];
    let mut goodbye = false;
    while let Ok(read @ 1..) = downward.read(&mut chunk) {
        let mut bytes = chunk.get(..read).unwrap_or_default();
        if let Some((&GOODBYE, before)) = bytes.split_last() {
            (goodbye, bytes) = (true, before);
        }
        if output.write_all(bytes).and_then(|()| output.flush()).is_err() {
            return Piped::Left;
        }
    }
    match (goodbye, closed.try_recv()) {
        (true, _) => Piped::Goodbye,
        (false, Ok(())) => Piped::Left,
        (false, Err(_)) => Piped::CutOff,
    }
}
