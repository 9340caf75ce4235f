//! What is enforced on this machine and what is not, a line for each promise. Pure: what was found out is handed in.

use pilotfish_protocol::Capability;

use crate::sandbox::{Confinement, ScratchError};

/// What a promise rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Any confinement at all.
    Confinement,
    /// Namespaces of the command's own.
    Namespaces,
    /// Namespaces, and a folder for what the command writes.
    Overlay,
}

const PROMISES: &[(&str, Needs)] = &[
    ("a command runs confined, or not at all", Needs::Confinement),
    ("a command sees no secret of yours and none of pilotfish's", Needs::Confinement),
    ("a command reaches no network and no service of this machine", Needs::Confinement),
    ("a command ends with everything it started", Needs::Confinement),
    ("a command sees no process but its own", Needs::Namespaces),
    ("a host is reached only after it was granted", Needs::Namespaces),
    ("in read-only mode commands run, and what they write is thrown away", Needs::Overlay),
    (
        "in agent mode commands write to the project, and what is protected is held back until you say yes",
        Needs::Overlay,
    ),
];

/// The promises, each with whether it is kept here; one that is not kept has the reason and, when there is one, the mend. What commands
/// cannot have, they go without: nothing is let through because of it.
#[must_use]
pub fn matrix(confinement: &Confinement, scratch: Option<&ScratchError>) -> Vec<Capability> {
    let row = |&(name, needs): &(&str, Needs)| {
        let missing = missing(needs, confinement, scratch);
        let (reason, mend) = missing.map_or((None, None), |(reason, mend)| (Some(reason), mend));
        Capability { name: name.to_owned(), enforced: reason.is_none(), reason, mend }
    };
    PROMISES.iter().map(row).collect()
}

/// Why a promise is not kept, and how to mend it.
fn missing(
    needs: Needs,
    confinement: &Confinement,
    scratch: Option<&ScratchError>,
) -> Option<(String, Option<String>)> {
    match (needs, confinement, scratch) {
        (_, Confinement::Refused { reason, mend }, _) => {
            Some((format!("no command is run: {reason}"), Some(mend.clone())))
        }
        (Needs::Confinement, Confinement::Confined | Confinement::Weak { .. }, _)
        | (Needs::Namespaces, Confinement::Confined, _)
        | (Needs::Overlay, Confinement::Confined, None) => None,
        (Needs::Namespaces | Needs::Overlay, Confinement::Weak { reason, mend }, _) => Some((
            format!("commands are confined without namespaces, and can write nothing: {reason}"),
            Some(mend.clone()),
        )),
        (Needs::Overlay, Confinement::Confined, Some(error)) => {
            Some((format!("the project is read-only to commands: {error}"), None))
        }
    }
}

#[cfg(test)]
mod tests;
