//! The envelope of a message: what JSON-RPC asks of a body, checked before anybody else sees it. Pure.
//!
//! Owns the checks of UTF-8, depth and form, and the writing of answers. It never looks into parameters.

use pilotfish_protocol::RpcError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The deepest nesting of arrays and objects that is read.
pub(crate) const MAX_DEPTH: usize = 128;

/// The error codes of JSON-RPC and of the language server protocol.
pub(crate) mod code {
    /// Not JSON (JSON-RPC).
    pub(crate) const PARSE_ERROR: i32 = -32700;
    /// JSON, and no message (JSON-RPC); also any request after `shutdown` (LSP 3.17).
    pub(crate) const INVALID_REQUEST: i32 = -32600;
    /// No such method (JSON-RPC).
    pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
    /// A defect of ours (JSON-RPC).
    pub(crate) const INTERNAL_ERROR: i32 = -32603;
    /// A request before `initialize` (LSP 3.17).
    pub(crate) const SERVER_NOT_INITIALIZED: i32 = -32002;
}

/// A body that is no message, and so has no id to answer to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadMessage {
    /// Not UTF-8.
    #[error("the body is not UTF-8: byte {0} begins no character")]
    NotUtf8(usize),
    /// Nested beyond [`MAX_DEPTH`].
    #[error("the body nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// JSON, and no message.
    #[error("the body is no JSON-RPC 2.0 message: {0}")]
    NotAMessage(String),
}

impl BadMessage {
    /// The JSON-RPC code it is answered with.
    pub(crate) fn code(&self) -> i32 {
        match self {
            BadMessage::NotUtf8(_) | BadMessage::TooDeep | BadMessage::NotJson(_) => code::PARSE_ERROR,
            BadMessage::NotAMessage(_) => code::INVALID_REQUEST,
        }
    }
}

/// A message.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    /// A request, or a notification if it has no id.
    Call(Call<'a>),
    /// The answer to a request of ours.
    Answer(Reply<'a>),
}

/// The answer to a request of ours.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    /// Of the request; absent when the client could not read it.
    pub(crate) id: Option<Id>,
    /// What it says, as it was written; absent when it is an error.
    pub(crate) result: Option<&'a RawValue>,
}

/// A request or a notification.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Its id, absent for a notification.
    pub(crate) id: Option<Id>,
    /// The method's name.
    pub(crate) method: Cow<'a, str>,
    /// Parameters as they were written.
    pub(crate) params: Option<&'a RawValue>,
}

/// The id of a request. It is given back as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Id {
    /// Most clients count.
    Number(i64),
    /// Some have names.
    Text(String),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    jsonrpc: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Keeps `null` apart from absence.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Message<'a> {
    /// Reads a body.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, BadMessage> {
        let text = std::str::from_utf8(body).map_err(|error| BadMessage::NotUtf8(error.valid_up_to()))?;
        check_depth(body)?;
        if !text.trim_start().starts_with('{') {
            // A batch, or nothing at all. The derived reader below would take an array for an object.
            return Err(match serde_json::from_str::<serde::de::IgnoredAny>(text) {
                Ok(_) => not_a_message("it is no object"),
                Err(error) => BadMessage::NotJson(error.to_string()),
            });
        }
        let envelope: Envelope<'a> = serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => not_a_message(error),
            _ => BadMessage::NotJson(error.to_string()),
        })?;
        if envelope.jsonrpc != "2.0" {
            return Err(not_a_message("\"jsonrpc\" is not \"2.0\""));
        }
        let id = match envelope.id.map(|id| serde_json::from_str(id.get())) {
            None => None,
            Some(Ok(id)) => Some(id),
            // A client that could not read a message of ours answers with the id null.
            Some(Err(_)) if envelope.error.is_some() => None,
            Some(Err(_)) => return Err(not_a_message("\"id\" is neither an integer nor a string")),
        };
        match (envelope.method, envelope.result, envelope.error) {
            (Some(method), None, None) => Ok(Message::Call(Call { id, method, params: envelope.params })),
            (None, Some(result), None) if id.is_some() => Ok(Message::Answer(Reply { id, result: Some(result) })),
            (None, None, Some(_)) => Ok(Message::Answer(Reply { id, result: None })),
            _ => Err(not_a_message("it is neither a call with a \"method\" nor an answer to one")),
        }
    }
}

