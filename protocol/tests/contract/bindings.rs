//! The types for the editors, made from the schema: TypeScript for VS Code, LuaCATS for Neovim. Committed and compared as the schema is.

use crate::schema::{MEND, keep, schema};
use serde_json::Value;

const MADE: &str = "Made from the protocol's types by its tests; do not edit.";

#[test]
fn typescript_says_what_the_schema_says() {
    keep("../editors/vscode/src/protocol.ts", &typescript(&schema()), MEND);
}

#[test]
fn lua_says_what_the_schema_says() {
    keep("../editors/neovim/lua/pilotfish/types.lua", &lua(&schema()), MEND);
}

// --- the parts of a schema ---

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn referred(value: &Value) -> Option<&str> {
    value["$ref"].as_str().and_then(|path| path.strip_prefix("#/types/"))
}

/// The fields of an object: name, type, whether it is always there.
fn fields(object: &Value) -> impl Iterator<Item = (&str, &Value, bool)> {
    let required = list(&object["required"]);
    entries(&object["properties"]).map(|(name, value)| (name, value, required.iter().any(|given| given == name)))
}

fn docs(value: &Value) -> &str {
    value["description"].as_str().or(value["docs"].as_str()).unwrap_or_default()
}

/// The word that tells a variant from its like.
fn tag(variant: &Value) -> Option<&str> {
    fields(variant).find_map(|(_, value, _)| value["const"].as_str())
}

// --- TypeScript ---

fn typescript(schema: &Value) -> String {
    let mut text = format!("// {MADE}\n\n/** Which one this is. */\nexport const PROTOCOL = {};\n", schema["protocol"]);
    for (name, value) in entries(&schema["types"]) {
        text += "\n";
        text += &comment(docs(value), "");
        text += &match value["properties"] {
            Value::Object(_) => format!("export interface {name} {}\n", typescript_object(value, "")),
            _ => format!("export type {name} = {};\n", typescript_type(value)),
        };
    }
    let (to_daemon, methods): (Vec<_>, Vec<_>) =
        list(&schema["methods"]).iter().partition(|method| method["notification"].as_bool() == Some(true));
    let messages = |about: &str, name: &str, all: &[&Value], of: fn(&Value) -> String| {
        let lines: String = all
            .iter()
            .map(|each| {
                comment(docs(each), "  ")
                    + &format!("  '{}': {};\n", each["name"].as_str().unwrap_or_default(), of(each))
            })
            .collect();
        format!("\n/** {about} */\nexport interface {name} {{\n{lines}}}\n")
    };
    let params = |each: &Value| typescript_type(&each["params"]);
    text += &messages("What the daemon answers.", "Methods", &methods, |each| {
        format!("{{ params: {}; result: {} }}", typescript_type(&each["params"]), typescript_type(&each["result"]))
    });
    text += &messages("What the daemon takes without an answer.", "NotificationsToDaemon", &to_daemon, params);
    let notifications: Vec<&Value> = list(&schema["notifications"]).iter().collect();
    text + &messages("What the daemon tells.", "Notifications", &notifications, params)
}

fn comment(docs: &str, indent: &str) -> String {
    match docs.contains('\n') {
        false if docs.is_empty() => String::new(),
        false => format!("{indent}/** {docs} */\n"),
        true => format!("{indent}/**\n{indent} * {}\n{indent} */\n", docs.replace('\n', &format!("\n{indent} * "))),
    }
}

fn typescript_object(object: &Value, indent: &str) -> String {
    let lines: String = fields(object)
        .map(|(name, value, always)| {
            let mark = if always { "" } else { "?" };
            comment(docs(value), &format!("{indent}  "))
                + &format!("{indent}  {name}{mark}: {};\n", typescript_type(value))
        })
        .collect();
    format!("{{\n{lines}{indent}}}")
}

