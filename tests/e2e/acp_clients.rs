//! Clients of the Agent Client Protocol that nobody here wrote, against the program. `tests/run acp` installs them and says where
//! they are; without it these tests are skipped.

use pilotfish::config::Dialect;
use pilotfish_tests::bins::pilotfish;
use pilotfish_tests::fake_model::{FakeModel, answer, status};
use pilotfish_tests::skipped;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;

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

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("acp").join(name)
}

/// A folder of ours that asks a scripted model, and one to work in.
fn folders(model: &FakeModel) -> (TempDir, TempDir) {
    let (home, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let config = format!(
        "model = \"fake/one\"\n[providers.fake]\ndialect = \"responses\"\nbase_url = \"{}\"\n",
        model.base_url()
    );
    std::fs::write(home.path().join("config.toml"), config).expect("a file");
    std::fs::write(folder.path().join("a.txt"), "one\n").expect("a file");
    (home, folder)
}

/// Runs a client to its end; it has to be content.
async fn check(mut client: Command, home: &TempDir) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    client.env_clear().env("PATH", path).env("HOME", home.path()).env("PILOTFISH_HOME", home.path());
    client.kill_on_drop(true);
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
    let model = FakeModel::start(Dialect::Responses).await;
    changes_a_file(&model);
    model
        .answers(answer().says("I will").hangs())
        .answers(status(401).because("no such key"))
        .answers(answer().says("one "))
        .answers(answer().says("two"))
        .answers(answer().says("again"));
    let (home, folder) = folders(&model);
    let mut client = Command::new(python);
    client.arg(script("sdk.py")).arg(pilotfish()).arg(folder.path());
    check(client, &home).await;
}

#[tokio::test]
async fn acpx_works_with_it() {
    let Some(acpx) = place("PILOTFISH_TEST_ACPX") else { return };
    let model = FakeModel::start(Dialect::Responses).await;
    changes_a_file(&model);
    model.allow_new_beginning();
    model.answers(answer().says("hello")).answers(answer().says("I will").hangs());
    let (home, folder) = folders(&model);
    let mut client = Command::new("bash");
    client.arg(script("acpx.sh")).arg(acpx).arg(pilotfish()).arg(folder.path());
    check(client, &home).await;
}
