use super::*;
use crate::path::AbsPath;

fn check(path: &str, expected: Option<Class>) {
    let root = AbsPath::new("/w").expect("absolute");
    let path = RootedPath::new(&root, path).expect("inside");
    assert_eq!(protected(&path), expected, "{path}");
}

#[test]
fn protects_a_name_at_any_depth_and_all_below_it() {
    check(".git", Some(Class::VersionControl));
    check(".git/hooks/pre-commit", Some(Class::VersionControl));
    check("a/b/.vscode/tasks.json", Some(Class::Editor));
    check("vendor/x/.git/config", Some(Class::VersionControl));
    check(".pilotfish/config.toml", Some(Class::Own));
    check("sub/.envrc", Some(Class::StartFile));
}

#[test]
fn protects_other_spellings() {
    for (path, expected) in [
        (".VSCODE/settings.json", Class::Editor),
        (".Git/config", Class::VersionControl),
        ("a/../.git/config", Class::VersionControl),
        (".git//config", Class::VersionControl),
        (".g\u{200c}it/config", Class::VersionControl),
        (".git\u{feff}/config", Class::VersionControl),
        (".g\u{34f}it/config", Class::VersionControl),
        (".git./config", Class::VersionControl),
        (".git . ./config", Class::VersionControl),
        (".git::$INDEX_ALLOCATION/config", Class::VersionControl),
        (".git:x", Class::VersionControl),
        ("GIT~1/config", Class::VersionControl),
        ("a/git~12", Class::VersionControl),
        ("GITMOD~1", Class::VersionControl),
        ("VSCODE~1/tasks.json", Class::Editor),
        ("MCP~1.JSO", Class::Agent),
        ("NVIM~1.LUA", Class::Editor),
        ("my.Code-Workspace", Class::Editor),
        // Fullwidth letters, a long s, the sign for Kelvin, and a full stop of another width.
        ("\u{ff0e}\u{ff47}\u{ff49}\u{ff54}/config", Class::VersionControl),
        (".v\u{17f}code/tasks.json", Class::Editor),
        (".hu\u{17f}\u{212a}y/pre-commit", Class::VersionControl),
        ("\u{2024}git/config", Class::VersionControl),
    ] {
        check(path, Some(expected));
    }
}

#[test]
fn composed_and_decomposed_names_are_one() {
    assert_eq!(fold("e\u{301}\u{200d}"), fold("\u{c9}"));
    assert_eq!(fold("a\u{328}\u{301}"), fold("\u{104}\u{301}"));
}

#[test]
fn every_listed_name_is_found_as_it_stands() {
    for (name, class) in NAMES {
        assert_eq!(class_of(OsStr::new(name)), Some(*class), "{name}");
        assert_eq!(fold(name), *name);
    }
}

#[test]
fn every_environment_has_settings_of_its_own() {
    check("mise.production.toml", Some(Class::StartFile));
    check(".mise.ci.local.toml", Some(Class::StartFile));
    check("mise.toml.rs", None);
}

#[test]
fn some_names_protect_files_alone() {
    check("a/commondir", Some(Class::VersionControl));
    check("a/COMMONDIR", Some(Class::VersionControl));
    check("a/config.worktree", Some(Class::VersionControl));
    check("a/commondir/index.js", None);
}

#[test]
fn leaves_other_names_alone() {
    check("git/config", None);
    check(".gitignore", None);
    check(".github/workflows/ci.yml", None);
    check("src/.gitkeep", None);
    check("vscode/settings.json", None);
    for path in [
        "Makefile",
        "package.json",
        "Cargo.toml",
        "git~1x",
        "build~1",
        "gita~1",
        ".gitattributes",
        "src/mise.rs",
        "a:b",
    ] {
        check(path, None);
    }
}
