//! Large tool outputs, in parts, so that a slice of one does not load all of it. Stored as valid UTF-8.

use super::error::Cause;
use super::sessions;
use pilotfish_protocol::{ItemId, OutputPage, SessionId};
use rusqlite::{Connection, OptionalExtension};

/// How many bytes a stored part holds; only the last one holds fewer.
const PART_BYTES: u64 = 256 * 1024;

/// The most bytes one page holds.
const MAX_PAGE_BYTES: u64 = 1024 * 1024;

/// The most items on a page of those that have an output.
const MAX_LISTED: i64 = 200;

/// The longest character in UTF-8, less one byte.
const MARGIN: u64 = 3;

/// Keeps an item's output, in the stead of what it was.
pub(super) fn put(
    connection: &Connection,
    session_id: &SessionId,
    item_id: &ItemId,
    output: &[u8],
) -> Result<(), Cause> {
    let number = sessions::number(connection, session_id)?;
    connection.execute("DELETE FROM outputs WHERE session = ?1 AND item = ?2", (number, &item_id.0))?;
    extend(connection, session_id, item_id, output)
}

/// Adds to an item's output, which may have none so far.
pub(super) fn extend(
    connection: &Connection,
    session_id: &SessionId,
    item_id: &ItemId,
    more: &[u8],
) -> Result<(), Cause> {
    let number = sessions::number(connection, session_id)?;
    let mut upsert = connection.prepare_cached(
        "INSERT INTO outputs(session, item, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT (session, item) DO UPDATE SET bytes = bytes + excluded.bytes RETURNING number, bytes - ?3",
    )?;
    let bytes = i64::try_from(more.len()).unwrap_or(i64::MAX);
    let (output, had): (i64, i64) =
        upsert.query_row((number, &item_id.0, bytes), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let had = u64::try_from(had).unwrap_or(0);
    // The last part is filled up first, by writing it anew.
    let whole = had / PART_BYTES;
    let mut body = window(connection, output, whole * PART_BYTES, had)?;
    body.extend_from_slice(more);
    let mut insert =
        connection.prepare_cached("INSERT OR REPLACE INTO chunks(output, part, body) VALUES (?1, ?2, ?3)")?;
    for (part, body) in (whole..).zip(body.chunks(index(PART_BYTES))) {
        insert.execute((output, i64::try_from(part).unwrap_or(i64::MAX), body))?;
    }
    Ok(())
}

/// The items that have an output: a page of those after `after`, in the order of their ids.
pub(super) fn list(
    connection: &Connection,
    session_id: &SessionId,
    after: Option<&ItemId>,
) -> Result<Vec<ItemId>, Cause> {
    let number = sessions::number(connection, session_id)?;
    let mut select = connection
        .prepare_cached("SELECT item FROM outputs WHERE session = ?1 AND item > ?2 ORDER BY item LIMIT ?3")?;
    let after = after.map_or("", |after| after.0.as_str());
    let items = select.query_map((number, after, MAX_LISTED), |row| Ok(ItemId(row.get(0)?)))?;
    Ok(items.collect::<Result<_, _>>()?)
}

/// At most `limit` bytes from `offset`, cut at characters; one character if `limit` is less than that.
pub(super) fn get(
    connection: &Connection,
    session_id: &SessionId,
    item_id: &ItemId,
    offset: u64,
    limit: u64,
) -> Result<Option<OutputPage>, Cause> {
    let mut select = connection.prepare_cached(
        "SELECT outputs.number, bytes FROM outputs JOIN sessions ON sessions.number = session
         WHERE sessions.id = ?1 AND item = ?2",
    )?;
    let found: Option<(i64, i64)> =
        select.query_row((&session_id.0, &item_id.0), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((number, bytes)) = found else { return Ok(None) };
    let total = u64::try_from(bytes).unwrap_or(0);
    let offset = offset.min(total);
    let begin = offset.saturating_sub(MARGIN);
    let end = offset + limit.clamp(1, MAX_PAGE_BYTES).min(total - offset);
    let window = window(connection, number, begin, (end + MARGIN).min(total))?;
    let (first, last) = cut(&window, index(offset - begin), index(end - begin));
    let text = String::from_utf8_lossy(window.get(first..last).unwrap_or_default()).into_owned();
    Ok(Some(OutputPage { text, offset: begin + u64::try_from(first).unwrap_or(0), total }))
}

/// The bytes from `begin` to `end`, read from the parts that hold them.
fn window(connection: &Connection, number: i64, begin: u64, end: u64) -> Result<Vec<u8>, Cause> {
    let mut select = connection.prepare_cached("SELECT body FROM chunks WHERE output = ?1 AND part = ?2")?;
    let mut window = Vec::with_capacity(index(end - begin));
    for part in begin / PART_BYTES..end.div_ceil(PART_BYTES) {
        let part_begin = part * PART_BYTES;
        let from = index(begin.saturating_sub(part_begin));
        let to = index(end.saturating_sub(part_begin).min(PART_BYTES));
        select.query_row((number, i64::try_from(part).unwrap_or(i64::MAX)), |row| {
            window.extend_from_slice(row.get_ref(0)?.as_blob()?.get(from..to).unwrap_or_default());
            Ok(())
        })?;
    }
    Ok(window)
}

/// Moves both ends of a slice back to where a character begins; a slice that would be empty gets the character it is in.
fn cut(window: &[u8], first: usize, last: usize) -> (usize, usize) {
    let begins = |at: usize| window.get(at).is_none_or(|byte| byte & 0xc0 != 0x80);
    let back = |from: usize| (0..=from).rev().find(|at| begins(*at)).unwrap_or(0);
    let (first, last) = (back(first), back(last));
    if first < last {
        return (first, last);
    }
    let next = (first + 1..=window.len()).find(|at| begins(*at)).unwrap_or(window.len());
    (first, next)
}

/// Both come from the length of something in memory or a page's limit.
fn index(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
