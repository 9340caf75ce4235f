//! Holds `schema.json`, `README.md` and the editors' types to the traits and types they describe. Decides nothing about either.

mod bindings;
mod examples;
mod known;
mod schema;
mod table;

use std::path::Path;

// The text of a file of this package.
fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}
