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
        Self { publication: Publication { workspace, layers, seeds: Seeds::new(), started, state }, directory }
    }

    /// Starts the command now.
    pub(super) fn restarted(mut self) -> Self {
        self.publication.started = Stamp::take(&self.publication.state).expect("a stamp");
        self
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
        text.push_str(
            &listing(self.publication.workspace.as_path())
                .replace(&self.directory.path().display().to_string(), "BASE"),
        );
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
    told.replace(&base.display().to_string(), "BASE")
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

#[test]
fn replaces_files_directories_and_links_by_one_another() {
    let fixture = Fixture::new(&[("file", "1"), ("directory/a", "2"), ("opaque/old", "3"), ("to_link", "4")]);
    symlink("file", fixture.disk("link")).expect("linked");
    let fixture = fixture.restarted();
    fixture.writes("file/now", "5").writes("directory", "6").replaces("opaque").writes("opaque/new", "7");
    fixture.links("to_link", "directory").writes("link", "8");
    let published = fixture.publish();
    fixture.check(
        &published,
        expect![[r#"
        Deleted directory/a "2" -
        Deleted file "1" -
        Deleted opaque/old "3" -
        Created directory - "6"
        Created file/now - "5"
        Changed link - "8"
        Created opaque/new - "7"
        Changed to_link - -
        --
        directory: 6
        file/
        file/now: 5
        link: 8
        opaque/
        opaque/new: 7
        to_link -> directory
    "#]],
    );
}

#[test]
fn leaves_what_somebody_changed_meanwhile() {
    let fixture = Fixture::new(&[
        ("changed", "1"),
        ("same", "1"),
        ("deleted", "1"),
        ("d/kept", "1"),
        ("d/e/gone", "1"),
        ("gone", "1"),
    ]);
    fixture.writes("changed", "agent").writes("same", "2").deletes("deleted").deletes("d").writes("created", "agent");
    fixture.links("linked", "changed").writes("dir/x", "agent").writes("gone", "agent");
    for (path, text) in [
        ("changed", "mine"),
        ("same", "2"),
        ("deleted", "mine"),
        ("d/kept", "mine"),
        ("created", "mine"),
        ("linked", "mine"),
        ("dir", "mine"),
    ] {
        put(&fixture.disk(path), text);
    }
    std::fs::remove_file(fixture.disk("gone")).expect("removed");
    let published = fixture.publish();
    fixture.check(
        &published,
        expect![[r#"
        Deleted d/e/gone "1" -
        Created gone - "agent"
        conflict ws/changed: it changed on disk while the command ran
        conflict ws/created: it changed on disk while the command ran
        conflict ws/d/kept: it changed on disk while the command ran
        conflict ws/deleted: it changed on disk while the command ran
        conflict ws/dir: it changed on disk while the command ran
        conflict ws/linked: it changed on disk while the command ran
        --
        changed: mine
        created: mine
        d/
        d/kept: mine
        deleted: mine
        dir: mine
        gone: agent
        linked: mine
        same: 2
    "#]],
    );
}

#[test]
fn holds_protected_names_back() {
    let fixture = Fixture::new(&[
        (".vscode/settings.json", "{}"),
        (".vscode/tasks.json", "{}"),
        (".pilotfish/config.toml", "orig"),
        ("deep/er/.idea/x", "1"),
        ("deep/er/y", "2"),
        (".envrc", "same"),
    ]);
    fixture.writes(".vscode/settings.json", "auto").deletes(".vscode/tasks.json").writes(".envrc", "same");
    fixture
        .replaces(".pilotfish")
        .writes(".pilotfish/config.toml", "x")
        .writes(".pilotfish/new", "x")
        .writes("old/config.toml", "orig");
    fixture.deletes("deep").writes(".NVIM.lua", "x").writes("a/b/.exrc", "x").writes(".vscode2/tasks.json", "ok");
    std::fs::create_dir(fixture.upper(".zed")).expect("created");
    let published = fixture.publish();
    fixture.check(
        &published,
        expect![[r#"
        Deleted deep/er/y "2" -
        Created .vscode2/tasks.json - "ok"
        Created old/config.toml - "orig"
        held Created ws/.NVIM.lua - "x": Protected(Editor)
        held Changed ws/.pilotfish/config.toml "orig" "x": Protected(Own)
        held Created ws/.pilotfish/new - "x": Protected(Own)
        held Changed ws/.vscode/settings.json "{}" "auto": Protected(Editor)
        held Deleted ws/.vscode/tasks.json "{}" -: Protected(Editor)
        held Created ws/.zed - -: Protected(Editor)
        held Created ws/a/b/.exrc - "x": Protected(Editor)
        held Deleted ws/deep/er/.idea/x "1" -: Protected(Editor)
        --
        .envrc: same
        .pilotfish/
        .pilotfish/config.toml: orig
        .vscode/
        .vscode/settings.json: {}
        .vscode/tasks.json: {}
        .vscode2/
        .vscode2/tasks.json: ok
        a/
        a/b/
        deep/
        deep/er/
        deep/er/.idea/
        deep/er/.idea/x: 1
        old/
        old/config.toml: orig
    "#]],
    );
    let released = release(&fixture.publication, &published.held);
    fixture.check(
        &released,
        expect![[r#"
        Deleted deep/er/.idea/x "1" -
        Deleted .vscode/tasks.json "{}" -
        Created .NVIM.lua - "x"
        Changed .pilotfish/config.toml "orig" "x"
        Created .pilotfish/new - "x"
        Changed .vscode/settings.json "{}" "auto"
        Created a/b/.exrc - "x"
        --
        .NVIM.lua: x
        .envrc: same
        .pilotfish/
        .pilotfish/config.toml: x
        .pilotfish/new: x
        .vscode/
        .vscode/settings.json: auto
        .vscode2/
        .vscode2/tasks.json: ok
        .zed/
        a/
        a/b/
        a/b/.exrc: x
        old/
        old/config.toml: orig
    "#]],
    );
}

#[test]
fn releases_only_onto_what_was_seen() {
    let fixture = Fixture::new(&[(".envrc", "1"), (".exrc", "1"), (".nvimrc", "1")]);
    fixture.writes(".envrc", "2").deletes(".exrc").writes(".vimrc", "new").writes(".nvimrc", "2");
    let published = fixture.publish();
    for path in [".envrc", ".exrc", ".vimrc"] {
        put(&fixture.disk(path), "mine");
    }
    let released = release(&fixture.publication, &published.held);
    fixture.check(
        &released,
        expect![[r#"
        Changed .nvimrc "1" "2"
        conflict ws/.exrc: it changed on disk while the command ran
        conflict ws/.envrc: it changed on disk while the command ran
        conflict ws/.vimrc: it changed on disk while the command ran
        --
        .envrc: mine
        .exrc: mine
        .nvimrc: 2
        .vimrc: mine
    "#]],
    );
}

#[test]
fn what_stays_gets_the_time_of_now() {
    let fixture = Fixture::new(&[(".envrc", "1"), ("changed", "1"), (".exrc", "1")]);
    let old = std::fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    for path in [".envrc", "changed", ".exrc"] {
        std::fs::File::open(fixture.disk(path)).expect("opened").set_times(old).expect("set");
    }
    let fixture = fixture.restarted();
    fixture.writes(".envrc", "2").writes("changed", "agent").deletes(".exrc");
    put(&fixture.disk("changed"), "mine");
    std::fs::File::open(fixture.disk("changed")).expect("opened").set_times(old).expect("set");
    let inodes = [".envrc", "changed", ".exrc"].map(|path| fixture.disk(path).metadata().expect("there").ino());
    let published = fixture.publish();
    for (path, inode) in [".envrc", "changed", ".exrc"].into_iter().zip(inodes) {
        let metadata = fixture.disk(path).metadata().expect("there");
        assert!(metadata.mtime() > 0, "{path}");
        assert_eq!(metadata.ino(), inode, "{path}");
    }
    assert_eq!((published.counts.held, published.counts.conflicts), (2, 1));
}

#[test]
fn keeps_modes_and_times() {
    let fixture = Fixture::new(&[("run.sh", "1"), ("touched", "1"), ("executable", "1"), ("d/x", "1")]);
    std::fs::set_permissions(fixture.disk("run.sh"), PermissionsExt::from_mode(0o755)).expect("set");
    let fixture = fixture.restarted();
    fixture
        .writes("run.sh", "2")
        .writes("touched", "1")
        .writes("executable", "1")
        .writes("d/x", "2")
        .writes("n/y", "1");
    for (path, mode) in [("run.sh", 0o755), ("executable", 0o700), ("d", 0o500), ("n", 0o1777)] {
        std::fs::set_permissions(fixture.upper(path), PermissionsExt::from_mode(mode)).expect("set");
    }
    let then = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000, 123);
    for path in ["run.sh", "touched"] {
        let file = std::fs::File::open(fixture.upper(path)).expect("opened");
        file.set_times(std::fs::FileTimes::new().set_modified(then)).expect("set");
    }
    let published = fixture.publish();
    for path in ["run.sh", "touched"] {
        assert_eq!(fixture.disk(path).metadata().expect("there").modified().expect("a time"), then);
    }
    for (path, mode) in [("d", 0o500), ("n", 0o1777)] {
        assert_eq!(fixture.disk(path).metadata().expect("there").mode() & 0o7777, mode, "{path}");
    }
    fixture.check(
        &published,
        expect![[r#"
        Mode executable - -
        Changed d/x "1" "2"
        Created n/y - "1"
        Changed run.sh "1" "2"
        --
        d/
        d/x: 2
        executable: 1 (700)
        n/
        n/y: 1
        run.sh: 2 (755)
        touched: 1
    "#]],
    );
}

#[test]
fn holds_links_that_may_lead_out() {
    let fixture = Fixture::new(&[("a/b", "1")]);
    symlink("../outside", fixture.disk("out")).expect("linked");
    symlink(".", fixture.disk("a/self")).expect("linked");
    let fixture = fixture.restarted();
    let workspace = fixture.publication.workspace.clone();
    let absolute = workspace.as_path().join("a/b").display().to_string();
    let evil = format!("{workspace}-evil/x");
    for (path, target) in [
        ("in1", "a/b"),
        ("a/in2", "../a/b"),
        ("in3", absolute.as_str()),
        ("in4", "not/yet"),
        ("o1", "../outside/canary"),
        ("o2", "/etc/passwd"),
        ("a/o3", "../../outside"),
        ("o4", "a/../../outside"),
        ("o5", "out/canary"),
        ("o6", evil.as_str()),
        ("o7", "a/self/../.."),
        ("out", "../outside"),
    ] {
        fixture.links(path, target);
    }
    let published = fixture.publish();
    fixture.check(
        &published,
        expect![[r#"
            Created a/in2 - -
            Created in1 - -
            Created in3 - -
            Created in4 - -
            held Created ws/a/o3 - "../../outside": LeadsOut
            held Created ws/o1 - "../outside/canary": LeadsOut
            held Created ws/o2 - "/etc/passwd": LeadsOut
            held Created ws/o4 - "a/../../outside": LeadsOut
            held Created ws/o5 - "out/canary": LeadsOut
            held Created ws/o6 - "BASE/ws-evil/x": LeadsOut
            held Created ws/o7 - "a/self/../..": LeadsOut
            --
            a/
            a/b: 1
            a/in2 -> ../a/b
            a/self -> .
            in1 -> a/b
            in3 -> BASE/ws/a/b
            in4 -> not/yet
            out -> ../outside
        "#]],
    );
}

#[test]
fn leaves_odd_files_out() {
    let fixture = Fixture::new(&[("a", "1")]);
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, fixture.upper("pipe"), kind, rustix::fs::Mode::RUSR, 0).expect("made");
    let _socket = std::os::unix::net::UnixDatagram::bind(fixture.upper("socket")).expect("bound");
    let sparse = std::fs::File::create(fixture.upper("sparse")).expect("created");
    sparse.set_len(100 << 30).expect("set");
    let name = std::ffi::OsStr::from_bytes(b"bad\xff");
    std::fs::write(fixture.upper("").join(name), "x").expect("written");
    let published = fixture.publish();
    let published_sparse = fixture.disk("sparse").metadata().expect("there");
    assert_eq!((published_sparse.len(), published_sparse.blocks() < 100), (100 << 30, true));
    std::fs::remove_file(fixture.disk("sparse")).expect("removed");
    fixture.check(
        &published,
        expect![[r#"
        Created bad� - "x"
        Created sparse - -
        note ws/pipe: is a device, a socket or a pipe, and was not published
        note ws/socket: is a device, a socket or a pipe, and was not published
        --
        a: 1
        bad�: x
    "#]],
    );
}

#[test]
fn publishes_nothing_outside_the_opened_folder() {
    let mut fixture = Fixture::new(&[("sub/a", "1"), ("b", "1")]);
    let sub = below(&fixture.publication.workspace, Path::new("sub"));
    fixture.publication.layers[0].plan.writable = vec![sub];
    fixture.writes("sub/a", "2").writes("b", "2").writes("new/x", "2").writes("sub2/x", "2");
    let published = fixture.publish();
    fixture.check(
        &published,
        expect![[r#"
        Changed sub/a "1" "2"
        note ws/b: lies outside the opened folder, and was not published
        note ws/new: lies outside the opened folder, and was not published
        note ws/sub2: lies outside the opened folder, and was not published
        --
        b: 1
        sub/
        sub/a: 2
    "#]],
    );
}

#[test]
fn thousands_of_files_take_seconds() {
    let fixture = Fixture::new(&[]);
    for directory in 0..30 {
        std::fs::create_dir_all(fixture.upper(&format!("d{directory}"))).expect("created");
        for file in 0..100 {
            std::fs::write(fixture.upper(&format!("d{directory}/f{file}")), "text").expect("written");
        }
    }
    let start = Stamp::take(&fixture.publication.state).expect("a stamp");
    let published = fixture.publish();
    let end = Stamp::take(&fixture.publication.state).expect("a stamp");
    assert!(end.seconds_since(start) < 10, "{} s", end.seconds_since(start));
    assert_eq!(published.counts, Counts { created: 3_000, ..Counts::default() });
    assert_eq!(published.changed.len(), LISTED);
    assert_eq!(published.changed.iter().filter(|change| change.after.is_some()).count(), WITH_TEXT);
}

#[test]
fn a_flipping_directory_never_lets_a_write_out() {
    let fixture = Fixture::new(&[("real/a", "0"), ("real/b/c", "0")]);
    let outside = fixture.directory.path().join("outside");
    for file in 0..1000 {
        fixture.writes(&format!("real/f{file}"), "x").writes(&format!("real/b/f{file}"), "x");
    }
    fixture.deletes("real/canary");
    let (root, target) = (fixture.disk(""), outside.clone());
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let flipper = std::thread::spawn(move || {
        let (name, link) = (root.join("real"), root.join("link"));
        symlink(&target, &link).expect("linked");
        let (here, swap) = (rustix::fs::CWD, rustix::fs::RenameFlags::EXCHANGE);
        let mut flips = 0_u64;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) || flips < 10_000 {
            rustix::fs::renameat_with(here, &name, here, &link, swap).expect("swapped");
            flips += 1;
        }
    });
    let mut made = 0;
    for _ in 0..8 {
        made += fixture.publish().counts.created;
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    flipper.join().expect("flipped");
    let names: Vec<_> =
        std::fs::read_dir(&outside).expect("readable").map(|entry| entry.expect("readable").file_name()).collect();
    assert_eq!(names, ["canary"]);
    assert_eq!(std::fs::read_to_string(outside.join("canary")).expect("there"), "canary");
    assert!(made > 0);
}

#[test]
fn a_kill_leaves_whole_files_and_the_sweep_finds_the_rest() {
    for steps in 0_u32.. {
        let fixture = Fixture::new(&[("a", "old"), ("b/c", "old"), ("gone/x", "old"), ("mine", "old")]);
        fixture.writes("a", "new").writes("b/c", "new").writes("b/n", "new").deletes("gone").links("l", "a");
        let left = std::cell::Cell::new(steps);
        let gate = |_: &'static str| left.replace(left.get().saturating_sub(1)) > 0;
        let _ = tree::publish(&fixture.publication, &gate);
        let is_done = left.get() > 0;
        sweep(&fixture.publication.state);
        let found = listing(fixture.publication.workspace.as_path());
        assert!(!found.contains("pilotfish-"), "{found}");
        assert!(found.contains("mine: old"), "{found}");
        for (path, texts) in [("a", ["old", "new"]), ("b/c", ["old", "new"])] {
            let text = std::fs::read_to_string(fixture.disk(path)).expect("there");
            assert!(texts.contains(&text.as_str()), "{path}: {text}");
        }
        if is_done {
            return;
        }
    }
}

#[test]
fn the_end_of_a_protected_link_is_protected() {
    let fixture = Fixture::new(&[("config/editor/settings.json", "{}"), ("config/other", "1"), ("run/env", "1")]);
    symlink("config/editor", fixture.disk(".vscode")).expect("linked");
    symlink("run/env", fixture.disk(".envrc")).expect("linked");
    let fixture = fixture.restarted();
    fixture.writes("config/editor/settings.json", "auto").writes("config/other", "2").writes("run/env", "2");
    let published = fixture.publish();
    fixture.check(
        &published,
        expect![[r#"
        Changed config/other "1" "2"
        held Changed ws/config/editor/settings.json "{}" "auto": Protected(Editor)
        held Changed ws/run/env "1" "2": Protected(StartFile)
        --
        .envrc -> run/env
        .vscode -> config/editor
        config/
        config/editor/
        config/editor/settings.json: {}
        config/other: 2
        run/
        run/env: 1
    "#]],
    );
}

#[test]
fn what_makes_a_repository_of_parts_elsewhere_is_held_back() {
    let head = "ref: refs/heads/main\n";
    let fixture = Fixture::new(&[
        ("parts/objects/x", "1"),
        ("old/HEAD", head),
        ("ran/config", "evil"),
        ("package/commondir/index.js", "1"),
    ]);
    fixture.writes("evil/HEAD", head).writes("evil/commondir", "../parts").writes("evil/config.worktree", "evil");
    fixture.writes("old/commondir", "../parts").writes("old/config.worktree", "evil");
    fixture.writes("ran/HEAD", head).writes("ran/commondir", "../parts").writes("later/CommonDir", "../parts");
    fixture.writes("package/commondir/index.js", "2");
    let published = fixture.publish();
    fixture.check(
        &published,
        expect![[r#"
        Changed package/commondir/index.js "1" "2"
        held Created ws/later/CommonDir - "../parts": Protected(VersionControl)
        held Created ws/ran/HEAD - "ref: refs/heads/main\n": Protected(VersionControl)
        held Created ws/ran/commondir - "../parts": Protected(VersionControl)
        held Created ws/evil/commondir - "../parts": Protected(VersionControl)
        held Created ws/evil/config.worktree - "evil": Protected(VersionControl)
        held Created ws/old/commondir - "../parts": Protected(VersionControl)
        held Created ws/old/config.worktree - "evil": Protected(VersionControl)
        --
        evil/
        evil/HEAD: ref: refs/heads/main

        evil/objects/
        evil/objects/info/
        evil/objects/pack/
        evil/refs/
        evil/refs/heads/
        evil/refs/tags/
        later/
        old/
        old/HEAD: ref: refs/heads/main

        package/
        package/commondir/
        package/commondir/index.js: 2
        parts/
        parts/objects/
        parts/objects/x: 1
        ran/
        ran/config: evil
    "#]],
    );
}

#[test]
fn huge_files_are_not_compared() {
    let fixture = Fixture::new(&[("huge", "")]);
    for path in [fixture.disk("huge"), fixture.upper("huge")] {
        std::fs::File::create(path).expect("created").set_len(1 << 33).expect("a sparse file");
    }
    let fixture = fixture.restarted();
    assert_eq!(fixture.publish().counts.changed, 1);
}

#[test]
fn a_release_replaces_a_directory_only_when_it_is_empty() {
    let fixture = Fixture::new(&[(".idea/a", "1"), (".zed/a", "1"), (".fleet", "1")]);
    fixture.writes(".idea", "file").writes(".zed", "file").writes(".fleet/a/b", "2");
    let published = fixture.publish();
    let held: Vec<Held> =
        published.held.iter().filter(|held| !held.path.as_path().ends_with(".zed/a")).cloned().collect();
    let released = release(&fixture.publication, &held);
    fixture.check(
        &released,
        expect![[r#"
            Deleted .idea/a "1" -
            Changed .idea - "file"
            Created .fleet/a/b - "2"
            conflict ws/.zed: it is not empty
            --
            .fleet/
            .fleet/a/
            .fleet/a/b: 2
            .idea: file
            .zed/
            .zed/a: 1
        "#]],
    );
}
