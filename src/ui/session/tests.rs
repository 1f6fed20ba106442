use std::task::Waker;

use ratatui::buffer::Buffer;
use tokio::sync::mpsc;

use super::*;
use crate::base::Timestamp;
use crate::bus::{self, SessionInput};
use crate::config::theme::Theme;
use crate::ui::frame::{Capabilities, Link};

type Ends = (SessionPane, mpsc::Sender<Vec<u8>>, mpsc::Receiver<SessionInput>);

fn pane(status: SessionStatus) -> Ends {
    let (pipe, output, input) = bus::session_pipe(SessionId(1));
    let session = Session { id: SessionId(1), asset: AssetId::new("web1"), title: "web1".into(), status };
    (SessionPane::new(session, pipe, 40, 5), output, input)
}

fn closed(reason: &str, offer_system_ssh: bool) -> SessionStatus {
    SessionStatus::Closed { reason: reason.into(), exit_status: None, offer_system_ssh }
}

fn sent(input: &mut mpsc::Receiver<SessionInput>) -> String {
    let mut out = Vec::new();
    while let Ok(SessionInput::Bytes(bytes)) = input.try_recv() {
        out.extend(bytes);
    }
    String::from_utf8(out).unwrap()
}

fn take(pane: &mut SessionPane) -> Poll<()> {
    take_until(pane, Instant::now() + Duration::from_secs(60))
}

fn take_until(pane: &mut SessionPane, until: Instant) -> Poll<()> {
    pane.poll_output(&mut Context::from_waker(Waker::noop()), until)
}

/// The five rows of the terminal and the line for the foot of the screen; the cursor.
fn rows(pane: &SessionPane) -> (Vec<String>, Option<Position>) {
    let area = Rect::new(0, 0, 40, 5);
    let mut buffer = Buffer::empty(area);
    let capabilities = Capabilities { colours: Colours::Ansi256, unicode: true };
    let (theme, _) = Theme::shipped("dark").expect("shipped");
    let look = Look::new(&theme, capabilities);
    let mut frame = Frame {
        buffer: &mut buffer,
        area,
        now: Timestamp(0),
        wall: Timestamp(0),
        link: Link::default(),
        cursor: None,
        answer: None,
    };
    pane.draw(&mut frame, area, &look, Colours::Ansi256, true);
    let cursor = frame.cursor;
    let row = |y| (0..40).map(|x| buffer[Position::new(x, y)].symbol()).collect::<String>();
    ((0..5).map(row).chain([pane.status_line().0]).collect(), cursor)
}

#[test]
fn all_keys_go_to_the_remote_side_but_the_two_that_leave() {
    let (mut pane, _output, mut input) = pane(SessionStatus::Open);
    for name in ["a", "Ctrl+C", "Esc", "F1", "Tab", "Ctrl+P"] {
        assert_eq!(pane.key(Key::parse(name).unwrap()), KeyEffect::Taken, "{name}");
    }
    assert_eq!(sent(&mut input), "a\x03\x1b\x1bOP\t\x10");
    for (name, bytes) in [("Ctrl+\\", "\x1c"), ("F12", "\x1b[24~")] {
        let key = Key::parse(name).unwrap();
        assert_eq!(pane.key(key), KeyEffect::Leave);
        assert_eq!(sent(&mut input), "");
        pane.send_key(key);
        assert_eq!(sent(&mut input), bytes);
    }
}

#[test]
fn what_the_remote_side_writes_is_drawn_and_the_way_out_is_always_shown() {
    let (mut pane, output, _input) = pane(SessionStatus::Open);
    output.try_send(b"login: \x1b]0;db1\x07".to_vec()).unwrap();
    assert!(take(&mut pane).is_ready());
    assert!(take(&mut pane).is_pending());
    let (rows, cursor) = rows(&pane);
    assert_eq!(rows[0].trim_end(), "login:");
    assert!(rows[5].starts_with(" Ctrl+\\ or F12 leaves, twice sends it"), "{rows:?}");
    assert!(rows[5].ends_with(" · \"db1\""), "{rows:?}");
    assert_eq!(cursor, Some(Position::new(7, 0)));
}

