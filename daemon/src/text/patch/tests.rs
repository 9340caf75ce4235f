use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;

/// Checks what a patch that cannot be read or placed says; it may hold one update, of the given file.
fn check(file: &str, patch: &str, expected: Expect) {
    let said = match apply(file, patch) {
        Ok(text) => format!("landed: {text:?}"),
        Err(error) => error.to_string(),
    };
    assert!(said.len() <= 2048, "{} bytes", said.len());
    expected.assert_eq(&said);
}

fn apply(file: &str, patch: &str) -> Result<String, PatchError> {
    let mut text = file.to_owned();
    for operation in parse(patch)? {
        if let FileOp::Update { chunks, .. } = operation {
            text = apply_chunks(&text, &chunks)?;
        }
    }
    Ok(text)
}

/// (file, the chunks of its update, the file afterwards)
fn lands(cases: &[(&str, &str, &str)]) {
    for (file, chunks, after) in cases {
        let patch = format!("*** Begin Patch\n*** Update File: f\n{chunks}*** End Patch\n");
        assert_eq!(apply(file, &patch).as_deref(), Ok(*after), "{chunks:?} in {file:?}");
    }
}

fn parsed(cases: &[(&str, &[FileOp])]) {
    for (patch, operations) in cases {
        assert_eq!(parse(patch).as_deref(), Ok(*operations), "{patch:?}");
    }
}

fn add(path: &str, content: &str) -> FileOp {
    FileOp::Add { path: path.to_owned(), content: content.to_owned() }
}

fn delete(path: &str) -> FileOp {
    FileOp::Delete { path: path.to_owned() }
}

fn update(path: &str, move_to: Option<&str>, chunks: Vec<Chunk>) -> FileOp {
    FileOp::Update { path: path.to_owned(), move_to: move_to.map(str::to_owned), chunks }
}

fn chunk(headers: &[&str], lines: &str) -> Chunk {
    let line = |line: &str| match line.split_at(1) {
        ("-", line) => ChunkLine::Remove(line.to_owned()),
        ("+", line) => ChunkLine::Add(line.to_owned()),
        ("|", line) => ChunkLine::Keep { text: line.to_owned(), marked: false },
        (_, line) => ChunkLine::Keep { text: line.to_owned(), marked: true },
    };
    Chunk {
        headers: headers.iter().map(|header| (*header).to_owned()).collect(),
        lines: lines.lines().map(line).collect(),
        end_of_file: false,
    }
}

#[test]
fn reads_every_operation() {
    parsed(&[
        ("*** Begin Patch\n*** Add File: a/b\n+x\n+\n+  y\n*** End Patch\n", &[add("a/b", "x\n\n  y\n")]),
        ("*** Begin Patch\n*** Add File: a\n*** End Patch", &[add("a", "")]),
        ("*** Begin Patch\n*** Delete File: a b\n*** End Patch\n", &[delete("a b")]),
        (
            "*** Begin Patch\n*** Update File: a\n@@ f\n x\n-y\n+z\n*** End Patch\n",
            &[update("a", None, vec![chunk(&["f"], " x\n-y\n+z")])],
        ),
        ("*** Begin Patch\n*** Update File: a\n*** Move to: b\n*** End Patch\n", &[update("a", Some("b"), Vec::new())]),
        (
            "*** Begin Patch\n*** Update File: a\n*** Move to: b\n@@\n-x\n*** End Patch\n",
            &[update("a", Some("b"), vec![chunk(&[], "-x")])],
        ),
        (
            "*** Begin Patch\n*** Move Directory: src/a\n*** Move to: src/b\n*** End Patch\n",
            &[FileOp::MoveDirectory { from: "src/a".to_owned(), to: "src/b".to_owned() }],
        ),
        (
            "*** Begin Patch\n*** Update File: a\n@@ class A\n@@     def f\n-x\n@@\n+y\n z\n*** Delete File: c\n*** End Patch\n",
            &[update("a", None, vec![chunk(&["class A", "    def f"], "-x"), chunk(&[], "+y\n z")]), delete("c")],
        ),
        (
            "*** Begin Patch\n*** Update File: a\n-x\n*** End of File\n*** End Patch\n",
            &[update("a", None, vec![Chunk { end_of_file: true, ..chunk(&[], "-x") }])],
        ),
        (
            "*** Begin Patch\n*** Update File: a\n-x\n*** Update File: a\n+y\n*** End Patch\n",
            &[update("a", None, vec![chunk(&[], "-x")]), update("a", None, vec![chunk(&[], "+y")])],
        ),
        // A marked line is never an operation.
        ("*** Begin Patch\n*** Add File: a\n+*** End Patch\n+@@\n*** End Patch\n", &[add("a", "*** End Patch\n@@\n")]),
        (
            "*** Begin Patch\n*** Update File: a\n *** End Patch\n-*** Delete File: x\n+y\n*** End Patch\n",
            &[update("a", None, vec![chunk(&[], " *** End Patch\n-*** Delete File: x\n+y")])],
        ),
    ]);
}

