//! What goes on beside the words: commands and how they are stopped, what was given to the model, condensing, and what is left after
//! somebody or something ended.

use crate::scene::{Scene, lines};
use crate::talk::{chat, keep_lists, list, pick, shown};
use pilotfish_tests::desk::{processes, signal, until};
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::nvim::versions;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

#[tokio::test]
async fn a_command_is_stopped_and_the_turn_goes_on_until_it_is_stopped_too() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[]).await;
        let nvim = chat(&scene, &version).await;
        keep_lists(&nvim).await;
        let start = answer().calls("command", json!({"action": "start", "command": "echo up; sleep 4711"}));
        // The command has a child, which ends with it.
        let sleeps = answer().calls("shell", json!({"command": "bash -c 'sleep 4712'; true"}));
        scene.begin_turn([start, sleeps.says(""), answer().says("Went on.").hangs()]).await;
        until("it sleeps", || !processes("sleep 4712").is_empty()).await;
        nvim.see("echo up; sleep 4711 · in the background").await;
        nvim.see("▸ $ bash -c").await;
        nvim.picture("running").await;
        nvim.command("Pilotfish stop").await;
        until("all of it ended", || processes("sleep 4712").is_empty()).await;
        nvim.see("Went on.").await;
        nvim.command("Pilotfish! stop").await;
        nvim.see("■ interrupted").await;
        nvim.until("vim.g.pilotfish_status.state == 'stopped'").await;
        // What runs in the background went on, and has its own stop.
        assert!(!processes("sleep 4711").is_empty());
        nvim.command("Pilotfish commands").await;
        assert!(
            list(&nvim).await.starts_with("pilotfish.command\n$ echo up; sleep 4711 · runs"),
            "{}",
            list(&nvim).await
        );
        pick(&nvim, "$ echo up").await;
        pick(&nvim, "Show what it said").await;
        nvim.until("vim.api.nvim_buf_get_lines(0, 0, 1, true)[1] == 'up'").await;
        nvim.input("q").await;
        nvim.command("Pilotfish commands").await;
        pick(&nvim, "$ echo up").await;
        pick(&nvim, "Stop it").await;
        until("it ended", || processes("sleep 4711").is_empty()).await;
        nvim.see_no("in the background").await;
        nvim.quit().await;
    }
}

#[tokio::test]
async fn what_was_given_and_what_was_condensed_are_folded() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("AGENTS.md", "Be brief.\nAnd kind.\n")]).await;
        for number in 0..12 {
            scene.desk.write(&format!("project/{number}.txt"), &lines(500));
        }
        let params = json!({"workspace": scene.desk.path("project"), "trust": "trusted"});
        scene.other.request::<Value>("trust/set", params).await.expect("said");
        let nvim = chat(&scene, &version).await;
        let reads = (0..12).map(|number| answer().calls("read", json!({"path": format!("{number}.txt")})));
        scene.turn(reads.chain([answer().says("One.")])).await;
        nvim.see("◇ given: AGENTS.md").await;
        assert!(!shown(&nvim).await.contains("Be brief."));
        nvim.input("<C-w>kgg]]za").await;
        nvim.see("│ Be brief.").await;
        nvim.input("za").await;
        nvim.see_no("│ Be brief.").await;
        // Condensing leaves a line, which opens what the model reads now.
        nvim.input("<C-w>j").await;
        scene.model.allow_new_beginning();
        scene.model.answers(answer().says("The person wants brevity."));
        nvim.input("i/compact<C-s><Esc>").await;
        nvim.see("── condensed: ").await;
        assert!(!shown(&nvim).await.contains("Files read"));
        nvim.input("<C-w>kG?condensed<CR>").await;
        nvim.picture("condensed").await;
        nvim.input("K").await;
        nvim.see("what the model reads").await;
        nvim.until("vim.fn.search('Files read', 'nw') > 0").await;
        nvim.input("q").await;
        nvim.quit().await;
    }
}

#[tokio::test]
async fn after_the_daemon_was_killed_the_transcript_goes_on_without_anything_twice() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[]).await;
        let nvim = chat(&scene, &version).await;
        scene.turn([answer().says("First answer.")]).await;
        let gate = Arc::new(Notify::new());
        // The next daemon goes on with the turn, and asks the model anew.
        let half = answer().says("Second, half").waits_for(&gate);
        scene.begin_turn([half, answer().says("Second, whole.")]).await;
        nvim.see("Second, half").await;
        nvim.input("ia draft that is not sent").await;
        // What was typed is kept in time.
        nvim.until(
            "(function()
            local state = require('pilotfish.session').current()
            return state.draft == 'a draft that is not sent'
        end)()",
        )
        .await;
        signal(scene.desk.daemon().await, libc::SIGKILL);
        nvim.until("vim.g.pilotfish_status.state == 'disconnected' or vim.g.pilotfish_status.state == 'starting'")
            .await;
        nvim.until("require('pilotfish.client').state() == 'ready'").await;
        nvim.see("Second, whole.").await;
        nvim.see("a draft that is not sent").await;
        scene.model.answers(answer().says("Third."));
        nvim.input("<C-s><Esc>").await;
        nvim.see("Third.").await;
        let seen = shown(&nvim).await;
        for text in ["First answer.", "Second, whole.", "a draft that is not sent", "Third."] {
            assert_eq!(seen.matches(text).count(), 1, "{text}:\n{seen}");
        }
        let items: (usize, usize) = nvim
            .lua(
                "local state, known = require('pilotfish.session').current(), {}
                for _, item in ipairs(state.items) do known[item.id] = true end
                return { #state.items, vim.tbl_count(known) }",
            )
            .await;
        assert_eq!(items.0, items.1);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn older_items_are_loaded_when_they_are_asked_for() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[]).await;
        let names: Vec<_> = (1..=230).map(|number| json!({"path": format!("{number}.txt")})).collect();
        let many = names.iter().fold(answer(), |step, name| step.calls("read", name.clone()));
        scene.turn([many, answer().says("All read.")]).await;
        let nvim = chat(&scene, &version).await;
        nvim.see("All read.").await;
        assert!(nvim.lua::<bool>("return #require('pilotfish.session').current().items == 200").await);
        nvim.input("<C-w>kgg").await;
        nvim.see("⌃ earlier").await;
        nvim.input("<CR>").await;
        nvim.until("not require('pilotfish.session').current().before").await;
        nvim.input("gg").await;
        nvim.see("You").await;
        nvim.quit().await;
    }
}
