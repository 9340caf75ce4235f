//! What holds for the editors' own code: it stays thin, and each file says what it owns.

use super::source::{File, files};
use super::{check, tables};

fn code_lines(file: &File) -> usize {
    let code = |line: &&str| !line.is_empty() && !["--", "//", "/*", "*"].iter().any(|mark| line.starts_with(mark));
    file.text.lines().map(str::trim).filter(code).count()
}

fn own_files() -> impl Iterator<Item = File> {
    let own = |file: &File| {
        let code = [".lua", ".ts", ".css"].iter().any(|end| file.path.ends_with(end));
        file.path.starts_with("editors/") && code && !tables::MADE.contains(&file.path.as_str())
    };
    files().into_iter().filter(own)
}

#[test]
#[expect(clippy::print_stdout, reason = "tests/run shows the lines that begin with `warned: `")]
fn clients_stay_thin() {
    let mut problems = Vec::new();
    for (folder, limit) in tables::CLIENT_LINES {
        let lines: usize = own_files().filter(|file| file.path.starts_with(folder)).map(|file| code_lines(&file)).sum();
        if lines > limit * 3 / 2 {
            problems
                .push(format!("{folder}: {lines} lines of code, {limit} are the limit; let the daemon decide more"));
        } else if lines > *limit {
            println!("warned: {folder} has {lines} lines of code; {limit} are the budget");
        }
    }
    let (warned, failed) = tables::FILE_LINES;
    for file in own_files() {
        let lines = code_lines(&file);
        if lines > failed {
            problems.push(format!("{}: {lines} lines of code, {failed} are the limit; split it by idea", file.path));
        } else if lines > warned {
            println!("warned: {} has {lines} lines of code; {warned} are the budget", file.path);
        }
    }
    check(problems);
}

#[test]
fn clients_files_say_what_they_own() {
    let silent = own_files().filter(|file| !["--", "//", "/*"].iter().any(|mark| file.text.starts_with(mark)));
    check(silent.map(|file| format!("{}: begin it with a comment that says what it owns", file.path)).collect());
}
