//! `pilotfish sessions`: lists the recorded sessions, and carries one out of the journal and into another. Works on the
//! journal itself, with or without a daemon beside it; changes no session that is there.
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

mod export;
mod import;

pub use export::export;
pub use import::{ImportError, import};

/// The version of the format.
const FORMAT: u32 = 1;

/// Sessions read at once for the list.
const PAGE: usize = 100;

/// List the recorded sessions, export one or import one
#[derive(Debug, clap::Args)]
pub struct Args {
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
        None => list(&journal).await?,
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
async fn list(journal: &Journal) -> anyhow::Result<()> {
    for archived in [false, true] {
        let mut filter = SessionFilter { archived, limit: PAGE, ..SessionFilter::default() };
        loop {
            let page = journal.sessions(filter.clone()).await?;
            let mut lines = String::new();
            for session in page.sessions {
                let Session { id, updated_at, title, .. } = session;
                let mark = if archived { "  (archived)" } else { "" };
                lines.push_str(&format!("{id}  {updated_at}  {}{mark}\n", terminal::safe(&title)));
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