fn typescript_type(value: &Value) -> String {
    if let Some(name) = referred(value) {
        let own = fields(value).map(|(name, value, _)| format!(" & {{ {name}: {} }}", typescript_type(value)));
        return own.fold(name.to_owned(), |all, one| all + &one);
    }
    if let Some(word) = value["const"].as_str() {
        return format!("'{word}'");
    }
    if let Some(variants) = value["oneOf"].as_array() {
        let variants: Vec<String> = variants.iter().map(typescript_type).collect();
        return variants.join(" | ");
    }
    match value["type"].as_str() {
        Some("string") => "string".to_owned(),
        Some("boolean") => "boolean".to_owned(),
        Some("integer" | "number") => "number".to_owned(),
        Some("array") if value["items"]["oneOf"].is_array() => format!("({})[]", typescript_type(&value["items"])),
        Some("array") => format!("{}[]", typescript_type(&value["items"])),
        Some("object") => {
            let fields: Vec<String> = fields(value)
                .map(|(name, value, always)| {
                    format!("{name}{}: {}", if always { "" } else { "?" }, typescript_type(value))
                })
                .collect();
            if fields.is_empty() { "Record<string, never>".to_owned() } else { format!("{{ {} }}", fields.join("; ")) }
        }
        _ => "unknown".to_owned(),
    }
}

// --- Lua ---

fn lua(schema: &Value) -> String {
    let mut text = format!("---@meta\n-- {MADE}\n");
    for (name, value) in entries(&schema["types"]) {
        text += "\n";
        text += &lua_comment(docs(value));
        let variants = list(&value["oneOf"]);
        if value["properties"].is_object() {
            text += &lua_class(name, None, value);
        } else if variants.iter().any(|variant| variant["properties"].is_object()) {
            text += &lua_variants(name, variants);
        } else {
            text += &format!("---@alias pilotfish.{name} {}\n", lua_type(value));
        }
    }
    for method in list(&schema["methods"]) {
        let name = method["name"].as_str().unwrap_or_default();
        let result =
            referred(&method["result"]).map(|name| format!(" Answers `pilotfish.{name}`.")).unwrap_or_default();
        text += &format!("\n{}", lua_comment(&format!("Parameters of `{name}`. {}{result}", docs(method))));
        text += &lua_class(&format!("params.{}", name.replace('/', "_")), None, &method["params"]);
    }
    text
}

fn lua_comment(docs: &str) -> String {
    docs.lines().map(|line| format!("---{line}\n")).collect()
}

fn lua_class(name: &str, parent: Option<&str>, object: &Value) -> String {
    let parent = parent.map(|parent| format!(": pilotfish.{parent}")).unwrap_or_default();
    let mut text = format!("---@class pilotfish.{name}{parent}\n");
    for (field, value, always) in fields(object) {
        let mark = if always { "" } else { "?" };
        let about = docs(value).replace('\n', " ");
        text += &format!("---@field {field}{mark} {}", lua_type(value));
        text += &if about.is_empty() { "\n".to_owned() } else { format!(" # {about}\n") };
    }
    text
}

// A class for each variant, after its word, and the name for any of them.
fn lua_variants(name: &str, variants: &[Value]) -> String {
    let named = |variant| format!("{name}.{}", tag(variant).unwrap_or("other"));
    let any: Vec<String> = variants.iter().map(|variant| format!("pilotfish.{}", named(variant))).collect();
    let mut text = format!("---@alias pilotfish.{name} {}\n", any.join("|"));
    for variant in variants {
        text += &format!("\n{}{}", lua_comment(docs(variant)), lua_class(&named(variant), referred(variant), variant));
    }
    text
}

fn lua_type(value: &Value) -> String {
    if let Some(name) = referred(value) {
        return format!("pilotfish.{name}");
    }
    if let Some(word) = value["const"].as_str() {
        return format!("\"{word}\"");
    }
    if let Some(variants) = value["oneOf"].as_array() {
        let variants: Vec<String> = variants.iter().map(lua_type).collect();
        return variants.join("|");
    }
    match value["type"].as_str() {
        Some("array") => format!("{}[]", lua_type(&value["items"])),
        Some("object") => "table".to_owned(),
        Some(plain) => plain.to_owned(),
        None => "any".to_owned(),
    }
}
