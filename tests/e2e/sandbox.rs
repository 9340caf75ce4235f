//! Commands run confined, end with everything they started, and leave a faithful status. Drives the built helper program.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pilotfish::path::AbsPath;
use pilotfish::sandbox::{Confinement, Exit, Finished, Sandbox, SandboxError, Spec, Stopped};
use pilotfish_protocol::Mode;
use tokio_util::sync::CancellationToken;

/// The helper program, built beside this test.
fn helper() -> PathBuf {
    let test = std::env::current_exe().expect("a path of this test");
    let folder = test.parent().and_then(Path::parent).expect("target/PROFILE/deps");
    folder.join("pilotfish-sandbox")
}

struct Cage {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    env: Vec<(String, String)>,
    time_limit: Option<Duration>,
}

impl Cage {
    fn new() -> Self {
        let sandbox = Sandbox::open(&helper()).expect("the helper is built");
        assert_eq!(sandbox.check(), Confinement::Confined);
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["work", "home"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder in it");
        }
        let home = folder.path().join("home").display().to_string();
        let env = vec![("HOME".to_owned(), home), ("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        Self { sandbox, folder, env, time_limit: None }
    }

    fn workspace(&self) -> PathBuf {
        self.folder.path().join("work").canonicalize().expect("the workspace")
    }

    fn spec(&self, mode: Mode, argv: &[&str]) -> Spec {
        let workspace = AbsPath::new(self.workspace()).expect("absolute");
        Spec {
            mode,
            cwd: workspace.clone(),
            workspace,
            argv: argv.iter().map(|argument| (*argument).to_owned()).collect(),
            env: self.env.clone(),
            time_limit: self.time_limit,
        }
    }

    /// Runs a script, and cancels it as soon as it has said `cancel_at`.
    async fn run(&self, mode: Mode, script: &str, cancel_at: Option<&str>) -> (Finished, String) {
        let cancel = CancellationToken::new();
        let mut output = Vec::new();
        let mut on_output = |chunk: &[u8]| {
            output.extend_from_slice(chunk);
            if cancel_at.is_some_and(|word| String::from_utf8_lossy(&output).contains(word)) {
                cancel.cancel();
            }
        };
        let spec = self.spec(mode, &["bash", "-c", script]);
        let finished = self.sandbox.run(&spec, &cancel, &mut on_output).await.expect("it runs");
        (finished, String::from_utf8_lossy(&output).into_owned())
    }

    async fn check(&self, mode: Mode, script: &str, status: Exit, output: &str) {
        let (finished, said) = self.run(mode, script, None).await;
        assert_eq!((finished.status, finished.stopped, said.as_str()), (status, None, output), "{script}");
    }
}

/// How many processes of this machine have `mark` in their command line.
fn marked(mark: &str) -> usize {
    let processes = std::fs::read_dir("/proc").expect("a process table").flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(mark)).count()
}

#[tokio::test]
async fn output_keeps_its_order_and_the_status_its_meaning() {
    let cage = Cage::new();
    cage.check(Mode::Agent, "echo a; echo b >&2; echo c; exit 37", Exit::Code(37), "a\nb\nc\n").await;
    cage.check(Mode::ReadOnly, "cat; kill -SEGV $$", Exit::Signal(11), "").await;
    cage.check(Mode::ReadOnly, "exit 1", Exit::Code(1), "").await;
    let spec = cage.spec(Mode::Agent, &["no-such-program"]);
    let mut said = Vec::new();
    let run = cage.sandbox.run(&spec, &CancellationToken::new(), &mut |chunk| said.extend_from_slice(chunk)).await;
    assert_eq!(run.expect("it runs").status, Exit::Code(127));
    assert_eq!(String::from_utf8_lossy(&said), "pilotfish-sandbox: no-such-program: program not found\n");
}

#[tokio::test]
async fn agent_mode_writes_in_the_workspace_and_nowhere_else() {
    let cage = Cage::new();
    let outside = cage.folder.path().join("outside");
    let script = format!(
        "echo x > in; echo y > ~/own; echo z > /tmp/own; echo w > {}; exec 2>&1; echo v > /own",
        outside.display()
    );
    cage.check(Mode::Agent, &script, Exit::Code(1), "bash: line 1: /own: Permission denied\n").await;
    assert_eq!(std::fs::read_to_string(cage.workspace().join("in")).expect("written"), "x\n");
    assert!(!outside.exists() && !cage.folder.path().join("home/own").exists());
}

#[tokio::test]
async fn read_only_mode_writes_nothing() {
    let cage = Cage::new();
    std::fs::write(cage.workspace().join("a"), "before").expect("written");
    let script = "cat a; (echo x > a; echo x > b; rm a; mkdir c) 2>/dev/null; echo; ls -A";
    cage.check(Mode::ReadOnly, script, Exit::Code(0), "before\na\n").await;
    assert_eq!(std::fs::read_to_string(cage.workspace().join("a")).expect("still there"), "before");
}

#[tokio::test]
async fn what_runs_later_without_being_asked_is_not_changed() {
    let cage = Cage::new();
    for folder in [".git/hooks", ".git/objects", ".vscode"] {
        std::fs::create_dir_all(cage.workspace().join(folder)).expect("a folder");
    }
    std::fs::write(cage.workspace().join(".git/config"), "[core]\n").expect("written");
    let script = "exec 2>/dev/null; echo x >> .git/config; echo x > .git/hooks/post-checkout; mv .git .old; \
                  echo x > .vscode/tasks.json; rm -rf .vscode; echo x > .git/objects/ab && ls -A . .git .vscode";
    let expected = ".:\n.git\n.vscode\n\n.git:\nconfig\nhooks\nobjects\n\n.vscode:\n";
    cage.check(Mode::Agent, script, Exit::Code(0), expected).await;
    assert_eq!(std::fs::read_to_string(cage.workspace().join(".git/config")).expect("there"), "[core]\n");
}

#[tokio::test]
async fn loopback_works_inside_and_leads_nowhere() {
    let cage = Cage::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let script = format!("(echo x > /dev/tcp/127.0.0.1/{port}) 2>&1 | grep -q refused && echo refused");
    cage.check(Mode::Agent, &script, Exit::Code(0), "refused\n").await;
}

#[tokio::test]
async fn a_detached_child_ends_with_the_command() {
    let cage = Cage::new();
    let mark = format!("survivor-{}", std::process::id());
    let script = format!("setsid bash -c 'trap \"\" TERM HUP; while :; do sleep 1; done; : {mark}' & echo done");
    cage.check(Mode::Agent, &script, Exit::Code(0), "done\n").await;
    assert_eq!(marked(&mark), 0);
}

#[tokio::test]
async fn cancel_ends_everything_before_it_returns() {
    let cage = Cage::new();
    let mark = format!("cancelled-{}", std::process::id());
    let script = format!("trap '' TERM; setsid bash -c 'echo up; while :; do sleep 1; done; : {mark}'");
    let (finished, said) = cage.run(Mode::Agent, &script, Some("up")).await;
    assert_eq!((finished.stopped, finished.status), (Some(Stopped::Cancelled), Exit::Signal(9)));
    assert_eq!((said.as_str(), marked(&mark)), ("up\n", 0));
}

#[tokio::test]
async fn the_time_limit_ends_a_command_and_keeps_what_it_said() {
    let mut cage = Cage::new();
    cage.time_limit = Some(Duration::from_millis(300));
    let (finished, said) = cage.run(Mode::ReadOnly, "echo begun; while :; do :; done", None).await;
    assert_eq!((finished.stopped, said.as_str()), (Some(Stopped::TimeLimit), "begun\n"));
}

#[tokio::test]
async fn much_output_passes_through_whole() {
    let cage = Cage::new();
    let spec = cage.spec(Mode::ReadOnly, &["head", "-c", "50000000", "/dev/zero"]);
    let (mut total, mut largest) = (0, 0);
    let mut on_output = |chunk: &[u8]| {
        total += chunk.len();
        largest = largest.max(chunk.len());
    };
    cage.sandbox.run(&spec, &CancellationToken::new(), &mut on_output).await.expect("it runs");
    assert_eq!(total, 50_000_000);
    assert!(largest <= 64 << 10, "{largest}");
}

#[tokio::test]
async fn the_inside_has_no_power_and_no_secret() {
    let cage = Cage::new();
    std::fs::write(cage.folder.path().join("home/.netrc"), "secret").expect("written");
    let script = "grep -E '^(NoNewPrivs|CapEff|CapPrm)' /proc/self/status | tr -d '\\t\\n'; ls -A ~; ls -d /run /root/.ssh 2>&- ; \
                  (echo x > /proc/sys/kernel/core_pattern) 2>/dev/null || echo kept; ls /proc/self/fd | wc -w";
    let expected = "CapPrm:0000000000000000CapEff:0000000000000000NoNewPrivs:1kept\n4\n";
    cage.check(Mode::Agent, script, Exit::Code(0), expected).await;
}

#[tokio::test]
async fn a_helper_that_is_replaced_later_changes_nothing() {
    let mut cage = Cage::new();
    let copy = cage.folder.path().join("helper");
    std::fs::copy(helper(), &copy).expect("copied");
    cage.sandbox = Sandbox::open(&copy).expect("opened");
    std::fs::remove_file(&copy).expect("removed");
    std::fs::write(&copy, "#!/bin/sh\necho replaced\n").expect("replaced");
    cage.check(Mode::Agent, "echo original", Exit::Code(0), "original\n").await;
}

#[tokio::test]
async fn what_cannot_be_confined_is_not_run() {
    let cage = Cage::new();
    let mut spec = cage.spec(Mode::Agent, &["true"]);
    let missing = AbsPath::new(cage.folder.path().join("missing")).expect("absolute");
    (spec.workspace, spec.cwd) = (missing.clone(), missing);
    let run = cage.sandbox.run(&spec, &CancellationToken::new(), &mut |_| {}).await;
    assert!(matches!(run, Err(SandboxError::Refused { .. })), "{run:?}");
}
