//! Pieces of a prompt: theirs to ours, and back for a transcript. Pure.

use super::wire::{Block, Resource};
use pilotfish_protocol::InputPart;
use serde_json::Value;

/// A text that came along stands between these two, so that the model sees what it is, and a transcript can give it back.
const BEGIN: &str = "<attached resource=\"";
const BEGUN: &str = "\">\n";
const END: &str = "\n</attached>";

/// Why a prompt cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadBlock {
    /// Of a kind that was not offered.
    #[error(
        "block {place} of the prompt is of type {kind:?}; text, resource_link and resource with a text can be taken"
    )]
    Unknown { place: usize, kind: String },
    /// Of a known kind, and not as it should be.
    #[error("block {place} of the prompt, of type {kind:?}, cannot be read: {why}")]
    Misshapen { place: usize, kind: String, why: String },
    /// Something other than text came along.
    #[error("block {place} of the prompt is the binary resource {uri}; only texts can be taken")]
    Binary { place: usize, uri: String },
}

/// What a person sent, as input of a prompt.
pub(super) fn input(blocks: Vec<Value>) -> Result<Vec<InputPart>, BadBlock> {
    blocks.into_iter().enumerate().map(|(place, block)| part(place + 1, block)).collect()
}

fn part(place: usize, block: Value) -> Result<InputPart, BadBlock> {
    let kind = block.get("type").and_then(Value::as_str).unwrap_or("none").to_owned();
    if !["text", "resource_link", "resource"].contains(&kind.as_str()) {
        return Err(BadBlock::Unknown { place, kind });
    }
    if let Some(resource) = block.get("resource").filter(|resource| resource.get("blob").is_some()) {
        let uri = resource.get("uri").and_then(Value::as_str).unwrap_or("without a name").to_owned();
        return Err(BadBlock::Binary { place, uri });
    }
    let block =
        serde_json::from_value(block).map_err(|error| BadBlock::Misshapen { place, kind, why: error.to_string() })?;
    Ok(match block {
        Block::Text { text } => InputPart::Text { text },
        Block::ResourceLink { uri, .. } if uri.starts_with("file:") => InputPart::File { uri },
        Block::ResourceLink { uri, name } => InputPart::Text { text: format!("[{name}]({uri})") },
        Block::Resource { resource: Resource { uri, text } } => {
            let uri = uri.replace('"', "%22").replace('\n', "%0A");
            InputPart::Text { text: format!("{BEGIN}{uri}{BEGUN}{text}{END}") }
        }
    })
}

/// Input of a prompt, as a transcript shows it.
pub(super) fn block(part: &InputPart) -> Block {
    let lines = |uri: &str, range: &pilotfish_protocol::Range| {
        link(&format!("{uri}#L{}-{}", range.start.line + 1, range.end.line + 1))
    };
    match part {
        InputPart::Text { text } => {
            resource(text).map_or_else(|| Block::text(text), |resource| Block::Resource { resource })
        }
        InputPart::File { uri } => link(uri),
        InputPart::Selection { uri, range } | InputPart::Symbol { uri, range } => lines(uri, range),
        InputPart::Image { media_type, .. } => Block::text(format!("[a picture: {media_type}]")),
        InputPart::Diagnostics { uri: Some(uri) } => Block::text(format!("[the problems of {uri}]")),
        InputPart::Diagnostics { uri: None } => Block::text("[all problems]"),
        InputPart::Changes => Block::text("[the changes that wait for review]"),
    }
}

fn link(uri: &str) -> Block {
    let name = uri.rsplit('/').find(|part| !part.is_empty()).unwrap_or(uri).to_owned();
    Block::ResourceLink { uri: uri.to_owned(), name }
}

fn resource(text: &str) -> Option<Resource> {
    let (uri, text) = text.strip_prefix(BEGIN)?.strip_suffix(END)?.split_once(BEGUN)?;
    Some(Resource { uri: uri.to_owned(), text: text.to_owned() })
}

#[cfg(test)]
mod tests;
