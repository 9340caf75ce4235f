//! The texts that a test's language client has open, changed as an editor changes them.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Open texts by their URI, each with its version. Columns count UTF-16 units.
#[derive(Debug, Default)]
pub struct Texts(BTreeMap<String, (i64, String)>);

impl Texts {
    /// A text is opened; gives the parameters that say so.
    pub fn open(&mut self, uri: &str, text: &str) -> Value {
        self.0.insert(uri.to_owned(), (1, text.to_owned()));
        json!({"textDocument": {"uri": uri, "languageId": "text", "version": 1, "text": text}})
    }

    /// The text of a file that is open.
    pub fn text(&self, uri: &str) -> &str {
        &self.0.get(uri).expect("it is open").1
    }

    /// The person makes another text of it; gives the parameters that say so.
    pub fn change(&mut self, uri: &str, text: &str) -> Value {
        let open = self.0.get_mut(uri).expect("it is open");
        *open = (open.0 + 1, text.to_owned());
        json!({"textDocument": {"uri": uri, "version": open.0}, "contentChanges": [{"text": text}]})
    }

    /// A file is closed; gives the parameters that say so.
    pub fn close(&mut self, uri: &str) -> Value {
        self.0.remove(uri).expect("it is open");
        json!({"textDocument": {"uri": uri}})
    }

    /// Carries a `workspace/applyEdit` out as Neovim does: an edit of an older version is not made, and said to be. Gives the changes to
    /// tell the server.
    pub fn apply(&mut self, params: &Value) -> Vec<Value> {
        let documents = params["edit"]["documentChanges"].as_array().expect("versioned edits").clone();
        let mut told = Vec::new();
        for document in documents {
            let uri = document["textDocument"]["uri"].as_str().expect("a URI").to_owned();
            let (version, text) = self.0.get(&uri).cloned().expect("only what is open is edited");
            if document["textDocument"]["version"].as_i64() != Some(version) {
                continue;
            }
            let mut text = text;
            let edits = document["edits"].as_array().expect("edits");
            for edit in edits.iter().rev() {
                let place = |end: &str| offset(&text, &edit["range"][end]);
                let (start, end) = (place("start"), place("end"));
                text.replace_range(start..end, edit["newText"].as_str().expect("a text"));
            }
            told.push(self.change(&uri, &text));
        }
        told
    }
}

fn offset(text: &str, place: &Value) -> usize {
    let line = place["line"].as_u64().expect("a line") as usize;
    let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    let mut columns = place["character"].as_u64().expect("a column") as usize;
    let rest = text.get(start..).expect("a line that is there");
    let mut at = start;
    for character in rest.chars() {
        if columns == 0 {
            break;
        }
        columns = columns.saturating_sub(character.len_utf16());
        at += character.len_utf8();
    }
    at
}
