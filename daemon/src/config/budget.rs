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
use std::collections::BTreeMap;

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

/// A limit that is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Its key in the file.
    pub key: &'static str,
    /// What was used of it.
    pub spent: u64,
    /// Both, in words for the person.
    pub words: String,
}

impl Budget {
    /// The first limit that is reached; `None` while there is something left. `allowed` is what the person allowed beyond each limit.
    #[must_use]
    pub fn passed(
        &self,
        turn: &Usage,
        session: &Usage,
        today: &Usage,
        allowed: &BTreeMap<&'static str, u64>,
    ) -> Option<Passed> {
        let tokens = turn.input_tokens + turn.output_tokens;
        let limits = [
            ("turn_tokens", Some(tokens), self.turn_tokens),
            ("session_usd", session.cost, self.session_usd.map(|limit| limit.0)),
            ("day_usd", today.cost, self.day_usd.map(|limit| limit.0)),
        ];
        limits.into_iter().find_map(|(key, spent, limit)| {
            let (spent, limit) = (spent?, limit?);
            let words = match key {
                "turn_tokens" => format!("This turn used {spent} tokens, and the budget for one is {limit}"),
                "session_usd" => {
                    format!("This session cost {}, and the budget for one is {}", Dollars(spent), Dollars(limit))
                }
                _ => format!(
                    "The sessions of today cost {}, and the budget for a day is {}",
                    Dollars(spent),
                    Dollars(limit)
                ),
            };
            let words = format!("{words} (`{key}` in [budget] of config.toml).");
            // As much again, and be it the least there is.
            let most = allowed.get(key).map_or(limit, |allowed| allowed.saturating_add(limit.max(1)));
            (spent >= most).then_some(Passed { key, spent, words })
        })
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
