//! A problem of a language server in one line, as models read it.

use pilotfish_protocol::Diagnostic;

/// `path:line:column severity: words [source code]`, places from 1.
#[must_use]
pub fn line(path: &str, problem: &Diagnostic) -> String {
    let (at, message) = (problem.range.start, problem.message.trim().replace('\n', " "));
    let names: Vec<&str> = [problem.source.as_deref(), problem.code.as_deref()].into_iter().flatten().collect();
    let names = if names.is_empty() { String::new() } else { format!(" [{}]", names.join(" ")) };
    format!("{path}:{}:{} {}: {message}{names}", at.line + 1, at.character + 1, problem.severity)
}
