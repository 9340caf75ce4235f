//! Redirects: within one server they are followed; the key goes to no other one.

use super::server::{Server, stream, whole};
use super::{HELLO, endpoint, outcome};
use crate::config::{Dialect, Endpoint};
use expect_test::expect;

#[tokio::test]
async fn a_key_does_not_follow_a_redirect_to_another_server() {
    let other = Server::start(Vec::new()).await;
    let location = format!("location: {}/chat/completions\r\n", other.base_url);
    let server = Server::start(vec![whole("307 Temporary Redirect", &location, "")]).await;
    let shown = outcome(&server, endpoint(&server)).await;
    let authority = other.base_url.trim_start_matches("http://").trim_end_matches("/v1");
    expect![[r#"
        http://MODEL/v1/chat/completions answered 307: http://MODEL redirects to http://OTHER, which is not followed, so that no key goes there; if that is right, change base_url (again: false, after: None)
    "#]].assert_eq(&shown.replace(authority, "OTHER"));
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_within_the_server_is_followed() {
    let server =
        Server::start(vec![whole("308 Permanent Redirect", "location: /v2/chat\r\n", ""), stream(HELLO)]).await;
    expect![[r#"
        text "Hello"
        TextEnded
        finished Done
    "#]]
    .assert_eq(&outcome(&server, endpoint(&server)).await);
    let heads: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| (seen.head.lines().next().unwrap().to_owned(), seen.head.contains("bearer sk-secret")))
        .collect();
    expect![[r#"
        [
            (
                "post /v1/chat/completions http/1.1",
                true,
            ),
            (
                "post /v2/chat http/1.1",
                true,
            ),
        ]
    "#]]
    .assert_debug_eq(&heads);
}

#[tokio::test]
async fn redirects_in_circles_end() {
    let again = || whole("307 Temporary Redirect", "location: /v1/chat/completions\r\n", "");
    let server = Server::start((0..5).map(|_| again()).collect()).await;
    expect![[r#"
        http://MODEL/v1/chat/completions answered 307: it redirects again and again (again: false, after: None)
    "#]]
    .assert_eq(&outcome(&server, endpoint(&server)).await);
}

/// However a server names another place, and whatever status it uses for that: the other place is not asked, with or without the key.
#[tokio::test]
async fn no_way_to_name_another_server_is_followed() {
    let other = Server::start(Vec::new()).await;
    let authority = other.base_url.trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let places = [
        format!("http://{authority}/v1/chat/completions"),
        format!("//{authority}/v1"),
        format!(r"\\{authority}\v1"),
        format!("http://127.0.0.1@{authority}/"),
        format!("HTTP://user:word@{authority}"),
    ];
    for (number, status) in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent", "399 What"]
        .into_iter()
        .enumerate()
    {
        let dialect = [Dialect::Chat, Dialect::Responses, Dialect::Messages][number % 3];
        for place in &places {
            let server = Server::start(vec![whole(status, &format!("location: {place}\r\n"), "")]).await;
            let shown = outcome(&server, Endpoint { dialect, ..endpoint(&server) }).await;
            assert!(shown.contains("answered 3") && !shown.contains("word"), "{status} {place}: {shown}");
            assert_eq!(server.seen().len(), 1, "{status} {place}");
        }
    }
    // The same host over another scheme is another server, too.
    let server = Server::start(vec![whole("307 Temporary", "location: https://127.0.0.1/v1\r\n", "")]).await;
    let shown = outcome(&server, endpoint(&server)).await;
    assert!(shown.contains("redirects to https://127.0.0.1, which is not followed"), "{shown}");
    assert!(other.seen().is_empty());
}

/// A password in the address is a key like any other.
#[tokio::test]
async fn a_password_of_the_address_does_not_follow_either() {
    let other = Server::start(Vec::new()).await;
    let location = format!("location: {}/chat/completions\r\n", other.base_url);
    let server = Server::start(vec![whole("307 Temporary", &location, "")]).await;
    let base_url = server.base_url.replace("http://", "http://user:pass-word@");
    let shown = outcome(&server, Endpoint { base_url, key: None, ..endpoint(&server) }).await;
    assert!(shown.contains("which is not followed") && !shown.contains("pass-word"), "{shown}");
    assert!(other.seen().is_empty());
}
