//! The daemon's parts, put together. The same for every way in; it decides nothing.

use crate::cli::Environment;
use crate::clock::Clock;
use crate::config::{ConfigSource, Home, private_directory};
use crate::hub::Hub;
use crate::journal::Journal;
use crate::model::http::Http;
use crate::sandbox::Sandbox;
use crate::session::{Parts, Workspaces};
use crate::trace;
use anyhow::Context;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Changes of session headers that a list may be late by.
const CHANGES: usize = 256;

/// A hub over a person's files. Inside a runtime.
///
/// # Errors
/// When there is no place for our files, or the sandbox program is missing.
#[expect(clippy::unused_async, reason = "a hub can only be made where a runtime is, and this says so")]
pub async fn build(home: &Home, environment: Environment) -> anyhow::Result<Hub> {
    private_directory(&home.state).with_context(|| format!("cannot make {}", home.state.display()))?;
    trace::start(home, environment.get("PILOTFISH_LOG").map(String::as_str));
    let (changed, _) = broadcast::channel(CHANGES);
    Ok(Hub::new(Parts {
        clock: Clock::system(),
        journal: Journal::open(&home.state)?,
        config: ConfigSource::new(home.clone()),
        connect: Arc::new(Http::new()),
        sandbox: Sandbox::find().context("pilotfish is not installed whole")?,
        environment,
        changed,
        workspaces: Workspaces::default(),
    }))
}
