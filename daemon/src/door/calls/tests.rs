use super::with_field;
use expect_test::{Expect, expect};
use pilotfish_protocol::{InputPart, Mode};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its reader is of interest")]
struct Params {
    workspace: String,
    mode: Option<Mode>,
    input: Option<Vec<InputPart>>,
}

fn check(params: &[&str], expected: Expect) {
    let lines: Vec<String> = params
        .iter()
        .map(|params| match serde_json::from_str::<Params>(params) {
            Ok(_) => "fine".to_owned(),
            Err(error) => with_field(params, &error.to_string()),
        })
        .collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn a_complaint_names_the_parameter() {
    check(
        &[
            "{}",
            r#"{"workspace":5}"#,
            r#"{"x":1,"workspace": "/w", "mode":"root"}"#,
            "{\"x\":1,\n\"workspace\": \"/w\",\n \"mode\":{}}",
            r#"{"workspace":"/w","input":[{"type":"text","text":"a"},{"type":"text"}]}"#,
            r#"{"workspace":"/w","input":{}}"#,
            r#"{"workspace":"/w"}"#,
        ],
        expect![[r#"
            missing field `workspace`
            `workspace`: invalid type: integer `5`, expected a string
            `mode`: unknown variant `root`, expected `read-only` or `agent`
            `mode`: expected value
            `input`: missing field `text`
            `input`: invalid type: map, expected a sequence
            fine"#]],
    );
}
