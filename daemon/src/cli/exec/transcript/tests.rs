//! Turns as people see them: scripted updates in, both outputs out.

use super::Transcript;
use crate::cli::exec::drive::View;
use crate::cli::terminal::{Colour, Looks, Screen, StatusLine};
use expect_test::{Expect, expect};
use pilotfish_protocol::{
    AgentMessage, Completion, Edit, EditKind, EditState, Fault, FaultKind, Item, ItemContent, Plan, PlanStep,
    SessionUpdate, StepStatus, StopReason, ToolCall, ToolStatus, Update, Usage,
};
use std::io::Write;
use std::sync::{Arc, Mutex};

const PIPED: Looks = Looks { colour: Colour::Never, width: None, status: StatusLine::None };
const TERMINAL: Looks = Looks { colour: Colour::Some, width: Some(40), status: StatusLine::Below };

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a test does to a transcript.
enum Do {
    See(Box<Update>),
    Tick,
}

impl Do {
    fn see(update: Update) -> Self {
        Self::See(Box::new(update))
    }
}

fn item(id: &str, content: ItemContent) -> Item {
    Item { id: id.into(), turn_id: Some("t1".into()), at: String::new(), content }
}

fn message(text: &str) -> ItemContent {
    ItemContent::AgentMessage(AgentMessage { text: text.to_owned(), completion: Completion::Whole })
}

fn said(id: &str, deltas: &[&str]) -> Vec<Do> {
    let started = Update::ItemStarted { item: item(id, message("")) };
    let deltas = deltas.iter().map(|text| Update::ItemDelta { item_id: id.into(), text: (*text).to_owned() });
    let whole = deltas.clone().fold(String::new(), |whole, delta| match delta {
        Update::ItemDelta { text, .. } => whole + &text,
        _ => whole,
    });
    let ended = Update::ItemEnded { item: item(id, message(&whole)) };
    [started].into_iter().chain(deltas).chain([ended]).map(Do::see).collect()
}

fn called(id: &str, name: &str, title: &str, status: ToolStatus, exit_code: Option<i32>, output: &str) -> Vec<Do> {
    let call = ToolCall { name: name.to_owned(), title: title.to_owned(), ..ToolCall::default() };
    let ended = ToolCall { status, exit_code, output: output.to_owned(), duration_ms: Some(800), ..call.clone() };
    vec![
        Do::see(Update::ItemStarted { item: item(id, ItemContent::ToolCall(call)) }),
        Do::see(Update::ItemEnded { item: item(id, ItemContent::ToolCall(ended)) }),
    ]
}

fn over(stop: StopReason) -> Do {
    let usage = Usage { input_tokens: 12_345, cached_tokens: 9_000, output_tokens: 67, ..Usage::default() };
    Do::see(Update::TurnEnded { turn_id: "t1".into(), stop, usage, at: String::new() })
}

async fn check(looks: Looks, script: Vec<Do>, expected: Expect) {
    tokio::time::pause();
    let (out, err) = (Shared::default(), Shared::default());
    let mut transcript = Transcript::new(Screen::on(looks, Box::new(out.clone()), Box::new(err.clone())), None);
    for step in script {
        match step {
            Do::See(update) => {
                transcript.update(&SessionUpdate { session_id: "s1".into(), seq: None, update: *update }).unwrap();
            }
            Do::Tick => {
                tokio::time::advance(std::time::Duration::from_secs(1)).await;
                transcript.tick();
            }
        }
    }
    drop(transcript);
    let text = |shared: &Shared| {
        String::from_utf8(shared.0.lock().unwrap().clone()).unwrap().replace('\x1b', "␛").replace('\r', "␍")
    };
    let mut both = text(&out);
    let errors = text(&err);
    if !errors.is_empty() {
        both.push_str(&format!("--- stderr\n{errors}"));
    }
    expected.assert_eq(&both);
}

