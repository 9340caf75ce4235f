//! A turn without an editor: the program, as a person or a script starts it.

use expect_test::{Expect, expect};
use pilotfish_protocol::{SessionUpdate, StopReason, Update};
use pilotfish_tests::desk::{Desk, LIMIT, signal};
use pilotfish_tests::fake_model::{FakeModel, Step, answer};
use serde_json::json;
use std::process::{Output, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// A desk whose model has these answers.
async fn desk_with(steps: Vec<Step>) -> (Desk, FakeModel) {
    let (desk, model) = Desk::with_model("").await;
    for step in steps {
        model.answers(step);
    }
    (desk, model)
}

fn notes(desk: &Desk) -> String {
    std::fs::read_to_string(desk.path("project/notes.txt")).expect("the notes")
}

/// Status, stdout and stderr, without what differs from run to run.
fn told(desk: &Desk, output: &Output) -> String {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        let text = text.replace(&desk.folder.path().display().to_string(), "<desk>");
        let lines = text.lines().map(|line| match line.rsplit_once(" · ") {
            Some((before, after)) if after.ends_with('s') => format!("{before} · <time>\n"),
            _ => format!("{line}\n"),
        });
        lines.collect::<String>()
    };
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    format!("status {}\n{out}--- stderr\n{err}", output.status.code().map_or(-1, |code| code))
}

fn check(desk: &Desk, output: &Output, expected: Expect) {
    expected.assert_eq(&told(desk, output));
}

fn updates(output: &Output) -> Vec<SessionUpdate> {
    let text = std::str::from_utf8(&output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("an update a line")).collect()
}

