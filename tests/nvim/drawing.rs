//! How hunks look: over the real text, which drawing leaves alone.

use crate::scene::{Scene, drawn, lines};
use expect_test::expect;
use pilotfish_tests::nvim::versions;

/// What ours are linked to, which is what the screen knows.
const GROUPS: &[&str] = &["DiffAdd", "DiffDelete", "DiffText", "DiffChange", "Added", "Removed", "DiagnosticWarn"];

#[tokio::test]
async fn hunks_are_drawn_at_the_first_line_the_last_and_between() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(12))]).await;
        let nvim = scene.nvim_of(&version, (50, 24), "a.txt").await;
        let text = lines(12)
            .replace("line 1\n", "line one\n")
            .replace("line 5\n", "")
            .replace("line 8\n", "line 8\nand 日本\tone\n")
            .replace("line 12\n", "");
        scene.agent_writes("a.txt", &text).await;
        nvim.until(&drawn(4)).await;
        let tick: u64 = nvim.lua("return vim.b.changedtick").await;
        let screen = nvim.screen().await;
        nvim.picture("drawing").await;
        expect![[r#"
            │  line 1
             2..50 DiffDelete
            │▎ line one                          1/4 keep|undo
             0..2 Added
             2..7 DiffAdd
             7..10 DiffAdd+DiffText
             10..35 DiffAdd
            │  line 2
            │  line 3
            │  line 4
            │  line 5
             2..50 DiffDelete
            │▔ line 6
             0..2 Removed
            │  line 7
            │  line 8
            │▎ and 日本        one
             0..2 Added
             2..50 DiffAdd
            │  line 9
            │  line 10
            │▁ line 11
             0..2 Removed
            │  line 12
             2..50 DiffDelete
            │~
            │~
            │~
            │~
            │~
            │~
            │~
            │~
            │a.txt                           1,1            All
            │
        "#]]
        .assert_eq(&screen.with_groups(GROUPS));
        assert_eq!(nvim.lua::<u64>("return vim.b.changedtick").await, tick);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn long_deletions_wrapped_lines_and_folds_are_drawn() {
    for version in versions() {
        let long = "a word or two ".repeat(8);
        let whole = lines(90).replace("line 80\n", &format!("{long}\n"));
        let mut scene = Scene::begin("agent", &[("a.txt", &whole)]).await;
        let nvim = scene.nvim_of(&version, (50, 26), "a.txt").await;
        let gone: String = (5..=64).map(|line| format!("line {line}\n")).collect();
        let text =
            whole.replace(&gone, "").replace(&long, &format!("{long}and one more")).replace("line 85\n", "eighty\n");
        scene.agent_writes("a.txt", &text).await;
        nvim.until(&drawn(3)).await;
        // Over the deletion, which is one step, to lines that are folded, and to one that is wrapped.
        nvim.input(":6,9fold<CR>ggjjjj").await;
        expect![[r#"
            │  line 1
            │  line 2
            │  line 3
            │  line 4
            │  line 5
             2..50 DiffDelete
            │  line 6
             2..50 DiffDelete
            │  line 7
             2..50 DiffDelete
            │  line 8
             2..50 DiffDelete
            │  line 9
             2..50 DiffDelete
            │  line 10
             2..50 DiffDelete
            │  line 11
             2..50 DiffDelete
            │  line 12
             2..50 DiffDelete
            │  line 13
             2..50 DiffDelete
            │  line 14
             2..50 DiffDelete
            │  line 15
             2..50 DiffDelete
            │  line 16
             2..50 DiffDelete
            │  ⋯ 48 more (:Pilotfish old)
             2..50 DiffDelete
            │▔ line 65                           1/3 keep|undo
             0..2 Removed
            │  +--  4 lines: line 66···························
            │  line 70
            │  line 71
            │  line 72
            │  line 73
            │  line 74
            │a.txt                           5,1            Top
            │:6,9fold
        "#]]
        .assert_eq(&nvim.screen().await.with_groups(GROUPS));
        nvim.input("j").await;
        assert_eq!(nvim.screen().await.cursor(), (18, 2));
        nvim.picture("long").await;
        nvim.quit().await;
    }
}

/// Marks that are put above the first line can be seen there, and do not hold the view up.
#[tokio::test]
async fn lines_that_are_gone_above_the_first_one_are_seen_at_the_top() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(90))]).await;
        let nvim = scene.nvim_of(&version, (50, 12), "a.txt").await;
        scene.agent_writes("a.txt", &lines(90).replace("line 1\nline 2\n", "")).await;
        nvim.until(&drawn(1)).await;
        nvim.see("line 2").await;
        assert_eq!(nvim.screen().await.line(0), "  line 1");
        // Away, and back.
        nvim.input("G").await;
        nvim.see_no("line 3").await;
        nvim.input("gg").await;
        nvim.see("line 1").await;
        assert_eq!(nvim.screen().await.line(0), "  line 1");
        // Line by line out of it.
        nvim.input("<C-e>").await;
        assert_eq!(nvim.screen().await.line(0), "  line 2");
        nvim.input("<C-e><C-e>").await;
        assert_eq!(nvim.screen().await.line(0), "  line 4");
        nvim.input("<C-y>").await;
        assert_eq!(nvim.screen().await.line(0), "▔ line 3");
        nvim.quit().await;
    }
}

