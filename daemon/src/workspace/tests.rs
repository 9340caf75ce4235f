use super::*;
use crate::clock::Clock;
use crate::journal::Journal;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// A turn of this id.
pub(crate) fn cause(turn: &str) -> Cause {
    let author = Author::Agent(Source { session: "s1".into(), turn: turn.into() });
    Cause { author, at: "2026-01-01T00:00:00.000Z".to_owned(), title: format!("The words of {turn}") }
}

struct Fixture {
    directory: tempfile::TempDir,
    workspace: Workspace,
}

/// What a workspace needs of others.
pub(crate) fn shared(state: &Path) -> Shared {
    let (journal, clock) = (Journal::in_memory().expect("a thread"), Clock::counting());
    Shared {
        checkpoints: Checkpoints::open(state, journal, clock.clone()),
        documents: Documents::default(),
        watcher: Watcher::default(),
        clock,
        reviewed: broadcast::channel(64).0,
    }
}

impl Fixture {
    fn new(files: &[(&str, &str)]) -> Self {
        Self::sharing(files, |shared| shared)
    }

    fn sharing(files: &[(&str, &str)], with: impl FnOnce(Shared) -> Shared) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().join("ws");
        std::fs::create_dir(&root).expect("created");
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("has a parent")).expect("created");
            std::fs::write(path, text).expect("written");
        }
        let root = AbsPath::canonical(&root.display().to_string()).expect("exists");
        let shared = with(shared(&directory.path().join("state")));
        Self { workspace: Workspace::open(root, shared), directory }
    }

    fn path(&self, path: &str) -> RootedPath {
        RootedPath::new(self.workspace.root(), path).expect("inside")
    }

    fn disk(&self) -> &Path {
        self.workspace.root().as_path()
    }

    async fn apply(&self, changes: Vec<Change>) -> String {
        match self.workspace.apply(changes, &cause("t1")).await {
            Ok(()) => "done".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    /// Every file with its text, every link with its target, sorted.
    fn listing(&self) -> Vec<String> {
        fn walk(root: &Path, at: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(at).expect("readable") {
                let path = entry.expect("readable").path();
                let name = path.strip_prefix(root).expect("below").display().to_string();
                let kind = path.symlink_metadata().expect("there");
                if kind.is_symlink() {
                    found.push(format!("{name} -> {}", std::fs::read_link(&path).expect("a link").display()));
                } else if kind.is_dir() {
                    found.push(format!("{name}/"));
                    walk(root, &path, found);
                } else {
                    found
                        .push(format!("{name}: {}", String::from_utf8_lossy(&std::fs::read(&path).expect("readable"))));
                }
            }
        }
        let mut found = Vec::new();
        walk(self.disk(), self.disk(), &mut found);
        found.sort();
        found
    }

    fn create(&self, path: &str, text: &str) -> Change {
        Change::Create { path: self.path(path), bytes: text.into() }
    }

    fn replace(&self, path: &str, before: &str, text: &str) -> Change {
        Change::Replace { path: self.path(path), before: before.into(), bytes: text.into() }
    }

    fn delete(&self, path: &str, before: &str) -> Change {
        Change::Delete { path: self.path(path), before: before.into() }
    }
}

#[tokio::test]
async fn makes_all_kinds_of_changes_at_once() {
    let fixture = Fixture::new(&[("a", "1"), ("b", "2"), ("c", "3"), ("d/e", "4")]);
    let moved =
        Change::Move { from: fixture.path("c"), to: fixture.path("x/c"), before: "3".into(), bytes: "33".into() };
    let directory = Change::MoveDirectory { from: fixture.path("d"), to: fixture.path("y/d") };
    let changes = vec![
        fixture.replace("a", "1", "11"),
        fixture.delete("b", "2"),
        moved,
        directory,
        fixture.create("n/m/new", "5"),
    ];
    assert_eq!(fixture.apply(changes).await, "done");
    assert_eq!(fixture.listing(), ["a: 11", "n/", "n/m/", "n/m/new: 5", "x/", "x/c: 33", "y/", "y/d/", "y/d/e: 4"]);
}

#[tokio::test]
async fn a_failure_takes_every_earlier_change_back() {
    let fixture = Fixture::new(&[("a", "1"), ("b", "2"), ("c", "3"), ("d/e", "4")]);
    let before = fixture.listing();
    let makes = |last: Change| {
        let moved =
            Change::Move { from: fixture.path("c"), to: fixture.path("x/c"), before: "3".into(), bytes: "33".into() };
        let directory = Change::MoveDirectory { from: fixture.path("d"), to: fixture.path("y/d") };
        vec![fixture.replace("a", "1", "11"), moved, directory, fixture.create("n/new", "5"), last]
    };
    let stale = fixture.apply(makes(fixture.delete("b", "other"))).await;
    assert_eq!(stale, "b changed on disk since it was read; nothing was written");
    assert_eq!(fixture.listing(), before);
    let taken = fixture.apply(makes(fixture.create("b", "new"))).await;
    assert_eq!(taken, "b already exists; nothing was written");
    assert_eq!(fixture.listing(), before);
    let missing = fixture.apply(makes(fixture.delete("gone", ""))).await;
    assert_eq!(missing, "gone does not exist; nothing was written");
    assert_eq!(fixture.listing(), before);
}

#[tokio::test]
async fn a_replaced_file_keeps_its_mode() {
    let fixture = Fixture::new(&[("run.sh", "1")]);
    let script = fixture.disk().join("run.sh");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o750)).expect("set");
    assert_eq!(fixture.apply(vec![fixture.replace("run.sh", "1", "2")]).await, "done");
    assert_eq!(script.metadata().expect("there").permissions().mode() & 0o7777, 0o750);
}

