use super::*;
use expect_test::{Expect, expect};

fn check(path: &str, expected: Expect) {
    let root = AbsPath::new("/w").expect("absolute");
    let shown = match RootedPath::new(&root, path) {
        Ok(path) => format!("{path}"),
        Err(error) => format!("error: {error}"),
    };
    expected.assert_eq(&shown);
}

#[test]
fn reads_paths_as_models_write_them() {
    check("src/main.rs", expect!["src/main.rs"]);
    check("./src//main.rs", expect!["src/main.rs"]);
    check("/w/src/main.rs", expect!["src/main.rs"]);
    check("file:///w/a%20b.rs", expect!["a b.rs"]);
    check("a/../b", expect!["b"]);
    check("", expect!["."]);
    check("../w/a", expect!["a"]);
}

#[test]
fn refuses_what_leaves_the_root() {
    check("../x", expect![[r#"error: "../x" is outside the workspace /w"#]]);
    check("/w-evil/x", expect![[r#"error: "/w-evil/x" is outside the workspace /w"#]]);
    check("/etc/passwd", expect![[r#"error: "/etc/passwd" is outside the workspace /w"#]]);
    check("a/../../x", expect![[r#"error: "a/../../x" is outside the workspace /w"#]]);
    check("file:///x", expect![[r#"error: "file:///x" is outside the workspace /w"#]]);
    check("file://host/w/a", expect![[r#"error: "file://host/w/a" is not a file: URI of this machine"#]]);
    check("file:///w/%zz", expect![[r#"error: "file:///w/%zz" is not a file: URI of this machine"#]]);
}

#[test]
fn uris_come_back_as_they_were() {
    for path in ["/w/a b.rs", "/w/ü/%41.rs", "/w/#x?y:z"] {
        let path = AbsPath::new(path).expect("absolute");
        assert_eq!(AbsPath::from_uri(&path.to_uri()), Ok(path));
    }
}
