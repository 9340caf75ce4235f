//! The index of one root: the paths, sizes and times of what git does not ignore, in one block of names and one row for each file,
//! in the order of their paths. In memory only: it reads no disk; [`scan`] fills it, [`search`] asks it.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub mod scan;
pub mod search;

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Bytes.
    pub size: u64,
    /// When its content changed last, in nanoseconds since 1970.
    pub modified: i64,
}

/// The files below a root.
#[derive(Debug, Default)]
pub struct Index {
    /// The paths of all files, from the root, one behind the other; also of files that are gone, until there are too many of them.
    names: Vec<u8>,
    /// In the order of their paths' bytes, so that what lies below a folder stands together.
    files: Vec<File>,
    /// Bytes of names that no row points to.
    waste: usize,
}

/// One row. Small, since there may be a million.
#[derive(Debug, Clone, Copy)]
struct File {
    start: u32,
    length: u16,
    /// Where its own name begins in its path.
    name: u16,
    /// The letters of its path, as [`letters`] tells them.
    letters: u64,
    /// The letters of its own name.
    name_letters: u64,
    stat: Stat,
}

impl File {
    fn path<'a>(&self, names: &'a [u8]) -> &'a [u8] {
        let start = self.start as usize;
        names.get(start..start + usize::from(self.length)).unwrap_or_default()
    }
}

impl Index {
    /// How many files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Bytes of memory it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.names.capacity() + self.files.capacity() * size_of::<File>()
    }

    /// What is known of the file at a path from the root.
    #[must_use]
    pub fn stat(&self, path: &Path) -> Option<Stat> {
        let at = self.position(path.as_os_str().as_bytes()).ok()?;
        self.files.get(at).map(|file| file.stat)
    }

    /// Every file with what is known of it, in the order of the paths' bytes.
    pub fn files(&self) -> impl Iterator<Item = (&Path, Stat)> {
        self.files.iter().map(|file| (Path::new(std::ffi::OsStr::from_bytes(file.path(&self.names))), file.stat))
    }

    /// Takes what was found. Nothing lies below a path that is a file.
    pub fn put(&mut self, found: Index) {
        for file in &found.files {
            self.remove_below(file.path(&found.names));
        }
        let mut new = Vec::new();
        for file in found.files {
            let path = file.path(&found.names);
            match self.position(path) {
                Ok(at) => {
                    if let Some(known) = self.files.get_mut(at) {
                        known.stat = file.stat;
                    }
                }
                Err(_) => {
                    let Ok(start) = u32::try_from(self.names.len()) else { continue };
                    self.names.extend_from_slice(path);
                    new.push(File { start, ..file });
                }
            }
        }
        self.insert(&new);
    }

    /// Forgets a path and all that lay below it.
    pub fn remove(&mut self, path: &Path) {
        let path = path.as_os_str().as_bytes();
        if path.is_empty() {
            *self = Self::default();
            return;
        }
        if let Ok(at) = self.position(path) {
            self.waste += usize::from(self.files.remove(at).length);
        }
        self.remove_below(path);
    }

    /// Adds a file behind the last one. Until [`Self::sort`] the index is of no other use.
    fn push(&mut self, path: &[u8], stat: Stat) {
        // Paths of more than 64 KiB and names of more than 4 GiB in all exist in theory only.
        let (Ok(start), Ok(length)) = (u32::try_from(self.names.len()), u16::try_from(path.len())) else { return };
        let name = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        let name_letters = letters(path.get(name..).unwrap_or_default());
        let letters = letters(path);
        self.names.extend_from_slice(path);
        self.files.push(File { start, length, name: u16::try_from(name).unwrap_or(0), letters, name_letters, stat });
    }

    fn sort(&mut self) {
        let names = &self.names;
        // A stable sort goes on from parts that are in order already, and the threads of a scan have sorted theirs.
        self.files.sort_by(|one, other| one.path(names).cmp(other.path(names)));
    }

    /// Adds another one behind, for [`Self::sort`] to mix in.
    fn append(&mut self, other: Index) {
        let Ok(shift) = u32::try_from(self.names.len()) else { return };
        if u32::try_from(self.names.len() + other.names.len()).is_err() {
            return;
        }
        if self.names.is_empty() {
            *self = other;
            return;
        }
        self.names.extend_from_slice(&other.names);
        self.files.extend(other.files.iter().map(|file| File { start: file.start + shift, ..*file }));
    }

    fn position(&self, path: &[u8]) -> Result<usize, usize> {
        self.files.binary_search_by(|file| file.path(&self.names).cmp(path))
    }

    /// Mixes rows in, which are in order, and new.
    fn insert(&mut self, new: &[File]) {
        let mut unmoved = self.files.len();
        let mut free = unmoved + new.len();
        self.files.extend_from_slice(new);
        for file in new.iter().rev() {
            let path = file.path(&self.names);
            let before = self.files.get(..unmoved).unwrap_or_default();
            let at = before.partition_point(|known| known.path(&self.names) < path);
            let moved = unmoved - at;
            self.files.copy_within(at..unmoved, free - moved);
            free -= moved + 1;
            unmoved = at;
            if let Some(place) = self.files.get_mut(free) {
                *place = *file;
            }
        }
        self.tidy();
    }

    fn remove_below(&mut self, path: &[u8]) {
        // All that begins with `path/` stands together, and in front of what begins with the next character.
        let below = |file: &File| file.path(&self.names).strip_prefix(path).and_then(|rest| rest.first().copied());
        let compare =
            |file: &File| file.path(&self.names).get(..path.len()).unwrap_or(file.path(&self.names)).cmp(path);
        let first = self.files.partition_point(|file| compare(file).then(below(file).cmp(&Some(b'/'))).is_lt());
        let last = self.files.partition_point(|file| compare(file).then(below(file).cmp(&Some(b'/'))).is_le());
        if first < last {
            self.waste += self.files.drain(first..last).map(|file| usize::from(file.length)).sum::<usize>();
            self.tidy();
        }
    }

    /// Lets go of the names of files that are gone, when they are more than those that are left.
    fn tidy(&mut self) {
        if self.waste > self.names.len() / 2 {
            self.compact();
        }
    }

    /// Puts the names in the order of the files, which is the order of a search, and lets go of what nobody needs.
    fn compact(&mut self) {
        let mut names = Vec::with_capacity(self.names.len() - self.waste);
        for file in &mut self.files {
            let path = file.path(&self.names);
            // It is no longer than the one that is replaced.
            let start = u32::try_from(names.len()).unwrap_or(0);
            names.extend_from_slice(path);
            file.start = start;
        }
        self.names = names;
        self.files.shrink_to_fit();
        self.waste = 0;
    }
}

/// Which letters stand in a path, whatever their case: a bit for each, the rarer characters sharing some. A path that may hold a
/// query's letters has all bits of the query. What is no ASCII can stand for many letters, so such a path has all bits.
fn letters(path: &[u8]) -> u64 {
    path.iter().fold(0, |bits, &byte| {
        bits | match byte.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => 1 << (letter - b'a'),
            digit @ b'0'..=b'9' => 1 << (26 + digit - b'0'),
            byte if byte.is_ascii() => 1 << (36 + byte % 28),
            _ => u64::MAX,
        }
    })
}

#[cfg(test)]
mod tests;
