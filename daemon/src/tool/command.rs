//! `command`: commands in the background. Each runs as one of `shell` does, and as long as it likes; what it says is read piece by piece.

use super::shell::errand::{self, Errand, Streams};
use super::{Output, shown};
use crate::cx::{Background, End, Input, Launch, NOT_BEGUN, Report, Stopper, TurnCx, TurnError, Until};
use crate::ground::Prepared;
use crate::model::ToolSpec;
use crate::sandbox::{SandboxError, Stopped};
use crate::text::excerpt::printable;
use futures::FutureExt;
use pilotfish_protocol::{Item, ToolStatus, Update};
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

/// How long a call waits for words of a command unless it says.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest wait a call may ask for.
const LONGEST: Duration = Duration::from_secs(60);

/// How long a command that is stopped may take to end, with all that is left to publish.
const STOPPING: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Start,
    List,
    Read,
    Write,
    Stop,
}

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    action: Action,
    command: Option<String>,
    cwd: Option<String>,
    #[serde(default)]
    write: Vec<String>,
    id: Option<String>,
    input: Option<String>,
    wait_ms: Option<u64>,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "command",
        description: "Runs a command line in the background, for servers, watchers and what asks for input; in the same sandbox as shell. \
                      start gives an id; read gives what it said since the last look; write sends input; stop ends it and all it \
                      started. It does not see files that change after it started, and what it writes is published when it ends. It \
                      ends with the session.",
        parameters: json!({
            "type": "object",
            "properties": {
                "action": {"type": "string", "enum": ["start", "list", "read", "write", "stop"]},
                "command": {"type": "string", "description": "for start"},
                "cwd": {"type": "string", "description": "for start: a folder of the workspace"},
                "write": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "for start: absolute paths outside the workspace that it must write to"
                },
                "id": {"type": "string", "description": "for read, write and stop"},
                "input": {"type": "string", "description": "for write: a line; \u{5c}u0004 ends the input"},
                "wait_ms": {"type": "integer", "description": "how long to wait for output, 2000 unless given"}
            },
            "required": ["action"]
        }),
        grammar: None,
    }
}

pub(super) fn title(args: &Args) -> String {
    let line = |text: &str| printable(text.trim().lines().next().unwrap_or_default().as_bytes());
    let id = args.id.as_deref().unwrap_or("a command");
    match args.action {
        Action::Start => match &args.command {
            Some(command) => format!("$ {} &", line(command)),
            None => "start a command".to_owned(),
        },
        Action::List => "list commands".to_owned(),
        Action::Read => format!("read {id}"),
        Action::Write => format!("write to {id}: {}", line(args.input.as_deref().unwrap_or_default())),
        Action::Stop => format!("stop {id}"),
    }
}

pub(super) async fn run(cx: &TurnCx, item: &Item, args: Args) -> Output {
    let ran = match args.action {
        Action::Start => start(cx, item, &args).await,
        Action::List => list(cx).await,
        Action::Read => look(cx, &args, |_| Ok(())).await,
        Action::Write => match args.input.as_deref().filter(|input| !input.is_empty()) {
            Some(input) => look(cx, &args, |command| write(command, input)).await,
            None => Ok(Output::failed("command: `input` is missing")),
        },
        Action::Stop => stop(cx, &args).await,
    };
    ran.unwrap_or_else(|error| Output {
        status: ToolStatus::Interrupted,
        ..Output::failed(format!("not done: {error}"))
    })
}

async fn start(cx: &TurnCx, item: &Item, args: &Args) -> Result<Output, TurnError> {
    let Some(line) = args.command.as_deref().filter(|line| !line.trim().is_empty()) else {
        return Ok(Output::failed("command: `command` is missing"));
    };
    // What read-only commands leave to one another is for those that end soon.
    let errand =
        Errand { command: line, cwd: args.cwd.as_deref(), write: &args.write, time_limit: None, session: None };
    let prepared = match errand::prepare(cx, item, errand).await {
        Ok(prepared) => prepared,
        Err(output) => return Ok(output),
    };
    let (command, item, cx_of_work) = (line.to_owned(), item.clone(), cx.beside(cx.cancel.clone()));
    let work = move |background: Background, input: mpsc::Receiver<Input>| {
        let cx = cx_of_work.beside(background.stopping());
        async move { work(&cx, &item, prepared, (&command, &background), input).await }.boxed()
    };
    let launch = Launch { command: line.to_owned(), work: Box::new(work) };
    match cx.launch(launch).await? {
        Ok(command) => Ok(looked(cx, &command, (Until::Answer, wait(args)), |_| Ok(())).await),
        Err(why) => Ok(Output::refused(format!("not run: {why}"))),
    }
}

