//! From starting the program to the answer of `initialize`.

use crate::daemon::{Daemon, milliseconds};
use crate::floor::BARE_SERVER;
use crate::table::{Row, Table, Unit};
use std::path::Path;
use std::time::Instant;
use tokio::process::Command;

const RUNS: usize = 30;

/// Measures starting with and without state, and a bare process.
pub async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let kept = tempfile::tempdir()?;
    start(kept.path()).await?;
    let (mut bare, mut present, mut absent) = (Vec::new(), Vec::new(), Vec::new());
    // In turns, so that all meet the same machine.
    for _ in 0..RUNS {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(BARE_SERVER);
        bare.push(time(command).await?);
        present.push(start(kept.path()).await?);
        absent.push(start(&tempfile::tempdir()?.path().join("home")).await?);
    }
    let name = "a bare tokio process";
    table.add(
        Row::new("start → initialize, state present", Unit::Milliseconds, present).goal(15.0).against(name, &bare),
    );
    table.add(Row::new("start → initialize, no state yet", Unit::Milliseconds, absent).against(name, &bare));
    Ok(())
}

async fn start(home: &Path) -> anyhow::Result<f64> {
    let mut command = Command::new(pilotfish_tests::bins::pilotfish());
    command.args(["lsp", "--stdio"]).env("PILOTFISH_HOME", home);
    time(command).await
}

async fn time(command: Command) -> anyhow::Result<f64> {
    let started = Instant::now();
    let mut daemon = Daemon::of(command)?;
    daemon.client.initialize().await;
    let answered = started.elapsed();
    daemon.shut_down().await?;
    Ok(milliseconds(answered))
}
