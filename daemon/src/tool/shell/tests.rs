use super::{lost, report};
use crate::sandbox::{Exit, Finished, SandboxError, Tier};
use crate::tool::shell::effects::Effects;
use expect_test::{Expect, expect};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// Shows what the model is told of a command that said `text` and ended so.
fn check(status: Exit, text: &str, expected: Expect) {
    let finished = Finished { status, stopped: None, duration: Duration::ZERO, tier: Tier::Full };
    let output = report(&finished, text.to_owned(), Effects::default(), Duration::from_secs(1));
    expected.assert_eq(&format!("{:?}\n{}\n", output.status, output.text));
}

#[test]
fn a_rename_that_the_sandbox_refuses_is_explained() {
    let said = "mv: cannot move 'src' to 'source': Invalid cross-device link\n";
    check(
        Exit::Code(1),
        said,
        expect![[r#"
        Failed
        mv: cannot move 'src' to 'source': Invalid cross-device link
        [exit status 1]
        [in the sandbox one call cannot rename a folder that was there before the command; copy it and delete the old one, or move its files with the patch tool]
    "#]],
    );
    // A script that went on.
    check(
        Exit::Code(0),
        said,
        expect![[r#"
        Done
        mv: cannot move 'src' to 'source': Invalid cross-device link
        [in the sandbox one call cannot rename a folder that was there before the command; copy it and delete the old one, or move its files with the patch tool]
    "#]],
    );
    check(
        Exit::Code(1),
        "mv: cannot stat 'src': No such file or directory\n",
        expect![[r#"
        Failed
        mv: cannot stat 'src': No such file or directory
        [exit status 1]
    "#]],
    );
}

#[test]
fn what_was_ended_from_outside_is_not_said_to_be_not_run() {
    let output = lost(&SandboxError::Lost(ExitStatus::from_raw(9)), "half of it\n".to_owned());
    expect![[r#"
        Failed
        half of it
        [the sandbox was ended from outside (signal: 9 (SIGKILL)), and the command with it, which may have run in part; what it wrote to the workspace was not published]
    "#]].assert_eq(&format!("{:?}\n{}\n", output.status, output.text));
}
