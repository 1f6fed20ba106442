//! The wall in front of the console: its pages over the whole screen, on the console's own engine. Any key comes back, and does
//! nothing else.

use super::App;
use crate::base::Timestamp;
use crate::bus::MessageWeight;
use crate::ui::run::Screen as _;
use crate::ui::wall::Wall;

/// Makes a wall that begins then.
pub struct Walls(Box<dyn Fn(Timestamp) -> Wall + Send>);

impl std::fmt::Debug for Walls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Walls")
    }
}

impl Walls {
    pub fn new(make: impl Fn(Timestamp) -> Wall + Send + 'static) -> Self {
        Self(Box::new(make))
    }
}

impl App {
    pub(super) fn raise_wall(&mut self) {
        let Some(Walls(make)) = &self.walls else {
            self.say(MessageWeight::Note, "there is no wall here: noctty wall shows one");
            return;
        };
        let mut wall = make(self.clock());
        wall.tick(self.clock());
        wall.snapshot(self.live().clone());
        self.wall = Some(Box::new(wall));
    }
}
