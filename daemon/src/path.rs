//! Paths: absolute ones, and ones that cannot leave their root. Pure but for [`AbsPath::canonical`] and [`AbsPath::real`].

use std::fmt;
use std::path::{Component, Path, PathBuf};

/// An absolute path without `.` and `..`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AbsPath(PathBuf);

/// Why a text is no path of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is relative where only an absolute one can be meant.
    #[error("{0:?} is not an absolute path")]
    NotAbsolute(String),
    /// It names something outside the workspace.
    #[error("{path:?} is outside the workspace {root}")]
    Outside {
        /// As it was given.
        path: String,
        /// The workspace.
        root: AbsPath,
    },
    /// It does not exist, or cannot be looked at.
    #[error("cannot open {path:?}: {why}")]
    Unreadable {
        /// As it was given.
        path: String,
        /// The system's words.
        why: String,
    },
    /// A `file:` URI of another machine or with broken escapes.
    #[error("{0:?} is not a file: URI of this machine")]
    NotFileUri(String),
}

impl AbsPath {
    /// Takes an absolute path and folds `.` and `..` away by name alone, without looking at links.
    ///
    /// # Errors
    /// When it is relative.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, PathError> {
        let path = path.into();
        if !path.is_absolute() {
            return Err(PathError::NotAbsolute(path.display().to_string()));
        }
        Ok(Self(fold(&path)))
    }

    /// Takes an absolute path or a `file:` URI and resolves links, so that one folder has one name.
    ///
    /// # Errors
    /// When it is neither, or does not exist.
    pub fn canonical(path: &str) -> Result<Self, PathError> {
        let path = if path.starts_with("file:") { Self::from_uri(path)? } else { Self::new(path)? };
        match path.0.canonicalize() {
            Ok(path) => Ok(Self(path)),
            Err(error) => Err(PathError::Unreadable { path: path.to_string(), why: error.to_string() }),
        }
    }

    /// The same place by its name without links, as far as it exists: of a file that does not, its folder's.
    #[must_use]
    pub fn real(&self) -> Self {
        let beside = || Some(self.0.parent()?.canonicalize().ok()?.join(self.0.file_name()?));
        self.0.canonicalize().ok().or_else(beside).map_or_else(|| self.clone(), Self)
    }

    /// Reads a `file:` URI (RFC 8089) of this machine.
    ///
    /// # Errors
    /// When it has another scheme or host, or broken escapes.
    pub fn from_uri(uri: &str) -> Result<Self, PathError> {
        let not_file = || PathError::NotFileUri(uri.to_owned());
        let rest = uri.strip_prefix("file:").ok_or_else(not_file)?;
        let path = match rest.strip_prefix("//") {
            Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
            None => rest,
        };
        let path = path.split(['?', '#']).next().unwrap_or(path);
        if !path.starts_with('/') {
            return Err(not_file());
        }
        let bytes = percent_decode(path).ok_or_else(not_file)?;
        if bytes.contains(&0) {
            return Err(not_file());
        }
        use std::os::unix::ffi::OsStringExt;
        Self::new(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
    }

    /// As a `file:` URI.
    #[must_use]
    pub fn to_uri(&self) -> String {
        use std::os::unix::ffi::OsStrExt;
        let mut uri = String::from("file://");
        for &byte in self.0.as_os_str().as_bytes() {
            if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=@".contains(&byte) {
                uri.push(char::from(byte));
            } else {
                uri.push_str(&format!("%{byte:02X}"));
            }
        }
        uri
    }

    /// The path itself.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// This folder's child by a relative path that stays inside.
    #[must_use]
    pub fn join(&self, rooted: &RootedPath) -> AbsPath {
        Self(self.0.join(&rooted.0))
    }
}

impl fmt::Display for AbsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// A path relative to a root, without `.` and `..`: by name it cannot leave the root. Links are resolved, and refused where
/// they leave, when the file is opened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootedPath(PathBuf);

impl RootedPath {
    /// Reads a path as a model or a person writes it: relative to `root`, absolute below `root`, or a `file:` URI below `root`.
    ///
    /// # Errors
    /// When it leaves `root`.
    pub fn new(root: &AbsPath, path: &str) -> Result<Self, PathError> {
        let outside = || PathError::Outside { path: path.to_owned(), root: root.clone() };
        let absolute = if path.starts_with("file:") {
            AbsPath::from_uri(path)?
        } else {
            // `..` may pass through the root and come back; what counts is where it ends.
            AbsPath(fold(&root.0.join(path)))
        };
        let relative = absolute.0.strip_prefix(&root.0).map_err(|_| outside())?;
        if path.contains('\0') {
            return Err(outside());
        }
        Ok(Self(relative.to_owned()))
    }

    /// Where an absolute path lies below `root`; nothing when it does not.
    #[must_use]
    pub fn below(root: &AbsPath, path: &AbsPath) -> Option<Self> {
        path.0.strip_prefix(&root.0).ok().map(|inside| Self(inside.to_owned()))
    }

    /// The relative path; empty for the root itself.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// Whether this is the root itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.as_os_str().is_empty()
    }
}

impl fmt::Display for RootedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() { f.write_str(".") } else { self.0.display().fmt(f) }
    }
}

fn fold(path: &Path) -> PathBuf {
    let mut folded = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                folded.pop();
            }
            Component::RootDir | Component::Prefix(_) | Component::Normal(_) => folded.push(component),
        }
    }
    folded
}

fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
