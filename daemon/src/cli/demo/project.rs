//! The demo's project: what it consists of, what is wrong with it, and how the script mends it.

use anyhow::Context;
use std::path::{Path, PathBuf};

/// What the project is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A crate without dependencies, tested by cargo.
    Rust,
    /// Two shell scripts, where there is no cargo.
    Shell,
}

/// A change that the script makes.
pub(super) struct Mend {
    pub(super) path: &'static str,
    pub(super) old: &'static str,
    pub(super) new: &'static str,
}

/// Where everything of one demo lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// What the agent may work in.
    pub(super) project: PathBuf,
    /// A file beside the project, which nobody may touch.
    pub(super) diary: PathBuf,
    /// Configuration and state of this demo alone.
    pub(super) home: PathBuf,
}

/// What the diary says, before and after.
pub(super) const DIARY: &str = "Dear diary, nobody but me may read this.\n";

/// The diary as commands in the project would name it.
pub(super) const DIARY_FROM_INSIDE: &str = "../diary.txt";

impl Kind {
    /// The project's files.
    pub(super) fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Kind::Rust => &[
                (".gitignore", "/target\n"),
                ("Cargo.lock", include_str!("rust/Cargo.lock.txt")),
                ("Cargo.toml", include_str!("rust/Cargo.toml.txt")),
                ("README.md", include_str!("rust/README.md.txt")),
                ("src/lib.rs", include_str!("rust/lib.rs.txt")),
                ("src/tests.rs", include_str!("rust/tests.rs.txt")),
            ],
            Kind::Shell => &[
                ("README.md", include_str!("shell/README.md.txt")),
                ("newest.sh", include_str!("shell/newest.sh.txt")),
                ("test.sh", include_str!("shell/test.sh.txt")),
            ],
        }
    }

    /// What is to be read before anything is changed: the code, then its tests.
    pub(super) fn sources(self) -> [&'static str; 2] {
        match self {
            Kind::Rust => ["src/lib.rs", "src/tests.rs"],
            Kind::Shell => ["newest.sh", "test.sh"],
        }
    }

    /// What runs the tests.
    pub(super) fn test_command(self) -> &'static str {
        match self {
            Kind::Rust => "cargo test",
            Kind::Shell => "sh test.sh",
        }
    }

    /// What it is, for people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Kind::Rust => "a small Rust crate",
            Kind::Shell => "two small shell scripts",
        }
    }

    /// What mends it.
    pub(super) fn mend(self) -> Mend {
        match self {
            Kind::Rust => Mend {
                path: "src/lib.rs",
                old: "    versions.iter().copied().max()\n}\n",
                new: concat!(
                    "    versions.iter().copied().max_by_key(|version| numbers(version))\n}\n\n",
                    "/// The parts of a version as numbers: as text, `10` would come before `9`.\n",
                    "fn numbers(version: &str) -> Vec<u64> {\n",
                    "    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()\n}\n",
                ),
            },
            Kind::Shell => Mend {
                path: "newest.sh",
                old: "printf '%s\\n' \"$@\" | sort | tail -n 1\n",
                new: "# As text, 10 would come before 9.\nprintf '%s\\n' \"$@\" | sort -V | tail -n 1\n",
            },
        }
    }
}

impl Place {
    /// Below a folder.
    pub(super) fn below(folder: &Path) -> Self {
        Self { project: folder.join("project"), diary: folder.join("diary.txt"), home: folder.join("home") }
    }

    /// Writes everything. The folder has to be there, and empty.
    pub(super) fn lay_out(&self, kind: Kind) -> anyhow::Result<()> {
        for (path, text) in kind.files() {
            write(&self.project.join(path), text)?;
        }
        write(&self.diary, DIARY)
    }
}

/// Writes a new file, and the folders above it.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, text));
    made.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests;
