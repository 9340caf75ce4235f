//! What a turn should not do without being told: repeat itself, and end on changes that nothing has looked at. Pure.

use crate::tool;
use pilotfish_protocol::{Item, ItemContent, ToolCall, ToolStatus};

/// So many times the same, and the model is told.
pub(super) const TOLD: usize = 3;

/// So many times the same, and the person is.
pub(super) const STOPPED: usize = 6;

/// How many of the latest answers in a row called the same with the same outcome, and what that was. Words of the person in between begin
/// a new count. A call whose output changes waits for something, and is none.
pub(super) fn repeats<'a>(items: impl DoubleEndedIterator<Item = &'a Item>) -> (usize, Option<&'a ToolCall>) {
    let mut latest: Option<Vec<&ToolCall>> = None;
    let mut current: Vec<&ToolCall> = Vec::new();
    let mut count = 0;
    // The oldest of these is no answer of this turn; it closes the one before it.
    for item in items.rev().map(Some).chain([None]) {
        let call = item.and_then(crate::prompt::call);
        let closes = match (call, current.first()) {
            (Some(call), Some(first)) => call.step != first.step,
            (None, Some(_)) => item.is_none_or(|item| matches!(item.content, ItemContent::UserMessage(_))),
            (_, None) => false,
        };
        if closes {
            let step = std::mem::take(&mut current);
            match &latest {
                Some(latest) if !same(latest, &step) => break,
                Some(_) => count += 1,
                None => (latest, count) = (Some(step), 1),
            }
        }
        if item.is_some_and(|item| matches!(item.content, ItemContent::UserMessage(_))) {
            break;
        }
        current.extend(call);
    }
    (count, latest.and_then(|calls| calls.last().copied()))
}

fn same(one: &[&ToolCall], other: &[&ToolCall]) -> bool {
    // Who looks at a command that runs waits for it, also while it says nothing.
    let waits =
        |call: &&ToolCall| call.name == "command" && call.status == ToolStatus::Done && call.exit_code.is_none();
    if one.iter().all(waits) {
        return false;
    }
    let key = |call: &ToolCall| (call.name.clone(), call.input.clone(), call.output.clone());
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| key(one) == key(other))
}

/// What the model is told when it repeats itself.
pub(super) fn told(call: &ToolCall, count: usize) -> String {
    format!(
        "<harness>\n`{}` was called {count} times in a row with the same arguments and the same outcome. Doing it again will not \
         change that: look at what the outcome says, and try another way, or say what you need.\n</harness>",
        call.name
    )
}

/// What the person is told when that did not help.
pub(super) fn stopped(call: &ToolCall, count: usize) -> String {
    format!(
        "the model made the same call {count} times in a row with the same outcome ({}), so the turn was stopped; say how it should \
         go on, or that it should try another way",
        call.title
    )
}

/// Whether a turn changed files and ran nothing since.
pub(super) fn is_unchecked<'a>(items: impl DoubleEndedIterator<Item = &'a Item>) -> bool {
    let deed = |call: &&ToolCall| match call.name.as_str() {
        name if tool::edits(name) => call.status == ToolStatus::Done,
        "shell" | "command" => matches!(call.status, ToolStatus::Done | ToolStatus::Failed),
        // The others neither change nor check anything.
        _ => false,
    };
    let last = items.rev().filter_map(crate::prompt::call).find(deed);
    last.is_some_and(|call| tool::edits(&call.name))
}

/// What the model is told then, once a turn.
pub(super) const UNCHECKED: &str = "<harness>\nYou changed files and ran nothing since. Check the change now with the tests, the build or \
                                    whatever else covers it, or say in a sentence why there is nothing to run.\n</harness>";

#[cfg(test)]
mod tests;
