//! Collecting what was deleted: the one place that takes anything out of the record. It does so in small steps, each a
//! request of its own, so that an append waits for one step at most. Never touches a session that is not deleted.

use super::append::place;
use super::error::{Cause, JournalError};
use super::worker::Access;
use super::{Journal, named, sessions};
use pilotfish_protocol::SessionId;
use rusqlite::{Connection, OptionalExtension};

/// A step takes away no more than so many updates, or so many bytes of them.
const STEP_UPDATES: i64 = 200;
const STEP_BYTES: i64 = 256 * 1024;

/// A step takes away no more than so many parts of outputs.
const STEP_PARTS: i64 = 2;

/// The mark of a session that is being collected: deleted before all others, and not to be restored.
const COLLECTING: i64 = -1;

impl Journal {
    /// Takes away for good the sessions that were deleted before `deleted_before`, in seconds since 1970; answers how
    /// many. One that is begun cannot be restored any more, and is finished by the next collection if not by this.
    pub async fn collect(&self, deleted_before: i64) -> Result<usize, JournalError> {
        let mut collected = 0;
        loop {
            let work = move |connection: &Connection| begin(connection, deleted_before);
            let next = self.request(Access::Write, work).await.map_err(named("collect deleted sessions"))?;
            let Some(number) = next else { return Ok(collected) };
            self.remove(number).await?;
            collected += 1;
        }
    }

    /// Takes away for good a session that was hidden.
    pub(super) async fn discard(&self, session_id: &SessionId) -> Result<(), JournalError> {
        let (id, attempt) = (session_id.clone(), named(format!("discard session {session_id}")));
        let work = move |connection: &Connection| {
            let number = sessions::number(connection, &id)?;
            mark(connection, number)?;
            Ok(number)
        };
        let number = self.request(Access::Write, work).await.map_err(attempt)?;
        self.remove(number).await
    }

    async fn remove(&self, number: i64) -> Result<(), JournalError> {
        loop {
            let work = move |connection: &Connection| remove_some(connection, number);
            match self.request(Access::Write, work).await.map_err(named("collect a deleted session"))? {
                Left::Something => {}
                Left::Nothing => return Ok(()),
            }
        }
    }
}

/// What a step left of a session.
pub(super) enum Left {
    Something,
    Nothing,
}

/// Marks the next session to collect.
pub(super) fn begin(connection: &Connection, deleted_before: i64) -> Result<Option<i64>, Cause> {
    let mut select =
        connection.prepare_cached("SELECT number FROM sessions WHERE deleted <> 0 AND deleted < ?1 LIMIT 1")?;
    let number: Option<i64> = select.query_row([deleted_before], |row| row.get(0)).optional()?;
    if let Some(number) = number {
        mark(connection, number)?;
    }
    Ok(number)
}

fn mark(connection: &Connection, number: i64) -> Result<(), Cause> {
    let mut update = connection.prepare_cached("UPDATE sessions SET deleted = ?2 WHERE number = ?1")?;
    update.execute((number, COLLECTING))?;
    Ok(())
}

pub(super) fn remove_some(connection: &Connection, number: i64) -> Result<Left, Cause> {
    if let Some(last) = last_of_step(connection, number)? {
        remove_up_to(connection, number, last)?;
        return Ok(Left::Something);
    }
    let mut delete = connection.prepare_cached(
        "DELETE FROM chunks WHERE rowid IN (
             SELECT chunks.rowid FROM outputs JOIN chunks ON output = outputs.number WHERE session = ?1 LIMIT ?2)",
    )?;
    if delete.execute((number, STEP_PARTS))? > 0 {
        return Ok(Left::Something);
    }
    remove_up_to(connection, number, place(number + 1, 0) - 1)?;
    for table in ["outputs WHERE session", "states WHERE session", "sessions WHERE number"] {
        connection.prepare_cached(&format!("DELETE FROM {table} = ?1"))?.execute([number])?;
    }
    Ok(Left::Nothing)
}

/// Where the updates end that one step takes away.
fn last_of_step(connection: &Connection, number: i64) -> Result<Option<i64>, Cause> {
    let mut select = connection.prepare_cached(
        "SELECT place, octet_length(body) FROM updates WHERE place > ?1 AND place < ?2 ORDER BY place LIMIT ?3",
    )?;
    let mut rows = select.query((place(number, 0), place(number + 1, 0), STEP_UPDATES))?;
    let (mut last, mut bytes) = (None, 0);
    while bytes < STEP_BYTES
        && let Some(row) = rows.next()?
    {
        last = Some(row.get(0)?);
        bytes += row.get::<_, i64>(1)?;
    }
    Ok(last)
}

/// Takes away a session's updates up to and with the place `last`, and what points to them.
fn remove_up_to(connection: &Connection, number: i64, last: i64) -> Result<(), Cause> {
    // What has foreign keys goes before what they name. A title's words are at the session's place 0.
    for key in [
        "words WHERE rowid",
        "open WHERE started",
        "approvals WHERE opened",
        "items WHERE started",
        "updates WHERE place",
    ] {
        let sql = format!("DELETE FROM {key} >= ?1 AND {} <= ?2", key.rsplit(' ').next().unwrap_or_default());
        connection.prepare_cached(&sql)?.execute((place(number, 0), last))?;
    }
    Ok(())
}
