//! Questions and ends, as scripted updates.

use super::{OnQuestion, Verdict, decision, fold};
use crate::cli::exec::drive::Driven;
use crate::cli::exec::status;
use expect_test::{Expect, expect};
use pilotfish_protocol::{Approval, StopReason, Update, Usage};

fn asked() -> Update {
    Update::ApprovalOpened {
        approval: Approval {
            id: "a1".into(),
            item_id: "i1".into(),
            title: "reach example.org".to_owned(),
            detail: "curl https://example.org".to_owned(),
            cwd: "/home/u/project".to_owned(),
            reason: "the sandbox has no network".to_owned(),
            grants: vec!["host:example.org".to_owned()],
            ..crate::testing::approval("a1", "i1")
        },
    }
}

fn ended(stop: StopReason) -> Update {
    Update::TurnEnded { turn_id: "t1".into(), stop, usage: Usage::default(), at: String::new() }
}

fn describe(verdict: &Verdict) -> String {
    match verdict {
        Verdict::GoOn => "go on".to_owned(),
        Verdict::Ask(approval) => format!("ask {}", approval.title),
        Verdict::Answer(id, decision) => format!("answer {id} {decision:?}"),
        Verdict::Stop(approval) => format!("stop at {}", approval.title),
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
        &asked(),
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
    let typed = ["y", " Yes\n", "", "n", "yep", "y y"];
    let lines: String = typed.iter().map(|typed| format!("{typed:?}: {:?}\n", decision(typed))).collect();
    expect![[r#"
        "y": Once
        " Yes\n": Once
        "": Deny
        "n": Deny
        "yep": Deny
        "y y": Deny
    "#]]
    .assert_eq(&lines);
}
