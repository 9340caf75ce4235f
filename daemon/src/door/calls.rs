//! Calls: which of the two books of methods a call belongs to, whether it may come now, and its answer.
//!
//! Owns the life cycle of a connection as far as calls go. It never reads bytes and never writes them.

use crate::door::Connection;
use crate::door::contract;
use crate::door::envelope::{self, Call, Failure, Id, code};
use futures::FutureExt;
use futures::future::BoxFuture;
use jsonrpsee::Methods;
use pilotfish_protocol::{ErrorKind, RpcError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tower::Service;
use tower_lsp::jsonrpc::{Id as LspId, Request, Response};
use tower_lsp::{LanguageServer, LspService};

/// What becomes of a call.
pub(super) enum Taken {
    /// It is answered with this frame, which is empty for a notification.
    Answered(Vec<u8>),
    /// It will be.
    Open(BoxFuture<'static, Vec<u8>>),
    /// The client says goodbye.
    Exit,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing but `initialize` makes sense.
    Fresh,
    /// Everything does.
    Running,
    /// Nothing but `exit` makes sense.
    ShutDown,
}

/// Both books of methods: the language server's, and ours.
pub(super) struct Calls<S: LanguageServer> {
    service: LspService<S>,
    methods: Methods,
    stage: Stage,
}

impl<S: LanguageServer> Calls<S> {
    pub(super) fn new(service: LspService<S>, connection: &Connection) -> Self {
        Self { service, methods: contract::methods(connection), stage: Stage::Fresh }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// Takes a call. All of it up to its first wait runs here, so calls take effect in the order in which they come.
    pub(super) fn take(&mut self, call: Call<'_>) -> Taken {
        if call.method == "exit" {
            return Taken::Exit;
        }
        if let Some(failure) = self.refusal(&call) {
            return Taken::Answered(refused(call.id.as_ref(), &failure));
        }
        let mut answer = if self.methods.method(&call.method).is_some() {
            match ours(&self.methods, call) {
                Ok(answer) => answer,
                Err(frame) => return Taken::Answered(frame),
            }
        } else {
            let life = match &*call.method {
                "initialize" => Some(Stage::Running),
                "shutdown" => Some(Stage::ShutDown),
                _ => None,
            };
            let mut answer = self.standard(call);
            // Both answer at once, so the stage is right before the next call is read.
            if let Some(stage) = life {
                return Taken::Answered(answer.as_mut().now_or_never().flatten().map_or_else(Vec::new, |response| {
                    if response.is_ok() {
                        self.stage = stage;
                    }
                    envelope::framed(&response)
                }));
            }
            answer.map(|response| response.map_or_else(Vec::new, |response| envelope::framed(&response))).boxed()
        };
        match answer.as_mut().now_or_never() {
            Some(frame) => Taken::Answered(frame),
            None => Taken::Open(answer),
        }
    }

    /// Why a call may not come now, or never.
    fn refusal(&self, call: &Call<'_>) -> Option<Failure> {
        let method = &call.method;
        match self.stage {
            Stage::Fresh if method != "initialize" => {
                let message = format!("{method} came before initialize, which has to be the first request");
                Some(Failure::new(code::SERVER_NOT_INITIALIZED, message))
            }
            Stage::ShutDown => {
                Some(Failure::new(code::INVALID_REQUEST, format!("{method} came after shutdown; only exit may")))
            }
            // The library would leave such a request without an answer.
            Stage::Running if method.starts_with("$/") && call.id.is_some() => {
                Some(Failure::new(code::METHOD_NOT_FOUND, format!("there is no method {method}")))
            }
            Stage::Fresh | Stage::Running => None,
        }
    }

    /// A method of the language server protocol.
    fn standard(&mut self, call: Call<'_>) -> BoxFuture<'static, Option<Response>> {
        let (method, id) = (call.method.into_owned(), call.id);
        let mut request = Request::build(method.clone());
        if let Some(params) = call.params {
            match serde_json::from_str::<serde_json::Value>(params.get()) {
                Ok(serde_json::Value::Null) => {}
                Ok(params) => request = request.params(params),
                // The envelope was read, so only a number beyond all bounds is left.
                Err(error) => {
                    let message = format!("{method}: {error}");
                    let mut failure = tower_lsp::jsonrpc::Error::invalid_params(message);
                    failure.data = None;
                    return std::future::ready(id.map(|id| Response::from_error(lsp_id(id), failure))).boxed();
                }
            }
        }
        if let Some(id) = id.clone() {
            request = request.id(lsp_id(id));
        }
        // The service is always ready: it only ever refuses after `exit`, which ends us before.
        let ready = std::future::poll_fn(|cx| self.service.poll_ready(cx)).now_or_never();
        if !matches!(ready, Some(Ok(()))) {
            tracing::error!(method, "the language service was not ready");
        }
        let answer = self.service.call(request.finish());
        async move { answer.await.ok().flatten().map(|response| unknown_named(response, &method)) }.boxed()
    }
}

fn lsp_id(id: Id) -> LspId {
    match id {
        Id::Number(number) => LspId::Number(number),
        Id::Text(text) => LspId::String(text),
    }
}

/// Says which method is unknown in words, too.
fn unknown_named(response: Response, method: &str) -> Response {
    let (id, body) = response.into_parts();
    let body = body.map_err(|mut error| {
        if i32::try_from(error.code.code()) == Ok(code::METHOD_NOT_FOUND) {
            error.message = format!("there is no method {method}").into();
        }
        error
    });
    Response::from_parts(id, body)
}

fn refused(id: Option<&Id>, failure: &Failure) -> Vec<u8> {
    // Nobody waits for a notification's answer.
    if id.is_some() { envelope::answer::<()>(id, Err(failure)) } else { Vec::new() }
}

#[derive(Serialize)]
struct Ask<'a> {
    jsonrpc: &'static str,
    /// Always 0: the client's own id, which may be a negative number, is put back into the answer.
    id: u8,
    method: &'a str,
    params: &'a RawValue,
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<ToldError<'a>>,
}

#[derive(Deserialize)]
struct ToldError<'a> {
    code: i32,
    message: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// A method of ours. Answers a frame at once when its parameters are no object.
fn ours(methods: &Methods, call: Call<'_>) -> Result<BoxFuture<'static, Vec<u8>>, Vec<u8>> {
    let (method, id) = (call.method.into_owned(), call.id);
    let params = match call.params.map(|params| params.get()) {
        None | Some("null") => "{}".to_owned(),
        Some(params) if params.starts_with('{') => params.to_owned(),
        Some(_) => {
            let message = format!("{method}: the parameters are an object with named fields");
            return Err(refused(id.as_ref(), &RpcError::new(ErrorKind::InvalidParams, message).into()));
        }
    };
    let methods = methods.clone();
    Ok(async move {
        let told = run(&methods, &method, &params).await;
        // A notification's failure is nobody's but the log's.
        match (&id, told) {
            (None, Ok(_)) => Vec::new(),
            (None, Err(failure)) => {
                tracing::debug!(method, code = failure.code, message = failure.message, "notification failed");
                Vec::new()
            }
            (Some(_), Ok(result)) => envelope::answer(id.as_ref(), Ok(result)),
            (Some(_), Err(failure)) => envelope::answer::<()>(id.as_ref(), Err(&failure)),
        }
    }
    .boxed())
}

async fn run(methods: &Methods, method: &str, params: &str) -> Result<Box<RawValue>, Failure> {
    let defect = |error: serde_json::Error| Failure::new(code::INTERNAL_ERROR, format!("{method}: {error}"));
    let raw = serde_json::from_str(params).map_err(defect)?;
    let ask = serde_json::to_string(&Ask { jsonrpc: "2.0", id: 0, method, params: raw }).map_err(defect)?;
    let (answer, _) = methods.raw_json_request(&ask, 1).await.map_err(defect)?;
    let told: Told<'_> = serde_json::from_str(answer.get()).map_err(defect)?;
    match (told.result, told.error) {
        (_, Some(error)) => Err(told_failure(method, params, error)),
        (Some(result), None) => Ok(result.to_owned()),
        (None, None) => Err(Failure::new(code::INTERNAL_ERROR, format!("{method} gave no result"))),
    }
}

/// A failure of ours goes on as it is. One of the parameters' form is given the name of the field, and our `data`.
fn told_failure(method: &str, params: &str, error: ToldError<'_>) -> Failure {
    let ours = error.code != pilotfish_protocol::code::INVALID_PARAMS || error.message != "Invalid params";
    if ours {
        return Failure { code: error.code, message: error.message, data: error.data.map(ToOwned::to_owned) };
    }
    let why: String = error.data.and_then(|data| serde_json::from_str(data.get()).ok()).unwrap_or_default();
    RpcError::new(ErrorKind::InvalidParams, format!("{method}: {}", with_field(params, &why))).into()
}

/// Puts the parameter's name before a reader's complaint, in the stead of its line and column.
fn with_field(params: &str, why: &str) -> String {
    let Some((complaint, place)) = why.rsplit_once(" at line ") else { return why.to_owned() };
    let field = || -> Option<String> {
        let (line, column) = place.split_once(" column ")?;
        let before: usize = params.split_inclusive('\n').take(line.parse::<usize>().ok()? - 1).map(str::len).sum();
        let offset = before + column.parse::<usize>().ok()?;
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(params).ok()?;
        let start = |raw: &RawValue| raw.get().as_ptr() as usize - params.as_ptr() as usize;
        // The complaint stands in the value, or right behind it.
        let (name, _) = fields.iter().find(|(_, raw)| {
            let start = start(raw);
            (start..=start + raw.get().len()).contains(&offset)
        })?;
        Some(name.clone())
    };
    match field() {
        Some(field) => format!("`{field}`: {complaint}"),
        None => complaint.to_owned(),
    }
}

#[cfg(test)]
mod tests;
