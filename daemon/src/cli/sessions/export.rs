//! Writing a session as JSON lines, page by page. Reads the journal and changes nothing in it.

use super::{FORMAT, Line};
use crate::cli::terminal;
use crate::journal::Journal;
use anyhow::Context;
use pilotfish_protocol::{ItemId, SessionId};
use std::io::Write;

/// Updates read at once.
const PAGE: usize = 200;

/// Bytes of an output on one line.
const SLICE: u64 = 256 * 1024;

/// Writes a session as it is now; what it gains meanwhile is not in it. Who reads may go away.
///
/// # Errors
/// When there is no such session, or it cannot be read or written.
pub async fn export(journal: &Journal, id: &SessionId, to: &mut impl Write) -> anyhow::Result<()> {
    let stored = journal.session(id).await?.with_context(|| format!("there is no session {id}"))?;
    let header = Line { pilotfish: Some(FORMAT), session: Some(stored.session), ..Line::default() };
    write(to, &header)?;
    let mut after = 0;
    while after < stored.seq {
        let page = journal.updates_after(id, after, PAGE).await?;
        let Some(last) = page.last().and_then(|update| update.seq) else { break };
        after = last;
        for update in page.into_iter().filter(|update| update.seq <= Some(stored.seq)) {
            write(to, &Line { seq: update.seq, update: Some(update.update), ..Line::default() })?;
        }
    }
    let mut after = None;
    loop {
        let page = journal.outputs(id, after.as_ref()).await?;
        let Some(last) = page.last().cloned() else { break };
        after = Some(last);
        for item_id in page {
            export_output(journal, id, item_id, to).await?;
        }
    }
    Ok(terminal::ignore_closed(to.flush())?)
}

async fn export_output(journal: &Journal, id: &SessionId, item_id: ItemId, to: &mut impl Write) -> anyhow::Result<()> {
    let mut offset = 0;
    while let Some(page) = journal.output(id, &item_id, offset, SLICE).await? {
        offset += u64::try_from(page.text.len()).unwrap_or(0);
        let done = offset >= page.total || page.text.is_empty();
        write(to, &Line { item_id: Some(item_id.clone()), output: Some(page.text), ..Line::default() })?;
        if done {
            break;
        }
    }
    Ok(())
}

fn write(to: &mut impl Write, line: &Line) -> anyhow::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    Ok(terminal::ignore_closed(to.write_all(text.as_bytes()))?)
}
