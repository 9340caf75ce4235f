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
            │▎ line one                           1/4 keep|undo
             0..2 Added
             2..7 DiffAdd
             7..10 DiffAdd+DiffText
             10..50 DiffAdd
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
        "#]].assert_eq(&screen.with_groups(GROUPS));
        assert_eq!(nvim.lua::<u64>("return vim.b.changedtick").await, tick);
        nvim.quit().await;
    }
}
