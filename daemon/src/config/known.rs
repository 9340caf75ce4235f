//! What is known of models by their names, as one table: how much they read, how hard they can think, which tools they edit with best.
//! A configuration's own words win over it; a model that it does not name is asked in the plainest way. Never asks anybody.

use pilotfish_protocol::Effort;

/// Models that are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Tokens they read, where every server of theirs holds that many.
    pub context: Option<u64>,
    /// Tokens that one answer may take.
    pub max_output: u64,
    /// The efforts they take, if known; none at all when they do not think.
    pub efforts: Option<&'static [Effort]>,
    /// How they are told to think in the dialect that has several ways for it.
    pub thinking: Thinking,
    /// What they edit with.
    pub edits: Edits,
}

/// How a model of the `messages` dialect is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// With a number of tokens.
    Budget,
    /// With a word; how much it takes is its own matter.
    Adaptive,
}

/// The tools that change files, as a family was trained on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edits {
    /// All of them, for whoever was trained on none.
    All,
    /// Replacing text, and whole files.
    Replace,
    /// Patches, as an argument of a function.
    Patch,
    /// Patches, as free text where the dialect has that.
    FreePatch,
}

const ALL_EFFORTS: &[Effort] = &[Effort::Minimal, Effort::Low, Effort::Medium, Effort::High];
const FROM_LOW: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High];

/// For the models that the table does not name.
const UNKNOWN: Family =
    Family { context: None, max_output: 8_192, efforts: None, thinking: Thinking::Budget, edits: Edits::All };

/// One that thinks with a budget and replaces text.
const CLAUDE: Family = Family {
    context: Some(200_000),
    max_output: 32_000,
    efforts: Some(ALL_EFFORTS),
    thinking: Thinking::Budget,
    edits: Edits::Replace,
};
const ADAPTIVE_CLAUDE: Family = Family { thinking: Thinking::Adaptive, ..CLAUDE };

/// Its limit counts what it reads; answers come on top.
const GPT: Family = Family {
    context: Some(272_000),
    max_output: 32_000,
    efforts: Some(FROM_LOW),
    thinking: Thinking::Budget,
    edits: Edits::FreePatch,
};
/// From before there were tools of free text.
const OLDER_GPT: Family = Family { context: Some(200_000), edits: Edits::Patch, ..GPT };

/// Families by parts of their names, the first that fits. Names are compared in lower case with `-` for every mark, part by part.
/// Contexts are the ones that the providers' pages state; they stand only where a model is served with one size everywhere.
const FAMILIES: &[(&[&str], Family)] = &[
    (&["claude-3-7", "claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5", "claude-opus-4-1"], CLAUDE),
    (&["claude-sonnet-4-6", "claude-opus-4-6", "claude-opus-4-7", "claude-opus-4-8"], ADAPTIVE_CLAUDE),
    (&["claude-sonnet-4", "claude-opus-4", "claude-4-sonnet", "claude-4-opus"], CLAUDE),
    (&["claude-3-5"], Family { max_output: 8_192, efforts: Some(&[]), ..CLAUDE }),
    (&["claude-3", "claude-2"], Family { max_output: 4_096, efforts: Some(&[]), ..CLAUDE }),
    // What is newer than this table.
    (&["claude"], ADAPTIVE_CLAUDE),
    (&["gpt-oss"], Family { efforts: Some(FROM_LOW), max_output: 16_384, ..UNKNOWN }),
    (&["gpt-5-chat", "gpt-5-1-chat"], Family { context: Some(128_000), efforts: Some(&[]), ..OLDER_GPT }),
    (&["gpt-5-1", "gpt-5-2", "gpt-5-3", "gpt-5-4", "gpt-5-5", "gpt-5-codex"], GPT),
    (&["gpt-5"], Family { efforts: Some(ALL_EFFORTS), ..GPT }),
    (&["gpt-4-1"], Family { context: Some(1_047_576), efforts: Some(&[]), ..OLDER_GPT }),
    (&["gpt-4o", "gpt-4-turbo"], Family { context: Some(128_000), max_output: 4_096, efforts: Some(&[]), ..OLDER_GPT }),
    (&["o1", "o3", "o4", "codex"], OLDER_GPT),
    (&["gemini-2-5", "gemini-3"], Family { context: Some(1_048_576), max_output: 32_000, ..UNKNOWN }),
    (&["grok-4", "grok-code"], Family { context: Some(256_000), max_output: 32_000, ..UNKNOWN }),
    (&["deepseek-chat", "deepseek-reasoner"], Family { context: Some(128_000), ..UNKNOWN }),
];

/// What is known of a model. Whoever offers it may stand before its name, and its date or size behind it.
#[must_use]
pub fn family(model: &str) -> &'static Family {
    let plain: String =
        model.chars().map(|mark| if mark.is_alphanumeric() { mark.to_ascii_lowercase() } else { '-' }).collect();
    let plain = format!("-{plain}-");
    let fits = |part: &&str| plain.contains(&format!("-{part}-"));
    let found = FAMILIES.iter().find(|(parts, _)| parts.iter().any(fits));
    found.map_or(&UNKNOWN, |(_, family)| family)
}

#[cfg(test)]
mod tests;
