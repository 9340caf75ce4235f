use super::*;
use crate::door::serve;
use crate::testing::{Fixture, says};
use pilotfish_protocol::{StopReason, Update};

async fn client(fixture: &Fixture) -> Client {
    let (theirs, input) = tokio::io::duplex(1 << 10);
    let (output, daemons) = tokio::io::duplex(1 << 10);
    tokio::spawn(serve(fixture.hub.clone(), Arc::default(), daemons, theirs));
    Client::over(input, output).await.unwrap()
}

#[tokio::test]
async fn a_turn_is_followed_to_its_end() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(says("hello"));
    let client = client(&fixture).await;
    let workspace = fixture.root().to_string();
    let session = client.open(Opening { workspace, mode: Mode::ReadOnly, model: None }).await.unwrap();
    client.attach(&session.id, Some(0)).await.unwrap();
    client.prompt(&session.id, "hi".to_owned()).await.unwrap();
    loop {
        let Some(Heard::Update(update)) = client.next().await else { panic!("the daemon goes on") };
        if let Update::TurnEnded { stop, .. } = update.update {
            assert_eq!(stop, StopReason::Done);
            break;
        }
    }
    assert_eq!(client.sessions(None, None, None, false).await.unwrap().sessions.len(), 1);
    assert_eq!(client.status().await.unwrap().sessions, 1);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_daemons_words() {
    let fixture = Fixture::new(&[]);
    let client = client(&fixture).await;
    let error = client.attach(&"s9".into(), None).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no session s9");
}

#[tokio::test]
async fn a_daemon_that_goes_away_is_noticed() {
    let fixture = Fixture::new(&[]);
    let client = client(&fixture).await;
    fixture.hub.shutdown().await;
    assert!(client.next().await.is_none());
    assert!(matches!(client.status().await, Err(ClientError::Gone)));
}
