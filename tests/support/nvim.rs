//! A real Neovim with the plugin, and us as its screen and keyboard: what it draws is seen cell by cell, with the groups that colour it.
//! Owns how it is started, typed into and waited for; it knows nothing of the plugin but where it lies.

mod picture;
mod rpc;
mod screen;

pub use screen::{Cell, Screen};

use crate::bins;
use crate::desk::Desk;
use rmpv::Value;
use rpc::Rpc;
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Child;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked whether something is so.
const PACE: Duration = Duration::from_millis(10);

/// A Neovim to test with.
#[derive(Debug, Clone)]
pub struct Version {
    /// `oldest` or `newest` of those we support.
    pub name: &'static str,
    /// The program.
    pub program: PathBuf,
}

/// The Neovims that are there, the oldest first; a test has to hold in each. Says what is skipped when one is missing.
#[must_use]
pub fn versions() -> Vec<Version> {
    let places = [("oldest", "PILOTFISH_TEST_NVIM"), ("newest", "PILOTFISH_TEST_NVIM_NEWEST")];
    let mut found = Vec::new();
    for (name, variable) in places {
        match std::env::var_os(variable) {
            Some(program) => found.push(Version { name, program: program.into() }),
            None => {
                crate::skipped(&format!("{variable} is not set; `tests/run neovim` fetches the editor and sets it"))
            }
        }
    }
    found
}

/// The folder of the plugin.
#[must_use]
pub fn plugin() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../editors/neovim").canonicalize().expect("it is there")
}

/// A running Neovim. It ends with it, and not the daemon: that is the desk's.
pub struct Nvim {
    rpc: Rpc,
    process: Child,
    version: Version,
}

impl Nvim {
    /// Starts one in the desk's project, with the plugin installed and not enabled. `columns` and `rows` are those of its screen.
    pub async fn start(desk: &Desk, version: &Version, columns: u64, rows: u64) -> Self {
        Self::start_with(desk, version, columns, rows, &[]).await
    }

    /// Likewise, with more arguments for the program.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with(desk: &Desk, version: &Version, columns: u64, rows: u64, arguments: &[&str]) -> Self {
        let mut command = desk.pilotfish_at(&version.program, &["--embed", "--clean", "-n", "-i", "NONE"]);
        let path = format!("set runtimepath^={}", plugin().display());
        command
            .args(["--cmd", &path])
            // Where the editor's own parsers lie, when it lies elsewhere than it was built for.
            .args(["--cmd", "set runtimepath+=$VIMRUNTIME/../../../lib/nvim"])
            .args(arguments)
            .env("PATH", path_with_program())
            .env("TMPDIR", desk.path("user"))
            .stdin(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut process = command.spawn().expect("Neovim starts");
        let rpc = Rpc::over(process.stdin.take().expect("a pipe"), process.stdout.take().expect("a pipe"));
        let options = Value::Map(vec![
            ("rgb".into(), true.into()),
            ("ext_linegrid".into(), true.into()),
            // With the names of the groups, which say more than colours.
            ("ext_hlstate".into(), true.into()),
        ]);
        let nvim = Self { rpc, process, version: version.clone() };
        nvim.call("nvim_ui_attach", vec![columns.into(), rows.into(), options]).await;
        nvim
    }

    /// Enables the plugin as its users do: it starts when a file is opened, and at once for the one that is.
    pub async fn enable(&self) {
        let enable =
            if self.version.name == "oldest" { "require('pilotfish').enable()" } else { "vim.lsp.enable('pilotfish')" };
        self.run(enable).await;
    }

    /// Which one it is.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Types. Keys are written as in a mapping: `ifoo<Esc>`.
    pub async fn input(&self, keys: &str) {
        self.call("nvim_input", vec![keys.into()]).await;
    }

    /// What Lua code gives that `return`s something.
    ///
    /// # Panics
    /// When the code fails, or gives something else.
    pub async fn lua<T: DeserializeOwned>(&self, code: &str) -> T {
        let value = self.call("nvim_exec_lua", vec![code.into(), Value::Array(Vec::new())]).await;
        let seen = value.to_string();
        rmpv::ext::from_value(value).unwrap_or_else(|error| panic!("{code} gave {seen}: {error}"))
    }

