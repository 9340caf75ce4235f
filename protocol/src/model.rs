//! Models and what they use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `provider/model`, where the provider is a name from the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ModelName(pub String);

impl ModelName {
    /// Splits at the first slash; a model's own name may hold more of them.
    #[must_use]
    pub fn split(&self) -> Option<(&str, &str)> {
        self.0.split_once('/').filter(|(provider, model)| !provider.is_empty() && !model.is_empty())
    }
}

impl std::fmt::Display for ModelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How hard a model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// As little as it can.
    Minimal,
    /// Little.
    Low,
    /// Its usual.
    Medium,
    /// Much.
    High,
}

/// Tokens. Providers count; what a provider does not tell stays 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Of these, served from the provider's cache.
    pub cached_tokens: u64,
    /// Tokens written, thoughts included.
    pub output_tokens: u64,
    /// Of these, thoughts.
    pub reasoning_tokens: u64,
    /// What that cost, in millionths of a US dollar, where the configuration knows the model's price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// Tokens in the model's context after the last step.
    pub context_tokens: u64,
    /// The model's context size in tokens, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_size: Option<u64>,
}

impl Usage {
    /// Both together. The context is the later one's: `later`'s.
    #[must_use]
    pub fn plus(&self, later: &Self) -> Self {
        Self {
            input_tokens: self.input_tokens + later.input_tokens,
            cached_tokens: self.cached_tokens + later.cached_tokens,
            output_tokens: self.output_tokens + later.output_tokens,
            reasoning_tokens: self.reasoning_tokens + later.reasoning_tokens,
            cost: match (self.cost, later.cost) {
                (None, None) => None,
                (one, other) => Some(one.unwrap_or(0) + other.unwrap_or(0)),
            },
            context_tokens: later.context_tokens,
            context_size: later.context_size,
        }
    }
}

/// What a model's context is made of, in tokens, about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ContextUse {
    /// Who the model is here, its tools, and what the person and the workspace say to all agents.
    pub instructions: u64,
    /// What was said, and calls of tools.
    pub history: u64,
    /// What tools answered.
    pub tool_output: u64,
    /// What was attached, pictures among it.
    pub files: u64,
}

/// What a model's tokens cost, in millionths of a US dollar for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// Read.
    pub input: u64,
    /// Read from the provider's cache.
    pub cached: u64,
    /// Written.
    pub output: u64,
}

impl Price {
    /// What that costs, in millionths of a US dollar.
    #[must_use]
    pub fn of(&self, usage: &Usage) -> u64 {
        let fresh = u128::from(usage.input_tokens.saturating_sub(usage.cached_tokens)) * u128::from(self.input);
        let cached = u128::from(usage.cached_tokens) * u128::from(self.cached);
        let written = u128::from(usage.output_tokens) * u128::from(self.output);
        u64::try_from((fresh + cached + written).div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

/// One model that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelInfo {
    /// Its name.
    pub name: ModelName,
    /// Its context size in tokens, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// The efforts it takes; empty when unknown.
    #[serde(default)]
    pub efforts: Vec<Effort>,
    /// What it costs, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Whether new sessions use it.
    #[serde(default)]
    pub default: bool,
}

/// Answer of `model/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelList {
    /// In the order of the configuration.
    pub models: Vec<ModelInfo>,
    /// What is missing, when there is none to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Answer of `usage/get`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageReport {
    /// The session's, or all sessions'.
    pub usage: Usage,
    /// All sessions' of this day.
    pub today: Usage,
}
