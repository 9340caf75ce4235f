//! `shell`: a command, in the sandbox. What it may not do there it may be granted, by the person or by what they said before.

use super::Output;
use crate::cx::TurnCx;
use crate::model::ToolSpec;
use crate::sandbox::{Exit, Finished, SandboxError, Stopped};
use crate::text::excerpt::printable;
use collector::Collector;
use effects::Effects;
use errand::{Errand, Streams};
use pilotfish_protocol::{Item, ToolStatus};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

mod collector;
mod effects;
pub(super) mod errand;
mod looks;
mod reach;

/// The longest time a model may ask for.
const MAX_TIME: Duration = Duration::from_secs(3600);

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    command: String,
    timeout: Option<u64>,
    cwd: Option<String>,
    #[serde(default)]
    write: Vec<String>,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "shell",
        description: "Runs a command line with bash in the workspace, in a sandbox. In agent mode it can change the workspace, and a host is \
                      reached over HTTP(S) once the person granted it, which is asked by itself; in read-only mode what it writes is thrown \
                      away. Standard input is empty. What it leaves running in the background is ended with it.",
        parameters: json!({
            "type": "object",
            "properties": {
                "command": {"type": "string"},
                "timeout": {"type": "integer", "description": "seconds"},
                "cwd": {"type": "string", "description": "a folder of the workspace"},
                "write": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "absolute paths outside the workspace that it must write to; the person is asked"
                }
            },
            "required": ["command"]
        }),
        grammar: None,
    }
}

pub(super) fn title(args: &Args) -> String {
    let line = args.command.trim().lines().next().unwrap_or_default();
    let more = if args.command.trim().lines().nth(1).is_some() { " …" } else { "" };
    format!("$ {}{more}", printable(line.as_bytes()))
}

pub(super) async fn run(cx: &TurnCx, item: &Item, args: &Args) -> Output {
    let time_limit = args.timeout.map_or(cx.limits.command_time, Duration::from_secs).min(MAX_TIME);
    let wanted = Errand {
        command: &args.command,
        cwd: args.cwd.as_deref(),
        write: &args.write,
        time_limit: Some(time_limit),
        session: Some(cx.session.to_string()),
    };
    let prepared = match errand::prepare(cx, item, wanted).await {
        Ok(prepared) => prepared,
        Err(output) => return output,
    };
    let mut collector = Collector::new(cx.events.clone(), item.id.clone());
    let mut on_output = |chunk: &[u8]| collector.take(chunk);
    match errand::run(cx, item, prepared, &args.command, Streams { on_output: &mut on_output, input: None }).await {
        Ok((finished, effects)) => report(&finished, collector.text(), effects, time_limit),
        Err(error @ SandboxError::Lost(_)) => lost(&error, collector.text()),
        Err(error) => Output::refused(format!("not run: {error}")),
    }
}

/// What the model is told of a command whose end nobody saw: it may have run, and what it wrote went with it.
fn lost(error: &SandboxError, mut text: String) -> Output {
    add_line(
        &mut text,
        &format!(
            "{error}, and the command with it, which may have run in part; what it wrote to the workspace was not published"
        ),
    );
    Output::failed(text)
}

/// What the model cannot see from the output alone: that the system's words for another disk stand for a limit of the sandbox. How the
/// whole command line ended says nothing of it, since a script may have gone on.
fn hint(text: &str) -> Option<String> {
    let is_cross = ["Invalid cross-device link", "EXDEV"].iter().any(|words| text.contains(words));
    is_cross.then(|| {
        "in the sandbox one call cannot rename a folder that was there before the command; copy it and delete the old one, or move its \
         files with the patch tool"
            .to_owned()
    })
}

/// What the model is told: the output, how the command ended, and what became of what it wrote.
fn report(finished: &Finished, mut text: String, effects: Effects, time_limit: Duration) -> Output {
    let (status, exit_code, end): (_, _, Option<String>) = match (finished.stopped, finished.status) {
        (Some(Stopped::TimeLimit), _) => {
            (ToolStatus::Failed, None, Some(format!("stopped after its time limit of {} s", time_limit.as_secs())))
        }
        (Some(Stopped::Cancelled), _) => (ToolStatus::Interrupted, None, Some("interrupted by the person".to_owned())),
        (None, Exit::Code(0)) => (ToolStatus::Done, Some(0), None),
        (None, Exit::Code(code)) => (ToolStatus::Failed, Some(code), Some(format!("exit status {code}"))),
        (None, Exit::Signal(signal)) => {
            (ToolStatus::Failed, Some(128 + signal), Some(format!("ended by signal {signal}")))
        }
    };
    let status = if effects.interrupted { ToolStatus::Interrupted } else { status };
    let hint = hint(&text);
    for line in end.into_iter().chain(hint).chain(effects.lines) {
        add_line(&mut text, &line);
    }
    if text.is_empty() {
        text.push_str("[no output]");
    }
    Output { text, status, exit_code, edits: effects.edits, ..Output::default() }
}

/// Adds a line of ours to what a command said.
fn add_line(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&format!("[{line}]"));
}

#[cfg(test)]
mod tests;
