//! Which lines of an output a reader would look for first. A guess by words; it decides nothing but an excerpt.

/// How telling a line is, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// An error, a failure, a panic, or a summary.
    Verdict,
    /// A place in a file.
    Place,
    /// A warning.
    Warning,
}

impl Weight {
    pub(super) const ALL: [Self; 3] = [Self::Verdict, Self::Place, Self::Warning];
}

const VERDICTS: [&str; 28] = [
    "error",
    "fail",
    "panic",
    "exception",
    "traceback",
    "fatal",
    "assert",
    "expected",
    "undefined",
    "unresolved",
    "not found",
    "no such file",
    "cannot ",
    "could not",
    "denied",
    "segmentation fault",
    "abort",
    "timed out",
    "test result:",
    "tests run",
    " passed",
    "tests:",
    "test suites:",
    "exit code",
    "exit status",
    "summary",
    "✗",
    "✘",
];

/// None for a line like any other.
pub(super) fn weight(line: &str) -> Option<Weight> {
    // What a line is about stands near its beginning, and some lines are megabytes long.
    let line = line.get(..line.floor_char_boundary(400)).unwrap_or_default();
    let lower = line.to_ascii_lowercase();
    if VERDICTS.iter().any(|word| lower.contains(word)) {
        Some(Weight::Verdict)
    } else if lower.contains("warn") {
        Some(Weight::Warning)
    } else {
        names_place(line).then_some(Weight::Place)
    }
}

/// `src/main.rs:12`, `app.ts(3,4)`, `File "x.py", line 3`.
fn names_place(line: &str) -> bool {
    let numbered = |rest: &str| rest.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if line.split("line ").skip(1).any(numbered) && line.contains("File \"") {
        return true;
    }
    line.split_whitespace().any(|word| {
        let named =
            |at: usize| word.get(..at).is_some_and(|path| path.contains(['.', '/']) && !path.ends_with(['.', '/']));
        let at =
            |mark: char| word.match_indices(mark).any(|(at, _)| named(at) && word.get(at + 1..).is_some_and(numbered));
        at(':') || at('(')
    })
}
