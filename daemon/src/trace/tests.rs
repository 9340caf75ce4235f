//! The log file: who may read it, and how large it grows.

use super::Log;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_full_log_becomes_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log/pilotfish.log");
    let mut log = Log::open(&path, 10).unwrap();
    for line in ["first line\n", "second line\n", "third\n", "more\n"] {
        log.write_all(line.as_bytes()).unwrap();
    }
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    assert_eq!(
        (read(&path.with_extension("log.old")), read(&path)),
        ("second line\n".to_owned(), "third\nmore\n".to_owned())
    );
}

#[test]
fn only_its_owner_reads_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log/pilotfish.log");
    let _log = Log::open(&path, 10).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
}
