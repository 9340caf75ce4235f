//! Models over HTTP. Owns the connections, the waiting and its limits, and where a key may go; what the bytes mean is the dialects' matter.
//! Never retries an answer that began.

use crate::config::{Dialect, Endpoint};
use crate::model::answer::{Answer, Form};
use crate::model::{Connect, Message, Model, ModelError, ModelEvent, ModelRequest, chat, messages, responses};
use client::Clients;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use reqwest::{Request, Response, Url, header};
use secrets::Secrets;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::task::TaskTracker;

mod client;
mod refusal;
mod secrets;

/// How long the end of a stream may take once its answer is whole, and how long it is waited for so that the connection serves again.
const LAST_WAIT: Duration = Duration::from_secs(2);
/// How many redirects within one server are followed.
const MAX_REDIRECTS: usize = 4;

/// Makes models of endpoints that speak HTTP. One for the process: it holds the connections, made when first needed.
#[derive(Debug, Default)]
pub struct Http {
    clients: Arc<Clients>,
}

impl Http {
    /// Costs nothing until the first request.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Connect for Http {
    fn model(&self, endpoint: &Endpoint, model: &str) -> Arc<dyn Model> {
        Arc::new(HttpModel {
            clients: Arc::clone(&self.clients),
            target: Arc::new(Target::new(endpoint, model)),
            tasks: TaskTracker::new(),
        })
    }
}

struct HttpModel {
    clients: Arc<Clients>,
    target: Arc<Target>,
    /// Streams whose answer is whole, read to their end; each ends by itself within [`LAST_WAIT`].
    tasks: TaskTracker,
}

/// Whom a model's requests go to, and as whom.
#[derive(Debug)]
struct Target {
    endpoint: Endpoint,
    model: String,
    /// The address of requests, and the configured one, as people may see them: without what may be secret in them.
    shown: String,
    shown_base: String,
    secrets: Secrets,
    /// Optional fields that this server refused once; they are not sent again.
    refused_fields: Mutex<Vec<&'static str>>,
}

impl Model for HttpModel {
    fn stream(&self, request: ModelRequest) -> BoxStream<'static, Result<ModelEvent, ModelError>> {
        let (clients, target, tasks) = (Arc::clone(&self.clients), Arc::clone(&self.target), self.tasks.clone());
        let asked = Arc::clone(&self.target);
        stream::once(async move {
            match ask(&clients, &target, request).await {
                Ok(reading) => stream::unfold(State::Reading(Box::new(reading), tasks), next).boxed(),
                Err(error) => stream::once(async { Err(error) }).boxed(),
            }
        })
        .flatten()
        // Here and nowhere else, so that no way for an error to come about is forgotten.
        .map(move |event| event.map_err(|error| asked.secrets.redact_error(error)))
        .boxed()
    }
}

impl Target {
    fn new(endpoint: &Endpoint, model: &str) -> Self {
        let secrets = Secrets::of(endpoint);
        // A path may hold a key, too.
        let base = Url::parse(&endpoint.base_url).ok().filter(Url::has_host).map(shown);
        let base = secrets.redact(&base.unwrap_or_else(|| unreadable(&endpoint.base_url)));
        Self {
            endpoint: endpoint.clone(),
            model: model.to_owned(),
            shown: address(endpoint).map(|url| secrets.redact(&shown(url))).unwrap_or_else(|_| base.clone()),
            shown_base: base,
            secrets,
            refused_fields: Mutex::default(),
        }
    }

    fn unreachable(&self, why: impl ToString) -> ModelError {
        ModelError::Unreachable { url: self.shown.clone(), why: why.to_string() }
    }

    fn misconfigured(&self, why: impl ToString) -> ModelError {
        ModelError::Misconfigured { url: self.shown.clone(), why: why.to_string() }
    }

    fn silent(&self) -> ModelError {
        ModelError::Silent { url: self.shown.clone(), after: self.endpoint.idle_limit }
    }

    fn broken(&self, why: impl ToString) -> ModelError {
        ModelError::Broken { url: self.shown.clone(), why: why.to_string() }
    }

