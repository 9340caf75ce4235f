//! Streams whose events come late or twice, in every dialect: whole, or broken in a way that asking again may mend; and never a call
//! that the model did not make.

use super::{Dialect, ModelEvent, fold};
use proptest::prelude::{any, prop, proptest};
use std::collections::BTreeMap;

/// Their pieces of arguments are such that no other order of them is JSON; a server that repeats words in the middle of a text cannot be
/// told from one whose model does.
const STREAMS: &[(Dialect, &str)] = &[
    fixture!("messages_anthropic"),
    fixture!("messages_sealed"),
    fixture!("messages_length"),
    fixture!("messages_refusal"),
    fixture!("chat_openai"),
    fixture!("chat_deepseek_length"),
    fixture!("responses_openai"),
    fixture!("responses_vllm"),
    fixture!("responses_free_text"),
    fixture!("responses_incomplete"),
];

/// One thing that goes wrong with an event.
#[derive(Debug, Clone, Copy)]
enum Mishap {
    /// It comes once more, so many events later.
    Twice(usize),
    /// It comes so many events later.
    Late(usize),
}

/// The calls that would run, and how often: arguments that are no object are told to the model.
fn runs(events: &[ModelEvent]) -> BTreeMap<(String, String), usize> {
    let mut runs = BTreeMap::new();
    for event in events {
        if let ModelEvent::Call(call) = event
            && serde_json::from_str::<serde_json::Value>(&call.arguments).is_ok_and(|arguments| arguments.is_object())
        {
            *runs.entry((call.name.clone(), call.arguments.clone())).or_default() += 1;
        }
    }
    runs
}

fn check((dialect, stream): (Dialect, &str), mishaps: &[(Mishap, usize)]) {
    let stream = stream.trim_end();
    let meant = runs(&fold(dialect, [stream.as_bytes(), b"\n\n"]).0);
    let mut events: Vec<&str> = stream.split("\n\n").collect();
    // What comes after the end is read by nobody.
    let last = events.pop().unwrap();
    for &(mishap, at) in mishaps {
        let at = at % events.len();
        let (event, to) = match mishap {
            Mishap::Twice(by) => (events[at], at + 1 + by),
            Mishap::Late(by) => (events.remove(at), at + by),
        };
        events.insert(to.min(events.len()), event);
    }
    events.push(last);
    let stream: String = events.iter().map(|event| format!("{event}\n\n")).collect();
    let (folded, ended) = fold(dialect, [stream.as_bytes()]);
    for (run, times) in runs(&folded) {
        assert!(meant.get(&run).is_some_and(|meant| times <= *meant), "{run:?} {times} times of {stream}");
    }
    let ends = folded.iter().filter(|event| matches!(event, ModelEvent::Finished { .. })).count();
    match ended {
        Ok(()) => assert!(ends == 1 && matches!(folded.last(), Some(ModelEvent::Finished { .. })), "{stream}"),
        Err(error) => assert!(ends == 0 && error.retryable(), "{error} of {stream}"),
    }
}

#[test]
fn every_event_may_come_twice_or_late() {
    for &stream in STREAMS {
        let count = stream.1.trim_end().split("\n\n").count();
        for at in 0..count - 1 {
            for by in 0..count {
                check(stream, &[(Mishap::Twice(by), at)]);
                check(stream, &[(Mishap::Late(by), at)]);
            }
        }
    }
}

proptest! {
    #[test]
    fn several_events_may_come_twice_or_late(
        stream in 0..STREAMS.len(),
        mishaps in prop::collection::vec((any::<bool>(), 0_usize..12, 0_usize..64), 1..5),
    ) {
        let mishaps: Vec<(Mishap, usize)> = mishaps
            .into_iter()
            .map(|(twice, by, at)| (if twice { Mishap::Twice(by) } else { Mishap::Late(by) }, at))
            .collect();
        check(STREAMS[stream], &mishaps);
    }
}