#[test]
fn forgives_what_models_get_wrong_in_form() {
    let deleted = &[delete("a")];
    let changed = &[update("a", None, vec![chunk(&[], " x\n-y\n+z")])];
    parsed(&[
        // Around it.
        ("*** Delete File: a\n", deleted),
        ("*** Begin Patch\n*** Delete File: a", deleted),
        ("*** Delete File: a\n*** End Patch", deleted),
        ("\n\n*** Begin Patch\n\n*** Delete File: a\n\n*** End Patch\n\n", deleted),
        ("```\n*** Begin Patch\n*** Delete File: a\n*** End Patch\n```\n", deleted),
        ("```diff\n*** Delete File: a\n```\n", deleted),
        ("Here it is:\n*** Begin Patch\n*** Delete File: a\n*** End Patch\nDone.\n", deleted),
        ("apply_patch <<'EOF'\n*** Begin Patch\n*** Delete File: a\n*** End Patch\nEOF\n", deleted),
        ("cat <<\"PATCH\" | apply_patch\n*** Delete File: a\nPATCH\n", deleted),
        ("<<EOF\n*** Update File: a\n x\n-y\n+z\nEOF", changed),
        ("```\n*** Update File: a\n x\n-y\n+z\n```", changed),
        ("\u{feff}*** Begin Patch\r\n*** Update File: a\r\n x\r\n-y\r\n+z\r\n*** End Patch\r\n", changed),
        (
            "*** Begin Patch\n*** Delete File: a\n*** End Patch\n\n*** Begin Patch\n*** Delete File: b\n*** End Patch\n",
            &[delete("a"), delete("b")],
        ),
        // The operations.
        ("***Begin Patch\n***  delete file:a  \n*** END PATCH", deleted),
        ("*** Begin Patch ***\n*** Delete File: `a`\n*** End Patch ***", deleted),
        ("*** Begin Patch\n*** Delete File: \"a\"\n  *** End Patch", deleted),
        // Blank lines between.
        ("*** Begin Patch\n*** Add File: a\n+x\n\n*** Delete File: b\n", &[add("a", "x\n"), delete("b")]),
        ("*** Begin Patch\n*** Add File: a\n+x\n\n+y\n*** End Patch\n", &[add("a", "x\n\ny\n")]),
        (
            "*** Move Directory: a\n\n*** Move to: b\n",
            &[FileOp::MoveDirectory { from: "a".to_owned(), to: "b".to_owned() }],
        ),
        // Marks.
        ("*** Add File: a\nx\n  y\n*** End Patch\n", &[add("a", "x\n  y\n")]),
        ("*** Update File: a\n@@ @@\n x\n-y\n+z\n", changed),
        ("*** Update File: a\n@@ -1,2 +3,4 @@\n x\n-y\n+z\n", changed),
        (
            "*** Update File: a\n@@ -1 +1 @@ fn f() {\n x\n-y\n+z\n",
            &[update("a", None, vec![chunk(&["fn f() {"], " x\n-y\n+z")])],
        ),
        (
            "*** Update File: a\n@@ fn f() @@\n x\n-y\n+z\n",
            &[update("a", None, vec![chunk(&["fn f()"], " x\n-y\n+z")])],
        ),
        ("*** Update File: a\n--- a/a\n+++ b/a\n@@\n x\n-y\n+z\n\\ No newline at end of file\n", changed),
        ("*** Update File: a\n@@\nx\n-y\n+z\n", &[update("a", None, vec![chunk(&[], "|x\n-y\n+z")])]),
        // A chunk that changes nothing, next to one that does.
        ("*** Update File: a\n@@\n q\n@@\n x\n-y\n+z\n", changed),
    ]);
}

