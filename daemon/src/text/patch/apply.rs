//! Placing the chunks of a patch in a text: in order, by equal lines only, each at one place only.

use std::fmt::Write;
use std::ops::Range;

use crate::text::indent;
use crate::text::locate::{Haystack, Needle, Place, Tier};
use crate::text::nearest;
use crate::text::patch::{Chunk, ChunkLine, PatchError};
use crate::text::shape;
use crate::text::splice::{self, Output, Splice, Step};

const TIERS: [Tier; 5] = [Tier::Exact, Tier::TrailingBlanks, Tier::Indentation, Tier::BlankLines, Tier::Punctuation];
/// The most bytes of what an error says about a chunk.
const MAX_BYTES: usize = 1_900;
/// So many places are named in an error.
const MAX_NAMED: usize = 10;

pub(super) fn apply(text: &str, chunks: &[Chunk]) -> Result<String, PatchError> {
    let (bom, body) = shape::split_bom(text);
    let haystack = Haystack::new(body);
    let mut splices: Vec<Splice> = Vec::with_capacity(chunks.len());
    for (chunk, number) in chunks.iter().zip(1..) {
        let from = splices.last().map_or(0, |splice| splice.lines.end);
        splices.push(Search { haystack: &haystack, chunk, number, from }.splice()?);
    }
    Ok(format!("{bom}{}", splice::write(&haystack, &splices)))
}

/// One chunk, to be placed at or after a line.
struct Search<'a> {
    haystack: &'a Haystack<'a>,
    chunk: &'a Chunk,
    number: usize,
    from: usize,
}

/// A chunk as one of the two ways to understand it: with or without the blanks before kept lines.
struct Reading<'a> {
    old: Vec<&'a str>,
    steps: Vec<Step<'a>>,
}

/// Where the `@@` lines of a chunk allow it to be.
enum Scopes {
    /// There are none: anywhere, but at one place only.
    Open,
    /// In these lines; the first place in one of them, provided the others have none.
    Within(Vec<Range<usize>>),
    /// They are not in the text: only what is there once, and as it was quoted.
    Unknown,
}

