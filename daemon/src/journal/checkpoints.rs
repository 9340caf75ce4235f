//! What turns and restores touched on the disk: for each workspace a log of names with what stood and what was to stand there, and in it
//! marks, the checkpoints. A row lies behind the latest mark of its workspace, whoever made that; to take back to a mark is to take back
//! all that lies behind it. What images say is their maker's business. Kept beside it are the records of reviews.

use super::error::{Cause, JournalError};
use super::worker::Access;
use super::{Journal, named};
use pilotfish_protocol::{Checkpoint, CheckpointId, SessionId, TurnId};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashSet;

/// Checkpoints in a list, at most.
const LISTED: usize = 1000;

/// What a row counts for beside its path, in bytes.
const ROW_BYTES: i64 = 256;

/// What a blob counts for at least, in bytes: a block of the disk.
const BLOB_BYTES: i64 = 4096;

/// A checkpoint to be. The first touch makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The folder.
    pub workspace: String,
    /// What tells it from others of the folder: a turn has one.
    pub key: String,
    /// Whose turn it comes before, if it is one's.
    pub turn: Option<(SessionId, TurnId)>,
    /// When, RFC 3339.
    pub at: String,
    /// What it comes before, in words.
    pub title: String,
}

/// A name that is touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedRow {
    /// From the workspace, bytes as the file system has them.
    pub path: Vec<u8>,
    /// What stands there.
    pub before: String,
    /// What is to stand there.
    pub after: String,
    /// The blob with the bytes of before, and how many they are.
    pub blob: Option<(String, u64)>,
}

/// What is kept of a file's review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRow {
    /// From the workspace, bytes as the file system has them.
    pub path: Vec<u8>,
    /// What the ledger says of it.
    pub meta: String,
    /// The blobs with its texts.
    pub texts: Vec<String>,
}

impl Journal {
    /// Records names that are about to change, all or none, and makes the checkpoint if it is not there. Answers it. Blocks: not for
    /// async tasks.
    pub fn touch(&self, mark: &Mark, rows: Vec<TouchedRow>) -> Result<CheckpointId, JournalError> {
        let (mark, attempt) = (mark.clone(), named(format!("record a checkpoint of {}", mark.workspace)));
        self.request_blocking(Access::Write, move |connection| touch(connection, &mark, &rows)).map_err(attempt)
    }

    /// A workspace's checkpoints, the latest first.
    pub async fn checkpoints(&self, workspace: &str) -> Result<Vec<Checkpoint>, JournalError> {
        let (workspace, attempt) = (workspace.to_owned(), named(format!("list the checkpoints of {workspace}")));
        self.request(Access::Read, move |connection| list(connection, &workspace)).await.map_err(attempt)
    }

    /// The workspace of a checkpoint; `None` if there is none of this id.
    pub async fn checkpoint_workspace(&self, id: &CheckpointId) -> Result<Option<String>, JournalError> {
        let (number, attempt) = (number(id), named(format!("look for checkpoint {id}")));
        let work = move |connection: &Connection| {
            let mut select = connection.prepare_cached("SELECT workspace FROM checkpoints WHERE number = ?1")?;
            Ok(select.query_row([number], |row| row.get(0)).optional()?)
        };
        self.request(Access::Read, work).await.map_err(attempt)
    }

    /// The checkpoint of a workspace that has a key. Blocks: not for async tasks.
    pub fn checkpoint_of(&self, workspace: &str, key: &str) -> Result<Option<CheckpointId>, JournalError> {
        let attempt = named(format!("look for the checkpoint of {key}"));
        let (workspace, key) = (workspace.to_owned(), key.to_owned());
        let work = move |connection: &Connection| {
            let mut select =
                connection.prepare_cached("SELECT number FROM checkpoints WHERE workspace = ?1 AND key = ?2")?;
            Ok(select.query_row((&workspace, &key), |row| row.get(0)).optional()?.map(id))
        };
        self.request_blocking(Access::Read, work).map_err(attempt)
    }

    /// All that was touched in a checkpoint's workspace since, in its order. Blocks: not for async tasks.
    pub fn touched_since(&self, id: &CheckpointId) -> Result<Vec<TouchedRow>, JournalError> {
        let (number, attempt) = (number(id), named(format!("read checkpoint {id}")));
        self.request_blocking(Access::Read, move |connection| since(connection, number)).map_err(attempt)
    }

