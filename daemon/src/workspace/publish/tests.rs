use super::*;
use crate::workspace::layers::Over;
use expect_test::{Expect, expect};
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

/// A folder `ws` and an upper directory that tests fill by hand, as the overlay would.
pub(super) struct Fixture {
    pub(super) directory: tempfile::TempDir,
    pub(super) publication: Publication,
}

impl Fixture {
    /// Makes the folder from `path` and `text`, and then starts the command.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let real = AbsPath::canonical(&directory.path().display().to_string()).expect("exists");
        for name in ["ws", "upper", "state", "outside"] {
            std::fs::create_dir(directory.path().join(name)).expect("created");
        }
        std::fs::write(directory.path().join("outside/canary"), "canary").expect("written");
        for (path, text) in files {
            put(&directory.path().join("ws").join(path), text);
        }
        let workspace = below(&real, Path::new("ws"));
        let writable = vec![workspace.clone()];
        let plan = LayerPlan { lower: workspace.clone(), over: Over::Tree, writable, through: Vec::new() };
        let layers = vec![Layer { plan, upper: real.as_path().join("upper") }];
        let state = real.as_path().join("state");
        let started = Stamp::take(&state).expect("a stamp");
        Self { publication: Publication { workspace, layers, started, state }, directory }
    }

    pub(super) fn disk(&self, path: &str) -> PathBuf {
        self.publication.workspace.as_path().join(path)
    }

    pub(super) fn upper(&self, path: &str) -> PathBuf {
        self.directory.path().join("upper").join(path)
    }

    /// The command wrote a file.
    pub(super) fn writes(&self, path: &str, text: &str) -> &Self {
        put(&self.upper(path), text);
        self
    }

    pub(super) fn links(&self, path: &str, target: &str) -> &Self {
        std::fs::create_dir_all(self.upper(path).parent().expect("has a parent")).expect("created");
        symlink(target, self.upper(path)).expect("linked");
        self
    }

    /// The command deleted a name that was there.
    pub(super) fn deletes(&self, path: &str) -> &Self {
        whiteout(&self.upper(path));
        self
    }

    /// The command put another directory in the place of one that was there.
    pub(super) fn replaces(&self, path: &str) -> &Self {
        std::fs::create_dir_all(self.upper(path)).expect("created");
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(self.upper(path), "user.overlay.opaque", b"y", flags).expect("set");
        self
    }

    pub(super) fn publish(&self) -> Published {
        publish(&self.publication)
    }

    /// What was told, and then what is there.
    pub(super) fn check(&self, published: &Published, expected: Expect) {
        let mut text = told(published, self.directory.path());
        text.push_str("--\n");
        text.push_str(&listing(self.publication.workspace.as_path()));
        expected.assert_eq(&text);
        assert_eq!(std::fs::read_to_string(self.directory.path().join("outside/canary")).expect("there"), "canary");
        assert_eq!(std::fs::read_dir(self.directory.path().join("outside")).expect("readable").count(), 1);
        assert_eq!(std::fs::read_dir(self.directory.path().join("state")).expect("readable").count(), 0);
    }
}

pub(super) fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("has a parent")).expect("created");
    std::fs::write(path, text).expect("written");
}

pub(super) fn whiteout(path: &Path) {
    std::fs::create_dir_all(path.parent().expect("has a parent")).expect("created");
    let kind = rustix::fs::FileType::CharacterDevice;
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, rustix::fs::Mode::empty(), 0).expect("made");
}

fn told(published: &Published, base: &Path) -> String {
    let text = |bytes: &Option<Vec<u8>>| match bytes {
        Some(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        None => "-".to_owned(),
    };
    let short = |path: &AbsPath| path.as_path().strip_prefix(base).unwrap_or(path.as_path()).display().to_string();
    let mut told = String::new();
    for change in &published.changed {
        let (before, after) = (text(&change.before), text(&change.after));
        writeln!(told, "{:?} {} {before} {after}", change.kind, change.path).expect("written");
    }
    for held in &published.held {
        let (path, before, after) = (short(&held.path), text(&held.before), text(&held.after));
        writeln!(told, "held {:?} {path} {before} {after}: {:?}", held.kind, held.why).expect("written");
    }
    for conflict in &published.conflicts {
        writeln!(told, "conflict {}: {}", short(&conflict.path), conflict.clash).expect("written");
    }
    for note in &published.notes {
        writeln!(told, "note {}", note.replace(&format!("{}/", base.display()), "")).expect("written");
    }
    told
}

/// Every file with its text and mode, every link with its target, sorted.
pub(super) fn listing(root: &Path) -> String {
    fn walk(root: &Path, at: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(at).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.strip_prefix(root).expect("below").display().to_string();
            let metadata = path.symlink_metadata().expect("there");
            if metadata.is_symlink() {
                found.push(format!("{name} -> {}", std::fs::read_link(&path).expect("a link").display()));
            } else if metadata.is_dir() {
                found.push(format!("{name}/"));
                walk(root, &path, found);
            } else if metadata.file_type().is_file() {
                let text = String::from_utf8_lossy(&std::fs::read(&path).expect("readable")).into_owned();
                let mode = metadata.mode() & 0o7777;
                let mode = if mode == 0o644 { String::new() } else { format!(" ({mode:o})") };
                found.push(format!("{name}: {text}{mode}"));
            } else {
                found.push(format!("{name}: special {}", metadata.file_type().is_char_device()));
            }
        }
    }
    let mut found = Vec::new();
    walk(root, root, &mut found);
    found.sort();
    found.join("\n") + "\n"
}

#[test]
fn makes_every_kind_of_change() {
    let fixture = Fixture::new(&[("a", "1"), ("b", "2"), ("d/e", "3"), ("d/f", "4"), ("x/y/z", "5"), ("same", "6")]);
    fixture.writes("a", "11").deletes("b").deletes("d/e").writes("new/deep/file", "7").deletes("x").writes("same", "6");
    fixture.links("new/link", "deep/file").links("top", "a");
    std::fs::set_permissions(fixture.upper("new/deep/file"), PermissionsExt::from_mode(0o4755)).expect("set");
    let published = fixture.publish();
    fixture.check(
        &published,
        expect![[r#"
        Deleted b "2" -
        Deleted d/e "3" -
        Deleted x/y/z "5" -
        Changed a "1" "11"
        Created new/deep/file - "7"
        Created new/link - -
        Created top - -
        note ws/new/deep/file: was published without its setuid and setgid bits
        --
        a: 11
        d/
        d/f: 4
        new/
        new/deep/
        new/deep/file: 7 (755)
        new/link -> deep/file
        same: 6
        top -> a
    "#]],
    );
}
