//! Asking the index: which files a few typed letters mean, the best first. Pure.

use super::{File, Index, letters};
use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use std::cmp::Reverse;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What a letter found in a file's own name counts more than one found in the folders.
const NAME: u32 = 6;

/// Files from which on two threads share the work.
const MANY: usize = 20_000;

/// For each file that is wanted so many, and [`LEAST`] at the least, are looked at closely.
const CLOSELY: usize = 4;
const LEAST: usize = 200;

impl Index {
    /// The files whose paths hold the letters of each of the query's words in their order, the best first; of an empty query those that
    /// changed last. `limit` at most, as paths from the root.
    #[must_use]
    pub fn search(&self, query: &str, limit: usize) -> Vec<PathBuf> {
        let words: Vec<Word> = query.split_whitespace().map(Word::new).collect();
        let mut found = if words.is_empty() { self.latest(limit) } else { self.matching(&words, limit) };
        found.truncate(limit);
        found.iter().map(|file| PathBuf::from(OsStr::from_bytes(file.path(&self.names)))).collect()
    }

    fn latest(&self, limit: usize) -> Vec<&File> {
        let mut files: Vec<&File> = self.files.iter().collect();
        let order = |file: &&File| (Reverse(file.stat.modified), file.path(&self.names));
        keep(&mut files, limit, order);
        files
    }

    fn matching(&self, words: &[Word], limit: usize) -> Vec<&File> {
        let wanted = (limit * CLOSELY).max(LEAST);
        let score = |files| {
            let mut scorer = Scorer::new(&self.names, words);
            let mut scored = scorer.score(files);
            keep(&mut scored, wanted, |scored| scored.order(&self.names));
            scored
        };
        let (one, other) = self.files.split_at(if self.files.len() < MANY { 0 } else { self.files.len() / 2 });
        let mut scored = std::thread::scope(|scope| {
            let helper = (!one.is_empty()).then(|| scope.spawn(|| score(one)));
            let mut scored = score(other);
            scored.extend(helper.and_then(|helper| helper.join().ok()).unwrap_or_default());
            scored
        });
        keep(&mut scored, wanted, |scored| scored.order(&self.names));
        let mut scorer = Scorer::new(&self.names, words);
        scored.iter_mut().for_each(|scored| scorer.improve(scored));
        keep(&mut scored, limit, |scored| scored.order(&self.names));
        scored.into_iter().map(|scored| scored.file).collect()
    }
}

/// A word of a query.
struct Word {
    atom: Atom,
    letters: u64,
    /// It has no marks, so those of the paths do not matter.
    plain: bool,
    /// It names folders, so it is not looked for in names.
    path: bool,
}

impl Word {
    fn new(word: &str) -> Self {
        let atom = Atom::new(word, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy, false);
        Self { letters: letters(word.as_bytes()), plain: word.is_ascii(), path: word.contains('/'), atom }
    }
}

struct Scored<'a> {
    file: &'a File,
    score: u32,
    /// A word was found in the folders, where at first the first place is taken and not the best.
    rough: bool,
}

impl<'a> Scored<'a> {
    /// The better, the shorter, the first.
    fn order<'names>(&self, names: &'names [u8]) -> (Reverse<u32>, u16, &'names [u8]) {
        (Reverse(self.score), self.file.length, self.file.path(names))
    }
}

/// Which place in a path counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Best,
}

struct Scorer<'a> {
    names: &'a [u8],
    words: &'a [Word],
    matcher: Matcher,
    characters: Vec<char>,
}

impl<'a> Scorer<'a> {
    fn new(names: &'a [u8], words: &'a [Word]) -> Self {
        Self { names, words, matcher: Matcher::new(Config::DEFAULT.match_paths()), characters: Vec::new() }
    }

    fn score<'file>(&mut self, files: &'file [File]) -> Vec<Scored<'file>> {
        let wanted = self.words.iter().fold(0, |bits, word| bits | word.letters);
        let candidates = files.iter().filter(|file| file.letters & wanted == wanted);
        candidates.filter_map(|file| self.of(file, Place::First)).collect()
    }

    /// Looks for the best place of words that were found in the first one.
    fn improve(&mut self, scored: &mut Scored<'_>) {
        if scored.rough
            && let Some(better) = self.of(scored.file, Place::Best)
        {
            scored.score = better.score;
        }
    }

    fn of<'file>(&mut self, file: &'file File, place: Place) -> Option<Scored<'file>> {
        let names = self.names;
        let words = self.words;
        let path = file.path(names);
        let name = path.get(usize::from(file.name)..).unwrap_or_default();
        let mut all = Scored { file, score: 0, rough: false };
        for word in words {
            let in_name = !word.path && file.name_letters & word.letters == word.letters;
            let found = in_name.then(|| self.place(name, word, Place::Best)).flatten();
            let letters = u32::try_from(word.atom.needle_text().len()).unwrap_or(0);
            all.score += match found {
                Some(score) => score + NAME * letters,
                None => {
                    all.rough = true;
                    self.place(path, word, place)?
                }
            };
        }
        Some(all)
    }

    fn place(&mut self, path: &[u8], word: &Word, place: Place) -> Option<u32> {
        let needle = word.atom.needle_text();
        // Names that are no UTF-8 are looked at as they are shown.
        let text;
        let haystack = if path.is_ascii() {
            Utf32Str::Ascii(path)
        } else {
            text = String::from_utf8_lossy(path);
            Utf32Str::new(&text, &mut self.characters)
        };
        self.matcher.config.normalize = word.plain;
        let score = match place {
            Place::First => self.matcher.fuzzy_match_greedy(haystack, needle),
            Place::Best => self.matcher.fuzzy_match(haystack, needle),
        };
        score.map(u32::from)
    }
}

/// Sorts, and keeps the first so many.
fn keep<T, K: Ord>(all: &mut Vec<T>, wanted: usize, order: impl Fn(&T) -> K) {
    if wanted < all.len() {
        all.select_nth_unstable_by(wanted, |one, other| order(one).cmp(&order(other)));
        all.truncate(wanted);
    }
    all.sort_unstable_by_key(order);
}
