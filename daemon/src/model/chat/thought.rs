//! Thoughts in Chat Completions: which field a server shows them in, what it wants back, and the tags that some local servers leave
//! among the words. Pure.

use serde_json::{Map, Value, json};

/// What a server showed of its model's thinking, for sending it back.
#[derive(Debug, Clone, Default)]
pub(super) struct Thought {
    /// The field of the delta that carried the words.
    field: Option<&'static str>,
    /// OpenRouter's parts, some of them sealed.
    details: Vec<Value>,
}

impl Thought {
    /// The words of a delta's thought. Servers that send both fields send the same in both.
    pub(super) fn words(&mut self, delta: &Value) -> Option<String> {
        let mut words = None;
        for field in ["reasoning_content", "reasoning", "thinking"] {
            if self.field.is_some_and(|chosen| chosen != field) {
                continue;
            }
            if let Some(text) = delta.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()) {
                self.field = Some(field);
                words = Some(text.to_owned());
                break;
            }
        }
        let details = delta.get("reasoning_details").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut said = String::new();
        for detail in details {
            for key in ["text", "summary"] {
                said.push_str(detail.get(key).and_then(Value::as_str).unwrap_or_default());
            }
            self.add_detail(detail);
        }
        if words.is_none() && self.field.is_none() && !said.is_empty() {
            words = Some(said);
        }
        words
    }

    /// Whether anything came.
    pub(super) fn is_empty(&self) -> bool {
        self.field.is_none() && self.details.is_empty()
    }

    /// What to keep for [`send_back`].
    pub(super) fn into_opaque(self) -> Option<Value> {
        match (self.field, self.details) {
            (_, details) if !details.is_empty() => Some(json!({ "reasoning_details": details })),
            (Some(field), _) => Some(json!({ "field": field })),
            (None, _) => None,
        }
    }

    /// Streamed parts of one thought are one part when sent back.
    fn add_detail(&mut self, detail: &Value) {
        let same = |other: &&mut Value| {
            ["type", "index"].iter().all(|key| other.get(key) == detail.get(key)) && detail.get("index").is_some()
        };
        let (Some(open), Some(more)) = (self.details.last_mut().filter(same), detail.as_object()) else {
            self.details.push(detail.clone());
            return;
        };
        for (key, value) in more {
            match (open.get_mut(key), value) {
                (Some(Value::String(text)), Value::String(more)) if matches!(&**key, "text" | "summary" | "data") => {
                    text.push_str(more);
                }
                (_, Value::Null) => {}
                _ => open[key] = value.clone(),
            }
        }
    }
}

/// Adds a thought to the message it came with, in the shape its server gave it. Thoughts of other dialects add nothing.
pub(super) fn send_back(message: &mut Map<String, Value>, text: &str, opaque: &Value) {
    if let Some(details) = opaque.get("reasoning_details").filter(|details| details.is_array()) {
        message.insert("reasoning_details".to_owned(), details.clone());
    } else if let Some(field @ ("reasoning_content" | "reasoning" | "thinking")) =
        opaque.get("field").and_then(Value::as_str)
    {
        message.insert(field.to_owned(), json!(text));
    }
}

const OPENING: &str = "<think>";
const CLOSING: &str = "</think>";

/// Splits content that begins with a tagged thought, as local servers send it that do not know the model's template.
#[derive(Debug, Clone, Default)]
pub(super) enum Tags {
    /// Nothing but the beginning of a tag, or blanks, so far.
    #[default]
    Start,
    /// As far as the opening tag came.
    Opening(String),
    /// Inside, with what may be the beginning of the closing tag.
    Inside(String),
    /// After the closing tag, before the first word.
    Closed,
    /// Words, to the end.
    Words,
}

/// A piece of content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Of the thought.
    Thought(String),
    /// Of the message.
    Words(String),
}

impl Tags {
    /// Reads on. Only what may be the beginning of a tag is held back.
    pub(super) fn push(&mut self, text: &str, pieces: &mut Vec<Piece>) {
        match self {
            Self::Start => {
                *self = Self::Opening(String::new());
                self.push(text, pieces);
            }
            Self::Opening(held) => {
                held.push_str(text);
                let seen = held.trim_start();
                if let Some(rest) = seen.strip_prefix(OPENING) {
                    let rest = rest.to_owned();
                    *self = Self::Inside(String::new());
                    self.push(&rest, pieces);
                } else if !OPENING.starts_with(seen) {
                    let words = std::mem::take(held);
                    *self = Self::Words;
                    pieces.push(Piece::Words(words));
                }
            }
            Self::Inside(held) => {
                held.push_str(text);
                if let Some((thought, rest)) = held.split_once(CLOSING) {
                    let (thought, rest) = (thought.to_owned(), rest.to_owned());
                    *self = Self::Closed;
                    if !thought.is_empty() {
                        pieces.push(Piece::Thought(thought));
                    }
                    self.push(&rest, pieces);
                } else {
                    let sure = held.len() - beginning_at_end(held, CLOSING);
                    let rest = held.split_off(sure);
                    let thought = std::mem::replace(held, rest);
                    if !thought.is_empty() {
                        pieces.push(Piece::Thought(thought));
                    }
                }
            }
            Self::Closed => {
                let words = text.trim_start();
                if !words.is_empty() {
                    *self = Self::Words;
                    pieces.push(Piece::Words(words.to_owned()));
                }
            }
            Self::Words => {
                if !text.is_empty() {
                    pieces.push(Piece::Words(text.to_owned()));
                }
            }
        }
    }

    /// The content is over: what was held back.
    pub(super) fn end(&mut self) -> Option<Piece> {
        match std::mem::replace(self, Self::Words) {
            Self::Opening(held) if !held.is_empty() => Some(Piece::Words(held)),
            Self::Inside(held) if !held.is_empty() => Some(Piece::Thought(held)),
            Self::Start | Self::Opening(_) | Self::Inside(_) | Self::Closed | Self::Words => None,
        }
    }
}

/// How many bytes at the end of `text` may be the beginning of `tag`.
fn beginning_at_end(text: &str, tag: &str) -> usize {
    (1..tag.len()).rev().find(|&length| tag.get(..length).is_some_and(|start| text.ends_with(start))).unwrap_or(0)
}