fn not_a_message(why: impl ToString) -> BadMessage {
    BadMessage::NotAMessage(why.to_string())
}

/// Counts brackets outside strings, so that no parser behind this needs a deep stack.
fn check_depth(body: &[u8]) -> Result<(), BadMessage> {
    let mut depth = 0usize;
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(BadMessage::TooDeep);
        }
    }
    Ok(())
}

/// An error as it is sent.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    /// The code.
    pub(crate) code: i32,
    /// For people.
    pub(crate) message: String,
    /// More, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Box<RawValue>>,
}

impl Failure {
    /// A failure with nothing for programs but its code.
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }
}

impl From<RpcError> for Failure {
    fn from(error: RpcError) -> Self {
        let error = jsonrpsee::types::ErrorObjectOwned::from(error);
        Self { code: error.code(), message: error.message().to_owned(), data: error.data().map(ToOwned::to_owned) }
    }
}

#[derive(Serialize)]
struct Answer<'a, T> {
    jsonrpc: &'static str,
    id: Option<&'a Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
}

#[derive(Serialize)]
struct Request<'a, T> {
    jsonrpc: &'static str,
    id: i64,
    method: &'a str,
    params: &'a T,
}

#[derive(Serialize)]
struct Notification<'a, T> {
    jsonrpc: &'static str,
    method: &'a str,
    params: &'a T,
}

/// An answer, framed. No id becomes `null`, as JSON-RPC asks for what could not be read.
pub(crate) fn answer<T: Serialize>(id: Option<&Id>, outcome: Result<T, &Failure>) -> Vec<u8> {
    framed(&answering(id, outcome))
}

/// A notification, framed.
pub(crate) fn notification<T: Serialize>(method: &str, params: &T) -> Vec<u8> {
    framed(&Notification { jsonrpc: "2.0", method, params })
}

/// An answer as a line of its own, as [`answer`].
pub(crate) fn answer_line<T: Serialize>(id: Option<&Id>, outcome: Result<T, &Failure>) -> Vec<u8> {
    line(&answering(id, outcome))
}

/// A request of ours as a line of its own.
pub(crate) fn request_line<T: Serialize>(id: i64, method: &str, params: &T) -> Vec<u8> {
    line(&Request { jsonrpc: "2.0", id, method, params })
}

/// A notification as a line of its own.
pub(crate) fn notification_line<T: Serialize>(method: &str, params: &T) -> Vec<u8> {
    line(&Notification { jsonrpc: "2.0", method, params })
}

fn answering<'a, T>(id: Option<&'a Id>, outcome: Result<T, &'a Failure>) -> Answer<'a, T> {
    let (result, error) = match outcome {
        Ok(result) => (Some(result), None),
        Err(failure) => (None, Some(failure)),
    };
    Answer { jsonrpc: "2.0", id, result, error }
}

/// Any message, framed.
pub(crate) fn framed<T: Serialize>(message: &T) -> Vec<u8> {
    let Some(body) = written(message) else { return Vec::new() };
    let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    frame.extend_from_slice(&body);
    frame
}

/// Any message, as a line. JSON escapes line breaks and NUL inside strings, so neither occurs within.
fn line<T: Serialize>(message: &T) -> Vec<u8> {
    let Some(mut body) = written(message) else { return Vec::new() };
    body.push(b'\n');
    body
}

fn written<T: Serialize>(message: &T) -> Option<Vec<u8>> {
    // Our types have only text keys and finite numbers, so this is a defect; the connection goes on without it.
    serde_json::to_vec(message)
        .inspect_err(|error| tracing::error!(%error, "a message could not be written as JSON"))
        .ok()
}

#[cfg(test)]
mod tests;
