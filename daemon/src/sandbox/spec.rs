//! From what is to be run to what is visible inside. Pure: what a path leads to is asked of the caller.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use pilotfish_protocol::Mode;

use crate::policy::paths::{Class, NAMES};
use crate::sandbox::Spec;
use crate::sandbox::wire::{Access, Grant, Protection, Request};

/// Where commands find their temporary folder.
pub const TEMPORARY: &str = "/tmp";

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
    /// An argument, a variable or a path holds a zero byte, which no program can be given.
    #[error("{0} holds a zero byte")]
    ZeroByte(&'static str),
}

/// Programs and libraries of the system.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/nix",
    "/gnu/store",
    "/run/current-system",
    "/home/linuxbrew/.linuxbrew",
];

/// What programs of the system read. Of `/etc` only what is no secret and tells nothing but how this machine is set up.
const SYSTEM_FILES: &[&str] = &[
    "/etc/alternatives",
    "/etc/bash.bashrc",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/crypto-policies",
    "/etc/debian_version",
    "/etc/fonts",
    "/etc/gai.conf",
    "/etc/gitconfig",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/inputrc",
    "/etc/java",
    "/etc/java-11-openjdk",
    "/etc/java-17-openjdk",
    "/etc/java-21-openjdk",
    "/etc/java-25-openjdk",
    "/etc/java-8-openjdk",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/locale.alias",
    "/etc/locale.conf",
    "/etc/localtime",
    "/etc/lsb-release",
    "/etc/magic",
    "/etc/maven/logging",
    "/etc/maven/m2.conf",
    "/etc/mime.types",
    "/etc/networks",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/perl",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/profile",
    "/etc/profile.d",
    "/etc/protocols",
    "/etc/python3",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/shells",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/static",
    "/etc/terminfo",
    "/etc/timezone",
    "/etc/xattr.conf",
    "/sys/devices/system/cpu",
    "/var/lib/ca-certificates",
];

/// A toolchain's own place: the variable that names it, its usual place below the home folder, and the parts of it that hold
/// programs and packages. Where all of it does, the part is empty. What holds credentials is never named.
struct Store {
    variable: &'static str,
    below_home: &'static str,
    parts: &'static [&'static str],
}

const STORES: &[Store] = &[
    Store { variable: "CARGO_HOME", below_home: ".cargo", parts: &["bin", "registry", "git"] },
    Store { variable: "RUSTUP_HOME", below_home: ".rustup", parts: &["settings.toml", "toolchains", "update-hashes"] },
    Store { variable: "NVM_DIR", below_home: ".nvm", parts: &["versions"] },
    Store { variable: "PYENV_ROOT", below_home: ".pyenv", parts: &[""] },
    Store { variable: "GOPATH", below_home: "go", parts: &["bin", "pkg/mod"] },
    Store { variable: "GOROOT", below_home: ".local/go", parts: &[""] },
    Store { variable: "JAVA_HOME", below_home: ".jdks", parts: &[""] },
    Store { variable: "VIRTUAL_ENV", below_home: ".virtualenvs", parts: &[""] },
    Store { variable: "VOLTA_HOME", below_home: ".volta", parts: &["bin", "tools"] },
    Store { variable: "BUN_INSTALL", below_home: ".bun", parts: &["bin", "install/cache"] },
    Store { variable: "DENO_INSTALL", below_home: ".deno", parts: &["bin"] },
    Store { variable: "PNPM_HOME", below_home: ".local/share/pnpm", parts: &[""] },
    Store { variable: "SDKMAN_DIR", below_home: ".sdkman", parts: &["candidates"] },
    Store { variable: "ASDF_DATA_DIR", below_home: ".asdf", parts: &["bin", "installs", "lib", "plugins", "shims"] },
    Store { variable: "MISE_DATA_DIR", below_home: ".local/share/mise", parts: &["installs", "shims"] },
    Store { variable: "RBENV_ROOT", below_home: ".rbenv", parts: &[""] },
    Store { variable: "DOTNET_ROOT", below_home: ".dotnet", parts: &[""] },
    Store { variable: "NUGET_PACKAGES", below_home: ".nuget/packages", parts: &[""] },
    Store { variable: "", below_home: ".fnm", parts: &["aliases", "node-versions"] },
    Store { variable: "", below_home: ".local", parts: &["bin", "lib", "share/uv/python", "share/uv/tools"] },
    Store { variable: "", below_home: ".gem", parts: &["ruby"] },
    Store { variable: "", below_home: ".m2", parts: &["repository", "wrapper"] },
    Store { variable: "", below_home: ".ghcup", parts: &["bin", "ghc"] },
    Store { variable: "", below_home: ".opam", parts: &[""] },
    Store { variable: "", below_home: ".elan", parts: &["bin", "toolchains"] },
];

/// Of version control, directly below the workspace, what programs run or obey later without being asked; outer ones first. The rest
/// of it must change for commits to work.
const VERSION_CONTROL: &[(&str, Protection)] = &[
    (".git", Protection::Pinned),
    (".git/commondir", Protection::Frozen),
    (".git/config", Protection::Frozen),
    (".git/config.worktree", Protection::Frozen),
    (".git/hooks", Protection::Frozen),
    (".git/info", Protection::Pinned),
    (".git/info/attributes", Protection::Frozen),
    (".git/modules", Protection::Frozen),
    (".git/objects/info", Protection::Pinned),
    (".git/objects/info/alternates", Protection::Frozen),
    (".gitmodules", Protection::Frozen),
    (".husky", Protection::Frozen),
];

