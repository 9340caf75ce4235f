//! A daemon inside the test's process: a hub with a fresh home and workspace, and a model that says what the test says.

use crate::acp::AcpClient;
use crate::client::TestClient;
use crate::fake_model::FakeModel;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use pilotfish::clock::Clock;
use pilotfish::config::{ConfigSource, Dialect, Endpoint, Environment, Home};
use pilotfish::door::{Ended, acp, serve};
use pilotfish::ground::Ground;
use pilotfish::hub::Hub;
use pilotfish::journal::Journal;
use pilotfish::model::http::Http;
use pilotfish::model::{Connect, Model, ModelError, ModelEvent, ModelRequest, Stop};
use pilotfish::sandbox::Sandbox;
use pilotfish::sandbox::proxy::{Host, Resolve};
use pilotfish::session::{Parts, RunningTurns, Workspaces};
use pilotfish::workspace::checkpoint::Checkpoints;
use pilotfish_protocol::{Mode, Session, SessionOpened, Usage};
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;

/// Bytes that a connection's pipes hold in each direction.
const PIPE: usize = 64 << 10;

/// The daemon. Its folders go with it.
pub struct TestDaemon {
    /// The way to its sessions.
    pub hub: Hub,
    /// What its model will say.
    pub script: Script,
    /// The folder that sessions work in.
    pub workspace: TempDir,
    /// The hosts that its commands may be granted, as `name` or `name:port`, and where they really are.
    pub names: Names,
    pub(crate) environment: Environment,
    home: TempDir,
}

/// Names and where they lead, said by the test.
#[derive(Debug, Clone, Default)]
pub struct Names(Arc<Mutex<BTreeMap<String, SocketAddr>>>);

impl Names {
    /// From now on `host` is at `address`.
    ///
    /// # Panics
    /// When another thread did.
    pub fn say(&self, host: &str, address: SocketAddr) {
        self.0.lock().expect("no panic").insert(host.to_owned(), address);
    }
}

impl Resolve for Names {
    fn resolve(&self, host: Host) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> {
        let found = self.0.lock().expect("no panic").get(&host.to_string()).copied();
        Box::pin(async move { found.map(|address| vec![address]).ok_or_else(|| std::io::Error::other("no such name")) })
    }
}

impl TestDaemon {
    /// Starts one whose model is a [`Script`].
    pub fn start() -> Self {
        let script = Script::default();
        let connect = Arc::new(script.clone());
        Self::start_with(script, connect, Dialect::Responses, "http://127.0.0.1:9/v1")
    }

    /// Starts one that asks a model server over HTTP, as the program does.
    pub fn asking(model: &FakeModel) -> Self {
        Self::start_with(Script::default(), Arc::new(Http::new()), model.dialect(), model.base_url())
    }

    fn start_with(script: Script, connect: Arc<dyn Connect>, dialect: Dialect, base_url: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let dialect = dialect.word();
        let config = format!(
            "model = \"fake/one\"\nfinish_check = false\n[providers.fake]\ndialect = \"{dialect}\"\nbase_url = \"{base_url}\"\n"
        );
        std::fs::write(home.path().join("config.toml"), config).expect("a file");
        let folder = home.path().display().to_string();
        let path = ("PATH".to_owned(), "/usr/bin:/bin".to_owned());
        let environment = Arc::new(BTreeMap::from([("PILOTFISH_HOME".to_owned(), folder), path]));
        let names = Names::default();
        let (clock, journal) = (Clock::counting(), Journal::in_memory().expect("a thread"));
        let checkpoints = Checkpoints::open(&home.path().join("state"), journal.clone(), clock.clone());
        let parts = Parts {
            workspaces: Workspaces::new(checkpoints, clock.clone()),
            clock,
            journal,
            config: ConfigSource::new(Home::of(&environment).expect("it is set")),
            connect,
            sandbox: sandbox(),
            ground: Ground::open(&home.path().join("state")),
            names: Arc::new(names.clone()),
            desktop: Arc::new(pilotfish::desktop::SessionBus),
            environment: environment.clone(),
            changed: broadcast::channel(256).0,
            running: RunningTurns::default(),
        };
        let workspace = tempfile::tempdir().expect("a folder");
        Self { hub: Hub::new(parts), script, workspace, names, environment, home }
    }

