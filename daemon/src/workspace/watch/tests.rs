use super::*;
use crate::workspace::index::Stat;
use crate::workspace::index::scan::scan;
use expect_test::{Expect, expect};
use std::collections::BTreeSet;
use std::fs;
use tokio::time::timeout;

/// Until something is taken for lost.
const DEADLINE: Duration = Duration::from_secs(20);

struct Fixture {
    directory: tempfile::TempDir,
    watcher: Watcher,
    files: Files,
    changes: ChangesReceiver,
}

impl Fixture {
    /// Files that exist before anybody asks for them, of which all folders are watched.
    async fn new(paths: &[&str]) -> Self {
        Self::with(paths, Watcher::default()).await
    }

    async fn with(paths: &[&str], watcher: Watcher) -> Self {
        Self::in_directory(tempfile::tempdir().expect("a temporary directory"), paths, watcher).await
    }

    async fn in_directory(directory: tempfile::TempDir, paths: &[&str], watcher: Watcher) -> Self {
        paths.iter().for_each(|path| write(&directory.path().join(path), "1"));
        let root = AbsPath::canonical(&directory.path().display().to_string()).expect("exists");
        let files = Files::open(root, &watcher);
        let changes = files.changes();
        let mut fixture = Self { directory, watcher, files, changes };
        assert_eq!(fixture.next().await, Changes { paths: [].into(), rescan: true });
        fixture
    }

    fn path(&self, path: &str) -> PathBuf {
        self.files.root.as_path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        write(&self.path(path), text);
    }

    fn rooted(&self, path: &str) -> RootedPath {
        RootedPath::new(&self.files.root, path).expect("inside")
    }

    async fn next(&mut self) -> Changes {
        timeout(DEADLINE, self.changes.next()).await.expect("changes").expect("open")
    }

    /// All changes until the index is what the disk is.
    async fn settle(&mut self) -> Vec<Changes> {
        let mut all = Vec::new();
        while self.index() != self.disk() {
            all.push(self.next().await);
        }
        all
    }

    /// All paths that are told until one is.
    async fn until(&mut self, path: &str) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        while !all.contains(path) {
            let changes = self.next().await;
            all.extend(changes.paths.iter().map(RootedPath::to_string));
            all.extend(changes.rescan.then(|| "everything".to_owned()));
        }
        all
    }

    async fn check(&mut self, until: &str, expected: Expect) {
        let mut told = self.until(until).await;
        // A write is several events, which a busy machine tells apart.
        told.extend(self.settle().await.iter().flat_map(|changes| changes.paths.iter().map(RootedPath::to_string)));
        let told: Vec<String> = told.into_iter().collect();
        expected.assert_eq(&told.join(" "));
    }

    fn index(&self) -> Option<Vec<(PathBuf, Stat)>> {
        let index = self.files.shared.shown.index.borrow().clone()?;
        let index = index.read().expect("nobody panicked");
        Some(index.files().map(|(path, stat)| (path.to_owned(), stat)).collect())
    }

    fn disk(&self) -> Option<Vec<(PathBuf, Stat)>> {
        let scan = scan(self.files.root.as_path(), Path::new(""));
        Some(scan.index.files().map(|(path, stat)| (path.to_owned(), stat)).collect())
    }

    async fn found(&self, query: &str) -> Vec<String> {
        self.files.search(query, 10).await.iter().map(RootedPath::to_string).collect()
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("has one")).expect("created");
    fs::write(path, text).expect("written");
}

#[tokio::test]
async fn files_that_come_change_and_go_are_told_and_indexed() {
    let mut fixture = Fixture::new(&["a", "b/c"]).await;
    fixture.write("new", "1");
    fixture.check("new", expect!["new"]).await;
    fixture.write("a", "longer");
    fixture.check("a", expect!["a"]).await;
    fs::remove_file(fixture.path("b/c")).expect("removed");
    fixture.check("b/c", expect!["b/c"]).await;
    fs::rename(fixture.path("a"), fixture.path("b/a")).expect("renamed");
    fixture.check("b/a", expect!["a b/a"]).await;
}

#[tokio::test]
async fn folders_that_come_are_watched_and_those_that_go_are_not() {
    let mut fixture = Fixture::new(&["a"]).await;
    fixture.write("x/y/z", "1");
    fixture.settle().await;
    fixture.write("x/y/later", "1");
    fixture.until("x/y/later").await;
    // A folder takes the name of another one.
    fs::rename(fixture.path("x"), fixture.path("old")).expect("renamed");
    fixture.write("x/y/other", "1");
    fixture.settle().await;
    fixture.write("old/y/z", "22");
    fixture.write("x/y/other", "22");
    fixture.settle().await;
    assert_eq!(fixture.watcher.count(), 5);
    fs::remove_dir_all(fixture.path("old")).expect("removed");
    fs::rename(fixture.path("x"), fixture.directory.path().parent().expect("has one").join(tempname(&fixture)))
        .expect("moved out");
    fixture.settle().await;
    fixture.write("last", "1");
    fixture.until("last").await;
    assert_eq!((fixture.watcher.count(), fixture.found("").await), (1, vec!["last".to_owned(), "a".to_owned()]));
    let _ = fs::remove_dir_all(fixture.directory.path().parent().expect("has one").join(tempname(&fixture)));
}

