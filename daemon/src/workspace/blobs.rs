//! Bytes of files by their hash, below our state directory: what checkpoints take files back to, and the texts of reviews. Equal bytes
//! are kept once. Nothing here knows what is still needed: who collects says so. No blob is ever changed.
//!
//! A blob lies at `blobs/ab/cdef…`, where `abcdef…` is the BLAKE3 of its bytes in hexadecimal.

use super::temporary::next_number;
use blake3::{Hash, Hasher};
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The largest file that is kept, in bytes.
pub const MAX_FILE: u64 = 64 << 20;

/// What file systems give out at least, in bytes.
const BLOCK: u64 = 4096;

/// Bytes copied at once.
const CHUNK: usize = 1 << 18;

/// How files are named that are not whole yet: this, the process and a number.
const UNFINISHED: &str = "new-";

/// The kept bytes. Clones share them.
#[derive(Debug, Clone)]
pub struct Blobs(Arc<Store>);

#[derive(Debug)]
struct Store {
    root: PathBuf,
    state: Mutex<State>,
    /// On the disk, as far as we know: all of it once it was swept.
    bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// How many intakes have each.
    pinned: HashMap<Hash, usize>,
    /// Of a sweep that runs: what was put since it began, and may be referred to by now.
    since: Option<HashSet<Hash>>,
}

/// What somebody puts and has not yet recorded that it is needed. It is not collected before this is dropped.
#[derive(Debug)]
pub struct Intake {
    blobs: Blobs,
    pinned: Vec<Hash>,
}

/// A collection under way. Who has one reads what is needed, and then [removes](Sweep::remove) the rest.
#[derive(Debug)]
pub struct Sweep {
    blobs: Blobs,
}

impl Blobs {
    /// The blobs of a state directory. Nothing is made before something is put.
    #[must_use]
    pub fn open(state: &Path) -> Self {
        Self(Arc::new(Store { root: state.join("blobs"), state: Mutex::default(), bytes: AtomicU64::new(0) }))
    }

    /// Begins to put.
    #[must_use]
    pub fn intake(&self) -> Intake {
        Intake { blobs: self.clone(), pinned: Vec::new() }
    }

    /// Whether these bytes are kept.
    #[must_use]
    pub fn has(&self, hash: &Hash) -> bool {
        self.path(hash).is_file()
    }

    /// The bytes of a hash.
    ///
    /// # Errors
    /// When they are not kept, cannot be read, or are damaged.
    pub fn get(&self, hash: &Hash) -> io::Result<Vec<u8>> {
        let bytes = std::fs::read(self.path(hash))?;
        if blake3::hash(&bytes) == *hash { Ok(bytes) } else { Err(damaged()) }
    }

    /// Bytes on the disk, whole blocks. Not more than that was put since the start, until it was swept once.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Begins a collection; `None` while another one runs.
    #[must_use]
    pub fn sweep(&self) -> Option<Sweep> {
        let mut state = self.state();
        match state.since {
            Some(_) => None,
            None => {
                state.since = Some(HashSet::new());
                Some(Sweep { blobs: self.clone() })
            }
        }
    }

    fn path(&self, hash: &Hash) -> PathBuf {
        let hex = hash.to_hex();
        let (folder, name) = hex.split_at(2);
        self.0.root.join(folder).join(name)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pin(&self, hash: Hash) {
        let mut state = self.state();
        *state.pinned.entry(hash).or_default() += 1;
        if let Some(since) = &mut state.since {
            since.insert(hash);
        }
    }

    fn unpin(&self, hash: &Hash) {
        let mut state = self.state();
        if let Some(count) = state.pinned.get_mut(hash) {
            *count -= 1;
            if *count == 0 {
                state.pinned.remove(hash);
            }
        }
    }

    /// Whether all bytes of a blob are there. After a loss of power a name may be left with fewer.
    fn is_whole(&self, hash: &Hash, length: u64) -> bool {
        std::fs::metadata(self.path(hash)).is_ok_and(|metadata| metadata.len() == length)
    }

    /// Makes a file that has no name of a blob yet.
    fn begin(&self) -> io::Result<(PathBuf, File)> {
        let path = self.0.root.join(format!("{UNFINISHED}{}-{}", std::process::id(), next_number()));
        let open = || OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(&self.0.root)?;
                open()?
            }
            opened => opened?,
        };
        Ok((path, file))
    }

    /// Gives a whole file the name of its bytes.
    fn finish(&self, from: &Path, hash: &Hash, length: u64) -> io::Result<()> {
        let path = self.path(hash);
        match std::fs::rename(from, &path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(path.parent().unwrap_or(&self.0.root))?;
                std::fs::rename(from, &path)?;
            }
            renamed => renamed?,
        }
        self.0.bytes.fetch_add(on_disk(length), Ordering::Relaxed);
        Ok(())
    }
}

