//! A person's desk: a home that is configured for a model, a project, and the program started as they would start it. What was
//! started on it ends with it.

use crate::bins;
use crate::client::TestClient;
use crate::fake_model::FakeModel;
use pilotfish::config::{Dialect, Home};
use pilotfish_protocol::DaemonStatus;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Longer than anything a test starts takes.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A person's folders.
pub struct Desk {
    /// All of them: `home` for what is ours, `user` for the rest, `project`.
    pub folder: TempDir,
    program: PathBuf,
}

impl Default for Desk {
    fn default() -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a folder"), program: bins::pilotfish() };
        for name in ["home", "user", "project"] {
            std::fs::create_dir(desk.path(name)).expect("a folder in it");
        }
        desk.write("project/notes.txt", "one\ntwo\nthree\n");
        desk
    }
}

impl Desk {
    /// One that is configured for a model. `config` is added at the top.
    pub async fn with_model(config: &str) -> (Self, FakeModel) {
        let desk = Self::default();
        let model = FakeModel::start(Dialect::Responses).await;
        let config = format!(
            "{config}\nmodel = \"fake/one\"\nfinish_check = false\n[providers.fake]\ndialect = \"responses\"\nbase_url = \"{}\"\napi_key_env = \"FAKE_KEY\"\n",
            model.base_url()
        );
        desk.write("home/config.toml", &config);
        (desk, model)
    }

    /// A path on it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file on it.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    /// Where our files lie.
    pub fn home(&self) -> Home {
        let home = self.path("home");
        Home { state: home.join("state"), runtime: home.join("run"), config: home }
    }

    /// The program with an environment of its own.
    pub fn pilotfish(&self, arguments: &[&str]) -> Command {
        self.pilotfish_at(&self.program, arguments)
    }

    /// Likewise, of another build.
    pub fn pilotfish_at(&self, program: &std::path::Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path("project"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("user"))
            .env("PILOTFISH_HOME", self.path("home"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs the program to its end.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let run = self.pilotfish(arguments).output();
        tokio::time::timeout(LIMIT, run).await.expect("it ends in time").expect("it starts")
    }

    /// An editor that has said hello, and its shim. What it was sent and did not look at is nobody's concern.
    pub async fn editor(&self) -> (TestClient, Child) {
        Self::editor_of(self.pilotfish(&["lsp", "--stdio"])).await
    }

    /// Likewise, of another build or in another environment.
    pub async fn editor_of(mut shim: Command) -> (TestClient, Child) {
        shim.stderr(Stdio::inherit());
        let (mut client, child) = TestClient::spawn(shim);
        client.ignore_rest();
        client.initialize().await;
        (client, child)
    }

    /// The daemon's process.
    pub async fn daemon(&self) -> i32 {
        let output = self.run(&["status", "--json"]).await;
        let status: DaemonStatus = serde_json::from_slice(&output.stdout).expect("a daemon runs");
        i32::try_from(status.pid).expect("a small number")
    }

    /// Waits until no daemon has the home any more.
    pub async fn daemon_ended(&self) {
        let home = self.home();
        let wait = tokio::task::spawn_blocking(move || pilotfish::door::shim::wait_for_end(&home));
        tokio::time::timeout(LIMIT, wait).await.expect("in time").expect("no panic").expect("a lock");
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // Nothing runs, most often.
        let stopped = std::process::Command::new(&self.program)
            .arg("stop")
            .env_clear()
            .env("PILOTFISH_HOME", self.path("home"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(stopped.is_ok() || std::thread::panicking(), "the daemon cannot be stopped");
    }
}

/// Sends a signal to a process.
///
/// # Panics
/// When there is no such process.
pub fn signal(pid: i32, signal: i32) {
    // SAFETY: kill takes two numbers and touches no memory of ours.
    #[expect(unsafe_code, reason = "the standard library cannot send a signal")]
    let sent = unsafe { libc::kill(pid, signal) };
    assert_eq!(sent, 0, "process {pid} runs");
}

/// Waits until something is so.
///
/// # Panics
/// When it is not so after [`LIMIT`].
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let mut look = tokio::time::interval(Duration::from_millis(5));
    let waited = tokio::time::timeout(LIMIT, async {
        while !is_so() {
            look.tick().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// The processes whose command line holds this text.
#[must_use]
pub fn processes(text: &str) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let holds = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ").contains(text)
    };
    pids.filter(holds).collect()
}
