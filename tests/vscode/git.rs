//! Beside git: our review and git's own do not get into each other's way.

use crate::scene::Scene;
use pilotfish_protocol::StopReason;
use pilotfish_tests::fake_model::answer;
use serde_json::json;
use std::process::Command;

fn git(scene: &Scene, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(arguments);
    let output = command.current_dir(scene.desk.path("project")).output().expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn review_and_git_live_side_by_side() {
    let text = |name: &str| (1..=9).map(|line| format!("{name} {line}\n")).collect::<String>();
    let (a, b) = (text("a"), text("b"));
    let Some(mut scene) = Scene::begin("agent", &[("a.txt", &a), ("b.txt", &b)]).await else { return };
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "first"]] {
        git(&scene, arguments);
    }
    for (name, line) in [("a", 2), ("a", 7), ("b", 2)] {
        let (old, new) = (format!("{name} {line}\n"), format!("new {line}\n"));
        let input = json!({"path": format!("{name}.txt"), "old_string": old, "new_string": new});
        scene.model.answers(answer().calls("edit", input));
    }
    scene.model.answers(answer().says("Done."));
    let mut script = scene.script("git");
    script.reaches("open").await;
    scene.prompt("change them").await;
    assert_eq!(scene.turn_ends().await, StopReason::Done);
    script.goes_on("").await;
    script.reaches("decided").await;
    assert!(scene.hunks().await.is_empty());
    script.goes_on("").await;
    script.ends().await;
    assert_eq!(scene.disk("a.txt"), a.replace("a 7\n", "new 7\n"));
    assert_eq!(git(&scene, &["status", "--porcelain"]), " M a.txt\n M b.txt\n");
}
