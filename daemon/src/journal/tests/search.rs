use super::{AT, asked, ended, s1, said, session, show_list, started, title};
use crate::journal::{Journal, SessionFilter};
use expect_test::{Expect, expect};
use pilotfish_protocol::Update;
use proptest::prelude::{ProptestConfig, any, proptest};

/// Sessions whose words are known, and a search among them.
async fn check(query: &str, expected: Expect) {
    expected.assert_eq(&find(&journal().await, query).await);
}

async fn journal() -> Journal {
    let journal = Journal::in_memory().unwrap();
    for id in ["s1", "s2", "s3", "s4"] {
        journal.create(&session(id)).await.unwrap();
    }
    let prompt = Update::ItemEnded { item: asked("i1", "Why does parse_header panic on \"Ünïcode\"?") };
    journal.append(&s1(), vec![prompt, ended("i2", "Because the **index** is off by one.")], AT).await.unwrap();
    let corrected = vec![ended("i1", "first words"), ended("i1", "parse nothing; second words")];
    journal.append(&"s2".into(), corrected, AT).await.unwrap();
    journal
        .append(&"s3".into(), vec![title("Mend the parser"), started("i1", "unfinished business")], AT)
        .await
        .unwrap();
    journal.rename(&"s4".into(), "Quite another thing").await.unwrap();
    journal
}

async fn find(journal: &Journal, query: &str) -> String {
    let filter = SessionFilter { query: Some(query.to_owned()), limit: 10, ..SessionFilter::default() };
    match journal.sessions(filter).await {
        Ok(list) => show_list(&list),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn finds_words_of_messages_and_titles() {
    check("index", expect!["s1"]).await;
    check("INDEX because", expect!["s1"]).await;
    check("unicode", expect!["s1"]).await;
    check("pars", expect!["s3 s2 s1"]).await;
    check("parse_header", expect!["s1"]).await;
    check("pars words", expect![""]).await;
    check("words pars", expect!["s2"]).await;
    check("thing", expect!["s4"]).await;
}

#[tokio::test]
async fn finds_what_is_said_now_not_what_was_said_before() {
    check("second", expect!["s2"]).await;
    check("first", expect![""]).await;
    check("title", expect!["s2 s1"]).await;
    check("unfinished", expect![""]).await;
}

#[tokio::test]
async fn hears_no_operator_in_what_is_typed() {
    check("", expect!["s4 s3 s2 s1"]).await;
    check("  ", expect!["s4 s3 s2 s1"]).await;
    check("index AND", expect![""]).await;
    check("\"index", expect!["s1"]).await;
    check("index\"*", expect!["s1"]).await;
    check("text:index", expect![""]).await;
    check("(index", expect!["s1"]).await;
    check("-index", expect!["s1"]).await;
    check("index -", expect!["s1"]).await;
    check("ind*", expect!["s1"]).await;
    check("NEAR(index off, 5)", expect![""]).await;
    check("index\0off", expect!["s1"]).await;
    check("*** --- \"\" '", expect![""]).await;
    check(&"index ".repeat(10_000), expect!["s1"]).await;
    check(&"x".repeat(1_000_000), expect![""]).await;
    check(&"(".repeat(10_000), expect![""]).await;
}

#[test]
fn no_text_is_an_error() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let journal = runtime.block_on(journal());
    proptest!(ProptestConfig::with_cases(500), |(query in any::<String>(), signs in "[\"*():^+{}a-c \u{0}\u{93e}-]{0,12}")| {
        for query in [query, signs] {
            let found = runtime.block_on(find(&journal, &query));
            assert!(!found.contains("cannot"), "{query:?}: {found}");
        }
    });
}

#[tokio::test]
async fn search_pages_and_puts_the_workspace_first() {
    let journal = Journal::in_memory().unwrap();
    for (id, workspace) in [("s1", "/w"), ("s2", "/x"), ("s3", "/w")] {
        let mut session = session(id);
        session.workspace = workspace.to_owned();
        journal.create(&session).await.unwrap();
        journal.append(&id.into(), vec![Update::ItemEnded { item: said("i1", "needle") }], AT).await.unwrap();
    }
    let mut filter = SessionFilter {
        workspace: Some("/x".to_owned()),
        query: Some("needle".to_owned()),
        limit: 2,
        ..SessionFilter::default()
    };
    let first = journal.sessions(filter.clone()).await.unwrap();
    filter.cursor.clone_from(&first.next_cursor);
    let second = journal.sessions(filter).await.unwrap();
    expect!["s2 s3 | s1"].assert_eq(&format!("{} | {}", show_list(&first), show_list(&second)));
}