#[test]
fn malformed_ones_say_what_is_wrong() {
    check("", "", expect!["line 1 of the patch: the patch is empty"]);
    check("", "  \n", expect!["line 1 of the patch: the patch is empty"]);
    check(
        "",
        "hello\n",
        expect![
            "line 1 of the patch: no operation found; a patch is `*** Begin Patch`, then `*** Add File: <path>`, `*** Update File: <path>`, `*** Delete File: <path>` or `*** Move Directory: <path>`, then `*** End Patch`"
        ],
    );
    check(
        "",
        "*** Begin Patch\n*** End Patch\n",
        expect![
            "line 1 of the patch: no operation found; a patch is `*** Begin Patch`, then `*** Add File: <path>`, `*** Update File: <path>`, `*** Delete File: <path>` or `*** Move Directory: <path>`, then `*** End Patch`"
        ],
    );
    check(
        "",
        "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n",
        expect![
            "line 1 of the patch: this is a unified diff; write it as `*** Begin Patch`, `*** Update File: <path>`, chunks after `@@` with a blank, `-` or `+` before each line, `*** End Patch`"
        ],
    );
    check(
        "",
        "*** Begin Patch\nUpdate File: f\n-a\n*** End Patch\n",
        expect![
            "line 2 of the patch: `Update File: f` is not an operation; expected `*** Add File:`, `*** Update File:`, `*** Delete File:`, `*** Move Directory:`, `*** Move to:`, `*** End of File` or `*** End Patch`"
        ],
    );
    check(
        "",
        "*** Begin Patch\n*** Rename File: f\n*** End Patch\n",
        expect![
            "line 2 of the patch: `*** Rename File: f` is not an operation; expected `*** Add File:`, `*** Update File:`, `*** Delete File:`, `*** Move Directory:`, `*** Move to:`, `*** End of File` or `*** End Patch`"
        ],
    );
    check(
        "",
        "*** Begin Patch\n*** Update File: f\n-a\n*** Updat File: g\n-b\n*** End Patch\n",
        expect![
            "line 4 of the patch: `*** Updat File: g` is not an operation; expected `*** Add File:`, `*** Update File:`, `*** Delete File:`, `*** Move Directory:`, `*** Move to:`, `*** End of File` or `*** End Patch`"
        ],
    );
    check(
        "",
        "*** Begin Patch\n*** Update File:\n-a\n*** End Patch\n",
        expect!["line 2 of the patch: the path is missing"],
    );
    check(
        "",
        "*** Begin Patch\n*** Delete File: \n*** End Patch\n",
        expect!["line 2 of the patch: the path is missing"],
    );
    check(
        "",
        "*** Begin Patch\n*** Update File: f\n*** End Patch\n",
        expect!["line 2 of the patch: the update of f changes nothing: give lines with `-` or `+`"],
    );
    check(
        "",
        "*** Begin Patch\n*** Update File: f\n@@\n a\n b\n*** End Patch\n",
        expect!["line 2 of the patch: the update of f changes nothing: give lines with `-` or `+`"],
    );
    check(
        "",
        "*** Begin Patch\n*** Add File: f\n+a\nb\n*** End Patch\n",
        expect!["line 4 of the patch: every line of an added file begins with `+`"],
    );
    check(
        "",
        "*** Begin Patch\n*** Move Directory: a\n*** End Patch\n",
        expect!["line 2 of the patch: `*** Move Directory:` must be followed by `*** Move to: <new path>`"],
    );
    check(
        "",
        "*** Begin Patch\n*** Move Directory: a\n*** Move to:\n*** End Patch\n",
        expect!["line 3 of the patch: the path is missing"],
    );
    check(
        "",
        "*** Begin Patch\n*** Move to: a\n*** End Patch\n",
        expect!["line 2 of the patch: `*** Move to:` must follow `*** Update File:` or `*** Move Directory:`"],
    );
    check(
        "",
        "*** Begin Patch\n*** Delete File: f\n-a\n*** End Patch\n",
        expect![
            "line 3 of the patch: `-a` is not an operation; expected `*** Add File:`, `*** Update File:`, `*** Delete File:`, `*** Move Directory:`, `*** Move to:`, `*** End of File` or `*** End Patch`"
        ],
    );
}

