//! `shell`: a command, in the sandbox. What it may not do there it may be granted, by the person or by what they said before.

use super::{Output, place};
use crate::cx::{Need, PATH, Permission, TurnCx};
use crate::ground::{Prepared, Wanted};
use crate::model::ToolSpec;
use crate::path::AbsPath;
use crate::sandbox::{Attendance, Exit, Finished, SandboxError, Stopped, Tier};
use crate::text::excerpt::printable;
use collector::Collector;
use effects::Effects;
use pilotfish_protocol::{Item, Mode, ToolStatus};
use reach::Reach;
use serde::Deserialize;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

mod collector;
mod effects;
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
    let mode = *cx.mode.borrow();
    let cwd = match working_directory(cx, args.cwd.as_deref().unwrap_or(".")).await {
        Ok(cwd) => cwd,
        Err(problem) => return Output::failed(problem),
    };
    let paths = match granted_paths(cx, item, args, mode, &cwd).await {
        Ok(paths) => paths,
        Err(output) => return output,
    };
    let time_limit = args.timeout.map_or(cx.limits.command_time, Duration::from_secs).min(MAX_TIME);
    let wanted = Wanted {
        mode,
        workspace: cx.workspace.root().clone(),
        cwd,
        argv: vec!["bash".to_owned(), "-c".to_owned(), args.command.clone()],
        environment: cx.environment.clone(),
        time_limit: Some(time_limit),
        paths,
        session: Some(cx.session.to_string()),
        unsaved: cx.workspace.unsaved(Some(&cx.session)).await,
    };
    let ground = cx.ground.clone();
    let prepared = match tokio::task::spawn_blocking(move || ground.prepare(wanted)).await {
        Ok(Ok(prepared)) => prepared,
        Ok(Err(error)) => return Output::refused(format!("not run: {error}")),
        Err(error) => return Output::failed(format!("not run: {error}")),
    };
    let mut collector = Collector::new(cx.events.clone(), item.id.clone());
    let running = attend(cx, item, &prepared, &mut collector, &args.command);
    let (finished, early) = looks::beside(cx, prepared.publication.as_ref(), running).await;
    let finished = match finished {
        Ok(finished) => finished,
        Err(error @ SandboxError::Lost(_)) => return lost(&error, collector.text()),
        Err(error) => return Output::refused(format!("not run: {error}")),
    };
    // None where all that was written is thrown away.
    let published = match (&prepared.publication, early, &finished.tier) {
        (Some(publication), Some(early), Tier::Full) => {
            Some(effects::publish(cx, item, &args.command, publication.clone(), early).await)
        }
        (Some(_), None, Tier::Full) => Some(Effects::line("not written: the workspace is closed".to_owned())),
        (None, _, Tier::Full) => None,
        (_, _, Tier::Weak { reason }) => {
            Some(Effects::line(format!("commands can write nothing on this machine: {reason}")))
        }
    };
    let settle = move || {
        let in_vain = prepared.wrote_in_vain();
        prepared.settle();
        in_vain
    };
    let in_vain = tokio::task::spawn_blocking(settle).await.unwrap_or(false);
    if cx.workspace.files().problem().is_some() {
        // What the command changed was not seen where it is not watched.
        cx.workspace.files().rescan().await;
    }
    let effects = published.unwrap_or_else(|| discarded(cx, in_vain));
    report(&finished, collector.text(), effects, time_limit)
}

/// Runs it to its end, while hosts that it wants are asked for.
async fn attend(
    cx: &TurnCx,
    item: &Item,
    prepared: &Prepared,
    collector: &mut Collector,
    command: &str,
) -> Result<Finished, SandboxError> {
    let stop = cx.cancel.child_token();
    let mut reach = Reach::new();
    let mut on_output = |chunk: &[u8]| collector.take(chunk);
    let mut attendance = Attendance::new(&stop, &mut on_output);
    attendance.on_listener = Some(reach.on_listener(cx.names.clone()));
    attendance.paused = Some(reach.paused());
    let cwd = prepared.spec.cwd.to_string();
    let mut running = std::pin::pin!(cx.sandbox.run(&prepared.spec, attendance));
    let mut answering = std::pin::pin!(reach.answer(cx, &item.id, command, &cwd));
    loop {
        tokio::select! {
            finished = &mut running => return finished,
            // Only this command is to stop. Its end is awaited, so that nothing of it is left when the turn goes on.
            () = cx.stop_command.notified() => stop.cancel(),
            () = &mut answering => {}
        }
    }
}

/// The paths outside the workspace that the command may write to; or the output of one that may not be run.
async fn granted_paths(
    cx: &TurnCx,
    item: &Item,
    args: &Args,
    mode: Mode,
    cwd: &AbsPath,
) -> Result<Vec<PathBuf>, Output> {
    let paths = cx.beyond.paths.iter().filter(|_| mode == Mode::Agent).map(|path| path.as_path().to_owned());
    let mut paths: Vec<PathBuf> = paths.collect();
    let mut asked = Vec::new();
    for path in canonical(args.write.clone()).await.map_err(Output::failed)? {
        let is_granted = |granted: &PathBuf| path.as_path().starts_with(granted);
        if !path.as_path().starts_with(cx.workspace.root().as_path()) && !paths.iter().any(is_granted) {
            asked.push(path);
        }
    }
    if asked.is_empty() {
        return Ok(paths);
    }
    if mode == Mode::ReadOnly {
        return Err(Output::refused("refused: in read-only mode nothing outside the workspace is written"));
    }
    let names: Vec<String> = asked.iter().map(ToString::to_string).collect();
    let need = Need {
        item: &item.id,
        command: Some(&args.command),
        grants: names.iter().map(|name| format!("{PATH}{name}")).collect(),
        title: format!("let a command write to {}", names.join(", ")),
        detail: args.command.clone(),
        cwd: cwd.to_string(),
        reason: format!("it wants to write outside the workspace: {}", names.join(", ")),
        edits: Vec::new(),
    };
    match cx.permit(need).await {
        Ok(Permission::Granted { by: _ }) => {
            paths.extend(asked.into_iter().map(|path| path.as_path().to_owned()));
            Ok(paths)
        }
        Ok(Permission::Denied { why }) => Err(Output::refused(format!("refused: {why}"))),
        Err(error) => Err(Output { status: ToolStatus::Interrupted, ..Output::failed(format!("not run: {error}")) }),
    }
}

fn discarded(cx: &TurnCx, in_vain: bool) -> Effects {
    if let Some(problem) = cx.ground.problem() {
        return Effects::line(format!("commands can write nothing on this machine: {problem}"));
    }
    if in_vain {
        return Effects::line("read-only mode: what it wrote to the workspace was thrown away".to_owned());
    }
    Effects::default()
}

/// Paths as models write them, without links; or why one of them is none.
async fn canonical(paths: Vec<String>) -> Result<Vec<AbsPath>, String> {
    let canonical = move || paths.iter().map(|path| AbsPath::canonical(path)).collect::<Result<Vec<_>, _>>();
    let paths = tokio::task::spawn_blocking(canonical).await.map_err(|error| error.to_string())?;
    paths.map_err(|error| error.to_string())
}

async fn working_directory(cx: &TurnCx, path: &str) -> Result<AbsPath, String> {
    let path = place::rooted(cx, path)?;
    let root = cx.workspace.root().clone();
    let find = move || {
        let real = place::beneath(&root, &path)?;
        if !real.is_dir() {
            return Err(format!("{path} is not a folder"));
        }
        AbsPath::new(real).map_err(|error| error.to_string())
    };
    tokio::task::spawn_blocking(find).await.map_err(|error| error.to_string())?
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
