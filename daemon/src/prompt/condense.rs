//! What of the history the model reads: all of it, less what compactions say. Pure; nothing is ever taken out of the history itself.

use super::history::{self, History, call};
use super::{measure, receipt};
use pilotfish_protocol::{
    Compaction, CompactionWay, ContextPart, ContextSource, Item, ItemContent, ItemId, ToolCall, TurnId,
};

/// So many of the latest calls keep their outputs.
const CALLS_KEPT: usize = 10;

/// The most steps that a summary leaves as they are.
const STEPS_KEPT: usize = 4;

/// An output of no more bytes than this is not worth a note that it was left out.
const SMALL: usize = 200;

/// One thing the model reads.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    /// As it was.
    Whole(&'a Item),
    /// A call without its output.
    Masked(&'a Item, &'a ToolCall),
    /// What stands for all that was condensed.
    Summary(&'a str),
    /// What the person and the workspace say to all agents; it is never condensed.
    Instructions(&'a ContextPart),
}

/// What the model reads of these items, in order.
pub(super) fn seen(items: &[Item]) -> Vec<Seen<'_>> {
    let (summary, first) = beginning(items);
    let masked = masked_before(items);
    let mut seen = Vec::with_capacity(items.len().min(4_096));
    if let Some(compaction) = summary {
        seen.push(Seen::Summary(&compaction.text));
        seen.extend(kept(items.get(..first).unwrap_or_default()));
    }
    seen.extend(items.iter().enumerate().skip(first).map(|(at, item)| match &item.content {
        ItemContent::ToolCall(call) if at < masked && call.output.len() > SMALL => Seen::Masked(item, call),
        _ => Seen::Whole(item),
    }));
    seen
}

/// The latest summary, and the first item that is read beside it.
fn beginning(items: &[Item]) -> (Option<&Compaction>, usize) {
    let summary = items.iter().enumerate().rev().find_map(|(at, item)| match &item.content {
        ItemContent::Compaction(compaction) if compaction.way == CompactionWay::Summarized => Some((at, compaction)),
        _ => None,
    });
    let Some((at, compaction)) = summary else { return (None, 0) };
    let first = place(items, compaction.first_kept.as_ref()).filter(|first| *first < at);
    (Some(compaction), first.unwrap_or(at))
}

/// What of condensed items stays as it was: what the workspace says to agents, in its latest words, and where the model works.
fn kept(items: &[Item]) -> Vec<Seen<'_>> {
    let mut kept: Vec<&ContextPart> = Vec::new();
    let mut environment = None;
    for item in items {
        match &item.content {
            ItemContent::Context(receipt) => {
                for part in receipt.parts.iter().filter(|part| part.source == ContextSource::Instructions) {
                    let same = |known: &ContextPart| match (&known.uri, &part.uri) {
                        (Some(known), Some(uri)) => known == uri,
                        _ => known.title == part.title,
                    };
                    kept.retain(|known| !same(known));
                    kept.push(part);
                }
            }
            ItemContent::Notice(notice) if history::is_environment(notice) => environment = Some(item),
            // All else is in the summary.
            _ => {}
        }
    }
    kept.retain(|part| !receipt::is_withdrawn(part));
    kept.into_iter().map(Seen::Instructions).chain(environment.map(Seen::Whole)).collect()
}

/// Outputs of calls before this place are left out.
fn masked_before(items: &[Item]) -> usize {
    let boundary = |item: &Item| match &item.content {
        ItemContent::Compaction(compaction) if compaction.way == CompactionWay::Masked => {
            place(items, compaction.first_kept.as_ref())
        }
        _ => None,
    };
    items.iter().filter_map(boundary).max().unwrap_or(0)
}

fn place(items: &[Item], id: Option<&ItemId>) -> Option<usize> {
    let id = id?;
    items.iter().rposition(|item| item.id == *id)
}

