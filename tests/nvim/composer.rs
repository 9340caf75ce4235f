//! Where messages are written: sending, waiting, steering, drafts in two editors, what goes along, and completion.

use crate::scene::Scene;
use crate::talk::{chat, keep_lists, list, pick};
use expect_test::expect;
use pilotfish_protocol::{SessionUpdate, Update};
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::nvim::versions;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

/// What is written in the composer.
const WRITTEN: &str = "return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(require('pilotfish.composer').window()), 0, -1, true), '|')";

#[tokio::test]
async fn messages_wait_are_changed_taken_back_and_steered() {
    for version in versions() {
        let mut scene = Scene::begin("read-only", &[]).await;
        let nvim = chat(&scene, &version).await;
        keep_lists(&nvim).await;
        let gate = Arc::new(Notify::new());
        let first = answer().says("One.").waits_for(&gate).calls("read", json!({"path": "notes.txt"}));
        scene.begin_turn([first, answer().says("Two."), answer().says("Three.")]).await;
        nvim.see("One.").await;
        // Sent by each of its keys, in this order.
        nvim.input("ithe second<C-s>the third<Esc><CR>").await;
        nvim.see("◷ then: the third").await;
        nvim.input("ithe fourth<Esc>:w<CR>").await;
        nvim.see("◷ then: the fourth").await;
        nvim.picture("queue").await;
        // One is changed, and what was being written comes back after.
        nvim.input("ihalf a thou<Esc>").await;
        nvim.command("Pilotfish queue").await;
        assert_eq!(list(&nvim).await, "pilotfish.queue\nthe second\nthe third\nthe fourth");
        pick(&nvim, "the second").await;
        pick(&nvim, "Change it").await;
        nvim.see("a waiting message").await;
        assert_eq!(nvim.lua::<String>(WRITTEN).await, "the second");
        nvim.input("A one<CR>").await;
        nvim.input("<Esc><CR>").await;
        nvim.see("next: the second one").await;
        nvim.until(&format!("(function() {WRITTEN} end)() == 'half a thou'")).await;
        for text in ["the third", "the fourth"] {
            nvim.command("Pilotfish queue").await;
            pick(&nvim, text).await;
            pick(&nvim, "Take it back").await;
            nvim.see_no(&format!("then: {text}")).await;
        }
        // By its own key a message reaches the running turn.
        nvim.input("0Dimake it short<M-CR>").await;
        nvim.until(&format!("(function() {WRITTEN} end)() == ''")).await;
        gate.notify_one();
        scene.end_turn().await;
        nvim.see("Three.").await;
        nvim.until("vim.g.pilotfish_status.state == 'idle'").await;
        let told = scene.model.requests();
        let steered = told[1].body["input"].to_string();
        assert!(steered.contains("make it short"), "{steered}");
        let last = told.last().expect("requests").body["input"].to_string();
        assert!(last.contains("the second one") && !last.contains("the third"), "{last}");
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_draft_is_the_same_in_both_editors_and_outlives_them() {
    for version in versions() {
        let mut scene = Scene::begin("read-only", &[]).await;
        let nvim = chat(&scene, &version).await;
        nvim.input("ifirst line<CR>and a").await;
        let is_draft = |update: &SessionUpdate| matches!(&update.update, Update::DraftChanged { text } if text == "first line\nand a");
        scene.other.updates_until(is_draft).await;
        nvim.input(" b").await;
        let is_draft = |update: &SessionUpdate| matches!(&update.update, Update::DraftChanged { text } if text.ends_with("and a b"));
        scene.other.updates_until(is_draft).await;
        nvim.kill().await;

        let nvim = chat_with(&scene, &version, "and a b").await;
        let params = json!({"sessionId": scene.session, "text": "written elsewhere"});
        scene.other.request::<Value>("session/draft", params).await.expect("kept");
        nvim.see("written elsewhere").await;
        // An editor with a draft can be left without a question.
        assert!(nvim.lua::<bool>("return not vim.bo.modified and vim.bo.filetype == 'pilotfish-message'").await);
        nvim.quit().await;
    }
}

async fn chat_with(scene: &Scene, version: &pilotfish_tests::nvim::Version, text: &str) -> pilotfish_tests::nvim::Nvim {
    let nvim = scene.nvim_of(version, (110, 36), "notes.txt").await;
    nvim.command("Pilotfish chat").await;
    nvim.see(text).await;
    nvim
}

#[tokio::test]
async fn files_and_lines_go_along_and_the_daemon_completes() {
    for version in versions() {
        let scene =
            Scene::begin("read-only", &[("watch.rs", "fn main() {}\n"), ("watcher.rs", "fn other() {}\n")]).await;
        let nvim = chat(&scene, &version).await;
        nvim.input("<C-w>t").await;
        nvim.command("Pilotfish add").await;
        nvim.command("2,3Pilotfish add").await;
        nvim.see("@notes.txt  @notes.txt:2-3").await;
        nvim.picture("chips").await;
        // Again takes it away.
        nvim.command("2,3Pilotfish add").await;
        nvim.see_no("@notes.txt  @notes.txt:2-3").await;
        scene.model.answers(answer().says("Seen."));
        nvim.input("<C-w>b").await;
        nvim.input("isee @wat<C-x><C-o>").await;
        nvim.see("watcher.rs").await;
        nvim.picture("completion").await;
        // By default the oldest puts the first in at once; in the newest none is chosen before a key says so.
        let choose = if version.name == "oldest" { "<C-y>" } else { "<C-n><C-y>" };
        nvim.input(choose).await;
        nvim.until(&format!("(function() {WRITTEN} end)():find('@watch', 1, true)")).await;
        nvim.input("<C-s>").await;
        nvim.see("Seen.").await;
        let asked = scene.model.requests().pop().expect("a request").body["input"].to_string();
        assert!(asked.contains("fn main()") | asked.contains("fn other()") && asked.contains("three"), "{asked}");
        nvim.see_no("▌@notes.txt").await;
        // A candidate that is no text is done, typed whole or chosen.
        nvim.input("<Esc>i/agent<C-s>").await;
        nvim.see("● agent").await;
        nvim.until(&format!("(function() {WRITTEN} end)() == ''")).await;
        nvim.input("/<C-x><C-o>").await;
        nvim.see("changes are proposals").await;
        nvim.picture("commands").await;
        nvim.input(if version.name == "oldest" { "<C-n><C-y>" } else { "<C-n><C-n><C-y>" }).await;
        nvim.see("○ read-only").await;
        nvim.until(&format!("(function() {WRITTEN} end)() == ''")).await;
        assert_eq!(scene.model.requests().len(), 1);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_range_is_asked_about_without_leaving_the_file() {
    for version in versions() {
        let scene = Scene::begin("read-only", &[]).await;
        let nvim = scene.nvim_of(&version, (110, 36), "notes.txt").await;
        scene.model.answers(answer().says("It is the second."));
        nvim.command("2,3Pilotfish ask what is this?").await;
        nvim.see("It is the second.").await;
        assert_eq!(nvim.lua::<String>("return vim.fn.expand('%:t')").await, "notes.txt");
        let asked = scene.model.requests().pop().expect("a request").body["input"].to_string();
        assert!(asked.contains("notes.txt:2-3"), "{asked}");
        nvim.see("@notes.txt:2-3").await;
        expect!["You"].assert_eq(
            &nvim.lua::<String>("return vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(require('pilotfish.chat').window()), 0, 1, true)[1]").await,
        );
        nvim.quit().await;
    }
}

#[tokio::test]
async fn what_is_typed_without_a_connection_counts_once_there_is_one() {
    for version in versions() {
        let mut scene = Scene::begin("read-only", &[]).await;
        let nvim = chat(&scene, &version).await;
        nvim.input("ibefore<Esc>").await;
        let is_draft =
            |update: &SessionUpdate| matches!(&update.update, Update::DraftChanged { text } if text == "before");
        scene.other.updates_until(is_draft).await;
        nvim.run(
            "local buffer = vim.api.nvim_win_get_buf(require('pilotfish.composer').window())
             local client = require('pilotfish.client')
             client.on_state(function(state)
               if state == 'starting' then
                 vim.api.nvim_buf_set_lines(buffer, 0, -1, true, { 'typed meanwhile' })
                 vim.api.nvim_exec_autocmds('TextChanged', { buffer = buffer })
               end
             end)
             client.restart()",
        )
        .await;
        let is_draft = |update: &SessionUpdate| matches!(&update.update, Update::DraftChanged { text } if text == "typed meanwhile");
        scene.other.updates_until(is_draft).await;
        nvim.until("require('pilotfish.session').current().draft == 'typed meanwhile'").await;
        assert_eq!(nvim.lua::<String>(WRITTEN).await, "typed meanwhile");
        nvim.quit().await;
    }
}

#[tokio::test]
async fn an_unloaded_chat_is_whole_when_it_is_opened_again() {
    for version in versions() {
        let scene = Scene::begin("read-only", &[]).await;
        let nvim = chat(&scene, &version).await;
        nvim.input("ikept text<Esc>").await;
        nvim.command("bdelete").await;
        nvim.run("require('pilotfish.chat').open(true)").await;
        nvim.until(&format!("(function() {WRITTEN} end)() == 'kept text'")).await;
        nvim.run("vim.cmd.bdelete(vim.api.nvim_win_get_buf(require('pilotfish.chat').window()))").await;
        nvim.until("not require('pilotfish.chat').window() and not require('pilotfish.composer').window()").await;
        nvim.command("Pilotfish chat").await;
        scene.model.answers(answer().says("It is whole."));
        nvim.input("<CR>").await;
        nvim.see("It is whole.").await;
        nvim.until(&format!("(function() {WRITTEN} end)() == ''")).await;
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_message_that_is_refused_comes_back_before_what_was_typed_since() {
    for version in versions() {
        let scene = Scene::begin("read-only", &[]).await;
        let nvim = chat(&scene, &version).await;
        nvim.run(
            "local client = require('pilotfish.client')
             local request = client.request
             client.request = function(method, params, callback)
               if method ~= 'session/prompt' then
                 return request(method, params, callback)
               end
               client.request = request
               refuse = function() callback({ code = 0, message = 'not now' }) end
             end",
        )
        .await;
        nvim.input("ithe first<Esc><CR>").await;
        nvim.until("refuse ~= nil").await;
        nvim.input("ithe second<Esc>").await;
        nvim.run("refuse()").await;
        nvim.see("not now").await;
        assert_eq!(nvim.lua::<String>(WRITTEN).await, "the first|the second");
        nvim.quit().await;
    }
}
