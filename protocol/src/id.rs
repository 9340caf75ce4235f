//! Names of things. On the wire every id is a string that only its maker takes apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }
    )*};
}

ids! {
    /// A conversation with a workspace, a mode and a journal.
    SessionId
    /// From a prompt until the agent is idle again.
    TurnId
    /// One entry of a transcript.
    ItemId
    /// One question to the person.
    ApprovalId
    /// A command that runs in the background.
    CommandId
    /// A reviewable change.
    HunkId
    /// A remembered answer.
    RuleId
    /// A point the files can be taken back to.
    CheckpointId
    /// A prompt that waits for the running turn.
    QueuedId
    /// One client's connection to the daemon.
    ConnectionId
}