/// Every protected name directly below the workspace, outer ones first.
fn protected_names() -> impl Iterator<Item = (&'static str, Protection)> {
    let others = NAMES.iter().filter(|(_, class)| *class != Class::VersionControl);
    others.map(|(name, _)| (*name, Protection::Frozen)).chain(VERSION_CONTROL.iter().copied())
}

/// Answers, for a path of this machine, what it is without links; nothing when it does not exist.
pub type Resolve<'a> = &'a dyn Fn(&Path) -> Option<PathBuf>;

/// Works out what the helper is to be told.
///
/// # Errors
/// When the specification contradicts itself, or the workspace is so wide that confining to it means little.
pub fn request(spec: &Spec, resolve: Resolve<'_>) -> Result<Request, SpecError> {
    let workspace = spec.workspace.as_path();
    refuse_zero_bytes(spec)?;
    let home = home(spec);
    // A home folder is kept out of sight under its usual name and under its name without links.
    let homes: Vec<PathBuf> =
        home.into_iter().flat_map(|home| [Some(home.to_owned()), resolve(home)]).flatten().collect();
    if let Some(why) = too_wide(workspace, &homes) {
        return Err(SpecError::TooWide { workspace: workspace.to_owned(), why });
    }
    if spec.argv.first().is_none_or(String::is_empty) {
        return Err(SpecError::NoCommand);
    }
    if !spec.cwd.as_path().starts_with(workspace) {
        return Err(SpecError::CwdOutside { cwd: spec.cwd.as_path().to_owned(), workspace: workspace.to_owned() });
    }
    let inside_home = home.unwrap_or(Path::new("/tmp/home"));
    Ok(Request {
        workspace: workspace.to_owned(),
        cwd: spec.cwd.as_path().to_owned(),
        argv: spec.argv.iter().map(OsString::from).collect(),
        env: environment(spec, inside_home),
        grants: grants(spec, home, &homes, resolve),
        private: vec![TEMPORARY.into(), "/var/tmp".into(), inside_home.to_owned()],
        protected: protected(spec.mode),
    })
}

/// The path of every grant with what it is good for, the workspace last.
fn grants(spec: &Spec, home: Option<&Path>, homes: &[PathBuf], resolve: Resolve<'_>) -> Vec<Grant> {
    let workspace = spec.workspace.as_path();
    // A place that holds the home folder would show what is in it, under the name that is meant to be empty.
    let is_shown = |path: &Path| {
        let Some(resolved) = resolve(path) else { return false };
        let shows_home = homes.iter().any(|home| home.starts_with(path) || home.starts_with(&resolved));
        !shows_home && !path.starts_with(workspace)
    };
    let system = SYSTEM.iter().map(|path| (PathBuf::from(path), Access::Execute));
    let files = SYSTEM_FILES.iter().map(|path| (PathBuf::from(path), Access::Read));
    let stores = stores(spec, home).into_iter().map(|path| (path, Access::Execute));
    let mut grants: Vec<Grant> = system
        .chain(files)
        .chain(stores)
        .filter(|(path, _)| is_shown(path))
        .map(|(path, access)| Grant { path, access })
        .collect();
    grants.push(Grant { path: "/dev".into(), access: Access::Write });
    let access = match spec.mode {
        Mode::ReadOnly => Access::Execute,
        Mode::Agent => Access::WriteExecute,
    };
    grants.push(Grant { path: workspace.to_owned(), access });
    grants
}

fn stores(spec: &Spec, home: Option<&Path>) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for store in STORES {
        let named = variable(spec, store.variable).map(PathBuf::from).filter(|path| is_plain(path));
        let usual = home.map(|home| home.join(store.below_home));
        for root in named.into_iter().chain(usual) {
            for part in store.parts {
                let path = if part.is_empty() { root.clone() } else { root.join(part) };
                if path.components().count() > 2 && !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
    }
    paths
}

fn protected(mode: Mode) -> Vec<(PathBuf, Protection)> {
    match mode {
        // All of the workspace is read-only already.
        Mode::ReadOnly => Vec::new(),
        Mode::Agent => protected_names().map(|(path, protection)| (PathBuf::from(path), protection)).collect(),
    }
}

fn environment(spec: &Spec, home: &Path) -> Vec<(OsString, OsString)> {
    let given = spec.env.iter().filter(|(name, _)| name != "HOME" && name != "TMPDIR");
    let mut env: Vec<(OsString, OsString)> = given.map(|(name, value)| (name.into(), value.into())).collect();
    env.push(("HOME".into(), home.into()));
    env.push(("TMPDIR".into(), TEMPORARY.into()));
    env
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
    let paths = [spec.workspace.as_path(), spec.cwd.as_path()];
    if paths.iter().any(|path| path.as_os_str().as_bytes().contains(&0)) {
        return Err(SpecError::ZeroByte("a path"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
