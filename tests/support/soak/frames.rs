//! Frames that no client should send, so many that every part of the door has met most kinds of damage. A panic or a hang of a connection ends
//! the run.

use super::process::Process;
use crate::daemon::TestDaemon;
use crate::fake_model::FakeModel;
use crate::mutate;
use pilotfish::config::Dialect;
use pilotfish_protocol::SessionList;
use serde_json::json;
use std::time::{Duration, Instant};

/// Frames for one daemon: its journal is in memory, and what undamaged frames ask for stays in there.
const PER_DAEMON: usize = 100_000;

/// How many.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Frames.
    pub frames: usize,
    /// What the damage is rolled from.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Figures {
    /// The most resident memory of this process, which holds both sides, in bytes.
    pub peak: u64,
    /// The longest that a daemon took, after a storm, to list its sessions.
    pub slowest: Duration,
}

/// Sends so many.
///
/// # Errors
/// When a daemon does not answer afterwards.
///
/// # Panics
/// When a connection panics or hangs.
pub async fn run(size: Size) -> anyhow::Result<Figures> {
    let own = Process::own()?;
    own.forget_peak()?;
    let mut slowest = Duration::ZERO;
    let mut left = size.frames;
    while left > 0 {
        // It is gone before it is asked: turns fail, as they do without a network.
        let model = FakeModel::start(Dialect::Chat).await;
        let daemon = TestDaemon::asking(&model);
        drop(model);
        let mut client = daemon.client().await;
        let session = daemon.session(&mut client).await;
        client.ignore_rest();
        let corpus = mutate::corpus(&session.id.0, daemon.workspace.path());
        let frames = left.min(PER_DAEMON);
        mutate::storm(&daemon, &corpus, frames, size.seed.wrapping_add(left as u64)).await;
        left -= frames;
        let asked = Instant::now();
        let list = client.request::<SessionList>("session/list", json!({})).await;
        list.map_err(|failure| anyhow::anyhow!("the daemon does not answer: {}", failure.message))?;
        slowest = slowest.max(asked.elapsed());
        daemon.hub.shutdown().await;
    }
    Ok(Figures { peak: own.peak()?, slowest })
}
