//! Hosts that a running command wants to reach: each waits for a yes of configuration, a rule, the session or the person. The command's time
//! stands still meanwhile.

use crate::cx::{HOST, Need, Permission, TurnCx};
use crate::sandbox::OnListener;
use crate::sandbox::proxy::{self, Ask, Host};
use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use pilotfish_protocol::ItemId;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// Hosts that are asked for at a time; a command that wants more waits.
const ASKED: usize = 16;

/// Hosts that one command may ask for. Each is a question to a person.
const HOSTS: usize = 64;

/// A host, and where its answer goes: nothing, or why not.
type Asked = (Host, oneshot::Sender<Result<(), String>>);

/// The way out of one running command. Dropped, it is closed.
pub(super) struct Reach {
    ask: Ask,
    asked: mpsc::Receiver<Asked>,
    /// All that were asked for so far.
    hosts: HashSet<Host>,
    paused: watch::Sender<bool>,
    /// The listener is handed over from inside the sandbox's run, which borrows nothing of this.
    proxies: Arc<Mutex<JoinSet<()>>>,
}

impl Reach {
    pub(super) fn new() -> Self {
        let (sender, asked) = mpsc::channel(ASKED);
        let ask: Ask = Arc::new(move |host| {
            let sender = sender.clone();
            let over = || "the command is over".to_owned();
            async move {
                let (answer, answered) = oneshot::channel();
                sender.send((host, answer)).await.map_err(|_| over())?;
                answered.await.map_err(|_| over())?
            }
            .boxed()
        });
        Self { ask, asked, hosts: HashSet::new(), paused: watch::Sender::new(false), proxies: Arc::default() }
    }

    /// Whether the command's time stands still.
    pub(super) fn paused(&self) -> watch::Receiver<bool> {
        self.paused.subscribe()
    }

    /// What serves the inside's listener once there is one.
    pub(super) fn on_listener(&self, names: Arc<dyn proxy::Resolve>) -> OnListener<'static> {
        let (ask, proxies) = (self.ask.clone(), self.proxies.clone());
        Box::new(move |listener| {
            let serve = proxy::serve(listener, ask, names).map(|ended| {
                let Err(error) = ended;
                tracing::warn!(%error, "a sandbox's proxy ended");
            });
            proxies.lock().unwrap_or_else(PoisonError::into_inner).spawn(serve);
        })
    }

    /// Answers what is asked, for ever. `command` is the whole command line, `cwd` where it started.
    pub(super) async fn answer(&mut self, cx: &TurnCx, item: &ItemId, command: &str, cwd: &str) {
        let is_free = |host: &Host| cx.beyond.hosts.contains(&host.to_string());
        self.answer_by(is_free, |host| permit(cx, item, command, cwd, host)).await;
    }

    /// The same, where `is_free` names the hosts that nobody is asked about, and `permit` asks about the others.
    async fn answer_by<F>(&mut self, is_free: impl Fn(&Host) -> bool, permit: impl Fn(Host) -> F)
    where
        F: Future<Output = Result<(), String>>,
    {
        let mut open = FuturesUnordered::new();
        loop {
            self.paused.send_replace(!open.is_empty());
            tokio::select! {
                Some((host, answer)) = self.asked.recv(), if open.len() < ASKED => {
                    let answered = if is_free(&host) {
                        Some(Ok(()))
                    } else if self.hosts.len() >= HOSTS && !self.hosts.contains(&host) {
                        Some(Err(format!("one command may ask for no more than {HOSTS} hosts")))
                    } else {
                        None
                    };
                    match answered {
                        // A command that ended meanwhile needs no answer.
                        Some(answered) => drop(answer.send(answered)),
                        None => {
                            self.hosts.insert(host.clone());
                            let permitted = permit(host);
                            open.push(async move { drop(answer.send(permitted.await)) });
                        }
                    }
                }
                Some(()) = open.next() => {}
                // Nobody asks any more and nobody waits.
                else => std::future::pending().await,
            }
        }
    }
}

async fn permit(cx: &TurnCx, item: &ItemId, command: &str, cwd: &str, host: Host) -> Result<(), String> {
    let need = Need {
        item,
        command: Some(command),
        grants: vec![format!("{HOST}{host}")],
        title: format!("let a command reach {host}"),
        detail: command.to_owned(),
        cwd: cwd.to_owned(),
        reason: format!("it wants to connect to {host}, and commands have no network of their own"),
        edits: Vec::new(),
    };
    match cx.permit(need).await {
        Ok(Permission::Granted { by: _ }) => Ok(()),
        Ok(Permission::Denied { why }) => Err(why),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
