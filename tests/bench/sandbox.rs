//! The sandbox alone: a program that does nothing, run in it.

use crate::daemon::milliseconds;
use crate::floor;
use crate::table::{Row, Table, Unit, median};
use pilotfish::path::AbsPath;
use pilotfish::sandbox::{Attendance, Confinement, Exit, Sandbox, Scratch, Spec};
use pilotfish_protocol::Mode;
use pilotfish_tests::bins;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

const RUNS: usize = 40;

/// What bubblewrap is asked to do: its namespaces and a read-only view, which is less than ours.
const BUBBLEWRAP: &[&str] = &[
    "bwrap",
    "--unshare-all",
    "--die-with-parent",
    "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    "--tmpfs",
    "/tmp",
    "true",
];

/// Measures both modes, and bubblewrap where it is installed.
pub async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let sandbox = Sandbox::open(&bins::pilotfish_sandbox())?;
    match sandbox.check() {
        Confinement::Confined => {}
        Confinement::Weak { reason, .. } | Confinement::Refused { reason, .. } => {
            table.remark(format!("sandbox: not measured here, {reason}"));
            return Ok(());
        }
    }
    let folder = tempfile::tempdir()?;
    let state = tempfile::tempdir()?;
    let scratch = Scratch::open(state.path())?;
    let (mut agent, mut read_only, mut others) = (Vec::new(), Vec::new(), Vec::new());
    // In turns, so that all meet the same machine.
    for _ in 0..RUNS {
        agent.push(run(&sandbox, &scratch, folder.path(), Mode::Agent).await?);
        read_only.push(run(&sandbox, &scratch, folder.path(), Mode::ReadOnly).await?);
        others.extend(floor::program(BUBBLEWRAP, 1).await?);
    }
    let goal = if others.is_empty() { 6.0 } else { 2.0 * median(&others) };
    if others.is_empty() {
        table.remark("bwrap: not here (Debian package bubblewrap), so the sandbox is held to 6 ms");
    }
    for (mode, samples) in [(Mode::Agent, agent), (Mode::ReadOnly, read_only)] {
        let row = Row::new(format!("sandbox alone, {mode}"), Unit::Milliseconds, samples);
        table.add(row.goal(goal).against("bwrap", &others));
    }
    Ok(())
}

async fn run(sandbox: &Sandbox, scratch: &Scratch, folder: &std::path::Path, mode: Mode) -> anyhow::Result<f64> {
    let workspace = AbsPath::new(folder.canonicalize()?)?;
    let env = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned()), ("HOME".to_owned(), "/root".to_owned())];
    let started = Instant::now();
    let run = scratch.run()?;
    let spec = Spec {
        mode,
        cwd: workspace.clone(),
        layers: vec![run.layer(0, workspace.as_path())?],
        workspace,
        argv: vec!["true".to_owned()],
        env,
        time_limit: None,
        proxy: false,
        grants_paths: Vec::new(),
    };
    let finished = sandbox.run(&spec, Attendance::new(&CancellationToken::new(), &mut |_| {})).await?;
    drop(run);
    let took = milliseconds(started.elapsed());
    anyhow::ensure!(finished.status == Exit::Code(0), "`true` ended with {:?}", finished.status);
    Ok(took)
}