fn tempname(fixture: &Fixture) -> String {
    format!("{}-moved", fixture.directory.path().file_name().expect("has one").display())
}

#[tokio::test]
async fn ignored_folders_are_neither_watched_nor_told() {
    let mut fixture = Fixture::new(&["a", "target/debug/x", "target/y", ".git/config", "sub/node_modules/z"]).await;
    fixture.write(".gitignore", "target\nnode_modules\n*.log\n");
    fixture.settle().await;
    // The root and `sub`.
    assert_eq!(fixture.watcher.count(), 2);
    fixture.write("target/debug/x", "22");
    fixture.write(".git/config", "22");
    fixture.write("sub/node_modules/z", "22");
    fixture.write("sub/a.log", "22");
    fixture.write("last", "1");
    let told = fixture.until("last").await;
    assert_eq!(told.into_iter().filter(|path| path != ".gitignore").collect::<Vec<_>>(), ["last"]);
    // Unless it is open in an editor.
    fixture.files.also(&fixture.rooted("target/y")).await;
    fixture.files.rescan().await;
    assert_eq!(fixture.watcher.count(), 3);
    fixture.write("target/y", "22");
    fixture.write("target/z", "22");
    fixture.check("target/y", expect!["target/y"]).await;
}

#[tokio::test]
async fn what_is_ignored_follows_its_files() {
    let mut fixture = Fixture::new(&["a/gen/x", "a/b"]).await;
    assert_eq!(fixture.watcher.count(), 3);
    fixture.write("a/.gitignore", "gen\n");
    fixture.check("a/.gitignore", expect!["a/.gitignore"]).await;
    assert_eq!((fixture.watcher.count(), fixture.found("x").await), (2, vec![]));
    fs::remove_file(fixture.path("a/.gitignore")).expect("removed");
    fixture.check("a/.gitignore", expect!["a/.gitignore"]).await;
    assert_eq!((fixture.watcher.count(), fixture.found("x").await), (3, vec!["a/gen/x".to_owned()]));
    // A folder can bring its own.
    fixture.write("c/.gitignore", "*\n");
    fixture.write("c/d", "1");
    fixture.write("last", "1");
    fixture.until("last").await;
    fixture.settle().await;
    assert_eq!(fixture.found("d").await, Vec::<String>::new());
}

/// WA-01: the kernel's queue overflows, since nobody reads it while the changes are made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_changes_at_once_are_one_rescan() {
    // In memory where there is such a place: it is not the disk that is tried.
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary directory");
    let mut fixture = Fixture::in_directory(directory, &["a"], Watcher::default()).await;
    let (root, watcher) = (fixture.path(""), fixture.watcher.clone());
    let burst = tokio::task::spawn_blocking(move || {
        let _deaf = watcher.deafen();
        for file in 0..100_000 {
            fs::File::create(root.join(file.to_string())).expect("created");
        }
    });
    burst.await.expect("no panic");
    let told = fixture.settle().await;
    assert_eq!(told.iter().filter(|changes| changes.rescan).count(), 1);
    // What comes afterwards is told as ever: nothing else was pending, and nothing goes round and round.
    fixture.write("b/last", "1");
    fixture.until("b").await;
    fixture.write("b/last", "22");
    fixture.check("b/last", expect!["b/last"]).await;
}

/// WA-03.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_switch_is_told_at_most_every_200_milliseconds() {
    let names: Vec<String> = (0..10_000).map(|number| format!("{}/{number}", number % 100)).collect();
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fixture = Fixture::new(&paths).await;
    let root = fixture.path("");
    let begun = Instant::now();
    let switch = tokio::task::spawn_blocking(move || {
        for name in names {
            let path = root.join(name);
            fs::remove_file(&path).expect("removed");
            fs::write(&path, "22").expect("written");
        }
    });
    let (mut told, mut times) = (BTreeSet::new(), 0);
    while !switch.is_finished() || fixture.index() != fixture.disk() || told.len() < 10_000 {
        let changes = fixture.next().await;
        assert!(!changes.rescan);
        times += 1;
        told.extend(changes.paths.iter().cloned());
    }
    let most = begun.elapsed().as_millis() / BURST.as_millis() + 1;
    assert!(times <= most, "told {times} times, where {most} are enough");
    assert_eq!(told.len(), 10_000);
}