    /// Adds to the configuration.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn configure(&self, more: &str) {
        let file = self.home.path().join("config.toml");
        let config = std::fs::read_to_string(&file).expect("it was written");
        std::fs::write(file, config + more).expect("a file");
    }

    /// A client that has said nothing yet, and the connection's task.
    pub fn connect(&self) -> (TestClient, JoinHandle<Ended>) {
        self.connect_with(PIPE)
    }

    /// Likewise, with pipes that hold `pipe` bytes.
    pub fn connect_with(&self, pipe: usize) -> (TestClient, JoinHandle<Ended>) {
        let (theirs, daemons_output) = tokio::io::duplex(pipe);
        let (daemons_input, output) = tokio::io::duplex(pipe);
        let task = tokio::spawn(serve(self.hub.clone(), self.environment.clone(), daemons_input, daemons_output));
        (TestClient::new(theirs, output), task)
    }

    /// A client that has said hello as an editor of ours does.
    pub async fn client(&self) -> TestClient {
        let mut client = self.connect().0;
        client.initialize().await;
        client
    }

    /// A client of the Agent Client Protocol that has said nothing yet, and the connection's task.
    pub fn connect_acp(&self) -> (AcpClient, JoinHandle<Ended>) {
        self.connect_acp_with(PIPE)
    }

    /// Likewise, with pipes that hold `pipe` bytes.
    pub fn connect_acp_with(&self, pipe: usize) -> (AcpClient, JoinHandle<Ended>) {
        let (theirs, daemons_output) = tokio::io::duplex(pipe);
        let (daemons_input, output) = tokio::io::duplex(pipe);
        let task = tokio::spawn(acp::serve(self.hub.clone(), self.environment.clone(), daemons_input, daemons_output));
        (AcpClient::new(theirs, output), task)
    }

    /// A client of the Agent Client Protocol that has said hello.
    pub async fn acp_client(&self) -> AcpClient {
        let mut client = self.connect_acp().0;
        client.initialize().await;
        client
    }

    /// Opens a session over a client; the word to lists about it is read.
    pub async fn session(&self, client: &mut TestClient) -> Session {
        self.session_in(client, Mode::ReadOnly).await
    }

    /// Likewise, in a mode.
    pub async fn session_in(&self, client: &mut TestClient, mode: Mode) -> Session {
        let opened = client.request("session/new", json!({"workspace": self.workspace.path(), "mode": mode})).await;
        let SessionOpened { session } = opened.expect("a session opens");
        session
    }
}

fn sandbox() -> Sandbox {
    Sandbox::open(&crate::bins::pilotfish_sandbox()).expect("it was built")
}

/// A model whose answers the test gives, one for each request, in order.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<VecDeque<mpsc::Receiver<ModelEvent>>>>);

/// One answer of the model, while it is given. Dropping it ends the stream as if it broke, unless it was finished.
pub struct Answering(mpsc::Sender<ModelEvent>);

impl Script {
    /// Begins the next answer. It may be given before it is asked for.
    pub fn answer(&self) -> Answering {
        let (events, answer) = mpsc::channel(64);
        self.0.lock().expect("no test panicked").push_back(answer);
        Answering(events)
    }

    /// The next answer is these words.
    pub fn says(&self, words: &str) -> BoxFuture<'static, ()> {
        let answering = self.answer();
        let words = words.to_owned();
        Box::pin(async move {
            answering.text(&words).await;
            answering.finish().await;
        })
    }
}

impl Answering {
    /// Some words.
    pub async fn text(&self, words: &str) {
        self.0.send(ModelEvent::Text(words.to_owned())).await.expect("the daemon reads");
    }

    /// That was all.
    pub async fn finish(self) {
        let finished = ModelEvent::Finished { stop: Stop::Done, usage: Usage::default() };
        for event in [ModelEvent::TextEnded, finished] {
            self.0.send(event).await.expect("the daemon reads");
        }
    }
}

impl Connect for Script {
    fn model(&self, _: &Endpoint, _: &str) -> Arc<dyn Model> {
        Arc::new(self.clone())
    }
}

impl Model for Script {
    fn stream(&self, _: ModelRequest) -> BoxStream<'static, Result<ModelEvent, ModelError>> {
        let answer = self.0.lock().expect("no test panicked").pop_front();
        // Asked for with the lock given back: a test may want this panic, and go on.
        let answer = answer.expect("the script has an answer left");
        let events = futures::stream::unfold(answer, |mut answer| async {
            let event = answer.recv().await?;
            Some((Ok(event), answer))
        });
        events.boxed()
    }
}
