use super::*;
use expect_test::{Expect, expect};
use std::collections::BTreeMap;
use std::ffi::OsStr;

/// An index of these files; the last of them changed last.
fn index(paths: &[&str]) -> Index {
    let mut index = Index::default();
    for (at, path) in paths.iter().enumerate() {
        index.push(path.as_bytes(), Stat { size: 0, modified: i64::try_from(at).expect("few") });
    }
    index.sort();
    index
}

fn check(paths: &[&str], query: &str, expected: Expect) {
    let found = index(paths).search(query, 5);
    let shown: Vec<String> = found.iter().map(|path| path.display().to_string()).collect();
    expected.assert_eq(&shown.join("\n"));
}

const PROJECT: &[&str] = &[
    "Cargo.toml",
    "README.md",
    "daemon/src/domain/abc.rs",
    "daemon/src/main.rs",
    "daemon/src/session.rs",
    "daemon/src/session/actor.rs",
    "daemon/src/session/state.rs",
    "daemon/src/session/state/tests.rs",
    "daemon/src/workspace/publish/tree.rs",
    "docs/Überblick.md",
    "editors/vscode/src/main.ts",
    "editors/vscode/src/session state.ts",
    "tests/e2e/main.rs",
    "tests/fixtures/^odd$name",
];

#[test]
fn the_name_counts_more_than_the_folders_and_the_short_path_wins() {
    check(
        PROJECT,
        "main",
        expect![[r#"
            tests/e2e/main.rs
            daemon/src/main.rs
            editors/vscode/src/main.ts
            daemon/src/domain/abc.rs"#]],
    );
}

#[test]
fn letters_may_be_scattered_and_lie_in_folders() {
    check(
        PROJECT,
        "dsmain",
        expect![[r#"
        daemon/src/main.rs
        editors/vscode/src/main.ts
        daemon/src/domain/abc.rs"#]],
    );
    check(PROJECT, "wspubtree", expect!["daemon/src/workspace/publish/tree.rs"]);
    check(
        PROJECT,
        "session/st",
        expect![[r#"
        daemon/src/session/state.rs
        daemon/src/session/state/tests.rs"#]],
    );
}

#[test]
fn each_word_has_to_be_found() {
    check(
        PROJECT,
        "state tests",
        expect![[r#"
        daemon/src/session/state/tests.rs
        editors/vscode/src/session state.ts"#]],
    );
    check(PROJECT, "main vscode", expect!["editors/vscode/src/main.ts"]);
    check(PROJECT, "main nothing", expect![""]);
}

#[test]
fn case_and_marks_do_not_matter() {
    check(PROJECT, "READ", expect!["README.md"]);
    check(PROJECT, "readme", expect!["README.md"]);
    check(PROJECT, "uberblick", expect!["docs/Überblick.md"]);
    check(PROJECT, "Überblick", expect!["docs/Überblick.md"]);
}

#[test]
fn no_character_is_special() {
    check(PROJECT, "^odd$", expect!["tests/fixtures/^odd$name"]);
    check(PROJECT, "'main", expect![[""]]);
    check(PROJECT, "!main", expect![[""]]);
}

#[test]
fn an_empty_query_gives_what_changed_last() {
    check(
        PROJECT,
        " ",
        expect![[r#"
        tests/fixtures/^odd$name
        tests/e2e/main.rs
        editors/vscode/src/session state.ts
        editors/vscode/src/main.ts
        docs/Überblick.md"#]],
    );
}

#[test]
fn names_that_are_no_utf8_are_found() {
    let mut index = index(&["a"]);
    let path = Path::new(OsStr::from_bytes(b"odd\xff.txt"));
    index.put(scan::one(path, Stat { size: 0, modified: 0 }));
    assert_eq!(index.search("oddtxt", 5), [path]);
}

#[test]
fn two_threads_find_what_one_finds() {
    let paths: Vec<String> = (0..50_000).map(|number| format!("crate{}/src/file{number}.rs", number % 97)).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    check(
        &paths,
        "file777",
        expect![[r#"
        crate1/src/file777.rs
        crate10/src/file7770.rs
        crate11/src/file7771.rs
        crate12/src/file7772.rs
        crate13/src/file7773.rs"#]],
    );
}

/// The rough look leaves out none, and takes none that the close one does not.
#[test]
fn finds_just_the_files_whose_paths_hold_the_letters() {
    let mut random = fastrand::Rng::with_seed(9);
    let mut text = |most: usize, letters: &[char]| -> String {
        (0..random.usize(1..=most)).filter_map(|_| random.choice(letters).copied()).collect()
    };
    for _ in 0..300 {
        let paths: BTreeMap<String, ()> = (0..40).map(|_| (text(12, &['a', 'B', 'b', '/', '_', 'é']), ())).collect();
        let paths: Vec<&str> = paths.keys().map(String::as_str).collect();
        let word = text(4, &['a', 'b', 'A', '/', '_']);
        let fits = |path: &&str| {
            let mut letters = path.chars().map(|letter| letter.to_ascii_lowercase());
            word.to_ascii_lowercase().chars().all(|wanted| letters.any(|letter| letter == wanted))
        };
        let mut found: Vec<String> =
            index(&paths).search(&word, 100).iter().map(|path| path.display().to_string()).collect();
        found.sort();
        assert_eq!(found, paths.iter().filter(|path| fits(path)).copied().collect::<Vec<_>>(), "{word}");
    }
}

/// Random changes, against a map that does the same.
#[test]
fn holds_what_a_map_would() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut index = Index::default();
    let mut model: BTreeMap<Vec<u8>, Stat> = BTreeMap::new();
    let mut path = {
        let mut random = fastrand::Rng::with_seed(8);
        move || {
            let depth = random.usize(1..4);
            let parts: Vec<&str> =
                (0..depth).map(|_| random.choice(["a", "a.b", "b", "ab", "a-"]).expect("some")).collect();
            parts.join("/")
        }
    };
    for round in 0..3_000 {
        let gone = path();
        index.remove(Path::new(&gone));
        let below = format!("{gone}/");
        model.retain(|path, _| path != gone.as_bytes() && !path.starts_with(below.as_bytes()));
        let mut found = Index::default();
        for _ in 0..random.usize(0..4) {
            let (path, stat) = (path(), Stat { size: round, modified: 0 });
            // What was read at once is one state of the disk.
            let nested =
                found.files().any(|(other, _)| other.starts_with(&path) || Path::new(&path).starts_with(other));
            if !nested {
                found.push(path.as_bytes(), stat);
                found.sort();
            }
        }
        for (path, stat) in found.files() {
            let path = path.as_os_str().as_bytes();
            let below = [path, b"/"].concat();
            model.retain(|other, _| !other.starts_with(&below));
            model.insert(path.to_owned(), stat);
        }
        index.put(found);
        let held: BTreeMap<Vec<u8>, Stat> =
            index.files().map(|(path, stat)| (path.as_os_str().as_bytes().to_owned(), stat)).collect();
        assert_eq!(held, model);
        assert!(index.files().map(|(path, _)| path.as_os_str().as_bytes()).is_sorted());
        assert!(index.waste <= index.names.len() / 2);
    }
}

#[test]
fn reads_what_git_does_not_ignore() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path();
    for (path, text) in [
        (".gitignore", "target\n*.o\n"),
        (".hidden", ""),
        (".git/config", ""),
        ("a/.gitignore", "!keep.o\nsecret\n"),
        ("a/keep.o", ""),
        ("a/lost.o", ""),
        ("a/secret", ""),
        ("a/b/c", "four"),
        ("target/debug/x", ""),
    ] {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("has one")).expect("created");
        std::fs::write(path, text).expect("written");
    }
    std::os::unix::fs::symlink("/etc", root.join("link")).expect("linked");
    let scan = scan::scan(root, Path::new(""));
    let files: Vec<String> =
        scan.index.files().map(|(path, stat)| format!("{} {}", path.display(), stat.size)).collect();
    let mut folders: Vec<String> =
        scan.folders.iter().map(|path| format!("{:?}", path.display().to_string())).collect();
    folders.sort();
    expect![[r#"
        .gitignore 11
        .hidden 0
        a/.gitignore 15
        a/b/c 4
        a/keep.o 0
        link 4
        folders "" "a" "a/b""#]]
    .assert_eq(&format!("{}\nfolders {}", files.join("\n"), folders.join(" ")));
    let part = scan::scan(root, Path::new("a/b"));
    let files: Vec<&Path> = part.index.files().map(|(path, _)| path).collect();
    assert_eq!((files, part.folders.as_slice()), (vec![Path::new("a/b/c")], ["a/b".into()].as_slice()));
}
