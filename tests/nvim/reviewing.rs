//! Deciding about hunks: one, some, lines of one, all; by command, by key and again by a dot; with another editor on the same session.

use crate::scene::{Scene, drawn, known, lines};
use pilotfish_protocol::ReviewBase;
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::nvim::{Nvim, versions};
use serde_json::json;

/// The lines from 1 that hunks begin at.
async fn places(nvim: &Nvim) -> Vec<u64> {
    let code = "return vim.tbl_map(function(place)
        return place.first + 1
      end, require('pilotfish.review').places(0))";
    nvim.lua(code).await
}

async fn text(nvim: &Nvim) -> String {
    nvim.lua("return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\\n') .. '\\n'").await
}

/// `line N` as `N!`, for each of these.
fn shouted(count: usize, which: &[usize]) -> String {
    which.iter().fold(lines(count), |text, line| text.replace(&format!("line {line}\n"), &format!("{line}!\n")))
}

#[tokio::test]
async fn hunks_of_three_files_are_decided_about_and_both_editors_agree() {
    for version in versions() {
        let files = [("a.txt", &*lines(30)), ("b.txt", &*lines(30)), ("c.txt", &*lines(30))];
        let mut scene = Scene::begin("agent", &files).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        let read = files.iter().fold(answer(), |step, (name, _)| step.calls("read", json!({"path": name})));
        let wanted = [("a.txt", shouted(30, &[3, 20])), ("b.txt", shouted(30, &[5, 15])), ("c.txt", shouted(30, &[9]))];
        let write = wanted
            .iter()
            .fold(answer(), |step, (name, text)| step.calls("write", json!({"path": name, "content": text})));
        scene.turn([read, write, answer().says("Done.")]).await;
        assert_eq!(scene.hunks().await.len(), 5);
        nvim.until(&drawn(2)).await;
        // One is kept here and one there, one is undone, one is typed in, one is made as it was by hand.
        nvim.input(":3<CR>:Pilotfish keep<CR>").await;
        nvim.until(&drawn(1)).await;
        let b = scene.uri("b.txt");
        scene.decide("keep", json!({"uri": b, "range": {"start": 4, "end": 5}})).await;
        nvim.input(":20<CR>:Pilotfish undo<CR>").await;
        nvim.until(&drawn(0)).await;
        nvim.command("edit b.txt").await;
        known(&nvim).await;
        nvim.until(&drawn(1)).await;
        nvim.input("15GAmine<Esc>").await;
        nvim.command("edit c.txt").await;
        nvim.until(&drawn(1)).await;
        nvim.input("9Gccline 9<Esc>").await;
        nvim.until(&drawn(0)).await;
        let left = scene.hunks().await;
        let seen: Vec<_> =
            left.iter().map(|hunk| (&*hunk.uri, &*hunk.old_text, &*hunk.new_text, &*hunk.user_lines)).collect();
        assert_eq!(seen, [(&*b, "line 15\n", "15!mine\n", &[14][..])]);
        nvim.command("buffer b.txt").await;
        nvim.until(&drawn(1)).await;
        assert_eq!(places(&nvim).await, [15]);
        let counts: serde_json::Value = nvim.lua("return require('pilotfish').hunks()").await;
        assert_eq!(counts, json!({"add": 0, "change": 1, "delete": 0, "conflict": 0}));
        assert_eq!(text(&nvim).await, shouted(30, &[5, 15]).replace("15!\n", "15!mine\n"));
        let base: ReviewBase = scene.other.request("review/base", json!({"uri": b})).await.expect("a text");
        assert_eq!(base.text, shouted(30, &[5]));
        nvim.command("buffer a.txt").await;
        assert_eq!(text(&nvim).await, shouted(30, &[3]));
        assert_eq!(scene.file("a.txt"), shouted(30, &[3]));
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_hunk_that_another_editor_decides_about_vanishes_here() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(30))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        scene.agent_writes("a.txt", &shouted(30, &[3, 20])).await;
        nvim.until(&drawn(2)).await;
        nvim.run("events = 0; vim.api.nvim_create_autocmd('User', { pattern = 'PilotfishReview', callback = function() events = events + 1 end })").await;
        let first = scene.hunks().await.remove(0);
        scene.decide("keep", json!({"hunkIds": [first.id]})).await;
        nvim.until(&drawn(1)).await;
        nvim.until("events > 0").await;
        // What is read again from the disk is drawn again.
        nvim.command("edit").await;
        nvim.until(&drawn(1)).await;
        scene.decide("undo", json!({})).await;
        nvim.until(&drawn(0)).await;
        assert_eq!(text(&nvim).await, shouted(30, &[3]));
        assert!(nvim.lua::<bool>("return vim.b.pilotfish_hunks == nil").await);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn verbs_take_ranges_counts_files_and_all_and_are_repeated_by_a_dot() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(60)), ("b.txt", &lines(9))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        nvim.run(
            "vim.keymap.set({ 'n', 'x' }, 'gk', '<Plug>(pilotfish-keep-op)')
             vim.keymap.set('n', 'gK', '<Plug>(pilotfish-keep)')
             vim.keymap.set('n', 'gU', '<Plug>(pilotfish-undo)')
             vim.keymap.set({ 'x', 'o' }, 'ih', '<Plug>(pilotfish-hunk)')",
        )
        .await;
        let changed = shouted(60, &[3, 10, 20, 30, 31, 40, 50]);
        scene.agent_writes("a.txt", &changed).await;
        nvim.until(&drawn(6)).await;
        // An operator over a motion, then again elsewhere.
        nvim.input("3Ggkj").await;
        nvim.until(&drawn(5)).await;
        nvim.input("9G.").await;
        nvim.until(&drawn(4)).await;
        assert_eq!(places(&nvim).await, [20, 30, 40, 50]);
        // Keys for the hunk at the cursor, again by a dot after a jump with a count.
        nvim.input("ggjgg[h").await;
        assert_eq!(nvim.lua::<u64>("return vim.fn.line('.')").await, 50);
        nvim.input("gg2]h").await;
        assert_eq!(nvim.lua::<u64>("return vim.fn.line('.')").await, 30);
        nvim.input(":Pilotfish prev<CR>:2Pilotfish next<CR>").await;
        assert_eq!(nvim.lua::<u64>("return vim.fn.line('.')").await, 40);
        nvim.input("gU").await;
        nvim.until(&drawn(3)).await;
        nvim.input("]h.").await;
        nvim.until(&drawn(2)).await;
        assert_eq!(text(&nvim).await, shouted(60, &[3, 10, 20, 30, 31]));
        // With a count the hunks behind it too. That the agent changes several places at once makes none of them the person's.
        scene.agent_writes("a.txt", &shouted(60, &[3, 10, 20, 30, 31, 40, 50])).await;
        nvim.until(&drawn(4)).await;
        nvim.input("40G2gU").await;
        nvim.until(&drawn(2)).await;
        assert_eq!(text(&nvim).await, shouted(60, &[3, 10, 20, 30, 31]));
        // A part of a hunk, selected; the rest of it as an object.
        nvim.input("30GV:Pilotfish undo<CR>").await;
        nvim.until("vim.fn.getline(30) == 'line 30'").await;
        nvim.until(&drawn(2)).await;
        nvim.input("31Gvihy").await;
        assert_eq!(nvim.lua::<String>("return vim.fn.getreg('\"')").await, "31!\n");
        nvim.input("gkih").await;
        nvim.until(&drawn(1)).await;
        assert_eq!(places(&nvim).await, [20]);
        // The whole file, taken back, and everything.
        nvim.input(":Pilotfish keep!<CR>").await;
        nvim.until(&drawn(0)).await;
        nvim.input(":Pilotfish unkeep!<CR>").await;
        nvim.until(&drawn(4)).await;
        scene.agent_writes("b.txt", &shouted(9, &[4])).await;
        nvim.input(":Pilotfish undo all<CR>").await;
        nvim.see("everything is undone").await;
        nvim.until(&drawn(0)).await;
        assert_eq!((scene.file("a.txt"), scene.file("b.txt")), (lines(60), lines(9)));
        nvim.quit().await;
    }
}