    /// Takes the oldest checkpoints away, of whatever workspace, until all count for at most `cap` bytes. Answers the blobs that are
    /// needed then, those of reviews among them. Blocks: not for async tasks.
    pub fn collect_checkpoints(&self, cap: u64) -> Result<HashSet<String>, JournalError> {
        let attempt = || named("collect old checkpoints");
        let cap = i64::try_from(cap).unwrap_or(i64::MAX);
        let over = self.request_blocking(Access::Read, move |connection| over(connection, cap)).map_err(attempt())?;
        // One at a time, so that nobody waits long.
        for number in over {
            let work = move |connection: &Connection| remove(connection, number);
            self.request_blocking(Access::Write, work).map_err(attempt())?;
        }
        self.request_blocking(Access::Read, needed).map_err(attempt())
    }

    /// Keeps what is known of a file's review, in the stead of what was; or forgets it.
    pub async fn put_review(
        &self,
        workspace: &str,
        path: &[u8],
        review: Option<(String, Vec<String>)>,
    ) -> Result<(), JournalError> {
        let attempt = named(format!("keep a review in {workspace}"));
        let (workspace, path) = (workspace.to_owned(), path.to_owned());
        let work = move |connection: &Connection| put_review(connection, &workspace, &path, review.as_ref());
        self.request(Access::Write, work).await.map_err(attempt)
    }

    /// All that is known of reviews in a workspace, by path.
    pub async fn reviews(&self, workspace: &str) -> Result<Vec<ReviewRow>, JournalError> {
        let (workspace, attempt) = (workspace.to_owned(), named(format!("read the reviews in {workspace}")));
        self.request(Access::Read, move |connection| reviews(connection, &workspace)).await.map_err(attempt)
    }
}

fn id(number: i64) -> CheckpointId {
    CheckpointId(format!("k{number}"))
}

