//! Hand-written streams in the shapes of the providers and their imitators: each folded whole, split at every byte, and cut at
//! every byte.

use super::{Answer, Form, MAX_ANSWER};
use crate::config::Dialect;
use crate::model::{ModelError, ModelEvent};
use expect_test::{Expect, expect};
use proptest::prelude::{any, prop, proptest};
use std::collections::HashSet;

macro_rules! fixture {
    ($name:literal) => {
        (
            match $name.as_bytes() {
                [b'c', ..] => Dialect::Chat,
                [b'm', ..] => Dialect::Messages,
                _ => Dialect::Responses,
            },
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/model/fixtures/", $name, ".sse")),
        )
    };
}

mod orders;

/// Folds a stream whole, which gives what is expected; split, which must agree; and cut, which must never pass for more than came.
fn check((dialect, stream): (Dialect, &str), expected: Expect) {
    let bytes = stream.as_bytes();
    let whole = fold(dialect, [bytes]);
    assert_eq!(fold(dialect, bytes.chunks(1)), whole, "byte by byte");
    let mut answer = answer(dialect);
    let mut events = Vec::new();
    for (at, byte) in bytes.chunks(1).enumerate() {
        let mut cut = (events.clone(), Ok(()));
        cut.1 = answer.clone().end(&mut cut.0);
        if answer.push(byte, &mut events).is_err() {
            break;
        }
        if at % 41 == 0 {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(fold(dialect, [head, tail]), whole, "split at {at}");
        }
        if cut == whole {
            continue;
        }
        let calls = |events: &[ModelEvent]| {
            events.iter().filter(|event| matches!(event, ModelEvent::Call(_))).cloned().collect::<Vec<_>>()
        };
        // A half call would not be among the calls of the whole answer.
        let whole_calls = calls(&whole.0);
        assert!(calls(&cut.0).iter().all(|call| whole_calls.contains(call)), "cut at {at}: {}", show(&cut));
        match &cut.1 {
            Ok(()) => {
                assert_eq!(calls(&cut.0), whole_calls, "cut at {at}: finished without a call");
                assert!(matches!(cut.0.last(), Some(ModelEvent::Finished { .. })), "cut at {at}");
            }
            Err(error) => assert!(matches!(error, ModelError::Broken { .. }), "cut at {at}: {error}"),
        }
    }
    expected.assert_eq(&show(&whole));
}

fn fold<'a>(dialect: Dialect, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<ModelEvent>, Result<(), ModelError>) {
    let mut answer = answer(dialect);
    let mut events = Vec::new();
    let pushed = pieces.into_iter().try_for_each(|piece| answer.push(piece, &mut events));
    let ended = pushed.and_then(|()| answer.end(&mut events));
    (events, ended)
}

fn answer(dialect: Dialect) -> Answer {
    Answer::new(dialect, Form::Events, "http://model", HashSet::new())
}

