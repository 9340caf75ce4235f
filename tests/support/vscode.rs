//! A script that drives a real VS Code workbench, from the side of the daemon and of the model. Owns starting it, and the points where
//! the two wait for one another; what is looked at in the workbench is the script's.
//!
//! A script is `tests/vscode/NAME.mjs`. It says `@step NAME` where it has come to a point and goes on when it is told to.

use crate::bins;
use crate::desk::Desk;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long a whole script may take. A workbench takes ten seconds to come up when nothing else runs.
const PATIENCE: Duration = Duration::from_secs(240);

/// A script that runs.
pub struct Script {
    name: String,
    child: Child,
    says: Lines<BufReader<ChildStdout>>,
    hears: ChildStdin,
}

/// Whether there are a workbench and a packaged extension. Where there are not that is said, and the test returns.
#[must_use]
pub fn is_there() -> bool {
    let is_there = ["PILOTFISH_TEST_VSCODE", "PILOTFISH_TEST_VSIX"].iter().all(|name| std::env::var_os(name).is_some());
    if !is_there {
        crate::skipped(
            "there is no workbench or no vsix, see PILOTFISH_TEST_VSCODE and PILOTFISH_TEST_VSIX in tests/run",
        );
    }
    is_there
}

impl Script {
    /// Starts one at a desk, with some more environment.
    ///
    /// # Panics
    /// When node cannot be started.
    #[must_use]
    pub fn start(desk: &Desk, name: &str, environment: &[(&str, &str)]) -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new("node");
        command
            .arg(tests.join("vscode").join(format!("{name}.mjs")))
            .env("HOME", desk.path("user"))
            .env("PILOTFISH_HOME", desk.path("home"))
            .env("PILOTFISH_TEST_PROGRAM", bins::pilotfish())
            .env("PILOTFISH_TEST_PROJECT", desk.path("project"))
            .env("FAKE_KEY", "key")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if std::env::var_os("PILOTFISH_TEST_PICTURES").is_some() {
            command.env("PILOTFISH_TEST_PICTURES", tests.join("../target/tests/pictures"));
        }
        let mut child = command.spawn().expect("node starts");
        let says = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let hears = child.stdin.take().expect("it is piped");
        Self { name: name.to_owned(), child, says, hears }
    }

    /// Waits until the script has come to a point.
    ///
    /// # Panics
    /// When it ends before, comes to another point, or takes too long.
    pub async fn reaches(&mut self, point: &str) {
        let wanted = format!("@step {point}");
        let line = tokio::time::timeout(PATIENCE, self.says.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("{} never came to {point}", self.name)).expect("its output is text");
        let line = line.unwrap_or_else(|| panic!("{} ended before it came to {point}", self.name));
        assert_eq!(line, wanted, "in {}", self.name);
    }

    /// Lets the script go on, with a word.
    ///
    /// # Panics
    /// When it ended.
    pub async fn goes_on(&mut self, word: &str) {
        self.hears.write_all(format!("{word}\n").as_bytes()).await.expect("it listens");
    }

    /// Waits until the script has come to its end.
    ///
    /// # Panics
    /// When it failed; what it found is on its standard error.
    pub async fn ends(mut self) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("{} does not end", self.name)).expect("a status");
        assert!(status.success(), "{} failed: its words stand above", self.name);
    }
}
