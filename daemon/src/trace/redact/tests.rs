//! What is taken for a key, and what is not.

use super::redact;
use expect_test::{Expect, expect};
use proptest::prelude::{prop, proptest};

fn check(lines: &[&str], expected: Expect) {
    let shown: Vec<String> = lines.iter().map(|line| format!("{}\n", redact(line))).collect();
    expected.assert_eq(&shown.concat());
}

/// Shapes of keys are put together here, so that no scanner of repositories takes them for real ones.
fn key(prefix: &str) -> String {
    format!("{prefix}{}", "Ab1".repeat(12))
}

#[test]
fn keys_of_a_known_shape_are_starred() {
    for (prefix, _) in super::PREFIXES {
        let key = key(prefix);
        for line in [key.clone(), format!("({key}),"), format!("it says: {key}. No."), format!("é{key}é")] {
            let shown = redact(&line);
            assert!(!shown.contains("Ab1Ab1") && shown.contains(&format!("{prefix}***")), "{line}: {shown}");
        }
    }
}

#[test]
fn what_follows_the_name_of_a_key_is_starred() {
    check(
        &[
            "authorization: Bearer abcdefgh",
            "got bearer abcdefgh12345/+= and went on",
            r#"headers={"authorization": "Bearer abc", "accept": "text/plain"}"#,
            r#"{\"api_key\":\"abcdefgh\",\"model\":\"m\"}"#,
            "GET /v1/chat?api-version=1&api-key=abcdefgh&x=1",
            "X-Api-Key: abcdefgh",
            "password = 'hunter2'",
            "Basic dXNlcjp3b3Jk",
            "Cookie: a=b; c=d",
        ],
        expect![[r#"
            authorization: ***
            got bearer *** and went on
            headers={"authorization": "***", "accept": "text/plain"}
            {\"api_key\":\"***\",\"model\":\"m\"}
            GET /v1/chat?api-version=1&api-key=***&x=1
            X-Api-Key: ***
            password = '***'
            Basic ***
            Cookie: ***
        "#]],
    );
}

#[test]
fn an_address_loses_who_asks() {
    check(
        &["http://user:word@host:1/v1", "to https://tok@host", "(ssh://a@b@c/d)", "http://host/path@place"],
        expect![[r#"
            http://***@host:1/v1
            to https://***@host
            (ssh://***@c/d)
            http://host/path@place
        "#]],
    );
}

#[test]
fn ordinary_lines_stay() {
    for line in [
        "asks the model session=s1 step=0 attempt=0 messages=3",
        "the task-oriented desk-top at risk-free sk-learn",
        "max_tokens: 12000, authorization",
        "the api_key is missing; set OPENAI_API_KEY or run `pilotfish login openai`",
        "Basic needs; a bearer of news",
        "http://127.0.0.1:8080/v1/responses answered 401",
        "eyJ",
        "ä://ö@ü",
        "",
    ] {
        assert_eq!(redact(line), line);
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_and_no_key_of_it_is_left(before in "\\PC{0,40}", after in "\\PC{0,40}", at in prop::sample::select(vec![" ", "\"", "é", "\n"])) {
        let key = key("sk-");
        let line = format!("{before}{at}{key}{at}{after}");
        assert!(!redact(&line).contains(&key), "{line}");
    }
}
