//! From what is to be run to what is visible inside. Pure: what a path leads to is asked of the caller.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use pilotfish_protocol::Mode;

use crate::sandbox::Spec;
use crate::sandbox::wire::{Access, Grant, Layer, Request, Strength};
use tables::{DEVICES, MACHINE_FILES, SECRETS, STORES, SYSTEM, SYSTEM_FILES, WITHOUT_HOME};

mod tables;

/// Where commands find their temporary folder.
pub const TEMPORARY: &str = "/tmp";

/// The port of the inside's own loopback where commands find their proxy, when they have one. No program is known to use it, and
/// none gets it by chance.
pub const PROXY_PORT: u16 = 61_128;

/// The variables that tell programs their proxy.
const PROXY_VARIABLES: &[&str] = &["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "http_proxy", "https_proxy"];

/// Why a specification cannot be carried out on any machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// There is no program.
    #[error("there is no command to run")]
    NoCommand,
    /// The command would start where nothing of the workspace is.
    #[error("cannot start in {}: it is outside the workspace {}", cwd.display(), workspace.display())]
    CwdOutside {
        /// Where it should start.
        cwd: PathBuf,
        /// The workspace.
        workspace: PathBuf,
    },
    /// The workspace holds what must stay out of sight.
    #[error("cannot confine commands to {}: {why}; open a folder below it", workspace.display())]
    TooWide {
        /// The workspace.
        workspace: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The workspace is not in any of the folders that are seen through overlays, or one of these is not named as it must be.
    #[error("cannot lay an overlay over {}: {why}", lower.display())]
    Layer {
        /// The folder, or the workspace.
        lower: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A granted path is, holds or lies in what no grant may reach.
    #[error("cannot grant {}: {why}", path.display())]
    Secret {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The workspace, or what an overlay stands over, is, holds or lies in what no command may see.
    #[error("cannot work in {}: {why}; open another folder", folder.display())]
    Hidden {
        /// The workspace, or the folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An argument, a variable or a path holds a zero byte, which no program can be given.
    #[error("{0} holds a zero byte")]
    ZeroByte(&'static str),
}

/// Answers, for a path of this machine, what it is without links; nothing when it does not exist.
pub type Resolve<'a> = &'a dyn Fn(&Path) -> Option<PathBuf>;

/// What a request is made of besides the specification.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// How it is to be confined.
    pub strength: Strength,
    /// Folders that hold our own configuration and records.
    pub own: &'a [PathBuf],
    /// What paths lead to.
    pub resolve: Resolve<'a>,
}

/// Works out what the helper is to be told.
///
/// # Errors
/// When the specification contradicts itself, asks for what nobody is given, or the workspace is so wide that confining to it
/// means little.
pub fn request(spec: &Spec, context: Context<'_>) -> Result<Request, SpecError> {
    let workspace = spec.workspace.as_path();
    refuse_zero_bytes(spec)?;
    let resolve = context.resolve;
    let home = home(spec);
    // A home folder is kept out of sight under its usual name and under its name without links.
    let homes: Vec<PathBuf> =
        home.into_iter().flat_map(|home| [Some(home.to_owned()), resolve(home)]).flatten().collect();
    for folder in spec.layers.iter().map(|layer| layer.lower.as_path()).chain([workspace]) {
        if let Some(why) = too_wide(folder, &homes) {
            return Err(SpecError::TooWide { workspace: folder.to_owned(), why });
        }
    }
    if spec.argv.first().is_none_or(String::is_empty) {
        return Err(SpecError::NoCommand);
    }
    if !spec.cwd.as_path().starts_with(workspace) {
        return Err(SpecError::CwdOutside { cwd: spec.cwd.as_path().to_owned(), workspace: workspace.to_owned() });
    }
    refuse_wrong_layers(spec)?;
    refuse_secrets(spec, &homes, &context)?;
    let inside_home = home.unwrap_or(Path::new("/tmp/home"));
    let shared = Request {
        strength: context.strength,
        workspace: workspace.to_owned(),
        cwd: spec.cwd.as_path().to_owned(),
        argv: spec.argv.iter().map(OsString::from).collect(),
        env: Vec::new(),
        grants: grants(spec, context.strength, home, &homes, resolve),
        private: Vec::new(),
        layers: Vec::new(),
        listen: 0,
    };
    Ok(match context.strength {
        Strength::Full => Request {
            env: environment(spec, inside_home, resolve),
            private: vec![TEMPORARY.into(), "/var/tmp".into(), inside_home.to_owned()],
            layers: layers(spec),
            listen: if spec.proxy { PROXY_PORT } else { 0 },
            ..shared
        },
        Strength::Weak => Request { env: environment_without_home(spec, home, resolve), ..shared },
    })
}

/// The path of every grant with what it is good for: what the system and the toolchains have, what the person granted, and what the
/// session works in.
fn grants(spec: &Spec, strength: Strength, home: Option<&Path>, homes: &[PathBuf], resolve: Resolve<'_>) -> Vec<Grant> {
    let is_worked_in = |path: &Path| worked_in(spec).any(|folder| path.starts_with(folder));
    // A place that holds the home folder would show what is in it, under the name that is meant to be empty.
    let is_shown = |path: &Path| {
        let Some(resolved) = resolve(path) else { return false };
        let shows_home = homes.iter().any(|home| home.starts_with(path) || home.starts_with(&resolved));
        !shows_home && !is_worked_in(path)
    };
    let named = |paths: &'static [&'static str], access| paths.iter().map(move |path| (PathBuf::from(path), access));
    let mut places: Vec<(PathBuf, Access)> =
        named(SYSTEM, Access::Execute).chain(named(SYSTEM_FILES, Access::Read)).collect();
    match strength {
        Strength::Full => places.extend(stores(spec, home)),
        Strength::Weak => {
            places.extend(stores(spec, home).into_iter().map(|(path, _)| (path, Access::Execute)));
            places.extend(named(DEVICES, Access::Write).chain(named(MACHINE_FILES, Access::Read)));
        }
    }
    places.retain(|(path, _)| is_shown(path));
    let worked_in = worked_in(spec).map(Path::to_owned);
    match strength {
        Strength::Full => {
            places.push(("/dev".into(), Access::Write));
            places.extend(spec.grants_paths.iter().map(|path| (path.clone(), Access::WriteExecute)));
            let access = if spec.layers.is_empty() { Access::Execute } else { Access::WriteExecute };
            places.extend(worked_in.map(|folder| (folder, access)));
        }
        Strength::Weak => {
            places.extend(spec.grants_paths.iter().cloned().chain(worked_in).map(|path| (path, Access::Execute)));
        }
    }
    places.into_iter().map(|(path, access)| Grant { path, access }).collect()
}

/// The folders the session works in: those under overlays, else the workspace.
fn worked_in(spec: &Spec) -> impl Iterator<Item = &Path> {
    let alone = spec.layers.is_empty().then(|| spec.workspace.as_path());
    spec.layers.iter().map(|layer| layer.lower.as_path()).chain(alone)
}

/// The layers, outer ones first. What is written past an overlay is not thrown away, so that read-only mode knows no such thing.
fn layers(spec: &Spec) -> Vec<Layer> {
    let mut layers = spec.layers.clone();
    if spec.mode == Mode::ReadOnly {
        for layer in &mut layers {
            layer.through.clear();
        }
    }
    layers.sort_by_key(|layer| layer.lower.components().count());
    layers
}

fn stores(spec: &Spec, home: Option<&Path>) -> Vec<(PathBuf, Access)> {
    let mut places: Vec<(PathBuf, Access)> = Vec::new();
    for store in STORES {
        let named = variable(spec, store.variable).map(PathBuf::from).filter(|path| is_plain(path));
        let usual = home.map(|home| home.join(store.below_home));
        for root in named.into_iter().chain(usual) {
            let parts = store.parts.iter().map(|part| (part, Access::Execute));
            for (part, access) in parts.chain(store.thrown.iter().map(|part| (part, Access::ThrowAway))) {
                let path = if part.is_empty() { root.clone() } else { root.join(part) };
                if path.components().count() > 2 && places.iter().all(|(known, _)| *known != path) {
                    places.push((path, access));
                }
            }
        }
    }
    places
}

fn environment(spec: &Spec, home: &Path, resolve: Resolve<'_>) -> Vec<(OsString, OsString)> {
    let is_given = |name: &str| name != "HOME" && name != "TMPDIR" && !(spec.proxy && name == "CARGO_NET_OFFLINE");
    let given = spec.env.iter().filter(|(name, value)| is_given(name) && !is_missing_store(name, value, resolve));
    let mut env: Vec<(OsString, OsString)> = given.map(|(name, value)| (name.into(), value.into())).collect();
    env.push(("HOME".into(), home.into()));
    env.push(("TMPDIR".into(), TEMPORARY.into()));
    if spec.proxy {
        let proxy = format!("http://127.0.0.1:{PROXY_PORT}");
        env.extend(PROXY_VARIABLES.iter().map(|name| (name.into(), proxy.clone().into())));
        let inside = "localhost,127.0.0.1,::1";
        env.extend(["NO_PROXY", "no_proxy"].map(|name| (name.into(), inside.into())));
    }
    env
}

/// The environment where the home folder is not the person's, nor called so: HOME and TMPDIR are added by who makes the folder.
fn environment_without_home(spec: &Spec, home: Option<&Path>, resolve: Resolve<'_>) -> Vec<(OsString, OsString)> {
    let given = spec.env.iter().filter(|(name, _)| name != "HOME" && name != "TMPDIR");
    let mut env: Vec<(OsString, OsString)> = given.map(|(name, value)| (name.into(), value.into())).collect();
    for store in STORES.iter().filter(|store| WITHOUT_HOME.contains(&store.variable)) {
        let usual = home.map(|home| home.join(store.below_home)).filter(|path| resolve(path).is_some());
        if let (Some(usual), None) = (usual, variable(spec, store.variable)) {
            env.push((store.variable.into(), usual.into()));
        }
    }
    env
}

/// Whether a variable names a store that tools write to and that is not there, where it could not be made: without the variable
/// they use their usual place, which they can write to.
fn is_missing_store(name: &str, value: &str, resolve: Resolve<'_>) -> bool {
    let is_store = STORES.iter().any(|store| store.variable == name && store.thrown == [""]);
    is_store && resolve(Path::new(value)).is_none()
}

fn refuse_wrong_layers(spec: &Spec) -> Result<(), SpecError> {
    let wrong = |lower: &Path, why| Err(SpecError::Layer { lower: lower.to_owned(), why });
    for layer in &spec.layers {
        if !is_plain(&layer.lower) {
            return wrong(&layer.lower, "it is no plain absolute path");
        }
        let mut parts = layer.writable.iter().chain(&layer.through);
        if !parts.all(|part| part.components().all(|name| matches!(name, Component::Normal(_)))) {
            return wrong(&layer.lower, "a part of it is no plain relative path");
        }
        if [&layer.upper, &layer.work].into_iter().any(|folder| folder.starts_with(&layer.lower)) {
            return wrong(&layer.lower, "what is written to it would lie in it");
        }
    }
    let workspace = spec.workspace.as_path();
    if !spec.layers.is_empty() && !spec.layers.iter().any(|layer| workspace.starts_with(&layer.lower)) {
        return wrong(workspace, "none of the overlays stands over it");
    }
    Ok(())
}

/// Neither our own files nor the person's keys are granted or worked in, nor what holds them.
fn refuse_secrets(spec: &Spec, homes: &[PathBuf], context: &Context<'_>) -> Result<(), SpecError> {
    let layers = spec.layers.iter().map(|layer| layer.lower.as_path());
    for folder in layers.chain([spec.workspace.as_path()]) {
        for path in names(folder, context) {
            if let Some(why) = secret(&path, homes, context) {
                return Err(SpecError::Hidden { folder: folder.to_owned(), why });
            }
        }
    }
    for granted in &spec.grants_paths {
        let refuse = |why| Err(SpecError::Secret { path: granted.clone(), why });
        if !is_plain(granted) {
            return refuse("it is no plain absolute path");
        }
        for path in names(granted, context) {
            if let Some(why) = secret(&path, homes, context) {
                return refuse(why);
            }
            if too_wide(&path, homes).is_some() || ["/boot", "/etc"].into_iter().any(|place| path.starts_with(place)) {
                return refuse("it is a place of the system");
            }
        }
    }
    Ok(())
}

/// A path as it is given, and what it leads to.
fn names(path: &Path, context: &Context<'_>) -> impl Iterator<Item = PathBuf> {
    [Some(path.to_owned()), (context.resolve)(path)].into_iter().flatten()
}

/// Why a path is, holds or lies in what is to be seen by no command.
fn secret(path: &Path, homes: &[PathBuf], context: &Context<'_>) -> Option<&'static str> {
    let touches = |secret: &Path| path.starts_with(secret) || secret.starts_with(path);
    let mut secrets = homes.iter().flat_map(|home| SECRETS.iter().map(|secret| home.join(secret)));
    if context.own.iter().any(|own| names(own, context).any(|own| touches(&own))) {
        Some("pilotfish keeps its own files there")
    } else if secrets.any(|secret| touches(&secret)) {
        Some("keys and passwords are kept there")
    } else {
        None
    }
}

/// The home folder, when there is one that can be told from the rest of the machine.
fn home(spec: &Spec) -> Option<&Path> {
    variable(spec, "HOME").map(Path::new).filter(|home| is_plain(home) && home.components().count() > 1)
}

fn variable<'a>(spec: &'a Spec, name: &str) -> Option<&'a str> {
    spec.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn is_plain(path: &Path) -> bool {
    path.is_absolute() && path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)))
}

