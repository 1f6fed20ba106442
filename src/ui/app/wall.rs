//! The wall in front of the console: its pages over the whole screen, on the console's own engine. Any key comes back, and does
//! nothing else. Its pages and theme are read beside the screen, which waits for no disk: a key pressed meanwhile calls it off.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::App;
use crate::base::Timestamp;
use crate::bus::MessageWeight;
use crate::ui::run::Screen as _;
use crate::ui::wall::Wall;

/// Makes a wall that begins then. Files are read for it.
type Make = Arc<dyn Fn(Timestamp) -> Wall + Send + Sync>;

/// Where walls come from, and the one that is being made.
pub struct Walls {
    make: Make,
    awaited: Option<oneshot::Receiver<Wall>>,
}

impl std::fmt::Debug for Walls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Walls").field("awaited", &self.awaited.is_some()).finish_non_exhaustive()
    }
}

impl Walls {
    pub fn new(make: impl Fn(Timestamp) -> Wall + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), awaited: None }
    }
}

impl App {
    pub(super) fn raise_wall(&mut self) {
        let now = self.clock();
        let Some(walls) = &mut self.walls else {
            self.say(MessageWeight::Note, "there is no wall here: noctty wall shows one");
            return;
        };
        let (tell, made) = oneshot::channel();
        let make = walls.make.clone();
        // Nobody waits for it any more where a key was pressed since.
        let read = move || drop(tell.send(make(now)));
        match std::thread::Builder::new().name("wall".to_owned()).spawn(read) {
            Ok(_) => walls.awaited = Some(made),
            Err(error) => self.say(MessageWeight::Error, format!("the wall can't be raised: {error}")),
        }
    }

    /// The one that stands there is taken down, or the one that is on its way called off; true where one stood there.
    pub(super) fn lower_wall(&mut self) -> bool {
        if let Some(walls) = &mut self.walls {
            walls.awaited = None;
        }
        self.wall.take().is_some()
    }

    /// Puts the one that was awaited in front, once it is made.
    pub(super) fn poll_wall(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(walls) = &mut self.walls else { return Poll::Pending };
        let Some(made) = &mut walls.awaited else { return Poll::Pending };
        let Poll::Ready(made) = Pin::new(made).poll(cx) else { return Poll::Pending };
        walls.awaited = None;
        match made {
            Ok(mut wall) => {
                wall.background(self.themes.background());
                wall.tick(self.clock());
                wall.snapshot(self.live().clone());
                self.wall = Some(Box::new(wall));
            }
            Err(_) => self.say(MessageWeight::Error, "the wall can't be raised: the log has why"),
        }
        Poll::Ready(())
    }
}
