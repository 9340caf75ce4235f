use super::*;
use crate::model::Message;
use crate::prompt::{build, words};
use expect_test::{Expect, expect};
use pilotfish_protocol::{Audience, ContextReceipt, InputPart, ModelName, Notice, SessionId, ToolStatus, UserMessage};
use std::sync::Arc;

/// Items named `i0`, `i1`…: `asks words`, `notice words`, `reads step bytes`, `agents words`, `masked first`, `summary first text`.
fn history(lines: &[String]) -> History {
    let item = |(number, line): (usize, &String)| {
        let (kind, rest) = line.split_once(' ').unwrap();
        let (first, last) = rest.split_once(' ').unwrap_or((rest, ""));
        let compaction = |way, text: &str| {
            let first_kept = (first != "-").then(|| ItemId::from(first));
            let text = text.to_owned();
            ItemContent::Compaction(Compaction { way, first_kept, text, tokens_before: 9, tokens_after: 1 })
        };
        let content = match kind {
            "asks" => ItemContent::UserMessage(UserMessage { input: vec![InputPart::Text { text: rest.to_owned() }] }),
            "notice" => ItemContent::Notice(Notice { text: rest.to_owned(), audience: Audience::Model }),
            "agents" => ItemContent::Context(ContextReceipt {
                parts: vec![ContextPart {
                    source: ContextSource::Instructions,
                    title: "AGENTS.md".to_owned(),
                    uri: None,
                    text: rest.to_owned(),
                    left_out: 0,
                }],
            }),
            "masked" => compaction(CompactionWay::Masked, ""),
            "summary" => compaction(CompactionWay::Summarized, last),
            _ => ItemContent::ToolCall(ToolCall {
                call_id: format!("c{number}"),
                step: first.parse().unwrap(),
                name: "read".to_owned(),
                output: "x".repeat(last.parse().unwrap()),
                status: ToolStatus::Done,
                ..ToolCall::default()
            }),
        };
        Item { id: ItemId(format!("i{number}")), turn_id: Some(TurnId::from("t1")), at: String::new(), content }
    };
    let mut history = History::new(lines.iter().enumerate().map(item).collect());
    history.window.belongs_to(&ModelName("p/m".to_owned()), Some(32_000));
    history
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn reads(count: usize, bytes: usize) -> Vec<String> {
    (0..count).map(|step| format!("reads {step} {bytes}")).collect()
}

fn check(history: &History, expected: Expect) {
    let prompt = build(&SessionId::from("s1"), (&ModelName("p/m".to_owned()), None), &Arc::from([]), history);
    let line = |message: &Message| match message {
        Message::User(parts) => format!("user {parts:?}"),
        Message::Call(call) => format!("call {}", call.call_id),
        Message::Output { text, .. } if text.starts_with("xx") => format!("output of {}", text.len()),
        Message::Output { text, .. } => format!("output {text}"),
        other => format!("{other:?}"),
    };
    let shown: Vec<String> = prompt.request.messages.iter().map(line).collect();
    expected.assert_eq(&(shown.join("\n") + "\n"));
}

#[test]
fn masked_outputs_say_how_to_see_them_again() {
    check(
        &history(&lines(&["asks go", "reads 0 500", "reads 1 100", "reads 2 500", "masked i3", "reads 3 500"])),
        expect![[r#"
            user [Text("go")]
            call c1
            output [this output was left out to save room: 1 lines, 500 bytes; call read again, or read with path "output:i1"]
            call c2
            output of 100
            call c3
            output of 500
            call c5
            output of 500
        "#]],
    );
}

#[test]
fn a_summary_stands_for_all_before_it_but_instructions() {
    check(
        &history(&lines(&[
            "notice <environment>old",
            "agents be terse",
            "asks go",
            "agents be kind",
            "notice <environment>new",
            "reads 0 500",
            "reads 1 300",
            "summary i6 what was",
            "asks on",
        ])),
        expect![[r#"
            user [Text("what was")]
            user [Text("be kind")]
            user [Text("<environment>new")]
            call c6
            output of 300
            user [Text("on")]
        "#]],
    );
    check(
        &history(&lines(&["asks go", "reads 0 500", "summary - one", "asks on", "summary - two"])),
        expect![[r#"
            user [Text("two")]
        "#]],
    );
}

#[test]
fn outputs_are_masked_when_that_is_enough_and_the_last_ten_stay() {
    let mut items = lines(&["asks go"]);
    items.extend(reads(20, 4_000));
    let history = history(&items);
    let masked = mask(&history, 25_000).expect("it is enough");
    // Ten of 4,000 bytes are 11,120 tokens, and the notes take some of that.
    assert_eq!(
        (masked.way, masked.first_kept, masked.tokens_before),
        (CompactionWay::Masked, Some("i11".into()), 25_000)
    );
    assert!((14_000..14_500).contains(&masked.tokens_after), "{}", masked.tokens_after);
    assert_eq!(mask(&history, 31_000), None);
    assert_eq!(mask(&self::history(&items[..10]), 25_000), None);
}

#[test]
fn what_is_masked_is_not_counted_again() {
    let mut items = lines(&["asks go"]);
    items.extend(reads(20, 4_000));
    items.push("masked i11".to_owned());
    assert_eq!(mask(&history(&items), 25_000), None);
}

#[test]
fn the_tail_begins_with_a_step_and_is_short() {
    let tail_of = |items: &[String]| tail(&history(items));
    let mut items = lines(&["asks go"]);
    items.extend(reads(20, 4_000));
    // A fifth of the window is 6,400 tokens: five reads, of which four stay.
    assert_eq!(tail_of(&items), 17);
    items.push("notice look".to_owned());
    assert_eq!(tail_of(&items), 18);
    // Calls of one answer are never parted.
    assert_eq!(tail_of(&lines(&["asks go", "reads 0 10", "reads 1 30000", "reads 1 10", "reads 1 10"])), 5);
    assert_eq!(tail_of(&lines(&["asks go", "reads 0 10", "reads 1 10", "reads 1 10", "reads 1 10"])), 2);
    assert_eq!(tail_of(&lines(&["asks go"])), 1);
    assert_eq!(words(history(&lines(&["asks go"])).asked()), "go");
}
