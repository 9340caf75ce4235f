use super::{PASSED, spec_env};
use expect_test::{Expect, expect};
use pilotfish_protocol::Mode;
use std::fmt::Write;

fn check(caller: &[(&str, &str)], mode: Mode, expected: Expect) {
    let caller = caller.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut shown = String::new();
    for (name, value) in spec_env(&caller, mode) {
        writeln!(shown, "{name}={value}").expect("a string");
    }
    expected.assert_eq(&shown);
}

#[test]
fn only_what_is_on_the_list_passes() {
    check(
        &[
            ("AWS_SECRET_ACCESS_KEY", "leak"),
            ("GITHUB_TOKEN", "leak"),
            ("GIT_AUTHOR_NAME", "Ada"),
            ("HOME", "/home/u"),
            ("LANG", "de_DE.UTF-8"),
            ("LC_API_KEY", "leak"),
            ("LD_PRELOAD", "/tmp/evil.so"),
            ("OPENAI_API_KEY", "leak"),
            ("PAGER", "less"),
            ("PATH", "/opt/bin:.::node_modules/.bin:/usr/bin"),
            ("SSH_AUTH_SOCK", "/run/leak"),
            ("TERM", "xterm"),
        ],
        Mode::Agent,
        expect![[r#"
            CARGO_NET_OFFLINE=true
            CARGO_TERM_COLOR=never
            DEBIAN_FRONTEND=noninteractive
            GIT_AUTHOR_NAME=Ada
            GIT_EDITOR=true
            GIT_PAGER=cat
            GIT_TERMINAL_PROMPT=0
            HOME=/home/u
            LANG=de_DE.UTF-8
            MANPAGER=cat
            NO_COLOR=1
            PAGER=cat
            PATH=/opt/bin:/usr/bin
            PIP_DISABLE_PIP_VERSION_CHECK=1
            TERM=dumb
        "#]],
    );
}

#[test]
fn read_only_mode_leaves_no_compiled_files_beside_the_sources() {
    check(
        &[],
        Mode::ReadOnly,
        expect![[r#"
        CARGO_NET_OFFLINE=true
        CARGO_TERM_COLOR=never
        DEBIAN_FRONTEND=noninteractive
        GIT_EDITOR=true
        GIT_PAGER=cat
        GIT_TERMINAL_PROMPT=0
        MANPAGER=cat
        NO_COLOR=1
        PAGER=cat
        PATH=/usr/local/bin:/usr/bin:/bin
        PIP_DISABLE_PIP_VERSION_CHECK=1
        PYTHONDONTWRITEBYTECODE=1
        TERM=dumb
    "#]],
    );
}

#[test]
fn the_list_names_no_secret() {
    for word in ["KEY", "TOKEN", "SECRET", "PASS", "AUTH_", "CREDENTIAL"] {
        let found: Vec<_> = PASSED.iter().filter(|name| name.contains(word)).collect();
        assert!(found.is_empty(), "{found:?} look like secrets");
    }
}
