//! What was said ([`RawConfig`]: the person's file, the environment) and what it means ([`Config`]).
//!
//! Only the person's own file counts. Nothing that a workspace ships is read here.

use models::{Keys, Provider, RawProvider};
use pilotfish_protocol::ModelName;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

mod beyond;
mod budget;
pub mod known;
mod local;
mod models;
pub mod rules;
pub mod trust;

pub use beyond::Beyond;
pub use budget::{Budget, Dollars, Passed};
pub use models::{Dialect, Endpoint, Resolved, Secret, effort_word, is_usual_variable, usual_key_variable};

/// A command's time unless the model asks for another.
const COMMAND_TIME: Duration = Duration::from_secs(120);

/// How long a daemon stays that nobody uses, unless the file says another time.
const IDLE_EXIT: Duration = Duration::from_secs(60);

/// Model requests in one turn.
const MAX_STEPS: u32 = 500;

/// Characters one output may take when the model's context is not known.
const OUTPUT_CHARS: usize = 12_000;

/// Where our files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Holds `config.toml` and `keys.toml`.
    pub config: PathBuf,
    /// Holds the journal and the log.
    pub state: PathBuf,
    /// Holds the daemon's socket.
    pub runtime: PathBuf,
}

impl Home {
    /// As the environment says: everything below `PILOTFISH_HOME` when that is set, else the XDG base directories.
    ///
    /// # Errors
    /// When neither they nor `HOME` are set.
    pub fn of(environment: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let set = |name: &str| environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(home) = set("PILOTFISH_HOME") {
            // The daemon, which is told the same, is started in another folder.
            let home = std::path::absolute(&home).unwrap_or(home);
            return Ok(Self { state: home.join("state"), runtime: home.join("run"), config: home });
        }
        let below_home = |folder: &str| set("HOME").map(|home| home.join(folder)).ok_or(ConfigError::NoHome);
        let config = set("XDG_CONFIG_HOME").map_or_else(|| below_home(".config"), Ok)?;
        let state = set("XDG_STATE_HOME").map_or_else(|| below_home(".local/state"), Ok)?;
        let runtime =
            set("XDG_RUNTIME_DIR").map_or_else(Self::temporary_runtime, |directory| directory.join("pilotfish"));
        Ok(Self { config: config.join("pilotfish"), state: state.join("pilotfish"), runtime })
    }

    /// Where sockets lie when nothing else is said, or the name there would be too long for one.
    #[must_use]
    pub fn temporary_runtime() -> PathBuf {
        PathBuf::from(format!("/tmp/pilotfish-{}", rustix::process::geteuid().as_raw()))
    }

    /// The configuration's file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The stored keys' file.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.config.join("keys.toml")
    }

    /// The remembered answers' file.
    #[must_use]
    pub fn rules_file(&self) -> PathBuf {
        self.config.join("rules.toml")
    }

    /// The person's own words to all agents.
    #[must_use]
    pub fn instructions_file(&self) -> PathBuf {
        self.config.join("AGENTS.md")
    }

    /// Whether a path, without links, is one of our own files, lies among them, or holds them. No agent changes those: what they say is the
    /// person's, and is obeyed everywhere.
    #[must_use]
    pub fn is_own(&self, path: &Path) -> bool {
        let files = [self.config_file(), self.key_file(), self.rules_file(), self.instructions_file()];
        let own = files.into_iter().chain([self.state.clone(), self.runtime.clone()]);
        let real = |own: PathBuf| match (own.parent().and_then(|folder| folder.canonicalize().ok()), own.file_name()) {
            (Some(folder), Some(name)) => folder.join(name),
            _ => own,
        };
        own.map(real).any(|own| path.starts_with(&own) || own.starts_with(path))
    }

    /// The names of the variables that the configuration takes keys from. A broken file names none.
    #[must_use]
    pub fn key_variables(&self) -> Vec<String> {
        let files = self.read().unwrap_or_default();
        files.raw.providers.into_values().filter_map(|provider| provider.api_key_env).collect()
    }

    fn read(&self) -> Result<Files, ConfigError> {
        let raw = read_toml(&self.config_file())?.unwrap_or_default();
        Ok(Files { raw, keys: read_toml(&self.key_file())?.unwrap_or_default() })
    }
}

/// The environment of a client, once read: what is no text is left out.
pub type Environment = Arc<BTreeMap<String, String>>;

/// The file as written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawConfig {
    model: Option<String>,
    providers: BTreeMap<String, RawProvider>,
    command_timeout: Option<u64>,
    idle_exit: Option<u64>,
    sandbox: beyond::RawSandbox,
    editor: RawEditor,
    notify: RawNotify,
    budget: Budget,
    finish_check: Option<bool>,
}

