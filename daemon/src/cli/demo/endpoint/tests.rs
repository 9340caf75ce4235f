//! The endpoint as the daemon's own client meets it.

use super::{Endpoint, MODEL, Pace};
use crate::config::{Dialect, Endpoint as Configured};
use crate::model::http::Http;
use crate::model::{Connect, Message, ModelEvent, ModelRequest, Part};
use expect_test::expect;
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;

const AT_ONCE: Pace = Pace { thought: Duration::ZERO, word: Duration::ZERO, sentence: Duration::ZERO };

#[tokio::test]
async fn the_real_client_understands_the_script() {
    let endpoint = Endpoint::start(0, AT_ONCE).await.unwrap();
    let configured = Configured {
        provider: "demo".to_owned(),
        dialect: Dialect::Responses,
        base_url: format!("http://127.0.0.1:{}/v1", endpoint.port),
        key: None,
        api_key_env: None,
        idle_limit: Duration::from_secs(5),
    };
    let request = ModelRequest {
        instructions: Arc::from("none"),
        tools: Arc::from([]),
        messages: vec![Message::User(vec![Part::Text("Mend it.".to_owned())])],
        effort: None,
        session: "s1".into(),
    };
    let model = Http::new().model(&configured, MODEL);
    let events: Vec<ModelEvent> = model.stream(request).map(|event| event.unwrap()).collect().await;
    let lines: String = events.iter().map(|event| format!("{event:?}\n")).collect();
    expect![[r#"
        Text("I'll ")
        Text("look ")
        Text("at ")
        Text("the ")
        Text("project ")
        Text("first.")
        TextEnded
        Call(Call { call_id: "call_1", name: "list", arguments: "{}" })
        Finished { stop: Done, usage: Usage { input_tokens: 0, cached_tokens: 0, output_tokens: 0, reasoning_tokens: 0, cost: None, context_tokens: 0, context_size: None } }
    "#]].assert_eq(&lines);
    assert_eq!((endpoint.requests(), endpoint.bitten()), (1, 0));
}

#[tokio::test]
async fn a_connection_to_the_bait_is_noticed() {
    let endpoint = Endpoint::start(0, AT_ONCE).await.unwrap();
    let _stream = tokio::net::TcpStream::connect(("127.0.0.1", endpoint.bait)).await.unwrap();
    while endpoint.bitten() == 0 {
        tokio::task::yield_now().await;
    }
}