/// WA-02, where we take no more.
#[tokio::test]
async fn with_few_watches_only_open_and_touched_files_are_followed() {
    let paths = ["1/a", "2/a", "3/a", "4/a"];
    let mut fixture = Fixture::with(&paths, Watcher::new(3)).await;
    check_few(&mut fixture).await;
    let problem = fixture.files.problem().expect("said").replace(&fixture.files.root.to_string(), "ROOT");
    expect!["ROOT is not watched as a whole: there are more folders than the 3 that are watched at most. Changes to files that are neither open nor touched by a session are seen when a turn starts and after its commands"].assert_eq(&problem);
    // There is room for the folders that are left.
    fs::remove_dir_all(fixture.path("3")).expect("removed");
    fs::remove_dir_all(fixture.path("4")).expect("removed");
    fixture.files.rescan().await;
    assert_eq!((fixture.files.problem(), fixture.watcher.count()), (None, 3));
}

async fn check_few(fixture: &mut Fixture) {
    assert_eq!(fixture.watcher.count(), 0);
    fixture.files.also(&fixture.rooted("2/a")).await;
    fixture.files.rescan().await;
    fixture.until("everything").await;
    fixture.write("1/a", "22");
    fixture.write("2/a", "22");
    let told: Vec<String> = fixture.until("2/a").await.into_iter().collect();
    assert_eq!((told, fixture.watcher.count()), (vec!["2/a".to_owned()], 1));
    assert_ne!(fixture.index(), fixture.disk());
    fixture.files.rescan().await;
    fixture.until("everything").await;
    assert_eq!(fixture.index(), fixture.disk());
}

/// WA-02, where the system gives no more: this test runs itself in a user namespace that has 16.
#[tokio::test]
#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
async fn with_few_watches_of_the_system_it_says_so() {
    const LIMIT: &str = "/proc/sys/user/max_inotify_watches";
    if fs::read_to_string(LIMIT).is_ok_and(|limit| limit.trim() == "16") {
        let names: Vec<String> = (0..30).map(|number| format!("{number}/a")).collect();
        let paths: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut fixture = Fixture::with(&paths, Watcher::default()).await;
        check_few(&mut fixture).await;
        let problem = fixture.files.problem().expect("said");
        assert!(problem.contains("fs.inotify.max_user_watches"), "{problem}");
        return;
    }
    let this = std::env::current_exe().expect("known");
    let script = format!("echo 16 > {LIMIT} && exec \"$0\" --exact \"$1\"");
    let name = "workspace::watch::tests::with_few_watches_of_the_system_it_says_so";
    #[expect(clippy::disallowed_methods, reason = "the limit is that of a process's namespace")]
    let output = std::process::Command::new("unshare").args(["-Ur", "sh", "-c", &script]).arg(this).arg(name).output();
    let output = output.expect("unshare");
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("1 passed") {
        return;
    }
    assert!(!text.contains("1 failed"), "{text}");
    eprintln!("skipped: no user namespace with few watches: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn one_who_is_slow_is_told_to_look_at_everything() {
    let mut fixture = Fixture::new(&["a"]).await;
    for number in 0..BEHIND * 2 {
        let paths = [fixture.rooted(&number.to_string())].into();
        fixture.files.shared.changes.send(Changes { paths, rescan: false }).expect("somebody listens");
    }
    assert_eq!(fixture.next().await, Changes { paths: [].into(), rescan: true });
    fixture.write("b", "1");
    fixture.check("b", expect!["b"]).await;
}

#[tokio::test]
async fn roots_share_one_watcher() {
    let mut outer = Fixture::new(&["in/a", "b"]).await;
    let inner = Files::open(AbsPath::new(outer.path("in")).expect("absolute"), &outer.watcher);
    let mut changes = inner.changes();
    assert!(timeout(DEADLINE, changes.next()).await.expect("told").is_some_and(|changes| changes.rescan));
    assert_eq!(outer.watcher.count(), 2);
    outer.write("in/c", "1");
    outer.check("in/c", expect!["in/c"]).await;
    assert_eq!(timeout(DEADLINE, changes.next()).await.expect("told").map(|changes| changes.paths.len()), Some(1));
    drop(inner);
    let ends = async { while changes.next().await.is_some() {} };
    timeout(DEADLINE, ends).await.expect("closed");
    outer.write("in/d", "1");
    outer.check("in/d", expect!["in/d"]).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_held_before_somebody_asks_nor_when_nobody_does() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    write(&directory.path().join("a/b"), "1");
    let watcher = Watcher::default();
    let files = Files::open(AbsPath::canonical(&directory.path().display().to_string()).expect("exists"), &watcher);
    files.rescan().await;
    assert_eq!((files.shared.shown.index.borrow().is_some(), watcher.count()), (false, 0));
    assert_eq!(files.search("b", 5).await.len(), 1);
    files.rescan().await;
    assert_eq!((files.shared.shown.index.borrow().is_some(), watcher.count()), (true, 2));
    let mut index = files.shared.shown.index.subscribe();
    index.wait_for(Option::is_none).await.expect("open");
    files.rescan().await;
    assert_eq!(watcher.count(), 0);
    // Who listens keeps the watches, and the index comes back when it is asked for.
    let changes = files.changes();
    files.rescan().await;
    index.wait_for(Option::is_none).await.expect("open");
    files.rescan().await;
    assert_eq!(watcher.count(), 2);
    assert_eq!(files.search("b", 5).await.len(), 1);
    drop(changes);
}