/// What editors without a plugin are to do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawEditor {
    /// Ask questions in a box of theirs, which in some of them keeps a person from typing on.
    ask: bool,
}

/// What is shown on the person's desktop.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawNotify {
    desktop: Notify,
}

/// What of sessions is shown on the person's desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// Nothing.
    #[default]
    Off,
    /// That one waits for the person.
    Waiting,
    /// That, and the end of a turn that took long.
    Done,
}

/// What the configuration means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    default: Option<ModelName>,
    providers: Vec<Provider>,
    command_time: Duration,
    beyond: Beyond,
    budget: Budget,
    finish_check: bool,
    /// The file, for messages.
    file: PathBuf,
}

/// The limits of one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Model requests.
    pub max_steps: u32,
    /// Characters one tool's output may take in the history.
    pub output_chars: usize,
    /// A command's time, unless the model asks for another.
    pub command_time: Duration,
    /// What may be used before the person is asked again.
    pub budget: Budget,
    /// Whether the model is asked to check changes that nothing ran after.
    pub finish_check: bool,
}

/// What is wrong with the configuration. The words say what to write where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No place for our files.
    #[error("neither PILOTFISH_HOME nor HOME is set; set one, so that pilotfish knows where its files lie")]
    NoHome,
    /// The file cannot be read.
    #[error("cannot read {file}: {why}")]
    Unreadable {
        /// Which.
        file: String,
        /// The system's words.
        why: String,
    },
    /// The file says something that cannot be.
    #[error("{file} is not a configuration: {why}")]
    Broken {
        /// Which.
        file: String,
        /// Where and what.
        why: String,
    },
    /// The name has no slash.
    #[error("{0:?} names no model; write provider/model, such as openai/gpt-5")]
    NotAModel(String),
    /// The provider is not configured.
    #[error("there is no provider {name:?} in {file}; it has {known}")]
    NoProvider {
        /// As asked.
        name: String,
        /// The file.
        file: String,
        /// Those it has.
        known: String,
    },
    /// The model is known to take other efforts only.
    #[error("{model} takes no effort {effort:?}; it takes: {takes}")]
    NoEffort {
        /// As asked.
        model: String,
        /// As asked.
        effort: &'static str,
        /// Those it takes.
        takes: String,
    },
    /// Nothing is configured and nothing was found.
    #[error(
        "no model is configured. Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or start a model server such as Ollama, or write to {file}:\n\n\
         model = \"local/MODEL\"\n\n[providers.local]\ndialect = \"chat\"              # or \"responses\", \"messages\"\n\
         base_url = \"http://127.0.0.1:11434/v1\"\n# api_key_env = \"LOCAL_KEY\"   # when it needs a key"
    )]
    NoModel {
        /// Where to write.
        file: String,
    },
}

/// Reads the configuration anew each time it is asked. A file that is broken later keeps its last good words; what they mean
/// depends on whose environment they are read in.
#[derive(Debug, Clone)]
pub struct ConfigSource {
    home: Home,
    last_good: Arc<Mutex<Option<Files>>>,
}

/// A person's files, as written.
#[derive(Debug, Clone, Default)]
struct Files {
    raw: RawConfig,
    keys: Keys,
}

impl ConfigSource {
    /// Of a person's files.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self { home, last_good: Arc::default() }
    }

    /// Where the files lie.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// What the configuration means now, in an environment: its keys are in nobody else's configuration.
    ///
    /// # Errors
    /// When the file is broken, and was never whole since the start.
    pub fn load(&self, environment: &BTreeMap<String, String>) -> Result<Config, ConfigError> {
        let Files { raw, keys } = self.files()?;
        let mut config = interpret(raw, &keys, environment, self.home.config_file());
        if config.providers.is_empty() {
            config.providers = Provider::found(&keys, environment);
        }
        if config.default.is_none() {
            // Without a choice the first model there is, is the choice.
            config.default = config.models().into_iter().next().map(|model| model.name);
        }
        Ok(config)
    }

    /// How long a daemon stays that nobody uses.
    #[must_use]
    pub fn idle_exit(&self) -> Duration {
        let said = self.files().ok().and_then(|files| files.raw.idle_exit);
        said.map_or(IDLE_EXIT, Duration::from_secs)
    }

    /// What of sessions is shown on the person's desktop.
    #[must_use]
    pub fn notify(&self) -> Notify {
        self.files().map(|files| files.raw.notify.desktop).unwrap_or_default()
    }

    /// Whether editors without a plugin ask questions of policy, instead of only saying that one waits.
    #[must_use]
    pub fn asks_in_editors(&self) -> bool {
        self.files().is_ok_and(|files| files.raw.editor.ask)
    }

    fn files(&self) -> Result<Files, ConfigError> {
        let mut last_good = self.last_good.lock().unwrap_or_else(PoisonError::into_inner);
        match self.home.read() {
            Ok(files) => {
                *last_good = Some(files.clone());
                Ok(files)
            }
            Err(error) => match &*last_good {
                Some(files) => {
                    tracing::warn!(%error, "going on with the last good configuration");
                    Ok(files.clone())
                }
                None => Err(error),
            },
        }
    }
}

