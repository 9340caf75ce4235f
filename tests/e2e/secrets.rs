//! What nobody but its owner may read: keys, wherever they might come to light; files, whatever rights the system would give them; the
//! daemon itself, from inside the sandbox.

use pilotfish::config::Dialect;
use pilotfish_tests::bins;
use pilotfish_tests::desk::{Desk, LIMIT};
use pilotfish_tests::fake_model::{FakeModel, answer};
use pilotfish_tests::program::configuration;
use pilotfish_tests::raw_model::{HEAD, RawModel, Then};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::sync::Notify;

const KEY: &str = "fake-key-0123456789-abcdefgh";
const PASSWORD: &str = "pass-word-1234";
const PARAMETER: &str = "parameter-5678";

/// The secrets above and the form in which the password is sent.
const SECRETS: [&str; 4] = [KEY, PASSWORD, PARAMETER, "bWU6cGFzcy13b3JkLTEyMzQ="];

/// The program, which logs all it can and lets everybody read and write what it makes unless it says otherwise.
fn pilotfish(desk: &Desk, arguments: &[&str]) -> Command {
    let mut command = desk.pilotfish_at(Path::new("sh"), &["-c", "umask 000; exec \"$0\" \"$@\""]);
    command.arg(bins::pilotfish()).args(arguments).env("PILOTFISH_LOG", "trace").env("FAKE_KEY", KEY);
    command
}

/// Every file below the home, and every folder.
fn below_home(desk: &Desk) -> Vec<PathBuf> {
    let mut found = vec![desk.path("home")];
    let mut at = 0;
    while let Some(path) = found.get(at).cloned() {
        at += 1;
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("readable").flatten();
            found.extend(entries.map(|entry| entry.path()));
        }
    }
    found
}

