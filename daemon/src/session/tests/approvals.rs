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
        Update::ApprovalOpened { approval } => *approval,
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
        ItemContent::Approval(approval) => Some(Approval::clone(approval)),
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

/// Runs one wish; answers its question, if one is asked, and gives its output.
async fn wished(session: &mut Attached, fixture: &Fixture, command: &str, grant: &str, decision: Decision) -> String {
    fixture.model.then(calls(&[wish(command, grant)])).then(says("ok"));
    session.prompt("go").await;
    let mut asked = false;
    loop {
        let update = session.until(|update| {
            matches!(update, Update::ApprovalOpened { .. } | Update::ItemEnded { .. } | Update::TurnEnded { .. })
        });
        match update.await.update {
            Update::ApprovalOpened { approval } => {
                asked = true;
                answer(session, &approval, decision.clone()).await;
            }
            Update::ItemEnded { item } => {
                if let ItemContent::ToolCall(call) = item.content {
                    session.until_end().await;
                    return format!("{}{}", if asked { "asked, " } else { "" }, call.output);
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The likes of a command that was remembered.
const LIKES: &[&str] = &[
    "npm testevil",
    "npm test; x",
    "npm test\nx",
    "npm test $(x)",
    "A=1 npm test",
    "npm test x",
    "cd a && npm test",
    "npm test > x",
    "timeout 5 npm test",
];

async fn remembered_is_only_itself(decision: fn(&str) -> Decision, by: &str) {
    for (grant, other) in [(HOST, UNCONFINED), (UNCONFINED, HOST)] {
        let fixture = Fixture::new(&[]);
        let mut session = fixture.session(Mode::Agent).await;
        let first = wished(&mut session, &fixture, "npm test", grant, decision(grant)).await;
        assert_eq!(first, "asked, granted by Answer");
        let again = wished(&mut session, &fixture, "npm test", grant, Decision::Deny).await;
        assert_eq!(again, format!("granted by {by}"));
        for like in LIKES {
            let like = wished(&mut session, &fixture, like, grant, Decision::Deny).await;
            assert_eq!(like, "asked, refused: the person said no");
        }
        let other = wished(&mut session, &fixture, "npm test", other, Decision::Deny).await;
        assert_eq!(other, "asked, refused: the person said no");
    }
}

fn always(argv: &[&str], prefix: bool, grants: &[&str]) -> Rule {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let (id, file, used_at) = (None, None, None);
    Rule { id, scope: Scope::Workspace, argv: words(argv), prefix, grants: words(grants), file, hits: 0, used_at }
}

#[tokio::test]
async fn an_answer_for_the_session_is_for_exactly_that_command_and_grant() {
    remembered_is_only_itself(|_| Decision::Session, "Session").await;
}

#[tokio::test]
async fn an_answer_for_good_is_for_exactly_that_command_and_grant() {
    remembered_is_only_itself(|grant| Decision::Always { rule: always(&["npm", "test"], false, &[grant]) }, "Rule")
        .await;
}

#[tokio::test]
async fn an_answer_for_the_session_ends_with_it() {
    let fixture = Fixture::new(&[]);
    let mut session = fixture.session(Mode::Agent).await;
    wished(&mut session, &fixture, "npm test", HOST, Decision::Session).await;
    session.handle.close().await.unwrap();
    let mut session = Attached::to(fixture.hub.session(session.handle.id())).await;
    let again = wished(&mut session, &fixture, "npm test", HOST, Decision::Once).await;
    assert_eq!(again, "asked, granted by Answer");
    let again = wished(&mut session, &fixture, "npm test", HOST, Decision::Once).await;
    assert_eq!(again, "asked, granted by Answer", "once is once");
}

#[tokio::test]
async fn what_is_remembered_is_said_counted_listed_and_revoked() {
    let fixture = Fixture::new(&[("run.sh", "true\n")]);
    let mut session = fixture.session(Mode::Agent).await;
    fixture.model.then(calls(&[wish("./run.sh a", HOST)])).then(says("ok"));
    session.prompt("go").await;
    let asked = question(&mut session).await;
    let rule = asked.rule.clone().expect("a rule can stand for it");
    assert_eq!(rule, always(&["./run.sh", "a"], false, &[HOST]));
    answer(&session, &asked, Decision::Always { rule }).await;
    let items = rest(&mut session).await;
    let notices: Vec<String> = items
        .iter()
        .filter_map(|item| match &item.content {
            ItemContent::Notice(notice) => Some(notice.text.clone()),
            _ => None,
        })
        .collect();
    let [rule] = &fixture.hub.rules(Some(&fixture.root())).unwrap()[..] else { panic!("one rule") };
    let (id, file) = (rule.id.clone().unwrap(), rule.file.clone().unwrap());
    assert_eq!(
        notices,
        [format!(
            "Remembered in {file}: `./run.sh a` gets {HOST} in this workspace without being asked. \
             `pilotfish rules revoke {id}` forgets it."
        )]
    );
    assert_eq!((rule.hits, &rule.used_at), (0, &None));
    for _ in 0..2 {
        let again = wished(&mut session, &fixture, "./run.sh a", HOST, Decision::Deny).await;
        assert_eq!(again, "granted by Rule");
    }
    let [rule] = &fixture.hub.rules(None).unwrap()[..] else { panic!("one rule") };
    assert_eq!((rule.hits, rule.used_at.is_some()), (2, true));
    std::fs::write(fixture.root().as_path().join("run.sh"), "false\n").unwrap();
    let changed = wished(&mut session, &fixture, "./run.sh a", HOST, Decision::Deny).await;
    assert_eq!(changed, "asked, refused: the person said no", "the script is another one");
    std::fs::write(fixture.root().as_path().join("run.sh"), "true\n").unwrap();
    assert!(fixture.hub.revoke(&id).unwrap());
    assert!(!fixture.hub.revoke(&id).unwrap());
    assert_eq!(fixture.hub.rules(None).unwrap(), []);
    let revoked = wished(&mut session, &fixture, "./run.sh a", HOST, Decision::Deny).await;
    assert_eq!(revoked, "asked, refused: the person said no");
}

#[tokio::test]
async fn a_rule_holds_at_the_root_of_its_workspace_alone() {
    let fixture = Fixture::new(&[("sub/x", "")]);
    let mut session = fixture.session(Mode::Agent).await;
    let rule = always(&["npm", "test"], false, &[HOST]);
    wished(&mut session, &fixture, "npm test", HOST, Decision::Always { rule }).await;
    let cwd = fixture.root().as_path().join("sub").display().to_string();
    fixture
        .model
        .then(calls(&[("wish", json!({"command": "npm test", "grants": [HOST], "cwd": cwd}))]))
        .then(says("ok"));
    session.prompt("go").await;
    let asked = question(&mut session).await;
    assert_eq!(asked.rule, None);
    answer(&session, &asked, Decision::Session).await;
    session.until_end().await;
}

#[tokio::test]
async fn a_broken_file_of_rules_gives_nothing_and_the_question_says_so() {
    let fixture = Fixture::new(&[]);
    std::fs::write(fixture.directory.path().join("rules.toml"), "[[rule]]\nid = \"a\"\nevery = 1\n").unwrap();
    let mut session = fixture.session(Mode::Agent).await;
    fixture.model.then(calls(&[wish("npm test", HOST)])).then(says("ok"));
    session.prompt("go").await;
    let asked = question(&mut session).await;
    assert!(asked.reason.contains("a test wants it. No remembered answer holds, as "), "{}", asked.reason);
    assert!(asked.reason.contains("rules.toml is not a configuration"), "{}", asked.reason);
    let rule = asked.rule.clone().unwrap();
    let error = session.handle.answer(vec![asked.id.clone()], given(Decision::Always { rule })).await.unwrap_err();
    assert!(matches!(error, SessionError::NoSuchRule(_)), "{error}");
    answer(&session, &asked, Decision::Once).await;
    session.until_end().await;
}

/// Whether a rule is taken as an answer to `npm test` with a host.
async fn refusal(rule: Rule) -> String {
    let fixture = Fixture::new(&[]);
    let mut session = fixture.session(Mode::Agent).await;
    fixture.model.then(calls(&[wish("npm test", HOST)])).then(says("ok"));
    session.prompt("go").await;
    let asked = question(&mut session).await;
    let preview = session.handle.preview(asked.id.clone(), Some(rule.clone())).await;
    let outcome = session.handle.answer(vec![asked.id.clone()], given(Decision::Always { rule })).await;
    assert_eq!(preview.is_ok(), outcome.is_ok());
    if outcome.is_err() {
        assert_eq!(fixture.hub.rules(None).unwrap(), []);
        answer(&session, &asked, Decision::Deny).await;
    }
    session.until_end().await;
    outcome.map_or_else(|error| error.to_string(), |_| "taken".to_owned())
}

#[tokio::test]
async fn a_rule_for_something_else_is_no_answer() {
    let taken = [
        always(&["npm", "test"], false, &[HOST]),
        Rule { scope: Scope::Everywhere, ..always(&["npm", "test"], true, &[HOST]) },
        always(&["npm"], true, &[HOST]),
    ];
    for rule in taken {
        assert_eq!(refusal(rule).await, "taken");
    }
    let mut told = String::new();
    for rule in [
        always(&["npm", "run"], false, &[HOST]),
        always(&["npm"], false, &[HOST]),
        always(&["npm", "test", "x"], true, &[HOST]),
        always(&["sh", "-c", "npm test"], false, &[HOST]),
        always(&["npm", "test"], false, &[HOST, UNCONFINED]),
        always(&["npm", "test"], false, &["host:evil.example"]),
        always(&["npm", "test"], false, &[]),
        always(&[], true, &[HOST]),
        always(&["npm test"], false, &[HOST]),
    ] {
        told.push_str(&format!("{}\n", refusal(rule).await));
    }
    expect![[r#"
        nothing is remembered and nothing was answered: the rule is for npm run, and what was asked is npm test
        nothing is remembered and nothing was answered: the rule is for npm, and what was asked is npm test
        nothing is remembered and nothing was answered: the rule is for npm test x, and what was asked is npm test
        nothing is remembered and nothing was answered: the rule is for sh -c 'npm test', and what was asked is npm test
        nothing is remembered and nothing was answered: the rule gives host:registry.example, unconfined, and what was asked for is host:registry.example
        nothing is remembered and nothing was answered: the rule gives host:evil.example, and what was asked for is host:registry.example
        nothing is remembered and nothing was answered: the rule gives , and what was asked for is host:registry.example
        nothing is remembered and nothing was answered: a rule needs the words of a command
        nothing is remembered and nothing was answered: the rule is for 'npm test', and what was asked is npm test
    "#]].assert_eq(&told);
}

#[tokio::test]
async fn what_no_rule_may_stand_for_takes_none() {
    let fixture = Fixture::new(&[]);
    let mut session = fixture.session(Mode::Agent).await;
    for call in
        [wish("npm test $(x)", HOST), wish("python -c 'x'", HOST), write(".envrc", "x"), wish("npm a; npm b", HOST)]
    {
        fixture.model.then(calls(&[call])).then(says("ok"));
        session.prompt("go").await;
        let asked = question(&mut session).await;
        let wide = asked.rule.clone().map_or(always(&["npm"], true, &[HOST]), |rule| Rule { prefix: true, ..rule });
        let error = session.handle.answer(vec![asked.id.clone()], given(Decision::Always { rule: wide })).await;
        assert!(matches!(error, Err(SessionError::NoSuchRule(_))), "{error:?}");
        answer(&session, &asked, Decision::Deny).await;
        session.until_end().await;
    }
    assert_eq!(fixture.hub.rules(None).unwrap(), []);
}

#[tokio::test]
async fn one_part_of_a_line_that_is_missing_is_proposed_alone() {
    let fixture = Fixture::new(&[]);
    let mut session = fixture.session(Mode::Agent).await;
    let rule = always(&["npm", "ci"], false, &[HOST]);
    wished(&mut session, &fixture, "npm ci", HOST, Decision::Always { rule }).await;
    fixture.model.then(calls(&[wish("npm ci && npm  test", HOST)])).then(says("ok"));
    session.prompt("go").await;
    let asked = question(&mut session).await;
    let segments: Vec<(&str, bool)> = asked.segments.iter().map(|part| (part.text.as_str(), part.asks)).collect();
    assert_eq!(segments, [("npm ci", false), ("npm test", true)]);
    assert_eq!(asked.rule, Some(always(&["npm", "test"], false, &[HOST])));
    answer(&session, &asked, Decision::Always { rule: asked.rule.clone().unwrap() }).await;
    session.until_end().await;
    let both = wished(&mut session, &fixture, "npm ci && npm  test", HOST, Decision::Deny).await;
    assert_eq!(both, "granted by Rule");
}

#[tokio::test]
async fn the_first_answer_counts_and_nothing_forged_does() {
    let fixture = Fixture::new(&[]);
    let mut session = fixture.session(Mode::Agent).await;
    fixture.model.then(calls(&[write(".envrc", "x")])).then(says("ok"));
    session.prompt("go").await;
    let asked = question(&mut session).await;
    let hub = &fixture.hub;
    let mut refused = String::new();
    let id = session.handle.id().to_string();
    for forged in
        [format!("{id}.i999999"), format!("{id}.{}", asked.item_id), "a1".to_owned(), "s9.i1".to_owned(), String::new()]
    {
        let forged = [ApprovalId(forged)];
        let error = hub.answer(&forged, &given(Decision::Once)).await.unwrap_err();
        refused.push_str(&format!("{error}\n"));
    }
    expect![[r#"
        session s000001 has no question s000001.i999999
        session s000001 has no question s000001.i000005
        there is no session a1
        there is no session s9
        there is no session 
    "#]]
    .assert_eq(&refused);
    // Two clients at once, neither of them attached: both verbs are sent before either is answered.
    let ids = [asked.id.clone()];
    let one = hub.answer(&ids, &Given { by: "n2".into(), ..given(Decision::Once) });
    let other = hub.answer(&ids, &Given { by: "n3".into(), ..given(Decision::Deny) });
    assert_eq!(one.await.unwrap(), ids);
    assert!(matches!(other.await, Err(SessionError::AlreadyAnswered(_))));
    session.until_end().await;
    assert_eq!(fixture.file(".envrc"), "x");
    let journaled = hub.journal().updates_after(session.handle.id(), 0, 1000).await.unwrap();
    let closed: Vec<_> =
        journaled.iter().filter(|update| matches!(update.update, Update::ApprovalClosed { .. })).collect();
    assert_eq!(closed.len(), 1);
    let late = hub.answer(&ids, &given(Decision::Once)).await;
    assert!(matches!(late, Err(SessionError::AlreadyAnswered(_))));
}

#[tokio::test]
async fn a_question_whose_turn_was_stopped_takes_no_answer() {
    let fixture = Fixture::new(&[]);
    let mut session = fixture.session(Mode::Agent).await;
    fixture.model.then(calls(&[write(".envrc", "x")]));
    session.prompt("go").await;
    let asked = question(&mut session).await;
    let interrupting = session.handle.interrupt(InterruptScope::Turn);
    let answering = session.handle.answer(vec![asked.id.clone()], given(Decision::Once));
    interrupting.await.unwrap();
    assert!(matches!(answering.await, Err(SessionError::NoLongerAsked(_))));
    let (updates, stop) = session.until_end().await;
    assert_eq!(stop, StopReason::Interrupted);
    let closed = updates.iter().find_map(|update| match &update.update {
        Update::ApprovalClosed { by, decision, .. } => Some((by.clone(), decision.clone())),
        _ => None,
    });
    assert_eq!(closed, Some((None, Decision::Deny)));
    check(
        &ended(&updates),
        &fixture,
        expect![[r#"
            approval "change .envrc": None
            write .envrc Interrupted: not done: interrupted while the person was asked
        "#]],
    );
    let late = session.handle.answer(vec![asked.id], given(Decision::Once)).await;
    assert!(matches!(late, Err(SessionError::NoLongerAsked(_))));
    assert!(!fixture.root().as_path().join(".envrc").exists());
    assert_eq!(Attached::to(session.handle.clone()).await.snapshot.approvals, []);
}

#[tokio::test]
async fn a_session_closed_while_it_asks_has_no_question_left() {
    let fixture = Fixture::new(&[]);
    let mut session = fixture.session(Mode::Agent).await;
    fixture.model.then(calls(&[write(".envrc", "x")]));
    session.prompt("go").await;
    question(&mut session).await;
    session.handle.close().await.unwrap();
    let again = Attached::to(fixture.hub.session(session.handle.id())).await;
    assert_eq!((again.snapshot.approvals, again.snapshot.turn_id), (vec![], None));
}

#[tokio::test]
async fn a_yes_that_comes_in_read_only_mode_writes_nothing() {
    let fixture = Fixture::new(&[]);
    let mut session = fixture.session(Mode::Agent).await;
    fixture.model.then(calls(&[write(".envrc", "x"), write("a", "x")])).then(says("ok"));
    session.prompt("go").await;
    let asked = question(&mut session).await;
    session.handle.set_mode(Mode::ReadOnly).await.unwrap();
    answer(&session, &asked, Decision::Once).await;
    let edits = rest(&mut session).await.into_iter().filter(|item| matches!(item.content, ItemContent::Edit(_)));
    check(
        &edits.collect::<Vec<_>>(),
        &fixture,
        expect![[r#"
        edit .envrc Proposed +1 -0
        edit a Proposed +1 -0
    "#]],
    );
    assert!(!fixture.root().as_path().join(".envrc").exists());
    assert!(!fixture.root().as_path().join("a").exists());
    assert_eq!(session.handle.header().await.unwrap().mode, Mode::ReadOnly);
}

#[tokio::test]
async fn other_spellings_of_a_protected_name_ask_as_it_does() {
    for spelling in
        [".VSCODE/settings.json", ".Git/config", "a/../.git/config", ".git//config", "./.git/config", "a/.vscode/x"]
    {
        let fixture = Fixture::new(&[("a/b", "")]);
        let mut session = fixture.session(Mode::Agent).await;
        fixture.model.then(calls(&[write(spelling, "x")])).then(says("ok"));
        session.prompt("go").await;
        let asked = question(&mut session).await;
        assert_eq!(asked.rule, None);
        answer(&session, &asked, Decision::Deny).await;
        let calls = tool_calls(&rest(&mut session).await);
        assert_eq!(calls.first().map(|call| call.output.as_str()), Some("refused: the person said no"), "{spelling}");
        let left: Vec<_> =
            std::fs::read_dir(fixture.root().as_path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["a"]);
    }
}

#[tokio::test]
async fn an_answer_for_the_session_lets_one_protected_path_change() {
    let fixture = Fixture::new(&[]);
    let mut session = fixture.session(Mode::Agent).await;
    fixture
        .model
        .then(calls(&[write(".envrc", "1")]))
        .then(calls(&[write(".envrc", "2"), write(".vscode/x", "3")]))
        .then(says("ok"));
    session.prompt("go").await;
    let asked = question(&mut session).await;
    answer(&session, &asked, Decision::Session).await;
    let asked = question(&mut session).await;
    assert_eq!(asked.grants, ["protected:.vscode/x"]);
    answer(&session, &asked, Decision::Deny).await;
    session.until_end().await;
    assert_eq!(fixture.file(".envrc"), "2");
}

#[tokio::test]
async fn nothing_in_a_question_hides() {
    let fixture = Fixture::new(&[]);
    let mut session = fixture.session(Mode::Agent).await;
    let command = format!(
        "ls\u{1b}[2K\r\u{8}\u{1b}]8;;x\u{7}\u{1b}]52;c;eA==\u{7}\u{202e}\u{200b}\u{e0041}{}; rm -rf ~",
        " ".repeat(3000)
    );
    fixture.model.then(calls(&[wish(&command, HOST)])).then(calls(&[wish(&command, HOST)])).then(says("ok"));
    session.prompt("go").await;
    let asked = question(&mut session).await;
    expect![[r#"ls\u{1b}[2K\u{d}\u{8}\u{1b}]8;;x\u{7}\u{1b}]52;c;eA==\u{7}\u{202e}\u{200b}\u{e0041}[3000 blanks, 0 of them line ends]; rm -rf ~"#]].assert_eq(&asked.detail);
    assert!(asked.escaped);
    assert_eq!(asked.rule, None);
    assert!(asked.segments.iter().all(|part| part.asks && !part.text.contains('\u{1b}')));
    answer(&session, &asked, Decision::Session).await;
    let items = rest(&mut session).await;
    let outputs: Vec<String> = tool_calls(&items).into_iter().map(|call| call.output).collect();
    assert_eq!(outputs, ["granted by Answer", "granted by Session"]);
    fixture.model.then(calls(&[write(".envrc", "a\u{202e}b\n")])).then(says("ok"));
    session.prompt("go").await;
    let asked = question(&mut session).await;
    assert_eq!(asked.edits[0].hunks[0].new_text, "a\\u{202e}b\n");
    assert!(asked.escaped);
    answer(&session, &asked, Decision::Deny).await;
    session.until_end().await;
}

/// A session that was restarted while it asked, and its question.
async fn cut(fixture: Fixture, mut session: Attached, how: How) -> (Fixture, Attached, Approval) {
    session.prompt("go").await;
    let asked = question(&mut session).await;
    let id = session.handle.id().clone();
    match how {
        How::Crash => {}
        How::Drain | How::Now => {
            let stop = if how == How::Drain { Stop::Drain } else { Stop::Now };
            fixture.hub.stop(stop);
            fixture.hub.stopped().await;
            assert!(fixture.hub.is_over());
            fixture.hub.shutdown().await;
        }
    }
    let fixture = fixture.restarted();
    fixture.hub.resume(&std::sync::Arc::default()).await;
    let session = Attached::to(fixture.hub.session(&id)).await;
    assert_eq!(session.snapshot.approvals, std::slice::from_ref(&asked));
    assert_eq!(session.snapshot.session.status.text, "waiting for you (1)");
    (fixture, session, asked)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Crash,
    Drain,
    Now,
}

#[tokio::test]
async fn a_question_outlives_its_daemon_and_its_answer_lets_the_turn_go_on() {
    let mut told = std::collections::BTreeSet::new();
    for how in [How::Crash, How::Drain, How::Now] {
        let fixture = Fixture::new(&[]);
        fixture.model.then(calls(&[write(".envrc", "x")]));
        let session = fixture.session(Mode::Agent).await;
        let (fixture, mut session, asked) = cut(fixture, session, how).await;
        let queued = session.prompt("and then").await;
        assert!(queued.queued_id.is_some(), "{how:?}");
        fixture
            .model
            .then(calls(&[write(".envrc", "x")]))
            .then(calls(&[write(".envrc", "y")]))
            .then(says("done"))
            .then(says("then"));
        answer(&session, &asked, Decision::Once).await;
        // The same once more is not asked, and another one is.
        let other = question(&mut session).await;
        assert_eq!(fixture.file(".envrc"), "x");
        answer(&session, &other, Decision::Deny).await;
        rest(&mut session).await;
        assert_eq!(session.until_end().await.1, StopReason::Done, "{how:?}: what waits is started");
        let history = fixture.hub.journal().history(session.handle.id()).await.unwrap();
        let turns: std::collections::BTreeSet<_> = history.iter().map(|item| item.turn_id.clone()).collect();
        assert_eq!(turns.len(), 2, "it is one turn, and then the one that waited");
        let request = format!("{:?}", fixture.model.requests().get(1));
        assert!(request.contains("make the same call again"), "{request}");
        told.insert(shown(&history));
    }
    let told: Vec<String> = told.into_iter().collect();
    expect![[r#"
        notice for Model
        user go
        approval "change .envrc": Some(Once)
        write .envrc Interrupted: [interrupted: pilotfish ended while this waited for an answer; the person allowed it since]
        notice for Both
        write .envrc Done: created .envrc: 1 lines
        edit .envrc Applied +1 -0
        approval "change .envrc": Some(Deny)
        write .envrc Refused: refused: the person said no
        agent "done" Whole
        user and then
        agent "then" Whole
    "#]].assert_eq(&told.join("---\n"));
}

#[tokio::test]
async fn a_no_after_a_restart_is_told_with_its_note() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(calls(&[wish("npm test", HOST)]));
    let session = fixture.session(Mode::Agent).await;
    let (fixture, mut session, asked) = cut(fixture, session, How::Crash).await;
    fixture.model.then(says("all right"));
    let no = Given { note: Some("not today".to_owned()), ..given(Decision::Deny) };
    fixture.hub.answer(std::slice::from_ref(&asked.id), &no).await.unwrap();
    let items = rest(&mut session).await;
    check(
        &items,
        &fixture,
        expect![[r#"
        approval "run a command with more than the sandbox gives": Some(Deny)
        wish npm test Interrupted: [interrupted: pilotfish ended while this waited for an answer; the person said no: not today]
        notice for Both
        agent "all right" Whole
    "#]],
    );
    let request = format!("{:?}", fixture.model.requests().get(1));
    assert!(request.contains("the person said no: not today"), "{request}");
    assert!(matches!(fixture.hub.answer(&[asked.id], &no).await, Err(SessionError::AlreadyAnswered(_))));
}

#[tokio::test]
async fn what_was_remembered_after_a_restart_holds() {
    for (decision, by) in
        [(Decision::Session, "Session"), (Decision::Always { rule: always(&["npm", "test"], false, &[HOST]) }, "Rule")]
    {
        let fixture = Fixture::new(&[]);
        fixture.model.then(calls(&[wish("npm test", HOST)]));
        let session = fixture.session(Mode::Agent).await;
        let (fixture, mut session, asked) = cut(fixture, session, How::Crash).await;
        let again = || calls(&[wish("npm test", HOST)]);
        fixture.model.then(again()).then(again()).then(says("ok"));
        answer(&session, &asked, decision).await;
        let outputs: Vec<String> =
            tool_calls(&rest(&mut session).await).into_iter().skip(1).map(|call| call.output).collect();
        assert_eq!(outputs, [format!("granted by {by}"), format!("granted by {by}")]);
    }
}

#[tokio::test]
async fn a_cut_turn_can_be_stopped() {
    let fixture = Fixture::new(&[]);
    fixture.model.then(calls(&[write(".envrc", "x")]));
    let session = fixture.session(Mode::Agent).await;
    let (fixture, mut session, asked) = cut(fixture, session, How::Crash).await;
    session.handle.interrupt(InterruptScope::Turn).await.unwrap();
    let (updates, stop) = session.until_end().await;
    assert_eq!(stop, StopReason::Interrupted);
    check(
        &ended(&updates),
        &fixture,
        expect![[r#"
        approval "change .envrc": None
        write .envrc Interrupted: [interrupted by the person while this waited for an answer; it did not go on]
    "#]],
    );
    let late = session.handle.answer(vec![asked.id], given(Decision::Once)).await;
    assert!(matches!(late, Err(SessionError::NoLongerAsked(_))));
    fixture.model.then(says("on"));
    assert_eq!(session.turn("on").await.1, StopReason::Done);
}

#[tokio::test]
async fn many_sessions_wait_and_each_answer_finds_its_own() {
    let fixture = Fixture::new(&[]);
    let mut sessions = Vec::new();
    for number in 0..50 {
        fixture.model.then(calls(&[write(&format!(".vscode/{number}"), "x")]));
        let mut session = fixture.session(Mode::Agent).await;
        session.prompt("go").await;
        let asked = question(&mut session).await;
        sessions.push((session, asked));
    }
    for _ in 0..50 {
        fixture.model.then(says("ok"));
    }
    // Requests of all kinds are under way while the answers come, in another order than the questions.
    let headers = (0..200).map(|number| sessions[number % 50].0.handle.header()).collect::<Vec<_>>();
    let ids: Vec<ApprovalId> = sessions.iter().rev().map(|(_, asked)| asked.id.clone()).collect();
    let closed = fixture.hub.answer(&ids, &given(Decision::Once)).await.unwrap();
    assert_eq!(closed, ids);
    assert!(futures::future::join_all(headers).await.into_iter().all(|header| header.is_ok()));
    for (number, (mut session, _)) in sessions.into_iter().enumerate() {
        assert_eq!(session.until_end().await.1, StopReason::Done);
        assert_eq!(fixture.file(&format!(".vscode/{number}")), "x");
    }
}
