//! The database file: where it lies, who may read it, what tables it has. Reads and writes no records.

use super::error::Cause;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The database's name in its directory.
pub(super) const FILE_NAME: &str = "journal.sqlite3";

/// What SQLite puts beside a database, by suffix of the database's name.
pub(super) const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// Longer than any transaction of ours; only a second process can make us wait.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// One script for each step forward; a database that has had `n` of them is of version `n`. Scripts that were released
/// are never edited.
pub(super) const MIGRATIONS: [&str; 4] = [VERSION_1, VERSION_2, VERSION_3, VERSION_4];

/// An update's `place` is its session's number in the upper and its seq in the lower 32 bits: a session's updates lie
/// together, in order, and need no second index. An item is `started` at the place of its first update, which keeps
/// items in order, and its `latest` state is the update at that place: no body is stored twice. A row of `words` has the
/// place its message started at; a title has its session's place 0.
///
/// Each page an append touches is written to the log whole, so all it changes about a session is in one small row of
/// `states`, apart from the header. `open` holds where the items started that have not ended.
const VERSION_1: &str = "
CREATE TABLE sessions (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workspace TEXT NOT NULL,
    archived INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    header TEXT NOT NULL,
    draft TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX sessions_listed ON sessions(archived, deleted, workspace);
CREATE TABLE states (
    session INTEGER PRIMARY KEY REFERENCES sessions(number),
    seq INTEGER NOT NULL DEFAULT 0 CHECK (seq < 4294967296),
    updated_at TEXT NOT NULL,
    turn INTEGER,
    usage INTEGER,
    plan INTEGER,
    queue INTEGER
) STRICT;
CREATE TABLE updates (place INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE items (
    started INTEGER PRIMARY KEY,
    latest INTEGER NOT NULL REFERENCES updates(place),
    session INTEGER NOT NULL REFERENCES sessions(number),
    id TEXT NOT NULL,
    UNIQUE (session, id)
) STRICT;
CREATE TABLE open (started INTEGER PRIMARY KEY REFERENCES items(started)) STRICT;
CREATE TABLE approvals (
    opened INTEGER PRIMARY KEY REFERENCES updates(place),
    session INTEGER NOT NULL REFERENCES sessions(number),
    id TEXT NOT NULL,
    UNIQUE (session, id)
) STRICT;
CREATE TABLE outputs (
    number INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions(number),
    item TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    UNIQUE (session, item)
) STRICT;
CREATE TABLE chunks (
    output INTEGER NOT NULL REFERENCES outputs(number) ON DELETE CASCADE,
    part INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (output, part)
) STRICT;
CREATE VIRTUAL TABLE words USING fts5(
    text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
);
";

/// `ended` is where the session's last turn ended, `queue` is not set when nothing waits, and `deleted` is the second
/// since 1970 at which the session was deleted, or 0. What was deleted before that was noted counts as deleted now, so
/// that it is kept as long as anything else. Nothing but collecting takes an update away, and an update would be
/// searched for in all of `items` then, so `latest` is no foreign key any more.
const VERSION_2: &str = "
ALTER TABLE states ADD COLUMN ended INTEGER;
UPDATE states SET
    ended = (
        SELECT place FROM updates WHERE place > session << 32 AND place < (session + 1) << 32
            AND substr(body, 1, 19) = '{\"kind\":\"turnEnded\"'
        ORDER BY place DESC LIMIT 1
    ),
    queue = (
        SELECT place FROM updates WHERE place = queue AND body <> '{\"kind\":\"queueChanged\",\"queue\":[]}'
    );
UPDATE sessions SET deleted = unixepoch() WHERE deleted <> 0;
CREATE TABLE new_items (
    started INTEGER PRIMARY KEY,
    latest INTEGER NOT NULL,
    session INTEGER NOT NULL REFERENCES sessions(number),
    id TEXT NOT NULL,
    UNIQUE (session, id)
) STRICT;
INSERT INTO new_items SELECT started, latest, session, id FROM items;
DROP TABLE items;
ALTER TABLE new_items RENAME TO items;
CREATE INDEX sessions_deleted ON sessions(deleted) WHERE deleted <> 0;
";

/// A row of `touched` lies behind the latest checkpoint of its workspace; its `blob` is the hash of bytes that lie elsewhere. Numbers of
/// checkpoints are ids that people write down, and so are never given twice. A review's `texts` are hashes too, with spaces between.
const VERSION_3: &str = "
CREATE TABLE checkpoints (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace TEXT NOT NULL,
    key TEXT NOT NULL,
    session TEXT,
    turn TEXT,
    at TEXT NOT NULL,
    title TEXT NOT NULL,
    UNIQUE (workspace, key)
) STRICT;
CREATE TABLE touched (
    number INTEGER PRIMARY KEY,
    checkpoint INTEGER NOT NULL REFERENCES checkpoints(number),
    path BLOB NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    blob TEXT,
    bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX touched_paths ON touched(checkpoint, path);
CREATE TABLE reviews (
    workspace TEXT NOT NULL,
    path BLOB NOT NULL,
    meta TEXT NOT NULL,
    texts TEXT NOT NULL,
    PRIMARY KEY (workspace, path)
) STRICT, WITHOUT ROWID;
";

/// What was used on a day in UTC, added up as it is used, so that it does not depend on which sessions are still there.
const VERSION_4: &str = "
CREATE TABLE spent (
    day TEXT PRIMARY KEY,
    input INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost INTEGER
) STRICT, WITHOUT ROWID;
";

/// The database's path in its directory.
pub(super) fn file(directory: &Path) -> PathBuf {
    directory.join(FILE_NAME)
}

/// `path` with `suffix` appended to its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens the database of `directory`, making both where they are missing, readable by their owner only.
pub(super) fn open(directory: &Path) -> Result<Connection, Cause> {
    let path = file(directory);
    make_private_directory(directory).map_err(|source| Cause::File { path: directory.to_owned(), source })?;
    make_private_file(&path).map_err(|source| Cause::File { path: path.clone(), source })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(&path, flags)?;
        prepare(&connection, &path)?;
        Ok(connection)
    };
    open().map_err(|cause| match cause {
        // SQLite does not say which file, nor that it may be one beside the database.
        Cause::Storage(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
            Cause::File { path: path.clone(), source: io::Error::other(error) }
        }
        cause => cause,
    })
}

/// Opens a database that is gone when it is closed.
pub(super) fn in_memory() -> Result<Connection, Cause> {
    let connection = Connection::open_in_memory()?;
    prepare(&connection, Path::new(":memory:"))?;
    Ok(connection)
}

fn prepare(connection: &Connection, path: &Path) -> Result<(), Cause> {
    connection.busy_timeout(BUSY_LIMIT)?;
    let found = version(connection)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    // Before anything is written: a newer build's file stays as it is.
    if found > known {
        return Err(Cause::Newer { path: path.to_owned(), found, known });
    }
    // The cache is what an idle daemon keeps in memory. SQLite's own checkpoints are the second line behind the worker's.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         PRAGMA foreign_keys = OFF;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -1024;
         PRAGMA mmap_size = 0;
         PRAGMA wal_autocheckpoint = 4000;
         PRAGMA journal_size_limit = 16777216;",
    )?;
    connection.set_prepared_statement_cache_capacity(32);
    // A table that is made anew is missing for a moment, so foreign keys hold from here on.
    if found < known {
        migrate(connection, known)?;
    }
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    // The first statement reads the schema, so that a damaged one shows now.
    connection.query_row("SELECT count(*) FROM (SELECT 1 FROM sessions LIMIT 1)", [], |row| row.get::<_, i64>(0))?;
    Ok(())
}

/// Brings the database to the newest version, all or nothing.
fn migrate(connection: &Connection, known: i64) -> Result<(), Cause> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // Asked again, as a second process may have done it since.
    let found = usize::try_from(version(&transaction)?).unwrap_or(0);
    for script in MIGRATIONS.iter().skip(found) {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

/// How many scripts a database has had.
fn version(connection: &Connection) -> Result<i64, Cause> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn make_private_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    make_private(directory, 0o700)
}

/// SQLite gives the companions it makes the database's permissions, whatever the umask; so the database is made here.
fn make_private_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    make_private(path, 0o600)?;
    // Whether it can be written is better said by the system than by SQLite. It must not be opened for that: closing it
    // would take the locks of another connection in this process away.
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?;
    for suffix in COMPANIONS {
        match make_private(&with_suffix(path, suffix), 0o600) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Takes away what others may do with `path`, if they may do anything.
fn make_private(path: &Path, mode: u32) -> io::Result<()> {
    if std::fs::metadata(path)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}
