use super::{AT, ended, s1, seqs, session, show_items, show_list, title};
use crate::journal::{Cause, Journal, SessionFilter, schema};
use expect_test::{Expect, expect};
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

/// Names the child's directory to a second process of this test binary.
const CHILD: &str = "PILOTFISH_TEST_JOURNAL_CHILD";

/// Fills a journal, lets `damage` at its file, and compares what the journal says about it afterwards.
async fn check(damage: impl FnOnce(&Path), expected: Expect) {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path()).await;
    damage(&schema::file(directory.path()));
    let journal = Journal::open(directory.path()).unwrap();
    let mut said = String::new();
    let sessions = journal.sessions(SessionFilter { limit: 50, ..SessionFilter::default() }).await;
    said += &sessions.map_or_else(|error| error.to_string(), |list| format!("lists {:?}\n", show_list(&list)));
    if let Ok(history) = journal.history(&s1()).await {
        said += &format!(
            "{} items, the last is {:.12}\n",
            history.len(),
            show_items(&history[history.len().saturating_sub(1)..])
        );
        let next = journal.append(&s1(), vec![title("goes on")], AT).await.unwrap();
        let ends = seqs(&journal, &s1()).await.last().copied();
        said += &format!("appended {next:?}, reads up to {ends:?}\n");
    }
    for set_aside in journal.set_aside().await {
        assert!(set_aside.path.exists());
        said += &set_aside.to_string();
    }
    expected.assert_eq(&said.replace(&directory.path().display().to_string(), "DIR"));
}

async fn fill(directory: &Path) {
    let journal = Journal::open(directory).unwrap();
    journal.create(&session("s1")).await.unwrap();
    for number in 1..=200 {
        let text = format!("{number} {}", "word ".repeat(400));
        journal.append(&s1(), vec![ended(&format!("i{number:03}"), &text)], AT).await.unwrap();
    }
    journal.put_output(&s1(), &"i001".into(), vec![b'x'; 600_000]).await.unwrap();
    journal.close().await;
}

fn overwrite(file: &Path, from: u64, bytes: usize) {
    let mut file = OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0x5a; bytes]).unwrap();
}

