//! Server-sent events: bytes, split anyhow, become events. Owns the line rules of the format and its size limit; never looks into
//! what an event says, never waits.

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its `event` field; empty when it has none.
    pub name: String,
    /// Its `data` fields, joined by line feeds. Never empty.
    pub data: String,
}

/// A line or an event was longer than the parser holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is over {max} bytes")]
pub struct TooLarge {
    /// The limit.
    pub max: usize,
}

/// Parses one stream. Every byte is looked at once, however the stream is split.
#[derive(Debug, Clone)]
pub struct Parser {
    /// The start of a line whose end has not come.
    line: Vec<u8>,
    name: String,
    data: Vec<u8>,
    /// A carriage return ended the last line, so a line feed right after it is its second half.
    after_return: bool,
    /// Whether the first line, which may begin with a byte order mark, is over.
    started: bool,
    max: usize,
}

const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

impl Parser {
    /// A parser that holds no event over `max` bytes.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { line: Vec::new(), name: String::new(), data: Vec::new(), after_return: false, started: false, max }
    }

    /// Reads on, appending the events that are whole now. After an error the parser is of no more use; the events before it stand.
    ///
    /// # Errors
    /// [`TooLarge`] when a line, or an event, exceeds the limit.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), TooLarge> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (head, tail) = rest.split_at(end);
            let Some((&terminator, tail)) = tail.split_first() else { break };
            rest = tail;
            let second_half = terminator == b'\n' && self.after_return && head.is_empty() && self.line.is_empty();
            self.after_return = terminator == b'\r';
            if second_half {
                continue;
            }
            self.fits(head.len())?;
            if self.line.is_empty() {
                self.end_line(head, events);
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(head);
                self.end_line(&line, events);
                line.clear();
                self.line = line;
            }
        }
        self.fits(rest.len())?;
        self.line.extend_from_slice(rest);
        Ok(())
    }

    /// The stream is over: what is left, taken as a whole event. The format would drop it, but servers exist that end without the
    /// last blank line; whoever reads it must be ready for half of something.
    pub fn end(&mut self, events: &mut Vec<Event>) {
        let line = std::mem::take(&mut self.line);
        self.end_line(&line, events);
        self.end_event(events);
    }

    fn fits(&self, more: usize) -> Result<(), TooLarge> {
        let held = self.line.len() + self.data.len() + more;
        if held > self.max { Err(TooLarge { max: self.max }) } else { Ok(()) }
    }

    fn end_line(&mut self, line: &[u8], events: &mut Vec<Event>) {
        let line = if self.started { line } else { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) };
        self.started = true;
        if line.is_empty() {
            self.end_event(events);
            return;
        }
        let mut halves = line.splitn(2, |&byte| byte == b':');
        let field = halves.next().unwrap_or_default();
        let value = halves.next().unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            b"data" => self.add_data(value),
            // llama.cpp has written its errors as a field of this name.
            b"error" => {
                self.name = "error".to_owned();
                self.add_data(value);
            }
            // Comments have an empty field name; `id` and `retry` serve reconnecting, which no model server offers.
            _ => {}
        }
    }

    fn add_data(&mut self, value: &[u8]) {
        self.data.extend_from_slice(value);
        self.data.push(b'\n');
    }

    fn end_event(&mut self, events: &mut Vec<Event>) {
        let name = std::mem::take(&mut self.name);
        self.data.pop();
        if !self.data.is_empty() {
            events.push(Event { name, data: String::from_utf8_lossy(&self.data).into_owned() });
            self.data.clear();
        }
    }
}

#[cfg(test)]
mod tests;
