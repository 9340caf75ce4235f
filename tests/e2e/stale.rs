//! A build inside the sandbox, of a source that is then held back, does not leave a result that the person's own build takes for fresh.

use pilotfish_tests::desk::{Desk, LIMIT};
use pilotfish_tests::fake_model::{FakeModel, answer};
use serde_json::json;
use std::path::Path;
use tokio::process::Command;

/// Runs a script in the project, as the person does.
async fn by_hand(desk: &Desk, script: &str) -> String {
    let mut shell = Command::new("bash");
    shell.args(["-ec", script]).current_dir(desk.path("project")).env("CARGO_NET_OFFLINE", "true");
    let output = tokio::time::timeout(LIMIT, shell.output()).await.expect("in time").expect("it starts");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Builds by hand, then with another source in the sandbox, where that source is held back; and builds by hand again.
async fn check(desk: &Desk, build: &str, show: &str) {
    by_hand(desk, "printf old >.envrc; git init -q; printf 'target\\nbuild\\n' >.gitignore").await;
    by_hand(desk, build).await;
    assert_eq!(by_hand(desk, show).await, "old");
    let project = desk.path("project").display().to_string();
    let script = format!("printf new >.envrc && {build} && {show}");
    let mut runner =
        desk.pilotfish(&["sandbox", "--mode", "agent", "--workspace", &project, "--", "bash", "-ec", &script]);
    for name in ["RUSTUP_HOME", "CARGO_HOME", "RUSTUP_TOOLCHAIN"] {
        runner.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let output = tokio::time::timeout(LIMIT, runner.output()).await.expect("in time").expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("new"), "it was built inside: {said}");
    assert!(said.contains(".envrc stays as it was"), "{said}");
    assert_eq!(by_hand(desk, "cat .envrc").await, "old");
    // What was built inside lies where the person builds, and is not taken for theirs.
    assert_eq!(by_hand(desk, show).await, "new");
    by_hand(desk, build).await;
    assert_eq!(by_hand(desk, show).await, "old");
}

#[tokio::test]
async fn make_builds_again() {
    let desk = Desk::default();
    desk.write("project/Makefile", "build/out: .envrc\n\tmkdir -p build && cp .envrc build/out\n");
    check(&desk, "make --silent build/out", "cat build/out").await;
}

#[tokio::test]
async fn cargo_builds_again() {
    let desk = Desk::default();
    std::fs::create_dir(desk.path("project/src")).expect("a folder");
    let manifest = "[package]\nname = \"project\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
    desk.write("project/Cargo.toml", manifest);
    desk.write("project/src/main.rs", "fn main() { print!(\"{}\", include_str!(\"../.envrc\")); }\n");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let cargo = Path::new(&cargo).display();
    check(&desk, &format!("{cargo} build --quiet"), "target/debug/project").await;
}

/// Builds what a turn wrote, takes the source back, and builds again.
async fn check_restored(desk: &Desk, model: &FakeModel, source: &str, build: &str, show: &str) {
    by_hand(desk, build).await;
    assert_eq!(by_hand(desk, show).await, "old");
    let edit = json!({"path": source, "old_string": "old", "new_string": "new"});
    model.answers(answer().calls("edit", edit)).answers(answer().says("Done."));
    assert_eq!(desk.run(&["exec", "--mode", "agent", "make it new"]).await.status.code(), Some(0));
    by_hand(desk, build).await;
    assert_eq!(by_hand(desk, show).await, "new");
    assert_eq!(desk.run(&["checkpoint", "restore", "k1"]).await.status.code(), Some(0));
    by_hand(desk, build).await;
    assert_eq!(by_hand(desk, show).await, "old");
}

#[tokio::test]
async fn make_builds_a_restored_source() {
    let (desk, model) = Desk::with_model("").await;
    desk.write("project/source", "old");
    desk.write("project/Makefile", "out: source\n\tcp source out\n");
    check_restored(&desk, &model, "source", "make --silent out", "cat out").await;
}

#[tokio::test]
async fn cargo_builds_a_restored_source() {
    let (desk, model) = Desk::with_model("").await;
    std::fs::create_dir(desk.path("project/src")).expect("a folder");
    let manifest = "[package]\nname = \"project\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
    desk.write("project/Cargo.toml", manifest);
    desk.write("project/src/main.rs", "fn main() { print!(\"old\"); }\n");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let build = format!("{} build --quiet", Path::new(&cargo).display());
    check_restored(&desk, &model, "src/main.rs", &build, "target/debug/project").await;
}
