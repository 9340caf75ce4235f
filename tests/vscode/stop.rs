//! What runs can be stopped from the editor: the command alone, or the turn.

use crate::scene::Scene;
use pilotfish_protocol::StopReason;
use pilotfish_tests::desk::{processes, until};
use pilotfish_tests::fake_model::answer;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_command_and_a_turn_are_stopped_by_their_commands() {
    let Some(mut scene) = Scene::begin("agent", &[]).await else { return };
    let mut script = scene.script("stop");
    script.reaches("ready").await;
    // The seconds tell these commands from those of other tests.
    for seconds in ["61234", "61235"] {
        let command = format!("sleep {seconds} & sleep {seconds}");
        scene.model.answers(answer().calls("shell", json!({"command": command, "timeout_ms": 600_000})));
    }
    scene.prompt("wait").await;
    until("the first command runs", || processes("sleep 61234").len() >= 2).await;
    script.goes_on("").await;
    script.reaches("running").await;
    script.goes_on("").await;
    script.reaches("command").await;
    until("nothing of the first is left", || processes("sleep 61234").is_empty()).await;
    until("the turn goes on", || processes("sleep 61235").len() >= 2).await;
    script.goes_on("").await;
    assert_eq!(scene.turn_ends().await, StopReason::Interrupted);
    until("nothing of the second is left", || processes("sleep 61235").is_empty()).await;
    script.reaches("turn").await;
    script.goes_on("").await;
    script.ends().await;
}