    /// Runs Lua code that gives nothing.
    pub async fn run(&self, code: &str) {
        self.call("nvim_exec_lua", vec![code.into(), Value::Array(Vec::new())]).await;
    }

    /// Runs an Ex command, as if it had been typed.
    pub async fn command(&self, command: &str) {
        self.call("nvim_command", vec![command.into()]).await;
    }

    /// Waits until a Lua expression is true.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn until(&self, expression: &str) {
        let code = format!("return ({expression}) and true or false");
        let mut pace = tokio::time::interval(PACE);
        let so = async {
            while !self.lua::<bool>(&code).await {
                pace.tick().await;
            }
        };
        if tokio::time::timeout(PATIENCE, so).await.is_err() {
            panic!("waited in vain in the {} Neovim for: {expression}\n{}", self.version.name, self.seen());
        }
    }

    /// Waits until the screen shows a text within one row.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn see(&self, text: &str) {
        self.see_that(&format!("`{text}` is seen"), |screen| screen.shows(text)).await;
    }

    /// Waits until the screen does not show a text any more.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn see_no(&self, text: &str) {
        self.see_that(&format!("`{text}` is gone"), |screen| !screen.shows(text)).await;
    }

    async fn see_that(&self, what: &str, is_so: impl Fn(&Screen) -> bool) {
        let mut pace = tokio::time::interval(PACE);
        let so = async {
            while !is_so(&self.screen().await) {
                pace.tick().await;
            }
        };
        if tokio::time::timeout(PATIENCE, so).await.is_err() {
            panic!("waited in vain in the {} Neovim until {what}\n{}", self.version.name, self.seen());
        }
    }

    /// The screen, after all that was typed and asked before.
    pub async fn screen(&self) -> Screen {
        // Not while it waits for a key of a prompt: then what is drawn is all there is.
        if !self.mode().await.1 {
            self.command("redraw").await;
        }
        self.seen()
    }

    fn seen(&self) -> Screen {
        self.rpc.screen()
    }

    /// The mode as in `mode()`, and whether it waits for a key in the middle of something, as a prompt does.
    ///
    /// # Panics
    /// When it answers something else.
    pub async fn mode(&self) -> (String, bool) {
        #[derive(serde::Deserialize)]
        struct Mode {
            mode: String,
            blocking: bool,
        }
        let value = self.call("nvim_get_mode", Vec::new()).await;
        let Mode { mode, blocking } = rmpv::ext::from_value(value).expect("a mode");
        (mode, blocking)
    }

    /// Draws the screen as a picture, `NAME.png` in `target/tests/pictures`, when `PILOTFISH_TEST_PICTURES` is set.
    pub async fn picture(&self, name: &str) {
        let screen = self.screen().await;
        picture::draw(&screen, &format!("neovim-{name}-{}", self.version.name)).await;
    }

    /// Ends it as `:qall!` does, and waits for it.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn quit(mut self) {
        self.rpc.notify("nvim_command", vec!["qall!".into()]);
        tokio::time::timeout(PATIENCE, self.process.wait()).await.expect("in time").expect("it ends");
    }

    /// Ends it as a crash does.
    ///
    /// # Panics
    /// When it cannot be.
    pub async fn kill(mut self) {
        self.process.kill().await.expect("it runs");
    }

    async fn call(&self, method: &str, arguments: Vec<Value>) -> Value {
        let shown = format!("{method} {arguments:?}");
        match tokio::time::timeout(PATIENCE, self.rpc.call(method, arguments)).await {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => panic!("{shown} failed in the {} Neovim: {error}\n{}", self.version.name, self.seen()),
            Err(_) => panic!("{shown}: no answer of the {} Neovim\n{}", self.version.name, self.seen()),
        }
    }
}

/// Where programs are found, ours first.
fn path_with_program() -> OsString {
    let own = bins::pilotfish().parent().map(Path::to_owned).into_iter();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(own.chain(std::env::split_paths(&path))).expect("folders without colons")
}
