//! Questions and ends, as scripted updates.

use super::{
    Name, OnQuestion, Open, Typed, Verdict, asked as words, choices, fold, inquired, is_answer, replied, replies, typed,
};
use crate::cli::exec::drive::Driven;
use crate::cli::exec::status;
use expect_test::{Expect, expect};
use pilotfish_protocol::{
    Approval, ApprovalSegment, Decision, Edit, EditKind, EditState, Item, ItemContent, Question, Rule, RulePreview,
    Scope, StopReason, Update, Usage,
};

fn approval(grants: &[&str]) -> Approval {
    let argv = vec!["curl".to_owned(), "https://example.org".to_owned()];
    let grants: Vec<String> = grants.iter().map(|grant| (*grant).to_owned()).collect();
    let (id, file, used_at) = (None, None, None);
    let rule =
        Rule { id, scope: Scope::Workspace, argv, prefix: false, grants: grants.clone(), file, hits: 0, used_at };
    Approval {
        title: "reach example.org".to_owned(),
        detail: "true && curl https://example.org".to_owned(),
        cwd: "/home/u/project".to_owned(),
        reason: "the sandbox has no network".to_owned(),
        segments: vec![
            ApprovalSegment { text: "true".to_owned(), asks: false },
            ApprovalSegment { text: "curl https://example.org".to_owned(), asks: true },
        ],
        escaped: true,
        grants,
        rule: Some(rule),
        ..crate::testing::approval("a1", "i1")
    }
}

fn asked(grants: &[&str]) -> Update {
    Update::ApprovalOpened { approval: Box::new(approval(grants)) }
}

fn ended(stop: StopReason) -> Update {
    Update::TurnEnded { turn_id: "t1".into(), stop, usage: Usage::default(), at: String::new() }
}

fn title(open: &Open) -> &str {
    match open {
        Open::Approval(approval) => &approval.title,
        Open::Question(_, question) => &question.text,
    }
}

fn port(choices: &[&str]) -> Question {
    let choices = choices.iter().map(|choice| (*choice).to_owned()).collect();
    Question { text: "Which\nport?".to_owned(), choices, answer: None }
}

fn describe(verdict: &Verdict) -> String {
    match verdict {
        Verdict::GoOn => "go on".to_owned(),
        Verdict::Ask(open) => format!("ask {}", title(open)),
        Verdict::Answer(id, decision) => format!("answer {id} {decision:?}"),
        Verdict::Decline(id) => format!("decline {id}"),
        Verdict::Stop(open) => format!("stop at {}", title(open)),
        Verdict::Closed(Name::Approval(id)) => format!("closed {id}"),
        Verdict::Closed(Name::Question(id)) => format!("closed {id}"),
        Verdict::Over(stop) => format!("over {stop:?}"),
    }
}

fn check(update: &Update, expected: Expect) {
    let all = [OnQuestion::Ask, OnQuestion::Stop, OnQuestion::Deny, OnQuestion::Allow];
    let lines = all.map(|on_question| format!("{on_question:?}: {}\n", describe(&fold(on_question, update))));
    expected.assert_eq(&lines.concat());
}

