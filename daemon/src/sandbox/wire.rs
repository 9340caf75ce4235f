//! What the daemon and `pilotfish-sandbox` say to each other on their channel: one request, then at most a listener
//! and a report. Pure.
//!
//! A message is its length (u32, little endian) and its body. In a body numbers are u32 or i32, little endian; a text is its
//! length and its bytes, so that a path of any bytes arrives as it is; a list is its length and its elements.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The longest message that is read, in bytes. The kernel allows a command line and environment of 6 MiB at most.
pub const MAX_MESSAGE: usize = 16 << 20;

/// How much of the machine's help a run is confined with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// Namespaces, mounts, Landlock and system call filters.
    Full,
    /// Landlock and system call filters alone; nothing can be written but a private folder.
    Weak,
}

/// What a granted path may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and running.
    Execute,
    /// Reading and writing.
    Write,
    /// Reading, writing and running.
    WriteExecute,
    /// Reading and running; what is written there is seen by this run alone and thrown away with it.
    ThrowAway,
}

/// A path that is visible inside, at the same place, with everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The path; links in it are resolved, and its own name works inside too.
    pub path: PathBuf,
    /// What for.
    pub access: Access,
}

impl Access {
    /// Whether it allows writing.
    #[must_use]
    pub fn writes(self) -> bool {
        match self {
            Access::Write | Access::WriteExecute | Access::ThrowAway => true,
            Access::Read | Access::Execute => false,
        }
    }
}

/// A folder that is seen through an overlay: what is written there lands in another folder, and the folder stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The folder seen through it, absolute and without links: the work tree, or a git directory outside of it.
    pub lower: PathBuf,
    /// Where what the command changes goes. An empty folder at first, or one that was an upper of the same folder before.
    pub upper: PathBuf,
    /// The overlay's own folder, empty, on the file system of `upper`.
    pub work: PathBuf,
    /// Folders below `lower`, relative, that can be written; the rest is read-only. Empty: all of it.
    pub writable: Vec<PathBuf>,
    /// Folders below `lower`, relative, that are written directly, past the overlay. Those that are links, or missing, are not.
    pub through: Vec<PathBuf>,
}

impl Layer {
    /// What can be written through it.
    pub fn writable_paths(&self) -> impl Iterator<Item = PathBuf> {
        let all = self.writable.is_empty().then(|| self.lower.clone());
        all.into_iter().chain(self.writable.iter().chain(&self.through).map(|path| self.lower.join(path)))
    }
}

/// Everything the helper needs to know. It decides nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// How it is confined.
    pub strength: Strength,
    /// The workspace, without links.
    pub workspace: PathBuf,
    /// Where the command starts.
    pub cwd: PathBuf,
    /// The program, searched by the PATH of `env`, and its arguments.
    pub argv: Vec<OsString>,
    /// The whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// What is visible.
    pub grants: Vec<Grant>,
    /// Folders that are made, empty and writable, and gone with the command.
    pub private: Vec<PathBuf>,
    /// Folders seen through overlays. They are granted as well.
    pub layers: Vec<Layer>,
    /// The port of the inside's own loopback on which a listener is opened and handed to the daemon; 0 for none.
    pub listen: u16,
}

/// How a run ended, told by the helper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The command ended by itself.
    Exited(i32),
    /// The command was ended by a signal.
    Signalled(i32),
    /// A listener was opened inside; its descriptor comes with these bytes. A run that tells this still ends with another report.
    Listening,
    /// The command was never started, because it could not be confined.
    Refused {
        /// Whether it is for what the machine refuses, so that a weaker confinement may be possible.
        by_machine: bool,
        /// What was attempted.
        step: String,
        /// The system's number for the error; 0 when there is none.
        errno: i32,
        /// The system's words.
        detail: String,
    },
}

/// A message that the other side cannot have sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a broken message on the sandbox channel")]
pub struct Broken;

impl Request {
    /// The message, length included.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.number(self.strength as u32);
        writer.path(&self.workspace);
        writer.path(&self.cwd);
        writer.list(&self.argv, |writer, argument| writer.text(argument));
        writer.list(&self.env, |writer, (name, value)| {
            writer.text(name);
            writer.text(value);
        });
        writer.list(&self.grants, |writer, grant| {
            writer.path(&grant.path);
            writer.number(grant.access as u32);
        });
        writer.list(&self.private, |writer, path| writer.path(path));
        writer.list(&self.layers, |writer, layer| {
            writer.path(&layer.lower);
            writer.path(&layer.upper);
            writer.path(&layer.work);
            writer.list(&layer.writable, |writer, path| writer.path(path));
            writer.list(&layer.through, |writer, path| writer.path(path));
        });
        writer.number(self.listen.into());
        writer.finish()
    }

    /// Reads the body of a message.
    ///
    /// # Errors
    /// When it is cut, too long or says something unknown.
    pub fn decode(body: &[u8]) -> Result<Self, Broken> {
        let mut reader = Reader { rest: body };
        let request = Self {
            strength: reader.strength()?,
            workspace: reader.path()?,
            cwd: reader.path()?,
            argv: reader.list(Reader::text)?,
            env: reader.list(|reader| Ok((reader.text()?, reader.text()?)))?,
            grants: reader.list(|reader| Ok(Grant { path: reader.path()?, access: reader.access()? }))?,
            private: reader.list(Reader::path)?,
            layers: reader.list(Reader::layer)?,
            listen: u16::try_from(reader.number()?).map_err(|_| Broken)?,
        };
        reader.end()?;
        Ok(request)
    }
}

