//! The chat: what a turn looks like while it comes and after, and what keys do in it.

use pilotfish_tests::desk::Desk;
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::nvim::{Nvim, versions};
use serde_json::json;

const WORDS: &str = "I looked at the timer first. The **debounce** test waits `10 ms`, which is less than the clock ticks:\n\n\
                     - the timer starts late\n- the test does not wait\n\n```rust\nlet delay = clock.tick();\n```\n\nSo:";

#[tokio::test]
async fn a_turn_is_seen_as_it_comes() {
    for version in versions() {
        let (desk, model) = Desk::with_model("").await;
        model.answers(answer().thinks("The timer may be at fault. Let me read it.").says(WORDS).calls("read", json!({"path": "notes.txt"})));
        model.answers(answer().calls("edit", json!({"path": "notes.txt", "old": "two", "new": "2"})));
        model.answers(answer().says("Done: `notes.txt:2` says it in digits."));
        let nvim = Nvim::start(&desk, &version, 110, 36).await;
        nvim.run("vim.o.background = 'light'").await;
        nvim.command("edit notes.txt").await;
        nvim.enable().await;
        nvim.command("Pilotfish chat").await;
        nvim.see("Ask, or / for commands").await;
        nvim.picture("chat-empty").await;
        nvim.input("iWhy does the test fail one time in ten?<C-s>").await;
        nvim.see("says it in digits").await;
        nvim.until("vim.g.pilotfish_status.state == 'idle'").await;
        nvim.picture("chat-turn").await;
        println!("{}", nvim.screen().await.text());
        nvim.quit().await;
    }
}
