//! Arguments of calls, as models really write them. Pure. What can be read only one way is read; anything else is answered by one
//! line that names the field.

use crate::model::ToolSpec;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Names that models use for a parameter of ours.
const ALIASES: &[(&str, &[&str])] = &[
    ("path", &["file_path", "filename", "file", "filepath", "target_file", "directory", "dir"]),
    ("command", &["cmd", "script", "code", "bash"]),
    ("old_string", &["old_str", "old_text", "old", "search"]),
    ("new_string", &["new_str", "new_text", "new", "replace", "replacement"]),
    ("content", &["contents", "text", "file_text", "body"]),
    ("pattern", &["query", "regex", "search"]),
    ("patch", &["input", "diff", "patch_text"]),
    ("offset", &["start_line", "line", "from"]),
    ("limit", &["max_lines", "count", "lines"]),
    ("glob", &["include", "file_pattern"]),
    ("timeout", &["timeout_seconds", "timeout_s"]),
    ("cwd", &["workdir", "working_directory"]),
    ("question", &["prompt", "message", "text"]),
    ("choices", &["options", "answers"]),
    ("id", &["command_id", "commandId"]),
    ("input", &["text", "stdin"]),
    ("wait_ms", &["timeout_ms", "wait"]),
    ("steps", &["plan", "items", "todos"]),
];

/// Reads a call's arguments as the tool's schema says.
pub(super) fn decode<T: DeserializeOwned>(spec: &ToolSpec, arguments: &str) -> Result<T, String> {
    let mut object = object(spec, arguments)?;
    let empty = Map::new();
    let properties = spec.parameters.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    object.retain(|_, value| !value.is_null());
    for name in properties.keys() {
        if !object.contains_key(name) {
            let aliases = ALIASES.iter().find(|(known, _)| known == name).map_or(&[][..], |(_, aliases)| aliases);
            let alias = aliases.iter().find(|&&alias| object.contains_key(alias) && !properties.contains_key(alias));
            if let Some(value) = alias.and_then(|&alias| object.remove(alias)) {
                object.insert(name.clone(), value);
            }
        }
    }
    for (name, schema) in properties {
        if let Some(value) = object.get_mut(name) {
            let wanted = schema.get("type").and_then(Value::as_str).unwrap_or_default();
            if let Some(repaired) = repair(value, wanted) {
                *value = repaired;
            }
            if !fits(value, wanted) {
                return Err(format!("{}: `{name}` must be {}, not {value:.60}", spec.name, article(wanted)));
            }
        }
    }
    let required = spec.parameters.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if let Some(missing) = required.iter().filter_map(Value::as_str).find(|name| !object.contains_key(*name)) {
        return Err(format!("{}: `{missing}` is missing", spec.name));
    }
    serde_json::from_value(Value::Object(object)).map_err(|error| format!("{}: {error}", spec.name))
}

fn object(spec: &ToolSpec, arguments: &str) -> Result<Map<String, Value>, String> {
    let arguments = arguments.trim();
    if arguments.is_empty() {
        return Ok(Map::new());
    }
    let value: Value = serde_json::from_str(arguments).map_err(|error| {
        // Cut text is never completed by guessing: half a file would be written.
        let hint = if error.is_eof() {
            "it was cut off; send the whole call again, in smaller pieces if it is long"
        } else {
            "send it again as one JSON object"
        };
        format!("{}: the arguments are not JSON ({error}): {hint}", spec.name)
    })?;
    match value {
        Value::Object(object) => Ok(object),
        Value::String(inner) if inner.trim_start().starts_with('{') => object_again(spec, &inner),
        // The only string a tool takes may come bare.
        Value::String(inner) => match sole(spec) {
            Some(name) => Ok(Map::from_iter([(name, Value::String(inner))])),
            None => Err(format!("{}: the arguments must be one JSON object", spec.name)),
        },
        _ => Err(format!("{}: the arguments must be one JSON object", spec.name)),
    }
}

fn object_again(spec: &ToolSpec, inner: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(inner) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(format!("{}: the arguments must be one JSON object", spec.name)),
    }
}

fn sole(spec: &ToolSpec) -> Option<String> {
    match spec.parameters.get("required")?.as_array()?.as_slice() {
        [Value::String(name)] => Some(name.clone()),
        _ => None,
    }
}

/// Another reading of a value that does not fit, where there is exactly one.
fn repair(value: &Value, wanted: &str) -> Option<Value> {
    match (wanted, value) {
        ("integer", Value::String(text)) => text.trim().parse::<i64>().ok().map(Value::from),
        ("integer", Value::Number(number)) if !number.is_u64() => {
            let float = number.as_f64()?;
            // Exact for every line number there is.
            #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
            (float.fract() == 0.0 && float.abs() < 1e9).then(|| Value::from(float as i64))
        }
        ("boolean", Value::String(text)) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(Value::Bool(true)),
            "false" | "no" | "0" | "" => Some(Value::Bool(false)),
            _ => None,
        },
        ("array", Value::String(text)) => serde_json::from_str(text).ok().filter(Value::is_array),
        ("string", Value::Array(words)) => command_line(words),
        ("string", Value::Number(number)) => Some(Value::String(number.to_string())),
        _ => None,
    }
}

/// A command line of an argument vector: the script of `bash -c SCRIPT`, else the words, quoted.
fn command_line(words: &[Value]) -> Option<Value> {
    let words: Vec<&str> = words.iter().map(Value::as_str).collect::<Option<_>>()?;
    if let [shell, flag, script] = words.as_slice()
        && ["bash", "sh", "zsh", "/bin/bash", "/bin/sh"].contains(shell)
        && ["-c", "-lc"].contains(flag)
    {
        return Some(Value::String((*script).to_owned()));
    }
    let plain =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&b));
    let quoted: Vec<String> = words
        .iter()
        .map(|word| if plain(word) { (*word).to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) })
        .collect();
    Some(Value::String(quoted.join(" ")))
}

fn fits(value: &Value, wanted: &str) -> bool {
    match wanted {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        _ => true,
    }
}

fn article(wanted: &str) -> &'static str {
    match wanted {
        "string" => "a string",
        "integer" => "a whole number",
        "boolean" => "true or false",
        "array" => "a list",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests;
