//! The types that methods and notifications name. Owns the way from a name to a Rust type.

use pilotfish_protocol::notification;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A type, by the name it has in the source and on the wire.
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// A reference to its schema, which the generator then holds.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads a value as the type and writes it again: what the type does not know is gone, what it always says is there.
    pub reread: fn(&Value) -> Result<Value, String>,
}

macro_rules! known {
    ($($name:ident)*) => {
        &[$(Known { name: stringify!($name), schema: SchemaGenerator::subschema_for::<pilotfish_protocol::$name>, reread: reread::<pilotfish_protocol::$name> }),*]
    };
}

/// What a trait or a notification names, and what else a client meets: whole items and the data of errors.
pub const KNOWN: &[Known] = known! {
    Answered ApprovalId Attached CandidateList CheckpointId CheckpointList CommandId CommandList CommandOutput DaemonNotice
    DaemonStatus Decision Delivery Diagnostic Done Effort ErrorData FileMatches HunkId HunkList InputPart InterruptScope Item ItemId
    ItemPage LineRange Mode ModelList ModelName OutputPage PromptTaken QueuedId Range Restored ReviewBase Rule RuleId
    RuleList RulePreview SessionChanged SessionId SessionList SessionOpened SessionUpdate Trust TrustState TurnId
    UsageReport
};

/// The notifications to the client: name, the name of what they carry, what they are for.
pub const NOTIFICATIONS: &[(&str, &str, &str)] = &[
    (notification::SESSION_UPDATE, "SessionUpdate", "One change of a session this connection is attached to."),
    (notification::SESSION_CHANGED, "SessionChanged", "A session of a list changed, attached or not."),
    (notification::REVIEW_CHANGED, "HunkList", "The hunks of one file, all of them."),
    (notification::DAEMON_NOTICE, "DaemonNotice", "A fact about the daemon, for people."),
];

/// The type of a name.
pub fn known(name: &str) -> &'static Known {
    KNOWN.iter().find(|known| known.name == name).unwrap_or_else(|| {
        panic!("a trait or a notification names {name}; add it to KNOWN in protocol/tests/contract/known.rs")
    })
}

fn reread<T: JsonSchema + Serialize + DeserializeOwned>(value: &Value) -> Result<Value, String> {
    let value: T = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    serde_json::to_value(&value).map_err(|error| error.to_string())
}
