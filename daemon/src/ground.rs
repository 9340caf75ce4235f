//! One command, from the place it works in to what it leaves: what it sees of the project, where its writes go, and what is to be published
//! of them. The agent's commands and `pilotfish sandbox` share it. It runs nothing and asks nobody: who uses it does.

use crate::path::AbsPath;
use crate::sandbox::scratch::Run;
use crate::sandbox::{Layer, Scratch, ScratchError, Spec, spec_env};
use crate::workspace::layers::{self, LayerPlan};
use crate::workspace::publish::{self, Publication, Seeds, Stamp};
use crate::workspace::{Unsaved, git, passthrough};
use pilotfish_protocol::Mode;
use seeds::{Field, Places, Sown};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

mod seeds;

/// What is to be run, and where.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What it may do.
    pub mode: Mode,
    /// The folder that is open.
    pub workspace: AbsPath,
    /// Where it starts; the workspace or a folder below it.
    pub cwd: AbsPath,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The person's environment, of which a part passes.
    pub environment: Arc<BTreeMap<String, String>>,
    /// When it is stopped.
    pub time_limit: Option<Duration>,
    /// Paths outside the workspace that it may write to.
    pub paths: Vec<PathBuf>,
    /// The session whose read-only commands leave the results of builds to one another.
    pub session: Option<String>,
    /// What it is to see otherwise than it is on the disk.
    pub unsaved: Unsaved,
}

/// Where the writes of commands go, and what we keep of publishing them.
#[derive(Debug, Clone)]
pub struct Ground {
    scratch: Result<Scratch, Arc<ScratchError>>,
    sown: Sown,
}

/// A command that can be run.
#[derive(Debug)]
pub struct Prepared {
    /// What to run, and in what cage.
    pub spec: Spec,
    /// What is to be published when it has ended; nothing in read-only mode, or where nothing can be written.
    pub publication: Option<Arc<Publication>>,
    run: Option<Run>,
    /// What was put where before it ran.
    places: Places,
}

impl Ground {
    /// Below our state directory, or in memory where that cannot hold what commands write. What a killed daemon or run left is removed,
    /// also from the folders it published to.
    #[must_use]
    pub fn open(state: &Path) -> Self {
        let scratch = Scratch::open(&state.join("scratch"));
        match &scratch {
            Ok(scratch) => {
                publish::sweep(scratch.root());
                if let Err(error) = scratch.sweep() {
                    tracing::warn!(%error, "could not remove what an earlier run left");
                }
            }
            Err(error) => tracing::warn!(%error, "commands can read, but write nothing"),
        }
        Self { scratch: scratch.map_err(Arc::new), sown: Sown::default() }
    }

    /// Removes, beside what [`Ground::open`] does, what sessions of daemons that are gone left. For the one daemon.
    pub fn sweep(&self) {
        if let Ok(scratch) = &self.scratch
            && let Err(error) = scratch.sweep_sessions()
        {
            tracing::warn!(%error, "could not remove what earlier sessions left");
        }
    }

    /// Why commands can write nothing here, if they cannot.
    #[must_use]
    pub fn problem(&self) -> Option<&ScratchError> {
        self.scratch.as_ref().err().map(Arc::as_ref)
    }

    /// Looks at the project and makes the folders. Blocks for some file system calls.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn prepare(&self, wanted: Wanted) -> Result<Prepared, ScratchError> {
        let Wanted { mode, workspace, cwd, argv, environment, time_limit, paths, session, unsaved } = wanted;
        let home = environment.get("HOME").map(Path::new);
        let repository = git::find(&workspace, home);
        let mut env = spec_env(&environment, mode);
        env.extend(git::identity(&environment, repository.as_ref()));
        let mut spec = Spec {
            mode,
            workspace: workspace.clone(),
            cwd: cwd.clone(),
            argv,
            env,
            time_limit,
            layers: Vec::new(),
            proxy: mode == Mode::Agent,
            grants_paths: paths,
        };
        // Without a place for its writes the command reads.
        let Ok(scratch) = &self.scratch else {
            return Ok(Prepared { spec, publication: None, run: None, places: Places::new() });
        };
        let run = match (mode, &session) {
            (Mode::ReadOnly, Some(session)) => scratch.session(session)?,
            (Mode::ReadOnly, None) | (Mode::Agent, _) => scratch.run()?,
        };
        let plans = layers::plan(&workspace, &cwd, mode, repository.as_ref());
        for (number, plan) in plans.iter().enumerate() {
            spec.layers.push(layer(&run, number, plan)?);
        }
        let session = session.as_deref();
        let field = Field { workspace: &workspace, plans: &plans, run: &run, mode, session };
        let places = self.sown.sow(&field, &unsaved);
        let seen = |(place, text): (&(usize, PathBuf), &Option<Arc<[u8]>>)| Some((place.clone(), text.clone()?));
        let seeds: Seeds = places.iter().filter_map(seen).collect();
        let publication = match mode {
            Mode::ReadOnly => None,
            Mode::Agent => Some(Arc::new(publication(workspace, plans, seeds, &run, scratch.root())?)),
        };
        Ok(Prepared { spec, publication, run: Some(run), places })
    }
}

impl Prepared {
    /// Whether it wrote something to the project that is not published: in read-only mode what it wrote, but for results of builds.
    #[must_use]
    pub fn wrote_in_vain(&self) -> bool {
        let (None, Some(run)) = (&self.publication, &self.run) else { return false };
        seeds::is_written((0, &run.upper(0)), Path::new(""), &self.places, &is_built)
    }

    /// Ends it, when all is published that will be: what it wrote is removed, but for what a session keeps.
    pub fn settle(self) {
        if let Some(run) = self.run {
            run.settle(|path| path.file_name().is_some_and(is_built));
        }
    }
}

/// The list of what is published lies where the writes do: our state directory may be one that nothing can be written to.
fn publication(
    workspace: AbsPath,
    plans: Vec<LayerPlan>,
    seeds: Seeds,
    run: &Run,
    scratch: &Path,
) -> Result<Publication, ScratchError> {
    let layers = plans.into_iter().enumerate();
    let layers = layers.map(|(number, plan)| publish::Layer { plan, upper: run.upper(number) }).collect();
    let started = Stamp::take(run.path()).map_err(|error| ScratchError::Io { path: run.path().to_owned(), error })?;
    Ok(Publication { workspace, layers, seeds, started, state: scratch.to_owned() })
}

/// Whether a folder of this name holds what tools make, and make again.
fn is_built(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| passthrough::NAMES.contains(&name))
}

fn layer(run: &Run, number: usize, plan: &LayerPlan) -> Result<Layer, ScratchError> {
    let below = |paths: &[AbsPath]| -> Vec<PathBuf> {
        let below = paths.iter().filter_map(|path| path.as_path().strip_prefix(plan.lower.as_path()).ok());
        below.map(Path::to_owned).collect()
    };
    let mut layer = run.layer(number, plan.lower.as_path())?;
    // All of it is writable when it is itself named.
    let is_whole = plan.writable.contains(&plan.lower);
    layer.writable = if is_whole { Vec::new() } else { below(&plan.writable) };
    layer.through = below(&plan.through);
    Ok(layer)
}
