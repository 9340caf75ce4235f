//! `pilotfish trust`: says whether what a workspace ships takes effect, or shows what was said.

use crate::cli::{daemon, terminal};
use crate::config::Environment;
use crate::door::shim::Start;
use crate::text::shown::shown;
use pilotfish_protocol::{Trust, TrustState};
use std::io::Write;
use std::path::PathBuf;

/// Say whether what a workspace ships (AGENTS.md, .pilotfish) takes effect
///
/// It counts as it is at this moment: what changes later is asked about again. What a workspace ships can only narrow what may happen.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The workspace; the folder you are in unless said
    #[arg(value_name = "DIR", default_value = ".")]
    workspace: PathBuf,
    #[command(flatten)]
    verb: Verb,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Verb {
    /// Say nothing; show what was said, and what changed since
    #[arg(long)]
    show: bool,
    /// Nothing it ships takes effect, and its sessions stay read-only
    #[arg(long)]
    refuse: bool,
    /// Forget what was said
    #[arg(long)]
    forget: bool,
}

/// Says it, and prints what holds then.
///
/// # Errors
/// When there is no such folder, or the daemon does not do it.
pub async fn run(args: Args, environment: Environment) -> anyhow::Result<u8> {
    let folder = args.workspace.canonicalize();
    let folder = folder.map_err(|error| anyhow::anyhow!("cannot open {}: {error}", args.workspace.display()))?;
    let workspace = folder.display().to_string();
    let client = daemon::client(&environment, Start::IfNeeded).await?;
    let state = match args.verb {
        Verb { show: true, .. } => client.trust(&workspace).await?,
        Verb { refuse: true, .. } => client.set_trust(&workspace, Trust::Refused).await?,
        Verb { forget: true, .. } => client.set_trust(&workspace, Trust::Unknown).await?,
        Verb { .. } => client.set_trust(&workspace, Trust::Trusted).await?,
    };
    terminal::ignore_closed(std::io::stdout().write_all(in_words(&workspace, &state).as_bytes()))?;
    Ok(0)
}

fn in_words(workspace: &str, state: &TrustState) -> String {
    let said = match state.trust {
        Trust::Unknown => "nobody has said whether to trust it; its sessions begin in read-only mode",
        Trust::Trusted => "trusted",
        Trust::Refused => "not trusted; its sessions stay in read-only mode",
    };
    let mut text = format!("{workspace}: {said}\n");
    for shipped in &state.ships {
        let effect = match (shipped.counts, &shipped.diff) {
            (true, _) => "takes effect",
            (false, Some(_)) => "has changed since, and takes no effect:",
            (false, None) => "takes no effect",
        };
        text.push_str(&format!("  {} {effect}\n", shipped.path));
        for line in shipped.diff.iter().flat_map(|diff| diff.lines()) {
            text.push_str(&format!("    {}\n", shown(line).text));
        }
    }
    terminal::safe(&text)
}

#[cfg(test)]
mod tests;
