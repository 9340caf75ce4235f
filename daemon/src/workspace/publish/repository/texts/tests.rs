use super::*;
use crate::workspace::git::config::parse;

const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";

#[test]
fn knows_a_reference() {
    for (text, expected) in [
        (format!("{ONE}\n"), true),
        ("ref: refs/heads/main\n".to_owned(), true),
        ("ref: ../../config\n".to_owned(), false),
        ("ref: refs/heads/../../x\n".to_owned(), false),
        ("ref: refs/heads/.x\n".to_owned(), false),
        (format!("{ONE}\n{TWO}\n"), false),
        ("x".to_owned(), false),
        (String::new(), false),
    ] {
        assert_eq!(is_reference(&text), expected, "{text}");
    }
}

#[test]
fn packed_references_are_only_ever_added_at_first() {
    let old = format!("# pack-refs with: peeled fully-peeled sorted \n{ONE} refs/heads/a\n{ONE} refs/tags/t\n^{TWO}\n");
    let new = format!("# pack-refs with: peeled fully-peeled sorted \n{TWO} refs/heads/b\n");
    let union = format!(
        "# pack-refs with: peeled fully-peeled sorted \n{ONE} refs/heads/a\n{TWO} refs/heads/b\n{ONE} refs/tags/t\n^{TWO}\n"
    );
    assert_eq!(packed_union(&old, &new), Some(union));
    assert_eq!(packed_union("", &new), Some(new.clone()));
    assert_eq!(packed_union(&old, "nonsense"), None);
    assert_eq!(packed_union(&old, &format!("{ONE} ../x\n")), None);
}

#[test]
fn a_to_do_list_may_run_only_what_it_ran() {
    for (old, new, expected) in [
        ("", "pick 1 a\nfixup 2 b\n", true),
        ("", "pick 1 a\nexec make\n", false),
        ("", "  x make\n", false),
        ("", "x\tmake\n", false),
        ("pick 1 a\nexec make\n", "exec make\n", true),
        ("exec make\n", "exec make evil\n", false),
        ("", "# exec make\npick 1 exec x\n", true),
    ] {
        assert_eq!(runs_nothing_new(old, new), expected, "{new}");
    }
}

#[test]
fn looks_into_what_a_rebase_keeps() {
    for (name, text, expected) in [
        ("author-script", "GIT_AUTHOR_NAME='O'\\''x'\nGIT_AUTHOR_DATE='@1 +0000'\n", true),
        ("author-script", "GIT_AUTHOR_NAME='x'; touch pwn\n", false),
        ("author-script", "touch pwn\n", false),
        ("strategy", "ort\n", true),
        ("strategy", "../../evil\n", false),
        ("gpg_sign_opt", "-SABC\n", true),
        ("gpg_sign_opt", "-S;x\n", false),
        ("opts", "[options]\n\tedit = true\n", true),
        ("opts", "[options]\n\tStrategy = evil\n", false),
        ("message", "exec anything\n", true),
    ] {
        assert_eq!(is_harmless_state(name, "", text), expected, "{name}: {text}");
    }
}

#[test]
fn a_new_configuration_says_what_all_say() {
    for (text, expected) in [
        ("[core]\nbare = false\nfilemode = true\n", Some(None)),
        ("[core]\nworktree = ../../x\n", Some(Some("../../x".to_owned()))),
        ("[remote \"o\"]\nurl = https://x/y\nfetch = +refs/heads/*:refs/remotes/o/*\n", Some(None)),
        ("[branch \"m\"]\nremote = o\nmerge = refs/heads/m\n", Some(None)),
        ("[branch \"m\"]\nremote = ext::sh -c pwn\n", None),
        ("[remote \"o\"]\nurl = ext::sh -c pwn\n", None),
        ("[remote \"o\"]\nurl = --upload-pack=pwn\n", None),
        ("[remote \"o\"]\nuploadpack = pwn\n", None),
        ("[core]\nfsmonitor = pwn\n", None),
        ("[core \"x\"]\nbare = true\n", None),
        ("[alias]\nx = !pwn\n", None),
        ("[include]\npath = x\n", None),
        ("[extensions]\nworktreeconfig = true\n", None),
    ] {
        assert_eq!(harmless_config(&parse(text).expect("parsed")), expected, "{text}");
    }
}

#[test]
fn deleting_a_branch_only_takes_from_the_configuration() {
    let old = parse("[core]\nbare = false\n[branch \"a\"]\nremote = o\n[branch \"b\"]\nremote = o\n").expect("parsed");
    for (new, expected) in [
        ("[core]\nbare = false\n[branch \"b\"]\nremote = o\n", true),
        ("[core]\nbare = false\n[branch \"b\"]\nremote = x\n", false),
        ("[branch \"a\"]\nremote = o\n[branch \"b\"]\nremote = o\n", false),
        ("[core]\nbare = false\nfsmonitor = x\n", false),
    ] {
        assert_eq!(only_lost_branches(&old, &parse(new).expect("parsed")), expected, "{new}");
    }
}
