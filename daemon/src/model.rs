//! Models: what a turn asks of one, what comes back, and how that can fail. One file below for each dialect.
//!
//! Nothing here retries and nothing here keeps a history: a turn does both. The words of a dialect go no further than its file.

use crate::config::Endpoint;
use futures::stream::BoxStream;
use pilotfish_protocol::{Effort, SessionId, Usage};
use std::sync::Arc;
use std::time::Duration;

mod answer;
mod chat;
mod history;
pub mod http;
mod limits;
mod messages;
mod report;
mod responses;
pub mod retry;
pub mod sse;

/// Something that answers.
pub trait Model: Send + Sync {
    /// Sends one request and yields what comes back. The last event of a whole answer is [`ModelEvent::Finished`]; after an
    /// error nothing follows. Dropping the stream cancels the request.
    fn stream(&self, request: ModelRequest) -> BoxStream<'static, Result<ModelEvent, ModelError>>;
}

/// One request. Built by `prompt` alone.
#[derive(Debug, Clone)]
pub struct ModelRequest {
    /// Who the model is here; the same for the whole session.
    pub instructions: Arc<str>,
    /// What it may call; the same for the whole session.
    pub tools: Arc<[ToolSpec]>,
    /// The history.
    pub messages: Vec<Message>,
    /// How hard to think.
    pub effort: Option<Effort>,
    /// For the provider's prompt cache.
    pub session: SessionId,
}

/// A tool as a model is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a few lines.
    pub description: &'static str,
    /// JSON schema of its arguments: flat, an object.
    pub parameters: serde_json::Value,
    /// The grammar, in Lark's form, of its one argument, for models that write such a one as free text where their dialect lets them.
    pub grammar: Option<&'static str>,
}

/// One entry of the history as a model sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The person, or the harness speaking beside the person.
    User(Vec<Part>),
    /// The model's words.
    Agent(String),
    /// The model's thoughts, when its provider wants them back.
    Reasoning {
        /// The visible part.
        text: String,
        /// The part nobody reads.
        opaque: serde_json::Value,
    },
    /// A call the model made.
    Call(Call),
    /// What came of a call.
    Output {
        /// Which call.
        call_id: String,
        /// The words.
        text: String,
    },
}

/// A part of what the person said.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Words.
    Text(String),
    /// A picture.
    Image {
        /// Such as `image/png`.
        media_type: String,
        /// Base64.
        data: String,
    },
}

/// A call of a tool, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The model's id for it.
    pub call_id: String,
    /// The tool.
    pub name: String,
    /// JSON text, as the model wrote it; it may be broken.
    pub arguments: String,
}

/// What a model sends.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelEvent {
    /// Words to append to the open message.
    Text(String),
    /// The open message is whole.
    TextEnded,
    /// Words to append to the open thought.
    Reasoning(String),
    /// The open thought is whole. It may have had no words.
    ReasoningEnded {
        /// What to send back with the history.
        opaque: Option<serde_json::Value>,
    },
    /// A call, whole. Never sent for a call whose end was not seen.
    Call(Call),
    /// The answer is whole.
    Finished {
        /// Why it stopped.
        stop: Stop,
        /// What it used, as far as the provider tells.
        usage: Usage,
    },
}

/// Why a whole answer stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It was done, or called tools.
    Done,
    /// It reached the output limit.
    Length,
    /// The provider's filter stopped it.
    Refused,
}

/// How asking a model fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No connection.
    #[error("cannot reach {url}: {why}")]
    Unreachable {
        /// The endpoint.
        url: String,
        /// The system's words.
        why: String,
    },
    /// The endpoint cannot be asked as it is configured here.
    #[error("cannot ask {url}: {why}")]
    Misconfigured {
        /// The endpoint.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A status that says no.
    #[error("{url} answered {status}: {message}")]
    Status {
        /// The endpoint.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The provider's words, and what to do about them.
        message: String,
        /// When the provider says to come back.
        retry_after: Option<Duration>,
    },
    /// The stream ended, or made no sense, before the answer was whole.
    #[error("the answer of {url} broke off: {why}")]
    Broken {
        /// The endpoint.
        url: String,
        /// What was missing.
        why: String,
    },
    /// The provider reported an error inside the stream.
    #[error("{url} reported: {message}")]
    Reported {
        /// The endpoint.
        url: String,
        /// The provider's words.
        message: String,
        /// Whether the same request may work later.
        retryable: bool,
    },
    /// Nothing came for too long.
    #[error("{url} sent nothing for {} s", .after.as_secs())]
    Silent {
        /// The endpoint.
        url: String,
        /// The limit.
        after: Duration,
    },
    /// More came than is held.
    #[error("the answer of {url} is too large: {what} over {max} bytes")]
    TooLarge {
        /// The endpoint.
        url: String,
        /// Which part.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The history does not fit the model.
    #[error("the conversation no longer fits the model: {url} says: {message}")]
    ContextFull {
        /// The endpoint.
        url: String,
        /// The provider's words.
        message: String,
    },
}

impl ModelError {
    /// Whether the same request may work if it is sent again.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::Silent { .. } => true,
            Self::Status { status, .. } => report::retryable_status(*status),
            Self::Reported { retryable, .. } => *retryable,
            Self::Misconfigured { .. } | Self::TooLarge { .. } | Self::ContextFull { .. } => false,
        }
    }

    /// When the provider says to come back.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Unreachable { .. }
            | Self::Misconfigured { .. }
            | Self::Broken { .. }
            | Self::Reported { .. }
            | Self::Silent { .. }
            | Self::TooLarge { .. }
            | Self::ContextFull { .. } => None,
        }
    }
}

/// A call's arguments as they go back to a model: as it wrote them if they are a JSON object, else wrapped in one, since servers exist
/// that parse the history and refuse all of it for one broken call.
fn arguments_object(arguments: &str) -> String {
    if arguments.trim().is_empty() {
        return "{}".to_owned();
    }
    match serde_json::from_str::<serde_json::Value>(arguments) {
        Ok(serde_json::Value::Object(_)) => arguments.to_owned(),
        _ => serde_json::json!({ "malformed_arguments": arguments }).to_string(),
    }
}

/// What makes models of endpoints; one for the process, since it holds the connections.
pub trait Connect: Send + Sync {
    /// A model of an endpoint. Connects at the first request.
    fn model(&self, endpoint: &Endpoint, model: &str) -> Arc<dyn Model>;
}

#[cfg(test)]
mod tests;
