//! `search`: lines that match, by ripgrep's own crates.

use super::{Output, list, place};
use crate::cx::TurnCx;
use crate::model::ToolSpec;
use crate::text::excerpt::printable;
use globset::{GlobBuilder, GlobMatcher};
use grep_matcher::Matcher;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::sinks::Lossy;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Matches shown at most.
const MAX_SHOWN: usize = 120;

/// Matches of one file shown at most, so that one file does not crowd out the others.
const MAX_PER_FILE: usize = 30;

/// Matches after which counting ends.
const MAX_COUNTED: usize = 10_000;

/// Characters of a line shown.
const MAX_LINE: usize = 240;

/// Files looked into for a text that an edit did not find.
const MAX_LITERAL_FILES: usize = 5_000;

#[derive(Debug, Deserialize)]
pub(super) struct Args {
    pub(super) pattern: String,
    path: Option<String>,
    glob: Option<String>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    literal: bool,
}

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "search",
        description: "Finds lines that match a regular expression (Rust syntax), as path:line:text, in files git does not ignore.",
        parameters: json!({
            "type": "object",
            "properties": {
                "pattern": {"type": "string"},
                "path": {"type": "string", "description": "a file or folder"},
                "glob": {"type": "string", "description": "such as *.rs or src/**/*.ts"},
                "ignore_case": {"type": "boolean"},
                "literal": {"type": "boolean", "description": "the pattern is plain text"}
            },
            "required": ["pattern"]
        }),
        grammar: None,
    }
}

pub(super) async fn run(cx: &TurnCx, args: Args) -> Output {
    let path = args.path.as_deref().unwrap_or(".");
    let start = match place::rooted(cx, path).and_then(|path| place::beneath(cx.workspace.root(), &path)) {
        Ok(start) => start,
        Err(problem) => return Output::failed(problem),
    };
    let mut query = match Query::new(cx, &args) {
        Ok(query) => query,
        Err(problem) => return Output::failed(problem),
    };
    query.unsaved = place::unsaved(cx, &start).await;
    let cancel = cx.cancel.clone();
    match tokio::task::spawn_blocking(move || query.find(&start, &cancel)).await {
        Ok(found) => Output::done(found.render(&args.pattern)),
        Err(error) => Output::failed(format!("cannot search {path}: {error}")),
    }
}

/// The first place below the root where the text's longest line stands, as `path:line`.
pub(super) async fn literal(cx: &TurnCx, text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).max_by_key(|line| line.len()).filter(|line| line.len() >= 8)?;
    let matcher = RegexMatcherBuilder::new().fixed_strings(true).build(line).ok()?;
    let query = Query {
        matcher,
        glob: None,
        root: cx.workspace.root().as_path().to_owned(),
        files: MAX_LITERAL_FILES,
        enough: 1,
        unsaved: place::unsaved(cx, cx.workspace.root().as_path()).await,
    };
    let (start, cancel) = (query.root.clone(), cx.cancel.clone());
    let found = tokio::task::spawn_blocking(move || query.find(&start, &cancel)).await.ok()?;
    found.matches.first().map(|found| format!("{}:{}", found.path.display(), found.line))
}

struct Query {
    matcher: RegexMatcher,
    glob: Option<GlobMatcher>,
    root: PathBuf,
    /// Files to look into.
    files: usize,
    /// Matches to count.
    enough: usize,
    /// Texts in the stead of those on the disk, by their paths from where it starts.
    unsaved: BTreeMap<PathBuf, Option<Arc<[u8]>>>,
}

struct Found {
    path: PathBuf,
    line: u64,
    text: String,
}

