use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn check(command: &str, expected: Expect) {
    let mut shown = String::new();
    for segment in parse(command) {
        match segment {
            Segment::Opaque { text, why } => shown.push_str(&format!("opaque {text:?}: {why}\n")),
            Segment::Simple(simple) => {
                let (wrapper, argv) = simple.words.split_at(simple.wrapper);
                shown.push_str(&format!("{argv:?}"));
                if !wrapper.is_empty() {
                    shown.push_str(&format!(" by {wrapper:?}"));
                }
                if !simple.env.is_empty() {
                    shown.push_str(&format!(" with {:?}", simple.env));
                }
                if let Some(directory) = &simple.directory {
                    shown.push_str(&format!(" in {directory:?}"));
                }
                shown.push('\n');
            }
        }
    }
    expected.assert_eq(&shown);
}

#[test]
fn lists_and_pipes_are_taken_apart() {
    check(
        "a; b && c | d || e & f\ng",
        expect![[r#"
            ["a"]
            ["b"]
            ["c"]
            ["d"]
            ["e"]
            ["f"]
            ["g"]
        "#]],
    );
    check(
        "  make  test \n",
        expect![[r#"
        ["make", "test"]
    "#]],
    );
    check(
        "sleep 1 &",
        expect![[r#"
        ["sleep", "1"]
    "#]],
    );
    check(
        "a |\nb",
        expect![[r#"
        opaque "a |\nb": its lines are not plainly one command each
    "#]],
    );
    check(
        "a |& b",
        expect![[r#"
        opaque "a |& b": it holds an operator that is not modelled
    "#]],
    );
    check(
        "a\n\nb",
        expect![[r#"
            ["a"]
            ["b"]
        "#]],
    );
}

#[test]
fn quotes_are_resolved() {
    check(
        r#"a 'b c' "d e" f\ g h'i'"j"k '' "" "\$x\\\"\n" 'it'\''s'"#,
        expect![[r#"
        ["a", "b c", "d e", "f g", "hijk", "", "", "$x\\\"\\n", "it's"]
    "#]],
    );
    check(
        "git diff HEAD~1 HEAD^ a=b --c=d 5 +%s naïve",
        expect![[r#"
        ["git", "diff", "HEAD~1", "HEAD^", "a=b", "--c=d", "5", "+%s", "naïve"]
    "#]],
    );
}

#[test]
fn what_surrounds_a_program_is_kept() {
    check(
        "A=1 B='x y' C= make",
        expect![[r#"
        ["make"] with [("A", "1"), ("B", "x y"), ("C", "")]
    "#]],
    );
    check(
        "cd a && make && cd b && make; cd /c; make",
        expect![[r#"
        ["cd", "a"]
        ["make"] in "a"
        ["cd", "b"] in "a"
        ["make"] in "a/b"
        ["cd", "/c"] in "a/b"
        ["make"] in "/c"
    "#]],
    );
    check(
        "time -p nice -n 5 nohup env A=1 timeout 5s npm test",
        expect![[r#"
        ["npm", "test"] by ["time", "-p", "nice", "-n", "5", "nohup", "env", "A=1", "timeout", "5s"]
    "#]],
    );
    check(
        "env",
        expect![[r#"
        ["env"]
    "#]],
    );
    check(
        "cargo test >/dev/null 2>&1 | cat 2> /dev/null",
        expect![[r#"
        ["cargo", "test"]
        ["cat"]
    "#]],
    );
}

/// Command lines of which no part is anything that a rule may match, or not all.
const NOT_MODELLED: &[&str] = &[
    "",
    "# a",
    "a # b",
    "$a",
    "a $b",
    "a \"$b\"",
    "a $(b)",
    "a `b`",
    "a \"`b`\"",
    "a <(b)",
    "a $((1))",
    "a *",
    "a ?b",
    "a [b]",
    "a {b,c}",
    "~/a",
    "a ~",
    "a b=~",
    "a b:~c",
    "!!",
    "! a",
    "a !b",
    "a > b",
    "a >> b",
    "a < b",
    "a 2>b",
    "a &> b",
    "a >| b",
    "a >&b",
    "a 3>&1",
    "a <> b",
    "a << E\nb\nE",
    "a <<< b",
    "a() { b; }; a",
    "function a { b; }",
    "if a; then b; fi",
    "for a in b; do c; done",
    "while a; do b; done",
    "until a; do b; done",
    "case a in b) c;; esac",
    "select a in b; do c; done",
    "(a)",
    "{ a; }",
    "((a))",
    "[[ a ]]",
    "[ a ]",
    "a=(b) c",
    "a=b",
    "a+=b c",
    "a[0]=b c",
    "coproc a",
    "$'a'",
    "a $'b'",
    "a $\"b\"",
    "a \\\nb",
    "a\\\nb",
    "a 'b\nc'",
    "a \"b\nc\"",
    "a\rb",
    "a\0b",
    "a\u{a0}b",
    "a\u{2003}b",
    "a\u{202e}b",
    "a\u{200b}b",
    "a\u{1b}[2K",
    "a 'b",
    "a \"b",
    "a \\",
    "a ;; b",
    "a && ",
    "| a",
    "export A=b",
    "declare a",
    "local a",
    "unset a",
    "alias a=b",
    "eval a",
    "exec a",
    "command a",
    "builtin a",
    ". a",
    "source a",
    "trap a b",
    "set -x",
    "shopt -s a",
    "hash -p a b",
    "enable -f a",
    "read a",
    "printf -v a b",
    "test -v a",
    "time cd a",
    "time A=1 a",
    "time eval a",
    "time if a; then b; fi",
    "'if' a",
    "cd",
    "cd -",
    "cd -P a",
    "cd a b",
    "A=1 cd b",
    "env -i a",
    "env -S 'a b'",
    "timeout -k 1 2 a",
    "timeout a b",
    "nice --adjustment 5 a",
    "nohup -- a",
    "time -f x a",
    "'' a",
    "%1",
    "'a=b' c",
    "a\\=b c",
    "a(b)",
    "a |& b",
    "a & & b",
    "A=1 B=$(c) d",
    "ls>/dev/null",
    "a >/dev/null b",
    "a > /dev/null/../b",
    "a 2>&1-",
    "a 1>&3",
];

#[test]
fn what_is_not_modelled_is_opaque() {
    let modelled = |command: &&&str| simples(command).is_some();
    assert_eq!(NOT_MODELLED.iter().filter(modelled).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn one_opaque_part_leaves_the_others_readable() {
    check(
        "ls -l && (rm x) | cat; make > log",
        expect![[r#"
        ["ls", "-l"]
        opaque "(rm x)": it groups commands
        ["cat"]
        opaque "make > log": it redirects to or from a file
    "#]],
    );
    check(
        "A=1 B=$(x) make; ls",
        expect![[r#"
        opaque "A=1 B=$(x) make": it holds an expansion
        ["ls"]
    "#]],
    );
}

#[test]
fn a_line_that_is_too_long_or_too_deep_is_opaque() {
    assert_eq!(simples(&format!("a{}", " b".repeat(9_000))), None);
    assert_eq!(simples(&format!("a{}", " && a".repeat(1_000))), None);
    assert_eq!(simples(&format!("a{}", " && a".repeat(400))).map(|simples| simples.len()), Some(401));
}

/// Constructs that are not modelled, each to stand where a word could.
const CONSTRUCTS: &[&str] = &[
    "$x",
    "${x}",
    "$(x)",
    "`x`",
    "<(x)",
    ">(x)",
    "$((1))",
    "*",
    "?",
    "[ab]",
    "{a,b}",
    "~",
    "!x",
    "> f",
    ">> f",
    "< f",
    "2> f",
    "&> f",
    "<<E\nx\nE\n",
    "<<< x",
    "; (x)",
    "; { x; }",
    "; x() { y; }",
    "; if x; then y; fi",
    "; for x in y; do z; done",
    "; case x in y) z;; esac",
    "; [[ x ]]",
    "; ((1))",
    "; x=(y)",
    "; coproc x",
    "$'x'",
    "$\"x\"",
    "\\\n",
    "\r",
    "\0",
    "\u{a0}",
    "\u{2028}",
    "\u{202e}",
    "# x",
    "|& x",
    "; export x",
    "; eval x",
    "; ! x",
    "\"$x\"",
    "\"`x`\"",
    "x\"$(x)\"",
    "'x'$x",
    "'\n'",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9./-]{0,5}",
        "'[ -&(-~]{0,6}'",
        "\"[ a-z;&|<>(){}*?~'-]{0,6}\"",
        r"[a-z]\\[ -~][a-z]",
        "[a-z]{1,2}'[$;]'[a-z]",
    ]
}

fn simple() -> impl Strategy<Value = String> {
    ("[a-bg-h][a-z]{0,3}x", prop::collection::vec(word(), 0..4))
        .prop_map(|(program, words)| format!("{program} {}", words.join(" ")))
}

fn line() -> impl Strategy<Value = Vec<String>> {
    let operator = prop::sample::select(&["; ", " && ", " || ", " | ", " & ", "\n"][..]);
    (simple(), prop::collection::vec((operator, simple()), 0..4)).prop_map(|(first, rest)| {
        let rest = rest.into_iter().flat_map(|(operator, simple)| [operator.to_owned(), simple]);
        std::iter::once(first).chain(rest).collect()
    })
}

/// Another, cruder reading: whether anything stands there that a shell expands, groups or leaves out.
fn is_suspect(text: &str) -> bool {
    let mut chars = text.chars();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None | Some('"'), '\\') => drop(chars.next()),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None | Some('"'), '$' | '`') => return true,
            (None, '*' | '?' | '[' | ']' | '{' | '}' | '(' | ')' | '!' | '#') => return true,
            (None | Some(_), _) => {}
        }
    }
    quote.is_some()
}

fn simples(text: &str) -> Option<Vec<Simple>> {
    let simple = |segment| match segment {
        Segment::Simple(simple) => Some(simple),
        Segment::Opaque { .. } => None,
    };
    parse(text).into_iter().map(simple).collect()
}

/// All that can be told without the folder, which another line does not know.
fn requoted(simples: &[Simple]) -> String {
    simples.iter().map(Simple::to_shell).collect::<Vec<_>>().join("; ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain_lines_are_understood_and_survive_being_quoted_anew(line in line()) {
        let simples = simples(&line.concat());
        prop_assert!(simples.is_some(), "{:?}", parse(&line.concat()));
        let simples = simples.unwrap_or_default();
        prop_assert_eq!(simples.len(), line.len() / 2 + 1);
        prop_assert_eq!(super::tests::simples(&requoted(&simples)), Some(simples));
    }

    #[test]
    fn a_construct_anywhere_makes_a_part_opaque(line in line(), at in any::<prop::sample::Index>(), construct in prop::sample::select(CONSTRUCTS)) {
        let mut line = line;
        let at = at.index(line.len() / 2 + 1) * 2;
        line[at].push_str(&format!(" {construct} "));
        let text = line.concat();
        prop_assert!(simples(&format!("{text}z")).is_none(), "{:?}", parse(&text));
    }

    #[test]
    fn any_text_is_either_opaque_or_what_it_seems(text in r#"[ab1 $`'"\\;&|<>(){}\[\]*?~!#=\n\t/.^%-]{0,24}"#) {
        if let Some(simples) = simples(&text) {
            prop_assert!(!is_suspect(&text), "{simples:?}");
            let again = super::tests::simples(&requoted(&simples));
            prop_assert_eq!(again, Some(simples));
        }
    }
}