#[test]
fn chunks_land_where_their_lines_are() {
    lands(&[
        ("a\nb\nc\n", "@@\n a\n-b\n+B\n c\n", "a\nB\nc\n"),
        ("a\nb\nc\n", "-b\n", "a\nc\n"),
        ("a\nb\nc\n", " b\n+x\n+y\n", "a\nb\nx\ny\nc\n"),
        ("a\nb\nc\n", "+x\n a\n", "x\na\nb\nc\n"),
        ("a\nb\nc\n", "-a\n-b\n-c\n+z\n", "z\n"),
        ("a\nb\nc\n", "-a\n-b\n-c\n", ""),
        ("a\nb\nc\nd\ne\n", "@@\n-a\n+A\n@@\n-c\n+C\n@@\n-e\n+E\n", "A\nb\nC\nd\nE\n"),
        // Neighbours may share their kept lines.
        ("a\nb\nc\n", "@@\n-a\n+A\n b\n@@\n b\n-c\n+C\n", "A\nb\nC\n"),
        // The same lines above the chunk before do not count.
        ("x\n1\ny\nx\n2\n", "@@\n-1\n+one\n y\n@@\n-x\n+z\n", "x\none\ny\nz\n2\n"),
        ("", "+a\n+b\n", "a\nb\n"),
        ("a\nb\n", "@@\n a\n-b\n+B\n*** End of File\n", "a\nB\n"),
        ("a\nb\na\n", "@@\n-a\n+A\n*** End of File\n", "a\nb\nA\n"),
        ("a\nb\na\n\n", "@@\n-a\n+A\n*** End of File\n", "a\nb\nA\n\n"),
        ("a\n", "@@\n+b\n*** End of File\n", "a\nb\n"),
        ("a", "@@\n+b\n*** End of File\n", "a\nb"),
    ]);
}

