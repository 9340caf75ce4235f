use super::*;
use pilotfish_protocol::{InputPart, ItemId, UserMessage};

fn item(content: ItemContent) -> Item {
    Item { id: ItemId::from("i"), turn_id: None, at: String::new(), content }
}

/// `step name output status`, or the person's words.
fn items(lines: &[&str]) -> Vec<Item> {
    let item = |line: &&str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [step, name, output, rest @ ..] = &words[..] else {
            let input = vec![InputPart::Text { text: (*line).to_owned() }];
            return item(ItemContent::UserMessage(UserMessage { input }));
        };
        let status = match rest {
            ["failed"] => ToolStatus::Failed,
            ["refused"] => ToolStatus::Refused,
            _ => ToolStatus::Done,
        };
        item(ItemContent::ToolCall(ToolCall {
            step: step.parse().unwrap(),
            name: (*name).to_owned(),
            output: (*output).to_owned(),
            status,
            ..ToolCall::default()
        }))
    };
    lines.iter().map(item).collect()
}

fn check(lines: &[&str], repeated: usize, unchecked: bool) {
    let items = items(lines);
    assert_eq!((repeats(items.iter()).0, is_unchecked(items.iter())), (repeated, unchecked), "{lines:?}");
}

#[test]
fn the_same_answers_in_a_row_are_counted() {
    check(&[], 0, false);
    check(&["go"], 0, false);
    check(&["0 read x"], 1, false);
    check(&["go", "0 read x", "1 read x", "2 read x"], 3, false);
    check(&["0 read x", "1 read y", "2 read x"], 1, false);
    // Several calls of an answer count as one, and all of them have to be the same.
    check(&["0 read x", "0 list y", "1 read x", "1 list y"], 2, false);
    check(&["0 read x", "0 list y", "1 read x", "1 list z"], 1, false);
    // Who looks at a command that runs waits for it.
    check(&["0 command x", "1 command x", "2 command x"], 1, false);
    check(&["0 command x failed", "1 command x failed"], 2, false);
    // Words of the person begin anew.
    check(&["0 read x", "1 read x", "stop", "2 read x"], 1, false);
}

#[test]
fn changes_that_nothing_ran_after_are_unchecked() {
    check(&["0 edit x"], 1, true);
    check(&["0 write x", "1 read y"], 1, true);
    check(&["0 shell x", "1 patch y"], 1, true);
    check(&["0 edit x", "1 shell y"], 1, false);
    check(&["0 edit x", "1 shell y failed"], 1, false);
    check(&["0 edit x", "1 shell y refused"], 1, true);
    check(&["0 edit x failed"], 1, false);
}