impl Intake {
    /// Keeps bytes, and answers their hash.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<Hash> {
        let (hash, length) = (blake3::hash(bytes), bytes.len() as u64);
        self.pin(hash);
        if self.blobs.is_whole(&hash, length) {
            return Ok(hash);
        }
        let (path, mut file) = self.blobs.begin()?;
        let written = file.write_all(bytes).and_then(|()| self.blobs.finish(&path, &hash, length));
        written.map(|()| hash).inspect_err(|_| drop(std::fs::remove_file(&path)))
    }

    /// Keeps the bytes of an open file, and answers their hash and how many they are; `None` when they are more than [`MAX_FILE`]. Where the
    /// file system can, they are shared with the file.
    ///
    /// # Errors
    /// When they cannot be read or written.
    pub fn put_file(&mut self, file: &File) -> io::Result<Option<(Hash, u64)>> {
        let size = file.metadata()?.len();
        if size > MAX_FILE {
            return Ok(None);
        }
        if size <= CHUNK as u64 {
            let mut bytes = Vec::with_capacity(CHUNK);
            read_all(file, |chunk| {
                bytes.extend_from_slice(chunk);
                Ok(())
            })?;
            return Ok(Some((self.put(&bytes)?, bytes.len() as u64)));
        }
        let (path, copy) = self.blobs.begin()?;
        let kept = self.copy(file, &copy, &path);
        // Where it got its name, nothing is there any more.
        let _ = std::fs::remove_file(&path);
        kept
    }

    fn copy(&mut self, file: &File, mut copy: &File, path: &Path) -> io::Result<Option<(Hash, u64)>> {
        let mut hasher = Hasher::new();
        // Of a file that shares its bytes with ours, ours is read: nobody changes it meanwhile.
        let length = if rustix::fs::ioctl_ficlone(copy, file).is_ok() {
            hash_into(&mut hasher, copy)?
        } else {
            read_all(file, |chunk| {
                hasher.update(chunk);
                copy.write_all(chunk)
            })?
        };
        if length > MAX_FILE {
            return Ok(None);
        }
        let hash = hasher.finalize();
        self.pin(hash);
        if !self.blobs.is_whole(&hash, length) {
            self.blobs.finish(path, &hash, length)?;
        }
        Ok(Some((hash, length)))
    }

    /// Holds on to what may be kept already.
    pub fn pin(&mut self, hash: Hash) {
        self.blobs.pin(hash);
        self.pinned.push(hash);
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.pinned.iter().for_each(|hash| self.blobs.unpin(hash));
    }
}

impl Sweep {
    /// Removes what is not in `keep`, which was read after this began, and was not put meanwhile. Answers how many blobs went.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn remove(self, keep: &HashSet<Hash>) -> io::Result<usize> {
        let (mut bytes, mut removed) = (0, 0);
        for folder in entries(&self.blobs.0.root)? {
            let folder = folder?;
            let name = folder.file_name();
            if is_left_over(&name) {
                let _ = std::fs::remove_file(folder.path());
                continue;
            }
            for blob in entries(&folder.path())? {
                let blob = blob?;
                let hash = hash_of(&name, &blob.file_name());
                let length = blob.metadata().map_or(0, |metadata| metadata.len());
                if hash.is_some_and(|hash| keep.contains(&hash) || !self.forget(&hash, &blob.path())) {
                    bytes += on_disk(length);
                } else {
                    removed += 1;
                }
            }
        }
        self.blobs.0.bytes.store(bytes, Ordering::Relaxed);
        Ok(removed)
    }

    /// Removes a blob that nobody holds on to; answers whether it did.
    fn forget(&self, hash: &Hash, path: &Path) -> bool {
        // Under the lock: who puts it next sees that it is gone.
        let state = self.blobs.state();
        let is_held = state.pinned.contains_key(hash) || state.since.as_ref().is_some_and(|since| since.contains(hash));
        !is_held && std::fs::remove_file(path).is_ok()
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        self.blobs.state().since = None;
    }
}

/// The hash of an open file's bytes; `None` when they are more than [`MAX_FILE`].
pub(super) fn hash_file(file: &File) -> io::Result<Option<Hash>> {
    if file.metadata()?.len() > MAX_FILE {
        return Ok(None);
    }
    let mut hasher = Hasher::new();
    let length = hash_into(&mut hasher, file)?;
    Ok((length <= MAX_FILE).then(|| hasher.finalize()))
}

fn hash_into(hasher: &mut Hasher, file: &File) -> io::Result<u64> {
    read_all(file, |chunk| {
        hasher.update(chunk);
        Ok(())
    })
}

/// Reads a file from its beginning, wherever it was read to; answers how many bytes it has. A file that grows ends above [`MAX_FILE`].
fn read_all(file: &File, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<u64> {
    rustix::fs::seek(file, rustix::fs::SeekFrom::Start(0))?;
    let mut reader = file.take(MAX_FILE + 1);
    // Most files are small.
    let mut buffer = vec![0; CHUNK.min(usize::try_from(file.metadata()?.len()).unwrap_or(CHUNK) + 1)];
    let mut length = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(length),
            Ok(read) => {
                length += read as u64;
                take(buffer.get(..read).unwrap_or_default())?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn on_disk(length: u64) -> u64 {
    length.max(1).next_multiple_of(BLOCK)
}

/// Whether a process that is gone left this unfinished. One daemon owns the state directory.
fn is_left_over(name: &OsStr) -> bool {
    let process = name.to_str().and_then(|name| name.strip_prefix(UNFINISHED)?.split('-').next());
    process.is_some_and(|process| process.parse() != Ok(std::process::id()))
}

fn hash_of(folder: &OsStr, name: &OsStr) -> Option<Hash> {
    Hash::from_hex(format!("{}{}", folder.to_str()?, name.to_str()?)).ok()
}

/// What is in a folder; nothing where there is none.
fn entries(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<std::fs::DirEntry>> + use<>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => None,
        entries => Some(entries?),
    };
    Ok(entries.into_iter().flatten())
}

fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the kept bytes are damaged")
}

#[cfg(test)]
mod tests;
