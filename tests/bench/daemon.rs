//! A daemon as an editor starts it, a scripted model behind it, and what the kernel says of its process.

use anyhow::{Context, bail};
use pilotfish::config::Dialect;
use pilotfish_protocol::{Attached, SessionId, SessionOpened, SessionUpdate, Update, notification};
use pilotfish_tests::bins;
use pilotfish_tests::client::TestClient;
use pilotfish_tests::fake_model::FakeModel;
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::{Child, ChildStdout, Command};

/// A running daemon and one client, with the shim between them.
pub struct Daemon {
    /// The client, which has said nothing yet.
    pub client: TestClient,
    /// What the client speaks through: the shim, or a program that is no daemon of ours.
    child: Child,
    /// The daemon itself.
    server: Option<Server>,
    received: Arc<AtomicU64>,
}

impl Daemon {
    /// Starts a daemon with everything of ours below `home`, and `pilotfish lsp --stdio` as its client.
    pub fn start(home: &Path) -> anyhow::Result<Self> {
        let server = Server::start(home)?;
        Ok(Self { server: Some(server), ..Self::of(shim(home))? })
    }

    /// Starts any program that speaks as a language server on its standard streams.
    pub fn of(mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start the daemon")?;
        let input = child.stdout.take().context("its output is a pipe")?;
        let output = child.stdin.take().context("its input is a pipe")?;
        let received = Arc::<AtomicU64>::default();
        let mut client = TestClient::new(Counted { input, received: received.clone() }, output);
        // What is left unread is no finding here, and must not hide an error.
        client.ignore_rest();
        Ok(Self { client, child, server: None, received })
    }

    /// Says goodbye and waits for the end of the process.
    pub async fn shut_down(self) -> anyhow::Result<()> {
        let Self { client, mut child, server, .. } = self;
        client.shut_down().await;
        child.wait().await?;
        drop(server);
        Ok(())
    }

    /// Bytes it has sent so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// A line of its `/proc/PID/status`, in the kernel's unit.
    pub fn status(&self, name: &str) -> anyhow::Result<u64> {
        let text = fs::read_to_string(self.proc("status")?)?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = value.and_then(|value| value.split_whitespace().next()).context("no such line")?;
        Ok(number.parse()?)
    }

    /// Its resident memory in bytes.
    pub fn resident(&self) -> anyhow::Result<u64> {
        Ok(self.status("VmRSS")? << 10)
    }

    /// The most resident memory since [`forget_peak`](Self::forget_peak), in bytes.
    pub fn peak(&self) -> anyhow::Result<u64> {
        Ok(self.status("VmHWM")? << 10)
    }

    /// The peak is counted from now on.
    pub fn forget_peak(&self) -> anyhow::Result<()> {
        Ok(fs::write(self.proc("clear_refs")?, "5")?)
    }

    /// Processor seconds of its threads so far, without its children. In steps of 1/100 s.
    pub fn processor_seconds(&self) -> anyhow::Result<f64> {
        let text = fs::read_to_string(self.proc("stat")?)?;
        // The name, in parentheses, may hold blanks; the numbers after it begin with field 3.
        let (_, rest) = text.rsplit_once(") ").context("no name in stat")?;
        let mut ticks = 0;
        for field in rest.split(' ').skip(14 - 3).take(2) {
            ticks += field.parse::<u32>()?;
        }
        Ok(f64::from(ticks) / 100.0)
    }

    /// How often its threads were woken so far.
    pub fn wakeups(&self) -> anyhow::Result<u64> {
        let mut sum = 0;
        for thread in fs::read_dir(self.proc("task")?)? {
            let text = fs::read_to_string(thread?.path().join("status"))?;
            let value = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            sum += value.context("no such line")?.trim().parse::<u64>()?;
        }
        Ok(sum)
    }

    fn proc(&self, name: &str) -> anyhow::Result<String> {
        let id = self.server.as_ref().map_or_else(|| self.child.id(), |server| Some(server.id()));
        let Some(id) = id else { bail!("the program has ended") };
        Ok(format!("/proc/{id}/{name}"))
    }
}

/// `pilotfish lsp --stdio` with everything of ours below `home`.
pub fn shim(home: &Path) -> Command {
    let mut command = Command::new(bins::pilotfish());
    command.args(["lsp", "--stdio"]).env("PILOTFISH_HOME", home);
    command
}

/// A daemon in the foreground. Dropped, it is told to end, and has ended then.
pub struct Server(std::process::Child);

