//! `pilotfish demo`: the main job with nothing configured. One true turn over a small project, in a sandbox, with a model that is a
//! script; what came of it is then looked at from outside, and the program's status says whether all of it was as it should be.

use crate::cli::exec::drive::{self, Driven};
use crate::cli::exec::question::OnQuestion;
use crate::cli::exec::transcript::Transcript;
use crate::cli::exec::{self, open_folder};
use crate::cli::terminal::{Looks, Screen};
use crate::cli::{FAILED, daemon};
use crate::clock::Clock;
use crate::config::{Environment, Home, private_directory};
use crate::door::client::Opening;
use crate::hub::Hub;
use crate::sandbox::{Attendance, Confinement, Exit, Spec, spec_env};
use anyhow::Context;
use endpoint::{Endpoint, Pace};
use pilotfish_protocol::{Mode, StopReason};
use project::{Kind, Place};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use witness::{Finding, Witness};

mod endpoint;
mod page;
mod project;
mod script;
mod witness;

/// Where `--serve` answers when nobody else does there, so that a configuration stays good for the next time.
const SERVE_PORT: u16 = 17_717;

/// What the person would have typed.
const PROMPT: &str = "A test of this project fails. Find out why, and mend it.";

/// Show the agent at work, with nothing configured and a scripted model
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep the scripted model up instead, for an editor to use, and print the configuration for it
    #[arg(long)]
    serve: bool,
    /// Where to lay out the project: a folder that does not exist or is empty; a new temporary one unless given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs the demo. The status is 0 only when the sandbox held, the tests failed before the change and passed after it.
///
/// # Errors
/// When the project could not be laid out or the turn not be started.
pub async fn run(args: Args, environment: Environment) -> anyhow::Result<u8> {
    let folder = fresh_folder(args.dir.as_deref())?;
    let place = Place::below(&folder);
    private_directory(&place.home).with_context(|| format!("cannot make {}", place.home.display()))?;
    let port = if args.serve { SERVE_PORT } else { 0 };
    let endpoint = Endpoint::start(port, Pace::HUMAN).await?;
    let looks = Looks::of(&environment);
    let mut screen = Screen::new(looks);
    if args.serve {
        place.lay_out(if has_cargo(&environment) { Kind::Rust } else { Kind::Shell })?;
        let config = Home::of(&environment)?.config_file();
        return serve(&mut screen, &endpoint, &place, &config).await;
    }
    let home = Home { config: place.home.clone(), state: place.home.join("state"), runtime: place.home.join("run") };
    project::write(&home.config_file(), &endpoint.config())?;
    let hub = daemon::build(&home, environment.clone()).await?;
    let confinement = check(&hub).await?;
    let kind = choose(&hub, &place, &environment, &confinement).await?;
    place.lay_out(kind)?;
    screen.print(&page::beginning(&looks, &place, kind, &endpoint, &confinement, PROMPT))?;
    let opening = Opening { workspace: open_folder(&place.project)?.to_string(), mode: Mode::Agent, model: None };
    let mut witness = Witness::new(Transcript::new(screen, Some(witness::is_telling)), kind, endpoint.bait);
    let client = daemon::client_within(&hub, environment.clone()).await?;
    let driven = drive::turn(&client, opening, PROMPT.to_owned(), OnQuestion::Stop, &mut witness).await;
    hub.shutdown().await;
    let driven = driven?;
    let mut screen = Screen::new(looks);
    if driven == Driven::Ended(StopReason::Interrupted) {
        return Ok(exec::status(&driven));
    }
    let findings = witness.findings(&driven, &place, &endpoint, &confinement);
    screen.print(&page::end(&looks, &findings, &confinement, &Home::of(&environment).ok(), &folder))?;
    Ok(if findings.iter().all(Finding::is_good) { 0 } else { FAILED })
}

/// Answers until it is interrupted.
async fn serve(screen: &mut Screen, endpoint: &Endpoint, place: &Place, config: &Path) -> anyhow::Result<u8> {
    screen.print(&page::serving(&screen.looks(), endpoint, place, config))?;
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            done = &mut interrupted => {
                done?;
                screen.end_line()?;
                return Ok(0);
            }
            _ = tick.tick() => screen.show_status(&format!("  {} requests answered", endpoint.requests())),
        }
    }
}

/// A new folder, which only its owner can look into.
fn fresh_folder(said: Option<&Path>) -> anyhow::Result<PathBuf> {
    let folder = match said {
        Some(folder) => folder.to_owned(),
        None => {
            let id = Clock::system().session_id().0;
            let tail: String = id.chars().rev().take(8).collect();
            std::env::temp_dir().join(format!("pilotfish-demo-{tail}"))
        }
    };
    private_directory(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = folder.canonicalize().with_context(|| format!("cannot open {}", folder.display()))?;
    let is_empty =
        std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?.next().is_none();
    anyhow::ensure!(is_empty, "{} is not empty; name a folder that is, or that does not exist", folder.display());
    Ok(folder)
}

async fn check(hub: &Hub) -> anyhow::Result<Confinement> {
    let sandbox = hub.sandbox().clone();
    Ok(tokio::task::spawn_blocking(move || sandbox.check()).await?)
}

/// The Rust project when its tools can be run where its tests will be.
async fn choose(
    hub: &Hub,
    place: &Place,
    environment: &Environment,
    confinement: &Confinement,
) -> anyhow::Result<Kind> {
    if !has_cargo(environment) {
        return Ok(Kind::Shell);
    }
    if *confinement != Confinement::Confined {
        return Ok(Kind::Rust);
    }
    std::fs::create_dir_all(&place.project)?;
    let project = open_folder(&place.project)?;
    let spec = Spec {
        mode: Mode::ReadOnly,
        cwd: project.clone(),
        workspace: project,
        argv: ["sh", "-c", "cargo --version && cc --version"].map(str::to_owned).into(),
        env: spec_env(environment, Mode::ReadOnly),
        time_limit: Some(Duration::from_secs(5)),
        layers: Vec::new(),
        proxy: false,
        grants_paths: Vec::new(),
    };
    let ran = hub.sandbox().run(&spec, Attendance::new(&CancellationToken::new(), &mut |_| {})).await;
    Ok(if ran.is_ok_and(|finished| finished.status == Exit::Code(0)) { Kind::Rust } else { Kind::Shell })
}

fn has_cargo(environment: &Environment) -> bool {
    let path = environment.get("PATH").map_or("", String::as_str);
    path.split(':').filter(|folder| folder.starts_with('/')).any(|folder| Path::new(folder).join("cargo").is_file())
}
