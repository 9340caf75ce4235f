//! Who is there while a command runs: takes its output, stops it, lets its clock stand still, and is handed its listener.

use std::future;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::sandbox::wire::Strength;
use crate::sandbox::{Exit, Failed, Sandbox, SandboxError, Spec, Stopped, launcher};

/// How much output is taken at once, in bytes.
const CHUNK: usize = 64 << 10;

/// How long the helper may take to end everything before it is killed itself. Measured: 1 to 3 ms.
const GRACE: Duration = Duration::from_millis(500);

/// Takes a sandbox's listener.
pub type OnListener<'a> = Box<dyn FnOnce(TcpListener) + Send + 'a>;

/// What is done while a command runs.
pub struct Attendance<'a> {
    /// Ends the command, and all it started.
    pub cancel: CancellationToken,
    /// Gets what it writes to either stream, in the order it was written and as it comes; must not wait.
    pub on_output: &'a mut (dyn FnMut(&[u8]) + Send),
    /// Gets the listener of the inside's proxy, which is blocking, before the command starts. Not called without [`Spec::proxy`], nor
    /// in the weak tier. Connections that it accepts come from inside.
    pub on_listener: Option<OnListener<'a>>,
    /// What it reads; it has no input when missing.
    pub input: Option<OwnedFd>,
    /// While this is true the time limit stands still.
    pub paused: Option<watch::Receiver<bool>>,
}

impl<'a> Attendance<'a> {
    /// Takes the output, until cancelled.
    pub fn new(cancel: &CancellationToken, on_output: &'a mut (dyn FnMut(&[u8]) + Send)) -> Self {
        Self { cancel: cancel.clone(), on_output, on_listener: None, input: None, paused: None }
    }
}

impl Sandbox {
    /// Runs a command, confined as told, while somebody attends.
    pub(super) async fn attempt(
        &self,
        spec: &Spec,
        strength: Strength,
        attendance: &mut Attendance<'_>,
    ) -> Result<(Exit, Option<Stopped>), Failed> {
        let (sandbox, wanted) = (self.clone(), spec.clone());
        let message = tokio::task::spawn_blocking(move || sandbox.message(&wanted, strength)).await;
        let message = message.map_err(io::Error::other)??;
        let (reader, writer) = io::pipe()?;
        let (child, channel) = self.launcher.start_async(writer, attendance.input.as_ref())?;
        let mut run = Run {
            child,
            channel: UnixStream::from_std(channel)?,
            output: pipe::Receiver::from_owned_fd(reader.into())?,
            chunk: vec![0; CHUNK],
            received: Vec::new(),
        };
        let awaits_listener = spec.proxy && strength == Strength::Full;
        let stopped = run.watch(&message, spec.time_limit, awaits_listener, attendance).await?;
        let status = match stopped {
            Some(_) => run.stop().await?,
            None => run.child.wait().await?,
        };
        run.drain(attendance);
        let status = match stopped {
            Some(_) => Exit::Signal(libc::SIGKILL),
            None => self.judge(launcher::take_report(&run.channel.into_std()?, run.received)?, status)?,
        };
        Ok((status, stopped))
    }
}

/// A helper at work. Dropped, it takes everything below it along.
struct Run {
    child: tokio::process::Child,
    channel: UnixStream,
    output: pipe::Receiver,
    chunk: Vec<u8>,
    /// What came over the channel instead of a listener.
    received: Vec<u8>,
}

impl Run {
    /// Hands the request over and passes output on until the command is over or must be stopped.
    async fn watch(
        &mut self,
        request: &[u8],
        time_limit: Option<Duration>,
        mut awaits_listener: bool,
        attendance: &mut Attendance<'_>,
    ) -> Result<Option<Stopped>, SandboxError> {
        let mut out_of_time = std::pin::pin!(out_of_time(time_limit, attendance.paused.clone()));
        let (channel, mut sender) = self.channel.split();
        let mut send = std::pin::pin!(async {
            // A helper that does not take all of it has ended, and says why in its report.
            let _ = sender.write_all(request).await;
            future::pending::<()>().await;
        });
        let mut is_open = true;
        loop {
            tokio::select! {
                biased;
                () = attendance.cancel.cancelled() => return Ok(Some(Stopped::Cancelled)),
                () = &mut out_of_time => return Ok(Some(Stopped::TimeLimit)),
                () = &mut send => {}
                received = receive(channel.as_ref()), if awaits_listener => {
                    awaits_listener = false;
                    match (received, attendance.on_listener.take()) {
                        (Ok(launcher::Received::Listener(listener)), Some(on_listener)) => on_listener(listener),
                        (Ok(launcher::Received::Bytes(bytes)), _) => self.received = bytes,
                        // A helper that is gone says no more; that it is gone is seen below.
                        (Ok(launcher::Received::Listener(_)) | Err(_), _) => {}
                    }
                }
                read = self.output.read(&mut self.chunk), if is_open => match read {
                    Ok(0) | Err(_) => is_open = false,
                    Ok(read) => (attendance.on_output)(self.chunk.get(..read).unwrap_or_default()),
                },
                ended = self.child.wait() => {
                    ended?;
                    return Ok(None);
                }
            }
        }
    }

    /// Ends everything and waits until it is gone: the helper itself ends last.
    async fn stop(&mut self) -> Result<std::process::ExitStatus, SandboxError> {
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
    fn drain(&mut self, attendance: &mut Attendance<'_>) {
        while let Ok(read @ 1..) = self.output.try_read(&mut self.chunk) {
            (attendance.on_output)(self.chunk.get(..read).unwrap_or_default());
        }
    }
}

/// The first thing that comes over the channel.
async fn receive(channel: &UnixStream) -> io::Result<launcher::Received> {
    loop {
        channel.readable().await?;
        match channel.try_io(Interest::READABLE, || launcher::receive(channel)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            received => return received,
        }
    }
}

/// Waits until the time is used up, not counting what passes while it is paused.
async fn out_of_time(limit: Option<Duration>, paused: Option<watch::Receiver<bool>>) {
    let Some(mut left) = limit else { return future::pending().await };
    let Some(mut paused) = paused else { return tokio::time::sleep(left).await };
    loop {
        // Who can no longer pause it has let it go on.
        if paused.wait_for(|paused| !paused).await.is_err() {
            return tokio::time::sleep(left).await;
        }
        let began = Instant::now();
        let pause = async {
            if paused.wait_for(|paused| *paused).await.is_err() {
                future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = tokio::time::sleep(left) => return,
            () = pause => left = left.saturating_sub(began.elapsed()),
        }
    }
}

#[cfg(test)]
mod tests;
