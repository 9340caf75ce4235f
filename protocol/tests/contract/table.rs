//! The method table, read from the source of the traits. Owns what a trait's text means; knows no type behind a name.

use std::path::Path;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, FnArg, GenericArgument, Item, Lit, Meta, Pat, PathArguments, ReturnType, Token, TraitItem, Type,
};

/// Methods of the traits that a client sends as notifications: nothing answers them.
pub const NOTIFICATIONS_TO_DAEMON: &[&str] = &["editor/state", "editor/diagnostics"];

/// One method.
pub struct Method {
    /// As on the wire.
    pub name: String,
    /// What it does.
    pub docs: String,
    /// In the order of the trait.
    pub params: Vec<Param>,
    /// The name of the answer's type.
    pub result: String,
}

/// One parameter.
pub struct Param {
    /// As on the wire.
    pub name: String,
    /// What it holds.
    pub shape: Shape,
}

/// What a parameter holds.
pub enum Shape {
    /// `String`
    Text,
    /// `bool`
    Flag,
    /// `u32` or `u64`, by its name.
    Number(String),
    /// `Vec<T>`
    List(Box<Shape>),
    /// `Option<T>`: may be left out.
    Optional(Box<Shape>),
    /// A type of this crate.
    Named(String),
}

impl Shape {
    /// Whether it may be left out.
    pub fn is_optional(&self) -> bool {
        matches!(self, Shape::Optional(_))
    }
}

/// Every method, sorted by name.
pub fn methods() -> Vec<Method> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
    let mut methods = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the traits are in src/contract") {
        let path = entry.expect("the folder can be listed").path();
        let source = std::fs::read_to_string(&path).expect("a source file can be read");
        let file = syn::parse_file(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        methods.extend(file.items.iter().flat_map(methods_of));
    }
    methods.sort_by(|one, other| one.name.cmp(&other.name));
    methods
}

fn methods_of(item: &Item) -> Vec<Method> {
    let Item::Trait(resource) = item else { return Vec::new() };
    let said = |key| argument(&resource.attrs, "rpc", key).unwrap_or_else(|| panic!("{}: no {key}", resource.ident));
    let prefix = format!("{}{}", said("namespace"), said("namespace_separator"));
    let functions = resource.items.iter().filter_map(|item| match item {
        TraitItem::Fn(function) => Some(function),
        _ => None,
    });
    functions
        .map(|function| Method {
            name: prefix.clone() + &argument(&function.attrs, "method", "name").expect("a method has a name"),
            docs: docs(&function.attrs),
            params: function.sig.inputs.iter().filter_map(param).collect(),
            result: result(&function.sig.output),
        })
        .collect()
}

fn param(input: &FnArg) -> Option<Param> {
    let FnArg::Typed(input) = input else { return None };
    let Pat::Ident(pattern) = &*input.pat else { panic!("a parameter is a plain name") };
    let name = argument(&input.attrs, "argument", "rename").unwrap_or_else(|| pattern.ident.to_string());
    assert!(!name.contains('_'), "{name}: give it a name in camelCase with #[argument(rename = …)]");
    Some(Param { name, shape: shape(&input.ty) })
}

fn shape(of: &Type) -> Shape {
    match last_segment(of) {
        (name, None) => match name.as_str() {
            "String" => Shape::Text,
            "bool" => Shape::Flag,
            "u32" | "u64" => Shape::Number(name),
            _ => Shape::Named(name),
        },
        (name, Some(inner)) if name == "Vec" => Shape::List(Box::new(shape(inner))),
        (name, Some(inner)) if name == "Option" => Shape::Optional(Box::new(shape(inner))),
        (name, Some(_)) => panic!("{name}<…> in a trait: teach tests/contract/table.rs what it is on the wire"),
    }
}

fn result(output: &ReturnType) -> String {
    let ReturnType::Type(_, output) = output else { panic!("a method returns RpcResult<…>") };
    let (_, inner) = last_segment(output);
    last_segment(inner.expect("a method returns RpcResult<…>")).0
}

// `Vec` and `T` of `Vec<T>`.
fn last_segment(of: &Type) -> (String, Option<&Type>) {
    let Type::Path(path) = of else { panic!("a type in a trait is a path") };
    let segment = path.path.segments.last().expect("a path has a segment");
    let inner = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(inner) => Some(inner),
            _ => None,
        }),
        _ => None,
    };
    (segment.ident.to_string(), inner)
}

// The text of `key = "text"` in `#[attribute(…)]`.
fn argument(attributes: &[Attribute], attribute: &str, key: &str) -> Option<String> {
    let attribute = attributes.iter().find(|found| found.path().is_ident(attribute))?;
    let arguments = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).expect("it is a list");
    arguments.iter().find_map(|argument| match argument {
        Meta::NameValue(pair) if pair.path.is_ident(key) => text(&pair.value),
        _ => None,
    })
}

/// The doc comment, its lines joined.
fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let lines = lines.filter_map(|attribute| text(&attribute.meta.require_name_value().ok()?.value));
    lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>().join(" ")
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
