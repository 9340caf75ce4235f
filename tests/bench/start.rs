//! From starting the program to the answer of `initialize`.

use crate::daemon::{Daemon, Server, milliseconds, shim};
use crate::floor::BARE_SERVER;
use crate::table::{Row, Table, Unit};
use std::path::Path;
use std::time::Instant;
use tokio::process::Command;

const RUNS: usize = 30;

/// Measures connecting to a running daemon, starting one with and without state, and a bare process.
pub async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let (kept, served) = (tempfile::tempdir()?, tempfile::tempdir()?);
    start(kept.path()).await?;
    let server = Server::start(served.path())?;
    let (mut bare, mut running, mut present, mut absent) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // In turns, so that all meet the same machine.
    for _ in 0..RUNS {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(BARE_SERVER);
        bare.push(time(command).await?);
        running.push(time(shim(served.path())).await?);
        present.push(start(kept.path()).await?);
        absent.push(start(&tempfile::tempdir()?.path().join("home")).await?);
    }
    drop(server);
    let name = "a bare tokio process";
    let row = |title: &str, times| Row::new(title, Unit::Milliseconds, times).against(name, &bare);
    table.add(row("start → initialize, daemon running", running).goal(4.0));
    table.add(row("start → initialize, none running, state present", present).goal(15.0));
    table.add(row("start → initialize, none running, no state yet", absent));
    Ok(())
}

/// With a daemon that has to be started, and is ended again.
async fn start(home: &Path) -> anyhow::Result<f64> {
    let time = time(shim(home)).await?;
    let mut stop = Command::new(pilotfish_tests::bins::pilotfish());
    let status = stop.arg("stop").env("PILOTFISH_HOME", home).status().await?;
    anyhow::ensure!(status.success(), "the daemon did not end");
    Ok(time)
}

async fn time(command: Command) -> anyhow::Result<f64> {
    let started = Instant::now();
    let mut daemon = Daemon::of(command)?;
    daemon.client.initialize().await;
    let answered = started.elapsed();
    daemon.shut_down().await?;
    Ok(milliseconds(answered))
}
