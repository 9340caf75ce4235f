//! A damaged database: set aside as it is, and as much of it as reads copied into a fresh one. Never deletes anything.

use super::append::{fold, place};
use super::error::Cause;
use super::{schema, search};
use pilotfish_protocol::{Session, Update};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Row, Transaction, TransactionBehavior, params_from_iter};
use std::path::{Path, PathBuf};

/// A damaged database that was set aside, and what could be saved of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub path: PathBuf,
    /// How many sessions go on.
    pub sessions: usize,
    /// How many of their updates were read.
    pub updates: usize,
}

impl std::fmt::Display for SetAside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, sessions, updates } = self;
        write!(f, "the journal was damaged and is kept as {}; saved of it: ", path.display())?;
        write!(f, "{sessions} sessions with {updates} updates")
    }
}

/// Renames the database and its companions; answers its new path.
pub(super) fn set_aside(directory: &Path) -> Result<PathBuf, Cause> {
    let path = schema::file(directory);
    let free = (1..).map(|count| schema::with_suffix(&path, &format!(".damaged-{count}"))).find(|to| !to.exists());
    let target = free.unwrap_or_else(|| schema::with_suffix(&path, ".damaged"));
    // The companions first: a fresh database must never meet the log of another.
    for suffix in schema::COMPANIONS.into_iter().chain([""]) {
        let from = schema::with_suffix(&path, suffix);
        match std::fs::rename(&from, schema::with_suffix(&target, suffix)) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Cause::File { path: from, source });
            }
            _ => {}
        }
    }
    Ok(target)
}

/// Copies what reads of the database at `path` into `fresh`. A seq that does not read stays a gap: clients know the
/// others by their numbers.
pub(super) fn salvage(path: PathBuf, fresh: &Connection) -> Result<SetAside, Cause> {
    let mut counts = (0, 0);
    match open(&path) {
        Ok(damaged) => {
            let transaction = Transaction::new_unchecked(fresh, TransactionBehavior::Immediate)?;
            copy(&damaged, &transaction)?;
            counts = rebuild(&transaction)?;
            transaction.commit()?;
        }
        Err(error) => tracing::warn!(%error, "nothing of the damaged journal reads"),
    }
    Ok(SetAside { path, sessions: counts.0, updates: counts.1 })
}

/// Read only: the evidence stays as it was found. A writable schema makes SQLite put up with a file cut short.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("PRAGMA writable_schema = ON; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

fn copy(damaged: &Connection, fresh: &Connection) -> Result<(), Cause> {
    let tables: [(&str, &[&str]); 9] = [
        ("sessions", &["number", "id", "workspace", "archived", "deleted", "header", "draft"]),
        ("states", &["session", "seq", "updated_at"]),
        ("updates", &["place", "body"]),
        ("outputs", &["number", "session", "item", "bytes"]),
        ("chunks", &["rowid", "output", "part", "body"]),
        ("checkpoints", &["number", "workspace", "key", "session", "turn", "at", "title"]),
        ("touched", &["number", "checkpoint", "path", "before", "after", "blob", "bytes"]),
        ("reviews", &["workspace", "path", "meta", "texts"]),
        ("spent", &["day", "input", "cached", "output", "reasoning", "cost"]),
    ];
    for (table, columns) in tables {
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT OR IGNORE INTO {table}({}) VALUES ({marks})", columns.join(", "));
        let mut insert = fresh.prepare(&sql)?;
        sweep(damaged, table, columns, |values| {
            // A row that garbage has made unfit for its table is left out, as one that does not read is.
            match insert.execute(params_from_iter(values)).map_err(Cause::from) {
                Err(Cause::DiskFull) => Err(Cause::DiskFull),
                _ => Ok(()),
            }
        })?;
    }
    Ok(())
}

/// Reads a table from its beginning up to the damage, then from its end down to it. The first column is the key.
fn sweep(
    damaged: &Connection,
    table: &str,
    columns: &[&str],
    mut take: impl FnMut(Vec<Value>) -> Result<(), Cause>,
) -> Result<(), Cause> {
    let (key, columns_text) = (columns.first().copied().unwrap_or("rowid"), columns.join(", "));
    let mut last = i64::MIN;
    for order in ["ASC", "DESC"] {
        let sql = format!("SELECT {columns_text} FROM {table} NOT INDEXED WHERE {key} > ?1 ORDER BY {key} {order}");
        let Ok(mut select) = damaged.prepare(&sql) else { return Ok(()) };
        let mut rows = select.query([last])?;
        loop {
            match rows.next().and_then(|row| row.map(|row| values(row, columns.len())).transpose()) {
                Ok(Some(row)) => {
                    if let (Some(Value::Integer(number)), "ASC") = (row.first(), order) {
                        last = *number;
                    }
                    take(row)?;
                }
                Ok(None) => return Ok(()),
                Err(error) => {
                    tracing::warn!(%error, table, "journal table does not read on");
                    break;
                }
            }
        }
    }
    Ok(())
}

fn values(row: &Row<'_>, count: usize) -> rusqlite::Result<Vec<Value>> {
    (0..count).map(|column| row.get(column)).collect()
}

/// Drops what does not read as what it is, then makes anew what only points to updates. Answers how many sessions and
/// updates there are.
fn rebuild(fresh: &Connection) -> Result<(usize, usize), Cause> {
    let mut sessions = 0;
    let mut select = fresh.prepare("SELECT number, header FROM sessions")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (number, header): (i64, String) = (row.get(0)?, row.get(1)?);
        if let Ok(session) = serde_json::from_str::<Session>(&header) {
            search::index(fresh, place(number, 0), &session.title)?;
            let state = "INSERT OR IGNORE INTO states(session, updated_at) VALUES (?1, ?2)";
            fresh.execute(state, (number, &session.updated_at))?;
            sessions += 1;
        } else {
            fresh.execute("DELETE FROM states WHERE session = ?1", [number])?;
            fresh.execute("DELETE FROM outputs WHERE session = ?1", [number])?;
            fresh.execute("DELETE FROM sessions WHERE number = ?1", [number])?;
        }
    }
    // The first version did not note when a session was deleted.
    fresh.execute_batch(
        "DELETE FROM updates WHERE place >> 32 NOT IN (SELECT number FROM sessions);
         DELETE FROM outputs WHERE bytes <> (SELECT coalesce(sum(length(body)), 0) FROM chunks WHERE output = outputs.number);
         UPDATE sessions SET deleted = unixepoch() WHERE deleted = 1;
         UPDATE states SET seq = max(seq, coalesce((SELECT max(place) & 4294967295 FROM updates
             WHERE place > session << 32 AND place < (session + 1) << 32), 0));",
    )?;
    let mut updates = 0;
    let mut select = fresh.prepare("SELECT place, body FROM updates ORDER BY place")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (place, body): (i64, String) = (row.get(0)?, row.get(1)?);
        if let Ok(update) = serde_json::from_str::<Update>(&body) {
            fold(fresh, place >> 32, place, &update)?;
            updates += 1;
        } else {
            fresh.execute("DELETE FROM updates WHERE place = ?1", [place])?;
        }
    }
    Ok((sessions, updates))
}
