//! What is taken out of a server's words.

use super::{Secrets, base64, decoded};
use crate::config::{Dialect, Endpoint, Secret};
use expect_test::{Expect, expect};
use std::time::Duration;

/// What is left of a text for an endpoint with a key, a password and a parameter.
fn check(texts: &[&str], expected: Expect) {
    let endpoint = Endpoint {
        provider: "local".to_owned(),
        dialect: Dialect::Chat,
        base_url: "http://me:pass%2Fword@host/v1?api-version=2026-01-01&api-key=abcd%20efgh".to_owned(),
        key: Some(Secret::new(" k\"ey/1 ")),
        api_key_env: None,
        idle_limit: Duration::from_secs(1),
    };
    let secrets = Secrets::of(&endpoint);
    assert_eq!(format!("{secrets:?}"), "***");
    let shown: Vec<String> = texts.iter().map(|text| format!("{}\n", secrets.redact(text))).collect();
    expected.assert_eq(&shown.concat());
}

#[test]
fn every_form_of_a_secret_is_starred() {
    check(
        &[
            "Incorrect key: k\"ey/1.",
            r#"{"authorization":"Bearer k\"ey/1"}"#,
            "see ?key=k%22ey%2F1",
            "http://me:pass%2Fword@host says pass/word",
            "basic bWU6cGFzcy93b3Jk",
            "/v1/chat?api-key=abcd%20efgh is abcd efgh",
        ],
        expect![[r#"
            Incorrect key: ***.
            {"authorization":"Bearer ***"}
            see ?key=***
            http://me:***@host says ***
            basic ***
            /v1/chat?api-key=*** is ***
        "#]],
    );
}

#[test]
fn what_is_no_secret_stays() {
    check(
        &["api-version 2026-01-01 is unknown to me at host", ""],
        expect![[r#"
            api-version 2026-01-01 is unknown to me at host

        "#]],
    );
}

#[test]
fn a_word_that_only_stands_in_for_a_key_is_none() {
    for word in ["x", "none", "ollama", "EMPTY"] {
        assert!(!super::is_secret(word), "{word}");
    }
    for word in ["hunter2", "correct-horse"] {
        assert!(super::is_secret(word), "{word}");
    }
}

#[test]
fn encodings_are_those_of_the_standards() {
    // The examples of RFC 4648, section 10.
    let shown: Vec<String> = ["", "f", "fo", "foo", "foob"].iter().map(|text| base64(text.as_bytes())).collect();
    assert_eq!(shown, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    assert_eq!(decoded("a%2Fb%zz%"), "a/b%zz%");
}
