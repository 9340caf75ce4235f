//! A person's afternoon, whole.

use crate::scene::{Scene, drawn, lines};
use crate::talk::shown;
use pilotfish_tests::desk::{processes, until};
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::nvim::{Nvim, versions};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;

const TEXT: &str = "return table.concat(vim.api.nvim_buf_get_lines(vim.fn.bufnr('watch.rs'), 0, -1, true), '|')";

async fn text(nvim: &Nvim) -> String {
    nvim.lua(TEXT).await
}

#[tokio::test]
async fn ask_review_undo_approve_stop_leave_and_find_everything_again() {
    for version in versions() {
        let scene = Scene::begin("read-only", &[("watch.rs", &lines(30))]).await;
        let nvim = scene.nvim_of(&version, (120, 40), "watch.rs").await;
        // Something of one's own, not saved.
        nvim.input("ggOmine<Esc>").await;
        nvim.command("Pilotfish mode agent").await;
        nvim.until("vim.g.pilotfish_status and vim.g.pilotfish_status.mode == 'agent'").await;

        let model = &scene.model;
        model.answers(answer().says("I read it first.").calls("read", json!({"path": "watch.rs"})));
        model.answers(
            answer()
                .calls("edit", json!({"path": "watch.rs", "old": "line 5\n", "new": "line five\n"}))
                .calls("edit", json!({"path": "watch.rs", "old": "line 20\n", "new": "line twenty\n"}))
                .calls("edit", json!({"path": "watch.rs", "old": "line 28\n", "new": "line last\n"})),
        );
        model.answers(answer().calls("write", json!({"path": ".envrc", "content": "export A=1\n"})));
        model.answers(answer().calls("shell", json!({"command": "sleep 4713"})));
        let gate = Arc::new(Notify::new());
        model.answers(answer().says("Now the rest: ").waits_for(&gate).says("all done."));
        nvim.command("Pilotfish ask spell two numbers, and run the tests").await;
        nvim.see("I read it first.").await;
        nvim.until(&drawn(3)).await;
        assert!(text(&nvim).await.contains("mine|line 1|") && nvim.lua::<bool>("return vim.bo.modified").await);
        nvim.picture("story-hunks").await;

        // One is kept, one goes, and the editor's own undo brings it back.
        nvim.command("6Pilotfish keep").await;
        nvim.until(&drawn(2)).await;
        nvim.command("21Pilotfish undo").await;
        nvim.until(&drawn(1)).await;
        assert!(text(&nvim).await.contains("|line five|") && text(&nvim).await.contains("|line 20|"));
        nvim.input("u").await;
        nvim.until(&format!("(function() {TEXT} end)():find('line twenty', 1, true)")).await;

        // What it asks is answered once.
        nvim.see("Needs you: change .envrc").await;
        nvim.command("Pilotfish approve").await;
        nvim.until("vim.bo.filetype == 'pilotfish-approval'").await;
        nvim.picture("story-approval").await;
        nvim.input("1").await;
        until("it is written", || scene.desk.path("project/.envrc").exists()).await;

        // The command is stopped, and the turn goes on.
        until("it sleeps", || !processes("sleep 4713").is_empty()).await;
        nvim.command("Pilotfish stop").await;
        nvim.see("Now the rest:").await;
        assert!(processes("sleep 4713").is_empty());

        // The editor is left in the middle, and what was typed is saved as ever.
        nvim.command("Pilotfish chat").await;
        nvim.command("Pilotfish chat").await;
        nvim.input("<C-w>tia draft<Esc>u").await;
        nvim.command("write").await;
        nvim.quit().await;
        gate.notify_one();
        model.answered(5).await;

        let nvim = scene.nvim_of(&version, (120, 40), "watch.rs").await;
        nvim.until(&drawn(1)).await;
        nvim.command("Pilotfish chat").await;
        nvim.see("Now the rest: all done.").await;
        nvim.picture("story-again").await;
        let chat = shown(&nvim).await;
        let words =
            ["spell two numbers", "I read it first.", "✎ watch.rs", "allowed once", "$ sleep 4713", "all done."];
        for word in words {
            assert!(chat.contains(word), "no {word}:\n{chat}");
        }
        assert_eq!(chat.matches("I read it first.").count(), 1);
        assert!(text(&nvim).await.contains("mine|line 1|") && text(&nvim).await.contains("|line twenty|"));
        nvim.quit().await;
    }
}
