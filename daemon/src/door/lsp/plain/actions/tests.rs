use super::super::hints::tests::hunk;
use super::super::view::View;
use super::super::view::tests::{update, view};
use super::{Scene, actions};
use expect_test::{Expect, expect};
use pilotfish_protocol::{Approval, Hunk, HunkState, Item, ItemContent, Mode, Question, Rule, Scope, Update};
use serde_json::{Value, json};
use tower_lsp::ls_types::{CodeActionOrCommand, CodeActionParams};

fn params(first: u32, last: u32, context: Value) -> CodeActionParams {
    let range = json!({"start": {"line": first, "character": 0}, "end": {"line": last, "character": 1}});
    let document = json!({"uri": "file:///p/a.txt"});
    serde_json::from_value(json!({"textDocument": document, "range": range, "context": context})).expect("params")
}

fn check(params: &CodeActionParams, hunks: &[Hunk], view: Option<&View>, expected: Expect) {
    let scene = Scene { hunks, view, literals: true };
    let told = actions(params, &scene).into_iter().map(|action| {
        let CodeActionOrCommand::CodeAction(action) = action else { panic!("a bare command: {action:?}") };
        let command = action.command.expect("every action is a command");
        assert_eq!((action.edit, &action.title), (None, &command.title));
        let kind = action.kind.expect("a kind");
        let arguments = serde_json::to_string(&command.arguments.unwrap_or_default()).expect("JSON");
        format!("{} [{}] {} {arguments}\n", action.title, kind.as_str(), command.command)
    });
    expected.assert_eq(&told.collect::<String>());
}

fn some() -> Vec<Hunk> {
    vec![
        hunk("h1", HunkState::Applied, (1, "a\n"), (1, "b\n")),
        hunk("h2", HunkState::Applied, (4, ""), (4, "new\n")),
        hunk("h3", HunkState::Proposed, (9, "a\n"), (10, "b\n")),
    ]
}

