//! A slow reader: nothing durable is missed.

use super::{Fed, QUEUE, feed};
use crate::clock::Clock;
use crate::journal::Journal;
use crate::session::Outlet;
use pilotfish_protocol::{Mode, Session, SessionStatus, SessionUpdate, Update};

async fn journal_with(updates: usize) -> Journal {
    let journal = Journal::in_memory().unwrap();
    let session = Session {
        id: "s1".into(),
        workspace: "/w".to_owned(),
        title: String::new(),
        mode: Mode::Agent,
        model: None,
        effort: None,
        status: SessionStatus::default(),
        created_at: Clock::counting().now(),
        updated_at: Clock::counting().now(),
        archived: false,
        parent: None,
    };
    journal.create(&session).await.unwrap();
    let updates = (1..=updates).map(title).collect();
    journal.append(&session.id, updates, &session.created_at).await.unwrap();
    journal
}

fn title(number: usize) -> Update {
    Update::TitleChanged { title: number.to_string() }
}

fn update(seq: Option<u64>, update: Update) -> SessionUpdate {
    SessionUpdate { session_id: "s1".into(), seq, update }
}

/// Sends titles 1 to `count` with a delta after each, before anything is read; then gives the seqs as they are read.
async fn check(count: usize, lags: bool) {
    let journal = journal_with(count).await;
    let (inlet, mut feed) = feed(journal, "s1".into(), 0);
    for number in 1..=count {
        inlet.send(&update(Some(number as u64), title(number)));
        inlet.send(&update(None, Update::DraftChanged { text: String::new() }));
    }
    drop(inlet);
    let (mut seqs, mut lagged) = (Vec::new(), false);
    while seqs.last() != Some(&(count as u64)) {
        match feed.next().await.unwrap() {
            Some(Fed::Update(update)) => seqs.extend(update.seq),
            Some(Fed::Lagged) => lagged = true,
            None => break,
        }
    }
    assert_eq!((seqs, lagged), ((1..=count as u64).collect(), lags));
}

#[tokio::test]
async fn a_reader_in_time_gets_all_as_it_came() {
    check(QUEUE / 2, false).await;
}

#[tokio::test]
async fn a_late_reader_gets_the_rest_from_the_journal() {
    check(QUEUE * 3, true).await;
}
