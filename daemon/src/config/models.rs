//! Providers and their models: what the file says of them, what is found without a file, and what a model's name then means.
//! Keeps keys out of everything that is printed; never asks a provider anything.

use super::budget::RawPrice;
use super::known::{Edits, family};
use super::{Config, ConfigError, local};
use pilotfish_protocol::{Effort, ModelInfo, ModelName, Price};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest silence in a stream, unless a provider says another.
const IDLE_LIMIT: Duration = Duration::from_secs(300);

/// A provider that is there as soon as its key is: what to ask where, in whose dialect.
struct Usual {
    name: &'static str,
    dialect: Dialect,
    key: &'static str,
    /// Names another address than the usual one.
    address: &'static str,
    base_url: &'static str,
    /// What addresses of that variable lack, as that provider's own programs understand it.
    below: &'static str,
    model: &'static str,
}

const USUAL: &[Usual] = &[
    Usual {
        name: "openai",
        dialect: Dialect::Responses,
        key: "OPENAI_API_KEY",
        address: "OPENAI_BASE_URL",
        base_url: "https://api.openai.com/v1",
        below: "",
        model: "gpt-5",
    },
    Usual {
        name: "anthropic",
        dialect: Dialect::Messages,
        key: "ANTHROPIC_API_KEY",
        address: "ANTHROPIC_BASE_URL",
        base_url: "https://api.anthropic.com/v1",
        below: "/v1",
        model: "claude-sonnet-4-5",
    },
];

/// Whether a variable decides how a model is reached when no configuration names one.
#[must_use]
pub fn is_usual_variable(name: &str) -> bool {
    USUAL.iter().any(|usual| name == usual.key || name == usual.address)
}

/// The variable that a provider's key is usually in.
#[must_use]
pub fn usual_key_variable(provider: &str) -> Option<&'static str> {
    USUAL.iter().find(|usual| usual.name == provider).map(|usual| usual.key)
}

/// A provider as written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProvider {
    dialect: Dialect,
    base_url: String,
    pub(super) api_key_env: Option<String>,
    idle_timeout: Option<u64>,
    #[serde(default)]
    models: Vec<RawModel>,
}

/// A model as written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    id: String,
    context: Option<u64>,
    efforts: Option<Vec<Effort>>,
    price: Option<RawPrice>,
}

/// Stored keys, by provider.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Keys(BTreeMap<String, String>);

/// A provider, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Provider {
    endpoint: Endpoint,
    models: Vec<RawModel>,
}

/// A model, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// `provider/model`.
    pub name: ModelName,
    /// The model's own name.
    pub model: String,
    /// Where it answers.
    pub endpoint: Endpoint,
    /// Its context size in tokens, if known.
    pub context: Option<u64>,
    /// What it costs, if known.
    pub price: Option<Price>,
    /// The efforts it takes, if known.
    pub efforts: Option<Vec<Effort>>,
    /// The tools it edits with.
    pub edits: Edits,
}

impl Resolved {
    /// An effort, if this model takes it.
    ///
    /// # Errors
    /// When it is known to take others only. A model of which nothing is known is asked for any.
    pub fn takes(&self, effort: Option<Effort>) -> Result<Option<Effort>, ConfigError> {
        let (Some(wanted), Some(efforts)) = (effort, &self.efforts) else { return Ok(effort) };
        if efforts.contains(&wanted) {
            return Ok(effort);
        }
        let words: Vec<String> = efforts.iter().map(|effort| effort_word(*effort).to_owned()).collect();
        let takes = if words.is_empty() { "none".to_owned() } else { words.join(", ") };
        Err(ConfigError::NoEffort { model: self.name.to_string(), effort: effort_word(wanted), takes })
    }
}

/// An effort as it is written, here and by providers.
#[must_use]
pub fn effort_word(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
    }
}

impl Config {
    /// The model of a name.
    ///
    /// # Errors
    /// When it is no name, or its provider is not configured. A model the provider does not list is asked for all the same.
    pub fn resolve(&self, name: &ModelName) -> Result<Resolved, ConfigError> {
        let (provider, model) = name.split().ok_or_else(|| ConfigError::NotAModel(name.to_string()))?;
        let found = self.providers.iter().find(|known| known.endpoint.provider == provider);
        let provider = found.ok_or_else(|| self.no_provider(provider))?;
        let said = provider.models.iter().find(|said| said.id == model);
        let known = family(model);
        Ok(Resolved {
            name: name.clone(),
            model: model.to_owned(),
            endpoint: provider.endpoint.clone(),
            context: said.and_then(|said| said.context).or(known.context),
            price: said.and_then(|said| said.price).map(RawPrice::interpret),
            efforts: said.and_then(|said| said.efforts.clone()).or_else(|| known.efforts.map(<[_]>::to_vec)),
            edits: known.edits,
        })
    }

