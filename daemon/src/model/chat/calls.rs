//! The calls of one Chat Completions answer, put together from the deltas of servers that number them, name them, repeat them, or do
//! none of it. Pure.

use crate::model::Call;
use serde_json::Value;

/// The calls so far, in the order in which they began.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(Vec<Building>);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Building {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

impl Calls {
    /// Adds one entry of a delta's `tool_calls`.
    ///
    /// # Errors
    /// The limit, when the arguments of a call exceed it.
    pub(super) fn push(&mut self, entry: &Value, max_arguments: usize) -> Result<(), usize> {
        let function = entry.get("function").unwrap_or(entry);
        let id = entry.get("id").and_then(Value::as_str).unwrap_or_default();
        let name = function.get("name").and_then(Value::as_str).unwrap_or_default();
        let index = entry.get("index").and_then(Value::as_u64);
        let at = self.place(index, id, name);
        let Some(call) = self.0.get_mut(at) else { return Ok(()) };
        if call.id.is_empty() {
            id.clone_into(&mut call.id);
        }
        // A name comes whole, or in pieces before the arguments, or again with every piece of them.
        if call.name.is_empty() || (call.arguments.is_empty() && call.name != name) {
            call.name.push_str(name);
        }
        match function.get("arguments") {
            Some(Value::String(piece)) => {
                if call.arguments.len() + piece.len() > max_arguments {
                    return Err(max_arguments);
                }
                call.arguments.push_str(piece);
            }
            Some(object @ Value::Object(_)) => call.arguments = object.to_string(),
            _ => {}
        }
        Ok(())
    }

    /// The calls, whole as far as the server said. One that came twice, number, id and all, is one.
    pub(super) fn into_calls(self) -> impl Iterator<Item = Call> {
        let mut calls: Vec<Building> = Vec::with_capacity(self.0.len());
        for call in self.0 {
            if call.id.is_empty() || !calls.contains(&call) {
                calls.push(call);
            }
        }
        calls.into_iter().map(|call| Call { call_id: call.id, name: call.name, arguments: call.arguments })
    }

    /// The call that an entry belongs to, made if it is new.
    fn place(&mut self, index: Option<u64>, id: &str, name: &str) -> usize {
        let found = if index.is_some() {
            let numbered = self.0.iter().rposition(|call| call.index == index);
            numbered.filter(|&at| self.0.get(at).is_some_and(|call| !call.ended_before(id, name)))
        } else if !id.is_empty() {
            self.0.iter().rposition(|call| call.id == id && !call.ended_before(id, name))
        } else {
            let last = self.0.len().checked_sub(1);
            last.filter(|&at| self.0.get(at).is_some_and(|call| name.is_empty() || !call.ended_before(id, name)))
        };
        found.unwrap_or_else(|| {
            self.0.push(Building { index, ..Building::default() });
            self.0.len() - 1
        })
    }
}

impl Building {
    /// Whether an entry with this id and name begins another call, although its number or its id is this one's: servers exist that
    /// number every call 0, that give every call the same id, and that make up a new id for every piece.
    fn ended_before(&self, id: &str, name: &str) -> bool {
        let another_id = !id.is_empty() && !self.id.is_empty() && id != self.id;
        let fresh = self.arguments.is_empty();
        if name.is_empty() {
            return false;
        }
        // Asked for every piece, so most pieces must not cost a look at all that came before them.
        let whole = self.arguments.trim_end().ends_with('}')
            && serde_json::from_str::<Value>(&self.arguments).is_ok_and(|arguments| arguments.is_object());
        if another_id { whole || (fresh && !self.name.is_empty()) } else { whole }
    }
}
