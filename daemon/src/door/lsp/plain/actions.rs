//! What an editor's menu of code actions offers at a place. Every action is a command: what it changes comes as an edit afterwards. Pure.

use super::ability::KIND;
use super::commands::{
    self, ANSWER, ASK, Answer, Arguments, FIX, KEEP_FILE, KEEP_HUNK, Reply, STOP, TOGGLE_MODE, UNDO_FILE, UNDO_HUNK,
};
use super::hints::{self, SOURCE};
use super::view::{Inquired, View};
use pilotfish_protocol::{Approval, Hunk, HunkId, HunkState, LineRange, Mode};
use tower_lsp::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Command, Diagnostic, Range,
};

/// Characters of a question that an action names.
const NAMED: usize = 100;

/// What is known where actions are asked for.
pub(super) struct Scene<'a> {
    /// The changes of the file that wait.
    pub(super) hunks: &'a [Hunk],
    /// The session that works on the file.
    pub(super) view: Option<&'a View>,
    /// Whether the client takes actions, and not only commands.
    pub(super) literals: bool,
}

/// One action.
struct Action {
    kind: CodeActionKind,
    command: Command,
    mends: Vec<Diagnostic>,
}

/// The actions at a place, the most pressing first.
pub(super) fn actions(params: &CodeActionParams, scene: &Scene<'_>) -> Vec<CodeActionOrCommand> {
    let (uri, range) = (params.text_document.uri.as_str(), params.range);
    let (ours, theirs): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
        params.context.diagnostics.iter().partition(|problem| problem.source.as_deref() == Some(SOURCE));
    let mut actions = Vec::new();
    for approval in scene.view.iter().flat_map(|view| &view.approvals) {
        actions.extend(answers(approval));
    }
    for inquired in scene.view.iter().flat_map(|view| &view.inquiries) {
        actions.extend(replies(inquired));
    }
    actions.extend(of_hunks(uri, range, scene.hunks, &ours));
    if !theirs.is_empty() {
        let problems = theirs.iter().map(|problem| problem.message.clone()).collect();
        let arguments = Arguments { uri: Some(uri.to_owned()), range: Some(range), problems, ..Arguments::default() };
        let mends = theirs.into_iter().cloned().collect();
        actions.push(Action { mends, ..quick(FIX, "Fix with pilotfish", &arguments) });
    }
    let place = Arguments { uri: Some(uri.to_owned()), range: Some(range), ..Arguments::default() };
    let file = Arguments { uri: Some(uri.to_owned()), ..Arguments::default() };
    actions.push(other(ASK, "Ask pilotfish about selection", &place));
    let mode = match scene.view.map(|view| view.mode) {
        None | Some(Mode::ReadOnly) => "Switch pilotfish to agent mode",
        Some(Mode::Agent) => "Switch pilotfish to read-only mode",
    };
    actions.push(other(TOGGLE_MODE, mode, &file));
    if scene.view.is_some_and(View::is_running) {
        actions.push(other(STOP, "Stop pilotfish", &file));
    }
    let only = params.context.only.as_deref();
    let wanted = actions.into_iter().filter(|action| only.is_none_or(|only| is_among(&action.kind, only)));
    wanted.map(|action| action.into_answer(scene.literals)).collect()
}

/// The changes of a file that are at these lines.
pub(super) fn at(hunks: &[Hunk], range: Range) -> impl Iterator<Item = &Hunk> {
    let (first, last) = commands::lines(range);
    hunks.iter().filter(move |hunk| {
        let LineRange { start, end } = hints::place(hunk);
        // What was deleted is between two lines, and reached from both.
        if start == end { last.saturating_add(1) >= start && first <= start } else { first < end && last >= start }
    })
}

fn of_hunks(uri: &str, range: Range, hunks: &[Hunk], ours: &[&Diagnostic]) -> Vec<Action> {
    let mut actions = Vec::new();
    let ids = |proposed: bool, here: bool| -> Vec<HunkId> {
        let chosen: Vec<&Hunk> = if here { at(hunks, range).collect() } else { hunks.iter().collect() };
        let of_state = chosen.into_iter().filter(|hunk| (hunk.state == HunkState::Proposed) == proposed);
        of_state.map(|hunk| hunk.id.clone()).collect()
    };
    for (proposed, what, keep, undo) in [(false, "hunk", "Keep", "Undo"), (true, "proposal", "Accept", "Reject")] {
        let here = ids(proposed, true);
        if here.is_empty() {
            continue;
        }
        let these = if here.len() == 1 { format!("this {what}") } else { format!("these {} {what}s", here.len()) };
        let arguments = Arguments { hunk_ids: Some(here), ..Arguments::default() };
        for (id, verb) in [(KEEP_HUNK, keep), (UNDO_HUNK, undo)] {
            let mends = ours.iter().map(|hint| (*hint).clone()).collect();
            actions.push(Action { mends, ..quick(id, &format!("{verb} {these}"), &arguments) });
        }
    }
    let (applied, proposed) = (ids(false, false), ids(true, false));
    if !applied.is_empty() {
        let arguments = Arguments { uri: Some(uri.to_owned()), ..Arguments::default() };
        let count = changes(applied.len());
        actions.push(other(KEEP_FILE, &format!("Keep file ({count})"), &arguments));
        actions.push(other(UNDO_FILE, &format!("Undo file ({count})"), &arguments));
    }
    if !proposed.is_empty() {
        let count = changes(proposed.len());
        let arguments = Arguments { hunk_ids: Some(proposed), ..Arguments::default() };
        actions.push(other(KEEP_HUNK, &format!("Accept all proposals for this file ({count})"), &arguments));
        actions.push(other(UNDO_HUNK, &format!("Reject all proposals for this file ({count})"), &arguments));
    }
    actions
}

