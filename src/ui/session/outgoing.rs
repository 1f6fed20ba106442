//! What goes to the remote side: in order and whole. The lane to the engine is short; what finds no room in it waits
//! here, bounded, so that of a line typed ahead never a part is missing in the middle.

use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

use crate::bus::SessionInput;

/// Bytes in one message.
const CHUNK: usize = 16 * 1024;
/// The most that waits: a paste of the largest size.
const LIMIT: usize = 5 << 20;
/// Answers of the emulation are dropped rather than kept waiting behind so much.
const ANSWERS: usize = 4 * 1024;

pub struct Outgoing {
    lane: PollSender<SessionInput>,
    waiting: Vec<u8>,
    /// A size that is not sent yet; only the newest counts.
    size: Option<(u16, u16)>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is typed may be a password.
        f.debug_struct("Outgoing").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl Outgoing {
    pub fn new(lane: mpsc::Sender<SessionInput>) -> Self {
        Self { lane: PollSender::new(lane), waiting: Vec::new(), size: None }
    }

    /// Something has found no room in the lane yet.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// All of it, or, where there is no room for all, nothing; false then.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        if self.waiting.len() + bytes.len() > LIMIT {
            return false;
        }
        self.waiting.extend_from_slice(bytes);
        self.push();
        true
    }

    /// What the emulation answers to a question. A flood of questions loses answers, and never takes the room that
    /// keys need.
    pub fn answer(&mut self, bytes: &[u8]) {
        let room = self.lane.get_ref().map_or(0, mpsc::Sender::capacity);
        let most = self.lane.get_ref().map_or(0, mpsc::Sender::max_capacity);
        if room > most / 2 && self.waiting.len() < ANSWERS {
            self.send(bytes);
        }
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.size = Some((columns, rows));
        self.push();
    }

    /// Sends what has found room by now. `Ready` where something did; else the waker is left where something waits.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut moved = Poll::Pending;
        while self.is_waiting() || self.size.is_some() {
            match self.lane.poll_reserve(cx) {
                Poll::Ready(Ok(())) => {
                    let Some(next) = self.next() else { break };
                    // There is room: it was reserved just now.
                    let _ = self.lane.send_item(next);
                    moved = Poll::Ready(());
                }
                Poll::Ready(Err(_)) => {
                    // Nobody is left to take it.
                    self.waiting.clear();
                    self.size = None;
                    moved = Poll::Ready(());
                }
                Poll::Pending => return moved,
            }
        }
        moved
    }

    /// Without waiting: most of the time there is room.
    fn push(&mut self) {
        let Some(lane) = self.lane.get_ref().cloned() else { return };
        while (self.is_waiting() || self.size.is_some())
            && let Ok(permit) = lane.try_reserve()
        {
            let Some(next) = self.next() else { break };
            permit.send(next);
        }
    }

    fn next(&mut self) -> Option<SessionInput> {
        if let Some((columns, rows)) = self.size.take() {
            return Some(SessionInput::Resize { columns, rows });
        }
        let length = self.waiting.len().min(CHUNK);
        (length > 0).then(|| SessionInput::Bytes(self.waiting.drain(..length).collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn poll(outgoing: &mut Outgoing) -> Poll<()> {
        outgoing.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn taken(lane: &mut mpsc::Receiver<SessionInput>) -> String {
        let mut out = Vec::new();
        while let Ok(item) = lane.try_recv() {
            match item {
                SessionInput::Bytes(bytes) => out.extend(bytes),
                SessionInput::Resize { columns, rows } => out.extend(format!("<{columns}x{rows}>").into_bytes()),
            }
        }
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn what_finds_no_room_waits_and_comes_in_order() {
        let (sender, mut lane) = mpsc::channel(2);
        let mut outgoing = Outgoing::new(sender);
        for letter in ["a", "b", "c", "d", "e"] {
            assert!(outgoing.send(letter.as_bytes()));
        }
        outgoing.resize(80, 24);
        outgoing.resize(100, 30);
        assert!(outgoing.is_waiting() && poll(&mut outgoing).is_pending());
        assert_eq!(taken(&mut lane), "ab");
        assert!(poll(&mut outgoing).is_ready());
        assert_eq!(taken(&mut lane), "<100x30>cde");
        assert!(!outgoing.is_waiting() && poll(&mut outgoing).is_pending());
        assert!(outgoing.send(b"f"));
        assert_eq!(taken(&mut lane), "f");
    }

    #[test]
    fn too_much_is_refused_whole_and_an_end_forgets_it() {
        let (sender, mut lane) = mpsc::channel(1);
        let mut outgoing = Outgoing::new(sender);
        assert!(outgoing.send(&vec![b'x'; LIMIT]));
        assert!(outgoing.send(&vec![b'y'; CHUNK]), "one chunk has left");
        assert!(!outgoing.send(b"z"));
        lane.close();
        while lane.try_recv().is_ok() {}
        assert!(poll(&mut outgoing).is_ready());
        assert!(!outgoing.is_waiting());
    }
}
