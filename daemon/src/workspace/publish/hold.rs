//! What is held back: compared leaf by leaf, so that a person is shown what would change and nothing else.

use super::disk::{self, Seen};
use super::tree::Run;
use super::{Held, Kind, TEXT_BYTES, Why};
use rustix::fs::{FileType, Stat};
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Directories in directories at most.
const DEPTH: usize = 64;

/// The same name above and below; nothing above means that all of it was deleted.
struct Sides<'a> {
    upper: Option<&'a OwnedFd>,
    lower: Option<&'a OwnedFd>,
}

impl Run<'_> {
    /// Holds back all that differs under a name. What stays below gets the time of now.
    pub(super) fn hold(
        &mut self,
        upper: Option<&OwnedFd>,
        lower: Option<&OwnedFd>,
        name: &OsStr,
        path: &Path,
        why: &Why,
    ) {
        self.hold_sides(&Sides { upper, lower }, name, path, why, 0);
    }

    fn hold_sides(&mut self, sides: &Sides<'_>, name: &OsStr, path: &Path, why: &Why, depth: usize) {
        if depth > DEPTH {
            self.report.note_path(self.below(path).as_path(), "lies too deep, and was not published");
            return;
        }
        let look = |side: Option<&OwnedFd>| side.and_then(|side| disk::look(side, name).ok().flatten());
        let above = look(sides.upper).filter(|stat| !disk::is_whiteout(stat));
        let under = look(sides.lower);
        let is_directory = |stat: &Option<Stat>| stat.as_ref().is_some_and(|s| disk::kind(s) == FileType::Directory);
        let upper = sides.upper.filter(|_| is_directory(&above));
        let upper = upper.and_then(|upper| disk::open_upper_directory(upper, name).ok());
        let lower = sides.lower.filter(|_| is_directory(&under));
        let lower = lower.and_then(|lower| disk::open_directory(lower, name).ok());
        // A leaf on either side is a difference of its own; a directory that only one side has is one when it is empty.
        if !is_directory(&above) && above.is_some() || !is_directory(&under) && under.is_some() {
            self.hold_leaf(sides, name, path, why, (above.as_ref(), under.as_ref()));
        }
        let is_opaque = upper.as_ref().is_some_and(disk::is_opaque);
        let mut names = upper.as_ref().and_then(|upper| disk::names(upper).ok()).unwrap_or_default();
        let below = lower.as_ref().and_then(|lower| disk::names(lower).ok()).unwrap_or_default();
        if names.is_empty() && upper.is_some() && under.is_none()
            || below.is_empty() && lower.is_some() && above.is_none()
        {
            self.hold_leaf(sides, name, path, why, (above.as_ref(), under.as_ref()));
        }
        let is_gone = upper.is_none();
        if is_gone || is_opaque {
            names.extend(below);
            names.sort_unstable();
            names.dedup();
        }
        let inner = Sides { upper: upper.as_ref(), lower: lower.as_ref() };
        for child in names {
            self.hold_sides(&inner, &child, &path.join(&child), why, depth + 1);
        }
    }

    fn hold_leaf(
        &mut self,
        sides: &Sides<'_>,
        name: &OsStr,
        path: &Path,
        why: &Why,
        (above, under): (Option<&Stat>, Option<&Stat>),
    ) {
        let bytes = |side: Option<&OwnedFd>, stat: Option<&Stat>, is_upper: bool| match disk::kind(stat?) {
            FileType::RegularFile if is_upper => disk::read(&disk::open_upper_file(side?, name).ok()?, TEXT_BYTES),
            FileType::RegularFile => disk::read(&disk::open_file(side?, name).ok()?, TEXT_BYTES),
            FileType::Symlink => Some(disk::read_link(side?, name).ok()?.into_encoded_bytes()),
            _ => None,
        };
        let before = bytes(sides.lower, under, false);
        let after = bytes(sides.upper, above, true);
        let kind = match (under, above) {
            (None, None) => return,
            (None, Some(_)) => Kind::Created,
            (Some(_), None) => Kind::Deleted,
            (Some(under), Some(above)) => {
                let is_same = disk::kind(under) == disk::kind(above) && self.is_same(sides, name, &before, &after);
                match is_same {
                    true if under.st_mode == above.st_mode => return,
                    true => Kind::Mode,
                    false => Kind::Changed,
                }
            }
        };
        let mut seen = None;
        if let Some(lower) = sides.lower {
            disk::touch(lower, name);
            seen = disk::look(lower, name).ok().flatten().map(|stat| Seen::new(&stat));
        }
        let (layer, inside, path) = (self.layer, path.to_owned(), self.below(path));
        // What is in a directory is held back by itself, and released by itself.
        let is_empty_directory = above.is_some_and(|above| disk::kind(above) == FileType::Directory);
        self.report.hold(Held { path, kind, before, after, why: why.clone(), is_empty_directory, layer, inside, seen });
    }

    fn is_same(&self, sides: &Sides<'_>, name: &OsStr, before: &Option<Vec<u8>>, after: &Option<Vec<u8>>) -> bool {
        if before.is_some() || after.is_some() {
            return before == after;
        }
        let files = sides.upper.zip(sides.lower).and_then(|(upper, lower)| {
            Some((disk::open_upper_file(upper, name).ok()?, disk::open_file(lower, name).ok()?))
        });
        files.is_some_and(|(upper, lower)| disk::is_equal(&upper, &lower).unwrap_or(false))
    }
}