#[tokio::test]
async fn the_quickfix_list_has_all_hunks_in_order_and_the_location_list_those_of_a_file() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(30)), ("b.txt", &lines(30))]).await;
        let nvim = scene.nvim(&version, "b.txt").await;
        scene.agent_writes("a.txt", &shouted(30, &[3, 20])).await;
        scene.agent_writes("b.txt", &shouted(30, &[5])).await;
        nvim.input(":Pilotfish review<CR>").await;
        nvim.until("vim.bo.buftype == 'quickfix'").await;
        nvim.picture("quickfix").await;
        nvim.input(":cclose<CR>:cfirst<CR>").await;
        let here = "return vim.fn.expand('%:t') .. ' ' .. vim.fn.line('.')";
        let mut walked = vec![nvim.lua::<String>(here).await];
        for _ in 0..2 {
            nvim.input(":cnext<CR>").await;
            walked.push(nvim.lua(here).await);
        }
        assert_eq!(walked, ["a.txt 3", "a.txt 20", "b.txt 5"]);
        nvim.input(":Pilotfish review file<CR>").await;
        nvim.until("vim.bo.buftype == 'quickfix'").await;
        assert_eq!(nvim.lua::<u64>("return #vim.fn.getloclist(0)").await, 1);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn keys_are_there_only_with_hunks_and_only_where_they_are_free() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(9)), ("b.txt", &lines(9))]).await;
        let nvim = scene.nvim(&version, "a.txt").await;
        nvim.command("nnoremap <buffer> ]h <Cmd>let g:theirs = 1<CR>").await;
        let maps = "return { vim.fn.maparg(']h', 'n'), vim.fn.maparg('[h', 'n') }";
        let ours = "<Plug>(pilotfish-prev)".to_owned();
        scene.agent_writes("a.txt", &shouted(9, &[3])).await;
        nvim.until(&drawn(1)).await;
        let theirs = "<Cmd>let g:theirs = 1<CR>".to_owned();
        assert_eq!(nvim.lua::<Vec<String>>(maps).await, [theirs.clone(), ours]);
        nvim.input(":Pilotfish keep all<CR>").await;
        nvim.until(&drawn(0)).await;
        assert_eq!(nvim.lua::<Vec<String>>(maps).await, [theirs, String::new()]);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_proposal_is_drawn_accepted_as_one_step_and_rejected() {
    for version in versions() {
        let mut scene = Scene::begin("read-only", &[("a.txt", &lines(30))]).await;
        let nvim = scene.nvim_of(&version, (60, 16), "a.txt").await;
        scene
            .agent_writes("a.txt", &shouted(30, &[2, 6]).replace("line 8\n", "line 8\nmore\n").replace("line 10\n", ""))
            .await;
        nvim.until(&drawn(4)).await;
        assert_eq!((text(&nvim).await, scene.file("a.txt")), (lines(30), lines(30)));
        nvim.input(":2<CR>").await;
        nvim.see("1/4 accept|reject").await;
        nvim.picture("proposal").await;
        nvim.input(":Pilotfish accept<CR>").await;
        nvim.until(&drawn(3)).await;
        assert_eq!(text(&nvim).await, shouted(30, &[2]));
        assert_eq!(scene.file("a.txt"), shouted(30, &[2]));
        nvim.input("u").await;
        assert_eq!(text(&nvim).await, lines(30));
        nvim.input(":6<CR>:Pilotfish reject<CR>").await;
        nvim.until(&drawn(2)).await;
        // Keep and undo are for what is in the text.
        nvim.input(":10<CR>:Pilotfish keep<CR>").await;
        nvim.see("nothing to keep here").await;
        nvim.input(":Pilotfish accept!<CR>").await;
        nvim.until(&drawn(0)).await;
        assert_eq!(text(&nvim).await, lines(30).replace("line 8\n", "line 8\nmore\n").replace("line 10\n", ""));
        nvim.quit().await;
    }
}

