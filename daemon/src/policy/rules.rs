//! Remembered answers against what a command line runs. Pure: which rules hold where, and what a script's bytes are, is the caller's to
//! say. A rule is only as wide as its words; nothing here widens one.

use super::command::{self, Segment, Simple, wrapper_words};
use pilotfish_protocol::{Rule, Scope};

mod table;

/// The grant of a rule that lets a command run outside the sandbox.
pub const UNCONFINED: &str = "unconfined";

/// A rule, and what is known of the script it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The rule.
    pub rule: Rule,
    /// The digest of the script's bytes when the answer was given.
    pub given: Option<String>,
    /// The digest of its bytes now; nothing when it cannot be read.
    pub present: Option<String>,
}

/// Why there can be no such rule. The words are for the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It has no words.
    #[error("a rule needs the words of a command")]
    Empty,
    /// Its words are never those of a command that is fully understood.
    #[error("{command} matches no rule: {why}")]
    NeverMatches {
        /// The words, quoted.
        command: String,
        /// What is not understood.
        why: &'static str,
    },
    /// It is a prefix of something that runs what its further words say.
    #[error("{program} {why}, so a rule for it holds for exact words only, not for whatever may follow them")]
    NoPrefix {
        /// The program.
        program: String,
        /// What it does with its words.
        why: &'static str,
    },
    /// It is not what was asked about.
    #[error("the rule is for {given}, and what was asked is {asked}")]
    OtherCommand {
        /// The rule's words, quoted.
        given: String,
        /// The question's words, quoted.
        asked: String,
    },
    /// It gives something else than was asked for.
    #[error("the rule gives {given}, and what was asked for is {asked}")]
    OtherGrant {
        /// What the rule gives.
        given: String,
        /// What was asked for.
        asked: String,
    },
}

/// Checks that a rule can hold: to be asked before one is saved, and asked again before one is obeyed.
///
/// # Errors
/// When it cannot.
pub fn check(rule: &Rule) -> Result<(), RuleError> {
    let program = rule.argv.first().ok_or(RuleError::Empty)?;
    let command = command::quoted(&rule.argv);
    match command::parse(&command).as_slice() {
        [Segment::Simple(simple)] if simple.words == rule.argv => {}
        [Segment::Opaque { why, .. }] => return Err(RuleError::NeverMatches { command, why }),
        _ => return Err(RuleError::NeverMatches { command, why: "its words do not stay the same in a shell" }),
    }
    match table::no_prefix(program) {
        Some(why) if rule.prefix => Err(RuleError::NoPrefix { program: program.clone(), why }),
        Some(_) | None => Ok(()),
    }
}

/// The rule that an answer to this command would be remembered as: its exact words, in this workspace. Nothing when no rule could
/// match it, or when it takes more than one.
#[must_use]
pub fn propose(command: &str, grant: &str) -> Option<Rule> {
    let segments = command::parse(command);
    let [Segment::Simple(simple)] = segments.as_slice() else { return None };
    let rule = Rule {
        id: None,
        scope: Scope::Workspace,
        argv: simple.words.clone(),
        prefix: false,
        grants: vec![grant.to_owned()],
        file: None,
        hits: 0,
        used_at: None,
    };
    (is_bare(simple) && check(&rule).is_ok()).then_some(rule)
}

/// Checks that a rule is an answer to the question for which `asked` was proposed: its words, or fewer when the person widened it to a
/// prefix, and exactly its grants. Where it holds is the person's to say.
///
/// # Errors
/// When it is none, or cannot hold at all.
pub fn answers(given: &Rule, asked: &Rule) -> Result<(), RuleError> {
    check(given)?;
    let same = if given.prefix { asked.argv.starts_with(&given.argv) } else { asked.argv == given.argv };
    if !same {
        let (given, asked) = (command::quoted(&given.argv), command::quoted(&asked.argv));
        return Err(RuleError::OtherCommand { given, asked });
    }
    let sorted = |rule: &Rule| {
        let mut grants = rule.grants.clone();
        grants.sort();
        grants.dedup();
        grants.join(", ")
    };
    let (given, asked) = (sorted(given), sorted(asked));
    if given == asked { Ok(()) } else { Err(RuleError::OtherGrant { given, asked }) }
}

/// The script whose bytes a rule with these words is bound to: the program when it is named by a path, or what an interpreter is told to
/// run. As written; a relative one is meant from where the command starts.
#[must_use]
pub fn script(argv: &[String]) -> Option<&str> {
    let argv = argv.get(wrapper_words(argv)?..)?;
    let (program, rest) = argv.split_first()?;
    let takes_text = rest.first().is_some_and(|option| table::takes_text(program, option));
    if table::is_interpreter(program) && !takes_text {
        return rest.iter().find(|word| !word.starts_with('-')).map(String::as_str);
    }
    program.contains('/').then_some(program)
}

/// The first rule with this grant that matches a segment.
#[must_use]
pub fn matching<'a>(segment: &Segment, grant: &str, rules: &'a [Remembered]) -> Option<&'a Rule> {
    let Segment::Simple(simple) = segment else { return None };
    let found = rules.iter().find(|remembered| {
        let rule = &remembered.rule;
        rule.grants.iter().any(|granted| granted == grant) && matches(rule, simple) && is_unchanged(remembered)
    });
    found.map(|remembered| &remembered.rule)
}

/// Commands beyond the rule's own words that would run by it.
#[must_use]
pub fn also_runs(rule: &Rule) -> Vec<String> {
    let command = command::quoted(&rule.argv);
    let examples = [format!("{command} x"), format!("{command} --any-option"), format!("{command} any words at all")];
    examples.into_iter().filter(|example| runs(example, rule)).collect()
}

/// Commands that look like the rule's and would still be asked for.
#[must_use]
pub fn still_asks(rule: &Rule) -> Vec<String> {
    let command = command::quoted(&rule.argv);
    let mut other = rule.argv.clone();
    if let Some(last) = other.last_mut() {
        last.push('x');
    }
    let examples = [
        format!("{command} x"),
        command::quoted(&other),
        format!("{command}; x"),
        format!("{command} | x"),
        format!("{command} $(x)"),
        format!("{command} > x"),
        format!("A=1 {command}"),
    ];
    examples.into_iter().filter(|example| !runs(example, rule)).collect()
}

fn matches(rule: &Rule, simple: &Simple) -> bool {
    let same = if rule.prefix { simple.words.starts_with(&rule.argv) } else { simple.words == rule.argv };
    same && is_bare(simple) && check(rule).is_ok()
}

/// A rule says nothing of the environment or of another folder, and so holds for neither.
fn is_bare(simple: &Simple) -> bool {
    simple.env.is_empty() && simple.directory.is_none()
}

fn is_unchanged(remembered: &Remembered) -> bool {
    script(&remembered.rule.argv).is_none() || remembered.given.is_some() && remembered.given == remembered.present
}

fn runs(example: &str, rule: &Rule) -> bool {
    let runs = |segment: &Segment| matches!(segment, Segment::Simple(simple) if matches(rule, simple));
    command::parse(example).iter().all(runs)
}

#[cfg(test)]
mod tests;