async fn ended(child: Child) -> Output {
    tokio::time::timeout(LIMIT, child.wait_with_output()).await.expect("in time").expect("it ends")
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

fn check_silent(what: &str, bytes: &[u8]) {
    for secret in SECRETS {
        assert!(!contains(bytes, secret), "{what}: {}", String::from_utf8_lossy(bytes));
    }
}

/// Answers in which a server repeats what it was asked with, each of them final.
fn echoes() -> Vec<Vec<u8>> {
    let answer = |status: &str, body: &str| {
        let kind = if body.starts_with("data:") { "text/event-stream" } else { "application/json" };
        format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nx-echo: Bearer {KEY}\r\nconnection: close\r\n\r\n{body}")
    };
    let all = format!("{} {HEAD}", SECRETS.join(" "));
    let error = format!(r#"{{"error":{{"message":"Incorrect API key provided: {all}","code":"invalid_api_key"}}}}"#);
    let place = format!("http://{KEY}:{PASSWORD}@example.invalid/{KEY}?key={PARAMETER}");
    let answers = [
        answer("401 Unauthorized", &error),
        answer("400 Bad Request", &format!("{all} is not right")),
        answer("404 Not Found", &format!("<html><title>{all}</title></html>")),
        answer("200 OK", &format!("data: {error}\n\n")),
        answer("200 OK", &format!(r#"data: {{"type":"error","code":"invalid","message":"{all}"}}{}"#, "\n\n")),
        answer(
            "200 OK",
            &format!(
                r#"data: {{"type":"response.failed","response":{{"error":{{"code":"invalid","message":"{all}"}}}}}}{}"#,
                "\n\n"
            ),
        ),
        format!("HTTP/1.1 307 Temporary\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n"),
    ];
    answers.into_iter().map(String::into_bytes).collect()
}

/// A key is in no log, no journal, no output and no command line, at whatever level the program logs and in whatever way a server repeats
/// it. No core file could hold it either.
#[tokio::test]
async fn a_key_comes_to_light_nowhere() {
    let desk = Desk::default();
    let answers = echoes();
    let count = answers.len();
    let model = RawModel::start(answers.into_iter().map(|bytes| (bytes, Then::Close)).collect()).await;
    let base_url = format!("http://me:{PASSWORD}@{}/v1?api-key={PARAMETER}", model.authority());
    let configuration = configuration(Dialect::Responses, &base_url);
    desk.write("home/config.toml", &format!("{configuration}api_key_env = \"FAKE_KEY\"\n"));
    for number in 0..count {
        let output = ended(pilotfish(&desk, &["exec", "--json", "go"]).spawn().expect("it starts")).await;
        check_silent("its output", &output.stdout);
        check_silent("its errors", &output.stderr);
        assert_eq!(output.status.code(), Some(1), "{number}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(contains(&output.stdout, "\"error\""), "{number}: {}", String::from_utf8_lossy(&output.stdout));
    }
    // The stored key, and a run that is looked at while it waits.
    desk.write("home/config.toml", &configuration);
    std::fs::write(desk.path("home/keys.toml"), format!("fake = \"{KEY}\"\n")).expect("a file");
    let child = pilotfish(&desk, &["exec", "go"]).spawn().expect("it starts");
    let heads = tokio::time::timeout(LIMIT, model.asked(count + 1)).await.expect("it asks");
    assert!(heads.iter().all(|head| head.contains(&format!("Bearer {KEY}"))), "the key was sent: {heads:?}");
    let daemon = u32::try_from(desk.daemon().await).expect("a number");
    for pid in [daemon, child.id().expect("it runs")] {
        let proc = Path::new("/proc").join(pid.to_string());
        check_silent("a command line", &std::fs::read(proc.join("cmdline")).expect("it runs"));
        let limits = std::fs::read_to_string(proc.join("limits")).expect("it runs");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    }
    drop(child);

    let log = std::fs::read_to_string(desk.path("home/state/log/pilotfish.log")).expect("a log");
    assert!(log.contains("TRACE") && log.contains("DEBUG"), "it logs all it can");
    let mut looked_at = 0;
    for path in below_home(&desk).iter().filter(|path| path.is_file()) {
        // Where the person wrote them.
        if !path.ends_with("config.toml") && !path.ends_with("keys.toml") {
            check_silent(&path.display().to_string(), &std::fs::read(path).expect("readable"));
            looked_at += 1;
        }
    }
    assert!(looked_at >= 2, "the log and the journal");
}

fn check_private(desk: &Desk) -> Vec<String> {
    let below = below_home(desk);
    // What a command wrote has the modes it gave, in a folder that nobody else can enter.
    let is_commands = |path: &std::path::Path| path.iter().any(|name| name.to_string_lossy().starts_with("upper"));
    for path in below.iter().filter(|path| !path.ends_with("config.toml") && !is_commands(path)) {
        let mode = path.metadata().expect("there").permissions().mode() & 0o777;
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(format!("{mode:o}"), format!("{expected:o}"), "{}", path.display());
    }
    below.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
}

/// Every file the program makes is its owner's alone, and every folder, while it runs and afterwards, although the system was told to let
/// everybody in; so is what somebody loosened in between.
#[tokio::test]
async fn files_are_their_owners_alone() {
    let desk = Desk::default();
    std::fs::remove_dir(desk.path("home")).expect("the program makes its own");
    let mut login = pilotfish(&desk, &["login", "fake"]).stdin(Stdio::piped()).spawn().expect("it starts");
    login.stdin.take().expect("a pipe").write_all(format!("{KEY}\n").as_bytes()).await.expect("it reads");
    assert_eq!(ended(login).await.status.code(), Some(0));
    let model = FakeModel::start(Dialect::Chat).await;
    desk.write("home/config.toml", &configuration(Dialect::Chat, model.base_url()));
    for _ in 0..2 {
        let gate = Arc::<Notify>::default();
        model.answers(answer().calls("shell", json!({"command": "seq 1 20000"})));
        model.answers(answer().says("Now ").waits_for(&gate).says("look."));
        let asked = model.requests().len();
        // Another session, which begins alike.
        model.allow_new_beginning();
        let child = pilotfish(&desk, &["exec", "go"]).spawn().expect("it starts");
        tokio::time::timeout(LIMIT, model.asked(asked + 2)).await.expect("it asks");
        let names = check_private(&desk);
        for name in ["keys.toml", "pilotfish.log", "journal.sqlite3", "journal.sqlite3-wal", "journal.sqlite3-shm"] {
            assert!(names.iter().any(|found| found == name), "{name} is looked at: {names:?}");
        }
        gate.notify_one();
        let output = ended(child).await;
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        check_private(&desk);
        desk.run(&["stop"]).await;
        desk.daemon_ended().await;
        check_private(&desk);
        for path in below_home(&desk) {
            let mode = if path.is_dir() { 0o777 } else { 0o666 };
            // The person's own folder and what they keep in it are theirs to open; a lock holds nothing.
            if path.starts_with(desk.path("home/state")) && !path.ends_with("daemon.lock") {
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
            }
        }
    }
}

/// A command in the sandbox sees no process but its own, and so nothing of the daemon's environment, memory or files; the daemon's own
/// folder is not there for it.
#[tokio::test]
async fn a_sandboxed_command_cannot_look_at_the_daemon() {
    for mode in ["agent", "read-only"] {
        let desk = Desk::default();
        let model = FakeModel::start(Dialect::Chat).await;
        desk.write(
            "home/config.toml",
            &format!("{}api_key_env = \"FAKE_KEY\"\n", configuration(Dialect::Chat, model.base_url())),
        );
        std::fs::write(desk.path("home/keys.toml"), format!("other = \"{KEY}\"\n")).expect("a file");
        assert_eq!(ended(pilotfish(&desk, &["serve"]).spawn().expect("it starts")).await.status.code(), Some(0));
        let pid = desk.daemon().await;
        let environment = std::fs::read(format!("/proc/{pid}/environ")).expect("its own person may look");
        assert!(contains(&environment, "PILOTFISH_HOME"), "there is something to be seen");
        let home = desk.path("home").display().to_string();
        let command = format!(
            r#"for process in {pid} {parent} $PPID 1 /proc/[0-9]*; do
                 process=/proc/${{process#/proc/}}
                 cat $process/environ $process/maps
                 for name in fd root cwd task map_files; do ls -lR $process/$name/ | head -n 200; done
                 dd if=$process/mem bs=4096 count=1 skip=1
                 cat $process/root{home}/keys.toml $process/cwd/../home/keys.toml
               done >/tmp/seen 2>/dev/null
               for place in {home} {home}/state {home}/keys.toml {home}/config.toml; do
                 cat $place $place/log/pilotfish.log $place/journal.sqlite3 2>/dev/null && echo "read $place"
                 ls $place 2>/dev/null && echo "listed $place"
               done
               kill -0 {pid} 2>/dev/null && echo "can signal it"
               ls -d /proc/{pid} 2>/dev/null
               cat /tmp/seen | tr '\0' '\n' | grep -a -e fake-key -e PILOTFISH -e pilotfish.log -e keys.toml
               echo end"#,
            parent = std::process::id(),
        );
        model.answers(answer().calls("shell", json!({"command": command}))).answers(answer().says("Looked."));
        let run = pilotfish(&desk, &["exec", "--mode", mode, "look"]).spawn();
        let output = ended(run.expect("it starts")).await;
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let asked = model.requests().pop().expect("the model is told").body;
        let last = asked["messages"].as_array().and_then(|messages| messages.last());
        let told = last.and_then(|message| message["content"].as_str()).expect("what came of the command");
        assert_eq!(told, "end\n", "{mode}: there is nothing to see");
        check_silent("what the model is told", told.as_bytes());
    }
}