/// A number that no checkpoint has, for what is no id of one.
fn number(id: &CheckpointId) -> i64 {
    id.0.strip_prefix('k').and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn touch(connection: &Connection, mark: &Mark, rows: &[TouchedRow]) -> Result<CheckpointId, Cause> {
    let mut select = connection.prepare_cached("SELECT number FROM checkpoints WHERE workspace = ?1 AND key = ?2")?;
    let known: Option<i64> = select.query_row((&mark.workspace, &mark.key), |row| row.get(0)).optional()?;
    let checkpoint = match known {
        Some(number) => number,
        None => {
            let mut insert = connection.prepare_cached(
                "INSERT INTO checkpoints(workspace, key, session, turn, at, title) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let (session, turn) = mark.turn.as_ref().map(|(session, turn)| (&session.0, &turn.0)).unzip();
            insert.insert((&mark.workspace, &mark.key, session, turn, &mark.at, &mark.title))?
        }
    };
    let mut latest = connection.prepare_cached("SELECT max(number) FROM checkpoints WHERE workspace = ?1")?;
    let behind: i64 = latest.query_row([&mark.workspace], |row| row.get(0))?;
    // Nobody is taken back to the middle of what lies behind one mark, so that only the first image of a name needs its bytes.
    let mut insert = connection.prepare_cached(
        "INSERT INTO touched(checkpoint, path, before, after, blob, bytes)
         SELECT ?1, ?2, ?3, ?4, iif(is_first, ?5, NULL), iif(is_first, ?6, 0)
         FROM (SELECT NOT EXISTS (SELECT 1 FROM touched WHERE checkpoint = ?1 AND path = ?2) AS is_first)",
    )?;
    for row in rows {
        let (blob, bytes) =
            row.blob.as_ref().map(|(blob, bytes)| (blob, i64::try_from(*bytes).unwrap_or(i64::MAX))).unzip();
        insert.execute((behind, &row.path, &row.before, &row.after, blob, bytes.unwrap_or(0)))?;
    }
    Ok(id(checkpoint))
}

fn list(connection: &Connection, workspace: &str) -> Result<Vec<Checkpoint>, Cause> {
    let mut select = connection.prepare_cached(
        "SELECT number, at, title FROM checkpoints WHERE workspace = ?1 ORDER BY number DESC LIMIT ?2",
    )?;
    let read = |row: &rusqlite::Row<'_>| Ok(Checkpoint { id: id(row.get(0)?), at: row.get(1)?, title: row.get(2)? });
    let rows = select.query_map((workspace, i64::try_from(LISTED).unwrap_or(i64::MAX)), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn since(connection: &Connection, number: i64) -> Result<Vec<TouchedRow>, Cause> {
    let mut select = connection.prepare_cached(
        "SELECT path, before, after, blob, bytes FROM touched
         WHERE checkpoint IN (
             SELECT number FROM checkpoints
             WHERE number >= ?1 AND workspace = (SELECT workspace FROM checkpoints WHERE number = ?1)
         )
         ORDER BY number",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let bytes = u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0);
        let blob = row.get::<_, Option<String>>(3)?.map(|blob| (blob, bytes));
        Ok(TouchedRow { path: row.get(0)?, before: row.get(1)?, after: row.get(2)?, blob })
    };
    let rows = select.query_map([number], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The checkpoints that there is no room for: all from the first one on that does not fit, the latest ones counted first. The latest of
/// all stays: somebody may be at work behind it.
fn over(connection: &Connection, cap: i64) -> Result<Vec<i64>, Cause> {
    let mut select = connection.prepare_cached("SELECT number FROM checkpoints ORDER BY number DESC")?;
    let numbers: Vec<i64> = select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut select = connection
        .prepare_cached("SELECT octet_length(path) + octet_length(before) + octet_length(after), blob, bytes FROM touched WHERE checkpoint = ?1")?;
    let (mut bytes, mut counted) = (0_i64, HashSet::new());
    for (place, number) in numbers.iter().enumerate() {
        let mut rows = select.query([number])?;
        while let Some(row) = rows.next()? {
            bytes += ROW_BYTES + row.get::<_, i64>(0)?;
            if let Some(blob) = row.get::<_, Option<String>>(1)?
                && counted.insert(blob)
            {
                let blocks = row.get::<_, i64>(2)?.max(1).checked_add(BLOB_BYTES - 1).unwrap_or(i64::MAX) / BLOB_BYTES;
                bytes = bytes.saturating_add(blocks.saturating_mul(BLOB_BYTES));
            }
        }
        if bytes > cap {
            return Ok(numbers.get(place.max(1)..).unwrap_or_default().iter().rev().copied().collect());
        }
    }
    Ok(Vec::new())
}

fn remove(connection: &Connection, number: i64) -> Result<(), Cause> {
    connection.prepare_cached("DELETE FROM touched WHERE checkpoint = ?1")?.execute([number])?;
    connection.prepare_cached("DELETE FROM checkpoints WHERE number = ?1")?.execute([number])?;
    Ok(())
}

fn needed(connection: &Connection) -> Result<HashSet<String>, Cause> {
    let mut needed = HashSet::new();
    let mut select = connection.prepare_cached("SELECT blob FROM touched WHERE blob IS NOT NULL")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        needed.insert(row.get(0)?);
    }
    let mut select = connection.prepare_cached("SELECT texts FROM reviews")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        needed.extend(row.get::<_, String>(0)?.split_whitespace().map(str::to_owned));
    }
    Ok(needed)
}

fn put_review(
    connection: &Connection,
    workspace: &str,
    path: &[u8],
    review: Option<&(String, Vec<String>)>,
) -> Result<(), Cause> {
    match review {
        Some((meta, texts)) => connection
            .prepare_cached("INSERT OR REPLACE INTO reviews(workspace, path, meta, texts) VALUES (?1, ?2, ?3, ?4)")?
            .execute((workspace, path, meta, texts.join(" ")))?,
        None => connection
            .prepare_cached("DELETE FROM reviews WHERE workspace = ?1 AND path = ?2")?
            .execute((workspace, path))?,
    };
    Ok(())
}

fn reviews(connection: &Connection, workspace: &str) -> Result<Vec<ReviewRow>, Cause> {
    let mut select =
        connection.prepare_cached("SELECT path, meta, texts FROM reviews WHERE workspace = ?1 ORDER BY path")?;
    let read = |row: &rusqlite::Row<'_>| {
        let texts = row.get::<_, String>(2)?.split_whitespace().map(str::to_owned).collect();
        Ok(ReviewRow { path: row.get(0)?, meta: row.get(1)?, texts })
    };
    let rows = select.query_map([workspace], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
