use super::{AT, queue, said, session, started, turn_ended, turn_started};
use crate::journal::worker::Access;
use crate::journal::{Journal, schema};
use expect_test::{Expect, expect};
use pilotfish_protocol::{StopReason, Update};
use rusqlite::Connection;
use std::path::Path;

/// Makes a database of version 1 with what version 1 would have written for `updates`.
fn version_1(directory: &Path, sessions: &[(&str, bool, Vec<Update>)]) {
    let connection = Connection::open(schema::file(directory)).unwrap();
    connection.execute_batch(schema::MIGRATIONS[0]).unwrap();
    connection.execute_batch("PRAGMA user_version = 1").unwrap();
    for (number, (id, deleted, updates)) in (1_i64..).zip(sessions) {
        let header = serde_json::to_string(&session(id)).unwrap();
        let insert =
            "INSERT INTO sessions(number, id, workspace, archived, deleted, header) VALUES (?1, ?2, '/w', 0, ?3, ?4)";
        connection.execute(insert, (number, id, deleted, header)).unwrap();
        let insert = "INSERT INTO states(session, seq, updated_at) VALUES (?1, ?2, ?3)";
        connection.execute(insert, (number, i64::try_from(updates.len()).unwrap(), AT)).unwrap();
        for (place, update) in ((number << 32) + 1..).zip(updates) {
            let body = serde_json::to_string(update).unwrap();
            connection.execute("INSERT INTO updates(place, body) VALUES (?1, ?2)", (place, body)).unwrap();
            let column = match update {
                Update::TurnStarted { .. } => "turn = ?2",
                Update::TurnEnded { .. } => "turn = nullif(?2, ?2)",
                Update::QueueChanged { .. } => "queue = ?2",
                Update::ItemEnded { item } | Update::ItemStarted { item } => {
                    let insert = "INSERT INTO items(started, latest, session, id) VALUES (?1, ?1, ?2, ?3)";
                    connection.execute(insert, (place, number, &item.id.0)).unwrap();
                    if let Update::ItemStarted { .. } = update {
                        connection.execute("INSERT INTO open(started) VALUES (?1)", [place]).unwrap();
                    }
                    continue;
                }
                _ => continue,
            };
            let point = format!("UPDATE states SET {column} WHERE session = ?1");
            connection.execute(&point, (number, place)).unwrap();
        }
    }
}

async fn check(sessions: &[(&str, bool, Vec<Update>)], expected: Expect) {
    let directory = tempfile::tempdir().unwrap();
    version_1(directory.path(), sessions);
    let journal = Journal::open(directory.path()).unwrap();
    let mut shown = format!("waiting {:?}\n", journal.waiting().await.unwrap());
    for (id, ..) in sessions {
        shown += &match journal.session(&(*id).into()).await.unwrap() {
            Some(stored) => format!(
                "{id}: seq {} turn {:?} stop {:?} queue {} items {} open {}\n",
                stored.seq,
                stored.turn_id,
                stored.stop,
                stored.queue.len(),
                journal.history(&(*id).into()).await.unwrap().len(),
                journal.open_items(&(*id).into()).await.unwrap().len(),
            ),
            None => format!("{id}: deleted\n"),
        };
    }
    assert_eq!(journal.set_aside().await, []);
    let broken = |connection: &Connection| Ok(connection.prepare("PRAGMA foreign_key_check")?.exists([])?);
    assert!(!journal.request(Access::Read, broken).await.unwrap());
    expected.assert_eq(&shown);
}

#[tokio::test]
async fn a_journal_of_version_1_knows_how_its_turns_ended_and_what_waits() {
    let words = Update::ItemEnded { item: said("i1", r#"{"kind":"turnEnded"} "queue":[]"#) };
    check(
        &[
            ("empty", false, vec![]),
            ("done", false, vec![turn_started("t"), queue(&["q"]), turn_ended("t", StopReason::Done), words.clone()]),
            (
                "failed",
                false,
                vec![turn_ended("t", StopReason::Done), turn_ended("t", StopReason::Failed), queue(&["q"])],
            ),
            ("emptied", false, vec![queue(&["q"]), turn_ended("t", StopReason::Done), queue(&[])]),
            (
                "running",
                false,
                vec![turn_ended("t", StopReason::Done), turn_started("t2"), words, started("i2", ""), queue(&["q"])],
            ),
            ("deleted", true, vec![queue(&["q"]), turn_ended("t", StopReason::Done)]),
        ],
        expect![[r#"
            waiting [SessionId("done")]
            empty: seq 0 turn None stop None queue 0 items 0 open 0
            done: seq 4 turn None stop Some(Done) queue 1 items 1 open 0
            failed: seq 3 turn None stop Some(Failed) queue 1 items 0 open 0
            emptied: seq 3 turn None stop Some(Done) queue 0 items 0 open 0
            running: seq 5 turn Some(TurnId("t2")) stop Some(Done) queue 1 items 2 open 1
            deleted: deleted
        "#]],
    )
    .await;
}
