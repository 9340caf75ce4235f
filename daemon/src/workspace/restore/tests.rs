use super::*;
use crate::clock::Clock;
use crate::journal::Journal;
use crate::workspace::publish::tests::Fixture;
use crate::workspace::publish::{self, Publication, Stamp};
use crate::workspace::write::{self};
use crate::workspace::{Cause, Change as Edit};
use expect_test::{Expect, expect};
use std::cell::Cell;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

/// A folder without git, and what is recorded of it.
struct Desk {
    fixture: Fixture,
    checkpoints: Checkpoints,
    state: tempfile::TempDir,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        Self::capped(files, 1 << 30)
    }

    fn capped(files: &[(&str, &str)], cap: u64) -> Self {
        let state = tempfile::tempdir().expect("a temporary directory");
        let journal = Journal::in_memory().expect("a thread");
        let checkpoints = Checkpoints::open(state.path(), journal, Clock::counting()).capped(cap);
        Self { fixture: Fixture::new(files), checkpoints, state }
    }

    fn root(&self) -> &AbsPath {
        &self.fixture.publication.workspace
    }

    fn path(&self, path: &str) -> RootedPath {
        RootedPath::new(self.root(), path).expect("inside")
    }

    fn disk(&self, path: &str) -> PathBuf {
        self.fixture.disk(path)
    }

    fn cause(&self, turn: &str) -> Cause {
        crate::workspace::tests::cause(turn)
    }

    fn edits(&self, turn: &str, changes: &[Edit]) {
        let recorder = self.checkpoints.recorder(self.root(), &self.cause(turn));
        write::apply(self.root(), changes, &recorder).expect("applied");
    }

    fn replace(&self, path: &str, before: &str, bytes: &str) -> Edit {
        Edit::Replace { path: self.path(path), before: before.into(), bytes: bytes.into() }
    }

    /// Ends a command that started when it is called for the last time.
    fn publishes(&self, turn: &str, gate: Gate<'_>) -> publish::Published {
        let recorder = self.checkpoints.recorder(self.root(), &self.cause(turn));
        publish::tests::publish_recorded(&self.fixture.publication, &recorder, gate)
    }

    /// Starts another command, over what is there now.
    fn next_command(&mut self) {
        std::fs::remove_dir_all(self.fixture.upper("")).expect("removed");
        std::fs::create_dir(self.fixture.upper("")).expect("created");
        let Publication { state, .. } = &self.fixture.publication;
        self.fixture.publication.started = Stamp::take(state).expect("a stamp");
    }

    fn restore(&self, id: &str, dry_run: bool) -> Restored {
        restore(self.root(), &self.checkpoints, &id.into(), dry_run, &BTreeSet::new()).expect("restored")
    }

    /// What a restore says it would do, and then says it did, which is the same.
    fn check(&self, id: &str, expected: Expect) -> Option<CheckpointId> {
        let would = self.restore(id, true);
        let before = self.snapshot();
        assert_eq!(would.checkpoint, None);
        assert_eq!(self.snapshot(), before, "a dry run changes nothing");
        let did = self.restore(id, false);
        assert_eq!(did.changes, would.changes);
        let told = did.changes.iter().map(|(path, word)| format!("{path}: {word}\n"));
        expected.assert_eq(&told.collect::<String>());
        let lists =
            std::fs::read_dir(self.state.path()).expect("readable").map(|entry| entry.expect("readable").file_name());
        assert_eq!(lists.filter(|name| name != "blobs").collect::<Vec<_>>(), [""; 0]);
        did.checkpoint
    }

    /// Every name with its mode and bytes, or its target.
    fn snapshot(&self) -> Vec<String> {
        fn walk(root: &Path, at: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(at).expect("readable") {
                let path = entry.expect("readable").path();
                let metadata = path.symlink_metadata().expect("there");
                let (name, mode) = (path.strip_prefix(root).expect("below").display(), metadata.mode() & 0o7777);
                if metadata.is_symlink() {
                    found.push(format!("{name} -> {}", std::fs::read_link(&path).expect("a link").display()));
                } else if metadata.is_dir() {
                    found.push(format!("{name}/ {mode:o}"));
                    walk(root, &path, found);
                } else {
                    let bytes = std::fs::read(&path).expect("readable");
                    let shown = if bytes.len() < 100 {
                        bytes.escape_ascii().to_string()
                    } else {
                        blake3::hash(&bytes).to_string()
                    };
                    found.push(format!("{name} {mode:o} {shown}"));
                }
            }
        }
        let mut found = Vec::new();
        walk(self.root().as_path(), self.root().as_path(), &mut found);
        found.sort();
        found
    }
}