fn too_wide(workspace: &Path, homes: &[PathBuf]) -> Option<&'static str> {
    let is = |path: &str| workspace == Path::new(path);
    let below = |path: &str| workspace.starts_with(path);
    // What is plugged in is mounted below /run/media; shared memory is a place to work in like any other.
    let is_ordinary = (below("/dev/shm") && !is("/dev/shm")) || (below("/run/media") && !is("/run/media"));
    if is("/") {
        Some("it is the whole machine")
    } else if homes.iter().any(|home| home.starts_with(workspace)) {
        Some("it holds the home folder, and with it keys and passwords")
    } else if is_ordinary {
        None
    } else if is(TEMPORARY) || is("/var") || is("/var/tmp") || is("/dev/shm") {
        Some("it holds what other programs keep there")
    } else if ["/dev", "/proc", "/run", "/sys"].into_iter().any(below) {
        Some("it is a place of the system")
    } else {
        None
    }
}

fn refuse_zero_bytes(spec: &Spec) -> Result<(), SpecError> {
    use std::os::unix::ffi::OsStrExt;
    if spec.argv.iter().any(|argument| argument.contains('\0')) {
        return Err(SpecError::ZeroByte("an argument"));
    }
    if spec.env.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
        return Err(SpecError::ZeroByte("the environment"));
    }
    let layers = spec.layers.iter().flat_map(|layer| {
        let own = [&layer.lower, &layer.upper, &layer.work];
        own.into_iter().chain(&layer.writable).chain(&layer.through).map(PathBuf::as_path)
    });
    let mut paths = [spec.workspace.as_path(), spec.cwd.as_path()]
        .into_iter()
        .chain(layers)
        .chain(spec.grants_paths.iter().map(PathBuf::as_path));
    if paths.any(|path| path.as_os_str().as_bytes().contains(&0)) {
        return Err(SpecError::ZeroByte("a path"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