impl Report {
    /// The message, length included.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        match self {
            Report::Exited(code) => {
                writer.number(0);
                writer.signed(*code);
            }
            Report::Signalled(signal) => {
                writer.number(1);
                writer.signed(*signal);
            }
            Report::Listening => writer.number(3),
            Report::Refused { by_machine, step, errno, detail } => {
                writer.number(2);
                writer.number((*by_machine).into());
                writer.text(OsStr::new(step));
                writer.signed(*errno);
                writer.text(OsStr::new(detail));
            }
        }
        writer.finish()
    }

    /// Reads the body of a message.
    ///
    /// # Errors
    /// When it is cut, too long or says something unknown.
    pub fn decode(body: &[u8]) -> Result<Self, Broken> {
        let mut reader = Reader { rest: body };
        let report = match reader.number()? {
            0 => Report::Exited(reader.signed()?),
            1 => Report::Signalled(reader.signed()?),
            2 => Report::Refused {
                by_machine: reader.number()? != 0,
                step: reader.text()?.to_string_lossy().into_owned(),
                errno: reader.signed()?,
                detail: reader.text()?.to_string_lossy().into_owned(),
            },
            3 => Report::Listening,
            _ => return Err(Broken),
        };
        reader.end()?;
        Ok(report)
    }
}

/// How many bytes of body follow these four.
///
/// # Errors
/// When it is more than a message may have.
pub fn body_length(header: [u8; 4]) -> Result<usize, Broken> {
    let length = usize::try_from(u32::from_le_bytes(header)).map_err(|_| Broken)?;
    if length > MAX_MESSAGE { Err(Broken) } else { Ok(length) }
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn new() -> Self {
        Self { bytes: vec![0; 4] }
    }

    fn number(&mut self, number: u32) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn signed(&mut self, number: i32) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        // What does not fit makes a message over the limit, which the reader refuses.
        self.number(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn text(&mut self, text: &OsStr) {
        self.length(text.len());
        self.bytes.extend(text.as_bytes());
    }

    fn path(&mut self, path: &Path) {
        self.text(path.as_os_str());
    }

    fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.length(items.len());
        for item in items {
            write(self, item);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len() - 4).unwrap_or(u32::MAX);
        for (place, byte) in self.bytes.iter_mut().zip(length.to_le_bytes()) {
            *place = byte;
        }
        self.bytes
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn word(&mut self) -> Result<[u8; 4], Broken> {
        let (word, rest) = self.rest.split_first_chunk::<4>().ok_or(Broken)?;
        self.rest = rest;
        Ok(*word)
    }

    fn number(&mut self) -> Result<u32, Broken> {
        Ok(u32::from_le_bytes(self.word()?))
    }

    fn signed(&mut self) -> Result<i32, Broken> {
        Ok(i32::from_le_bytes(self.word()?))
    }

    fn length(&mut self) -> Result<usize, Broken> {
        body_length(self.word()?)
    }

    fn text(&mut self) -> Result<OsString, Broken> {
        let length = self.length()?;
        let (text, rest) = self.rest.split_at_checked(length).ok_or(Broken)?;
        self.rest = rest;
        Ok(OsString::from_vec(text.to_vec()))
    }

    fn path(&mut self) -> Result<PathBuf, Broken> {
        Ok(PathBuf::from(self.text()?))
    }

    fn strength(&mut self) -> Result<Strength, Broken> {
        [Strength::Full, Strength::Weak].get(self.length()?).copied().ok_or(Broken)
    }

    fn access(&mut self) -> Result<Access, Broken> {
        [Access::Read, Access::Execute, Access::Write, Access::WriteExecute, Access::ThrowAway]
            .get(self.length()?)
            .copied()
            .ok_or(Broken)
    }

    fn layer(&mut self) -> Result<Layer, Broken> {
        Ok(Layer {
            lower: self.path()?,
            upper: self.path()?,
            work: self.path()?,
            writable: self.list(Reader::path)?,
            through: self.list(Reader::path)?,
        })
    }

    fn list<T>(&mut self, read: impl Fn(&mut Self) -> Result<T, Broken>) -> Result<Vec<T>, Broken> {
        // No capacity from the wire: a list cannot claim more than the bytes that follow it.
        (0..self.length()?).map(|_| read(self)).collect()
    }

    fn end(&self) -> Result<(), Broken> {
        if self.rest.is_empty() { Ok(()) } else { Err(Broken) }
    }
}

#[cfg(test)]
mod tests;
