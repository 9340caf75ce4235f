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
    check(".VSCODE/settings.json", Some(Class::Editor));
    check(".Git/config", Some(Class::VersionControl));
    check("a/../.git/config", Some(Class::VersionControl));
    check(".git//config", Some(Class::VersionControl));
    check(".g\u{200c}it/config", Some(Class::VersionControl));
    check(".git./config", Some(Class::VersionControl));
}

#[test]
fn leaves_other_names_alone() {
    check("git/config", None);
    check(".gitignore", None);
    check(".github/workflows/ci.yml", None);
    check("src/.gitkeep", None);
    check("vscode/settings.json", None);
}
