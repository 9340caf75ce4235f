//! The daemon's socket: where it lies, who may connect, and how long the daemon stays.
//!
//! One daemon serves a person's state directory: it holds that directory's lock for life, and touches the socket only while it
//! does. There is no other way in; nothing listens on a network.

use crate::config::{Home, private_directory};
use crate::door::hello::{self, Answer, Build, Door, Hello, Welcome};
use crate::door::{Ended, acp, lsp};
use crate::hub::{Hub, Stop};
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The longest path a socket can have, in bytes: what `sockaddr_un` holds on Linux, its end apart.
const MAX_PATH: usize = 107;

/// How long a client may take for its first line.
const HELLO_LIMIT: Duration = Duration::from_secs(5);

/// How long a daemon that starts waits for one that ends.
const LOCK_LIMIT: Duration = Duration::from_secs(10);

/// How often it looks whether that one has ended.
const LOCK_PACE: Duration = Duration::from_millis(5);

/// How long a daemon stays for its first client, at least.
const FIRST_CLIENT: Duration = Duration::from_secs(10);

/// How long turns may take to end when the daemon must. With the next it stays below two seconds.
const SHUTDOWN_LIMIT: Duration = Duration::from_millis(1200);

/// How long clients may take for what they are told last.
const FAREWELL_LIMIT: Duration = Duration::from_millis(500);

/// How long a client may take to read the last byte.
const GOODBYE_LIMIT: Duration = Duration::from_millis(500);

/// What ends a stream whose client said goodbye properly. It occurs nowhere else: JSON escapes it.
pub(crate) const GOODBYE: u8 = 0;

/// Why there is no socket to serve or to dial.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another daemon has the state directory.
    #[error("another pilotfish daemon serves {}", state.display())]
    Taken {
        /// The directory.
        state: PathBuf,
    },
    /// Others could reach into the socket's directory.
    #[error("{} is not safe for a socket: {why}; remove it or mend its owner and rights", folder.display())]
    Unsafe {
        /// The directory.
        folder: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// The system said no.
    #[error("cannot {attempt} {}: {error}", path.display())]
    Io {
        /// What was tried.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        error: std::io::Error,
    },
}

/// Where the daemon of a state directory listens.
#[must_use]
pub fn address(home: &Home) -> PathBuf {
    let hash = blake3::hash(home.state.as_os_str().as_bytes()).to_hex();
    let name = format!("{}.sock", &hash[..16]);
    let path = home.runtime.join(&name);
    if path.as_os_str().len() <= MAX_PATH { path } else { Home::temporary_runtime().join(name) }
}

/// Makes the folder of a socket, or makes sure that nobody else can reach into it.
pub(crate) fn private_folder(socket: &Path) -> Result<(), SocketError> {
    let folder = socket.parent().unwrap_or(Path::new("/"));
    let io = |attempt| move |error| SocketError::Io { attempt, path: folder.to_owned(), error };
    private_directory(folder).map_err(io("make"))?;
    let found = folder.symlink_metadata().map_err(io("look at"))?;
    let why = if !found.is_dir() {
        "it is no directory"
    } else if found.uid() != rustix::process::geteuid().as_raw() {
        "it belongs to somebody else"
    } else if found.mode() & 0o077 != 0 {
        "others may look into it"
    } else {
        return Ok(());
    };
    Err(SocketError::Unsafe { folder: folder.to_owned(), why })
}

/// Opens a file to be locked.
pub(crate) fn lock_file(path: &Path) -> Result<File, SocketError> {
    let open = || {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        // Nobody else may hold it against us, whatever became of its rights.
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    };
    open().map_err(|error| SocketError::Io { attempt: "open", path: path.to_owned(), error })
}

/// A daemon's socket, with the lock that makes it the only one.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    build: Build,
    /// Freed when the last of this is gone.
    _lock: File,
}

/// Why a daemon ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody used it.
    Unused,
    /// It was told to.
    Told,
}

