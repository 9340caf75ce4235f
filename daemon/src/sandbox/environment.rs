//! The environment of the inside, by allow-list. Pure.

use std::collections::BTreeMap;

use pilotfish_protocol::Mode;

/// What may pass from the caller, when it is set there: how to speak, who one is, and where the toolchains are.
const PASSED: &[&str] = &[
    "ASDF_DATA_DIR",
    "BUN_INSTALL",
    "CARGO_HOME",
    "CCACHE_DIR",
    "DENO_DIR",
    "DENO_INSTALL",
    "DOTNET_ROOT",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_NAME",
    "GOCACHE",
    "GOMODCACHE",
    "GOPATH",
    "GOROOT",
    "GRADLE_USER_HOME",
    "HOME",
    "JAVA_HOME",
    "LANG",
    "LANGUAGE",
    "LC_ADDRESS",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
    "LOGNAME",
    "MISE_DATA_DIR",
    "NUGET_PACKAGES",
    "NVM_DIR",
    "PIP_CACHE_DIR",
    "PNPM_HOME",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "RBENV_ROOT",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "SDKMAN_DIR",
    "SHELL",
    "TZ",
    "USER",
    "UV_CACHE_DIR",
    "VIRTUAL_ENV",
    "VOLTA_HOME",
    "YARN_CACHE_FOLDER",
];

/// What is always so: no colours, no pagers, no questions, and no waiting for a network that is not there.
const SET: &[(&str, &str)] = &[
    ("CARGO_NET_OFFLINE", "true"),
    ("CARGO_TERM_COLOR", "never"),
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("GIT_EDITOR", "true"),
    ("GIT_PAGER", "cat"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("MANPAGER", "cat"),
    ("NO_COLOR", "1"),
    ("PAGER", "cat"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("TERM", "dumb"),
];

/// What keeps tools from writing next to the sources what is thrown away anyway.
const SET_READ_ONLY: &[(&str, &str)] = &[("PYTHONDONTWRITEBYTECODE", "1")];

const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Whether a variable of the caller's may reach a command.
#[must_use]
pub fn passes(name: &str) -> bool {
    name == "PATH" || PASSED.contains(&name)
}

/// The environment of the inside, made from `caller`'s: what the list allows and what a command without a terminal needs.
#[must_use]
pub fn spec_env(caller: &BTreeMap<String, String>, mode: Mode) -> Vec<(String, String)> {
    let mut env = BTreeMap::new();
    for name in PASSED {
        if let Some(value) = caller.get(*name) {
            env.insert((*name).to_owned(), value.clone());
        }
    }
    env.insert("PATH".to_owned(), search_path(caller.get("PATH").map_or("", String::as_str)));
    let set_by_mode: &[(&str, &str)] = match mode {
        Mode::ReadOnly => SET_READ_ONLY,
        Mode::Agent => &[],
    };
    for (name, value) in SET.iter().chain(set_by_mode) {
        env.insert((*name).to_owned(), (*value).to_owned());
    }
    env.into_iter().collect()
}

/// The caller's search path without what depends on the folder one is in.
fn search_path(path: &str) -> String {
    let absolute: Vec<&str> = path.split(':').filter(|folder| folder.starts_with('/')).collect();
    if absolute.is_empty() { DEFAULT_PATH.to_owned() } else { absolute.join(":") }
}

#[cfg(test)]
mod tests;
