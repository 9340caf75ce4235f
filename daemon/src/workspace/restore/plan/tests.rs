use super::*;
use expect_test::{Expect, expect};

fn path(path: &str) -> RootedPath {
    RootedPath::of_names(Path::new(path)).expect("names")
}

/// `-` nothing, `d` a directory, `>x` a link, `*` what is not kept, `#n` a large file; all else a file of these bytes, maybe with a mode.
fn image(text: &str) -> Image {
    match text.split_at(1) {
        ("-", "") => Image::Absent,
        ("d", mode) => Image::Directory { mode: u32::from_str_radix(mode, 8).unwrap_or(0o755) },
        (">", target) => Image::Link { target: target.into() },
        ("*", "") => Image::Other,
        ("#", seconds) => {
            let print = Print::Written { seconds: seconds.parse().expect("a number"), nanoseconds: 0 };
            Image::File { print, size: 1 << 30, mode: 0o644 }
        }
        _ => match text.split_once('+') {
            Some((bytes, mode)) => Image::of_bytes(bytes.as_bytes(), u32::from_str_radix(mode, 8).expect("a mode")),
            None => Image::of_bytes(text.as_bytes(), 0o644),
        },
    }
}

/// `touched` is `path before after` a line, in order; `disk` is `path image` a line, and all else is not there. The text `lost` is not kept.
fn check(touched: &str, disk: &str, expected: Expect) {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let rows = touched.lines().map(words).filter(|words| !words.is_empty());
    let rows = rows.map(|words| Touched { path: path(&words[0]), before: image(&words[1]), after: image(&words[2]) });
    let there: BTreeMap<PathBuf, Image> = disk
        .lines()
        .map(words)
        .filter(|words| !words.is_empty())
        .map(|words| (PathBuf::from(&words[0]), image(&words[1])))
        .collect();
    let wishes = wishes(rows.collect());
    let look = |path: &RootedPath| match there.get(path.as_path().parent().unwrap_or(Path::new(""))) {
        Some(Image::File { .. } | Image::Link { .. }) => Image::Absent,
        _ => there.get(path.as_path()).cloned().unwrap_or(Image::Absent),
    };
    let now = wishes.keys().map(|path| (path.clone(), look(path))).collect();
    let names = |folder: &RootedPath| {
        let inside = there.keys().filter(|path| path.parent() == Some(folder.as_path()));
        inside.filter_map(|path| path.file_name().map(OsString::from)).collect()
    };
    let is_kept = |target: &Image| *target != image("lost");
    let is_folder =
        |path: &Path| path.as_os_str().is_empty() || matches!(there.get(path), Some(Image::Directory { .. }));
    let steps = plan(&wishes, &now, names, is_kept, is_folder);
    let told = steps.iter().map(|(path, step)| match step {
        Step::Change(change) => format!("{path}: {}\n", change.word()),
        Step::Left(why) => format!("{path}: left: {why}\n"),
    });
    expected.assert_eq(&told.collect::<String>());
}

#[test]
fn takes_every_kind_of_change_back() {
    check(
        "edited 1 2
         made - 1
         gone 1 -
         mode 1+644 1+755
         link >a >b
         folder d755 d700
         kind 1 >a",
        "edited 2
         made 1
         mode 1+755
         link >b
         folder d700
         kind >a",
        expect![[r#"
            edited: changed
            folder: mode changed
            gone: created
            kind: changed
            link: changed
            made: deleted
            mode: mode changed
        "#]],
    );
}

#[test]
fn the_first_image_counts_and_what_is_so_already_is_nothing() {
    check("a 1 2\na 2 3\nb 1 2\nb 2 1\nc - 1\nc 1 -", "a 3\nb 1", expect![["a: changed\n"]]);
}

#[test]
fn what_never_happened_is_harmless() {
    // The last, the first, and one in between.
    check("a 1 2\na 2 3", "a 2", expect![["a: changed\n"]]);
    check("a 1 2", "a 1", expect![[""]]);
    check("a 1 2\na 1 3\na 1 4", "a 4", expect![["a: changed\n"]]);
}

#[test]
fn what_somebody_else_changed_is_left() {
    let check = |touched: &str, disk: &str| check(touched, disk, expect![["a: left: you changed it since\n"]]);
    check("a 1 2", "a mine");
    check("a 1 2", "");
    check("a - 1", "a 1+755");
    check("a 1 -", "a mine");
    check("a >x >y", "a >z");
    // Between two changes of ours.
    check("a 1 2\na mine 3", "a 3");
}

#[test]
fn what_cannot_be_had_back_is_left() {
    check(
        "was #1 2
         lost lost 2
         is 1 #1
         made - #1
         moved * -
         there - *
         mode #1 #1",
        "was 2
         lost 2
         is #1
         made #1
         there *
         mode #2",
        expect![[r#"
            is: left: it is too large to be had back afterwards
            lost: left: what it was is not kept
            made: left: it is too large to be had back afterwards
            mode: left: you changed it since
            moved: left: what it was is not kept
            there: left: what it was is not kept
            was: changed
        "#]],
    );
}

#[test]
fn folders_go_when_they_are_empty_and_come_before_what_is_in_them() {
    check(
        "new - d\nnew/a - 1\nkept - d\nkept/a - 1\nold d -\nold/in d -\nold/in/a 1 -",
        "new d700\nnew/a 1\nkept d\nkept/a 1\nkept/mine 1",
        expect![[r#"
            kept: left: it is not empty
            kept/a: deleted
            new: deleted
            new/a: deleted
            old: created
            old/in: created
            old/in/a: created
        "#]],
    );
    check("d/a 1 -", "", expect![["d/a: left: its folder is gone\n"]]);
    check(
        "d/a 1 2",
        "d 1\n",
        expect![[r#"
        d/a: left: you changed it since
    "#]],
    );
}

#[test]
fn files_and_folders_replace_one_another() {
    check(
        "a 1 d\na/x - 1\nb d -\nb - 1\nb/x 1 -",
        "a d\na/x 1\nb 1",
        expect![[r#"
            a: changed
            a/x: deleted
            b: changed
            b/x: created
        "#]],
    );
    check(
        "a 1 d\na/x - 1",
        "a d\na/x 1\na/mine 1",
        expect![[r#"
        a: left: it is not empty
        a/x: deleted
    "#]],
    );
    check(
        "b d -\nb - 1\nb/x 1 -",
        "b mine",
        expect![[r#"
            b: left: you changed it since
            b/x: left: its folder is gone
        "#]],
    );
}