#[test]
fn the_changes_at_the_cursor_come_first() {
    check(
        &params(1, 1, json!({"diagnostics": []})),
        &some(),
        None,
        expect![[r#"
            Keep this hunk [quickfix] pilotfish.keepHunk [{"hunkIds":["h1"]}]
            Undo this hunk [quickfix] pilotfish.undoHunk [{"hunkIds":["h1"]}]
            Keep file (2 changes) [pilotfish] pilotfish.keepFile [{"uri":"file:///p/a.txt"}]
            Undo file (2 changes) [pilotfish] pilotfish.undoFile [{"uri":"file:///p/a.txt"}]
            Accept all proposals for this file (1 change) [pilotfish] pilotfish.keepHunk [{"hunkIds":["h3"]}]
            Reject all proposals for this file (1 change) [pilotfish] pilotfish.undoHunk [{"hunkIds":["h3"]}]
            Ask pilotfish about selection [pilotfish] pilotfish.ask [{"range":{"end":{"character":1,"line":1},"start":{"character":0,"line":1}},"uri":"file:///p/a.txt"}]
            Switch pilotfish to agent mode [pilotfish] pilotfish.toggleMode [{"uri":"file:///p/a.txt"}]
        "#]],
    );
    check(
        &params(0, 20, json!({"diagnostics": [], "only": ["quickfix"]})),
        &some(),
        None,
        expect![[r#"
        Keep these 2 hunks [quickfix] pilotfish.keepHunk [{"hunkIds":["h1","h2"]}]
        Undo these 2 hunks [quickfix] pilotfish.undoHunk [{"hunkIds":["h1","h2"]}]
        Accept this proposal [quickfix] pilotfish.keepHunk [{"hunkIds":["h3"]}]
        Reject this proposal [quickfix] pilotfish.undoHunk [{"hunkIds":["h3"]}]
    "#]],
    );
    check(&params(1, 1, json!({"diagnostics": [], "only": ["source.organizeImports"]})), &some(), None, expect![""]);
}

#[test]
fn problems_of_others_can_be_fixed() {
    let problem = |source: &str, message: &str| {
        let range = json!({"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 4}});
        json!({"range": range, "source": source, "message": message})
    };
    let context = json!({"diagnostics": [problem("rustc", "no such name"), problem("pilotfish", "changed 1 line")], "only": ["quickfix"]});
    check(
        &params(1, 1, context),
        &[],
        None,
        expect![[r#"
            Fix with pilotfish [quickfix] pilotfish.fix [{"problems":["no such name"],"range":{"end":{"character":1,"line":1},"start":{"character":0,"line":1}},"uri":"file:///p/a.txt"}]
        "#]],
    );
}

#[test]
fn a_session_can_be_stopped_switched_and_answered() {
    let mut view = view();
    let rule = Rule {
        id: None,
        scope: Scope::Workspace,
        argv: vec!["git".to_owned(), "push".to_owned()],
        prefix: true,
        grants: vec!["host:example.org".to_owned()],
        file: None,
        hits: 0,
        used_at: None,
    };
    let approval = Approval {
        id: "a1".into(),
        item_id: "i1".into(),
        title: "$ git push".to_owned(),
        detail: "git push".to_owned(),
        cwd: "/p".to_owned(),
        reason: "it needs the network".to_owned(),
        grants: vec!["host:example.org".to_owned()],
        segments: Vec::new(),
        edits: Vec::new(),
        escaped: false,
        rule: Some(rule),
        decision: None,
        by: None,
        note: None,
    };
    view.take(&update(Update::TurnStarted { turn_id: "t1".into(), at: String::new() }));
    view.take(&update(Update::ModeChanged { mode: Mode::Agent }));
    view.take(&update(Update::ApprovalOpened { approval: Box::new(approval) }));
    check(
        &params(0, 0, json!({"diagnostics": []})),
        &[],
        Some(&view),
        expect![[r#"
            pilotfish asks: $ git push (show) [quickfix] pilotfish.answer [{"approvalId":"a1"}]
            Allow once: $ git push [quickfix] pilotfish.answer [{"answer":"once","approvalId":"a1"}]
            Allow in this session: $ git push [quickfix] pilotfish.answer [{"answer":"session","approvalId":"a1"}]
            Always allow ["git","push"] and any words behind it (host:example.org) [quickfix] pilotfish.answer [{"answer":"always","approvalId":"a1"}]
            Do not allow: $ git push [quickfix] pilotfish.answer [{"answer":"deny","approvalId":"a1"}]
            Ask pilotfish about selection [pilotfish] pilotfish.ask [{"range":{"end":{"character":1,"line":0},"start":{"character":0,"line":0}},"uri":"file:///p/a.txt"}]
            Switch pilotfish to read-only mode [pilotfish] pilotfish.toggleMode [{"uri":"file:///p/a.txt"}]
            Stop pilotfish [pilotfish] pilotfish.stop [{"uri":"file:///p/a.txt"}]
        "#]],
    );
}

#[test]
fn a_client_without_actions_gets_bare_commands() {
    let hunks = some();
    let scene = Scene { hunks: &hunks, view: None, literals: false };
    let actions = actions(&params(1, 1, json!({"diagnostics": []})), &scene);
    assert!(actions.iter().all(|action| matches!(action, CodeActionOrCommand::Command(_))));
}

#[test]
fn what_the_model_asks_has_an_action_for_each_choice() {
    let choices = vec!["80".to_owned(), "8080".to_owned()];
    let content = ItemContent::Question(Question { text: "Which port?\nIt stays.".to_owned(), choices, answer: None });
    let item = Item { id: "i9".into(), turn_id: None, at: String::new(), content };
    let mut view = view();
    view.take(&update(Update::ItemStarted { item: item.clone() }));
    let quick = params(0, 0, json!({"diagnostics": [], "only": ["quickfix"]}));
    check(
        &quick,
        &[],
        Some(&view),
        expect![[r#"
            pilotfish asks: Which port? (show) [quickfix] pilotfish.answer [{"itemId":"i9"}]
            Answer: 80 [quickfix] pilotfish.answer [{"choice":0,"itemId":"i9"}]
            Answer: 8080 [quickfix] pilotfish.answer [{"choice":1,"itemId":"i9"}]
            Give no answer [quickfix] pilotfish.answer [{"answer":"deny","itemId":"i9"}]
        "#]],
    );
    view.take(&update(Update::ItemEnded { item }));
    check(&quick, &[], Some(&view), expect![""]);
}
