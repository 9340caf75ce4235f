//! What the person lets every command of agent mode reach beyond the sandbox, without being asked: `[sandbox]` of their own file.
//!
//! ```toml
//! [sandbox]
//! hosts = ["packages.example.org", "static.example.org:8443"]
//! write = ["~/.cache/project", "/srv/data"]
//! ```

use crate::path::AbsPath;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is granted beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beyond {
    /// Hosts, as questions name them: in lower case, with a port where it is not 80 or 443.
    pub hosts: BTreeSet<String>,
    /// Files and folders outside the workspace that are written. Those that do not exist are left out.
    pub paths: Vec<AbsPath>,
}

/// As written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSandbox {
    hosts: Vec<String>,
    write: Vec<String>,
}

impl RawSandbox {
    /// What it means in an environment. A path that begins with `~/` is below its HOME.
    pub(super) fn interpret(&self, environment: &BTreeMap<String, String>) -> Beyond {
        let absolute = |path: &String| {
            let path = match (path.strip_prefix("~/"), environment.get("HOME")) {
                (Some(below), Some(home)) => format!("{home}/{below}"),
                _ => path.clone(),
            };
            AbsPath::canonical(&path).inspect_err(|error| tracing::warn!(%error, "a granted path is left out")).ok()
        };
        Beyond {
            hosts: self.hosts.iter().map(|host| host.trim_end_matches('.').to_ascii_lowercase()).collect(),
            paths: self.write.iter().filter_map(absolute).collect(),
        }
    }
}
