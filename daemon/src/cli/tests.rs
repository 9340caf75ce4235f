//! The command line itself.

use super::Cli;
use clap::{CommandFactory, Parser};
use expect_test::{Expect, expect};

fn check(words: &str, expected: Expect) {
    let said = match Cli::try_parse_from(words.split(' ')) {
        Ok(_) => "fine\n".to_owned(),
        Err(error) => format!("status {}\n{error}", error.exit_code()),
    };
    expected.assert_eq(&said);
}

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn a_prompt_is_enough() {
    check("pilotfish exec hello", expect![["fine\n"]]);
}

#[test]
fn a_wrong_mode_is_a_usage_error_that_helps() {
    check(
        "pilotfish exec --mode yolo hello",
        expect![[r#"
        status 2
        error: invalid value 'yolo' for '--mode <MODE>': write read-only or agent

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn a_missing_prompt_is_a_usage_error() {
    check(
        "pilotfish exec",
        expect![[r#"
        status 2
        error: the following required arguments were not provided:
          <PROMPT>

        Usage: pilotfish exec <PROMPT>

        For more information, try '--help'.
    "#]],
    );
}
