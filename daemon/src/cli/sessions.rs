//! `pilotfish sessions`: lists the recorded sessions, changes one, carries one out of the journal and into another. It reads the
//! journal itself, with or without a daemon beside it; what changes a session that is there, the daemon does.
//!
//! # The format
//!
//! An exported session is JSON lines in UTF-8, each an object:
//!
//! 1. `{"pilotfish":1,"session":{…}}`, once, at the beginning. The number is the version of this format, the session
//!    is its header as the protocol has it.
//! 2. `{"seq":…,"update":{…}}`, for each durable update, as the protocol has them, in the order of their `seq`.
//! 3. `{"itemId":…,"output":"…"}`, for the full outputs of tools. Several lines of one item, one behind the other, are
//!    one output, in pieces, so that no line is long.
//!
//! Unknown fields are ignored. Empty lines are, too. What was typed and not sent is not exported. An imported session has
//! an id of its own, and seqs from 1. Prompts that wait in it are taken from its queue: what somebody else has queued
//! does not start by itself.

use crate::cli::terminal;
use crate::clock::Clock;
use crate::config::{Environment, Home};
use crate::journal::{Journal, SessionFilter};
use anyhow::{Context, bail};
use pilotfish_protocol::{ItemId, Session, SessionId, Update};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

mod change;
mod export;
mod import;

use change::{Change, change};
pub use export::export;
pub use import::{ImportError, import};

/// The version of the format.
const FORMAT: u32 = 1;

/// Sessions read at once for the list.
const PAGE: usize = 100;

/// List the recorded sessions, change, export or import one
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Only those in which these words were said
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Write a session as JSON lines
    Export {
        /// The session's id, or as much of its beginning as only it has
        session: String,
        /// Where to write it, in the stead of stdout
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Give a session another title
    Rename {
        /// The session's id, or as much of its beginning as only it has
        session: String,
        /// The title
        title: String,
    },
    /// Hide a session from lists
    Archive {
        /// The session's id, or as much of its beginning as only it has
        session: String,
        /// Show it again
        #[arg(long)]
        undo: bool,
    },
    /// Delete a session; for 30 days it can be had back
    Delete {
        /// The session's id; the whole of it to have it back
        session: String,
        /// Have it back
        #[arg(long)]
        undo: bool,
    },
    /// Open a new session with the history of another, and print its id
    Fork {
        /// The session's id, or as much of its beginning as only it has
        session: String,
        /// The last item of the history that the new one gets; all of it unless given
        #[arg(long, value_name = "ITEM")]
        at: Option<String>,
    },
    /// Record an exported session as a new one, and print its id
    Import {
        /// The JSON lines; - is stdin
        file: PathBuf,
    },
}

/// A line of the format. One that has nothing of a kind is not of that kind.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    pilotfish: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Session>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<Update>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<ItemId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
}

/// Does what was asked with the journal of the person whose environment it is.
///
/// # Errors
/// When the journal or the file cannot be read or written, or the file is no exported session.
pub async fn run(args: Args, environment: Environment) -> anyhow::Result<u8> {
    let journal = Journal::open(&Home::of(&environment)?.state)?;
    journal.ready().await?;
    match args.verb {
        None => list(&journal, args.search).await?,
        Some(Verb::Rename { session, title }) => {
            change(&environment, &find(&journal, &session).await?, Change::Rename(title)).await?;
        }
        Some(Verb::Archive { session, undo }) => {
            change(&environment, &find(&journal, &session).await?, Change::Archive { undo }).await?;
        }
        // A deleted session is not found by the beginning of its id.
        Some(Verb::Delete { session, undo: true }) => {
            change(&environment, &SessionId(session), Change::Delete { undo: true }).await?;
        }
        Some(Verb::Delete { session, undo: false }) => {
            let id = find(&journal, &session).await?;
            change(&environment, &id, Change::Delete { undo: false }).await?;
            writeln!(std::io::stderr(), "Deleted. To have it back: pilotfish sessions delete --undo {id}")?;
        }
        Some(Verb::Fork { session, at }) => {
            let id = find(&journal, &session).await?;
            change(&environment, &id, Change::Fork { at: at.map(ItemId) }).await?;
        }
        Some(Verb::Export { session, output }) => {
            let id = find(&journal, &session).await?;
            match output {
                Some(file) => export_to(&journal, &id, &file).await?,
                None => export(&journal, &id, &mut BufWriter::new(std::io::stdout().lock())).await?,
            }
        }
        Some(Verb::Import { file }) => {
            let id = import_from(&journal, &file).await?;
            terminal::ignore_closed(writeln!(std::io::stdout(), "{id}"))?;
        }
    }
    journal.close().await;
    Ok(0)
}

/// A line for each session, the latest first, the archived ones at the end.
async fn list(journal: &Journal, query: Option<String>) -> anyhow::Result<()> {
    for archived in [false, true] {
        let query = query.clone();
        let mut filter = SessionFilter { archived, query, limit: PAGE, ..SessionFilter::default() };
        loop {
            let page = journal.sessions(filter.clone()).await?;
            let mut lines = String::new();
            for session in page.sessions {
                let Session { id, updated_at, title, workspace, .. } = session;
                let mark = if archived { "  (archived)" } else { "" };
                let facts = format!("{title}  in {workspace}");
                lines.push_str(&format!("{id}  {updated_at}  {}{mark}\n", terminal::safe(&facts)));
            }
            terminal::ignore_closed(std::io::stdout().write_all(lines.as_bytes()))?;
            filter.cursor = page.next_cursor;
            if filter.cursor.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// The one session whose id is `named`, or begins so.
async fn find(journal: &Journal, named: &str) -> anyhow::Result<SessionId> {
    let mut found = journal.named(named).await?;
    match (found.pop(), found.is_empty()) {
        (Some(id), true) => Ok(id),
        (Some(_), false) => bail!("more than one session begins with {named:?}; write more of its id"),
        (None, _) => bail!("there is no session {named:?}; `pilotfish sessions` lists them"),
    }
}

/// What a session holds is for its owner's eyes, and so is the file.
async fn export_to(journal: &Journal, id: &SessionId, path: &Path) -> anyhow::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = BufWriter::new(file.with_context(|| format!("cannot write {}", path.display()))?);
    export(journal, id, &mut file).await.with_context(|| format!("{} is not complete", path.display()))
}

async fn import_from(journal: &Journal, path: &Path) -> anyhow::Result<SessionId> {
    let clock = Clock::system();
    if path == Path::new("-") {
        return Ok(import(journal, &clock, BufReader::new(std::io::stdin())).await?);
    }
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    import(journal, &clock, BufReader::new(file)).await.with_context(|| format!("cannot import {}", path.display()))
}

#[cfg(test)]
mod tests;
