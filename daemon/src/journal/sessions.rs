//! Sessions as lists and restoring need them: headers, drafts, marks. Holds no transcript.

use super::append::{place, seq_of};
use super::error::Cause;
use super::search;
use super::{SessionFilter, Stored};
use pilotfish_protocol::{Approval, ContextUse, Session, SessionId, SessionList, StopReason, TurnId, Update, Usage};
use rusqlite::{Connection, OptionalExtension, Row};

/// The most sessions one page of a list holds.
const MAX_LISTED: usize = 200;

/// Writes a new session's header.
pub(super) fn create(connection: &Connection, session: &Session) -> Result<(), Cause> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO sessions(id, workspace, archived, header) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO NOTHING RETURNING number",
    )?;
    let header = serde_json::to_string(session)?;
    let row = (&session.id.0, &session.workspace, session.archived, header);
    let Some(number): Option<i64> = insert.query_row(row, |row| row.get(0)).optional()? else {
        return Err(Cause::Exists(session.id.clone()));
    };
    let mut insert = connection.prepare_cached("INSERT INTO states(session, updated_at) VALUES (?1, ?2)")?;
    insert.execute((number, &session.updated_at))?;
    search::index(connection, place(number, 0), &session.title)
}

/// Writes a session's header anew. Its time and its archive mark stay: appending and archiving own those.
pub(super) fn save(connection: &Connection, session: &Session) -> Result<(), Cause> {
    let number = number(connection, &session.id)?;
    let mut title = None;
    change(connection, number, |stored| {
        title = (stored.title != session.title).then_some(&session.title);
        stored.clone_from(session);
    })?;
    title.map_or(Ok(()), |title| search::index(connection, place(number, 0), title))
}

/// Changes a stored header.
pub(super) fn change(connection: &Connection, number: i64, edit: impl FnOnce(&mut Session)) -> Result<(), Cause> {
    let mut select = connection.prepare_cached("SELECT header FROM sessions WHERE number = ?1")?;
    let header: String = select.query_row([number], |row| row.get(0))?;
    let mut session: Session = serde_json::from_str(&header)?;
    edit(&mut session);
    write_header(connection, number, &session)
}

/// Gives a session another title.
pub(super) fn rename(connection: &Connection, session_id: &SessionId, title: &str) -> Result<(), Cause> {
    let number = number(connection, session_id)?;
    change(connection, number, |session| title.clone_into(&mut session.title))?;
    search::index(connection, place(number, 0), title)
}

/// Keeps what is typed and not sent.
pub(super) fn draft(connection: &Connection, session_id: &SessionId, text: &str) -> Result<(), Cause> {
    mark(connection, session_id, "UPDATE sessions SET draft = ?2 WHERE id = ?1", text)
}

/// Marks a session as archived, or not.
pub(super) fn archive(connection: &Connection, session_id: &SessionId, archived: bool) -> Result<(), Cause> {
    mark(connection, session_id, "UPDATE sessions SET archived = ?2 WHERE id = ?1", archived)
}

/// Marks a session as deleted at `at`.
pub(super) fn delete(connection: &Connection, session_id: &SessionId, at: &str) -> Result<(), Cause> {
    mark(connection, session_id, "UPDATE sessions SET deleted = unixepoch(?2) WHERE id = ?1 AND deleted >= 0", at)
}

/// Takes the mark away, unless the session is being collected: then its mark is below 0.
pub(super) fn restore(connection: &Connection, session_id: &SessionId) -> Result<(), Cause> {
    mark(connection, session_id, "UPDATE sessions SET deleted = ?2 WHERE id = ?1 AND deleted >= 0", 0)
}

/// The number of a session, deleted or not.
pub(super) fn number(connection: &Connection, session_id: &SessionId) -> Result<i64, Cause> {
    let mut select = connection.prepare_cached("SELECT number FROM sessions WHERE id = ?1")?;
    let number = select.query_row([&session_id.0], |row| row.get(0)).optional()?;
    number.ok_or_else(|| Cause::UnknownSession(session_id.clone()))
}

/// The sessions whose id is or begins with `id`; at most two.
pub(super) fn named(connection: &Connection, id: &str) -> Result<Vec<SessionId>, Cause> {
    let mut select = connection.prepare_cached(
        "SELECT id FROM sessions WHERE id >= ?1 AND substr(id, 1, length(?1)) = ?1 AND NOT deleted ORDER BY id LIMIT 2",
    )?;
    let found = select.query_map([id], |row| Ok(SessionId(row.get(0)?)))?;
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    // The exact one comes first.
    if found.first().is_some_and(|first| first.0 == id) {
        found.truncate(1);
    }
    Ok(found)
}