#[test]
fn a_question_meets_what_was_said_beforehand() {
    check(
        &asked(&["host:example.org", "path:/srv"]),
        expect![[r#"
        Ask: ask reach example.org
        Stop: stop at reach example.org
        Deny: answer a1 Deny
        Allow: answer a1 Once
    "#]],
    );
}

#[test]
fn what_the_model_asks_cannot_be_allowed() {
    let item = Item { id: "i9".into(), turn_id: None, at: String::new(), content: ItemContent::Question(port(&[])) };
    check(
        &Update::ItemStarted { item: item.clone() },
        expect![[r#"
            Ask: ask Which
            port?
            Stop: stop at Which
            port?
            Deny: decline i9
            Allow: decline i9
        "#]],
    );
    check(
        &Update::ItemEnded { item },
        expect![[r#"
            Ask: closed i9
            Stop: closed i9
            Deny: closed i9
            Allow: closed i9
        "#]],
    );
}

#[test]
fn what_the_model_asks_is_answered_by_a_number_or_by_words() {
    let question = port(&["80", "8080"]);
    expect![[r#"
        the agent asks:
          Which
          port?
          1 80
          2 8080
        Type its number, any other answer, or 0 for none."#]]
    .assert_eq(&format!("{}{}", inquired(&question), replies(&question)));
    expect!["Type the answer, or 0 for none."].assert_eq(&replies(&port(&[])));
    let said = ["2", "0", "443", " the usual ", " "].map(|line| format!("{:?}\n", replied(line, &question)));
    expect![[r#"
        Some((Some(1), None))
        Some((None, None))
        Some((None, Some("443")))
        Some((None, Some("the usual")))
        None
    "#]]
    .assert_eq(&said.concat());
}

#[test]
fn what_is_protected_or_unconfined_is_never_given_beforehand() {
    check(
        &asked(&["unconfined"]),
        expect![[r#"
        Ask: ask reach example.org
        Stop: stop at reach example.org
        Deny: answer a1 Deny
        Allow: answer a1 Deny
    "#]],
    );
    check(
        &asked(&["host:example.org", "protected:.envrc"]),
        expect![[r#"
        Ask: ask reach example.org
        Stop: stop at reach example.org
        Deny: answer a1 Deny
        Allow: answer a1 Deny
    "#]],
    );
    check(
        &asked(&[]),
        expect![[r#"
        Ask: ask reach example.org
        Stop: stop at reach example.org
        Deny: answer a1 Deny
        Allow: answer a1 Deny
    "#]],
    );
}

#[test]
fn the_end_is_the_end() {
    check(
        &ended(StopReason::Done),
        expect![[r#"
            Ask: over Done
            Stop: over Done
            Deny: over Done
            Allow: over Done
        "#]],
    );
}

#[test]
fn every_end_has_its_status() {
    let ends = [
        Driven::Ended(StopReason::Done),
        Driven::Ended(StopReason::Length),
        Driven::Ended(StopReason::Refused),
        Driven::Ended(StopReason::StepLimit),
        Driven::Ended(StopReason::Interrupted),
        Driven::Ended(StopReason::Failed),
        Driven::StoppedAtQuestion,
    ];
    let lines: String = ends.iter().map(|end| format!("{end:?}: {}\n", status(end))).collect();
    expect![[r#"
        Ended(Done): 0
        Ended(Length): 1
        Ended(Refused): 1
        Ended(StepLimit): 1
        Ended(Interrupted): 130
        Ended(Failed): 1
        StoppedAtQuestion: 3
    "#]]
    .assert_eq(&lines);
}

#[test]
fn only_a_clear_yes_is_a_yes() {
    let lines = [
        "1",
        " Once\n",
        "2",
        "session",
        "3",
        "always",
        "4",
        "no",
        "no, use make",
        "4 use make",
        "",
        "y",
        "yes",
        "1 2",
        "11",
    ];
    let ruled = approval(&["host:example.org"]);
    let unruled = Approval { rule: None, ..ruled.clone() };
    let line = |line: &&str| {
        let told = |typed: Typed| match typed {
            Typed::Answer(Decision::Always { .. }, note) => format!("Always {note:?}"),
            Typed::Answer(decision, note) => format!("{decision:?} {note:?}"),
            Typed::Unclear(hint) => format!("? {hint}"),
        };
        let prompt = if is_answer(line, &ruled) { "" } else { ", in a composer a prompt" };
        let (one, other) = (told(typed(line, &ruled)), told(typed(line, &unruled)));
        if one == other { format!("{line:?}: {one}{prompt}\n") } else { format!("{line:?}: {one} / {other}{prompt}\n") }
    };
    expect![[r#"
        "1": Once None
        " Once\n": Once None, in a composer a prompt
        "2": Session None
        "session": Session None, in a composer a prompt
        "3": Always None / ? no rule can stand for this; type 1, 2 or 4
        "always": Always None / ? no rule can stand for this; type 1, 2 or 4, in a composer a prompt
        "4": Deny None
        "no": Deny None, in a composer a prompt
        "no, use make": Deny Some("use make"), in a composer a prompt
        "4 use make": Deny Some("use make")
        "": ? type 1, 2, 3 or 4, in a composer a prompt
        "y": ? type 1, 2, 3 or 4, in a composer a prompt
        "yes": ? type 1, 2, 3 or 4, in a composer a prompt
        "1 2": ? only a no takes words behind it; type 1, 2, 3 or 4, in a composer a prompt
        "11": ? type 1, 2, 3 or 4, in a composer a prompt
    "#]]
    .assert_eq(&lines.iter().map(line).collect::<String>());
}

#[test]
fn a_question_says_all_there_is_to_know() {
    let approval = approval(&["host:example.org"]);
    let preview = RulePreview {
        rule: approval.rule.clone().unwrap(),
        file: "/home/u/.config/pilotfish/rules.toml".to_owned(),
        also_runs: Vec::new(),
        still_asks: vec!["curl https://example.org x".to_owned()],
    };
    expect![[r#"
        the agent asks: reach example.org
          true && curl https://example.org
          of that, this needs it: curl https://example.org
          in /home/u/project
          asked because the sandbox has no network
          a yes gives host:example.org
          Some characters of it cannot be seen or change what is; they are shown as \u{..} here. Look twice.
          1 once
          2 this session
          3 always: `curl https://example.org` gets host:example.org in this workspace, saved in /home/u/.config/pilotfish/rules.toml
            it also runs nothing else; it still asks for `curl https://example.org x`
          4 no; words behind it are told to the model
        Type 1, 2, 3 or 4."#]].assert_eq(&format!("{}{}", words(&approval), choices(Some(&preview))));
    let protected = Approval {
        rule: None,
        escaped: false,
        segments: Vec::new(),
        edits: vec![edit()],
        ..super::tests::approval(&["protected:.envrc"])
    };
    expect![[r#"
        the agent asks: reach example.org
          true && curl https://example.org
          in /home/u/project
          asked because the sandbox has no network
          a yes gives protected:.envrc
        --- /dev/null
        +++ b/.envrc
        (9 lines added, 0 removed: too many to show)
          1 once
          2 this session
          3 always: no rule can stand for this
          4 no; words behind it are told to the model
        Type 1, 2, 3 or 4."#]]
    .assert_eq(&format!("{}{}", words(&protected), choices(None)));
}

fn edit() -> Edit {
    Edit {
        call_id: None,
        uri: "file:///home/u/project/.envrc".to_owned(),
        path: ".envrc".to_owned(),
        change: EditKind::Created,
        state: EditState::Proposed,
        added: 9,
        removed: 0,
        hunks: Vec::new(),
    }
}
