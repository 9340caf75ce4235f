//! From asking to stop to the end of the turn, and what is left running then.

use crate::daemon::{Rig, failed, milliseconds};
use crate::table::{Row, Table, Unit};
use pilotfish_tests::fake_model::answer;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

const RUNS: usize = 30;

/// How long a running command may stay out of sight.
const PATIENCE: Duration = Duration::from_secs(5);

/// Measures stopping while the model is silent, and while a command runs.
pub async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let mut rig = Rig::start().await?;
    let mut silent = Vec::new();
    for _ in 0..RUNS {
        rig.model.answers(answer().says("Well").hangs());
        silent.push(interrupt(&mut rig, || Ok(())).await?);
    }
    rig.renew().await?;
    // Nobody else sleeps as long.
    let mark = format!("{}", 86_400_000 + u64::from(std::process::id()));
    let (mut busy, mut left) = (Vec::new(), 0);
    for _ in 0..RUNS {
        let command = format!("sleep {mark} & echo up; sleep {mark}");
        rig.model.answers(answer().calls("shell", json!({"command": command})));
        let is_up = || {
            // Without this, none that are left would mean nothing.
            let begun = Instant::now();
            while processes(&mark)? == 0 {
                anyhow::ensure!(begun.elapsed() < PATIENCE, "a command that spoke is in no process table");
            }
            Ok(())
        };
        busy.push(interrupt(&mut rig, is_up).await?);
        left += processes(&mark)?;
    }
    rig.shut_down().await?;
    table.add(Row::new("cancel → turn end, the model silent", Unit::Milliseconds, silent).goal(3.0));
    table.add(Row::new("cancel → turn end, a command running", Unit::Milliseconds, busy).goal(3.0));
    table.remark(format!("{left} processes of {RUNS} cancelled commands were left when their turn had ended"));
    Ok(())
}

/// Starts a turn, waits for its first words, looks whether all is as it should be, and stops it.
async fn interrupt(rig: &mut Rig, check: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (_, asked) = rig.prompt("Take your time.").await;
    rig.delta().await;
    check()?;
    let params = json!({"sessionId": rig.session, "scope": "turn"});
    let sent = Instant::now();
    let stopped = rig.daemon.client.ask("session/interrupt", params).await;
    let (ended, _) = rig.turn_end(asked).await?;
    rig.daemon.client.answer::<Value>(stopped).await.map_err(failed)?;
    Ok(milliseconds(ended - sent))
}

/// How many processes of this machine have `mark` in their command line.
fn processes(mark: &str) -> anyhow::Result<usize> {
    let mut count = 0;
    for process in fs::read_dir("/proc")? {
        // Others come and go while we look.
        let line = fs::read(process?.path().join("cmdline")).unwrap_or_default();
        count += usize::from(String::from_utf8_lossy(&line).contains(mark));
    }
    Ok(count)
}
