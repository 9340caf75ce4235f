//! Nobody is disturbed: neither the focus nor unsaved words.

use crate::scene::Scene;
use pilotfish_protocol::StopReason;
use pilotfish_tests::fake_model::{Step, answer};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;

fn lines(name: &str, count: u32) -> String {
    (1..=count).map(|line| format!("{name} line {line}\n")).collect()
}

fn edit(step: Step, name: &str, line: u32) -> Step {
    let old = format!("{name} line {line}\n");
    step.calls("edit", json!({"path": format!("{name}.txt"), "old_string": old, "new_string": format!("new {line}\n")}))
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_goes_on_while_the_agent_edits() {
    let names: Vec<_> = (1..=20).map(|number| format!("f{number:02}")).collect();
    let mut files: Vec<_> = names.iter().map(|name| (format!("{name}.txt"), lines(name, 5))).collect();
    files.push(("main.txt".to_owned(), lines("main", 80)));
    let files: Vec<_> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let Some(mut scene) = Scene::begin("agent", &files).await else { return };
    for pair in names.chunks(2) {
        scene.model.answers(pair.iter().fold(answer(), |step, name| edit(step, name, 3)));
    }
    scene.model.answers(edit(answer(), "main", 60));
    // Near the caret: it waits until nobody types, and not for ever.
    let gate = Arc::new(Notify::new());
    scene.model.answers(edit(answer().says("And one more.").waits_for(&gate), "main", 6));
    scene.model.answers(answer().says("Done."));
    let mut script = scene.script("focus");
    script.reaches("typing").await;
    scene.prompt("change all").await;
    script.goes_on("").await;
    script.reaches("near").await;
    gate.notify_one();
    script.goes_on("").await;
    script.reaches("typed").await;
    assert_eq!(scene.turn_ends().await, StopReason::Done);
    script.goes_on("").await;
    script.reaches("composing").await;
    for pair in names.chunks(2) {
        scene.model.answers(pair.iter().fold(answer(), |step, name| edit(step, name, 4)));
    }
    scene.model.answers(edit(answer(), "main", 70)).answers(answer().says("Again."));
    scene.prompt("change all again").await;
    script.goes_on("").await;
    script.reaches("composed").await;
    assert_eq!(scene.turn_ends().await, StopReason::Done);
    script.goes_on("").await;
    script.ends().await;
    for name in names {
        let text = scene.disk(&format!("{name}.txt"));
        assert!(text.contains("new 3\n") && text.contains("new 4\n"), "{name}");
    }
    assert_eq!(scene.disk("main.txt"), lines("main", 80), "what was being typed is nobody's to save");
}

#[tokio::test(flavor = "multi_thread")]
async fn unsaved_words_stay_beside_the_agents() {
    let files = [("dirty.txt", lines("dirty", 20)), ("clean.txt", lines("clean", 20))];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, &**text)).collect();
    let Some(mut scene) = Scene::begin("agent", &files).await else { return };
    // The first would replace what the person is writing: it does not fit any more.
    scene.model.answers(edit(answer(), "dirty", 3));
    scene.model.answers(edit(edit(answer(), "dirty", 15), "clean", 5));
    scene.model.answers(answer().says("Done."));
    let mut script = scene.script("unsaved");
    script.reaches("typed").await;
    scene.prompt("change them").await;
    assert_eq!(scene.turn_ends().await, StopReason::Done);
    assert_eq!(scene.disk("dirty.txt"), lines("dirty", 20));
    assert!(scene.disk("clean.txt").contains("new 5\n"));
    script.goes_on("").await;
    script.ends().await;
}
