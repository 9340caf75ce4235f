use super::*;
use expect_test::{Expect, expect};

fn check(raws: &[&str], expected: Expect) {
    let line = |raw: &&str| match read(raw) {
        Ok(word) => format!("{raw} -> {word:?}, {}\n", quoted(&word)),
        Err(why) => format!("{raw} -> {why}\n"),
    };
    expected.assert_eq(&raws.iter().map(line).collect::<String>());
}

#[test]
fn quotes_are_resolved_as_a_shell_does() {
    check(
        &["a", "'a b'", r#""a\b\$\"""#, r"a\ b", r"\'", "a'b'\"c\"", "''", "HEAD~2", "a~", "HEAD^", "k=v", "ü"],
        expect![[r#"
            a -> "a", a
            'a b' -> "a b", 'a b'
            "a\b\$\"" -> "a\\b$\"", 'a\b$"'
            a\ b -> "a b", 'a b'
            \' -> "'", ''\'''
            a'b'"c" -> "abc", abc
            '' -> "", ''
            HEAD~2 -> "HEAD~2", 'HEAD~2'
            a~ -> "a~", 'a~'
            HEAD^ -> "HEAD^", 'HEAD^'
            k=v -> "k=v", 'k=v'
            ü -> "ü", 'ü'
        "#]],
    );
}

#[test]
fn what_a_shell_would_change_is_refused() {
    check(
        &[
            "", "$a", "\"$a\"", "\"`a`\"", "\"!\"", "~", "=~", "^", "*", "{}", "a;b", "a b", "'a", "\"a", "a\\",
            "a\\\n", "'\n'",
        ],
        expect![[r#"
             -> a word is missing
            $a -> it holds an expansion
            "$a" -> it holds an expansion
            "`a`" -> it runs a command inside a word
            "!" -> it holds an exclamation mark that is not quoted
            ~ -> it names a home folder
            =~ -> it names a home folder
            ^ -> it holds an unquoted character that is not modelled
            * -> it holds a pattern for file names
            {} -> it holds a brace
            a;b -> it holds an unquoted character that is not modelled
            a b -> it holds an unquoted character that is not modelled
            'a -> a quote is not closed
            "a -> a quote is not closed
            a\ -> it holds a backslash that is not modelled
            a\
             -> it holds a backslash that is not modelled
            '
            ' -> a line ends inside its quotes
        "#]],
    );
}