/// What stands for an output that was left out. `read` opens the handle.
pub(super) fn left_out(item: &Item, call: &ToolCall) -> String {
    let (lines, bytes) = (call.output.lines().count(), call.output.len());
    format!(
        "[this output was left out to save room: {lines} lines, {bytes} bytes; call {} again, or read with path \"output:{}\"]",
        call.name, item.id
    )
}

/// Leaving out older outputs, if that is enough for a request that takes `before` tokens.
#[must_use]
pub fn mask(history: &History, before: u64) -> Option<Compaction> {
    let items = &history.items;
    let (boundary, first_kept) =
        items.iter().enumerate().rev().filter(|(_, item)| call(item).is_some()).nth(CALLS_KEPT - 1)?;
    let (_, first) = beginning(items);
    let shown = items.iter().enumerate().take(boundary).skip(first.max(masked_before(items))).map(|(_, item)| item);
    let freed = |item: &Item| {
        let call = call(item).filter(|call| call.output.len() > SMALL)?;
        Some(measure::tokens(call.output.len()).saturating_sub(measure::tokens(left_out(item, call).len())))
    };
    let freed = history.window.scaled(shown.filter_map(freed).sum());
    let after = before.saturating_sub(freed);
    (freed > 0 && after <= history.window.comfortable()).then(|| Compaction {
        way: CompactionWay::Masked,
        first_kept: Some(first_kept.id.clone()),
        text: String::new(),
        tokens_before: before,
        tokens_after: after,
    })
}

/// Where a summary made now would end: the last few steps stay as they are, where they are short. All items when none do.
#[must_use]
pub fn tail(history: &History) -> usize {
    let items = &history.items;
    let room = history.window.part(5);
    let mut best = items.len();
    let (mut taken, mut steps) = (0, 0);
    for (at, item) in items.iter().enumerate().rev() {
        taken += history.window.scaled(weight(item));
        if taken > room || matches!(item.content, ItemContent::Compaction(_)) {
            break;
        }
        // A step begins behind the last call of the one before, and with its turn.
        let before = at.checked_sub(1).and_then(|before| items.get(before));
        if before.is_some_and(|before| before.turn_id != item.turn_id || ends_step(items, before, at)) {
            best = at;
            steps += 1;
        }
        if steps >= STEPS_KEPT {
            break;
        }
    }
    best
}

/// Whether an item is the last of its step's calls: none of the same step comes from `next` on.
fn ends_step(items: &[Item], item: &Item, next: usize) -> bool {
    let Some(key) = step(item) else { return false };
    items.iter().skip(next).take_while(|later| later.turn_id == item.turn_id).all(|later| step(later) != Some(key))
}

fn step(item: &Item) -> Option<(Option<&TurnId>, u32)> {
    call(item).map(|call| (item.turn_id.as_ref(), call.step))
}

/// About how many tokens an item takes that is read as it was.
fn weight(item: &Item) -> u64 {
    let bytes = match &item.content {
        ItemContent::UserMessage(message) => super::words(&message.input).len(),
        ItemContent::AgentMessage(message) => message.text.len(),
        ItemContent::Reasoning(reasoning) => {
            reasoning.opaque.as_ref().map_or(0, |opaque| opaque.to_string().len() + reasoning.text.len())
        }
        ItemContent::ToolCall(call) => call.input.len() + call.output.len(),
        ItemContent::Context(receipt) => receipt.parts.iter().map(|part| part.text.len()).sum(),
        ItemContent::Notice(notice) => notice.text.len(),
        // The model does not read these.
        ItemContent::Edit(_)
        | ItemContent::Plan(_)
        | ItemContent::Approval(_)
        | ItemContent::Question(_)
        | ItemContent::Conflict(_)
        | ItemContent::Error(_)
        | ItemContent::Compaction(_) => 0,
    };
    measure::tokens(bytes)
}

#[cfg(test)]
mod tests;
