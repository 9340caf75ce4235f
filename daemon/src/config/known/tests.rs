use super::family;
use expect_test::{Expect, expect};

fn check(models: &[&str], expected: Expect) {
    let lines = models.iter().map(|model| {
        let family = family(model);
        let efforts = family.efforts.map(<[_]>::len);
        let (context, output) = (family.context, family.max_output);
        format!("{model}: {context:?} {output} {efforts:?} {:?} {:?}\n", family.thinking, family.edits)
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn knows_models_by_their_names_however_they_are_offered() {
    check(
        &[
            "claude-sonnet-4-5",
            "claude-sonnet-4-20250514",
            "us.anthropic.claude-opus-4-6-v1:0",
            "anthropic/claude-sonnet-4.5",
            "claude-haiku-9",
            "claude-3-5-haiku-latest",
            "gpt-5",
            "openai/gpt-5.2-codex",
            "gpt-5-chat-latest",
            "gpt-4.1-mini",
            "o4-mini",
            "gpt-oss:20b",
            "google/gemini-2.5-pro",
            "qwen3-coder",
            "one",
            "",
        ],
        expect![[r#"
            claude-sonnet-4-5: Some(200000) 32000 Some(4) Budget Replace
            claude-sonnet-4-20250514: Some(200000) 32000 Some(4) Budget Replace
            us.anthropic.claude-opus-4-6-v1:0: Some(200000) 32000 Some(4) Adaptive Replace
            anthropic/claude-sonnet-4.5: Some(200000) 32000 Some(4) Budget Replace
            claude-haiku-9: Some(200000) 32000 Some(4) Adaptive Replace
            claude-3-5-haiku-latest: Some(200000) 8192 Some(0) Budget Replace
            gpt-5: Some(272000) 32000 Some(4) Budget FreePatch
            openai/gpt-5.2-codex: Some(272000) 32000 Some(3) Budget FreePatch
            gpt-5-chat-latest: Some(128000) 32000 Some(0) Budget Patch
            gpt-4.1-mini: Some(1047576) 32000 Some(0) Budget Patch
            o4-mini: Some(200000) 32000 Some(3) Budget Patch
            gpt-oss:20b: None 16384 Some(3) Budget All
            google/gemini-2.5-pro: Some(1048576) 32000 None Budget All
            qwen3-coder: None 8192 None Budget All
            one: None 8192 None Budget All
            : None 8192 None Budget All
        "#]],
    );
}
