//! One command from what a call wants of it to what becomes of its writes. `shell` and `command` share it: it knows neither, and tells
//! nobody.

use super::super::{Output, place};
use super::effects::{self, Effects};
use super::looks;
use super::reach::Reach;
use crate::cx::{Need, PATH, Permission, TurnCx};
use crate::ground::{Prepared, Wanted};
use crate::path::AbsPath;
use crate::sandbox::{Attendance, Finished, SandboxError, Tier};
use pilotfish_protocol::{Item, Mode, ToolStatus};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

/// What a call wants.
pub(in crate::tool) struct Errand<'a> {
    /// The command line, for bash.
    pub(in crate::tool) command: &'a str,
    /// A folder of the workspace, as the model writes it; its root when missing.
    pub(in crate::tool) cwd: Option<&'a str>,
    /// Paths outside the workspace that it wants to write to.
    pub(in crate::tool) write: &'a [String],
    /// When it is stopped.
    pub(in crate::tool) time_limit: Option<Duration>,
    /// The session whose read-only commands leave the results of builds to one another.
    pub(in crate::tool) session: Option<String>,
}

/// Where its streams go.
pub(in crate::tool) struct Streams<'a> {
    /// Gets what it writes.
    pub(in crate::tool) on_output: &'a mut (dyn FnMut(&[u8]) + Send),
    /// What it reads; nothing when missing.
    pub(in crate::tool) input: Option<OwnedFd>,
}

/// Asks for what it needs beforehand and makes its folders; or the output of a call that may not be run.
pub(in crate::tool) async fn prepare(cx: &TurnCx, item: &Item, errand: Errand<'_>) -> Result<Prepared, Output> {
    let mode = *cx.mode.borrow();
    let cwd = working_directory(cx, errand.cwd.unwrap_or(".")).await.map_err(Output::failed)?;
    let paths = granted_paths(cx, item, &errand, mode, &cwd).await?;
    let wanted = Wanted {
        mode,
        workspace: cx.workspace.root().clone(),
        cwd,
        argv: vec!["bash".to_owned(), "-c".to_owned(), errand.command.to_owned()],
        environment: cx.environment.clone(),
        time_limit: errand.time_limit,
        paths,
        session: errand.session,
        unsaved: cx.workspace.unsaved(Some(&cx.session)).await,
    };
    let ground = cx.ground.clone();
    match tokio::task::spawn_blocking(move || ground.prepare(wanted)).await {
        Ok(Ok(prepared)) => Ok(prepared),
        Ok(Err(error)) => Err(Output::refused(format!("not run: {error}"))),
        Err(error) => Err(Output::failed(format!("not run: {error}"))),
    }
}

/// Runs it to its end and publishes what it wrote.
pub(in crate::tool) async fn run(
    cx: &TurnCx,
    item: &Item,
    prepared: Prepared,
    command: &str,
    streams: Streams<'_>,
) -> Result<(Finished, Effects), SandboxError> {
    let running = attend(cx, item, &prepared, streams, command);
    let (finished, early) = looks::beside(cx, prepared.publication.as_ref(), running).await;
    let finished = finished?;
    // None where all that was written is thrown away.
    let published = match (&prepared.publication, early, &finished.tier) {
        (Some(publication), Some(early), Tier::Full) => {
            Some(effects::publish(cx, item, command, publication.clone(), early).await)
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
    Ok((finished, published.unwrap_or_else(|| discarded(cx, in_vain))))
}

/// Runs it to its end, while hosts that it wants are asked for.
async fn attend(
    cx: &TurnCx,
    item: &Item,
    prepared: &Prepared,
    streams: Streams<'_>,
    command: &str,
) -> Result<Finished, SandboxError> {
    let stop = cx.cancel.child_token();
    let mut reach = Reach::new();
    let mut attendance = Attendance::new(&stop, streams.on_output);
    attendance.input = streams.input;
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
    errand: &Errand<'_>,
    mode: Mode,
    cwd: &AbsPath,
) -> Result<Vec<PathBuf>, Output> {
    let paths = cx.beyond.paths.iter().filter(|_| mode == Mode::Agent).map(|path| path.as_path().to_owned());
    let mut paths: Vec<PathBuf> = paths.collect();
    let mut asked = Vec::new();
    for path in canonical(errand.write.to_vec()).await.map_err(Output::failed)? {
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
        command: Some(errand.command),
        grants: names.iter().map(|name| format!("{PATH}{name}")).collect(),
        title: format!("let a command write to {}", names.join(", ")),
        detail: errand.command.to_owned(),
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
