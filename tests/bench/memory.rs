//! What the daemon takes while it does nothing, and what a session adds.

use crate::daemon::{Daemon, configure, open};
use crate::table::{Row, Table, Unit};
use std::time::Duration;

/// Daemons that are asked.
const RUNS: usize = 3;
/// Sessions after which growth is measured.
const SOME: u32 = 200;
/// Sessions in all.
const MANY: u32 = 1000;
/// Until what the start left to do is done.
const MOMENT: Duration = Duration::from_millis(500);

/// Measures memory, threads and wake-ups.
pub async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let (home, workspace) = (tempfile::tempdir()?, tempfile::tempdir()?);
    // No model is asked for anything.
    configure(home.path(), "http://127.0.0.1:9/v1")?;
    let (mut idle, mut own, mut threads) = (Vec::new(), Vec::new(), Vec::new());
    let (mut growth, mut many, mut wakeups) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut daemon = Daemon::start(home.path())?;
        daemon.client.initialize().await;
        tokio::time::sleep(MOMENT).await;
        let before = daemon.resident()?;
        idle.push(mebibytes(before));
        own.push(mebibytes(daemon.status("RssAnon")? << 10));
        threads.push(mebibytes(daemon.status("Threads")? << 20));
        for _ in 0..SOME {
            open(&mut daemon.client, workspace.path()).await?;
        }
        tokio::time::sleep(MOMENT).await;
        growth.push(mebibytes(daemon.resident()?.saturating_sub(before)) * 1024.0 / f64::from(SOME));
        for _ in SOME..MANY {
            open(&mut daemon.client, workspace.path()).await?;
        }
        tokio::time::sleep(MOMENT).await;
        many.push(mebibytes(daemon.resident()?));
        let woken = daemon.wakeups()?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        wakeups.push(mebibytes((daemon.wakeups()? - woken) << 20));
        daemon.shut_down().await?;
    }
    table.add(Row::new("idle memory", Unit::Mebibytes, idle).goal(12.0));
    table.add(Row::new("  of it not backed by files", Unit::Mebibytes, own));
    table.add(Row::new("threads", Unit::Count, threads).goal(8.0));
    table.add(Row::new(format!("growth per open session ({SOME})"), Unit::Kibibytes, growth).goal(30.0));
    table.add(Row::new(format!("memory with {MANY} sessions open"), Unit::Mebibytes, many).goal(64.0));
    table.add(Row::new(format!("wake-ups in a second, {MANY} idle sessions"), Unit::Count, wakeups));
    Ok(())
}

/// Of bytes.
#[expect(clippy::cast_precision_loss, reason = "the table shows three digits")]
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
