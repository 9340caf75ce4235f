use super::*;
use crate::sandbox::Scratch;
use crate::workspace::layers;
use std::os::unix::fs::MetadataExt;

struct Fixture {
    directory: tempfile::TempDir,
    scratch: Scratch,
    workspace: AbsPath,
    sown: Sown,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let root = directory.path().join("ws");
        fs::create_dir_all(root.join("src")).expect("made");
        fs::write(root.join("src/a"), "disk").expect("written");
        fs::write(root.join("b"), "disk").expect("written");
        let workspace = AbsPath::canonical(&root.display().to_string()).expect("exists");
        let scratch = Scratch::open(&directory.path().join("scratch")).expect("a place");
        Self { directory, scratch, workspace, sown: Sown::default() }
    }

    /// Sows, gives where, and keeps the run for a look at it.
    fn sow(&self, mode: Mode, unsaved: &[(&str, Option<&str>)]) -> (Places, Run) {
        let path = |path: &str| RootedPath::new(&self.workspace, path).expect("inside");
        let bytes = |text: &str| Arc::from(text.as_bytes());
        let unsaved = unsaved.iter().map(|(name, text)| (path(name), text.map(bytes))).collect();
        let plans = layers::plan(&self.workspace, &self.workspace, mode, None);
        let run = self.scratch.run().expect("a folder");
        run.layer(0, self.workspace.as_path()).expect("a layer");
        let field = Field { workspace: &self.workspace, plans: &plans, run: &run, mode, session: Some("s1") };
        let places = self.sown.sow(&field, &unsaved);
        (places, run)
    }
}

fn names(places: &Places) -> Vec<String> {
    places.keys().map(|(_, path)| path.display().to_string()).collect()
}

fn modified(run: &Run, path: &str) -> (i64, i64) {
    let found = fs::metadata(run.upper(0).join(path)).expect("there");
    (found.mtime(), found.mtime_nsec())
}

#[test]
fn texts_lie_above_and_the_disk_stays() {
    let fixture = Fixture::new();
    let (places, run) = fixture.sow(Mode::Agent, &[("src/a", Some("typed")), ("none/c", Some("typed"))]);
    assert_eq!(names(&places), ["src/a"], "a folder that is not there would be published");
    assert_eq!(fs::read_to_string(run.upper(0).join("src/a")).expect("there"), "typed");
    assert_eq!(fs::read_to_string(fixture.directory.path().join("ws/src/a")).expect("there"), "disk");
    let is_kept = |_: &OsStr| false;
    assert!(!is_written((0, &run.upper(0)), Path::new(""), &places, &is_kept));
    fs::write(run.upper(0).join("src/a"), "by the command").expect("written");
    assert!(is_written((0, &run.upper(0)), Path::new(""), &places, &is_kept));
}

#[test]
fn what_is_proposed_to_go_is_not_seen() {
    let fixture = Fixture::new();
    let (places, run) = fixture.sow(Mode::ReadOnly, &[("b", None), ("new/c", Some("proposed"))]);
    assert_eq!(names(&places), ["b", "new/c"]);
    let found = fs::symlink_metadata(run.upper(0).join("b")).expect("there");
    assert_eq!((found.rdev(), found.is_file()), (0, false));
    assert!(!is_written((0, &run.upper(0)), Path::new(""), &places, &|_| false));
}

#[test]
fn a_text_that_stays_keeps_its_time_and_one_that_goes_back_gets_a_new_one() {
    let fixture = Fixture::new();
    let (_, first) = fixture.sow(Mode::ReadOnly, &[("b", Some("one"))]);
    let (_, second) = fixture.sow(Mode::ReadOnly, &[("b", Some("one"))]);
    assert_eq!(modified(&first, "b"), modified(&second, "b"));
    let (_, third) = fixture.sow(Mode::ReadOnly, &[]);
    assert_eq!(fs::read_to_string(third.upper(0).join("b")).expect("there"), "disk");
    assert!(modified(&third, "b") >= modified(&second, "b"));
    let (places, _) = fixture.sow(Mode::ReadOnly, &[]);
    assert!(places.is_empty());
}

/// A command of a read-only session leaves results of builds behind, and among them whatever it likes.
#[test]
fn nothing_is_put_through_a_link_that_a_command_left() {
    let fixture = Fixture::new();
    let outside = fixture.directory.path().join("outside");
    fs::create_dir(&outside).expect("made");
    fs::write(outside.join("c"), "mine").expect("written");
    let plans = layers::plan(&fixture.workspace, &fixture.workspace, Mode::ReadOnly, None);
    let run = fixture.scratch.run().expect("a folder");
    run.layer(0, fixture.workspace.as_path()).expect("a layer");
    fs::create_dir(run.upper(0).join("target")).expect("made");
    std::os::unix::fs::symlink(&outside, run.upper(0).join("target/x")).expect("linked");
    let field =
        Field { workspace: &fixture.workspace, plans: &plans, run: &run, mode: Mode::ReadOnly, session: Some("s1") };
    let path = RootedPath::new(&fixture.workspace, "target/x/c").expect("inside");
    let places = fixture.sown.sow(&field, &Unsaved::from([(path, Some(Arc::from(&b"theirs"[..])))]));
    assert!(places.is_empty());
    assert_eq!(fs::read_to_string(outside.join("c")).expect("there"), "mine");
}

#[test]
fn what_a_command_left_is_looked_at_before_it_is_read() {
    let fixture = Fixture::new();
    let (places, run) = fixture.sow(Mode::ReadOnly, &[("b", Some("typed"))]);
    let left = run.upper(0).join("b");
    fs::remove_file(&left).expect("removed");
    rustix::fs::mknodat(rustix::fs::CWD, &left, FileType::Fifo, Permissions::from_raw_mode(0o600), 0).expect("made");
    // Reading it would never end.
    assert!(is_written((0, &run.upper(0)), Path::new(""), &places, &|_| false));
}
