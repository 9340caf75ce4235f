//! Whole turns: a model server over HTTP, real commands in the sandbox, real files, an editor at the other end.

use expect_test::{Expect, expect};
use pilotfish::config::Dialect;
use pilotfish_protocol::{Completion, Done, Item, ItemContent, Mode, Status, StopReason, Update};
use pilotfish_tests::fake_model::{FakeModel, Step, answer, status};
use pilotfish_tests::story::{Story, calls};
use serde_json::json;
use std::time::Duration;

const DIALECTS: [Dialect; 3] = [Dialect::Responses, Dialect::Chat, Dialect::Messages];

/// A failing command, an edit, and a final message.
fn mends() -> [Step; 3] {
    let edit = json!({"path": "a.txt", "old_string": "wrong", "new_string": "right"});
    [
        answer()
            .thinks("Let me look.")
            .says("I look.")
            .calls("shell", json!({"command": "grep right a.txt; echo looked; exit 3"})),
        answer().calls("edit", edit),
        answer().says("Mended."),
    ]
}

fn check(items: &[Item], expected: Expect) {
    let line = |item: &Item| match &item.content {
        ItemContent::UserMessage(_) => Some("user".to_owned()),
        ItemContent::AgentMessage(message) => Some(format!("agent {:?} {}", message.completion, message.text)),
        ItemContent::ToolCall(call) => Some(format!("{} {:?} {:?}", call.title, call.status, call.output)),
        ItemContent::Edit(edit) => Some(format!("edit {} +{} -{}", edit.path, edit.added, edit.removed)),
        ItemContent::Error(fault) => Some(format!("error {:?} retryable={}", fault.fault, fault.retryable)),
        _ => None,
    };
    let lines: Vec<String> = items.iter().filter_map(line).collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_changes_the_file_and_its_transcript_is_complete() {
    for dialect in DIALECTS {
        let mut story = Story::begin(dialect, Mode::Agent, &[("a.txt", "wrong\n")]).await;
        for step in mends() {
            story.model.answers(step);
        }
        story.prompt("mend it").await;
        assert_eq!(story.end().await, StopReason::Done);
        assert_eq!(story.file("a.txt"), "right\n");
        check(
            &story.items().await,
            expect![[r#"
                user
                agent Whole I look.
                $ grep right a.txt; echo looked; exit 3 Failed "looked\n[exit status 3]"
                edit a.txt Done "edited a.txt\n1\tright\n"
                edit a.txt +1 -1
                agent Whole Mended.
            "#]],
        );
    }
}

/// Cuts the first answer after `bytes`. What it calls runs once when the answer was whole by then, and not at all when it was not.
async fn survives_a_cut(dialect: Dialect, bytes: usize) {
    let mut story = Story::begin(dialect, Mode::Agent, &[("a.txt", "wrong\n")]).await;
    let cut = answer().thinks("Let me look.").says("I look.").calls("shell", json!({"command": "echo ran >> ran.txt"}));
    story.model.answers(cut.drops_after(bytes));
    for step in mends() {
        story.model.answers(step);
    }
    story.prompt("mend it").await;
    assert_eq!(story.end().await, StopReason::Done, "cut after {bytes} bytes");
    assert_eq!(story.file("a.txt"), "right\n");
    let items = story.items().await;
    let is_broken = |item: &&Item| match &item.content {
        ItemContent::AgentMessage(message) => message.completion == Completion::Broken,
        ItemContent::Reasoning(reasoning) => reasoning.completion == Completion::Broken,
        _ => false,
    };
    let broken = items.iter().filter(is_broken).count();
    let said = items.iter().any(|item| matches!(&item.content, ItemContent::Error(fault) if fault.retryable));
    let ran = std::fs::read_to_string(story.daemon.workspace.path().join("ran.txt")).unwrap_or_default();
    match ran.as_str() {
        "" => assert_eq!((calls(&items).len(), said), (2, broken > 0), "cut after {bytes} bytes"),
        "ran\n" => assert_eq!((calls(&items).len(), broken, said), (3, 0, false), "whole after {bytes} bytes"),
        ran => panic!("it ran more than once: {ran:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_survives_a_cut_anywhere_in_an_answer() {
    // The answers are about 1,500 bytes; the unit tests of the dialects cut at every single one.
    let cuts = (0..24).map(|number| number * 29);
    let stories = cuts.flat_map(|bytes| DIALECTS.map(|dialect| tokio::spawn(survives_a_cut(dialect, bytes))));
    for story in futures::future::join_all(stories).await {
        story.expect("it survived");
    }
}

/// A session whose model is changed between its turns. Each server checks that what it is sent is a history of its own dialect.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_with_models_of_other_dialects() {
    let mut story = Story::begin(Dialect::Chat, Mode::Agent, &[("a.txt", "wrong\n")]).await;
    let (gpt, claude) = (FakeModel::start(Dialect::Responses).await, FakeModel::start(Dialect::Messages).await);
    for model in [&gpt, &claude] {
        let (dialect, base_url) = (model.dialect().word(), model.base_url());
        story.daemon.configure(&format!("[providers.{dialect}]\ndialect = \"{dialect}\"\nbase_url = \"{base_url}\"\n"));
    }
    story.model.answers(answer().thinks("Hm").calls("list", json!({}))).answers(answer().says("Listed."));
    let patch = "*** Begin Patch\n*** Update File: a.txt\n-wrong\n+right\n*** End Patch";
    gpt.answers(answer().thinks("Well").calls("patch", json!({"input": patch})).calls_raw("read", "{\"path\":"))
        .answers(answer().says("Patched."));
    let edit = json!({"path": "a.txt", "old_string": "right", "new_string": "better"});
    claude.answers(answer().thinks("So").says("I edit.").calls("edit", edit)).answers(answer().says("Edited."));
    story.model.answers(answer().says("Still here."));
    story.model.allow_new_beginning();
    for model in ["fake/one", "responses/gpt-5", "messages/claude-sonnet-4-5", "fake/one"] {
        let _: Done = story.ask("session/setModel", json!({"model": model, "effort": "low"})).await;
        story.prompt("go on").await;
        assert_eq!(story.end().await, StopReason::Done, "{model}");
    }
    assert_eq!(story.file("a.txt"), "better\n");
    let names = |model: &FakeModel| {
        let request = model.requests().pop().expect("it was asked");
        let tools = request.body.get("tools").and_then(serde_json::Value::as_array).cloned().expect("tools");
        let editing = tools.iter().filter_map(|tool| tool.get("name").and_then(serde_json::Value::as_str));
        editing.filter(|name| ["edit", "patch", "write"].contains(name)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((names(&gpt).as_str(), names(&claude).as_str()), ("patch", "edit write"));
    let refused = json!({"sessionId": story.session, "model": "responses/gpt-4o", "effort": "high"});
    let refused = story.editor.request::<Done>("session/setModel", refused).await.expect_err("it does not think");
    assert!(refused.message.contains("responses/gpt-4o takes no effort"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overloaded_server_is_asked_again_when_it_says() {
    for dialect in DIALECTS {
        let mut story = Story::begin(dialect, Mode::ReadOnly, &[]).await;
        story.model.answers(status(429).retry_after(1)).answers(status(503)).answers(answer().says("Here."));
        story.prompt("hello").await;
        let updates = story.until(|update| matches!(update, Update::TurnEnded { .. })).await;
        let said = updates.iter().any(|update| match &update.update {
            Update::StatusChanged { status } => status.text.contains("429") && status.text.contains("trying again"),
            _ => false,
        });
        assert!(said, "the person sees why it waits");
        let requests = story.model.requests();
        let waited = requests.get(1).expect("asked again").arrived - requests.first().expect("asked").arrived;
        assert!(waited >= Duration::from_secs(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_says_which_endpoint_which_status_and_what_to_do() {
    let mut story = Story::begin(Dialect::Chat, Mode::ReadOnly, &[]).await;
    story.model.answers(status(401));
    story.prompt("hello").await;
    assert_eq!(story.end().await, StopReason::Failed);
    let items = story.items().await;
    let ItemContent::Error(fault) = &items.last().expect("an item").content else { panic!("an error") };
    for words in ["http://127.0.0.1:", "401", "pilotfish login fake"] {
        assert!(fault.message.contains(words), "{words} in {}", fault.message);
    }
    assert!(!fault.retryable);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_stops_the_model_a_wait_or_a_command() {
    let cases = [
        (answer().says("I").hangs(), Status::Thinking, "thinking"),
        (status(429).retry_after(60), Status::Thinking, "trying again"),
        (answer().calls("shell", json!({"command": "echo on; sleep 600"})), Status::Running, "sleep 600"),
    ];
    for (step, state, text) in cases {
        let mut story = Story::begin(Dialect::Responses, Mode::Agent, &[]).await;
        story.model.answers(step);
        story.prompt("go").await;
        let is_there = |update: &Update| matches!(update, Update::StatusChanged { status } if status.state == state && status.text.contains(text));
        story.until(is_there).await;
        // The status comes before the request; an interrupt between them would leave the step to the next turn.
        story.model.asked(1).await;
        story.interrupt("turn").await;
        assert_eq!(story.end().await, StopReason::Interrupted, "while {text}");
        story.model.answers(answer().says("Yes?"));
        story.prompt("are you there?").await;
        assert_eq!(story.end().await, StopReason::Done, "after {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_can_be_stopped_alone_and_the_turn_goes_on() {
    let mut story = Story::begin(Dialect::Responses, Mode::Agent, &[]).await;
    story
        .model
        .answers(answer().calls("shell", json!({"command": "echo begun; sleep 600"})))
        .answers(answer().says("Stopped."));
    story.prompt("go").await;
    story.until(|update| matches!(update, Update::ItemDelta { text, .. } if text.contains("begun"))).await;
    story.interrupt("command").await;
    assert_eq!(story.end().await, StopReason::Done);
    check(
        &story.items().await,
        expect![[r#"
            user
            $ echo begun; sleep 600 Interrupted "begun\n[interrupted by the person]"
            agent Whole Stopped.
        "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_output_is_cut_in_words_and_read_by_its_handle() {
    let mut story = Story::begin(Dialect::Chat, Mode::ReadOnly, &[]).await;
    let command = "seq 1 20000; echo 'error: it broke' >&2; seq 20001 40000";
    story.model.answers(answer().calls("shell", json!({"command": command}))).answers(answer().says("Long."));
    story.prompt("go").await;
    assert_eq!(story.end().await, StopReason::Done);
    let items = story.items().await;
    let call = calls(&items).first().copied().expect("a call").clone();
    assert!(call.output.len() < 16_000 && call.output_bytes.is_some(), "it is cut: {} bytes", call.output.len());
    assert!(call.output.contains("error: it broke"), "what looks like an error stays: {}", call.output);
    let handle = call.output.rsplit('"').nth(1).expect("a handle in quotes").to_owned();
    let read = answer().calls("read", json!({"path": handle, "offset": 15_000, "limit": 2}));
    story.model.answers(read).answers(answer().says("Read."));
    story.prompt("and the rest?").await;
    assert_eq!(story.end().await, StopReason::Done);
    let items = story.items().await;
    let read = calls(&items).last().copied().expect("a call").clone();
    assert!(read.output.starts_with("15000\t15000\n15001\t15001\n"), "{}", read.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_commands_run_and_leave_nothing() {
    let mut story = Story::begin(Dialect::Chat, Mode::ReadOnly, &[("a.txt", "here\n")]).await;
    let command = "cat a.txt; echo x > new.txt; echo y >> a.txt; rm -f a.txt";
    story.model.answers(answer().calls("shell", json!({"command": command}))).answers(answer().says("Looked."));
    story.prompt("look").await;
    assert_eq!(story.end().await, StopReason::Done);
    assert_eq!(story.file("a.txt"), "here\n");
    assert!(!story.daemon.workspace.path().join("new.txt").exists());
    let items = story.items().await;
    assert!(calls(&items).iter().any(|call| call.output.contains("here")), "it could read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandboxed_command_reaches_no_key_and_no_listener() {
    let mut story = Story::begin(Dialect::Chat, Mode::Agent, &[]).await;
    let port =
        story.model.base_url().trim_start_matches("http://127.0.0.1:").split('/').next().expect("a port").to_owned();
    let command = format!("(echo > /dev/tcp/127.0.0.1/{port}) 2>&1; env | grep -i -E 'key|token|secret'; true");
    story.model.answers(answer().calls("shell", json!({"command": command}))).answers(answer().says("No."));
    story.prompt("try").await;
    assert_eq!(story.end().await, StopReason::Done);
    let items = story.items().await;
    let output = &calls(&items).first().expect("a call").output;
    assert!(output.contains("Connection refused"), "{output}");
    assert_eq!(story.model.requests().len(), 2, "nothing but the turn's own requests arrived");
}
