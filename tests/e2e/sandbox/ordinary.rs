//! All of it again as an ordinary user, where these tests are run by root.

use pilotfish_tests::bins;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A user that owns nothing.
const NOBODY: u32 = 65_534;

#[test]
fn everything_holds_for_an_ordinary_user_too() {
    let root = std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").expect("ourselves")) == 0;
    if !root {
        // Then the tests beside this one have just said so.
        return;
    }
    let folder = tempfile::tempdir_in("/var/tmp").expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    let temporary = folder.path().join("t");
    fs::create_dir(&temporary).expect("a folder");
    chown(&temporary, Some(NOBODY), Some(NOBODY)).expect("given away");
    let test = reachable(folder.path());
    let output = Command::new(test)
        .args(["sandbox::", "--skip", "sandbox::ordinary", "--test-threads", "2"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", &temporary)
        .env("TMPDIR", &temporary)
        .current_dir(&temporary)
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !said.contains("running 0 tests"), "{said}");
}

/// This test where that user can start it, with our programs in their places beside it.
fn reachable(folder: &Path) -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    let starts = Command::new(&test).arg("--list").uid(NOBODY).gid(NOBODY).output();
    if starts.is_ok_and(|output| output.status.success()) {
        return test;
    }
    let copy = |from: &Path, to: PathBuf| {
        fs::copy(from, &to).expect("copied");
        to
    };
    for program in [bins::pilotfish(), bins::pilotfish_sandbox()] {
        copy(&program, folder.join(program.file_name().expect("a name")));
    }
    let deps = folder.join("deps");
    fs::create_dir(&deps).expect("a folder");
    copy(&test, deps.join("e2e"))
}
