use std::{collections::VecDeque, sync::Arc};

use super::{Comment, Event, Item, Limits, Line, LineEnd, LineEnds, SseError, Tail};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Takes the bytes of one stream and gives its items.
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    found: VecDeque<Item>,
    /// Memory used by `found`.
    waiting: usize,
    /// The line being read.
    line: Vec<u8>,
    line_at: u64,
    /// The fields since the last empty line.
    block: Vec<Line>,
    block_size: usize,
    /// Bytes taken in.
    position: u64,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
    line_ends: LineEnds,
    start: Start,
    last_event_id: Arc<str>,
    failure: Option<SseError>,
}

/// What is known about a byte order mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// As many bytes of it were there so far.
    Matched(usize),
    Present,
    Absent,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Parser {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            found: VecDeque::new(),
            waiting: 0,
            line: Vec::new(),
            line_at: 0,
            block: Vec::new(),
            block_size: 0,
            position: 0,
            after_cr: false,
            line_ends: LineEnds::default(),
            start: Start::Matched(0),
            last_event_id: Arc::from(""),
            failure: None,
        }
    }

    /// Takes the next bytes of the stream. An item is there as soon as the first byte of the line end that completes it is.
    ///
    /// # Errors
    ///
    /// When a bound is exceeded, and from then on.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), SseError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        while !bytes.is_empty() {
            let taken = self.take(bytes).inspect_err(|failure| self.failure = Some(*failure))?;
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// Takes out the oldest item.
    pub fn next_item(&mut self) -> Option<Item> {
        let item = self.found.pop_front()?;
        self.waiting -= item.footprint();
        if self.found.is_empty() {
            // Where many items came at once, their room is not kept for ever.
            self.found.shrink_to(64);
        }
        Some(item)
    }

    /// Takes out all items, oldest first.
    pub fn drain(&mut self) -> impl Iterator<Item = Item> + '_ {
        std::iter::from_fn(|| self.next_item())
    }

    /// Bytes of the event that has begun and is not yet complete.
    pub fn under_way(&self) -> usize {
        self.block_size + self.line.len()
    }

    /// About how many bytes of memory that takes.
    pub fn footprint(&self) -> usize {
        self.block_size + self.line.capacity() + self.block.len() * Line::PRICE
    }

    /// Bytes taken in so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Tells what is left, when the stream has ended. Items not taken out are gone.
    pub fn finish(mut self) -> Tail {
        self.settle_cr(false);
        if let Start::Matched(count) = self.start {
            self.line.splice(0..0, BYTE_ORDER_MARK[..count].iter().copied());
        }
        Tail {
            unfinished: self.block,
            partial_line: self.line,
            line_ends: self.line_ends,
            byte_order_mark: self.start == Start::Present,
            size: self.position,
        }
    }

    /// Takes at least one byte, at most the rest of a line and its end; gives how many.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, SseError> {
        if let Start::Matched(count) = self.start {
            return self.take_mark(count, bytes[0]);
        }
        if self.after_cr {
            let is_lf = bytes[0] == b'\n';
            self.settle_cr(is_lf);
            if is_lf {
                self.position += 1;
                self.line_at = self.position;
                return Ok(1);
            }
        }
        let Some(end) = memchr::memchr2(b'\r', b'\n', bytes) else {
            self.extend_line(bytes)?;
            return Ok(bytes.len());
        };
        self.extend_line(&bytes[..end])?;
        self.position += 1;
        if bytes[end] == b'\r' {
            self.after_cr = true;
            self.end_line(LineEnd::Cr)?;
        } else {
            self.line_ends.lf += 1;
            self.end_line(LineEnd::Lf)?;
        }
        Ok(end + 1)
    }

    /// Compares one byte with the byte order mark. Once it differs, what matched before is content.
    fn take_mark(&mut self, matched: usize, byte: u8) -> Result<usize, SseError> {
        if byte != BYTE_ORDER_MARK[matched] {
            self.start = Start::Absent;
            self.position -= matched as u64;
            self.extend_line(&BYTE_ORDER_MARK[..matched])?;
            return Ok(0);
        }
        self.position += 1;
        self.start = Start::Matched(matched + 1);
        if matched + 1 == BYTE_ORDER_MARK.len() {
            self.start = Start::Present;
            self.line_at = self.position;
        }
        Ok(1)
    }

    /// Counts the CR that ended the last line, now that it is known whether an LF belongs to it.
    fn settle_cr(&mut self, with_lf: bool) {
        if !std::mem::take(&mut self.after_cr) {
            return;
        }
        if !with_lf {
            self.line_ends.cr += 1;
            return;
        }
        self.line_ends.crlf += 1;
        // The block is empty when that line ended an event; no line of it is then still at hand.
        if let Some(line) =
            self.block.last_mut().filter(|line| line.at + line.raw.len() as u64 + 1 == self.position)
        {
            line.end = LineEnd::CrLf;
        }
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), SseError> {
        let room = self.limits.line - self.line.len();
        let (fits, rest) = bytes.split_at(bytes.len().min(room));
        self.line.extend_from_slice(fits);
        self.position += fits.len() as u64;
        if rest.is_empty() {
            Ok(())
        } else {
            Err(SseError::LineTooLong { at: self.line_at, limit: self.limits.line })
        }
    }

    fn end_line(&mut self, end: LineEnd) -> Result<(), SseError> {
        let raw = std::mem::take(&mut self.line);
        let at = std::mem::replace(&mut self.line_at, self.position);
        match raw.first() {
            None => self.end_block(at),
            Some(b':') => {
                let inside_event = !self.block.is_empty();
                self.give(Item::Comment(Comment { text: raw[1..].to_vec(), at, inside_event }))
            }
            Some(_) => self.add_field(Line { raw, end, at }),
        }
    }

    fn add_field(&mut self, line: Line) -> Result<(), SseError> {
        let at = self.block.first().map_or(line.at, |first| first.at);
        self.block_size += line.raw.len();
        if self.block_size > self.limits.event {
            return Err(SseError::EventTooLarge { at, limit: self.limits.event });
        }
        if self.block.len() == self.limits.lines {
            return Err(SseError::TooManyLines { at, limit: self.limits.lines });
        }
        self.block.push(line);
        Ok(())
    }

    fn end_block(&mut self, end: u64) -> Result<(), SseError> {
        let lines = std::mem::take(&mut self.block);
        self.block_size = 0;
        let Some(first) = lines.first() else { return Ok(()) };
        let at = first.at..end;
        let event = event(lines, at, &mut self.last_event_id);
        self.give(Item::Event(event))
    }

    fn give(&mut self, item: Item) -> Result<(), SseError> {
        let footprint = item.footprint();
        if self.waiting + footprint > self.limits.waiting {
            return Err(SseError::TooMuchWaiting { at: self.position, limit: self.limits.waiting });
        }
        self.waiting += footprint;
        self.found.push_back(item);
        Ok(())
    }
}

/// Interprets the fields of a block.
fn event(lines: Vec<Line>, at: std::ops::Range<u64>, last_event_id: &mut Arc<str>) -> Event {
    let (mut name, mut data, mut id, mut retry) = (None, None::<String>, None, None);
    for line in &lines {
        let value = String::from_utf8_lossy(line.value());
        match line.name() {
            b"event" => name = Some(value.into_owned()),
            b"data" => match &mut data {
                None => data = Some(value.into_owned()),
                Some(data) => {
                    data.push('\n');
                    data.push_str(&value);
                }
            },
            b"id" if !value.contains('\0') => id = Some(value.into_owned()),
            b"retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                retry = Some(value.parse().unwrap_or(u64::MAX));
            }
            _ => {}
        }
    }
    if let Some(id) = &id {
        *last_event_id = Arc::from(id.as_str());
    }
    let invalid_utf8 = lines.iter().find(|line| std::str::from_utf8(&line.raw).is_err()).map(|line| line.at);
    Event { name, data, id, retry, last_event_id: last_event_id.clone(), lines, at, invalid_utf8 }
}

#[cfg(test)]
mod tests;
