//! Questions on a terminal: what is said, what an answer means, and what is done where nobody can be asked. Pure.

use super::diff;
use crate::cli::terminal::safe;
use crate::policy::command::quoted;
use pilotfish_protocol::{
    Approval, ApprovalId, Decision, Item, ItemContent, ItemId, Question, RulePreview, Scope, StopReason, Update,
};

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

/// A question that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Open {
    /// One of policy.
    Approval(Box<Approval>),
    /// One of the model, and the item that shows it.
    Question(ItemId, Question),
}

/// Which question it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// One of policy.
    Approval(ApprovalId),
    /// One of the model.
    Question(ItemId),
}

impl Open {
    /// Which one it is.
    pub(crate) fn name(&self) -> Name {
        match self {
            Open::Approval(approval) => Name::Approval(approval.id.clone()),
            Open::Question(id, _) => Name::Question(id.clone()),
        }
    }

    /// What an open item asks.
    pub(crate) fn of(item: &Item) -> Option<Self> {
        match &item.content {
            ItemContent::Question(question) => Some(Open::Question(item.id.clone(), question.clone())),
            // Policy's questions have an update of their own.
            _ => None,
        }
    }
}

/// What follows from an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    GoOn,
    /// A person is to be asked.
    Ask(Open),
    /// The question is answered so.
    Answer(ApprovalId, Decision),
    /// Nobody is there to answer what the model asks, and it is told so.
    Decline(ItemId),
    /// The run ends at this question.
    Stop(Open),
    /// A question needs no answer any more.
    Closed(Name),
    /// The turn is over.
    Over(StopReason),
}

/// Judges an update.
pub(crate) fn fold(on_question: OnQuestion, update: &Update) -> Verdict {
    match update {
        Update::TurnEnded { stop, .. } => Verdict::Over(*stop),
        Update::ApprovalOpened { approval } => match on_question {
            OnQuestion::Ask => Verdict::Ask(Open::Approval(approval.clone())),
            OnQuestion::Stop => Verdict::Stop(Open::Approval(approval.clone())),
            OnQuestion::Allow if may_be_given_beforehand(approval) => {
                Verdict::Answer(approval.id.clone(), Decision::Once)
            }
            OnQuestion::Deny | OnQuestion::Allow => Verdict::Answer(approval.id.clone(), Decision::Deny),
        },
        Update::ApprovalClosed { approval_id, .. } => Verdict::Closed(Name::Approval(approval_id.clone())),
        Update::ItemStarted { item } => match (Open::of(item), on_question) {
            (None, _) => Verdict::GoOn,
            (Some(open), OnQuestion::Ask) => Verdict::Ask(open),
            (Some(open), OnQuestion::Stop) => Verdict::Stop(open),
            // No flag knows what the answer would be.
            (Some(_), OnQuestion::Deny | OnQuestion::Allow) => Verdict::Decline(item.id.clone()),
        },
        Update::ItemEnded { item } => match Open::of(item) {
            Some(open) => Verdict::Closed(open.name()),
            None => Verdict::GoOn,
        },
        Update::TurnStarted { .. }
        | Update::ItemDelta { .. }
        | Update::ItemChanged { .. }
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

/// An answer to what the model asks: a choice, a text, or neither. Nothing for a line without words.
pub(crate) fn replied(line: &str, question: &Question) -> Option<(Option<u32>, Option<String>)> {
    let line = line.trim();
    let number = line.parse::<usize>().ok();
    match number {
        Some(0) => Some((None, None)),
        Some(number) if number <= question.choices.len() => Some((u32::try_from(number - 1).ok(), None)),
        // Any other number may be the answer itself.
        Some(_) | None => (!line.is_empty()).then(|| (None, Some(line.to_owned()))),
    }
}

/// What the model asks, in words.
pub(crate) fn inquired(question: &Question) -> String {
    let mut words = "the agent asks:\n".to_owned();
    for line in question.text.lines() {
        words.push_str(&format!("  {line}\n"));
    }
    safe(&words)
}

/// The ways to answer what the model asks.
pub(crate) fn replies(question: &Question) -> String {
    let choices = question.choices.iter().enumerate();
    let mut words: String = choices.map(|(at, choice)| format!("  {} {choice}\n", at + 1)).collect();
    words.push_str(match question.choices.is_empty() {
        true => "Type the answer, or 0 for none.",
        false => "Type its number, any other answer, or 0 for none.",
    });
    safe(&words)
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