/// The seq of a session's last update; 0 if it has none. A deleted session is not found.
pub(super) fn last_seq(connection: &Connection, session_id: &SessionId) -> Result<u64, Cause> {
    let mut select = connection
        .prepare_cached("SELECT seq FROM sessions JOIN states ON session = number WHERE id = ?1 AND NOT deleted")?;
    let seq: Option<i64> = select.query_row([&session_id.0], |row| row.get(0)).optional()?;
    seq.map(seq_of).ok_or_else(|| Cause::UnknownSession(session_id.clone()))
}

/// Everything a session needs to go on, its transcript apart. A deleted session is not found.
pub(super) fn session(connection: &Connection, session_id: &SessionId) -> Result<Option<Stored>, Cause> {
    let mut select = connection.prepare_cached(
        "SELECT number, seq, turn, ended, usage, plan, queue, draft, header, updated_at, archived
         FROM sessions JOIN states ON session = number WHERE id = ?1 AND NOT deleted",
    )?;
    let mut rows = select.query([&session_id.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let number: i64 = row.get("number")?;
    let mut stored = Stored {
        session: header(row)?,
        seq: seq_of(row.get("seq")?),
        turn_id: None,
        stop: stop(connection, row.get("ended")?)?,
        draft: row.get("draft")?,
        queue: Vec::new(),
        plan: pilotfish_protocol::Plan::default(),
        usage: Usage::default(),
        context: ContextUse::default(),
        approvals: approvals(connection, number)?,
    };
    if let Some(Update::TurnStarted { turn_id: TurnId(turn_id), .. }) = pointed(connection, row.get("turn")?)? {
        stored.turn_id = Some(TurnId(turn_id));
    }
    if let Some(Update::Usage { usage, context }) = pointed(connection, row.get("usage")?)? {
        (stored.usage, stored.context) = (usage, context);
    }
    if let Some(Update::PlanChanged { plan }) = pointed(connection, row.get("plan")?)? {
        stored.plan = plan;
    }
    if let Some(Update::QueueChanged { queue }) = pointed(connection, row.get("queue")?)? {
        stored.queue = queue;
    }
    Ok(Some(stored))
}

/// What a session has used so far.
pub(super) fn usage(connection: &Connection, number: i64) -> Result<Usage, Cause> {
    let mut select = connection.prepare_cached("SELECT usage FROM states WHERE session = ?1")?;
    let place = select.query_row([number], |row| row.get(0))?;
    match pointed(connection, place)? {
        Some(Update::Usage { usage, .. }) => Ok(usage),
        // Only sums are pointed to.
        _ => Ok(Usage::default()),
    }
}

/// Whether nobody finds a session: it is deleted, or a copy that is not whole yet.
pub(super) fn is_hidden(connection: &Connection, number: i64) -> Result<bool, Cause> {
    let mut select = connection.prepare_cached("SELECT deleted <> 0 FROM sessions WHERE number = ?1")?;
    Ok(select.query_row([number], |row| row.get(0))?)
}

/// The sessions that are not deleted, have a queue and no turn, and go on by themselves.
pub(super) fn waiting(connection: &Connection) -> Result<Vec<SessionId>, Cause> {
    let mut select = connection.prepare_cached(
        "SELECT id, ended FROM states JOIN sessions ON number = session
         WHERE queue IS NOT NULL AND turn IS NULL AND deleted = 0 ORDER BY updated_at, number",
    )?;
    let mut rows = select.query([])?;
    let mut waiting = Vec::new();
    while let Some(row) = rows.next()? {
        if stop(connection, row.get("ended")?)?.is_none_or(goes_on) {
            waiting.push(SessionId(row.get("id")?));
        }
    }
    Ok(waiting)
}

/// The sessions that are not deleted and have an open question.
pub(super) fn asking(connection: &Connection) -> Result<Vec<SessionId>, Cause> {
    let mut select = connection.prepare_cached(
        "SELECT id FROM sessions WHERE deleted = 0 AND (
             number IN (SELECT session FROM approvals)
             OR number IN (
                 SELECT session FROM open JOIN items ON items.started = open.started JOIN updates ON place = latest
                 WHERE json_extract(body, '$.item.content.kind') = 'question'
             )
         ) ORDER BY number",
    )?;
    let ids = select.query_map([], |row| Ok(SessionId(row.get(0)?)))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Whether a prompt that waits starts by itself after a turn that ended so; else a person decides.
fn goes_on(stop: StopReason) -> bool {
    match stop {
        StopReason::Done | StopReason::Length | StopReason::Refused => true,
        StopReason::StepLimit | StopReason::Interrupted | StopReason::Failed => false,
    }
}

fn stop(connection: &Connection, place: Option<i64>) -> Result<Option<StopReason>, Cause> {
    match pointed(connection, place)? {
        Some(Update::TurnEnded { stop, .. }) => Ok(Some(stop)),
        // Only the end of a turn is pointed to.
        _ => Ok(None),
    }
}

/// A page of sessions: the asked workspace's first, the latest first.
pub(super) fn list(connection: &Connection, filter: &SessionFilter) -> Result<SessionList, Cause> {
    let limit = filter.limit.clamp(1, MAX_LISTED);
    let query = filter.query.as_deref().and_then(search::query);
    let after = filter.cursor.as_deref().map(Cursor::parse).transpose()?;
    // The inner part reads what is narrow only; headers are read for the page alone.
    let narrowed = if query.is_some() {
        "AND number IN (SELECT rowid >> 32 FROM words WHERE words MATCH ?3)"
    } else {
        "AND ?3 IS NULL"
    };
    let mut select = connection.prepare_cached(&format!(
        "SELECT page.near, number, page.updated_at, archived, header FROM (
             SELECT (workspace IS ?1) AS near, updated_at, number
             FROM sessions INDEXED BY sessions_listed JOIN states ON session = number
             WHERE archived = ?2 AND deleted = 0 {narrowed}
               AND (?4 IS NULL OR ((workspace IS ?1), updated_at, number) < (?4, ?5, ?6))
             ORDER BY near DESC, updated_at DESC, number DESC LIMIT ?7
         ) AS page JOIN sessions USING (number)
         ORDER BY page.near DESC, page.updated_at DESC, number DESC"
    ))?;
    let mut rows = select.query((
        filter.workspace.as_deref(),
        filter.archived,
        query,
        after.as_ref().map(|cursor| cursor.near),
        after.as_ref().map(|cursor| cursor.updated_at.as_str()),
        after.as_ref().map(|cursor| cursor.number),
        i64::try_from(limit + 1).unwrap_or(i64::MAX),
    ))?;
    let mut list = SessionList { sessions: Vec::new(), next_cursor: None };
    let mut last = None;
    while let Some(row) = rows.next()? {
        if list.sessions.len() == limit {
            list.next_cursor = last.as_ref().map(Cursor::write);
            break;
        }
        list.sessions.push(header(row)?);
        last = Some(Cursor { near: row.get("near")?, number: row.get("number")?, updated_at: row.get("updated_at")? });
    }
    Ok(list)
}

/// The last session of a page: the next one begins behind it, also when others have moved to the front since.
struct Cursor {
    near: bool,
    number: i64,
    updated_at: String,
}

impl Cursor {
    fn parse(text: &str) -> Result<Self, Cause> {
        let parse = || {
            let mut parts = text.splitn(3, '.');
            let near = parts.next()?.parse::<u8>().ok()? == 1;
            let number = parts.next()?.parse().ok()?;
            Some(Self { near, number, updated_at: parts.next()?.to_owned() })
        };
        parse().ok_or_else(|| Cause::Cursor(text.to_owned()))
    }

    fn write(&self) -> String {
        format!("{}.{}.{}", u8::from(self.near), self.number, self.updated_at)
    }
}

fn approvals(connection: &Connection, number: i64) -> Result<Vec<Approval>, Cause> {
    let mut select = connection.prepare_cached(
        "SELECT body FROM approvals JOIN updates ON place = opened WHERE session = ?1 ORDER BY opened",
    )?;
    let mut rows = select.query([number])?;
    let mut approvals = Vec::new();
    while let Some(row) = rows.next()? {
        if let Update::ApprovalOpened { approval } = serde_json::from_str(row.get_ref(0)?.as_str().map_err(bad_text)?)?
        {
            approvals.push(*approval);
        }
    }
    Ok(approvals)
}

fn pointed(connection: &Connection, place: Option<i64>) -> Result<Option<Update>, Cause> {
    let Some(place) = place else { return Ok(None) };
    let mut select = connection.prepare_cached("SELECT body FROM updates WHERE place = ?1")?;
    let body: Option<String> = select.query_row([place], |row| row.get(0)).optional()?;
    Ok(body.as_deref().map(serde_json::from_str).transpose()?)
}

/// The header of a row that has `header`, `updated_at` and `archived`.
fn header(row: &Row<'_>) -> Result<Session, Cause> {
    let mut session: Session = serde_json::from_str(row.get_ref("header")?.as_str().map_err(bad_text)?)?;
    session.updated_at = row.get("updated_at")?;
    session.archived = row.get("archived")?;
    Ok(session)
}

fn bad_text(error: rusqlite::types::FromSqlError) -> Cause {
    Cause::Storage(rusqlite::Error::from(error))
}

fn write_header(connection: &Connection, number: i64, session: &Session) -> Result<(), Cause> {
    let mut update = connection.prepare_cached("UPDATE sessions SET workspace = ?2, header = ?3 WHERE number = ?1")?;
    update.execute((number, &session.workspace, serde_json::to_string(session)?))?;
    Ok(())
}

fn mark(connection: &Connection, session_id: &SessionId, sql: &str, value: impl rusqlite::ToSql) -> Result<(), Cause> {
    match connection.prepare_cached(sql)?.execute((&session_id.0, value))? {
        0 => Err(Cause::UnknownSession(session_id.clone())),
        _ => Ok(()),
    }
}
