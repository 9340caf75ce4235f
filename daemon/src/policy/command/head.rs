//! What the first words of a command mean to a shell: what changes the shell itself, what wraps another program.

use super::{Simple, Why, word};

/// Words a shell takes for its own grammar.
const RESERVED: &[&str] = &[
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in",
    "select", "then", "until", "while", "{", "}",
];

/// Builtins after which the same words may mean something else, or which run what is in their words.
const SHELL_CHANGES: &[&str] = &[
    ".",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "command",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "declare",
    "dirs",
    "disown",
    "enable",
    "eval",
    "exec",
    "exit",
    "export",
    "fc",
    "fg",
    "getopts",
    "hash",
    "history",
    "jobs",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "pushd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "times",
    "trap",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "wait",
];

/// Checks what a shell would make of the first words; how many of them belong to wrappers.
pub(super) fn check(words: &[String]) -> Result<usize, Why> {
    let wrapper = wrapper_words(words).ok_or("it wraps a program in a way that is not modelled")?;
    // A shell reads on behind `time`, which is its own; behind the others this is stricter than it need be.
    for at in [0, wrapper] {
        plain_head(words.get(at..).unwrap_or_default())?;
    }
    if wrapper > 0 && words.get(wrapper).is_some_and(|word| word == "cd") {
        return Err("it changes the folder in a way that is not modelled");
    }
    Ok(wrapper)
}

/// The folder a command leaves the shell in, if it changes it.
pub(super) fn directory(simple: &Simple, current: Option<&str>) -> Result<Option<String>, Why> {
    let why = "it changes the folder in a way that is not modelled";
    match simple.words.as_slice() {
        [cd, folder] if cd == "cd" => match current {
            _ if folder.is_empty() || folder.starts_with('-') || !simple.env.is_empty() => Err(why),
            Some(current) if !folder.starts_with('/') => Ok(Some(format!("{current}/{folder}"))),
            Some(_) | None => Ok(Some(folder.clone())),
        },
        [cd, ..] if cd == "cd" => Err(why),
        _ => Ok(None),
    }
}

/// How many of the words belong to wrappers: `time`, `nice`, `nohup`, `env` and `timeout` in their plain forms, each before another
/// program. Nothing when one is used in another form.
#[must_use]
pub fn wrapper_words(words: &[String]) -> Option<usize> {
    let mut at = 0;
    while let Some(taken) = wrapper(words.get(at..)?)? {
        if at + taken >= words.len() {
            // It runs no other program, and so is one itself.
            return Some(at);
        }
        at += taken;
    }
    Some(at)
}

/// The words of one wrapper at the beginning: the outer nothing is a form that is not modelled, the inner one no wrapper.
fn wrapper(words: &[String]) -> Option<Option<usize>> {
    let Some((name, rest)) = words.split_first() else { return Some(None) };
    let next = rest.first().map_or("", String::as_str);
    let taken = match name.rsplit('/').next().unwrap_or(name) {
        "time" if next == "-p" => 2,
        "nice" if next == "-n" && rest.get(1).is_some_and(|number| is_number(number)) => 3,
        "nice" if next.strip_prefix("-n").or(next.strip_prefix('-')).is_some_and(is_number) => 2,
        "env" => 1 + rest.iter().take_while(|word| word::is_assignment(word)).count(),
        "timeout" if is_duration(next) => 2,
        "timeout" if !rest.is_empty() => return None,
        "time" | "nice" | "nohup" | "timeout" => 1,
        _ => return Some(None),
    };
    // An option that is not modelled might take the next word for itself.
    let plain = words.get(taken).is_none_or(|word| !word.starts_with('-') && !word.is_empty());
    plain.then_some(Some(taken))
}

fn plain_head(words: &[String]) -> Result<(), Why> {
    let name = words.first().map_or("", String::as_str);
    if name.is_empty() || name.starts_with('%') || name.contains('=') {
        return Err("it names no program");
    }
    if RESERVED.contains(&name) {
        return Err("it holds control flow");
    }
    if SHELL_CHANGES.contains(&name) {
        return Err("it changes the shell itself");
    }
    let assigns = |option: &String| option.starts_with("-v");
    if matches!(name, "printf" | "test" | "[") && words.iter().any(assigns) {
        return Err("it changes variables of the shell");
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}

fn is_duration(text: &str) -> bool {
    let number = text.trim_end_matches(['s', 'm', 'h', 'd']);
    text.len() - number.len() <= 1
        && number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || c == '.')
}

#[cfg(test)]
mod tests;