/// The ways to answer a question; each says what it is an answer to.
fn answers(approval: &Approval) -> Vec<Action> {
    let action = |answer: Option<Answer>, title: String| {
        let arguments = Arguments { approval_id: Some(approval.id.clone()), answer, ..Arguments::default() };
        quick(ANSWER, &title, &arguments)
    };
    let mut actions = vec![action(None, format!("pilotfish asks: {} (show)", short(&approval.title)))];
    actions.extend(ways(approval).into_iter().map(|(answer, title)| action(Some(answer), title)));
    actions
}

/// The answers to a question, in words.
pub(super) fn ways(approval: &Approval) -> Vec<(Answer, String)> {
    let what = short(&approval.title);
    let mut ways = vec![
        (Answer::Once, format!("Allow once: {what}")),
        (Answer::Session, format!("Allow in this session: {what}")),
    ];
    if let Some(rule) = &approval.rule {
        // As a list, so that it is seen where each word ends.
        let words = serde_json::to_string(&rule.argv).unwrap_or_default();
        let more = if rule.prefix { " and any words behind it" } else { "" };
        ways.push((Answer::Always, format!("Always allow {words}{more} ({})", rule.grants.join(", "))));
    }
    ways.push((Answer::Deny, format!("Do not allow: {what}")));
    ways
}

/// The ways to answer what the model asks; each says what it is an answer to.
fn replies(inquired: &Inquired) -> Vec<Action> {
    let action = |reply: Option<Reply>, title: String| {
        let (choice, text, answer) = match reply {
            Some(Reply::Choice(choice)) => (Some(choice), None, None),
            Some(Reply::Text(text)) => (None, Some(text), None),
            Some(Reply::Nothing) => (None, None, Some(Answer::Deny)),
            None => (None, None, None),
        };
        let item_id = Some(inquired.item.clone());
        quick(ANSWER, &title, &Arguments { item_id, choice, text, answer, ..Arguments::default() })
    };
    let words = inquired.question.text.lines().next().unwrap_or_default();
    let mut actions = vec![action(None, format!("pilotfish asks: {} (show)", short(words)))];
    actions.extend(ways_to_reply(inquired).into_iter().map(|(reply, title)| action(Some(reply), title)));
    actions
}

/// The answers to what the model asks, in words.
pub(super) fn ways_to_reply(inquired: &Inquired) -> Vec<(Reply, String)> {
    let choices = (0..).zip(&inquired.question.choices);
    let mut ways: Vec<(Reply, String)> =
        choices.map(|(at, choice)| (Reply::Choice(at), format!("Answer: {}", short(choice)))).collect();
    ways.push((Reply::Nothing, "Give no answer".to_owned()));
    ways
}

fn quick(id: &str, title: &str, arguments: &Arguments) -> Action {
    let command = commands::command(id, title.to_owned(), arguments);
    Action { kind: CodeActionKind::QUICKFIX, command, mends: Vec::new() }
}

fn other(id: &str, title: &str, arguments: &Arguments) -> Action {
    Action { kind: KIND, ..quick(id, title, arguments) }
}

impl Action {
    fn into_answer(self, literals: bool) -> CodeActionOrCommand {
        if !literals {
            return CodeActionOrCommand::Command(self.command);
        }
        CodeActionOrCommand::CodeAction(CodeAction {
            title: self.command.title.clone(),
            kind: Some(self.kind),
            diagnostics: (!self.mends.is_empty()).then_some(self.mends),
            command: Some(self.command),
            ..CodeAction::default()
        })
    }
}

/// Whether a kind is one of those asked for, or a part of one.
fn is_among(kind: &CodeActionKind, only: &[CodeActionKind]) -> bool {
    only.iter().any(|wanted| {
        let (kind, wanted) = (kind.as_str(), wanted.as_str());
        wanted.is_empty() || kind.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn changes(count: usize) -> String {
    if count == 1 { "1 change".to_owned() } else { format!("{count} changes") }
}

/// The beginning of a line.
fn short(text: &str) -> String {
    match text.char_indices().nth(NAMED) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