#[test]
fn a_flood_is_taken_in_portions() {
    let (mut pane, output, _input) = pane(SessionStatus::Open);
    for _ in 0..bus::SESSION_CHUNKS {
        output.try_send(b"y\n".repeat(8 * 1024)).unwrap();
    }
    // Time is up before it begins: one slice of the first chunk, and the rest is at hand.
    assert!(take_until(&mut pane, Instant::now()).is_ready());
    assert_eq!((output.capacity(), pane.taken), (1, LARGEST_SLICE));
    assert!(take(&mut pane).is_ready());
    assert_eq!(output.capacity(), bus::SESSION_CHUNKS);
    assert!(take(&mut pane).is_pending());
}

#[test]
fn bytes_that_make_much_work_are_taken_in_smaller_slices() {
    let (mut pane, output, _input) = pane(SessionStatus::Open);
    pane.resize(300, 100);
    // Each three bytes fill thirty thousand cells (DECALN).
    output.try_send(b"\x1b#8".repeat(5 * 1024)).unwrap();
    assert!(take_until(&mut pane, Instant::now()).is_ready());
    assert_eq!(pane.slice, LARGEST_SLICE / 2);
    for _ in 0..10 {
        assert!(take_until(&mut pane, Instant::now()).is_ready());
    }
    assert_eq!(pane.slice, SMALLEST_SLICE);
}

#[test]
fn an_update_is_shown_as_a_whole_and_late_if_it_is_never_ended() {
    let (mut pane, output, _input) = pane(SessionStatus::Open);
    output.try_send(b"\x1b[?2026hhalf".to_vec()).unwrap();
    assert!(take(&mut pane).is_pending());
    output.try_send(b" and half\x1b[?2026l".to_vec()).unwrap();
    assert!(take(&mut pane).is_ready());
    assert_eq!(pane.next_wake(), None);
    output.try_send(b"\x1b[?2026hnever".to_vec()).unwrap();
    assert!(take(&mut pane).is_pending());
    let due = pane.next_wake().expect("it is shown some time");
    assert!(pane.settle(due) && pane.next_wake().is_none());
}

#[test]
fn answers_to_a_flood_of_questions_leave_room_for_keys() {
    let (mut pane, output, mut input) = pane(SessionStatus::Open);
    for _ in 0..200 {
        output.try_send(b"\x1b[c".repeat(100)).unwrap();
        assert!(take(&mut pane).is_ready());
    }
    pane.key(Key::ctrl('c'));
    assert!(!pane.input.is_waiting(), "there is room for keys");
    assert!(sent(&mut input).ends_with('\x03'));
}

#[test]
fn a_question_of_the_remote_side_is_answered_to_it_alone() {
    let (mut pane, output, mut input) = pane(SessionStatus::Open);
    output.try_send(b"\x1b[6n\x1b]52;c;?\x07\x1b]11;?\x07\x1b[21t".to_vec()).unwrap();
    assert!(take(&mut pane).is_ready());
    assert_eq!(sent(&mut input), "\x1b[1;1R");
}

#[test]
fn a_paste_cannot_press_keys_and_several_lines_ask_first() {
    let (mut pane, output, mut input) = pane(SessionStatus::Open);
    assert_eq!(pane.paste("ls\x1b[201~\x03"), PasteEffect::Sent);
    assert_eq!(sent(&mut input), "ls[201~");
    assert_eq!(pane.paste("one\r\ntwo\n"), PasteEffect::Asks { lines: 3 });
    assert!(rows(&pane).0[5].contains("Paste 3 lines?"));
    assert_eq!(pane.key(Key::char('x')), KeyEffect::Taken);
    assert_eq!(sent(&mut input), "");
    pane.paste("one\ntwo");
    pane.key(Key::plain(KeyCode::Enter));
    assert_eq!(sent(&mut input), "one\rtwo");

    output.try_send(b"\x1b[?2004h".to_vec()).unwrap();
    assert!(take(&mut pane).is_ready());
    assert_eq!(pane.paste("one\ntwo\x1b[201~"), PasteEffect::Sent);
    assert_eq!(sent(&mut input), "\x1b[200~one\rtwo[201~\x1b[201~");
}

