//! How the plugin finds the daemon, loses it and finds it again, and what it tells it of the editor.

use crate::scene::{Scene, drawn, known, lines};
use pilotfish_tests::desk::Desk;
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::nvim::{Nvim, versions};
use serde_json::{Value, json};

#[tokio::test]
async fn in_an_empty_editor_the_command_explains_itself() {
    for version in versions() {
        let desk = Desk::default();
        let nvim = Nvim::start(&desk, &version, 110, 44).await;
        assert!(!nvim.lua::<bool>("return package.loaded['pilotfish.client'] ~= nil").await);
        nvim.input(":Pilotfish<CR>").await;
        nvim.see("project · pilotfish 0.1.0, 0 sessions, 0 running").await;
        let missing: Vec<String> = nvim
            .lua(
                "local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\\n')
                 local missing = {}
                 for name in pairs(require('pilotfish.commands').entries) do
                   if not text:find(':Pilotfish ' .. name .. ' ', 1, true) then
                     table.insert(missing, name)
                   end
                 end
                 return missing",
            )
            .await;
        assert_eq!(missing, [""; 0]);
        nvim.picture("explains").await;
        nvim.input("q").await;
        let completed: Vec<String> = nvim.lua("return vim.fn.getcompletion('Pilotfish re', 'cmdline')").await;
        assert_eq!(completed, ["reject", "restart", "restore", "review"]);
        let completed: Vec<String> =
            nvim.lua("return vim.fn.getcompletion(\"'<,'>Pilotfish keep! a\", 'cmdline')").await;
        assert_eq!(completed, ["all"]);
        nvim.input(":Pilotfish nonsense<CR>").await;
        nvim.see("there is no :Pilotfish nonsense").await;
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_missing_program_is_said_once_and_mended_by_a_restart() {
    for version in versions() {
        let desk = Desk::default();
        let nvim = Nvim::start(&desk, &version, 100, 12).await;
        nvim.run("vim.g.pilotfish = { program = '/nowhere/pilotfish' }").await;
        nvim.enable().await;
        nvim.command("edit notes.txt").await;
        nvim.see("there is no program /nowhere/pilotfish").await;
        nvim.command("edit other.txt").await;
        nvim.input(":messages clear<CR>:Pilotfish undo all<CR>").await;
        nvim.see("there is no program /nowhere/pilotfish").await;
        assert!(!nvim.mode().await.1);
        nvim.run("vim.g.pilotfish = nil").await;
        nvim.input(":Pilotfish restart<CR>").await;
        nvim.until("require('pilotfish.client').state() == 'ready'").await;
        nvim.quit().await;
    }
}

#[tokio::test]
async fn after_the_daemon_ended_the_connection_and_the_hunks_come_back() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(9))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        scene.agent_writes("a.txt", &lines(9).replace("line 4\n", "four\n")).await;
        nvim.until(&drawn(1)).await;
        nvim.run("states = {}; require('pilotfish.client').on_state(function(state) table.insert(states, state) end)")
            .await;
        assert!(scene.desk.run(&["stop"]).await.status.success());
        nvim.until("vim.deep_equal(states, { 'starting', 'ready' })").await;
        nvim.until(&drawn(1)).await;
        nvim.input(":4Pilotfish undo<CR>").await;
        nvim.until("vim.fn.getline(4) == 'line 4'").await;
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_file_of_no_known_kind_is_known_and_so_are_the_problems_in_it() {
    for version in versions() {
        let mut scene = Scene::begin("read-only", &[("README", "one\n"), ("unknown", "日本 x\n")]).await;
        let nvim = scene.nvim(&version, "unknown").await;
        nvim.run(
            "vim.diagnostic.set(vim.api.nvim_create_namespace('test'), 0, {
               { lnum = 0, col = 7, end_lnum = 0, end_col = 8, severity = 1, message = 'no such x', source = 'lint', code = 7 },
             })",
        )
        .await;
        known(&nvim).await;
        scene.model.allow_new_beginning();
        scene.model.answers(answer().says("I see."));
        let input = json!([{"type": "text", "text": "what?"}, {"type": "diagnostics"}]);
        let params = json!({"sessionId": scene.session, "input": input});
        scene.other.request::<Value>("session/prompt", params).await.expect("it is taken");
        scene.end_turn().await;
        let asked = scene.model.requests().last().expect("a request").body.to_string();
        assert!(asked.contains("no such x") && asked.contains("unknown:1:4"), "{asked}");
        nvim.quit().await;
    }
}
