//! A real disk that is full or cannot be written: a file system of 1 MiB in a mount namespace of a second process.

use super::{AT, ended, s1, seqs, session, title};
use crate::journal::{Cause, Journal};
use rustix::mount::{MountFlags, mount, mount_remount};
use std::fs;
use std::path::Path;

/// Names the place of the disk to a second process of this test binary.
const CHILD: &str = "PILOTFISH_TEST_JOURNAL_DISK";

#[test]
#[expect(clippy::disallowed_methods, reason = "a mount namespace is a process's own")]
#[expect(clippy::print_stderr, reason = "this is how a test tells that it could not do its work")]
fn a_full_disk_is_said_and_outlived() {
    let directory = tempfile::tempdir().unwrap();
    let output = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "journal::tests::disk::the_child_fills_its_disk", "--nocapture"])
        .env(CHILD, directory.path())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => return eprintln!("skipped: unshare does not start: {error}"),
    };
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if let Some(line) = told.lines().find(|line| line.starts_with("unshare: ") || line.starts_with("no disk: ")) {
        return eprintln!("skipped: no mount namespace: {line}");
    }
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

/// Does something only as the child of the test above.
#[test]
#[expect(clippy::disallowed_methods, reason = "the only way to tell a second test process what it is")]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn the_child_fills_its_disk() {
    let Some(place) = std::env::var_os(CHILD) else { return };
    let place = Path::new(&place);
    let options = c"size=1m".to_owned();
    if let Err(error) = mount("tmpfs", place, "tmpfs", MountFlags::empty(), &*options) {
        return println!("no disk: {error}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        fills_up_while_it_is_used(place).await;
        is_full_from_the_start(place).await;
        cannot_be_written(place).await;
    });
}

/// Leaves no room on the disk but for what a file system keeps for itself.
fn fill(ballast: &Path) {
    let mut size = 1 << 20;
    let mut bytes = Vec::new();
    while size > 0 {
        bytes.resize(bytes.len() + size, b'x');
        if fs::write(ballast, &bytes).is_err() {
            bytes.truncate(bytes.len() - size);
            size /= 2;
        }
    }
    // A write that failed may have left a part of it, which is room as well.
    let _ = fs::write(ballast, &bytes);
}

async fn fills_up_while_it_is_used(place: &Path) {
    let (directory, ballast) = (place.join("used"), place.join("ballast"));
    fs::write(&ballast, vec![b'x'; 400_000]).unwrap();
    let journal = Journal::open(&directory).unwrap();
    journal.create(&session("s1")).await.unwrap();
    let text = "word ".repeat(1000);
    let mut acknowledged = 0;
    let error = loop {
        match journal.append(&s1(), vec![ended(&format!("i{acknowledged}"), &text), title("t")], AT).await {
            Ok(seqs) => acknowledged = *seqs.end(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error.cause, Cause::DiskFull), "{error}");
    assert!(acknowledged > 10, "{acknowledged}");
    assert!(matches!(journal.draft(&s1(), &text.repeat(40)).await.unwrap_err().cause, Cause::DiskFull));
    // What was acknowledged reads, and what was not is not there in part.
    let all = (1..=acknowledged).collect::<Vec<_>>();
    assert_eq!(seqs(&journal, &s1()).await, all);
    fs::remove_file(&ballast).unwrap();
    assert_eq!(journal.append(&s1(), vec![title("t")], AT).await.unwrap(), acknowledged + 1..=acknowledged + 1);
    journal.close().await;
    let journal = Journal::open(&directory).unwrap();
    assert_eq!(seqs(&journal, &s1()).await, (1..=acknowledged + 1).collect::<Vec<_>>());
    assert_eq!(journal.set_aside().await, []);
    journal.close().await;
    fs::remove_dir_all(directory).unwrap();
}

async fn is_full_from_the_start(place: &Path) {
    let (directory, ballast) = (place.join("late"), place.join("ballast"));
    fs::create_dir(&directory).unwrap();
    fill(&ballast);
    let journal = Journal::open(&directory).unwrap();
    let error = journal.create(&session("s1")).await.unwrap_err();
    assert!(matches!(error.cause, Cause::DiskFull), "{error}");
    fs::remove_file(&ballast).unwrap();
    journal.create(&session("s1")).await.unwrap();
    assert_eq!(journal.append(&s1(), vec![title("t")], AT).await.unwrap(), 1..=1);
    assert_eq!(journal.set_aside().await, []);
    journal.close().await;
}

async fn cannot_be_written(place: &Path) {
    mount_remount(place, MountFlags::RDONLY, "").unwrap();
    for directory in [place.join("late"), place.join("new")] {
        let journal = Journal::open(&directory).unwrap();
        let error = journal.create(&session("s2")).await.unwrap_err();
        assert!(error.to_string().contains("ead-only"), "{error}");
    }
    mount_remount(place, MountFlags::empty(), "").unwrap();
    let journal = Journal::open(&place.join("late")).unwrap();
    assert_eq!(seqs(&journal, &s1()).await, [1]);
    assert_eq!(journal.set_aside().await, []);
}
