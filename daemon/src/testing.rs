//! What the tests of this crate share: a scripted model, an outlet that records, a hub over a temporary folder.

use crate::clock::Clock;
use crate::config::{ConfigSource, Endpoint, Home};
use crate::desktop::{Desktop, Note};
use crate::ground::Ground;
use crate::hub::{Hub, NewSession};
use crate::journal::Journal;
use crate::model::{Call, Connect, Message, Model, ModelError, ModelEvent, ModelRequest, Part, Stop};
use crate::path::AbsPath;
use crate::sandbox::proxy::PublicNames;
use crate::session::{Outlet, Parts, RunningTurns, SessionHandle, Workspaces};
use crate::workspace::checkpoint::Checkpoints;
use futures::StreamExt;
use futures::stream::BoxStream;
use pilotfish_protocol::{
    Approval, ConnectionId, Delivery, InputPart, Item, ItemContent, Mode, SessionUpdate, StopReason, ToolCall, Update,
    Usage,
};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

/// One thing a scripted answer does.
#[derive(Debug, Clone)]
pub(crate) enum Play {
    /// An event, or the error that ends the answer.
    Event(Result<ModelEvent, ModelError>),
    /// Nothing more, ever.
    Hang,
    /// Nothing before this is cancelled.
    Until(CancellationToken),
    /// A defect.
    Panic,
}

/// A model that plays one script after another, and keeps what it was asked. Fails when it is asked too often. Asked for a summary it
/// plays one of its own.
#[derive(Clone, Default)]
pub(crate) struct Scripted {
    answers: Arc<Mutex<VecDeque<Vec<Play>>>>,
    summaries: Arc<Mutex<VecDeque<Vec<Play>>>>,
    requests: Arc<Mutex<Vec<ModelRequest>>>,
}

impl Scripted {
    pub(crate) fn then(&self, answer: Vec<Play>) -> &Self {
        self.answers.lock().unwrap().push_back(answer);
        self
    }

    /// Plays nothing of what is left.
    pub(crate) fn forget(&self) {
        self.answers.lock().unwrap().clear();
    }

    /// What it plays when it is asked for a summary, in the stead of a common one.
    pub(crate) fn summarizes(&self, answer: Vec<Play>) -> &Self {
        self.summaries.lock().unwrap().push_back(answer);
        self
    }

    pub(crate) fn requests(&self) -> Vec<ModelRequest> {
        self.requests.lock().unwrap().clone()
    }
}

impl Model for Scripted {
    fn stream(&self, request: ModelRequest) -> BoxStream<'static, Result<ModelEvent, ModelError>> {
        let answer = if asks_for_summary(&request) {
            self.summaries.lock().unwrap().pop_front().unwrap_or_else(|| says(SUMMARY))
        } else {
            self.answers.lock().unwrap().pop_front().expect("the script has an answer left")
        };
        self.requests.lock().unwrap().push(request);
        let plays = futures::stream::iter(answer).then(|play| async {
            match play {
                Play::Event(event) => Some(event),
                Play::Hang => std::future::pending().await,
                Play::Until(token) => {
                    token.cancelled().await;
                    None
                }
                Play::Panic => panic!("as scripted"),
            }
        });
        plays.filter_map(std::future::ready).boxed()
    }
}

impl Connect for Scripted {
    fn model(&self, _: &Endpoint, _: &str) -> Arc<dyn Model> {
        Arc::new(self.clone())
    }
}

/// What the scripted model says when nothing else is scripted for a summary.
pub(crate) const SUMMARY: &str =
    "Everything up to here went as the script wants it, and the next step is the next one of the script.";

/// Whether a request asks for a summary.
pub(crate) fn asks_for_summary(request: &ModelRequest) -> bool {
    let last = request.messages.last();
    matches!(last, Some(Message::User(parts)) if matches!(parts.as_slice(), [Part::Text(text)] if text.starts_with("<condense>")))
}

/// An answer of words alone.
pub(crate) fn says(text: &str) -> Vec<Play> {
    vec![event(ModelEvent::Text(text.to_owned())), event(ModelEvent::TextEnded), finished()]
}

