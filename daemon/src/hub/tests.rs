use super::*;
use crate::testing::{Fixture, says};
use pilotfish_protocol::{Delivery, InputPart, Trust, Update};

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

#[tokio::test]
async fn a_refused_workspace_keeps_its_sessions_read_only() {
    let fixture = Fixture::new(&[]);
    let mut session = fixture.session(Mode::Agent).await;
    fixture.hub.set_trust(&fixture.root(), Trust::Refused).await.unwrap();
    session.until(|update| matches!(update, Update::ModeChanged { mode: Mode::ReadOnly })).await;
    let error = session.handle.set_mode(Mode::Agent).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!("{} is not trusted, so its sessions stay read-only; `pilotfish trust` says otherwise", fixture.root())
    );
    let new = NewSession {
        workspace: fixture.root(),
        mode: Mode::Agent,
        model: None,
        effort: None,
        title: None,
        environment: Arc::default(),
    };
    assert!(matches!(fixture.hub.new_session(new).await, Err(SessionError::Untrusted(_))));
    fixture.hub.set_trust(&fixture.root(), Trust::Unknown).await.unwrap();
    session.handle.set_mode(Mode::Agent).await.unwrap();
}

#[tokio::test]
async fn a_session_that_was_not_in_memory_obeys_a_refusal_when_it_is_loaded() {
    let fixture = Fixture::new(&[]);
    let id = fixture.session(Mode::Agent).await.handle.id().clone();
    fixture.hub.shutdown().await;
    let fixture = fixture.restarted();
    fixture.hub.set_trust(&fixture.root(), Trust::Refused).await.unwrap();
    assert_eq!(fixture.hub.session(&id).header().await.unwrap().mode, Mode::ReadOnly);
}
