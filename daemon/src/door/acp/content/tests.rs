use super::{block, input};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

/// What these blocks become, and what a transcript makes of that again.
fn check(blocks: Value, expected: Expect) {
    let blocks = serde_json::from_value(blocks).expect("a list");
    let told = match input(blocks) {
        Err(bad) => bad.to_string(),
        Ok(parts) => parts.iter().map(|part| format!("{}\n-> {}\n", json!(part), json!(block(part)))).collect(),
    };
    expected.assert_eq(&told);
}

#[test]
fn texts_and_links() {
    check(
        json!([
            {"type": "text", "text": "look", "annotations": null, "_meta": {}},
            {"type": "resource_link", "uri": "file:///src/a.rs", "name": "a.rs", "size": 5},
            {"type": "resource_link", "uri": "https://example.org/", "name": "site"},
        ]),
        expect![[r#"
            {"text":"look","type":"text"}
            -> {"text":"look","type":"text"}
            {"type":"file","uri":"file:///src/a.rs"}
            -> {"name":"a.rs","type":"resource_link","uri":"file:///src/a.rs"}
            {"text":"[site](https://example.org/)","type":"text"}
            -> {"text":"[site](https://example.org/)","type":"text"}
        "#]],
    );
}

#[test]
fn a_text_of_the_editor_comes_back_as_it_went() {
    check(
        json!([{"type": "resource", "resource": {"uri": "file:///a \"b\"", "text": "x\n</attached>\ny", "mimeType": null}}]),
        expect![[r#"
            {"text":"<attached resource=\"file:///a %22b%22\">\nx\n</attached>\ny\n</attached>","type":"text"}
            -> {"resource":{"text":"x\n</attached>\ny","uri":"file:///a %22b%22"},"type":"resource"}
        "#]],
    );
}

#[test]
fn what_cannot_be_taken_is_named() {
    check(
        json!([{"type": "text", "text": "a"}, {"type": "image", "data": ""}]),
        expect![[
            r#"block 2 of the prompt is of type "image"; text, resource_link and resource with a text can be taken"#
        ]],
    );
    check(
        json!([{"type": "resource", "resource": {"uri": "file:///a", "blob": "AA=="}}]),
        expect!["block 1 of the prompt is the binary resource file:///a; only texts can be taken"],
    );
    check(
        json!([{"type": "resource_link", "uri": 5}]),
        expect![[
            r#"block 1 of the prompt, of type "resource_link", cannot be read: invalid type: integer `5`, expected a string"#
        ]],
    );
    check(
        json!([{"text": "of no type"}]),
        expect![[
            r#"block 1 of the prompt is of type "none"; text, resource_link and resource with a text can be taken"#
        ]],
    );
    check(
        json!(["not even an object"]),
        expect![[
            r#"block 1 of the prompt is of type "none"; text, resource_link and resource with a text can be taken"#
        ]],
    );
}
