//! What stands under a name, bytes, mode and link target together, in a form that is recorded and compared. Knows no checkpoint.

use super::blobs::hash_file;
use super::publish::disk;
use crate::path::RootedPath;
use blake3::Hash;
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The bits of a mode that are people's to choose.
const BITS: u32 = 0o7777;

/// What tells the bytes of a file from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Print {
    /// Their hash; so they may be kept.
    Hash(Hash),
    /// When they were written, of a file that is too large to be kept or cannot be read.
    Written {
        /// Seconds since 1970.
        seconds: i64,
        /// Nanoseconds of the second.
        nanoseconds: u64,
    },
}

/// What stands under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// Nothing.
    Absent,
    /// A regular file.
    File {
        /// Its bytes.
        print: Print,
        /// How many they are.
        size: u64,
        /// Its permissions.
        mode: u32,
    },
    /// A symbolic link.
    Link {
        /// Where it leads, as it is written.
        target: OsString,
    },
    /// A directory, whatever is in it.
    Directory {
        /// Its permissions.
        mode: u32,
    },
    /// What is not kept: a device, a socket, a pipe, or a directory of which too much would have to be.
    Other,
}

/// A name that is about to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Where, through no link.
    pub path: RootedPath,
    /// What stands there.
    pub before: Image,
    /// What will stand there.
    pub after: Image,
}

impl Image {
    /// A file of these bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8], mode: u32) -> Self {
        let print = Print::Hash(blake3::hash(bytes));
        Image::File { print, size: bytes.len() as u64, mode: mode & BITS }
    }

    /// A directory that was looked at.
    pub(super) fn of_directory(stat: &Stat) -> Self {
        Image::Directory { mode: stat.st_mode & BITS }
    }

    /// A file that was looked at.
    pub(super) fn of_file(print: Print, stat: &Stat) -> Self {
        Image::File { print, size: u64::try_from(stat.st_size).unwrap_or(0), mode: stat.st_mode & BITS }
    }

    /// Looks at a name in a directory.
    pub(super) fn look(directory: &OwnedFd, name: &OsStr) -> Result<Self, Errno> {
        let Some(stat) = disk::look(directory, name)? else { return Ok(Image::Absent) };
        Self::of_stat(directory, name, &stat, |file| hash_file(file).ok().flatten())
    }

    /// As a name was looked at; `hash` is asked for the bytes of a regular file.
    pub(super) fn of_stat(
        directory: &OwnedFd,
        name: &OsStr,
        stat: &Stat,
        hash: impl FnOnce(&File) -> Option<Hash>,
    ) -> Result<Self, Errno> {
        Ok(match disk::kind(stat) {
            FileType::RegularFile => {
                let hash = disk::open_file(directory, name).ok().and_then(|file| hash(&file));
                Self::of_file(Print::of(hash, stat), stat)
            }
            FileType::Symlink => Image::Link { target: disk::read_link(directory, name)? },
            FileType::Directory => Self::of_directory(stat),
            _ => Image::Other,
        })
    }

    /// The hash of a file's bytes, if they may be kept.
    #[must_use]
    pub fn hash(&self) -> Option<Hash> {
        match self {
            Image::File { print: Print::Hash(hash), .. } => Some(*hash),
            Image::File { .. } | Image::Absent | Image::Link { .. } | Image::Directory { .. } | Image::Other => None,
        }
    }

    /// In words for the journal, which [`Image::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Image::Absent => "absent".to_owned(),
            Image::File { print: Print::Hash(hash), size, mode } => format!("file {mode:o} {size} {hash}"),
            Image::File { print: Print::Written { seconds, nanoseconds }, size, mode } => {
                format!("large {mode:o} {size} {seconds} {nanoseconds}")
            }
            Image::Link { target } => format!("link {}", escaped(target.as_bytes())),
            Image::Directory { mode } => format!("directory {mode:o}"),
            Image::Other => "other".to_owned(),
        }
    }

    /// What [`Image::to_text`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut words = rest.split(' ');
        let mut word = || words.next();
        let mode = |word: &str| u32::from_str_radix(word, 8).ok();
        match kind {
            "absent" => Some(Image::Absent),
            "other" => Some(Image::Other),
            "directory" => Some(Image::Directory { mode: mode(word()?)? }),
            "link" => Some(Image::Link { target: OsString::from_vec(unescaped(rest)?) }),
            "file" => {
                let (mode, size) = (mode(word()?)?, word()?.parse().ok()?);
                Some(Image::File { print: Print::Hash(Hash::from_hex(word()?).ok()?), size, mode })
            }
            "large" => {
                let (mode, size) = (mode(word()?)?, word()?.parse().ok()?);
                let (seconds, nanoseconds) = (word()?.parse().ok()?, word()?.parse().ok()?);
                Some(Image::File { print: Print::Written { seconds, nanoseconds }, size, mode })
            }
            _ => None,
        }
    }
}

impl Print {
    /// By the hash, or else by the time of the last write.
    pub(super) fn of(hash: Option<Hash>, stat: &Stat) -> Self {
        match hash {
            Some(hash) => Print::Hash(hash),
            None => Print::Written { seconds: stat.st_mtime, nanoseconds: stat.st_mtime_nsec },
        }
    }
}

/// Bytes as text in one line: letters and the like as they are, all else as `%` and two hexadecimal digits.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'%' => text.push_str("%25"),
            b'!'..=b'~' => text.push(char::from(byte)),
            byte => text.push_str(&format!("%{byte:02x}")),
        }
    }
    text
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
