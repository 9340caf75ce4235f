//! The side panel: its page by itself, and a whole story in the workbench.

use crate::scene::Scene;
use pilotfish_protocol::{Answered, Update};
use pilotfish_tests::desk::{Desk, processes, until};
use pilotfish_tests::fake_model::{Step, answer};
use pilotfish_tests::vscode::{Script, is_there};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

fn edit(path: &str, old: &str, new: &str) -> Step {
    answer().calls("edit", json!({"path": path, "old_string": old, "new_string": new}))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_panel_computes() {
    if is_there() {
        Script::start(&Desk::default(), "units", &[]).ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_by_itself() {
    if is_there() {
        Script::start(&Desk::default(), "panel", &[]).ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_from_the_first_question_to_a_reload_in_the_middle_of_an_answer() {
    if !is_there() {
        return;
    }
    let (desk, model) = Desk::with_model("").await;
    for name in ["a", "b", "c"] {
        desk.write(&format!("project/{name}.txt"), "one\ntwo\nthree\nfour\nfive\nsix\nseven\n");
    }
    desk.write("project/publish.sh", "#!/bin/sh\necho published >\"$OUT\"\n");
    let outside = desk.path("outside");
    std::fs::create_dir(&outside).expect("a folder");
    let disk = |name: &str| std::fs::read_to_string(desk.path("project").join(name)).expect("a file");

    // Read-only: a proposal, which the person accepts.
    model.answers(edit("notes.txt", "two\n", "two and a half\n")).answers(answer().says("I propose **one** line."));
    let mut script = Script::start(&desk, "story", &[]);
    script.reaches("proposed").await;
    assert_eq!(disk("notes.txt"), "one\ntwo\nthree\n");
    script.goes_on("").await;
    script.reaches("accepted").await;
    until("the proposal is in the file", || disk("notes.txt") == "one\ntwo and a half\nthree\n").await;

    // Agent: a command that wants a folder outside, allowed always.
    let command = format!("sh publish.sh {}", outside.display());
    model.answers(answer().calls("shell", json!({"command": command, "write": [outside]})));
    model.answers(answer().says("Published."));
    script.goes_on("").await;
    script.reaches("always").await;
    script.goes_on(&desk.path("home/rules.toml").display().to_string()).await;
    script.reaches("allowed").await;

    // Three files, hunk by hunk.
    for name in ["a.txt", "b.txt", "c.txt"] {
        model.answers(edit(name, "two\n", &format!("two of {name}\n")));
    }
    model.answers(answer().says("All three."));
    script.goes_on("").await;
    script.reaches("reviewed").await;
    assert!(disk("a.txt").contains("two of a.txt") && !disk("b.txt").contains("two of"), "kept and undone");

    // Stop.
    model.answers(answer().calls("shell", json!({"command": "sleep 61236", "timeout_ms": 600_000})));
    script.goes_on("").await;
    script.reaches("runs").await;
    until("the command runs", || !processes("sleep 61236").is_empty()).await;
    script.goes_on("").await;
    script.reaches("stopped").await;
    until("nothing of it is left", || processes("sleep 61236").is_empty()).await;

    // A reload in the middle of an answer.
    let gate = Arc::new(Notify::new());
    model.answers(answer().says("The first half.\n\nAnd ").waits_for(&gate).says("the second half."));
    script.goes_on("").await;
    script.reaches("reloaded").await;
    gate.notify_one();
    script.goes_on("").await;
    script.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_answered_elsewhere_leaves_the_panel() {
    let Some(mut scene) = Scene::begin("agent", &[]).await else { return };
    let gate = Arc::new(Notify::new());
    let long = (0..60).map(|line| format!("Paragraph {line} of an answer that is longer than the panel.\n\n"));
    scene
        .model
        .answers(answer().says(long.collect::<String>()).calls("write", json!({"path": ".envrc", "content": "x"})));
    scene.model.answers(answer().says("Half ").waits_for(&gate).says("whole."));
    let mut script = scene.script("elsewhere");
    script.reaches("open").await;
    scene.prompt("go on").await;
    let updates = scene.client.updates_until(|update| matches!(update.update, Update::ApprovalOpened { .. })).await;
    let Some(Update::ApprovalOpened { approval }) = updates.last().map(|update| &update.update) else { panic!("none") };
    script.goes_on("").await;
    // The window was loaded again, the view moved and the daemon killed meanwhile.
    script.reaches("killed").await;
    let daemon = scene.desk.daemon().await;
    script.goes_on(&daemon.to_string()).await;
    script.reaches("shown").await;
    let params = json!({"approvalIds": [approval.id], "decision": {"kind": "once"}});
    let (mut client, _shim) = scene.desk.editor().await;
    let _: Value = client.request("session/attach", json!({"sessionId": scene.session})).await.expect("attached");
    let _: Answered = client.request("approval/answer", params).await.expect("answered");
    script.goes_on("").await;
    gate.notify_one();
    script.ends().await;
}
