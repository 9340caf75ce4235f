//! Two editors at one session: a Neovim and a workbench. What is decided in one is decided in the other.

use crate::scene::Scene;
use pilotfish_protocol::StopReason;
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::nvim::{Nvim, versions};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds, as the script's clock counts them.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that was set");
    since.as_millis().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_in_one_editor_is_decided_in_the_other() {
    let lines: String = (1..=20).map(|line| format!("line {line}\n")).collect();
    let Some(mut scene) = Scene::begin("agent", &[("a.txt", &lines)]).await else { return };
    let Some(version) = versions().pop() else { return };
    let edit = |old: &str, new: &str| json!({"path": "a.txt", "old_string": format!("{old}\n"), "new_string": format!("{new}\n")});
    scene.model.answers(answer().calls("read", json!({"path": "a.txt"})));
    for folder in ["one", "two"] {
        std::fs::create_dir(scene.desk.path(folder)).expect("a folder");
        let command = format!("cp notes.txt ../{folder}");
        scene.model.answers(answer().calls("shell", json!({"command": command, "write": [scene.desk.path(folder)]})));
    }
    scene.model.answers(answer().calls("edit", edit("line 3", "three")));
    scene.model.answers(answer().calls("edit", edit("line 15", "fifteen")));
    scene.model.answers(answer().says("Done."));
    let mut script = scene.script("both");
    script.reaches("open").await;
    let nvim = Nvim::start(&scene.desk, &version, 100, 30).await;
    nvim.enable().await;
    nvim.command("edit a.txt").await;
    nvim.until("next(vim.lsp.get_clients({ bufnr = 0, name = 'pilotfish' }))").await;
    nvim.command("Pilotfish chat").await;
    nvim.see("Ask, or /").await;
    nvim.command("1wincmd w").await;
    scene.prompt("go").await;
    script.goes_on("").await;

    // The first question is answered in Neovim, the second in the workbench.
    script.reaches("asked").await;
    nvim.until("(vim.g.pilotfish_status or {}).waiting == 1").await;
    nvim.command("Pilotfish approve").await;
    nvim.see("Needs you").await;
    script.goes_on(&now()).await;
    nvim.input("1").await;
    script.reaches("answered").await;
    nvim.until("vim.api.nvim_win_get_config(0).relative == ''").await;
    nvim.until("(vim.g.pilotfish_status or {}).waiting == 1").await;
    script.goes_on("").await;
    nvim.until("(vim.g.pilotfish_status or {}).waiting == 0").await;
    assert_eq!(scene.turn_ends().await, StopReason::Done);

    // The first change is kept in Neovim, the second undone in the workbench.
    nvim.until("#require('pilotfish.review').places(0) == 2").await;
    script.reaches("drawn").await;
    nvim.command("3").await;
    script.goes_on(&now()).await;
    nvim.command("Pilotfish keep").await;
    nvim.until("#require('pilotfish.review').places(0) == 1").await;
    script.reaches("kept").await;
    script.goes_on("").await;
    nvim.until("#require('pilotfish.review').places(0) == 0").await;
    nvim.see_no("fifteen").await;
    script.ends().await;
    assert_eq!(scene.disk("a.txt"), lines.replace("line 3\n", "three\n"));
    nvim.quit().await;
}
