use super::{Ids, answered, fitting};
use crate::model::{Call, Message, Part};
use expect_test::{Expect, expect};

/// A history written as words, one for each message: `c1` calls, `o1` answers that call, anything else is said by the person.
fn check(history: &str, expected: Expect) {
    let call = |id: &str| Call { call_id: id.to_owned(), name: "read".to_owned(), arguments: "{}".to_owned() };
    let message = |word: &str| match (word.get(..1), word.get(1..)) {
        (Some("c"), Some(id)) => Message::Call(call(id)),
        (Some("o"), Some(id)) => Message::Output { call_id: id.to_owned(), text: "out".to_owned() },
        _ => Message::User(vec![Part::Text(word.to_owned())]),
    };
    let messages: Vec<Message> = history.split_whitespace().map(message).collect();
    let sound = answered(&messages);
    let words = sound.iter().map(|message| match message {
        Message::Call(call) => format!("c{}", call.call_id),
        Message::Output { call_id, text } if text == "out" => format!("o{call_id}"),
        Message::Output { call_id, text } => format!("o{call_id}({text})"),
        _ => "says".to_owned(),
    });
    expected.assert_eq(&words.collect::<Vec<_>>().join(" "));
}

#[test]
fn every_call_is_answered_once_and_nothing_else_is() {
    check("says c1 c2 o1 o2 says", expect!["says c1 c2 o1 o2 says"]);
    check("c1 c2 o2 o1 c3 o3", expect!["c1 c2 o2 o1 c3 o3"]);
    check("c1 c2 o1 says", expect!["c1 c2 o1 o2(the outcome of this call is not known) says"]);
    check("o1 says c1 o1 o1", expect!["says c1 o1"]);
    check("c1 c1 o1 c2", expect!["c1 o1 c2 o2(the outcome of this call is not known)"]);
}

#[test]
fn ids_are_kept_where_they_are_taken() {
    let long = format!("call_{}", "x".repeat(80));
    let longer = format!("{long}y");
    let shown = ["toolu_01-a", "functions.read:0", "", "ü", &long, &longer]
        .map(|id| format!("{} | {}", fitting(id, Ids::Short), fitting(id, Ids::Plain)));
    expect![[r#"
        toolu_01-a | toolu_01-a
        functions.read:0 | functions_read_0_5b4c7fc9f36ea68e
        _cbf29ce484222325 | _cbf29ce484222325
        ü | __0ac20a07b71807ea
        call_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_0e9b265c564f5802 | call_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_0e9b265c564f5802
        call_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_20faa9e6a8d35901 | call_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_20faa9e6a8d35901"#]].assert_eq(&shown.join("\n"));
    for id in ["", "ü.ü", &long] {
        let fitting = fitting(id, Ids::Plain);
        assert!(
            fitting.len() <= 64 && fitting.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        );
    }
}
