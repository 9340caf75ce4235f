//! What models cost and how much may be used: `price` of a model, and `[budget]` of the person's own file.
//!
//! ```toml
//! [budget]
//! turn_tokens = 2_000_000
//! session_usd = 5
//! day_usd = 20
//! ```

use pilotfish_protocol::{Price, Usage};
use serde::Deserialize;

/// The most that may be used before the person is asked again. What is not said is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Tokens of one turn, read and written.
    pub turn_tokens: Option<u64>,
    /// What one session may cost.
    pub session_usd: Option<Dollars>,
    /// What all sessions of a day may cost, in UTC.
    pub day_usd: Option<Dollars>,
}

impl Budget {
    /// Which limit is reached, in words for the person; `None` while there is something left.
    #[must_use]
    pub fn passed(&self, turn: &Usage, session: &Usage, today: &Usage) -> Option<String> {
        let tokens = turn.input_tokens + turn.output_tokens;
        let over = |spent: Option<u64>, limit: Option<Dollars>| {
            let limit = limit?;
            spent.filter(|spent| *spent >= limit.0).map(|spent| (Dollars(spent), limit))
        };
        let words = if let Some(limit) = self.turn_tokens.filter(|limit| tokens >= *limit) {
            ("turn_tokens", format!("this turn used {tokens} tokens, and the budget for one is {limit}"))
        } else if let Some((spent, limit)) = over(session.cost, self.session_usd) {
            ("session_usd", format!("this session cost {spent}, and the budget for one is {limit}"))
        } else if let Some((spent, limit)) = over(today.cost, self.day_usd) {
            ("day_usd", format!("today's sessions cost {spent}, and the budget for a day is {limit}"))
        } else {
            return None;
        };
        let (key, what) = words;
        Some(format!("{what}. Raise `{key}` in [budget] of config.toml to go on"))
    }
}

/// US dollars, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "f64")]
pub struct Dollars(pub u64);

impl TryFrom<f64> for Dollars {
    type Error = String;

    fn try_from(dollars: f64) -> Result<Self, String> {
        if !(0.0..=1_000_000.0).contains(&dollars) {
            return Err(format!("{dollars} is no sum of US dollars"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it was held against both ends above"
        )]
        Ok(Self((dollars * 1_000_000.0).round() as u64))
    }
}

impl std::fmt::Display for Dollars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "${}.{:02}", self.0 / 1_000_000, self.0 % 1_000_000 / 10_000)
    }
}

/// What a model costs, in US dollars for a million tokens, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrice {
    input: Dollars,
    /// As `input` where nothing is said.
    cached: Option<Dollars>,
    output: Dollars,
}

impl RawPrice {
    pub(super) fn interpret(self) -> Price {
        Price { input: self.input.0, cached: self.cached.unwrap_or(self.input).0, output: self.output.0 }
    }
}

#[cfg(test)]
mod tests;
