//! What the agent changes in a text that is open: it meets neither the person's typing nor their view, and can be undone apart.

use crate::scene::{Scene, drawn, edits, known, lines};
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::nvim::{Nvim, versions};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;

/// The text of the current buffer.
async fn text(nvim: &Nvim) -> String {
    nvim.lua("return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\\n') .. '\\n'").await
}

#[tokio::test]
async fn an_edit_while_text_is_inserted_is_a_step_of_undo_of_its_own() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(40))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        nvim.input("iuser1 ").await;
        nvim.until("vim.fn.getline(1) == 'user1 line 1'").await;
        scene.turn(edits("a.txt", "line 30\n", "line thirty\n")).await;
        nvim.until("vim.fn.getline(30) == 'line thirty'").await;
        nvim.input("user2 ").await;
        nvim.until("vim.fn.getline(1) == 'user1 user2 line 1'").await;
        assert_eq!(nvim.mode().await.0, "i");
        nvim.input("<Esc>").await;
        let all = lines(40).replace("line 1\n", "user1 user2 line 1\n").replace("line 30\n", "line thirty\n");
        assert_eq!(text(&nvim).await, all);
        for expected in [
            lines(40).replace("line 1\n", "user1 line 1\n").replace("line 30\n", "line thirty\n"),
            lines(40).replace("line 1\n", "user1 line 1\n"),
            lines(40),
        ] {
            nvim.input("u").await;
            assert_eq!(text(&nvim).await, expected, "in the {} Neovim", version.name);
        }
        nvim.quit().await;
    }
}

#[tokio::test]
async fn keep_is_no_step_of_undo_and_undo_is_one() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(20))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        let changed = lines(20).replace("line 2\n", "two\n").replace("line 9\n", "nine\n");
        scene.agent_writes("a.txt", &changed).await;
        nvim.until(&drawn(2)).await;
        let before: u64 = nvim.lua("return vim.fn.undotree().seq_last").await;
        nvim.input(":2<CR>:Pilotfish keep<CR>").await;
        nvim.until(&drawn(1)).await;
        assert_eq!(nvim.lua::<u64>("return vim.fn.undotree().seq_last").await, before);
        nvim.input(":9<CR>:Pilotfish undo<CR>").await;
        nvim.until(&drawn(0)).await;
        assert_eq!(text(&nvim).await, lines(20).replace("line 2\n", "two\n"));
        assert_eq!(nvim.lua::<u64>("return vim.fn.undotree().seq_last").await, before + 1);
        nvim.input("u").await;
        assert_eq!(text(&nvim).await, changed);
        nvim.quit().await;
    }
}

#[derive(Deserialize, Debug, PartialEq)]
struct View {
    window: u64,
    windows: u64,
    top: String,
    line: String,
    column: u64,
    mode: String,
}

async fn view(nvim: &Nvim) -> View {
    let code = "local view = vim.fn.winsaveview()
        return {
          window = vim.api.nvim_get_current_win(),
          windows = #vim.api.nvim_list_wins(),
          top = vim.fn.getline(view.topline),
          line = vim.fn.getline('.'),
          column = view.col,
          mode = vim.fn.mode(),
        }";
    nvim.lua(code).await
}

#[tokio::test]
async fn edits_above_and_below_move_no_view_and_no_cursor() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(300)), ("b.txt", &lines(300))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        nvim.command("split b.txt").await;
        known(&nvim).await;
        nvim.input("150Gztjjlll<C-w>j200Gztjjll").await;
        let here = view(&nvim).await;
        nvim.input("<C-w>p").await;
        let there = view(&nvim).await;
        nvim.input("<C-w>p").await;
        assert_eq!((here.top.as_str(), there.top.as_str()), ("line 200", "line 150"));
        let changed = |text: String| {
            let more = (1..=30).map(|line| format!("new {line}\n")).collect::<String>();
            text.replace("line 3\n", &format!("line 3\n{more}")).replace("line 250\n", "two\nthree\n")
        };
        scene.agent_writes("a.txt", &changed(lines(300))).await;
        scene.agent_writes("b.txt", &changed(lines(300)).replace("line 5\n", "")).await;
        nvim.until(&drawn(2)).await;
        assert_eq!(view(&nvim).await, here, "in the {} Neovim", version.name);
        assert!(!nvim.mode().await.1);
        nvim.input("<C-w>p").await;
        nvim.until(&drawn(3)).await;
        assert_eq!(view(&nvim).await, there, "in the {} Neovim", version.name);
        nvim.quit().await;
    }
}