#[test]
fn headers_say_which_of_several_places() {
    let classes = "class A:\n    def f(self):\n        x = 1\n    def g(self):\n        x = 1\nclass B:\n    def f(self):\n        x = 1\n    def g(self):\n        x = 2\n";
    lands(&[
        (
            classes,
            "@@ class B:\n-        x = 1\n+        x = 3\n",
            "class A:\n    def f(self):\n        x = 1\n    def g(self):\n        x = 1\nclass B:\n    def f(self):\n        x = 3\n    def g(self):\n        x = 2\n",
        ),
        (
            classes,
            "@@ class A:\n@@     def g(self):\n-        x = 1\n+        x = 3\n",
            "class A:\n    def f(self):\n        x = 1\n    def g(self):\n        x = 3\nclass B:\n    def f(self):\n        x = 1\n    def g(self):\n        x = 2\n",
        ),
        (
            classes,
            "@@ class B\n@@ def f\n-        x = 1\n+        x = 3\n",
            "class A:\n    def f(self):\n        x = 1\n    def g(self):\n        x = 1\nclass B:\n    def f(self):\n        x = 3\n    def g(self):\n        x = 2\n",
        ),
        // A header that stands twice, above lines that stand once.
        (
            classes,
            "@@ def g(self):\n-        x = 2\n+        x = 3\n",
            "class A:\n    def f(self):\n        x = 1\n    def g(self):\n        x = 1\nclass B:\n    def f(self):\n        x = 1\n    def g(self):\n        x = 3\n",
        ),
        // The header once more among the lines.
        (
            classes,
            "@@ class B:\n class B:\n     def f(self):\n-        x = 1\n+        x = 3\n",
            "class A:\n    def f(self):\n        x = 1\n    def g(self):\n        x = 1\nclass B:\n    def f(self):\n        x = 3\n    def g(self):\n        x = 2\n",
        ),
        ("f\na\nb\na\n", "@@ f\n-a\n+A\n@@ f\n-a\n+Z\n", "f\nA\nb\nZ\n"),
        // Only added lines go right below their header.
        ("a\nf\nb\n", "@@ f\n+x\n", "a\nf\nx\nb\n"),
        // A header that is not there does no harm to lines that are there once.
        ("a\nb\n", "@@ fn nowhere()\n-b\n+c\n", "a\nc\n"),
        ("b\nf\na\n", "@@ f\n-b\n+c\n", "c\nf\na\n"),
    ]);
}

#[test]
fn chunks_land_with_other_blanks_and_punctuation() {
    lands(&[
        ("a  \nb\t\nc\n", " a\n-b\n+B\n c\n", "a  \nB\nc\n"),
        ("  a\n  b\n  c\n", " a\n-b\n+B\n", "  a\n  B\n  c\n"),
        ("\tif x {\n\t\ty\n\t}\n", " if x {\n-    y\n+    z\n }\n", "\tif x {\n\t\tz\n\t}\n"),
        ("if x:\n    a\n", " if x:\n-\ta\n+\tb\n", "if x:\n    b\n"),
        ("say “a”\nb\n", " say \"a\"\n-b\n+c\n", "say “a”\nc\n"),
        ("a – b\nx\n", "-a - b\n+a\n", "a\nx\n"),
        ("a\r\nb\r\nc\r\n", " a\n-b\n+B\n+D\n c\n", "a\r\nB\r\nD\r\nc\r\n"),
        ("a\nb\r\nc\n", " a\n-b\n+B\n c\n", "a\nB\r\nc\n"),
        ("\u{feff}a\nb\n", "-a\n+A\n b\n", "\u{feff}A\nb\n"),
        ("a\nb", "-b\n+B\n", "a\nB"),
        ("a\nb", " b\n+c\n", "a\nb\nc"),
        ("a\nb", " a\n-b\n", "a\n"),
        ("a\nb", "-a\n b\n", "b"),
    ]);
}

#[test]
fn chunks_land_without_leading_blanks() {
    let file = "fn f() {\n    let x = 1;\n\n    g(x);\n}\n";
    let after = "fn f() {\n    let x = 2;\n\n    g(x);\n}\n";
    lands(&[
        (file, "@@\nfn f() {\n-    let x = 1;\n+    let x = 2;\n\n    g(x);\n}\n", after),
        (file, "@@\n fn f() {\n-    let x = 1;\n+    let x = 2;\n\n     g(x);\n }\n", after),
        (file, "fn f() {\n-    let x = 1;\n+    let x = 2;\n", after),
        (file, "-    let x = 1;\n+    let x = 2;\n\n    g(x);\n", after),
        (file, "@@ fn f() {\n-    let x = 1;\n+    let x = 2;\n    g(x);\n", after),
        ("a\nb\nc\n", "\n@@\n\n-a\n\n+A\n\n\n@@\n\n-b\n+B\n", "A\nB\nc\n"),
        (file, "@@\n fn f() {\n-    let x = 1;\n+    let x = 2;\n \n     g(x);\n }\n\n", after),
        ("  a\n  b\n", "  a\n-  b\n+  c\n", "  a\n  c\n"),
        ("\ta\n\tb\n", "\ta\n-\tb\n+\tc\n", "\ta\n\tc\n"),
    ]);
}

