//! What providers say when something went wrong: finds the words in any of their shapes and judges what they mean. Pure.

use crate::model::ModelError;
use serde_json::Value;

/// The longest message kept, in characters; what providers say beyond that is a page, not a message.
const MAX_MESSAGE: usize = 800;

/// A provider's error, whatever its shape was.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Report {
    /// The provider's words, cut to a readable size. Never empty.
    pub message: String,
    /// Its codes and types, lower case, space-separated.
    pub codes: String,
    /// The HTTP status it names, as gateways do for the server behind them.
    pub status: Option<u16>,
    /// The field of the request it complains about.
    pub parameter: Option<String>,
}

impl Report {
    /// The report in a whole answer or in an event that is known to be an error.
    pub(crate) fn find(value: &Value) -> Option<Self> {
        let value = match value {
            // Gemini's compatible endpoint wraps its error in a list.
            Value::Array(entries) => entries.first()?,
            other => other,
        };
        let inner = match value.get("error") {
            Some(Value::Null) | None => value,
            Some(error) => error,
        };
        let message = words(inner).or_else(|| words(value))?;
        let mut report = Self { message: shorten(&message), ..Self::default() };
        for source in [inner, value] {
            for key in ["code", "type", "status"] {
                match source.get(key) {
                    Some(Value::String(code)) => {
                        report.codes.push_str(&code.to_ascii_lowercase());
                        report.codes.push(' ');
                    }
                    Some(Value::Number(number)) => {
                        let status = number.as_u64().and_then(|number| u16::try_from(number).ok());
                        report.status = report.status.or(status);
                    }
                    _ => {}
                }
            }
            report.parameter =
                report.parameter.or_else(|| source.get("param").and_then(Value::as_str).map(str::to_owned));
        }
        report.codes.truncate(report.codes.trim_end().len());
        Some(report)
    }

    /// A report of plain words.
    pub(crate) fn plain(message: &str) -> Self {
        Self { message: shorten(message), ..Self::default() }
    }

    /// Whether it says that the request does not fit the model.
    pub(crate) fn context_full(&self) -> bool {
        const CODES: &[&str] = &["context_length_exceeded", "exceed_context_size", "context_window_exceeded"];
        // As said by OpenAI and vLLM, llama.cpp, LM Studio, Gemini, xAI, Anthropic, Ollama, Azure.
        const WORDS: &[&str] = &[
            "maximum context length",
            "context length exceeded",
            "exceeds the context",
            "exceed the context",
            "exceed context limit",
            "context window",
            "available context size",
            "context the overflows",
            "greater than the context length",
            "input token count",
            "maximum prompt length",
            "prompt is too long",
            "input is too long",
            "input length exceeds",
        ];
        let message = self.message.to_lowercase();
        CODES.iter().any(|code| self.codes.contains(code)) || WORDS.iter().any(|words| message.contains(words))
    }

    /// Whether it says that no money is left, which waiting does not mend.
    pub(crate) fn out_of_quota(&self) -> bool {
        self.codes.contains("insufficient_quota") || self.codes.contains("billing")
    }

    /// Whether the same request may work later.
    pub(crate) fn retryable(&self) -> bool {
        const PERMANENT: &[&str] = &[
            "invalid",
            "unsupported",
            "not_found",
            "authentication",
            "permission",
            "policy",
            "content_filter",
            "bad_request",
            "badrequest",
            "too_large",
        ];
        match self.status {
            Some(status) if status >= 400 => retryable_status(status) && !self.out_of_quota(),
            _ => !self.out_of_quota() && !PERMANENT.iter().any(|code| self.codes.contains(code)),
        }
    }

    /// The error it is when it came inside a stream.
    pub(crate) fn into_error(self, url: &str) -> ModelError {
        let url = url.to_owned();
        if self.context_full() {
            return ModelError::ContextFull { url, message: self.message };
        }
        let retryable = self.retryable();
        ModelError::Reported { url, message: self.message, retryable }
    }
}

/// Whether a status says that the same request may work later.
pub(crate) fn retryable_status(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429) || (status >= 500 && !matches!(status, 501 | 505))
}

/// A message, trimmed and cut.
pub(crate) fn shorten(message: &str) -> String {
    let message = message.trim();
    match message.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
        None => message.to_owned(),
    }
}

/// The words of an error object, wherever this provider puts them.
fn words(value: &Value) -> Option<String> {
    let found = match value {
        Value::String(text) => text.clone(),
        Value::Object(_) => {
            // OpenRouter's own words are often only "Provider returned error"; what the provider said is beside them.
            let behind = value.pointer("/metadata/raw").and_then(Value::as_str);
            let own = ["message", "detail", "error", "msg", "error_message", "errors"]
                .iter()
                .filter_map(|key| value.get(key))
                .find_map(words);
            match (own, behind) {
                (Some(own), Some(behind)) => format!("{own}: {behind}"),
                (own, behind) => own.or_else(|| behind.map(str::to_owned))?,
            }
        }
        Value::Array(entries) => entries.iter().find_map(words)?,
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    if found.trim().is_empty() { None } else { Some(found) }
}
