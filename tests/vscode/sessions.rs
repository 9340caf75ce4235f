//! Sessions in their view, and what a person is told who looks elsewhere.

use crate::scene::Scene;
use pilotfish_protocol::{Attached, SessionId, SessionOpened, StopReason};
use pilotfish_tests::fake_model::answer;
use serde_json::json;

async fn open(scene: &mut Scene, folder: &str, title: &str) -> SessionId {
    let params = json!({"workspace": scene.desk.path(folder), "mode": "agent", "title": title});
    let opened: SessionOpened = scene.client.request("session/new", params).await.expect("a session");
    let id = opened.session.id;
    let _: Attached = scene.client.request("session/attach", json!({"sessionId": id})).await.expect("attached");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_found_and_put_away_and_waiting_is_told_once() {
    let Some(mut scene) = Scene::begin("agent", &[]).await else { return };
    std::fs::create_dir(scene.desk.path("elsewhere")).expect("a folder");
    open(&mut scene, "elsewhere", "Another place").await;
    let leak = open(&mut scene, "project", "Find the leak").await;
    let haiku = open(&mut scene, "project", "Write a haiku").await;
    scene.session = haiku.clone();
    scene.model.answers(answer().says("A heron stands still."));
    scene.prompt("About birds").await;
    assert_eq!(scene.turn_ends().await, StopReason::Done);
    let mut script = scene.script("sessions");
    script.reaches("renamed").await;
    script.goes_on(&haiku.to_string()).await;
    script.reaches("waiting").await;
    script.goes_on(&leak.to_string()).await;
    script.reaches("hidden").await;
    scene.session = leak;
    scene.model.allow_new_beginning();
    scene.model.answers(answer().calls("write", json!({"path": ".envrc", "content": "x"})));
    scene.prompt("Set it up").await;
    script.goes_on("").await;
    script.reaches("shown").await;
    let params = json!({"sessionId": scene.session, "scope": "turn"});
    let _: serde_json::Value = scene.client.request("session/interrupt", params).await.expect("stopped");
    script.goes_on("").await;
    script.ends().await;
}
