//! Protected names: files that run later without being asked, or that steer us. At any depth, existing or not.

use crate::path::RootedPath;
use std::ffi::OsStr;

/// Why a name is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A version control system's own files: hooks and configuration run programs.
    VersionControl,
    /// An editor's start files and settings.
    Editor,
    /// A shell's or tool's start files.
    StartFile,
    /// Another agent's settings.
    Agent,
    /// Our own settings.
    Own,
}

impl Class {
    /// In words that end a sentence.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Class::VersionControl => "a version control system runs what stands there",
            Class::Editor => "an editor obeys or runs what stands there",
            Class::StartFile => "a shell or tool runs what stands there when it starts",
            Class::Agent => "an agent obeys what stands there",
            Class::Own => "it sets what pilotfish may do",
        }
    }
}

/// Names that protect themselves and everything below them. The sandbox keeps commands from them as well.
pub const NAMES: &[(&str, Class)] = &[
    (".git", Class::VersionControl),
    (".hg", Class::VersionControl),
    (".svn", Class::VersionControl),
    (".jj", Class::VersionControl),
    (".bzr", Class::VersionControl),
    (".gitmodules", Class::VersionControl),
    (".husky", Class::VersionControl),
    (".vscode", Class::Editor),
    (".idea", Class::Editor),
    (".fleet", Class::Editor),
    (".zed", Class::Editor),
    (".helix", Class::Editor),
    (".nvim.lua", Class::Editor),
    (".nvimrc", Class::Editor),
    (".exrc", Class::Editor),
    (".vimrc", Class::Editor),
    (".lvimrc", Class::Editor),
    (".dir-locals.el", Class::Editor),
    (".devcontainer", Class::Editor),
    (".devcontainer.json", Class::Editor),
    (".envrc", Class::StartFile),
    (".bashrc", Class::StartFile),
    (".bash_profile", Class::StartFile),
    (".profile", Class::StartFile),
    (".zshrc", Class::StartFile),
    (".zshenv", Class::StartFile),
    (".mcp.json", Class::Agent),
    (".cursor", Class::Agent),
    (".claude", Class::Agent),
    (".clinerules", Class::Agent),
    (".codex", Class::Agent),
    (".windsurf", Class::Agent),
    (".gemini", Class::Agent),
    (".aider.conf.yml", Class::Agent),
    (".pilotfish", Class::Own),
];

/// The class of the first protected name on a path. Names are compared without case and without characters nobody sees, as
/// some file systems do.
#[must_use]
pub fn protected(path: &RootedPath) -> Option<Class> {
    path.as_path().components().find_map(|component| class_of(component.as_os_str()))
}

/// The class of a single name.
#[must_use]
pub fn class_of(name: &OsStr) -> Option<Class> {
    let name = name.to_string_lossy();
    let folded: String = name.chars().filter(|&c| !is_ignorable(c)).flat_map(char::to_lowercase).collect();
    let folded = folded.trim_end_matches(['.', ' ']);
    NAMES.iter().find(|(name, _)| *name == folded).map(|(_, class)| *class)
}

/// Characters that some file systems leave out when they compare names.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests;
