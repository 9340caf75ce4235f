//! Questions on a terminal: what is said, what an answer means, and what is done where nobody can be asked. Pure.

use super::diff;
use crate::cli::terminal::safe;
use crate::policy::command::quoted;
use pilotfish_protocol::{Approval, ApprovalId, Decision, RulePreview, Scope, StopReason, Update};

/// What grants begin with that may be given beforehand: hosts, and paths outside the workspace.
const GIVEN_BEFOREHAND: [&str; 2] = ["host:", "path:"];

/// How this run meets a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnQuestion {
    /// Asks on the terminal.
    Ask,
    /// Ends.
    Stop,
    /// Says no.
    Deny,
    /// Says yes to hosts and paths, once each time.
    Allow,
}

/// What follows from an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    GoOn,
    /// A person is to be asked.
    Ask(Box<Approval>),
    /// The question is answered so.
    Answer(ApprovalId, Decision),
    /// The run ends at this question.
    Stop(Box<Approval>),
    /// A question needs no answer any more.
    Closed(ApprovalId),
    /// The turn is over.
    Over(StopReason),
}

/// Judges an update.
pub(crate) fn fold(on_question: OnQuestion, update: &Update) -> Verdict {
    match update {
        Update::TurnEnded { stop, .. } => Verdict::Over(*stop),
        Update::ApprovalOpened { approval } => match on_question {
            OnQuestion::Ask => Verdict::Ask(approval.clone()),
            OnQuestion::Stop => Verdict::Stop(approval.clone()),
            OnQuestion::Allow if may_be_given_beforehand(approval) => {
                Verdict::Answer(approval.id.clone(), Decision::Once)
            }
            OnQuestion::Deny | OnQuestion::Allow => Verdict::Answer(approval.id.clone(), Decision::Deny),
        },
        Update::ApprovalClosed { approval_id, .. } => Verdict::Closed(approval_id.clone()),
        Update::TurnStarted { .. }
        | Update::ItemStarted { .. }
        | Update::ItemDelta { .. }
        | Update::ItemChanged { .. }
        | Update::ItemEnded { .. }
        | Update::ModeChanged { .. }
        | Update::ModelChanged { .. }
        | Update::CommandChanged { .. }
        | Update::TitleChanged { .. }
        | Update::StatusChanged { .. }
        | Update::QueueChanged { .. }
        | Update::DraftChanged { .. }
        | Update::Usage { .. }
        | Update::PlanChanged { .. } => Verdict::GoOn,
    }
}

/// No flag gives what is protected, nor running outside the sandbox.
fn may_be_given_beforehand(approval: &Approval) -> bool {
    let given = |grant: &String| GIVEN_BEFOREHAND.iter().any(|kind| grant.starts_with(kind));
    !approval.grants.is_empty() && approval.grants.iter().all(given)
}

/// What a person typed at a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Typed {
    /// An answer, and what is told to the model.
    Answer(Decision, Option<String>),
    /// Nothing that is an answer, and what would be one.
    Unclear(&'static str),
}

/// Reads an answer: its number or its word; behind a no, what the model is told.
pub(crate) fn typed(line: &str, approval: &Approval) -> Typed {
    let (word, rest) = line.trim().split_once([' ', ',', ':']).unwrap_or((line.trim(), ""));
    let note = Some(rest.trim().to_owned()).filter(|note| !note.is_empty());
    match (word.to_lowercase().as_str(), &note, &approval.rule) {
        ("4" | "no" | "deny", _, _) => Typed::Answer(Decision::Deny, note),
        (_, Some(_), _) => Typed::Unclear("only a no takes words behind it; type 1, 2, 3 or 4"),
        ("1" | "once", None, _) => Typed::Answer(Decision::Once, None),
        ("2" | "session", None, _) => Typed::Answer(Decision::Session, None),
        ("3" | "always", None, Some(rule)) => Typed::Answer(Decision::Always { rule: rule.clone() }, None),
        ("3" | "always", None, None) => Typed::Unclear("no rule can stand for this; type 1, 2 or 4"),
        _ => Typed::Unclear("type 1, 2, 3 or 4"),
    }
}

/// Whether a line that may be a prompt too is meant as an answer: it begins with the number of one, and only a no has words behind it.
pub(crate) fn is_answer(line: &str, approval: &Approval) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    matches!(first, "1" | "2" | "3" | "4") && matches!(typed(line, approval), Typed::Answer(..))
}

/// A question in words, without the ways to answer it.
pub(crate) fn asked(approval: &Approval) -> String {
    let Approval { title, detail, cwd, reason, grants, segments, edits, escaped, .. } = approval;
    let mut words = format!("the agent asks: {title}\n");
    for line in detail.lines() {
        words.push_str(&format!("  {line}\n"));
    }
    if segments.len() > 1 {
        for part in segments.iter().filter(|part| part.asks) {
            words.push_str(&format!("  of that, this needs it: {}\n", part.text));
        }
    }
    words.push_str(&format!("  in {cwd}\n  asked because {reason}\n  a yes gives {}\n", grants.join(", ")));
    words.push_str(&diff::asked(edits));
    if *escaped {
        words.push_str(
            "  Some characters of it cannot be seen or change what is; they are shown as \\u{..} here. Look twice.\n",
        );
    }
    safe(&words)
}

/// The ways to answer, with what *always* would save.
pub(crate) fn choices(preview: Option<&RulePreview>) -> String {
    let always = match preview {
        None => "  3 always: no rule can stand for this\n".to_owned(),
        Some(RulePreview { rule, file, also_runs, still_asks }) => {
            let place = match rule.scope {
                Scope::Workspace => "in this workspace",
                Scope::Everywhere => "everywhere",
            };
            let list = |commands: &[String]| match commands {
                [] => "nothing else".to_owned(),
                commands => commands.iter().map(|command| format!("`{command}`")).collect::<Vec<_>>().join(", "),
            };
            format!(
                "  3 always: `{}` gets {} {place}, saved in {file}\n    it also runs {}; it still asks for {}\n",
                quoted(&rule.argv),
                rule.grants.join(", "),
                list(also_runs),
                list(still_asks),
            )
        }
    };
    safe(&format!(
        "  1 once\n  2 this session\n{always}  4 no; words behind it are told to the model\nType 1, 2, 3 or 4."
    ))
}

#[cfg(test)]
mod tests;