#[tokio::test]
async fn words_calls_and_the_end_stand_apart() {
    let script = [
        said("i1", &["\n\nI look ", "first."]),
        called("i2", "read", "read src/lib.rs", ToolStatus::Done, None, ""),
        called("i3", "shell", "$ cargo test", ToolStatus::Failed, Some(101), "no"),
        called("i4", "shell", "$ true", ToolStatus::Done, Some(0), ""),
        called("i5", "edit", "edit a.rs", ToolStatus::Failed, None, "a.rs does not exist; create it with write\nmore"),
        called("i6", "shell", "$ x", ToolStatus::Refused, None, "refused: no"),
        called("i7", "shell", "$ sleep 9", ToolStatus::Interrupted, None, ""),
        said("i8", &["Done."]),
        said("i9", &["Truly."]),
        vec![over(StopReason::Done)],
    ];
    check(
        PIPED,
        script.into_iter().flatten().collect(),
        expect![[r#"
        I look first.

          read src/lib.rs
          $ cargo test  ✗ exit 101 · 0.8 s
          $ true  ✓ 0.8 s
          edit a.rs  ✗ a.rs does not exist; create it with write
          $ x  ✗ refused: no
          $ sleep 9  interrupted

        Done.

        Truly.

        finished · 12,345 tokens in (9,000 cached), 67 out · 0 ms
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_terminal_gets_colours_a_status_and_wrapped_words() {
    let script = [
        vec![Do::Tick],
        said(
            "i1",
            &[
                "These words are too long for one ",
                "line of a narrow term",
                "inal.\n\n```\nbut code stays on its line however long it is\n```",
            ],
        ),
        vec![Do::see(Update::ItemStarted {
            item: item(
                "i2",
                ItemContent::ToolCall(ToolCall {
                    name: "shell".to_owned(),
                    title: "$ cargo test".to_owned(),
                    ..ToolCall::default()
                }),
            ),
        })],
        vec![
            Do::Tick,
            Do::see(Update::ItemDelta { item_id: "i2".into(), text: "one\n   Compiling versions\n".to_owned() }),
            Do::Tick,
        ],
        called("i2", "shell", "$ cargo test --a-long-option --another-long-one", ToolStatus::Done, Some(0), ""),
        vec![over(StopReason::Done)],
    ];
    check(TERMINAL, script.into_iter().flatten().collect(), expect![[r#"
        These words are too long for one line of
        a narrow terminal.

        ```
        but code stays on its line however long it is
        ```

          ␛[2m$␛[0m cargo test --a-long-option…  ␛[32m✓ 0.8 s␛[0m

        ␛[1mfinished␛[0m␛[2m · ␛[0m␛[2m12,345 tokens in (9,000 cached), 67 out␛[0m␛[2m · ␛[0m␛[2m3.0 s␛[0m
        --- stderr
        ␍␛[2m  starting · 1.0 s␛[0m␛[K␍␛[K␍␛[2m  $ cargo test · 1.0 s␛[0m␛[K␍␛[2m  $ cargo test · 2.0 s · Compiling ver…␛[0m␛[K␍␛[K"#]]).await;
}

#[tokio::test]
async fn what_was_lost_on_the_way_comes_with_the_end() {
    let script = vec![
        Do::see(Update::ItemStarted { item: item("i1", message("")) }),
        Do::see(Update::ItemDelta { item_id: "i1".into(), text: "  One, ".to_owned() }),
        Do::see(Update::ItemChanged { item: item("i1", message("  One, two, ")) }),
        Do::see(Update::ItemDelta { item_id: "i1".into(), text: "three, ".to_owned() }),
        Do::see(Update::ItemEnded { item: item("i1", message("  One, two, three, four.")) }),
        Do::see(Update::ItemEnded { item: item("i2", message("Never begun.")) }),
        over(StopReason::Interrupted),
    ];
    check(
        PIPED,
        script,
        expect![[r#"
        One, two, three, four.

        Never begun.

        interrupted · 12,345 tokens in (9,000 cached), 67 out · 0 ms
    "#]],
    )
    .await;
}

#[tokio::test]
async fn nothing_that_a_terminal_would_obey_passes() {
    let script = [
        said("i1", &["red \x1b[31mwords\x1b]0;title\x07 and a \x1b", "[2Jsplit one"]),
        called("i2", "shell", "$ echo \x1b[2J", ToolStatus::Done, Some(0), ""),
        vec![over(StopReason::Done)],
    ];
    check(
        PIPED,
        script.into_iter().flatten().collect(),
        expect![[r#"
        red words and a [2Jsplit one

          $ echo   ✓ 0.8 s

        finished · 12,345 tokens in (9,000 cached), 67 out · 0 ms
    "#]],
    )
    .await;
}

#[tokio::test]
async fn changes_proposals_and_plans_have_their_lines() {
    let edit = |state, change| {
        let edit = Edit {
            call_id: None,
            uri: "file:///nowhere/a.rs".to_owned(),
            path: "a.rs".to_owned(),
            change,
            state,
            added: 3,
            removed: 1,
            hunks: Vec::new(),
        };
        Do::see(Update::ItemEnded { item: item("i2", ItemContent::Edit(edit)) })
    };
    let step = |step: &str, status| PlanStep { step: step.to_owned(), status };
    let plan = Plan {
        steps: vec![
            step("look", StepStatus::Completed),
            step("change", StepStatus::InProgress),
            step("check", StepStatus::Pending),
        ],
    };
    let mut script = called("i1", "edit", "edit a.rs", ToolStatus::Done, None, "ok");
    script.extend([
        edit(EditState::Applied, EditKind::Created),
        edit(EditState::Proposed, EditKind::Changed),
        Do::see(Update::PlanChanged { plan }),
        over(StopReason::StepLimit),
    ]);
    check(
        PIPED,
        script,
        expect![[r#"
          created a.rs  +3 −1
          proposes a.rs  +3 −1
            ✓ look
            › change
            · check

        Proposed, not written: this run was read-only. To have it written: --mode agent
        --- /dev/null
        +++ b/a.rs
        --- a/a.rs
        +++ b/a.rs

        stopped at the limit of steps · 12,345 tokens in (9,000 cached), 67 out · 0 ms
    "#]],
    )
    .await;
}

#[tokio::test]
async fn faults_go_to_stderr_in_full() {
    let fault = |fault, retryable| {
        let fault = Fault { fault, message: "cannot reach it;\nwrite this there".to_owned(), retryable };
        Do::see(Update::ItemEnded { item: item("i1", ItemContent::Error(fault)) })
    };
    let script = vec![fault(FaultKind::Stream, true), fault(FaultKind::Configuration, false), over(StopReason::Failed)];
    check(
        PIPED,
        script,
        expect![[r#"
          cannot reach it;
        write this there

        failed · 12,345 tokens in (9,000 cached), 67 out · 0 ms
        --- stderr
        pilotfish: cannot reach it;
        write this there
    "#]],
    )
    .await;
}
