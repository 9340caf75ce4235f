use super::*;
use expect_test::{Expect, expect};

fn check(text: &str, expected: Expect) {
    let told = match parse(text) {
        None => "refused".to_owned(),
        Some(config) => {
            let line = |e: &Entry| format!("{} {:?} {} = {:?}", e.section, e.subsection, e.key, e.value);
            config.entries().iter().map(line).collect::<Vec<_>>().join("\n")
        }
    };
    expected.assert_eq(&told);
}

#[test]
fn reads_what_git_writes() {
    check(
        "[user]\n\tname = A B # not this\n\temail=\"a@b ; \" ; nor this\n[Remote \"O\\\"x\"]\n url = x\\\n y\n[core]bare\n",
        expect![[r#"
            user None name = "A B"
            user None email = "a@b ; "
            remote Some("O\"x") url = "x y"
            core None bare = "true""#]],
    );
    check("", expect![""]);
    check("# only\n; comments", expect![""]);
}

#[test]
fn refuses_what_git_refuses() {
    for text in ["name = x", "[user", "[user]\nname x", "[a]\nb = \"c\n", "[a]\nb = \\x", "[a]\n-b = c", "[a \"b]\n"] {
        assert_eq!(parse(text), None, "{text}");
    }
}
