//! The examples of `README.md`: each is what the types say, and nothing goes without one.

use crate::known::{NOTIFICATIONS, known};
use crate::schema::schema;
use crate::table::{Method, NOTIFICATIONS_TO_DAEMON, Shape, methods};
use pilotfish_protocol::{FEATURES, PROTOCOL_VERSION};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A `json` block of the README.
struct Example {
    line: usize,
    value: Value,
}

fn examples() -> Vec<Example> {
    let readme = crate::read("README.md");
    let mut examples = Vec::new();
    let mut lines = readme.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.trim() != "```json" {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
        let value = serde_json::from_str(&block.join("\n"));
        let value = value.unwrap_or_else(|error| panic!("protocol/README.md:{}: {error}", number + 2));
        examples.push(Example { line: number + 2, value });
    }
    examples
}

#[track_caller]
fn check(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn examples_are_what_the_types_say() {
    let methods = methods();
    let told = |example: &Example| {
        let problem = problem_of(&example.value, &methods).err()?;
        Some(format!("protocol/README.md:{}: {problem}", example.line))
    };
    check(examples().iter().filter_map(told).collect());
}

#[test]
fn nothing_goes_without_an_example() {
    let shown: BTreeSet<String> = examples().iter().flat_map(|example| subjects(&example.value)).collect();
    let schema = schema();
    let mut wanted: Vec<String> = methods().iter().map(|method| format!("method {}", method.name)).collect();
    wanted.extend(NOTIFICATIONS.iter().map(|(name, ..)| format!("method {name}")));
    wanted.extend(tags(&schema, "Update", "kind").map(|kind| format!("update {kind}")));
    wanted.extend(tags(&schema, "ItemContent", "kind").map(|kind| format!("item {kind}")));
    wanted.extend(tags(&schema, "InputPart", "type").map(|kind| format!("input {kind}")));
    let missing = wanted.iter().filter(|subject| !shown.contains(*subject));
    check(missing.map(|subject| format!("protocol/README.md: no example of {subject}; write one")).collect());
}

#[test]
fn the_tables_are_whole() {
    let readme = crate::read("README.md");
    let errors = schema()["errors"].as_array().cloned().unwrap_or_default();
    let rows = errors.iter().map(|error| format!("| `{}` | {} |", error["kind"].as_str().unwrap_or(""), error["code"]));
    let rows = rows.chain(FEATURES.iter().map(|feature| format!("| `{feature}` |")));
    check(rows.filter(|row| !readme.contains(row)).map(|row| format!("protocol/README.md: no row {row}")).collect());
}

// Names an example is of, as `nothing_goes_without_an_example` wants them.
fn subjects(example: &Value) -> Vec<String> {
    let mut subjects = Vec::new();
    let mut add = |what: &str, word: &Value| subjects.extend(word.as_str().map(|word| format!("{what} {word}")));
    add("method", &example["method"]);
    add("update", &example["update"]["kind"]);
    add("item", &example["content"]["kind"]);
    if let Value::Array(parts) = example {
        parts.iter().for_each(|part| add("input", &part["type"]));
    }
    subjects
}

// The words that tell the variants of a tagged type apart.
fn tags<'a>(schema: &'a Value, name: &str, tag: &'a str) -> impl Iterator<Item = &'a str> {
    let variants = schema["types"][name]["oneOf"].as_array().expect("a tagged type is one of several");
    variants.iter().map(move |variant| variant["properties"][tag]["const"].as_str().expect("a variant has its word"))
}

fn problem_of(example: &Value, methods: &[Method]) -> Result<(), String> {
    match example {
        Value::Array(parts) => parts.iter().try_for_each(|part| same("InputPart", part)),
        Value::Object(fields) if fields.contains_key("method") => call(example, methods),
        Value::Object(fields) if fields.contains_key("update") => same("SessionUpdate", example),
        Value::Object(fields) if fields.contains_key("content") => same("Item", example),
        Value::Object(fields) if fields.contains_key("error") => error(&example["error"]),
        _ => Err("is an example of nothing; show a method, an update, an item, input or an error".to_owned()),
    }
}

fn call(example: &Value, methods: &[Method]) -> Result<(), String> {
    let name = example["method"].as_str().ok_or("`method` is a text")?;
    let params = example.get("params").cloned().unwrap_or_else(|| json!({}));
    let extra = |allowed: &[&str]| {
        let keys = example.as_object().into_iter().flat_map(|fields| fields.keys());
        keys.filter(|key| !allowed.contains(&key.as_str()))
            .map(|key| format!("{name}: what is `{key}`?"))
            .next()
            .map_or(Ok(()), Err)
    };
    if name == "initialize" {
        return extra(&["method", "params", "result"]).and(announcement(example));
    }
    if let Some((_, carries, _)) = NOTIFICATIONS.iter().find(|(notification, ..)| *notification == name) {
        return extra(&["method", "params"]).and(same(carries, &params));
    }
    let method = methods.iter().find(|method| method.name == name).ok_or(format!("{name} is no method"))?;
    takes(method, &params).map_err(|problem| format!("{name}: {problem}"))?;
    if NOTIFICATIONS_TO_DAEMON.contains(&name) {
        return extra(&["method", "params"]);
    }
    extra(&["method", "params", "result"])?;
    same(&method.result, &example["result"]).map_err(|problem| format!("{name}: result: {problem}"))
}

// Whether a method takes these parameters, and knows all of them.
fn takes(method: &Method, params: &Value) -> Result<(), String> {
    let given = params.as_object().ok_or("`params` is an object")?;
    if let Some(unknown) = given.keys().find(|key| !method.params.iter().any(|param| param.name == **key)) {
        return Err(format!("takes no parameter `{unknown}`"));
    }
    for param in &method.params {
        match given.get(&param.name) {
            Some(value) => fits(&param.shape, value).map_err(|problem| format!("`{}`: {problem}", param.name))?,
            None if param.shape.is_optional() => {}
            None => return Err(format!("`{}` is missing", param.name)),
        }
    }
    Ok(())
}

fn fits(shape: &Shape, value: &Value) -> Result<(), String> {
    let is_it = |it: bool, what: &str| if it { Ok(()) } else { Err(format!("{value} is not {what}")) };
    match shape {
        Shape::Text => is_it(value.is_string(), "a text"),
        Shape::Flag => is_it(value.is_boolean(), "true or false"),
        Shape::Number(name) if name == "u32" => {
            is_it(value.as_u64().is_some_and(|n| n <= u64::from(u32::MAX)), "a u32")
        }
        Shape::Number(name) => is_it(value.is_u64(), name),
        Shape::Optional(inner) => fits(inner, value),
        Shape::List(inner) => value.as_array().ok_or("is not a list")?.iter().try_for_each(|part| fits(inner, part)),
        Shape::Named(name) => kept(value, &(known(name).reread)(value)?),
    }
}

// Whether a value is exactly what the daemon would write of it: nothing unknown, nothing left out.
fn same(name: &str, value: &Value) -> Result<(), String> {
    let written = (known(name).reread)(value).map_err(|error| format!("{value} is no {name}: {error}"))?;
    if &written == value { Ok(()) } else { Err(format!("a {name} is written as\n    {written}\nnot as\n    {value}")) }
}

// Whether all that was said was understood. What has a default may be left out.
fn kept(said: &Value, understood: &Value) -> Result<(), String> {
    match (said, understood) {
        (Value::Object(said), Value::Object(understood)) => said.iter().try_for_each(|(key, part)| {
            let understood = understood.get(key).ok_or_else(|| format!("`{key}` is unknown or says nothing"))?;
            kept(part, understood)
        }),
        (Value::Array(said), Value::Array(understood)) if said.len() == understood.len() => {
            said.iter().zip(understood).try_for_each(|(part, understood)| kept(part, understood))
        }
        _ if said == understood => Ok(()),
        _ => Err(format!("{said} was understood as {understood}")),
    }
}

fn error(error: &Value) -> Result<(), String> {
    same("ErrorData", &error["data"])?;
    let known = schema()["errors"].as_array().cloned().unwrap_or_default();
    let fits = known.iter().any(|known| known["kind"] == error["data"]["kind"] && known["code"] == error["code"]);
    if fits { Ok(()) } else { Err(format!("{error}: the kind has another code")) }
}

fn announcement(example: &Value) -> Result<(), String> {
    let client = &example["params"]["initializationOptions"]["pilotfish"];
    let daemon = &example["result"]["capabilities"]["experimental"]["pilotfish"];
    let whole = client["protocol"] == PROTOCOL_VERSION
        && client["features"].is_array()
        && daemon["protocol"] == PROTOCOL_VERSION
        && daemon["build"].is_string()
        && daemon["features"] == json!(FEATURES);
    if whole { Ok(()) } else { Err(format!("initialize announces protocol {PROTOCOL_VERSION} and {FEATURES:?}")) }
}

#[test]
fn breaks_are_found() {
    let methods = methods();
    let broken = [
        json!({ "method": "session/new", "params": { "workspace": "/p", "color": "red" }, "result": {} }),
        json!({ "method": "session/new", "params": {} }),
        json!({ "method": "session/attach", "params": { "sessionId": "s1", "afterSeq": "9" } }),
        json!({ "method": "session/sing", "params": {} }),
        json!({ "method": "session/rename", "params": { "sessionId": "s1", "title": "x" }, "result": { "x": 1 } }),
        json!({ "sessionId": "s1", "update": { "kind": "titleChanged", "title": "x", "old": "y" } }),
        json!([{ "type": "text" }]),
        json!({ "error": { "code": 1, "data": { "kind": "notFound" } } }),
        json!({ "title": "x" }),
    ];
    let missed = broken.iter().filter(|example| problem_of(example, &methods).is_ok());
    check(missed.map(|example| format!("{example} passed")).collect());
}
