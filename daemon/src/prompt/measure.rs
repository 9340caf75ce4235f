//! How much of a model's context a request takes: an estimate, raised by what the provider itself counted. Pure; it decides nothing.

use crate::model::{Message, ModelRequest, Part};
use pilotfish_protocol::{ContextUse, ModelName};

/// The context of a model that nobody said anything about.
const UNKNOWN: u64 = 128_000;

/// A picture, whatever its size: what the common providers count for a large one.
const IMAGE: u64 = 1_600;

/// What each message costs beside its words.
const MESSAGE: u64 = 4;

/// Estimates are given in thousandths of what was estimated before.
const WHOLE: u64 = 1_000;

/// No provider counts more than this many times what is estimated; one that says so counts something else.
const MOST: u64 = 4 * WHOLE;

/// About how many tokens a text of so many bytes takes. Code and English prose take a token for 3.6 bytes or more.
#[must_use]
pub fn tokens(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX / 10).saturating_mul(10).div_ceil(36)
}

/// About how many bytes so many tokens hold.
#[must_use]
pub fn bytes(tokens: u64) -> usize {
    usize::try_from(tokens.saturating_mul(36) / 10).unwrap_or(usize::MAX)
}

/// About how many tokens a part of a prompt takes.
pub(super) fn part(part: &Part) -> u64 {
    match part {
        Part::Text(text) => tokens(text.len()),
        Part::Image { .. } => IMAGE,
    }
}

/// About how many tokens a message takes.
pub(super) fn message(message: &Message) -> u64 {
    let words = match message {
        Message::User(parts) => parts.iter().map(part).sum(),
        Message::Agent(text) => tokens(text.len()),
        Message::Reasoning { text, opaque } => tokens(text.len() + opaque.to_string().len()),
        Message::Call(call) => tokens(call.call_id.len() + call.name.len() + call.arguments.len()),
        Message::Output { call_id, text } => tokens(call_id.len() + text.len()),
    };
    words + MESSAGE
}

/// About how many tokens a request takes before anything was said: who the model is, and its tools.
pub(super) fn foundation(request: &ModelRequest) -> u64 {
    let tool = |tool: &crate::model::ToolSpec| {
        tokens(
            tool.name.len()
                + tool.description.len()
                + tool.parameters.to_string().len()
                + tool.grammar.map_or(0, str::len),
        ) + MESSAGE
    };
    tokens(request.instructions.len()) + MESSAGE + request.tools.iter().map(tool).sum::<u64>()
}

/// About how many tokens a request takes.
#[must_use]
pub fn request(request: &ModelRequest) -> u64 {
    foundation(request) + request.messages.iter().map(message).sum::<u64>()
}

/// All parts together.
#[must_use]
pub fn total(context: &ContextUse) -> u64 {
    context.instructions + context.history + context.tool_output + context.files
}

/// The same parts, so that together they are `total`.
#[must_use]
pub fn spread(context: &ContextUse, total: u64) -> ContextUse {
    let sum = self::total(context).max(1);
    let share = |part: u64| u64::try_from(u128::from(part) * u128::from(total) / u128::from(sum)).unwrap_or(part);
    let (history, tool_output, files) = (share(context.history), share(context.tool_output), share(context.files));
    ContextUse { instructions: total.saturating_sub(history + tool_output + files), history, tool_output, files }
}

/// The room a model has, and how its provider counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    model: Option<ModelName>,
    told: Option<u64>,
    /// What it turned out to take, where it said that it was full.
    learned: Option<u64>,
    scale: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { model: None, told: None, learned: None, scale: WHOLE }
    }
}

impl Window {
    /// Says whose it is from now on. What was learned of another model is forgotten.
    pub fn belongs_to(&mut self, model: &ModelName, told: Option<u64>) {
        if self.model.as_ref() != Some(model) || self.told != told {
            *self = Self { model: Some(model.clone()), told, ..Self::default() };
        }
    }

    /// How many tokens the model takes in all, as far as is known.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.told.filter(|told| *told > 0).unwrap_or(UNKNOWN)
    }

    /// The most a request may take: the answer needs room too.
    #[must_use]
    pub fn limit(&self) -> u64 {
        let size = self.size();
        size - (size / 8).min(16_000)
    }

    /// The most a request may take that nobody counts on being refused.
    #[must_use]
    pub fn sure(&self) -> u64 {
        self.learned.map_or(self.limit(), |learned| learned.min(self.limit()))
    }

    /// Above this, older history is condensed.
    #[must_use]
    pub fn high_water(&self) -> u64 {
        self.known() / 4 * 3
    }

    /// Leaving out older outputs has to bring a request below this; else it is not worth what it costs.
    #[must_use]
    pub fn comfortable(&self) -> u64 {
        self.known() / 5 * 3
    }

    /// So many tokens are one part of `of` of the window.
    #[must_use]
    pub fn part(&self, of: u64) -> u64 {
        self.known() / of.max(1)
    }

    /// An estimate, as the provider will count it.
    #[must_use]
    pub fn scaled(&self, estimate: u64) -> u64 {
        u64::try_from(u128::from(estimate) * u128::from(self.scale) / u128::from(WHOLE)).unwrap_or(u64::MAX)
    }

    /// The provider counted what had been estimated. Estimates only ever become larger by that.
    pub fn counted(&mut self, estimate: u64, counted: u64) {
        if estimate > 0 && counted > 0 {
            self.scale = (counted.saturating_mul(WHOLE) / estimate).clamp(WHOLE, MOST);
        }
    }

    /// The provider said that a request of this estimate does not fit.
    pub fn refused(&mut self, estimate: u64) {
        let refused = self.scaled(estimate) / 20 * 17;
        self.learned = Some(self.learned.map_or(refused, |learned| learned.min(refused)));
    }

    fn known(&self) -> u64 {
        self.learned.map_or(self.size(), |learned| learned.min(self.size()))
    }
}

#[cfg(test)]
mod tests;