#[test]
fn chunks_without_one_place_say_why() {
    let file = "fn f() {\n    let x = 1;\n    g(x);\n}\n\nfn h() {\n    let x = 1;\n    g(y);\n}\n";
    check(
        file,
        "*** Update File: f\n@@\n-    let x = 1;\n",
        expect![
            "chunk 1: its lines stand at 2 places: lines 2, 7. Give more lines around the change, or an `@@` line with the function or class it is in"
        ],
    );
    check(
        file,
        "*** Update File: f\n@@ fn f() {\n-    let x = 2;\n+    let x = 3;\n     g(x);\n",
        expect![[r#"
            chunk 1: (@@ fn f() {) its lines are not in the file; nearest: lines 2-3 (85 % alike); `-` is the chunk, `+` is the file:
                   -     let x = 2;
                 2 +     let x = 1;
                 3       g(x);"#]],
    );
    check(
        file,
        "*** Update File: f\n@@\n-    g(y);\n+    g(z);\n@@\n-    g(x);\n+    g(z);\n",
        expect!["chunk 2: its lines stand at line 3, above the chunk before it; chunks go from top to bottom"],
    );
    check(
        file,
        "*** Update File: f\n@@\n fn f() {\n-    let y = 1;\n+    let x = 1;\n",
        expect![
            "chunk 1: its lines are not in the file, but what it would make of them is, at line 1: perhaps it was applied before"
        ],
    );
    check(
        file,
        "*** Update File: f\n@@\n+    new();\n",
        expect![
            "chunk 1: it only adds lines, and nothing says where: give the line above or below them with a leading blank, or end the chunk with `*** End of File`"
        ],
    );
    check(
        file,
        "*** Update File: f\n@@ fn nowhere() {\n+    new();\n",
        expect![
            "chunk 1: (@@ fn nowhere() {) it only adds lines, and nothing says where: give the line above or below them with a leading blank, or end the chunk with `*** End of File`"
        ],
    );
    check(
        "f\na\nf\nb\n",
        "*** Update File: f\n@@ f\n+x\n",
        expect![
            "chunk 1: (@@ f) the line after its `@@` stands at 2 places: lines 1, 3. Give more lines around the change, or an `@@` line with the function or class it is in"
        ],
    );
    check(
        "f\na\nf\na\n",
        "*** Update File: f\n@@ f\n-a\n+b\n",
        expect![
            "chunk 1: (@@ f) its lines stand at 2 places: lines 2, 4. Give more lines around the change, or an `@@` line with the function or class it is in"
        ],
    );
    check(
        file,
        "*** Update File: f\n@@\n-SELECT name FROM users;\n+x\n",
        expect![
            "chunk 1: its lines are not in the file, nor is anything like them: is it another file, or was it changed? Read it first"
        ],
    );
    check(
        file,
        "*** Update File: f\n@@\n-    let x = 1;\n+    let x = 2;\n     g(w);\n",
        expect![[r#"
            chunk 1: its lines are not in the file; nearest: lines 2-3 (83 % alike); `-` is the chunk, `+` is the file:
                 2       let x = 1;
                   -     g(w);
                 3 +     g(x);"#]],
    );
    check(
        "a\nb\n",
        "*** Update File: f\n@@ nowhere\n- a\n+ c\n",
        expect![[r#"
            chunk 1: (@@ nowhere) its lines are not in the file; nearest: line 1 (99 % alike); `-` is the chunk, `+` is the file:
                   -  a
                 1 + a
            (some lines differ only in blanks; a tab is shown as →)"#]],
    );
    check(
        "x\n  a\n",
        "*** Update File: f\n@@\n-      a\n+  b\n",
        expect![[r#"
        chunk 1: its lines are not in the file; nearest: line 2 (99 % alike); `-` is the chunk, `+` is the file:
               -       a
             2 +   a
        (some lines differ only in blanks; a tab is shown as →)"#]],
    );
}

#[test]
fn what_a_long_chunk_says_stays_short() {
    let lines = |mark: &str, seed: usize| -> String {
        (0..400).map(|at| format!("{mark}let value_{at} = \"{}{}\";\n", at * seed, "ü".repeat(at))).collect()
    };
    let patch = format!("*** Update File: f\n@@ {}\n{}", "x".repeat(4000), lines("-", 4));
    let error = apply(&lines("", 3), &patch).expect_err("is not there").to_string();
    assert!(error.len() <= 2048, "{} bytes", error.len());
}

/// A file of a few lines, some of which repeat, and the lines of a chunk that were cut from it.
fn file_and_chunk() -> impl Strategy<Value = (Vec<String>, usize, Vec<u8>)> {
    let line = prop::sample::select(vec!["a", "b", "c", "  d", "\te", "", "f(x)"]).prop_map(str::to_owned);
    (prop::collection::vec(line, 1..12), 0usize..12, prop::collection::vec(0u8..3, 1..6))
}

proptest! {
    #[test]
    fn what_lands_is_the_chunk_at_one_of_its_places((file, start, marks) in file_and_chunk()) {
        let start = start.min(file.len() - 1);
        let mut chunk = String::new();
        let mut results = Vec::new();
        let mut old = Vec::new();
        let mut new = Vec::new();
        for (mark, line) in marks.iter().zip(&file[start..]) {
            old.push(line.clone());
            match mark {
                0 => { chunk.push_str(&format!(" {line}\n")); new.push(line.clone()); }
                1 => chunk.push_str(&format!("-{line}\n")),
                _ => { chunk.push_str(&format!("-{line}\n+new\n")); new.push("new".to_owned()); }
            }
        }
        for at in 0..=file.len() - old.len() {
            if file[at..at + old.len()] == old[..] {
                let lines = [&file[..at], &new[..], &file[at + old.len()..]].concat();
                results.push(lines.iter().map(|line| format!("{line}\n")).collect::<String>());
            }
        }
        let text: String = file.iter().map(|line| format!("{line}\n")).collect();
        match apply(&text, &format!("*** Update File: f\n@@\n{chunk}")) {
            Ok(after) => prop_assert!(results.len() == 1 && results[0] == after, "{after:?}"),
            Err(PatchError::Ambiguous { .. }) => prop_assert!(results.len() > 1),
            Err(_) => prop_assert!(!marks.iter().zip(&old).any(|(mark, line)| *mark > 0 && !line.is_empty())),
        }
    }

    #[test]
    fn nothing_panics(text in ".{0,200}", file in ".{0,100}") {
        let _ = apply(&file, &text);
    }

    #[test]
    fn nothing_panics_on_what_looks_like_a_patch(
        lines in prop::collection::vec(prop::sample::select(vec![
            "*** Begin Patch", "*** End Patch", "*** Update File: f", "*** Add File: g", "*** Delete File: h",
            "*** Move to: i", "*** Move Directory: j", "*** End of File", "@@", "@@ a", "@@ -1,2 +3,4 @@ a", "", " ", " a",
            "a", "-a", "+a", "  a", "-", "+", "```", "<<EOF", "EOF", "*** ", "***", "-\u{a0}é", "\\ No newline at end of file",
        ]), 0..16),
        file in prop::collection::vec(prop::sample::select(vec!["a", "  a", "\ta", "", "é", "b\r"]), 0..10),
    ) {
        if let Err(error) = apply(&file.join("\n"), &lines.join("\n")) {
            prop_assert!(error.to_string().len() <= 2048);
        }
    }
}