    fn body(&self, request: &ModelRequest) -> serde_json::Value {
        let mut body = match self.endpoint.dialect {
            Dialect::Responses => responses::body(request, &self.model),
            Dialect::Chat => chat::body(request, &self.model),
            Dialect::Messages => messages::body(request, &self.model),
        };
        let refused = self.refused_fields.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fields) = body.as_object_mut() {
            fields.retain(|field, _| !refused.contains(&field.as_str()));
        }
        body
    }

    /// Remembers that a server refused an optional field; whether there is anything left to try without it.
    fn leave_out(&self, field: &'static str) -> bool {
        let mut refused = self.refused_fields.lock().unwrap_or_else(PoisonError::into_inner);
        let news = !refused.contains(&field);
        if news {
            refused.push(field);
        }
        news
    }
}

/// An address without what may be secret in it.
fn shown(mut url: Url) -> String {
    url.set_query(None);
    // These fail for addresses that cannot have them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

/// What is written for an address that is none: not what may be somebody's name and password in it.
fn unreadable(base_url: &str) -> String {
    let host = base_url.rsplit('@').next().unwrap_or_default();
    host.split('?').next().unwrap_or_default().to_owned()
}

/// Where requests go: the dialect's path below the base; a query of the base stays behind it.
fn address(endpoint: &Endpoint) -> Result<Url, String> {
    let mut url = Url::parse(&endpoint.base_url).map_err(|error| format!("base_url: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("base_url begins with {}:, not with http: or https:", url.scheme()));
    }
    let path = format!("{}/{}", url.path().trim_end_matches('/'), path(endpoint.dialect));
    url.set_path(&path);
    Ok(url)
}

/// The path of a dialect below an endpoint's base.
fn path(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Responses => responses::PATH,
        Dialect::Chat => chat::PATH,
        Dialect::Messages => messages::PATH,
    }
}

/// Sends a request until an answer begins: once, or again without an optional field that the server does not know.
async fn ask(clients: &Clients, target: &Arc<Target>, request: ModelRequest) -> Result<Reading, ModelError> {
    let url = address(&target.endpoint).map_err(|why| target.misconfigured(why))?;
    let client = clients.client(url.scheme()).await.map_err(|why| target.misconfigured(why))?;
    loop {
        let body = target.body(&request);
        let bytes = serde_json::to_vec(&body).map_err(|error| target.misconfigured(error))?;
        let response = follow(&client, target, &url, bytes).await?;
        if response.status().is_success() {
            return Reading::begin(response, target, &request);
        }
        let refused = refusal::read(response, target).await;
        match refused.field(&body) {
            Some(field) if target.leave_out(field) => {
                tracing::info!(endpoint = target.shown, field, "the server does not know an optional field");
            }
            _ => return Err(refused.error),
        }
    }
}

/// Sends, and follows redirects that stay with the same server. The key never goes to another one.
async fn follow(
    client: &reqwest::Client,
    target: &Target,
    first: &Url,
    bytes: Vec<u8>,
) -> Result<Response, ModelError> {
    let mut request = post(client, target, first, bytes)?;
    let mut redirects = 0;
    loop {
        let again = request.try_clone();
        let response = send(client, target, request).await?;
        let place = response.headers().get(header::LOCATION).and_then(|place| place.to_str().ok());
        let next = place.and_then(|place| response.url().join(place).ok());
        let (Some(next), Some(again), true) = (next, again, response.status().is_redirection()) else {
            return Ok(response);
        };
        redirects += 1;
        let status = response.status().as_u16();
        if next.origin() != first.origin() {
            return Err(refusal::redirected(target, status, first, &next));
        }
        if redirects > MAX_REDIRECTS {
            return Err(refusal::circling(target, status));
        }
        request = again;
        *request.url_mut() = next;
    }
}

fn post(client: &reqwest::Client, target: &Target, url: &Url, bytes: Vec<u8>) -> Result<Request, ModelError> {
    let request = client
        .post(url.clone())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/event-stream")
        // Compressing servers hold words back until a block is full.
        .header(header::ACCEPT_ENCODING, "identity")
        .body(bytes);
    let mut request = request.build().map_err(|error| target.misconfigured(client::words(&error)))?;
    let (name, before) = match target.endpoint.dialect {
        Dialect::Responses | Dialect::Chat => (header::AUTHORIZATION, "Bearer "),
        Dialect::Messages => {
            let (name, value) = messages::VERSION;
            request.headers_mut().insert(name, header::HeaderValue::from_static(value));
            (header::HeaderName::from_static(messages::KEY), "")
        }
    };
    if let Some(key) = &target.endpoint.key {
        let mut value = header::HeaderValue::from_str(&format!("{before}{}", key.expose().trim()))
            .map_err(|_| target.misconfigured("the key holds characters that no header can carry"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

async fn send(client: &reqwest::Client, target: &Target, request: Request) -> Result<Response, ModelError> {
    match tokio::time::timeout(target.endpoint.idle_limit, client.execute(request)).await {
        Err(_) => Err(target.silent()),
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) if error.is_connect() || error.is_builder() => Err(target.unreachable(client::words(&error))),
        Ok(Err(error)) => Err(target.broken(client::words(&error))),
    }
}

/// An answer that is being read.
struct Reading {
    response: Response,
    answer: Answer,
    target: Arc<Target>,
    ready: VecDeque<ModelEvent>,
    /// What comes after the ready events.
    failed: Option<ModelError>,
}

enum State {
    Reading(Box<Reading>, TaskTracker),
    Over,
}

impl Reading {
    fn begin(response: Response, target: &Arc<Target>, request: &ModelRequest) -> Result<Self, ModelError> {
        let form = form(&response, target)?;
        let known_calls = request
            .messages
            .iter()
            .filter_map(|message| match message {
                Message::Call(call) => Some(call.call_id.clone()),
                Message::User(_) | Message::Agent(_) | Message::Reasoning { .. } | Message::Output { .. } => None,
            })
            .collect();
        let answer = Answer::new(target.endpoint.dialect, form, &target.shown, known_calls);
        Ok(Self { response, answer, target: Arc::clone(target), ready: VecDeque::new(), failed: None })
    }

    /// Waits for more of the body and folds it. Not called again once something failed.
    async fn read(&mut self) {
        let settled = self.answer.settled();
        let limit = self.target.endpoint.idle_limit;
        let limit = if settled { limit.min(LAST_WAIT) } else { limit };
        let mut events = Vec::new();
        let folded = match tokio::time::timeout(limit, self.response.chunk()).await {
            Ok(Ok(Some(bytes))) => self.answer.push(&bytes, &mut events),
            Ok(Ok(None)) => self.answer.end(&mut events),
            // A whole answer is whole, however its stream ends.
            Ok(Err(_)) | Err(_) if settled => self.answer.end(&mut events),
            Ok(Err(error)) => self.answer.end(&mut events).map_err(|_| self.target.broken(client::words(&error))),
            Err(_) => Err(self.target.silent()),
        };
        self.ready.extend(events);
        self.failed = folded.err();
    }
}

/// Whether an answer is a stream or one JSON value; anything else is no model server's.
fn form(response: &Response, target: &Target) -> Result<Form, ModelError> {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/json" => Ok(Form::Whole),
        "text/html" => Err(ModelError::Status {
            url: target.shown.clone(),
            status: response.status().as_u16(),
            message: format!(
                "it sent a web page, not an answer; base_url ({}) should usually end in /v1",
                target.shown_base
            ),
            retry_after: None,
        }),
        _ => Ok(Form::Events),
    }
}

async fn next(state: State) -> Option<(Result<ModelEvent, ModelError>, State)> {
    let State::Reading(mut reading, tasks) = state else { return None };
    loop {
        match reading.ready.pop_front() {
            Some(event @ ModelEvent::Finished { .. }) => {
                let mut response = reading.response;
                // A connection whose stream was read to its end serves the next request without a new handshake.
                if !matches!(response.chunk().now_or_never(), Some(Ok(None) | Err(_))) {
                    tasks.spawn(tokio::time::timeout(LAST_WAIT, async move {
                        while let Ok(Some(_)) = response.chunk().await {}
                    }));
                }
                return Some((Ok(event), State::Over));
            }
            Some(event) => return Some((Ok(event), State::Reading(reading, tasks))),
            None => {}
        }
        if let Some(error) = reading.failed.take() {
            return Some((Err(error), State::Over));
        }
        reading.read().await;
    }
}

#[cfg(test)]
mod tests;