/// Every character lands where the cursor was, whatever goes on elsewhere, and nothing asks for a key.
#[tokio::test]
async fn typing_goes_on_while_twenty_files_change() {
    for version in versions() {
        let names: Vec<String> = (0..20).map(|number| format!("f{number}.txt")).collect();
        let text_of = lines(60);
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), text_of.as_str())).collect();
        let mut scene = Scene::begin("agent", &files).await;
        let nvim = scene.nvim_of(&version, (80, 10), "f0.txt").await;
        for name in &names[1..] {
            nvim.command(&format!("badd {name}")).await;
        }
        nvim.command("vsplit f1.txt | wincmd p | set hidden").await;
        let read = names.iter().fold(answer(), |step, name| step.calls("read", json!({"path": name})));
        let wrote = names.iter().fold(answer(), |step, name| {
            let change = |old: &str, new: &str| json!({"path": name, "old_string": old, "new_string": new});
            step.calls("edit", change("line 50\n", "line fifty\nand more\n")).calls("edit", change("line 40\n", ""))
        });
        let before = view(&nvim).await;
        scene.begin_turn([read, wrote, answer().says("Done.")]).await;
        nvim.input("i").await;
        let typed: String = ('a'..='z').cycle().take(200).collect();
        for character in typed.chars() {
            nvim.input(&character.to_string()).await;
            assert!(!nvim.mode().await.1, "a prompt");
        }
        scene.end_turn().await;
        nvim.until("vim.fn.getline(49) == 'line fifty'").await;
        nvim.until(&format!("vim.fn.getline(1) == '{typed}line 1'")).await;
        let after = view(&nvim).await;
        assert_eq!((after.window, after.windows, after.column), (before.window, before.windows, 200));
        assert_eq!(after.mode, "i");
        assert!(!nvim.screen().await.shows("Press ENTER"));
        nvim.input("<Esc>").await;
        assert_eq!(
            scene.file("f7.txt"),
            text_of.replace("line 50\n", "line fifty\nand more\n").replace("line 40\n", "")
        );
        nvim.quit().await;
    }
}

#[tokio::test]
async fn what_is_typed_and_not_saved_stays_beside_an_edit() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(30))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        nvim.input("Atyped<Esc>").await;
        scene.turn(edits("a.txt", "line 20\n", "twenty\n")).await;
        nvim.until(&drawn(1)).await;
        let both = lines(30).replace("line 1\n", "line 1typed\n").replace("line 20\n", "twenty\n");
        assert_eq!(text(&nvim).await, both);
        assert!(nvim.lua::<bool>("return vim.bo.modified").await);
        assert_eq!(scene.file("a.txt"), lines(30));
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_text_that_was_saved_is_saved_again() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(30)), ("b.txt", &lines(3))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        nvim.command("autocmd BufWritePre * let g:written = expand('<afile>:t')").await;
        scene.turn(edits("a.txt", "line 20\n", "twenty\n")).await;
        nvim.until(&drawn(1)).await;
        assert_eq!(scene.file("a.txt"), lines(30).replace("line 20\n", "twenty\n"));
        assert_eq!(
            nvim.lua::<(bool, String)>("return { vim.bo.modified, vim.g.written }").await,
            (false, "a.txt".into())
        );
        // What somebody else wrote below the editor is not written over, and nobody is asked about it.
        scene.desk.write("project/a.txt", "somebody else\n");
        let answer: serde_json::Value = nvim
            .lua(
                "local range = { start = { line = 0, character = 0 }, ['end'] = { line = 1, character = 0 } }
                 local document = {
                   uri = vim.uri_from_bufnr(0),
                   version = vim.lsp.util.buf_versions[vim.api.nvim_get_current_buf()],
                 }
                 local change = { textDocument = document, edits = { { range = range, newText = 'one\\n' } } }
                 local client = vim.lsp.get_clients({ bufnr = 0 })[1]
                 local edit = { edit = { documentChanges = { change } } }
                 return require('pilotfish.edits').handle(nil, edit, { client_id = client.id })",
            )
            .await;
        assert_eq!(answer, json!({"applied": true}));
        assert!(nvim.lua::<bool>("return vim.bo.modified and vim.fn.getline(1) == 'one'").await);
        assert_eq!(scene.file("a.txt"), "somebody else\n");
        assert!(!nvim.mode().await.1);
        nvim.quit().await;
    }
}