/// What was proposed for lines that were changed since is not put over them.
#[tokio::test]
async fn a_proposal_that_no_longer_fits_is_a_conflict_and_cannot_be_accepted() {
    for version in versions() {
        let mut scene = Scene::begin("read-only", &[("a.txt", &lines(12))]).await;
        let nvim = scene.nvim_of(&version, (60, 18), "a.txt").await;
        scene.agent_writes("a.txt", &shouted(12, &[2])).await;
        nvim.until(&drawn(1)).await;
        nvim.input("2Gccmine<Esc>").await;
        nvim.see("yours changed here too").await;
        nvim.picture("conflict").await;
        let mine = lines(12).replace("line 2\n", "mine\n");
        nvim.input(":Pilotfish accept<CR>").await;
        nvim.see("this hunk cannot be accepted").await;
        assert_eq!(text(&nvim).await, mine);
        assert!(!nvim.mode().await.1);
        nvim.input(":Pilotfish reject<CR>").await;
        nvim.until(&drawn(0)).await;
        assert_eq!(text(&nvim).await, mine);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn the_old_text_and_a_comparison_can_be_looked_at() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(40))]).await;
        let nvim = scene.nvim_of(&version, (90, 24), "a.txt").await;
        let gone: String = (5..=34).map(|line| format!("line {line}\n")).collect();
        scene.agent_writes("a.txt", &lines(40).replace(&gone, "all of them\n")).await;
        nvim.until(&drawn(1)).await;
        nvim.input(":5<CR>").await;
        nvim.see("⋯ 18 more (:Pilotfish old)").await;
        nvim.input(":Pilotfish old<CR>").await;
        nvim.until("vim.api.nvim_win_get_config(0).relative ~= ''").await;
        assert_eq!(text(&nvim).await, gone);
        nvim.picture("old").await;
        nvim.input("q").await;
        nvim.until("vim.api.nvim_win_get_config(0).relative == ''").await;
        nvim.input(":Pilotfish diff<CR>").await;
        nvim.until("#vim.api.nvim_list_tabpages() == 2 and #vim.api.nvim_tabpage_list_wins(0) == 2").await;
        nvim.picture("diff").await;
        assert!(nvim.lua::<bool>("return vim.wo.diff and vim.fn.expand('%:t') == 'a.txt'").await);
        nvim.input("<C-w>h").await;
        assert_eq!(text(&nvim).await, lines(40));
        nvim.input("q").await;
        nvim.until("#vim.api.nvim_list_tabpages() == 1").await;
        assert!(!nvim.lua::<bool>("return vim.wo.diff").await);
        nvim.quit().await;
    }
}
