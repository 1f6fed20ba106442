//! Machines that tell how they are.

use std::sync::Arc;

use super::fixture::{self, NOW};
use super::*;

fn console(size: (u16, u16), unicode: bool) -> Console {
    let snapshot = Snapshot { revision: 3, at: NOW, hosts: vec![Arc::new(fixture::machine())], ..Snapshot::default() };
    let mut console = Console::new(size, Arc::new(snapshot), unicode);
    console.press("2 Enter");
    console
}

#[test]
fn a_machine_is_told_in_full() {
    insta::assert_snapshot!("machine_120x50", console((120, 50), true).screen());
    insta::assert_snapshot!("machine_80x24", console((80, 24), true).screen());
}

#[test]
fn names_that_mean_harm_move_nothing() {
    for unicode in [true, false] {
        let text = console((120, 50), unicode).screen();
        assert!(text.contains(r"evil\x1b[31m.service") && !text.contains('\x1b'), "{text}");
    }
}