/// A turn that does all there is to do: an edit, then a command.
fn busy() -> Desk {
    let desk = Desk::new(&[
        ("edited", "1"),
        ("deleted", "2"),
        ("renamed", "3"),
        ("run.sh", "4"),
        ("linked", "5"),
        ("gone/deep/a", "6"),
        ("gone/b", "7"),
        ("was_folder/x", "8"),
        ("was_file", "9"),
        ("both", "10"),
        ("kept/x", "11"),
        ("untouched", "12"),
    ]);
    symlink("edited", desk.disk("link")).expect("linked");
    std::fs::set_permissions(desk.disk("gone/deep"), PermissionsExt::from_mode(0o750)).expect("set");
    std::fs::write(desk.disk("image.png"), b"\0\xff\r\n\x01".repeat(100_000)).expect("written");
    desk
}

fn edit_and_command(desk: &mut Desk) {
    let moved = Edit::Move {
        from: desk.path("kept/x"),
        to: desk.path("moved/x"),
        before: "11".into(),
        bytes: "11 and more".into(),
    };
    desk.edits("t1", &[desk.replace("edited", "1", "one"), desk.replace("both", "10", "ten"), moved]);
    desk.next_command();
    desk.fixture.deletes("deleted").deletes("renamed").writes("renamed2", "3").deletes("gone").deletes("image.png");
    desk.fixture.writes("run.sh", "4").writes("both", "10 by command").writes("new/folder/file", "new");
    desk.fixture.links("link", "linked").links("new/link", "folder/file").links("linked", "edited");
    desk.fixture.writes("was_folder", "now a file").writes("was_file/now", "a folder");
    std::fs::write(desk.fixture.upper("new/binary"), b"\0\x80\0".repeat(1000)).expect("written");
    std::fs::create_dir_all(desk.fixture.upper("kept")).expect("created");
    std::fs::set_permissions(desk.fixture.upper("kept"), PermissionsExt::from_mode(0o700)).expect("set");
    std::fs::set_permissions(desk.fixture.upper("run.sh"), PermissionsExt::from_mode(0o755)).expect("set");
}

