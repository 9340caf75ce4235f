use super::{AT, asked, ended, queue, s1, seqs, session, show_list, started, turn_started};
use crate::journal::worker::Access;
use crate::journal::{Cause, Journal, SessionFilter};
use pilotfish_protocol::{SessionId, Update};
use rusqlite::Connection;

/// [`AT`] in seconds since 1970.
const AT_SECONDS: i64 = 1_767_225_600;

const TABLES: [&str; 9] =
    ["sessions", "states", "updates", "items", "open", "approvals", "outputs", "chunks", "words_docsize"];

/// How many rows each table has.
async fn rows(journal: &Journal) -> Vec<i64> {
    let count = |connection: &Connection| {
        let count = |table: &&str| connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
        Ok(TABLES.iter().map(count).collect::<Result<Vec<i64>, _>>()?)
    };
    journal.request(Access::Read, count).await.unwrap()
}

async fn fill(journal: &Journal, id: &str) {
    let id: SessionId = id.into();
    journal.create(&session(&id.0)).await.unwrap();
    let approval = Box::new(crate::testing::approval("a1", "i1"));
    let mut updates = vec![turn_started("t1"), started("open", "still"), Update::ApprovalOpened { approval }];
    updates.extend((0..700).map(|number| Update::ItemEnded { item: asked(&format!("i{number}"), "words to find") }));
    updates.extend((0..3).map(|number| ended(&format!("large{number}"), &"x".repeat(400_000))));
    updates.push(queue(&["q1"]));
    journal.append(&id, updates, AT).await.unwrap();
    for item in ["i1", "i2"] {
        journal.put_output(&id, &item.into(), vec![b'x'; 2_000_000]).await.unwrap();
    }
}

async fn found(journal: &Journal) -> String {
    let filter = SessionFilter { query: Some("words".to_owned()), limit: 9, ..SessionFilter::default() };
    show_list(&journal.sessions(filter).await.unwrap())
}

#[tokio::test]
async fn takes_away_what_was_deleted_before_and_nothing_else() {
    let journal = Journal::in_memory().unwrap();
    fill(&journal, "s1").await;
    let before = rows(&journal).await;
    assert!(before.iter().all(|count| *count > 0), "{before:?}");
    fill(&journal, "s2").await;
    journal.delete(&"s2".into(), AT).await.unwrap();
    assert_eq!(journal.collect(AT_SECONDS).await.unwrap(), 0);
    journal.restore(&"s2".into()).await.unwrap();
    assert_eq!(journal.collect(i64::MAX).await.unwrap(), 0);
    assert_eq!(found(&journal).await, "s2 s1");
    journal.delete(&"s2".into(), AT).await.unwrap();
    assert_eq!(journal.collect(AT_SECONDS + 1).await.unwrap(), 1);
    assert_eq!(rows(&journal).await, before);
    assert_eq!(found(&journal).await, "s1");
    assert!(matches!(journal.restore(&"s2".into()).await.unwrap_err().cause, Cause::UnknownSession(_)));
    // The number may be given again, and nothing of the old is found under it.
    fill(&journal, "s3").await;
    assert_eq!((found(&journal).await.as_str(), seqs(&journal, &"s3".into()).await.len()), ("s3 s1", 707));
}

#[tokio::test]
async fn others_are_served_in_between() {
    let journal = Journal::in_memory().unwrap();
    fill(&journal, "s1").await;
    fill(&journal, "gone").await;
    journal.delete(&"gone".into(), AT).await.unwrap();
    let id = s1();
    let others = async {
        let mut served = 0;
        while rows(&journal).await[0] == 2 {
            journal.append(&id, vec![ended("i1", "meanwhile")], AT).await.unwrap();
            served += 1;
        }
        served
    };
    let (collected, served) = tokio::join!(journal.collect(i64::MAX), others);
    assert_eq!(collected.unwrap(), 1);
    assert!(served >= 5, "{served}");
}

#[tokio::test]
async fn what_is_begun_cannot_be_restored_and_is_finished_the_next_time() {
    let journal = Journal::in_memory().unwrap();
    fill(&journal, "s1").await;
    journal.delete(&s1(), AT).await.unwrap();
    let some = |connection: &Connection| {
        let number = crate::journal::collect::begin(connection, i64::MAX)?.unwrap();
        crate::journal::collect::remove_some(connection, number).map(|_| ())
    };
    journal.request(Access::Write, some).await.unwrap();
    for outcome in [journal.restore(&s1()).await, journal.delete(&s1(), AT).await] {
        assert!(matches!(outcome.unwrap_err().cause, Cause::UnknownSession(_)));
    }
    assert_eq!(journal.collect(0).await.unwrap(), 1);
    assert_eq!(rows(&journal).await, [0; TABLES.len()]);
}
