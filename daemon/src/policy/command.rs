//! A command line, taken apart into what it would run. Pure, and strict: what is not fully modelled here is [`Segment::Opaque`], which
//! no rule ever matches. Never guesses what an expansion would become.
//!
//! Two readers must agree. The grammar says where commands begin and end; every word's own text is then read again by [`word`], and what
//! lies between the words may be nothing but blanks. A grammar that sees a word where bash sees two therefore ends in `Opaque`.

use tree_sitter::{Node, Parser};

mod head;
mod word;

pub use head::wrapper_words;

/// Longer command lines are not taken apart.
const MAX_BYTES: usize = 16 * 1024;

/// Deeper ones are not either: lists nest to the left, a level for each command.
const MAX_DEPTH: usize = 512;

/// One thing a command line runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A program with exactly these words.
    Simple(Simple),
    /// Something that is not fully modelled. No rule matches it.
    Opaque {
        /// As written.
        text: String,
        /// What is not modelled, in words that end a sentence.
        why: &'static str,
    },
}

/// A program with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simple {
    /// All words with quotes resolved, those of wrappers included. Never empty.
    pub words: Vec<String>,
    /// How many of them belong to wrappers such as `timeout 5`; fewer than there are words.
    pub wrapper: usize,
    /// What is assigned for this program alone, in order.
    pub env: Vec<(String, String)>,
    /// The folder that an earlier `cd` of the same line changed to.
    pub directory: Option<String>,
}

impl Simple {
    /// The words of what the wrappers run.
    #[must_use]
    pub fn argv(&self) -> &[String] {
        self.words.get(self.wrapper..).unwrap_or_default()
    }

    /// As a shell would have to be told it, each word quoted where it needs to be.
    #[must_use]
    pub fn to_shell(&self) -> String {
        let env = self.env.iter().map(|(name, value)| format!("{name}={}", word::quoted(value)));
        let words = self.words.iter().map(|word| word::quoted(word));
        env.chain(words).collect::<Vec<_>>().join(" ")
    }
}

/// Words as a shell would have to be told them.
#[must_use]
pub fn quoted(words: &[String]) -> String {
    words.iter().map(|word| word::quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Takes a command line apart. There is always at least one segment.
#[must_use]
pub fn parse(command: &str) -> Vec<Segment> {
    let text = command.trim_matches([' ', '\t', '\n']);
    match segments(text) {
        Ok(segments) => segments,
        Err(why) => vec![Segment::Opaque { text: text.to_owned(), why }],
    }
}

fn segments(text: &str) -> Result<Vec<Segment>, Why> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > MAX_BYTES {
        return Err("it is longer than 16 KiB");
    }
    if let Some(why) = text.chars().find_map(word::unseen) {
        return Err(why);
    }
    let mut parser = Parser::new();
    let unreadable = "the grammar cannot read it";
    parser.set_language(&tree_sitter_bash::LANGUAGE.into()).map_err(|_| unreadable)?;
    let tree = parser.parse(text, None).ok_or(unreadable)?;
    let root = tree.root_node();
    if root.kind() != "program" || root.has_error() {
        return Err(unreadable);
    }
    let mut walk = Walk { text, segments: Vec::new(), directory: None, end: 0, depth: 0 };
    walk.statements(root)?;
    walk.blank_until(text.len())?;
    if walk.segments.is_empty() { Err("it runs nothing") } else { Ok(walk.segments) }
}

/// What is not modelled, in words that end a sentence.
type Why = &'static str;

struct Walk<'a> {
    text: &'a str,
    segments: Vec<Segment>,
    directory: Option<String>,
    /// Where the last token ended: all before it is accounted for.
    end: usize,
    depth: usize,
}

