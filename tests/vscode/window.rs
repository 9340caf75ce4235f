//! The window around it all: limits, keys, trust, folders, and how it looks.

use crate::scene::Scene;
use pilotfish_protocol::{Mode, SessionList, StopReason};
use pilotfish_tests::desk::LIMIT;
use pilotfish_tests::fake_model::answer;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_and_no_key_is_taken() {
    let Some(scene) = Scene::begin("agent", &[]).await else { return };
    scene.script("limits").ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_trusted_is_read_only() {
    let Some(mut scene) = Scene::begin("agent", &[]).await else { return };
    let mut script = scene.script("untrusted");
    script.reaches("opened").await;
    let sessions = sessions(&mut scene, |list| list.sessions.len() >= 2).await;
    assert!(sessions.sessions.iter().all(|session| session.mode == Mode::ReadOnly), "{sessions:?}");
    script.goes_on("").await;
    script.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_folders_one_is_chosen() {
    let Some(mut scene) = Scene::begin("agent", &[]).await else { return };
    std::fs::create_dir(scene.desk.path("other")).expect("a folder");
    let mut script = scene.script("roots");
    script.reaches("opened").await;
    let other = scene.desk.path("other").display().to_string();
    sessions(&mut scene, |list| list.sessions.iter().any(|session| session.workspace == other)).await;
    script.goes_on("").await;
    script.ends().await;
}

// The workbench opens a session after it was told to. The list, as soon as it is so.
async fn sessions(scene: &mut Scene, is_so: impl Fn(&SessionList) -> bool) -> SessionList {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    let waited = async {
        loop {
            let list = scene.client.request("session/list", json!({})).await.expect("a list");
            if is_so(&list) {
                return list;
            }
            look.tick().await;
        }
    };
    tokio::time::timeout(LIMIT, waited).await.expect("one is opened")
}

/// Draws what is looked at by people, in every theme, and what the README shows.
#[tokio::test(flavor = "multi_thread")]
async fn every_theme_shows_changes_proposals_and_conflicts() {
    let source = include_str!("watch.txt");
    let Some(mut scene) =
        Scene::begin("agent", &[("watch.ts", source), ("clock.ts", "export const tick = 10;\n")]).await
    else {
        return;
    };
    let edit = |old: &str, new: &str| {
        answer().calls("edit", json!({"path": "watch.ts", "old_string": old, "new_string": new}))
    };
    scene.model.answers(edit("setTimeout(this.flush, 10)", "this.clock.after(this.delay, this.flush)"));
    scene.model.answers(edit("  // The kernel merges events by itself.\n  // At least it says so.\n", ""));
    scene.model.answers(edit(
        "  stop() {\n",
        "  /** Ends it; what waits is dropped. */\n  stop() {\n    this.clock.cancel();\n",
    ));
    let content = "export class Clock {\n  after(ms: number, run: () => void) {}\n  cancel() {}\n}\n";
    scene.model.answers(answer().calls("write", json!({"path": "clock.ts", "content": content})));
    scene.model.answers(answer().says("The timer has a clock of its own now."));
    let mut script = scene.script("pictures");
    script.reaches("open").await;
    scene.prompt("Fix the flaky watcher test").await;
    assert_eq!(scene.turn_ends().await, StopReason::Done);
    script.goes_on("").await;
    script.reaches("propose").await;
    let mode = json!({"sessionId": scene.session, "mode": "read-only"});
    let _: serde_json::Value = scene.client.request("session/setMode", mode).await.expect("switched");
    scene.model.answers(edit("const limit = 64;", "const limit = 256;"));
    scene.model.answers(edit("    this.pending.add(path);\n", "    this.pending.add(path.normalize());\n"));
    scene.model.answers(answer().says("Two more, as proposals."));
    scene.prompt("What else would you change?").await;
    assert_eq!(scene.turn_ends().await, StopReason::Done);
    script.goes_on("").await;
    script.reaches("decided").await;
    script.goes_on("").await;
    script.ends().await;
}
