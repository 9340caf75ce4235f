use super::*;
use crate::testing::{Fixture, says};
use pilotfish_protocol::{Delivery, InputPart};

#[tokio::test]
async fn a_session_is_not_woken_while_the_daemon_ends() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(says("hello"));
    let mut session = fixture.session(Mode::ReadOnly).await;
    session.turn("hi").await;
    let id = session.handle.id().clone();
    let before = fixture.hub.journal().updates_after(&id, 0, 100).await.unwrap();
    fixture.hub.shutdown().await;
    let input = vec![InputPart::Text { text: "late".to_owned() }];
    let error = fixture.hub.session(&id).prompt(input, Delivery::Queue).await.unwrap_err();
    assert!(matches!(error, SessionError::Closing(_)), "{error}");
    assert_eq!(fixture.hub.journal().updates_after(&id, 0, 100).await.unwrap(), before);
}
