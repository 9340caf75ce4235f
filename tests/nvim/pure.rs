//! The pure parts of the plugin, each tested in Lua by a Neovim that shows nothing.

use pilotfish_tests::desk::{Desk, LIMIT};
use pilotfish_tests::nvim::{plugin, versions};
use std::path::Path;
use std::process::Output;

async fn check(name: &str) {
    for version in versions() {
        let desk = Desk::default();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("nvim/pure").join(name);
        let mut command = desk.pilotfish_at(&version.program, &["--clean", "-n", "-i", "NONE"]);
        command.args(["--cmd", &format!("set runtimepath^={}", plugin().display())]).arg("-l").arg(script);
        let run: Output = tokio::time::timeout(LIMIT, command.output()).await.expect("in time").expect("it starts");
        assert!(run.status.success() && run.stdout == b"ok\n", "{}: {run:?}", version.name);
    }
}

#[tokio::test]
async fn a_session_is_folded() {
    check("fold.lua").await;
}

#[tokio::test]
async fn a_transcript_is_drawn() {
    check("transcript.lua").await;
}

#[tokio::test]
async fn ends_of_lines_stay_where_they_belong() {
    check("endings.lua").await;
}
