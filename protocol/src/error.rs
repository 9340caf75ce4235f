//! What went wrong with a request.

use jsonrpsee::types::ErrorObjectOwned;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Error codes. JSON-RPC's own where they fit; ours go from -33000 down.
pub mod code {
    /// The parameters are not of the method's form (JSON-RPC).
    pub const INVALID_PARAMS: i32 = -32602;
    /// Declared, and not built yet.
    pub const NOT_IMPLEMENTED: i32 = -33000;
    /// Too much at once: `data.retryAfterMs` says when to try again.
    pub const OVERLOADED: i32 = -33001;
    /// No such session, item or other thing.
    pub const NOT_FOUND: i32 = -33002;
    /// Policy says no.
    pub const REFUSED: i32 = -33003;
    /// Somebody else answered first.
    pub const ALREADY_ANSWERED: i32 = -33004;
    /// It cannot be done in the present state.
    pub const WRONG_STATE: i32 = -33005;
    /// No model can be used as things are configured.
    pub const NO_MODEL: i32 = -33006;
    /// The journal could not be read or written.
    pub const JOURNAL: i32 = -33007;
}

/// What kind of error, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ErrorKind {
    /// The parameters say something that cannot be.
    InvalidParams,
    /// Declared, and not built yet.
    NotImplemented,
    /// Too much at once.
    Overloaded,
    /// No such thing.
    NotFound,
    /// Policy says no.
    Refused,
    /// Somebody else answered first.
    AlreadyAnswered,
    /// Not in the present state.
    WrongState,
    /// No model can be used.
    NoModel,
    /// The journal could not be read or written.
    Journal,
}

impl ErrorKind {
    fn code(self) -> i32 {
        match self {
            ErrorKind::InvalidParams => code::INVALID_PARAMS,
            ErrorKind::NotImplemented => code::NOT_IMPLEMENTED,
            ErrorKind::Overloaded => code::OVERLOADED,
            ErrorKind::NotFound => code::NOT_FOUND,
            ErrorKind::Refused => code::REFUSED,
            ErrorKind::AlreadyAnswered => code::ALREADY_ANSWERED,
            ErrorKind::WrongState => code::WRONG_STATE,
            ErrorKind::NoModel => code::NO_MODEL,
            ErrorKind::Journal => code::JOURNAL,
        }
    }
}

/// The `data` of an error of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorData {
    /// What kind.
    pub kind: ErrorKind,
    /// When to try again, for `overloaded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// An error of ours: a kind, and a message that names what was attempted and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    /// What kind.
    pub kind: ErrorKind,
    /// For people.
    pub message: String,
    /// When to try again.
    pub retry_after_ms: Option<u64>,
}

impl RpcError {
    /// An error without a time to try again.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after_ms: None }
    }

    /// The answer of a method that is declared and not built yet.
    #[must_use]
    pub fn not_implemented(method: &str) -> Self {
        Self::new(ErrorKind::NotImplemented, format!("{method} is not built yet in this version of pilotfish"))
    }
}

impl std::fmt::Display for RpcError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RpcError {}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        let data = ErrorData { kind: error.kind, retry_after_ms: error.retry_after_ms };
        ErrorObjectOwned::owned(error.kind.code(), error.message, Some(data))
    }
}
