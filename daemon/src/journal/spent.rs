//! What all sessions used, by day. A session's own updates say its sums; here each growth of them is added to the day it came on.
//! Copies of sessions used nothing.

use super::error::Cause;
use super::sessions;
use pilotfish_protocol::Usage;
use rusqlite::{Connection, Row};

/// Adds what a session used since its sums were last recorded. To be called before they are.
pub(super) fn add(connection: &Connection, number: i64, sums: &Usage, at: &str) -> Result<(), Cause> {
    if sessions::is_hidden(connection, number)? {
        return Ok(());
    }
    let before = sessions::usage(connection, number)?;
    let day = at.split('T').next().unwrap_or(at);
    let grown = |now: u64, before: u64| i64::try_from(now.saturating_sub(before)).unwrap_or(i64::MAX);
    let cost = sums.cost.map(|cost| grown(cost, before.cost.unwrap_or(0)));
    let mut upsert = connection.prepare_cached(
        "INSERT INTO spent(day, input, cached, output, reasoning, cost) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (day) DO UPDATE SET input = input + excluded.input, cached = cached + excluded.cached,
             output = output + excluded.output, reasoning = reasoning + excluded.reasoning,
             cost = coalesce(cost + excluded.cost, cost, excluded.cost)",
    )?;
    upsert.execute((
        day,
        grown(sums.input_tokens, before.input_tokens),
        grown(sums.cached_tokens, before.cached_tokens),
        grown(sums.output_tokens, before.output_tokens),
        grown(sums.reasoning_tokens, before.reasoning_tokens),
        cost,
    ))?;
    Ok(())
}

/// What was used on all days.
pub(super) fn all(connection: &Connection) -> Result<Usage, Cause> {
    let mut select = connection
        .prepare_cached("SELECT sum(input), sum(cached), sum(output), sum(reasoning), sum(cost) FROM spent")?;
    Ok(select.query_row([], read)?)
}

/// What was used on a day.
pub(super) fn on(connection: &Connection, day: &str) -> Result<Usage, Cause> {
    let mut select = connection.prepare_cached(
        "SELECT sum(input), sum(cached), sum(output), sum(reasoning), sum(cost) FROM spent WHERE day = ?1",
    )?;
    Ok(select.query_row([day], read)?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Usage> {
    let number = |at: usize| -> rusqlite::Result<Option<u64>> {
        Ok(row.get::<_, Option<i64>>(at)?.map(|number| u64::try_from(number).unwrap_or(0)))
    };
    Ok(Usage {
        input_tokens: number(0)?.unwrap_or(0),
        cached_tokens: number(1)?.unwrap_or(0),
        output_tokens: number(2)?.unwrap_or(0),
        reasoning_tokens: number(3)?.unwrap_or(0),
        cost: number(4)?,
        ..Usage::default()
    })
}