const BEFORE: &str = "local M = {}

--- Says hello to somebody.
function M.greet(name)
\tlocal greeting = 'Hello, ' .. name
\tprint(greeting)
\treturn true
end

function M.old()
\treturn nil
end

return M
";

#[tokio::test]
async fn code_keeps_its_colours_in_the_dark_and_in_the_light() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("hello.lua", BEFORE)]).await;
        let nvim = scene.nvim_of(&version, (72, 26), "hello.lua").await;
        nvim.command("set tabstop=4 number").await;
        nvim.run("pcall(vim.treesitter.start)").await;
        let text = BEFORE
            .replace("'Hello, ' .. name", "('Hello, %s!'):format(name)")
            .replace("print(greeting)", "print(greeting)\n\tio.flush()")
            .replace("function M.old()\n\treturn nil\nend\n\n", "");
        scene.agent_writes("hello.lua", &text).await;
        nvim.until(&drawn(3)).await;
        nvim.input("5G").await;
        nvim.see("keep|undo").await;
        let screen = nvim.screen().await;
        let row = (0..26).find(|row| screen.line(*row).contains(".. name")).expect("the old line");
        let cells = &screen.rows()[row];
        let groups = |text: &str| {
            let line: String = cells.iter().map(|cell| cell.text.as_str()).collect();
            let at = line.find(text).expect("it is there");
            screen.look(&cells[line[..at].chars().count()]).groups
        };
        // A group without a background of its own stands over the colours of code, any other below.
        assert_eq!(groups("Hello"), ["String", "DiffDelete"]);
        nvim.picture("code-dark").await;
        nvim.command("highlight DiffDelete guifg=NONE guibg=#4b1818 gui=NONE | doautocmd ColorScheme").await;
        nvim.picture("code-tinted").await;
        nvim.command("colorscheme default").await;
        nvim.command("set background=light").await;
        nvim.picture("code-light").await;
        // Another scheme has its own colours for what ours are linked to.
        nvim.command("set background=dark | colorscheme habamax").await;
        nvim.picture("code-habamax").await;
        nvim.command("set background=light | colorscheme morning").await;
        nvim.picture("code-morning").await;
        assert!(nvim.screen().await.with_groups(GROUPS).contains("DiffAdd"));
        nvim.quit().await;
    }
}

