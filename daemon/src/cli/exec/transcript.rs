//! A turn for a person to read: words as they come, a line for each call, the diff at the end, one line about the end.

use super::diff::Changes;
use super::drive::View;
use crate::cli::terminal::{Look, Looks, Screen, StatusLine, Wrap, safe};
use crate::path::AbsPath;
use pilotfish_protocol::{
    AgentMessage, Audience, CommandInfo, Completion, Edit, EditKind, EditState, Fault, FaultKind, Item, ItemContent,
    ItemId, Plan, SessionStatus, SessionUpdate, Status, StepStatus, StopReason, ToolCall, ToolStatus, Update, Usage,
};
use std::collections::HashMap;
use std::io::Result;
use std::time::Duration;
use tokio::time::Instant;

/// Before each line about a call.
const INDENT: &str = "  ";

/// What takes less is over before a status about it could be read.
const UNSEEN: Duration = Duration::from_millis(200);

/// The largest file that is read to show a change in its surroundings, in bytes.
const MAX_FILE: u64 = 16 << 20;

/// Chooses the lines of a command's output that are worth showing.
pub(crate) type Telling = fn(&str) -> bool;

/// Shows a turn.
pub(crate) struct Transcript {
    screen: Screen,
    looks: Looks,
    /// Lines of outputs that are shown; none unless given.
    telling: Option<Telling>,
    block: Block,
    open: HashMap<ItemId, Open>,
    changes: Changes,
    now: Now,
    began: Instant,
}

/// What the last lines were: a blank line stands between different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Start,
    Words,
    Calls,
}

/// An open item.
enum Open {
    Words {
        wrap: Wrap,
        /// Bytes that are taken care of.
        taken: usize,
        /// Whether anything was to be seen yet.
        begun: bool,
    },
    Call {
        /// The line has begun, and waits for its end.
        begun: bool,
    },
}

/// What happens now.
struct Now {
    text: String,
    since: Instant,
    /// The last line that a running command wrote.
    line: String,
}

impl Transcript {
    /// On a screen. `telling` chooses lines of outputs that are shown below their command.
    pub(crate) fn new(screen: Screen, telling: Option<Telling>) -> Self {
        let looks = screen.looks();
        let now = Now { text: "starting".to_owned(), since: Instant::now(), line: String::new() };
        let (open, changes) = (HashMap::new(), Changes::default());
        Self { screen, looks, telling, block: Block::Start, open, changes, now, began: Instant::now() }
    }

    /// Comes below something else on the same screen.
    pub(crate) fn after_another(&mut self) {
        self.block = Block::Calls;
    }

    /// Words of their own, apart from what stands before and after them.
    pub(crate) fn heading(&mut self, words: &str) -> Result<()> {
        self.begin(Block::Words)?;
        self.screen.print(words)
    }

    /// A fact beside the turn.
    pub(crate) fn notice(&mut self, text: &str) -> Result<()> {
        self.line(&self.looks.paint(Look::Dim, &safe(text)))
    }

