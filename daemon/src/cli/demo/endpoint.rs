//! Serves the script on loopback as a model's endpoint in the `responses` dialect. It speaks real HTTP and real events, at the pace of
//! somebody who types well, so that the daemon's own client is what asks.

use super::script::{self, Answer};
use anyhow::Context;
use futures::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The model's name at this endpoint.
pub(super) const MODEL: &str = "script";

/// The longest request that is read, in bytes.
const MAX_REQUEST: usize = 64 << 20;

/// How fast the script speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Before it begins.
    pub(super) thought: Duration,
    /// After a word.
    pub(super) word: Duration,
    /// After a sentence.
    pub(super) sentence: Duration,
}

impl Pace {
    /// As somebody who types well.
    pub(super) const HUMAN: Self = Self {
        thought: Duration::from_millis(350),
        word: Duration::from_millis(32),
        sentence: Duration::from_millis(180),
    };
}

/// The endpoint, and a port beside it that the script tries to reach from inside the sandbox. Dropped, both are gone.
pub(super) struct Endpoint {
    /// Where the model answers.
    pub(super) port: u16,
    /// Where nothing from the sandbox may arrive.
    pub(super) bait: u16,
    bitten: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

impl Endpoint {
    /// Listens on loopback, at `port` when that is free.
    pub(super) async fn start(port: u16, pace: Pace) -> anyhow::Result<Self> {
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen on 127.0.0.1")?,
        };
        let bait = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen on 127.0.0.1")?;
        let (port, bait_port) = (listener.local_addr()?.port(), bait.local_addr()?.port());
        let (bitten, requests) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, bait_port, pace, requests.clone()));
        tasks.spawn(count(bait, bitten.clone()));
        Ok(Self { port, bait: bait_port, bitten, requests, _tasks: tasks })
    }

    /// Connections that arrived where none may.
    pub(super) fn bitten(&self) -> usize {
        self.bitten.load(Ordering::Acquire)
    }

    /// Answers given so far.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }

    /// What a configuration says to use it.
    pub(super) fn config(&self) -> String {
        format!(
            "model = \"demo/{MODEL}\"\nfinish_check = false\n\n[providers.demo]\ndialect = \"responses\"\nbase_url = \"http://127.0.0.1:{}/v1\"\n",
            self.port
        )
    }
}

async fn count(listener: TcpListener, bitten: Arc<AtomicUsize>) {
    while let Ok((_, from)) = listener.accept().await {
        bitten.fetch_add(1, Ordering::AcqRel);
        tracing::error!(%from, "something reached the port that the sandbox has to hide");
    }
}

async fn serve(listener: TcpListener, bait: u16, pace: Pace, requests: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, bait, pace, requests.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, bait: u16, pace: Pace, requests: Arc<AtomicUsize>) {
    let respond = move |request| respond(request, bait, pace, requests.clone());
    let service = hyper::service::service_fn(respond);
    if let Err(error) = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
    {
        tracing::debug!(%error, "a connection to the scripted model ended");
    }
}

async fn respond(
    request: Request<Incoming>,
    bait: u16,
    pace: Pace,
    requests: Arc<AtomicUsize>,
) -> Result<Response<Body>, Infallible> {
    let respond = match (request.method(), request.uri().path()) {
        (&Method::GET, "/v1/models") => plain(StatusCode::OK, &json!({ "object": "list", "data": [{ "id": MODEL }] })),
        (&Method::POST, "/v1/responses") => {
            let body = Limited::new(request.into_body(), MAX_REQUEST).collect().await;
            match body.ok().and_then(|body| serde_json::from_slice::<Value>(&body.to_bytes()).ok()) {
                Some(body) => {
                    requests.fetch_add(1, Ordering::AcqRel);
                    streamed(events(&script::answer(&body, bait)), pace)
                }
                None => problem(StatusCode::BAD_REQUEST, "the request is not JSON"),
            }
        }
        _ => problem(StatusCode::NOT_FOUND, "the demo's model answers POST /v1/responses and GET /v1/models"),
    };
    Ok(respond)
}

fn plain(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

fn problem(status: StatusCode, message: &str) -> Response<Body> {
    plain(status, &json!({ "error": { "message": message } }))
}

fn streamed(events: Vec<Value>, pace: Pace) -> Response<Body> {
    let frames = stream::iter(events).enumerate().then(move |(place, event)| async move {
        tokio::time::sleep(pause(place, &event, pace)).await;
        let kind = event["type"].as_str().unwrap_or_default();
        Ok(Frame::data(Bytes::from(format!("event: {kind}\ndata: {event}\n\n"))))
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/event-stream"));
    response
}

/// How long the script waits before an event.
fn pause(place: usize, event: &Value, pace: Pace) -> Duration {
    match event["delta"].as_str() {
        Some(_) if event["type"] != "response.output_text.delta" => Duration::ZERO,
        Some(word) if word.trim_end().ends_with(['.', ':', ';']) => pace.sentence,
        Some(_) => pace.word,
        None if place == 0 => pace.thought,
        None => Duration::ZERO,
    }
}

/// An answer as the dialect's events.
fn events(answer: &Answer) -> Vec<Value> {
    let mut events =
        vec![json!({ "type": "response.created", "response": { "id": "resp_demo", "status": "in_progress" } })];
    let mut output = Vec::new();
    if !answer.text.is_empty() {
        let item = |status: &str, content: Value| json!({ "type": "message", "id": "msg_demo", "role": "assistant", "status": status, "content": content });
        let whole = item("completed", json!([{ "type": "output_text", "text": answer.text, "annotations": [] }]));
        events.push(
            json!({ "type": "response.output_item.added", "output_index": 0, "item": item("in_progress", json!([])) }),
        );
        for word in answer.text.split_inclusive(' ') {
            events.push(json!({
                "type": "response.output_text.delta", "item_id": "msg_demo", "output_index": 0, "content_index": 0, "delta": word,
            }));
        }
        events.push(json!({ "type": "response.output_item.done", "output_index": 0, "item": whole }));
        output.push(whole);
    }
    for (call_id, name, arguments) in &answer.calls {
        let index = output.len();
        let item = |arguments: &str| json!({ "type": "function_call", "id": format!("fc_{call_id}"), "call_id": call_id, "name": name, "arguments": arguments });
        let arguments = arguments.to_string();
        events.push(json!({ "type": "response.output_item.added", "output_index": index, "item": item("") }));
        events.push(json!({
            "type": "response.function_call_arguments.delta", "item_id": format!("fc_{call_id}"), "output_index": index,
            "delta": arguments,
        }));
        events.push(json!({ "type": "response.output_item.done", "output_index": index, "item": item(&arguments) }));
        output.push(item(&arguments));
    }
    events.push(json!({
        "type": "response.completed", "response": { "id": "resp_demo", "status": "completed", "output": output },
    }));
    events
}

#[cfg(test)]
mod tests;