#[test]
fn a_restore_brings_bytes_modes_links_and_names_back_and_can_be_undone() {
    let mut desk = busy();
    let before = desk.snapshot();
    edit_and_command(&mut desk);
    let published = desk.publishes("t1", &|_| true);
    assert_eq!(published.conflicts, []);
    let after = desk.snapshot();
    let undo = desk.check(
        "k1",
        expect![[r#"
            both: changed
            deleted: created
            edited: changed
            gone: created
            gone/b: created
            gone/deep: created
            gone/deep/a: created
            image.png: created
            kept: mode changed
            kept/x: created
            link: changed
            linked: changed
            moved: deleted
            moved/x: deleted
            new: deleted
            new/binary: deleted
            new/folder: deleted
            new/folder/file: deleted
            new/link: deleted
            renamed: created
            renamed2: deleted
            run.sh: mode changed
            was_file: changed
            was_file/now: deleted
            was_folder: changed
            was_folder/x: created
        "#]],
    );
    assert_eq!(desk.snapshot(), before);
    assert_eq!(undo, Some("k2".into()));
    desk.check(
        "k2",
        expect![[r#"
        both: changed
        deleted: deleted
        edited: changed
        gone: deleted
        gone/b: deleted
        gone/deep: deleted
        gone/deep/a: deleted
        image.png: deleted
        kept: mode changed
        kept/x: deleted
        link: changed
        linked: changed
        moved: created
        moved/x: created
        new: created
        new/binary: created
        new/folder: created
        new/folder/file: created
        new/link: created
        renamed: deleted
        renamed2: created
        run.sh: mode changed
        was_file: changed
        was_file/now: created
        was_folder: changed
        was_folder/x: deleted
    "#]],
    );
    assert_eq!(desk.snapshot(), after);
    // Once more to and fro: a restore of the first takes the restores back too.
    desk.restore("k1", false);
    assert_eq!(desk.snapshot(), before);
    assert_eq!(desk.restore("k1", true).changes, []);
    desk.restore("k4", false);
    assert_eq!(desk.snapshot(), after);
}

#[test]
fn what_the_person_changed_in_between_is_named_and_left() {
    let mut desk = busy();
    edit_and_command(&mut desk);
    desk.publishes("t1", &|_| true);
    for path in ["edited", "new/folder/mine", "deleted"] {
        std::fs::write(desk.disk(path), "mine").expect("written");
    }
    std::fs::remove_file(desk.disk("renamed2")).expect("removed");
    let changes = desk.restore("k1", false).changes;
    let left: Vec<String> = changes
        .iter()
        .filter(|(_, word)| word.starts_with("left"))
        .map(|(path, word)| format!("{path}: {word}\n"))
        .collect();
    expect![[r#"
        deleted: left: you changed it since
        edited: left: you changed it since
        new: left: it is not empty
        new/folder: left: it is not empty
    "#]]
    .assert_eq(&left.concat());
    for path in ["edited", "new/folder/mine", "deleted"] {
        assert_eq!(std::fs::read_to_string(desk.disk(path)).expect("there"), "mine");
    }
}

#[test]
fn a_kill_at_any_moment_leaves_enough() {
    for steps in 0.. {
        let mut desk = busy();
        let before = desk.snapshot();
        edit_and_command(&mut desk);
        let gate = killed_after(steps);
        desk.publishes("t1", &gate);
        let was_killed = !gate("end");
        publish::sweep(&desk.fixture.publication.state);
        desk.restore("k1", false);
        assert_eq!(desk.snapshot(), before, "killed after {steps} steps");
        if !was_killed {
            return;
        }
    }
}

#[test]
fn a_killed_restore_is_finished_or_undone_by_another() {
    for steps in 0.. {
        let mut desk = busy();
        let before = desk.snapshot();
        edit_and_command(&mut desk);
        desk.publishes("t1", &|_| true);
        let after = desk.snapshot();
        let gate = killed_after(steps);
        restore_through(desk.root(), &desk.checkpoints, &"k1".into(), false, &BTreeSet::new(), &gate)
            .expect("restored");
        let was_killed = !gate("end");
        publish::sweep(desk.state.path());
        let between = desk.snapshot();
        assert!(between.iter().all(|line| !line.contains("pilotfish-")), "{between:#?}");
        if steps % 2 == 0 {
            desk.restore("k1", false);
            assert_eq!(desk.snapshot(), before, "killed after {steps} steps");
        } else {
            desk.restore("k2", false);
            assert_eq!(desk.snapshot(), after, "killed after {steps} steps");
        }
        if !was_killed {
            return;
        }
    }
}

/// Says yes so often.
fn killed_after(steps: u32) -> impl Fn(&'static str) -> bool {
    let left = Cell::new(steps);
    move |_| left.replace(left.get().saturating_sub(1)) > 0
}

#[test]
fn what_comes_back_is_new_to_builds() {
    let desk = Desk::new(&[("source", "1")]);
    let old = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    std::fs::File::open(desk.disk("source")).expect("opened").set_times(old).expect("set");
    desk.edits("t1", &[desk.replace("source", "1", "2")]);
    std::fs::File::open(desk.disk("source")).expect("opened").set_times(old).expect("set");
    desk.restore("k1", false);
    assert!(desk.disk("source").metadata().expect("there").mtime() > 1_000_000_000);
}

#[test]
fn a_turn_has_one_checkpoint_and_a_later_one_takes_back_less() {
    let desk = Desk::new(&[("a", "0")]);
    desk.edits("t1", &[desk.replace("a", "0", "1")]);
    desk.edits("t1", &[desk.replace("a", "1", "2")]);
    desk.edits("t2", &[desk.replace("a", "2", "3")]);
    // A turn that goes on while another one begins.
    desk.edits("t1", &[desk.replace("a", "3", "4")]);
    let text = || std::fs::read_to_string(desk.disk("a")).expect("there");
    desk.restore("k2", false);
    assert_eq!(text(), "2");
    desk.restore("k1", false);
    assert_eq!(text(), "0");
    desk.restore("k3", false);
    assert_eq!(text(), "4");
    let error = restore(desk.root(), &desk.checkpoints, &"k9".into(), false, &BTreeSet::new()).expect_err("none");
    assert_eq!(error.to_string(), "there is no checkpoint k9 of this workspace; checkpoint/list has those there are");
}

#[test]
fn a_moved_folder_and_an_edit_through_a_link_come_back() {
    let desk = Desk::new(&[("folder/in/a", "1"), ("folder/b", "2"), ("real/c", "3")]);
    symlink("real", desk.disk("alias")).expect("linked");
    symlink("b", desk.disk("folder/link")).expect("linked");
    let before = desk.snapshot();
    let moved = Edit::MoveDirectory { from: desk.path("folder"), to: desk.path("other/place") };
    desk.edits("t1", &[moved, desk.replace("alias/c", "3", "4"), desk.replace("other/place/b", "2", "5")]);
    let after = desk.snapshot();
    desk.check(
        "k1",
        expect![[r#"
            folder: created
            folder/b: created
            folder/in: created
            folder/in/a: created
            folder/link: created
            other: deleted
            other/place: deleted
            other/place/b: deleted
            other/place/in: deleted
            other/place/in/a: deleted
            other/place/link: deleted
            real/c: changed
        "#]],
    );
    assert_eq!(desk.snapshot(), before);
    desk.restore("k2", false);
    assert_eq!(desk.snapshot(), after);
}

#[test]
fn names_that_are_no_text_and_links_in_the_way() {
    use std::os::unix::ffi::OsStrExt;
    let mut desk = Desk::new(&[("d/a", "1"), ("outside_of_it", "2")]);
    let name = OsStr::from_bytes(b"\xff\n%");
    std::fs::write(desk.disk("").join(name), "odd").expect("written");
    desk.next_command();
    desk.fixture.deletes("d/a");
    crate::workspace::publish::tests::whiteout(&desk.fixture.upper("").join(name));
    desk.publishes("t1", &|_| true);
    std::fs::remove_dir(desk.disk("d")).expect("removed");
    symlink("/tmp", desk.disk("d")).expect("linked");
    let told: Vec<String> =
        desk.restore("k1", false).changes.iter().map(|(path, word)| format!("{path:?} {word}\n")).collect();
    expect![[r#"
        RootedPath("d/a") left: its folder is gone
        RootedPath("\xFF\n%") created
    "#]]
    .assert_eq(&told.concat());
    assert_eq!(std::fs::read_to_string(desk.disk("").join(name)).expect("there"), "odd");
}

#[test]
fn what_is_too_large_is_not_kept_and_that_is_said() {
    let mut desk = Desk::new(&[("small", "1")]);
    std::fs::File::create(desk.disk("huge")).expect("created").set_len(65 << 20).expect("set");
    desk.next_command();
    desk.fixture.writes("huge", "now small").writes("small", "2");
    std::fs::File::create(desk.fixture.upper("new")).expect("created").set_len(65 << 20).expect("set");
    let published = desk.publishes("t1", &|_| true);
    let huge = desk.disk("huge").display().to_string();
    let note = "is larger than what is kept for checkpoints, so that no restore brings back what it was";
    assert_eq!(published.notes, [format!("{huge}: {note}")]);
    desk.check(
        "k1",
        expect![[r#"
        huge: left: what it was is not kept
        new: left: it is too large to be had back afterwards
        small: changed
    "#]],
    );
}

#[test]
fn a_thousand_turns_stay_under_the_cap() {
    const CAP: u64 = 1 << 20;
    let mut desk = Desk::capped(&[("a", "0"), ("d/gone", "x")], CAP);
    let mut largest = 0;
    for turn in 0..1000_u32 {
        let id = format!("t{turn}");
        desk.edits(&id, &[desk.replace("a", &turn.to_string(), &(turn + 1).to_string())]);
        desk.next_command();
        let bytes = blake3::hash(&turn.to_le_bytes()).as_bytes().repeat(250);
        std::fs::write(desk.fixture.upper("binary"), bytes).expect("written");
        desk.fixture.links("link", &id).writes(&format!("new{}", turn % 5), &id);
        if turn > 5 {
            desk.fixture.deletes(&format!("new{}", (turn + 1) % 5));
        }
        assert_eq!(desk.publishes(&id, &|_| true).conflicts, []);
        desk.checkpoints.collect_if_full();
        if turn % 50 == 0 {
            largest = largest.max(on_disk(&desk.state.path().join("blobs")));
        }
    }
    assert!(largest <= CAP * 5 / 4, "{largest} bytes");
    assert!(largest > CAP / 2, "{largest} bytes");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let list = runtime.block_on(desk.checkpoints.list(desk.root())).expect("listed");
    assert!(list.len() > 10, "{}", list.len());
    // The oldest that is left takes back all that lies behind it.
    let oldest = list.last().expect("one is left");
    let changes = desk.restore(&oldest.id.0, false).changes;
    assert!(changes.iter().all(|(_, word)| !word.starts_with("left")), "{changes:?}");
    assert_eq!(std::fs::read_to_string(desk.disk("a")).expect("there"), (1000 - list.len()).to_string());
}

/// Blocks that are in use.
fn on_disk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path());
    entries
        .map(|path| match path.metadata().expect("there") {
            metadata if metadata.is_dir() => on_disk(&path),
            metadata => metadata.blocks() * 512,
        })
        .sum()
}