impl Server {
    /// Starts one that has everything of ours below `home`, and waits until it listens.
    pub fn start(home: &Path) -> anyhow::Result<Self> {
        let mut command = std::process::Command::new(bins::pilotfish());
        command.args(["serve", "--foreground"]).env("PILOTFISH_HOME", home).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the daemon")?;
        let output = child.stdout.take().context("its output is a pipe")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        anyhow::ensure!(line.starts_with("Listening"), "the daemon did not start: {line}");
        Ok(Self(child))
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.0.id()) {
            pilotfish_tests::desk::signal(id, libc::SIGTERM);
        }
        let _ = self.0.wait();
    }
}

/// What the client reads, counted.
struct Counted {
    input: ChildStdout,
    received: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.input).poll_read(cx, buffer);
        self.received.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        polled
    }
}

/// A daemon that is configured for a scripted model, and a session to which its client is attached.
pub struct Rig {
    /// The daemon.
    pub daemon: Daemon,
    /// Its model.
    pub model: FakeModel,
    /// The session.
    pub session: SessionId,
    /// The folder that sessions work in.
    pub workspace: TempDir,
    _home: TempDir,
}

impl Rig {
    /// Starts one, with a session in agent mode.
    pub async fn start() -> anyhow::Result<Self> {
        let model = FakeModel::start(Dialect::Responses).await;
        let (home, workspace) = (tempfile::tempdir()?, tempfile::tempdir()?);
        configure(home.path(), model.base_url())?;
        let mut daemon = Daemon::start(home.path())?;
        daemon.client.initialize().await;
        let session = open(&mut daemon.client, workspace.path()).await?;
        let mut rig = Self { daemon, model, session, workspace, _home: home };
        rig.attach().await?;
        Ok(rig)
    }

    /// Goes on with a new session.
    pub async fn renew(&mut self) -> anyhow::Result<()> {
        self.session = open(&mut self.daemon.client, self.workspace.path()).await?;
        self.attach().await
    }

    async fn attach(&mut self) -> anyhow::Result<()> {
        let attached =
            self.daemon.client.request::<Attached>("session/attach", json!({"sessionId": self.session})).await;
        attached.map(drop).map_err(failed)
    }

    /// Sends a prompt; answers when, and the request's id.
    pub async fn prompt(&mut self, text: &str) -> (Instant, i64) {
        let params = json!({"sessionId": self.session, "input": [{"type": "text", "text": text}]});
        let sent = Instant::now();
        (sent, self.daemon.client.ask("session/prompt", params).await)
    }

    /// Waits for the answer to a prompt that was sent, and the end of its turn. Answers when that came, and all updates.
    pub async fn turn_end(&mut self, asked: i64) -> anyhow::Result<(Instant, Vec<SessionUpdate>)> {
        let client = &mut self.daemon.client;
        let updates = client.updates_until(|update| matches!(update.update, Update::TurnEnded { .. })).await;
        let ended = Instant::now();
        client.answer::<serde_json::Value>(asked).await.map_err(failed)?;
        while client.unread(notification::SESSION_CHANGED) > 0 {
            client.notification(notification::SESSION_CHANGED).await;
        }
        Ok((ended, updates))
    }

    /// Waits for text of an open item; answers when it came.
    pub async fn delta(&mut self) -> Instant {
        let client = &mut self.daemon.client;
        client.updates_until(|update| matches!(update.update, Update::ItemDelta { .. })).await;
        Instant::now()
    }

    /// Ends the daemon.
    pub async fn shut_down(self) -> anyhow::Result<()> {
        self.daemon.shut_down().await
    }
}

/// Writes a configuration that names a model at `base_url`.
pub fn configure(home: &Path, base_url: &str) -> anyhow::Result<()> {
    let text = format!(
        "model = \"local/fake\"\n[providers.local]\ndialect = \"responses\"\nbase_url = \"{base_url}\"\nmodels = [{{ id = \"fake\", context = 1000000 }}]\n"
    );
    Ok(fs::write(home.join("config.toml"), text)?)
}

/// Opens a session in agent mode.
pub async fn open(client: &mut TestClient, workspace: &Path) -> anyhow::Result<SessionId> {
    let opened = client.request::<SessionOpened>("session/new", json!({"workspace": workspace, "mode": "agent"})).await;
    Ok(opened.map_err(failed)?.session.id)
}

/// An error answer as an error.
pub fn failed(failure: pilotfish_tests::client::Failure) -> anyhow::Error {
    anyhow::anyhow!("error {}: {}", failure.code, failure.message)
}

/// As a number of the table.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
