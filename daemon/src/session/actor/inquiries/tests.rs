use super::{LONGEST, Said, said};
use crate::session::{SessionError, Spoken};
use expect_test::{Expect, expect};
use pilotfish_protocol::Question;

fn check(choice: Option<u32>, text: Option<&str>, expected: Expect) {
    let choices = vec!["Yes".to_owned(), "No".to_owned()];
    let question = Question { text: "Go on?".to_owned(), choices, answer: None };
    let spoken = Spoken { choice, text: text.map(str::to_owned), by: "n1".into() };
    let shown = match said(&question, spoken) {
        Ok(said) => format!("{said:?}"),
        Err(SessionError::Invalid(why)) => why,
        Err(error) => panic!("{error}"),
    };
    expected.assert_eq(&shown);
}

#[test]
fn a_choice_is_named_by_its_place_or_by_its_words() {
    check(Some(1), None, expect![[r#"Choice { at: 1, words: "No" }"#]]);
    check(None, Some(" yes\n"), expect![[r#"Choice { at: 0, words: "Yes" }"#]]);
    check(Some(2), None, expect!["there is no choice 2; the question has 2"]);
    check(Some(u32::MAX), None, expect!["there is no choice 4294967295; the question has 2"]);
}

#[test]
fn any_words_may_be_said_instead() {
    check(None, Some(" only on Monday "), expect![[r#"Words("only on Monday")"#]]);
    check(None, Some(" "), expect!["the answer is empty; leave it out where nobody answers"]);
    check(Some(0), Some("both"), expect!["the answer is a choice or a text, not both"]);
    check(None, Some(&"x".repeat(LONGEST + 1)), expect!["the answer is longer than 65536 bytes; say it in a prompt"]);
}

#[test]
fn neither_is_no_answer() {
    check(None, None, expect!["Nothing"]);
}

#[test]
fn the_model_is_told_what_was_said() {
    expect!["the person answered: No"].assert_eq(&Said::Choice { at: 1, words: "No".to_owned() }.told());
    expect![
        "nobody answered this question, and nobody will; go on with what can be done without the answer, and say in the end what you assumed"
    ]
    .assert_eq(&Said::Nothing.told());
}