#[test]
fn application_cursor_keys_follow_the_remote_side() {
    let (mut pane, output, mut input) = pane(SessionStatus::Open);
    pane.key(Key::plain(KeyCode::Up));
    output.try_send(b"\x1b[?1h".to_vec()).unwrap();
    assert!(take(&mut pane).is_ready());
    pane.key(Key::plain(KeyCode::Up));
    assert_eq!(sent(&mut input), "\x1b[A\x1bOA");
}

#[test]
fn what_is_typed_ahead_of_a_slow_remote_side_waits_whole_and_is_said_to() {
    let (mut pane, _output, mut input) = pane(SessionStatus::Open);
    let room = 64;
    for _ in 0..room {
        pane.key(Key::char('x'));
    }
    pane.paste("rm -rf /tmp/x");
    pane.key(Key::char('!'));
    assert!(rows(&pane).0[5].contains("F12 leaves · the remote"), "{:?}", rows(&pane).0);
    assert!(take(&mut pane).is_pending());
    assert_eq!(sent(&mut input), "x".repeat(room));
    assert!(take(&mut pane).is_ready());
    assert_eq!(sent(&mut input), "rm -rf /tmp/x!");
    assert!(rows(&pane).0[5].contains("twice sends it"), "{:?}", rows(&pane).0);
}

#[test]
fn the_end_is_said_with_its_reason_and_what_can_be_done() {
    let (mut pane, output, _input) = pane(SessionStatus::Opening("connecting to jump1".into()));
    assert!(rows(&pane).0[5].contains("F12 leaves · connecting to"), "{:?}", rows(&pane).0);
    drop(output);
    assert!(take(&mut pane).is_ready());
    assert!(take(&mut pane).is_pending());
    let ended = Session { status: closed("web1: root is not let in", true), ..pane.session.clone() };
    pane.update(&ended);
    let line = rows(&pane).0[5].clone();
    assert!(line.contains("! runs the system's ssh") && line.contains("Enter closes"), "{line}");
    assert_eq!(pane.key(Key::char('x')), KeyEffect::Taken);
    assert_eq!(pane.key(Key::char('!')), KeyEffect::SystemSsh);
    assert_eq!(pane.key(Key::plain(KeyCode::Enter)), KeyEffect::Close);
}

#[test]
fn the_view_scrolls_back_and_a_key_returns_it() {
    let (mut pane, output, _input) = pane(SessionStatus::Open);
    let lines: Vec<String> = (0..50).map(|n| format!("line {n}\r\n")).collect();
    output.try_send(lines.concat().into_bytes()).unwrap();
    assert!(take(&mut pane).is_ready());
    pane.key(Key::parse("Shift+PageUp").unwrap());
    let (shown, cursor) = rows(&pane);
    assert!(shown[0].contains("line 4") && shown[5].contains("lines back"), "{shown:?}");
    assert_eq!(cursor, None);
    pane.key(Key::char('x'));
    assert!(rows(&pane).0[0].contains("line 46"), "{:?}", rows(&pane).0);
}

#[test]
fn a_size_goes_to_the_remote_side_once() {
    let (mut pane, _output, mut input) = pane(SessionStatus::Open);
    pane.resize(0, 0);
    pane.resize(1, 1);
    let Ok(SessionInput::Resize { columns: 2, rows: 1 }) = input.try_recv() else { panic!("no size") };
    assert!(input.try_recv().is_err());
}
