use super::{Run, Scratch};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

struct Place {
    folder: tempfile::TempDir,
    scratch: Scratch,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let scratch = Scratch::open(folder.path()).expect("a place");
        Self { folder, scratch }
    }

    /// What is there, where `expected` says it, after everything that was to be removed is removed.
    fn check(self, expected: &[&str]) {
        drop(self.scratch);
        let mut found = Vec::new();
        list(self.folder.path(), &mut found);
        let mut found: Vec<String> = found
            .iter()
            .map(|path| path.strip_prefix(self.folder.path()).expect("below").display().to_string())
            .collect();
        found.sort();
        assert_eq!(found, expected);
    }
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        found.push(entry.path());
        if entry.file_type().expect("a kind").is_dir() {
            list(&entry.path(), found);
        }
    }
}

/// Leaves what a command might: many files, what cannot be read, and links to outside.
fn fill(run: &Run, outside: &Path) {
    let layer = run.layer(0, outside).expect("a layer");
    for number in 0..300 {
        let folder = layer.upper.join(format!("{}/deep", number % 7));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(number.to_string()), "x").expect("a file");
    }
    std::os::unix::fs::symlink(outside, layer.upper.join("link")).expect("a link");
    for closed in [layer.work.join("work"), layer.upper.join("3")] {
        fs::create_dir_all(&closed).expect("a folder");
        fs::set_permissions(&closed, Permissions::from_mode(0o000)).expect("closed");
    }
}

#[test]
fn a_run_leaves_nothing_whatever_it_held() {
    let place = Place::new();
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("canary"), "x").expect("a file");
    let run = place.scratch.run().expect("a run");
    fill(&run, outside.path());
    drop(run);
    assert!(outside.path().join("canary").exists());
    place.check(&["runs", "sessions"]);
}

#[test]
fn the_upper_has_the_mode_of_what_it_covers() {
    let place = Place::new();
    let lower = tempfile::tempdir().expect("a folder");
    fs::set_permissions(lower.path(), Permissions::from_mode(0o2755)).expect("a mode");
    let run = place.scratch.run().expect("a run");
    let upper = run.layer(3, lower.path()).expect("a layer").upper;
    assert_eq!(fs::metadata(upper).expect("there").permissions().mode() & 0o7777, 0o2755);
}

#[test]
fn a_sweep_takes_what_nobody_holds() {
    let place = Place::new();
    let held = place.scratch.run().expect("a run");
    fs::create_dir_all(place.folder.path().join("runs/0123/upper0/left")).expect("what a killed daemon left");
    // Another daemon, or a run by hand.
    let other = Scratch::open(place.folder.path()).expect("a place");
    other.sweep().expect("swept");
    drop(other);
    let left: Vec<_> =
        fs::read_dir(place.folder.path().join("runs")).expect("listed").flatten().map(|entry| entry.path()).collect();
    assert_eq!(left, [held.path()]);
    drop(held);
    place.check(&["runs", "sessions"]);
}

#[test]
fn names_that_are_no_names_lead_nowhere() {
    let place = Place::new();
    for name in ["", ".", "..", "../..", "a/b", "\0"] {
        // A session of no plain name shares nothing.
        drop(place.scratch.session(name).expect("a run"));
    }
    place.check(&["runs", "sessions"]);
}

#[test]
fn a_session_keeps_what_is_named_and_nothing_else() {
    let place = Place::new();
    let run = place.scratch.session("s1").expect("a run");
    let layer = run.layer(0, place.folder.path()).expect("a layer");
    for folder in ["target/debug", "src/new", "pkg/target", "hidden/target"] {
        fs::create_dir_all(layer.upper.join(folder)).expect("a folder");
        fs::write(layer.upper.join(folder).join("file"), "x").expect("a file");
    }
    let opaque =
        rustix::fs::lsetxattr(layer.upper.join("hidden"), "user.overlay.opaque", b"y", rustix::fs::XattrFlags::empty());
    assert!(opaque.is_ok(), "{opaque:?}");
    // While one run goes on, another shares nothing with it.
    let second = place.scratch.session("s1").expect("a run");
    assert_ne!(second.path(), run.path());
    drop(second);
    run.settle(|path| path.ends_with("target"));
    place.check(&[
        "runs",
        "sessions",
        "sessions/s1",
        "sessions/s1/upper0",
        "sessions/s1/upper0/pkg",
        "sessions/s1/upper0/pkg/target",
        "sessions/s1/upper0/pkg/target/file",
        "sessions/s1/upper0/target",
        "sessions/s1/upper0/target/debug",
        "sessions/s1/upper0/target/debug/file",
    ]);
}

#[test]
fn a_session_that_leaves_too_much_leaves_nothing() {
    let mut place = Place::new();
    place.scratch.session_bytes = 4096;
    let run = place.scratch.session("s1").expect("a run");
    let layer = run.layer(0, place.folder.path()).expect("a layer");
    fs::create_dir(layer.upper.join("target")).expect("a folder");
    fs::write(layer.upper.join("target/big"), vec![1; 100_000]).expect("a file");
    run.settle(|path| path.ends_with("target"));
    place.check(&["runs", "sessions"]);
}

#[test]
fn a_session_that_is_not_settled_leaves_nothing_and_a_sweep_ends_the_rest() {
    let place = Place::new();
    let run = place.scratch.session("s1").expect("a run");
    fill(&run, place.folder.path());
    drop(run);
    let run = place.scratch.session("s2").expect("a run");
    fs::create_dir_all(run.layer(0, place.folder.path()).expect("a layer").upper.join("target")).expect("a folder");
    run.settle(|_| true);
    let other = Scratch::open(place.folder.path()).expect("a place");
    let Place { folder, scratch } = place;
    drop(scratch);
    other.sweep_sessions().expect("swept");
    Place { folder, scratch: other }.check(&["runs", "sessions"]);
}

#[test]
fn a_place_that_somebody_loosened_is_closed_again() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("runs")).expect("a folder in it");
    for loose in [folder.path().to_owned(), folder.path().join("runs")] {
        fs::set_permissions(&loose, Permissions::from_mode(0o777)).expect("a mode");
        let scratch = Scratch::open(folder.path()).expect("a place");
        assert!(scratch.root.starts_with(folder.path()), "{scratch:?}");
        assert_eq!(fs::metadata(&loose).expect("there").mode() & 0o777, 0o700);
    }
}
