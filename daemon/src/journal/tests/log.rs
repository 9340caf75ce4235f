//! A write-ahead log that ends anywhere.

use super::{AT, ended, s1, session, title};
use crate::journal::append::{Entry, append};
use crate::journal::{schema, sessions};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Small pages make a log of few bytes, and so each of them can be tried.
fn small(directory: &Path) -> Connection {
    let connection = Connection::open(schema::file(directory)).unwrap();
    connection.execute_batch("PRAGMA page_size = 512; VACUUM;").unwrap();
    drop(connection);
    schema::open(directory).unwrap()
}

/// Reads a database with what is good of its log, and leaves the database as it is.
fn read(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    // Without a companion of shared memory, which would be made and removed each time.
    connection.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(())).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    connection
}

fn append_one(connection: &Connection, number: usize) {
    let entries = [Entry::new(ended("i1", &number.to_string())).unwrap(), Entry::new(title("t")).unwrap()];
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    append(connection, &s1(), &entries, AT).unwrap();
    connection.execute_batch("COMMIT").unwrap();
}

/// The seqs that are recorded, and the one the session says is its last.
fn seqs(connection: &Connection) -> (Vec<i64>, i64) {
    let mut select = connection.prepare_cached("SELECT place & 4294967295 FROM updates ORDER BY place").unwrap();
    let seqs = select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    (seqs, connection.query_row("SELECT max(seq) FROM states", [], |row| row.get(0)).unwrap())
}

#[test]
fn a_log_cut_at_any_byte_loses_what_was_cut_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let connection = small(directory.path());
    sessions::create(&connection, &session("s1")).unwrap();
    append_one(&connection, 0);
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let file = schema::file(directory.path());
    let log = schema::with_suffix(&file, "-wal");
    // The log's length after each append tells what a cut there may lose.
    let mut lengths = vec![0];
    for number in 1..=2 {
        append_one(&connection, number);
        lengths.push(fs::metadata(&log).unwrap().len());
    }
    let (whole, database) = (fs::read(&log).unwrap(), fs::read(&file).unwrap());
    let torn = tempfile::tempdir().unwrap();
    let (torn_file, torn_log) = (schema::file(torn.path()), schema::with_suffix(&schema::file(torn.path()), "-wal"));
    fs::write(&torn_file, &database).unwrap();
    // Cut shorter and shorter in place: to write the file anew each time takes long.
    fs::write(&torn_log, &whole).unwrap();
    let garbage: Vec<u8> = (0..1000_u32).map(|byte| byte.wrapping_mul(31).to_le_bytes()[0]).collect();
    for cut in (0..=whole.len()).rev() {
        let log = OpenOptions::new().write(true).open(&torn_log).unwrap();
        log.set_len(cut as u64).unwrap();
        if cut % 2 == 1 {
            // What comes instead of the byte that was cut is never that byte.
            let first = whole.get(cut).map_or(0, |byte| !byte);
            log.write_all_at(&[&[first], &garbage[..]].concat(), cut as u64).unwrap();
        }
        let appends = lengths.iter().filter(|length| **length <= cut as u64).count() - 1;
        let last = 2 * i64::try_from(appends).unwrap() + 2;
        assert_eq!(seqs(&read(&torn_file)), ((1..=last).collect(), last), "cut at {cut}");
        // To open it for good takes longer, and so is done at some places.
        if cut % 499 == 0 {
            let connection = schema::open(torn.path()).unwrap();
            append_one(&connection, 9);
            assert_eq!(seqs(&connection), ((1..=last + 2).collect(), last + 2), "appended after a cut at {cut}");
            drop(connection);
            fs::write(&torn_file, &database).unwrap();
            fs::write(&torn_log, &whole[..cut]).unwrap();
        }
    }
}