impl Socket {
    /// Takes the state directory and listens. Waits a while for a daemon that is ending.
    ///
    /// # Errors
    /// When another daemon stays, or the directories cannot be had.
    pub async fn bind(home: &Home) -> Result<Self, SocketError> {
        private_directory(&home.state).map_err(|error| SocketError::Io {
            attempt: "make",
            path: home.state.clone(),
            error,
        })?;
        let lock = lock_file(&home.state.join("daemon.lock"))?;
        let begin = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begin.elapsed() < LOCK_LIMIT => tokio::time::sleep(LOCK_PACE).await,
                Err(TryLockError::WouldBlock) => return Err(SocketError::Taken { state: home.state.clone() }),
                Err(TryLockError::Error(error)) => {
                    return Err(SocketError::Io { attempt: "lock", path: home.state.clone(), error });
                }
            }
        }
        let path = address(home);
        private_folder(&path)?;
        let io = |attempt: &'static str| {
            let path = path.clone();
            move |error| SocketError::Io { attempt, path, error }
        };
        // Whoever left it is dead: the lock says so.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io("remove")(error)),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&path).map_err(io("listen at"))?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(io("protect"))?;
        Ok(Self { listener, path, build: Build::ours(), _lock: lock })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Serves clients until the daemon is told to stop or nobody has used it for `idle`; then ends its sessions. The lock is
    /// free when it returns.
    ///
    /// # Errors
    /// When signals cannot be received.
    pub async fn run(self, hub: Hub, idle: Duration) -> std::io::Result<Why> {
        let mut clients = JoinSet::new();
        let why = self.serve(&hub, &mut clients, idle).await?;
        tracing::info!(?why, "ending");
        let Self { listener, path, _lock, .. } = self;
        // Who dials from now on finds nobody and starts the next daemon, which waits for the lock.
        let _ = std::fs::remove_file(&path);
        drop(listener);
        if tokio::time::timeout(SHUTDOWN_LIMIT, hub.shutdown()).await.is_err() {
            tracing::error!("turns did not end in time; they will count as interrupted");
        }
        let farewell = async { while clients.join_next().await.is_some() {} };
        // Who does not read is not waited for.
        let _ = tokio::time::timeout(FAREWELL_LIMIT, farewell).await;
        clients.shutdown().await;
        hub.journal().clone().close().await;
        Ok(why)
    }

    async fn serve(&self, hub: &Hub, clients: &mut JoinSet<()>, idle: Duration) -> std::io::Result<Why> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut patience = idle.max(FIRST_CLIENT);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        clients.spawn(receive(hub.clone(), stream, self.build.clone()));
                        patience = idle;
                    }
                    Err(error) => {
                        // Out of descriptors, most likely; some come back as clients leave.
                        tracing::warn!(%error, "could not accept a client");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = clients.join_next() => {}
                () = hub.running().none_run_for(patience), if clients.is_empty() => return Ok(Why::Unused),
                () = hub.stopped() => return Ok(Why::Told),
                _ = terminate.recv() => return Ok(Why::Told),
                _ = interrupt.recv() => return Ok(Why::Told),
            }
        }
    }
}

/// Finds out who connects, and hands the connection to its door.
async fn receive(hub: Hub, stream: UnixStream, build: Build) {
    let us = rustix::process::geteuid().as_raw();
    match stream.peer_cred() {
        Ok(peer) if peer.uid() == us => {}
        Ok(peer) => return tracing::warn!(uid = peer.uid(), "another user tried to connect"),
        Err(error) => return tracing::warn!(%error, "cannot tell who connects"),
    }
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input);
    let hello = tokio::select! {
        hello = tokio::time::timeout(HELLO_LIMIT, read_hello(&mut input)) => hello,
        // Whoever has said nothing so far can say it to the next daemon.
        () = hub.over() => return,
    };
    let hello = match hello {
        Ok(Ok(hello)) => hello,
        Ok(Err(why)) => return tracing::warn!(why, "a connection was refused"),
        Err(_) => return tracing::warn!("a connection said nothing"),
    };
    if hello.build > build {
        tracing::info!(newer = %hello.build, ours = %build, "a newer build asks for its turn");
        hub.stop(Stop::Drain);
    }
    let answer = if hub.is_over() { Answer::Ending } else { Answer::Served };
    let welcome = hello::line(&Welcome::new(build, answer));
    if output.write_all(&welcome).await.is_err() || answer == Answer::Ending {
        return;
    }
    tracing::debug!(?hello, "connected");
    hub.resume(&hello.environment()).await;
    let environment = hello.environment();
    let ended = match hello.door {
        Door::Lsp => lsp::serve(hub, environment, input, &mut output).await,
        Door::Acp => acp::serve(hub, environment, input, &mut output).await,
    };
    if ended == Ended::ShutDown {
        // A client that is gone needs no goodbye, and one that does not read must not keep us.
        let _ = tokio::time::timeout(GOODBYE_LIMIT, output.write_all(&[GOODBYE])).await;
    }
}

async fn read_hello(input: &mut (impl AsyncBufReadExt + Unpin)) -> Result<Hello, String> {
    let mut line = Vec::new();
    let limit = u64::try_from(hello::MAX_LINE).unwrap_or(u64::MAX);
    input.take(limit).read_until(b'\n', &mut line).await.map_err(|error| error.to_string())?;
    if line.last() != Some(&b'\n') {
        return Err("its first line does not end".to_owned());
    }
    hello::read_hello(&line).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
