//! Clients of the Agent Client Protocol that nobody here wrote, against the program. `tests/run acp` installs them and says where
//! they are; without it these tests are skipped.

use pilotfish_tests::bins;
use pilotfish_tests::desk::Desk;
use pilotfish_tests::fake_model::{FakeModel, answer, status};
use pilotfish_tests::skipped;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a client may take for all it does.
const PATIENCE: Duration = Duration::from_secs(150);

/// Where a client is, by the variable that says so.
fn place(variable: &str) -> Option<PathBuf> {
    let place = std::env::var_os(variable).map(PathBuf::from);
    if place.is_none() {
        skipped(&format!("{variable} is not set; `tests/run acp` installs the client and sets it"));
    }
    place
}

/// Runs a client's script to its end, with these arguments before what all scripts are told; it has to be content.
async fn check(desk: &Desk, program: &Path, script: &str, arguments: &[&Path]) {
    desk.write("project/a.txt", "one\n");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("acp").join(script);
    let mut client = desk.pilotfish_at(program, &[]);
    client.arg(script).args(arguments).arg(bins::pilotfish()).arg(desk.path("project"));
    let output = tokio::time::timeout(PATIENCE, client.output()).await.expect("it ends").expect("it starts");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success() && out.trim_end().ends_with("ok"), "{}\n{out}\n{error}", output.status);
}

fn changes_a_file(model: &FakeModel) {
    model
        .answers(answer().calls("read", json!({"path": "a.txt"})))
        .answers(answer().calls("edit", json!({"path": "a.txt", "old_string": "one", "new_string": "1"})))
        .answers(answer().says("changed"));
}

#[tokio::test]
async fn the_python_sdk_works_with_it() {
    let Some(python) = place("PILOTFISH_TEST_ACP_PYTHON") else { return };
    let (desk, model) = Desk::with_model("").await;
    changes_a_file(&model);
    model
        .answers(answer().calls("write", json!({"path": ".envrc", "content": "x"})))
        .answers(answer().says("asked"))
        .answers(answer().says("I will").hangs())
        .answers(status(401).because("no such key"))
        .answers(answer().says("one "))
        .answers(answer().says("two"))
        .answers(answer().says("again"));
    check(&desk, &python, "sdk.py", &[]).await;
}

#[tokio::test]
async fn acpx_works_with_it() {
    let Some(acpx) = place("PILOTFISH_TEST_ACPX") else { return };
    let (desk, model) = Desk::with_model("").await;
    changes_a_file(&model);
    model.allow_new_beginning();
    model.answers(answer().says("hello")).answers(answer().says("I will").hangs());
    check(&desk, Path::new("bash"), "acpx.sh", &[&acpx]).await;
}