#[tokio::test]
async fn a_prompt_is_answered() {
    let (desk, model) = desk_with(vec![answer().says("Forty-two.")]).await;
    let output = desk.run(&["exec", "what is it?"]).await;
    check(
        &desk,
        &output,
        expect![[r#"
        status 0
        Forty-two.

        finished · 100 tokens in, 10 out · <time>
        --- stderr
    "#]],
    );
    let asked = model.requests();
    assert!(asked[0].body["input"].to_string().contains("what is it?"));
}

#[tokio::test]
async fn a_prompt_comes_from_stdin() {
    let (desk, model) = desk_with(vec![answer().says("Read.")]).await;
    let mut child = desk.pilotfish(&["exec", "-"]).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"from a pipe\n").await.expect("it reads");
    drop(stdin);
    let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await.expect("in time").expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(model.requests()[0].body["input"].to_string().contains("from a pipe"));
}

#[tokio::test]
async fn json_is_every_update_and_nothing_else() {
    let steps =
        vec![answer().says("I look.").calls("read", json!({ "path": "notes.txt" })), answer().deltas(300, "word ")];
    let (desk, _model) = desk_with(steps).await;
    let output = desk.run(&["exec", "--json", "look"]).await;
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    let updates = updates(&output);
    let seqs: Vec<u64> = updates.iter().filter_map(|update| update.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let last = updates.last().map(|update| &update.update);
    assert!(matches!(last, Some(Update::TurnEnded { stop: StopReason::Done, .. })), "{last:?}");
}

#[tokio::test]
async fn agent_mode_changes_the_file() {
    let edit = json!({ "path": "notes.txt", "old_string": "two\n", "new_string": "2\n" });
    let steps = vec![answer().calls("edit", edit), answer().says("Changed.")];
    let (desk, _model) = desk_with(steps).await;
    let output = desk.run(&["exec", "--mode", "agent", "change it"]).await;
    check(
        &desk,
        &output,
        expect![[r#"
        status 0
          changed notes.txt  +1 −1

        Changed.

        --- a/notes.txt
        +++ b/notes.txt
        @@ -1,3 +1,3 @@
         one
        -two
        +2
         three

        finished · 200 tokens in, 20 out · <time>
        --- stderr
    "#]],
    );
    assert_eq!(notes(&desk), "one\n2\nthree\n");
}

#[tokio::test]
async fn read_only_mode_proposes_and_changes_nothing() {
    let edit = json!({ "path": "notes.txt", "old_string": "two\n", "new_string": "2\n" });
    let steps = vec![answer().calls("edit", edit), answer().says("Proposed.")];
    let (desk, _model) = desk_with(steps).await;
    let output = desk.run(&["exec", "change it"]).await;
    check(
        &desk,
        &output,
        expect![[r#"
        status 0
          proposes notes.txt  +1 −1

        Proposed.

        Proposed, not written: this run was read-only. To have it written: --mode agent
        --- a/notes.txt
        +++ b/notes.txt
        @@ -1,3 +1,3 @@
         one
        -two
        +2
         three

        finished · 200 tokens in, 20 out · <time>
        --- stderr
    "#]],
    );
    assert_eq!(notes(&desk), "one\ntwo\nthree\n");
}

#[tokio::test]
async fn without_any_model_it_says_what_to_write_where() {
    for port in [1234, 8000, 8080, 11434] {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return pilotfish_tests::skipped("something on this machine listens where model servers usually do");
        }
    }
    let desk = Desk::default();
    let output = desk.run(&["exec", "hello"]).await;
    check(
        &desk,
        &output,
        expect![[r#"
        status 1
        failed · <time>
        --- stderr
        pilotfish: no model is configured. Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or start a model server such as Ollama, or write to <desk>/home/config.toml:

        model = "local/MODEL"

        [providers.local]
        dialect = "chat"              # or "responses", "messages"
        base_url = "http://127.0.0.1:11434/v1"
        # api_key_env = "LOCAL_KEY"   # when it needs a key
    "#]],
    );
}

#[tokio::test]
async fn a_broken_configuration_is_told_in_full() {
    let desk = Desk::default();
    desk.write("home/config.toml", "model = \"nobody/none\"\n");
    let output = desk.run(&["exec", "hello"]).await;
    check(
        &desk,
        &output,
        expect![[r#"
        status 1
        failed · <time>
        --- stderr
        pilotfish: there is no provider "nobody" in <desk>/home/config.toml; it has none
    "#]],
    );
}

#[tokio::test]
async fn a_wrong_command_line_is_status_2() {
    let desk = Desk::default();
    let wrong: [&[&str]; 4] =
        [&["exec"], &["exec", "--mode", "yolo", "x"], &["exec", " "], &["exec", "--workspace", "nowhere", "x"]];
    for arguments in wrong {
        let output = desk.run(arguments).await;
        assert_eq!((output.status.code(), output.stderr.is_empty()), (Some(2), false), "{arguments:?}");
    }
}

#[tokio::test]
async fn an_interrupt_ends_the_turn_with_status_130() {
    let (desk, model) = desk_with(vec![answer().says("I begin").hangs()]).await;
    let mut child = desk.pilotfish(&["exec", "--json", "go"]).spawn().expect("it starts");
    model.asked(1).await;
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let pid = i32::try_from(child.id().expect("it runs")).expect("a small number");
    let (mut last, mut is_signalled) = (String::new(), false);
    while let Some(line) = lines.next_line().await.expect("text") {
        if line.contains("I begin") && !is_signalled {
            is_signalled = true;
            signal(pid, libc::SIGINT);
        }
        last = line;
    }
    let status = tokio::time::timeout(LIMIT, child.wait()).await.expect("in time").expect("it ends");
    let last: SessionUpdate = serde_json::from_str(&last).expect("an update");
    assert!(matches!(last.update, Update::TurnEnded { stop: StopReason::Interrupted, .. }), "{last:?}");
    assert_eq!(status.code(), Some(130));
}

#[tokio::test]
async fn a_reader_that_leaves_ends_it_quietly() {
    let (desk, model) = desk_with(vec![answer().deltas(5_000, "words ").hangs()]).await;
    let mut child = desk.pilotfish(&["exec", "--json", "go"]).spawn().expect("it starts");
    model.asked(1).await;
    drop(child.stdout.take());
    let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await.expect("in time").expect("it ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(130), ""));
}

#[tokio::test]
async fn a_key_is_stored_where_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::default();
    let mut child = desk.pilotfish(&["login", "work"]).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"sk-secret\n").await.expect("it reads");
    drop(stdin);
    let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await.expect("in time").expect("it ends");
    check(
        &desk,
        &output,
        expect![[r#"
        status 0
        --- stderr
        The key of work is in <desk>/home/keys.toml, which only you can read.
        A variable that config.toml names as api_key_env wins over it.
    "#]],
    );
    let file = desk.path("home/keys.toml");
    let mode = std::fs::metadata(&file).expect("the file").permissions().mode() & 0o777;
    let text = std::fs::read_to_string(&file).expect("the file");
    assert_eq!((mode, text.as_str()), (0o600, "work = \"sk-secret\"\n"));
}

#[tokio::test]
async fn the_demo_does_what_it_says() {
    let desk = Desk::default();
    // Where the toolchain is, is the machine's affair; the demo needs no more of it than that.
    let mut demo = desk.pilotfish(&["demo", "--dir"]);
    demo.arg(desk.path("demo"));
    for name in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = std::env::var_os(name) {
            demo.env(name, value);
        }
    }
    if let Some(home) = std::env::var_os("HOME") {
        demo.env("HOME", home);
    }
    let output = tokio::time::timeout(LIMIT, demo.output()).await.expect("in time").expect("it starts");
    let out = String::from_utf8_lossy(&output.stdout);
    if out.contains("What was missing") {
        pilotfish_tests::skipped("this machine cannot confine commands");
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{out}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("the tests failed before the change, and pass after it"), "{out}");
}