impl<'a> Walk<'a> {
    /// Programs, lists and pipelines: statements with operators between them.
    fn statements(&mut self, node: Node<'a>) -> Result<(), Why> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("it holds too many commands");
        }
        for child in children(node) {
            if child.is_named() {
                if node.kind() == "program" {
                    self.skip_lines();
                }
                self.statement(child)?;
            } else if matches!(child.kind(), ";" | "&" | "&&" | "||" | "|" | "\n") {
                self.take(child)?;
            } else {
                return Err("it holds an operator that is not modelled");
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn statement(&mut self, node: Node<'a>) -> Result<(), Why> {
        match node.kind() {
            "command" => self.command(node),
            "list" | "pipeline" => self.statements(node),
            "redirected_statement" => self.redirected(node),
            kind => {
                self.blank_until(node.start_byte())?;
                self.opaque(node, unmodelled(kind));
                Ok(())
            }
        }
    }

    fn redirected(&mut self, node: Node<'a>) -> Result<(), Why> {
        let before = self.segments.len();
        for child in children(node) {
            let done = if is_redirect(child) { self.redirect(child) } else { self.statement(child) };
            if let Err(why) = done {
                self.segments.truncate(before);
                self.opaque(node, why);
                return Ok(());
            }
        }
        Ok(())
    }

    /// A simple command. What is not modelled in it makes it opaque, and leaves the others of the line as they are.
    fn command(&mut self, node: Node<'a>) -> Result<(), Why> {
        self.blank_until(node.start_byte())?;
        match self.simple(node) {
            Ok(simple) => {
                match head::directory(&simple, self.directory.as_deref()) {
                    Ok(Some(directory)) => self.directory = Some(directory),
                    Ok(None) => {}
                    Err(why) => {
                        self.opaque(node, why);
                        return Ok(());
                    }
                }
                self.segments.push(Segment::Simple(simple));
            }
            Err(why) => self.opaque(node, why),
        }
        Ok(())
    }

    fn simple(&mut self, node: Node<'a>) -> Result<Simple, Why> {
        let (mut words, mut env) = (Vec::new(), Vec::new());
        for (at, child) in children(node).into_iter().enumerate() {
            if at > 0 && child.start_byte() == self.end {
                return Err("two of its words touch");
            }
            if is_redirect(child) {
                self.redirect(child)?;
                continue;
            }
            let text = self.take(child)?;
            match child.kind() {
                "variable_assignment" if words.is_empty() => env.push(word::assignment(text)?),
                "command_name" | "word" | "string" | "raw_string" | "number" | "concatenation" => {
                    words.push(word::read(text)?);
                }
                kind => return Err(unmodelled(kind)),
            }
        }
        let wrapper = head::check(&words)?;
        Ok(Simple { words, wrapper, env, directory: self.directory.clone() })
    }

    /// A redirection that writes no file: to `/dev/null`, or of one of the standard streams to another.
    fn redirect(&mut self, node: Node<'a>) -> Result<(), Why> {
        let why = "it redirects to or from a file";
        if node.kind() != "file_redirect" || node.start_byte() == self.end {
            return Err(why);
        }
        let text = self.take(node)?;
        let stream = text.trim_start_matches(['0', '1', '2', '&']);
        if text.len() - stream.len() > 1 {
            return Err(why);
        }
        let target = ["<", ">>", ">"].into_iter().find_map(|operator| stream.strip_prefix(operator)).ok_or(why)?;
        let harmless = match target {
            "&1" | "&2" => stream.starts_with('>'),
            _ => target.trim_start_matches([' ', '\t']) == "/dev/null",
        };
        if harmless { Ok(()) } else { Err(why) }
    }

    fn opaque(&mut self, node: Node<'a>, why: Why) {
        let text = self.text.get(node.byte_range()).unwrap_or_default().to_owned();
        self.end = node.end_byte();
        self.segments.push(Segment::Opaque { text, why });
    }

    /// The text of a token. Only blanks may lie before it.
    fn take(&mut self, node: Node<'a>) -> Result<&'a str, Why> {
        self.blank_until(node.start_byte())?;
        self.end = node.end_byte();
        self.text.get(node.byte_range()).ok_or("the grammar cannot read it")
    }

    /// Between the statements of a program a new line is what `;` is.
    fn skip_lines(&mut self) {
        let rest = self.text.get(self.end..).unwrap_or_default();
        self.end += rest.len() - rest.trim_start_matches([' ', '\t', '\n']).len();
    }

    fn blank_until(&self, start: usize) -> Result<(), Why> {
        let between = self.text.get(self.end..start).ok_or("the grammar cannot read it")?;
        if between.chars().all(|c| c == ' ' || c == '\t') {
            Ok(())
        } else {
            Err("its lines are not plainly one command each")
        }
    }
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    node.children(&mut node.walk()).collect()
}

fn is_redirect(node: Node<'_>) -> bool {
    node.kind().ends_with("_redirect")
}

/// Why a kind of node of the grammar is not modelled. Kinds without a line of their own are not modelled either.
fn unmodelled(kind: &str) -> Why {
    match kind {
        "comment" => "it holds a comment",
        "subshell" | "compound_statement" => "it groups commands",
        "function_definition" => "it defines a function",
        "if_statement" | "while_statement" | "for_statement" | "c_style_for_statement" | "case_statement" => {
            "it holds control flow"
        }
        "negated_command" | "test_command" => "it is a condition",
        "variable_assignment" | "variable_assignments" | "declaration_command" | "unset_command" => {
            "it changes variables of the shell"
        }
        "simple_expansion" | "expansion" | "arithmetic_expansion" => "it holds an expansion",
        "command_substitution" | "process_substitution" => "it runs a command inside a word",
        "ansi_c_string" | "translated_string" => "it holds a quoting that is not modelled",
        _ => "it holds something that is not modelled",
    }
}

#[cfg(test)]
mod tests;