/// Where a text is.
enum Text<'a> {
    File(&'a Path),
    Bytes(&'a [u8]),
}

#[derive(Default)]
struct Matches {
    matches: Vec<Found>,
    counted: usize,
    files: usize,
    stopped: bool,
}

impl Query {
    fn new(cx: &TurnCx, args: &Args) -> Result<Self, String> {
        let matcher = RegexMatcherBuilder::new()
            .case_insensitive(args.ignore_case)
            .fixed_strings(args.literal)
            .line_terminator(Some(b'\n'))
            .build(&args.pattern)
            .map_err(|error| {
                format!("the pattern is not a regular expression: {error}. Set literal to search for plain text")
            })?;
        let glob = args.glob.as_deref().map(|glob| {
            // A glob without a slash means the file's name, in any folder.
            let glob = if glob.contains('/') { glob.trim_start_matches("./").to_owned() } else { format!("**/{glob}") };
            let built = GlobBuilder::new(&glob).literal_separator(true).build();
            built.map(|glob| glob.compile_matcher()).map_err(|error| format!("the glob is broken: {error}"))
        });
        let root = cx.workspace.root().as_path().canonicalize().map_err(|error| error.to_string())?;
        Ok(Self {
            matcher,
            glob: glob.transpose()?,
            root,
            files: usize::MAX,
            enough: MAX_COUNTED,
            unsaved: BTreeMap::new(),
        })
    }

    fn find(&self, start: &Path, cancel: &CancellationToken) -> Matches {
        let mut searcher = SearcherBuilder::new().binary_detection(BinaryDetection::quit(0)).line_number(true).build();
        let mut all = Matches::default();
        let mut files = 0;
        for entry in list::walker(start).build().flatten() {
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let path = entry.path().strip_prefix(&self.root).unwrap_or(entry.path());
            if self.glob.as_ref().is_some_and(|glob| !glob.is_match(path)) {
                continue;
            }
            files += 1;
            if cancel.is_cancelled() || all.counted >= self.enough || files > self.files {
                all.stopped = true;
                break;
            }
            let from_start = entry.path().strip_prefix(start).unwrap_or(entry.path());
            if !self.unsaved.contains_key(from_start) {
                self.search_text(&mut searcher, Text::File(entry.path()), path, &mut all);
            }
        }
        if !self.unsaved.is_empty() {
            self.find_unsaved(start, &mut searcher, &mut all);
            all.matches.sort_by(|one, other| one.path.cmp(&other.path));
        }
        all
    }

    fn find_unsaved(&self, start: &Path, searcher: &mut Searcher, all: &mut Matches) {
        for (from_start, text) in &self.unsaved {
            let Some(text) = text else { continue };
            let file = if from_start.as_os_str().is_empty() { start.to_owned() } else { start.join(from_start) };
            let path = file.strip_prefix(&self.root).unwrap_or(&file);
            if self.glob.as_ref().is_none_or(|glob| glob.is_match(path)) {
                self.search_text(searcher, Text::Bytes(text), path, all);
            }
        }
    }

    fn search_text(&self, searcher: &mut Searcher, text: Text<'_>, path: &Path, all: &mut Matches) {
        let before = all.counted;
        let sink = Lossy(|line, text| {
            all.counted += 1;
            if all.counted - before <= MAX_PER_FILE && all.matches.len() < MAX_SHOWN {
                all.matches.push(Found { path: path.to_owned(), line, text: self.around_match(text) });
            }
            Ok(all.counted < self.enough)
        });
        let searched = match text {
            Text::File(file) => searcher.search_path(&self.matcher, file, sink),
            Text::Bytes(bytes) => searcher.search_slice(&self.matcher, bytes, sink),
        };
        if let Err(error) = searched {
            tracing::debug!(path = %path.display(), %error, "could not search a file");
        }
        if all.counted > before {
            all.files += 1;
        }
    }

    /// The line, or of a long one the part around its match.
    fn around_match(&self, line: &str) -> String {
        let line = line.trim_end_matches(['\n', '\r']);
        let length = line.chars().count();
        if length <= MAX_LINE {
            return printable(line.as_bytes());
        }
        let at = self.matcher.find(line.as_bytes()).ok().flatten().map_or(0, |found| found.start());
        let at = line.char_indices().take_while(|(offset, _)| *offset < at).count();
        let start = at.saturating_sub(MAX_LINE / 3).min(length - MAX_LINE);
        let part: String = line.chars().skip(start).take(MAX_LINE).collect();
        format!("[…]{}[… line of {length} characters]", printable(part.as_bytes()))
    }
}

impl Matches {
    fn render(&self, pattern: &str) -> String {
        if self.matches.is_empty() {
            return format!("nothing matches {pattern}");
        }
        let mut shown = String::new();
        for found in &self.matches {
            shown.push_str(&format!("{}:{}:{}\n", found.path.display(), found.line, found.text));
        }
        let left = self.counted - self.matches.len();
        if left > 0 {
            let least = if self.stopped { "at least " } else { "" };
            shown.push_str(&format!(
                "[{left} more matches left out, {least}{} in {} files; narrow the pattern, or give path or glob]\n",
                self.counted, self.files
            ));
        }
        shown
    }
}