/// The daemon's edit is of a text that the person has typed on in: it is not made, made anew, and both are there.
#[tokio::test]
async fn an_edit_of_an_older_text_is_refused_and_made_anew() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(60))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        // The first edit comes just after a key was pressed that the daemon does not know of.
        nvim.run(
            "local edits = require('pilotfish.edits')
             local handle = edits.handle
             answers = {}
             edits.handle = function(...)
               if #answers == 0 then
                 vim.api.nvim_buf_set_lines(0, 4, 5, true, { 'typed' })
               end
               local answer = handle(...)
               table.insert(answers, answer)
               return answer
             end",
        )
        .await;
        scene.turn(edits("a.txt", "line 50\n", "fifty\n")).await;
        nvim.until(&drawn(1)).await;
        let both = lines(60).replace("line 5\n", "typed\n").replace("line 50\n", "fifty\n");
        assert_eq!(text(&nvim).await, both);
        let answers: Vec<serde_json::Value> = nvim.lua("return answers").await;
        assert_eq!(answers, [json!({"applied": false}), json!({"applied": true})]);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn near_the_cursor_an_edit_waits_until_typing_stops() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(60))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        let gate = Arc::new(Notify::new());
        let [read, edit, says] = edits("a.txt", "line 8\n", "eight\n");
        scene.begin_turn([read, edit.waits_for(&gate), says]).await;
        nvim.run(
            "local edits = require('pilotfish.edits')
             local handle = edits.handle
             reasons = {}
             edits.handle = function(...)
               local answer = handle(...)
               table.insert(reasons, answer.failureReason or 'none')
               return answer
             end",
        )
        .await;
        nvim.input("4GAtyping").await;
        gate.notify_one();
        nvim.until("vim.tbl_contains(reasons, 'busy')").await;
        nvim.input(" on<Esc>").await;
        scene.end_turn().await;
        nvim.until(&drawn(1)).await;
        let both = lines(60).replace("line 4\n", "line 4typing on\n").replace("line 8\n", "eight\n");
        assert_eq!(text(&nvim).await, both);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_selection_stays_what_it_is() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(60))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        nvim.input("20GVj").await;
        // Below it at once, above it when it is done with.
        scene.turn(edits("a.txt", "line 50\n", "fifty\n")).await;
        nvim.until("vim.fn.getline(50) == 'fifty'").await;
        scene.begin_turn(edits("a.txt", "line 3\n", "three\nand four\n")).await;
        scene.model.asked(5).await;
        nvim.input("d").await;
        scene.end_turn().await;
        nvim.until("vim.fn.getline(3) == 'three'").await;
        let expected = lines(60)
            .replace("line 20\nline 21\n", "")
            .replace("line 3\n", "three\nand four\n")
            .replace("line 50\n", "fifty\n");
        assert_eq!(text(&nvim).await, expected);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn where_both_changed_the_same_lines_the_persons_stay() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(10))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        // A key is pressed just before the edit comes.
        nvim.run(
            "local edits = require('pilotfish.edits')
             local handle = edits.handle
             edits.handle = function(...)
               vim.api.nvim_buf_set_lines(0, 4, 5, true, { 'person' })
               return handle(...)
             end",
        )
        .await;
        scene.turn(edits("a.txt", "line 5\n", "agent\n")).await;
        assert_eq!(text(&nvim).await, lines(10).replace("line 5\n", "person\n"));
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_text_that_cannot_be_changed_is_not() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(10))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        nvim.command("set nomodifiable").await;
        scene.turn(edits("a.txt", "line 5\n", "five\n")).await;
        assert_eq!(text(&nvim).await, lines(10));
        let told = serde_json::to_string(&scene.model.requests().last().expect("a request").body).expect("JSON");
        assert!(told.contains("'modifiable' is off"), "{told}");
        nvim.quit().await;
    }
}

#[tokio::test]
async fn what_a_command_wrote_below_the_editor_is_read_again() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(60))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        nvim.input("20Gztjj").await;
        let before = view(&nvim).await;
        let command = "sed -i -e '3s/.*/three\\nand four/' -e '50s/.*/fifty/' a.txt";
        scene.turn([answer().calls("shell", json!({"command": command})), answer().says("Done.")]).await;
        nvim.until(&drawn(2)).await;
        assert_eq!(
            text(&nvim).await,
            lines(60).replace("line 3\n", "three\nand four\n").replace("line 50\n", "fifty\n")
        );
        assert_eq!(
            nvim.lua::<Vec<u64>>(
                "return vim.tbl_map(function(place) return place.first end, require('pilotfish.review').places(0))",
            )
            .await,
            [2, 50]
        );
        assert_eq!(view(&nvim).await, before);
        nvim.quit().await;
    }
}
