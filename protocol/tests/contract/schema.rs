//! `schema.json`: made from the traits and the types, committed, and compared here. `UPDATE_SCHEMA=1` writes anew what is made so.

use crate::known::{KNOWN, NOTIFICATIONS, known};
use crate::table::{Method, NOTIFICATIONS_TO_DAEMON, Shape, methods};
use jsonrpsee::types::ErrorObjectOwned;
use pilotfish_protocol::{ErrorKind, PROTOCOL_VERSION, RpcError};
use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value, json};

#[test]
fn schema_is_what_the_types_say() {
    let now = serde_json::to_string_pretty(&sorted(schema())).expect("a value can be written") + "\n";
    keep("schema.json", &now, MEND);
}

/// Holds a file of this package to what it should be, or writes it so when `UPDATE_SCHEMA` is set.
pub fn keep(path: &str, now: &str, mend: &str) {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        let place = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::write(&place, now).unwrap_or_else(|error| panic!("cannot write {}: {error}", place.display()));
    }
    let was = crate::read(path);
    let differs = was.lines().zip(now.lines()).position(|(was, is)| was != is);
    assert_eq!(differs.map(|line| line + 1), None, "{path} differs from this line on: {mend}");
    assert_eq!(was.len(), now.len(), "{path} has another end: {mend}");
}

/// How a file that differs is made anew.
pub const MEND: &str = "run `UPDATE_SCHEMA=1 cargo test -p pilotfish-protocol` and commit it";

/// The whole vocabulary.
pub fn schema() -> Value {
    // As the daemon writes: a field is required when it is always there.
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/types".into();
    settings.contract = Contract::Serialize;
    let mut generator = settings.into_generator();
    let methods: Vec<Value> = methods().iter().map(|method| method_schema(method, &mut generator)).collect();
    let notifications = NOTIFICATIONS.iter().map(|(name, params, docs)| {
        let params = (known(params).schema)(&mut generator);
        json!({ "name": name, "docs": docs, "params": params })
    });
    let notifications: Vec<Value> = notifications.collect();
    for known in KNOWN {
        (known.schema)(&mut generator);
    }
    let mut types = Value::Object(generator.take_definitions(true));
    drop_null(&mut types);
    let errors = errors(&types["ErrorKind"]);
    json!({
        "protocol": PROTOCOL_VERSION,
        "methods": methods,
        "notifications": notifications,
        "errors": errors,
        "types": types,
    })
}

fn method_schema(method: &Method, generator: &mut SchemaGenerator) -> Value {
    let properties: Map<String, Value> =
        method.params.iter().map(|param| (param.name.clone(), shape_schema(&param.shape, generator))).collect();
    let required: Vec<&str> =
        method.params.iter().filter(|param| !param.shape.is_optional()).map(|param| param.name.as_str()).collect();
    let params = json!({ "type": "object", "properties": properties, "required": required });
    let mut schema = json!({ "name": method.name, "docs": method.docs, "params": params });
    if NOTIFICATIONS_TO_DAEMON.contains(&method.name.as_str()) {
        schema["notification"] = true.into();
    } else {
        schema["result"] = (known(&method.result).schema)(generator).into();
    }
    schema
}

fn shape_schema(shape: &Shape, generator: &mut SchemaGenerator) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Number(name) => json!({ "type": "integer", "format": name.replace('u', "uint"), "minimum": 0 }),
        Shape::List(inner) => json!({ "type": "array", "items": shape_schema(inner, generator) }),
        Shape::Optional(inner) => shape_schema(inner, generator),
        Shape::Named(name) => (known(name).schema)(generator).into(),
    }
}

fn errors(kinds: &Value) -> Vec<Value> {
    let kinds = kinds["oneOf"].as_array().expect("error kinds are one of several words");
    let error = |kind: &Value| {
        let word: ErrorKind = serde_json::from_value(kind["const"].clone()).expect("a kind is its own word");
        let code = ErrorObjectOwned::from(RpcError::new(word, "")).code();
        json!({ "kind": kind["const"], "code": code, "docs": kind["description"] })
    };
    kinds.iter().map(error).collect()
}

// A field that may be absent is never null on the wire, though serde would read that too.
fn drop_null(schema: &mut Value) {
    match schema {
        Value::Array(parts) => parts.iter_mut().for_each(drop_null),
        Value::Object(parts) => {
            let required = parts.get("required").cloned().unwrap_or_default();
            let required = required.as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some(Value::Object(properties)) = parts.get_mut("properties") {
                let optional =
                    properties.iter_mut().filter(|(name, _)| !required.iter().any(|given| given == name.as_str()));
                optional.for_each(|(_, property)| drop_null_of(property));
            }
            parts.values_mut().for_each(drop_null);
        }
        _ => {}
    }
}

fn drop_null_of(property: &mut Value) {
    let Value::Object(parts) = property else { return };
    parts.remove("default");
    if let Some(Value::Array(types)) = parts.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            parts["type"] = only.clone();
        }
    }
    if let Some(Value::Array(choices)) = parts.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            parts.remove("anyOf");
            parts.extend(only);
        }
    }
}

// Whether a map keeps its order depends on what other crates asked of serde_json; the file must not.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(parts) => parts.into_iter().map(sorted).collect(),
        Value::Object(parts) => {
            let mut parts: Vec<(String, Value)> = parts.into_iter().map(|(key, part)| (key, sorted(part))).collect();
            parts.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(parts.into_iter().collect())
        }
        other => other,
    }
}
