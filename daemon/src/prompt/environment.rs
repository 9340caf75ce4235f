//! Where the model works and what it may do there, as it is told. Pure; told again, whole, when any of it changed.

use pilotfish_protocol::Mode;

/// What the notice begins with.
pub(super) const OPENING: &str = "<environment>";

/// Where a session works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings<'a> {
    /// The folder.
    pub workspace: &'a str,
    /// Such as `linux x86_64`.
    pub platform: &'a str,
    /// What the agent may do.
    pub mode: Mode,
    /// Such as `2026-01-01`.
    pub date: &'a str,
    /// Hosts that commands of agent mode reach without asking.
    pub hosts: Vec<String>,
    /// Paths outside the workspace that commands of agent mode may write without asking.
    pub paths: Vec<String>,
}

/// What the model is told of where it works.
#[must_use]
pub fn environment(surroundings: &Surroundings<'_>) -> String {
    let Surroundings { workspace, platform, mode, date, hosts, paths } = surroundings;
    let may = match mode {
        Mode::ReadOnly => {
            "read-only: edit, patch and write become proposals for the person; commands run confined, and what they \
             write to the workspace is thrown away"
        }
        Mode::Agent => "agent: edit, patch, write and commands change files of the workspace",
    };
    let (mut writable, mut network) = match mode {
        Mode::ReadOnly => ("only a /tmp of their own".to_owned(), "none".to_owned()),
        Mode::Agent => ("the workspace, and a /tmp of their own".to_owned(), "none".to_owned()),
    };
    if *mode == Mode::Agent {
        if !paths.is_empty() {
            writable += &format!("; {}", paths.join(", "));
        }
        if !hosts.is_empty() {
            network = format!("{} only", hosts.join(", "));
        }
        network += "; the person is asked about anything else";
    }
    format!(
        "{OPENING}\nworkspace: {workspace}\nplatform: {platform}\ndate: {date}\nmode: {may}\n\
         commands may write: {writable}\ncommands may reach: {network}\n</environment>"
    )
}
