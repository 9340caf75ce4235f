use super::{Answer, Cancel, Prompts};
use crate::door::envelope::Id;
use expect_test::{Expect, expect};
use pilotfish_protocol::{
    Fault, FaultKind, InputPart, Item, ItemContent, PromptTaken, Queued, SessionId, SessionUpdate, StopReason, Update,
    Usage, UserMessage,
};

/// A session with prompts of one connection, told step by step.
#[derive(Default)]
struct Story {
    prompts: Prompts,
    told: String,
    seq: u64,
}

impl Story {
    fn prompt(&mut self, name: &str) -> u64 {
        self.prompts.hold(Some(Id::Text(name.to_owned())), &session())
    }

    fn starts(&mut self, number: u64, turn: &str) {
        let taken = PromptTaken { turn_id: Some(turn.into()), queued_id: None };
        let need = self.prompts.taken(number, taken);
        self.need(need);
    }

    fn waits(&mut self, number: u64, place: &str) {
        let taken = PromptTaken { turn_id: None, queued_id: Some(place.into()) };
        let need = self.prompts.taken(number, taken);
        self.need(need);
    }

    fn need(&mut self, need: Cancel) {
        if need != Cancel::Wait {
            self.told += &format!("needs {need:?}\n");
        }
    }

    fn cancel(&mut self) {
        for (number, need) in self.prompts.cancel(&session()) {
            self.told += &format!("{number} needs {need:?}\n");
        }
    }

    fn queue(&mut self, places: &[&str]) {
        let queue = places.iter().map(|place| Queued { id: (*place).into(), input: Vec::new() }).collect();
        self.update(Update::QueueChanged { queue }, None);
    }

    fn begins(&mut self, turn: &str) {
        self.update(Update::TurnStarted { turn_id: turn.into(), at: String::new() }, None);
    }

    fn ends(&mut self, turn: &str, stop: StopReason) {
        let fault = (stop == StopReason::Failed).then(|| Fault {
            fault: FaultKind::Endpoint,
            message: "it burned".to_owned(),
            retryable: false,
        });
        let ended = Update::TurnEnded { turn_id: turn.into(), stop, usage: Usage::default(), at: String::new() };
        self.update(ended, fault.as_ref());
    }

    fn update(&mut self, update: Update, fault: Option<&Fault>) {
        self.seq += 1;
        let update = SessionUpdate { session_id: session(), seq: Some(self.seq), update };
        for Answer { id, outcome, take_back } in self.prompts.take(&update, fault) {
            let id = id.map(|id| serde_json::json!(id)).unwrap_or_default();
            let outcome = match outcome {
                Ok(prompted) => format!("{:?}", prompted.stop_reason),
                Err(failure) => failure.message,
            };
            let take_back = take_back.map(|place| format!(" (take back {place})")).unwrap_or_default();
            self.told += &format!("{id}: {outcome}{take_back}\n");
        }
    }
}

fn session() -> SessionId {
    "s1".into()
}

fn check(tell: impl FnOnce(&mut Story), expected: Expect) {
    let mut story = Story::default();
    tell(&mut story);
    story.told += &format!("{} left\n", story.prompts.len());
    expected.assert_eq(&story.told);
}

