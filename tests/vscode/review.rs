//! Changes in the editor: each is kept or undone alone, in every way the editor has, and every client sees the same.

use crate::scene::Scene;
use pilotfish_protocol::StopReason;
use pilotfish_tests::fake_model::{Step, answer};
use serde_json::json;

fn lines(name: &str) -> String {
    (1..=20).map(|line| format!("{name} line {line}\n")).collect()
}

fn edit(path: &str, line: u32) -> Step {
    let old = format!("{} line {line}\n", path.trim_end_matches(".txt"));
    answer().calls("edit", json!({"path": path, "old_string": old, "new_string": format!("new {line}\nand {line}\n")}))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hunk_is_decided_alone_and_all_clients_see_the_same() {
    let files = ["a", "b", "c"].map(|name| (format!("{name}.txt"), lines(name)));
    let files: Vec<_> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let Some(mut scene) = Scene::begin("agent", &files).await else { return };
    for (path, line) in [("a.txt", 3), ("a.txt", 15), ("b.txt", 2), ("b.txt", 10), ("c.txt", 5)] {
        scene.model.answers(edit(path, line));
    }
    scene.model.answers(answer().says("Done."));
    let mut script = scene.script("review");
    script.reaches("open").await;
    scene.prompt("change them").await;
    assert_eq!(scene.turn_ends().await, StopReason::Done);
    script.goes_on("").await;
    script.reaches("decided").await;

    let hunks = scene.hunks().await;
    script.goes_on(&serde_json::to_string(&hunks).expect("JSON")).await;
    let left: Vec<_> = hunks.iter().map(|hunk| hunk.new_text.as_str()).collect();
    assert_eq!(left, ["new 10\nand 10 mine\n"]);
    let (a, b) =
        (lines("a").replace("a line 3\n", "new 3\nand 3\n"), lines("b").replace("b line 2\n", "new 2\nand 2\n"));
    assert_eq!(scene.base("b.txt").await, b);
    script.ends().await;
    assert_eq!(scene.disk("a.txt"), a);
    assert_eq!(scene.disk("b.txt"), b.replace("b line 10\n", "new 10\nand 10\n"), "what was typed is not saved");
    assert_eq!(scene.disk("c.txt"), lines("c"));
}
