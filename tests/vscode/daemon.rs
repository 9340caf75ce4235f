//! The daemon as the editor finds it: missing, old, dying, forged, or gone for a moment.

use crate::scene::Scene;
use pilotfish_protocol::StopReason;
use pilotfish_tests::desk::{Desk, processes, signal};
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::vscode::{Script, is_there};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_daemon_is_said() {
    if is_there() {
        Script::start(&Desk::default(), "daemon", &[]).ends().await;
    }
}

/// ED-05.
#[tokio::test(flavor = "multi_thread")]
async fn forged_edits_are_refused() {
    if is_there() {
        let desk = Desk::default();
        desk.write("outside.txt", "not yours\n");
        Script::start(&desk, "forged_edits", &[]).ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_comes_back() {
    let Some(mut scene) = Scene::begin("agent", &[]).await else { return };
    let mut script = scene.script("reconnect");
    script.reaches("connected").await;
    scene.model.answers(answer().calls("edit", json!({"path": "notes.txt", "old_string": "two", "new_string": "2"})));
    scene.model.answers(answer().says("Done."));
    scene.prompt("change it").await;
    assert_eq!(scene.turn_ends().await, StopReason::Done);
    script.goes_on("").await;
    script.reaches("broken").await;
    // The workbench's shim, which is the one that was not started as an editor of the tests is.
    let ours = format!("{} lsp", pilotfish_tests::bins::pilotfish().display());
    let theirs: Vec<_> = processes(&ours).into_iter().filter(|pid| !scene.started(*pid)).collect();
    assert!(!theirs.is_empty(), "the workbench has a shim");
    for pid in theirs {
        signal(pid, libc::SIGKILL);
    }
    script.goes_on("").await;
    script.ends().await;
}
