//! `pilotfish sandbox`: the same cage from a command line, with the caller's streams, and an end whatever happens to the caller.

use super::cage::marked;
use pilotfish_tests::bins;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["work", "home"] {
            fs::create_dir(folder.path().join(name)).expect("a folder in it");
        }
        fs::write(folder.path().join("work/a"), "hello\n").expect("written");
        Self { folder }
    }

    fn workspace(&self) -> PathBuf {
        self.folder.path().join("work").canonicalize().expect("the workspace")
    }

    fn command(&self, mode: &str, script: &str) -> Command {
        let mut command = Command::new(bins::pilotfish());
        command.args(["sandbox", "--mode", mode, "--workspace"]).arg(self.workspace());
        command.args(["--", "bash", "-c", script]).current_dir(self.workspace());
        command.env_clear().env("HOME", self.folder.path().join("home")).env("PATH", "/usr/bin:/bin");
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, mode: &str, script: &str) -> Output {
        self.command(mode, script).output().expect("the program is built")
    }

    /// Waits until a file shows, which takes a second or two.
    fn wait_for(&self, name: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.workspace().join(name).exists() {
            assert!(Instant::now() < deadline, "{name} does not show");
            std::thread::yield_now();
        }
    }

    /// Starts a script that never ends, and waits until it is up.
    fn start(&self, mark: &str) -> Child {
        let script = format!(
            "trap '' TERM HUP; setsid bash -c 'trap \"\" TERM HUP; echo up; while :; do sleep 1; done; : {mark}' & while :; do sleep 1; done"
        );
        let mut child = self.command("agent", &script).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        assert_eq!(line, "up\n");
        child
    }
}

fn check_gone(mark: &str) {
    let deadline = Instant::now() + Duration::from_secs(2);
    while marked(mark) > 0 {
        assert!(Instant::now() < deadline, "{} processes live", marked(mark));
        std::thread::yield_now();
    }
}

#[test]
fn streams_and_status_pass_untouched() {
    let place = Place::new();
    let output = place.run("agent", "cat; echo out; echo err >&2; exit 37");
    assert_eq!(
        (output.status.code(), output.stdout.as_slice(), output.stderr.as_slice()),
        (Some(37), &b"out\n"[..], &b"err\n"[..])
    );
    let mut child =
        place.command("read-only", "cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(b"through").expect("written");
    assert_eq!(child.wait_with_output().expect("it ends").stdout, b"through");
    let output = place.run("read-only", "kill -SEGV $$");
    assert_eq!(output.status.code(), Some(139));
}

#[test]
fn read_only_leaves_nothing_anywhere() {
    let place = Place::new();
    let output = place.run("read-only", "echo x > a; echo x > b; mkdir c; cat a; ls");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "x\na\nb\nc\n");
    assert_eq!(fs::read_to_string(place.workspace().join("a")).expect("there"), "hello\n");
    assert!(!place.workspace().join("b").exists());
    let runs = place.folder.path().join("home/.local/state/pilotfish/scratch/runs");
    assert_eq!(fs::read_dir(runs).expect("there").count(), 0);
}

#[test]
fn whatever_ends_the_runner_ends_everything_below() {
    for signal in [libc::SIGKILL, libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        let place = Place::new();
        let mark = format!("runner-{signal}-{}", std::process::id());
        let mut child = place.start(&mark);
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
        assert!(sent.expect("kill").success());
        child.wait().expect("it ends");
        check_gone(&mark);
        // What the killed one left is removed by the next.
        assert!(place.run("read-only", "true").status.success());
        let runs = place.folder.path().join("home/.local/state/pilotfish/scratch/runs");
        assert_eq!(fs::read_dir(runs).expect("there").count(), 0);
    }
}

#[test]
fn what_a_command_finished_shows_while_it_runs() {
    let place = Place::new();
    fs::create_dir_all(place.workspace().join("d")).expect("a folder");
    fs::create_dir_all(place.workspace().join("e")).expect("a folder");
    let script = "for name in stays changes d/goes d/moves e/goes; do echo 1 > $name; done; read line
        echo 2 > changes; rm d/goes; mv d/moves d/moved; rm -r e; ls d e stays changes 2>/dev/null";
    let mut command = place.command("agent", script);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    for name in ["stays", "changes", "d/goes", "d/moves", "e/goes"] {
        place.wait_for(name);
    }
    child.stdin.take().expect("a pipe").write_all(b"go on\n").expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "changes\nstays\n\nd:\nmoved\n");
    let names = ["stays", "changes", "d/moved", "d/goes", "d/moves", "e"];
    let texts = names.map(|name| fs::read_to_string(place.workspace().join(name)).ok());
    let texts = texts.each_ref().map(Option::as_deref);
    assert_eq!(texts, [Some("1\n"), Some("2\n"), Some("1\n"), None, None, None]);
    assert!(!place.workspace().join("e").exists());
}

#[test]
fn what_showed_of_a_killed_runner_is_removed_by_the_next() {
    let place = Place::new();
    let mark = format!("early-{}", std::process::id());
    let script = format!("echo 1 > made; echo 1 > theirs; setsid bash -c 'read; : {mark}'; : {mark}");
    let mut command = place.command("agent", &script);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    place.wait_for("made");
    place.wait_for("theirs");
    fs::write(place.workspace().join("theirs"), "changed by hand\n").expect("written");
    child.kill().expect("killed");
    child.wait().expect("it ends");
    check_gone(&mark);
    assert!(place.run("read-only", "true").status.success());
    assert!(!place.workspace().join("made").exists());
    assert_eq!(fs::read_to_string(place.workspace().join("theirs")).expect("there"), "changed by hand\n");
    assert_eq!(fs::read_to_string(place.workspace().join("a")).expect("there"), "hello\n");
}

#[test]
fn the_environment_and_the_descriptors_of_the_caller_stay_outside() {
    let place = Place::new();
    let canary = place.folder.path().join("canary");
    let file = fs::File::create(&canary).expect("a file");
    let number = file.as_raw_fd();
    let mut command = place.command(
        "agent",
        "env; cat /proc/[0-9]*/environ | tr '\\0' '\\n'; for n in 3 4 5 6 7 8 9; do echo leak >&$n; done 2>/dev/null; echo started",
    );
    for name in [
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "PILOTFISH_TOKEN",
        "SSH_AUTH_SOCK",
    ] {
        command.env(name, "leak");
    }
    let output = keeping(&mut command, number).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.ends_with("started\n") && !said.contains("leak"), "{said}");
    assert_eq!(fs::read_to_string(canary).expect("there"), "");
}

/// Leaves a descriptor open in the program that is started.
#[expect(unsafe_code, reason = "the flag must be cleared between fork and exec")]
fn keeping(command: &mut Command, number: i32) -> &mut Command {
    // SAFETY: the closure makes one system call that is safe there.
    unsafe {
        command.pre_exec(move || {
            if libc::fcntl(number, libc::F_SETFD, 0) == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
        })
    }
}
