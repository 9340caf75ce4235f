//! Commands that look harmless and are not: whatever they run or write, in read-only mode nothing of it is left. No list of safe commands
//! could tell them from the others, and none is kept.

use pilotfish_tests::desk::Desk;
use pilotfish_tests::snapshot::snapshot;
use serde::Deserialize;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// One command, and whether it only looks.
#[derive(Deserialize)]
struct Case {
    name: String,
    command: String,
    harmless: bool,
}

const CASES: &str = include_str!("../policy/classify.jsonl");

/// Some of them never end.
const PATIENCE: Duration = Duration::from_secs(2);

/// A workspace with what the commands use: a repository with a change, an archive, a program that is up to no good.
async fn desk() -> Desk {
    let desk = Desk::default();
    desk.write("project/evil.sh", "#!/bin/sh\ntouch PWN\n");
    std::fs::set_permissions(desk.path("project/evil.sh"), std::fs::Permissions::from_mode(0o755)).expect("a program");
    let script = "mkdir bin && cp evil.sh bin/ls2 && cp evil.sh bin/hello && seq 200000 >big.txt && echo hello >a.txt && \
                  tar cf t.tar a.txt && git init -q && git add a.txt && \
                  git -c user.name=t -c user.email=t@t commit -qm x && echo hello again >a.txt";
    let mut shell = tokio::process::Command::new("bash");
    shell.args(["-c", script]).current_dir(desk.path("project")).env("HOME", desk.path("user"));
    assert!(shell.status().await.expect("it starts").success());
    desk
}

async fn run(desk: &Desk, mode: &str, command: &str) {
    let project = desk.path("project").display().to_string();
    let arguments = ["sandbox", "--mode", mode, "--workspace", &project, "--", "bash", "-c", command];
    let mut runner = desk.pilotfish(&arguments);
    let mut child = runner.spawn().expect("it starts");
    if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
        child.kill().await.expect("it can be ended");
    }
}

/// Removes what harmful commands make; says whether there was any.
fn take_away(project: &Path) -> bool {
    let made =
        ["", "bin"].iter().flat_map(|folder| std::fs::read_dir(project.join(folder)).expect("a folder").flatten());
    let made = made.filter(|entry| entry.file_name().to_string_lossy().contains("PWN"));
    made.map(|entry| std::fs::remove_file(entry.path()).expect("a file")).count() > 0
}

#[tokio::test]
async fn nothing_that_looks_harmless_leaves_anything_in_read_only_mode() {
    let (desk, other) = (desk().await, desk().await);
    let everything = |desk: &Desk| [snapshot(&desk.path("project")), snapshot(&desk.path("user"))];
    let before = everything(&desk);
    let cases = CASES.lines().map(|line| serde_json::from_str::<Case>(line).expect("a case"));
    let (mut tried, mut harmful) = (0, 0);
    for case in cases {
        run(&desk, "read-only", &case.command).await;
        assert_eq!(everything(&desk), before, "{} leaves something: {}", case.name, case.command);
        tried += 1;
        if !case.harmless {
            run(&other, "agent", &case.command).await;
            harmful += u32::from(take_away(&other.path("project")));
        }
    }
    // Were the commands not to work at all, that they leave nothing would say nothing.
    assert!(tried == 75 && harmful >= 45, "{tried} were tried, {harmful} of them do harm where they may");
}
