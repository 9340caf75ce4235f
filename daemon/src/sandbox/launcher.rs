//! Starting the helper program and talking to it. The program is opened once and started by its descriptor.

use std::io::{self, IoSliceMut, PipeWriter, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};

use crate::sandbox::SandboxError;
use crate::sandbox::wire::{Report, body_length};

/// The name of the helper program.
pub(crate) const NAME: &str = "pilotfish-sandbox";

/// The helper program, open.
#[derive(Debug, Clone)]
pub(crate) struct Launcher {
    program: Arc<OwnedFd>,
    path: Arc<PathBuf>,
}

/// The streams of a command that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Those of this program.
    Ours,
    /// No input, and nobody reads the output.
    None,
}

impl Launcher {
    pub(crate) fn open(path: &Path) -> Result<Self, SandboxError> {
        let path = path.canonicalize().map_err(|error| SandboxError::NoHelper { path: path.to_owned(), error })?;
        // Reading is enough to start it, and says now whether it can be.
        let file = std::fs::File::open(&path).map_err(|error| SandboxError::NoHelper { path: path.clone(), error })?;
        Ok(Self { program: Arc::new(file.into()), path: Arc::new(path) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts it with both of the command's output streams going to `output`, reading `input` if there is any. Dropped, it is killed.
    pub(crate) fn start_async(
        &self,
        output: PipeWriter,
        input: Option<&OwnedFd>,
    ) -> io::Result<(tokio::process::Child, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut command = self.command(theirs);
        command.arg("run").stdout(output.try_clone()?).stderr(output);
        // Open until the helper has it, under its number. Other helpers that are started in this moment close what is not theirs.
        let input = input.map(rustix::io::dup).transpose()?;
        if let Some(input) = &input {
            command.arg(input.as_raw_fd().to_string());
        }
        let child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        Ok((child, ours))
    }

    pub(crate) fn start(&self, streams: Streams) -> io::Result<(Child, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = self.command(theirs);
        command.arg("run");
        // Open until the helper has it: a copy that the helper inherits under its number.
        let input = match streams {
            Streams::Ours => Some(rustix::io::dup(rustix::stdio::stdin())?),
            Streams::None => {
                command.stdout(Stdio::null()).stderr(Stdio::null());
                None
            }
        };
        if let Some(input) = &input {
            command.arg(input.as_raw_fd().to_string());
        }
        Ok((command.spawn()?, ours))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where a program is started")]
    fn command(&self, channel: UnixStream) -> Command {
        let mut command = if cfg!(target_os = "linux") {
            Command::new(format!("/proc/self/fd/{}", self.program.as_raw_fd()))
        } else {
            Command::new(self.path.as_path())
        };
        command.arg0(NAME).env_clear().current_dir("/").stdin(OwnedFd::from(channel));
        command
    }
}

/// Hands a message over. A helper that does not take all of it has ended, and says why in its report.
pub(crate) fn send(mut channel: &UnixStream, message: &[u8]) -> io::Result<()> {
    match channel.write_all(message) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What is received is not for the programs we start.
#[cfg(target_os = "linux")]
const RECEIVE: RecvFlags = RecvFlags::CMSG_CLOEXEC;
/// Elsewhere the kernel knows no such wish, and no listener is ever sent.
#[cfg(not(target_os = "linux"))]
const RECEIVE: RecvFlags = RecvFlags::empty();

/// What a helper says first.
pub(crate) enum Received {
    /// The listener it opened inside.
    Listener(TcpListener),
    /// Something else: the beginning of its report, or nothing.
    Bytes(Vec<u8>),
}

/// Takes what the helper says before the command starts, without waiting.
pub(crate) fn receive(channel: impl AsFd) -> io::Result<Received> {
    let expected = Report::Listening.encode();
    let mut bytes = vec![0; expected.len()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut place = [IoSliceMut::new(&mut bytes)];
    let received = rustix::net::recvmsg(channel, &mut place, &mut ancillary, RECEIVE)?;
    let listener = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    bytes.truncate(received.bytes);
    Ok(match listener {
        Some(listener) if bytes == expected => Received::Listener(TcpListener::from(listener)),
        Some(_) | None => Received::Bytes(bytes),
    })
}

/// Reads the report of a helper that has ended, of which `received` came before; nothing when it ended without one.
pub(crate) fn take_report(mut channel: &UnixStream, mut received: Vec<u8>) -> io::Result<Option<Report>> {
    // Nobody writes any more: what is there is all there is, and nothing is worth waiting for.
    channel.set_nonblocking(true)?;
    match channel.read_to_end(&mut received) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock && error.kind() != io::ErrorKind::ConnectionReset => {
            return Err(error);
        }
        Ok(_) | Err(_) => {}
    }
    let mut rest = received.as_slice();
    while let Some((header, body)) = rest.split_first_chunk::<4>() {
        let length = body_length(*header).map_err(io::Error::other)?;
        let (body, next) = body.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        match Report::decode(body).map_err(io::Error::other)? {
            Report::Listening => rest = next,
            report => return Ok(Some(report)),
        }
    }
    Ok(None)
}