/// An answer of calls alone: tool and arguments.
pub(crate) fn calls(calls: &[(&str, serde_json::Value)]) -> Vec<Play> {
    let call = |(number, (name, arguments)): (usize, &(&str, serde_json::Value))| {
        let call_id = format!("call{number}");
        event(ModelEvent::Call(Call { call_id, name: (*name).to_owned(), arguments: arguments.to_string() }))
    };
    calls.iter().enumerate().map(call).chain([finished()]).collect()
}

pub(crate) fn event(event: ModelEvent) -> Play {
    Play::Event(Ok(event))
}

pub(crate) fn finished() -> Play {
    let usage = Usage { input_tokens: 10, output_tokens: 1, ..Usage::default() };
    event(ModelEvent::Finished { stop: Stop::Done, usage })
}

pub(crate) fn broken() -> Play {
    Play::Event(Err(ModelError::Broken { url: "http://model".to_owned(), why: "cut".to_owned() }))
}

/// An outlet that hands every update on.
pub(crate) struct Recorder(mpsc::UnboundedSender<SessionUpdate>);

impl Outlet for Recorder {
    fn send(&self, update: &SessionUpdate) {
        let _ = self.0.send(update.clone());
    }
}

/// A desktop that keeps what it is to show.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<Vec<Note>>>);

impl Desktop for Shelf {
    fn show(&self, note: Note) {
        self.0.lock().unwrap().push(note);
    }
}

impl Shelf {
    pub(crate) fn notes(&self) -> Vec<Note> {
        self.0.lock().unwrap().clone()
    }
}

/// A hub with a scripted model over a temporary folder.
pub(crate) struct Fixture {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) model: Scripted,
    pub(crate) hub: Hub,
    pub(crate) shelf: Shelf,
    clock: Clock,
}

impl Fixture {
    /// With these files in its workspace.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("ws");
        std::fs::create_dir(&root).unwrap();
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::write(directory.path().join("config.toml"), CONFIG).unwrap();
        let model = Scripted::default();
        let clock = Clock::counting();
        let shelf = Shelf::default();
        let hub = hub(directory.path().to_owned(), &model, &clock, &shelf);
        Self { directory, model, hub, shelf, clock }
    }

    /// Adds to the configuration of its provider.
    pub(crate) fn configure(&self, more: &str) {
        std::fs::write(self.directory.path().join("config.toml"), format!("{CONFIG}{more}")).unwrap();
    }

    /// Lets the clock go on by so many seconds.
    pub(crate) fn skip(&self, seconds: u64) {
        self.clock.skip(seconds);
    }

    /// A second life over the same files, as after a crash.
    pub(crate) fn restarted(self) -> Self {
        let Self { directory, model, hub, shelf, clock } = self;
        drop(hub);
        let hub = self::hub(directory.path().to_owned(), &model, &clock, &shelf);
        Self { directory, model, hub, shelf, clock }
    }

    pub(crate) fn root(&self) -> AbsPath {
        AbsPath::canonical(&self.directory.path().join("ws").display().to_string()).unwrap()
    }

    pub(crate) fn file(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().as_path().join(path)).unwrap()
    }

    pub(crate) async fn session(&self, mode: Mode) -> Attached {
        let new = NewSession {
            workspace: self.root(),
            mode,
            model: None,
            effort: None,
            title: None,
            environment: Arc::default(),
        };
        let session = self.hub.new_session(new).await.unwrap();
        Attached::to(self.hub.session(&session.id)).await
    }
}

const CONFIG: &str = "model = \"test/model\"\nfinish_check = false\n[providers.test]\ndialect = \"chat\"\nbase_url = \"http://127.0.0.1:1/v1\"\n";

fn hub(home: PathBuf, model: &Scripted, clock: &Clock, shelf: &Shelf) -> Hub {
    let environment = Arc::new(BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]));
    let (changed, _) = broadcast::channel(16);
    let journal = Journal::open(&home.join("state")).unwrap();
    let checkpoints = Checkpoints::open(&home.join("state"), journal.clone(), clock.clone());
    Hub::new(Parts {
        clock: clock.clone(),
        journal,
        config: ConfigSource::new(Home { state: home.join("state"), runtime: home.join("run"), config: home.clone() }),
        connect: Arc::new(model.clone()),
        // No test of this crate runs a command; those that do spawn the real binaries.
        sandbox: crate::sandbox::Sandbox::open(std::path::Path::new("/bin/true")).unwrap(),
        ground: Ground::open(&home.join("state")),
        names: Arc::new(PublicNames),
        desktop: Arc::new(shelf.clone()),
        environment,
        changed,
        running: RunningTurns::default(),
        workspaces: Workspaces::new(checkpoints, clock.clone()),
    })
}

