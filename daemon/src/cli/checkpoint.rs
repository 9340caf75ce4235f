//! `pilotfish checkpoint`: lists the points a folder can be taken back to, and takes it back. The daemon does it.

use crate::cli::{daemon, terminal};
use crate::config::Environment;
use crate::door::shim::Start;
use crate::path::AbsPath;
use pilotfish_protocol::{Checkpoint, CheckpointId, FileChange, Restored};
use std::io::Write;
use std::path::PathBuf;

/// List the points a folder can be taken back to, or take it back
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List them, the latest first: each comes before what it names
    List {
        /// The workspace; the folder you are in unless said
        #[arg(value_name = "DIR", default_value = ".")]
        workspace: PathBuf,
    },
    /// Take all files back to what they were then
    ///
    /// Files that you changed since are left, and named. It makes a checkpoint, so it can be taken back itself.
    Restore {
        /// The checkpoint's id
        id: String,
        /// Only say what it would do
        #[arg(long)]
        dry_run: bool,
    },
}

/// Lists or restores, and prints what there is or was done.
///
/// # Errors
/// When there is no such folder or checkpoint, or the daemon does not do it.
pub async fn run(args: Args, environment: Environment) -> anyhow::Result<u8> {
    let text = match args.verb {
        Verb::List { workspace } => {
            let folder = workspace.canonicalize();
            let folder = folder.map_err(|error| anyhow::anyhow!("cannot open {}: {error}", workspace.display()))?;
            let client = daemon::client(&environment, Start::IfNeeded).await?;
            let checkpoints = client.checkpoints(&folder.display().to_string()).await?;
            checkpoints.iter().map(line).collect()
        }
        Verb::Restore { id, dry_run } => {
            let client = daemon::client(&environment, Start::IfNeeded).await?;
            in_words(&client.restore(CheckpointId(id), dry_run).await?, dry_run)
        }
    };
    terminal::ignore_closed(std::io::stdout().write_all(text.as_bytes()))?;
    Ok(0)
}

fn line(checkpoint: &Checkpoint) -> String {
    let Checkpoint { id, at, title } = checkpoint;
    format!("{id}  {at}  {}\n", terminal::safe(title))
}

fn in_words(restored: &Restored, dry_run: bool) -> String {
    let mut text = String::new();
    for FileChange { uri, change } in &restored.changes {
        let path = AbsPath::from_uri(uri).map_or_else(|_| uri.clone(), |path| path.to_string());
        text.push_str(&format!("{change}  {}\n", terminal::safe(&path)));
    }
    match &restored.checkpoint_id {
        Some(id) => text.push_str(&format!("To take this back: pilotfish checkpoint restore {id}\n")),
        None if restored.changes.is_empty() => text.push_str("All is as it was then.\n"),
        None if dry_run => text.push_str("Nothing was done.\n"),
        None => {}
    }
    text
}

#[cfg(test)]
mod tests;