#[tokio::test]
async fn goes_on_where_it_was_after_reopening() {
    check(
        |_| (),
        expect![[r#"
        lists "s1"
        200 items, the last is i200=200 wor
        appended 201..=201, reads up to Some(201)
    "#]],
    )
    .await;
}

#[tokio::test]
async fn begins_anew_when_the_header_is_garbage() {
    check(|file| overwrite(file, 0, 100), expect![[r#"
        lists ""
        the journal was damaged and is kept as DIR/journal.sqlite3.damaged-1; saved of it: 0 sessions with 0 updates"#]]).await;
}

#[tokio::test]
async fn begins_anew_when_the_file_is_something_else() {
    check(|file| fs::write(file, "no database at all").unwrap(), expect![[r#"
        lists ""
        the journal was damaged and is kept as DIR/journal.sqlite3.damaged-1; saved of it: 0 sessions with 0 updates"#]]).await;
}

#[tokio::test]
async fn an_empty_file_is_a_new_journal() {
    check(
        |file| fs::write(file, "").unwrap(),
        expect![[r#"
        lists ""
    "#]],
    )
    .await;
}

#[tokio::test]
async fn saves_what_reads_of_a_file_cut_short() {
    let cut = |file: &Path| OpenOptions::new().write(true).open(file).unwrap().set_len(200_000).unwrap();
    check(cut, expect![[r#"
        lists "s1"
        17 items, the last is i017=17 word
        appended 201..=201, reads up to Some(201)
        the journal was damaged and is kept as DIR/journal.sqlite3.damaged-1; saved of it: 1 sessions with 17 updates"#]]).await;
}

#[tokio::test]
async fn saves_both_sides_of_a_damaged_page() {
    check(|file| overwrite(file, 250_000, 20_000), expect![[r#"
        lists "s1"
        160 items, the last is i200=200 wor
        appended 201..=201, reads up to Some(201)
        the journal was damaged and is kept as DIR/journal.sqlite3.damaged-1; saved of it: 1 sessions with 160 updates"#]]).await;
}

#[tokio::test]
async fn refuses_the_file_of_a_newer_build() {
    let newer = |file: &Path| {
        let connection = rusqlite::Connection::open(file).unwrap();
        connection.execute_batch("PRAGMA user_version = 99").unwrap();
    };
    check(
        newer,
        expect![
            "cannot list sessions: DIR/journal.sqlite3 was written by a newer pilotfish (schema 99, this build knows 4)"
        ],
    )
    .await;
}

#[tokio::test]
async fn survives_damage_while_it_is_open() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path()).await;
    let journal = Journal::open(directory.path()).unwrap();
    journal.ready().await.unwrap();
    overwrite(&schema::file(directory.path()), 250_000, 20_000);
    let history = journal.history(&s1()).await.unwrap();
    let next = journal.append(&s1(), vec![title("goes on")], AT).await.unwrap();
    let set_aside = journal.set_aside().await;
    expect!["160 items, 201..=201, set aside 1"].assert_eq(&format!(
        "{} items, {next:?}, set aside {}",
        history.len(),
        set_aside.len()
    ));
}

#[tokio::test]
async fn a_torn_log_loses_at_most_what_was_torn() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    journal.create(&session("s1")).await.unwrap();
    // The log's length after each append tells what a cut there may lose.
    let file = schema::file(directory.path());
    let log = schema::with_suffix(&file, "-wal");
    let mut lengths = vec![fs::metadata(&log).unwrap().len()];
    for number in 1..=20 {
        journal.append(&s1(), vec![ended("i1", &number.to_string())], AT).await.unwrap();
        lengths.push(fs::metadata(&log).unwrap().len());
    }
    let (whole, database) = (fs::read(&log).unwrap(), fs::read(&file).unwrap());
    let first = usize::try_from(lengths[0]).unwrap();
    for cut in (first..=whole.len()).step_by(16_381).chain([whole.len()]) {
        for garbage in [0, 5000] {
            let torn = tempfile::tempdir().unwrap();
            fs::write(schema::file(torn.path()), &database).unwrap();
            let mut log = whole[..cut].to_vec();
            log.extend((0..garbage).map(|byte: u32| byte.wrapping_mul(31).to_le_bytes()[0]));
            fs::write(schema::with_suffix(&schema::file(torn.path()), "-wal"), log).unwrap();

            let torn = Journal::open(torn.path()).unwrap();
            let kept = lengths.iter().filter(|length| **length <= cut as u64).count() as u64 - 1;
            assert_eq!(seqs(&torn, &s1()).await, (1..=kept).collect::<Vec<_>>(), "cut at {cut}, {garbage} of garbage");
            assert_eq!(torn.append(&s1(), vec![title("next")], AT).await.unwrap(), kept + 1..=kept + 1);
            assert_eq!(torn.set_aside().await, []);
        }
    }
}

#[tokio::test]
async fn is_readable_by_its_owner_only() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("state/journal");
    fs::create_dir_all(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(schema::file(&directory), "").unwrap();
    fs::set_permissions(schema::file(&directory), fs::Permissions::from_mode(0o666)).unwrap();
    let fresh = parent.path().join("fresh");
    let mut modes = Vec::new();
    for directory in [&directory, &fresh] {
        let journal = Journal::open(directory).unwrap();
        journal.create(&session("s1")).await.unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        modes.push(format!("{:o}", mode(directory)));
        for suffix in ["", "-wal", "-shm"] {
            modes.push(format!("{:o}", mode(&schema::with_suffix(&schema::file(directory), suffix))));
        }
    }
    assert_eq!(modes, ["700", "600", "600", "600", "700", "600", "600", "600"]);
}

#[tokio::test]
async fn says_so_when_it_cannot_be_opened_and_tries_again() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("journal");
    fs::write(&directory, "a file where the directory should be").unwrap();
    let journal = Journal::open(&directory).unwrap();
    let error = journal.ready().await.unwrap_err();
    assert!(matches!(error.cause, Cause::File { .. }), "{error}");
    fs::remove_file(&directory).unwrap();
    journal.create(&session("s1")).await.unwrap();
}

#[tokio::test]
async fn says_so_when_its_directory_is_removed() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("journal");
    let journal = Journal::open(&directory).unwrap();
    journal.create(&session("s1")).await.unwrap();
    let aside = parent.path().join("aside");
    fs::rename(&directory, &aside).unwrap();
    let error = journal.append(&s1(), vec![title("x")], AT).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Gone(_)), "{error}");
    fs::rename(&aside, &directory).unwrap();
    assert_eq!(journal.append(&s1(), vec![title("x")], AT).await.unwrap(), 1..=1);
}

/// A limit of the database's pages stands in for a full disk: SQLite says the same of both.
#[tokio::test]
async fn a_full_disk_fails_what_does_not_fit_and_nothing_else() {
    let journal = Journal::in_memory().unwrap();
    journal.create(&session("s1")).await.unwrap();
    let limit = |pages: i64| {
        move |connection: &rusqlite::Connection| {
            Ok(connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))?)
        }
    };
    journal.request(super::Access::Read, limit(60)).await.unwrap();
    let large = "x".repeat(300_000);
    let error = journal.append(&s1(), vec![title("small"), ended("i1", &large)], AT).await.unwrap_err();
    expect!["cannot append to session s1: the disk is full"].assert_eq(&error.to_string());
    let id = s1();
    let (small, large_again) =
        tokio::join!(journal.append(&id, vec![title("small")], AT), journal.append(&id, vec![ended("i1", &large)], AT));
    assert_eq!(small.unwrap(), 1..=1);
    assert!(matches!(large_again.unwrap_err().cause, Cause::DiskFull));
    journal.request(super::Access::Read, limit(1_000_000)).await.unwrap();
    assert_eq!(journal.append(&s1(), vec![ended("i1", &large)], AT).await.unwrap(), 2..=2);
    assert_eq!(seqs(&journal, &s1()).await, [1, 2]);
}

#[tokio::test]
async fn the_last_handle_closes_the_database() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(directory.path()).unwrap();
    journal.create(&session("s1")).await.unwrap();
    let clone = journal.clone();
    drop(journal);
    clone.append(&s1(), vec![title("x")], AT).await.unwrap();
    drop(clone);
    let names = || fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names().collect::<Vec<_>>(), [schema::FILE_NAME]);
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    for kill_after in [1, 3, 10, 40, 150] {
        let directory = tempfile::tempdir().unwrap();
        let acknowledged = run_child_until(directory.path(), kill_after);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let journal = Journal::open(directory.path()).unwrap();
            let found = seqs(&journal, &s1()).await;
            assert!(found.len() as u64 >= acknowledged, "{acknowledged} acknowledged, {} found", found.len());
            assert_eq!(found, (1..=found.len() as u64).collect::<Vec<_>>());
            assert_eq!(journal.set_aside().await, []);
        });
    }
}

/// Kills the child once it has acknowledged so many appends; answers how many it had acknowledged by then.
#[expect(clippy::disallowed_methods, reason = "a process that is killed cannot be this one")]
fn run_child_until(directory: &Path, kill_after: u64) -> u64 {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::tests::damage::the_child_appends_until_it_is_killed", "--nocapture"])
        .env(CHILD, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some(seq) = line.unwrap().strip_prefix("acknowledged ").and_then(|seq| seq.parse().ok()) {
            acknowledged = seq;
        }
        if acknowledged == kill_after {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    acknowledged
}

/// Does something only as the child of the test above.
#[test]
#[expect(clippy::disallowed_methods, reason = "the only way to tell a second test process what it is")]
fn the_child_appends_until_it_is_killed() {
    let Some(directory) = std::env::var_os(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let journal = Journal::open(Path::new(&directory)).unwrap();
        journal.create(&session("s1")).await.unwrap();
        for number in 1..100_000 {
            let seqs = journal.append(&s1(), vec![ended("i1", &number.to_string())], AT).await.unwrap();
            let mut stdout = std::io::stdout();
            writeln!(stdout, "acknowledged {}", seqs.end()).unwrap();
            stdout.flush().unwrap();
        }
    });
}
