//! Editors that nobody here wrote, with their own language clients and no plugin of ours, against the program. `tests/run editors`
//! fetches them and says where they are; without it these tests are skipped.

use pilotfish_tests::bins;
use pilotfish_tests::desk::Desk;
use pilotfish_tests::fake_model::answer;
use pilotfish_tests::skipped;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long an editor may take for all it does.
const PATIENCE: Duration = Duration::from_secs(150);

/// Where an editor is, by the variable that says so.
fn place(variable: &str) -> Option<PathBuf> {
    let place = std::env::var_os(variable).map(PathBuf::from);
    if place.is_none() {
        skipped(&format!("{variable} is not set; `tests/run editors` fetches the editor and sets it"));
    }
    place
}

/// Has an editor keep one of two changes and undo the other. `arguments` come before the script, which has to be content.
async fn check(editor: &Path, arguments: &[&str], script: &str) {
    let (desk, model) = Desk::with_model("").await;
    let text: String = (1..=30).map(|line| format!("line {line}\n")).collect();
    desk.write("project/a.txt", &text);
    let edit = |old: &str, new: &str| {
        let arguments = json!({"path": "a.txt", "old_string": format!("{old}\n"), "new_string": format!("{new}\n")});
        answer().calls("edit", arguments)
    };
    model
        .answers(answer().calls("read", json!({"path": "a.txt"})))
        .answers(edit("\nline 2", "\ntwo!"))
        .answers(edit("line 20", "twenty!"))
        .answers(answer().says("changed both"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors").join(script);
    let mut editor = desk.pilotfish_at(editor, arguments);
    editor.env("TMPDIR", desk.path("user")).arg(script).arg(bins::pilotfish()).arg(desk.path("project"));
    let output = tokio::time::timeout(PATIENCE, editor.output()).await.expect("it ends").expect("it starts");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success() && out.trim_end().ends_with("ok"), "{}\n{out}\n{error}", output.status);
    let saved = std::fs::read_to_string(desk.path("project/a.txt")).expect("it is there");
    assert_eq!(saved, text.replace("line 2\n", "two!\n"));
}

#[tokio::test]
async fn neovim_keeps_one_change_and_undoes_another() {
    let Some(nvim) = place("PILOTFISH_TEST_NVIM") else { return };
    check(&nvim, &["--clean", "--headless", "-l"], "nvim.lua").await;
}

#[tokio::test]
async fn emacs_keeps_one_change_and_undoes_another() {
    let Some(emacs) = place("PILOTFISH_TEST_EMACS") else { return };
    // Without a terminal, but with a command loop.
    check(&emacs, &["-Q", "--fg-daemon=pilotfish-test", "-l"], "eglot.el").await;
}
