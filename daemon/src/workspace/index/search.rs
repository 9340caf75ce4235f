//! Asking the index: which files a few typed letters mean, the best first. Pure.
//!
//! In two steps, since a few letters may mean nearly all files: a rough look at each, which costs some tens of nanoseconds, and a close one
//! at the best of them, which alone says in which order they are given.

use super::{File, Index, letters};
use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use std::cmp::Reverse;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// What a letter found in a file's own name counts more than one found in the folders.
const NAME: u32 = 6;

/// The same of a rough look, for all letters together: more than they can count otherwise.
const ROUGH_NAME: u32 = 1 << 8;

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
        let found = if words.is_empty() { self.latest(limit) } else { self.matching(&words, limit) };
        found.iter().map(|file| PathBuf::from(OsStr::from_bytes(file.path(&self.names)))).collect()
    }

    fn latest(&self, limit: usize) -> Vec<&File> {
        let mut files: Vec<&File> = self.files.iter().collect();
        let order = |file: &&File| Reverse(file.stat.modified);
        if limit < files.len() {
            files.select_nth_unstable_by_key(limit, order);
            files.truncate(limit);
        }
        files.sort_by(|one, other| order(one).cmp(&order(other)).then_with(|| one.start.cmp(&other.start)));
        files
    }

    fn matching(&self, words: &[Word], limit: usize) -> Vec<&File> {
        let wanted = limit.saturating_mul(CLOSELY).max(LEAST);
        let middle = if self.files.len() < MANY { 0 } else { self.files.len() / 2 };
        let (one, other) = self.files.split_at(middle);
        let look = |files, first| Looker::new(&self.names, words).best(files, first, wanted);
        let ranks = std::thread::scope(|scope| {
            let helper = (!one.is_empty()).then(|| scope.spawn(|| look(one, 0)));
            let mut ranks = look(other, middle);
            ranks.extend(helper.and_then(|helper| helper.join().ok()).unwrap_or_default());
            ranks
        });
        let mut looker = Looker::new(&self.names, words);
        let files = keep_best(ranks, wanted).into_iter().filter_map(|rank| self.files.get(rank.file()));
        let mut scored: Vec<(u32, &File)> = files.filter_map(|file| Some((looker.closely(file)?, file))).collect();
        // The better, the shorter, the first.
        scored.sort_by_key(|(score, file)| (Reverse(*score), file.length, file.path(&self.names)));
        scored.truncate(limit);
        scored.into_iter().map(|(_, file)| file).collect()
    }
}

/// A file in the order of a rough look, the best last: what it counts, how short its path is, how early it comes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank(u64);

impl Rank {
    fn new(score: u32, length: u16, file: usize) -> Self {
        let file = u32::try_from(file).unwrap_or(u32::MAX);
        Self(u64::from(score.min(0xffff)) << 48 | u64::from(u16::MAX - length) << 32 | u64::from(u32::MAX - file))
    }

    fn file(self) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "the number of the file is in the lower half")]
        let file = self.0 as u32;
        (u32::MAX - file) as usize
    }
}

fn keep_best(mut ranks: Vec<Rank>, wanted: usize) -> Vec<Rank> {
    if wanted < ranks.len() {
        ranks.select_nth_unstable_by_key(wanted, |rank| Reverse(*rank));
        ranks.truncate(wanted);
    }
    ranks
}

/// A word of a query.
struct Word {
    atom: Atom,
    /// Its letters in lower case; of one that is no ASCII nothing.
    ascii: Option<Vec<u8>>,
    letters: u64,
    /// It names folders, so it is not looked for in names.
    path: bool,
}

impl Word {
    fn new(word: &str) -> Self {
        let atom = Atom::new(word, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy, false);
        let ascii = word.is_ascii().then(|| word.to_ascii_lowercase().into_bytes());
        Self { letters: letters(word.as_bytes()), ascii, path: word.contains('/'), atom }
    }
}

struct Looker<'a> {
    names: &'a [u8],
    words: &'a [Word],
    matcher: Matcher,
    characters: Vec<char>,
    /// The folder of the last file, since the next one mostly lies in the same; how far each word got in it.
    folder: &'a [u8],
    in_folder: Vec<Spread>,
}

impl<'a> Looker<'a> {
    fn new(names: &'a [u8], words: &'a [Word]) -> Self {
        let matcher = Matcher::new(Config::DEFAULT.match_paths());
        let in_folder = vec![Spread::START; words.len()];
        Self { names, words, matcher, characters: Vec::new(), folder: &[], in_folder }
    }

