//! Questions that wait for the person, through whole turns.

use crate::hub::Stop;
use crate::policy::rules::UNCONFINED;
use crate::session::{Given, InterruptScope, SessionError};
use crate::testing::{Attached, Fixture, calls, ended, says, shown, tool_calls};
use expect_test::{Expect, expect};
use pilotfish_protocol::{
    Approval, ApprovalId, Decision, Item, ItemContent, Mode, Rule, Scope, Status, StopReason, Update,
};
use serde_json::{Value, json};

const HOST: &str = "host:registry.example";

fn check(items: &[Item], fixture: &Fixture, expected: Expect) {
    let home = fixture.directory.path().canonicalize().unwrap().display().to_string();
    expected.assert_eq(&shown(items).replace(&fixture.root().to_string(), "ROOT").replace(&home, "HOME"));
}

fn write(path: &str, content: &str) -> (&'static str, Value) {
    ("write", json!({"path": path, "content": content}))
}

fn wish(command: &str, grant: &str) -> (&'static str, Value) {
    ("wish", json!({"command": command, "grants": [grant]}))
}

fn given(decision: Decision) -> Given {
    Given { decision, note: None, by: "n1".into() }
}

async fn answer(session: &Attached, approval: &Approval, decision: Decision) {
    let closed = session.handle.answer(vec![approval.id.clone()], given(decision)).await.unwrap();
    assert_eq!(closed, std::slice::from_ref(&approval.id));
}

/// The next question.
async fn question(session: &mut Attached) -> Approval {
    match session.until(|update| matches!(update, Update::ApprovalOpened { .. })).await.update {
        Update::ApprovalOpened { approval } => approval,
        other => panic!("{other:?}"),
    }
}

async fn rest(session: &mut Attached) -> Vec<Item> {
    ended(&session.until_end().await.0)
}

#[tokio::test]
async fn a_protected_name_is_written_when_the_person_says_so() {
    let fixture = Fixture::new(&[("a", "old\n")]);
    fixture.model.then(calls(&[write("a", "new\n"), write(".vscode/settings.json", "{}\n")])).then(says("done"));
    let mut session = fixture.session(Mode::Agent).await;
    session.prompt("go").await;
    let asked = question(&mut session).await;
    expect![[r#"
        change .vscode/settings.json
        .vscode/settings.json is protected: an editor obeys or runs what stands there
        ["protected:.vscode/settings.json"]
        [(".vscode/settings.json", ["{}\n"])]
        None"#]]
    .assert_eq(&format!(
        "{}\n{}\n{:?}\n{:?}\n{:?}",
        asked.title,
        asked.reason,
        asked.grants,
        asked
            .edits
            .iter()
            .map(|edit| (&edit.path, edit.hunks.iter().map(|hunk| &hunk.new_text).collect::<Vec<_>>()))
            .collect::<Vec<_>>(),
        asked.rule,
    ));
    let status = session.handle.header().await.unwrap().status;
    assert_eq!((status.state, status.text.as_str()), (Status::Waiting, "waiting for you (1)"));
    assert!(!fixture.root().as_path().join(".vscode").exists());
    answer(&session, &asked, Decision::Once).await;
    let items = rest(&mut session).await;
    let kinds = items.iter().filter(|item| !matches!(item.content, ItemContent::Approval(_))).cloned();
    check(
        &kinds.collect::<Vec<_>>(),
        &fixture,
        expect![[r#"
            write .vscode/settings.json Done: created .vscode/settings.json: 1 lines
            edit .vscode/settings.json Applied +1 -0
            agent "done" Whole
        "#]],
    );
    assert_eq!(fixture.file(".vscode/settings.json"), "{}\n");
    let approval = items.iter().find_map(|item| match &item.content {
        ItemContent::Approval(approval) => Some(approval.clone()),
        _ => None,
    });
    assert_eq!(approval, Some(Approval { decision: Some(Decision::Once), by: Some("n1".into()), ..asked }));
    assert_eq!(session.handle.header().await.unwrap().status.state, Status::Idle);
}

#[tokio::test]
async fn a_no_is_told_to_the_model_with_its_note() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(calls(&[write(".envrc", "x"), wish("npm test", HOST)])).then(says("sorry"));
    let mut session = fixture.session(Mode::Agent).await;
    session.prompt("go").await;
    let asked = question(&mut session).await;
    let no = Given { note: Some("put it into\nthe README".to_owned()), ..given(Decision::Deny) };
    session.handle.answer(vec![asked.id], no).await.unwrap();
    let asked = question(&mut session).await;
    answer(&session, &asked, Decision::Deny).await;
    let calls: Vec<String> = tool_calls(&rest(&mut session).await).into_iter().map(|call| call.output).collect();
    assert_eq!(calls, ["refused: the person said no"]);
    let [_, request] = &fixture.model.requests()[..] else { panic!("two requests") };
    assert!(format!("{request:?}").contains("refused: the person said no: put it into\\nthe README"), "{request:?}");
    assert!(!fixture.root().as_path().join(".envrc").exists());
}
