//! Names and texts that would do something if anybody took them for commands, and decisions that come too late.

use crate::scene::{Scene, drawn, known, lines};
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::nvim::versions;
use serde_json::json;

/// Names of files that the editor's command line, its expressions or a shell would stumble over.
const NAMES: &[&str] = &[
    "a|let g:canary = 1|b.txt",
    "new\n:let g:canary = 1\nline.txt",
    "per%cent#hash<cfile>.txt",
    "quo\"te'and`touch canary`.txt",
    "$(touch canary).txt",
    "%{execute('let g:canary = 1')}%#Error#.txt",
    "+let g:canary=1",
];

const MODELINE: &str = "vim: set modelineexpr foldmethod=expr foldexpr=execute('let\\ g:canary=1') tabstop=3 :";

#[tokio::test]
async fn names_and_modelines_do_nothing_but_be_seen() {
    for version in versions() {
        let text = lines(12);
        let files: Vec<(&str, &str)> = NAMES.iter().map(|name| (*name, text.as_str())).collect();
        let mut scene = Scene::begin("agent", &files).await;
        let nvim = scene.nvim_of(&version, (100, 30), "other.txt").await;
        nvim.command("set modeline modelineexpr statusline=%f laststatus=2").await;
        for name in NAMES {
            let name = serde_json::to_string(name).expect("JSON");
            // Newlines are written otherwise in Lua's strings than nowhere else; JSON's are the same.
            nvim.run(&format!(
                "vim.api.nvim_cmd({{ cmd = 'edit', args = {{ vim.fn.fnameescape({name}) }}, magic = {{ file = true }} }}, {{}})"
            ))
            .await;
            assert_eq!(nvim.lua::<String>("return vim.fn.getline(1)").await, "line 1", "{name}");
            known(&nvim).await;
        }
        let changed = format!("{MODELINE}\n{}", text.replace("line 6\n", &format!("six {MODELINE}\n")));
        let read = NAMES.iter().fold(answer(), |step, name| step.calls("read", json!({"path": name})));
        let write =
            NAMES.iter().fold(answer(), |step, name| step.calls("write", json!({"path": name, "content": changed})));
        scene.turn([read, write, answer().says("Done.")]).await;
        assert_eq!(scene.hunks().await.len(), 2 * NAMES.len());
        for name in NAMES {
            let quoted = serde_json::to_string(name).expect("JSON");
            nvim.run(&format!(
                "local path = vim.fn.getcwd() .. '/' .. {quoted}
                 for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
                   if vim.api.nvim_buf_get_name(bufnr) == path then
                     vim.api.nvim_set_current_buf(bufnr)
                   end
                 end"
            ))
            .await;
            nvim.until(&drawn(2)).await;
            assert_eq!(scene.file(name), changed, "it is saved");
            nvim.input("gg]h:Pilotfish old<CR>").await;
            nvim.until("vim.api.nvim_win_get_config(0).relative ~= ''").await;
            nvim.input("q:Pilotfish diff<CR>").await;
            nvim.until("#vim.api.nvim_list_tabpages() == 2").await;
            nvim.input(":tabclose<CR>:Pilotfish undo<CR>").await;
            nvim.until(&drawn(1)).await;
            nvim.input(":1Pilotfish keep<CR>").await;
            nvim.until(&drawn(0)).await;
            nvim.input(":Pilotfish unkeep!<CR>").await;
            nvim.until(&drawn(1)).await;
        }
        nvim.input(":Pilotfish review<CR>").await;
        nvim.until("vim.bo.buftype == 'quickfix'").await;
        for _ in NAMES {
            nvim.input(":cnext<CR>").await;
        }
        nvim.input(":Pilotfish<CR>").await;
        nvim.until("vim.api.nvim_win_get_config(0).relative ~= ''").await;
        nvim.input("q:Pilotfish log<CR>").await;
        nvim.until("vim.api.nvim_win_get_config(0).relative ~= ''").await;
        nvim.input("q").await;
        assert!(nvim.lua::<bool>("return vim.g.canary == nil and vim.o.tabstop == 8").await);
        assert!(!scene.desk.path("project/canary").exists());
        assert!(!nvim.mode().await.1);
        nvim.quit().await;
    }
}

/// The text is changed in the very moment in which a proposal for it is accepted.
#[tokio::test]
async fn a_proposal_is_not_put_over_what_was_just_typed() {
    for version in versions() {
        let mut scene = Scene::begin("read-only", &[("a.txt", &lines(12))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        scene.agent_writes("a.txt", &lines(12).replace("line 4\n", "four\n")).await;
        nvim.until(&drawn(1)).await;
        nvim.run(
            "vim.api.nvim_win_set_cursor(0, { 4, 0 })
             vim.api.nvim_buf_set_text(0, 3, 0, 3, 4, { 'mine' })
             vim.cmd('Pilotfish accept')",
        )
        .await;
        nvim.see("this hunk cannot be accepted").await;
        assert_eq!(nvim.lua::<String>("return vim.fn.getline(4)").await, "mine 4");
        assert_eq!(scene.file("a.txt"), lines(12));
        nvim.quit().await;
    }
}
