use super::*;
use expect_test::{Expect, expect};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Deserialize)]
struct Arguments {
    path: String,
    limit: Option<u64>,
    all: Option<bool>,
    steps: Option<Vec<String>>,
}

fn check(arguments: &str, expected: Expect) {
    let spec = ToolSpec {
        name: "tool",
        description: "",
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {"type": "string"},
                "limit": {"type": "integer"},
                "all": {"type": "boolean"},
                "steps": {"type": "array"}
            },
            "required": ["path"]
        }),
        grammar: None,
    };
    let shown = match decode::<Arguments>(&spec, arguments) {
        Ok(Arguments { path, limit, all, steps }) => format!("{path:?} {limit:?} {all:?} {steps:?}"),
        Err(problem) => problem,
    };
    expected.assert_eq(&shown);
}

#[test]
fn reads_what_can_be_read_one_way_only() {
    check(r#"{"path":"a"}"#, expect![[r#""a" None None None"#]]);
    check(r#"{"path":"a","limit":3,"all":true,"steps":["x"]}"#, expect![[r#""a" Some(3) Some(true) Some(["x"])"#]]);
    check(
        r#"{"path":"a","limit":"3","all":"true","steps":"[\"x\"]"}"#,
        expect![[r#""a" Some(3) Some(true) Some(["x"])"#]],
    );
    check(r#"{"path":"a","limit":3.0}"#, expect![[r#""a" Some(3) None None"#]]);
    check(r#"{"path":"a","limit":null,"all":null}"#, expect![[r#""a" None None None"#]]);
    check(r#"{"path":"a","surprise":1}"#, expect![[r#""a" None None None"#]]);
    check(r#"{"file_path":"a","max_lines":2}"#, expect![[r#""a" Some(2) None None"#]]);
    check(r#"{"path":"a","file":"b"}"#, expect![[r#""a" None None None"#]]);
    check(r#""{\"path\":\"a\"}""#, expect![[r#""a" None None None"#]]);
    check(r#""a""#, expect![[r#""a" None None None"#]]);
    check(r#"  {"path":"a"}  "#, expect![[r#""a" None None None"#]]);
    check(r#"{"path":["bash","-lc","ls | wc"]}"#, expect![[r#""ls | wc" None None None"#]]);
    check(
        r#"{"path":["git","commit","-m","it's done"]}"#,
        expect![[r#""git commit -m 'it'\\''s done'" None None None"#]],
    );
}

#[test]
fn names_the_field_that_is_wrong() {
    check("", expect!["tool: `path` is missing"]);
    check("{}", expect!["tool: `path` is missing"]);
    check(r#"{"path":null}"#, expect!["tool: `path` is missing"]);
    check(r#"{"path":{"a":1}}"#, expect![[r#"tool: `path` must be a string, not {"a":1}"#]]);
    check(r#"{"path":"a","limit":"many"}"#, expect![[r#"tool: `limit` must be a whole number, not "many""#]]);
    check(r#"{"path":"a","limit":1.5}"#, expect!["tool: `limit` must be a whole number, not 1.5"]);
    check(r#"{"path":"a","all":"maybe"}"#, expect![[r#"tool: `all` must be true or false, not "maybe""#]]);
    check(r#"{"path":"a","steps":"x"}"#, expect![[r#"tool: `steps` must be a list, not "x""#]]);
    check("[1]", expect!["tool: the arguments must be one JSON object"]);
    check("12", expect!["tool: the arguments must be one JSON object"]);
}

#[test]
fn never_completes_cut_text() {
    check(
        r#"{"path":"a","limit":"#,
        expect![
            "tool: the arguments are not JSON (EOF while parsing a value at line 1 column 20): it was cut off; send the whole call again, in smaller pieces if it is long"
        ],
    );
    check(
        r#"{"path":"half of a fi"#,
        expect![
            "tool: the arguments are not JSON (EOF while parsing a string at line 1 column 21): it was cut off; send the whole call again, in smaller pieces if it is long"
        ],
    );
    check(
        "path: a",
        expect![
            "tool: the arguments are not JSON (expected value at line 1 column 1): send it again as one JSON object"
        ],
    );
}