/// What a command does from its beginning to its end.
async fn work(
    cx: &TurnCx,
    item: &Item,
    prepared: Prepared,
    (line, background): (&str, &Background),
    input: mpsc::Receiver<Input>,
) -> End {
    let not_begun = |why: String| End { status: NOT_BEGUN, words: format!("was not run: {why}"), lines: Vec::new() };
    let (reads, writes) = match pipe() {
        Ok(ends) => ends,
        Err(error) => return not_begun(format!("there is no pipe for its input: {error}")),
    };
    let mut on_output = |chunk: &[u8]| background.say(chunk);
    let streams = Streams { on_output: &mut on_output, input: Some(reads) };
    let mut running = std::pin::pin!(errand::run(cx, item, prepared, line, streams));
    let ran = tokio::select! {
        ran = &mut running => ran,
        () = feed(writes, input) => running.await,
    };
    match ran {
        Ok((finished, effects)) => {
            let edits = effects.edits.into_iter().map(|edit| Update::ItemEnded { item: cx.item(shown(edit)) });
            let edits: Vec<Update> = edits.collect();
            if !edits.is_empty() {
                // A session that is gone has nothing to show them in.
                let _ = cx.record(edits).await;
            }
            let words = match finished.stopped {
                Some(Stopped::Cancelled | Stopped::TimeLimit) => Some("was stopped".to_owned()),
                None => None,
            };
            let end = End::of(finished.status);
            End { words: words.unwrap_or(end.words), lines: effects.lines, ..end }
        }
        Err(error @ SandboxError::Lost(_)) => {
            let lost = "what it wrote to the workspace was not published".to_owned();
            End { status: NOT_BEGUN, words: format!("is gone: {error}"), lines: vec![lost] }
        }
        Err(error) => not_begun(error.to_string()),
    }
}

fn pipe() -> std::io::Result<(OwnedFd, pipe::Sender)> {
    let (reads, writes) = std::io::pipe()?;
    Ok((reads.into(), pipe::Sender::from_owned_fd(writes.into())?))
}

/// Hands input on until it ends, or nobody reads it.
async fn feed(mut writes: pipe::Sender, mut input: mpsc::Receiver<Input>) {
    while let Some(Input::Bytes(bytes)) = input.recv().await {
        if writes.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn list(cx: &TurnCx) -> Result<Output, TurnError> {
    let mut text = String::new();
    for command in cx.commands().await? {
        let (info, line) = (command.info(), printable(command.line().as_bytes()));
        let state = match info.exit_code {
            Some(code) => format!("ended, status {code}"),
            None => "runs".to_owned(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}: {line} ({state}, {} bytes of output, since {})",
            info.id, info.output_bytes, info.started_at
        );
    }
    if text.is_empty() {
        text.push_str("[no commands run in the background]");
    }
    Ok(Output::done(text))
}

async fn stop(cx: &TurnCx, args: &Args) -> Result<Output, TurnError> {
    let command = match named(cx, args).await? {
        Ok(command) => command,
        Err(output) => return Ok(output),
    };
    Ok(looked(cx, &command, (Until::End, STOPPING), |command| {
        command.stop(Stopper::Model);
        Ok(())
    })
    .await)
}

/// Does something to a command and tells what it says then.
async fn look(
    cx: &TurnCx,
    args: &Args,
    act: impl FnOnce(&Background) -> Result<(), String>,
) -> Result<Output, TurnError> {
    match named(cx, args).await? {
        Ok(command) => Ok(looked(cx, &command, (Until::Answer, wait(args)), act).await),
        Err(output) => Ok(output),
    }
}

async fn looked(
    cx: &TurnCx,
    command: &Background,
    wait: (Until, Duration),
    act: impl FnOnce(&Background) -> Result<(), String>,
) -> Output {
    let looking = command.look(wait, act);
    let report = tokio::select! {
        // An end that is seen here is told nowhere else.
        biased;
        report = looking => report,
        // What it said until then is told by the next look.
        () = cx.cancel.cancelled() => {
            let mut text = "[interrupted by the person]".to_owned();
            close(&mut text, command, None);
            return Output { status: ToolStatus::Interrupted, ..Output::failed(text) };
        }
    };
    match report {
        Ok(report) => {
            let mut text = said(&report);
            close(&mut text, command, report.end.as_ref());
            let exit_code = report.end.as_ref().map(|end| end.status);
            Output { exit_code, ..Output::done(text) }
        }
        Err(why) => Output::failed(format!("command: {why}")),
    }
}

/// A line of input; one that is no line becomes one, since what reads lines waits for its end.
fn write(command: &Background, input: &str) -> Result<(), String> {
    let line = if input.ends_with('\n') { input.to_owned() } else { format!("{input}\n") };
    command.write(Input::of(&line)).map_err(|error| error.to_string())
}

async fn named(cx: &TurnCx, args: &Args) -> Result<Result<Background, Output>, TurnError> {
    let Some(id) = args.id.as_deref().map(str::trim) else {
        return Ok(Err(Output::failed("command: `id` is missing")));
    };
    let commands = cx.commands().await?;
    let names: Vec<String> = commands.iter().map(|command| command.id().to_string()).collect();
    let found = commands.into_iter().find(|command| command.id().0 == id);
    Ok(found.ok_or_else(|| {
        let known =
            if names.is_empty() { "none is known".to_owned() } else { format!("known are {}", names.join(", ")) };
        Output::failed(format!(
            "command: there is no command {id:?}; {known}. Commands end with the session and with pilotfish"
        ))
    }))
}

fn wait(args: &Args) -> Duration {
    args.wait_ms.map_or(PATIENCE, Duration::from_millis).min(LONGEST)
}

fn said(report: &Report) -> String {
    let mut text = printable(&report.piece.bytes);
    if report.piece.lost > 0 {
        text.insert_str(0, &format!("[{} bytes before this were not kept]\n", report.piece.lost));
    }
    text
}

/// Adds how it stands with a command.
fn close(text: &mut String, command: &Background, end: Option<&End>) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let what = match end {
        Some(end) => end.words.as_str(),
        None if text.is_empty() => "runs; it said nothing new",
        None => "runs",
    };
    text.push_str(&format!("[{} {what}]", command.id()));
    for line in end.iter().flat_map(|end| &end.lines) {
        text.push_str(&format!("\n[{line}]"));
    }
}

#[cfg(test)]
mod tests;
