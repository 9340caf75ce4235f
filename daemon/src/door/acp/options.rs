//! What a person may set of a session: the mode, the model and how hard it thinks. Every option has a value at all times. Pure.

use super::wire::{Choice, ConfigOption, ModeInfo, Modes};
use pilotfish_protocol::{Effort, Mode, ModelList, ModelName, Session};
use serde_json::Value;

const MODE: &str = "mode";
const MODEL: &str = "model";
const EFFORT: &str = "effort";

/// The effort that leaves it to the model.
const USUAL: &str = "default";

const MODES: [Mode; 2] = [Mode::ReadOnly, Mode::Agent];
const EFFORTS: [Effort; 4] = [Effort::Minimal, Effort::Low, Effort::Medium, Effort::High];

/// What is to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setting {
    /// Another mode.
    Mode(Mode),
    /// Another model, with its usual effort.
    Model(ModelName),
    /// Another effort of the model there is.
    Effort(Option<Effort>),
}

/// Why something cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadSetting {
    /// No such option.
    #[error("there is no option {0:?}; the options are mode, model and effort")]
    NoOption(String),
    /// No such value of it.
    #[error("{value} is no value of {option}; it takes {takes}")]
    NoValue { option: &'static str, value: String, takes: String },
}

/// Reads a mode's name.
pub(super) fn mode(id: &str) -> Result<Mode, BadSetting> {
    let takes = || MODES.map(|mode| mode.to_string()).join(" or ");
    let known = MODES.into_iter().find(|mode| mode.to_string() == id);
    known.ok_or_else(|| BadSetting::NoValue { option: MODE, value: format!("{id:?}"), takes: takes() })
}

/// Reads what `session/set_config_option` asks for.
pub(super) fn setting(option: &str, value: &Value) -> Result<Setting, BadSetting> {
    let no_value =
        |option, takes: &str| BadSetting::NoValue { option, value: value.to_string(), takes: takes.to_owned() };
    match (option, value.as_str()) {
        (MODE, Some(value)) => mode(value).map(Setting::Mode),
        (MODE, None) => Err(no_value(MODE, "the name of a mode")),
        (MODEL, Some(value)) => Ok(Setting::Model(ModelName(value.to_owned()))),
        (MODEL, None) => Err(no_value(MODEL, "the name of a model")),
        (EFFORT, Some(USUAL)) => Ok(Setting::Effort(None)),
        (EFFORT, value) => {
            let known = EFFORTS.into_iter().find(|effort| Some(named(*effort)) == value);
            known
                .map(|effort| Setting::Effort(Some(effort)))
                .ok_or_else(|| no_value(EFFORT, "minimal, low, medium, high or default"))
        }
        (option, _) => Err(BadSetting::NoOption(option.to_owned())),
    }
}

/// The modes, for clients that know nothing of options.
pub(super) fn modes(current: Mode) -> Modes {
    let info = |id| {
        let (name, description) = described(id);
        ModeInfo { id, name, description }
    };
    Modes { current_mode_id: current, available_modes: MODES.into_iter().map(info).collect() }
}

/// All options of a session. Without any usable model there is nothing to pick one from, and the prompt says what is missing.
pub(super) fn config_options(session: &Session, models: &ModelList) -> Vec<ConfigOption> {
    let mut options =
        vec![select(MODE, "Mode", "mode", session.mode.to_string(), MODES.into_iter().map(mode_choice).collect())];
    let first = || models.models.iter().find(|model| model.default).or(models.models.first()).map(|model| &model.name);
    let Some(current) = session.model.as_ref().or_else(first) else { return options };
    let mut names: Vec<Choice> = models.models.iter().map(|model| plain(&model.name.0)).collect();
    if !names.iter().any(|choice| choice.value == current.0) {
        // It was configured once; it is what the session has.
        names.insert(0, plain(&current.0));
    }
    options.push(select(MODEL, "Model", "model", current.0.clone(), names));
    let efforts = models.models.iter().find(|model| model.name == *current).map(|model| model.efforts.as_slice());
    if let Some(efforts) = efforts.filter(|efforts| !efforts.is_empty()) {
        let mut choices: Vec<Choice> =
            std::iter::once(USUAL).chain(efforts.iter().map(|effort| named(*effort))).map(plain).collect();
        let current = session.effort.map_or(USUAL, named);
        if !choices.iter().any(|choice| choice.value == current) {
            choices.push(plain(current));
        }
        options.push(select(EFFORT, "Effort", "thought_level", current.to_owned(), choices));
    }
    options
}

fn select(
    id: &'static str,
    name: &'static str,
    category: &'static str,
    current_value: String,
    options: Vec<Choice>,
) -> ConfigOption {
    ConfigOption { id, name, category, kind: "select", current_value, options }
}

fn mode_choice(mode: Mode) -> Choice {
    let (name, description) = described(mode);
    Choice { value: mode.to_string(), name: name.to_owned(), description: Some(description.to_owned()) }
}

fn plain(value: &str) -> Choice {
    Choice { value: value.to_owned(), name: value.to_owned(), description: None }
}

fn described(mode: Mode) -> (&'static str, &'static str) {
    match mode {
        Mode::ReadOnly => ("Read-only", "Reads and runs; changes of files are proposals, and commands cannot write"),
        Mode::Agent => ("Agent", "Changes files of the workspace; commands run confined to it"),
    }
}

fn named(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
    }
}

#[cfg(test)]
mod tests;
