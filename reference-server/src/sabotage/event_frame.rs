//! One frame of an event stream: cut out of the bytes, taken apart, and written again.

use bytes::Bytes;

/// A frame as the server's writer makes it: lines end in LF, and nothing follows the colon that is not
/// part of the payload but one blank in front of a blank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EventFrame {
    /// `None` for a comment.
    pub(super) name: Option<String>,
    pub(super) payload: String,
}

/// How a frame is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) line_end: &'static str,
    /// What follows every colon.
    pub(super) behind_colon: &'static str,
    pub(super) payload_lines: PayloadLines,
    /// Whether a blank at the beginning of a line gets another one in front, for the reader to take away.
    pub(super) guards_blanks: bool,
    /// Whether an empty line ends it.
    pub(super) ends: bool,
    /// Whether the name stands behind the data.
    pub(super) name_last: bool,
}

/// What line ends inside a payload become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PayloadLines {
    /// A `data:` line each.
    Split,
    /// As they are, on a line without a field name.
    Raw,
    /// Only the first line has the field name, the others follow on lines of their own.
    Escaped,
    /// The first line, and nothing else.
    FirstOnly,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            line_end: "\n",
            behind_colon: "",
            payload_lines: PayloadLines::Split,
            guards_blanks: true,
            ends: true,
            name_last: false,
        }
    }
}

/// Cuts bytes into frames, however they are divided.
#[derive(Debug, Default)]
pub(super) struct FrameCutter {
    waiting: Vec<u8>,
}

impl FrameCutter {
    pub(super) fn feed(&mut self, bytes: &Bytes) -> Vec<EventFrame> {
        self.waiting.extend_from_slice(bytes);
        let mut frames = Vec::new();
        while let Some(end) = self.waiting.windows(2).position(|pair| pair == b"\n\n") {
            let rest = self.waiting.split_off(end + 2);
            let frame = std::mem::replace(&mut self.waiting, rest);
            frames.push(EventFrame::parse(&String::from_utf8_lossy(&frame[..end])));
        }
        frames
    }
}

impl EventFrame {
    fn parse(text: &str) -> Self {
        let mut name = None;
        let mut lines = Vec::new();
        for line in text.split('\n') {
            if let Some(value) = line.strip_prefix("event:") {
                name = Some(value.trim_start().to_owned());
            } else if let Some(value) = line.strip_prefix("data:") {
                lines.push(value.strip_prefix(' ').unwrap_or(value));
            }
        }
        Self { name, payload: lines.join("\n") }
    }

    /// The frame's bytes.
    pub(super) fn write(&self, layout: Layout) -> Bytes {
        let Layout { line_end, behind_colon, payload_lines, guards_blanks, ends, name_last } = layout;
        let Some(name) = &self.name else {
            return format!(":{line_end}{line_end}").into();
        };
        let name =
            format!("event:{}{name}{line_end}", if behind_colon.is_empty() { " " } else { behind_colon });
        let mut text = if name_last { String::new() } else { name.clone() };
        let line = |line: &str| {
            let guard =
                if guards_blanks && behind_colon.is_empty() && line.starts_with(' ') { " " } else { "" };
            format!("data:{behind_colon}{guard}{line}{line_end}")
        };
        match payload_lines {
            PayloadLines::Split => text.extend(self.payload.split('\n').map(line)),
            PayloadLines::Raw => text.push_str(&line(&self.payload)),
            PayloadLines::Escaped => text.push_str(&line(&self.payload.replace('\n', "\\n"))),
            PayloadLines::FirstOnly => {
                text.push_str(&line(self.payload.split('\n').next().unwrap_or_default()))
            }
        }
        if name_last {
            text.push_str(&name);
        }
        if ends {
            text.push_str(line_end);
        }
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_writes_comes_back_unchanged() {
        let written = "event: data\ndata:a\ndata:\ndata:  b\n\n:\n\nevent: control\ndata:{\"x\":1}\n\n";
        let mut cutter = FrameCutter::default();
        let mut frames = cutter.feed(&Bytes::from(&written.as_bytes()[..20]));
        frames.extend(cutter.feed(&Bytes::from(&written.as_bytes()[20..])));
        assert_eq!(frames.len(), 3);
        assert_eq!(frames[0].payload, "a\n\n b");
        let again: Vec<u8> = frames.iter().flat_map(|frame| frame.write(Layout::default())).collect();
        assert_eq!(String::from_utf8(again).unwrap(), written);
    }

    #[test]
    fn the_layout_is_free() {
        let frame = EventFrame { name: Some("data".to_owned()), payload: "a\n b".to_owned() };
        let spaced = Layout { line_end: "\r\n", behind_colon: " ", ..Layout::default() };
        assert_eq!(frame.write(spaced), "event: data\r\ndata: a\r\ndata:  b\r\n\r\n");
        let name_last = Layout { name_last: true, ..Layout::default() };
        assert_eq!(frame.write(name_last), "data:a\ndata:  b\nevent: data\n\n");
        let raw = Layout { payload_lines: PayloadLines::Raw, ..Layout::default() };
        assert_eq!(frame.write(raw), "event: data\ndata:a\n b\n\n");
    }
}
