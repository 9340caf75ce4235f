//! `shell`: a command, in the sandbox.

use super::{Output, place};
use crate::cx::{TurnCx, TurnEvent};
use crate::model::ToolSpec;
use crate::path::AbsPath;
use crate::policy::{self, Action, Verdict};
use crate::sandbox::{self, Attendance, Exit, SandboxError, Spec, Stopped};
use crate::text::excerpt::printable;
use pilotfish_protocol::{Item, ItemId, Mode, ToolStatus, Update};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc;

/// Bytes kept of an output's beginning, and as many of its end.
const KEEP: usize = 1 << 20;

/// Bytes of a running command's output that editors are shown as they come.
const LIVE: usize = 64 << 10;

/// The longest time a model may ask for.
const MAX_TIME: Duration = Duration::from_secs(3600);

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    command: String,
    timeout: Option<u64>,
    cwd: Option<String>,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "shell",
        description: "Runs a command line with bash in the workspace, in a sandbox: nothing outside the workspace can be written and \
                      there is no network. Standard input is empty. What it leaves running in the background is ended with it.",
        parameters: json!({
            "type": "object",
            "properties": {
                "command": {"type": "string"},
                "timeout": {"type": "integer", "description": "seconds"},
                "cwd": {"type": "string", "description": "a folder of the workspace"}
            },
            "required": ["command"]
        }),
    }
}

pub(super) fn title(args: &Args) -> String {
    let line = args.command.trim().lines().next().unwrap_or_default();
    let more = if args.command.trim().lines().nth(1).is_some() { " …" } else { "" };
    format!("$ {}{more}", printable(line.as_bytes()))
}

pub(super) async fn run(cx: &TurnCx, item: &Item, args: &Args) -> Output {
    let mode = *cx.mode.borrow();
    match policy::decide(mode, &Action::Run) {
        Verdict::Run | Verdict::Propose => {}
        Verdict::Ask { reason } | Verdict::Refuse { reason } => return Output::refused(format!("refused: {reason}")),
    }
    let cwd = match working_directory(cx, args.cwd.as_deref().unwrap_or(".")) {
        Ok(cwd) => cwd,
        Err(problem) => return Output::failed(problem),
    };
    let time_limit = args.timeout.map_or(cx.limits.command_time, Duration::from_secs).min(MAX_TIME);
    let spec = Spec {
        mode,
        workspace: cx.workspace.root().clone(),
        cwd,
        argv: vec!["bash".to_owned(), "-c".to_owned(), args.command.clone()],
        env: sandbox::spec_env(&cx.environment, mode),
        time_limit: Some(time_limit),
        layers: Vec::new(),
        proxy: false,
        grants_paths: Vec::new(),
    };
    let mut output = Collector::new(cx.events.clone(), item.id.clone());
    let stop = cx.cancel.child_token();
    let finished = {
        let mut on_output = |chunk: &[u8]| output.take(chunk);
        let mut running = std::pin::pin!(cx.sandbox.run(&spec, Attendance::new(&stop, &mut on_output)));
        loop {
            tokio::select! {
                finished = &mut running => break finished,
                // Only this command is to stop. Its end is awaited, so that nothing of it is left when the turn goes on.
                () = cx.stop_command.notified() => stop.cancel(),
            }
        }
    };
    report(finished, output, mode, time_limit)
}

fn working_directory(cx: &TurnCx, path: &str) -> Result<AbsPath, String> {
    let path = place::rooted(cx, path)?;
    let real = place::beneath(cx, &path)?;
    if !real.is_dir() {
        return Err(format!("{path} is not a folder"));
    }
    AbsPath::new(real).map_err(|error| error.to_string())
}

fn report(
    finished: Result<sandbox::Finished, SandboxError>,
    output: Collector,
    mode: Mode,
    time_limit: Duration,
) -> Output {
    let finished = match finished {
        Ok(finished) => finished,
        Err(error) => return Output::refused(format!("not run: {error}")),
    };
    let (status, exit_code, end): (_, _, Option<String>) = match (finished.stopped, finished.status) {
        (Some(Stopped::TimeLimit), _) => {
            (ToolStatus::Failed, None, Some(format!("[stopped after its time limit of {} s]", time_limit.as_secs())))
        }
        (Some(Stopped::Cancelled), _) => {
            (ToolStatus::Interrupted, None, Some("[interrupted by the person]".to_owned()))
        }
        (None, Exit::Code(0)) => (ToolStatus::Done, Some(0), None),
        (None, Exit::Code(code)) => (ToolStatus::Failed, Some(code), Some(format!("[exit status {code}]"))),
        (None, Exit::Signal(signal)) => {
            (ToolStatus::Failed, Some(128 + signal), Some(format!("[ended by signal {signal}]")))
        }
    };
    let mut text = output.text();
    if status == ToolStatus::Failed && mode == Mode::ReadOnly && text.contains("Read-only file system") {
        text.push_str("\n[read-only mode: commands cannot write to the workspace]");
    }
    if text.is_empty() && end.is_none() {
        text.push_str("[no output]");
    }
    if let Some(end) = end {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&end);
    }
    Output { text, status, exit_code, ..Output::default() }
}

/// Holds the beginning and the end of an output, and shows its beginning while it runs.
struct Collector {
    events: mpsc::Sender<TurnEvent>,
    item: ItemId,
    head: Vec<u8>,
    tail: std::collections::VecDeque<u8>,
    left_out: u64,
    /// Not yet shown: an unfinished line, or what the session had no room for.
    pending: Vec<u8>,
    shown: usize,
}

impl Collector {
    fn new(events: mpsc::Sender<TurnEvent>, item: ItemId) -> Self {
        let (head, tail, pending) = (Vec::new(), std::collections::VecDeque::new(), Vec::new());
        Self { events, item, head, tail, left_out: 0, pending, shown: 0 }
    }

    fn take(&mut self, chunk: &[u8]) {
        let (first, rest) = chunk.split_at(chunk.len().min(KEEP - self.head.len()));
        self.head.extend_from_slice(first);
        // Only the end of a chunk that is larger than the window can stay.
        let (lost, rest) = rest.split_at(rest.len().saturating_sub(KEEP));
        let over = (self.tail.len() + rest.len()).saturating_sub(KEEP);
        self.tail.drain(..over);
        self.tail.extend(rest);
        self.left_out += (lost.len() + over) as u64;
        self.show(chunk);
    }

    fn show(&mut self, chunk: &[u8]) {
        if self.shown >= LIVE {
            return;
        }
        let room = LIVE - self.shown - self.pending.len();
        self.pending.extend_from_slice(chunk.get(..chunk.len().min(room)).unwrap_or_default());
        let full = self.shown + self.pending.len() == LIVE;
        let line_end = self.pending.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let whole = if full { self.pending.len() } else { line_end };
        let Some(lines) = self.pending.get(..whole).filter(|lines| !lines.is_empty()) else { return };
        let mut text = printable(lines);
        if full {
            text.push_str("\n[… the rest is shown when the command ends]\n");
        }
        let update = Update::ItemDelta { item_id: self.item.clone(), text };
        // A session that has no room gets these lines with the next ones.
        if self.events.try_send(TurnEvent::Show(Box::new(update))).is_ok() {
            self.pending.drain(..whole);
            self.shown += whole;
        }
    }

    fn text(self) -> String {
        let mut bytes = self.head;
        if self.left_out > 0 {
            bytes.extend_from_slice(format!("\n[… {} bytes left out, and not kept …]\n", self.left_out).as_bytes());
        }
        bytes.extend(self.tail);
        printable(&bytes)
    }
}

#[cfg(test)]
mod tests;
