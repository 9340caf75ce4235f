//! One answer, from the bytes of its body to model events, in any dialect. Owns the ids of calls;
//! never waits, so every way a stream can be cut is a plain test.

use crate::config::Dialect;
use crate::model::limits::{MAX_ANSWER, MAX_EVENT, VALUE, too_large};
use crate::model::sse::{Event, Parser};
use crate::model::{ModelError, ModelEvent, chat, messages, responses};
use std::collections::HashSet;

/// How an answer's body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Server-sent events.
    Events,
    /// One JSON value, from servers that do not stream.
    Whole,
}

/// One answer on its way.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    url: String,
    form: Form,
    parser: Parser,
    whole: Vec<u8>,
    fold: Fold,
    ids: CallIds,
    bytes: usize,
}

#[derive(Debug, Clone)]
enum Fold {
    Responses(responses::fold::Fold),
    Chat(chat::fold::Fold),
    Messages(messages::fold::Fold),
}

impl Answer {
    /// An answer to a request whose history holds the calls `known_calls`.
    pub(crate) fn new(dialect: Dialect, form: Form, url: &str, known_calls: HashSet<String>) -> Self {
        let fold = match dialect {
            Dialect::Responses => Fold::Responses(responses::fold::Fold::new(url)),
            Dialect::Chat => Fold::Chat(chat::fold::Fold::new(url)),
            Dialect::Messages => Fold::Messages(messages::fold::Fold::new(url)),
        };
        Self {
            url: url.to_owned(),
            form,
            parser: Parser::new(MAX_EVENT),
            whole: Vec::new(),
            fold,
            ids: CallIds { next: known_calls.len(), known: known_calls },
            bytes: 0,
        }
    }

    /// Reads on, appending what is known now; what is appended stands even if an error follows.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > MAX_ANSWER {
            return Err(too_large(&self.url, "all of it", MAX_ANSWER));
        }
        // Servers exist that call their stream JSON.
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if self.form == Form::Whole && self.whole.is_empty() && first.is_some_and(|first| !b"{[".contains(first)) {
            self.form = Form::Events;
        }
        match self.form {
            Form::Whole if self.whole.len() + bytes.len() > MAX_EVENT => {
                Err(too_large(&self.url, "one event", MAX_EVENT))
            }
            Form::Whole => {
                self.whole.extend_from_slice(bytes);
                Ok(())
            }
            Form::Events => {
                let mut events = Vec::new();
                let parsed = self.parser.push(bytes, &mut events);
                self.fold(&events, out)?;
                parsed.map_err(|error| too_large(&self.url, "one event", error.max))
            }
        }
    }

    /// The body is over: the rest, which ends in [`ModelEvent::Finished`] if the answer was whole.
    pub(crate) fn end(&mut self, out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let mut events = Vec::new();
        match self.form {
            Form::Events => self.parser.end(&mut events),
            Form::Whole => {
                let data = String::from_utf8_lossy(&self.whole).into_owned();
                events.push(Event { name: String::new(), data });
            }
        }
        if let Err(error) = self.fold(&events, out) {
            // What is left of a line after a whole answer is noise.
            if !self.settled() || !matches!(error, ModelError::Broken { .. }) {
                return Err(error);
            }
        }
        let from = out.len();
        let ended = match &mut self.fold {
            Fold::Responses(fold) => fold.end(),
            Fold::Chat(fold) => fold.end(out),
            Fold::Messages(fold) => fold.end(out),
        };
        self.ids.assign(out, from);
        ended
    }

    /// Whether the answer is whole should nothing more come.
    pub(crate) fn settled(&self) -> bool {
        match &self.fold {
            Fold::Responses(fold) => fold.end().is_ok(),
            Fold::Chat(fold) => fold.settled(),
            Fold::Messages(fold) => fold.settled(),
        }
    }

    fn fold(&mut self, events: &[Event], out: &mut Vec<ModelEvent>) -> Result<(), ModelError> {
        let from = out.len();
        let folded = events.iter().try_for_each(|event| {
            if values(&event.data) * VALUE > MAX_EVENT {
                return Err(too_large(&self.url, "values of one event", MAX_EVENT));
            }
            match &mut self.fold {
                Fold::Responses(fold) => fold.push(event, out),
                Fold::Chat(fold) => fold.push(event, out),
                Fold::Messages(fold) => fold.push(event, out),
            }
        });
        self.ids.assign(out, from);
        folded
    }
}

/// How many values a JSON text holds, or a few more. A value may be written in two bytes and takes many times that once it is read, so
/// the length of a text does not bound what reading it costs.
fn values(json: &str) -> usize {
    let (mut values, mut in_string, mut escaped) = (1, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => values += 1,
            _ => {}
        }
    }
    values
}

/// Gives calls an id where the server gave none, or one that the history already has. The same history gives the same ids.
#[derive(Debug, Clone)]
struct CallIds {
    known: HashSet<String>,
    next: usize,
}

impl CallIds {
    fn assign(&mut self, out: &mut [ModelEvent], from: usize) {
        for event in out.iter_mut().skip(from) {
            let ModelEvent::Call(call) = event else { continue };
            while call.call_id.is_empty() || self.known.contains(&call.call_id) {
                self.next += 1;
                call.call_id = format!("call_{}", self.next);
            }
            self.known.insert(call.call_id.clone());
        }
    }
}

#[cfg(test)]
mod tests;
