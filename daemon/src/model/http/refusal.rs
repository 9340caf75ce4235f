//! Answers that say no: finds the provider's words, when to come back, and what the person can do.

use crate::model::ModelError;
use crate::model::http::{Target, path};
use crate::model::report::{Report, shorten};
use reqwest::header::{self, HeaderMap};
use reqwest::{Response, Url};
use std::time::Duration;

/// The most of such an answer that is read.
const MAX_BODY: usize = 64 << 10;
/// The longest wait for more of it; what came until then tells enough.
const BODY_WAIT: Duration = Duration::from_secs(5);

/// Fields of a request that a server may refuse and that an answer is possible without.
const OPTIONAL_FIELDS: &[&str] = &[
    "stream_options",
    "reasoning_effort",
    "reasoning",
    "include",
    "parallel_tool_calls",
    "tool_choice",
    "prompt_cache_key",
    "store",
    "thinking",
    "output_config",
];

/// A refused request.
pub(super) struct Refusal {
    pub error: ModelError,
    report: Report,
    status: u16,
}

impl Refusal {
    /// The optional field of the request's body that the server refused, if that is what it says.
    pub(super) fn field(&self, body: &serde_json::Value) -> Option<&'static str> {
        if !matches!(self.status, 400 | 422) || matches!(self.error, ModelError::ContextFull { .. }) {
            return None;
        }
        let named = |field: &str| match &self.report.parameter {
            Some(parameter) => parameter.split(['.', '[']).next() == Some(field),
            None => mentions(&self.report.message, field),
        };
        OPTIONAL_FIELDS.iter().copied().find(|field| body.get(field).is_some() && named(field))
    }
}

/// Whether a message names a field, as a word of its own between marks: many of the names are plain English too.
fn mentions(message: &str, field: &str) -> bool {
    message.match_indices(field).any(|(at, _)| {
        let before = message.get(..at).and_then(|head| head.chars().next_back());
        let after = message.get(at + field.len()..).and_then(|tail| tail.chars().next());
        let mark = |character: Option<char>| character.is_some_and(|character| "'\"`".contains(character));
        let open = |character: Option<char>| character.is_none_or(|character| " '\"`.:,".contains(character));
        (mark(before) || field.contains('_')) && open(before) && (open(after) || after == Some('['))
    })
}

/// Reads what a server says beside a status that means no.
pub(super) async fn read(mut response: Response, target: &Target) -> Refusal {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let mut body = Vec::new();
    while let Ok(Ok(Some(bytes))) = tokio::time::timeout(BODY_WAIT, response.chunk()).await {
        let room = MAX_BODY.saturating_sub(body.len());
        body.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        if body.len() >= MAX_BODY {
            break;
        }
    }
    // Before anything is cut: half of a key is not found any more.
    let report = report(&target.secrets.redact(&String::from_utf8_lossy(&body)));
    Refusal { error: error(status, &report, retry_after, target), report, status }
}

/// The error of a redirect to another server.
pub(super) fn redirected(target: &Target, status: u16, from: &Url, to: &Url) -> ModelError {
    let place = |url: &Url| url.origin().ascii_serialization();
    ModelError::Status {
        url: target.shown.clone(),
        status,
        message: format!(
            "{} redirects to {}, which is not followed, so that no key goes there; if that is right, change base_url",
            place(from),
            place(to)
        ),
        retry_after: None,
    }
}

/// The error of one redirect too many.
pub(super) fn circling(target: &Target, status: u16) -> ModelError {
    let message = "it redirects again and again".to_owned();
    ModelError::Status { url: target.shown.clone(), status, message, retry_after: None }
}

fn error(status: u16, report: &Report, retry_after: Option<Duration>, target: &Target) -> ModelError {
    let url = target.shown.clone();
    if report.context_full() && !matches!(status, 401 | 403 | 404 | 429) {
        return ModelError::ContextFull { url, message: report.message.clone() };
    }
    // No wait mends an empty purse, whatever the status says of coming back.
    if status == 429 && report.out_of_quota() {
        return ModelError::Reported { url, message: report.message.clone(), retryable: false };
    }
    let mut message = report.message.clone();
    if let Some(advice) = advice(status, target) {
        if !message.is_empty() {
            message.truncate(message.trim_end_matches('.').len());
            message.push_str("; ");
        }
        message.push_str(&advice);
    }
    if message.is_empty() {
        "no reason given".clone_into(&mut message);
    }
    ModelError::Status { url, status, message, retry_after }
}

/// What the person can do about a status.
fn advice(status: u16, target: &Target) -> Option<String> {
    let endpoint = &target.endpoint;
    match status {
        401 | 403 => {
            let login = format!("run `pilotfish login {}`", endpoint.provider);
            let way = match &endpoint.api_key_env {
                Some(variable) => format!("set {variable} or {login}"),
                None => login,
            };
            Some(if endpoint.key.is_some() {
                format!("is the key right? {way}")
            } else {
                format!("no key was sent: {way}")
            })
        }
        404 | 405 => {
            let path = path(endpoint.dialect);
            Some(format!(
                "is the model name `{}` right, and does this server have /{path}? base_url ({}) should usually end in /v1",
                target.model, target.shown_base
            ))
        }
        429 => Some("the provider limits requests: wait, or use another model".to_owned()),
        _ => None,
    }
}

/// The provider's words in a body: an error object, a web page's title, or the text itself.
fn report(body: &str) -> Report {
    if let Ok(value) = serde_json::from_str(body) {
        return Report::find(&value).unwrap_or_else(|| Report::plain(body));
    }
    // A stream may begin with a status that says no.
    if let Some(data) = body.strip_prefix("data:")
        && let Some(report) =
            serde_json::from_str(data.lines().next().unwrap_or_default()).ok().as_ref().and_then(Report::find)
    {
        return report;
    }
    let lower = body.to_ascii_lowercase();
    if lower.contains("<html") || lower.contains("<!doctype") {
        let title = lower.find("<title").and_then(|at| {
            let rest = body.get(at..)?;
            let rest = rest.get(rest.find('>')? + 1..)?;
            rest.get(..rest.find('<')?)
        });
        return Report::plain(title.unwrap_or("it sent a web page"));
    }
    Report::plain(&shorten(body))
}

/// When to come back. A date counts from the server's own clock, which stands beside it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let seconds = |text: &str, scale: f64| {
        let number = text.parse::<f64>().ok().filter(|number| *number >= 0.0)?;
        Duration::try_from_secs_f64(number * scale).ok()
    };
    if let Some(wait) = text("retry-after-ms").and_then(|text| seconds(text, 0.001)) {
        return Some(wait);
    }
    let asked = text(header::RETRY_AFTER.as_str())?;
    seconds(asked, 1.0).or_else(|| {
        let date = |text: &str| jiff::fmt::rfc2822::parse(text).ok();
        let wait = date(asked)?.duration_since(&date(text(header::DATE.as_str())?)?);
        Some(Duration::try_from(wait).unwrap_or_default())
    })
}