    /// The best of these files by a rough look; `first` is the number of the first one.
    fn best(&mut self, files: &[File], first: usize, wanted: usize) -> Vec<Rank> {
        let letters = self.words.iter().fold(0, |bits, word| bits | word.letters);
        let (mut ranks, mut least) = (Vec::with_capacity(wanted * 2), Rank(0));
        for (number, file) in files.iter().enumerate().filter(|(_, file)| file.letters & letters == letters) {
            let Some(score) = self.roughly(file) else { continue };
            let rank = Rank::new(score, file.length, first + number);
            if rank <= least {
                continue;
            }
            ranks.push(rank);
            if ranks.len() == wanted * 2 {
                ranks = keep_best(ranks, wanted);
                least = ranks.iter().min().copied().unwrap_or(least);
                ranks.reserve(wanted);
            }
        }
        ranks
    }

    fn roughly(&mut self, file: &File) -> Option<u32> {
        let words = self.words;
        let path = file.path(self.names);
        let (folder, name) = path.split_at_checked(usize::from(file.name))?;
        // One that is no ASCII has all bits, and takes the long way.
        if file.letters == u64::MAX && !path.is_ascii() || words.iter().any(|word| word.ascii.is_none()) {
            return words.iter().try_for_each(|word| self.place(path, word).map(drop)).map(|()| ROUGH_NAME);
        }
        if folder != self.folder {
            self.folder = folder;
            for (spread, word) in self.in_folder.iter_mut().zip(words) {
                *spread = Spread::START.over(folder, word.ascii.as_deref().unwrap_or_default());
            }
        }
        let mut all = 0;
        for (in_folder, word) in self.in_folder.iter().zip(words) {
            let ascii = word.ascii.as_deref().unwrap_or_default();
            let in_name = !word.path && file.name_letters & word.letters == word.letters;
            let found = in_name.then(|| Spread::START.over(name, ascii).score(ascii)).flatten();
            all += match found {
                Some(score) => score + ROUGH_NAME,
                None => in_folder.over(name, ascii).score(ascii)?,
            };
        }
        Some(all)
    }

    fn closely(&mut self, file: &File) -> Option<u32> {
        let words = self.words;
        let path = file.path(self.names);
        let name = path.get(usize::from(file.name)..).unwrap_or_default();
        let mut all = 0;
        for word in words {
            let in_name = !word.path && file.name_letters & word.letters == word.letters;
            let found = in_name.then(|| self.place(name, word)).flatten();
            let letters = u32::try_from(word.atom.needle_text().len()).unwrap_or(0);
            all += found.map(|score| score + NAME * letters).or_else(|| self.place(path, word))?;
        }
        Some(all)
    }

    fn place(&mut self, path: &[u8], word: &Word) -> Option<u32> {
        // Names that are no UTF-8 are looked at as they are shown.
        let text;
        let haystack = if path.is_ascii() {
            Utf32Str::Ascii(path)
        } else {
            text = String::from_utf8_lossy(path);
            Utf32Str::new(&text, &mut self.characters)
        };
        // A word without marks finds letters with marks.
        self.matcher.config.normalize = word.ascii.is_some();
        self.matcher.fuzzy_match(haystack, word.atom.needle_text()).map(u32::from)
    }
}

/// How far a word got in a text, where each of its letters is taken as soon as it comes, and how well: what stands together or begins a
/// word counts.
#[derive(Clone, Copy)]
struct Spread {
    found: usize,
    score: u32,
    is_next: bool,
}

impl Spread {
    const START: Self = Self { found: 0, score: 0, is_next: false };

    /// Goes on over a text that begins a name; the letters are in lower case.
    fn over(mut self, text: &[u8], letters: &[u8]) -> Self {
        let mut before = b'/';
        for &byte in text {
            let Some(letter) = letters.get(self.found) else { break };
            self.is_next = byte.to_ascii_lowercase() == *letter && {
                let begins =
                    !before.is_ascii_alphanumeric() || byte.is_ascii_uppercase() && before.is_ascii_lowercase();
                self.score += 1 + 2 * u32::from(self.is_next) + 3 * u32::from(begins);
                self.found += 1;
                true
            };
            before = byte;
        }
        self
    }

    /// What it counts when all letters were found; less than [`ROUGH_NAME`].
    fn score(self, letters: &[u8]) -> Option<u32> {
        (self.found == letters.len()).then_some(self.score.min(ROUGH_NAME - 1))
    }
}
