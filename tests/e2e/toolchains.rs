//! What people run all day works in the sandbox, in both modes and without a network: the tests of four languages, each with a locked
//! dependency from a package store below HOME, and a server with its client. In read-only mode nothing of it is left.

use pilotfish_tests::desk::{Desk, LIMIT};
use pilotfish_tests::skipped;
use pilotfish_tests::snapshot::{Snapshot, snapshot};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// A person's project and home, prepared by one of the scripts beside this test.
struct Bench {
    desk: Desk,
    /// Set for the script and for the program, beside HOME.
    environment: Vec<(&'static str, String)>,
}

impl Bench {
    fn new() -> Self {
        let desk = Desk::default();
        std::fs::remove_file(desk.path("project/notes.txt")).expect("an empty project");
        Self { desk, environment: Vec::new() }
    }

    async fn prepare(&self, script: &str, arguments: &[&Path]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("toolchains").join(script);
        let mut command = Command::new(script);
        command.args(arguments).current_dir(self.desk.path("project")).env("HOME", self.desk.path("user"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = tokio::time::timeout(LIMIT, command.output()).await.expect("in time").expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs a script in the sandbox, which must succeed and say `word`.
    async fn check(&self, mode: &str, script: &str, word: &str) {
        let project = self.desk.path("project").display().to_string();
        let mut command =
            self.desk.pilotfish(&["sandbox", "--mode", mode, "--workspace", &project, "--", "bash", "-c", script]);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = tokio::time::timeout(LIMIT, command.output()).await.expect("in time").expect("it starts");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && said.contains(word), "{mode}: {script}\n{said}");
    }

    /// In read-only mode it works and leaves nothing; in agent mode it works, again once more, and `left` is there afterwards.
    async fn works(&self, script: &str, word: &str, left: Option<&str>) {
        let before = self.everything();
        self.check("read-only", script, word).await;
        self.check("read-only", script, word).await;
        assert_eq!(self.everything(), before, "read-only mode leaves nothing");
        let store = snapshot(&self.desk.path("user"));
        self.check("agent", script, word).await;
        self.check("agent", script, word).await;
        assert_eq!(snapshot(&self.desk.path("user")), store, "the store is the person's");
        if let Some(left) = left {
            assert!(self.desk.path("project").join(left).exists(), "{left} is left");
        }
    }

    fn everything(&self) -> [Snapshot; 2] {
        ["project", "user"].map(|name| snapshot(&self.desk.path(name)))
    }
}

/// The PATH with folders before it.
fn search_path(first: &[&Path]) -> String {
    let first = first.iter().map(|folder| folder.display().to_string());
    let rest = std::env::var("PATH").unwrap_or_default();
    first.chain([rest]).collect::<Vec<_>>().join(":")
}

/// Whether a program is there; if not, says that the test is skipped.
async fn have(program: &str, argument: &str) -> bool {
    let found = Command::new(program).arg(argument).output().await.is_ok_and(|output| output.status.success());
    if !found {
        skipped(&format!("there is no working {program}"));
    }
    found
}

#[tokio::test]
async fn cargo_test_works() {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().await.expect("this was built by rustc");
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout).expect("text").trim());
    let Some(rustup) = sysroot.ancestors().nth(2).filter(|rustup| rustup.join("toolchains").is_dir()) else {
        skipped("the toolchain is not one of rustup's");
        return;
    };
    let store = std::env::var("CARGO_HOME").map_or_else(|_| rustup.with_file_name(".cargo"), PathBuf::from);
    let mut bench = Bench::new();
    bench.environment.push(("RUSTUP_HOME", rustup.display().to_string()));
    bench.environment.push(("PATH", search_path(&[&sysroot.join("bin")])));
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.lock");
    bench.prepare("cargo.sh", &[&store, &lock]).await;
    bench.works("cargo test --locked", "1 passed", Some("target")).await;
    bench.check("agent", "! cat ~/.cargo/credentials.toml", "No such file").await;
}

#[tokio::test]
async fn npm_test_works() {
    if !have("npm", "--version").await {
        return;
    }
    let bench = Bench::new();
    bench.prepare("npm.sh", &[]).await;
    bench.works("npm ci --offline --no-audit && npm test", "42 it is", Some("node_modules")).await;
    bench.check("agent", "! cat ~/.npmrc", "No such file").await;
}

#[tokio::test]
async fn pytest_works() {
    let Ok(wheels) = std::env::var("PILOTFISH_TEST_WHEELS") else {
        skipped("PILOTFISH_TEST_WHEELS names no folder with pytest; tests/run does");
        return;
    };
    let mut bench = Bench::new();
    bench.prepare("pytest.sh", &[Path::new(&wheels)]).await;
    let environment = bench.desk.path("user/.virtualenvs/project");
    bench.environment.push(("PATH", search_path(&[&environment.join("bin")])));
    bench.environment.push(("VIRTUAL_ENV", environment.display().to_string()));
    bench.works("pytest", "1 passed", None).await;
}

#[tokio::test]
async fn go_test_works() {
    if !have("go", "version").await {
        return;
    }
    let bench = Bench::new();
    bench.prepare("go.sh", &[]).await;
    bench.works("go test ./...", "ok", None).await;
}

#[tokio::test]
async fn a_server_and_its_client_meet_inside() {
    let script = r#"
        python3 - <<'END'
import http.server, threading, urllib.request
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
open("hello.txt", "w").write("hello from inside")
print(urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/hello.txt").read().decode())
END
    "#;
    Bench::new().works(script, "hello from inside", Some("hello.txt")).await;
}