#[test]
fn each_end_of_a_turn_has_its_answer() {
    check(
        |story| {
            for stop in [
                StopReason::Done,
                StopReason::Length,
                StopReason::Refused,
                StopReason::StepLimit,
                StopReason::Interrupted,
                StopReason::Failed,
            ] {
                let number = story.prompt(&format!("{stop:?}"));
                story.starts(number, "t1");
                story.begins("t1");
                story.ends("t0", StopReason::Done);
                story.ends("t1", stop);
            }
        },
        expect![[r#"
            "Done": EndTurn
            "Length": MaxTokens
            "Refused": Refusal
            "StepLimit": MaxTurnRequests
            "Interrupted": Cancelled
            "Failed": it burned
            0 left
        "#]],
    );
}

#[test]
fn what_waits_is_answered_at_the_end_of_its_own_turn() {
    check(
        |story| {
            let (one, two, three) = (story.prompt("one"), story.prompt("two"), story.prompt("three"));
            story.starts(one, "t1");
            story.waits(two, "q2");
            story.waits(three, "q3");
            story.begins("t1");
            story.queue(&["q2"]);
            story.queue(&["q2", "q3"]);
            story.ends("t1", StopReason::Done);
            story.queue(&["q3"]);
            story.begins("t2");
            story.ends("t2", StopReason::Length);
            story.queue(&[]);
            story.begins("t3");
            story.ends("t3", StopReason::Done);
        },
        expect![[r#"
            "one": EndTurn
            "two": MaxTokens
            "three": EndTurn
            0 left
        "#]],
    );
}

#[test]
fn what_somebody_takes_back_is_cancelled() {
    check(
        |story| {
            let one = story.prompt("one");
            story.waits(one, "q1");
            story.queue(&["q1"]);
            story.queue(&[]);
            story.ends("t1", StopReason::Done);
        },
        expect![[r#"
            "one": Cancelled
            0 left
        "#]],
    );
}

#[test]
fn what_cannot_begin_comes_back() {
    for (stop, expected) in [
        (
            StopReason::Failed,
            expect![[r#"
            "one": not begun, as the turn before it failed: it burned (take back q1)
            0 left
        "#]],
        ),
        (
            StopReason::StepLimit,
            expect![[r#"
            "one": not begun, as the turn before it did not end; send it again to go on (take back q1)
            0 left
        "#]],
        ),
        (
            StopReason::Interrupted,
            expect![[r#"
            "one": Cancelled (take back q1)
            0 left
        "#]],
        ),
    ] {
        check(
            |story| {
                let one = story.prompt("one");
                story.waits(one, "q1");
                // Told again of the past, as when a transcript is loaded: the prompt is not in it yet.
                story.queue(&[]);
                story.ends("t0", StopReason::Failed);
                story.queue(&["q1"]);
                story.ends("t1", stop);
            },
            expected,
        );
    }
}

#[test]
fn a_cancelled_prompt_never_fails() {
    check(
        |story| {
            for stop in [StopReason::Done, StopReason::Failed, StopReason::Interrupted] {
                let number = story.prompt(&format!("{stop:?}"));
                story.starts(number, "t1");
                story.begins("t1");
                story.cancel();
                story.ends("t1", stop);
            }
        },
        expect![[r#"
            1 needs Interrupt
            "Done": Cancelled
            2 needs Interrupt
            "Failed": Cancelled
            3 needs Interrupt
            "Interrupted": Cancelled
            0 left
        "#]],
    );
    check(
        |story| {
            let (one, two) = (story.prompt("one"), story.prompt("two"));
            story.starts(one, "t1");
            story.cancel();
            story.waits(two, "q2");
            story.begins("t1");
            story.queue(&["q2"]);
            story.ends("t1", StopReason::Failed);
        },
        expect![[r#"
            1 needs Interrupt
            2 needs Wait
            needs TakeBack(QueuedId("q2"))
            "one": Cancelled
            "two": Cancelled (take back q2)
            0 left
        "#]],
    );
}

#[test]
fn its_own_words_are_known_once() {
    let mut story = Story::default();
    let said = |turn: &str| {
        let input = vec![InputPart::Text { text: "x".to_owned() }];
        let content = ItemContent::UserMessage(UserMessage { input });
        let item = Item { id: "i1".into(), turn_id: Some(turn.into()), at: String::new(), content };
        SessionUpdate { session_id: session(), seq: Some(1), update: Update::ItemEnded { item } }
    };
    let one = story.prompt("one");
    story.starts(one, "t1");
    assert!(!story.prompts.is_own(&said("t0")), "another turn's");
    assert!(story.prompts.is_own(&said("t1")));
    assert!(!story.prompts.is_own(&said("t1")), "somebody steered it");
}

#[test]
fn the_beginning_of_a_turn_waits_for_prompts_on_their_way() {
    let mut story = Story::default();
    let begun = |session_id: &str| {
        let update = Update::TurnStarted { turn_id: "t1".into(), at: String::new() };
        SessionUpdate { session_id: session_id.into(), seq: Some(1), update }
    };
    assert!(!story.prompts.must_wait(&begun("s1")));
    let one = story.prompt("one");
    assert!(story.prompts.must_wait(&begun("s1")));
    assert!(!story.prompts.must_wait(&begun("s2")));
    story.starts(one, "t1");
    assert!(!story.prompts.must_wait(&begun("s1")));
}
