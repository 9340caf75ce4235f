//! Appending: the only place that assigns a seq. What is kept beside the updates themselves (items, open questions, the
//! latest plan) are pointers to them, made by folding each update here; nothing stored is ever edited or taken away.

use super::error::Cause;
use super::{search, sessions, spent};
use pilotfish_protocol::{Item, SessionId, Update};
use rusqlite::{Connection, OptionalExtension};
use std::ops::RangeInclusive;

/// An update and the text it is stored as.
pub(super) struct Entry {
    pub(super) update: Update,
    pub(super) body: String,
}

impl Entry {
    /// Writes an update down; refuses one that is superseded by later ones and has no place in the record.
    pub(super) fn new(update: Update) -> Result<Self, Cause> {
        match &update {
            Update::ItemDelta { .. } => Err(Cause::NotDurable("an item's delta")),
            Update::StatusChanged { .. } => Err(Cause::NotDurable("a status")),
            Update::DraftChanged { .. } => Err(Cause::NotDurable("a draft")),
            Update::CommandChanged { .. } => Err(Cause::NotDurable("a command's state")),
            _durable => Ok(Self { body: serde_json::to_string(&update)?, update }),
        }
    }
}

/// Where an update lies: its session's number above, its seq below.
pub(super) fn place(number: i64, seq: i64) -> i64 {
    (number << 32) | seq
}

/// The seq of the update at a place.
pub(super) fn seq_of(place: i64) -> u64 {
    u64::try_from(place & 0xffff_ffff).unwrap_or(0)
}

/// Appends the entries in their order, without a gap; answers the first and the last seq.
pub(super) fn append(
    connection: &Connection,
    session_id: &SessionId,
    entries: &[Entry],
    at: &str,
) -> Result<RangeInclusive<u64>, Cause> {
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let mut advance = connection.prepare_cached(
        "UPDATE states SET seq = seq + ?2, updated_at = ?3
         WHERE session = (SELECT number FROM sessions WHERE id = ?1) RETURNING session, seq",
    )?;
    let advanced: Option<(i64, i64)> =
        advance.query_row((&session_id.0, count, at), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((number, last)) = advanced else {
        return Err(Cause::UnknownSession(session_id.clone()));
    };
    let first = last - count + 1;
    let mut insert = connection.prepare_cached("INSERT INTO updates(place, body) VALUES (?1, ?2)")?;
    for (place, entry) in (place(number, first)..).zip(entries) {
        insert.execute((place, &entry.body))?;
        if let Update::Usage { usage, .. } = &entry.update {
            spent::add(connection, number, usage, at)?;
        }
        fold(connection, number, place, &entry.update)?;
    }
    Ok(u64::try_from(first).unwrap_or(0)..=u64::try_from(last).unwrap_or(0))
}

/// Brings what points to updates up to the update at `place`.
pub(super) fn fold(connection: &Connection, number: i64, place: i64, update: &Update) -> Result<(), Cause> {
    match update {
        Update::TurnStarted { .. } => point(connection, "turn", number, Some(place)),
        Update::TurnEnded { .. } => end_turn(connection, number, place),
        Update::Usage { .. } => point(connection, "usage", number, Some(place)),
        Update::PlanChanged { .. } => point(connection, "plan", number, Some(place)),
        Update::QueueChanged { queue } => point(connection, "queue", number, (!queue.is_empty()).then_some(place)),
        Update::ItemStarted { item } | Update::ItemChanged { item } => {
            // One that is known already is open already, or has ended and stays so.
            if fold_item(connection, number, place, item)? == place {
                open(connection, place)?;
            }
            Ok(())
        }
        Update::ItemEnded { item } => {
            let started = fold_item(connection, number, place, item)?;
            if started != place {
                close(connection, started)?;
            }
            match search::words(&item.content) {
                Some(words) => search::index(connection, started, &words),
                None => Ok(()),
            }
        }
        Update::ModeChanged { mode } => sessions::change(connection, number, |session| session.mode = *mode),
        Update::ModelChanged { model, effort } => sessions::change(connection, number, |session| {
            session.model = Some(model.clone());
            session.effort = *effort;
        }),
        Update::TitleChanged { title } => {
            sessions::change(connection, number, |session| session.title.clone_from(title))?;
            search::index(connection, self::place(number, 0), title)
        }
        Update::ApprovalOpened { approval } => {
            let mut insert = connection
                .prepare_cached("INSERT OR REPLACE INTO approvals(opened, session, id) VALUES (?1, ?2, ?3)")?;
            insert.execute((place, number, &approval.id.0))?;
            Ok(())
        }
        Update::ApprovalClosed { approval_id, .. } => {
            let mut delete = connection.prepare_cached("DELETE FROM approvals WHERE session = ?1 AND id = ?2")?;
            delete.execute((number, &approval_id.0))?;
            Ok(())
        }
        // No entry is made of these.
        Update::ItemDelta { .. }
        | Update::StatusChanged { .. }
        | Update::DraftChanged { .. }
        | Update::CommandChanged { .. } => Ok(()),
    }
}

/// No turn runs any more, and nobody waits for an answer to what it asked.
fn end_turn(connection: &Connection, number: i64, place: i64) -> Result<(), Cause> {
    let mut update = connection.prepare_cached("UPDATE states SET turn = NULL, ended = ?2 WHERE session = ?1")?;
    update.execute((number, place))?;
    connection.prepare_cached("DELETE FROM approvals WHERE session = ?1")?.execute([number])?;
    Ok(())
}

/// Points the item at its latest state; answers where it started.
fn fold_item(connection: &Connection, number: i64, place: i64, item: &Item) -> Result<i64, Cause> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO items(started, latest, session, id) VALUES (?1, ?1, ?2, ?3)
         ON CONFLICT (session, id) DO UPDATE SET latest = excluded.latest RETURNING started",
    )?;
    Ok(upsert.query_row((place, number, &item.id.0), |row| row.get(0))?)
}

/// Notes that the item which started at a place has not ended.
fn open(connection: &Connection, started: i64) -> Result<(), Cause> {
    connection.prepare_cached("INSERT INTO open(started) VALUES (?1)")?.execute([started])?;
    Ok(())
}

/// Notes that it has.
fn close(connection: &Connection, started: i64) -> Result<(), Cause> {
    connection.prepare_cached("DELETE FROM open WHERE started = ?1")?.execute([started])?;
    Ok(())
}

fn point(connection: &Connection, column: &'static str, number: i64, place: Option<i64>) -> Result<(), Cause> {
    let mut update = connection.prepare_cached(&format!("UPDATE states SET {column} = ?2 WHERE session = ?1"))?;
    update.execute((number, place))?;
    Ok(())
}