impl Config {
    /// What commands may reach beyond the sandbox without being asked about.
    #[must_use]
    pub fn beyond(&self) -> &Beyond {
        &self.beyond
    }

    /// The limits of a turn with a model of this context size.
    #[must_use]
    pub fn limits(&self, context: Option<u64>) -> Limits {
        // No output takes more than a twentieth of the context, at about four characters a token.
        let twentieth = context.map_or(OUTPUT_CHARS, |tokens| usize::try_from(tokens / 5).unwrap_or(OUTPUT_CHARS));
        Limits {
            max_steps: MAX_STEPS,
            output_chars: twentieth.clamp(2_000, 16_000),
            command_time: self.command_time,
            budget: self.budget,
            finish_check: self.finish_check,
        }
    }
}

/// Stores a provider's key in a file that only its owner can read.
///
/// # Errors
/// When the file cannot be read or written.
pub fn store_key(home: &Home, provider: &str, key: &str) -> Result<PathBuf, ConfigError> {
    let file = home.key_file();
    let unwritable =
        |error: std::io::Error| ConfigError::Unreadable { file: file.display().to_string(), why: error.to_string() };
    let _locked = lock(&file)?;
    let mut keys: Keys = read_toml(&file)?.unwrap_or_default();
    keys.put(provider, key);
    let broken =
        |error: toml::ser::Error| ConfigError::Broken { file: file.display().to_string(), why: error.to_string() };
    let text = toml::to_string(&keys).map_err(broken)?;
    write_private(&file, &text).map_err(unwritable)?;
    Ok(file)
}

/// Keeps everybody else from changing a file until it is dropped: other tasks and other programs of ours.
fn lock(file: &Path) -> Result<std::fs::File, ConfigError> {
    use std::os::unix::fs::OpenOptionsExt;
    let lock = file.with_extension("lock");
    let locked = || {
        if let Some(directory) = file.parent() {
            private_directory(directory)?;
        }
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&lock)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
        Ok(file)
    };
    locked().map_err(|error: std::io::Error| ConfigError::Unreadable {
        file: lock.display().to_string(),
        why: error.to_string(),
    })
}

/// Writes a file that only its owner can read, whole or not at all. Whoever changes what was there holds its [`lock`].
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(directory) = file.parent() {
        private_directory(directory)?;
    }
    let staged = file.with_extension("toml.new");
    // Left over from a write that did not end.
    let _ = std::fs::remove_file(&staged);
    let mut options = std::fs::OpenOptions::new();
    let mut staged_file = options.write(true).create_new(true).mode(0o600).open(&staged)?;
    staged_file.write_all(text.as_bytes())?;
    staged_file.sync_data()?;
    std::fs::rename(&staged, file)
}

/// Makes a directory that only its owner can look into.
///
/// # Errors
/// When it cannot be made.
pub fn private_directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn read_toml<T: serde::de::DeserializeOwned>(file: &Path) -> Result<Option<T>, ConfigError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ConfigError::Unreadable { file: file.display().to_string(), why: error.to_string() }),
    };
    toml::from_str(&text).map(Some).map_err(|error: toml::de::Error| {
        // Where and what, and never the line itself, which may hold a key.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let (line, column) =
            (before.lines().count().max(1), before.lines().last().map_or(0, |line| line.chars().count()));
        let line = line + usize::from(before.ends_with('\n'));
        let column = if before.ends_with('\n') { 1 } else { column + 1 };
        let why = format!("line {line}, column {column}: {}", error.message());
        ConfigError::Broken { file: file.display().to_string(), why }
    })
}

fn interpret(raw: RawConfig, keys: &Keys, environment: &BTreeMap<String, String>, file: PathBuf) -> Config {
    let providers = raw.providers.into_iter().map(|(name, raw)| Provider::interpret(name, raw, keys, environment));
    Config {
        default: raw.model.map(ModelName),
        providers: providers.collect(),
        command_time: raw.command_timeout.map_or(COMMAND_TIME, Duration::from_secs),
        beyond: raw.sandbox.interpret(environment),
        budget: raw.budget,
        finish_check: raw.finish_check.unwrap_or(true),
        file,
    }
}

#[cfg(test)]
mod tests;
