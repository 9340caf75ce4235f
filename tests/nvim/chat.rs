//! The chat: what a turn looks like while it comes and after, what keys do in it, and what it costs.

use crate::scene::Scene;
use crate::talk::{chat, shown};
use expect_test::expect;
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::nvim::versions;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;

const WORDS: &str = "I looked at the timer first. The **debounce** test waits `10 ms`, which is less than the clock ticks:\n\n\
                     - the timer starts late\n- the test does not wait\n\n```rust\nlet delay = clock.tick();\n";

#[tokio::test]
async fn a_turn_is_drawn_as_it_comes_and_folded_when_it_is_over() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[]).await;
        let nvim = chat(&scene, &version).await;
        let gate = Arc::new(Notify::new());
        let says = answer().thinks("The timer may be at fault.\nLet me read it.").says(WORDS).waits_for(&gate);
        let steps = [
            says.says("```\n\nSo:").calls("read", json!({"path": "notes.txt"})),
            answer().calls("shell", json!({"command": "echo one; echo two; exit 3"})),
            answer().calls("edit", json!({"path": "notes.txt", "old": "two", "new": "2"})),
            answer().says("Done: `notes.txt:2` says it in digits.\n\n* see `notes.txt:1`"),
        ];
        scene.begin_turn(steps).await;
        nvim.see("let delay").await;
        nvim.see("◌ thinking").await;
        gate.notify_one();
        scene.end_turn().await;
        nvim.see("see notes.txt:1").await;
        nvim.until("vim.g.pilotfish_status.state == 'idle'").await;
        nvim.picture("chat").await;
        nvim.command("set background=light").await;
        nvim.picture("chat-light").await;
        expect![[r#"
             go                    ● agent · 110 tokens
            You
            go
              ∴ The timer may be at fault. ⋯
            I looked at the timer first. The
            debounce test waits 10 ms, which is
            less than the clock ticks:
            - the timer starts late
            - the test does not wait
            ```rust
            let delay = clock.tick();
            ```
            So:
              ✓ read notes.txt ⋯
              ✗ $ echo one; echo two; exit 3 · exit 3 ⋯
              ✓ edit notes.txt ⋯
              ✎ notes.txt +1 −1 · 1 hunk ⋯
            Done: notes.txt:2 says it in digits.
            * see notes.txt:1
        "#]]
        .assert_eq(&shown(&nvim).await);
        nvim.quit().await;
    }
}

#[tokio::test]
async fn keys_go_through_the_transcript_and_to_what_it_names() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("a.txt", "a\nb\nc\n")]).await;
        let nvim = chat(&scene, &version).await;
        let long = answer().calls("shell", json!({"command": "seq 1 300"}));
        scene.turn([long, answer().says("See a.txt:3, and `notes.txt`.\n\nThe end.")]).await;
        nvim.see("The end.").await;
        nvim.input("<C-w>kgg").await;
        let line = "return vim.api.nvim_get_current_line()";
        let mut heads = Vec::new();
        for _ in 0..4 {
            heads.push(nvim.lua::<String>(line).await);
            nvim.input("]]").await;
        }
        expect![[r#"
            [
                "You",
                "  ✓ $ seq 1 300 ⋯",
                "See a.txt:3, and `notes.txt`.",
                "See a.txt:3, and `notes.txt`.",
            ]
        "#]]
        .assert_debug_eq(&heads);
        // All of an output is one key away, and leaving it leads back.
        nvim.input("[[zo").await;
        nvim.see("│ 201").await;
        nvim.input("K").await;
        nvim.see("q closes").await;
        assert_eq!(nvim.lua::<usize>("return vim.api.nvim_buf_line_count(0)").await, 300);
        nvim.input("qzc").await;
        nvim.see_no("│ 201").await;
        // What is named is opened where files are.
        nvim.input("G?a.txt<CR><CR>").await;
        nvim.until("vim.fn.expand('%:t') == 'a.txt'").await;
        let place: (usize, usize) = nvim.lua("return { vim.fn.line('.'), vim.fn.winnr() }").await;
        assert_eq!(place, (3, 1));
        nvim.quit().await;
    }
}

