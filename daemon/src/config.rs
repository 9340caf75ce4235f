//! What was said (`RawConfig`: layered files) and what it means ([`Config`]).

/// How an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// OpenAI Responses.
    Responses,
    /// OpenAI Chat Completions, and what imitates it.
    Chat,
}

/// A key. Shown as `***` wherever it might be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Holds a key.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key itself, for the one header it belongs in.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Where and how a provider's models answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The provider's name in the configuration.
    pub provider: String,
    /// How it speaks.
    pub dialect: Dialect,
    /// Such as `http://127.0.0.1:11434/v1`, without a slash at the end.
    pub base_url: String,
    /// The key, if one is needed.
    pub key: Option<Secret>,
    /// Where the key is looked for, to say so when it is missing.
    pub api_key_env: Option<String>,
    /// The longest silence in a stream.
    pub idle_limit: std::time::Duration,
}