/// Of a thousand hunks only those that are seen are drawn whole, and typing draws none anew.
#[tokio::test]
async fn a_thousand_hunks_cost_what_is_seen_of_them() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(5000))]).await;
        let nvim = scene.nvim_of(&version, (80, 24), "a.txt").await;
        let text = (1..=5000).map(|line| if line % 5 == 0 { format!("{line}!\n") } else { format!("line {line}\n") });
        scene.agent_writes("a.txt", &text.collect::<String>()).await;
        nvim.until(&drawn(1000)).await;
        nvim.input("5G").await;
        nvim.see("1/1000 keep|undo").await;
        let work = "return { require('pilotfish.draw').work.placed, require('pilotfish.draw').work.dressed }";
        let [placed, dressed]: [u64; 2] = nvim.lua(work).await;
        assert!(placed <= 2000 && dressed <= 100, "{placed} {dressed}");
        nvim.run("lists = 0; require('pilotfish.client').on('review/changed', function() lists = lists + 1 end)").await;
        nvim.input("2500Gzz").await;
        nvim.input("O").await;
        for character in "typed while all of them are drawn".chars() {
            nvim.input(&character.to_string()).await;
        }
        nvim.input("<Esc>").await;
        nvim.until("lists > 0").await;
        let [again, seen]: [u64; 2] = nvim.lua(work).await;
        assert!(again - placed <= 5 && seen <= dressed + 60, "{placed} {again}, {dressed} {seen}");
        nvim.picture("thousand").await;
        nvim.quit().await;
    }
}

#[tokio::test]
async fn less_is_drawn_where_less_is_wanted_and_lines_of_ones_own_are_told_apart() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", &lines(8))]).await;
        let nvim = scene.nvim_of(&version, (40, 12), "a.txt").await;
        scene.agent_writes("a.txt", &lines(8).replace("line 3\nline 4\n", "three\nfour\nand more\n")).await;
        nvim.until(&drawn(1)).await;
        nvim.input("4GAmine<Esc>1G").await;
        nvim.until("#require('pilotfish.review').places(0)[1].hunk.userLines == 1").await;
        expect![[r#"
            │  line 1
            │  line 2
            │  line 3
             2..40 DiffDelete
            │  line 4
             2..40 DiffDelete
            │▎ three
             0..2 Added
             2..40 DiffAdd
            │▎ fourmine
             0..2 Added
             2..40 DiffAdd+DiffChange
            │▎ and more
             0..2 Added
             2..40 DiffAdd
            │  line 5
            │  line 6
            │  line 7
            │a.txt [+]             1,6            Top
            │
        "#]]
        .assert_eq(&nvim.screen().await.with_groups(GROUPS));
        nvim.picture("own-lines").await;
        nvim.run(
            "vim.g.pilotfish = { diff = 'signs' } require('pilotfish.draw').redraw(vim.api.nvim_get_current_buf())",
        )
        .await;
        expect![[r#"
            │  line 1
            │  line 2
            │▎ three
             0..2 Added
            │▎ fourmine
             0..2 Added
            │▎ and more
             0..2 Added
            │  line 5
            │  line 6
            │  line 7
            │  line 8
            │~
            │a.txt [+]             1,6            Top
            │
        "#]]
        .assert_eq(&nvim.screen().await.with_groups(GROUPS));
        nvim.run(
            "vim.g.pilotfish = { diff = 'none' } require('pilotfish.draw').redraw(vim.api.nvim_get_current_buf())",
        )
        .await;
        expect![[r#"
            │line 1
            │line 2
            │three
            │fourmine
            │and more
            │line 5
            │line 6
            │line 7
            │line 8
            │~
            │a.txt [+]             1,6            Top
            │
        "#]]
        .assert_eq(&nvim.screen().await.with_groups(GROUPS));
        nvim.input(":Pilotfish next<CR>").await;
        assert_eq!(nvim.lua::<u64>("return vim.fn.line('.')").await, 3);
        nvim.quit().await;
    }
}
