//! `pilotfish rules`: lists the remembered answers, and forgets one. It reads and writes the person's file, with or without a daemon.

use crate::cli::{Environment, FAILED, terminal};
use crate::config::{Home, rules};
use crate::policy::{command, rules as policy};
use pilotfish_protocol::RuleId;
use std::io::Write;

/// List the remembered answers, or forget one
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the remembered answers
    List,
    /// Forget one
    Revoke {
        /// Its id, as the list has it
        id: String,
    },
}

/// Does it.
///
/// # Errors
/// When the file of rules is broken, or cannot be read or written.
pub fn run(args: &Args, environment: &Environment) -> anyhow::Result<u8> {
    let home = Home::of(environment)?;
    match &args.verb {
        None | Some(Verb::List) => list(&home),
        Some(Verb::Revoke { id }) => revoke(&home, &RuleId::from(id.as_str())),
    }
}

fn list(home: &Home) -> anyhow::Result<u8> {
    let uses = rules::uses::load(home)?;
    let mut rules = rules::load(home)?;
    for stored in &mut rules {
        stored.rule = rules::uses::with(stored.rule.clone(), &uses);
    }
    let lines: String = rules.iter().map(|stored| format!("{}\n", terminal::safe(&line(stored)))).collect();
    terminal::ignore_closed(std::io::stdout().write_all(lines.as_bytes()))?;
    if rules.is_empty() {
        writeln!(std::io::stderr(), "pilotfish: no answer is remembered in {}", home.rules_file().display())?;
    }
    Ok(0)
}

fn revoke(home: &Home, id: &RuleId) -> anyhow::Result<u8> {
    if rules::revoke(home, id)? {
        rules::uses::forget(home, id)?;
        return Ok(0);
    }
    let id = terminal::safe(&id.0);
    writeln!(std::io::stderr(), "pilotfish: no rule {id:?} is remembered; `pilotfish rules` lists those that are")?;
    Ok(FAILED)
}

/// A rule in one line: its id, its words, what it grants, where and since when, its use, and why it does not hold if it does not.
fn line(stored: &rules::StoredRule) -> String {
    let rule = &stored.rule;
    let id = rule.id.as_ref().map_or("", |id| id.0.as_str());
    let more = if rule.prefix { " and any words" } else { "" };
    let grants = if rule.grants.is_empty() { "nothing".to_owned() } else { rule.grants.join(", ") };
    let place = stored.workspace.as_ref().map_or("everywhere".to_owned(), |path| format!("in {}", path.display()));
    let words = command::quoted(&rule.argv);
    let problem = policy::check(rule).err().map_or(String::new(), |error| format!("  (never holds: {error})"));
    let used = rule.used_at.as_ref().map_or(String::new(), |at| format!("  answered {} times, last {at}", rule.hits));
    format!("{id}  `{words}`{more}  {grants}  {place}  since {}{used}{problem}", stored.given_at)
}

#[cfg(test)]
mod tests;
