//! Neovim's MessagePack-RPC over pipes, from the side that asks. Owns the pending calls and the screen that the notifications draw.

use super::screen::Screen;
use rmpv::Value;
use std::collections::HashMap;
use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};

/// What arrives, and who waits for it.
#[derive(Default)]
struct State {
    screen: Screen,
    pending: HashMap<u64, oneshot::Sender<Result<Value, String>>>,
    last: u64,
}

/// A connection.
pub struct Rpc {
    state: Arc<Mutex<State>>,
    out: mpsc::UnboundedSender<Vec<u8>>,
}

impl Rpc {
    /// One over the pipes of a process.
    pub fn over(mut input: ChildStdin, mut output: ChildStdout) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (out, mut outgoing) = mpsc::unbounded_channel::<Vec<u8>>();
        tokio::spawn(async move {
            while let Some(bytes) = outgoing.recv().await {
                if input.write_all(&bytes).await.is_err() {
                    break;
                }
            }
        });
        let incoming = Arc::clone(&state);
        tokio::spawn(async move {
            let mut buffer = Vec::new();
            while output.read_buf(&mut buffer).await.is_ok_and(|count| count > 0) {
                let mut cursor = Cursor::new(buffer.as_slice());
                let mut taken = 0;
                // What cannot be decoded yet goes on with the next read.
                while let Ok(message) = rmpv::decode::read_value(&mut cursor) {
                    taken = usize::try_from(cursor.position()).expect("it is in memory");
                    take(&incoming, message);
                }
                buffer.drain(..taken);
            }
            // It ended: nobody waits any longer.
            lock(&incoming).pending.clear();
        });
        Self { state, out }
    }

    /// What a function of its API answers, or what it says went wrong.
    pub async fn call(&self, method: &str, arguments: Vec<Value>) -> Result<Value, String> {
        let (sender, receiver) = oneshot::channel();
        let id = {
            let mut state = lock(&self.state);
            state.last += 1;
            let id = state.last;
            state.pending.insert(id, sender);
            id
        };
        self.send(Value::Array(vec![0.into(), id.into(), method.into(), Value::Array(arguments)]));
        receiver.await.unwrap_or_else(|_| Err("it has ended".to_owned()))
    }

    /// Calls a function of its API without waiting for the answer.
    pub fn notify(&self, method: &str, arguments: Vec<Value>) {
        self.send(Value::Array(vec![2.into(), method.into(), Value::Array(arguments)]));
    }

    /// What is drawn now.
    pub fn screen(&self) -> Screen {
        lock(&self.state).screen.clone()
    }

    fn send(&self, message: Value) {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, &message).expect("memory takes all");
        // When it has ended, the answer says so.
        let _ = self.out.send(bytes);
    }
}

fn take(state: &Mutex<State>, message: Value) {
    let Value::Array(mut parts) = message else { return };
    let mut state = lock(state);
    match (parts.first().and_then(Value::as_u64), parts.len()) {
        (Some(1), 4) => {
            let (answer, error) = (parts.remove(3), parts.remove(2));
            let waiting = parts.get(1).and_then(Value::as_u64).and_then(|id| state.pending.remove(&id));
            if let Some(waiting) = waiting {
                let result = if error.is_nil() { Ok(answer) } else { Err(error.to_string()) };
                // Who gave up waiting needs no answer.
                let _ = waiting.send(result);
            }
        }
        (Some(2), 3) if parts.get(1).and_then(Value::as_str) == Some("redraw") => {
            for event in parts.remove(2).as_array().into_iter().flatten() {
                state.screen.take(event);
            }
        }
        _ => {}
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
