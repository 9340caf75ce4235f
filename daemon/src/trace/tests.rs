//! The log file: who may read it, and how large it grows.

use super::Log;
use std::fs::Permissions;
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
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let loosen = |path: &std::path::Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    for _ in 0..2 {
        let _log = Log::open(&path, 10).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        // What somebody loosened since is tight again at the next start.
        loosen(&path, 0o666);
        loosen(path.parent().unwrap(), 0o777);
    }
}

#[test]
fn a_line_goes_into_the_log_without_the_keys_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log/pilotfish.log");
    let mut log = Log::open(&path, 1000).unwrap();
    log.write_all("sent authorization: Bearer abcdefgh to http://me:word@host/\n".as_bytes()).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "sent authorization: ***\n");
}