#[tokio::test]
async fn a_reader_is_left_where_they_read_and_one_at_the_end_follows() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[]).await;
        let nvim = chat(&scene, &version).await;
        let long: String = (1..=60).map(|line| format!("line {line}  \n")).collect();
        scene.turn([answer().says(long.clone())]).await;
        nvim.see("line 60").await;
        // Not at the end: nothing moves, whatever comes.
        nvim.input("<C-w>kgg10jzt<C-w>p").await;
        let place = "local window = require('pilotfish.chat').window()
            return vim.api.nvim_win_call(window, function()
              return { vim.fn.line('w0'), vim.fn.line('.') }
            end)";
        let before: (usize, usize) = nvim.lua(place).await;
        scene
            .turn([answer().calls("read", json!({"path": "notes.txt"})), answer().says(format!("{long}end one"))])
            .await;
        nvim.until("vim.g.pilotfish_status.state == 'idle'").await;
        assert_eq!(nvim.lua::<(usize, usize)>(place).await, before);
        // At the end: it follows, also while one writes below.
        nvim.input("<C-w>kG<C-w>pisomething").await;
        scene.turn([answer().says(format!("{long}end two"))]).await;
        nvim.see("end two").await;
        nvim.see("something").await;
        nvim.quit().await;
    }
}

/// A long chat costs no more for each token than a short one: what is asked of the editor is counted.
#[tokio::test]
async fn a_token_costs_the_same_in_a_chat_of_twenty_thousand_lines() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[]).await;
        let nvim = chat(&scene, &version).await;
        let long: String = (1..=10_000).map(|line| format!("x {line}\n\n")).collect();
        scene.turn([answer().says(long)]).await;
        nvim.see("x 10000").await;
        nvim.until("vim.g.pilotfish_status.state == 'idle'").await;
        nvim.run(
            "_G.calls, _G.lines = 0, 0
            for _, name in ipairs({ 'nvim_buf_set_lines', 'nvim_buf_set_text', 'nvim_buf_get_lines' }) do
              local real = vim.api[name]
              vim.api[name] = function(buffer, ...)
                local result = real(buffer, ...)
                if vim.api.nvim_buf_get_name(buffer):find('chat') then
                  _G.calls = _G.calls + 1
                  local lines = type(result) == 'table' and result or select(select('#', ...), ...)
                  _G.lines = _G.lines + #lines
                end
                return result
              end
            end
            _G.folded = require('pilotfish.fold').update
            _G.deltas, _G.time = 0, 0
            require('pilotfish.fold').update = function(state, params)
              _G.deltas = _G.deltas + (params.update.kind == 'itemDelta' and 1 or 0)
              return _G.folded(state, params)
            end",
        )
        .await;
        let gates: Vec<_> = (0..40).map(|_| Arc::new(Notify::new())).collect();
        let mut says = answer();
        for gate in &gates {
            says = says.says("token ").waits_for(gate);
        }
        scene.begin_turn([says.says("the last")]).await;
        for (number, gate) in gates.iter().enumerate() {
            nvim.until(&format!("_G.deltas > {number}")).await;
            gate.notify_one();
        }
        scene.end_turn().await;
        nvim.until("vim.g.pilotfish_status.state == 'idle'").await;
        nvim.see("the last").await;
        let (calls, lines, deltas): (usize, usize, usize) = nvim.lua("return { _G.calls, _G.lines, _G.deltas }").await;
        // The prompt, the message, its end, and what stands below them while the turn runs; and two calls with a line each for a token.
        assert!(calls <= 24 + 2 * deltas && lines <= 24 + 2 * deltas, "{calls} calls with {lines} lines for {deltas}");
        nvim.quit().await;
    }
}
