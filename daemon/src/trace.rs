//! The log: tracing to a file that only its owner can read, never to stdout. Keys are not logged: their type prints as stars, and
//! whatever else looks like a key is starred in each line before it is written.

use crate::config::{Home, private_directory};
use redact::redact;
use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

mod redact;

/// The log grows to this many bytes; then it becomes the old one, and the one before that is gone.
const MAX_LOG: u64 = 8 << 20;

/// What is logged unless `PILOTFISH_LOG` says otherwise.
const FILTER: &str = "info,hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,tower_lsp=warn,tower_lsp_server=warn";

/// Begins to log, once in a process. A log that cannot be written is no reason not to work.
pub fn start(home: &Home, filter: Option<&str>) {
    let Ok(log) = Log::open(&log_file(home), MAX_LOG) else { return };
    let said = filter.filter(|filter| !filter.is_empty());
    let filter = said.and_then(|filter| EnvFilter::try_new(filter).ok()).unwrap_or_else(|| EnvFilter::new(FILTER));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(log).finish();
    // Tests start several times in a process; the first one stays.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        log_panics();
    }
}

/// Where the log is.
#[must_use]
pub fn log_file(home: &Home) -> PathBuf {
    home.state.join("log").join("pilotfish.log")
}

/// A turn that panics ends with an error item that names the log; the terminal stays as it is.
fn log_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, message, "panicked");
        if std::thread::current().name() == Some("main") {
            usual(panic);
        }
    }));
}

#[derive(Debug, Clone)]
struct Log(Arc<Mutex<LogFile>>);

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
    max: u64,
}

impl Log {
    fn open(path: &Path, max: u64) -> std::io::Result<Self> {
        if let Some(folder) = path.parent() {
            private_directory(folder)?;
            make_private(folder, 0o700)?;
        }
        let file = append(path)?;
        let size = file.metadata()?.len();
        Ok(Self(Arc::new(Mutex::new(LogFile { path: path.to_owned(), file, size, max }))))
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.write_line(redact(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl LogFile {
    fn write_line(&mut self, line: &[u8]) -> std::io::Result<()> {
        if self.size >= self.max {
            std::fs::rename(&self.path, self.path.with_extension("log.old"))?;
            self.file = append(&self.path)?;
            // Another process may have begun the new one.
            self.size = self.file.metadata()?.len();
        }
        self.size += line.len() as u64;
        self.file.write_all(line)
    }
}

fn append(path: &Path) -> std::io::Result<File> {
    let file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    make_private(path, 0o600)?;
    Ok(file)
}

/// Takes the rights of others away from what was there before us.
fn make_private(path: &Path, mode: u32) -> std::io::Result<()> {
    if std::fs::metadata(path)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests;
