//! The scenes that the plugin's README shows. With `PILOTFISH_TEST_PICTURES` set they are drawn into `target/tests/pictures`.

use crate::scene::{Scene, drawn};
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::nvim::versions;
use serde_json::json;

const CODE: &str = r"use std::time::{Duration, Instant};

/// Reports a change once the folder has been quiet for a while.
pub struct Watcher {
    last: Option<Instant>,
    clock: Clock,
}

impl Watcher {
    pub fn changed(&mut self) {
        self.last = Some(Instant::now());
    }

    /// Whether it is time to report.
    pub fn is_due(&self) -> bool {
        let delay = Duration::from_millis(10);
        match self.last {
            Some(last) => last.elapsed() > delay,
            None => false,
        }
    }
}
";

#[tokio::test]
async fn what_the_readme_shows_is_so() {
    for version in versions() {
        let mut scene = Scene::begin("agent", &[("watch.rs", CODE)]).await;
        let nvim = scene.nvim_of(&version, (120, 32), "watch.rs").await;
        nvim.command("Pilotfish chat").await;
        nvim.see("Ask, or / for commands").await;
        nvim.input("<C-w>t").await;
        let words = "The test sleeps 10 ms and expects **11** to have passed. `is_due` reads the machine's clock, so it depends on the load.";
        scene.model.allow_new_beginning();
        scene.model.answers(answer().says(words).calls("read", json!({"path": "watch.rs"})));
        let first = json!({"path": "watch.rs", "old": "        self.last = Some(Instant::now());\n", "new": "        self.last = Some(self.clock.now());\n"});
        let second = json!({
            "path": "watch.rs",
            "old": "        let delay = Duration::from_millis(10);\n        match self.last {\n            Some(last) => last.elapsed() > delay,\n            None => false,\n        }\n",
            "new": "        self.last.is_some_and(|last| self.clock.since(last) > DELAY)\n"
        });
        scene.model.answers(answer().calls("edit", first.clone()).calls("edit", second));
        scene.model.answers(answer().says("Both now ask the clock of the watcher, which a test can stop:\n\n1. `watch.rs:11` notes the time\n2. `watch.rs:16` compares it"));
        nvim.command("Pilotfish ask Why does the debounce test fail one time in ten?").await;
        nvim.see("compares it").await;
        nvim.until(&drawn(2)).await;
        nvim.until("vim.g.pilotfish_status.state == 'idle'").await;
        nvim.input("]h").await;
        nvim.command("echo ''").await;
        nvim.picture("readme-review").await;

        std::fs::create_dir(scene.desk.path("outside")).expect("a folder");
        let copies =
            json!({"command": "install -D watch.rs ../outside/watch.rs", "write": [scene.desk.path("outside")]});
        scene.begin_turn([answer().calls("shell", copies), answer().says("Then not.")]).await;
        nvim.see("Needs you").await;
        nvim.command("Pilotfish approve").await;
        nvim.until("vim.bo.filetype == 'pilotfish-approval'").await;
        nvim.input("3").await;
        nvim.until("vim.fn.search('Save and allow', 'nw') > 0").await;
        nvim.command("echo ''").await;
        nvim.picture("readme-approval").await;
        nvim.input("b4").await;
        nvim.until("vim.api.nvim_get_mode().mode == 'c'").await;
        nvim.input("<CR>").await;
        scene.end_turn().await;

        nvim.command("Pilotfish undo all").await;
        nvim.until(&drawn(0)).await;
        nvim.command("Pilotfish mode read-only").await;
        nvim.see("○ read-only").await;
        scene.turn([answer().calls("edit", first), answer().says("Proposed.")]).await;
        nvim.until(&drawn(1)).await;
        nvim.command("set background=light").await;
        nvim.command("echo ''").await;
        nvim.picture("readme-proposal").await;
        nvim.quit().await;
    }
}
