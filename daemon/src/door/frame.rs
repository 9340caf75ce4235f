//! Frames of the language server protocol: bytes in, bodies out. Pure.
//!
//! Owns header parsing, the limits and the way back into step after a bad header. It never looks into a body and never
//! holds more than one body of [`MAX_BODY`] bytes and one header block of [`MAX_HEADER`] bytes, whatever is announced.
//!
//! After a header that cannot be used, the next one is searched for byte by byte. That is sound: a valid JSON text holds no
//! raw line break inside a string, so a whole `Content-Length` line never occurs inside a body.

/// The largest body that is read, in bytes.
pub(crate) const MAX_BODY: u64 = 64 << 20;

/// The largest block of header lines that is read, in bytes.
pub(crate) const MAX_HEADER: usize = 8 << 10;

const TOKEN: &[u8] = b"content-length:";

/// Why a header was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadHeader {
    /// A line that is no `Name: value`.
    #[error("a header line has no colon")]
    NoColon,
    /// The block ended without a length.
    #[error("the header has no Content-Length")]
    NoLength,
    /// The length was said twice.
    #[error("the header has two Content-Length fields")]
    TwoLengths,
    /// The length is no number of bytes.
    #[error("the Content-Length is not a decimal number of bytes")]
    NotANumber,
    /// The length is beyond [`MAX_BODY`].
    #[error("the Content-Length of {0} bytes is more than the {MAX_BODY} that are taken")]
    TooLong(u64),
    /// The block does not end.
    #[error("the header is longer than {MAX_HEADER} bytes")]
    HeaderTooLong,
}

/// What the bytes held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A whole body, as it was sent.
    Body(Vec<u8>),
    /// A header that cannot be used; what follows it is skipped up to the next one.
    Bad(BadHeader),
}

/// Cuts a stream of bytes into frames, however the bytes arrive.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    state: State,
    line: Vec<u8>,
    body: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Header(Header),
    Body { left: usize },
    Search(Search),
}

impl Default for State {
    fn default() -> Self {
        State::Header(Header::default())
    }
}

/// A block of header lines so far.
#[derive(Debug, Default)]
struct Header {
    length: Option<u64>,
    bytes: usize,
    /// Found by searching: if it proves to be none, the search goes on and nobody is told twice.
    searched: bool,
}

/// How much of a `Content-Length: 123` line the latest bytes are.
#[derive(Debug)]
enum Search {
    Token(usize),
    Blank,
    Digits(u64),
    Trail(u64),
}

impl Frames {
    /// Takes bytes up to the end of the next frame. Answers how many it took, and the frame if one ended there; bytes it did
    /// not take are to be given again.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> (usize, Option<Frame>) {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let (step, frame) = match &mut self.state {
                State::Header(_) => self.take_line(rest),
                State::Body { left } => {
                    let step = rest.len().min(*left);
                    *left -= step;
                    let whole = *left == 0;
                    self.body.extend_from_slice(rest.get(..step).unwrap_or_default());
                    (step, whole.then(|| self.end_body()))
                }
                State::Search(search) => {
                    let (step, length) = search.take(rest);
                    if let Some(length) = length {
                        let header = Header { length: Some(length), bytes: 0, searched: true };
                        self.state = State::Header(header);
                    }
                    (step, None)
                }
            };
            taken += step;
            if frame.is_some() {
                return (taken, frame);
            }
        }
        (taken, None)
    }

    fn end_body(&mut self) -> Frame {
        self.state = State::default();
        Frame::Body(std::mem::take(&mut self.body))
    }

    fn take_line(&mut self, bytes: &[u8]) -> (usize, Option<Frame>) {
        let State::Header(header) = &mut self.state else { return (0, None) };
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let room = MAX_HEADER - header.bytes.min(MAX_HEADER);
        let step = end.map_or(bytes.len(), |end| end + 1).min(room);
        header.bytes += step;
        self.line.extend_from_slice(bytes.get(..step).unwrap_or_default());
        if self.line.last() != Some(&b'\n') {
            let full = header.bytes >= MAX_HEADER;
            return (step, if full { self.refuse(BadHeader::HeaderTooLong) } else { None });
        }
        let line = std::mem::take(&mut self.line);
        let frame = match header.read(line.trim_ascii()) {
            Ok(None) => None,
            Ok(Some(0)) => Some(self.end_body()),
            Ok(Some(length)) => {
                // The body grows as it arrives: an announcement alone costs no memory.
                self.state = State::Body { left: usize::try_from(length).unwrap_or(usize::MAX) };
                None
            }
            Err(bad) => self.refuse(bad),
        };
        (step, frame)
    }

    fn refuse(&mut self, bad: BadHeader) -> Option<Frame> {
        // What was found by searching was no answerable frame yet; a length too long was meant as one.
        let searched = matches!(&self.state, State::Header(Header { searched: true, .. }));
        let silent = searched && !matches!(bad, BadHeader::TooLong(_));
        self.line = Vec::new();
        self.state = State::Search(Search::Token(0));
        (!silent).then_some(Frame::Bad(bad))
    }
}

impl Header {
    /// Reads one line; answers the length when the line ends a good block.
    fn read(&mut self, line: &[u8]) -> Result<Option<u64>, BadHeader> {
        if line.is_empty() {
            if self.length.is_none() && self.bytes <= 2 {
                // A line break between two frames.
                self.bytes = 0;
                return Ok(None);
            }
            return match self.length {
                None => Err(BadHeader::NoLength),
                Some(length) if length > MAX_BODY => Err(BadHeader::TooLong(length)),
                Some(length) => Ok(Some(length)),
            };
        }
        let colon = line.iter().position(|&byte| byte == b':').ok_or(BadHeader::NoColon)?;
        let (name, value) = line.split_at(colon);
        if !name.trim_ascii().eq_ignore_ascii_case(b"content-length") {
            return Ok(None);
        }
        if self.length.is_some() {
            return Err(BadHeader::TwoLengths);
        }
        self.length = Some(number(value.get(1..).unwrap_or_default().trim_ascii()).ok_or(BadHeader::NotANumber)?);
        Ok(None)
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

impl Search {
    /// Takes bytes up to the end of a whole `Content-Length` line; answers how many, and the length if one ended there.
    fn take(&mut self, bytes: &[u8]) -> (usize, Option<u64>) {
        for (at, &byte) in bytes.iter().enumerate() {
            *self = match (&*self, byte) {
                (Search::Token(matched), _) if TOKEN.get(*matched) == Some(&byte.to_ascii_lowercase()) => {
                    if matched + 1 == TOKEN.len() { Search::Blank } else { Search::Token(matched + 1) }
                }
                (Search::Blank, b' ' | b'\t') => Search::Blank,
                (Search::Blank, b'0'..=b'9') => Search::Digits(u64::from(byte - b'0')),
                (Search::Digits(length), b'0'..=b'9') => {
                    let longer = length.checked_mul(10).and_then(|length| length.checked_add(u64::from(byte - b'0')));
                    longer.map_or(Search::Token(0), Search::Digits)
                }
                (Search::Digits(length) | Search::Trail(length), b' ' | b'\t' | b'\r') => Search::Trail(*length),
                (Search::Digits(length) | Search::Trail(length), b'\n') => return (at + 1, Some(*length)),
                // The token's first letter occurs in it only once, so a mismatch can begin it anew and nothing else.
                _ => Search::Token(usize::from(byte.eq_ignore_ascii_case(&b'c'))),
            };
        }
        (bytes.len(), None)
    }
}

#[cfg(test)]
mod tests;