    fn begin(&mut self, block: Block) -> Result<()> {
        self.screen.end_line()?;
        if self.block != Block::Start && (self.block != block || block == Block::Words) {
            self.screen.print("\n")?;
        }
        self.block = block;
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<()> {
        self.begin(Block::Calls)?;
        self.screen.print(&format!("{INDENT}{line}\n"))
    }

    fn started(&mut self, item: &Item) -> Result<()> {
        match &item.content {
            ItemContent::AgentMessage(message) => {
                let wrap = Wrap::new(self.looks.text_width());
                self.open.insert(item.id.clone(), Open::Words { wrap, taken: 0, begun: false });
                if message.text.is_empty() { Ok(()) } else { self.words(&item.id, &message.text) }
            }
            ItemContent::ToolCall(call) => {
                // Where no status line says that it runs, its own line does.
                let begun = call.name == "shell" && self.looks.status != StatusLine::Below;
                self.open.insert(item.id.clone(), Open::Call { begun });
                self.now = Now { text: safe(&call.title), since: Instant::now(), line: String::new() };
                if !begun {
                    return Ok(());
                }
                self.begin(Block::Calls)?;
                self.screen.print(&format!("{INDENT}{}", self.title(call, 0)))
            }
            // The others begin and end at once.
            _ => Ok(()),
        }
    }

    fn delta(&mut self, id: &ItemId, text: &str) -> Result<()> {
        match self.open.get(id) {
            Some(Open::Words { .. }) => self.words(id, text),
            Some(Open::Call { .. }) => {
                if let Some(line) = text.lines().rev().find(|line| !line.trim().is_empty()) {
                    self.now.line = safe(line.trim());
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn words(&mut self, id: &ItemId, text: &str) -> Result<()> {
        let Some(Open::Words { wrap, taken, begun, .. }) = self.open.get_mut(id) else { return Ok(()) };
        *taken += text.len();
        let first = !*begun;
        // Blank lines before the first word would only tear the page.
        let visible = if first { text.trim_start() } else { text };
        if visible.is_empty() {
            return Ok(());
        }
        *begun = true;
        let ready = wrap.push(&safe(visible));
        if first {
            self.begin(Block::Words)?;
        }
        self.screen.print(&ready)
    }

    /// An open item as it is now: words that were left out on the way, because we read slowly, are in it.
    fn changed(&mut self, item: &Item) -> Result<()> {
        match &item.content {
            ItemContent::AgentMessage(message) if self.open.contains_key(&item.id) => {
                self.rest(&item.id, &message.text)
            }
            _ => Ok(()),
        }
    }

    fn rest(&mut self, id: &ItemId, text: &str) -> Result<()> {
        let Some(Open::Words { taken, .. }) = self.open.get(id) else { return Ok(()) };
        let rest = text.get(*taken..).unwrap_or_default().to_owned();
        self.words(id, &rest)
    }

    fn message_ended(&mut self, id: &ItemId, message: &AgentMessage) -> Result<()> {
        if !self.open.contains_key(id) {
            let wrap = Wrap::new(self.looks.text_width());
            self.open.insert(id.clone(), Open::Words { wrap, taken: 0, begun: false });
        }
        self.rest(id, &message.text)?;
        if let Some(Open::Words { mut wrap, begun: true, .. }) = self.open.remove(id) {
            self.screen.print(&wrap.finish())?;
            self.screen.end_line()?;
        }
        match message.completion {
            Completion::Interrupted => self.line(&self.looks.paint(Look::Dim, "(interrupted)")),
            Completion::Open | Completion::Whole | Completion::Broken => Ok(()),
        }
    }

    fn call_ended(&mut self, id: &ItemId, call: &ToolCall) -> Result<()> {
        let begun = matches!(self.open.remove(id), Some(Open::Call { begun: true }));
        let changes_files = matches!(call.name.as_str(), "edit" | "patch" | "apply_patch" | "write");
        if changes_files && call.status == ToolStatus::Done {
            // Each changed file has its own line.
            return Ok(());
        }
        let (look, end) = ending(call);
        let painted = if end.is_empty() { String::new() } else { format!("  {}", self.looks.paint(look, &end)) };
        if begun {
            self.screen.print(&format!("{painted}\n"))?;
        } else {
            let taken = INDENT.len() + if end.is_empty() { 0 } else { 2 + end.chars().count() };
            self.line(&format!("{}{painted}", self.title(call, taken)))?;
        }
        let telling = self.telling.filter(|_| call.exit_code.is_some());
        for line in telling.iter().flat_map(|telling| call.output.lines().filter(|line| telling(line))) {
            let line = self.looks.fit(safe(line).trim_end(), 6);
            self.screen.print(&format!("{INDENT}    {}\n", self.looks.paint(Look::Dim, &line)))?;
        }
        Ok(())
    }

    fn title(&self, call: &ToolCall, taken: usize) -> String {
        let title = self.looks.fit(&safe(&call.title), taken.max(INDENT.len()));
        match title.strip_prefix("$ ") {
            Some(command) => format!("{} {command}", self.looks.paint(Look::Dim, "$")),
            None => match title.split_once(' ') {
                Some((verb, object)) => format!("{} {object}", self.looks.paint(Look::Dim, verb)),
                None => title,
            },
        }
    }

    fn edited(&mut self, edit: &Edit) -> Result<()> {
        let verb = match (edit.state, &edit.change) {
            (EditState::Proposed, _) => "proposes",
            (EditState::Conflict, _) => "conflict in",
            (EditState::Applied, EditKind::Created) => "created",
            (EditState::Applied, EditKind::Changed) => "changed",
            (EditState::Applied, EditKind::Deleted) => "deleted",
            (EditState::Applied, EditKind::Moved { .. }) => "moved to",
        };
        let counts = match (edit.added, edit.removed) {
            (0, 0) => String::new(),
            (added, removed) => format!(
                "  {} {}",
                self.looks.paint(Look::Green, &format!("+{added}")),
                self.looks.paint(Look::Red, &format!("−{removed}"))
            ),
        };
        self.changes.push(edit.clone());
        let path = self.looks.fit(&safe(&edit.path), 30);
        self.line(&format!("{} {path}{counts}", self.looks.paint(Look::Dim, verb)))
    }

    fn plan(&mut self, plan: &Plan) -> Result<()> {
        for step in &plan.steps {
            let (mark, look) = match step.status {
                StepStatus::Pending => ("·", Look::Dim),
                StepStatus::InProgress => ("›", Look::Plain),
                StepStatus::Completed => ("✓", Look::Dim),
            };
            let step = self.looks.fit(&safe(&step.step), 8);
            self.line(&self.looks.paint(look, &format!("{INDENT}{mark} {step}")))?;
        }
        Ok(())
    }

    fn fault(&mut self, fault: &Fault) -> Result<()> {
        self.screen.end_line()?;
        match fault.fault {
            // The turn goes on by itself.
            FaultKind::Stream if fault.retryable => {
                let line = self.looks.paint(Look::Dim, &safe(&fault.message));
                self.line(&line)
            }
            FaultKind::Stream
            | FaultKind::Configuration
            | FaultKind::Endpoint
            | FaultKind::ContextFull
            | FaultKind::Limit
            | FaultKind::Journal
            | FaultKind::Internal => {
                self.screen.complain(&format!("pilotfish: {}", safe(&fault.message)));
                Ok(())
            }
        }
    }

    fn ended(&mut self, item: &Item) -> Result<()> {
        match &item.content {
            ItemContent::AgentMessage(message) => self.message_ended(&item.id, message),
            ItemContent::ToolCall(call) => self.call_ended(&item.id, call),
            ItemContent::Edit(edit) | ItemContent::Conflict(edit) => self.edited(edit),
            ItemContent::Error(fault) => self.fault(fault),
            ItemContent::Compaction(compaction) => self.line(&self.looks.paint(Look::Dim, &compaction.to_string())),
            ItemContent::Notice(notice) => match notice.audience {
                Audience::Model => Ok(()),
                Audience::Person | Audience::Both => self.line(&self.looks.paint(Look::Dim, &safe(&notice.text))),
            },
            ItemContent::Question(question) => match &question.answer {
                Some(answer) => self.line(&self.looks.paint(Look::Dim, &safe(&format!("answered: {answer}")))),
                None => Ok(()),
            },
            // The prompt is known, thoughts stay with the model, plans and approvals have their own updates.
            ItemContent::UserMessage(_)
            | ItemContent::Reasoning(_)
            | ItemContent::Context(_)
            | ItemContent::Plan(_)
            | ItemContent::Approval(_) => Ok(()),
        }
    }

    fn over(&mut self, stop: StopReason, usage: &Usage) -> Result<()> {
        self.screen.end_line()?;
        self.screen.clear_status();
        self.diff()?;
        let (look, outcome) = outcome(stop);
        let mut facts = vec![self.looks.paint(look, outcome)];
        if usage.input_tokens + usage.output_tokens > 0 {
            let cached = match usage.cached_tokens {
                0 => String::new(),
                cached => format!(" ({} cached)", grouped(cached)),
            };
            let tokens =
                format!("{} tokens in{cached}, {} out", grouped(usage.input_tokens), grouped(usage.output_tokens));
            facts.push(self.looks.paint(Look::Dim, &tokens));
        }
        facts.push(self.looks.paint(Look::Dim, &seconds(self.began.elapsed())));
        let blank = if self.block == Block::Start { "" } else { "\n" };
        self.screen.print(&format!("{blank}{}\n", facts.join(&self.looks.paint(Look::Dim, " · "))))
    }

    fn diff(&mut self) -> Result<()> {
        let diff = self.changes.unified(&read_file);
        if diff.is_empty() {
            return Ok(());
        }
        self.begin(Block::Words)?;
        if self.changes.any_proposed() {
            let note = "Proposed, not written: this run was read-only. To have it written: --mode agent";
            self.screen.print(&format!("{}\n", self.looks.paint(Look::Dim, note)))?;
        }
        for line in diff.lines() {
            let look = match line.as_bytes() {
                [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] => Look::Bold,
                [b'-', ..] => Look::Red,
                [b'+', ..] => Look::Green,
                [b'@', ..] => Look::Cyan,
                _ => Look::Plain,
            };
            self.screen.print(&format!("{}\n", self.looks.paint(look, &safe(line))))?;
        }
        Ok(())
    }

    /// A command in the background, where it begins and where it ends.
    fn background(&mut self, command: &CommandInfo) -> Result<()> {
        let CommandInfo { id, command, output_bytes, exit_code, .. } = command;
        let words = match (exit_code, output_bytes) {
            (Some(code), _) => format!("{id} ended with exit code {code}"),
            (None, 0) => format!("{id} runs in the background: {}", command.lines().next().unwrap_or_default()),
            // It only said more.
            (None, _) => return Ok(()),
        };
        self.line(&self.looks.paint(Look::Dim, &self.looks.fit(&safe(&words), INDENT.len())))
    }

    fn status(&mut self, status: &SessionStatus) {
        let text = match status.state {
            Status::Running => return,
            Status::Thinking | Status::Waiting | Status::Stopping => safe(&status.text),
            Status::Idle | Status::Stopped | Status::Failed => return,
        };
        if text != self.now.text {
            self.now = Now { text, since: Instant::now(), line: String::new() };
        }
    }
}

impl View for Transcript {
    fn update(&mut self, update: &SessionUpdate) -> Result<()> {
        match &update.update {
            Update::ItemStarted { item } => self.started(item),
            Update::ItemDelta { item_id, text } => self.delta(item_id, text),
            Update::ItemChanged { item } => self.changed(item),
            Update::ItemEnded { item } => self.ended(item),
            Update::PlanChanged { plan } => self.plan(plan),
            Update::TurnEnded { stop, usage, .. } => self.over(*stop, usage),
            Update::CommandChanged { command } => self.background(command),
            Update::StatusChanged { status } => {
                self.status(status);
                Ok(())
            }
            Update::TurnStarted { .. }
            | Update::ModeChanged { .. }
            | Update::ModelChanged { .. }
            | Update::TitleChanged { .. }
            | Update::QueueChanged { .. }
            | Update::DraftChanged { .. }
            | Update::Usage { .. }
            | Update::ApprovalOpened { .. }
            | Update::ApprovalClosed { .. } => Ok(()),
        }
    }

    fn tick(&mut self) {
        let elapsed = self.now.since.elapsed();
        if elapsed < UNSEEN {
            return;
        }
        let mut status = format!("{INDENT}{} · {}", self.now.text, seconds(elapsed));
        if !self.now.line.is_empty() {
            status.push_str(&format!(" · {}", self.now.line));
        }
        self.screen.show_status(&status);
    }

    fn question(&mut self, words: &str) {
        self.screen.complain(words);
    }
}

fn ending(call: &ToolCall) -> (Look, String) {
    let took =
        call.duration_ms.map(Duration::from_millis).map_or_else(String::new, |took| format!(" {}", seconds(took)));
    let first_line = || call.output.lines().next().unwrap_or_default();
    match (call.status, call.exit_code) {
        (ToolStatus::Done, Some(_)) => (Look::Green, format!("✓{took}")),
        (ToolStatus::Done, None) => (Look::Plain, String::new()),
        (ToolStatus::Failed, Some(code)) => (Look::Red, format!("✗ exit {code}{}", took.replacen(' ', " · ", 1))),
        (ToolStatus::Failed, None) => (Look::Red, format!("✗ {}", crate::cli::terminal::cut(&safe(first_line()), 48))),
        (ToolStatus::Refused, _) => (Look::Red, format!("✗ {}", crate::cli::terminal::cut(&safe(first_line()), 48))),
        (ToolStatus::Interrupted, _) => (Look::Dim, "interrupted".to_owned()),
        (ToolStatus::Running, _) => (Look::Dim, "did not end".to_owned()),
    }
}

fn outcome(stop: StopReason) -> (Look, &'static str) {
    match stop {
        StopReason::Done => (Look::Bold, "finished"),
        StopReason::Length => (Look::Red, "cut off: the model reached its output limit"),
        StopReason::Refused => (Look::Red, "the provider refused to answer"),
        StopReason::StepLimit => (Look::Red, "stopped at the limit of steps"),
        StopReason::Interrupted => (Look::Bold, "interrupted"),
        StopReason::Failed => (Look::Red, "failed"),
    }
}

/// A duration as people say it.
pub(crate) fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        0 if duration.as_millis() < 100 => format!("{} ms", duration.as_millis()),
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 10..120 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn read_file(uri: &str) -> Option<String> {
    let path = AbsPath::from_uri(uri).ok()?;
    let size = std::fs::metadata(path.as_path()).ok().filter(std::fs::Metadata::is_file)?.len();
    (size <= MAX_FILE).then(|| std::fs::read_to_string(path.as_path()).ok()).flatten()
}

#[cfg(test)]
mod tests;