#[tokio::test]
async fn links_inside_are_followed_and_stay_links() {
    let fixture = Fixture::new(&[("real/a", "1")]);
    symlink("real/a", fixture.disk().join("relative")).expect("linked");
    symlink(fixture.disk().join("real/a"), fixture.disk().join("absolute")).expect("linked");
    symlink(fixture.disk().join("real"), fixture.disk().join("folder")).expect("linked");
    for (path, before, text) in [("relative", "1", "2"), ("absolute", "2", "3"), ("folder/a", "3", "4")] {
        let read = fixture.workspace.read(&fixture.path(path), 100, None).await.expect("readable");
        assert_eq!(read.text(), Some(before));
        assert_eq!(fixture.apply(vec![fixture.replace(path, before, text)]).await, "done");
    }
    assert!(fixture.listing().contains(&"real/a: 4".to_owned()));
    assert!(fixture.disk().join("absolute").symlink_metadata().expect("there").is_symlink());
}

#[tokio::test]
async fn links_that_leave_are_refused() {
    let fixture = Fixture::new(&[("a", "1")]);
    let outside = fixture.directory.path().join("outside");
    std::fs::create_dir(&outside).expect("created");
    std::fs::write(outside.join("canary"), "canary").expect("written");
    symlink(&outside, fixture.disk().join("dir")).expect("linked");
    symlink("../outside/canary", fixture.disk().join("file")).expect("linked");
    symlink("loop", fixture.disk().join("loop")).expect("linked");
    for path in ["dir/canary", "file", "loop"] {
        let leaves = format!("{path} leads out of the workspace through a link");
        let read = fixture.workspace.read(&fixture.path(path), 100, None).await.expect_err("refused");
        assert_eq!(read.to_string(), leaves);
        let written = fixture.apply(vec![fixture.replace(path, "canary", "x")]).await;
        assert_eq!(written, format!("{leaves}; nothing was written"));
    }
    let created = fixture.apply(vec![fixture.create("dir/new", "x")]).await;
    assert_eq!(created, "dir/new leads out of the workspace through a link; nothing was written");
    assert_eq!(std::fs::read_dir(&outside).expect("readable").count(), 1);
    assert_eq!(std::fs::read_to_string(outside.join("canary")).expect("readable"), "canary");
}

#[tokio::test]
async fn a_flipping_directory_never_lets_a_write_out() {
    let fixture = Fixture::new(&[("real/a", "0")]);
    let outside = fixture.directory.path().join("outside");
    std::fs::create_dir(&outside).expect("created");
    std::fs::write(outside.join("a"), "0").expect("written");
    let (root, target) = (fixture.disk().to_owned(), outside.clone());
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let flipper = std::thread::spawn(move || {
        let (name, link) = (root.join("real"), root.join("link"));
        symlink(&target, &link).expect("linked");
        let (here, swap) = (rustix::fs::CWD, rustix::fs::RenameFlags::EXCHANGE);
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            rustix::fs::renameat_with(here, &name, here, &link, swap).expect("swapped");
        }
    });
    for _ in 0..500 {
        fixture.apply(vec![fixture.replace("real/a", "0", "0")]).await;
        fixture.apply(vec![fixture.create("real/new", "x")]).await;
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    flipper.join().expect("flipped");
    let names: Vec<_> =
        std::fs::read_dir(&outside).expect("readable").map(|entry| entry.expect("readable").file_name()).collect();
    assert_eq!(names, ["a"]);
}

#[tokio::test]
async fn odd_files_are_named_and_not_opened() {
    let fixture = Fixture::new(&[("dir/a", "1")]);
    let pipe = fixture.disk().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600), 0)
        .expect("made");
    let sparse = std::fs::File::create(fixture.disk().join("sparse")).expect("created");
    sparse.set_len(100 << 30).expect("set");
    let read = |path: &str| {
        let path = fixture.path(path);
        let workspace = fixture.workspace.clone();
        async move { workspace.read(&path, 1000, None).await }
    };
    assert_eq!(read("pipe").await.expect_err("refused").to_string(), "pipe is not a regular file");
    assert_eq!(read("dir").await.expect_err("refused").to_string(), "dir is a directory; use list");
    assert_eq!(read("none").await.expect_err("refused").to_string(), "none does not exist");
    let sparse = read("sparse").await.expect("capped");
    assert_eq!((sparse.bytes.len(), sparse.is_cut()), (1000, true));
}

#[tokio::test]
async fn a_path_through_a_file_is_an_error() {
    let fixture = Fixture::new(&[("a", "1")]);
    let created = fixture.apply(vec![fixture.create("a/b", "x")]).await;
    assert_eq!(created, "cannot write a/b: Not a directory (os error 20); nothing was written");
    assert_eq!(fixture.listing(), ["a: 1"]);
}

#[tokio::test]
async fn turns_that_are_too_old_make_room_for_new_ones() {
    let capped = |shared: Shared| Shared { checkpoints: shared.checkpoints.capped(1 << 20), ..shared };
    let fixture = Fixture::sharing(&[("a", "")], capped);
    let text = |turn: u32| blake3::hash(&turn.to_le_bytes()).to_hex().repeat(500);
    let mut before = String::new();
    for turn in 0..100 {
        let change = fixture.replace("a", &before, &text(turn));
        fixture.workspace.apply(vec![change], &cause(&format!("t{turn}"))).await.expect("applied");
        before = text(turn);
    }
    let checkpoints = &fixture.workspace.shared.checkpoints;
    let list = checkpoints.list(fixture.workspace.root()).await.expect("listed");
    assert!((5..60).contains(&list.len()), "{}", list.len());
    fixture.workspace.restore(list[0].id.clone(), false).await.expect("restored");
    assert_eq!(std::fs::read_to_string(fixture.disk().join("a")).expect("there"), text(98));
}
