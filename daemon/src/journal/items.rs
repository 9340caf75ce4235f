//! Reading transcripts: updates in order, items in their latest state. A page costs what is on it, however long the
//! history is. Answers stored texts; the caller reads them as types, so that the journal's thread does not.

use super::append::{place, seq_of};
use super::error::Cause;
use super::sessions;
use pilotfish_protocol::{ItemId, SessionId};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params};

/// A page ends when it holds this many bytes: more than a person sees at once, and little enough to be there at once.
const MAX_PAGE_BYTES: usize = 1 << 20;

/// The most records one page holds.
const MAX_PAGE_RECORDS: usize = 1000;

/// A stored update and its place.
pub(super) struct Record {
    pub(super) place: i64,
    /// Of an item: where its latest state lies.
    pub(super) latest: i64,
    pub(super) body: String,
}

impl Record {
    /// The update's seq in its session.
    pub(super) fn seq(&self) -> u64 {
        seq_of(self.place)
    }
}

/// Records, and whether there are more beyond the last.
#[derive(Default)]
pub(super) struct Page {
    pub(super) records: Vec<Record>,
    pub(super) more: bool,
}

/// The updates after `after_seq`, in order.
pub(super) fn updates_after(
    connection: &Connection,
    session_id: &SessionId,
    after_seq: u64,
    limit: usize,
) -> Result<Page, Cause> {
    let number = sessions::number(connection, session_id)?;
    let Some(after) = u32::try_from(after_seq).ok().map(|seq| place(number, i64::from(seq))) else {
        return Ok(Page::default());
    };
    let select = connection.prepare_cached(
        "SELECT place, body, place FROM updates WHERE place > ?1 AND place < ?2 ORDER BY place LIMIT ?3",
    )?;
    page(select, limit, |limit| (after, place(number + 1, 0), limit))
}

/// The items before `before`, or the newest: the newest first.
pub(super) fn items(
    connection: &Connection,
    session_id: &SessionId,
    before: Option<&ItemId>,
    limit: usize,
) -> Result<Page, Cause> {
    let number = sessions::number(connection, session_id)?;
    let end = match before {
        Some(item_id) => started(connection, session_id, number, item_id)?,
        None => place(number + 1, 0),
    };
    let select = connection.prepare_cached(
        "SELECT started, body, latest FROM items JOIN updates ON place = latest
         WHERE started > ?1 AND started < ?2 ORDER BY started DESC LIMIT ?3",
    )?;
    page(select, limit, |limit| (place(number, 0), end, limit))
}

/// The items that started after the place `after`, or all: the oldest first.
pub(super) fn items_after(connection: &Connection, session_id: &SessionId, after: Option<i64>) -> Result<Page, Cause> {
    let number = sessions::number(connection, session_id)?;
    let after = after.unwrap_or(place(number, 0));
    let select = connection.prepare_cached(
        "SELECT started, body, latest FROM items JOIN updates ON place = latest
         WHERE started > ?1 AND started < ?2 ORDER BY started LIMIT ?3",
    )?;
    page(select, MAX_PAGE_RECORDS, |limit| (after, place(number + 1, 0), limit))
}

/// The items that have started and not ended: the oldest first.
pub(super) fn open_items(connection: &Connection, session_id: &SessionId) -> Result<Page, Cause> {
    let number = sessions::number(connection, session_id)?;
    let select = connection.prepare_cached(
        "SELECT items.started, body, latest FROM open JOIN items ON items.started = open.started
         JOIN updates ON place = latest WHERE open.started > ?1 AND open.started < ?2 ORDER BY open.started LIMIT ?3",
    )?;
    page(select, MAX_PAGE_RECORDS, |limit| (place(number, 0), place(number + 1, 0), limit))
}

/// An item's latest state, and whether it is open.
pub(super) fn item(
    connection: &Connection,
    session_id: &SessionId,
    item_id: &ItemId,
) -> Result<Option<(Record, bool)>, Cause> {
    let number = sessions::number(connection, session_id)?;
    let mut select = connection.prepare_cached(
        "SELECT items.started, body, latest, open.started IS NOT NULL FROM items JOIN updates ON place = latest
         LEFT JOIN open ON open.started = items.started WHERE session = ?1 AND id = ?2",
    )?;
    let read = |row: &rusqlite::Row<'_>| Ok((record(row)?, row.get(3)?));
    Ok(select.query_row((number, &item_id.0), read).optional()?)
}

/// The seq of an item's last update.
pub(super) fn last_seq(connection: &Connection, session_id: &SessionId, item_id: &ItemId) -> Result<u64, Cause> {
    let number = sessions::number(connection, session_id)?;
    let mut select = connection.prepare_cached("SELECT latest FROM items WHERE session = ?1 AND id = ?2")?;
    let latest: Option<i64> = select.query_row((number, &item_id.0), |row| row.get(0)).optional()?;
    latest.map(seq_of).ok_or_else(|| Cause::UnknownItem(session_id.clone(), item_id.clone()))
}

/// Whether the session has an item of this id that is not open.
pub(super) fn has_ended(connection: &Connection, session_id: &SessionId, item_id: &ItemId) -> Result<bool, Cause> {
    let number = sessions::number(connection, session_id)?;
    let mut select = connection.prepare_cached(
        "SELECT 1 FROM items WHERE session = ?1 AND id = ?2 AND started NOT IN (SELECT started FROM open)",
    )?;
    Ok(select.exists((number, &item_id.0))?)
}

fn started(connection: &Connection, session_id: &SessionId, number: i64, item_id: &ItemId) -> Result<i64, Cause> {
    let mut select = connection.prepare_cached("SELECT started FROM items WHERE session = ?1 AND id = ?2")?;
    let started = select.query_row((number, &item_id.0), |row| row.get(0)).optional()?;
    started.ok_or_else(|| Cause::UnknownItem(session_id.clone(), item_id.clone()))
}

/// Reads up to `limit` records, at least one if there is any; `bind` gets the limit for SQL.
fn page<P: Params>(mut select: CachedStatement<'_>, limit: usize, bind: impl FnOnce(i64) -> P) -> Result<Page, Cause> {
    let limit = limit.clamp(1, MAX_PAGE_RECORDS);
    let mut rows = select.query(bind(i64::try_from(limit + 1).unwrap_or(i64::MAX)))?;
    let mut page = Page::default();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if page.records.len() == limit || bytes >= MAX_PAGE_BYTES {
            page.more = true;
            break;
        }
        let record = record(row)?;
        bytes += record.body.len();
        page.records.push(record);
    }
    Ok(page)
}

fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record { place: row.get(0)?, body: row.get(1)?, latest: row.get(2)? })
}
