//! From asking to stop to the end of the turn, and what is left running then.

use crate::daemon::{Rig, failed, milliseconds};
use crate::table::{Row, Table, Unit};
use pilotfish_tests::fake_model::answer;
use serde_json::{Value, json};
use std::fs;
use std::time::Instant;

const RUNS: usize = 30;

/// Measures stopping while the model is silent, and while a command runs.
pub async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let mut rig = Rig::start().await?;
    let mut silent = Vec::new();
    for _ in 0..RUNS {
        rig.model.answers(answer().says("Well").hangs());
        silent.push(interrupt(&mut rig).await?);
    }
    rig.renew().await?;
    // Nobody else sleeps as long.
    let mark = format!("{}", 86_400_000 + u64::from(std::process::id()));
    let (mut busy, mut left) = (Vec::new(), 0);
    for _ in 0..RUNS {
        let command = format!("sleep {mark} & echo up; sleep {mark}");
        rig.model.answers(answer().calls("shell", json!({"command": command})));
        busy.push(interrupt(&mut rig).await?);
        left += processes(&mark)?;
    }
    rig.shut_down().await?;
    table.add(Row::new("cancel → turn end, the model silent", Unit::Milliseconds, silent).goal(3.0));
    table.add(Row::new("cancel → turn end, a command running", Unit::Milliseconds, busy).goal(3.0));
    table.remark(format!("{left} processes of {RUNS} cancelled commands were left when their turn had ended"));
    Ok(())
}

/// Starts a turn, waits for its first words and stops it.
async fn interrupt(rig: &mut Rig) -> anyhow::Result<f64> {
    let (_, asked) = rig.prompt("Take your time.").await;
    rig.delta().await;
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