impl Search<'_> {
    fn splice(&self) -> Result<Splice, PatchError> {
        let scopes = self.scopes();
        let unmarked = unmarked(&self.chunk.lines);
        let mut readings = vec![Reading::of(&self.chunk.lines)];
        readings.extend(unmarked.as_deref().map(Reading::of));
        if readings.iter().all(|reading| reading.old.iter().all(|line| indent::is_blank(line))) {
            return self.insertion(&scopes);
        }
        // What the `@@` lines do not lead to may still be there once.
        let last = matches!(scopes, Scopes::Within(_)).then_some(Scopes::Unknown);
        for scopes in [Some(scopes), last].into_iter().flatten() {
            for (tier, reading) in TIERS.iter().flat_map(|tier| readings.iter().map(move |reading| (*tier, reading))) {
                let needle = Needle { lines: &reading.old, added: &splice::added(&reading.steps) };
                let places = self.haystack.find(&needle, tier, self.from);
                let Some(place) = self.pick(&scopes, &places)? else { continue };
                let map = self.haystack.map(place, &reading.old);
                if let Some(splice) = splice::splice(place, &map, &reading.steps) {
                    return Ok(splice);
                }
            }
        }
        Err(self.missing())
    }

    /// The place that is meant, if any of these can be.
    fn pick<'p>(&self, scopes: &Scopes, places: &'p [Place]) -> Result<Option<&'p Place>, PatchError> {
        let mut meant: Vec<&Place> = match scopes {
            Scopes::Open => places.iter().collect(),
            Scopes::Within(scopes) => {
                let first = |scope: &Range<usize>| {
                    let at = places.partition_point(|place| place.lines.start < scope.start);
                    places.get(at).filter(|place| place.lines.start < scope.end)
                };
                scopes.iter().filter_map(first).collect()
            }
            Scopes::Unknown => places.iter().filter(|place| place.tier <= Tier::TrailingBlanks).collect(),
        };
        if self.chunk.end_of_file && meant.len() > 1 {
            let rest_is_blank = |place: &&Place| {
                let rest = self.haystack.lines.get(place.lines.end..).unwrap_or_default();
                rest.iter().all(|line| indent::is_blank(line.body))
            };
            meant = meant.into_iter().rfind(rest_is_blank).into_iter().collect();
        }
        match meant.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            many => Err(self.ambiguous("its lines stand", many.iter().map(|place| place.lines.start))),
        }
    }

    /// A chunk without any line that stands there already.
    fn insertion(&self, scopes: &Scopes) -> Result<Splice, PatchError> {
        let count = self.haystack.lines.len();
        let at = match scopes {
            _ if self.chunk.end_of_file || count == 0 => count,
            Scopes::Within(scopes) => match scopes.as_slice() {
                [only] => only.start + 1,
                many => {
                    let starts = many.iter().map(|scope| scope.start);
                    return Err(self.ambiguous("the line after its `@@` stands", starts));
                }
            },
            Scopes::Open | Scopes::Unknown => {
                let what = "it only adds lines, and nothing says where: give the line above or below them with a \
                            leading blank, or end the chunk with `*** End of File`";
                return Err(PatchError::Missing { chunk: self.number, what: format!("{}{what}", self.header_words()) });
            }
        };
        let added = |line: &ChunkLine| match line {
            ChunkLine::Add(line) => Some(Output::Added(line.clone())),
            ChunkLine::Keep { .. } | ChunkLine::Remove(_) => None,
        };
        Ok(Splice { lines: at..at, output: self.chunk.lines.iter().filter_map(added).collect() })
    }

    fn scopes(&self) -> Scopes {
        let Some((outermost, inner)) = self.chunk.headers.split_first() else { return Scopes::Open };
        let count = self.haystack.lines.len();
        let starts = self.header_lines(outermost, self.from);
        if starts.is_empty() {
            // The header of an earlier chunk, said again.
            let above = !self.header_lines(outermost, 0).is_empty();
            return if above { Scopes::Open } else { Scopes::Unknown };
        }
        let ends = starts.iter().skip(1).copied().chain([count]);
        let inner: Vec<Vec<usize>> = inner.iter().map(|header| self.header_lines(header, self.from)).collect();
        let narrow = |(start, end): (&usize, usize)| {
            let mut start = *start;
            for lines in &inner {
                start = *lines.get(lines.partition_point(|line| *line <= start))?;
            }
            (start < end).then_some(start..end)
        };
        let scopes: Vec<Range<usize>> = starts.iter().zip(ends).filter_map(narrow).collect();
        if scopes.is_empty() { Scopes::Unknown } else { Scopes::Within(scopes) }
    }

    /// The lines that a header names: equal ones, or else those that begin with it.
    fn header_lines(&self, header: &str, from: usize) -> Vec<usize> {
        let needle = Needle { lines: &[header], added: &[] };
        for tier in [Tier::Exact, Tier::Indentation, Tier::Punctuation] {
            let places = self.haystack.find(&needle, tier, from);
            if !places.is_empty() {
                return places.into_iter().map(|place| place.lines.start).collect();
            }
        }
        let header = indent::trim(header);
        let lines = self.haystack.lines.iter().enumerate().skip(from);
        lines.filter(|(_, line)| indent::trim(line.body).starts_with(header)).map(|(at, _)| at).collect()
    }

    fn ambiguous(&self, what: &str, starts: impl ExactSizeIterator<Item = usize>) -> PatchError {
        let count = starts.len();
        let named: Vec<String> = starts.take(MAX_NAMED).map(|start| (start + 1).to_string()).collect();
        let what = format!(
            "{}{what} at {count} places: lines {}{}. Give more lines around the change, or an `@@` line with the \
             function or class it is in",
            self.header_words(),
            named.join(", "),
            if count > named.len() { " …" } else { "" }
        );
        PatchError::Ambiguous { chunk: self.number, what }
    }

    fn missing(&self) -> PatchError {
        let Reading { old, steps } = Reading::of(&self.chunk.lines);
        let mut what = format!("{}its lines are not in the file", self.header_words());
        if let Some(line) = self.first(&old, 0) {
            what = format!(
                "{}its lines stand at line {}, above the chunk before it; chunks go from top to bottom",
                self.header_words(),
                line + 1
            );
        } else if let Some(line) = self.first(&after(&old, &steps), 0) {
            let _ = write!(
                what,
                ", but what it would make of them is, at line {}: perhaps it was applied before",
                line + 1
            );
        } else if let Some(nearest) = nearest::nearest(&self.haystack.lines, &old).first() {
            let _ = writeln!(what, "; nearest: {nearest}; `-` is the chunk, `+` is the file:");
            let left = MAX_BYTES.saturating_sub(what.len());
            what.push_str(nearest::differences(&self.haystack.lines, &old, nearest, left).trim_end());
        } else {
            what.push_str(", nor is anything like them: is it another file, or was it changed? Read it first");
        }
        PatchError::Missing { chunk: self.number, what }
    }

    /// Where a block stands first, but for blanks at line ends.
    fn first(&self, block: &[&str], from: usize) -> Option<usize> {
        if block.iter().all(|line| indent::is_blank(line)) {
            return None;
        }
        let needle = Needle { lines: block, added: &[] };
        Some(self.haystack.find(&needle, Tier::TrailingBlanks, from).first()?.lines.start)
    }

    fn header_words(&self) -> String {
        match self.chunk.headers.last() {
            Some(header) => format!("(@@ {}) ", nearest::shown(header, false)),
            None => String::new(),
        }
    }
}

impl<'a> Reading<'a> {
    fn of(lines: &'a [ChunkLine]) -> Self {
        let old = |line: &'a ChunkLine| match line {
            ChunkLine::Keep { text, .. } | ChunkLine::Remove(text) => Some(text.as_str()),
            ChunkLine::Add(_) => None,
        };
        let step = |line: &'a ChunkLine| match line {
            ChunkLine::Keep { .. } => Step::Keep,
            ChunkLine::Remove(_) => Step::Remove,
            ChunkLine::Add(text) => Step::Add(text),
        };
        Self { old: lines.iter().filter_map(old).collect(), steps: lines.iter().map(step).collect() }
    }
}

/// The lines as if the first blank of every kept line were its own; None when there is none.
fn unmarked(lines: &[ChunkLine]) -> Option<Vec<ChunkLine>> {
    let is_marked =
        |line: &ChunkLine| matches!(line, ChunkLine::Keep { marked: true, text } if !indent::is_blank(text));
    let unmark = |line: &ChunkLine| match line {
        ChunkLine::Keep { text, marked: true } => ChunkLine::Keep { text: format!(" {text}"), marked: false },
        other => other.clone(),
    };
    lines.iter().any(is_marked).then(|| lines.iter().map(unmark).collect())
}

/// What the steps make of a block.
fn after<'a>(old: &[&'a str], steps: &[Step<'a>]) -> Vec<&'a str> {
    let mut old = old.iter();
    let line = |step: &Step<'a>| match step {
        Step::Keep => old.next().copied(),
        Step::Remove => {
            old.next();
            None
        }
        Step::Add(line) => Some(*line),
    };
    steps.iter().filter_map(line).collect()
}
