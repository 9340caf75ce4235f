//! What a person sends with a prompt.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place in a text: line and UTF-16 column, both from 0, as in the language server protocol's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// From 0.
    pub line: u32,
    /// From 0, in UTF-16 units.
    pub character: u32,
}

/// A half-open stretch of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Range {
    /// The first place inside.
    pub start: Position,
    /// The first place after.
    pub end: Position,
}

/// One part of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum InputPart {
    /// Words.
    Text {
        /// As typed.
        text: String,
    },
    /// A whole file.
    File {
        /// Its `file:` URI.
        uri: String,
    },
    /// Lines of a file.
    Selection {
        /// Its `file:` URI.
        uri: String,
        /// What is selected.
        range: Range,
    },
    /// A picture.
    Image {
        /// Such as `image/png`.
        media_type: String,
        /// Base64.
        data: String,
    },
    /// The problems an editor knows of, of one file or of all.
    Diagnostics {
        /// Its `file:` URI.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uri: Option<String>,
    },
    /// A named piece of code.
    Symbol {
        /// Its `file:` URI.
        uri: String,
        /// Where it stands.
        range: Range,
    },
    /// The changes that wait for review.
    Changes,
}

/// What happens to a prompt that arrives while a turn runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Delivery {
    /// It waits for the turn to end.
    #[default]
    Queue,
    /// It reaches the model at the next step.
    Steer,
}