fn show((events, ended): &(Vec<ModelEvent>, Result<(), ModelError>)) -> String {
    let mut lines: Vec<String> = events.iter().map(line).collect();
    if let Err(error) = ended {
        lines.push(format!("error: {error} (again: {})", error.retryable()));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn line(event: &ModelEvent) -> String {
    match event {
        ModelEvent::Text(text) => format!("text {text:?}"),
        ModelEvent::TextEnded => "text ended".to_owned(),
        ModelEvent::Reasoning(text) => format!("thought {text:?}"),
        ModelEvent::ReasoningEnded { opaque: Some(opaque) } => format!("thought ended {opaque}"),
        ModelEvent::ReasoningEnded { opaque: None } => "thought ended".to_owned(),
        ModelEvent::Call(call) => format!("call {} {} {}", call.call_id, call.name, call.arguments),
        ModelEvent::Finished { stop, usage } => format!(
            "finished {stop:?}: in {} ({} cached), out {} ({} thought), context {}",
            usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.reasoning_tokens, usage.context_tokens
        ),
    }
}

#[test]
fn responses_as_openai_sends_them() {
    check(
        fixture!("responses_openai"),
        expect![[r#"
        thought "**Looking**"
        thought "\n\n"
        thought "at both files"
        thought ended {"encrypted_content":"c2VhbGVk","id":"rs_1","summary":[{"text":"**Looking**","type":"summary_text"},{"text":"at both files","type":"summary_text"}],"type":"reasoning"}
        text "I read "
        text "both → ü."
        text ended
        call call_a read {"path":"a.rs"}
        call call_b read {"path":"b.rs"}
        finished Done: in 1200 (1024 cached), out 90 (40 thought), context 1290
    "#]],
    );
}

#[test]
fn responses_whose_ids_change() {
    check(
        fixture!("responses_azure_changing_ids"),
        expect![[r#"
        text "On it."
        text ended
        call call_1 list {"path":"."}
        finished Done: in 10 (0 cached), out 5 (0 thought), context 15
    "#]],
    );
}

#[test]
fn responses_with_open_thoughts_and_empty_ids() {
    check(
        fixture!("responses_vllm"),
        expect![[r#"
        thought "The user wants "
        thought "a listing."
        thought ended {"content":[{"text":"The user wants a listing.","type":"reasoning_text"}],"id":"","summary":[],"type":"reasoning"}
        call call_77 list {"path": "src"}
        finished Done: in 50 (0 cached), out 20 (12 thought), context 70
    "#]],
    );
}

#[test]
fn responses_without_ids_positions_openings_or_ends() {
    check(
        fixture!("responses_lmstudio_bare"),
        expect![[r#"
        text "Let me "
        text "look."
        text ended
        call c1 list {"path":"."}
        finished Done: in 0 (0 cached), out 0 (0 thought), context 0
    "#]],
    );
}

#[test]
fn responses_of_whole_items_at_one_position() {
    check(
        fixture!("responses_ollama_whole_items"),
        expect![[r#"
            text "Reading."
            text ended
            call call_1 read {"path":"a"}
            call call_0 read {"path":"b"}
            finished Done: in 0 (0 cached), out 0 (0 thought), context 0
        "#]],
    );
}

#[test]
fn responses_that_refuse() {
    check(
        fixture!("responses_xai_refusal"),
        expect![[r#"
        text "I cannot "
        text "help with that."
        text ended
        finished Refused: in 8 (0 cached), out 7 (0 thought), context 15
    "#]],
    );
}

#[test]
fn responses_cut_by_the_output_limit_lose_the_half_call() {
    check(
        fixture!("responses_incomplete"),
        expect![[r#"
        text "Writing"
        text ended
        finished Length: in 9 (0 cached), out 4096 (0 thought), context 4105
    "#]],
    );
}

#[test]
fn responses_that_fail() {
    check(
        fixture!("responses_openrouter_failed"),
        expect![[r#"
        text "Half a sen"
        error: http://model reported: The upstream provider went away. (again: true)
    "#]],
    );
}

#[test]
fn chat_as_openai_sends_it() {
    check(
        fixture!("chat_openai"),
        expect![[r#"
        text "Both files → "
        text "ü."
        text ended
        call call_a read {"path":"a.rs"}
        call call_b read {"path":"b.rs"}
        finished Done: in 1200 (1024 cached), out 60 (16 thought), context 1260
    "#]],
    );
}

#[test]
fn chat_with_filter_results_first() {
    check(
        fixture!("chat_azure"),
        expect![[r#"
        text "Hello"
        text ended
        finished Refused: in 11 (0 cached), out 2 (0 thought), context 13
    "#]],
    );
}

#[test]
fn chat_with_every_call_numbered_zero() {
    check(
        fixture!("chat_ollama"),
        expect![[r#"
        thought "Two files"
        thought " to read."
        thought ended {"field":"reasoning"}
        call call_x1 read {"path":"a"}
        call call_x2 read {"path":"b"}
        finished Done: in 90 (0 cached), out 30 (0 thought), context 120
    "#]],
    );
}

#[test]
fn chat_of_llamacpp() {
    check(
        fixture!("chat_llamacpp"),
        expect![[r#"
        thought "Hmm."
        thought ended {"field":"reasoning_content"}
        text "Sure."
        text ended
        call kP2 shell {"command":"ls"}
        finished Done: in 40 (0 cached), out 12 (0 thought), context 52
    "#]],
    );
}

#[test]
fn chat_with_a_new_id_for_every_piece() {
    check(
        fixture!("chat_vllm"),
        expect![[r#"
        thought "List it."
        thought ended {"field":"reasoning_content"}
        call chatcmpl-tool-1 list {"path": "src"}
        finished Done: in 7 (0 cached), out 13 (0 thought), context 20
    "#]],
    );
}

#[test]
fn chat_with_thoughts_in_tags() {
    check(
        fixture!("chat_lmstudio"),
        expect![[r#"
        thought "\nA plan"
        thought ended
        text "Here "
        text "you <think> are."
        text ended
        call 365174485 list {}
        finished Done: in 0 (0 cached), out 0 (0 thought), context 0
    "#]],
    );
}

#[test]
fn chat_with_comments_and_sealed_thoughts() {
    check(
        fixture!("chat_openrouter"),
        expect![[r#"
        thought "First "
        thought "look."
        thought ended {"reasoning_details":[{"format":"unknown","index":0,"signature":"sig==","text":"First look.","type":"reasoning.text"},{"data":"c2VhbA==","index":1,"type":"reasoning.encrypted"}]}
        call toolu_1 list {"path":"."}
        finished Done: in 100 (64 cached), out 40 (9 thought), context 140
    "#]],
    );
}

#[test]
fn chat_that_counts_thoughts_in_the_total_only() {
    check(
        fixture!("chat_xai"),
        expect![[r#"
        thought "Think"
        thought ended {"field":"reasoning_content"}
        text "Done"
        text ended
        finished Done: in 30 (5 cached), out 22 (20 thought), context 52
    "#]],
    );
}

#[test]
fn chat_with_whole_calls_that_have_no_ids() {
    check(
        fixture!("chat_gemini"),
        expect![[r#"
        text "Two."
        text ended
        call call_1 read {"path":"a"}
        call call_2 read {"path":"b"}
        finished Done: in 20 (0 cached), out 24 (0 thought), context 44
    "#]],
    );
}

#[test]
fn chat_cut_by_the_output_limit_loses_the_half_call() {
    check(
        fixture!("chat_deepseek_length"),
        expect![[r#"
        thought "I write"
        thought ended {"field":"reasoning_content"}
        call call_00_a read {"path":"a"}
        finished Length: in 20 (16 cached), out 4096 (0 thought), context 4116
    "#]],
    );
}

#[test]
fn chat_without_a_reason_to_stop() {
    check(
        fixture!("chat_unfinished_marks"),
        expect![[r#"
        text "No reason, "
        text "only the mark."
        text ended
        finished Done: in 0 (0 cached), out 0 (0 thought), context 0
    "#]],
    );
}

#[test]
fn chat_with_parts_and_no_last_mark() {
    check(
        fixture!("chat_mistral_parts"),
        expect![[r#"
        thought "Parts"
        thought ended
        text "Words"
        text ended
        finished Done: in 3 (0 cached), out 2 (0 thought), context 5
    "#]],
    );
}

#[test]
fn chat_with_an_error_inside() {
    check(
        fixture!("chat_openrouter_error"),
        expect![[r#"
        text "Half"
        error: http://model reported: Provider returned error: upstream overloaded (again: true)
    "#]],
    );
}

#[test]
fn responses_with_a_call_of_free_text() {
    check(
        fixture!("responses_free_text"),
        expect![[r#"
        call call_p patch {"input":"*** Begin Patch\n*** Add File: a.txt\n+\"one\"\n*** End Patch\n"}
        finished Done: in 10 (0 cached), out 30 (0 thought), context 40
    "#]],
    );
}

#[test]
fn messages_as_anthropic_sends_them() {
    check(
        fixture!("messages_anthropic"),
        expect![[r#"
        thought "Two files "
        thought "to read."
        thought ended {"signature":"EqQBc2ln","type":"thinking"}
        text "I read "
        text "both → ü."
        text ended
        call toolu_01 read {"path":"a.rs"}
        call toolu_02 read {"path":"b.rs"}
        finished Done: in 1236 (1024 cached), out 90 (0 thought), context 1326
    "#]],
    );
}

#[test]
fn messages_with_sealed_and_silent_thoughts() {
    check(
        fixture!("messages_sealed"),
        expect![[r#"
        thought ended {"data":"c2VhbGVk","type":"redacted_thinking"}
        thought ended {"signature":"b25seQ==","type":"thinking"}
        call toolu_01 list {}
        finished Done: in 30 (0 cached), out 41 (0 thought), context 71
    "#]],
    );
}

#[test]
fn messages_cut_by_the_output_limit_lose_the_half_call() {
    check(
        fixture!("messages_length"),
        expect![[r#"
        text "Writing"
        text ended
        call toolu_01 read {"path":"a"}
        finished Length: in 9 (0 cached), out 4096 (0 thought), context 4105
    "#]],
    );
}

#[test]
fn messages_whose_thought_was_cut_send_none_of_it_back() {
    check(
        fixture!("messages_unsigned_thought"),
        expect![[r#"
        thought "and on and"
        thought ended
        finished Length: in 9 (0 cached), out 64 (0 thought), context 73
    "#]],
    );
}

#[test]
fn messages_with_an_error_inside() {
    check(
        fixture!("messages_overloaded"),
        expect![[r#"
        text "Half a sen"
        error: http://model reported: Overloaded (again: true)
    "#]],
    );
}

#[test]
fn messages_that_refuse() {
    check(
        fixture!("messages_refusal"),
        expect![[r#"
        text "I cannot."
        text ended
        finished Refused: in 8 (0 cached), out 7 (0 thought), context 15
    "#]],
    );
}

#[test]
fn messages_of_a_gateway_without_names_numbers_or_pieces() {
    check(
        fixture!("messages_gateway_unnumbered"),
        expect![[r#"
        text "On "
        text "it."
        text ended
        call call_9 list {"path":"."}
        finished Done: in 50 (0 cached), out 20 (0 thought), context 70
    "#]],
    );
}

#[test]
fn messages_with_every_block_numbered_zero_and_no_last_mark() {
    check(
        fixture!("messages_imitator_zero"),
        expect![[r#"
        text "Two."
        text ended
        call a read {"path":"a"}
        call b read {"path":"b"}
        finished Done: in 5 (0 cached), out 4 (0 thought), context 9
    "#]],
    );
}

#[test]
fn calls_get_ids_that_the_history_does_not_have() {
    let stream = r#"data: {"choices":[{"delta":{"tool_calls":[
data: {"index":0,"id":"call_0","function":{"name":"read","arguments":"{}"}},
data: {"index":1,"id":"call_9","function":{"name":"list","arguments":"{}"}}]},"finish_reason":"stop"}]}"#;
    let known = HashSet::from(["call_0".to_owned(), "call_3".to_owned()]);
    let mut answer = Answer::new(Dialect::Chat, Form::Events, "http://model", known);
    let mut events = Vec::new();
    answer.push(stream.as_bytes(), &mut events).unwrap();
    answer.end(&mut events).unwrap();
    expect![[r#"
        call call_4 read {}
        call call_9 list {}
        finished Done: in 0 (0 cached), out 0 (0 thought), context 0
    "#]]
    .assert_eq(&show(&(events, Ok(()))));
}

#[test]
fn takes_one_whole_answer_from_servers_that_do_not_stream() {
    let chat = r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","tool_calls":[
        {"id":"c","type":"function","function":{"name":"list","arguments":"{}"}}]},"finish_reason":"tool_calls"}],
        "usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
    let responses = r#"{"object":"response","status":"completed","output":[
        {"type":"message","content":[{"type":"output_text","text":"Hi"}]},
        {"type":"function_call","call_id":"c","name":"list","arguments":"{}"}],"usage":{"input_tokens":1,"output_tokens":2}}"#;
    let messages = r#"{"type":"message","role":"assistant","content":[
        {"type":"text","text":"Hi"},{"type":"tool_use","id":"c","name":"list","input":{}}],
        "stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":2}}"#;
    let shown: Vec<String> = [(Dialect::Chat, chat), (Dialect::Responses, responses), (Dialect::Messages, messages)]
        .into_iter()
        .map(|(dialect, body)| {
            let mut answer = Answer::new(dialect, Form::Whole, "http://model", HashSet::new());
            let mut events = Vec::new();
            let ended = answer.push(body.as_bytes(), &mut events).and_then(|()| answer.end(&mut events));
            show(&(events, ended))
        })
        .collect();
    assert_eq!((&shown[0], &shown[0]), (&shown[1], &shown[2]));
    expect![[r#"
        text "Hi"
        text ended
        call c list {}
        finished Done: in 1 (0 cached), out 2 (0 thought), context 3
    "#]]
    .assert_eq(&shown[0]);
}

#[test]
fn takes_a_stream_that_is_called_json() {
    let mut answer = Answer::new(Dialect::Chat, Form::Whole, "http://model", HashSet::new());
    let mut events = Vec::new();
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    let ended = answer.push(stream.as_bytes(), &mut events);
    assert_eq!((events, ended), (vec![ModelEvent::Text("Hi".to_owned())], Ok(())));
}

#[test]
fn errors_are_told_apart() {
    let shown: Vec<String> = [
        (Dialect::Chat, r#"data: {"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}}"#),
        (Dialect::Chat, r#"data: {"error":{"message":"slow down","type":"rate_limit_exceeded"}}"#),
        (Dialect::Chat, r#"data: {"error":{"code":400,"message":"no such tool","type":"invalid_request_error"}}"#),
        (Dialect::Chat, r#"error: {"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}"#),
        (Dialect::Chat, r#"data: {"error":"model runner has unexpectedly stopped"}"#),
        (Dialect::Chat, r#"data: {"object":"error","message":"engine dead","type":"internal_error"}"#),
        (Dialect::Chat, "event: error\ndata: out of memory\n\n"),
        (Dialect::Chat, "data: <html>\n\n"),
        (Dialect::Chat, "data: [DONE]\n\n"),
        (Dialect::Chat, r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":"stop"}]}"#),
        (Dialect::Responses, r#"data: {"type":"error","code":"insufficient_quota","message":"You exceeded your current quota."}"#),
        (Dialect::Responses, r#"data: {"type":"error","error":{"code":"overloaded","message":"Try later."}}"#),
        (Dialect::Responses, r#"data: {"type":"response.failed","response":{"error":{"code":"context_length_exceeded","message":"Your input exceeds the context window of this model."}}}"#),
        (Dialect::Responses, "data: {\"type\":\"response.function_call_arguments.delta\",\"delta\":\"{}\"}\n\ndata: {\"type\":\"response.completed\"}"),
        (Dialect::Responses, "data: [DONE]\n\n"),
        (Dialect::Responses, ""),
        (Dialect::Messages, r#"data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
        (Dialect::Messages, r#"data: {"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#),
        (Dialect::Messages, r#"data: {"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#),
        (Dialect::Messages, r#"data: {"type":"error","error":{"type":"invalid_request_error","message":"messages: at least one"}}"#),
        (Dialect::Messages, r#"data: {"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#),
        (Dialect::Messages, r#"data: {"type":"error","error":{"type":"billing_error","message":"no credit"}}"#),
        (Dialect::Messages, r#"data: {"type":"error","error":{"type":"request_too_large","message":"over 32 MB"}}"#),
        (Dialect::Messages, r#"data: {"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#),
        (Dialect::Messages, r#"data: {"error":{"message":"gateway"}}"#),
        (Dialect::Messages, "event: error\ndata: out of memory\n\n"),
        (Dialect::Messages, r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}"#),
        (Dialect::Messages, r#"data: {"type":"message_stop"}"#),
        (Dialect::Messages, ""),
    ]
    .into_iter()
    .map(|(dialect, stream)| show(&fold(dialect, [stream.as_bytes()])))
    .collect();
    expect![[r#"
        error: the conversation no longer fits the model: http://model says: This model's maximum context length is 8192 tokens. (again: false)
        error: http://model reported: slow down (again: true)
        error: http://model reported: no such tool (again: false)
        error: the conversation no longer fits the model: http://model says: the request exceeds the available context size (again: false)
        error: http://model reported: model runner has unexpectedly stopped (again: true)
        error: http://model reported: engine dead (again: true)
        error: http://model reported: out of memory (again: true)
        error: the answer of http://model broke off: an event is not JSON (again: true)
        error: the answer of http://model broke off: it ended before it began (again: true)
        error: the answer of http://model broke off: a call names no tool (again: true)
        error: http://model reported: You exceeded your current quota. (again: false)
        error: http://model reported: Try later. (again: true)
        error: the conversation no longer fits the model: http://model says: Your input exceeds the context window of this model. (again: false)
        error: the answer of http://model broke off: a call was begun and not completed (again: true)
        error: the answer of http://model broke off: it ended before the answer was complete (again: true)
        error: the answer of http://model broke off: it ended before the answer was complete (again: true)
        error: http://model reported: Overloaded (again: true)
        error: http://model reported: Internal server error (again: true)
        error: http://model reported: slow down (again: true)
        error: http://model reported: messages: at least one (again: false)
        error: http://model reported: invalid x-api-key (again: false)
        error: http://model reported: no credit (again: false)
        error: http://model reported: over 32 MB (again: false)
        error: the conversation no longer fits the model: http://model says: prompt is too long: 210000 tokens > 200000 maximum (again: false)
        error: http://model reported: gateway (again: true)
        error: http://model reported: out of memory (again: true)
        error: the answer of http://model broke off: a piece came before its beginning (again: true)
        error: the answer of http://model broke off: it ended without a reason (again: true)
        error: the answer of http://model broke off: it ended before the answer was complete (again: true)
    "#]].assert_eq(&shown.concat());
}

#[test]
fn refuses_arguments_over_the_limit() {
    let piece = "x".repeat(1 << 20);
    for (dialect, event) in [
        (
            Dialect::Chat,
            format!(
                r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":0,"id":"c","function":{{"name":"write","arguments":"{piece}"}}}}]}}}}]}}"#
            ),
        ),
        (Dialect::Responses, format!(r#"{{"type":"response.function_call_arguments.delta","delta":"{piece}"}}"#)),
        (Dialect::Responses, format!(r#"{{"type":"response.custom_tool_call_input.delta","delta":"{piece}"}}"#)),
        (
            Dialect::Messages,
            format!(
                r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"input_json_delta","partial_json":"{piece}"}}}}"#
            ),
        ),
    ] {
        let event = format!("data: {event}\n\n");
        let mut answer = Answer::new(dialect, Form::Events, "http://model", HashSet::new());
        let begun =
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"c","name":"write"}}"#;
        if dialect == Dialect::Messages {
            answer.push(format!("data: {begun}\n\n").as_bytes(), &mut Vec::new()).unwrap();
        }
        let pushed: Vec<_> = (0..9).map(|_| answer.push(event.as_bytes(), &mut Vec::new())).collect();
        assert!(pushed[..8].iter().all(Result::is_ok));
        assert!(matches!(pushed[8], Err(ModelError::TooLarge { what: "arguments of a call", .. })), "{:?}", pushed[8]);
    }
}

#[test]
fn refuses_an_answer_over_the_limit() {
    let mut answer = answer(Dialect::Chat);
    answer.bytes = MAX_ANSWER - 20;
    let pushed = (0..2).try_for_each(|_| answer.push(b": still here\n\n", &mut Vec::new()));
    expect!["the answer of http://model is too large: all of it over 67108864 bytes"]
        .assert_eq(&pushed.unwrap_err().to_string());
}

proptest! {
    #[test]
    fn any_bytes_fold_without_panic(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        dialect in 0..3_usize,
    ) {
        let dialect = [Dialect::Chat, Dialect::Responses, Dialect::Messages][dialect];
        let _ = fold(dialect, [&noise[..]]);
    }

    #[test]
    fn any_order_and_damage_of_events_folds_without_panic_and_without_half_calls(
        picks in prop::collection::vec((0_usize..400, 0_usize..400, any::<bool>()), 0..30),
        dialect in 0..3_usize,
    ) {
        let (dialect, streams): (_, &[&str]) = match dialect {
            0 => (Dialect::Chat, &[
                fixture!("chat_openai").1, fixture!("chat_gemini").1, fixture!("chat_openrouter").1, fixture!("chat_vllm").1,
                fixture!("chat_lmstudio").1, fixture!("chat_mistral_parts").1,
            ]),
            1 => (Dialect::Messages, &[
                fixture!("messages_anthropic").1, fixture!("messages_sealed").1, fixture!("messages_length").1,
                fixture!("messages_gateway_unnumbered").1, fixture!("messages_imitator_zero").1,
            ]),
            _ => (Dialect::Responses, &[
                fixture!("responses_openai").1, fixture!("responses_vllm").1, fixture!("responses_lmstudio_bare").1,
                fixture!("responses_xai_refusal").1, fixture!("responses_incomplete").1, fixture!("responses_free_text").1,
            ]),
        };
        let events: Vec<&str> = streams.iter().flat_map(|stream| stream.split("\n\n")).collect();
        let mut stream = String::new();
        for (event, field, damage) in picks {
            let event = events[event % events.len()];
            // Damage: one of the fields goes by another name.
            let fields: Vec<&str> = event.split("\":").collect();
            let damaged = fields.get(field % fields.len()).filter(|_| damage).map(|name| event.replacen(name, "\"x", 1));
            stream.push_str(damaged.as_deref().unwrap_or(event));
            stream.push_str("\n\n");
        }
        let (events, _) = fold(dialect, [stream.as_bytes()]);
        let ends = events.iter().filter(|event| matches!(event, ModelEvent::Finished { .. })).count();
        assert!(ends <= 1);
    }
}

#[test]
fn values_are_counted_outside_strings() {
    for (json, expected) in [("1", 1), ("[1,2]", 3), (r#"{"a":",,[\"{","b":[]}"#, 4), (r#""\\",1"#, 2), ("", 1)] {
        assert_eq!(super::values(json), expected, "{json}");
    }
}
