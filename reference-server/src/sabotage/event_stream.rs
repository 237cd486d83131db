//! An event stream on its way through edits.

use std::{collections::VecDeque, future::pending, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::time::sleep;

use super::{
    event_edit::EventEdit,
    event_frame::{EventFrame, FrameCutter, Layout},
};
use crate::http::ResponseBody;

/// The body with `edits` applied to its frames.
pub(super) fn edited(body: ResponseBody, edits: Vec<EventEdit>) -> ResponseBody {
    let passage = Passage::new(body, edits);
    let frames = stream::unfold(passage, |mut passage| async {
        let bytes = passage.next().await?;
        Some((Ok(Frame::data(bytes)), passage))
    });
    ResponseBody::streamed(StreamBody::new(frames))
}

struct Passage {
    body: ResponseBody,
    edits: Vec<Counted>,
    cutter: FrameCutter,
    due: VecDeque<Due>,
    /// A frame that waits for the one behind it.
    overtaken: Option<Bytes>,
    held_back: Vec<Bytes>,
    is_over: bool,
}

struct Counted {
    edit: EventEdit,
    seen: u32,
}

/// What happens next.
enum Due {
    Send(Bytes),
    Wait(Duration),
    End,
    Silence,
}

impl Passage {
    fn new(body: ResponseBody, edits: Vec<EventEdit>) -> Self {
        Self {
            body,
            edits: edits.into_iter().map(|edit| Counted { edit, seen: 0 }).collect(),
            cutter: FrameCutter::default(),
            due: VecDeque::new(),
            overtaken: None,
            held_back: Vec::new(),
            is_over: false,
        }
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.due.pop_front() {
                Some(Due::Send(bytes)) => return Some(bytes),
                Some(Due::Wait(time)) => sleep(time).await,
                Some(Due::End) => return None,
                Some(Due::Silence) => pending().await,
                None if self.is_over => return None,
                None => self.pull().await,
            }
        }
    }

    async fn pull(&mut self) {
        match self.body.frame().await {
            Some(Ok(frame)) => {
                let bytes = frame.into_data().unwrap_or_default();
                for frame in self.cutter.feed(&bytes) {
                    self.pass(frame);
                }
            }
            Some(Err(_)) | None => self.finish(),
        }
    }

    fn finish(&mut self) {
        self.is_over = true;
        let left = self.overtaken.take().into_iter().chain(std::mem::take(&mut self.held_back));
        self.due.extend(left.map(Due::Send));
        if self.edits.iter().any(|counted| counted.edit.stay_open) {
            self.due.push_back(Due::Silence);
        }
    }

    fn pass(&mut self, mut frame: EventFrame) {
        let mut layout = Layout::default();
        let mut meant = Vec::new();
        for counted in &mut self.edits {
            if !counted.edit.fits(&frame) {
                continue;
            }
            counted.seen += 1;
            if counted.edit.fits_number(counted.seen) {
                counted.edit.rewrite(&mut frame);
                counted.edit.lay_out(&mut layout);
                meant.push(counted.edit.clone());
            }
        }
        let any = |asks: fn(&EventEdit) -> bool| meant.iter().any(asks);
        if any(|edit| edit.drop) {
            return;
        }
        for edit in &meant {
            if let Some(delay) = edit.delay {
                self.due.push_back(Due::Wait(delay.0));
            }
        }
        let bytes = written(&frame, layout, &meant);
        if any(|edit| edit.buffer) {
            self.held_back.push(bytes);
        } else if any(|edit| edit.swap_with_next) && self.overtaken.is_none() {
            self.overtaken = Some(bytes);
        } else {
            self.due.push_back(Due::Send(bytes));
            self.due.extend(self.overtaken.take().map(Due::Send));
        }
        if any(|edit| edit.end) {
            self.due.push_back(Due::End);
        }
        if any(|edit| edit.fall_silent) {
            self.due.push_back(Due::Silence);
        }
    }
}

fn written(frame: &EventFrame, layout: Layout, edits: &[EventEdit]) -> Bytes {
    let mut bytes = Vec::new();
    let copies = if edits.iter().any(|edit| edit.double) { 2 } else { 1 };
    let pieces: Vec<EventFrame> = if edits.iter().any(|edit| edit.split) {
        let piece = |line: &str| EventFrame { name: frame.name.clone(), payload: line.to_owned() };
        frame.payload.split('\n').map(piece).collect()
    } else {
        vec![frame.clone()]
    };
    for edit in edits {
        bytes.extend_from_slice(edit.before.as_deref().unwrap_or_default().as_bytes());
    }
    for _ in 0..copies {
        for piece in &pieces {
            bytes.extend_from_slice(&piece.write(layout));
        }
    }
    for edit in edits {
        bytes.extend_from_slice(edit.after.as_deref().unwrap_or_default().as_bytes());
    }
    bytes.into()
}