/// A session with everything it sends.
pub(crate) struct Attached {
    pub(crate) handle: SessionHandle,
    pub(crate) snapshot: pilotfish_protocol::Attached,
    pub(crate) updates: mpsc::UnboundedReceiver<SessionUpdate>,
}

impl Attached {
    pub(crate) async fn to(handle: SessionHandle) -> Self {
        let (sender, updates) = mpsc::unbounded_channel();
        let snapshot =
            handle.attach(ConnectionId::from("n1"), Arc::default(), Arc::new(Recorder(sender))).await.unwrap();
        Self { handle, snapshot, updates }
    }

    pub(crate) async fn prompt(&self, text: &str) -> pilotfish_protocol::PromptTaken {
        let input = vec![InputPart::Text { text: text.to_owned() }];
        self.handle.prompt(input, Delivery::Queue).await.unwrap()
    }

    /// Everything up to the end of a turn.
    pub(crate) async fn until_end(&mut self) -> (Vec<SessionUpdate>, StopReason) {
        let mut seen = Vec::new();
        loop {
            let update = self.updates.recv().await.expect("the session goes on");
            seen.push(update.clone());
            if let Update::TurnEnded { stop, .. } = update.update {
                return (seen, stop);
            }
        }
    }

    /// Waits for an update that fits.
    pub(crate) async fn until(&mut self, fits: impl Fn(&Update) -> bool) -> SessionUpdate {
        loop {
            let update = self.updates.recv().await.expect("the session goes on");
            if fits(&update.update) {
                return update;
            }
        }
    }

    /// Prompts, and gives the ended items of the turn.
    pub(crate) async fn turn(&mut self, text: &str) -> (Vec<Item>, StopReason) {
        self.prompt(text).await;
        let (updates, stop) = self.until_end().await;
        (ended(&updates), stop)
    }
}

/// A question without words.
pub(crate) fn approval(id: &str, item_id: &str) -> Approval {
    Approval {
        id: id.into(),
        item_id: item_id.into(),
        title: String::new(),
        detail: String::new(),
        cwd: String::new(),
        reason: String::new(),
        grants: Vec::new(),
        segments: Vec::new(),
        edits: Vec::new(),
        escaped: false,
        rule: None,
        decision: None,
        by: None,
        note: None,
    }
}

/// The items that ended.
pub(crate) fn ended(updates: &[SessionUpdate]) -> Vec<Item> {
    let item = |update: &SessionUpdate| match &update.update {
        Update::ItemEnded { item } => Some(item.clone()),
        _ => None,
    };
    updates.iter().filter_map(item).collect()
}

/// The tool calls among items.
pub(crate) fn tool_calls(items: &[Item]) -> Vec<ToolCall> {
    let call = |item: &Item| match &item.content {
        ItemContent::ToolCall(call) => Some(call.clone()),
        _ => None,
    };
    items.iter().filter_map(call).collect()
}

/// Items in a line each.
pub(crate) fn shown(items: &[Item]) -> String {
    let line = |item: &Item| match &item.content {
        ItemContent::UserMessage(message) => format!("user {}", crate::prompt::words(&message.input)),
        ItemContent::AgentMessage(message) => format!("agent {:?} {:?}", message.text, message.completion),
        ItemContent::Reasoning(reasoning) => format!("reasoning {:?} {:?}", reasoning.text, reasoning.completion),
        ItemContent::ToolCall(call) => format!("{} {:?}: {}", call.title, call.status, call.output.trim_end()),
        ItemContent::Edit(edit) => format!("edit {} {:?} +{} -{}", edit.path, edit.state, edit.added, edit.removed),
        ItemContent::Error(fault) => {
            format!("error {:?} retryable={}: {}", fault.fault, fault.retryable, fault.message)
        }
        ItemContent::Notice(notice) => format!("notice for {:?}", notice.audience),
        ItemContent::Approval(approval) => format!("approval {:?}: {:?}", approval.title, approval.decision),
        other => format!("{other:?}"),
    };
    let lines: Vec<String> = items.iter().map(line).collect();
    lines.join("\n") + "\n"
}