    /// The model that new sessions use.
    ///
    /// # Errors
    /// When there is none; the words say what to write where.
    pub fn default_model(&self) -> Result<ModelName, ConfigError> {
        self.default.clone().ok_or_else(|| ConfigError::NoModel { file: self.file.display().to_string() })
    }

    /// The models that are listed, the default marked.
    #[must_use]
    pub fn models(&self) -> Vec<ModelInfo> {
        let listed = self.providers.iter().flat_map(|provider| {
            let named = |said: &RawModel| ModelName(format!("{}/{}", provider.endpoint.provider, said.id));
            provider.models.iter().map(named)
        });
        let mut names: Vec<ModelName> = listed.collect();
        if let Some(default) = self.default.as_ref().filter(|default| !names.contains(default)) {
            names.insert(0, default.clone());
        }
        names.into_iter().map(|name| self.listed(name)).collect()
    }

    fn listed(&self, name: ModelName) -> ModelInfo {
        let resolved = self.resolve(&name).ok();
        ModelInfo {
            context: resolved.as_ref().and_then(|resolved| resolved.context),
            price: resolved.as_ref().and_then(|resolved| resolved.price),
            efforts: resolved.and_then(|resolved| resolved.efforts).unwrap_or_default(),
            default: self.default.as_ref() == Some(&name),
            name,
        }
    }

    fn no_provider(&self, name: &str) -> ConfigError {
        let file = self.file.display().to_string();
        let known: Vec<&str> = self.providers.iter().map(|provider| provider.endpoint.provider.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        ConfigError::NoProvider { name: name.to_owned(), file, known }
    }
}

impl Provider {
    /// What a provider of the file means.
    pub(super) fn interpret(
        name: String,
        raw: RawProvider,
        keys: &Keys,
        environment: &BTreeMap<String, String>,
    ) -> Self {
        let endpoint = Endpoint {
            key: keys.key(&name, raw.api_key_env.as_deref(), environment),
            provider: name,
            dialect: raw.dialect,
            base_url: raw.base_url.trim_end_matches('/').to_owned(),
            api_key_env: raw.api_key_env,
            idle_limit: raw.idle_timeout.map_or(IDLE_LIMIT, Duration::from_secs),
        };
        Self { endpoint, models: raw.models }
    }

    /// What there is without a configuration: providers whose key is in the environment or stored, else model servers on this machine.
    pub(super) fn found(keys: &Keys, environment: &BTreeMap<String, String>) -> Vec<Self> {
        let usual: Vec<Self> = USUAL.iter().filter_map(|usual| Self::usual(usual, keys, environment)).collect();
        if !usual.is_empty() {
            return usual;
        }
        let local = local::find(local::PORTS).into_iter().map(|server| {
            let endpoint = Endpoint {
                provider: server.name.to_owned(),
                dialect: Dialect::Chat,
                base_url: server.base_url,
                key: None,
                api_key_env: None,
                idle_limit: IDLE_LIMIT,
            };
            Self { endpoint, models: server.models.into_iter().map(RawModel::named).collect() }
        });
        local.collect()
    }

    fn usual(usual: &Usual, keys: &Keys, environment: &BTreeMap<String, String>) -> Option<Self> {
        let key = keys.key(usual.name, Some(usual.key), environment)?;
        let said = environment.get(usual.address).map(|address| address.trim().trim_end_matches('/'));
        let base_url = match said.filter(|address| !address.is_empty()) {
            Some(address) if address.ends_with(usual.below) => address.to_owned(),
            Some(address) => format!("{address}{}", usual.below),
            None => usual.base_url.to_owned(),
        };
        let endpoint = Endpoint {
            provider: usual.name.to_owned(),
            dialect: usual.dialect,
            base_url,
            key: Some(key),
            api_key_env: Some(usual.key.to_owned()),
            idle_limit: IDLE_LIMIT,
        };
        Some(Self { endpoint, models: vec![RawModel::named(usual.model.to_owned())] })
    }
}

impl RawModel {
    /// One of which only the name is said.
    fn named(id: String) -> Self {
        Self { id, context: None, efforts: None, price: None }
    }
}

impl Keys {
    /// Stores a key in the stead of the one before.
    pub(super) fn put(&mut self, provider: &str, key: &str) {
        self.0.insert(provider.to_owned(), key.to_owned());
    }

    /// A provider's key. The environment's wins over a stored one.
    fn key(&self, provider: &str, env: Option<&str>, environment: &BTreeMap<String, String>) -> Option<Secret> {
        let said = env.and_then(|name| environment.get(name)).filter(|key| !key.trim().is_empty());
        said.or_else(|| self.0.get(provider)).map(|key| Secret::new(key.trim()))
    }
}

/// How an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// OpenAI Responses.
    Responses,
    /// OpenAI Chat Completions, and what imitates it.
    Chat,
    /// Anthropic Messages.
    Messages,
}

impl Dialect {
    /// Its name, as the file has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Chat => "chat",
            Self::Messages => "messages",
        }
    }
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
    pub idle_limit: Duration,
}
